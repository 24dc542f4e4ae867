/* What is done to machines that are there: start, stop, reboot, suspend, resume, resize. */
#ifndef OS_ACTIONS_H
#define OS_ACTIONS_H

#include "os_servers.h"

/* One action: its order to Nova, and what to do where Nova says that the state does not fit. */
struct os_action {
    const char *name;   /* for people: "start" */
    const char *body;   /* of POST /servers/ID/action */
    bool again;         /* may be ordered twice */
    pb_VmState done[2]; /* nothing is left to do */
    struct {
        const char *status; /* of Nova; from there it is another order that does it */
        const char *body;
    } instead[2];
};

extern const struct os_action os_start, os_stop, os_reboot, os_reboot_hard, os_suspend, os_resume;

/* The order that a server in this state needs; NULL: none, it is done. Pure. */
const char *os_action_body(const struct os_action *action, const struct os_server *s);

pb_ResultCode openstack_start_vm(struct adapter *a, struct op *op, const pb_StartVmRequest *req,
                                 pb_StartVmResponse *ret);
pb_ResultCode openstack_stop_vm(struct adapter *a, struct op *op, const pb_StopVmRequest *req,
                                pb_StopVmResponse *ret);
pb_ResultCode openstack_reboot_vm(struct adapter *a, struct op *op, const pb_RebootVmRequest *req,
                                  pb_RebootVmResponse *ret);
pb_ResultCode openstack_suspend_vm(struct adapter *a, struct op *op, const pb_SuspendVmRequest *req,
                                   pb_SuspendVmResponse *ret);
pb_ResultCode openstack_resume_vm(struct adapter *a, struct op *op, const pb_ResumeVmRequest *req,
                                  pb_ResumeVmResponse *ret);
/* Resizes and confirms: Nova keeps the old machine until then. */
pb_ResultCode openstack_resize_vm(struct adapter *a, struct op *op, const pb_ResizeVmRequest *req,
                                  pb_ResizeVmResponse *ret);

#endif
