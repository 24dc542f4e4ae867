/* What reading and writing of protobuf's JSON both need to know of a field. Not for others. */
#ifndef ISOBAR_PBJSON_FIELD_H
#define ISOBAR_PBJSON_FIELD_H

#include "isobar/arena.h"
#include "isobar/json.h"
#include "isobar/message.h"

/* Map entries have two fields, in this order. */
enum { ENTRY_KEY, ENTRY_VALUE, ENTRY_FIELDS };

/* The member at an offset in a message. */
static inline const void *pbjson_get(const ProtobufCMessage *m, unsigned offset)
{
    return (const char *)m + offset;
}

static inline void *pbjson_at(ProtobufCMessage *m, unsigned offset)
{
    return (char *)m + offset;
}

/* The descriptor of a message field's type; NULL for other fields. */
const ProtobufCMessageDescriptor *pbjson_message_type(const ProtobufCFieldDescriptor *f);
/* Whether a field of the message type `parent` is a map: to protobuf-c, that is a repeated message
 * of a type that protoc made up. */
bool pbjson_is_map(const ProtobufCMessageDescriptor *parent, const ProtobufCFieldDescriptor *f);
bool pbjson_is_timestamp(const ProtobufCMessageDescriptor *type);

/* An entry of a map, and its place in it. */
struct pbjson_entry {
    const ProtobufCMessage *entry;
    size_t place;
};
/* The entries in the order of their keys, those with the same key in their own order; malloc'ed,
 * NULL where there is no memory. */
struct pbjson_entry *pbjson_sort(const ProtobufCMessage *const *entries, size_t n);
bool pbjson_same_key(const ProtobufCMessage *a, const ProtobufCMessage *b);

/* An integer or a boolean as text; `out` may go unused. */
#define PBJSON_KEY_MAX 24
const char *pbjson_number_text(const ProtobufCFieldDescriptor *f, const void *member,
                               char out[PBJSON_KEY_MAX]);
/* The key of an entry as text; `out` may go unused. */
const char *pbjson_key_text(const ProtobufCMessage *entry, char out[PBJSON_KEY_MAX]);

/* A number in as few digits as read back the same, as JSON writes it. Finite ones only. */
#define PBJSON_NUMBER_MAX 32
void pbjson_format(double v, bool single, char out[PBJSON_NUMBER_MAX]);

/* The value of an event into `member`, by the field's type; texts and bytes go to the arena. NULL
 * where that went well, else what is wrong with it. */
const char *pbjson_scalar(struct arena *a, const ProtobufCFieldDescriptor *f,
                          const struct json_event *ev, void *member) MUST_USE;
/* The same for the key of a map, which JSON has as text whatever its type. */
const char *pbjson_key(struct arena *a, const ProtobufCFieldDescriptor *f, const char *text,
                       size_t len, void *member) MUST_USE;
/* What a field wants: "must be a whole number". */
#define PBJSON_WANTS_TIME "must be a time like \"2026-11-22T20:01:02Z\""
const char *pbjson_wants(const ProtobufCFieldDescriptor *f);

#endif
