/* EC2 is eventually consistent: what was just made may not be there yet for who asks for it or
 * refers to it by its id, for some seconds.
 */
#ifndef AWS_AWAIT_H
#define AWS_AWAIT_H

#include "aws_instances.h"

/* Like aws_instance_find(); an id that is not known is asked for again, for a few seconds. Nobody
 * can tell one that was just given from one that is wrong, so the latter costs them, too: better
 * than a machine that "is deleted", and turns up. */
pb_ResultCode aws_instance_await(struct adapter *a, struct op *op, const char *wanted,
                                 struct aws_instance *ret) MUST_USE;
/* An order that needs what was made just before, and may be told that there is no such thing. */
pb_ResultCode aws_order_fresh(struct adapter *a, struct op *op, const struct aws_query *q,
                              const struct shape *shape, void *ret) MUST_USE;

#endif
