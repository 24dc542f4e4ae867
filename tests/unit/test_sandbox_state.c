/* The life of a machine of the sandbox: what changes its state, and when. */
#include "test_sandbox.h"

static void actions_take_their_course(void **state)
{
    struct rig r;
    pb_VmState s;
    char id[UUID_TEXT_LEN + 1];

    (void)state;
    rig_open(&r, "boot_ms=0 pace_ms=0");
    rig_create(&r, "web", id);
    assert_int_equal(RIG_ACTION(&r, id, Start, start, &s), RESULT_CODE_CHANGED);
    assert_int_equal(s, VM_STATE_RUNNING);
    assert_int_equal(RIG_ACTION(&r, id, Stop, stop, &s), RESULT_CODE_CHANGED);
    assert_int_equal(s, VM_STATE_STOPPED);
    assert_int_equal(RIG_ACTION(&r, id, Stop, stop, &s), RESULT_CODE_CHANGED);
    assert_int_equal(s, VM_STATE_STOPPED);
    assert_int_equal(RIG_ACTION(&r, id, Suspend, suspend, &s), RESULT_CODE_FAILED_PRECONDITION);
    assert_non_null(strstr(r.op.result->detail, "STOPPED"));
    assert_int_equal(r.op.result->native->http_status, 409);
    assert_int_equal(RIG_ACTION(&r, id, Start, start, &s), RESULT_CODE_CHANGED);
    assert_int_equal(RIG_ACTION(&r, id, Reboot, reboot, &s), RESULT_CODE_CHANGED);
    assert_int_equal(s, VM_STATE_RUNNING);
    assert_int_equal(RIG_ACTION(&r, id, Suspend, suspend, &s), RESULT_CODE_CHANGED);
    assert_int_equal(s, VM_STATE_SUSPENDED);
    assert_int_equal(RIG_ACTION(&r, id, Stop, stop, &s), RESULT_CODE_FAILED_PRECONDITION);
    assert_int_equal(RIG_ACTION(&r, id, Resume, resume, &s), RESULT_CODE_CHANGED);
    assert_int_equal(s, VM_STATE_RUNNING);
    assert_int_equal(RIG_ACTION(&r, "nobody", Stop, stop, &s), RESULT_CODE_NOT_FOUND);
    rig_close(&r);
}

static void a_busy_machine_waits(void **state)
{
    struct rig r;
    pb_VmState s;
    char id[UUID_TEXT_LEN + 1];
    pb_Vm *vm;

    (void)state;
    rig_open(&r, "boot_ms=0 pace_ms=3600000");
    rig_create(&r, "web", id);
    assert_int_equal(RIG_ACTION(&r, id, Stop, stop, &s), RESULT_CODE_CHANGED);
    assert_int_equal(s, VM_STATE_STOPPING);
    assert_int_equal(RIG_ACTION(&r, id, Stop, stop, &s), RESULT_CODE_CHANGED);
    assert_int_equal(RIG_ACTION(&r, id, Start, start, &s), RESULT_CODE_FAILED_PRECONDITION);
    assert_int_equal(r.op.result->retry->class_, RETRY_CLASS_AFTER_BACKOFF);
    assert_true(r.op.result->retry->after_ms > 0);
    assert_int_equal(rig_delete(&r, id), RESULT_CODE_DELETED);
    assert_int_equal(rig_delete(&r, id), RESULT_CODE_DELETED);
    assert_int_equal(rig_get(&r, id, &vm), RESULT_CODE_OK);
    assert_int_equal(vm->state, VM_STATE_DELETING);
    assert_int_equal(RIG_ACTION(&r, id, Start, start, &s), RESULT_CODE_FAILED_PRECONDITION);
    assert_non_null(strstr(r.op.result->detail, "being deleted"));
    rig_close(&r);
}

static void states_change_with_time(void **state)
{
    struct rig r;
    pb_Vm *vm;
    char id[UUID_TEXT_LEN + 1];
    int64_t give_up = clock_mono_ns() + 30 * NS_PER_SEC;

    (void)state;
    rig_open(&r, "boot_ms=30 pace_ms=30");
    rig_create(&r, "web", id);
    do {
        assert_int_equal(rig_get(&r, id, &vm), RESULT_CODE_OK);
        assert_true(vm->state == VM_STATE_CREATING || vm->state == VM_STATE_RUNNING);
    } while (vm->state != VM_STATE_RUNNING && clock_mono_ns() < give_up && op_sleep_ms(&r.op, 5));
    assert_int_equal(vm->state, VM_STATE_RUNNING);
    assert_true(vm->updated_at->seconds > vm->created_at->seconds ||
                vm->updated_at->nanos > vm->created_at->nanos);
    assert_int_equal(rig_delete(&r, id), RESULT_CODE_DELETED);
    while (rig_get(&r, id, &vm) == RESULT_CODE_OK && clock_mono_ns() < give_up)
        (void)!op_sleep_ms(&r.op, 5);
    assert_int_equal(rig_get(&r, id, &vm), RESULT_CODE_NOT_FOUND);
    assert_int_equal(rig_delete(&r, id), RESULT_CODE_NOT_FOUND);
    rig_close(&r);
}

