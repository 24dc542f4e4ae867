/* The states of EC2's instances: a test a row. */
#include "arena_fixture.h"
#include "aws_states.h"

#define MADE       "2026-11-22T10:00:00.000Z"
#define STARTED    "2026-11-22T10:00:02.000Z" /* as late as attachments may be at the first start */
#define RESTART    "2026-11-22T11:00:00.000Z"
#define HIBERNATED "Client.UserInitiatedHibernate"

static const struct example {
    const char *name, *reason, *launched;
    pb_VmState state;
    const char *native;
} examples[] = {
    {"pending", "pending", MADE, VM_STATE_CREATING, "pending"},
    {"pending", NULL, STARTED, VM_STATE_CREATING, "pending"},
    {"pending", NULL, RESTART, VM_STATE_STARTING, "pending"},
    {"pending", NULL, "soon", VM_STATE_CREATING, "pending"},
    {"pending", NULL, NULL, VM_STATE_CREATING, "pending"},
    {"running", NULL, MADE, VM_STATE_RUNNING, "running"},
    {"running", "", RESTART, VM_STATE_RUNNING, "running"},
    {"stopping", "Client.UserInitiatedShutdown", MADE, VM_STATE_STOPPING,
     "stopping (Client.UserInitiatedShutdown)"},
    {"stopping", HIBERNATED, MADE, VM_STATE_SUSPENDING, "stopping (" HIBERNATED ")"},
    {"stopped", HIBERNATED, MADE, VM_STATE_SUSPENDED, "stopped (" HIBERNATED ")"},
    {"stopped", "Server.ScheduledStop", MADE, VM_STATE_STOPPED, "stopped (Server.ScheduledStop)"},
    {"stopped", NULL, MADE, VM_STATE_STOPPED, "stopped"},
    {"shutting-down", NULL, MADE, VM_STATE_DELETING, "shutting-down"},
    {"terminated", "Server.InsufficientInstanceCapacity", MADE, VM_STATE_DELETED,
     "terminated (Server.InsufficientInstanceCapacity)"},
    {"Running", NULL, MADE, VM_STATE_UNKNOWN, "Running"},
    {"frozen", NULL, MADE, VM_STATE_UNKNOWN, "frozen"},
    {"", NULL, MADE, VM_STATE_UNKNOWN, ""},
    {NULL, NULL, MADE, VM_STATE_UNKNOWN, ""},
};

static struct aws_instance instance(const struct example *e, struct aws_nic *nic)
{
    *nic = (struct aws_nic){.attachment.attach_time = MADE};
    return (struct aws_instance){
        .state.name = e->name,
        .state_reason.code = e->reason,
        .launch_time = e->launched,
        .nics = {1, nic},
    };
}

static void test_examples(void **state)
{
    struct aws_nic nic;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(examples); i++) {
        struct aws_instance it = instance(&examples[i], &nic);
        pb_VmState got = aws_state(&it);
        if (got != examples[i].state)
            fail_msg("example %zu: %d, not %d", i, got, examples[i].state);
        assert_string_equal(aws_native_state(&arena, &it), examples[i].native);
        assert_int_equal(aws_instance_is_gone(&it),
                         got == VM_STATE_DELETED || got == VM_STATE_DELETING);
    }
}

/* No row is one that nothing comes to. */
static void test_rows(void **state)
{
    (void)state;
    for (size_t r = 0; r < aws_states_len; r++) {
        const struct aws_state_row *row = &aws_states[r];
        const struct example e = {row->name, row->reason, row->started_again ? RESTART : MADE,
                                  row->state, ""};
        struct aws_nic nic;
        struct aws_instance it = instance(&e, &nic);
        assert_int_equal(aws_state(&it), row->state);
    }
}

/* What was attached later says nothing of when the machine was made. */
static void test_started_again(void **state)
{
    struct aws_nic nics[] = {{.attachment = {.attach_time = MADE, .device_index = 1}},
                             {.attachment = {.attach_time = RESTART}}};
    struct aws_mapping disks[] = {{"/dev/sdf", {"vol-1", NULL, MADE, false}},
                                  {"/dev/xvda", {"vol-2", NULL, RESTART, false}}};
    struct aws_instance it = {.launch_time = RESTART,
                              .root_device = "/dev/xvda",
                              .nics = {2, nics},
                              .mappings = {2, disks}};

    (void)state;
    assert_false(aws_instance_started_again(&it));
    disks[1].ebs.attach_time = MADE;
    assert_true(aws_instance_started_again(&it));
    disks[1].ebs.attach_time = "";
    assert_false(aws_instance_started_again(&it));
    nics[1].attachment.attach_time = MADE;
    assert_true(aws_instance_started_again(&it));
    it.launch_time = "9999999-01-01T00:00:00Z";
    assert_false(aws_instance_started_again(&it));
}

static void test_faults(void **state)
{
    static const struct {
        const char *code, *message, *fault;
    } rows[] = {
        {NULL, NULL, ""},
        {"", "words", ""},
        {"pending", "pending", ""},
        {"Client.UserInitiatedShutdown", "Client.UserInitiatedShutdown: User initiated shutdown",
         ""},
        {HIBERNATED, "User initiated hibernate", ""},
        {"Client.InstanceInitiatedShutdown", "Instance initiated shutdown", ""},
        {"Client.InstanceTerminated", "x", ""},
        {"Server.InsufficientInstanceCapacity", "Insufficient capacity", "Insufficient capacity"},
        {"Server.InternalError", "", "Server.InternalError"},
        {"Server.ScheduledStop", NULL, "Server.ScheduledStop"},
        {"Server.SpotInstanceTermination", "no capacity", "no capacity"},
        {"Client.VolumeLimitExceeded", "Volume limit exceeded", "Volume limit exceeded"},
        {"Client.InvalidSnapshot.NotFound", "gone", "gone"},
        {"Client.InternalError", "Client error on launch", "Client error on launch"},
        {"Something.New", "words", "words"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct aws_instance it = {
            .state_reason = {.code = rows[i].code, .message = rows[i].message}};
        assert_string_equal(aws_instance_fault(&it), rows[i].fault);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_examples),
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_started_again),
        cmocka_unit_test(test_faults),
    };

    return cmocka_run_group_tests(tests, arena_set_up, arena_tear_down);
}
