/* Nova's words for a machine's state: a test a row, and what is in no row. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "os_states.h"

/* The table of the design, written down a second time on purpose. */
static const struct {
    const char *status, *task;
    pb_VmState state;
} expected[] = {
    {"BUILD", NULL, VM_STATE_CREATING},
    {"BUILD", "scheduling", VM_STATE_CREATING},
    {"BUILD", "spawning", VM_STATE_CREATING},
    {"SHUTOFF", "powering-on", VM_STATE_STARTING},
    {"ACTIVE", NULL, VM_STATE_RUNNING},
    {"ACTIVE", "", VM_STATE_RUNNING},
    {"ACTIVE", "image_snapshot", VM_STATE_RUNNING},
    {"MIGRATING", "migrating", VM_STATE_RUNNING},
    {"PASSWORD", "updating_password", VM_STATE_RUNNING},
    {"REBOOT", "rebooting", VM_STATE_REBOOTING},
    {"HARD_REBOOT", "rebooting_hard", VM_STATE_REBOOTING},
    {"ACTIVE", "powering-off", VM_STATE_STOPPING},
    {"SHUTOFF", NULL, VM_STATE_STOPPED},
    {"SHELVED", NULL, VM_STATE_STOPPED},
    {"SHELVED_OFFLOADED", NULL, VM_STATE_STOPPED},
    {"SUSPENDED", NULL, VM_STATE_SUSPENDED},
    {"PAUSED", NULL, VM_STATE_SUSPENDED},
    {"RESIZE", "resize_prep", VM_STATE_UPDATING},
    {"VERIFY_RESIZE", NULL, VM_STATE_UPDATING},
    {"REVERT_RESIZE", "resize_reverting", VM_STATE_UPDATING},
    {"REBUILD", "rebuilding", VM_STATE_UPDATING},
    {"RESCUE", NULL, VM_STATE_UPDATING},
    {"ACTIVE", "deleting", VM_STATE_DELETING},
    {"ERROR", "deleting", VM_STATE_DELETING},
    {"BUILD", "deleting", VM_STATE_DELETING},
    {"SHUTOFF", "soft-deleting", VM_STATE_DELETING},
    {"SOFT_DELETED", NULL, VM_STATE_DELETING},
    {"DELETED", NULL, VM_STATE_DELETED},
    {"ERROR", NULL, VM_STATE_ERROR},
    /* What the design leaves to sense. */
    {"ACTIVE", "suspending", VM_STATE_SUSPENDING},
    {"ACTIVE", "pausing", VM_STATE_SUSPENDING},
    {"SUSPENDED", "resuming", VM_STATE_STARTING},
    {"PAUSED", "unpausing", VM_STATE_STARTING},
    {"ACTIVE", "shelving", VM_STATE_STOPPING},
    {"ACTIVE", "shelving_image_pending_upload", VM_STATE_STOPPING},
    {"ACTIVE", "shelving_image_uploading", VM_STATE_STOPPING},
    {"ACTIVE", "shelving_offloading", VM_STATE_STOPPING},
    {"SHELVED", "unshelving", VM_STATE_STARTING},
    {"SHELVED", "spawning", VM_STATE_STARTING},
    {"SHELVED_OFFLOADED", "unshelving", VM_STATE_STARTING},
    {"SHELVED_OFFLOADED", "spawning", VM_STATE_STARTING},
    /* A word that nobody knows is no error. */
    {"UNKNOWN", NULL, VM_STATE_UNKNOWN},
    {"QUANTUM", NULL, VM_STATE_UNKNOWN},
    {"", NULL, VM_STATE_UNKNOWN},
    {NULL, NULL, VM_STATE_UNKNOWN},
};

static void test_expected(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
        if (os_state(expected[i].status, expected[i].task) != expected[i].state)
            fail_msg("%s + %s is %d, not %d", expected[i].status, expected[i].task,
                     (int)os_state(expected[i].status, expected[i].task), (int)expected[i].state);
    }
}

/* No row is hidden behind another one, and each is tested above. */
static void test_every_row(void **state)
{
    (void)state;
    for (size_t i = 0; i < os_states_len; i++) {
        const struct os_state_row *row = &os_states[i];
        const char *status = row->status == NULL ? "ACTIVE" : row->status;
        assert_int_equal(os_state(status, row->task), row->state);
        bool tested = false;
        for (size_t k = 0; k < ARRAY_LEN(expected); k++) {
            bool same_status =
                row->status == NULL ||
                (expected[k].status != NULL && strcmp(expected[k].status, row->status) == 0);
            bool same_task = row->task == NULL ||
                             (expected[k].task != NULL && strcmp(expected[k].task, row->task) == 0);
            tested = tested || (same_status && same_task && expected[k].state == row->state);
        }
        if (!tested)
            fail_msg("%s + %s is not tested", row->status, row->task);
    }
}

static void test_native_state(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 4096);
    assert_string_equal(os_native_state(&a, "SHUTOFF", "powering-on"), "SHUTOFF (powering-on)");
    assert_string_equal(os_native_state(&a, "ACTIVE", NULL), "ACTIVE");
    assert_string_equal(os_native_state(&a, "ACTIVE", ""), "ACTIVE");
    assert_string_equal(os_native_state(&a, NULL, NULL), "");
    arena_done(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_expected),
        cmocka_unit_test(test_every_row),
        cmocka_unit_test(test_native_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
