/* After the order: looks at the machine until it is as the call wants it. */
#include "isobar/clock.h"
#include "isobar/result.h"
#include "methods.h"
#include "operation_private.h"

/* How long one look may take. */
#define REQUEST_NS (120 * NS_PER_SEC)
/* A machine that is not in the wanted state by then is no longer watched. */
#define LOOK_NS (3600 * NS_PER_SEC)
/* A machine that has just been ordered may not be seen for so long: lists lag. */
#define UNSEEN_NS (30 * NS_PER_SEC)

static void look_job(struct job *j);

static void look_later(struct operation *o)
{
    operation_later(o, look_job, (int64_t)o->connection->ops->poll_interval_ms * NS_PER_MS);
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
    bool deletes = operation_deletes(o);
    pb_Vm *last = *operation_vm(o);
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
    *operation_vm(o) = vm;
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
    if (!operation_step(o))
        return;
    struct arena *look = operation_look(o);
    pb_GetVmRequest req;
    pb_GetVmResponse rsp;
    isobar__v1__get_vm_request__init(&req);
    isobar__v1__get_vm_response__init(&rsp);
    struct op op;
    req.id = (*operation_vm(o))->id;
    pb_Result *said = result_new(look);
    operation_op(o, look, clock_mono_ns() + REQUEST_NS, said, &op);
    pb_ResultCode code = RESULT_CODE_INTERNAL_ERROR;
    if (said)
        code = o->connection->ops->get_vm(o->connection->adapter, &op, &req, &rsp);
    if (rsp.vm)
        rsp.vm->cloud = (char *)(uintptr_t)o->cloud;
    code = judge(o, code, rsp.vm, said);
    /* What this look has shown stays until another one shows something. */
    if (rsp.vm && *operation_vm(o) == rsp.vm)
        o->turn = 1 - o->turn;
    if (code == RESULT_CODE_UNSPECIFIED)
        look_later(o);
    else
        operation_finish(o, code);
}

void operation_look_again(struct job *j)
{
    struct operation *o = CONTAINER_OF(j, struct operation, job);
    pb_Vm *vm = arena_message(&o->working, &pb_Vm_desc);
    if (!vm) {
        operation_later(o, operation_look_again, NS_PER_SEC);
        return;
    }
    vm->id = (char *)(uintptr_t)o->native_id;
    *operation_vm(o) = vm;
    pthread_mutex_lock(&operations.lock);
    o->ordered = o->recorded = true;
    pthread_mutex_unlock(&operations.lock);
    o->result->code = operation_creates(o)   ? RESULT_CODE_CREATED
                      : operation_deletes(o) ? RESULT_CODE_DELETED
                                             : RESULT_CODE_CHANGED;
    o->look_until_ns = clock_mono_ns() + LOOK_NS;
    look_job(j);
}

static void running_recorded(struct operation *o, enum store_outcome outcome)
{
    pthread_mutex_lock(&operations.lock);
    o->recorded = outcome == STORE_DONE;
    pthread_mutex_unlock(&operations.lock);
    look_later(o);
}

void operation_ordered(struct operation *o, pb_ResultCode code)
{
    pb_Vm *vm = *operation_vm(o);
    if (vm) {
        vm->cloud = (char *)(uintptr_t)o->cloud;
        operation_set_native_id(o, vm->id);
    }
    bool verify = operation_creates(o) && o->resumed && !o->verified &&
                  operation_settle_ns(o) > 0 && !operation_dedupes(o);
    pthread_mutex_lock(&operations.lock);
    bool dropped = o->cancelled && operation_creates(o);
    o->ordered = !dropped && !verify;
    o->sending = false;
    pthread_mutex_unlock(&operations.lock);
    if (dropped) {
        operation_drop(o);
        return;
    }
    if (verify) {
        operation_verify(o);
        return;
    }
    bool settled =
        vm && o->method->policy->wait_for != VM_STATE_DELETED && is_settled(o, vm->state);
    if (!o->waits || !vm || settled || !o->connection->ops->get_vm) {
        operation_finish(o, code);
        return;
    }
    operation_set_state(o, OPERATION_STATE_RUNNING);
    o->result->code = code;
    o->look_until_ns = clock_mono_ns() + LOOK_NS;
    journal_step(o, running_recorded);
}
