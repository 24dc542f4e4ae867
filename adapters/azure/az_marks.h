/* What bears our mark in a cloud: machines by the operation that made them, and leftovers.
 *
 * A machine has a name of its own and the token as a tag. What is made beside it is named by the
 * token, and bears the tag, too. Azure copies a machine's tags to the disks that it makes with it,
 * policies copy a group's to what is in it, and people copy tags with templates: so nothing is ours
 * by its tag alone. A disk that is to be kept is not named by the token.
 */
#ifndef AZ_MARKS_H
#define AZ_MARKS_H

#include "az_vms.h"

/* A thing of any type, as lists of Resources show it. */
struct az_resource {
    struct az_thing thing;
    const char *type; /* "Microsoft.Compute/virtualMachines" */
};

/* The token in a thing's tags, or NULL. Pure. */
const char *az_thing_token(const struct az_thing *t);
/* Whether it is one that an operation made beside a machine: by its tag and its name. NULL: any
 * operation. Pure. */
bool az_thing_is_ours(const struct az_thing *t, const char *token);
/* Whether a machine has this token as its tag: it may be a copy. Pure. */
bool az_vm_has_tag(const struct az_vm *vm, const char *token);
/* Whether it is a machine that this operation made: it has the system disk or the interface, too,
 * that are named by the token, and that only one machine can have. Pure. */
bool az_vm_is_ours(struct arena *a, const struct az_vm *vm, const char *token);
/* Whether it is about to go. Pure. */
bool az_vm_is_going(const struct az_vm *vm);

/* Everything whose tag is this token (struct az_resource), as the list of Resources has it: it may
 * lag, and its tags and states are not told. Each is to be looked at again. Of all resource groups,
 * whatever the connection's: an order may name another one. */
pb_ResultCode az_resources_by_token(struct adapter *a, struct op *op, const char *token,
                                    struct shape_list *ret) MUST_USE;
/* Those of them that are machines with this tag, as they are now (struct az_vm); what is gone is
 * left out. */
pb_ResultCode az_vms_of(struct adapter *a, struct op *op, const struct shape_list *resources,
                        const char *token, struct shape_list *ret) MUST_USE;

#endif
