#include "isobar/message.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "isobar/utf8.h"

static void *at(const ProtobufCMessage *m, size_t offset)
{
    return (char *)(uintptr_t)m + offset;
}

bool message_is_oneof(const ProtobufCFieldDescriptor *f)
{
    return (f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0;
}

size_t message_value_size(ProtobufCType type)
{
    switch (type) {
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
        return 8;
    case PROTOBUF_C_TYPE_BOOL:
        return sizeof(protobuf_c_boolean);
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_MESSAGE:
        return sizeof(void *);
    case PROTOBUF_C_TYPE_BYTES:
        return sizeof(ProtobufCBinaryData);
    default:
        return 4;
    }
}

size_t message_count(const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f)
{
    if (f->label == PROTOBUF_C_LABEL_REPEATED)
        return *(const size_t *)at(m, f->quantifier_offset);
    if (message_is_oneof(f))
        return *(const unsigned *)at(m, f->quantifier_offset) == f->id;
    if (f->type == PROTOBUF_C_TYPE_MESSAGE)
        return *(void *const *)at(m, f->offset) != NULL;
    return 1;
}

const void *message_at(const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f, size_t k)
{
    if (f->label != PROTOBUF_C_LABEL_REPEATED)
        return at(m, f->offset);
    return *(char *const *)at(m, f->offset) + k * message_value_size(f->type);
}

bool message_has(const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f)
{
    if (f->label == PROTOBUF_C_LABEL_REPEATED || message_is_oneof(f) ||
        f->type == PROTOBUF_C_TYPE_MESSAGE)
        return message_count(m, f) > 0;
    if (f->type == PROTOBUF_C_TYPE_STRING)
        return message_string(m, f)[0] != '\0';
    if (f->type == PROTOBUF_C_TYPE_BYTES)
        return ((const ProtobufCBinaryData *)at(m, f->offset))->len > 0;
    static const char zero[8];
    return memcmp(at(m, f->offset), zero, message_value_size(f->type)) != 0;
}

const char *message_string(const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f)
{
    const char *text = f ? *(const char *const *)at(m, f->offset) : NULL;
    return text ? text : "";
}

ProtobufCMessage *message_sub(const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f)
{
    return f ? *(ProtobufCMessage *const *)at(m, f->offset) : NULL;
}

uint32_t message_uint(const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f)
{
    return f ? *(const uint32_t *)at(m, f->offset) : 0;
}

ProtobufCMessage **message_list(const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f,
                                size_t *ret_n)
{
    *ret_n = *(const size_t *)at(m, f->quantifier_offset);
    return *(ProtobufCMessage * *const *)at(m, f->offset);
}

void message_set_list(ProtobufCMessage *m, const ProtobufCFieldDescriptor *f,
                      ProtobufCMessage **items, size_t n)
{
    *(size_t *)at(m, f->quantifier_offset) = n;
    *(ProtobufCMessage ***)at(m, f->offset) = items;
}

static bool set_int(ProtobufCMessage *m, const ProtobufCFieldDescriptor *f, const char *text)
{
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    bool is_unsigned = f->type == PROTOBUF_C_TYPE_UINT32;
    if (!*text || *end || errno || value < (is_unsigned ? 0 : INT32_MIN) ||
        value > (is_unsigned ? (long long)UINT32_MAX : INT32_MAX))
        return false;
    *(uint32_t *)at(m, f->offset) = (uint32_t)value;
    return true;
}

static bool set_bool(ProtobufCMessage *m, const ProtobufCFieldDescriptor *f, const char *text)
{
    bool yes = strcmp(text, "true") == 0;
    if (!yes && strcmp(text, "false") != 0)
        return false;
    *(protobuf_c_boolean *)at(m, f->offset) = yes;
    if (message_is_oneof(f))
        *(unsigned *)at(m, f->quantifier_offset) = f->id;
    return true;
}

void message_set_string(ProtobufCMessage *m, const ProtobufCFieldDescriptor *f, char *value)
{
    *(char **)at(m, f->offset) = value;
}

bool message_set_text(struct arena *a, ProtobufCMessage *m, const ProtobufCFieldDescriptor *f,
                      const char *text)
{
    if (f->label == PROTOBUF_C_LABEL_REPEATED)
        return false;
    switch (f->type) {
    case PROTOBUF_C_TYPE_STRING:
        message_set_string(m, f, arena_strdup(a, text));
        return true;
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_UINT32:
        return set_int(m, f, text);
    case PROTOBUF_C_TYPE_BOOL:
        return set_bool(m, f, text);
    default:
        return false;
    }
}

/* ---- all values ---- */

static bool walk(const ProtobufCMessage *m, const struct message_place *outer, message_visit *visit,
                 void *ctx)
{
    for (unsigned i = 0; i < m->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *f = &m->descriptor->fields[i];
        struct message_place place = {outer, f};
        size_t n = message_count(m, f);
        for (size_t k = 0; k < n; k++) {
            const void *value = message_at(m, f, k);
            const ProtobufCMessage *inner =
                f->type == PROTOBUF_C_TYPE_MESSAGE ? *(const ProtobufCMessage *const *)value : NULL;
            if (inner && !walk(inner, &place, visit, ctx))
                return false;
            if (!visit(ctx, &place, value))
                return false;
        }
    }
    return true;
}

bool message_walk(const ProtobufCMessage *m, message_visit *visit, void *ctx)
{
    return walk(m, NULL, visit, ctx);
}

bool message_is_malformed(const struct message_place *place, const void *value)
{
    if (place->field->type != PROTOBUF_C_TYPE_STRING)
        return false;
    const char *text = *(const char *const *)value;
    return text && !utf8_is(text, strlen(text));
}

static bool see_text(void *ctx, const struct message_place *place, const void *value)
{
    (void)ctx;
    return !message_is_malformed(place, value);
}

bool message_is_utf8(const ProtobufCMessage *m)
{
    return message_walk(m, see_text, NULL);
}

static bool mend_text(void *ctx, const struct message_place *place, const void *value)
{
    (void)ctx;
    if (message_is_malformed(place, value))
        utf8_mend(*(char *const *)value);
    return true;
}

void message_mend(ProtobufCMessage *m)
{
    (void)!message_walk(m, mend_text, NULL);
}

ProtobufCMessage *message_copy(struct arena *a, const ProtobufCMessage *m)
{
    size_t len = protobuf_c_message_get_packed_size(m);
    uint8_t *data = arena_alloc(a, len + 1);
    if (!data)
        return NULL;
    protobuf_c_message_pack(m, data);
    return protobuf_c_message_unpack(m->descriptor, arena_allocator(a), len, data);
}
