#include "aws_actions.h"

#include <string.h>

#include "aws_await.h"
#include "aws_states.h"

#define HIBERNATED "Client.UserInitiatedHibernate"

const struct aws_action aws_start = {
    .name = "start",
    .action = "StartInstances",
    .flags = SEND_IDEMPOTENT,
};
const struct aws_action aws_stop = {
    .name = "stop",
    .action = "StopInstances",
    .reason = "Client.UserInitiatedShutdown",
    .flags = SEND_IDEMPOTENT,
    /* EC2 would take the order, and leave it so. */
    .refused = {{VM_STATE_SUSPENDED, "resume it first"}, {VM_STATE_SUSPENDING, "resume it first"}},
};
const struct aws_action aws_reboot = {
    .name = "reboot",
    .action = "RebootInstances",
};
const struct aws_action aws_suspend = {
    .name = "suspend",
    .action = "StopInstances",
    .option = "Hibernate",
    .reason = HIBERNATED,
    .flags = SEND_IDEMPOTENT,
    .done = {VM_STATE_SUSPENDED, VM_STATE_SUSPENDING},
    .refused = {{VM_STATE_STOPPED, "start it first"}, {VM_STATE_STOPPING, "start it first"}},
};
const struct aws_action aws_resume = {
    .name = "resume",
    .action = "StartInstances",
    .flags = SEND_IDEMPOTENT,
    .done = {VM_STATE_RUNNING, VM_STATE_STARTING},
    .refused = {{VM_STATE_STOPPED, "start it instead"}, {VM_STATE_STOPPING, "start it instead"}},
};

const char *aws_instance_words(struct arena *a, const struct aws_instance *i)
{
    return i->thing.name != NULL && i->thing.name[0] != '\0'
               ? arena_printf(a, "%s (%s)", i->thing.name, i->thing.id)
               : i->thing.id;
}

static pb_ResultCode wrong_state(struct op *op, const char *verb, const struct aws_instance *i,
                                 const char *why)
{
    return op_fail(op, RESULT_CODE_FAILED_PRECONDITION, "cannot %s machine %s, which is %s; %s",
                   verb, aws_instance_words(op->arena, i), aws_native_state(op->arena, i), why);
}

pb_ResultCode aws_action_judge(struct op *op, const struct aws_action *action,
                               const struct aws_instance *i)
{
    pb_VmState state = aws_state(i);

    for (size_t k = 0; k < ARRAY_LEN(action->done); k++)
        if (action->done[k] != VM_STATE_UNSPECIFIED && action->done[k] == state)
            return RESULT_CODE_CHANGED;
    for (size_t k = 0; k < ARRAY_LEN(action->refused); k++)
        if (action->refused[k].advice != NULL && action->refused[k].state == state)
            return wrong_state(op, action->name, i, action->refused[k].advice);
    if (aws_instance_is_gone(i))
        return wrong_state(op, action->name, i, "make another one");
    if (action->option != NULL && !aws_is_true(i->hibernation))
        return op_fail(op, RESULT_CODE_FAILED_PRECONDITION,
                       "cannot suspend machine %s, which was not made for that: make it with the "
                       "parameter hibernation",
                       aws_instance_words(op->arena, i));
    return RESULT_CODE_OK;
}

void aws_build_action(struct aws_query *q, struct arena *a, const struct aws_action *action,
                      const char *id, bool dry_run)
{
    aws_query_begin(q, a, AWS_EC2, action->action, dry_run ? SEND_READ : action->flags);
    aws_put(q, id, "InstanceId.1");
    if (action->option != NULL)
        aws_put_bool(q, true, action->option);
    if (dry_run)
        aws_put_bool(q, true, "DryRun");
}

/* ---- The order ---- */

/* What an answer says of a machine. */
struct change {
    struct aws_thing thing;
    struct state {
        const char *name;
    } now;
};
struct changes {
    struct shape_list list;
};
static const struct shape_field state_fields[] = {
    SHAPE_FIELD(struct state, name, "name", SHAPE_STRING),
};
static const struct shape state_shape = {sizeof(struct state), state_fields,
                                         ARRAY_LEN(state_fields), 0};
static const struct shape_field change_fields[] = {
    SHAPE_FIELD(struct change, thing.id, "instanceId", SHAPE_STRING),
    SHAPE_NESTED(struct change, now, "currentState", SHAPE_STRUCT, state_shape),
};
static const struct shape change_shape = {sizeof(struct change), change_fields,
                                          ARRAY_LEN(change_fields), 0};
