/* JSON into structs by tables of fields: what is named in the table is kept, all else is skipped
 * without cost in memory. Strings and lists live in the arena.
 */
#ifndef ISOBAR_KIT_SHAPE_H
#define ISOBAR_KIT_SHAPE_H

#include "isobar/arena.h"
#include "isobar/json.h"

struct shape_strings {
    size_t n;
    const char **items;
};

struct shape_pair {
    const char *key, *value;
};

struct shape_map {
    size_t n;
    struct shape_pair *items;
};

/* A list of structs: items points to n structs of the shape's size, one behind the other. */
struct shape_list {
    size_t n;
    void *items;
};

enum shape_type {
    SHAPE_STRING,  /* const char *; NULL where absent or null; numbers and booleans as text */
    SHAPE_INT,     /* int64_t; a string of digits is accepted; fractions are cut off */
    SHAPE_BOOL,    /* bool */
    SHAPE_STRUCT,  /* a struct of `shape`, embedded at the offset */
    SHAPE_LIST,    /* struct shape_list of `shape` */
    SHAPE_STRINGS, /* struct shape_strings */
    SHAPE_MAP,     /* struct shape_map: an object whose values are scalars, as text; nested values
                      are skipped */
    SHAPE_DICT,    /* struct shape_list from an object whose keys are data: a struct a member, the
                      key in the field that the shape names by key_offset; where the members are
                      arrays of objects ("addresses" of Nova), a struct an element */
};

struct shape {
    size_t size; /* of the struct */
    const struct shape_field {
        const char *name;
        enum shape_type type;
        size_t offset;
        const struct shape *shape; /* of STRUCT, LIST, DICT */
    } * fields;
    size_t n_fields;
    size_t key_offset; /* of SHAPE_DICT: where the key goes, a const char * */
};

#define SHAPE_FIELD(struct_type, member, json_name, type)                                          \
    {                                                                                              \
        json_name, type, offsetof(struct_type, member), NULL                                       \
    }
#define SHAPE_NESTED(struct_type, member, json_name, type, shape_)                                 \
    {                                                                                              \
        json_name, type, offsetof(struct_type, member), &(shape_)                                  \
    }

/* Parse an object into `ret`, which the caller has zeroed. On failure `ret_why` says what is wrong;
 * `ret` may be filled in part. */
bool shape_parse(struct arena *a, const char *json, size_t len, const struct shape *shape,
                 void *ret, char ret_why[160]) MUST_USE;

/* The value of a key in a map, or NULL. */
const char *shape_map_get(const struct shape_map *m, const char *key);

#endif
