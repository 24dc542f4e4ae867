#include "kit/shape.h"

#include <stdio.h>
#include <string.h>

#include "shape_fill.h"

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
    size_t next;                     /* FRAME_STRUCT: where fill_find() goes on */
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

static bool reader_fail(struct reader *r, const char *why)
{
    snprintf(r->why, 160, "%s", why);
    return false;
}

static bool reader_full(struct reader *r)
{
    return reader_fail(r, FILL_NO_ROOM);
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

/* A string of digits counts as a number too; one that says "true" is no bool. */
static struct fill_value scalar_value(const struct json_event *ev)
{
    switch (ev->kind) {
    case JSON_TRUE:
        return (struct fill_value){"true", 4, FILL_BOOL};
    case JSON_FALSE:
        return (struct fill_value){"false", 5, FILL_BOOL};
    case JSON_NUMBER:
        return (struct fill_value){ev->text, ev->len, FILL_REAL};
    case JSON_STRING:
        return (struct fill_value){ev->text, ev->len, FILL_DIGITS};
    default:
        return (struct fill_value){0};
    }
}

static bool on_scalar(struct reader *r, struct frame *f, const struct json_event *ev)
{
    struct fill_value value = scalar_value(ev);
    const char *text;
    bool fits = true;

    if (f->kind == FRAME_STRUCT) {
        if (f->field)
            fill_scalar(r->arena, f->field, f->to, &value);
        return true;
    }
    if (!value.text || (f->kind != FRAME_STRINGS && f->kind != FRAME_MAP))
        return true;
    text = fill_text(r->arena, &value);
    if (f->kind == FRAME_STRINGS)
        fits = fill_string(r->arena, f->to, &f->room, text);
    else
        fits = fill_pair(r->arena, f->to, &f->room, f->key, text);
    return fits || reader_full(r);
}

static bool on_key(struct reader *r, struct frame *f, const struct json_event *ev)
{
    if (f->kind == FRAME_STRUCT)
        f->field = fill_find(f->shape, ev->text, ev->len, &f->next);
    else
        f->key = arena_strndup(r->arena, ev->text, ev->len);
    return true;
}

/* An object that is to become a struct of the list at `f`. The lists that it grows from are not in
 * one of its own elements: those are read to their end. */
static bool begin_element(struct reader *r, struct frame *f)
{
    char *element = fill_element(r->arena, f->to, &f->room, f->shape->size);

    if (!element)
        return reader_full(r);
    if (f->kind == FRAME_DICT)
        memcpy(element + f->shape->key_offset, &f->key, sizeof(f->key));
    return reader_push(r, FRAME_STRUCT, f->shape, element);
}

/* A container that is the value of a field. */
static bool begin_field(struct reader *r, struct frame *f, bool object)
{
    static const struct {
        bool object;
        enum frame_kind kind;
    } containers[] = {
        [SHAPE_STRUCT] = {true, FRAME_STRUCT},    [SHAPE_LIST] = {false, FRAME_LIST},
        [SHAPE_STRINGS] = {false, FRAME_STRINGS}, [SHAPE_MAP] = {true, FRAME_MAP},
        [SHAPE_DICT] = {true, FRAME_DICT},
    };
    const struct shape_field *field = f->field;

    if (!field || field->type < SHAPE_STRUCT || containers[field->type].object != object)
        return reader_skip(r);
    return reader_push(r, containers[field->type].kind, field->shape, fill_container(field, f->to));
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
