/* What bears the mark of a gateway, beside what its machines use. */
#include <string.h>

#include "az_cleanup.h"

/* What is looked for, and what is there of it. */
struct search {
    struct adapter *a;
    struct op *op;
    const char *token;          /* of one operation; NULL: of all */
    struct shape_list machines; /* struct az_vm, that bear a mark */
    struct az_remain *remains;
    size_t n_remains;
    size_t n;
    pb_Leftover **found; /* room for all */
};

/* ---- Looking ---- */

/* Of all operations: the lists of each kind, for they do not lag, and say who has what. */
static pb_ResultCode list_remains(struct search *s)
{
    struct shape_list lists[AZ_REMAIN_KINDS] = {0};
    size_t room = 1;

    for (size_t k = 0; k < AZ_REMAIN_KINDS; k++) {
        pb_ResultCode code = az_list(s->a, s->op, az_remain_kinds[k].kind, &lists[k]);
        if (code != RESULT_CODE_OK)
            return code;
        room += lists[k].n;
    }
    s->remains = arena_array(s->op->arena, room, sizeof(*s->remains));
    if (s->remains == NULL)
        return op_end(s->op, RESULT_CODE_INTERNAL_ERROR);
    for (size_t k = 0; k < AZ_REMAIN_KINDS; k++)
        for (size_t i = 0; i < lists[k].n; i++) {
            const void *thing =
                (const char *)lists[k].items + i * az_remain_kinds[k].kind->item->size;
            struct az_remain *r = &s->remains[s->n_remains];
            if (((const struct az_thing *)thing)->id == NULL || !az_thing_is_ours(thing, NULL))
                continue;
            *r = az_remain_kinds[k].of(thing);
            r->kind = az_remain_kinds[k].kind;
            r->word = az_remain_kinds[k].word;
            s->n_remains++;
        }
    return RESULT_CODE_OK;
}

static pb_ResultCode list_machines(struct search *s)
{
    pb_ResultCode code = az_list(s->a, s->op, &az_vm_kind, &s->machines);
    struct az_vm *vms = s->machines.items;
    size_t n = 0;

    for (size_t i = 0; i < s->machines.n; i++)
        if (vms[i].thing.id != NULL && az_thing_token(&vms[i].thing) != NULL)
            vms[n++] = vms[i];
    s->machines.n = n;
    return code;
}

/* Of one operation: what Resources lists by the tag, each as it is now. */
static pb_ResultCode find_of_one(struct search *s)
{
    struct shape_list list = {0};

    pb_ResultCode code = az_resources_by_token(s->a, s->op, s->token, &list);
    const struct az_resource *r = list.items;
    s->remains = arena_array(s->op->arena, list.n + 1, sizeof(*s->remains));
    if (code == RESULT_CODE_OK && s->remains == NULL)
        code = op_end(s->op, RESULT_CODE_INTERNAL_ERROR);
    for (size_t i = 0; code == RESULT_CODE_OK && i < list.n; i++) {
        const struct az_remain_kind *kind = az_remain_kind_of(r[i].type);
        if (kind != NULL && r[i].thing.id != NULL &&
            az_remain_look(s->a, s->op, kind, r[i].thing.id, s->token, &s->remains[s->n_remains],
                           &code))
            s->n_remains++;
    }
    if (code == RESULT_CODE_OK)
        code = az_vms_of(s->a, s->op, &list, s->token, &s->machines);
    return code;
}

static pb_ResultCode find_all(struct search *s)
{
    pb_ResultCode code;

    /* Machines last: what is made for one while this goes on is seen to be in use. */
    if (s->token != NULL) {
        code = find_of_one(s);
    } else {
        code = list_remains(s);
        if (code == RESULT_CODE_OK)
            code = list_machines(s);
    }
    if (code != RESULT_CODE_OK)
        return code;
    s->found = arena_array(s->op->arena, s->machines.n + s->n_remains + 1, sizeof(*s->found));
    return s->found != NULL ? code : op_end(s->op, RESULT_CODE_INTERNAL_ERROR);
}

/* ---- What was found ---- */

/* The machine of this operation that is there, or what may be it. Then all that bears the mark is
 * in use, attached or not: while it is built nothing is yet, and somebody may have taken an address
 * off for a while. */
static const struct az_vm *machine_of(const struct search *s, const char *token)
{
    const struct az_vm *vms = s->machines.items;

    for (size_t i = 0; i < s->machines.n; i++)
        if (az_vm_has_tag(&vms[i], token))
            return &vms[i];
    return NULL;
}

