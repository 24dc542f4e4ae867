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
static pb_ResultCode connection_fault(struct adapter *a, struct op *op, const pb_Result *theirs)
{
    const char *url = sp_client_url(a->client);
    pb_Result *r = op->result;

    r->blame = BLAME_GATEWAY;
    r->side_effects = SIDE_EFFECTS_NONE;
    op_retry(op, RETRY_CLASS_NEVER, 0, RETRY_SCOPE_CLOUD);
    if (theirs->code == RESULT_CODE_NOT_FOUND)
        return op_fail(op, RESULT_CODE_UNAVAILABLE,
                       "gateway %s has no cloud \"%s\": correct the connection's settings", url,
                       a->cloud);
    if (theirs->code == RESULT_CODE_METHOD_NOT_ALLOWED)
        return op_fail(op, RESULT_CODE_NOT_SUPPORTED, "gateway %s is of a version without it: %s",
                       url, theirs->detail);
    return op_fail(op, theirs->code,
                   "gateway %s refuses this gateway's own token: %s; correct token_file of the "
                   "connection (yours is in order)",
                   url, theirs->detail);
}

static bool is_connection_fault(const pb_Result *theirs)
{
    switch ((int)theirs->code) {
    case RESULT_CODE_NOT_FOUND:
        return is_about_cloud(theirs);
    case RESULT_CODE_UNAUTHORIZED:
    case RESULT_CODE_FORBIDDEN:
        /* Unless it comes from the cloud behind: then it has its own words. */
        return theirs->blame != BLAME_CLOUD;
    case RESULT_CODE_METHOD_NOT_ALLOWED:
        return true;
    default:
        return false;
    }
}

static void may_have_happened(struct op *op)
{
    op->result->blame = BLAME_CLOUD;
    op->result->side_effects = SIDE_EFFECTS_POSSIBLE;
    op_retry(op, RETRY_CLASS_AFTER_LOOKUP, 0, RETRY_SCOPE_INSTANCE);
}

pb_ResultCode remote_result(struct adapter *a, struct op *op, const pb_Result *theirs, bool changes,
                            bool earlier)
{
    const char *url = sp_client_url(a->client);
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
                       "gateway %s has taken the order, which goes on as its operation %s", url,
                       theirs->operation_id);
    }
    /* What is refused at the door says nothing of an order that may have got in before. */
    if (earlier && !theirs->operation_id[0]) {
        may_have_happened(op);
        return op_fail(op, RESULT_CODE_OUTCOME_UNKNOWN,
                       "gateway %s may have taken the order before it did not answer, and now "
                       "says: %s",
                       url, theirs->detail);
    }
    if (is_connection_fault(theirs))
        return connection_fault(a, op, theirs);
    if (!copy)
        return RESULT_CODE_INTERNAL_ERROR; /* op_end() has the words */
    r->violations = copy->violations;
    r->n_violations = copy->n_violations;
    r->native = copy->native;
    r->retry = copy->retry;
    r->side_effects = copy->side_effects;
    r->blame = copy->blame;
    if (result_info(theirs->code)->code == RESULT_CODE_UNSPECIFIED)
        return op_fail(op, RESULT_CODE_INTERNAL_ERROR,
                       "gateway %s answered code %d, which this version does not know: %s", url,
                       (int)theirs->code, theirs->detail);
    return op_fail(op, theirs->code, "gateway %s: %s", url, theirs->detail);
}
