/* Deleting a machine together with what was made for it. */
#include <string.h>

#include "aws_actions.h"
#include "aws_await.h"
#include "aws_cleanup.h"
#include "aws_create.h"
#include "aws_marks.h"

static const struct aws_action terminate = {
    .name = "delete",
    .action = "TerminateInstances",
    .flags = SEND_IDEMPOTENT,
};

/* A machine that is gone, of which only the id is known. */
static pb_Vm *gone(struct adapter *a, struct op *op, const char *id)
{
    const struct aws_instance i = {.thing = {.id = id, .name = ""},
                                   .state = {.name = "terminated"}};

    return aws_parse_instance(op->arena, a->name, a->config->region, &i);
}

static pb_ResultCode order(struct adapter *a, struct op *op, struct aws_instance *i, bool dry_run)
{
    struct op aside = op_aside(op, 0);
    struct aws_query q;

    aws_build_action(&q, op->arena, &terminate, i->thing.id, dry_run);
    pb_ResultCode code = aws_order_change(a, &aside, &q, terminate.name, i);
    if (code == RESULT_CODE_NOT_FOUND)
        return RESULT_CODE_OK;
    op_tell(op, &aside, code);
    if (aws_said(&aside, "OperationNotPermitted"))
        return op_fail(op, RESULT_CODE_FAILED_PRECONDITION,
                       "machine %s is protected against being deleted; take its termination "
                       "protection away (disableApiTermination), and delete it then",
                       aws_instance_words(op->arena, i));
    return code;
}

/* A spot request that is persistent makes another machine when this one is gone. Only that of a
 * machine that was made here: whoever made another one may want it so. */
static pb_ResultCode cancel_spot(struct adapter *a, struct op *op, const struct aws_instance *i)
{
    struct op aside = op_aside(op, 0);
    struct aws_query q;

    if (i->spot_request == NULL || i->spot_request[0] == '\0')
        return RESULT_CODE_OK;
    aws_query_begin(&q, op->arena, AWS_EC2, "CancelSpotInstanceRequests", SEND_IDEMPOTENT);
    aws_put(&q, i->spot_request, "SpotInstanceRequestId.1");
    pb_ResultCode code = aws_order(a, &aside, &q);
    if (code == RESULT_CODE_OK || code == RESULT_CODE_NOT_FOUND)
        return RESULT_CODE_OK;
    if (code == RESULT_CODE_UNAVAILABLE || code == RESULT_CODE_RATE_LIMITED ||
        code == RESULT_CODE_DEADLINE_EXCEEDED || code == RESULT_CODE_CANCELLED)
        return op_tell(op, &aside, code);
    /* Most requests are for one machine, and done with it. */
    op_warn(op,
            "the spot request %s could not be cancelled; if it is persistent, it makes another "
            "machine now: %s",
            i->spot_request, aside.result->detail);
    return RESULT_CODE_OK;
}

/* Whether something was made for it that EC2 does not delete by itself. Of a machine that is gone
 * nothing tells. */
static bool has_more(const struct aws_instance *i)
{
    const struct aws_nic *nics = i->nics.items;
    bool ours = aws_instance_is_gone(i);

    for (size_t k = 0; k < i->nics.n; k++)
        ours = ours || (nics[k].description != NULL &&
                        strcmp(nics[k].description, AWS_ENI_DESCRIPTION) == 0);
    return ours;
}

static pb_ResultCode take_away(struct adapter *a, struct op *op, struct aws_instance *i)
{
    const char *token = aws_instance_token(i);
    struct aws_remains remains = {0};
    pb_ResultCode code = RESULT_CODE_OK;

    if (token != NULL && op->note_maker != NULL)
        op->note_maker(op, token);
    if (op->note_id != NULL && !op->note_id(op, i->thing.id))
        return op_not_noted(op);
    /* Looked for while the machine is there: afterwards nothing tells what was on it. */
    if (token != NULL && has_more(i))
        code = aws_remains_find(a, op, token, i->thing.id, &remains);
    if (code == RESULT_CODE_OK && token != NULL) /* also if somebody else has terminated it */
        code = cancel_spot(a, op, i);
    if (code == RESULT_CODE_OK && !aws_instance_is_gone(i)) {
        aws_remains_bind(a, op, &remains);
        code = order(a, op, i, false);
    }
    if (code == RESULT_CODE_OK)
        aws_remains_delete(a, op, &remains);
    return code;
}

pb_ResultCode aws_delete_vm(struct adapter *a, struct op *op, const pb_DeleteVmRequest *req,
                            pb_DeleteVmResponse *ret)
{
    struct aws_instance i = {0};

    pb_ResultCode code = aws_instance_await(a, op, req->id, &i);
    if (code == RESULT_CODE_NOT_FOUND && aws_is_id(&aws_instance_kind, req->id) && !req->dry_run) {
        ret->vm = gone(a, op, req->id);
        return op_end(op, RESULT_CODE_DELETED);
    }
    if (code == RESULT_CODE_OK)
        code = req->dry_run ? order(a, op, &i, true) : take_away(a, op, &i);
    if (code != RESULT_CODE_OK)
        return op_end(op, code);
    ret->vm = aws_instance_message(a, op, &i);
    return op_end(op, req->dry_run ? RESULT_CODE_OK : RESULT_CODE_DELETED);
}
