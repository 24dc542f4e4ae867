/* Actions that are done a second time, as after a crash: success where the machine is in that state
 * already, through the OpenStack adapter against a cloud that answers by a table.
 */
#include "openstack_create.h"

#define BIG    ",\"flavor\":{\"original_name\":\"big\",\"vcpus\":2,\"ram\":1024,\"disk\":3}}"
#define SMALL  ",\"flavor\":{\"original_name\":\"small\",\"vcpus\":1,\"ram\":512,\"disk\":3}}"
#define LOOK   "GET " NOVA "/servers/" ID "$"
#define ACTION "POST " NOVA "/servers/" ID "/action"

enum verb { START, STOP, REBOOT, SUSPEND, RESUME };

static pb_ResultCode act(enum verb verb, struct op *op)
{
    char *id = arena_strdup(op->arena, ID);
#define ACT(Method, slot)                                                                          \
    {                                                                                              \
        pb_##Method##Request req = pb_##Method##Request_INIT;                                      \
        pb_##Method##Response rsp = pb_##Method##Response_INIT;                                    \
        req.id = id;                                                                               \
        return openstack_adapter.slot(cloud.adapter, op, &req, &rsp);                              \
    }
    switch (verb) {
    case START:
        ACT(StartVm, start_vm)
    case STOP:
        ACT(StopVm, stop_vm)
    case REBOOT:
        ACT(RebootVm, reboot_vm)
    case SUSPEND:
        ACT(SuspendVm, suspend_vm)
    case RESUME:
        ACT(ResumeVm, resume_vm)
    }
    return RESULT_CODE_UNSPECIFIED;
#undef ACT
}

/* Nova refuses with a conflict: what the machine is tells whether it was done before. */
static void test_actions(void **state)
{
    (void)state;
    static const struct {
        enum verb verb;
        const char *status, *task;
        pb_ResultCode code;
    } rows[] = {
        {START, "ACTIVE", NULL, RESULT_CODE_CHANGED},
        {START, "SHUTOFF", "powering-on", RESULT_CODE_CHANGED},
        {START, "ERROR", NULL, RESULT_CODE_FAILED_PRECONDITION},
        {STOP, "SHUTOFF", NULL, RESULT_CODE_CHANGED},
        {STOP, "ACTIVE", "powering-off", RESULT_CODE_CHANGED},
        {STOP, "SHELVED_OFFLOADED", NULL, RESULT_CODE_CHANGED},
        {STOP, "ACTIVE", NULL, RESULT_CODE_FAILED_PRECONDITION},
        {REBOOT, "REBOOT", "reboot_started", RESULT_CODE_CHANGED},
        {REBOOT, "SHUTOFF", NULL, RESULT_CODE_FAILED_PRECONDITION},
        {SUSPEND, "SUSPENDED", NULL, RESULT_CODE_CHANGED},
        {SUSPEND, "ACTIVE", "suspending", RESULT_CODE_CHANGED},
        {SUSPEND, "SHUTOFF", NULL, RESULT_CODE_FAILED_PRECONDITION},
        {RESUME, "ACTIVE", NULL, RESULT_CODE_CHANGED},
        {RESUME, "SUSPENDED", "resuming", RESULT_CODE_CHANGED},
        {RESUME, "SHUTOFF", NULL, RESULT_CODE_FAILED_PRECONDITION},
    };
    CLOUD_ROWS(&cloud, {ACTION, ALWAYS, 409, "{\"conflictingRequest\":{\"message\":\"no\"}}"});
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char shown[512];
        snprintf(shown, sizeof(shown),
                 "{\"server\":{\"id\":\"" ID
                 "\",\"name\":\"web\",\"status\":\"%s\",\"OS-EXT-STS:task_state\":%s%s%s}}",
                 rows[i].status, rows[i].task == NULL ? "" : "\"",
                 rows[i].task == NULL ? "null" : rows[i].task, rows[i].task == NULL ? "" : "\"");
        struct cloud_row row = {LOOK, ALWAYS, 200, shown};
        cloud_rows(&cloud, &row, 1);
        pb_ResultCode code = act(rows[i].verb, cloud_op(&cloud));
        if (code != rows[i].code)
            fail_msg("row %zu: %s, not %s: %s", i, result_name(code), result_name(rows[i].code),
                     cloud.op.result->detail);
        assert_int_equal(cloud_count(&cloud, ACTION), 1);
        cloud_drop_row(&cloud);
    }
}

