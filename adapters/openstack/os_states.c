#include "os_states.h"

#include <string.h>

const struct os_state_row os_states[] = {
    {NULL, "deleting", VM_STATE_DELETING},
    {NULL, "soft-deleting", VM_STATE_DELETING},
    {"BUILD", NULL, VM_STATE_CREATING},
    {"ACTIVE", "powering-off", VM_STATE_STOPPING},
    {"ACTIVE", "suspending", VM_STATE_SUSPENDING},
    {"ACTIVE", "pausing", VM_STATE_SUSPENDING},
    {"ACTIVE", "shelving", VM_STATE_STOPPING},
    {"ACTIVE", "shelving_image_pending_upload", VM_STATE_STOPPING},
    {"ACTIVE", "shelving_image_uploading", VM_STATE_STOPPING},
    {"ACTIVE", "shelving_offloading", VM_STATE_STOPPING},
    {"ACTIVE", NULL, VM_STATE_RUNNING},
    {"MIGRATING", NULL, VM_STATE_RUNNING},
    {"PASSWORD", NULL, VM_STATE_RUNNING},
    {"REBOOT", NULL, VM_STATE_REBOOTING},
    {"HARD_REBOOT", NULL, VM_STATE_REBOOTING},
    {"SHUTOFF", "powering-on", VM_STATE_STARTING},
    {"SHUTOFF", NULL, VM_STATE_STOPPED},
    {"SHELVED", "unshelving", VM_STATE_STARTING},
    {"SHELVED", "spawning", VM_STATE_STARTING},
    {"SHELVED", NULL, VM_STATE_STOPPED},
    {"SHELVED_OFFLOADED", "unshelving", VM_STATE_STARTING},
    {"SHELVED_OFFLOADED", "spawning", VM_STATE_STARTING},
    {"SHELVED_OFFLOADED", NULL, VM_STATE_STOPPED},
    {"SUSPENDED", "resuming", VM_STATE_STARTING},
    {"SUSPENDED", NULL, VM_STATE_SUSPENDED},
    {"PAUSED", "unpausing", VM_STATE_STARTING},
    {"PAUSED", NULL, VM_STATE_SUSPENDED},
    {"RESIZE", NULL, VM_STATE_UPDATING},
    {"VERIFY_RESIZE", NULL, VM_STATE_UPDATING},
    {"REVERT_RESIZE", NULL, VM_STATE_UPDATING},
    {"REBUILD", NULL, VM_STATE_UPDATING},
    {"RESCUE", NULL, VM_STATE_UPDATING},
    {"SOFT_DELETED", NULL, VM_STATE_DELETING},
    {"DELETED", NULL, VM_STATE_DELETED},
    {"ERROR", NULL, VM_STATE_ERROR},
};
const size_t os_states_len = ARRAY_LEN(os_states);

pb_VmState os_state(const char *status, const char *task)
{
    for (size_t i = 0; i < os_states_len; i++) {
        const struct os_state_row *row = &os_states[i];
        if (row->status != NULL && (status == NULL || strcmp(row->status, status) != 0))
            continue;
        if (row->task == NULL || (task != NULL && strcmp(row->task, task) == 0))
            return row->state;
    }
    return VM_STATE_UNKNOWN;
}

char *os_native_state(struct arena *a, const char *status, const char *task)
{
    if (status == NULL)
        status = "";
    return task == NULL || task[0] == '\0' ? arena_strdup(a, status)
                                           : arena_printf(a, "%s (%s)", status, task);
}
