#include "aws_states.h"

#include <string.h>

#define HIBERNATED "Client.UserInitiatedHibernate"

const struct aws_state_row aws_states[] = {
    {"pending", NULL, true, VM_STATE_STARTING},
    {"pending", NULL, false, VM_STATE_CREATING},
    {"running", NULL, false, VM_STATE_RUNNING},
    {"stopping", HIBERNATED, false, VM_STATE_SUSPENDING},
    {"stopping", NULL, false, VM_STATE_STOPPING},
    {"stopped", HIBERNATED, false, VM_STATE_SUSPENDED},
    {"stopped", NULL, false, VM_STATE_STOPPED},
    {"shutting-down", NULL, false, VM_STATE_DELETING},
    {"terminated", NULL, false, VM_STATE_DELETED},
};
const size_t aws_states_len = ARRAY_LEN(aws_states);

static bool is(const char *text, const char *wanted)
{
    return text != NULL && strcmp(text, wanted) == 0;
}

pb_VmState aws_state(const struct aws_instance *i)
{
    for (size_t n = 0; n < aws_states_len; n++) {
        const struct aws_state_row *row = &aws_states[n];
        if (is(i->state.name, row->name) &&
            (row->reason == NULL || is(i->state_reason.code, row->reason)) &&
            (!row->started_again || aws_instance_started_again(i)))
            return row->state;
    }
    return VM_STATE_UNKNOWN;
}

char *aws_native_state(struct arena *a, const struct aws_instance *i)
{
    const char *name = i->state.name != NULL ? i->state.name : "";
    const char *reason = i->state_reason.code;

    return reason == NULL || reason[0] == '\0' || strcmp(reason, name) == 0
               ? arena_strdup(a, name)
               : arena_printf(a, "%s (%s)", name, reason);
}

/* What somebody wanted, and what is no more than the state itself. */
static const char *const no_faults[] = {
    "pending",
    "Client.UserInitiatedShutdown",
    HIBERNATED,
    "Client.InstanceInitiatedShutdown",
    "Client.InstanceTerminated",
};

const char *aws_instance_fault(const struct aws_instance *i)
{
    const char *code = i->state_reason.code, *message = i->state_reason.message;

    if (code == NULL || code[0] == '\0')
        return "";
    for (size_t n = 0; n < ARRAY_LEN(no_faults); n++)
        if (strcmp(code, no_faults[n]) == 0)
            return "";
    return message != NULL && message[0] != '\0' ? message : code;
}
