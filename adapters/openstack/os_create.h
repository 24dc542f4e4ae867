/* Making a machine, and deleting one together with what was made for it. */
#ifndef OS_CREATE_H
#define OS_CREATE_H

#include "os_servers.h"

/* In this order: port, floating IP, volumes that have to be there first, machine. All bear the
 * operation's token. If it fails on the way, what was made is deleted; if it is not known whether
 * the machine was ordered, it is looked for by its mark, and the rest is left as it is: a port
 * takes one machine only. */
pb_ResultCode openstack_create_vm(struct adapter *a, struct op *op, const pb_CreateVmRequest *req,
                                  pb_CreateVmResponse *ret);

/* The machine first, then its floating IP and port, which Nova leaves behind; at once, for Neutron
 * lets go of a port in use, and Nova does not miss it. A machine that is not there any more is
 * deleted. */
pb_ResultCode openstack_delete_vm(struct adapter *a, struct op *op, const pb_DeleteVmRequest *req,
                                  pb_DeleteVmResponse *ret);

/* The machine that an operation made, by its mark; RESULT_CODE_NOT_FOUND where there is none. */
pb_ResultCode os_server_by_mark(struct adapter *a, struct op *op, const char *token,
                                const char *mark, struct os_server *ret) MUST_USE;
/* Whether that very operation made it. Pure. */
bool os_server_is_ours(const struct os_server *s, const char *token, const char *mark);

#endif
