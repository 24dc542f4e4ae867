/* What the sandbox's settings make go wrong, and the settings themselves. */
#include "test_sandbox.h"

#define HOUR_NS (3600 * NS_PER_SEC)

static void settings_are_checked(void **state)
{
    static const struct {
        const char *text, *said;
    } wrong[] = {
        {"latency_ms=-1", "latency_ms"},
        {"latency_ms=soon", "whole number"},
        {"latency_ms=3600001", "0 to 3600000"},
        {"error_rate=1.5", "0 to 1"},
        {"error_rate=nan", "error_rate"},
        {"error_rate=0.1.2", "0 to 1"},
        {"hang_rate=", "hang_rate"},
        {"capacity=100001", "0 to 100000"},
        {"boot_ms=99999999999999999999", "boot"},
        {"lost_reply_rate=-0.5", "lost_reply_rate"},
        {"script=ok,lost", "lost_reply, 429"},
        {"script=ok,,429", "script"},
    };
    struct open_error error;
    struct rig r;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        assert_null(open_with(wrong[i].text, &error));
        assert_non_null(strstr(error.text, wrong[i].said));
    }
    rig_open(&r, "error_rate=.25 rate_limit_rate=1 hang_rate=0.0 latency_ms=7 seed=9");
    assert_true(r.a->set.error_rate > 0.24 && r.a->set.error_rate < 0.26);
    assert_int_equal(r.a->set.latency_ms, 7);
    assert_int_equal(r.a->set.boot_ms, 800);
    assert_int_equal(r.a->set.seed, 9);
    rig_close(&r);
}

static void the_manifest_tells_all(void **state)
{
    const pb_Manifest *m = sandbox_adapter.manifest();

    (void)state;
    assert_ptr_equal(m, sandbox_adapter.manifest());
    assert_true(m->n_attributes >= 16);
    for (unsigned i = 0; i < m->n_attributes; i++) {
        const ProtobufCFieldDescriptor *f = protobuf_c_message_descriptor_get_field_by_name(
            &pb_VmSpec_desc, m->attributes[i]->name);
        assert_non_null(f);
        assert_int_equal(f->id, i + 1); /* in the order of VmSpec */
        assert_int_not_equal(m->attributes[i]->presence, PRESENCE_UNSPECIFIED);
        assert_true(*m->attributes[i]->description);
    }
    assert_int_equal(m->n_parameters, 2);
    assert_true(m->n_settings > 0);
    for (size_t i = 0; i < m->n_settings; i++) {
        /* Each default is one that the setting accepts. */
        char text[128];
        struct open_error error;
        snprintf(text, sizeof(text), "%s=%s", m->settings[i]->name, m->settings[i]->default_value);
        struct adapter *a = open_with(text, &error);
        assert_non_null(a);
        sandbox_adapter.close(a);
    }
}

static void reads_say_whether_they_wait(void **state)
{
    static const struct {
        const char *settings;
        bool instant;
    } cases[] = {
        {"", true}, {"error_rate=0.5", true}, {"latency_ms=1", false}, {"hang_rate=0.01", false}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct rig r;
        rig_open(&r, cases[i].settings);
        assert_int_equal(sandbox_adapter.is_instant(r.a), cases[i].instant);
        rig_close(&r);
    }
}

static void errors_and_refusals(void **state)
{
    struct rig r;
    pb_Vm *vm;

    (void)state;
    rig_open(&r, "error_rate=1");
    assert_int_equal(rig_get(&r, "x", &vm), RESULT_CODE_UNAVAILABLE);
    assert_int_equal(r.op.result->native->http_status, 503);
    assert_int_equal(r.op.result->blame, BLAME_CLOUD);
    assert_int_equal(r.op.result->side_effects, SIDE_EFFECTS_NONE);
    rig_close(&r);
    rig_open(&r, "rate_limit_rate=1");
    assert_int_equal(rig_create_with(&r, "name", "x"), RESULT_CODE_RATE_LIMITED);
    assert_int_equal(r.op.result->native->http_status, 429);
    assert_int_equal(r.op.result->retry->class_, RETRY_CLASS_AFTER_BACKOFF);
    assert_true(r.op.result->retry->after_ms > 0);
    assert_null(r.a->first);
    rig_close(&r);
}

/* Which of 64 gets fail. */
static uint64_t pattern(const char *settings)
{
    struct rig r;
    pb_Vm *vm;
    uint64_t failed = 0;

    rig_open(&r, settings);
    for (unsigned i = 0; i < 64; i++)
        if (rig_get(&r, "x", &vm) == RESULT_CODE_UNAVAILABLE)
            failed |= UINT64_C(1) << i;
    rig_close(&r);
    return failed;
}

