/* All members of objects as text, for what people see of a thing beyond the common. */
#include <string.h>

#include "os.h"

struct members {
    struct arena *arena;
    unsigned at;     /* depth of the objects */
    unsigned depth;  /* now */
    bool in_list;    /* in an array that is a member's value */
    bool in_links;   /* in an array of links to other pages, which are no things */
    char *things;    /* structs that begin with struct os_thing */
    size_t n, size;  /* how many, and how large */
    size_t begun;    /* objects */
    size_t room;     /* of the present map */
    const char *key; /* of the present member */
};

static struct shape_map *present(struct members *m)
{
    if (m->begun == 0 || m->begun > m->n)
        return NULL;
    return &((struct os_thing *)(void *)(m->things + (m->begun - 1) * m->size))->all;
}

static void add(struct members *m, const char *value)
{
    struct shape_map *map = present(m);
    if (map == NULL || m->key == NULL)
        return;
    if (map->n == m->room) {
        size_t room = m->room == 0 ? 24 : m->room * 2;
        struct shape_pair *items = arena_array(m->arena, room, sizeof(*items));
        if (items == NULL)
            return;
        if (map->n > 0)
            memcpy(items, map->items, map->n * sizeof(*items));
        map->items = items;
        m->room = room;
    }
    map->items[map->n++] = (struct shape_pair){m->key, value};
}

/* One more element of a list of scalars. */
static void add_element(struct members *m, const char *value)
{
    struct shape_map *map = present(m);
    struct shape_pair *last = map == NULL || map->n == 0 ? NULL : &map->items[map->n - 1];
    if (last != NULL && last->key == m->key)
        last->value = arena_printf(m->arena, "%s, %s", last->value, value);
    else
        add(m, value);
}

static bool on_event(void *ctx, const struct json_event *ev)
{
    struct members *m = ctx;
    switch (ev->kind) {
    case JSON_OBJECT_BEGIN:
        if (++m->depth == m->at && !m->in_links) {
            m->begun++;
            m->room = 0;
        }
        return true;
    case JSON_ARRAY_BEGIN:
        if (++m->depth == m->at + 1)
            m->in_list = true;
        return true;
    case JSON_OBJECT_END:
    case JSON_ARRAY_END:
        if (m->depth-- == m->at + 1)
            m->in_list = false;
        return true;
    case JSON_KEY:
        if (m->depth == m->at)
            m->key = arena_strndup(m->arena, ev->text, ev->len);
        else if (m->depth == 1)
            m->in_links = ev->len > 6 && memcmp(ev->text + ev->len - 6, "_links", 6) == 0;
        return true;
    case JSON_NULL:
        return true;
    default:
        break;
    }
    if (m->in_links)
        return true;
    if (m->depth != m->at && !(m->in_list && m->depth == m->at + 1))
        return true;
    const char *text = ev->kind == JSON_TRUE    ? "true"
                       : ev->kind == JSON_FALSE ? "false"
                                                : arena_strndup(m->arena, ev->text, ev->len);
    if (m->in_list)
        add_element(m, text);
    else
        add(m, text);
    return true;
}

void os_members(struct arena *a, const struct http_response *rsp, unsigned depth, void *things,
                size_t n, size_t size)
{
    struct members m = {.arena = a, .at = depth, .things = things, .n = n, .size = size};
    char why[160];
    if (n > 0 && depth > 0 && !json_parse(rsp->body, rsp->body_len, on_event, &m, why))
        m.begun = 0; /* what was read stays */
}
