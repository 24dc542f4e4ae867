#include "pbjson_field.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "isobar/pb.h"
#include "isobar/pbjson.h"

#define NAME_MAX_LEN 64

void pbjson_name(const char *field_name, char out[64])
{
    size_t n = 0;
    bool up = false;
    for (const char *s = field_name; *s && n < NAME_MAX_LEN - 1; s++) {
        if (*s == '_') {
            up = true;
            continue;
        }
        out[n++] = up && *s >= 'a' && *s <= 'z' ? (char)(*s - 'a' + 'A') : *s;
        up = false;
    }
    out[n] = '\0';
}

const ProtobufCMessageDescriptor *pbjson_message_type(const ProtobufCFieldDescriptor *f)
{
    return f->type == PROTOBUF_C_TYPE_MESSAGE ? f->descriptor : NULL;
}

bool pbjson_is_map(const ProtobufCMessageDescriptor *parent, const ProtobufCFieldDescriptor *f)
{
    const ProtobufCMessageDescriptor *type = pbjson_message_type(f);
    if (!type || f->label != PROTOBUF_C_LABEL_REPEATED || type->n_fields != ENTRY_FIELDS)
        return false;
    /* A map `tags` of pkg.Vm is a list of pkg.Vm.TagsEntry. */
    size_t len = strlen(parent->name);
    if (strncmp(type->name, parent->name, len) != 0 || type->name[len] != '.')
        return false;
    char camel[NAME_MAX_LEN];
    pbjson_name(f->name, camel);
    const char *name = type->name + len + 1;
    size_t n = strlen(camel);
    return (name[0] | 0x20) == (camel[0] | 0x20) && strncmp(name + 1, camel + 1, n - 1) == 0 &&
           strcmp(name + n, "Entry") == 0;
}

bool pbjson_is_timestamp(const ProtobufCMessageDescriptor *type)
{
    return type == &pb_Timestamp_desc;
}

const char *pbjson_number_text(const ProtobufCFieldDescriptor *f, const void *member,
                               char out[PBJSON_KEY_MAX])
{
    switch (f->type) {
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        snprintf(out, PBJSON_KEY_MAX, "%" PRIu64, *(const uint64_t *)member);
        break;
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        snprintf(out, PBJSON_KEY_MAX, "%" PRId64, *(const int64_t *)member);
        break;
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        snprintf(out, PBJSON_KEY_MAX, "%" PRIu32, *(const uint32_t *)member);
        break;
    case PROTOBUF_C_TYPE_BOOL:
        return *(const protobuf_c_boolean *)member ? "true" : "false";
    default:
        snprintf(out, PBJSON_KEY_MAX, "%" PRId32, *(const int32_t *)member);
    }
    return out;
}

const char *pbjson_key_text(const ProtobufCMessage *entry, char out[PBJSON_KEY_MAX])
{
    const ProtobufCFieldDescriptor *f = &entry->descriptor->fields[ENTRY_KEY];
    const void *member = pbjson_get(entry, f->offset);
    if (f->type != PROTOBUF_C_TYPE_STRING)
        return pbjson_number_text(f, member, out);
    const char *text = *(const char *const *)member;
    return text ? text : "";
}

static int compare_keys(const ProtobufCMessage *a, const ProtobufCMessage *b)
{
    const ProtobufCFieldDescriptor *key = &a->descriptor->fields[ENTRY_KEY];
    char none[PBJSON_KEY_MAX];
    if (key->type == PROTOBUF_C_TYPE_STRING)
        return strcmp(pbjson_key_text(a, none), pbjson_key_text(b, none));
    return memcmp(pbjson_get(a, key->offset), pbjson_get(b, key->offset),
                  message_value_size(key->type));
}

bool pbjson_same_key(const ProtobufCMessage *a, const ProtobufCMessage *b)
{
    return compare_keys(a, b) == 0;
}

static int compare_entries(const void *a, const void *b)
{
    const struct pbjson_entry *x = a, *y = b;
    int order = compare_keys(x->entry, y->entry);
    return order ? order : (x->place > y->place) - (x->place < y->place);
}

struct pbjson_entry *pbjson_sort(const ProtobufCMessage *const *entries, size_t n)
{
    struct pbjson_entry *list = calloc(n ? n : 1, sizeof(*list));
    if (!list)
        return NULL;
    for (size_t i = 0; i < n; i++)
        list[i] = (struct pbjson_entry){entries[i], i};
    qsort(list, n, sizeof(*list), compare_entries);
    return list;
}
