/* One request on its way through its attempts: what the files send*.c share.
 *
 * send.c makes the attempts, send_retry.c says whether and when there is another one, send_fail.c
 * finds the words where there is none.
 */
#ifndef ISOBAR_KIT_SEND_ERRAND_H
#define ISOBAR_KIT_SEND_ERRAND_H

#include <stdatomic.h>

#include "kit/governor.h"
#include "kit/send.h"
#include "skew.h"

#define ATTEMPTS_MAX 3

struct sender {
    struct http_client *client;
    struct breakers *breakers; /* may be NULL */
    const struct sender_ops *ops;
    void *ctx;
    char *what;
    atomic_int quota; /* of retries */
    struct governor governor;
    struct skew skew;
};

struct errand {
    struct sender *s;
    struct op *op;
    const struct http_request *req; /* as the adapter made it */
    unsigned flags;
    int attempt;
    bool maybe_done; /* an attempt before this one may have changed something */
    bool timed_out;  /* an attempt before this one was cut off by its bound */
    bool at_hand;    /* the attempt before this one failed: that is what is told if this one is
                        not to be */
    bool renewed, renew, set_clock;
    int64_t sent_ns; /* when the last attempt left */
    bool down;       /* the breaker opened meanwhile */
    enum http_outcome outcome;
    struct http_response rsp;    /* where the outcome is HTTP_ANSWERED */
    struct http_failure failure; /* where it is not */
};

/* ---- send_retry.c ---- */

bool errand_is_read(const struct errand *e);
bool errand_is_idempotent(const struct errand *e);
/* Whether the answer says that calls come too fast. */
bool errand_is_throttle(const struct errand *e);
/* Whether a 5xx says no more than that the cloud does not want to. */
bool errand_is_refusal(const struct errand *e);
/* The delay that the answer asks for, milliseconds; -1 where it asks for none. */
int64_t errand_retry_after_ms(const struct errand *e);
/* Till when this attempt may last, which begins now. */
int64_t errand_attempt_deadline_ns(const struct errand *e, const struct breaker_pass *pass);
/* What the attempt says about the cloud; `ret_reason` is NULL or a clause. */
enum breaker_verdict errand_verdict(const struct errand *e, const struct breaker_pass *pass,
                                    int64_t now_ns, const char **ret_reason);
/* How long to wait before the next attempt; -1 where there is to be none: it is not allowed, or
 * there were enough, or the cloud is known to be down, or the wait would pass the deadline, or the
 * quota is used up. Pays for it. */
int64_t errand_next_ms(struct errand *e);
/* A success pays a little of the quota back. */
void errand_earn(struct errand *e);
void quota_init(struct sender *s);

/* ---- send_fail.c: say why, return the code ---- */

/* The last attempt is what failed. */
pb_ResultCode errand_fail(struct errand *e);
pb_ResultCode errand_fail_cancelled(struct errand *e);
pb_ResultCode errand_fail_down(struct errand *e, const struct breaker_refusal *r);
/* Its turn would have come at `turn_ns`. */
pb_ResultCode errand_fail_turn(struct errand *e, int64_t turn_ns);

/* "reads" or "changes". */
enum governor_class errand_class(const struct errand *e);

#endif
