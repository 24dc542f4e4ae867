/* A create on its way: the orders, each of which can be made again without making anything twice.
 */
#ifndef AZ_MAKING_H
#define AZ_MAKING_H

#include "az_plan.h"
#include "az_vms.h"

struct az_making {
    struct adapter *a;
    struct op *op;   /* with all of the time */
    struct op steps; /* the same, with the time for what is to be made */
    struct az_plan plan;
    /* How far it came. */
    bool asked_ip, asked_nic, asked_vm;
    struct az_lro nic; /* of the interface, as long as it is made */
    struct az_vm vm;   /* as it was last seen; without an id it was not */
    bool going;        /* another machine that has the name is being deleted */
    /* An order was not answered: it may be carried out later. */
    bool open;
};

/* Whether a failure leaves open whether the order was carried out. */
bool az_is_open(const struct op *op, pb_ResultCode code);

/* What goes before the machine: its resource group where that is asked for, a public address, a
 * network interface. Each is ordered and not waited for, unless Azure wants that. az_make_network.c
 */
pb_ResultCode az_make_network(struct az_making *m) MUST_USE;
/* Send an order that refers to what was ordered before. Where Azure says that this is not there
 * yet, wait for it, and send it again. */
pb_ResultCode az_order_patiently(struct az_making *m, struct op *op, const struct az_request *req,
                                 const struct az_lro *before, struct az_lro *ret) MUST_USE;

#endif
