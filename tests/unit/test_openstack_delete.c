/* Deleting and resizing machines through the OpenStack adapter, against a cloud that answers by a
 * table: what goes with a machine, and that nothing else does.
 */
#include "openstack_stub.h"

#define ID     "11111111-1111-4111-8111-111111111111"
#define MARKS  "\"metadata\":{\"isobar_token\":\"t1\"},\"tags\":[\"isobar-t1\"]"
#define SERVER "{\"id\":\"" ID "\",\"name\":\"web\",\"status\":\"BUILD\"," MARKS "}"
#define OURS   "\"description\":\"Made by Isobar together with its machine\""
#define PORT   "{\"id\":\"p1\",\"name\":\"isobar-t1\"," OURS "}"
#define PORTS  "GET " NEUTRON "/ports?name=isobar-t1"
#define FIPS   "GET " NEUTRON "/floatingips?description=isobar-t1"
#define FIP                                                                                        \
    "{\"id\":\"f1\",\"floating_ip_address\":\"192.0.2.1\","                                        \
    "\"description\":\"isobar-t1\"}"

#define BY_MARK "GET " NOVA "/servers/detail?tags=isobar-t1"
#define TWIN    "22222222-2222-4222-8222-222222222222"

static struct cloud cloud;

static int setup(void **state)
{
    (void)state;
    cloud_start(&cloud);
    CLOUD_ROWS(
        &cloud,
        {"GET " NOVA "/flavors/detail", ALWAYS, 200,
         "{\"flavors\":[{\"id\":\"1\",\"name\":\"small\",\"vcpus\":1,\"ram\":512,\"disk\":3}]}"},
        {"GET " NOVA "/servers/" ID "$", ALWAYS, 200, "{\"server\":" SERVER "}"},
        {PORTS, ALWAYS, 200, "{\"ports\":[" PORT "]}"},
        {FIPS, ALWAYS, 200, "{\"floatingips\":[" FIP "]}"},
        {BY_MARK, ALWAYS, 200, "{\"servers\":[" SERVER "]}"}, {"DELETE ", ALWAYS, 204, NULL});
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    cloud_stop(&cloud);
    return 0;
}

static pb_Vm *delete_it(const char *id, pb_ResultCode wanted)
{
    pb_DeleteVmRequest req = pb_DeleteVmRequest_INIT;
    pb_DeleteVmResponse rsp = pb_DeleteVmResponse_INIT;
    struct op *op = cloud_op(&cloud);
    req.id = arena_strdup(op->arena, id);
    cloud_code(&cloud, openstack_adapter.delete_vm(cloud.adapter, op, &req, &rsp), wanted);
    return rsp.vm;
}

/* What is not marked, or marked for another one, or used by another one, stays. */
static void test_delete(void **state)
{
    (void)state;
    CLOUD_ROWS(&cloud,
               {PORTS, ALWAYS, 200,
                "{\"ports\":[{\"id\":\"x1\",\"name\":\"\",\"description\":\"\"},{\"id\":\"x2\","
                "\"name\":\"isobar-t2\"," OURS "},{\"id\":\"x3\",\"name\":\"isobar-t1\","
                "\"description\":\"a user's\",\"device_id\":\"" ID "\"},{\"id\":\"x4\",\"name\":"
                "\"isobar-t1\",\"device_id\":\"another\"," OURS "},{\"id\":\"p1\",\"name\":"
                "\"isobar-t1\",\"device_id\":\"" ID "\"," OURS "}]}"},
               {FIPS, ALWAYS, 200,
                "{\"floatingips\":[{\"id\":\"y1\",\"description\":\"a user's\",\"port_id\":\"p1\"},"
                "{\"id\":\"y2\",\"description\":\"isobar-t1\",\"port_id\":\"x4\"},{\"id\":\"f1\","
                "\"description\":\"isobar-t1\",\"port_id\":\"p1\"}]}"});
    pb_Vm *vm = delete_it(ID, RESULT_CODE_DELETED);
    assert_string_equal(vm->name, "web");
    assert_int_equal(vm->state, VM_STATE_DELETING);
    assert_int_equal(cloud.op.result->n_warnings, 0);
    static const char *const order[] = {PORTS, FIPS, "DELETE " NOVA "/servers/" ID,
                                        "DELETE " NEUTRON "/floatingips/f1",
                                        "DELETE " NEUTRON "/ports/p1"};
    cloud_order(&cloud, order, ARRAY_LEN(order));
    assert_int_equal(cloud_count(&cloud, "DELETE"), 3);
}

