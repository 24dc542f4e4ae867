#include "az_actions.h"

#include <string.h>
#include <strings.h>

#include "az_plan.h"

/* How often it is looked whether an order that meets another one means the same, and how long
 * between two looks. */
enum { LOOKS = 3, PAUSE_MS = 1000 };

const struct az_action az_start = {
    .name = "start",
    .order = "start",
    .flags = SEND_IDEMPOTENT,
    .leads = VM_STATE_STARTING,
    .power = "PowerState/starting",
    .done = {VM_STATE_RUNNING, VM_STATE_STARTING},
};
/* Deallocated, so that it is not paid for: one that is only shut down is not done. */
const struct az_action az_stop = {
    .name = "stop",
    .order = "deallocate",
    .flags = SEND_IDEMPOTENT,
    .leads = VM_STATE_STOPPING,
    .power = "PowerState/deallocating",
    .refused = {{VM_STATE_SUSPENDED, "resume it first"}, {VM_STATE_SUSPENDING, "resume it first"}},
};
const struct az_action az_reboot = {
    .name = "reboot",
    .order = "restart",
    .leads = VM_STATE_REBOOTING,
    .done = {VM_STATE_REBOOTING},
    .refused = {{VM_STATE_STOPPED, "start it instead"}, {VM_STATE_SUSPENDED, "resume it instead"}},
};
const struct az_action az_power_off = {
    .name = "reboot",
    .order = "powerOff",
    .query = "skipShutdown=true",
    .flags = SEND_IDEMPOTENT,
    .leads = VM_STATE_REBOOTING,
    .power = "PowerState/starting",
    .refused = {{VM_STATE_SUSPENDED, "resume it instead"}},
};
const struct az_action az_suspend = {
    .name = "suspend",
    .order = "deallocate",
    .query = "hibernate=true",
    .flags = SEND_IDEMPOTENT,
    .leads = VM_STATE_SUSPENDING,
    .power = "PowerState/deallocating",
    .done = {VM_STATE_SUSPENDED, VM_STATE_SUSPENDING},
    .refused = {{VM_STATE_STOPPED, "start it first"}, {VM_STATE_STOPPING, "start it first"}},
};
const struct az_action az_resume = {
    .name = "resume",
    .order = "start",
    .flags = SEND_IDEMPOTENT,
    .leads = VM_STATE_STARTING,
    .power = "PowerState/starting",
    .done = {VM_STATE_RUNNING, VM_STATE_STARTING},
    .refused = {{VM_STATE_STOPPED, "start it instead"}, {VM_STATE_STOPPING, "start it instead"}},
};

const char *az_vm_words(const struct az_vm *vm)
{
    return vm->thing.name != NULL ? vm->thing.name : vm->thing.id;
}

static pb_ResultCode wrong_state(struct op *op, const char *verb, const struct az_vm *vm,
                                 const char *why)
{
    return op_fail(op, RESULT_CODE_FAILED_PRECONDITION, "cannot %s machine %s, which is %s; %s",
                   verb, az_vm_words(vm), az_native_state(op->arena, vm), why);
}

/* Shut down, and paid for no longer. */
static bool is_deallocated(const struct az_vm *vm)
{
    const char *power = az_power(vm);

    return power != NULL &&
           (strcasecmp(power, "deallocated") == 0 || strcasecmp(power, "deallocating") == 0);
}

pb_ResultCode az_action_judge(struct op *op, const struct az_action *action, const struct az_vm *vm)
{
    pb_VmState state = az_vm_state(vm);

    for (size_t k = 0; k < ARRAY_LEN(action->done); k++)
        if (action->done[k] != VM_STATE_UNSPECIFIED && action->done[k] == state)
            return RESULT_CODE_CHANGED;
    for (size_t k = 0; k < ARRAY_LEN(action->refused); k++)
        if (action->refused[k].advice != NULL && action->refused[k].state == state)
            return wrong_state(op, action->name, vm, action->refused[k].advice);
    if (state == VM_STATE_DELETING)
        return wrong_state(op, action->name, vm, "make another one");
    if (action == &az_stop && is_deallocated(vm))
        return RESULT_CODE_CHANGED;
    return RESULT_CODE_OK;
}