static void shares_are_drawn_from_the_seed(void **state)
{
    uint64_t half = pattern("error_rate=0.5 seed=1");

    (void)state;
    assert_true(half == pattern("error_rate=0.5 seed=1"));
    assert_true(half != pattern("error_rate=0.5 seed=2"));
    assert_in_range(__builtin_popcountll(half), 20, 44);
    assert_true(pattern("error_rate=0") == 0);
    assert_true(pattern("error_rate=1") == UINT64_MAX);
}

static void a_lost_reply_leaves_a_machine(void **state)
{
    struct rig r;
    pb_Vm *vm;
    char id[UUID_TEXT_LEN + 1];

    (void)state;
    rig_open(&r, "lost_reply_rate=1");
    assert_int_equal(rig_create_spec(&r, rig_spec(&r, "web"), "t", &vm),
                     RESULT_CODE_OUTCOME_UNKNOWN);
    assert_int_equal(r.op.result->side_effects, SIDE_EFFECTS_POSSIBLE);
    assert_int_equal(rig_get(&r, "web", &vm), RESULT_CODE_OK);
    memcpy(id, vm->id, sizeof(id));
    r.a->set.lost_reply_rate = 0;
    rig_op(&r);
    assert_int_equal(rig_create_spec(&r, rig_spec(&r, "web"), "t", &vm), RESULT_CODE_CREATED);
    assert_string_equal(vm->id, id);
    assert_int_equal(r.a->n_machines, 1);
    rig_close(&r);
}

/* Each step is for one call that changes something, a lost reply for a create. */
static void a_script_is_followed(void **state)
{
    struct rig r;
    pb_VmState vm_state;
    pb_Vm *vm;
    char id[UUID_TEXT_LEN + 1];
    pb_ListVmsResponse list;

    (void)state;
    rig_open(&r, "script=ok,429,lost_reply,503 boot_ms=0 pace_ms=0");
    rig_create(&r, "first", id);
    rig_op(&r);
    assert_int_equal(rig_create_spec(&r, rig_spec(&r, "web"), "", NULL), RESULT_CODE_RATE_LIMITED);
    assert_int_equal(r.op.result->side_effects, SIDE_EFFECTS_NONE);
    assert_int_equal(RIG_ACTION(&r, id, Stop, stop, &vm_state), RESULT_CODE_CHANGED);
    assert_int_equal(rig_get(&r, id, &vm), RESULT_CODE_OK);
    rig_op(&r);
    assert_int_equal(rig_create_spec(&r, rig_spec(&r, "web"), "", NULL),
                     RESULT_CODE_OUTCOME_UNKNOWN);
    assert_int_equal(RIG_ACTION(&r, id, Start, start, &vm_state), RESULT_CODE_UNAVAILABLE);
    assert_int_equal(RIG_ACTION(&r, id, Start, start, &vm_state), RESULT_CODE_CHANGED);
    assert_int_equal(rig_list(&r, &list), RESULT_CODE_OK);
    assert_int_equal(list.n_vms, 2);
    rig_close(&r);
}

static void a_hang_ends_with_the_caller(void **state)
{
    struct rig r;
    pb_CreateVmRequest req;
    pb_CreateVmResponse rsp;

    (void)state;
    rig_open(&r, "hang_rate=1");
    protobuf_c_message_init(&pb_CreateVmRequest_desc, &req);
    protobuf_c_message_init(&pb_CreateVmResponse_desc, &rsp);
    req.spec = rig_spec(&r, "web");
    int64_t deadline = r.op.deadline_ns = clock_mono_ns() + 30 * NS_PER_MS;
    assert_int_equal(sandbox_create_vm(r.a, &r.op, &req, &rsp), RESULT_CODE_DEADLINE_EXCEEDED);
    assert_true(clock_mono_ns() >= deadline);
    assert_int_equal(r.op.result->side_effects, SIDE_EFFECTS_POSSIBLE);
    rig_op(&r)->deadline_ns = clock_mono_ns() + HOUR_NS;
    req.spec = rig_spec(&r, "web");
    cancel_raise(&r.cancelled);
    assert_int_equal(sandbox_create_vm(r.a, &r.op, &req, &rsp), RESULT_CODE_CANCELLED);
    assert_null(r.a->first);
    rig_close(&r);
}

static void latency_is_waited(void **state)
{
    struct rig r;
    pb_Vm *vm;
    int64_t since;

    (void)state;
    rig_open(&r, "latency_ms=20");
    since = clock_mono_ns();
    assert_int_equal(rig_get(&r, "x", &vm), RESULT_CODE_NOT_FOUND);
    assert_true(clock_mono_ns() - since >= 20 * NS_PER_MS);
    r.a->set.latency_ms = 3600000;
    assert_int_equal(rig_get(&r, "x", &vm), RESULT_CODE_DEADLINE_EXCEEDED);
    rig_close(&r);
}

