#include "kit/fields.h"

#include <string.h>

#include "isobar/clock.h"

/* What protoc-c makes of every map's entry. */
struct entry {
    ProtobufCMessage base;
    char *key, *value;
};

char *field_text(const char *text)
{
    /* protobuf-c writes to no string that it did not make. */
    return (char *)(uintptr_t)(text == NULL ? protobuf_c_empty_string : text);
}

uint32_t field_u32(int64_t n)
{
    return n < 0 || n > UINT32_MAX ? 0 : (uint32_t)n;
}

uint64_t field_u64(int64_t n)
{
    return n < 0 ? 0 : (uint64_t)n;
}

Google__Protobuf__Timestamp *field_time(struct arena *a, const char *text)
{
    int64_t seconds;
    int32_t nanos;
    if (text == NULL || !clock_parse(text, &seconds, &nanos))
        return NULL;
    Google__Protobuf__Timestamp *t = arena_message(a, &google__protobuf__timestamp__descriptor);
    if (t != NULL) {
        t->seconds = seconds;
        t->nanos = nanos;
    }
    return t;
}

char **field_texts(struct arena *a, const struct shape_strings *s)
{
    char **out = s->n == 0 ? NULL : arena_array(a, s->n, sizeof(*out));
    for (size_t i = 0; out != NULL && i < s->n; i++)
        out[i] = field_text(s->items[i]);
    return out;
}

void field_pairs_put(struct field_pairs *p, const char *key, const char *value)
{
    if (p->n == p->room) {
        size_t room = p->room == 0 ? 16 : p->room * 2;
        void **items = arena_array(p->arena, room, sizeof(*items));
        if (items == NULL)
            return;
        if (p->n > 0)
            memcpy(items, p->items, p->n * sizeof(*items));
        p->items = items;
        p->room = room;
    }
    struct entry *e = arena_message(p->arena, p->type);
    if (e == NULL)
        return;
    e->key = field_text(key);
    e->value = field_text(value);
    p->items[p->n++] = e;
}

void field_pairs_add(struct field_pairs *p, const char *key, const char *value)
{
    if (value != NULL && value[0] != '\0')
        field_pairs_put(p, key, value);
}

void field_pairs_native(struct field_pairs *p, const struct field_native *rows, size_t n,
                        const void *from)
{
    for (size_t i = 0; i < n; i++)
        field_pairs_add(p, rows[i].name,
                        *(const char *const *)((const char *)from + rows[i].offset));
}

void field_pairs_rest(struct field_pairs *p, const struct shape_map *all, const char *const *mapped)
{
    for (size_t i = 0; i < all->n; i++) {
        const char *const *m = mapped;
        while (*m != NULL && strcmp(*m, all->items[i].key) != 0)
            m++;
        if (*m == NULL)
            field_pairs_add(p, all->items[i].key, all->items[i].value);
    }
}

char **field_tags(struct arena *a, const struct shape_map *tags)
{
    char **out = arena_array(a, tags->n + 1, sizeof(*out));

    for (size_t i = 0; out != NULL && i < tags->n; i++)
        out[i] = arena_printf(a, "%s=%s", tags->items[i].key, tags->items[i].value);
    return out;
}

const char *field_join(struct arena *a, const struct shape_strings *s)
{
    size_t len = 1;
    for (size_t i = 0; i < s->n; i++)
        len += strlen(s->items[i]) + 2;
    char *out = arena_alloc(a, len);
    if (out == NULL)
        return "";
    char *end = out;
    for (size_t i = 0; i < s->n; i++) {
        if (i > 0)
            end = stpcpy(end, ", ");
        end = stpcpy(end, s->items[i]);
    }
    return out;
}
