/* Exactly once against a real OpenStack: what an earlier try has left, two orders on one port, and
 * leftovers. What is made is deleted, and nothing is left behind. At most two machines at a time.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "isobar/clock.h"
#include "openstack_live.h"
#include "os_marks.h"
#include "os_plan.h"

/* An operation under a token that was used before. */
static struct op *again(const char *token, bool resumed)
{
    struct op *op = live_op(&live);
    op->token = arena_strdup(&live.arena, token);
    op->resumed = resumed;
    return op;
}

/* Order something by the adapter's own means. */
static void order(const struct os_kind *kind, const char *body, void *ret)
{
    struct os_request req = {.service = kind->service, .method = "POST", .path = kind->path};
    req.body = body;
    req.body_len = strlen(body);
    live_code(&live, os_ask(live.adapter, &live.op, &req, kind->one, ret), RESULT_CODE_OK);
}

/* A plan for the token, as a create makes it. */
static void plan_for(const char *name, struct os_plan *ret)
{
    pb_VmSpec *spec = live_spec(&live, name);
    spec->public_ip_type = arena_strdup(&live.arena, "dynamic");
    live_code(&live, os_plan(live.adapter, &live.op, spec, ret), RESULT_CODE_OK);
}

static const char *make_port(const struct os_plan *p)
{
    struct os_request req;
    struct os_port port = {0};
    assert_true(os_build_port(&live.arena, p, &req));
    order(&os_port_kind, req.body, &port);
    return port.thing.id;
}

static pb_ResultCode create(const char *name, const char *type, pb_Vm **ret)
{
    pb_CreateVmRequest req = pb_CreateVmRequest_INIT;
    pb_CreateVmResponse rsp = pb_CreateVmResponse_INIT;
    req.spec = live_spec(&live, name);
    req.spec->public_ip_type = arena_strdup(&live.arena, type);
    pb_ResultCode code = openstack_adapter.create_vm(live.adapter, &live.op, &req, &rsp);
    *ret = rsp.vm;
    return code;
}

/* The ports that bear the mark. */
static struct shape_list marked_ports(const char *token)
{
    struct shape_list list = {0};
    live_code(&live,
              os_list(live.adapter, &live.op, &os_port_kind,
                      arena_printf(&live.arena, "name=" OS_MARK_PREFIX "%s", token), &list),
              RESULT_CODE_OK);
    return list;
}

static size_t machines_of(const char *token)
{
    pb_ListOperationVmsRequest req = pb_ListOperationVmsRequest_INIT;
    pb_ListOperationVmsResponse rsp = pb_ListOperationVmsResponse_INIT;
    req.operation_id = arena_strdup(&live.arena, token);
    live_code(&live, openstack_adapter.list_operation_vms(live.adapter, &live.op, &req, &rsp),
              RESULT_CODE_OK);
    for (size_t i = 0; i < rsp.n_vms; i++)
        assert_string_equal(LIVE_VALUE(rsp.vms[i], native, OS_TOKEN_KEY), token);
    return rsp.n_vms;
}

/* How many of a token's there are, and how many of them something uses. */
static size_t leftovers_of(const char *token, size_t *ret_in_use)
{
    pb_ListLeftoversRequest req = pb_ListLeftoversRequest_INIT;
    pb_ListLeftoversResponse rsp = pb_ListLeftoversResponse_INIT;
    live_code(&live, openstack_adapter.list_leftovers(live.adapter, &live.op, &req, &rsp),
              RESULT_CODE_OK);
    size_t n = 0;
    *ret_in_use = 0;
    for (size_t i = 0; i < rsp.n_leftovers; i++) {
        const pb_Leftover *l = rsp.leftovers[i];
        if (strcmp(l->operation_id, token) != 0)
            continue;
        assert_non_null(l->created_at);
        assert_int_not_equal(l->created_at->seconds, 0);
        n++;
        *ret_in_use += l->in_use != 0;
    }
    return n;
}

static size_t delete_leftover(const char *token, bool dry_run)
{
    pb_DeleteLeftoverRequest req = pb_DeleteLeftoverRequest_INIT;
    pb_DeleteLeftoverResponse rsp = pb_DeleteLeftoverResponse_INIT;
    req.id = arena_strdup(&live.arena, token);
    req.dry_run = dry_run;
    live_code(&live, openstack_adapter.delete_leftover(live.adapter, &live.op, &req, &rsp),
              dry_run ? RESULT_CODE_OK : RESULT_CODE_DELETED);
    return rsp.n_leftovers;
}

/* Two ports and a floating IP are there: one port and the address are taken, the other port goes.
 * Another create under the token gives the same machine. */
