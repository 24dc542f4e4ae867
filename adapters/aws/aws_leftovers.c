/* What bears the mark of a gateway, beside what its machines use. */
#include <string.h>

#include "aws_cleanup.h"
#include "aws_marks.h"

#define KIND_ENI     "network_interface"
#define KIND_ADDRESS "address"

/* What is looked for, and what is there of it. */
struct search {
    struct adapter *a;
    struct op *op;
    const char *token;           /* of one operation; NULL: of all */
    struct shape_list enis;      /* struct aws_eni */
    struct shape_list addresses; /* struct aws_address */
    struct shape_list machines; /* struct aws_instance, that bear a mark; those that are gone too */
    size_t n;
    pb_Leftover **found; /* room for all */
};

static pb_ResultCode find_machines(struct search *s)
{
    static const char *const key[] = {AWS_TOKEN_KEY};
    const struct aws_filter f = {"tag-key", 1, key};

    return s->token != NULL ? aws_instances_by_token(s->a, s->op, s->token, &s->machines)
                            : aws_instances(s->a, s->op, &f, 1, &s->machines);
}

static pb_ResultCode find_all(struct search *s)
{
    /* Machines last: what is made for one while this goes on is seen to be in use. */
    pb_ResultCode code = aws_enis_by_token(s->a, s->op, s->token, &s->enis);

    if (code == RESULT_CODE_OK)
        code = aws_addresses_by_token(s->a, s->op, s->token, &s->addresses);
    if (code == RESULT_CODE_OK)
        code = find_machines(s);
    if (code != RESULT_CODE_OK)
        return code;
    s->found = arena_array(s->op->arena, s->machines.n + s->enis.n + s->addresses.n + 1,
                           sizeof(*s->found));
    return s->found != NULL ? code : op_end(s->op, RESULT_CODE_INTERNAL_ERROR);
}

/* Whether a machine of this operation is there. Then all that bears the mark is in use, attached or
 * not: while it is built nothing is yet, and somebody may have taken an address off for a while. */
static bool has_machine(const struct search *s, const char *token)
{
    const struct aws_instance *i = s->machines.items;

    for (size_t k = 0; k < s->machines.n; k++)
        if (!aws_instance_is_gone(&i[k]) && aws_instance_is_ours(&i[k], token))
            return true;
    return false;
}

/* Whether what has it is a machine of this operation that is gone, or bound to: EC2 takes minutes
 * to let go of what it has, and does not delete it by itself. */
static bool is_let_go(const struct search *s, const struct aws_eni *eni, const char *token)
{
    const struct aws_instance *i = s->machines.items;
    const char *user = eni->attachment.instance_id;

    for (size_t k = 0; user != NULL && k < s->machines.n; k++)
        if (strcmp(i[k].thing.id, user) == 0)
            return aws_instance_is_gone(&i[k]) && aws_instance_is_ours(&i[k], token);
    return false;
}

/* ---- What was found ---- */

static pb_Leftover *add(struct search *s, const char *kind, const struct aws_thing *thing,
                        const char *token)
{
    pb_Leftover *l = token != NULL ? arena_message(s->op->arena, &pb_Leftover_desc) : NULL;

    if (l == NULL)
        return NULL;
    l->cloud = field_text(s->a->name);
    l->id = field_text(thing->id);
    l->name = field_text(thing->name);
    l->kind = field_text(kind);
    l->operation_id = field_text(token);
    s->found[s->n++] = l;
    return l;
}

static void add_machines(struct search *s)
{
    const struct aws_instance *i = s->machines.items;

    for (size_t k = 0; k < s->machines.n; k++) {
        pb_Leftover *l = aws_instance_is_gone(&i[k])
                             ? NULL
                             : add(s, "vm", &i[k].thing, aws_instance_token(&i[k]));
        if (l != NULL)
            l->created_at = field_time(s->op->arena, i[k].launch_time);
    }
}

static void add_enis(struct search *s)
{
    const struct aws_eni *enis = s->enis.items;

    for (size_t i = 0; i < s->enis.n; i++) {
        const char *token = aws_thing_token(&enis[i].thing);
        pb_Leftover *l = add(s, KIND_ENI, &enis[i].thing, token);
        if (l != NULL)
            l->in_use = has_machine(s, token) ||
                        (aws_eni_is_attached(&enis[i]) && !is_let_go(s, &enis[i], token));
    }
}

/* On an interface that is itself left over it is not in use. After add_enis(). */
static bool address_is_used(const struct search *s, const struct aws_address *address,
                            const char *token)
{
    for (size_t i = 0; aws_address_is_used(address) && i < s->n; i++) {
        const pb_Leftover *l = s->found[i];
        if (strcmp(l->kind, KIND_ENI) == 0 && aws_address_is_on(address, l->id) &&
            strcmp(l->operation_id, token) == 0)
            return l->in_use;
    }
    return aws_address_is_used(address) || has_machine(s, token);
}

static void add_addresses(struct search *s)
{
    const struct aws_address *addresses = s->addresses.items;

    for (size_t i = 0; i < s->addresses.n; i++) {
        const char *token = aws_thing_token(&addresses[i].thing);
        pb_Leftover *l = add(s, KIND_ADDRESS, &addresses[i].thing, token);
        if (l != NULL)
            l->in_use = address_is_used(s, &addresses[i], token);
    }
}

