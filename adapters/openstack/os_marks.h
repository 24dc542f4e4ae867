/* What bears our mark in a cloud: machines by the operation that made them, and leftovers. */
#ifndef OS_MARKS_H
#define OS_MARKS_H

#include "adapter.h"

pb_ResultCode openstack_list_operation_vms(struct adapter *a, struct op *op,
                                           const pb_ListOperationVmsRequest *req,
                                           pb_ListOperationVmsResponse *ret);
pb_ResultCode openstack_list_leftovers(struct adapter *a, struct op *op,
                                       const pb_ListLeftoversRequest *req,
                                       pb_ListLeftoversResponse *ret);
pb_ResultCode openstack_delete_leftover(struct adapter *a, struct op *op,
                                        const pb_DeleteLeftoverRequest *req,
                                        pb_DeleteLeftoverResponse *ret);

#endif
