/* What bears our mark in a cloud: machines by the operation that made them, and leftovers.
 *
 * A machine is made under a ClientToken that is the operation's token, and bears it as a tag, too.
 * EC2 alone gives a machine its ClientToken; a tag may have been copied ("launch more like this"),
 * so it counts only where there is no ClientToken.
 */
#ifndef AWS_MARKS_H
#define AWS_MARKS_H

#include "aws_instances.h"

/* All machines that an operation made (struct aws_instance), in whatever state, those that are gone
 * too. */
pb_ResultCode aws_instances_by_token(struct adapter *a, struct op *op, const char *token,
                                     struct shape_list *ret) MUST_USE;
/* Whether that very operation made it. Pure. */
bool aws_instance_is_ours(const struct aws_instance *i, const char *token);
/* The token of the operation that made it, or NULL. Pure. */
const char *aws_instance_token(const struct aws_instance *i);
/* Leave out what is gone, or bound to. Pure; in place. */
void aws_instances_alive(struct shape_list *list);

/* The token in a thing's tags, or NULL. Pure. */
const char *aws_thing_token(const struct aws_thing *t);
/* All of a kind whose tag is this token, or with NULL any. */
pb_ResultCode aws_things_by_token(struct adapter *a, struct op *op, const struct aws_kind *kind,
                                  const char *token, struct shape_list *ret) MUST_USE;

pb_ResultCode aws_list_operation_vms(struct adapter *a, struct op *op,
                                     const pb_ListOperationVmsRequest *req,
                                     pb_ListOperationVmsResponse *ret);

/* In aws_leftovers.c. In use is what something is attached to, and all that bears the mark of a
 * machine that is there: delete_vm takes that away. What a machine of the same mark has that is
 * gone, or bound to, is for nobody any more: its address is released at once, its interface as soon
 * as EC2 lets go of it. */
pb_ResultCode aws_list_leftovers(struct adapter *a, struct op *op,
                                 const pb_ListLeftoversRequest *req, pb_ListLeftoversResponse *ret);
pb_ResultCode aws_delete_leftover(struct adapter *a, struct op *op,
                                  const pb_DeleteLeftoverRequest *req,
                                  pb_DeleteLeftoverResponse *ret);

#endif