static void a_late_commit_shows_late(void **state)
{
    struct rig r;
    pb_Vm *vm;
    pb_VmState s;
    pb_ListVmsResponse list;
    char id[UUID_TEXT_LEN + 1];

    (void)state;
    rig_open(&r, "late_commit_ms=3600000 boot_ms=0 pace_ms=0");
    assert_int_equal(rig_create_spec(&r, rig_spec(&r, "web"), "t", &vm), RESULT_CODE_CREATED);
    assert_int_equal(vm->state, VM_STATE_CREATING);
    memcpy(id, vm->id, sizeof(id));
    assert_int_equal(rig_get(&r, id, &vm), RESULT_CODE_NOT_FOUND);
    assert_int_equal(rig_get(&r, "web", &vm), RESULT_CODE_NOT_FOUND);
    assert_int_equal(rig_list(&r, &list), RESULT_CODE_OK);
    assert_int_equal(list.n_vms, 0);
    rig_op(&r);
    assert_int_equal(rig_create_spec(&r, rig_spec(&r, "web"), "t", &vm), RESULT_CODE_CREATED);
    assert_string_equal(vm->id, id);
    r.a->set.late_commit_ms = 0;
    rig_create(&r, "db", id);
    r.a->set.late_commit_ms = 3600000;
    assert_int_equal(rig_delete(&r, "db"), RESULT_CODE_DELETED);
    assert_int_equal(rig_get(&r, "db", &vm), RESULT_CODE_OK);
    assert_int_equal(vm->state, VM_STATE_RUNNING);
    assert_int_equal(RIG_ACTION(&r, "db", Stop, stop, &s), RESULT_CODE_FAILED_PRECONDITION);
    assert_int_equal(rig_delete(&r, "db"), RESULT_CODE_DELETED);
    rig_close(&r);
}

static void lists_lag(void **state)
{
    struct rig r;
    pb_Vm *vm;
    pb_ListVmsResponse list;
    char id[UUID_TEXT_LEN + 1];

    (void)state;
    rig_open(&r, "list_lag_ms=3600000 boot_ms=0 pace_ms=0");
    rig_create(&r, "web", id);
    assert_int_equal(rig_get(&r, id, &vm), RESULT_CODE_OK);
    assert_int_equal(rig_list(&r, &list), RESULT_CODE_OK);
    assert_int_equal(list.n_vms, 0);
    /* As if it were two hours old. */
    r.a->first->visible_ns -= 2 * HOUR_NS;
    r.a->first->change.since_ns -= 2 * HOUR_NS;
    r.a->first->change.until_ns -= 2 * HOUR_NS;
    assert_int_equal(rig_delete(&r, id), RESULT_CODE_DELETED);
    assert_int_equal(rig_get(&r, id, &vm), RESULT_CODE_NOT_FOUND);
    assert_int_equal(rig_list(&r, &list), RESULT_CODE_OK);
    assert_int_equal(list.n_vms, 1);
    assert_int_equal(list.vms[0]->state, VM_STATE_RUNNING);
    r.a->set.list_lag_ms = 0;
    assert_int_equal(rig_list(&r, &list), RESULT_CODE_OK);
    assert_int_equal(list.n_vms, 0);
    assert_null(r.a->first);
    rig_close(&r);
}

static void there_are_limits(void **state)
{
    struct rig r;
    char id[UUID_TEXT_LEN + 1];

    (void)state;
    rig_open(&r, "quota_instances=2 boot_ms=0 pace_ms=0");
    rig_create(&r, "a", id);
    rig_create(&r, "b", id);
    assert_int_equal(rig_create_with(&r, "name", "c"), RESULT_CODE_QUOTA_EXCEEDED);
    assert_non_null(strstr(r.op.result->detail, "quota_instances"));
    assert_int_equal(rig_delete(&r, "a"), RESULT_CODE_DELETED);
    assert_int_equal(rig_create_with(&r, "name", "c"), RESULT_CODE_CREATED);
    rig_close(&r);
    rig_open(&r, "capacity=1");
    rig_create(&r, "a", id);
    assert_int_equal(rig_create_with(&r, "name", "b"), RESULT_CODE_OUT_OF_CAPACITY);
    rig_close(&r);
    rig_open(&r, "quota_cores=3");
    rig_create(&r, "a", id);
    assert_int_equal(rig_create_with(&r, "flavor_name", "m1.large"), RESULT_CODE_QUOTA_EXCEEDED);
    assert_int_equal(rig_create_with(&r, "flavor_name", "m1.medium"), RESULT_CODE_CREATED);
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(settings_are_checked),
        cmocka_unit_test(the_manifest_tells_all),
        cmocka_unit_test(reads_say_whether_they_wait),
        cmocka_unit_test(errors_and_refusals),
        cmocka_unit_test(shares_are_drawn_from_the_seed),
        cmocka_unit_test(a_lost_reply_leaves_a_machine),
        cmocka_unit_test(a_script_is_followed),
        cmocka_unit_test(a_hang_ends_with_the_caller),
        cmocka_unit_test(latency_is_waited),
        cmocka_unit_test(a_late_commit_shows_late),
        cmocka_unit_test(lists_lag),
        cmocka_unit_test(there_are_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
