/* Taking away what was made together with a machine: only what bears the mark of the operation that
 * made it. What cannot be proved ours is never deleted.
 */
#ifndef OS_CLEANUP_H
#define OS_CLEANUP_H

#include "os_ports.h"

/* What goes with one machine. */
struct os_remains {
    size_t n_ports, n_fips, n_volumes;
    const char **ports, **fips, **volumes; /* ids */
};

/* What bears the mark of an operation, wherever it is: after a create that failed. */
pb_ResultCode os_remains_of_mark(struct adapter *a, struct op *op, const char *token,
                                 const char *mark, bool volumes, struct os_remains *ret) MUST_USE;
/* What bears the mark and is attached to this machine: before it is deleted. Its volumes are not
 * looked for: Nova deletes them. */
pb_ResultCode os_remains_of_server(struct adapter *a, struct op *op, const char *server_id,
                                   const char *mark, struct os_remains *ret) MUST_USE;

/* Delete it, floating IPs first. What stays is named in warnings of op->result; false where
 * something does. */
bool os_remains_delete(struct adapter *a, struct op *op, const struct os_remains *r);

#endif
