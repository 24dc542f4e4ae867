/* Running an operation: the order to the cloud, and looks at the machine until it is as wanted. */
#include <string.h>

#include "isobar/clock.h"
#include "isobar/result.h"
#include "methods.h"
#include "operation_private.h"

/* A cloud that has not answered an order by then has an unknown outcome. At least so long, and as
 * long as the caller waits. */
#define ORDER_NS (120 * NS_PER_SEC)
/* A machine that is not in the wanted state by then is no longer watched. */
#define LOOK_NS (3600 * NS_PER_SEC)
/* A machine that has just been ordered may not be seen for so long: lists lag. */
#define UNSEEN_NS (30 * NS_PER_SEC)

static void set_native_id(struct operation *o, const char *id)
{
    pthread_mutex_lock(&operations.lock);
    if (!o->native_id[0])
        o->native_id = arena_strdup(&o->memory, id);
    o->updated_ns = clock_wall_ns();
    pthread_mutex_unlock(&operations.lock);
}

static void note_id(struct op *op, const char *native_id)
{
    set_native_id(op->owner, native_id);
}

static void make_op(struct operation *o, struct arena *arena, int64_t deadline_ns, struct op *ret)
{
    *ret = (struct op){
        .arena = arena,
        .deadline_ns = deadline_ns,
        .token = o->id,
        .request_id = o->request_id,
        .traceparent = "",
        .result = o->result,
        .note_id = note_id,
        .owner = o,
    };
}

/* The machine that the response is about. */
static pb_Vm **vm_of(struct operation *o)
{
    return (pb_Vm **)(void *)((char *)o->rsp + o->method->out_first->offset);
}

static void look_job(struct job *j);

static void look_due(struct timer *t)
{
    struct operation *o = CONTAINER_OF(t, struct operation, timer);
    lane_continue(o->connection->lane, &o->job);
}

static void look_later(struct operation *o)
{
    o->job.run = look_job;
    int64_t pause = (int64_t)o->connection->ops->poll_interval_ms * NS_PER_MS;
    if (!timer_arm(&o->timer, clock_mono_ns() + pause, look_due))
        operation_finish(
            o, result_fail(&o->working, o->result, RESULT_CODE_INTERNAL_ERROR, "out of memory"));
}

static bool is_settled(const struct operation *o, pb_VmState state)
{
    pb_VmState wanted = o->method->policy->wait_for;
    if (wanted != VM_STATE_UNSPECIFIED)
        return state == wanted;
    return state == VM_STATE_RUNNING || state == VM_STATE_STOPPED || state == VM_STATE_SUSPENDED;
}

/* Judge one look; RESULT_CODE_UNSPECIFIED where it is to be looked again. */
static pb_ResultCode judge(struct operation *o, pb_ResultCode code, pb_Vm *vm, pb_Result *seen)
{
    bool deletes = o->method->policy->wait_for == VM_STATE_DELETED;
    pb_Vm *last = *vm_of(o);
    int64_t now = clock_mono_ns();
    if (code == RESULT_CODE_NOT_FOUND && deletes) {
        last->state = VM_STATE_DELETED;
        return o->result->code;
    }
    if (now > o->look_until_ns)
        return result_fail(&o->working, o->result, RESULT_CODE_DEADLINE_EXCEEDED,
                           "the cloud took the order, and the machine is in state %s still",
                           last->native_state);
    if (code == RESULT_CODE_NOT_FOUND && now > o->look_until_ns - LOOK_NS + UNSEEN_NS)
        return result_fail(&o->working, o->result, RESULT_CODE_NOT_FOUND,
                           "the cloud took the order, and has no such machine now: %s",
                           seen ? seen->detail : "");
    if (code != RESULT_CODE_OK || !vm)
        return RESULT_CODE_UNSPECIFIED;
    *vm_of(o) = vm;
    if (is_settled(o, vm->state))
        return o->result->code;
    if (vm->state != VM_STATE_ERROR && (vm->state != VM_STATE_DELETED || deletes))
        return RESULT_CODE_UNSPECIFIED;
    o->result->blame = BLAME_CLOUD;
    o->result->side_effects = SIDE_EFFECTS_CERTAIN;
    return result_fail(&o->working, o->result, RESULT_CODE_INTERNAL_ERROR,
                       "the machine %s is in state %s: %s", vm->id, vm->native_state,
                       vm->fault[0] ? vm->fault : "the cloud does not say why");
}

