/* EC2's reads lag behind its orders: a machine that was just made may not be there yet for who asks
 * by its id (InvalidInstanceID.NotFound), for some seconds.
 */
#ifndef AWS_AWAIT_H
#define AWS_AWAIT_H

#include "aws_instances.h"

/* Whether the text has the form of an instance's id, so that no name is meant. Pure. */
bool aws_is_instance_id(const char *text);
/* Like aws_instance_find(); an id that is not known is asked for again, for a few seconds. Nobody
 * can tell one that was just given from one that is wrong, so the latter costs them, too: better
 * than a machine that "is deleted", and turns up. */
pb_ResultCode aws_instance_await(struct adapter *a, struct op *op, const char *wanted,
                                 struct aws_instance *ret) MUST_USE;

#endif
