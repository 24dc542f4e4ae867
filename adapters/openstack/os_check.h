/* Whether the cloud answers and takes our credentials, and what it offers. */
#ifndef OS_CHECK_H
#define OS_CHECK_H

#include "os.h"

pb_ResultCode openstack_check_cloud(struct adapter *a, struct op *op,
                                    const pb_CheckCloudRequest *req, pb_CheckCloudResponse *ret);

#endif
