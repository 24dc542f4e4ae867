/* Lists and look-ups, alike for every kind of thing. */
#include <string.h>
#include <strings.h>

#include "az.h"

/* More pages than any subscription has; who answers more does not end. */
enum { PAGES_MAX = 10000 };

/* A page, with the answer in memory of its own; what fails is said in `op`. */
static pb_ResultCode ask_page(struct adapter *a, struct op *op, const struct az_request *req,
                              const struct shape *shape, void *ret)
{
    struct arena scratch CLEANUP(arena_done);
    struct http_response rsp;
    struct op inner = *op;

    arena_init(&scratch, op->arena->cap);
    scratch.budget = op->arena->budget;
    inner.arena = &scratch;
    inner.result = result_new(&scratch);
    if (inner.result == NULL)
        return op_end(op, RESULT_CODE_INTERNAL_ERROR);
    pb_ResultCode code = az_send(a, &inner, req, &rsp);
    if (code == RESULT_CODE_OK)
        return az_parse(op, req, &rsp, shape, ret);
    inner.result = result_copy(op->arena, inner.result);
    return inner.result != NULL ? op_tell(op, &inner, code)
                                : op_end(op, RESULT_CODE_INTERNAL_ERROR);
}

pb_ResultCode az_each_page(struct adapter *a, struct op *op, const struct az_kind *kind,
                           const char *path, az_take *take, void *ctx)
{
    const char *seen = NULL;

    for (int pages = 1; pages <= PAGES_MAX; pages++) {
        struct az_request req = az_get(kind->service, path);
        struct az_page page = {.items = {SIZE_MAX, NULL}}; /* as long as none is seen */
        pb_ResultCode code = ask_page(a, op, &req, kind->page, &page);
        if (code == RESULT_CODE_OK && page.items.n == SIZE_MAX)
            code = op_fail(op, RESULT_CODE_UNAVAILABLE,
                           "Azure's list of %ss has no value; correct the connection's endpoint",
                           kind->noun);
        if (code == RESULT_CODE_OK)
            code = take(ctx, op, &page.items);
        if (code != RESULT_CODE_OK || page.next == NULL || page.next[0] == '\0')
            return code;
        path = page.next;
        /* A page that comes again: the pages are a ring (Brent's way to find one). */
        if (seen != NULL && strcmp(path, seen) == 0)
            break;
        if ((pages & (pages - 1)) == 0)
            seen = path;
    }
    op->result->blame = BLAME_CLOUD;
    return op_fail(op, RESULT_CODE_UNAVAILABLE,
                   "Azure's list of %ss has no end; correct the connection's endpoint", kind->noun);
}

struct gathering {
    size_t size, room;
    struct shape_list all;
};

static pb_ResultCode gather(void *ctx, struct op *op, const struct shape_list *items)
{
    struct gathering *g = ctx;
    size_t n = g->all.n + items->n;

    if (g->all.n == 0) { /* most lists are one page */
        g->all = *items;
        g->room = items->n;
        return RESULT_CODE_OK;
    }
    if (n > g->room) {
        void *grown = arena_array(op->arena, 2 * n, g->size);
        if (grown == NULL)
            return op_end(op, RESULT_CODE_INTERNAL_ERROR);
        memcpy(grown, g->all.items, g->all.n * g->size);
        g->all.items = grown;
        g->room = 2 * n;
    }
    if (items->n > 0)
        memcpy((char *)g->all.items + g->all.n * g->size, items->items, items->n * g->size);
    g->all.n = n;
    return RESULT_CODE_OK;
}

/* Where a kind is listed: in a resource group, or in all of the subscription. */
static const char *list_path(struct adapter *a, struct op *op, const struct az_kind *kind,
                             const char *group)
{
    if (group == NULL)
        group = a->config->resource_group;
    if (group == NULL)
        return az_path(a, op->arena, "/providers/%s", kind->type);
    return az_path(a, op->arena, "/resourceGroups/%s/providers/%s", url_escape(op->arena, group),
                   kind->type);
}

static pb_ResultCode list_in(struct adapter *a, struct op *op, const struct az_kind *kind,
                             const char *group, struct shape_list *ret)
{
    struct gathering g = {.size = kind->item->size};
    pb_ResultCode code = az_each_page(a, op, kind, list_path(a, op, kind, group), gather, &g);

    if (code == RESULT_CODE_OK)
        *ret = g.all;
    return code;
}

pb_ResultCode az_list(struct adapter *a, struct op *op, const struct az_kind *kind,
                      struct shape_list *ret)
{
    return list_in(a, op, kind, NULL, ret);
}

struct pick_item *az_pick_items(struct arena *a, const struct shape_list *list, size_t size)
{
    struct pick_item *items = arena_array(a, list->n + 1, sizeof(*items));

