#include "value.h"

#include <inttypes.h>
#include <string.h>

#include "isobar/clock.h"
#include "isobar/result.h"
#include "symbol.h"

static const void *place(const ProtobufCMessage *m, unsigned offset)
{
    return (const char *)m + offset;
}

static const void *element(const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f, size_t i,
                           size_t size)
{
    const void *p = place(m, f->offset);
    if (f->label == PROTOBUF_C_LABEL_REPEATED) {
        p = *(const char *const *)p + i * size;
    }
    return p;
}

static const char *string_at(const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f, size_t i)
{
    const char *s = *(const char *const *)element(m, f, i, sizeof(char *));
    return s ? s : "";
}

static const ProtobufCBinaryData *bytes_at(const ProtobufCMessage *m,
                                           const ProtobufCFieldDescriptor *f, size_t i)
{
    return element(m, f, i, sizeof(ProtobufCBinaryData));
}

static int32_t int32_at(const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f, size_t i)
{
    return *(const int32_t *)element(m, f, i, sizeof(int32_t));
}

static int64_t int64_at(const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f, size_t i)
{
    return *(const int64_t *)element(m, f, i, sizeof(int64_t));
}

const ProtobufCMessage *value_message_at(const ProtobufCMessage *m,
                                         const ProtobufCFieldDescriptor *f, size_t i)
{
    return *(const ProtobufCMessage *const *)element(m, f, i, sizeof(void *));
}

size_t value_count(const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f)
{
    if (f->label == PROTOBUF_C_LABEL_REPEATED) {
        return *(const size_t *)place(m, f->quantifier_offset);
    }
    if ((f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) &&
        *(const uint32_t *)place(m, f->quantifier_offset) != f->id) {
        return 0;
    }
    switch (f->type) {
    case PROTOBUF_C_TYPE_STRING:
        return *string_at(m, f, 0) != 0;
    case PROTOBUF_C_TYPE_BYTES:
        return bytes_at(m, f, 0)->len != 0;
    case PROTOBUF_C_TYPE_MESSAGE:
        return value_message_at(m, f, 0) != NULL;
    case PROTOBUF_C_TYPE_ENUM:
        return int32_at(m, f, 0) != 0;
    default:
        return 1;
    }
}

static const ProtobufCFieldDescriptor *field_named(const ProtobufCMessage *m, const char *name,
                                                   ProtobufCType type)
{
    const ProtobufCFieldDescriptor *f =
        protobuf_c_message_descriptor_get_field_by_name(m->descriptor, name);
    return f && f->type == type && f->label != PROTOBUF_C_LABEL_REPEATED ? f : NULL;
}

const char *value_string(const ProtobufCMessage *m, const char *name)
{
    const ProtobufCFieldDescriptor *f = field_named(m, name, PROTOBUF_C_TYPE_STRING);
    return f ? string_at(m, f, 0) : "";
}

const ProtobufCMessage *value_message(const ProtobufCMessage *m, const char *name)
{
    const ProtobufCFieldDescriptor *f = field_named(m, name, PROTOBUF_C_TYPE_MESSAGE);
    return f ? value_message_at(m, f, 0) : NULL;
}

const ProtobufCFieldDescriptor *value_field_of(const ProtobufCMessageDescriptor *type,
                                               const ProtobufCMessageDescriptor *of, bool repeated)
{
    for (unsigned i = 0; i < type->n_fields; i++) {
        const ProtobufCFieldDescriptor *f = &type->fields[i];
        if (f->type == PROTOBUF_C_TYPE_MESSAGE && f->descriptor == of &&
            (f->label == PROTOBUF_C_LABEL_REPEATED) == repeated) {
            return f;
        }
    }
    return NULL;
}

