/* The slots that change a machine's state: one table, one function. */
#include "sandbox.h"

#include <string.h>

#include "isobar/clock.h"

#define IN(state) (1u << VM_STATE_##state)

struct action {
    const char *done; /* "started" */
    unsigned from;    /* states in which it can be done */
    unsigned already; /* states in which it is done, or being done */
    pb_VmState during;
    pb_VmState after; /* UNSPECIFIED: the state that it had */
};

static const struct action start = {"started", IN(STOPPED), IN(RUNNING) | IN(STARTING),
                                    VM_STATE_STARTING, VM_STATE_RUNNING};
static const struct action stop = {"stopped", IN(RUNNING), IN(STOPPED) | IN(STOPPING),
                                   VM_STATE_STOPPING, VM_STATE_STOPPED};
static const struct action reboot = {"rebooted", IN(RUNNING), IN(REBOOTING), VM_STATE_REBOOTING,
                                     VM_STATE_RUNNING};
/* Cutting the power is what brings back a machine that did not come up. */
static const struct action reset = {"rebooted", IN(RUNNING) | IN(ERROR), IN(REBOOTING),
                                    VM_STATE_REBOOTING, VM_STATE_RUNNING};
static const struct action suspend = {"suspended", IN(RUNNING), IN(SUSPENDED) | IN(SUSPENDING),
                                      VM_STATE_SUSPENDING, VM_STATE_SUSPENDED};
static const struct action resume = {"resumed", IN(SUSPENDED), IN(RUNNING) | IN(STARTING),
                                     VM_STATE_STARTING, VM_STATE_RUNNING};
static const struct action resize = {"resized", IN(RUNNING) | IN(STOPPED), 0, VM_STATE_UPDATING,
                                     VM_STATE_UNSPECIFIED};

/* "RUNNING" */
static const char *state_name(pb_VmState state)
{
    const ProtobufCEnumValue *v =
        protobuf_c_enum_descriptor_get_value(&pb_VmState_desc, (int)state);

    return v ? v->name + strlen("VM_STATE_") : "UNKNOWN";
}

/* "RUNNING or STOPPED" */
static const char *set_names(struct arena *a, unsigned set)
{
    const char *text = "";

    for (unsigned s = 0; s < 32; s++)
        if (set & 1u << s)
            text = arena_printf(a, "%s%s%s", text, *text ? " or " : "", state_name((pb_VmState)s));
    return text;
}

static pb_ResultCode wrong_state(struct op *op, const struct sandbox_machine *m,
                                 const struct action *action, pb_VmState state, int64_t now)
{
    int64_t left_ms = (m->change.until_ns - now) / NS_PER_MS;

    if (m->going)
        return sandbox_refuse(op, RESULT_CODE_FAILED_PRECONDITION, 409, "WrongState",
                              "machine %s is being deleted and cannot be %s", m->name->text,
                              action->done);
    if (left_ms > 0)
        op_retry(op, RETRY_CLASS_AFTER_BACKOFF, (uint32_t)left_ms, RETRY_SCOPE_INSTANCE);
    return sandbox_refuse(op, RESULT_CODE_FAILED_PRECONDITION, 409, "WrongState",
                          "machine %s is %s; it can be %s when it is %s", m->name->text,
                          state_name(state), action->done, set_names(op->arena, action->from));
}

static pb_ResultCode check_resize(struct adapter *a, struct op *op, const struct sandbox_machine *m,
                                  const struct sandbox_flavor *flavor)
{
    const struct sandbox_parts *p = &m->parts;

    if (flavor->memory_mib < p->image->min_memory_mib ||
        (!p->volume_boot && flavor->disk_gib < p->image->min_disk_gib)) {
        op_violation(op, "flavor_name", "is too small for the image %s", p->image->ref.name);
        return op_fail(op, RESULT_CODE_BAD_REQUEST_DATA,
                       "flavor %s is too small for the image %s; take a larger one",
                       flavor->ref.name, p->image->ref.name);
    }
    if (flavor->vcpus <= p->flavor->vcpus)
        return RESULT_CODE_OK;
    return sandbox_room_cores(a, op, flavor->vcpus - p->flavor->vcpus);
}

