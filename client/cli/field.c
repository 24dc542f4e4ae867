#include "field.h"
#include "isobar/message.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "meant.h"
#include "symbol.h"
#include "value.h"

/* The first part of a path as a field of the type; `ret_rest` is what follows, NULL at its end. */
static const ProtobufCFieldDescriptor *first_part(const ProtobufCMessageDescriptor *type,
                                                  const char *path, const char **ret_rest)
{
    size_t len = strcspn(path, ".");
    *ret_rest = path[len] ? path + len + 1 : NULL;
    for (unsigned i = 0; i < type->n_fields; i++) {
        const char *name = type->fields[i].name;
        if (strlen(name) == len && strncmp(name, path, len) == 0) {
            return &type->fields[i];
        }
    }
    return NULL;
}

static bool is_single_message(const ProtobufCFieldDescriptor *f)
{
    return f->type == PROTOBUF_C_TYPE_MESSAGE && f->label != PROTOBUF_C_LABEL_REPEATED;
}

const ProtobufCFieldDescriptor *field_at(const ProtobufCMessageDescriptor *type, const char *path)
{
    const char *rest;
    const ProtobufCFieldDescriptor *f = first_part(type, path, &rest);
    while (f && rest) {
        f = is_single_message(f) ? first_part(f->descriptor, rest, &rest) : NULL;
    }
    return f;
}

static void *place(ProtobufCMessage *m, unsigned offset)
{
    return (char *)m + offset;
}

/* Go down to the message that holds the path's last field. */
static ProtobufCMessage *descend(struct arena *a, ProtobufCMessage *m, const char *path,
                                 const ProtobufCFieldDescriptor **ret)
{
    const char *rest;
    const ProtobufCFieldDescriptor *f = first_part(m->descriptor, path, &rest);
    while (f && rest) {
        if (!is_single_message(f)) {
            return NULL;
        }
        ProtobufCMessage **child = place(m, f->offset);
        if (!*child) {
            *child = arena_message(a, f->descriptor);
        }
        m = *child;
        f = m ? first_part(m->descriptor, rest, &rest) : NULL;
    }
    *ret = f;
    return f ? m : NULL;
}

/* Where the next value of the field goes: its own place, or a new last element. */
static void *slot(struct arena *a, ProtobufCMessage *m, const ProtobufCFieldDescriptor *f)
{
    if (f->label != PROTOBUF_C_LABEL_REPEATED) {
        if (message_is_oneof(f)) {
            *(uint32_t *)place(m, f->quantifier_offset) = f->id;
        }
        return place(m, f->offset);
    }
    size_t *n = place(m, f->quantifier_offset), size = message_value_size(f->type);
    void **array = place(m, f->offset);
    char *bigger = arena_array(a, *n + 1, size);
    if (!bigger) {
        return NULL;
    }
    if (*n) {
        memcpy(bigger, *array, *n * size);
    }
    *array = bigger;
    return bigger + (*n)++ * size;
}

static bool parse_bool(const char *text, protobuf_c_boolean *ret)
{
    static const char *const words[] = {"false", "true", "no", "yes", "0", "1"};
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (strcmp(text, words[i]) == 0) {
            *ret = i % 2 == 1;
            return true;
        }
    }
    return false;
}

/* A whole decimal number within the limits. */
static bool parse_int(const char *text, int64_t least, uint64_t most, int64_t *ret)
{
    bool negative = text[0] == '-';
    const char *digits = text + negative;
    if (!*digits || strspn(digits, "0123456789") != strlen(digits)) {
        return false;
    }
    errno = 0;
    if (negative) {
        *ret = strtoll(text, NULL, 10);
        return errno == 0 && *ret >= least;
    }
    uint64_t value = strtoull(text, NULL, 10);
    *ret = (int64_t)value;
    return errno == 0 && value <= most;
}