bool value_path(const ProtobufCMessageDescriptor *type, const char *text, struct value_path *ret)
{
    *ret = (struct value_path){0};
    for (;;) {
        size_t len = strcspn(text, ".");
        const ProtobufCFieldDescriptor *f = NULL;
        for (unsigned i = 0; i < type->n_fields && !f; i++) {
            const char *name = type->fields[i].name;
            f = strlen(name) == len && strncasecmp(name, text, len) == 0 ? &type->fields[i] : NULL;
        }
        if (!f || ret->n == VALUE_DEPTH) {
            return false;
        }
        ret->fields[ret->n++] = f;
        if (!text[len]) {
            return true;
        }
        text += len + 1;
        if (symbol_is_map(f)) {
            ret->key = text;
            return *text != 0;
        }
        if (f->type != PROTOBUF_C_TYPE_MESSAGE) {
            return false;
        }
        type = f->descriptor;
    }
}

static bool is_number(ProtobufCType type)
{
    return type != PROTOBUF_C_TYPE_STRING && type != PROTOBUF_C_TYPE_BYTES &&
           type != PROTOBUF_C_TYPE_MESSAGE && type != PROTOBUF_C_TYPE_ENUM &&
           type != PROTOBUF_C_TYPE_BOOL;
}

bool value_path_is_number(const struct value_path *p)
{
    for (size_t i = 0; i < p->n; i++) {
        if (p->fields[i]->label == PROTOBUF_C_LABEL_REPEATED) {
            return false;
        }
    }
    return p->n && is_number(p->fields[p->n - 1]->type);
}

static void pairs_text(struct buf *out, const ProtobufCMessage *m)
{
    bool any = false;
    for (unsigned i = 0; i < m->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *f = &m->descriptor->fields[i];
        size_t n = value_count(m, f);
        if (!n || (is_number(f->type) && f->label != PROTOBUF_C_LABEL_REPEATED &&
                   !(f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) &&
                   (f->type == PROTOBUF_C_TYPE_INT64 || f->type == PROTOBUF_C_TYPE_UINT64
                        ? int64_at(m, f, 0)
                        : int32_at(m, f, 0)) == 0)) {
            continue; /* a number that was not set */
        }
        buf_addf(out, "%s%s=", any ? " " : "", f->name);
        for (size_t k = 0; k < n; k++) {
            if (k) {
                buf_addc(out, ',');
            }
            value_text(out, m, f, k);
        }
        any = true;
    }
}

static void message_text(struct buf *out, const ProtobufCFieldDescriptor *f,
                         const ProtobufCMessage *m)
{
    if (strcmp(m->descriptor->name, "google.protobuf.Timestamp") == 0) {
        const Google__Protobuf__Timestamp *t = (const Google__Protobuf__Timestamp *)(const void *)m;
        char text[CLOCK_TEXT_MAX];
        clock_format(t->seconds, 0, text); /* to the second: JSON has the rest */
        buf_adds(out, text);
    } else if (symbol_is_map(f)) {
        buf_adds(out, value_string(m, "key"));
        buf_addc(out, '=');
        value_text(out, m, &m->descriptor->fields[1], 0);
    } else {
        pairs_text(out, m);
    }
}

static void bytes_text(struct buf *out, const ProtobufCBinaryData *b)
{
    buf_addf(out, "(%zu byte%s)", b->len, b->len == 1 ? "" : "s");
}

static void enum_text(struct buf *out, const ProtobufCEnumDescriptor *e, int value)
{
    const char *word = symbol_enum_word(e, value);
    if (e == &pb_ResultCode_desc && word) {
        buf_adds(out, result_name((pb_ResultCode)value));
    } else if (word) {
        buf_adds(out, word);
    } else {
        buf_addf(out, "%d", value);
    }
}