static pb_Leftover *add(struct search *s, const char *kind, const struct az_thing *thing,
                        const char *created)
{
    pb_Leftover *l = arena_message(s->op->arena, &pb_Leftover_desc);

    if (l == NULL)
        return NULL;
    l->cloud = field_text(s->a->name);
    l->id = field_text(thing->id);
    l->name = field_text(thing->name);
    l->kind = field_text(kind);
    l->operation_id = field_text(az_thing_token(thing));
    l->created_at = field_time(s->op->arena, created);
    s->found[s->n++] = l;
    return l;
}

static bool is_used(const struct search *s, const struct az_remain *r)
{
    return machine_of(s, az_thing_token(&r->thing)) != NULL ||
           !az_remain_is_free(r, s->remains, s->n_remains);
}

static void add_remains(struct search *s)
{
    for (size_t i = 0; i < s->n_remains; i++) {
        const struct az_remain *r = &s->remains[i];
        pb_Leftover *l = add(s, r->word, &r->thing, r->created);
        if (l != NULL)
            l->in_use = is_used(s, r);
    }
}

pb_ResultCode azure_list_leftovers(struct adapter *a, struct op *op,
                                   const pb_ListLeftoversRequest *req,
                                   pb_ListLeftoversResponse *ret)
{
    struct search s = {.a = a, .op = op};

    (void)req;
    pb_ResultCode code = find_all(&s);
    if (code != RESULT_CODE_OK)
        return op_end(op, code);
    const struct az_vm *vms = s.machines.items;
    for (size_t i = 0; i < s.machines.n; i++)
        add(&s, "vm", &vms[i].thing, vms[i].created);
    add_remains(&s);
    code = op_end(op, RESULT_CODE_OK);
    if (code == RESULT_CODE_OK) {
        ret->leftovers = s.found;
        ret->n_leftovers = s.n;
    }
    return code;
}

/* ---- Deleting ---- */

/* Those that are not in use stay in `s`. */
static void keep_unused(struct search *s)
{
    size_t n = 0;

    for (size_t i = 0; i < s->n_remains; i++) {
        const struct az_remain r = s->remains[i];
        if (!s->found[i]->in_use) {
            s->found[n] = s->found[i];
            s->remains[n++] = r;
            continue;
        }
        op_warn(s->op, "%s %s is in use, or its machine is there, and stays", r.kind->noun,
                r.thing.name);
    }
    s->n = s->n_remains = n;
}

static pb_ResultCode later(struct op *op, const char *token, const char *why)
{
    op->result->blame = BLAME_CLOUD;
    op->result->side_effects = SIDE_EFFECTS_POSSIBLE;
    op_retry(op, RETRY_CLASS_AFTER_BACKOFF, 0, RETRY_SCOPE_CLOUD);
    return op_fail(op, RESULT_CODE_UNAVAILABLE,
                   "not everything that operation %s left behind could be deleted; %s; try again "
                   "later",
                   token, why);
}

pb_ResultCode azure_delete_leftover(struct adapter *a, struct op *op,
                                    const pb_DeleteLeftoverRequest *req,
                                    pb_DeleteLeftoverResponse *ret)
{
    struct search s = {.a = a, .op = op, .token = req->id};

    if (req->id[0] == '\0')
        return op_fail(op, RESULT_CODE_INVALID_REQUEST, "id, that of an operation, is missing");
    pb_ResultCode code = find_all(&s);
    if (code != RESULT_CODE_OK)
        return op_end(op, code);
    add_remains(&s);
    if (op->arena->exhausted)
        return op_end(op, RESULT_CODE_INTERNAL_ERROR);
    const struct az_vm *vm = machine_of(&s, req->id);
    bool going = vm != NULL && az_vm_is_going(vm);
    /* What Azure deletes with the machine takes as long as that does. */
    if (going && s.n > 0 && !req->dry_run)
        return later(op, req->id, "its machine is being deleted yet");
    keep_unused(&s);
    if (!req->dry_run && !az_remains_delete(a, op, s.remains, s.n_remains))
        return later(op, req->id, "the warnings say what stays");
    code = op_end(op, req->dry_run ? RESULT_CODE_OK : RESULT_CODE_DELETED);
    if (result_is_success(code)) {
        ret->leftovers = s.found;
        ret->n_leftovers = s.n;
    }
    return code;
}