static const struct shape_field changes_fields[] = {
    SHAPE_NESTED(struct changes, list, "instancesSet", SHAPE_LIST, change_shape),
};
static const struct shape changes_shape = {sizeof(struct changes), changes_fields,
                                           ARRAY_LEN(changes_fields), 0};

pb_ResultCode aws_order_change(struct adapter *a, struct op *op, const struct aws_query *q,
                               const char *verb, struct aws_instance *i)
{
    struct op aside = op_aside(op, 0);
    struct changes changes = {0};

    pb_ResultCode code = aws_order_fresh(a, &aside, q, &changes_shape, &changes);
    if (aws_said(&aside, "DryRunOperation"))
        return RESULT_CODE_OK;
    op_tell(op, &aside, code);
    if (aws_said(&aside, "UnsupportedHibernationConfiguration"))
        code = RESULT_CODE_FAILED_PRECONDITION;
    if (code == RESULT_CODE_FAILED_PRECONDITION && aside.result->native != NULL)
        return wrong_state(op, verb, i,
                           arena_printf(op->arena, "EC2 says: %s", aside.result->native->message));
    const struct change *c = changes.list.items;
    for (size_t k = 0; code == RESULT_CODE_OK && k < changes.list.n; k++)
        if (c[k].thing.id != NULL && strcmp(c[k].thing.id, i->thing.id) == 0 &&
            c[k].now.name != NULL)
            i->state.name = c[k].now.name;
    return code;
}

/* The machine as the order leaves it. */
static pb_Vm *after(struct adapter *a, struct op *op, const struct aws_action *action,
                    const char *before, struct aws_instance *i)
{
    bool changed = before != NULL && i->state.name != NULL && strcmp(before, i->state.name) != 0;

    if (changed) {
        i->state_reason.code = action->reason;
        i->state_reason.message = NULL;
    }
    pb_Vm *vm = aws_instance_message(a, op, i);
    /* EC2 has one word for a machine that is being made and one that is being started. */
    if (vm != NULL && changed && vm->state == VM_STATE_CREATING)
        vm->state = VM_STATE_STARTING;
    return vm;
}

static pb_ResultCode act(struct adapter *a, struct op *op, const struct aws_action *action,
                         const char *wanted, bool dry_run, pb_Vm **ret)
{
    struct aws_instance i = {0};
    struct aws_query q;

    pb_ResultCode code = aws_instance_await(a, op, wanted, &i);
    const char *before = i.state.name;
    if (code == RESULT_CODE_OK)
        code = aws_action_judge(op, action, &i);
    if (code == RESULT_CODE_OK) {
        if (!dry_run && op->note_id != NULL && !op->note_id(op, i.thing.id))
            return op_end(op, op_not_noted(op));
        aws_build_action(&q, op->arena, action, i.thing.id, dry_run);
        code = aws_order_change(a, op, &q, action->name, &i);
    }
    if (!result_is_success(code))
        return op_end(op, code);
    *ret = after(a, op, action, before, &i);
    return op_end(op, dry_run ? RESULT_CODE_OK : RESULT_CODE_CHANGED);
}

#define ACTION_SLOT(method_, slot_, action_)                                                       \
    pb_ResultCode aws_##slot_(struct adapter *a, struct op *op, const pb_##method_##Request *req,  \
                              pb_##method_##Response *ret)                                         \
    {                                                                                              \
        return act(a, op, action_, req->id, req->dry_run, &ret->vm);                               \
    }
ACTION_SLOT(StartVm, start_vm, &aws_start)
ACTION_SLOT(StopVm, stop_vm, &aws_stop)
ACTION_SLOT(SuspendVm, suspend_vm, &aws_suspend)
ACTION_SLOT(ResumeVm, resume_vm, &aws_resume)

pb_ResultCode aws_reboot_vm(struct adapter *a, struct op *op, const pb_RebootVmRequest *req,
                            pb_RebootVmResponse *ret)
{
    if (req->hard)
        op_warn(op, "EC2 has no hard reboot: it asks the guest, and cuts the power itself where "
                    "that does not answer within minutes");
    return act(a, op, &aws_reboot, req->id, req->dry_run, &ret->vm);
}
