#include "kit/shape.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One container of the JSON text that is being read, and where its content goes. */
struct frame {
    enum frame_kind {
        FRAME_STRUCT,  /* an object into the struct at `to` */
        FRAME_LIST,    /* an array of objects into the shape_list at `to` */
        FRAME_STRINGS, /* an array of scalars into the shape_strings at `to` */
        FRAME_MAP,     /* an object of scalars into the shape_map at `to` */
        FRAME_DICT,    /* an object of objects into the shape_list at `to` */
        FRAME_MEMBER,  /* an array in such an object, into the list of the frame before */
    } kind;
    const struct shape *shape;
    void *to;
    size_t room;                     /* elements that the list at `to` has memory for */
    const struct shape_field *field; /* FRAME_STRUCT: of the value that comes next, or NULL */
    const char *key;                 /* FRAME_MAP, FRAME_DICT: of the value that comes next */
};

struct reader {
    struct arena *arena;
    const struct shape *shape;
    void *ret;
    char *why;
    unsigned skipping; /* depth inside of a value that nobody asked for */
    unsigned depth;    /* frames in use */
    bool begun;
    struct frame frames[JSON_DEPTH_MAX];
};

/* Elements that a list has memory for at first; it doubles from there. */
#define LIST_ROOM 4

static bool reader_fail(struct reader *r, const char *why)
{
    snprintf(r->why, 160, "%s", why);
    return false;
}

static bool reader_full(struct reader *r)
{
    return reader_fail(r, "it does not fit into the memory that one call may use");
}

static bool reader_skip(struct reader *r)
{
    r->skipping = 1;
    return true;
}

static bool reader_push(struct reader *r, enum frame_kind kind, const struct shape *shape, void *to)
{
    if (r->depth == JSON_DEPTH_MAX)
        return reader_fail(r, "it is nested too deeply");
    r->frames[r->depth++] = (struct frame){.kind = kind, .shape = shape, .to = to};
    return true;
}

/* The place behind the `n` elements that `*items` has, made larger where need be; NULL where memory
 * is short. */
static void *grow(struct reader *r, size_t *room, void **items, size_t n, size_t size)
{
    if (n == *room) {
        size_t wanted = *room ? *room * 2 : LIST_ROOM;
        void *grown = arena_array(r->arena, wanted, size);

        if (!grown)
            return NULL;
        if (n)
            memcpy(grown, *items, n * size);
        *items = grown;
        *room = wanted;
    }
    return (char *)*items + n * size;
}

/* The key may hold a NUL; no name does. */
static bool is_name(const char *name, const char *key, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (name[i] == '\0' || name[i] != key[i])
            return false;
    return name[len] == '\0';
}

static const struct shape_field *find_field(const struct shape *shape, const char *name, size_t len)
{
    for (size_t i = 0; i < shape->n_fields; i++) {
        if (is_name(shape->fields[i].name, name, len))
            return &shape->fields[i];
    }
    return NULL;
}

/* The text of a scalar, in the arena; NULL for null. */
static const char *scalar_text(struct reader *r, const struct json_event *ev)
{
    switch (ev->kind) {
    case JSON_TRUE:
        return "true";
    case JSON_FALSE:
        return "false";
    case JSON_NUMBER:
    case JSON_STRING:
        return arena_strndup(r->arena, ev->text, ev->len);
    default:
        return NULL;
    }
}

/* An integer as JSON or people write it; false where it is none or out of range. */
static bool scalar_int(const struct json_event *ev, int64_t *ret)
{
    size_t i = ev->len > 0 && ev->text[0] == '-';
    bool negative = i == 1;
    char text[64];
    double real;
    int64_t value = 0;

    if (i == ev->len)
        return false;
    for (; i < ev->len && ev->text[i] >= '0' && ev->text[i] <= '9'; i++) {
        int digit = ev->text[i] - '0';
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, negative ? -digit : digit, &value))
            return false;
    }
    *ret = value;
    if (i == ev->len)
        return true;
    if (ev->kind != JSON_NUMBER || ev->len >= sizeof(text))
        return false;
    if (!memchr(ev->text, 'e', ev->len) && !memchr(ev->text, 'E', ev->len))
        return true;
    memcpy(text, ev->text, ev->len);
    text[ev->len] = '\0';
    real = strtod(text, NULL);
    if (!(real > -9.2e18 && real < 9.2e18))
        return false;
    *ret = (int64_t)real;
    return true;
}

static bool store_scalar(struct reader *r, struct frame *f, const struct json_event *ev)
{
    char *at = (char *)f->to + f->field->offset;
    const char *text;
    int64_t number;
    bool truth = ev->kind == JSON_TRUE;

    switch (f->field->type) {
    case SHAPE_STRING:
        text = scalar_text(r, ev);
        memcpy(at, &text, sizeof(text));
        break;
    case SHAPE_INT:
        if ((ev->kind == JSON_NUMBER || ev->kind == JSON_STRING) && scalar_int(ev, &number))
            memcpy(at, &number, sizeof(number));
        break;
    case SHAPE_BOOL:
        if (truth || ev->kind == JSON_FALSE)
            memcpy(at, &truth, sizeof(truth));
        break;
    default: /* not what was expected: as if it were absent */
        break;
    }
    return true;
}

