/* Reading fields of a message as text, by descriptor. */
#ifndef CLI_VALUE_H
#define CLI_VALUE_H

#include "isobar/arena.h"
#include "isobar/buf.h"
#include "isobar/pb.h"

enum { VALUE_DEPTH = 6 };

/* The way to a value inside a message: "addresses.ip", "result.code", "tags.env". */
struct value_path {
    size_t n;
    const ProtobufCFieldDescriptor *fields[VALUE_DEPTH];
    const char *key; /* of the last field, which is a map; NULL: all of it */
};

/* A value as a table shows it. */
struct value {
    const char *text;   /* in the arena; "" where there is none */
    bool numeric;       /* `number` sorts better than the text */
    long double number; /* of a number, a bool, or a timestamp in nanoseconds */
    const ProtobufCEnumDescriptor *enumeration; /* of a single enum; NULL else */
    int enum_value;
};

/* Resolve a path, whatever the case of its letters; false where the type has no such field. The
 * text must live as long as the path.
 */
bool value_path(const ProtobufCMessageDescriptor *type, const char *text,
                struct value_path *ret) MUST_USE;
/* Whether what is at its end is a single number. */
bool value_path_is_number(const struct value_path *p);

/* The value at the path; several are joined with commas. */
void value_get(struct arena *a, const ProtobufCMessage *m, const struct value_path *p,
               struct value *ret);

/* Append the i-th value of a field as text: enums as words, timestamps to the second, messages as
 * name=value pairs. */
void value_text(struct buf *out, const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f,
                size_t i);

/* How many values a field has: 0 or 1 where it is not repeated. A number or bool always has one, an
 * empty string, an absent message, the zero of an enum and an unset choice have none. */
size_t value_count(const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f);
/* The i-th message of a field. */
const ProtobufCMessage *value_message_at(const ProtobufCMessage *m,
                                         const ProtobufCFieldDescriptor *f, size_t i);

/* By name: the string, "" where there is none; the message, NULL where there is none; the array. */
const char *value_string(const ProtobufCMessage *m, const char *name);
const ProtobufCMessage *value_message(const ProtobufCMessage *m, const char *name);

/* The first field of the type that holds messages of another type, repeated or not; NULL where
 * there is none. */
const ProtobufCFieldDescriptor *value_field_of(const ProtobufCMessageDescriptor *type,
                                               const ProtobufCMessageDescriptor *of, bool repeated);

#endif
