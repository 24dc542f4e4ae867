/* Operations: every mutating call is one, and calls wait for it. An operation goes on when all who
 * waited have gone; a call that is repeated under the same request_id finds the same one.
 *
 * They are kept in memory, the newest OPERATIONS_KEPT: a restart of the gateway forgets them.
 */
#ifndef ISOBAR_OPERATION_H
#define ISOBAR_OPERATION_H

#include "call.h"

/* How many that have ended are remembered. */
#define OPERATIONS_KEPT 10000

/* Remember what the caller asked for, before anything is filled in: it is what a repetition under
 * the same request_id is compared with. How long the caller waits is no part of it. */
void operation_digest(struct call *c);
/* Run a mutating call as an operation, or find the one that it repeats. Takes the call. */
void operation_call(struct call *c);

/* Handlers of OperationService. */
pb_ResultCode operation_get(struct call *c);
pb_ResultCode operation_list(struct call *c);
pb_ResultCode operation_wait(struct call *c);
pb_ResultCode operation_cancel(struct call *c);

/* Operations that have not ended. */
unsigned operations_open(void);
/* Forget all; no worker runs any more. */
void operations_done(void);

#endif
