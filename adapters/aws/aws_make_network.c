/* What a machine with a static address is made on: an interface, and the address on it. */
#include <string.h>

#include "aws_await.h"
#include "aws_cleanup.h"
#include "aws_making.h"

const int aws_look_after_ms[AWS_LOOKS] = {0, 200, 300, 500};

bool aws_is_open(const struct op *op, pb_ResultCode code)
{
    return code != RESULT_CODE_OK && (op->result->side_effects == SIDE_EFFECTS_POSSIBLE ||
                                      op->result->side_effects == SIDE_EFFECTS_CERTAIN);
}

bool aws_is_mismatch(const struct op *op)
{
    return aws_said(op, "IdempotentParameterMismatch");
}

/* An order's answer is lost, and what it was to make not to be seen. */
static pb_ResultCode give_up(struct aws_making *m, const struct op *order, pb_ResultCode code)
{
    m->open = true;
    return op_tell(m->op, order, code);
}

/* ---- The interface ---- */

/* The one that bears the token; one that the machine has already rather than another. */
static pb_ResultCode find_eni(struct aws_making *m, struct op *op, const char **ret_id)
{
    struct shape_list list = {0};

    pb_ResultCode code = aws_enis_by_token(m->a, op, m->plan.token, &list);
    const struct aws_eni *enis = list.items, *best = NULL;
    for (size_t i = 0; i < list.n; i++)
        if (best == NULL || (aws_eni_is_attached(&enis[i]) && !aws_eni_is_attached(best)))
            best = &enis[i];
    if (best != NULL)
        *ret_id = best->thing.id;
    return code;
}

static pb_ResultCode make_eni(struct aws_making *m)
{
    struct aws_eni eni = {0};
    struct aws_query q;
    pb_ResultCode code = RESULT_CODE_OK;

    if (m->op->resumed)
        code = find_eni(m, &m->steps, &m->eni_id);
    if (code != RESULT_CODE_OK || m->eni_id != NULL)
        return code;
    struct op order = op_aside(&m->steps, 0);
    aws_build_eni(&q, m->op->arena, &m->plan);
    code = aws_ask(m->a, &order, &q, &aws_eni_made, &eni);
    m->eni_id = eni.thing.id;
    if (code == RESULT_CODE_OK && m->eni_id != NULL)
        return code;
    if (code == RESULT_CODE_OK) {
        order.result->side_effects = SIDE_EFFECTS_CERTAIN;
        code = op_fail(&order, RESULT_CODE_OUTCOME_UNKNOWN,
                       "EC2 made a network interface, but did not say which");
    }
    if (!aws_is_open(&order, code) && !aws_is_mismatch(&order))
        return op_tell(m->op, &order, code);
    for (size_t i = 0; code != RESULT_CODE_CANCELLED && i < AWS_LOOKS; i++) {
        struct op look = op_aside(m->op, 0);
        if (aws_look_after_ms[i] > 0 && !op_sleep_ms(&look, aws_look_after_ms[i]))
            break;
        if (find_eni(m, &look, &m->eni_id) == RESULT_CODE_OK && m->eni_id != NULL)
            return RESULT_CODE_OK;
    }
    return give_up(m, &order, code);
}

/* ---- The address ---- */

/* One that was allocated for the plan, on the interface or on none; others on none are released. */
static pb_ResultCode find_address(struct aws_making *m, struct op *op, struct aws_address *ret)
{
    struct shape_list list = {0};

    pb_ResultCode code = aws_addresses_by_token(m->a, op, m->plan.token, &list);
    const struct aws_address *all = list.items, *best = NULL;
    for (size_t i = 0; i < list.n; i++) {
        bool here = aws_address_is_on(&all[i], m->eni_id);
        if (here || (best == NULL && !aws_address_is_used(&all[i])))
            best = &all[i];
    }
    for (size_t i = 0; best != NULL && i < list.n; i++) {
        struct op aside = op_aside(op, 0);
        if (&all[i] != best && !aws_address_is_used(&all[i]) &&
            aws_address_drop(m->a, &aside, &all[i]) != RESULT_CODE_OK)
            op_warn(op, "address %s is not needed, and could not be released: %s",
                    all[i].thing.name, aside.result->detail);
    }
    if (best != NULL)
        *ret = *best;
    return code;
}

