/* Operations: every mutating call is one, and calls wait for it. It is recorded in the journal
 * before anything leaves, and goes on when all who waited have gone, and when the process has: the
 * next start takes it up. A call that is repeated under the same request_id finds the same one, for
 * as long as the journal keeps it.
 */
#ifndef ISOBAR_OPERATION_H
#define ISOBAR_OPERATION_H

#include "call.h"

struct store;
struct snapshot;

/* Take the store (borrowed), and what it has of operations that have not ended: those whose cloud
 * the snapshot has are taken up at once. What has ended is kept for `keep_ms`. False, with words,
 * where the store does not work. Main thread, as the next two. */
bool operations_open_store(struct store *s, struct snapshot *now, int64_t keep_ms,
                           char ret_why[512]) MUST_USE;
/* After a reload: take up what had no connection before; keep what has ended for so long. */
void operations_take_up(struct snapshot *now, int64_t keep_ms);
/* Begin no further step, answer all who wait, and wait (CLOCK_MONOTONIC) for the steps under way;
 * the journal has the rest. False where some are still under way: threads may then still run. */
bool operations_stop(int64_t deadline_ns);
/* Forget all, and the store; after operations_stop(), when no lane and no timer runs any more. */
void operations_done(void);

/* Remember what the caller asked for, before anything is filled in: it is what a repetition under
 * the same request_id is compared with. How long the caller waits is no part of it. */
void operation_digest(struct call *c);
/* Run a mutating call as an operation, or find the one that it repeats. Takes the call. */
void operation_call(struct call *c);

/* Run a call's job where the store may be read; false where too many wait. */
bool operations_run_local(struct job *j) MUST_USE;

/* Handlers of OperationService; they read the store. */
pb_ResultCode operation_get(struct call *c);
pb_ResultCode operation_list(struct call *c);
pb_ResultCode operation_wait(struct call *c);
pb_ResultCode operation_cancel(struct call *c);

/* A wall clock's time as messages have it; NULL where memory is short. */
Google__Protobuf__Timestamp *operation_time(struct arena *a, int64_t wall_ns);
/* This gateway's own number, which is in the ids of its operations. */
uint32_t operations_number(void);
/* Operations that have not ended. */
unsigned operations_open(void);

#endif