struct az_request az_build_action(struct arena *a, const struct az_action *action, const char *id)
{
    const char *path = arena_printf(a, "%s/%s", az_id_path(a, id), action->order);

    if (action->query != NULL)
        path = arena_printf(a, "%s?%s", path, action->query);
    return (struct az_request){
        .service = AZ_COMPUTE, .method = "POST", .path = path, .flags = action->flags};
}

pb_ResultCode az_order(struct adapter *a, struct op *op, const struct az_request *req,
                       const char *verb, const struct az_vm *vm, struct az_lro *ret)
{
    struct op aside = op_aside(op, 0);
    pb_ResultCode code = az_begin(a, &aside, req, NULL, NULL, ret);

    op_tell(op, &aside, code);
    if (code == RESULT_CODE_FAILED_PRECONDITION && aside.result->native != NULL)
        return wrong_state(op, verb, vm,
                           arena_printf(op->arena, "Azure says %s: %s", aside.result->native->code,
                                        aside.result->native->message));
    return code;
}

pb_Vm *az_vm_after(struct adapter *a, struct op *op, struct az_vm *vm, const struct az_lro *lro,
                   pb_VmState leads, const char *power)
{
    struct az_status *status = arena_array(op->arena, 1, sizeof(*status));

    if (lro->url == NULL) {
        struct op aside = op_aside(op, 0);
        struct az_vm now = {0};
        if (az_find_by_id(a, &aside, &az_vm_kind, vm->thing.id, &now) == RESULT_CODE_OK)
            *vm = now;
        return az_vm_message(a, op, vm);
    }
    vm->provisioning = "Updating";
    if (power != NULL && status != NULL) {
        status->code = power;
        vm->statuses = (struct shape_list){1, status};
    }
    pb_Vm *message = az_vm_message(a, op, vm);
    if (message != NULL)
        message->state = leads;
    return message;
}

/* What the order is for is so, or on its way to be. */
static bool leads_there(struct op *op, const struct az_action *action, const struct az_vm *vm)
{
    struct op aside = op_aside(op, 0);
    const char *power = az_power(vm);

    if (action == &az_power_off)
        return power != NULL &&
               (strcasecmp(power, "stopping") == 0 || strcasecmp(power, "stopped") == 0);
    return az_vm_state(vm) == action->leads ||
           az_action_judge(&aside, action, vm) == RESULT_CODE_CHANGED;
}

/* Something else goes on with the machine, and be it this order, sent before. Then look whether
 * that leads to the same; if not, order it again when that may be over. */
static pb_ResultCode order(struct adapter *a, struct op *op, const struct az_action *action,
                           struct az_vm *vm, struct az_lro *ret)
{
    struct az_request req = az_build_action(op->arena, action, vm->thing.id);

    for (size_t i = 0;; i++) {
        struct op look = op_aside(op, 0);
        struct az_vm now = {0};
        pb_ResultCode code = az_order(a, op, &req, action->name, vm, ret);
        if (code != RESULT_CODE_FAILED_PRECONDITION || !az_said(op, "Conflict"))
            return code;
        if (az_find_by_id(a, &look, &az_vm_kind, vm->thing.id, &now) == RESULT_CODE_OK &&
            leads_there(op, action, &now)) {
            *vm = now;
            return RESULT_CODE_OK;
        }
        if ((i == LOOKS && !op->resumed) || !op_sleep_ms(op, PAUSE_MS))
            return code;
    }
}

static pb_ResultCode wait_off(struct adapter *a, struct op *op, struct az_vm *vm,
                              const struct az_lro *lro)
{
    const char *what = arena_printf(op->arena, "switching machine %s off", az_vm_words(vm));

    if (lro->url != NULL)
        return az_wait(a, op, AZ_COMPUTE, what, lro);
    for (;;) {
        struct az_vm now = {0};
        pb_ResultCode code = az_find_by_id(a, op, &az_vm_kind, vm->thing.id, &now);
        if (code != RESULT_CODE_OK || az_vm_state(&now) == VM_STATE_STOPPED)
            return code;
        if (!op_sleep_ms(op, PAUSE_MS))
            return op_fail(op, RESULT_CODE_DEADLINE_EXCEEDED,
                           "%s was not over when the deadline passed; start it then", what);
    }
}

