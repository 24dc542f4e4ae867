/* Names and ids that Nova does not say of a machine: it has a flavor's name without its id, an
 * image's id without its name, a network's name without its id. They hardly ever change, so they
 * are kept for a minute, and reading a machine costs one request.
 *
 * Thread-safe. One thread asks the cloud anew; the others meanwhile take what is there.
 */
#ifndef OS_NAMES_H
#define OS_NAMES_H

#include "adapter.h"
#include "kit/shape.h"

struct os_names;

/* NULL where memory is short. */
struct os_names *os_names_new(void);
void os_names_free(struct os_names *n);

/* Fill in what is missing in the machines. What the cloud does not tell in time stays empty. */
void os_names_fill(struct adapter *a, struct op *op, pb_Vm **vms, size_t n);

#endif
