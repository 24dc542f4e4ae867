#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "isobar/clock.h"
#include "isobar/near.h"
#include "isobar/pb.h"
#include "isobar/pbjson.h"
#include "isobar/utf8.h"
#include "pbjson_field.h"

#define WHY_MAX 160

/* How much of a wrong key an error shows. */
#define SHOWN_MAX 40

static const char no_memory[] = "is too large";

/* One open object or array of the text. */
struct frame {
    enum frame_kind { IN_MESSAGE, IN_LIST, IN_MAP } kind;
    ProtobufCMessage *m;               /* of a list or a map: the one that has it */
    const ProtobufCFieldDescriptor *f; /* the one whose value comes; the list, the map */
    uint8_t *seen;                     /* of a message: a bit a field */
    char *items;                       /* of a list or a map */
    size_t n, room;                    /* of items */
    ProtobufCMessage *entry;           /* of a map: the one whose value comes */
};

struct reader {
    struct arena *arena;
    const ProtobufCMessageDescriptor *type;
    ProtobufCMessage *root;
    char *why;
    size_t depth;
    struct frame frames[JSON_DEPTH_MAX]; /* json_parse goes no deeper */
};

static struct frame *top(struct reader *r)
{
    return r->depth > 0 ? &r->frames[r->depth - 1] : NULL;
}

static void push(struct reader *r, struct frame frame)
{
    r->frames[r->depth++] = frame;
}

/* What is not our text, cut where it is long and made safe to show. */
static void add_shown(struct buf *b, const char *text, size_t len)
{
    size_t n = utf8_good(text, len < SHOWN_MAX ? len : SHOWN_MAX);
    for (size_t i = 0; i < n; i++)
        buf_addc(b, (unsigned char)text[i] < ' ' ? ' ' : text[i]);
    if (n < len)
        buf_adds(b, "...");
}

/* Where the reader is, as people write it: spec.tags["a"], spec.volumes[2].name. */
static void add_path(const struct reader *r, struct buf *b)
{
    for (size_t i = 0; i < r->depth; i++) {
        const struct frame *fr = &r->frames[i];
        char name[64];
        if (fr->kind == IN_LIST && fr->n > 0) {
            buf_addf(b, "[%zu]", fr->n - 1);
        } else if (fr->kind == IN_MAP && fr->entry) {
            const char *key = pbjson_key_text(fr->entry, name);
            buf_adds(b, "[\"");
            add_shown(b, key, strlen(key));
            buf_adds(b, "\"]");
        } else if (fr->kind == IN_MESSAGE && fr->f) {
            pbjson_name(fr->f->name, name);
            buf_addf(b, "%s%s", b->len > 0 ? "." : "", name);
        }
    }
}

/* "PATH: WORDS"; false, for the caller to return. */
static bool refuse(struct reader *r, const char *words)
{
    struct buf b CLEANUP(buf_done);
    buf_init(&b, 4096);
    add_path(r, &b);
    if (b.len == 0)
        buf_adds(&b, r->type->name);
    buf_addf(&b, ": %s", words);
    snprintf(r->why, WHY_MAX, "%s", buf_cstr(&b));
    r->why[utf8_good(r->why, strlen(r->why))] = '\0';
    return false;
}

static bool refuse_unknown(struct reader *r, const char *key, size_t len)
{
    const ProtobufCMessageDescriptor *type = top(r)->m->descriptor;
    struct buf b CLEANUP(buf_done), word CLEANUP(buf_done);
    buf_init(&b, 4096);
    buf_init(&word, 256);
    add_shown(&word, key, len);
    const char **names = arena_array(r->arena, type->n_fields, sizeof(*names));
    for (unsigned i = 0; names && i < type->n_fields; i++) {
        char name[64];
        pbjson_name(type->fields[i].name, name);
        names[i] = arena_strdup(r->arena, name);
    }
    buf_addf(&b, "%s has no field \"%s\"", type->short_name, buf_cstr(&word));
    size_t nearest;
    if (names && near_pick(buf_cstr(&word), names, type->n_fields, &nearest, 1) > 0)
        buf_addf(&b, "; did you mean %s?", names[nearest]);
    return refuse(r, buf_cstr(&b));
}

/* Whether a key is the field's name, as it is or in lowerCamelCase. */
static bool names_field(const ProtobufCFieldDescriptor *f, const char *key, size_t len)
{
    char name[64];
    if (strlen(f->name) == len && memcmp(f->name, key, len) == 0)
        return true;
    pbjson_name(f->name, name);
    return strlen(name) == len && memcmp(name, key, len) == 0;
}