/* A machine that could not be built no longer has its port, which is free again. */
static void test_delete_of_aborted_build(void **state)
{
    (void)state;
    CLOUD_ROWS(
        &cloud,
        {PORTS, ALWAYS, 200,
         "{\"ports\":[{\"id\":\"p1\",\"name\":\"isobar-t1\",\"device_id\":\"\"," OURS "}]}"},
        {FIPS, ALWAYS, 200,
         "{\"floatingips\":[{\"id\":\"f1\",\"description\":\"isobar-t1\",\"port_id\":null}]}"});
    delete_it(ID, RESULT_CODE_DELETED);
    assert_int_equal(cloud_count(&cloud, "DELETE"), 3);
}

/* An operation made two machines, and one of them goes: what nobody uses yet may be the other's. */
static void test_delete_twin(void **state)
{
    (void)state;
    static const struct {
        int status;
        const char *body;
        size_t deleted;
    } rows[] = {
        {200, "{\"servers\":[" SERVER ",{\"id\":\"" TWIN "\",\"status\":\"BUILD\"," MARKS "}]}", 1},
        {500, "{}", 1}, /* nobody knows */
        {200,
         "{\"servers\":[" SERVER ",{\"id\":\"" TWIN
         "\",\"status\":\"ACTIVE\",\"OS-EXT-STS:task_state\":\"deleting\"," MARKS "}]}",
         3},
        /* The filter is ignored. */
        {200, "{\"servers\":[" SERVER ",{\"id\":\"" TWIN "\",\"status\":\"BUILD\"}]}", 3},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct cloud_row row = {BY_MARK, ALWAYS, rows[i].status, rows[i].body};
        cloud_rows(&cloud, &row, 1);
        delete_it(ID, RESULT_CODE_DELETED);
        assert_int_equal(cloud_count(&cloud, "DELETE"), rows[i].deleted);
        assert_int_equal(cloud_count(&cloud, "DELETE " NOVA "/servers/" ID), 1);
    }
}

/* A machine that somebody else made: nothing but itself is looked at or deleted. */
static void test_delete_foreign(void **state)
{
    (void)state;
    CLOUD_ROWS(&cloud, {"GET " NOVA "/servers/" ID "$", ALWAYS, 200,
                        "{\"server\":{\"id\":\"" ID "\",\"name\":\"db\",\"status\":\"ACTIVE\","
                        "\"metadata\":{\"team\":\"red\"}}}"});
    delete_it(ID, RESULT_CODE_DELETED);
    assert_int_equal(cloud_count(&cloud, "GET " NEUTRON), 0);
    assert_int_equal(cloud_count(&cloud, "DELETE"), 1);
}

/* Where the machine stays, so does what it needs; where that cannot be seen, the machine does. */
static void test_delete_refused(void **state)
{
    (void)state;
    CLOUD_ROWS(&cloud, {"DELETE " NOVA "/servers/", ALWAYS, 409,
                        "{\"conflictingRequest\":{\"message\":\"Instance is locked\"}}"});
    delete_it(ID, RESULT_CODE_FAILED_PRECONDITION);
    assert_int_equal(cloud_count(&cloud, "DELETE"), 1);
    CLOUD_ROWS(&cloud, {PORTS, ALWAYS, 403, "{}"});
    delete_it(ID, RESULT_CODE_FORBIDDEN);
    assert_int_equal(cloud_count(&cloud, "DELETE"), 0);
}

