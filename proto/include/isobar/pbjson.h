/* Protobuf messages to and from protobuf's canonical JSON, by descriptor: no code per message.
 *
 * Source of the mapping: protobuf's "ProtoJSON format": lowerCamelCase names (the original names
 * are accepted too), 64-bit numbers as strings, bytes as base64, enums by name (numbers accepted),
 * maps as objects, google.protobuf.Timestamp as RFC 3339, unset fields left out.
 */
#ifndef ISOBAR_PBJSON_H
#define ISOBAR_PBJSON_H

#include "isobar/arena.h"
#include "isobar/buf.h"

enum pbjson_flags {
    PBJSON_PRETTY = 1,
    PBJSON_DEFAULTS = 2, /* fields with their default value too */
};

bool pbjson_write(const ProtobufCMessage *m, unsigned flags, struct buf *out) MUST_USE;

/* A message of the given type in the arena, or NULL; `ret_why` (at least 160 bytes) then says what
 * is wrong and in which field. An unknown field is an error that names it, with a near name. */
ProtobufCMessage *pbjson_read(struct arena *a, const ProtobufCMessageDescriptor *type,
                              const char *json, size_t len, char ret_why[160]) MUST_USE;

/* "flavor_name" -> "flavorName"; `out` holds at least 64 bytes, longer names are cut. */
void pbjson_name(const char *field_name, char out[64]);

#endif
