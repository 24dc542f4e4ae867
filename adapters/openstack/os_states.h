/* Nova's words for the state of a machine, into ours. Pure.
 *
 * Source: nova/api/openstack/common.py (_STATE_MAP) and nova/compute/task_states.py.
 */
#ifndef OS_STATES_H
#define OS_STATES_H

#include "adapter.h"

struct os_state_row {
    const char *status; /* NULL: any */
    const char *task;   /* NULL: any, and none */
    pb_VmState state;
};

/* The table, the first row that fits counts. */
extern const struct os_state_row os_states[];
extern const size_t os_states_len;

/* `task` may be NULL or "". A status that is not in the table is VM_STATE_UNKNOWN. */
pb_VmState os_state(const char *status, const char *task);
/* "SHUTOFF (powering-on)" */
char *os_native_state(struct arena *a, const char *status, const char *task);

#endif
