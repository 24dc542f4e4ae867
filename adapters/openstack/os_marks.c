/* What bears our mark: filled in next. */
#include "os_marks.h"
#include "os.h"

pb_ResultCode openstack_list_operation_vms(struct adapter *a, struct op *op,
                                           const pb_ListOperationVmsRequest *req,
                                           pb_ListOperationVmsResponse *ret)
{
    (void)a, (void)req, (void)ret;
    return op_fail(op, RESULT_CODE_NOT_SUPPORTED, "not yet");
}

pb_ResultCode openstack_list_leftovers(struct adapter *a, struct op *op,
                                       const pb_ListLeftoversRequest *req,
                                       pb_ListLeftoversResponse *ret)
{
    (void)a, (void)req, (void)ret;
    return op_fail(op, RESULT_CODE_NOT_SUPPORTED, "not yet");
}

pb_ResultCode openstack_delete_leftover(struct adapter *a, struct op *op,
                                        const pb_DeleteLeftoverRequest *req,
                                        pb_DeleteLeftoverResponse *ret)
{
    (void)a, (void)req, (void)ret;
    return op_fail(op, RESULT_CODE_NOT_SUPPORTED, "not yet");
}