/* It was ordered off. Who resumes the operation ends it; what is refused for good stays so. */
static pb_ResultCode half_done(struct op *op, const struct az_vm *vm, pb_ResultCode code)
{
    bool refused = code == RESULT_CODE_FORBIDDEN || code == RESULT_CODE_UNAUTHORIZED ||
                   code == RESULT_CODE_QUOTA_EXCEEDED || code == RESULT_CODE_OUT_OF_CAPACITY ||
                   code == RESULT_CODE_FAILED_PRECONDITION || code == RESULT_CODE_NOT_FOUND ||
                   code == RESULT_CODE_BAD_REQUEST_DATA || code == RESULT_CODE_NOT_SUPPORTED;

    op->result->side_effects = refused ? SIDE_EFFECTS_CERTAIN : SIDE_EFFECTS_POSSIBLE;
    return op_fail(op, code, "%s; machine %s was switched off for its reboot: start it",
                   op->result->detail, az_vm_words(vm));
}

/* Without the guest: off, and on again. There is no order for both. */
static pb_ResultCode cycle(struct adapter *a, struct op *op, struct az_vm *vm, struct az_lro *ret)
{
    struct az_lro off = {0};

    pb_ResultCode code = order(a, op, &az_power_off, vm, &off);
    if (code != RESULT_CODE_OK)
        return code;
    code = wait_off(a, op, vm, &off);
    if (code == RESULT_CODE_OK)
        code = order(a, op, &az_start, vm, ret);
    return code == RESULT_CODE_OK ? code : half_done(op, vm, code);
}

static pb_ResultCode act(struct adapter *a, struct op *op, const struct az_action *action,
                         const char *wanted, bool dry_run, pb_Vm **ret)
{
    struct az_vm vm = {0};
    struct az_lro lro = {0};

    pb_ResultCode code = az_vm_find(a, op, wanted, &vm);
    if (code == RESULT_CODE_OK)
        code = az_action_judge(op, action, &vm);
    bool ordered = code == RESULT_CODE_OK && !dry_run;
    if (ordered && op->note_id != NULL && !op->note_id(op, vm.thing.id))
        return op_end(op, op_not_noted(op));
    if (ordered)
        code = action == &az_power_off ? cycle(a, op, &vm, &lro) : order(a, op, action, &vm, &lro);
    if (!result_is_success(code))
        return op_end(op, code);
    *ret = ordered ? az_vm_after(a, op, &vm, &lro, action->leads, action->power)
                   : az_vm_message(a, op, &vm);
    return op_end(op, dry_run ? RESULT_CODE_OK : RESULT_CODE_CHANGED);
}

#define ACTION_SLOT(method_, slot_, action_)                                                       \
    pb_ResultCode azure_##slot_(struct adapter *a, struct op *op,                                  \
                                const pb_##method_##Request *req, pb_##method_##Response *ret)     \
    {                                                                                              \
        return act(a, op, action_, req->id, req->dry_run, &ret->vm);                               \
    }
ACTION_SLOT(StartVm, start_vm, &az_start)
ACTION_SLOT(StopVm, stop_vm, &az_stop)
ACTION_SLOT(RebootVm, reboot_vm, req->hard ? &az_power_off : &az_reboot)
ACTION_SLOT(ResumeVm, resume_vm, &az_resume)

pb_ResultCode azure_suspend_vm(struct adapter *a, struct op *op, const pb_SuspendVmRequest *req,
                               pb_SuspendVmResponse *ret)
{
    if (!az_compute_has(a, AZ_SINCE_HIBERNATION))
        return op_fail(op, RESULT_CODE_NOT_SUPPORTED,
                       "Azure suspends machines (hibernation) since version " AZ_SINCE_HIBERNATION
                       " of Compute's interface, and the connection's compute_api_version is %s; "
                       "stop it instead, or change that",
                       a->config->versions[AZ_COMPUTE]);
    return act(a, op, &az_suspend, req->id, req->dry_run, &ret->vm);
}
