/* What readers of any notation put into structs by the tables of kit/shape.h: finding the field of
 * a name, values that are text, lists that grow. Private to the kit.
 *
 * All memory is the arena's. What returns a pointer returns NULL, and what returns bool false,
 * where it has no more; of a string that fits no more it is told by a->exhausted only.
 */
#ifndef ISOBAR_KIT_SHAPE_FILL_H
#define ISOBAR_KIT_SHAPE_FILL_H

#include "kit/shape.h"

/* What a reader says where the arena is exhausted. */
#define FILL_NO_ROOM "it does not fit into the memory that one call may use"

/* A scalar as it was written. */
struct fill_value {
    const char *text; /* NULL: null. Need not end with a NUL */
    size_t len;
    enum {
        FILL_TEXT = 0,
        FILL_BOOL = 1,   /* where it says "true" or "false" it is a bool too */
        FILL_DIGITS = 2, /* where it has digits only, and a sign, it is an integer too */
        FILL_REAL = 4,   /* it is a number: fraction and exponent are to be expected */
    } also;              /* any of them, added up */
};

/* The field of that name, or NULL. The search begins with field `*next`, which becomes the one
 * behind what was found: what is written in the order of the table is found at once. */
const struct shape_field *fill_find(const struct shape *shape, const char *name, size_t len,
                                    size_t *next);

/* The value as a string in the arena; NULL for null. */
const char *fill_text(struct arena *a, const struct fill_value *v);

/* Put a value into the field of the struct at `to`. What is not of the field's type counts as if it
 * were absent. */
void fill_scalar(struct arena *a, const struct shape_field *field, void *to,
                 const struct fill_value *v);

/* Where the content of a field that is a struct, a list or a map goes, emptied: it begins anew
 * where the field comes twice. */
void *fill_container(const struct shape_field *field, void *to);

/* One more element at the end of a list. `room` is how many elements the list has memory for: 0 at
 * first, then as it was left. */
void *fill_element(struct arena *a, struct shape_list *list, size_t *room, size_t size) MUST_USE;
bool fill_string(struct arena *a, struct shape_strings *list, size_t *room,
                 const char *text) MUST_USE;
bool fill_pair(struct arena *a, struct shape_map *map, size_t *room, const char *key,
               const char *value) MUST_USE;

#endif
