/* From a received message to a reply: decode, authenticate, find the method, check, and run it
 * where it belongs. There is one way for every method.
 */
#ifndef ISOBAR_DISPATCH_H
#define ISOBAR_DISPATCH_H

#include "call.h"
#include "connection.h"
#include "methods.h"

/* The listeners' way in; takes the call. Runs on an I/O thread, never blocks. */
void dispatch_receive(void *ctx, struct call *c);
/* Run a call that has method, snapshot, principal, deadline, request and `done`; takes it. */
void dispatch_run(struct call *c);

/* A call has ended, with what c->result says besides the code: hand it on. */
void call_end(struct call *c, pb_ResultCode code);
/* End it with a sentence. */
void call_fail(struct call *c, pb_ResultCode code, const char *fmt, ...) PRINTF(3, 4);

/* Say that no cloud has this name; returns the code. */
pb_ResultCode fail_unknown_cloud(struct call *c, const char *name);

/* Calls that have come and are not answered yet. */
unsigned dispatch_in_flight(void);
/* From now on the gateway says of itself that it does not serve. */
void dispatch_drain(void);
bool dispatch_is_draining(void);

#endif
