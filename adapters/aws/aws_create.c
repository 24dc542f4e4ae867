#include "aws_create.h"

#include <string.h>

#include "aws_await.h"
#include "aws_cleanup.h"
#include "aws_making.h"
#include "aws_marks.h"
#include "isobar/clock.h"
#include "isobar/uuid.h"

/* Time that is kept for looking and cleaning up, if a create goes wrong: a fifth of what there is,
 * but not more than this. */
enum { RESERVE_MS = 5000 };

/* ---- The machine ---- */

static pb_ResultCode make_instance(struct aws_making *m)
{
    struct op *op = &m->steps;
    struct aws_reservation r = {0};
    struct shape_list list = {1, &r};
    struct aws_query q;

    aws_build_run(&q, op->arena, &m->plan, m->eni_id, false);
    m->asked_run = true;
    pb_ResultCode code = aws_order_fresh(m->a, op, &q, &aws_reservation_shape, &r);
    if (code != RESULT_CODE_OK)
        return code;
    aws_reservation_unpack(op->arena, &list);
    if (list.n == 0 || ((const struct aws_thing *)list.items)->id == NULL) {
        op->result->side_effects = SIDE_EFFECTS_POSSIBLE;
        return op_fail(op, RESULT_CODE_OUTCOME_UNKNOWN,
                       "EC2 took the order, but did not say which machine it makes");
    }
    m->instance = *(const struct aws_instance *)list.items;
    m->instance.thing.name = m->plan.spec->name;
    return RESULT_CODE_OK;
}

/* ---- If it went wrong ---- */

/* Nobody knows, and nobody is to touch anything before it has been looked for again. */
static pb_ResultCode leave(struct aws_making *m)
{
    struct op *op = m->op;
    const pb_NativeError *native = op->result->native;

    if (m->eni_id != NULL || m->address.thing.id != NULL)
        op_warn(op,
                "what was made for the machine bears the tag " AWS_TOKEN_KEY
                "=%s, and is left as it is for now",
                m->plan.token);
    if (native != NULL)
        op_fail(op, RESULT_CODE_OUTCOME_UNKNOWN,
                "cloud %s says %s%s%s, and it is not known whether the machine is made all the "
                "same; look for one with the client token %s before trying again",
                m->a->name, native->code, native->message[0] == '\0' ? "" : ": ", native->message,
                m->plan.token);
    op->result->code = RESULT_CODE_OUTCOME_UNKNOWN;
    op->result->side_effects = SIDE_EFFECTS_POSSIBLE;
    op_retry(op, RETRY_CLASS_AFTER_LOOKUP, 0, RETRY_SCOPE_INSTANCE);
    return RESULT_CODE_OUTCOME_UNKNOWN;
}

/* What is known to have been made, whether a list has it already or not. */
static void add_known(const struct aws_making *m, struct aws_remains *r)
{
    struct aws_eni *enis = arena_array(m->op->arena, r->enis.n + 1, sizeof(*enis));
    struct aws_address *addresses =
        arena_array(m->op->arena, r->addresses.n + 1, sizeof(*addresses));
    bool eni = m->eni_id != NULL, address = m->address.thing.id != NULL;

    if (enis == NULL || addresses == NULL)
        return;
    for (size_t i = 0; i < r->enis.n; i++) {
        enis[i] = ((const struct aws_eni *)r->enis.items)[i];
        eni = eni && strcmp(enis[i].thing.id, m->eni_id) != 0;
    }
    for (size_t i = 0; i < r->addresses.n; i++) {
        addresses[i] = ((const struct aws_address *)r->addresses.items)[i];
        if (!address || strcmp(addresses[i].thing.id, m->address.thing.id) != 0)
            continue;
        if (!aws_address_is_used(&addresses[i])) /* the list may be older than what we know */
            addresses[i] = m->address;
        address = false;
    }
    if (eni)
        enis[r->enis.n].thing.id = m->eni_id;
    if (address)
        addresses[r->addresses.n] = m->address;
    r->enis = (struct shape_list){r->enis.n + eni, enis};
    r->addresses = (struct shape_list){r->addresses.n + address, addresses};
}

/* There is no machine, nor will there be one: take back what was made. */
static pb_ResultCode take_back(struct aws_making *m, pb_ResultCode code)
{
    struct op clean = *m->op;
    struct aws_remains remains = {0};

    clean.cancelled = NULL; /* nobody else does it later */
    if (aws_public_ip(m->plan.spec) != AWS_PUBLIC_STATIC)
        return code;
    struct op look = op_aside(&clean, 0);
    m->op->touched = m->eni_id != NULL || m->op->resumed;
    bool seen = aws_remains_find(m->a, &look, m->plan.token, NULL, &remains) == RESULT_CODE_OK;
    if (!seen)
        op_warn(m->op,
                "it is not known whether something with the tag " AWS_TOKEN_KEY
                "=%s was left behind: %s",
                m->plan.token, look.result->detail);
    add_known(m, &remains);
    /* Beside what is to be told of the failure itself. */
    struct op drop = op_aside(&clean, 0);
    bool gone = aws_remains_delete(m->a, &drop, &remains);
    for (size_t i = 0; i < drop.result->n_warnings; i++)
        op_warn(m->op, "%s", drop.result->warnings[i]);
    m->op->result->side_effects = !gone  ? SIDE_EFFECTS_CERTAIN
                                  : seen ? SIDE_EFFECTS_NONE
                                         : SIDE_EFFECTS_POSSIBLE;
    return code;
}

