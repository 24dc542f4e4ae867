/* A cloud that other processes serve: gateways, or adapters in any language. Every request is
 * handed on by its name and message; nothing here knows what a machine is.
 */
#ifndef ISOBAR_REMOTE_H
#define ISOBAR_REMOTE_H

#include <stdatomic.h>

#include "adapter.h"
#include "instances.h"

struct adapter {
    struct group *group;
    bool own; /* the group has but the one instance that the settings name */
    atomic_int quota;
};

const pb_Manifest *remote_manifest(void);

/* ---- remote_ask.c ---- */

/* What is asked of one of them. */
struct remote_question {
    const char *method; /* as in Call.method */
    const ProtobufCMessage *req;
    bool changes;   /* it is a step of the op's operation, and is sent but once */
    bool name_only; /* such a step, which only says which machine is meant */
};

struct remote_answer {
    const char *who; /* "gateway tcp://..."; in the op's arena */
    pb_Noted *noted; /* of a step; or NULL */
};

/* Ask, and ask another one where the transport failed and that is safe. Fills in `ret`, which has
 * been initialised, where the answer is a success; else the op's result says all that the other
 * side said. The code is not put through op_end(). */
pb_ResultCode remote_ask(struct adapter *a, struct op *op, const struct remote_question *q,
                         ProtobufCMessage *ret, struct remote_answer *ret_answer) MUST_USE;

/* ---- remote_result.c ---- */

/* What `who` ("gateway tcp://...") said of the outcome, as our result; returns the code. */
pb_ResultCode remote_result(struct adapter *a, struct op *op, const char *who,
                            const pb_Result *theirs, bool changes);

/* Whether a success, with that body, can be what has come of the question. What cannot is no reply:
 * of an order that gets such a one nobody knows what it has done. */
bool remote_fits(const struct remote_question *q, pb_ResultCode code, const ProtobufCMessage *body);

/* Whether it was refused at the door of who has registered: nothing has been done, and another one
 * may serve. A token is new with each start of a process, before its registration is. */
bool remote_is_door(const pb_Result *theirs);

/* ---- slots ---- */

typedef pb_ResultCode remote_slot(struct adapter *a, struct op *op, const char *method,
                                  const ProtobufCMessage *req, ProtobufCMessage *ret);
/* Any method that names a cloud. */
remote_slot remote_forward;
remote_slot remote_check_cloud;

#endif