static bool set_int(const ProtobufCFieldDescriptor *f, const char *text, void *to, char *why)
{
    bool is_signed = f->type == PROTOBUF_C_TYPE_INT32 || f->type == PROTOBUF_C_TYPE_INT64 ||
                     f->type == PROTOBUF_C_TYPE_SINT32 || f->type == PROTOBUF_C_TYPE_SINT64 ||
                     f->type == PROTOBUF_C_TYPE_SFIXED32 || f->type == PROTOBUF_C_TYPE_SFIXED64;
    bool wide = message_value_size(f->type) == sizeof(int64_t);
    int64_t least = !is_signed ? 0 : wide ? INT64_MIN : INT32_MIN, value = 0;
    uint64_t most = is_signed ? (wide ? INT64_MAX : INT32_MAX) : (wide ? UINT64_MAX : UINT32_MAX);
    if (!parse_int(text, least, most, &value)) {
        snprintf(why, FIELD_WHY, "\"%.80s\" is not a whole number from %" PRId64 " to %" PRIu64,
                 text, least, most);
        return false;
    }
    if (wide) {
        *(int64_t *)to = value;
    } else {
        *(int32_t *)to = (int32_t)value;
    }
    return true;
}

static bool set_enum(const ProtobufCEnumDescriptor *e, const char *text, void *to, char *why)
{
    enum { WORDS_MAX = 64 };
    const char *words[WORDS_MAX];
    size_t n = 0, prefix = symbol_enum_prefix(e);
    for (unsigned i = 0; i < e->n_values && n < WORDS_MAX; i++) {
        const char *name = e->values[i].name;
        if (strcasecmp(name, text) == 0 || strcasecmp(name + prefix, text) == 0) {
            *(int32_t *)to = e->values[i].value;
            return true;
        }
        if (e->values[i].value != 0) {
            words[n++] = name + prefix;
        }
    }
    meant(why, FIELD_WHY, "", text, words, n, true);
    return false;
}

static bool set_pair(struct arena *a, const ProtobufCFieldDescriptor *f, const char *text,
                     bool bare_key_ok, ProtobufCMessage **to, char *why)
{
    const char *eq = strchr(text, '=');
    if (eq == text || !*text || (!eq && !bare_key_ok)) {
        snprintf(why, FIELD_WHY, "\"%.80s\" is not KEY=VALUE", text);
        return false;
    }
    ProtobufCMessage *entry = arena_message(a, f->descriptor);
    if (!entry ||
        !field_set_bytes(a, entry, "key", text, eq ? (size_t)(eq - text) : strlen(text))) {
        snprintf(why, FIELD_WHY, "no memory");
        return false;
    }
    *to = entry;
    return field_set(a, entry, "value", eq ? eq + 1 : "", false, why);
}

/* Drop the map's older entry under the key of its last one. */
static void drop_double(ProtobufCMessage *m, const ProtobufCFieldDescriptor *f)
{
    size_t *n = place(m, f->quantifier_offset);
    ProtobufCMessage **items = *(ProtobufCMessage ***)place(m, f->offset);
    const char *key = value_string(items[*n - 1], "key");
    for (size_t i = 0; i + 1 < *n; i++) {
        if (strcmp(value_string(items[i], "key"), key) == 0) {
            items[i] = items[*n - 1];
            --*n;
            return;
        }
    }
}

static bool set_value(struct arena *a, const ProtobufCFieldDescriptor *f, const char *text,
                      bool bare_key_ok, void *to, char *why)
{
    switch (f->type) {
    case PROTOBUF_C_TYPE_STRING:
        *(char **)to = arena_strdup(a, text);
        return true;
    case PROTOBUF_C_TYPE_BYTES:
        *(ProtobufCBinaryData *)to =
            (ProtobufCBinaryData){strlen(text), arena_memdup(a, text, strlen(text))};
        return true;
    case PROTOBUF_C_TYPE_BOOL:
        if (!parse_bool(text, to)) {
            snprintf(why, FIELD_WHY, "\"%.80s\" is neither true nor false", text);
            return false;
        }
        return true;
    case PROTOBUF_C_TYPE_ENUM:
        return set_enum(f->descriptor, text, to, why);
    case PROTOBUF_C_TYPE_MESSAGE:
        return set_pair(a, f, text, bare_key_ok, to, why);
    case PROTOBUF_C_TYPE_FLOAT:
    case PROTOBUF_C_TYPE_DOUBLE:
        snprintf(why, FIELD_WHY, "%s cannot be given as text", f->name);
        return false;
    default:
        return set_int(f, text, to, why);
    }
}

