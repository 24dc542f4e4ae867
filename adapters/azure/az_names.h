/* What hardly ever changes and is asked for with every machine: the sizes of a location. Kept for
 * some minutes. Thread-safe; one thread asks the cloud anew, the others meanwhile take what is
 * there.
 */
#ifndef AZ_NAMES_H
#define AZ_NAMES_H

#include "az.h"

/* NULL where memory is short. */
struct az_names *az_names_new(void);
/* NULL is allowed. */
void az_names_free(struct az_names *n);

/* Fill in what the sizes of the machines are. What the cloud does not tell in time stays empty. */
void az_names_fill(struct adapter *a, struct op *op, pb_Vm **vms, size_t n);

#endif