static void test_delete_gone(void **state)
{
    (void)state;
    CLOUD_ROWS(&cloud, {"GET " NOVA "/servers/" ID "$", ALWAYS, 404, "{}"},
               {"GET " NOVA "/servers", ALWAYS, 200, "{\"servers\":[]}"});
    assert_int_equal(delete_it(ID, RESULT_CODE_DELETED)->state, VM_STATE_DELETED);
    delete_it("no-such", RESULT_CODE_NOT_FOUND);
    assert_int_equal(cloud_count(&cloud, "DELETE"), 0);
}

/* ---- Resize ---- */

static void resize(pb_ResultCode wanted)
{
    pb_ResizeVmRequest req = pb_ResizeVmRequest_INIT;
    pb_ResizeVmResponse rsp = pb_ResizeVmResponse_INIT;
    struct op *op = cloud_op(&cloud);
    req.id = arena_strdup(op->arena, ID);
    req.flavor_name = arena_strdup(op->arena, "small");
    cloud_code(&cloud, openstack_adapter.resize_vm(cloud.adapter, op, &req, &rsp), wanted);
}

#define SIZED(status, size)                                                                        \
    "{\"server\":{\"id\":\"" ID "\",\"name\":\"web\",\"status\":\"" status "\",\"flavor\":{"       \
    "\"original_name\":\"" size "\",\"vcpus\":1,\"ram\":512,\"disk\":3}}}"
#define LOOK   "GET " NOVA "/servers/" ID "$"
#define ACTION "POST " NOVA "/servers/" ID "/action"

static void test_resize(void **state)
{
    (void)state;
    CLOUD_ROWS(&cloud, {ACTION, ALWAYS, 202, NULL}, {LOOK, 1, 200, SIZED("ACTIVE", "big")},
               {LOOK, 1, 200, SIZED("RESIZE", "big")},
               {LOOK, 1, 200, SIZED("VERIFY_RESIZE", "small")},
               {LOOK, ALWAYS, 200, SIZED("ACTIVE", "small")});
    resize(RESULT_CODE_CHANGED);
    static const char *const order[] = {ACTION " {\"resize\":{\"flavorRef\":\"1\"}}",
                                        ACTION " {\"confirmResize\":null}"};
    cloud_order(&cloud, order, ARRAY_LEN(order));
    assert_int_equal(cloud_count(&cloud, ACTION), 2);
    resize(RESULT_CODE_CHANGED); /* it has that size */
    assert_int_equal(cloud_count(&cloud, ACTION), 0);
}

static void test_resize_given_up(void **state)
{
    (void)state;
    CLOUD_ROWS(&cloud, {ACTION, ALWAYS, 202, NULL}, {LOOK, 1, 200, SIZED("ACTIVE", "big")},
               {LOOK, 1, 200, SIZED("RESIZE", "big")}, {LOOK, ALWAYS, 200, SIZED("ACTIVE", "big")});
    resize(RESULT_CODE_OUT_OF_CAPACITY);
    assert_non_null(strstr(cloud.op.result->detail, "gave it up"));
    CLOUD_ROWS(&cloud, {LOOK, 1, 200, SIZED("VERIFY_RESIZE", "other")},
               {LOOK, ALWAYS, 200, SIZED("VERIFY_RESIZE", "other")}, {ACTION, 1, 409, "{}"});
    resize(RESULT_CODE_FAILED_PRECONDITION);
    assert_int_equal(cloud_count(&cloud, ACTION " {\"confirmResize\""), 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_delete),         TEST(test_delete_of_aborted_build), TEST(test_delete_twin),
        TEST(test_delete_foreign), TEST(test_delete_refused),          TEST(test_delete_gone),
        TEST(test_resize),         TEST(test_resize_given_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
