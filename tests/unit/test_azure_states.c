/* The states of Azure's machines: a test a row. */
#include "arena_fixture.h"
#include "az_states.h"

static const struct example {
    const char *power, *provisioning; /* PowerState/.., provisioningState */
    bool hibernated;
    pb_VmState state;
    const char *native;
} examples[] = {
    {NULL, "Creating", false, VM_STATE_CREATING, "Creating"},
    {"starting", "Creating", false, VM_STATE_CREATING, "starting, Creating"},
    {"running", "Creating", false, VM_STATE_CREATING, "running, Creating"},
    {"starting", "Updating", false, VM_STATE_STARTING, "starting, Updating"},
    {"starting", "Updating", true, VM_STATE_STARTING, "starting, hibernated, Updating"},
    {"running", "Succeeded", false, VM_STATE_RUNNING, "running, Succeeded"},
    {"Running", "succeeded", false, VM_STATE_RUNNING, "Running, succeeded"},
    {"running", "Updating", false, VM_STATE_UPDATING, "running, Updating"},
    {"running", "Migrating", false, VM_STATE_UPDATING, "running, Migrating"},
    {"stopping", "Updating", false, VM_STATE_STOPPING, "stopping, Updating"},
    {"deallocating", "Updating", false, VM_STATE_STOPPING, "deallocating, Updating"},
    {"stopped", "Succeeded", false, VM_STATE_STOPPED, "stopped, Succeeded"},
    {"deallocated", "Succeeded", false, VM_STATE_STOPPED, "deallocated, Succeeded"},
    {"deallocated", "Updating", false, VM_STATE_UPDATING, "deallocated, Updating"},
    {"deallocated", "Succeeded", true, VM_STATE_SUSPENDED, "deallocated, hibernated, Succeeded"},
    {"stopped", "Succeeded", true, VM_STATE_SUSPENDED, "stopped, hibernated, Succeeded"},
    {"running", "Deleting", false, VM_STATE_DELETING, "running, Deleting"},
    {NULL, "Deleting", false, VM_STATE_DELETING, "Deleting"},
    {"running", "Failed", false, VM_STATE_ERROR, "running, Failed"},
    {"deallocated", "Failed", true, VM_STATE_ERROR, "deallocated, hibernated, Failed"},
    {NULL, "Failed", false, VM_STATE_ERROR, "Failed"},
    {NULL, "Updating", false, VM_STATE_UPDATING, "Updating"},
    /* Not to be known, and words that are not known. */
    {NULL, "Succeeded", false, VM_STATE_UNKNOWN, "Succeeded"},
    {"unknown", "Succeeded", false, VM_STATE_UNKNOWN, "unknown, Succeeded"},
    {"running", "Thinking", false, VM_STATE_UNKNOWN, "running, Thinking"},
    {"running", NULL, false, VM_STATE_UNKNOWN, "running"},
    {"", "", false, VM_STATE_UNKNOWN, ""},
    {NULL, NULL, false, VM_STATE_UNKNOWN, ""},
};

static void test_examples(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(examples); i++) {
        const struct example *e = &examples[i];
        struct az_status statuses[3] = {{.code = "ProvisioningState/updating"}};
        struct az_vm vm = {.provisioning = e->provisioning, .statuses = {1, statuses}};
        if (e->power != NULL)
            statuses[vm.statuses.n++].code = arena_printf(&arena, "PowerState/%s", e->power);
        if (e->hibernated)
            statuses[vm.statuses.n++].code = "HibernationState/Hibernated";
        pb_VmState got = az_vm_state(&vm);
        if (got != e->state)
            fail_msg("example %zu: %d, not %d", i, got, e->state);
        assert_int_equal(az_state(e->power, e->provisioning, e->hibernated), e->state);
        assert_string_equal(az_native_state(&arena, &vm), e->native);
    }
}

/* No row is one that nothing comes to. */
static void test_rows(void **state)
{
    (void)state;
    for (size_t r = 0; r < az_states_len; r++) {
        const struct az_state_row *row = &az_states[r];
        bool met = false;
        for (size_t i = 0; i < ARRAY_LEN(examples); i++) {
            const struct example *e = &examples[i];
            met = met || (e->state == row->state && e->hibernated >= row->hibernated &&
                          (row->power == NULL || (e->power && strcmp(row->power, e->power) == 0)) &&
                          (row->provisioning == NULL ||
                           (e->provisioning && strcmp(row->provisioning, e->provisioning) == 0)));
        }
        if (!met)
            fail_msg("no example of row %zu", r);
    }
}

static void test_statuses(void **state)
{
    struct az_status statuses[] = {
        {.code = NULL}, {.code = "Powerstate/Deallocated"}, {.code = "HibernationState/None"}};
    struct az_vm vm = {.statuses = {3, statuses}};

    (void)state;
    assert_string_equal(az_power(&vm), "Deallocated");
    assert_false(az_is_hibernated(&vm));
    vm.statuses.n = 1;
    assert_null(az_power(&vm));
}

static void test_faults(void **state)
{
    struct az_status statuses[] = {
        {"ProvisioningState/failed/AllocationFailed", "Error", "Provisioning failed",
         "Allocation failed. No room.", NULL},
        {"PowerState/running", "Info", "VM running", "all is well", NULL},
        {"HealthState/unhealthy", "error", "Unhealthy", NULL, NULL},
        {NULL, "Error", NULL, NULL, NULL},
        {"X", "Error", NULL, "", NULL},
        {"Y", NULL, "y", "y", NULL},
    };
    struct az_vm vm = {.statuses = {ARRAY_LEN(statuses), statuses}};

    (void)state;
    assert_string_equal(az_vm_fault(&arena, &vm), "AllocationFailed: Allocation failed. No room.; "
                                                  "HealthState/unhealthy: Unhealthy; X");
    vm.statuses.items = statuses + 1;
    vm.statuses.n = 1;
    assert_string_equal(az_vm_fault(&arena, &vm), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_examples),
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_statuses),
        cmocka_unit_test(test_faults),
    };

    return cmocka_run_group_tests(tests, arena_set_up, arena_tear_down);
}
