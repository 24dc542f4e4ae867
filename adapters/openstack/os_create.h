/* Making a machine, and deleting one together with what was made for it. */
#ifndef OS_CREATE_H
#define OS_CREATE_H

#include "os_servers.h"

/* In this order: port, floating IP, volumes that have to be there first, machine. All bear the
 * operation's token. With op->resumed, what is there already is taken instead of made again.
 * An answer that was lost: what it was about is looked for by its mark, and taken where it is
 * there. If it fails on the way, what was made is deleted, and side_effects says whether something
 * may be left. OutcomeUnknown: the rest is left as it is, for a port takes one machine only, and
 * the operation can be resumed. */
pb_ResultCode openstack_create_vm(struct adapter *a, struct op *op, const pb_CreateVmRequest *req,
                                  pb_CreateVmResponse *ret);

/* The machine first, then its floating IP and port, which Nova leaves behind; at once, for Neutron
 * lets go of a port in use, and Nova does not miss it. A machine that is not there any more is
 * deleted. */
pb_ResultCode openstack_delete_vm(struct adapter *a, struct op *op, const pb_DeleteVmRequest *req,
                                  pb_DeleteVmResponse *ret);

#endif
