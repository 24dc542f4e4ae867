/* What bears our mark in a cloud: machines by the operation that made them, and leftovers. */
#ifndef OS_MARKS_H
#define OS_MARKS_H

#include "os_servers.h"

/* All machines that an operation made (struct os_server), in whatever state Nova shows them; not
 * those that are gone. By their tag, or where the microversion has none by their metadata, which
 * takes a list of all machines. */
pb_ResultCode os_servers_by_mark(struct adapter *a, struct op *op, const char *token,
                                 struct shape_list *ret) MUST_USE;
/* Whether that very operation made it. Pure. */
bool os_server_is_ours(const struct os_server *s, const char *token, const char *mark);
/* The token of the operation that made it, or NULL. Pure. */
const char *os_server_token(const struct os_server *s);

pb_ResultCode openstack_list_operation_vms(struct adapter *a, struct op *op,
                                           const pb_ListOperationVmsRequest *req,
                                           pb_ListOperationVmsResponse *ret);

/* In os_leftovers.c. In use is what something is attached to, and all that bears the mark of a
 * machine that is there: delete_vm takes that away. Volumes that are to outlive their machine are
 * no leftovers. */
pb_ResultCode openstack_list_leftovers(struct adapter *a, struct op *op,
                                       const pb_ListLeftoversRequest *req,
                                       pb_ListLeftoversResponse *ret);
pb_ResultCode openstack_delete_leftover(struct adapter *a, struct op *op,
                                        const pb_DeleteLeftoverRequest *req,
                                        pb_DeleteLeftoverResponse *ret);

#endif
