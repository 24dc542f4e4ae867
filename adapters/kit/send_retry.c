/* Whether, when and for how long a request is tried. */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "isobar/clock.h"
#include "send_errand.h"

#define BACKOFF_BASE_MS 100
#define BACKOFF_CAP_MS  5000

/* The retry quota, a token bucket after the one of the AWS SDKs ("standard" retry mode): retries
 * are paid for, successes pay a little back. While a cloud is down no more than a tenth of the
 * requests that succeed are added as retries, after a first burst. */
#define QUOTA_FULL    100
#define QUOTA_RETRY   10
#define QUOTA_SUCCESS 1

/* An attempt that is cut off has had a third of the time, but not less than what a healthy cloud
 * may take, and no more than what a person would wait for it. */
#define ATTEMPT_PART   3
#define ATTEMPT_MIN_NS (3 * NS_PER_SEC)
#define ATTEMPT_MAX_NS (30 * NS_PER_SEC)
/* Nor is a cloud cut off that is just slow: there is time for so many times its slowest answer. */
#define ATTEMPT_USUAL 4

void quota_init(struct sender *s)
{
    atomic_init(&s->quota, QUOTA_FULL);
}

static bool quota_take(struct sender *s)
{
    int have = atomic_load_explicit(&s->quota, memory_order_relaxed);

    do {
        if (have < QUOTA_RETRY)
            return false;
    } while (!atomic_compare_exchange_weak(&s->quota, &have, have - QUOTA_RETRY));
    return true;
}

void errand_earn(struct errand *e)
{
    int have = atomic_load_explicit(&e->s->quota, memory_order_relaxed);

    while (have < QUOTA_FULL &&
           !atomic_compare_exchange_weak(&e->s->quota, &have, have + QUOTA_SUCCESS))
        ;
}

bool errand_is_read(const struct errand *e)
{
    return (e->flags & SEND_READ) || strcmp(e->req->method, "GET") == 0 ||
           strcmp(e->req->method, "HEAD") == 0;
}

bool errand_is_idempotent(const struct errand *e)
{
    return (e->flags & SEND_IDEMPOTENT) || errand_is_read(e);
}

enum governor_class errand_class(const struct errand *e)
{
    return errand_is_read(e) ? GOVERNOR_READS : GOVERNOR_CHANGES;
}

int64_t errand_retry_after_ms(const struct errand *e)
{
    return http_retry_after_ms(&e->rsp, clock_wall_ns() + skew_ns(&e->s->skew));
}

bool errand_is_throttle(const struct errand *e)
{
    const struct sender *s = e->s;

    if (e->rsp.status == 429)
        return !s->ops->is_busy || !s->ops->is_busy(s->ctx, &e->rsp);
    return (e->rsp.status == 503 && errand_retry_after_ms(e) >= 0) ||
           (s->ops->is_throttle && s->ops->is_throttle(s->ctx, &e->rsp));
}

bool errand_is_refusal(const struct errand *e)
{
    const struct sender *s = e->s;

    return s->ops->is_refusal && s->ops->is_refusal(s->ctx, &e->rsp);
}

int64_t errand_attempt_deadline_ns(const struct errand *e, const struct breaker_pass *pass)
{
    int64_t deadline = e->op->deadline_ns, now = clock_mono_ns(), left = deadline - now;
    int64_t bound = left / ATTEMPT_PART;

    /* A probe has to find out how slow the cloud is now. */
    if (!errand_is_idempotent(e) || e->timed_out || e->attempt == ATTEMPTS_MAX || pass->probe)
        return deadline;
    if (bound > ATTEMPT_MAX_NS)
        bound = ATTEMPT_MAX_NS;
    if (bound < ATTEMPT_MIN_NS)
        bound = ATTEMPT_MIN_NS;
    if (bound < pass->usual_ns * ATTEMPT_USUAL)
        bound = pass->usual_ns * ATTEMPT_USUAL;
    /* What is left for another attempt has to be worth it. */
    return bound + bound / 2 < left ? now + bound : deadline;
}

/* Whether a deadline of the caller's own has passed that left the cloud time enough. */
static bool was_patient(const struct errand *e, const struct breaker_pass *pass, int64_t now_ns)
{
    int64_t waited = now_ns - e->sent_ns;

    return waited >= ATTEMPT_MIN_NS && waited >= pass->usual_ns * ATTEMPT_USUAL;
}

enum breaker_verdict errand_verdict(const struct errand *e, const struct breaker_pass *pass,
                                    int64_t now_ns, const char **ret_reason)
{
    *ret_reason = e->failure.reason;
    switch (e->outcome) {
    case HTTP_NOT_SENT:
        /* What is wrong in the settings is better told each time. */
        return e->failure.permanent ? BREAKER_NEITHER : BREAKER_DOWN;
    case HTTP_AMBIGUOUS:
        return BREAKER_DOWN;
    case HTTP_DEADLINE:
        return was_patient(e, pass, now_ns) ? BREAKER_DOWN : BREAKER_NEITHER;
    case HTTP_CANCELLED:
        return BREAKER_NEITHER;
    case HTTP_TOO_LARGE:
        return BREAKER_GOOD;
    case HTTP_ANSWERED:
        break;
    }
    if (e->rsp.status < 500 || e->rsp.status == 501 || errand_is_throttle(e) ||
        errand_is_refusal(e))
        return BREAKER_GOOD;
    *ret_reason = arena_printf(e->op->arena, "it answered %d", e->rsp.status);
    return e->rsp.status >= 502 && e->rsp.status <= 504 ? BREAKER_DOWN : BREAKER_ERROR;
}

/* Full jitter: anything between nothing and the step, so that many that failed together do not come
 * back together. */
static int backoff_ms(int attempt)
{
    uint32_t step = BACKOFF_BASE_MS, random = 0;

    for (int i = 1; i < attempt && step < BACKOFF_CAP_MS; i++)
        step *= 2;
    if (step > BACKOFF_CAP_MS)
        step = BACKOFF_CAP_MS;
    if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
        return (int)step;
    return (int)(random % (step + 1));
}

static bool may_retry(const struct errand *e)
{
    switch (e->outcome) {
    case HTTP_NOT_SENT:
        return !e->failure.permanent;
    case HTTP_AMBIGUOUS:
        return errand_is_idempotent(e);
    case HTTP_ANSWERED:
        break;
    default:
        return false;
    }
    if (errand_is_throttle(e))
        return true;
    if (errand_is_refusal(e))
        return false;
    switch (e->rsp.status) {
    case 408:
    case 500:
    case 502:
    case 503:
    case 504:
        return errand_is_idempotent(e);
    default:
        return false;
    }
}

int64_t errand_next_ms(struct errand *e)
{
    int64_t ms = backoff_ms(e->attempt), asked = -1;

    if (e->attempt == ATTEMPTS_MAX || e->down || !may_retry(e))
        return -1;
    if (e->outcome == HTTP_ANSWERED)
        asked = errand_retry_after_ms(e);
    if (asked > ms)
        ms = asked;
    return ms < clock_ms_left(e->op->deadline_ns) && quota_take(e->s) ? ms : -1;
}