static void look_job(struct job *j)
{
    struct operation *o = CONTAINER_OF(j, struct operation, job);
    struct arena *look = &o->looks[o->turn];
    o->turn = 1 - o->turn;
    arena_reset(look);
    pb_GetVmRequest req;
    pb_GetVmResponse rsp;
    isobar__v1__get_vm_request__init(&req);
    isobar__v1__get_vm_response__init(&rsp);
    struct op op;
    make_op(o, look, clock_mono_ns() + ORDER_NS, &op);
    req.id = (*vm_of(o))->id;
    op.result = result_new(look);
    pb_ResultCode code = RESULT_CODE_INTERNAL_ERROR;
    if (op.result)
        code = o->connection->ops->get_vm(o->connection->adapter, &op, &req, &rsp);
    if (rsp.vm)
        rsp.vm->cloud = arena_strdup(look, o->cloud);
    code = judge(o, code, rsp.vm, op.result);
    if (code == RESULT_CODE_UNSPECIFIED)
        look_later(o);
    else
        operation_finish(o, code);
}

/* The order has been taken: answer, or wait for the machine's state. */
static void ordered(struct operation *o, pb_ResultCode code)
{
    pb_Vm *vm = *vm_of(o);
    if (vm) {
        vm->cloud = arena_strdup(&o->working, o->cloud);
        set_native_id(o, vm->id);
    }
    bool settled =
        vm && o->method->policy->wait_for != VM_STATE_DELETED && is_settled(o, vm->state);
    if (!o->waits || !vm || settled || !o->connection->ops->get_vm) {
        operation_finish(o, code);
        return;
    }
    pthread_mutex_lock(&operations.lock);
    o->state = OPERATION_STATE_RUNNING;
    pthread_mutex_unlock(&operations.lock);
    o->result->code = code;
    o->look_until_ns = clock_mono_ns() + LOOK_NS;
    look_later(o);
}

static void order_job(struct job *j)
{
    struct operation *o = CONTAINER_OF(j, struct operation, job);
    int64_t now = clock_mono_ns();
    if (now >= o->start_by_ns) {
        o->result->side_effects = SIDE_EFFECTS_NONE;
        operation_finish(
            o, result_fail(&o->working, o->result, RESULT_CODE_DEADLINE_EXCEEDED,
                           "the time was over before cloud \"%s\" had a place free; nothing has "
                           "been done",
                           o->cloud));
        return;
    }
    o->order_by_ns = now + ORDER_NS;
    if (o->start_by_ns != INT64_MAX && o->start_by_ns > o->order_by_ns)
        o->order_by_ns = o->start_by_ns;
    pthread_mutex_lock(&operations.lock);
    o->attempt++;
    pthread_mutex_unlock(&operations.lock);
    struct op op;
    make_op(o, &o->working, o->order_by_ns, &op);
    pb_ResultCode code =
        o->method->policy->slot(o->connection->ops, o->connection->adapter, &op, o->req, o->rsp);
    if (result_is_success(code))
        ordered(o, code);
    else
        operation_finish(o, code);
}

void operation_start(struct operation *o)
{
    o->job.run = order_job;
    if (lane_submit(o->connection->lane, &o->job))
        return;
    o->result->side_effects = SIDE_EFFECTS_NONE;
    operation_finish(
        o, result_fail(&o->working, o->result, RESULT_CODE_OVERLOADED,
                       "cloud \"%s\" has %u calls waiting already: try again a little later",
                       o->cloud, o->connection->config->max_queued));
}
