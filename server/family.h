/* One call that is many: a list of all clouds, an action on many machines, several machines of one
 * specification. Each part is a call of its own, with its own arena, lane and result, and goes the
 * way of every call; the last one to end puts the answers together.
 */
#ifndef ISOBAR_FAMILY_H
#define ISOBAR_FAMILY_H

#include "dispatch.h"

/* How many parts one call may have. */
#define FAMILY_MAX 1000

/* List every cloud, side by side. Takes the call. */
void family_list(struct call *c);
/* Make `count` machines, named NAME-1 and so on, each an operation. Takes the call. */
void family_create_several(struct call *c, int count);
/* BatchControlVms and BatchGetVmStatus. Each takes the call. */
pb_ResultCode batch_control(struct call *c);
pb_ResultCode batch_status(struct call *c);

#endif
