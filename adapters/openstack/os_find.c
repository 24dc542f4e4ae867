/* Lists and look-ups that work alike for every kind of thing. */
#include <string.h>

#include "isobar/uuid.h"
#include "kit/gather.h"
#include "os.h"

static const struct shape_field link_fields[] = {
    SHAPE_FIELD(struct os_link, rel, "rel", SHAPE_STRING),
    SHAPE_FIELD(struct os_link, href, "href", SHAPE_STRING),
};
const struct shape os_link_shape = {sizeof(struct os_link), link_fields, ARRAY_LEN(link_fields), 0};

/* The query of the next page, or NULL. Only the query: behind a proxy, scheme and host of the link
 * are often those that the service itself sees. */
static const char *next_query(const struct os_page *page)
{
    const char *href = page->next;
    const struct os_link *links = page->links.items;
    for (size_t i = 0; i < page->links.n; i++) {
        if (links[i].rel != NULL && strcmp(links[i].rel, "next") == 0)
            href = links[i].href;
    }
    const char *query = href == NULL ? NULL : strchr(href, '?');
    return query == NULL ? NULL : query + 1;
}

static const char *first_query(struct arena *a, const char *one, const char *other)
{
    if (one == NULL || other == NULL)
        return one == NULL ? other : one;
    return arena_printf(a, "%s&%s", one, other);
}

pb_ResultCode os_list(struct adapter *a, struct op *op, const struct os_kind *kind,
                      const char *query, struct shape_list *ret)
{
    const char *path = kind->list_path == NULL ? kind->path : kind->list_path;
    const char *q = first_query(op->arena, kind->list_query, query);
    struct gathering gathered = {.size = kind->item->size};
    struct page_walk walk = {0};
    do {
        struct os_request req =
            os_get(kind->service, q == NULL ? path : arena_printf(op->arena, "%s?%s", path, q));
        struct os_page page = {.items = {SIZE_MAX, NULL}}; /* as long as none is seen */
        struct http_response rsp;
        pb_ResultCode code = os_send(a, op, &req, &rsp);
        if (code == RESULT_CODE_OK)
            code = os_parse(op, &req, &rsp, kind->page, &page);
        if (code == RESULT_CODE_OK && page.items.n == SIZE_MAX)
            code = os_unreadable(op, &req, &rsp, "there is no list in it");
        if (code != RESULT_CODE_OK)
            return code;
        os_members(op->arena, &rsp, kind->list_depth, page.items.items, page.items.n,
                   kind->item->size);
        if (!gather(op->arena, &gathered, &page.items))
            return op_end(op, RESULT_CODE_INTERNAL_ERROR);
        q = next_query(&page);
        if (q == NULL || page.items.n == 0) {
            /* Nova shows a machine that is on its way into its cell before and behind the mark. */
            if (walk.pages > 0 && !gather_once(op->arena, &gathered))
                return op_end(op, RESULT_CODE_INTERNAL_ERROR);
            *ret = gathered.all;
            return RESULT_CODE_OK;
        }
    } while (page_walk_on(&walk, q));
    return op_fail(op, RESULT_CODE_UNAVAILABLE,
                   "the %s service's list of %ss at %s has no end; ask whoever runs the cloud",
                   os_services[kind->service].name, kind->noun, path);
}

pb_ResultCode os_find_by_id(struct adapter *a, struct op *op, const struct os_kind *kind,
                            const char *wanted, void *ret)
{
    struct os_request req = os_get(
        kind->service, arena_printf(op->arena, "%s/%s", kind->path, url_escape(op->arena, wanted)));
    struct op aside = op_aside(op, 0);
    struct http_response rsp;
    pb_ResultCode code = os_send(a, &aside, &req, &rsp);
    if (code == RESULT_CODE_OK)
        code = os_parse(&aside, &req, &rsp, kind->one, ret);
    const struct os_thing *thing = ret;
    if (code == RESULT_CODE_OK && thing->id == NULL && thing->name == NULL)
        code = os_unreadable(&aside, &req, &rsp,
                             arena_printf(op->arena, "there is no %s in it", kind->noun));
    if (code == RESULT_CODE_OK)
        os_members(op->arena, &rsp, kind->one_depth, ret, 1, kind->item->size);
    /* An id that the service finds no id at all is none of its ids. */
    if (code == RESULT_CODE_BAD_REQUEST_DATA)
        code = RESULT_CODE_NOT_FOUND;
    return op_tell(op, &aside, code);
}