/* Do it, where the machine is in a state that allows it. `flavor` is that of a resize. */
static pb_ResultCode change(struct adapter *a, struct op *op, struct sandbox_machine *m,
                            const struct action *action, const struct sandbox_flavor *flavor,
                            int64_t now)
{
    pb_VmState state = sandbox_state_at(m, now);
    bool same = flavor && flavor == m->parts.flavor;

    if (m->going)
        return wrong_state(op, m, action, state, now);
    if (action->already & 1u << state || same)
        return RESULT_CODE_OK;
    if (!(action->from & 1u << state))
        return wrong_state(op, m, action, state, now);
    pb_ResultCode code = flavor ? check_resize(a, op, m, flavor) : RESULT_CODE_OK;
    if (code != RESULT_CODE_OK)
        return code;
    sandbox_change(m, now, action->during, action->after ? action->after : state, a->set.pace_ms);
    if (flavor) {
        a->n_cores += (int64_t)flavor->vcpus - m->parts.flavor->vcpus;
        m->parts.flavor = flavor;
    }
    return RESULT_CODE_OK;
}

static pb_ResultCode act(struct adapter *a, struct op *op, const char *id,
                         const struct action *action, const struct sandbox_flavor *flavor,
                         pb_Vm **ret)
{
    struct adapter *held CLEANUP(sandbox_unlock) = a;
    struct sandbox_machine *m = NULL;

    sandbox_lock(held);
    int64_t now = clock_mono_ns();
    sandbox_sweep(a, now);
    pb_ResultCode code = sandbox_find(a, op, id, now, &m);
    if (code == RESULT_CODE_OK)
        code = change(a, op, m, action, flavor, now);
    if (code != RESULT_CODE_OK)
        return code;
    *ret = sandbox_show(op->arena, m, now);
    return op_end(op, RESULT_CODE_CHANGED);
}

/* ---- the slots ---- */

static pb_ResultCode note_and_act(struct adapter *a, struct op *op, const char *wanted,
                                  const struct action *action, const struct sandbox_flavor *flavor,
                                  pb_Vm **ret)
{
    const char *id;
    pb_ResultCode code = sandbox_note(a, op, wanted, false, &id);

    return code == RESULT_CODE_OK ? act(a, op, id, action, flavor, ret) : code;
}

static pb_ResultCode enter_and_act(struct adapter *a, struct op *op, const char *id,
                                   const struct action *action, pb_Vm **ret)
{
    pb_ResultCode code = sandbox_enter(a, op, true);

    return code == RESULT_CODE_OK ? note_and_act(a, op, id, action, NULL, ret) : code;
}

pb_ResultCode sandbox_start_vm(struct adapter *a, struct op *op, const pb_StartVmRequest *req,
                               pb_StartVmResponse *ret)
{
    return enter_and_act(a, op, req->id, &start, &ret->vm);
}

pb_ResultCode sandbox_stop_vm(struct adapter *a, struct op *op, const pb_StopVmRequest *req,
                              pb_StopVmResponse *ret)
{
    return enter_and_act(a, op, req->id, &stop, &ret->vm);
}

pb_ResultCode sandbox_reboot_vm(struct adapter *a, struct op *op, const pb_RebootVmRequest *req,
                                pb_RebootVmResponse *ret)
{
    return enter_and_act(a, op, req->id, req->hard ? &reset : &reboot, &ret->vm);
}

pb_ResultCode sandbox_suspend_vm(struct adapter *a, struct op *op, const pb_SuspendVmRequest *req,
                                 pb_SuspendVmResponse *ret)
{
    return enter_and_act(a, op, req->id, &suspend, &ret->vm);
}

pb_ResultCode sandbox_resume_vm(struct adapter *a, struct op *op, const pb_ResumeVmRequest *req,
                                pb_ResumeVmResponse *ret)
{
    return enter_and_act(a, op, req->id, &resume, &ret->vm);
}

pb_ResultCode sandbox_resize_vm(struct adapter *a, struct op *op, const pb_ResizeVmRequest *req,
                                pb_ResizeVmResponse *ret)
{
    const void *flavor = NULL;
    pb_ResultCode code = sandbox_enter(a, op, true);

    if (code == RESULT_CODE_OK)
        code = sandbox_pick(op, &sandbox_flavor_noun, "flavor_name", req->flavor_name, &flavor);
    return code == RESULT_CODE_OK ? note_and_act(a, op, req->id, &resize, flavor, &ret->vm) : code;
}