static void test_resumed(void **state)
{
    (void)state;
    char token[64], first[64], id[64], address[64];
    struct os_plan plan;
    snprintf(token, sizeof(token), "%s", live.token);
    plan_for("live-resumed", &plan);
    snprintf(first, sizeof(first), "%s", make_port(&plan));
    live_made(&live, &os_port_kind, first);
    op_sleep_ms(&live.op, 1100); /* Neutron's times are in seconds */
    live_made(&live, &os_port_kind, make_port(&plan));
    struct os_request req;
    struct os_fip fip = {0};
    assert_true(os_build_fip(&live.arena, &plan, first, &req));
    order(&os_fip_kind, req.body, &fip);
    live_made(&live, &os_fip_kind, fip.thing.id);
    snprintf(address, sizeof(address), "%s", fip.thing.name);

    pb_Vm *vm;
    again(token, true);
    live_code(&live, create("live-resumed", "dynamic", &vm), RESULT_CODE_CREATED);
    snprintf(id, sizeof(id), "%s", vm->id);
    live_made(&live, NULL, id);
    vm = live_wait(&live, id, VM_STATE_RUNNING);
    assert_int_equal(vm->n_addresses, 2);
    assert_string_equal(vm->addresses[1]->ip, address);
    struct shape_list list = marked_ports(token);
    const struct os_port *ports = list.items;
    assert_int_equal(list.n, 1);
    assert_string_equal(ports->thing.id, first);
    assert_string_equal(ports->device_id, id);

    /* A port takes one machine. */
    struct http_response rsp;
    plan_for("live-resumed", &plan);
    assert_true(os_build_server(&live.arena, &plan, first, 52, &req));
    live_code(&live, os_send(live.adapter, &live.op, &req, &rsp), RESULT_CODE_FAILED_PRECONDITION);
    assert_int_equal(live.op.result->native->http_status, 409);
    assert_string_equal(live.op.result->native->code, "conflictingRequest");
    print_message("  on a port in use: %s\n", live.op.result->native->message);

    again(token, true);
    live_code(&live, create("live-resumed", "dynamic", &vm), RESULT_CODE_CREATED);
    assert_string_equal(vm->id, id);
    assert_int_equal(marked_ports(token).n, 1);
    assert_int_equal(machines_of(token), 1);
    live_delete(&live, id);
    assert_int_equal(machines_of(token), 0);
}

/* ---- Two orders on one port ---- */

struct order {
    const struct os_request *req;
    struct op op;
    struct arena arena;
    pb_ResultCode code;
    struct os_thing made;
};

static const struct shape_field made_fields[] = {
    SHAPE_FIELD(struct os_thing, id, "id", SHAPE_STRING),
};
static const struct shape made_shape = {sizeof(struct os_thing), made_fields, 1, 0};
OS_ONE(server_made_shape, "server", struct os_thing, made_shape);

static void *send_order(void *arg)
{
    struct order *o = arg;
    o->code = os_ask(live.adapter, &o->op, o->req, &server_made_shape, &o->made);
    return NULL;
}

static void say(const struct order *o)
{
    const pb_NativeError *native = o->op.result->native;
    print_message("  order: %s%s%s\n", result_name(o->code), native == NULL ? "" : ", ",
                  native == NULL ? "" : native->message);
}

/* Wait until none of the operation's machines is being built; how many run. */
static size_t wait_built(const char *token, struct shape_list *ret)
{
    size_t building = 1, running = 0;
    for (int looks = 0; building > 0 && looks < 120; looks++) {
        live.op.deadline_ns = clock_mono_ns() + 60 * NS_PER_SEC;
        op_sleep_ms(&live.op, 500);
        live_code(&live, os_servers_by_mark(live.adapter, &live.op, token, ret), RESULT_CODE_OK);
        const struct os_server *s = ret->items;
        building = running = 0;
        for (size_t i = 0; i < ret->n; i++) {
            building += strcmp(s[i].status, "BUILD") == 0;
            running += strcmp(s[i].status, "ACTIVE") == 0;
        }
    }
    return running;
}

/* Two at once. Nova may take both and fail one of them later: never do two run, and both are seen
 * by their mark. What it does to the port is shown: the one that fails frees it, whoever has it. */
static void test_two_orders(void **state)
{
    (void)state;
    char token[64], port[64];
    struct os_plan plan;
    struct os_request req;
    struct order orders[2] = {{0}};
    struct shape_list list = {0};
    pthread_t threads[2];
    snprintf(token, sizeof(token), "%s", live.token);
    plan_for("live-two", &plan);
    snprintf(port, sizeof(port), "%s", make_port(&plan));
    live_made(&live, &os_port_kind, port);
    assert_true(os_build_server(&live.arena, &plan, port, 52, &req));
    for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
        arena_init(&orders[i].arena, (size_t)1 << 20);
        orders[i].req = &req;
        orders[i].op = live.op;
        orders[i].op.arena = &orders[i].arena;
        orders[i].op.result = result_new(&orders[i].arena);
    }
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, send_order, &orders[i]), 0);
    size_t taken = 0;
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        pthread_join(threads[i], NULL);
        say(&orders[i]);
        if (orders[i].code != RESULT_CODE_OK)
            continue;
        live_made(&live, NULL, orders[i].made.id);
        taken++;
    }
    assert_true(taken >= 1);
    assert_int_equal(machines_of(token), taken);
    size_t running = wait_built(token, &list);
    const struct os_server *s = list.items;
    for (size_t i = 0; i < list.n; i++)
        print_message("  machine: %s%s%s\n", s[i].status, s[i].fault.message == NULL ? "" : ", ",
                      s[i].fault.message == NULL ? "" : s[i].fault.message);
    assert_true(running <= 1);
    assert_int_equal(list.n, taken);
    list = marked_ports(token);
    const struct os_port *now = list.items;
    assert_int_equal(list.n, 1);
    print_message("  port: %s\n", now->device_id[0] == '\0' ? "nobody's" : "a machine's");
    /* Whatever the port says, it is the machine's that is there. */
    size_t in_use;
    assert_int_equal(delete_leftover(token, false), 0);
    leftovers_of(token, &in_use);
    assert_int_equal(in_use, 1);
    for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
        if (orders[i].made.id != NULL)
            live_delete(&live, orders[i].made.id);
        arena_done(&orders[i].arena);
    }
}

