/* What a cloud says, from the arena of an operation into protobuf messages in the same arena. Pure.
 */
#ifndef ISOBAR_KIT_FIELDS_H
#define ISOBAR_KIT_FIELDS_H

#include "isobar/pb.h"
#include "kit/shape.h"

/* Text of the arena as a message's field; NULL is "". */
char *field_text(const char *text);
/* A number as a message's field; one that does not fit is 0, as if it were not known. */
uint32_t field_u32(int64_t n);
uint64_t field_u64(int64_t n);
/* A time in the form of ISO 8601; NULL where there is none. */
Google__Protobuf__Timestamp *field_time(struct arena *a, const char *text);
/* Texts of the arena as a repeated field. */
char **field_texts(struct arena *a, const struct shape_strings *s);
/* "KEY=VALUE" for each of the map. NULL where memory is short. */
char **field_tags(struct arena *a, const struct shape_map *tags);
/* "a, b" */
const char *field_join(struct arena *a, const struct shape_strings *s);

/* A map field that is being filled: `type` is that of its entries. */
struct field_pairs {
    struct arena *arena;
    const ProtobufCMessageDescriptor *type;
    size_t n, room;
    void **items;
};
/* field_pairs_add adds nothing where the value is NULL or "". */
void field_pairs_add(struct field_pairs *p, const char *key, const char *value);
void field_pairs_put(struct field_pairs *p, const char *key, const char *value);

/* What a cloud shows beside what all clouds have: a text of a struct, under the cloud's name. */
struct field_native {
    const char *name;
    size_t offset; /* of a const char * */
};
void field_pairs_native(struct field_pairs *p, const struct field_native *rows, size_t n,
                        const void *from);
/* All of a map, but for what has a field of its own in the message: `mapped`, ended by NULL. */
void field_pairs_rest(struct field_pairs *p, const struct shape_map *all,
                      const char *const *mapped);

#endif