static bool set_one(struct arena *a, ProtobufCMessage *m, const ProtobufCFieldDescriptor *f,
                    const char *text, bool bare_key_ok, char *why)
{
    union {
        int64_t i;
        void *p;
        ProtobufCBinaryData b;
    } value = {0};
    if (!set_value(a, f, text, bare_key_ok, &value, why)) {
        return false;
    }
    void *to = slot(a, m, f);
    if (!to) {
        snprintf(why, FIELD_WHY, "no memory");
        return false;
    }
    memcpy(to, &value, message_value_size(f->type));
    if (symbol_is_map(f)) {
        drop_double(m, f);
    }
    return true;
}

bool field_set(struct arena *a, ProtobufCMessage *m, const char *path, const char *text,
               bool bare_key_ok, char why[FIELD_WHY])
{
    const ProtobufCFieldDescriptor *f = NULL;
    m = descend(a, m, path, &f);
    bool is_plain_message = f && f->type == PROTOBUF_C_TYPE_MESSAGE && !symbol_is_map(f);
    if (!m || is_plain_message) {
        snprintf(why, FIELD_WHY, "there is no field %s", path);
        return false;
    }
    if (f->label != PROTOBUF_C_LABEL_REPEATED || f->type != PROTOBUF_C_TYPE_ENUM) {
        return set_one(a, m, f, text, bare_key_ok, why);
    }
    for (;;) {
        size_t len = strcspn(text, ",");
        if (!set_one(a, m, f, arena_strndup(a, text, len), false, why)) {
            return false;
        }
        if (!text[len]) {
            return true;
        }
        text += len + 1;
    }
}

bool field_set_bytes(struct arena *a, ProtobufCMessage *m, const char *path, const void *data,
                     size_t len)
{
    const ProtobufCFieldDescriptor *f = NULL;
    m = descend(a, m, path, &f);
    void *to = NULL;
    if (!m || !(f->type == PROTOBUF_C_TYPE_BYTES ||
                (f->type == PROTOBUF_C_TYPE_STRING && (len == 0 || !memchr(data, 0, len))))) {
        return false;
    }
    if (!(to = slot(a, m, f))) {
        return false;
    }
    if (f->type == PROTOBUF_C_TYPE_STRING) {
        *(char **)to = arena_strndup(a, data, len);
    } else {
        *(ProtobufCBinaryData *)to = (ProtobufCBinaryData){len, arena_memdup(a, data, len)};
    }
    return !a->exhausted;
}

ProtobufCMessage *field_add_message(struct arena *a, ProtobufCMessage *m, const char *path)
{
    const ProtobufCFieldDescriptor *f = NULL;
    m = descend(a, m, path, &f);
    if (!m || f->type != PROTOBUF_C_TYPE_MESSAGE) {
        return NULL;
    }
    ProtobufCMessage *child = arena_message(a, f->descriptor);
    ProtobufCMessage **to = child ? slot(a, m, f) : NULL;
    if (to) {
        *to = child;
    }
    return to ? child : NULL;
}

bool field_put_message(struct arena *a, ProtobufCMessage *m, const char *path,
                       ProtobufCMessage *value)
{
    const ProtobufCFieldDescriptor *f = NULL;
    m = descend(a, m, path, &f);
    if (!m || !is_single_message(f) || f->descriptor != value->descriptor) {
        return false;
    }
    *(ProtobufCMessage **)place(m, f->offset) = value;
    return true;
}
