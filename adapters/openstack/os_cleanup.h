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

/* What bears the mark of an operation. `server_id` is the machine that it is for: what another one
 * uses is left out, whatever it is called; NULL where no machine can have it. What nobody uses is
 * left out where another machine of the same operation is there, for it may be about to. Volumes
 * are looked for only where asked: those of a machine that is there go by Nova's own means. */
pb_ResultCode os_remains_find(struct adapter *a, struct op *op, const char *token,
                              const char *server_id, bool volumes, struct os_remains *ret) MUST_USE;

/* Delete one thing of a kind; RESULT_CODE_OK where it is gone already, too. */
pb_ResultCode os_drop(struct adapter *a, struct op *op, const struct os_kind *kind,
                      const char *id) MUST_USE;

/* Delete it, floating IPs first. What stays is named in warnings of op->result; false where
 * something does. */
bool os_remains_delete(struct adapter *a, struct op *op, const struct os_remains *r);

#endif