static void resize(pb_ResultCode wanted)
{
    pb_ResizeVmRequest req = pb_ResizeVmRequest_INIT;
    pb_ResizeVmResponse rsp = pb_ResizeVmResponse_INIT;
    struct op *op = cloud_op(&cloud);
    req.id = arena_strdup(op->arena, ID);
    req.flavor_name = arena_strdup(op->arena, "big");
    cloud_code(&cloud, openstack_adapter.resize_vm(cloud.adapter, op, &req, &rsp), wanted);
}

#define SIZED(status_, flavor_)                                                                    \
    "{\"server\":{\"id\":\"" ID "\",\"status\":\"" status_ "\"" flavor_ "}"
#define BIG_FLAVORS                                                                                \
    {                                                                                              \
        "GET " NOVA "/flavors/detail", ALWAYS, 200,                                                \
            "{\"flavors\":[{\"id\":\"1\",\"name\":\"small\",\"vcpus\":1,\"ram\":512,\"disk\":3},"  \
            "{\"id\":\"2\",\"name\":\"big\",\"vcpus\":2,\"ram\":1024,\"disk\":3}]}"                \
    }

/* It has the flavor; or has it, and waits to be told that this is well. */
static void test_resize_done(void **state)
{
    (void)state;
    CLOUD_ROWS(&cloud, BIG_FLAVORS, {LOOK, ALWAYS, 200, SIZED("ACTIVE", BIG)});
    resize(RESULT_CODE_CHANGED);
    assert_int_equal(cloud_count(&cloud, ACTION), 0);
    CLOUD_ROWS(&cloud, {LOOK, 2, 200, SIZED("VERIFY_RESIZE", BIG)},
               {ACTION " {\"confirm", ALWAYS, 204, NULL}, {ACTION, ALWAYS, 204, NULL});
    resize(RESULT_CODE_CHANGED);
    assert_int_equal(cloud_count(&cloud, ACTION " {\"confirmResize\""), 1);
    assert_int_equal(cloud_count(&cloud, ACTION), 1);
}

/* An order before this one takes effect between the look and the order: or Nova lost its answer. */
static void test_resize_under_way(void **state)
{
    (void)state;
    static const int statuses[] = {409, 400, LOST};
    CLOUD_ROWS(&cloud, BIG_FLAVORS, {LOOK, ALWAYS, 200, SIZED("ACTIVE", BIG)});
    for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
        struct cloud_row rows[] = {{LOOK, 1, 200, SIZED("ACTIVE", SMALL)},
                                   {LOOK, 2, 200, SIZED("RESIZE", SMALL)},
                                   {ACTION, 1, statuses[i], "{}"}};
        cloud_rows(&cloud, rows, ARRAY_LEN(rows));
        resize(RESULT_CODE_CHANGED);
        assert_int_equal(cloud_count(&cloud, ACTION), 1);
    }
    /* It does not. */
    CLOUD_ROWS(&cloud, {LOOK, ALWAYS, 200, SIZED("ACTIVE", SMALL)}, {ACTION, ALWAYS, 409, "{}"});
    resize(RESULT_CODE_FAILED_PRECONDITION);
}

/* A machine that is gone is deleted; one that goes while it is being deleted, too. */
static void test_delete(void **state)
{
    (void)state;
    pb_DeleteVmRequest req = pb_DeleteVmRequest_INIT;
    pb_DeleteVmResponse rsp = pb_DeleteVmResponse_INIT;
    req.id = arena_strdup(&cloud.arena, ID);
    CLOUD_ROWS(&cloud, NO_PORTS, NO_FIPS, {"DELETE " NOVA "/servers/" ID, ALWAYS, 404, "{}"});
    cloud_code(&cloud, openstack_adapter.delete_vm(cloud.adapter, &cloud.op, &req, &rsp),
               RESULT_CODE_DELETED);
    CLOUD_ROWS(&cloud, {LOOK, ALWAYS, 404, "{}"},
               {"GET " NOVA "/servers", ALWAYS, 200, "{\"servers\":[]}"});
    struct op *op = cloud_op(&cloud);
    req.id = arena_strdup(op->arena, ID);
    cloud_code(&cloud, openstack_adapter.delete_vm(cloud.adapter, op, &req, &rsp),
               RESULT_CODE_DELETED);
    assert_int_equal(rsp.vm->state, VM_STATE_DELETED);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, create_setup, create_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_actions),
        TEST(test_resize_done),
        TEST(test_resize_under_way),
        TEST(test_delete),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
