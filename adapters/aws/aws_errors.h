/* What EC2 and STS say when they do not do something, into our result codes. Pure.
 *
 * Source: "Error codes for the Amazon EC2 API" of the EC2 developer guide, "Common errors" of the
 * STS API reference.
 */
#ifndef AWS_ERRORS_H
#define AWS_ERRORS_H

#include "kit/error.h"
#include "kit/http.h"

/* What stands in an error's body; "" where it does not say. */
struct aws_fault {
    const char *code; /* "InvalidInstanceID.NotFound" */
    const char *message;
    const char *request_id;
};

/* Any body at all. */
void aws_fault_read(struct arena *a, const struct http_response *rsp, struct aws_fault *ret);

extern const struct error_row aws_errors[]; /* the last one fits everything */
extern const size_t aws_errors_len;
const struct error_row *aws_error_find(const char *code, int status);

/* For struct sender_ops. `what` is the service as sentences name it ("EC2"), `cloud` the
 * connection's name, `source` where the credentials are from; NULL: none were used. */
pb_ResultCode aws_map_error(struct op *op, const char *what, const char *cloud, const char *source,
                            const struct http_response *rsp);
/* That the account is asked for too much; nothing was done. */
bool aws_is_throttle(const struct http_response *rsp);
/* That the code says what is refused, whatever the status: EC2 has no room with a 500. */
bool aws_is_refusal(const struct http_response *rsp);
/* That the session is over, or the key is not known (any more). */
bool aws_is_refused(const struct http_response *rsp);
/* That the signature's time is wrong; `signed_ns` is that time, nanoseconds since 1970. */
bool aws_is_clock_skew(const struct http_response *rsp, int64_t signed_ns);

#endif
