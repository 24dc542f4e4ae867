/* What can be done to a machine that is there. */
#ifndef AZ_ACTIONS_H
#define AZ_ACTIONS_H

#include "az_states.h"

/* One action. */
struct az_action {
    const char *name;   /* in sentences: "start" */
    const char *order;  /* behind the machine's id: "deallocate" */
    const char *query;  /* "hibernate=true"; NULL: none */
    unsigned flags;     /* of the request */
    pb_VmState leads;   /* what the machine is as soon as the order is taken */
    const char *power;  /* the same in Azure's word; NULL: it keeps its own */
    pb_VmState done[2]; /* nothing has to be done there */
    /* Where Azure would take it for something else, and what to do instead. */
    struct {
        pb_VmState state;
        const char *advice;
    } refused[3];
};
extern const struct az_action az_start, az_stop, az_reboot, az_power_off, az_suspend, az_resume;

/* RESULT_CODE_OK: order it; RESULT_CODE_CHANGED: it is so already; FailedPrecondition with words.
 * Pure. */
pb_ResultCode az_action_judge(struct op *op, const struct az_action *action,
                              const struct az_vm *vm) MUST_USE;
/* POST; pure. */
struct az_request az_build_action(struct arena *a, const struct az_action *action, const char *id);
/* Send an order about a machine: what Azure says of its state gets the machine's words. */
pb_ResultCode az_order(struct adapter *a, struct op *op, const struct az_request *req,
                       const char *verb, const struct az_vm *vm, struct az_lro *ret) MUST_USE;
/* The machine after an order: `leads` as long as that goes on, else as Azure shows it. */
pb_Vm *az_vm_after(struct adapter *a, struct op *op, struct az_vm *vm, const struct az_lro *lro,
                   pb_VmState leads, const char *power);
/* "web", for sentences. */
const char *az_vm_words(const struct az_vm *vm);

#endif