void value_text(struct buf *out, const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f,
                size_t i)
{
    switch (f->type) {
    case PROTOBUF_C_TYPE_STRING:
        buf_adds(out, string_at(m, f, i));
        break;
    case PROTOBUF_C_TYPE_BYTES:
        bytes_text(out, bytes_at(m, f, i));
        break;
    case PROTOBUF_C_TYPE_MESSAGE:
        message_text(out, f, value_message_at(m, f, i));
        break;
    case PROTOBUF_C_TYPE_ENUM:
        enum_text(out, f->descriptor, int32_at(m, f, i));
        break;
    case PROTOBUF_C_TYPE_BOOL:
        buf_adds(out, int32_at(m, f, i) ? "true" : "false");
        break;
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        buf_addf(out, "%" PRId64, int64_at(m, f, i));
        break;
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        buf_addf(out, "%" PRIu64, (uint64_t)int64_at(m, f, i));
        break;
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        buf_addf(out, "%" PRIu32, (uint32_t)int32_at(m, f, i));
        break;
    case PROTOBUF_C_TYPE_DOUBLE:
        buf_addf(out, "%g", *(const double *)element(m, f, i, sizeof(double)));
        break;
    case PROTOBUF_C_TYPE_FLOAT:
        buf_addf(out, "%g", (double)*(const float *)element(m, f, i, sizeof(float)));
        break;
    default:
        buf_addf(out, "%" PRId32, int32_at(m, f, i));
        break;
    }
}

/* What the value is besides its text, where it is a single one. */
static void note_kind(const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f,
                      struct value *ret)
{
    ret->numeric = true;
    switch (f->type) {
    case PROTOBUF_C_TYPE_ENUM:
        ret->numeric = false;
        ret->enumeration = f->descriptor;
        ret->enum_value = int32_at(m, f, 0);
        break;
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        ret->number = (long double)int64_at(m, f, 0);
        break;
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        ret->number = (long double)(uint64_t)int64_at(m, f, 0);
        break;
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        ret->number = (long double)(uint32_t)int32_at(m, f, 0);
        break;
    case PROTOBUF_C_TYPE_BOOL:
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
        ret->number = (long double)int32_at(m, f, 0);
        break;
    case PROTOBUF_C_TYPE_MESSAGE:
        m = value_message_at(m, f, 0);
        if (m && strcmp(m->descriptor->name, "google.protobuf.Timestamp") == 0) {
            const Google__Protobuf__Timestamp *t =
                (const Google__Protobuf__Timestamp *)(const void *)m;
            ret->number = (long double)t->seconds * 1e9L + (long double)t->nanos;
            break;
        }
        ret->numeric = false;
        break;
    default:
        ret->numeric = false;
    }
}

struct collect {
    struct buf text;
    const struct value_path *path;
    struct value *ret;
    size_t n; /* values so far */
};

static void collect(struct collect *c, const ProtobufCMessage *m, size_t depth)
{
    const ProtobufCFieldDescriptor *f = c->path->fields[depth];
    bool last = depth + 1 == c->path->n;
    for (size_t i = 0, n = value_count(m, f); i < n; i++) {
        if (!last) {
            collect(c, value_message_at(m, f, i), depth + 1);
            continue;
        }
        bool keyed = c->path->key != NULL;
        const ProtobufCMessage *entry = keyed ? value_message_at(m, f, i) : NULL;
        if (keyed && strcmp(value_string(entry, "key"), c->path->key) != 0) {
            continue;
        }
        if (c->n++) {
            buf_addc(&c->text, ',');
        } else if (!keyed && f->label != PROTOBUF_C_LABEL_REPEATED) {
            note_kind(m, f, c->ret);
        }
        if (keyed) {
            value_text(&c->text, entry, &entry->descriptor->fields[1], 0);
        } else {
            value_text(&c->text, m, f, i);
        }
    }
}

void value_get(struct arena *a, const ProtobufCMessage *m, const struct value_path *p,
               struct value *ret)
{
    struct collect c = {.path = p, .ret = ret};
    *ret = (struct value){.text = ""};
    buf_init(&c.text, SIZE_MAX / 2);
    collect(&c, m, 0);
    a->exhausted |= c.text.failed; /* so that half a text does not pass for the whole */
    if (c.text.len) {
        ret->text = arena_strndup(a, c.text.data, c.text.len);
    }
    if (c.n > 1) {
        ret->numeric = false;
        ret->enumeration = NULL;
    }
    buf_done(&c.text);
}
