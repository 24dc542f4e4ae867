/* Taking away what was made together with a machine: only what bears the token of the operation
 * that made it. What cannot be proved ours is never deleted.
 */
#ifndef AZ_CLEANUP_H
#define AZ_CLEANUP_H

#include "az_marks.h"
#include "az_things.h"

/* A thing that may be left: a network interface, a public address, a disk. */
struct az_remain {
    const struct az_kind *kind;
    const char *word; /* of the kind, in lists of leftovers: "nic" */
    struct az_thing thing;
    const char *user;    /* what has it: a machine, an interface's configuration; NULL: nothing */
    const char *created; /* NULL: it is not told */
};

/* The kinds there are, in the order in which they can be deleted. */
enum { AZ_REMAIN_KINDS = 3 };
extern const struct az_remain_kind {
    const struct az_kind *kind;
    const char *word;
    /* From the kind's struct; pure. */
    struct az_remain (*of)(const void *thing);
} az_remain_kinds[AZ_REMAIN_KINDS];
/* The one that a resource's type is; NULL: none of them. */
const struct az_remain_kind *az_remain_kind_of(const char *type);

/* Look at one by its id. False where it is not there, or is not this operation's; a failure is told
 * in `ret_code`. */
bool az_remain_look(struct adapter *a, struct op *op, const struct az_remain_kind *kind,
                    const char *id, const char *token, struct az_remain *ret,
                    pb_ResultCode *ret_code);
/* Delete those that nothing has, or one of them alone, interfaces first, and wait until they are
 * gone. What stays is named in warnings of op->result; false where something does. */
bool az_remains_delete(struct adapter *a, struct op *op, const struct az_remain *remains, size_t n);
/* Whether nothing has it, but for one of these that nothing has itself. */
bool az_remain_is_free(const struct az_remain *r, const struct az_remain *others, size_t n);

#endif