    for (size_t i = 0; items != NULL && i < list->n; i++) {
        const struct az_thing *t = (const void *)((const char *)list->items + i * size);
        items[i].id = t->id != NULL ? t->id : "";
        items[i].name = t->name != NULL ? t->name : "";
    }
    return items;
}

pb_ResultCode az_find_by_id(struct adapter *a, struct op *op, const struct az_kind *kind,
                            const char *id, void *ret)
{
    const char *path =
        kind->expand != NULL ? arena_printf(op->arena, "%s?$expand=%s", id, kind->expand) : id;
    struct az_request req = az_get(kind->service, path);
    pb_ResultCode code = az_ask(a, op, &req, kind->item, ret);
    const struct az_thing *t = ret;

    if (code != RESULT_CODE_OK || (t->id != NULL && t->name != NULL))
        return code;
    return op_fail(op, RESULT_CODE_UNAVAILABLE,
                   "Azure's answer has no %s; correct the connection's endpoint", kind->noun);
}

/* Whether it is an id of this kind, of the connection's subscription. */
static bool is_id(struct adapter *a, struct op *op, const struct az_kind *kind, const char *wanted)
{
    struct az_id id;

    return az_id_parse(op->arena, wanted, &id) && strcasecmp(id.type, kind->type) == 0 &&
           strcasecmp(id.subscription, a->config->subscription_id) == 0;
}

static pb_ResultCode no_such(struct op *op, const struct az_kind *kind, const char *field,
                             const char *wanted)
{
    op_violation(op, field, "there is none with this id");
    return op_fail(op, RESULT_CODE_NOT_FOUND, "no %s '%s'", kind->noun, wanted);
}

/* The index of the one that is meant: names and ids are without case in Azure. */
static pb_ResultCode pick_one(struct op *op, const struct az_kind *kind, const char *field,
                              const char *wanted, const struct shape_list *list, size_t *ret)
{
    struct pick_item *items = az_pick_items(op->arena, list, kind->item->size);

    if (items == NULL)
        return op_end(op, RESULT_CODE_INTERNAL_ERROR);
    for (size_t i = 0; i < list->n; i++)
        if (strcasecmp(items[i].name, wanted) == 0)
            items[i].name = wanted;
    return pick(op, kind->noun, field, wanted, items, list->n, ret);
}

pb_ResultCode az_find(struct adapter *a, struct op *op, const struct az_kind *kind,
                      const char *field, const char *wanted, const char *group, void *ret)
{
    struct shape_list list = {0};
    size_t index = 0;

    if (wanted[0] == '/' && !is_id(a, op, kind, wanted))
        return no_such(op, kind, field, wanted);
    if (wanted[0] == '/') {
        struct op aside = op_aside(op, 0);
        pb_ResultCode code = az_find_by_id(a, &aside, kind, wanted, ret);
        return code == RESULT_CODE_NOT_FOUND ? no_such(op, kind, field, wanted)
                                             : op_tell(op, &aside, code);
    }
    pb_ResultCode code = list_in(a, op, kind, group, &list);
    if (code == RESULT_CODE_OK)
        code = pick_one(op, kind, field, wanted, &list, &index);
    if (code != RESULT_CODE_OK)
        return code;
    const struct az_thing *t = (const void *)((const char *)list.items + index * kind->item->size);
    if (kind->expand != NULL)
        return az_find_by_id(a, op, kind, t->id, ret);
    memcpy(ret, t, kind->item->size);
    return RESULT_CODE_OK;
}

/* ---- Slots ---- */

struct messages {
    struct adapter *a;
    const struct az_kind *kind;
    size_t n, room;
    void **items;
};

static pb_ResultCode to_messages(void *ctx, struct op *op, const struct shape_list *items)
{
    struct messages *m = ctx;

    if (m->n + items->n >= m->room) {
        size_t room = 2 * (m->n + items->n) + 1;
        void **grown = arena_array(op->arena, room, sizeof(*grown));
        if (grown == NULL)
            return op_end(op, RESULT_CODE_INTERNAL_ERROR);
        if (m->n > 0)
            memcpy(grown, m->items, m->n * sizeof(*grown));
        m->items = grown;
        m->room = room;
    }
    for (size_t i = 0; i < items->n; i++)
        m->items[m->n++] =
            m->kind->message(m->a, op->arena, (const char *)items->items + i * m->kind->item->size);
    return RESULT_CODE_OK;
}

pb_ResultCode az_list_slot(struct adapter *a, struct op *op, const struct az_kind *kind,
                           size_t *ret_n, void ***ret_messages)
{
    struct messages m = {.a = a, .kind = kind};
    pb_ResultCode code =
        op_end(op, az_each_page(a, op, kind, list_path(a, op, kind, NULL), to_messages, &m));

    if (code == RESULT_CODE_OK) {
        *ret_n = m.n;
        *ret_messages = m.items;
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
