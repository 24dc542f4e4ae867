/* JSON objects as flat maps: every scalar as text under its path, for what people see of a thing
 * beyond what all clouds have.
 *
 * "a.b" is member b of member a; objects in lists are numbered from 1 ("a.2.b"), scalars of a list
 * are one text ("x, y"). Nulls, empty texts and empty containers are left out.
 */
#ifndef ISOBAR_KIT_FLAT_H
#define ISOBAR_KIT_FLAT_H

#include "kit/shape.h"

struct flat {
    /* Where the objects are: "" is the text itself, "value" the elements of its list `value`. */
    const char *path;
    /* A name that is left out of all paths, here too: "properties". NULL: none. */
    const char *dropped;
    /* Paths in an object, without numbers, that are left out with all below; ended by NULL. */
    const char *const *skipped;
    /* The objects' structs, in the order of the text, and where the map is in each. */
    void *things;
    size_t n, size, offset;
};

/* Fill the maps, which are zeroed, of the first n objects. False where the text is no JSON or the
 * arena is exhausted; then they may be filled in part. */
bool flat_parse(struct arena *a, const char *json, size_t len, const struct flat *flat) MUST_USE;

#endif
