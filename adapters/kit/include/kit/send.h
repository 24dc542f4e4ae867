/* One exchange with a cloud, with all that makes it dependable: classification, retries, renewal of
 * credentials once, a breaker, a governor. The only place that retries.
 */
#ifndef ISOBAR_KIT_SEND_H
#define ISOBAR_KIT_SEND_H

#include "kit/breaker.h"
#include "kit/http.h"

/* What a sender needs of its adapter. One for each connection; shared by its threads. What may be
 * NULL says so. */
struct sender_ops {
    /* Add what authenticates to `req` (sign, or a token header), into op->arena. Called for each
     * attempt. `renew`: the credential used before was refused with 401; get another one first.
     * NULL: nothing is added. */
    pb_ResultCode (*authenticate)(void *ctx, struct op *op, struct http_request *req, bool renew);
    /* Turn an answer that is no success into a result: fill in native and words by op_native(),
     * op_fail() and return the code. Pure. */
    pb_ResultCode (*map_error)(void *ctx, struct op *op, const struct http_request *req,
                               const struct http_response *rsp);
    /* Whether an answer that is no success says "too fast", and that nothing was done: of use where
     * a cloud has a code of its own for it ("RequestLimitExceeded"). A 429, and a 503 with
     * Retry-After, always do. NULL: no other. */
    bool (*is_throttle)(void *ctx, const struct http_response *rsp);
    /* Whether a 429 is none of that: what was asked for is busy, and nothing else is to wait for
     * it. It is an answer like others then. NULL: it never is. */
    bool (*is_busy)(void *ctx, const struct http_response *rsp);
    /* Whether a 5xx is a refusal all the same ("no room for such a machine"): nothing was done, the
     * same again is refused again, and nothing is wrong with the cloud. NULL: it never is. */
    bool (*is_refusal)(void *ctx, const struct http_response *rsp);
    /* Whether the cloud refused the request because of the time in its signature. It is
     * authenticated and sent once more then, with the offset of this answer. NULL: it never is. */
    bool (*is_clock_skew)(void *ctx, const struct http_response *rsp);
    /* Whether the cloud refused the credential, where it says so with something else than a 401:
     * authenticate(renew) and one resend then too. NULL: it never does. */
    bool (*is_refused)(void *ctx, const struct http_response *rsp);
    /* How many requests are left to the account for now, by an answer's headers; -1 where it does
     * not say. NULL: no answer says. */
    int64_t (*calls_left)(void *ctx, const struct http_response *rsp);
};

struct sender;
/* `what` names the cloud in sentences ("OpenStack cloud lab"); copied. The client and the breakers
 * are borrowed: all senders of a connection share one of each. No breakers (NULL): each request is
 * sent, whatever became of those before it. */
struct sender *sender_new(struct http_client *client, struct breakers *breakers,
                          const struct sender_ops *ops, void *ctx, const char *what);
/* NULL is allowed. */
void sender_free(struct sender *s);

/* How far the cloud's clock is ahead of ours, nanoseconds, for who signs with the time: learned
 * from its answers, 0 before the first. Any thread. */
int64_t sender_clock_offset_ns(const struct sender *s);

enum send_flags {
    SEND_IDEMPOTENT = 1, /* may be sent again after an ambiguous outcome or a 5xx; GET and HEAD
                            always may */
    SEND_NO_AUTH = 2,    /* do not call authenticate */
    SEND_READ = 4,       /* it changes nothing, as GET and HEAD: a POST that asks; idempotent too */
};

/* Send, and send again where that is allowed: never sent -> always; a throttle -> after
 * Retry-After; 500, 502, 503, 504, 408 and ambiguous outcomes -> only what is idempotent;
 * full-jitter backoff, 3 attempts, and a retry quota of the sender, so that an outage is not
 * amplified. 401 -> authenticate(renew) and one resend; so with the clock. Returns RESULT_CODE_OK
 * with `ret` filled in for any 2xx (and 3xx counts as failure).
 *
 * An authority that is down is not asked: Unavailable at once, without side effects, with
 * retry.after_ms till the next probe. Where the cloud wants fewer calls, a call waits for its turn;
 * one whose turn comes after its deadline is told RateLimited at once.
 *
 * The first attempt of what is idempotent gets a third of the time, so that a server which hangs
 * does not use up all of it; a second one after such a time-out gets the rest.
 *
 * A failure replaces what the result said before, except for its warnings. Where no answer came:
 * what may have been done and is not idempotent is OutcomeUnknown, the rest Unavailable,
 * DeadlineExceeded or Cancelled. Where one came, map_error() says the code; what it leaves open is
 * added: retry.after_ms from Retry-After, and for a 5xx to what is no read that side effects are
 * possible. A wait that would pass the deadline is not begun: the failure at hand is told. */
pb_ResultCode send_request(struct sender *s, struct op *op, const struct http_request *req,
                           unsigned flags, struct http_response *ret) MUST_USE;

#endif
