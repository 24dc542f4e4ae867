/* The common part of every call that goes to a cloud: which one, whether it can, validation, and
 * then an operation, a queue, or at once.
 */
#ifndef ISOBAR_CLOUD_CALL_H
#define ISOBAR_CLOUD_CALL_H

#include "dispatch.h"

/* Takes the call. */
void cloud_call_run(struct call *c);
/* Its connection's lane takes no more now: say so, and when to try again. Takes the call. */
void fail_overloaded(struct call *c);

#endif
