#include "aws_cleanup.h"

#include <string.h>

#include "aws_marks.h"
#include "isobar/point.h"

/* What was just let go may count as in use for a moment. */
static const int pauses_ms[] = {200, 400, 800};

/* Whether something other than the machine has it. */
static bool is_other(const char *user, const char *instance_id)
{
    return user != NULL && user[0] != '\0' &&
           (instance_id == NULL || strcmp(user, instance_id) != 0);
}

/* Whether the operation made another machine, too, that is there to stay. Where that cannot be
 * seen, it is taken to be so. */
static bool has_twin(struct adapter *a, struct op *op, const char *token, const char *instance_id)
{
    struct op aside = op_aside(op, 0);
    struct shape_list list = {0};

    if (aws_instances_by_token(a, &aside, token, &list) != RESULT_CODE_OK)
        return true;
    aws_instances_alive(&list);
    const struct aws_instance *i = list.items;
    for (size_t k = 0; k < list.n; k++)
        if (strcmp(i[k].thing.id, instance_id) != 0)
            return true;
    return false;
}

/* Keep the interfaces that are the machine's or nobody's; says whether there are some of the
 * latter. */
static bool keep_enis(struct shape_list *list, const char *instance_id, bool unused)
{
    struct aws_eni *enis = list->items;
    size_t n = 0;
    bool seen = false;

    for (size_t i = 0; i < list->n; i++) {
        bool attached = aws_eni_is_attached(&enis[i]);
        const char *user = enis[i].attachment.instance_id;
        /* It may be attached to what is no machine, or says nothing of it. */
        if (attached && (instance_id == NULL || user == NULL || is_other(user, instance_id)))
            continue;
        seen = seen || !attached;
        if (attached || unused)
            enis[n++] = enis[i];
    }
    list->n = n;
    return seen;
}

/* The same with addresses: they are the machine's where they are on one of its interfaces. */
static bool keep_addresses(struct shape_list *list, const struct aws_remains *r, bool unused)
{
    struct aws_address *addresses = list->items;
    const struct aws_eni *enis = r->enis.items;
    size_t n = 0;
    bool seen = false;

    for (size_t i = 0; i < list->n; i++) {
        bool used = aws_address_is_used(&addresses[i]), here = false;
        for (size_t k = 0; used && k < r->enis.n; k++)
            here = here || aws_address_is_on(&addresses[i], enis[k].thing.id);
        seen = seen || !used;
        if (used ? here : unused)
            addresses[n++] = addresses[i];
    }
    list->n = n;
    return seen;
}

pb_ResultCode aws_remains_find(struct adapter *a, struct op *op, const char *token,
                               const char *instance_id, struct aws_remains *ret)
{
    struct aws_remains r = {0};

    pb_ResultCode code = aws_enis_by_token(a, op, token, &r.enis);
    if (code == RESULT_CODE_OK)
        code = aws_addresses_by_token(a, op, token, &r.addresses);
    if (code != RESULT_CODE_OK)
        return code;
    bool unused = keep_enis(&r.enis, instance_id, true);
    unused = keep_addresses(&r.addresses, &r, true) || unused;
    if (unused && instance_id != NULL && has_twin(a, op, token, instance_id)) {
        keep_enis(&r.enis, instance_id, false);
        keep_addresses(&r.addresses, &r, false);
    }
    *ret = r;
    return code;
}

void aws_remains_bind(struct adapter *a, struct op *op, const struct aws_remains *r)
{
    const struct aws_eni *enis = r->enis.items;

    for (size_t i = 0; i < r->enis.n; i++) {
        struct op aside = op_aside(op, 0);
        struct aws_query q;
        if (!aws_eni_is_attached(&enis[i]) || enis[i].attachment.delete_on_termination)
            continue;
        aws_build_eni_bind(&q, op->arena, enis[i].thing.id, enis[i].attachment.id);
        (void)!aws_order(a, &aside, &q); /* otherwise it is a leftover, and found as such */
    }
}

/* What was there is to be gone; where it is still in use, once more a little later. */
static pb_ResultCode drop(struct adapter *a, struct op *op, const struct aws_query *q)
{
    for (size_t i = 0;; i++) {
        struct op aside = op_aside(op, 0);
        point("clean-up");
        pb_ResultCode code = aws_order(a, &aside, q);
        /* EC2's words for an interface in use; the same code has other meanings elsewhere. */
        bool in_use = code == RESULT_CODE_FAILED_PRECONDITION ||
                      (aws_said(&aside, "InvalidParameterValue") &&
                       strcmp(q->action, "DeleteNetworkInterface") == 0);
        if (code == RESULT_CODE_NOT_FOUND)
            return RESULT_CODE_OK;
        if (!in_use || i == ARRAY_LEN(pauses_ms) || !op_sleep_ms(op, pauses_ms[i]))
            return op_tell(op, &aside, code);
    }
}

pb_ResultCode aws_address_drop(struct adapter *a, struct op *op, const struct aws_address *address)
{
    pb_ResultCode code = RESULT_CODE_OK;
    struct aws_query q;

    if (aws_address_is_used(address)) {
        aws_build_address_take(&q, op->arena, address->association_id);
        code = drop(a, op, &q);
    }
    if (code != RESULT_CODE_OK)
        return code;
    aws_build_address_release(&q, op->arena, address->thing.id);
    return drop(a, op, &q);
}

static void stays(struct op *op, const char *noun, const struct aws_thing *t, const struct op *why)
{
    op_warn(op, "%s %s, which was made for the machine, could not be deleted: %s", noun, t->id,
            why->result->detail);
}

bool aws_remains_delete(struct adapter *a, struct op *op, const struct aws_remains *r)
{
    const struct aws_address *addresses = r->addresses.items;
    const struct aws_eni *enis = r->enis.items;
    bool all = true;

    for (size_t i = 0; i < r->addresses.n; i++) {
        struct op aside = op_aside(op, 0);
        if (aws_address_drop(a, &aside, &addresses[i]) == RESULT_CODE_OK)
            continue;
        stays(op, aws_address_kind.noun, &addresses[i].thing, &aside);
        all = false;
    }
    for (size_t i = 0; i < r->enis.n; i++) {
        struct op aside = op_aside(op, 0);
        struct aws_query q;
        if (aws_eni_is_attached(&enis[i]))
            continue;
        aws_build_eni_delete(&q, op->arena, enis[i].thing.id);
        if (drop(a, &aside, &q) == RESULT_CODE_OK)
            continue;
        stays(op, aws_eni_kind.noun, &enis[i].thing, &aside);
        all = false;
    }
    return all;
}
