/* A gateway some of whose clouds are clouds of another gateway: here its own, over its own socket,
 * so that both ends of every call can be seen. */
#ifndef ISOBAR_TESTS_CASCADE_FIXTURE_H
#define ISOBAR_TESTS_CASCADE_FIXTURE_H

#include "gateway_fixture.h"
#include "remote.h"

static struct fixture fx;
static char gateway_url[128];

extern const struct adapter_ops remote_adapter;

/* `clouds` has an @ wherever the gateway's own URL goes. */
static inline void cascade_start(const char *clouds)
{
    char text[4096] = "";
    fx = (struct fixture){.dir = "/tmp/isobar-test-XXXXXX"};
    assert_non_null(mkdtemp(fx.dir));
    snprintf(fx.socket, sizeof(fx.socket), "%s/s", fx.dir);
    snprintf(gateway_url, sizeof(gateway_url), "ipc://%s", fx.socket);
    for (size_t n = 0; *clouds; clouds++) {
        assert_true(n + sizeof(gateway_url) < sizeof(text));
        if (*clouds == '@')
            n += (size_t)snprintf(text + n, sizeof(text) - n, "%s", gateway_url);
        else
            text[n++] = *clouds;
    }
    arena_init(&fx.arena, (size_t)64 << 20);
    assert_true(log_start());
    struct config *c = fixture_config(&fx, text);
    assert_non_null(c);
    fx.gateway = gateway_start(c, fixture_report, NULL);
    assert_non_null(fx.gateway);
}

static inline pb_Reply *ask(const char *method, const void *request)
{
    return fixture_ask(&fx, &(struct asked){.method = method, .request = request});
}

static inline pb_Vm *create(const char *cloud, const char *name)
{
    pb_CreateVmRequest *req = fixture_create(&fx, cloud, name);
    req->wait = WAIT_RUNNING;
    pb_Reply *r = ask("isobar.v1.VmService/CreateVm", req);
    if (r->result->code != RESULT_CODE_CREATED)
        fail_msg("%s: %s", result_name(r->result->code), r->result->detail);
    return BODY(&fx, r, CreateVmResponse)->vm;
}

static inline pb_Reply *get(const char *cloud, const char *id)
{
    pb_GetVmRequest *req = NEW(&fx, GetVmRequest);
    req->cloud = TEXT(cloud);
    req->id = TEXT(id);
    return ask("isobar.v1.VmService/GetVm", req);
}

static inline pb_ListVmsResponse *list(const char *cloud, const char *name)
{
    pb_ListVmsRequest *req = NEW(&fx, ListVmsRequest);
    req->cloud = TEXT(cloud);
    req->name = TEXT(name);
    pb_Reply *r = ask("isobar.v1.VmService/ListVms", req);
    assert_int_equal(r->result->code, RESULT_CODE_OK);
    return BODY(&fx, r, ListVmsResponse);
}

static inline pb_Reply *delete_vm(const char *cloud, const char *id)
{
    pb_DeleteVmRequest *req = NEW(&fx, DeleteVmRequest);
    req->cloud = TEXT(cloud);
    req->id = TEXT(id);
    req->wait = WAIT_RUNNING;
    return ask("isobar.v1.VmService/DeleteVm", req);
}

/* Of an operation that has marked something in a cloud. */
static inline pb_Reply *look_up_there(const char *cloud, const char *operation_id)
{
    pb_ListOperationVmsRequest *req = NEW(&fx, ListOperationVmsRequest);
    req->cloud = TEXT(cloud);
    req->operation_id = TEXT(operation_id);
    return ask("isobar.v1.OperationService/ListOperationVms", req);
}

#endif