/* An order on a port that is gone fails: so deleting the port fences what is under way. */
static void test_order_on_no_port(void **state)
{
    (void)state;
    struct os_plan plan;
    struct os_request req;
    struct http_response rsp;
    plan_for("live-none", &plan);
    const char *port = make_port(&plan);
    assert_true(os_build_server(&live.arena, &plan, port, 52, &req));
    struct os_request gone = os_delete(&live.arena, OS_NETWORK, "/ports", port);
    live_code(&live, os_send(live.adapter, &live.op, &gone, &rsp), RESULT_CODE_OK);
    live_code(&live, os_send(live.adapter, &live.op, &req, &rsp), RESULT_CODE_BAD_REQUEST_DATA);
    assert_int_equal(live.op.result->native->http_status, 400);
}

/* ---- Leftovers ---- */

/* As a create leaves them that died before it ordered its machine. */
static void test_leftovers(void **state)
{
    (void)state;
    char token[64], volume_id[64];
    struct os_plan plan;
    struct os_request req;
    struct os_fip fip = {0};
    struct os_volume volume = {0};
    size_t in_use;
    snprintf(token, sizeof(token), "%s", live.token);
    plan_for("live-leftovers", &plan);
    const char *port = make_port(&plan);
    live_made(&live, &os_port_kind, port);
    assert_true(os_build_fip(&live.arena, &plan, port, &req));
    order(&os_fip_kind, req.body, &fip);
    live_made(&live, &os_fip_kind, fip.thing.id);
    struct os_new_volume v = {.name = live_name(&live, "live-leftover"), .size = 1};
    live_code(&live, os_volume_order(live.adapter, &live.op, &v, token, &volume), RESULT_CODE_OK);
    snprintf(volume_id, sizeof(volume_id), "%s", volume.thing.id);
    live_made(&live, &os_volume_kind, volume_id);
    live_code(&live, os_volume_wait(live.adapter, &live.op, &v, &volume), RESULT_CODE_OK);

    assert_int_equal(leftovers_of(token, &in_use), 3);
    assert_int_equal(in_use, 0);
    assert_int_equal(delete_leftover(token, true), 3);
    assert_int_equal(leftovers_of(token, &in_use), 3);
    assert_int_equal(delete_leftover("0190b8a0-0000-7000-8000-000000000000", false), 0);
    assert_int_equal(leftovers_of(token, &in_use), 3);
    assert_int_equal(delete_leftover(token, false), 3);
    for (int i = 0; i < 40 && leftovers_of(token, &in_use) > 0; i++)
        op_sleep_ms(&live.op, 500); /* Cinder takes its time */
    assert_int_equal(leftovers_of(token, &in_use), 0);
    assert_int_equal(delete_leftover(token, false), 0);
}

/* What a machine has is in use, from the order on, and stays. */
static void test_in_use(void **state)
{
    (void)state;
    char token[64], id[64];
    pb_Vm *vm;
    size_t in_use;
    snprintf(token, sizeof(token), "%s", live.token);
    live_code(&live, create("live-in-use", "dynamic", &vm), RESULT_CODE_CREATED);
    snprintf(id, sizeof(id), "%s", vm->id);
    live_made(&live, NULL, id);
    assert_int_equal(delete_leftover(token, false), 0);
    assert_int_equal(leftovers_of(token, &in_use), 3); /* and the machine */
    assert_int_equal(in_use, 2);
    vm = live_wait(&live, id, VM_STATE_RUNNING);
    assert_int_equal(vm->n_addresses, 2);
    assert_int_equal(delete_leftover(token, false), 0);
    assert_int_equal(leftovers_of(token, &in_use), 3);
    assert_int_equal(in_use, 2);
    live_delete(&live, id);
    assert_int_equal(leftovers_of(token, &in_use), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE_TEST(test_resumed),   LIVE_TEST(test_two_orders), LIVE_TEST(test_order_on_no_port),
        LIVE_TEST(test_leftovers), LIVE_TEST(test_in_use),
    };
    return cmocka_run_group_tests(tests, live_setup, live_teardown);
}
