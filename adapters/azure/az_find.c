/* Lists and look-ups, alike for every kind of thing. */
#include <string.h>
#include <strings.h>

#include "az.h"
#include "kit/flat.h"
#include "kit/gather.h"

/* ---- Lists ---- */

/* What people see of things beside the common. It has been parsed once: it cannot fail but for
 * memory, which op_end() tells. */
static bool flatten(struct arena *a, const struct az_kind *kind, const struct http_response *rsp,
                    const char *at, const struct shape_list *items)
{
    const struct flat flat = {.path = at,
                              .dropped = "properties",
                              .skipped = kind->mapped,
                              .things = items->items,
                              .n = items->n,
                              .size = kind->item->size,
                              .offset = offsetof(struct az_thing, all)};

    return kind->mapped == NULL || flat_parse(a, rsp->body, rsp->body_len, &flat);
}

static struct shape_list *inner_of(const struct az_kind *kind, const struct shape_list *items,
                                   size_t i)
{
    return (void *)((char *)items->items + i * kind->item->size + kind->inner_offset);
}

/* The things in all things as one list, and back. */
static bool flatten_inner(struct arena *a, const struct az_kind *kind,
                          const struct http_response *rsp, const char *at,
                          const struct shape_list *items)
{
    size_t size = kind->inner->item->size;
    struct gathering all = {.size = size};

    for (size_t i = 0; i < items->n; i++)
        if (!gather(a, &all, inner_of(kind, items, i)))
            return false;
    at = arena_printf(a, "%s%s%s", at, at[0] != '\0' ? "." : "", kind->inner_path);
    if (all.all.n == 0 || !flatten(a, kind->inner, rsp, at, &all.all))
        return all.all.n == 0;
    for (size_t i = 0, n = 0; i < items->n; n += inner_of(kind, items, i++)->n)
        inner_of(kind, items, i)->items = (char *)all.all.items + n * size;
    return true;
}

void az_complete(struct arena *a, const struct az_kind *kind, const struct http_response *rsp,
                 const char *at, struct shape_list *items)
{
    size_t size = kind->item->size, kept = 0;

    if (!flatten(a, kind, rsp, at, items) ||
        (kind->inner != NULL && !flatten_inner(a, kind, rsp, at, items)))
        return;
    for (size_t i = 0; i < items->n; i++) {
        char *from = (char *)items->items + i * size;
        struct az_thing *t = (void *)from;
        if (kind->complete != NULL)
            kind->complete(from);
        if (t->id == NULL || t->id[0] == '\0')
            continue;
        if (t->name == NULL)
            t->name = az_id_name(a, t->id);
        if (kept < i)
            memcpy((char *)items->items + kept * size, from, size);
        kept++;
    }
    items->n = kept;
}

/* A page, with the answer in memory of its own; what fails is said in `op`. */
static pb_ResultCode ask_page(struct adapter *a, struct op *op, const struct az_kind *kind,
                              const struct az_request *req, struct az_page *ret)
{
    struct arena scratch CLEANUP(arena_done);
    struct http_response rsp;
    struct op apart;

    if (!op_apart(op, &scratch, &apart))
        return RESULT_CODE_INTERNAL_ERROR;
    pb_ResultCode code = az_send(a, &apart, req, &rsp);
    if (code != RESULT_CODE_OK)
        return op_tell_apart(op, &apart, code);
    code = az_parse(op, req, &rsp, kind->page, ret);
    if (code == RESULT_CODE_OK && ret->items.n == SIZE_MAX)
        return op_fail(op, RESULT_CODE_UNAVAILABLE,
                       "Azure's list of %ss has no value; correct the connection's endpoint",
                       kind->noun);
    if (code == RESULT_CODE_OK)
        az_complete(op->arena, kind, &rsp, "value", &ret->items);
    return code;
}

