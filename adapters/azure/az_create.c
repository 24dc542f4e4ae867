#include <string.h>
#include <strings.h>

#include "az_cleanup.h"
#include "az_making.h"
#include "isobar/clock.h"
#include "isobar/uuid.h"
#include "kit/secret.h"

/* Time that is kept for looking and cleaning up, if a create goes wrong: a fifth of what there is,
 * but not more than this. */
enum { RESERVE_MS = 10000 };

/* After an order whose answer was lost: when its machine is looked for. */
static const int look_after_ms[] = {0, 200, 400, 800};

/* What a look for the machine says. */
enum look {
    LOOK_NONE,
    LOOK_OURS,  /* it is known now */
    LOOK_OTHER, /* another one has the name */
    LOOK_UNSURE /* it cannot be seen */
};

/* By its name: that is not a list, and does not lag. */
static enum look look_for_it(struct az_making *m, struct op *op, size_t n)
{
    enum look said = LOOK_UNSURE;

    for (size_t i = 0; i < n; i++) {
        struct op aside = op_aside(op, 0);
        struct az_vm vm = {0};
        if (m->plan.vm_id == NULL ||
            (look_after_ms[i] > 0 && !op_sleep_ms(&aside, look_after_ms[i])))
            break;
        pb_ResultCode code = az_find_by_id(m->a, &aside, &az_vm_kind, m->plan.vm_id, &vm);
        said = code == RESULT_CODE_NOT_FOUND                     ? LOOK_NONE
               : code != RESULT_CODE_OK                          ? LOOK_UNSURE
               : az_vm_is_ours(m->op->arena, &vm, m->plan.token) ? LOOK_OURS
                                                                 : LOOK_OTHER;
        if (said == LOOK_OURS)
            m->vm = vm;
        if (said == LOOK_OURS || said == LOOK_OTHER)
            break;
    }
    return said;
}

static pb_ResultCode name_taken(struct az_making *m)
{
    op_violation(m->op, "spec.name", "is another machine's");
    op_retry(m->op, RETRY_CLASS_NEVER, 0, RETRY_SCOPE_INSTANCE);
    return op_fail(m->op, RESULT_CODE_ALREADY_EXISTS,
                   "there is another machine %s in resource group %s; take another name",
                   m->plan.spec->name, m->plan.group);
}

/* ---- The machine ---- */

static pb_ResultCode make_machine(struct az_making *m)
{
    struct az_lro lro = {0};
    struct az_request req;

    if (!az_build_vm(m->op->arena, &m->plan, az_compute_has(m->a, AZ_SINCE_IF_NONE_MATCH), &req))
        return op_end(m->op, RESULT_CODE_INTERNAL_ERROR);
    m->asked_vm = true;
    pb_ResultCode code = az_order_patiently(m, &m->steps, &req, &m->nic, &lro);
    if (m->plan.password != NULL)
        secret_wipe(req.body);
    return code;
}

/* What is to be made is there already, from an earlier try or from somebody else. Where Azure makes
 * sure of that with the order itself, nothing needs to be asked. */
static pb_ResultCode look_before(struct az_making *m)
{
    struct op aside = op_aside(&m->steps, 0);
    struct az_vm vm = {0};

    if (az_compute_has(m->a, AZ_SINCE_IF_NONE_MATCH) && !m->op->resumed)
        return RESULT_CODE_OK;
    pb_ResultCode code = az_find_by_id(m->a, &aside, &az_vm_kind, m->plan.vm_id, &vm);
    if (code == RESULT_CODE_NOT_FOUND)
        return RESULT_CODE_OK;
    if (code != RESULT_CODE_OK)
        return op_tell(&m->steps, &aside, code);
    if (!az_vm_is_ours(m->op->arena, &vm, m->plan.token))
        return name_taken(m);
    m->vm = vm;
    return RESULT_CODE_OK;
}

static pb_ResultCode make(struct az_making *m)
{
    pb_ResultCode code = look_before(m);

    if (code != RESULT_CODE_OK || m->vm.thing.id != NULL)
        return code;
    code = az_make_network(m);
    return code == RESULT_CODE_OK ? make_machine(m) : code;
}

/* ---- If it went wrong ---- */

/* Nobody knows, and nobody is to touch anything before it has been looked for again. */
static pb_ResultCode leave(struct az_making *m)
{
    struct op *op = m->op;
    const pb_NativeError *native = op->result->native;

    if (m->asked_nic || m->asked_ip)
        op_warn(op,
                "what was made for the machine is named " AZ_MARK_PREFIX
                "%s-.., and is left as it is for now",
                m->plan.token);
    if (native != NULL)
        op_fail(op, RESULT_CODE_OUTCOME_UNKNOWN,
                "cloud %s says %s%s%s, and it is not known whether the machine is made all the "
                "same; look for one with the tag " AZ_TOKEN_KEY "=%s before trying again",
                m->a->name, native->code, native->message[0] == '\0' ? "" : ": ", native->message,
                m->plan.token);
    op->result->code = RESULT_CODE_OUTCOME_UNKNOWN;
    op->result->side_effects = SIDE_EFFECTS_POSSIBLE;
    op_retry(op, RETRY_CLASS_AFTER_LOOKUP, 0, RETRY_SCOPE_INSTANCE);
    return RESULT_CODE_OUTCOME_UNKNOWN;
}

