/* One exchange with a cloud, with all that makes it dependable: classification, retries, renewal of
 * credentials once. The only place that retries.
 */
#ifndef ISOBAR_KIT_SEND_H
#define ISOBAR_KIT_SEND_H

#include "kit/http.h"

/* What a sender needs of its adapter. One for each connection; shared by its threads. */
struct sender_ops {
    /* Add what authenticates to `req` (sign, or a token header), into op->arena. `renew`: the
     * credential used before was refused with 401; get another one first. NULL: nothing is added.
     */
    pb_ResultCode (*authenticate)(void *ctx, struct op *op, struct http_request *req, bool renew);
    /* Turn an answer that is no success into a result: fill in native and words by op_native(),
     * op_fail() and return the code. Pure. */
    pb_ResultCode (*map_error)(void *ctx, struct op *op, const struct http_request *req,
                               const struct http_response *rsp);
};

struct sender;
/* `what` names the cloud in sentences ("OpenStack cloud lab"); copied. The client is borrowed. */
struct sender *sender_new(struct http_client *client, const struct sender_ops *ops, void *ctx,
                          const char *what);
void sender_free(struct sender *s);

enum send_flags {
    SEND_IDEMPOTENT = 1, /* may be sent again after an ambiguous outcome or a 5xx; GET and HEAD
                            always may */
    SEND_NO_AUTH = 2,    /* do not call authenticate */
};

/* Send, and send again where that is allowed: never sent -> always; 429 and 503 -> after
 * Retry-After; 500, 502, 503, 504, 408 and ambiguous outcomes -> only SEND_IDEMPOTENT; full-jitter
 * backoff, 3 attempts, and a retry quota of the sender, so that an outage is not amplified. 401 ->
 * authenticate(renew) and one resend. Returns RESULT_CODE_OK with `ret` filled in for any 2xx (and
 * 3xx counts as failure).
 *
 * A failure replaces what the result said before, except for its warnings. Where no answer came:
 * what may have been done and is not idempotent is OutcomeUnknown, the rest Unavailable,
 * DeadlineExceeded or Cancelled. Where one came, map_error() says the code; what it leaves open is
 * added: retry.after_ms from Retry-After, and for a 5xx to what is no read that side effects are
 * possible. A wait that would pass the deadline is not begun: the failure at hand is told. */
pb_ResultCode send_request(struct sender *s, struct op *op, const struct http_request *req,
                           unsigned flags, struct http_response *ret) MUST_USE;

#endif