/* The same without a clock: what a change is at each time. */
static void a_change_has_three_parts(void **state)
{
    struct sandbox_machine m = {.visible_ns = 100};

    (void)state;
    m.change.after = VM_STATE_RUNNING;
    assert_false(sandbox_visible_at(&m, 99));
    assert_true(sandbox_visible_at(&m, 100));
    sandbox_change(&m, 1000, VM_STATE_DELETING, VM_STATE_DELETED, 1);
    assert_int_equal(sandbox_state_at(&m, 999), VM_STATE_RUNNING);
    assert_int_equal(sandbox_state_at(&m, 1000), VM_STATE_DELETING);
    assert_int_equal(sandbox_state_at(&m, 1000 + NS_PER_MS - 1), VM_STATE_DELETING);
    assert_true(sandbox_visible_at(&m, 1000 + NS_PER_MS - 1));
    assert_int_equal(sandbox_state_at(&m, 1000 + NS_PER_MS), VM_STATE_DELETED);
    assert_false(sandbox_visible_at(&m, 1000 + NS_PER_MS));
}

static void resizes(void **state)
{
    struct rig r;
    pb_Vm *vm;
    pb_ResizeVmRequest req;
    pb_ResizeVmResponse rsp;
    char id[UUID_TEXT_LEN + 1], large[] = "m1.large", tiny[] = "m1.tiny", none[] = "m1.larg";

    (void)state;
    rig_open(&r, "boot_ms=0 pace_ms=0 quota_cores=4");
    rig_create(&r, "web", id);
    protobuf_c_message_init(&pb_ResizeVmRequest_desc, &req);
    protobuf_c_message_init(&pb_ResizeVmResponse_desc, &rsp);
    req.id = id;
    req.flavor_name = large;
    rig_op(&r);
    assert_int_equal(sandbox_resize_vm(r.a, &r.op, &req, &rsp), RESULT_CODE_CHANGED);
    assert_int_equal(rig_get(&r, id, &vm), RESULT_CODE_OK);
    assert_string_equal(vm->flavor_name, "m1.large");
    assert_int_equal(vm->vcpus, 4);
    assert_int_equal(vm->state, VM_STATE_RUNNING);
    assert_int_equal(rig_create_with(&r, "name", "more"), RESULT_CODE_QUOTA_EXCEEDED);
    rig_op(&r);
    req.flavor_name = tiny;
    assert_int_equal(sandbox_resize_vm(r.a, &r.op, &req, &rsp), RESULT_CODE_BAD_REQUEST_DATA);
    assert_true(rig_blames(&r, "flavor_name"));
    req.flavor_name = none;
    assert_int_equal(sandbox_resize_vm(r.a, &r.op, &req, &rsp), RESULT_CODE_NOT_FOUND);
    rig_close(&r);
}

static void a_boot_can_fail(void **state)
{
    struct rig r;
    pb_Vm *vm;
    pb_VmState s;
    pb_VmSpec_ParametersEntry fail, boot;
    pb_VmSpec_ParametersEntry *both[] = {&fail, &boot};
    char fail_key[] = "fail_boot", yes[] = "true", boot_key[] = "boot_ms", zero[] = "0",
         bad[] = "x";

    (void)state;
    rig_open(&r, "boot_ms=3600000");
    protobuf_c_message_init(&pb_VmSpec_ParametersEntry_desc, &fail);
    protobuf_c_message_init(&pb_VmSpec_ParametersEntry_desc, &boot);
    fail.key = fail_key;
    fail.value = yes;
    boot.key = boot_key;
    boot.value = zero;
    pb_VmSpec *spec = rig_spec(&r, "web");
    spec->parameters = both;
    spec->n_parameters = 2;
    assert_int_equal(rig_create_spec(&r, spec, "", NULL), RESULT_CODE_CREATED);
    assert_int_equal(rig_get(&r, "web", &vm), RESULT_CODE_OK);
    assert_int_equal(vm->state, VM_STATE_ERROR);
    assert_non_null(strstr(vm->fault, "fail_boot"));
    assert_int_equal(RIG_ACTION(&r, "web", Start, start, &s), RESULT_CODE_FAILED_PRECONDITION);
    assert_int_equal(RIG_ACTION(&r, "web", Reboot, reboot, &s), RESULT_CODE_FAILED_PRECONDITION);
    boot.value = bad;
    rig_op(&r);
    spec = rig_spec(&r, "web");
    spec->parameters = both;
    spec->n_parameters = 2;
    assert_int_equal(rig_create_spec(&r, spec, "", NULL), RESULT_CODE_BAD_REQUEST_DATA);
    assert_true(rig_blames(&r, "spec.parameters.boot_ms"));
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(actions_take_their_course),
        cmocka_unit_test(a_busy_machine_waits),
        cmocka_unit_test(states_change_with_time),
        cmocka_unit_test(a_change_has_three_parts),
        cmocka_unit_test(resizes),
        cmocka_unit_test(a_boot_can_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
