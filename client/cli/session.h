/* The calls of an invocation: where the gateway is, who calls, how long to wait. */
#ifndef CLI_SESSION_H
#define CLI_SESSION_H

#include "run.h"

/* How a call is made. */
enum session_kind {
    SESSION_READS = 0,
    SESSION_CHANGES = 1, /* it takes --request-id, and an interruption says how to go on */
    SESSION_WAITS = 2,   /* it may take minutes: waits long unless --timeout says less, and shows
                            that it waits */
};

/* Find out where the gateway is, and read the token. No call is made. EXIT_OK, or another code and
 * it has been said. Idempotent. */
int session_open(struct cli *c) MUST_USE;
/* --timeout counts from now; for when a user has been asked something. */
void session_start_clock(struct cli *c);
/* Call a method, "VmService/GetVm" or its whole name, and wait for its reply. `about` is what is
 * waited for, in words ("lab/web"). The reply is valid as long as the session. NULL where no call
 * could be made, which has been said; then session_open() has failed. */
const struct isobar_reply *session_call(struct cli *c, const char *method,
                                        const ProtobufCMessage *request, unsigned kind,
                                        const char *about);
/* Give back all replies: for what goes on and on. */
void session_forget(struct cli *c);
/* Give back all replies and the client. */
void session_close(struct cli *c);

#endif
