/* The functions of the list, a file a concern; the table is in conformance.c. */
#ifndef CONFORMANCE_SCENARIOS_H
#define CONFORMANCE_SCENARIOS_H

#include "conformance.h"

/* scenarios_create.c: one order, one machine */
void create_twice(struct run *t);
void create_resumed(struct run *t);
void create_resumed_after_nothing(struct run *t);
void lost_reply(struct run *t);
void rate_limited(struct run *t);
void refused(struct run *t);
void cancelled_in_process(struct run *t);
void cancelled_through_gateway(struct run *t);

/* scenarios_find.c: what is there, by id and by mark */
void get_missing(struct run *t);
void delete_twice(struct run *t);
void unknown_state(struct run *t);
void paging(struct run *t);
void operation_vms(struct run *t);
void leftovers(struct run *t);

/* scenarios_answer.c: answers that are none, and credentials */
void bad_answer(struct run *t);
void slow_answer(struct run *t);
void unauthorized(struct run *t);
void expired_clock(struct run *t);

#endif
