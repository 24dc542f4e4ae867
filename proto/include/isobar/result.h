/* Result codes: their words, and how a result is filled in. */
#ifndef ISOBAR_RESULT_H
#define ISOBAR_RESULT_H

#include "isobar/arena.h"
#include "isobar/pb.h"

struct result_info {
    pb_ResultCode code;
    const char *name;        /* "NotFound" */
    int http_status;         /* 404 */
    const char *http_reason; /* "Not Found" */
    const char *title;
};

/* What a code means; for a number that is none of ours, that of RESULT_CODE_UNSPECIFIED. The table
 * is generated from result.proto. */
const struct result_info *result_info(pb_ResultCode code);
/* The name of a code: "NotFound". */
const char *result_name(pb_ResultCode code);
/* OK, Created, Deleted, Changed or Accepted. */
bool result_is_success(pb_ResultCode code);

/* An empty result in the arena; NULL where that is exhausted, which the functions below bear: they
 * do nothing then. Their texts may hold anything: what is not UTF-8 is replaced. */
pb_Result *result_new(struct arena *a);
/* Set code and sentence, whose words come from the arguments. What retry class, blame and side
 * effects follow from the code alone is filled in where they are not set, or where they followed
 * from the code that was there before. Returns the code. */
pb_ResultCode result_fail(struct arena *a, pb_Result *r, pb_ResultCode code, const char *fmt, ...)
    PRINTF(4, 5);
pb_ResultCode result_vfail(struct arena *a, pb_Result *r, pb_ResultCode code, const char *fmt,
                           va_list args) PRINTF(4, 0);
/* These two leave the result as it is where the arena is exhausted. */
void result_add_violation(struct arena *a, pb_Result *r, const char *field, const char *fmt, ...)
    PRINTF(4, 5);
void result_add_warning(struct arena *a, pb_Result *r, const char *fmt, ...) PRINTF(3, 4);
/* A copy of all of it in another arena; NULL where that is exhausted. */
pb_Result *result_copy(struct arena *a, const pb_Result *r);

#endif