static bool take_field(struct reader *r, struct frame *fr, const char *key, size_t len)
{
    const ProtobufCMessageDescriptor *type = fr->m->descriptor;
    fr->f = NULL;
    for (unsigned i = 0; i < type->n_fields; i++) {
        if (!names_field(&type->fields[i], key, len))
            continue;
        fr->f = &type->fields[i];
        uint8_t bit = (uint8_t)(1 << i % 8);
        if (fr->seen[i / 8] & bit)
            return refuse(r, "is given twice");
        fr->seen[i / 8] |= bit;
        return true;
    }
    return refuse_unknown(r, key, len);
}

/* Room for one more item, zeroed; NULL where the arena is exhausted. */
static void *add_item(struct reader *r, struct frame *fr, size_t size)
{
    if (fr->n == fr->room) {
        size_t room = fr->room ? 2 * fr->room : 4;
        char *items = arena_array(r->arena, room, size);
        if (!items)
            return NULL;
        if (fr->n > 0)
            memcpy(items, fr->items, fr->n * size);
        fr->items = items;
        fr->room = room;
    }
    return fr->items + fr->n++ * size;
}

static bool take_entry(struct reader *r, struct frame *fr, const char *key, size_t len)
{
    fr->entry = NULL;
    ProtobufCMessage *e = arena_message(r->arena, pbjson_message_type(fr->f));
    ProtobufCMessage **slot = e ? add_item(r, fr, sizeof(e)) : NULL;
    if (!slot)
        return refuse(r, no_memory);
    *slot = e;
    const ProtobufCFieldDescriptor *f = &e->descriptor->fields[ENTRY_KEY];
    const char *words = pbjson_key(r->arena, f, key, len, pbjson_at(e, f->offset));
    if (words)
        return refuse(r, words);
    fr->entry = e;
    return true;
}

static bool take_key(struct reader *r, const char *key, size_t len)
{
    struct frame *fr = top(r);
    return fr->kind == IN_MAP ? take_entry(r, fr, key, len) : take_field(r, fr, key, len);
}

/* Whether the value that comes is a whole list or map. */
static bool wants_list(const struct frame *fr)
{
    return fr->kind == IN_MESSAGE && fr->f->label == PROTOBUF_C_LABEL_REPEATED;
}

static bool wants_map(const struct frame *fr)
{
    return wants_list(fr) && pbjson_is_map(fr->m->descriptor, fr->f);
}

/* The value is not what is wanted. */
static bool refuse_kind(struct reader *r, const ProtobufCFieldDescriptor *f)
{
    const struct frame *fr = top(r);
    if (wants_list(fr))
        return refuse(r, wants_map(fr) ? "must be an object" : "must be an array");
    return refuse(r, pbjson_wants(f));
}

/* The field whose single value comes, and where it goes; NULL where the arena is exhausted. */
static void *next_place(struct reader *r, const ProtobufCFieldDescriptor **ret_f)
{
    struct frame *fr = top(r);
    *ret_f = fr->f;
    if (fr->kind == IN_LIST)
        return add_item(r, fr, message_value_size(fr->f->type));
    if (fr->kind == IN_MESSAGE)
        return pbjson_at(fr->m, fr->f->offset);
    *ret_f = &fr->entry->descriptor->fields[ENTRY_VALUE];
    return pbjson_at(fr->entry, (*ret_f)->offset);
}

/* Say that a field of a message has a value, where protobuf-c notes that. */
static bool note_presence(struct reader *r)
{
    struct frame *fr = top(r);
    if (fr->kind != IN_MESSAGE)
        return true;
    if (message_is_oneof(fr->f)) {
        uint32_t *which = pbjson_at(fr->m, fr->f->quantifier_offset);
        if (*which != 0)
            return refuse(r, "excludes another field that is given");
        *which = fr->f->id;
    } else if (fr->f->label == PROTOBUF_C_LABEL_OPTIONAL && fr->f->type != PROTOBUF_C_TYPE_STRING &&
               fr->f->type != PROTOBUF_C_TYPE_MESSAGE) {
        *(protobuf_c_boolean *)pbjson_at(fr->m, fr->f->quantifier_offset) = 1;
    }
    return true;
}

static bool take_timestamp(struct reader *r, const struct json_event *ev, ProtobufCMessage **ret)
{
    char text[64];
    pb_Timestamp *t = arena_message(r->arena, &pb_Timestamp_desc);
    if (!t)
        return refuse(r, no_memory);
    if (ev->kind != JSON_STRING || ev->len >= sizeof(text))
        return refuse(r, PBJSON_WANTS_TIME);
    memcpy(text, ev->text, ev->len);
    text[ev->len] = '\0';
    if (strlen(text) != ev->len || !clock_parse(text, &t->seconds, &t->nanos))
        return refuse(r, PBJSON_WANTS_TIME);
    *ret = &t->base;
    return true;
}

