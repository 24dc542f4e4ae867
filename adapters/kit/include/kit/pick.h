/* Finding the thing that a name or id refers to, the same way in every adapter. */
#ifndef ISOBAR_KIT_PICK_H
#define ISOBAR_KIT_PICK_H

#include "adapter.h"
#include "kit/shape.h"

struct pick_item {
    const char *id, *name; /* name may be "" */
};

/* The things of a list, whose structs of `size` bytes begin with id and name, as pick() wants them:
 * what has no id goes by its name. NULL where memory is short. */
struct pick_item *pick_items_of(struct arena *a, const struct shape_list *list, size_t size);

/* The index of the item whose id is `wanted`, or whose name is. Several by that name: AlreadyExists
 * is not it but BadRequestData, and the sentence lists their ids. None: NotFound, with near names.
 * `what` is the noun ("flavor"), `field` the request's field ("spec.flavor_name"). */
pb_ResultCode pick(struct op *op, const char *what, const char *field, const char *wanted,
                   const struct pick_item *items, size_t n, size_t *ret_index) MUST_USE;

/* None has the id that is wanted, and names that are near to an id mean nothing: NotFound. */
pb_ResultCode pick_no_id(struct op *op, const char *what, const char *field, const char *wanted);

/* Nothing was wanted: the only item there is. None or several: BadRequestData that names the field
 * and lists the candidates. */
pb_ResultCode pick_only(struct op *op, const char *what, const char *field,
                        const struct pick_item *items, size_t n, size_t *ret_index) MUST_USE;

#endif
