/* What an order under the same token has made already: an earlier try's, or one of this try whose
 * answer was lost. Only what bears the mark and nobody else uses is taken or deleted.
 */
#ifndef OS_EARLIER_H
#define OS_EARLIER_H

#include "os_plan.h"

/* Each sets its output where it finds something, and leaves it where there is nothing (with
 * RESULT_CODE_OK). RESULT_CODE_OUTCOME_UNKNOWN: a machine of the operation has it, or it cannot be
 * seen who does; then nothing may be ordered. */

/* The port that a machine can have: the oldest one that is free. Others that are free are deleted
 * first: an order that was sent on one of them, and is still under way, fails on it. */
pb_ResultCode os_earlier_port(struct adapter *a, struct op *op, const struct os_plan *p,
                              const char **ret_id) MUST_USE;
/* A floating IP that was made for the plan: on the port, or on none; others on none are deleted. */
pb_ResultCode os_earlier_fip(struct adapter *a, struct op *op, const struct os_plan *p,
                             const char *port_id, struct os_fip *ret) MUST_USE;
/* A volume like `v`, but not one of the plan's. */
pb_ResultCode os_earlier_volume(struct adapter *a, struct op *op, const struct os_plan *p,
                                const struct os_new_volume *v, struct os_volume *ret) MUST_USE;
/* Delete the volumes that bear the mark and are free, but for the plan's. What stays is named in a
 * warning. */
void os_earlier_tidy(struct adapter *a, struct op *op, const struct os_plan *p);

#endif