/* What this or an earlier try has made, by its names. False where that cannot be seen. */
static bool find_made(struct az_making *m, struct op *op, struct az_remain *ret, size_t *ret_n)
{
    const char *ids[] = {m->plan.nic_id, m->plan.ip_id};
    bool asked[] = {m->asked_nic || m->op->resumed, m->asked_ip || m->op->resumed};

    for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
        pb_ResultCode code = RESULT_CODE_OK;
        if (ids[i] == NULL || !asked[i])
            continue;
        if (az_remain_look(m->a, op, &az_remain_kinds[i], ids[i], m->plan.token, &ret[*ret_n],
                           &code))
            (*ret_n)++;
        if (code != RESULT_CODE_OK)
            return false;
    }
    return true;
}

/* There is no machine, nor will there be one: take back what was made. */
static pb_ResultCode take_back(struct az_making *m, pb_ResultCode code)
{
    struct op clean = *m->op;
    struct az_remain remains[AZ_REMAIN_KINDS];
    size_t n = 0;

    clean.cancelled = NULL; /* nobody else does it later */
    m->op->touched = m->asked_nic || m->asked_ip || m->op->resumed;
    if (!m->op->touched)
        return code;
    struct op look = op_aside(&clean, 0);
    bool seen = find_made(m, &look, remains, &n);
    if (!seen)
        op_warn(m->op,
                "it is not known whether something named " AZ_MARK_PREFIX
                "%s-.. was left behind: %s",
                m->plan.token, look.result->detail);
    /* Beside what is to be told of the failure itself. */
    struct op drop = op_aside(&clean, 0);
    bool gone = az_remains_delete(m->a, &drop, remains, n);
    for (size_t i = 0; i < drop.result->n_warnings; i++)
        op_warn(m->op, "%s", drop.result->warnings[i]);
    m->op->result->side_effects = !gone  ? SIDE_EFFECTS_CERTAIN
                                  : seen ? SIDE_EFFECTS_NONE
                                         : SIDE_EFFECTS_POSSIBLE;
    return code;
}

static pb_ResultCode rescue(struct az_making *m, pb_ResultCode code)
{
    bool lost = m->asked_vm && az_is_open(m->op, code);
    /* Refused because there is a machine of that name, be it ours, or that it is worked on. */
    bool met = m->asked_vm &&
               (code == RESULT_CODE_ALREADY_EXISTS || code == RESULT_CODE_FAILED_PRECONDITION);
    bool cancelled = code == RESULT_CODE_CANCELLED;

    if (lost || met || m->op->resumed) {
        enum look said = look_for_it(m, m->op, lost && !cancelled ? ARRAY_LEN(look_after_ms) : 1);
        if (said == LOOK_OURS)
            return RESULT_CODE_OK;
        if (said == LOOK_OTHER && m->asked_vm)
            return take_back(m, name_taken(m));
        if (lost || said == LOOK_UNSURE)
            return leave(m);
    }
    /* Lost on the way to the machine: it can be resumed. */
    return m->open ? leave(m) : take_back(m, code);
}

/* ---- The slot ---- */

/* Resource Manager can rehearse templates alone. What can be looked up is; sizes, too, for nothing
 * else says whether there is one. */
static pb_ResultCode rehearse(struct adapter *a, struct op *op, const struct az_plan *p)
{
    struct shape_list list = {0};
    size_t index = 0;

    op_warn(op, "this is what the gateway can tell: Azure has no rehearsal of an order for a "
                "machine, and quotas, policies and capacity show with the order itself");
    pb_ResultCode code = az_sizes(a, op, p->location, &list);
    return code == RESULT_CODE_OK
               ? az_pick(op, &az_size_kind, "spec.flavor_name", p->spec->flavor_name, &list, &index)
               : code;
}

/* The machine as Azure shows it; else as it was ordered. */
static pb_Vm *show(struct az_making *m)
{
    struct op aside = op_aside(m->op, 0);
    struct az_vm now = {0};

    if (az_find_by_id(m->a, &aside, &az_vm_kind, m->plan.vm_id, &now) == RESULT_CODE_OK)
        m->vm = now;
    if (m->vm.thing.id == NULL) {
        m->vm.thing.id = m->plan.vm_id;
        m->vm.thing.name = m->plan.spec->name;
        m->vm.thing.location = m->plan.location;
        m->vm.size = m->plan.spec->flavor_name;
        m->vm.provisioning = "Creating";
    }
    return az_vm_message(m->a, m->op, &m->vm);
}

pb_ResultCode azure_create_vm(struct adapter *a, struct op *op, const pb_CreateVmRequest *req,
                              pb_CreateVmResponse *ret)
{
    struct az_making m = {.a = a, .op = op, .steps = *op};
    int reserve = clock_ms_left(op->deadline_ns) / 5;
    char token[UUID_TEXT_LEN + 1];

    m.steps.deadline_ns -= (reserve < RESERVE_MS ? reserve : RESERVE_MS) * NS_PER_MS;
    if (op->token == NULL || op->token[0] == '\0') {
        uuid7(token);
        m.steps.token = token;
    }
    pb_ResultCode code = az_plan(a, &m.steps, req->spec, &m.plan);
    if (code == RESULT_CODE_OK && req->dry_run)
        code = rehearse(a, op, &m.plan);
    if (req->dry_run || (code != RESULT_CODE_OK && !op->resumed)) {
        code = op_end(op, code);
        if (code != RESULT_CODE_OK) /* it has only been looked up so far */
            op->result->side_effects = SIDE_EFFECTS_NONE;
    } else {
        if (code == RESULT_CODE_OK)
            code = make(&m);
        if (code != RESULT_CODE_OK)
            code = rescue(&m, code);
        if (code == RESULT_CODE_OK && op->note_id != NULL)
            op->note_id(op, m.plan.vm_id);
        if (code == RESULT_CODE_OK)
            ret->vm = show(&m);
        code = op_end(op, code == RESULT_CODE_OK ? RESULT_CODE_CREATED : code);
    }
    secret_wipe(m.plan.password);
    return code;
}
