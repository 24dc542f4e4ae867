/* The client library: what does not depend on the transport, and gateways that are nng. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <nng/nng.h>
#include <nng/protocol/reqrep0/rep.h>

#include "fake_gateway.h"
#include "grpc/health/v1/health.pb-c.h"
#include "isobar.h"

static char dir[64], local_path[96], local_url[128];
static struct fake local = {.path = local_path};

static int set_up(void **state)
{
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/isobar-client.XXXXXX");
    assert_non_null(mkdtemp(dir));
    snprintf(local_path, sizeof local_path, "%s/gateway.sock", dir);
    snprintf(local_url, sizeof local_url, "ipc://%s", local_path);
    return fake_start(&local) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    fake_stop(&local);
    return rmdir(dir);
}

static bool get_vm(struct isobar *c, const char *id, struct isobar_reply *ret)
{
    pb_GetVmRequest request;
    isobar__v1__get_vm_request__init(&request);
    request.id = (char *)(uintptr_t)id;
    return isobar_call(c, "isobar.v1.VmService/GetVm", &request.base, NULL, ret);
}

static void test_words(void **state)
{
    (void)state;
    assert_string_equal(isobar_code_name(RESULT_CODE_NOT_FOUND), "NotFound");
    assert_string_equal(isobar_code_title(RESULT_CODE_METHOD_NOT_ALLOWED),
                        "Requested API is not defined");
    assert_int_equal(isobar_code_http_status(RESULT_CODE_ALREADY_EXISTS), 409);
    assert_string_equal(isobar_version(), ISOBAR_VERSION);
    setenv("ISOBAR_SERVER", "tcp://gateway.example", 1);
    assert_string_equal(isobar_default_url(), "tcp://gateway.example");
    setenv("ISOBAR_SERVER", "", 1);
    assert_int_equal(strncmp(isobar_default_url(), "ipc:///", 7), 0);
    unsetenv("ISOBAR_SERVER");
    assert_int_equal(strncmp(isobar_default_url(), "ipc:///", 7), 0);
}

static void test_urls(void **state)
{
    (void)state;
    static const char *const bad[][2] = {
        {"", "is not the URL of a gateway"},
        {"localhost:7461", "is not the URL of a gateway"},
        {"http://localhost", "begins with ipc://, tcp://, tls+tcp:// or inproc://"},
        {"tcp://", "HOST or HOST:PORT"},
        {"tcp://:7461", "HOST or HOST:PORT"},
        {"tcp://host:", "HOST or HOST:PORT"},
        {"tcp://host:0", "HOST or HOST:PORT"},
        {"tcp://host:65536", "HOST or HOST:PORT"},
        {"tcp://host:12x", "HOST or HOST:PORT"},
        {"tcp://host:7461/path", "HOST or HOST:PORT"},
        {"tcp://[::1", "HOST or HOST:PORT"},
        {"tcp://[::1]7461", "HOST or HOST:PORT"},
        {"ipc://", "must have 1 to 107 bytes"},
        {"ipc:///00000000000000000000000000000000000000000000000000000000000000000000000000000000"
         "000000000000000000000000000",
         "must have 1 to 107 bytes"},
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct isobar_error error = {""};
        struct isobar *c = isobar_connect(bad[i][0], NULL, &error);
        assert_null(c);
        if (!strstr(error.text, bad[i][1]))
            fail_msg("%s: '%s'", bad[i][0], error.text);
    }
    static const char *const good[] = {"tcp://host", "tcp://[::1]:1/", "tcp://[::1]", "ipc://x",
                                       "inproc://x"};
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        struct isobar *c = isobar_connect(good[i], NULL, NULL);
        assert_non_null(c);
        isobar_close(c);
    }
    isobar_close(NULL);
}

/* Hosts that cannot be found, and the port where none is given. */
static void test_hosts(void **state)
{
    (void)state;
    struct isobar *c = isobar_connect("tcp://nowhere.invalid", NULL, NULL);
    struct isobar_reply r;
    assert_false(get_vm(c, "web", &r));
    assert_int_equal(r.result->code, RESULT_CODE_UNAVAILABLE);
    assert_non_null(strstr(r.result->detail, "cannot find the host of tcp://nowhere.invalid:7461"));
    isobar_reply_done(&r);
    isobar_close(c);
}

static void keep_id(const pb_GetVmResponse *response, void *data)
{
    char *id = data;
    snprintf(id, 32, "%s", response ? response->vm->id : "none");
}

