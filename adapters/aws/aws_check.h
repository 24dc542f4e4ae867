/* Whether EC2 answers, and who we are there. */
#ifndef AWS_CHECK_H
#define AWS_CHECK_H

#include "aws.h"

pb_ResultCode aws_check_cloud(struct adapter *a, struct op *op, const pb_CheckCloudRequest *req,
                              pb_CheckCloudResponse *ret);

#endif