static bool add_string(struct reader *r, struct frame *f, const struct json_event *ev)
{
    struct shape_strings *list = f->to;
    const char *text = scalar_text(r, ev), **place;
    void *items = list->items;

    if (!text)
        return true;
    place = grow(r, &f->room, &items, list->n, sizeof(*place));
    if (!place)
        return reader_full(r);
    list->items = items;
    *place = text;
    list->n++;
    return true;
}

static bool add_pair(struct reader *r, struct frame *f, const struct json_event *ev)
{
    struct shape_map *map = f->to;
    const char *text = scalar_text(r, ev);
    struct shape_pair *place;
    void *items = map->items;

    if (!text)
        return true;
    place = grow(r, &f->room, &items, map->n, sizeof(*place));
    if (!place)
        return reader_full(r);
    map->items = items;
    *place = (struct shape_pair){.key = f->key, .value = text};
    map->n++;
    return true;
}

static bool on_scalar(struct reader *r, struct frame *f, const struct json_event *ev)
{
    switch (f->kind) {
    case FRAME_STRUCT:
        return !f->field || store_scalar(r, f, ev);
    case FRAME_STRINGS:
        return add_string(r, f, ev);
    case FRAME_MAP:
        return add_pair(r, f, ev);
    default:
        return true;
    }
}

static bool on_key(struct reader *r, struct frame *f, const struct json_event *ev)
{
    if (f->kind == FRAME_STRUCT)
        f->field = find_field(f->shape, ev->text, ev->len);
    else
        f->key = arena_strndup(r->arena, ev->text, ev->len);
    return true;
}

/* An object that is to become a struct of the list at `f`. The lists that it grows from are not in
 * one of its own elements: those are read to their end. */
static bool begin_element(struct reader *r, struct frame *f)
{
    struct shape_list *list = f->to;
    char *element = grow(r, &f->room, &list->items, list->n, f->shape->size);

    if (!element)
        return reader_full(r);
    list->n++;
    if (f->kind == FRAME_DICT)
        memcpy(element + f->shape->key_offset, &f->key, sizeof(f->key));
    return reader_push(r, FRAME_STRUCT, f->shape, element);
}

/* A container that is the value of a field; it begins anew where the field comes twice. */
static bool begin_field(struct reader *r, struct frame *f, bool object)
{
    static const struct {
        bool object;
        enum frame_kind kind;
        size_t size;
    } containers[] = {
        [SHAPE_STRUCT] = {true, FRAME_STRUCT, 0},
        [SHAPE_LIST] = {false, FRAME_LIST, sizeof(struct shape_list)},
        [SHAPE_STRINGS] = {false, FRAME_STRINGS, sizeof(struct shape_strings)},
        [SHAPE_MAP] = {true, FRAME_MAP, sizeof(struct shape_map)},
        [SHAPE_DICT] = {true, FRAME_DICT, sizeof(struct shape_list)},
    };
    const struct shape_field *field = f->field;
    char *at;

    if (!field || field->type < SHAPE_STRUCT || containers[field->type].object != object)
        return reader_skip(r);
    at = (char *)f->to + field->offset;
    memset(at, 0, containers[field->type].size);
    return reader_push(r, containers[field->type].kind, field->shape, at);
}

static bool on_begin(struct reader *r, struct frame *f, bool object)
{
    switch (f->kind) {
    case FRAME_STRUCT:
        return begin_field(r, f, object);
    case FRAME_LIST:
        return object ? begin_element(r, f) : reader_skip(r);
    case FRAME_DICT:
        return object ? begin_element(r, f) : reader_push(r, FRAME_MEMBER, f->shape, f->to);
    case FRAME_MEMBER:
        return object ? begin_element(r, f - 1) : reader_skip(r);
    default:
        return reader_skip(r);
    }
}

static bool on_top(struct reader *r, const struct json_event *ev)
{
    if (r->begun || ev->kind != JSON_OBJECT_BEGIN)
        return reader_fail(r, "it is no JSON object");
    r->begun = true;
    return reader_push(r, FRAME_STRUCT, r->shape, r->ret);
}

static bool on_event(void *ctx, const struct json_event *ev)
{
    struct reader *r = ctx;
    struct frame *f = &r->frames[r->depth ? r->depth - 1 : 0];
    bool begin = ev->kind == JSON_OBJECT_BEGIN || ev->kind == JSON_ARRAY_BEGIN;
    bool end = ev->kind == JSON_OBJECT_END || ev->kind == JSON_ARRAY_END;

    if (r->skipping) {
        r->skipping += begin;
        r->skipping -= end;
        return true;
    }
    if (r->depth == 0)
        return on_top(r, ev);
    if (begin)
        return on_begin(r, f, ev->kind == JSON_OBJECT_BEGIN);
    if (end) {
        r->depth--;
        return true;
    }
    return ev->kind == JSON_KEY ? on_key(r, f, ev) : on_scalar(r, f, ev);
}

bool shape_parse(struct arena *a, const char *json, size_t len, const struct shape *shape,
                 void *ret, char ret_why[160])
{
    struct reader r = {.arena = a, .shape = shape, .ret = ret, .why = ret_why};

    if (!json_parse(json, len, on_event, &r, ret_why))
        return false;
    return a->exhausted ? reader_full(&r) : true;
}

const char *shape_map_get(const struct shape_map *m, const char *key)
{
    for (size_t i = 0; i < m->n; i++)
        if (strcmp(m->items[i].key, key) == 0)
            return m->items[i].value;
    return NULL;
}
