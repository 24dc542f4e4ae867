/* Fields of protobuf messages by descriptor. */
#ifndef ISOBAR_MESSAGE_H
#define ISOBAR_MESSAGE_H

#include "isobar/arena.h"

/* Bytes of one value of a type in protobuf-c's structs. */
size_t message_value_size(ProtobufCType type);
bool message_is_oneof(const ProtobufCFieldDescriptor *f);

/* How many values a field has: of a repeated one its length, else 0 or 1 (a scalar without presence
 * counts as one, whatever its value). */
size_t message_count(const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f);
/* Where value k is: a pointer to the number, to the char *, to the message pointer. */
const void *message_at(const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f, size_t k);
/* Whether it is set: not its type's default, or its oneof's case. */
bool message_has(const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f);

/* The value of a singular field of that type; "" or NULL or 0 where it is not set, or f is NULL. */
const char *message_string(const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f);
ProtobufCMessage *message_sub(const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f);
uint32_t message_uint(const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f);

/* The values of a repeated message field. */
ProtobufCMessage **message_list(const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f,
                                size_t *ret_n);
/* Replace them; the array is the arena's or the caller's. */
void message_set_list(ProtobufCMessage *m, const ProtobufCFieldDescriptor *f,
                      ProtobufCMessage **items, size_t n);

/* Set a singular string, number, boolean or enum from text; the string is copied. False where the
 * text is none of the type, or the field is of another. */
bool message_set_text(struct arena *a, ProtobufCMessage *m, const ProtobufCFieldDescriptor *f,
                      const char *text);
void message_set_string(ProtobufCMessage *m, const ProtobufCFieldDescriptor *f, char *value);

/* Where a value is: in a field of the message, or of one that is in it. */
struct message_place {
    const struct message_place *outer; /* the field that has that one; NULL: the message itself */
    const ProtobufCFieldDescriptor *field;
};

/* What is called for each value; `value` as message_at() has it. False ends the walk. */
typedef bool message_visit(void *ctx, const struct message_place *place, const void *value);
/* All values, and those of the messages in it, each message behind its own; whether it came to the
 * end. */
bool message_walk(const ProtobufCMessage *m, message_visit *visit, void *ctx);

/* What protobuf-c does not look at: whether a value is a string that is not UTF-8. */
bool message_is_malformed(const struct message_place *place, const void *value);
/* Whether all strings of the message are UTF-8; or make them so, in place (utf8_mend). */
bool message_is_utf8(const ProtobufCMessage *m);
void message_mend(ProtobufCMessage *m);

/* A copy of the message in the arena, by way of its bytes; NULL where memory is short. */
ProtobufCMessage *message_copy(struct arena *a, const ProtobufCMessage *m);

#endif
