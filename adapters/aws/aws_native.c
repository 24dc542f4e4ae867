/* What a message has no field for, under EC2's own names. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "aws.h"

/* Longer ones are cut: EC2's are not. */
enum { KEY_MAX_LEN = 256 };

struct walk {
    struct field_pairs *to;
    const char *const *mapped;
    const char *name; /* of the thing: what the tag Name says too */
};

static bool is_mapped(const struct walk *w, const char *path)
{
    for (const char *const *m = w->mapped; *m != NULL; m++)
        if (strcmp(*m, path) == 0)
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

PRINTF(2, 3) static void make_key(char out[KEY_MAX_LEN], const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vsnprintf(out, KEY_MAX_LEN, fmt, args);
    va_end(args);
}

/* The key as long as the message lives. */
static const char *kept(const struct walk *w, const struct shape_field *f, const char *key)
{
    return key == f->name ? key : arena_strdup(w->to->arena, key);
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

static void walk(const struct walk *w, const struct shape *shape, const char *from,
                 const char *path, const char *key);

/* `path` is where the field is in the tables, `key` the same with the numbers of lists. */
static void walk_field(const struct walk *w, const struct shape_field *f, const char *from,
                       const char *path, const char *key)
{
    const char *at = from + f->offset;
    const struct shape_list *list = (const void *)at;
    char one[KEY_MAX_LEN];

    switch (f->type) {
    case SHAPE_STRING:
        field_pairs_put(w->to, kept(w, f, key), *(const char *const *)(const void *)at);
        break;
    case SHAPE_STRINGS:
        field_pairs_put(w->to, kept(w, f, key), field_join(w->to->arena, (const void *)at));
        break;
    case SHAPE_MAP:
        put_tags(w, (const void *)at);
        break;
    case SHAPE_STRUCT:
        walk(w, f->shape, at, path, key);
        break;
    case SHAPE_LIST:
        for (size_t i = 0; i < list->n; i++) {
            make_key(one, "%s.%zu", key, i + 1);
            walk(w, f->shape, (const char *)list->items + i * f->shape->size, path, one);
        }
        break;
    default:
        break;
    }
}

static void walk(const struct walk *w, const struct shape *shape, const char *from,
                 const char *path, const char *key)
{
    char inner_path[KEY_MAX_LEN], inner_key[KEY_MAX_LEN];

    for (size_t i = 0; i < shape->n_fields; i++) {
        const struct shape_field *f = &shape->fields[i];
        const char *p = f->name, *k = f->name;
        if (is_empty(f, from + f->offset))
            continue;
        if (path[0] != '\0') {
            make_key(inner_path, "%s.%s", path, f->name);
            make_key(inner_key, "%s.%s", key, f->name);
            p = inner_path;
            k = inner_key;
        }
        if (!is_mapped(w, p))
            walk_field(w, f, from, p, k);
    }
}

void aws_put_native(struct field_pairs *to, const struct shape *shape, const void *item,
                    const char *const *mapped)
{
    const struct aws_thing *thing = item;
    const struct walk w = {to, mapped, thing->name != NULL ? thing->name : ""};

    walk(&w, shape, item, "", "");
}