/* Pick from a list; RESULT_CODE_NOT_FOUND without words where `quiet` and it is not there. */
static pb_ResultCode find_in(struct op *op, const struct os_kind *kind, const char *field,
                             const char *wanted, const struct shape_list *list, bool quiet,
                             void *ret)
{
    struct pick_item *items = pick_items_of(op->arena, list, kind->item->size);
    if (items == NULL)
        return RESULT_CODE_INTERNAL_ERROR;
    bool there = false;
    for (size_t i = 0; i < list->n; i++)
        there = there || strcmp(items[i].id, wanted) == 0 || strcmp(items[i].name, wanted) == 0;
    if (!there && quiet)
        return RESULT_CODE_NOT_FOUND;
    size_t index = 0;
    pb_ResultCode code = pick(op, kind->noun, field, wanted, items, list->n, &index);
    if (code == RESULT_CODE_OK)
        memcpy(ret, (const char *)list->items + index * kind->item->size, kind->item->size);
    return code;
}

pb_ResultCode os_find(struct adapter *a, struct op *op, const struct os_kind *kind,
                      const char *field, const char *wanted, const char *query, void *ret)
{
    pb_ResultCode code = RESULT_CODE_NOT_FOUND;
    if (kind->one != NULL && (kind->id_is_name || uuid_is(wanted)))
        code = os_find_by_id(a, op, kind, wanted, ret);
    if (code != RESULT_CODE_NOT_FOUND)
        return code;
    struct shape_list list = {0};
    if (kind->name_filter != NULL) {
        const char *by_name =
            arena_printf(op->arena, "%s=%s", kind->name_filter, url_escape(op->arena, wanted));
        code = os_list(a, op, kind, first_query(op->arena, query, by_name), &list);
        if (code != RESULT_CODE_OK)
            return code;
        code = find_in(op, kind, field, wanted, &list, true, ret);
        if (code != RESULT_CODE_NOT_FOUND)
            return code;
    }
    if (uuid_is(wanted) && kind->name_filter != NULL)
        return pick_no_id(op, kind->noun, field, wanted);
    code = os_list(a, op, kind, query, &list);
    if (code != RESULT_CODE_OK)
        return code;
    return find_in(op, kind, field, wanted, &list, false, ret);
}

pb_ResultCode os_list_slot(struct adapter *a, struct op *op, const struct os_kind *kind,
                           const char *query, size_t *ret_n, void ***ret_messages)
{
    struct shape_list list;
    pb_ResultCode code = os_list(a, op, kind, query, &list);
    if (code != RESULT_CODE_OK)
        return op_end(op, code);
    void **messages = arena_array(op->arena, list.n + 1, sizeof(*messages));
    for (size_t i = 0; messages != NULL && i < list.n; i++) {
        const void *thing = (const char *)list.items + i * kind->item->size;
        messages[i] = kind->message(op->arena, a->name, thing);
    }
    code = op_end(op, RESULT_CODE_OK);
    if (code == RESULT_CODE_OK) {
        *ret_n = list.n;
        *ret_messages = messages;
    }
    return code;
}

pb_ResultCode os_get_slot(struct adapter *a, struct op *op, const struct os_kind *kind,
                          const char *wanted, void **ret_message)
{
    struct os_thing *thing = arena_alloc(op->arena, kind->item->size);
    if (thing == NULL)
        return op_end(op, RESULT_CODE_INTERNAL_ERROR);
    pb_ResultCode code = os_find(a, op, kind, "id", wanted, NULL, thing);
    if (code == RESULT_CODE_OK)
        *ret_message = kind->message(op->arena, a->name, thing);
    return op_end(op, code);
}
