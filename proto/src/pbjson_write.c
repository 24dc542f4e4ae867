#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "isobar/base64.h"
#include "isobar/clock.h"
#include "isobar/pb.h"
#include "isobar/pbjson.h"
#include "isobar/utf8.h"
#include "pbjson_field.h"

struct printer {
    struct json_writer *json;
    unsigned flags;
    int depth; /* open objects and arrays */
    bool failed;
};

static void put_message(struct printer *p, const char *key, const ProtobufCMessage *m);

static bool go_down(struct printer *p)
{
    if (p->depth == JSON_DEPTH_MAX)
        p->failed = true;
    else
        p->depth++;
    return !p->failed;
}

static void put_double(struct printer *p, const char *key, double v, bool single)
{
    if (isfinite(v)) {
        char text[PBJSON_NUMBER_MAX];
        pbjson_format(v, single, text);
        json_put_number(p->json, key, text);
    } else {
        json_put_string(p->json, key, isnan(v) ? "NaN" : v > 0 ? "Infinity" : "-Infinity");
    }
}

static void put_enum(struct printer *p, const char *key, const ProtobufCEnumDescriptor *type, int v)
{
    const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value(type, v);
    if (value)
        json_put_string(p->json, key, value->name);
    else
        json_put_int(p->json, key, v);
}

static void put_bytes(struct printer *p, const char *key, const ProtobufCBinaryData *bytes)
{
    struct buf text CLEANUP(buf_wipe);
    buf_init(&text, SIZE_MAX);
    if (!base64_add(&text, bytes->data, bytes->len))
        p->failed = true;
    json_put_stringn(p->json, key, text.data ? text.data : "", text.len);
}

static void put_timestamp(struct printer *p, const char *key, const ProtobufCMessage *m)
{
    const pb_Timestamp *t = (const pb_Timestamp *)(const void *)m;
    if (t->seconds < CLOCK_SECONDS_MIN || t->seconds > CLOCK_SECONDS_MAX || t->nanos < 0 ||
        t->nanos >= NS_PER_SEC) {
        p->failed = true;
        return;
    }
    char text[CLOCK_TEXT_MAX];
    clock_format(t->seconds, t->nanos, text);
    json_put_string(p->json, key, text);
}

static void put_value(struct printer *p, const char *key, const ProtobufCFieldDescriptor *f,
                      const void *member)
{
    char number[PBJSON_KEY_MAX];
    const char *text;
    switch (f->type) {
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        json_put_string(p->json, key, pbjson_number_text(f, member, number));
        break;
    case PROTOBUF_C_TYPE_FLOAT:
        put_double(p, key, (double)*(const float *)member, true);
        break;
    case PROTOBUF_C_TYPE_DOUBLE:
        put_double(p, key, *(const double *)member, false);
        break;
    case PROTOBUF_C_TYPE_BOOL:
        json_put_bool(p->json, key, *(const protobuf_c_boolean *)member);
        break;
    case PROTOBUF_C_TYPE_ENUM:
        put_enum(p, key, f->descriptor, *(const int *)member);
        break;
    case PROTOBUF_C_TYPE_STRING:
        text = *(const char *const *)member;
        json_put_string(p->json, key, text ? text : "");
        break;
    case PROTOBUF_C_TYPE_BYTES:
        put_bytes(p, key, member);
        break;
    case PROTOBUF_C_TYPE_MESSAGE:
        put_message(p, key, *(const ProtobufCMessage *const *)member);
        break;
    default:
        json_put_number(p->json, key, pbjson_number_text(f, member, number));
    }
}

static void put_list(struct printer *p, const char *key, const ProtobufCMessage *m,
                     const ProtobufCFieldDescriptor *f)
{
    size_t n = *(const size_t *)pbjson_get(m, f->quantifier_offset);
    const char *items = *(const char *const *)pbjson_get(m, f->offset);
    size_t size = message_value_size(f->type);
    if (!go_down(p))
        return;
    json_begin_array(p->json, key);
    for (size_t i = 0; i < n; i++)
        put_value(p, NULL, f, items + i * size);
    json_end_array(p->json);
    p->depth--;
}

