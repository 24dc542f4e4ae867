/* What can be done to a machine that is there. */
#ifndef AWS_ACTIONS_H
#define AWS_ACTIONS_H

#include "aws_instances.h"

/* One action. */
struct aws_action {
    const char *name;   /* in sentences: "start" */
    const char *action; /* "StartInstances" */
    const char *option; /* a parameter that is true: "Hibernate"; NULL: none */
    const char *reason; /* of the state that it leads to; NULL: none */
    unsigned flags;     /* of the request */
    pb_VmState done[2]; /* nothing has to be done there */
    /* Where EC2 would take it for something else, and what to do instead. */
    struct {
        pb_VmState state;
        const char *advice;
    } refused[3];
};
extern const struct aws_action aws_start, aws_stop, aws_reboot, aws_suspend, aws_resume;

/* What an action is for a machine: RESULT_CODE_CHANGED where nothing is to be done,
 * RESULT_CODE_FAILED_PRECONDITION with words in op->result, else RESULT_CODE_OK. Pure. */
pb_ResultCode aws_action_judge(struct op *op, const struct aws_action *action,
                               const struct aws_instance *i) MUST_USE;
/* The order; pure. */
void aws_build_action(struct aws_query *q, struct arena *a, const struct aws_action *action,
                      const char *id, bool dry_run);
/* An order to one machine, whose new state goes into `i`. FailedPrecondition with the machine's own
 * state where that is what is wrong. */
pb_ResultCode aws_order_change(struct adapter *a, struct op *op, const struct aws_query *q,
                               const char *verb, struct aws_instance *i) MUST_USE;
/* The machine's name for sentences: "web (i-0123)". */
const char *aws_instance_words(struct arena *a, const struct aws_instance *i);

pb_ResultCode aws_start_vm(struct adapter *a, struct op *op, const pb_StartVmRequest *req,
                           pb_StartVmResponse *ret);
pb_ResultCode aws_stop_vm(struct adapter *a, struct op *op, const pb_StopVmRequest *req,
                          pb_StopVmResponse *ret);
pb_ResultCode aws_reboot_vm(struct adapter *a, struct op *op, const pb_RebootVmRequest *req,
                            pb_RebootVmResponse *ret);
pb_ResultCode aws_suspend_vm(struct adapter *a, struct op *op, const pb_SuspendVmRequest *req,
                             pb_SuspendVmResponse *ret);
pb_ResultCode aws_resume_vm(struct adapter *a, struct op *op, const pb_ResumeVmRequest *req,
                            pb_ResumeVmResponse *ret);
/* In aws_resize.c */
pb_ResultCode aws_resize_vm(struct adapter *a, struct op *op, const pb_ResizeVmRequest *req,
                            pb_ResizeVmResponse *ret);

#endif