pb_ResultCode aws_list_leftovers(struct adapter *a, struct op *op,
                                 const pb_ListLeftoversRequest *req, pb_ListLeftoversResponse *ret)
{
    struct search s = {.a = a, .op = op};

    (void)req;
    pb_ResultCode code = find_all(&s);
    if (code != RESULT_CODE_OK)
        return op_end(op, code);
    add_machines(&s);
    add_enis(&s);
    add_addresses(&s);
    code = op_end(op, RESULT_CODE_OK);
    if (code == RESULT_CODE_OK) {
        ret->leftovers = s.found;
        ret->n_leftovers = s.n;
    }
    return code;
}

/* ---- Deleting ---- */

static const pb_Leftover *leftover_of(const struct search *s, const char *kind, const char *id)
{
    for (size_t i = 0; i < s->n; i++)
        if (strcmp(s->found[i]->kind, kind) == 0 && strcmp(s->found[i]->id, id) == 0)
            return s->found[i];
    return NULL;
}

/* Those that are not in use stay in `s`. How many are not kept. */
static size_t keep_unused(struct search *s)
{
    struct aws_eni *enis = s->enis.items;
    struct aws_address *addresses = s->addresses.items;
    size_t n_enis = 0, n_addresses = 0, n = 0;

    for (size_t i = 0; i < s->enis.n; i++) {
        const pb_Leftover *l = leftover_of(s, KIND_ENI, enis[i].thing.id);
        if (l != NULL && !l->in_use)
            enis[n_enis++] = enis[i];
    }
    for (size_t i = 0; i < s->addresses.n; i++) {
        const pb_Leftover *l = leftover_of(s, KIND_ADDRESS, addresses[i].thing.id);
        if (l != NULL && !l->in_use)
            addresses[n_addresses++] = addresses[i];
    }
    s->enis.n = n_enis;
    s->addresses.n = n_addresses;
    for (size_t i = 0; i < s->n; i++) {
        if (!s->found[i]->in_use)
            s->found[n++] = s->found[i];
        else
            op_warn(s->op, "%s %s is in use, or its machine is there, and stays", s->found[i]->kind,
                    s->found[i]->id);
    }
    size_t in_use = s->n - n;
    s->n = n;
    return in_use;
}

/* Something is in use, and no machine of the operation is there: one that is ending has it, or a
 * list that lags says so. Whoever wants it gone comes again. */
static pb_ResultCode still_used(struct op *op, const char *token)
{
    op_retry(op, RETRY_CLASS_AFTER_BACKOFF, 0, RETRY_SCOPE_INSTANCE);
    return op_fail(op, RESULT_CODE_FAILED_PRECONDITION,
                   "what operation %s has left behind is still in use, though its machine is gone; "
                   "the warnings say what; try again later, or take it from where it is",
                   token);
}

/* False where something stays that should not. What its machine has not let go of is in use. */
static bool delete_all(struct search *s, const struct aws_remains *remains, size_t *in_use)
{
    const struct aws_eni *enis = s->enis.items;

    aws_remains_bind(s->a, s->op, remains);
    for (size_t i = 0; i < s->enis.n; i++) {
        if (!aws_eni_is_attached(&enis[i]))
            continue;
        op_warn(s->op, "network interface %s goes with its machine, which is not quite gone",
                enis[i].thing.id);
        ++*in_use;
    }
    return aws_remains_delete(s->a, s->op, remains);
}

pb_ResultCode aws_delete_leftover(struct adapter *a, struct op *op,
                                  const pb_DeleteLeftoverRequest *req,
                                  pb_DeleteLeftoverResponse *ret)
{
    struct search s = {.a = a, .op = op, .token = req->id};

    if (req->id[0] == '\0')
        return op_fail(op, RESULT_CODE_INVALID_REQUEST, "id, that of an operation, is missing");
    pb_ResultCode code = find_all(&s);
    if (code != RESULT_CODE_OK)
        return op_end(op, code);
    add_enis(&s);
    add_addresses(&s);
    size_t in_use = keep_unused(&s);
    const struct aws_remains remains = {s.enis, s.addresses};
    if (!op->arena->exhausted && !req->dry_run && !delete_all(&s, &remains, &in_use)) {
        op->result->blame = BLAME_CLOUD;
        op->result->side_effects = SIDE_EFFECTS_POSSIBLE;
        op_retry(op, RETRY_CLASS_AFTER_BACKOFF, 0, RETRY_SCOPE_CLOUD);
        return op_fail(op, RESULT_CODE_UNAVAILABLE,
                       "not everything that operation %s left behind could be deleted; the "
                       "warnings say what stays; try again later",
                       req->id);
    }
    if (in_use > 0 && !has_machine(&s, req->id) && !req->dry_run)
        return op_end(op, still_used(op, req->id));
    code = op_end(op, req->dry_run ? RESULT_CODE_OK : RESULT_CODE_DELETED);
    if (result_is_success(code)) {
        ret->leftovers = s.found;
        ret->n_leftovers = s.n;
    }
    return code;
}