pb_ResultCode az_each_page(struct adapter *a, struct op *op, const struct az_kind *kind,
                           const char *path, az_take *take, void *ctx)
{
    struct page_walk walk = {0};

    do {
        struct az_request req = az_get(kind->service, path);
        struct az_page page = {.items = {SIZE_MAX, NULL}}; /* as long as none is seen */
        pb_ResultCode code = ask_page(a, op, kind, &req, &page);
        if (code == RESULT_CODE_OK)
            code = take(ctx, op, &page.items);
        if (code != RESULT_CODE_OK || page.next == NULL || page.next[0] == '\0')
            return code;
        path = page.next;
    } while (page_walk_on(&walk, path));
    op->result->blame = BLAME_CLOUD;
    return op_fail(op, RESULT_CODE_UNAVAILABLE,
                   "Azure's list of %ss has no end; correct the connection's endpoint", kind->noun);
}

static pb_ResultCode take(void *ctx, struct op *op, const struct shape_list *items)
{
    return gather(op->arena, ctx, items) ? RESULT_CODE_OK : op_end(op, RESULT_CODE_INTERNAL_ERROR);
}

pb_ResultCode az_list_at(struct adapter *a, struct op *op, const struct az_kind *kind,
                         const char *path, struct shape_list *ret)
{
    struct gathering g = {.size = kind->item->size};
    pb_ResultCode code = az_each_page(a, op, kind, path, take, &g);

    if (code == RESULT_CODE_OK)
        *ret = g.all;
    return code;
}

static const char *versioned(struct op *op, const struct az_kind *kind, const char *path)
{
    return kind->version != NULL ? arena_printf(op->arena, "%s?api-version=%s", path, kind->version)
                                 : path;
}

/* Where a kind is: in a resource group, or in all of the subscription. */
static const char *list_path(struct adapter *a, struct op *op, const struct az_kind *kind,
                             const char *group)
{
    const char *path;

    if (kind->list != NULL)
        path = az_path(a, op->arena, "%s", kind->list);
    else if (group == NULL)
        path = az_path(a, op->arena, "/providers/%s", kind->type);
    else
        path = az_path(a, op->arena, "/resourceGroups/%s/providers/%s",
                       url_escape(op->arena, group), kind->type);
    return versioned(op, kind, path);
}

pb_ResultCode az_list(struct adapter *a, struct op *op, const struct az_kind *kind,
                      struct shape_list *ret)
{
    return az_list_at(a, op, kind, list_path(a, op, kind, a->config->resource_group), ret);
}

/* ---- One ---- */

pb_ResultCode az_pick(struct op *op, const struct az_kind *kind, const char *field,
                      const char *wanted, const struct shape_list *list, size_t *ret)
{
    struct pick_item *items = pick_items_of(op->arena, list, kind->item->size);

    if (items == NULL)
        return op_end(op, RESULT_CODE_INTERNAL_ERROR);
    for (size_t i = 0; i < list->n; i++)
        if (strcasecmp(items[i].name, wanted) == 0)
            items[i].name = wanted;
    return pick(op, kind->noun, field, wanted, items, list->n, ret);
}

pb_ResultCode az_get_at(struct adapter *a, struct op *op, const struct az_kind *kind,
                        const char *path, void *ret)
{
    struct az_request req = az_get(kind->service, path);
    struct shape_list one = {1, ret};
    struct http_response rsp;

    pb_ResultCode code = az_send(a, op, &req, &rsp);
    if (code == RESULT_CODE_OK)
        code = az_parse(op, &req, &rsp, kind->item, ret);
    if (code != RESULT_CODE_OK)
        return code;
    az_complete(op->arena, kind, &rsp, "", &one);
    if (one.n == 1 || op->arena->exhausted)
        return op_end(op, RESULT_CODE_OK);
    return op_fail(op, RESULT_CODE_UNAVAILABLE,
                   "Azure's answer has no %s; correct the connection's endpoint", kind->noun);
}

pb_ResultCode az_find_by_id(struct adapter *a, struct op *op, const struct az_kind *kind,
                            const char *id, void *ret)
{
    const char *path = versioned(op, kind, az_id_path(op->arena, id));

    if (kind->expand != NULL)
        path = arena_printf(op->arena, "%s?$expand=%s", path, kind->expand);
    return az_get_at(a, op, kind, path, ret);
}

