/* A cloud of another gateway. Every request is handed on by its name and message; nothing here
 * knows what a machine is, but for what recovery has to look at.
 */
#ifndef ISOBAR_REMOTE_H
#define ISOBAR_REMOTE_H

#include <stdatomic.h>

#include "adapter.h"
#include "kit/sp.h"

struct adapter {
    struct sp_client *client;
    char *cloud; /* its name at the other gateway */
    char *token; /* who we are there; "": the listener knows */
    atomic_int quota;
};

const pb_Manifest *remote_manifest(void);

/* ---- remote_ask.c ---- */

/* What is asked of the other gateway. */
struct remote_question {
    const char *method; /* as in Call.method */
    const ProtobufCMessage *req;
    /* It is, or becomes, an operation there; its request id is the op's token. */
    bool changes;
};

/* Ask, and ask again where the transport failed and that is safe. Fills in `ret`, which has been
 * initialised, where the answer is a success; else the op's result says all that the other gateway
 * said. The code is not put through op_end(). */
pb_ResultCode remote_ask(struct adapter *a, struct op *op, const struct remote_question *q,
                         ProtobufCMessage *ret) MUST_USE;

/* ---- remote_result.c ---- */

/* What the other gateway said of the outcome, as our result; returns the code. `earlier`: another
 * try before this one may have got somewhere. */
pb_ResultCode remote_result(struct adapter *a, struct op *op, const pb_Result *theirs, bool changes,
                            bool earlier);

/* ---- slots ---- */

typedef pb_ResultCode remote_slot(struct adapter *a, struct op *op, const char *method,
                                  const ProtobufCMessage *req, ProtobufCMessage *ret);
/* Any method that names a cloud. */
remote_slot remote_forward;
remote_slot remote_check_cloud, remote_list_operation_vms, remote_list_leftovers,
    remote_delete_leftover;

#endif
