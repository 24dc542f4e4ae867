/* What the other gateway said, in our own result. */
#include <string.h>

#include "isobar/result.h"
#include "remote.h"

static bool is_about_cloud(const pb_Result *theirs)
{
    for (size_t i = 0; i < theirs->n_violations; i++)
        if (strcmp(theirs->violations[i]->field, "cloud") == 0)
            return true;
    return false;
}

/* The connection is at fault, and no request is: the user's words would mislead. Above all must
 * "not found" not be taken for a machine that is gone. */
static pb_ResultCode connection_fault(struct adapter *a, struct op *op, const char *who,
                                      const pb_Result *theirs)
{
    pb_Result *r = op->result;

    r->blame = BLAME_GATEWAY;
    r->side_effects = SIDE_EFFECTS_NONE;
    op_retry(op, RETRY_CLASS_NEVER, 0, RETRY_SCOPE_CLOUD);
    if (theirs->code == RESULT_CODE_NOT_FOUND)
        return op_fail(op, RESULT_CODE_UNAVAILABLE,
                       "%s has no cloud \"%s\": correct the connection's settings", who,
                       group_cloud(a->group));
    if (theirs->code == RESULT_CODE_METHOD_NOT_ALLOWED)
        return op_fail(op, RESULT_CODE_NOT_SUPPORTED, "%s is of a version without it: %s", who,
                       theirs->detail);
    return op_fail(op, theirs->code,
                   "%s refuses this gateway's own token: %s; correct token_file of the "
                   "connection (yours is in order)",
                   who, theirs->detail);
}

bool remote_is_door(const pb_Result *theirs)
{
    switch ((int)theirs->code) {
    case RESULT_CODE_NOT_FOUND:
        return is_about_cloud(theirs);
    case RESULT_CODE_UNAUTHORIZED:
    case RESULT_CODE_FORBIDDEN:
        /* Unless it comes from the cloud behind: then it has its own words. */
        return theirs->blame != BLAME_CLOUD;
    default:
        return false;
    }
}

bool remote_fits(const struct remote_question *q, pb_ResultCode code, const ProtobufCMessage *body)
{
    const ProtobufCMessageDescriptor *type = q->req->descriptor;

    /* Accepted: it goes on; remote_result() has the words. */
    if (!q->changes || code == RESULT_CODE_ACCEPTED)
        return true;
    if (type == &pb_CreateVmRequest_desc) {
        const pb_Vm *vm = ((const pb_CreateVmResponse *)(const void *)body)->vm;
        return (code == RESULT_CODE_CREATED || code == RESULT_CODE_OK) && vm && vm->id[0];
    }
    bool deletes = type == &pb_DeleteVmRequest_desc || type == &pb_DeleteLeftoverRequest_desc;
    return code == RESULT_CODE_OK || code == (deletes ? RESULT_CODE_DELETED : RESULT_CODE_CHANGED);
}

static bool is_connection_fault(const pb_Result *theirs)
{
    return theirs->code == RESULT_CODE_METHOD_NOT_ALLOWED || remote_is_door(theirs);
}

static void may_have_happened(struct op *op)
{
    op->result->blame = BLAME_CLOUD;
    op->result->side_effects = SIDE_EFFECTS_POSSIBLE;
    op_retry(op, RETRY_CLASS_AFTER_LOOKUP, 0, RETRY_SCOPE_INSTANCE);
}

/* It failed in the middle, and does not say whether anything has come of it. */
static bool says_nothing(const pb_Result *theirs, bool changes)
{
    bool middle =
        theirs->code == RESULT_CODE_INTERNAL_ERROR || theirs->code == RESULT_CODE_UNAVAILABLE ||
        theirs->code == RESULT_CODE_DEADLINE_EXCEEDED || theirs->code == RESULT_CODE_CANCELLED;
    return changes && middle && theirs->side_effects == SIDE_EFFECTS_UNSPECIFIED;
}

pb_ResultCode remote_result(struct adapter *a, struct op *op, const char *who,
                            const pb_Result *theirs, bool changes)
{
    pb_Result *r = op->result;
    pb_Result *copy = result_copy(op->arena, theirs);

    for (size_t i = 0; i < theirs->n_warnings; i++)
        result_add_warning(op->arena, r, "%s", theirs->warnings[i]);
    if (result_is_success(theirs->code) && !(theirs->code == RESULT_CODE_ACCEPTED && changes))
        return theirs->code;
    /* Nothing of what was said of an earlier question. */
    r->code = RESULT_CODE_UNSPECIFIED;
    r->native = NULL;
    r->retry = NULL;
    r->n_violations = 0;
    /* The order's deadline has passed there, and it goes on: who ordered it looks again. */
    if (theirs->code == RESULT_CODE_ACCEPTED) {
        may_have_happened(op);
        return op_fail(op, RESULT_CODE_OUTCOME_UNKNOWN,
                       "%s has taken the order, which goes on as its operation %s", who,
                       theirs->operation_id);
    }
    if (is_connection_fault(theirs))
        return connection_fault(a, op, who, theirs);
    if (!copy)
        return RESULT_CODE_INTERNAL_ERROR; /* op_end() has the words */
    r->violations = copy->violations;
    r->n_violations = copy->n_violations;
    r->native = copy->native;
    r->retry = copy->retry;
    r->side_effects = !changes                        ? SIDE_EFFECTS_NONE
                      : says_nothing(theirs, changes) ? SIDE_EFFECTS_POSSIBLE
                                                      : copy->side_effects;
    r->blame = copy->blame;
    if (result_info(theirs->code)->code == RESULT_CODE_UNSPECIFIED)
        return op_fail(op, RESULT_CODE_INTERNAL_ERROR,
                       "%s answered code %d, which this version does not know: %s", who,
                       (int)theirs->code, theirs->detail);
    return op_fail(op, theirs->code, "%s: %s", who, theirs->detail);
}
