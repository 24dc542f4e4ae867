/* What EC2 does not say of a machine and hardly ever changes: an image's name, a VPC's name, an
 * instance type's memory. Kept for some minutes, so that reading machines costs
 * one request.
 *
 * Thread-safe. One thread asks the cloud anew; the others meanwhile take what is there.
 */
#ifndef AWS_NAMES_H
#define AWS_NAMES_H

#include "adapter.h"

struct aws_names;

/* NULL where memory is short. */
struct aws_names *aws_names_new(void);
/* NULL is allowed. */
void aws_names_free(struct aws_names *n);

/* Fill in what is missing in the machines. What the cloud does not tell in time stays empty. */
void aws_names_fill(struct adapter *a, struct op *op, pb_Vm **vms, size_t n);

#endif
