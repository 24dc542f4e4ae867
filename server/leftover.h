/* The janitor: what bears a gateway's mark in a cloud, held against the journal. It reports, and
 * deletes on request only what is proved to be this gateway's and nobody's else.
 */
#ifndef ISOBAR_LEFTOVER_H
#define ISOBAR_LEFTOVER_H

#include "dispatch.h"

/* After the slot of ListLeftovers: give each its verdict, and drop those that are not asked for. On
 * a worker; reads the store. */
pb_ResultCode leftover_judge(struct call *c);
/* Before DeleteLeftover is an operation: whether the journal allows it. On a worker of the store's
 * lane. RESULT_CODE_OK, or says why not. */
pb_ResultCode leftover_check(struct call *c);

#endif
