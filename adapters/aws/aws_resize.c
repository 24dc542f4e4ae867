/* Another instance type for a machine that is stopped. */
#include <string.h>

#include "aws_actions.h"
#include "aws_await.h"
#include "aws_states.h"
#include "aws_types.h"

static bool has_type(const struct aws_instance *i, const struct aws_type *type)
{
    return i->type != NULL && strcmp(i->type, type->thing.name) == 0;
}

static pb_ResultCode check(struct op *op, const struct aws_instance *i, const struct aws_type *type)
{
    const char *name = aws_instance_words(op->arena, i);
    bool runs = i->architecture == NULL || type->architectures.n == 0;

    for (size_t k = 0; k < type->architectures.n && !runs; k++)
        runs = strcmp(type->architectures.items[k], i->architecture) == 0;
    if (!runs) {
        op_violation(op, "flavor_name", "it runs %s", field_join(op->arena, &type->architectures));
        return op_fail(op, RESULT_CODE_BAD_REQUEST_DATA,
                       "machine %s is for %s, and instance type %s runs %s; take another type",
                       name, i->architecture, type->thing.name,
                       field_join(op->arena, &type->architectures));
    }
    if (aws_state(i) == VM_STATE_STOPPED)
        return RESULT_CODE_OK;
    return op_fail(op, RESULT_CODE_FAILED_PRECONDITION,
                   "cannot resize machine %s, which is %s: EC2 does that to machines that are "
                   "stopped; stop it, resize it, start it",
                   name, aws_native_state(op->arena, i));
}

static pb_ResultCode order(struct adapter *a, struct op *op, struct aws_instance *i,
                           const struct aws_type *type, bool dry_run)
{
    struct aws_query q;

    if (!dry_run && op->note_id != NULL && !op->note_id(op, i->thing.id))
        return op_not_noted(op);
    aws_query_begin(&q, op->arena, AWS_EC2, "ModifyInstanceAttribute",
                    dry_run ? SEND_READ : SEND_IDEMPOTENT);
    aws_put(&q, i->thing.id, "InstanceId");
    aws_put(&q, type->thing.name, "InstanceType.Value");
    if (dry_run)
        aws_put_bool(&q, true, "DryRun");
    return aws_order_change(a, op, &q, "resize", i);
}

pb_ResultCode aws_resize_vm(struct adapter *a, struct op *op, const pb_ResizeVmRequest *req,
                            pb_ResizeVmResponse *ret)
{
    struct aws_instance i = {0};
    struct aws_type type = {0};

    pb_ResultCode code = aws_instance_await(a, op, req->id, &i);
    if (code == RESULT_CODE_OK)
        code = aws_find(a, op, &aws_type_kind, "flavor_name", req->flavor_name, NULL, 0, &type);
    if (code == RESULT_CODE_OK && !has_type(&i, &type)) {
        code = check(op, &i, &type);
        if (code == RESULT_CODE_OK)
            code = order(a, op, &i, &type, req->dry_run);
    }
    if (code != RESULT_CODE_OK)
        return op_end(op, code);
    if (!req->dry_run)
        i.type = type.thing.name;
    ret->vm = aws_instance_message(a, op, &i);
    return op_end(op, req->dry_run ? RESULT_CODE_OK : RESULT_CODE_CHANGED);
}