/* What a look for the machine says. */
enum look {
    LOOK_NONE,
    LOOK_ONE,   /* it is known now */
    LOOK_UNSURE /* it cannot be seen, or there are several */
};

/* Look for machines by the token, n times at most; those that are gone only where `gone`. */
static enum look look_for_it(struct aws_making *m, size_t n, bool gone)
{
    enum look said = LOOK_UNSURE;

    for (size_t i = 0; i < n; i++) {
        struct op aside = op_aside(m->op, 0);
        struct shape_list list = {0};
        if (aws_look_after_ms[i] > 0 && !op_sleep_ms(&aside, aws_look_after_ms[i]))
            break;
        said = LOOK_UNSURE;
        if (aws_instances_by_token(m->a, &aside, m->plan.token, &list) != RESULT_CODE_OK)
            continue;
        size_t all = list.n;
        aws_instances_alive(&list);
        if (list.n == 0 && gone)
            list.n = all;
        if (list.n > 1)
            return LOOK_UNSURE;
        if (list.n == 1) {
            m->instance = *(const struct aws_instance *)list.items;
            return LOOK_ONE;
        }
        said = LOOK_NONE;
    }
    return said;
}

static pb_ResultCode rescue(struct aws_making *m, pb_ResultCode code)
{
    bool lost = m->asked_run && aws_is_open(m->op, code);
    /* EC2 made it, and it is gone already: it failed to start, or somebody deleted it. */
    bool terminated = m->asked_run && aws_said(m->op, "IdempotentInstanceTerminated");
    bool mismatch = m->asked_run && aws_is_mismatch(m->op);
    bool cancelled = code == RESULT_CODE_CANCELLED;

    if (lost || mismatch || terminated || m->op->resumed) {
        bool patient = (lost || mismatch || terminated) && !cancelled;
        enum look said = look_for_it(m, patient ? AWS_LOOKS : 1, mismatch || terminated);
        if (said == LOOK_ONE)
            return RESULT_CODE_OK;
        if (lost || mismatch || said == LOOK_UNSURE)
            return leave(m);
    }
    /* Lost on the way to the machine, and nothing of it to be seen: it can be resumed. */
    if (m->open)
        return leave(m);
    /* An earlier try's machine may be there, which lists do not show yet. */
    if (m->op->resumed && !m->asked_run) {
        m->op->touched = true;
        return code;
    }
    return take_back(m, code);
}

/* ---- The slot ---- */

/* EC2 says what it would have said. */
static pb_ResultCode rehearse(struct adapter *a, struct op *op, const struct aws_plan *p)
{
    struct aws_query q;

    aws_build_run(&q, op->arena, p, NULL, true);
    pb_ResultCode code = aws_order(a, op, &q);
    return aws_said(op, "DryRunOperation") ? RESULT_CODE_OK : code;
}

static pb_ResultCode make(struct aws_making *m)
{
    pb_ResultCode code = aws_make_network(m);

    return code == RESULT_CODE_OK ? make_instance(m) : code;
}

/* The machine as EC2 shows it, once it does; else as it was in the answer to the order. */
static void look_at_it(struct aws_making *m)
{
    struct op aside = op_aside(m->op, 0);
    struct aws_instance now = {0};

    if (aws_instance_await(m->a, &aside, m->instance.thing.id, &now) == RESULT_CODE_OK)
        m->instance = now;
    if (aws_instance_is_gone(&m->instance))
        op_warn(m->op, "the machine was made, and is %s: %s", m->instance.state.name,
                m->instance.state_reason.message != NULL ? m->instance.state_reason.message
                                                         : "EC2 does not say why");
}

pb_ResultCode aws_create_vm(struct adapter *a, struct op *op, const pb_CreateVmRequest *req,
                            pb_CreateVmResponse *ret)
{
    struct aws_making m = {.a = a, .op = op, .steps = *op};
    int reserve = clock_ms_left(op->deadline_ns) / 5;

    m.steps.deadline_ns -= (reserve < RESERVE_MS ? reserve : RESERVE_MS) * NS_PER_MS;
    char token[UUID_TEXT_LEN + 1];
    if (!req->dry_run && op->token[0] == '\0') { /* what is sent again by itself needs one */
        uuid7(token);
        m.steps.token = token;
    }
    pb_ResultCode code = aws_plan(a, &m.steps, req->spec, &m.plan);
    if (code == RESULT_CODE_OK && req->dry_run)
        code = rehearse(a, op, &m.plan);
    if (req->dry_run || (code != RESULT_CODE_OK && !op->resumed)) {
        code = op_end(op, code);
        if (code != RESULT_CODE_OK) /* it has only been looked up so far */
            op->result->side_effects = SIDE_EFFECTS_NONE;
        return code;
    }
    if (code == RESULT_CODE_OK)
        code = make(&m);
    if (code != RESULT_CODE_OK)
        code = rescue(&m, code);
    if (code != RESULT_CODE_OK)
        return op_end(op, code);
    if (op->note_id != NULL)
        op->note_id(op, m.instance.thing.id);
    look_at_it(&m);
    aws_make_after(&m);
    ret->vm = aws_instance_message(a, op, &m.instance);
    return op_end(op, RESULT_CODE_CREATED);
}