static pb_ResultCode allocate(struct aws_making *m)
{
    struct op order = op_aside(&m->steps, 0);
    struct aws_query q;

    aws_build_address(&q, m->op->arena, m->plan.spec->name, m->plan.token);
    pb_ResultCode code = aws_ask(m->a, &order, &q, &aws_address_made, &m->address);
    if (code == RESULT_CODE_OK && m->address.thing.id == NULL) {
        order.result->side_effects = SIDE_EFFECTS_CERTAIN;
        code = op_fail(&order, RESULT_CODE_OUTCOME_UNKNOWN,
                       "EC2 allocated an address, but did not say which");
    }
    if (!aws_is_open(&order, code))
        return op_tell(m->op, &order, code);
    for (size_t i = 0; code != RESULT_CODE_CANCELLED && i < AWS_LOOKS; i++) {
        struct op look = op_aside(m->op, 0);
        if (aws_look_after_ms[i] > 0 && !op_sleep_ms(&look, aws_look_after_ms[i]))
            break;
        if (find_address(m, &look, &m->address) == RESULT_CODE_OK && m->address.thing.id != NULL)
            return RESULT_CODE_OK;
    }
    return give_up(m, &order, code);
}

/* As it is now. */
static pb_ResultCode look_at(struct aws_making *m, struct op *op, const struct aws_address *address,
                             struct aws_address *ret)
{
    return aws_find(m->a, op, &aws_address_kind, "spec.public_ip", address->thing.id, NULL, 0, ret);
}

static pb_ResultCode put_on(struct aws_making *m, const struct aws_address *address)
{
    struct op order = op_aside(&m->steps, 0), look = op_aside(m->op, 0);
    struct aws_address now = {0}, put = {0};
    struct aws_query q;

    aws_build_address_put(&q, m->op->arena, address->thing.id, m->eni_id);
    pb_ResultCode code = aws_order_fresh(m->a, &order, &q, &aws_address_made, &put);
    if (code == RESULT_CODE_OK && m->address.thing.id != NULL) {
        m->address.association_id = put.association_id; /* to take it back by */
        m->address.eni_id = m->eni_id;
    }
    if (aws_said(&order, "Resource.AlreadyAssociated") &&
        look_at(m, &look, address, &now) == RESULT_CODE_OK && aws_address_is_used(&now))
        return aws_address_is_on(&now, m->eni_id) ? RESULT_CODE_OK : aws_address_taken(m->op, &now);
    if (!aws_is_open(&order, code))
        return op_tell(m->op, &order, code);
    if (code != RESULT_CODE_CANCELLED && look_at(m, &look, address, &now) == RESULT_CODE_OK &&
        aws_address_is_on(&now, m->eni_id))
        return RESULT_CODE_OK;
    return give_up(m, &order, code);
}

/* The one that the user named: an earlier try may have put it there. */
static pb_ResultCode take_named(struct aws_making *m)
{
    struct aws_address now = m->plan.address;

    if (aws_address_is_on(&now, m->eni_id))
        return RESULT_CODE_OK;
    return aws_address_is_used(&now) ? aws_address_taken(m->op, &now) : put_on(m, &now);
}

pb_ResultCode aws_make_network(struct aws_making *m)
{
    if (m->plan.public_ip != AWS_PUBLIC_STATIC)
        return RESULT_CODE_OK;
    pb_ResultCode code = make_eni(m);
    if (code != RESULT_CODE_OK)
        return code;
    if (m->plan.address.thing.id != NULL)
        return take_named(m);
    if (m->op->resumed)
        code = find_address(m, &m->steps, &m->address);
    if (code == RESULT_CODE_OK && m->address.thing.id == NULL)
        code = allocate(m);
    if (code != RESULT_CODE_OK || aws_address_is_on(&m->address, m->eni_id))
        return code;
    return put_on(m, &m->address);
}
