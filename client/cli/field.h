/* Setting fields of a message from text, by descriptor: no code per message. */
#ifndef CLI_FIELD_H
#define CLI_FIELD_H

#include "isobar/arena.h"
#include "isobar/pb.h"

#define FIELD_WHY 256

/* The field that a path names ("spec.flavor_name"), or NULL. Its parts but the last are messages
 * that are not repeated. */
const ProtobufCFieldDescriptor *field_at(const ProtobufCMessageDescriptor *type, const char *path);

/* Set the field at the path, appending where it is repeated; messages on the way are made in the
 * arena. Text is what the field's type asks for: a number, true or false, an enum's word with or
 * without its prefix (several with commas where repeated), KEY=VALUE for a map. Where
 * `bare_key_ok`, a map takes KEY alone too. On failure `why` says what is wrong with the text. */
bool field_set(struct arena *a, ProtobufCMessage *m, const char *path, const char *text,
               bool bare_key_ok, char why[FIELD_WHY]) MUST_USE;
/* The same for bytes and strings whose text may hold NULs; false where it may not, or there is no
 * memory. */
bool field_set_bytes(struct arena *a, ProtobufCMessage *m, const char *path, const void *data,
                     size_t len) MUST_USE;
/* A new, empty element of a repeated message, or the message itself where it is not repeated; NULL
 * where there is no memory. */
ProtobufCMessage *field_add_message(struct arena *a, ProtobufCMessage *m,
                                    const char *path) MUST_USE;
/* Put a message where a field that is not repeated points. */
bool field_put_message(struct arena *a, ProtobufCMessage *m, const char *path,
                       ProtobufCMessage *value) MUST_USE;

#endif
