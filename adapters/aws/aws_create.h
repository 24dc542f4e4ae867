/* The slots that make machines and take them away. */
#ifndef AWS_CREATE_H
#define AWS_CREATE_H

#include "adapter.h"

pb_ResultCode aws_create_vm(struct adapter *a, struct op *op, const pb_CreateVmRequest *req,
                            pb_CreateVmResponse *ret);
pb_ResultCode aws_delete_vm(struct adapter *a, struct op *op, const pb_DeleteVmRequest *req,
                            pb_DeleteVmResponse *ret);

#endif
