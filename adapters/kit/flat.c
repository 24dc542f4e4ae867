#include "kit/flat.h"

#include <stdio.h>
#include <string.h>

#include "kit/fields.h"
#include "shape_fill.h"

/* What has a longer path is left out. */
enum { PATH_MAX_LEN = 512 };

struct frame {
    bool list;
    size_t path_len, key_len; /* of the container itself */
    size_t index;             /* of objects in a list */
    struct shape_strings texts;
    size_t room; /* of texts */
};

struct reader {
    struct arena *arena;
    const struct flat *flat;
    char path[PATH_MAX_LEN], key[PATH_MAX_LEN]; /* without the numbers of lists, and with them */
    size_t path_len, key_len;
    struct frame frames[JSON_DEPTH_MAX + 1];
    unsigned depth;                 /* frames in use */
    unsigned thing_depth;           /* of the present object */
    unsigned skipping;              /* depth inside of a value that is left out */
    bool skip_next;                 /* the next value is left out */
    size_t begun;                   /* objects */
    struct shape_map *map;          /* of the present one; NULL: outside of all */
    const struct shape_map *before; /* of the one before, whose paths are often the same */
    size_t room;                    /* of the map */
};

static void cut(struct reader *r, size_t path_len, size_t key_len)
{
    r->path[r->path_len = path_len] = '\0';
    r->key[r->key_len = key_len] = '\0';
}

/* False where it does not fit. */
static bool append(char *to, size_t *len, const char *piece, size_t piece_len)
{
    size_t dot = *len > 0;

    if (piece_len >= PATH_MAX_LEN - 1 - dot || *len >= PATH_MAX_LEN - 1 - dot - piece_len)
        return false;
    if (dot)
        to[(*len)++] = '.';
    memcpy(to + *len, piece, piece_len);
    to[ *len += piece_len] = '\0';
    return true;
}

static bool is_skipped(const struct reader *r)
{
    for (const char *const *s = r->flat->skipped; r->map != NULL && s != NULL && *s != NULL; s++)
        if (strcmp(*s, r->path) == 0)
            return true;
    return false;
}

static void on_key(struct reader *r, const struct json_event *ev)
{
    const struct frame *f = &r->frames[r->depth - 1];
    const char *dropped = r->flat->dropped;

    cut(r, f->path_len, f->key_len);
    if (dropped != NULL && strlen(dropped) == ev->len && memcmp(dropped, ev->text, ev->len) == 0)
        return;
    r->skip_next = ev->len == 0 || !append(r->path, &r->path_len, ev->text, ev->len) ||
                   !append(r->key, &r->key_len, ev->text, ev->len) || is_skipped(r);
}

static void begin_thing(struct reader *r)
{
    const struct flat *f = r->flat;

    r->map = (void *)((char *)f->things + r->begun++ * f->size + f->offset);
    /* It is likely to have as many as the one before. */
    r->room = r->before != NULL ? r->before->n : 0;
    r->map->items = r->room > 0 ? arena_array(r->arena, r->room, sizeof(*r->map->items)) : NULL;
    if (r->map->items == NULL)
        r->room = 0;
    r->thing_depth = r->depth + 1;
    cut(r, 0, 0);
}

static void on_begin(struct reader *r, bool list)
{
    struct frame *up = r->depth > 0 ? &r->frames[r->depth - 1] : NULL;
    char number[24];

    if (r->skip_next || r->depth > JSON_DEPTH_MAX) {
        r->skip_next = false;
        r->skipping = 1;
        return;
    }
    if (up != NULL && up->list) {
        cut(r, up->path_len, up->key_len);
        int len = snprintf(number, sizeof(number), "%zu", ++up->index);
        /* The elements of a list in a list are none of its own. */
        if (!append(r->key, &r->key_len, number, (size_t)len) ||
            (list && !append(r->path, &r->path_len, "[]", 2))) {
            r->skipping = 1;
            return;
        }
    }
    if (!list && r->map == NULL && r->begun < r->flat->n && strcmp(r->path, r->flat->path) == 0)
        begin_thing(r);
    r->frames[r->depth++] =
        (struct frame){.list = list, .path_len = r->path_len, .key_len = r->key_len};
}

/* The present path, in memory that stays: that of the thing before, where it has the same. */
static const char *kept_key(struct reader *r)
{
    size_t n = r->map->n;

    if (r->before != NULL && n < r->before->n && strcmp(r->before->items[n].key, r->key) == 0)
        return r->before->items[n].key;
    return arena_strdup(r->arena, r->key);
}

static bool put(struct reader *r, const char *value)
{
    return r->map == NULL || value == NULL || value[0] == '\0' ||
           fill_pair(r->arena, r->map, &r->room, kept_key(r), value);
}

static bool on_end(struct reader *r)
{
    struct frame *f = &r->frames[--r->depth];
    bool ok = true;

    cut(r, f->path_len, f->key_len);
    if (f->texts.n > 0)
        ok = put(r, field_join(r->arena, &f->texts));
    if (r->map != NULL && r->depth + 1 == r->thing_depth) {
        r->before = r->map;
        r->map = NULL;
        r->path_len = 0;
        append(r->path, &r->path_len, r->flat->path, strlen(r->flat->path));
    }
    return ok;
}

static bool on_scalar(struct reader *r, const struct json_event *ev)
{
    struct frame *f = r->depth > 0 ? &r->frames[r->depth - 1] : NULL;
    const char *text = ev->kind == JSON_TRUE ? "true" : ev->kind == JSON_FALSE ? "false" : NULL;
    bool skipped = r->skip_next;

    r->skip_next = false;
    if (skipped || f == NULL || r->map == NULL || ev->kind == JSON_NULL)
        return true;
    if (text == NULL)
        text = arena_strndup(r->arena, ev->text, ev->len);
    return f->list ? fill_string(r->arena, &f->texts, &f->room, text) : put(r, text);
}

static bool on_event(void *ctx, const struct json_event *ev)
{
    struct reader *r = ctx;
    bool begin = ev->kind == JSON_OBJECT_BEGIN || ev->kind == JSON_ARRAY_BEGIN;
    bool end = ev->kind == JSON_OBJECT_END || ev->kind == JSON_ARRAY_END;

    if (r->skipping > 0) {
        r->skipping += begin;
        r->skipping -= end;
        return true;
    }
    if (begin)
        on_begin(r, ev->kind == JSON_ARRAY_BEGIN);
    else if (ev->kind == JSON_KEY)
        on_key(r, ev);
    else
        return end ? on_end(r) : on_scalar(r, ev);
    return true;
}

bool flat_parse(struct arena *a, const char *json, size_t len, const struct flat *flat)
{
    struct reader r = {.arena = a, .flat = flat};
    char why[160];

    return json_parse(json, len, on_event, &r, why) && !a->exhausted;
}
