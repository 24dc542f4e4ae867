/* A create on its way: the orders, each of which can be made again without making anything twice.
 */
#ifndef AWS_MAKING_H
#define AWS_MAKING_H

#include "aws_eni.h"
#include "aws_instances.h"

struct aws_making {
    struct adapter *a;
    struct op *op;   /* with all of the time */
    struct op steps; /* the same, with the time for what is to be made */
    struct aws_plan plan;
    /* How far it came. */
    const char *eni_id;           /* made for it; NULL: none */
    struct aws_address address;   /* allocated for it; without an id none is */
    struct aws_instance instance; /* as it was last seen */
    bool asked_run;
    /* An order was not answered, and nothing of it was seen: it may be carried out later. */
    bool open;
};

/* Whether a failure leaves open whether the order was carried out. */
bool aws_is_open(const struct op *op, pb_ResultCode code);
/* The token was used before, for an order that was not quite the same: it was carried out then. */
bool aws_is_mismatch(const struct op *op);

/* The interface and the address that a static one takes; nothing where the plan has none.
 * aws_make_network.c */
pb_ResultCode aws_make_network(struct aws_making *m) MUST_USE;
/* When what an order whose answer was lost has made is looked for: milliseconds after the look
 * before. */
enum { AWS_LOOKS = 4 };
extern const int aws_look_after_ms[AWS_LOOKS];
/* What is put right once the machine is there; what fails is a warning. aws_make_after.c */
void aws_make_after(struct aws_making *m);

#endif