/* In the order of the keys, so that the same message is the same text. A message from the wire may
 * have a key twice: the last one counts. */
static void put_map(struct printer *p, const char *key, const ProtobufCMessage *m,
                    const ProtobufCFieldDescriptor *f)
{
    size_t n = *(const size_t *)pbjson_get(m, f->quantifier_offset);
    struct pbjson_entry *list =
        pbjson_sort(*(const ProtobufCMessage *const *const *)pbjson_get(m, f->offset), n);
    if (!list)
        p->failed = true;
    if (!list || !go_down(p)) {
        free(list);
        return;
    }
    json_begin_object(p->json, key);
    for (size_t i = 0; i < n; i++) {
        const ProtobufCMessage *e = list[i].entry;
        if (i + 1 < n && pbjson_same_key(e, list[i + 1].entry))
            continue;
        char number[PBJSON_KEY_MAX];
        const ProtobufCFieldDescriptor *value = &e->descriptor->fields[ENTRY_VALUE];
        put_value(p, pbjson_key_text(e, number), value, pbjson_get(e, value->offset));
    }
    json_end_object(p->json);
    p->depth--;
    free(list);
}

/* Whether a field without presence of its own has another value than its default. */
static bool is_not_zero(const ProtobufCFieldDescriptor *f, const void *member)
{
    static const char zero[8];
    switch (f->type) {
    case PROTOBUF_C_TYPE_STRING: {
        const char *text = *(const char *const *)member;
        return text && *text;
    }
    case PROTOBUF_C_TYPE_BYTES:
        return ((const ProtobufCBinaryData *)member)->len > 0;
    default:
        return memcmp(member, zero, message_value_size(f->type)) != 0;
    }
}

static bool is_shown(const struct printer *p, const ProtobufCMessage *m,
                     const ProtobufCFieldDescriptor *f)
{
    const void *member = pbjson_get(m, f->offset);
    bool all = p->flags & PBJSON_DEFAULTS;
    if (message_is_oneof(f))
        return *(const uint32_t *)pbjson_get(m, f->quantifier_offset) == f->id;
    if (f->label == PROTOBUF_C_LABEL_REPEATED)
        return all || *(const size_t *)pbjson_get(m, f->quantifier_offset) > 0;
    if (f->type == PROTOBUF_C_TYPE_MESSAGE)
        return *(const void *const *)member;
    if (f->label == PROTOBUF_C_LABEL_OPTIONAL && f->type == PROTOBUF_C_TYPE_STRING)
        return *(const void *const *)member && *(const void *const *)member != f->default_value;
    if (f->label == PROTOBUF_C_LABEL_OPTIONAL)
        return *(const protobuf_c_boolean *)pbjson_get(m, f->quantifier_offset);
    return all || f->label == PROTOBUF_C_LABEL_REQUIRED || is_not_zero(f, member);
}

static void put_fields(struct printer *p, const ProtobufCMessage *m)
{
    for (unsigned i = 0; i < m->descriptor->n_fields && !p->failed; i++) {
        const ProtobufCFieldDescriptor *f = &m->descriptor->fields[i];
        if (!is_shown(p, m, f))
            continue;
        char key[64];
        pbjson_name(f->name, key);
        if (pbjson_is_map(m->descriptor, f))
            put_map(p, key, m, f);
        else if (f->label == PROTOBUF_C_LABEL_REPEATED)
            put_list(p, key, m, f);
        else
            put_value(p, key, f, pbjson_get(m, f->offset));
    }
}

static void put_message(struct printer *p, const char *key, const ProtobufCMessage *m)
{
    if (m && pbjson_is_timestamp(m->descriptor)) {
        put_timestamp(p, key, m);
        return;
    }
    if (!go_down(p))
        return;
    json_begin_object(p->json, key);
    if (m)
        put_fields(p, m);
    json_end_object(p->json);
    p->depth--;
}

bool pbjson_write(const ProtobufCMessage *m, unsigned flags, struct buf *out)
{
    struct json_writer *json CLEANUP(json_writer_freep) =
        json_writer_new(out, flags & PBJSON_PRETTY);
    struct printer p = {.json = json, .flags = flags};
    put_message(&p, NULL, m);
    return !p.failed && !out->failed;
}