/* By an id that a user has given. */
static pb_ResultCode find_given(struct adapter *a, struct op *op, const struct az_kind *kind,
                                const char *field, const char *wanted, void *ret)
{
    struct op aside = op_aside(op, 0);
    struct az_id id;

    if (!az_id_parse(op->arena, wanted, &id) || strcasecmp(id.type, kind->type) != 0)
        return pick_no_id(op, kind->noun, field, wanted);
    if (strcasecmp(id.subscription, a->config->subscription_id) != 0) {
        op_violation(op, field, "it is of another subscription");
        return op_fail(op, RESULT_CODE_NOT_FOUND,
                       "no %s '%s' here: it is of subscription %s, and cloud %s is subscription "
                       "%s; take the connection to that one",
                       kind->noun, wanted, id.subscription, a->name, a->config->subscription_id);
    }
    pb_ResultCode code = az_find_by_id(a, &aside, kind, wanted, ret);
    return code == RESULT_CODE_NOT_FOUND ? pick_no_id(op, kind->noun, field, wanted)
                                         : op_tell(op, &aside, code);
}

/* The one of that name in a group; NotFound where there is none. */
static pb_ResultCode find_in_group(struct adapter *a, struct op *op, const struct az_kind *kind,
                                   const char *group, const char *name, void *ret)
{
    const char *id =
        az_path(a, op->arena, "/resourceGroups/%s/providers/%s/%s", group, kind->type, name);
    struct az_id parts;

    if (!az_id_parse(op->arena, id, &parts) || strcmp(parts.name, name) != 0)
        return RESULT_CODE_NOT_FOUND;
    return az_find_by_id(a, op, kind, id, ret);
}

/* By a name, in a group or (NULL) anywhere. */
static pb_ResultCode find_named(struct adapter *a, struct op *op, const struct az_kind *kind,
                                const char *field, const char *wanted, const char *group,
                                const char *name, void *ret)
{
    struct az_kind listed = *kind;
    struct shape_list list = {0};
    struct op aside = op_aside(op, 0);
    size_t index = 0;
    pb_ResultCode code = RESULT_CODE_NOT_FOUND;

    if (kind->expand != NULL) /* the one that is meant is asked for again */
        listed.mapped = NULL;
    if (group != NULL && kind->list == NULL)
        code = find_in_group(a, &aside, kind, group, name, ret);
    if (code != RESULT_CODE_NOT_FOUND)
        return op_tell(op, &aside, code);
    /* For the near names, too. */
    code = az_list_at(a, &aside, &listed, list_path(a, op, kind, group), &list);
    if (code == RESULT_CODE_NOT_FOUND && group != NULL) {
        op_violation(op, field, "there is no resource group of that name");
        return op_fail(op, RESULT_CODE_NOT_FOUND, "no %s '%s': there is no resource group '%s'",
                       kind->noun, wanted, group);
    }
    if (code != RESULT_CODE_OK)
        return op_tell(op, &aside, code);
    code = az_pick(op, kind, field, name, &list, &index);
    if (code != RESULT_CODE_OK)
        return code;
    const struct az_thing *t = (const void *)((const char *)list.items + index * kind->item->size);
    if (kind->expand != NULL)
        return az_find_by_id(a, op, kind, t->id, ret);
    memcpy(ret, t, kind->item->size);
    return RESULT_CODE_OK;
}

pb_ResultCode az_find(struct adapter *a, struct op *op, const struct az_kind *kind,
                      const char *field, const char *wanted, const char *group, void *ret)
{
    const char *slash = strchr(wanted, '/');

    if (wanted[0] == '/')
        return find_given(a, op, kind, field, wanted, ret);
    if (slash != NULL && strspn(wanted, ".") == (size_t)(slash - wanted)) /* leads elsewhere */
        return pick_no_id(op, kind->noun, field, wanted);
    if (slash != NULL && slash[1] != '\0' && strchr(slash + 1, '/') == NULL)
        return find_named(a, op, kind, field, wanted,
                          arena_strndup(op->arena, wanted, (size_t)(slash - wanted)), slash + 1,
                          ret);
    if (group == NULL)
        group = a->config->resource_group;
    return find_named(a, op, kind, field, wanted, group, wanted, ret);
}

