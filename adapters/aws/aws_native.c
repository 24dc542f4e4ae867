/* What a message has no field for, under EC2's own names. */
#include <stdio.h>
#include <string.h>

#include "aws.h"

/* Longer ones are cut: EC2's are not. */
enum { KEY_MAX_LEN = 256 };

/* Where a field is: names with dots between. */
struct place {
    char text[KEY_MAX_LEN];
    size_t len;
};

struct walk {
    struct field_pairs *to;
    const char *const *mapped;
    const char *name; /* of the thing: what the tag Name says too */
    /* Of the field at hand in the tables, and the same with the numbers of lists. */
    struct place path, key;
};

/* One step deeper; how long the place was before. */
static size_t enter(struct place *p, const char *name)
{
    size_t before = p->len, len = strlen(name), room = KEY_MAX_LEN - 1 - before;

    if (before > 0 && room > 0) {
        p->text[p->len++] = '.';
        room--;
    }
    if (len > room)
        len = room;
    memcpy(p->text + p->len, name, len);
    p->len += len;
    p->text[p->len] = '\0';
    return before;
}

static void leave(struct place *p, size_t before)
{
    p->len = before;
    p->text[before] = '\0';
}

static bool is_mapped(const struct walk *w)
{
    for (const char *const *m = w->mapped; *m != NULL; m++)
        if ((*m)[0] == w->path.text[0] && strcmp(*m, w->path.text) == 0)
            return true;
    return false;
}

static void put_tags(const struct walk *w, const struct shape_map *tags)
{
    for (size_t i = 0; i < tags->n; i++) {
        const struct shape_pair *tag = &tags->items[i];
        if (strcmp(tag->key, "Name") != 0 || strcmp(tag->value, w->name) != 0)
            field_pairs_put(w->to, arena_printf(w->to->arena, "tag:%s", tag->key), tag->value);
    }
}

/* The key as long as the message lives. */
static const char *kept(const struct walk *w, const struct shape_field *f)
{
    return strlen(f->name) == w->key.len ? f->name
                                         : arena_strndup(w->to->arena, w->key.text, w->key.len);
}

/* Most fields of most things are: they cost nothing else. */
static bool is_empty(const struct shape_field *f, const char *at)
{
    const char *text;

    switch (f->type) {
    case SHAPE_STRING:
        text = *(const char *const *)(const void *)at;
        return text == NULL || text[0] == '\0';
    case SHAPE_STRINGS:
        return ((const struct shape_strings *)(const void *)at)->n == 0;
    case SHAPE_LIST:
        return ((const struct shape_list *)(const void *)at)->n == 0;
    case SHAPE_MAP:
        return ((const struct shape_map *)(const void *)at)->n == 0;
    case SHAPE_STRUCT:
        return false;
    default: /* a number or bool is somewhere in the message */
        return true;
    }
}

static void walk(struct walk *w, const struct shape *shape, const char *from);

static void walk_list(struct walk *w, const struct shape *shape, const struct shape_list *list)
{
    char number[24];

    for (size_t i = 0; i < list->n; i++) {
        snprintf(number, sizeof(number), "%zu", i + 1);
        size_t before = enter(&w->key, number);
        walk(w, shape, (const char *)list->items + i * shape->size);
        leave(&w->key, before);
    }
}

static void walk_field(struct walk *w, const struct shape_field *f, const char *at)
{
    switch (f->type) {
    case SHAPE_STRING:
        field_pairs_put(w->to, kept(w, f), *(const char *const *)(const void *)at);
        break;
    case SHAPE_STRINGS:
        field_pairs_put(w->to, kept(w, f), field_join(w->to->arena, (const void *)at));
        break;
    case SHAPE_MAP:
        put_tags(w, (const void *)at);
        break;
    case SHAPE_STRUCT:
        walk(w, f->shape, at);
        break;
    case SHAPE_LIST:
        walk_list(w, f->shape, (const void *)at);
        break;
    default:
        break;
    }
}

static void walk(struct walk *w, const struct shape *shape, const char *from)
{
    for (size_t i = 0; i < shape->n_fields; i++) {
        const struct shape_field *f = &shape->fields[i];
        if (is_empty(f, from + f->offset))
            continue;
        size_t path = enter(&w->path, f->name), key = enter(&w->key, f->name);
        if (!is_mapped(w))
            walk_field(w, f, from + f->offset);
        leave(&w->path, path);
        leave(&w->key, key);
    }
}

void aws_put_native(struct field_pairs *to, const struct shape *shape, const void *item,
                    const char *const *mapped)
{
    const struct aws_thing *thing = item;
    struct walk w = {.to = to, .mapped = mapped, .name = thing->name != NULL ? thing->name : ""};

    walk(&w, shape, item);
}
