/* What Entra ID says when it gives no token, into our result codes. Pure.
 *
 * Source: "Microsoft Entra authentication and authorization error codes".
 */
#ifndef AZ_LOGIN_ERRORS_H
#define AZ_LOGIN_ERRORS_H

#include "adapter.h"
#include "kit/http.h"

/* One row of the table: the first that fits is what it means. */
struct az_login_row {
    int64_t number;    /* of AADSTS; 0: any */
    const char *error; /* of OAuth; NULL: any */
    int status;        /* 0: any */
    pb_ResultCode code;
    pb_RetryClass retry;
    const char *meaning; /* NULL: in its own words */
    const char *advice;  /* what to do */
};
extern const struct az_login_row az_login_errors[]; /* the last one fits everything */
extern const size_t az_login_errors_len;

/* What it said. */
struct az_login_fault {
    int64_t number;      /* of AADSTS; 0: none */
    const char *error;   /* of OAuth; "" where there is none */
    const char *message; /* one line without the number; "" where there is none */
    const char *request_id;
};
void az_login_fault_read(struct arena *a, const struct http_response *rsp,
                         struct az_login_fault *ret);
const struct az_login_row *az_login_error_find(int status, const struct az_login_fault *fault);

/* For struct sender_ops. `cloud` is the connection's name, `what` the credentials' for sentences,
 * `authority` the URL that was asked. */
pb_ResultCode az_map_login_error(struct op *op, const char *cloud, const char *what,
                                 const char *authority, const struct http_response *rsp);

#endif