static bool take_scalar(struct reader *r, const struct json_event *ev)
{
    struct frame *fr = top(r);
    if (!fr)
        return pbjson_is_timestamp(r->type) ? take_timestamp(r, ev, &r->root)
                                            : refuse(r, "must be an object");
    /* null: as if the field were not there. */
    if (ev->kind == JSON_NULL && fr->kind == IN_MESSAGE)
        return true;
    if (wants_list(fr))
        return refuse_kind(r, fr->f);
    const ProtobufCFieldDescriptor *f;
    void *member = next_place(r, &f);
    if (!member)
        return refuse(r, no_memory);
    const ProtobufCMessageDescriptor *type = pbjson_message_type(f);
    if (!note_presence(r))
        return false;
    if (type)
        return pbjson_is_timestamp(type) ? take_timestamp(r, ev, member) : refuse_kind(r, f);
    const char *words = pbjson_scalar(r->arena, f, ev, member);
    return words ? refuse(r, words) : true;
}

static bool open_message(struct reader *r, const ProtobufCMessageDescriptor *type,
                         ProtobufCMessage **ret)
{
    struct frame frame = {
        .kind = IN_MESSAGE,
        .m = arena_message(r->arena, type),
        .seen = arena_alloc(r->arena, type->n_fields / 8 + 1),
    };
    if (!frame.m || !frame.seen)
        return refuse(r, no_memory);
    *ret = frame.m;
    push(r, frame);
    return true;
}

static bool open_object(struct reader *r)
{
    struct frame *fr = top(r);
    if (!fr)
        return pbjson_is_timestamp(r->type) ? refuse(r, PBJSON_WANTS_TIME)
                                            : open_message(r, r->type, &r->root);
    if (wants_map(fr)) {
        push(r, (struct frame){.kind = IN_MAP, .m = fr->m, .f = fr->f});
        return true;
    }
    if (wants_list(fr))
        return refuse_kind(r, fr->f);
    const ProtobufCFieldDescriptor *f;
    void *member = next_place(r, &f);
    if (!member)
        return refuse(r, no_memory);
    const ProtobufCMessageDescriptor *type = pbjson_message_type(f);
    if (!type || pbjson_is_timestamp(type))
        return refuse_kind(r, f);
    return note_presence(r) && open_message(r, type, member);
}

static bool open_array(struct reader *r)
{
    struct frame *fr = top(r);
    if (!fr)
        return refuse(r, "must be an object");
    if (!wants_list(fr) || wants_map(fr)) {
        const ProtobufCFieldDescriptor *f;
        return next_place(r, &f) ? refuse_kind(r, f) : refuse(r, no_memory);
    }
    push(r, (struct frame){.kind = IN_LIST, .m = fr->m, .f = fr->f});
    return true;
}

static bool keys_differ(struct reader *r, struct frame *fr)
{
    struct pbjson_entry *list =
        pbjson_sort((const ProtobufCMessage *const *)(void *)fr->items, fr->n);
    if (!list)
        return refuse(r, no_memory);
    ProtobufCMessage *twice = NULL;
    for (size_t i = 1; i < fr->n && !twice; i++) {
        if (pbjson_same_key(list[i - 1].entry, list[i].entry))
            twice = ((ProtobufCMessage **)(void *)fr->items)[list[i].place];
    }
    free(list);
    fr->entry = twice;
    return twice ? refuse(r, "is given twice") : true;
}

static bool close_frame(struct reader *r)
{
    struct frame *fr = top(r);
    if (fr->kind == IN_MAP && !keys_differ(r, fr))
        return false;
    if (fr->kind != IN_MESSAGE) {
        *(size_t *)pbjson_at(fr->m, fr->f->quantifier_offset) = fr->n;
        *(void **)pbjson_at(fr->m, fr->f->offset) = fr->items;
    }
    r->depth--;
    return true;
}

static bool on_event(void *ctx, const struct json_event *ev)
{
    struct reader *r = ctx;
    switch (ev->kind) {
    case JSON_KEY:
        return take_key(r, ev->text, ev->len);
    case JSON_OBJECT_BEGIN:
        return open_object(r);
    case JSON_ARRAY_BEGIN:
        return open_array(r);
    case JSON_OBJECT_END:
    case JSON_ARRAY_END:
        return close_frame(r);
    default:
        return take_scalar(r, ev);
    }
}

ProtobufCMessage *pbjson_read(struct arena *a, const ProtobufCMessageDescriptor *type,
                              const char *json, size_t len, char ret_why[160])
{
    struct reader r;
    r.arena = a;
    r.type = type;
    r.root = NULL;
    r.why = ret_why;
    r.depth = 0;
    return json_parse(json, len, on_event, &r, ret_why) ? r.root : NULL;
}