/* ---- Slots ---- */

void az_put_all(struct field_pairs *to, const struct az_thing *thing)
{
    if (to->room == 0) { /* what is added to it is little */
        size_t room = thing->all.n + 4;
        to->items = arena_array(to->arena, room, sizeof(*to->items));
        to->room = to->items != NULL ? room : 0;
    }
    for (size_t i = 0; i < thing->all.n; i++)
        field_pairs_put(to, thing->all.items[i].key, thing->all.items[i].value);
}

void az_put_native(struct field_pairs *to, const struct az_thing *thing)
{
    az_put_all(to, thing);
    for (size_t i = 0; i < thing->tags.n; i++)
        field_pairs_put(to, arena_printf(to->arena, "tags.%s", thing->tags.items[i].key),
                        thing->tags.items[i].value);
}

struct messages {
    struct adapter *a;
    const struct az_kind *kind;
    struct gathering all; /* of pointers */
};

static pb_ResultCode to_messages(void *ctx, struct op *op, const struct shape_list *items)
{
    struct messages *m = ctx;
    void **some = arena_array(op->arena, items->n + 1, sizeof(*some));
    struct shape_list page = {0, some};

    for (size_t i = 0; some != NULL && i < items->n; i++) {
        const char *item = (const char *)items->items + i * m->kind->item->size;
        some[page.n] = m->kind->message(m->a, op->arena, item);
        page.n += some[page.n] != NULL;
    }
    return take(&m->all, op, &page);
}

pb_ResultCode az_list_slot(struct adapter *a, struct op *op, const struct az_kind *kind,
                           size_t *ret_n, void ***ret_messages)
{
    struct messages m = {.a = a, .kind = kind, .all = {.size = sizeof(void *)}};
    const char *path = list_path(a, op, kind, a->config->resource_group);
    pb_ResultCode code = op_end(op, az_each_page(a, op, kind, path, to_messages, &m));

    if (code == RESULT_CODE_OK) {
        *ret_n = m.all.all.n;
        *ret_messages = m.all.all.items;
    }
    return code;
}

pb_ResultCode az_messages(struct adapter *a, struct op *op, const struct az_kind *kind,
                          const struct shape_list *list, size_t *ret_n, void ***ret_messages)
{
    struct messages m = {.a = a, .kind = kind, .all = {.size = sizeof(void *)}};
    pb_ResultCode code = op_end(op, to_messages(&m, op, list));

    if (code == RESULT_CODE_OK) {
        *ret_n = m.all.all.n;
        *ret_messages = m.all.all.items;
    }
    return code;
}

pb_ResultCode az_get_slot(struct adapter *a, struct op *op, const struct az_kind *kind,
                          const char *wanted, void **ret_message)
{
    void *thing = arena_alloc(op->arena, kind->item->size);

    if (thing == NULL)
        return op_end(op, RESULT_CODE_INTERNAL_ERROR);
    pb_ResultCode code = az_find(a, op, kind, "id", wanted, NULL, thing);
    if (code == RESULT_CODE_OK)
        *ret_message = kind->message(a, op->arena, thing);
    return op_end(op, code);
}

pb_ResultCode az_pick_slot(struct adapter *a, struct op *op, const struct az_kind *kind,
                           const char *wanted, const struct shape_list *list, void **ret_message)
{
    size_t index = 0;
    pb_ResultCode code = az_pick(op, kind, "id", wanted, list, &index);

    if (code == RESULT_CODE_OK)
        *ret_message =
            kind->message(a, op->arena, (const char *)list->items + index * kind->item->size);
    return op_end(op, code);
}
