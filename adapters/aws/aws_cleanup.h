/* Taking away what was made together with a machine: only what bears the token of the operation
 * that made it. What cannot be proved ours is never deleted.
 */
#ifndef AWS_CLEANUP_H
#define AWS_CLEANUP_H

#include "aws_eni.h"

/* What goes with one machine. */
struct aws_remains {
    struct shape_list enis;      /* struct aws_eni */
    struct shape_list addresses; /* struct aws_address */
};

/* What bears the token of an operation. `instance_id` is the machine that it is for: what another
 * one uses is left out; NULL where no machine can have it. What nobody uses is left out where
 * another machine of the same operation is there, for it may be about to. */
pb_ResultCode aws_remains_find(struct adapter *a, struct op *op, const char *token,
                               const char *instance_id, struct aws_remains *ret) MUST_USE;
/* Before the machine goes: have EC2 delete its interfaces with it. Best effort. */
void aws_remains_bind(struct adapter *a, struct op *op, const struct aws_remains *r);
/* Release the addresses, delete the interfaces that are on no machine. What stays is named in
 * warnings of op->result; false where something does. */
bool aws_remains_delete(struct adapter *a, struct op *op, const struct aws_remains *r);
/* Release one address, and take it from where it is; RESULT_CODE_OK where it is gone already, too.
 */
pb_ResultCode aws_address_drop(struct adapter *a, struct op *op,
                               const struct aws_address *address) MUST_USE;

#endif
