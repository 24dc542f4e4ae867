/* The states of instances, as a table. Pure.
 *
 * Source: InstanceState and StateReason of the EC2 API reference.
 */
#ifndef AWS_STATES_H
#define AWS_STATES_H

#include "aws_instances.h"

/* The first row that fits is what it means. */
struct aws_state_row {
    const char *name;   /* "stopped" */
    const char *reason; /* the code of stateReason; NULL: any */
    bool started_again; /* only where it has been stopped since it was made */
    pb_VmState state;
};
extern const struct aws_state_row aws_states[];
extern const size_t aws_states_len;

/* VM_STATE_UNKNOWN for a word that is not in the table. */
pb_VmState aws_state(const struct aws_instance *i);
/* "stopped (Client.UserInitiatedHibernate)" */
char *aws_native_state(struct arena *a, const struct aws_instance *i);
/* Why it is gone, stopped or not started, where nobody wanted that; "" where there is nothing to
 * say. */
const char *aws_instance_fault(const struct aws_instance *i);

#endif