static void *use_stubs(void *arg)
{
    ProtobufCService *service = arg;
    char *seen = calloc(1, 64);
    assert_null(isobar_last_result());
    pb_GetVmRequest request;
    isobar__v1__get_vm_request__init(&request);
    request.id = (char[]){"web"};
    isobar__v1__vm_service__get_vm(service, &request, keep_id, seen);
    assert_int_equal(isobar_last_result()->code, RESULT_CODE_OK);
    request.id = (char[]){"missing"};
    isobar__v1__vm_service__get_vm(service, &request, keep_id, seen + 32);
    assert_int_equal(isobar_last_result()->code, RESULT_CODE_NOT_FOUND);
    assert_string_equal(isobar_last_result()->detail, "there is no such machine");
    return seen;
}

static void test_stubs(void **state)
{
    (void)state;
    struct isobar *c = isobar_connect(local_url, NULL, NULL);
    ProtobufCService *service = isobar_service(c, &isobar__v1__vm_service__descriptor);
    assert_non_null(service);
    assert_ptr_equal(service, isobar_service(c, &isobar__v1__vm_service__descriptor));
    assert_ptr_not_equal(service, isobar_service(c, &isobar__v1__image_service__descriptor));
    char *mine = use_stubs(service);
    assert_string_equal(mine, "web");
    assert_string_equal(mine + 32, "none");
    pthread_t thread;
    void *theirs = NULL;
    pthread_create(&thread, NULL, use_stubs, service);
    pthread_join(thread, &theirs);
    assert_string_equal(theirs, "web");
    assert_int_equal(isobar_last_result()->code, RESULT_CODE_NOT_FOUND);
    free(mine);
    free(theirs);
    isobar_close(c);
}

/* An nng REP socket that says SERVING to whatever it is asked. */
struct rep {
    nng_socket socket;
    char asked[64];
};

static void *serve_health(void *arg)
{
    struct rep *rep = arg;
    nng_msg *m;
    while (nng_recvmsg(rep->socket, &m, 0) == 0) {
        struct arena a;
        arena_init(&a, 1 << 20);
        struct envelope call;
        if (envelope_decode(&a, nng_msg_body(m), nng_msg_len(m), &call))
            snprintf(rep->asked, sizeof rep->asked, "%s", call.method);
        Grpc__Health__V1__HealthCheckResponse response;
        grpc__health__v1__health_check_response__init(&response);
        response.status = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING;
        pb_Result *result = arena_message(&a, &pb_Result_desc);
        result->code = RESULT_CODE_OK;
        nng_msg_clear(m);
        nng_msg_realloc(m, envelope_reply_size(result, &response.base, NULL));
        envelope_reply_write(result, &response.base, NULL, nng_msg_body(m));
        arena_done(&a);
        if (nng_sendmsg(rep->socket, m, 0) != 0)
            nng_msg_free(m);
    }
    return NULL;
}

static void check_health(const char *url)
{
    struct rep rep = {.asked = ""};
    struct isobar *c = isobar_connect(url, NULL, NULL);
    Grpc__Health__V1__HealthCheckRequest request;
    grpc__health__v1__health_check_request__init(&request);
    struct isobar_reply r;
    assert_false(isobar_call(c, "grpc.health.v1.Health/Check", &request.base, NULL, &r));
    assert_int_equal(r.result->code, RESULT_CODE_UNAVAILABLE);
    assert_non_null(strstr(r.result->detail, "nothing listens at"));
    isobar_reply_done(&r);

    assert_int_equal(nng_rep0_open(&rep.socket), 0);
    assert_int_equal(nng_listen(rep.socket, url, NULL, 0), 0);
    pthread_t thread;
    pthread_create(&thread, NULL, serve_health, &rep);
    bool ok = isobar_call(c, "grpc.health.v1.Health/Check", &request.base, NULL, &r);
    for (int i = 0; !ok && i < 50; i++) { /* in a process, nng only tries now and then */
        isobar_reply_done(&r);
        usleep(20000);
        ok = isobar_call(c, "grpc.health.v1.Health/Check", &request.base, NULL, &r);
    }
    assert_true(ok);
    assert_string_equal(rep.asked, "grpc.health.v1.Health/Check");
    assert_int_equal(((Grpc__Health__V1__HealthCheckResponse *)(void *)r.message)->status,
                     GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING);
    isobar_reply_done(&r);
    /* A method that is not known here has a result and no message. */
    assert_true(isobar_call(c, "isobar.v9.NewService/Do", NULL, NULL, &r));
    assert_null(r.message);
    isobar_reply_done(&r);
    isobar_close(c);
    nng_close(rep.socket);
    pthread_join(thread, NULL);
}

static void test_nng_gateway(void **state)
{
    (void)state;
    char url[128];
    snprintf(url, sizeof url, "ipc://%s/nng.sock", dir);
    check_health("inproc://isobar-test");
    check_health(url);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),       cmocka_unit_test(test_urls),
        cmocka_unit_test(test_hosts),       cmocka_unit_test(test_stubs),
        cmocka_unit_test(test_nng_gateway),
    };
    return cmocka_run_group_tests_name("client", tests, set_up, tear_down);
}
