#include "kit/send.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "isobar/clock.h"

#define ATTEMPTS_MAX    3
#define BACKOFF_BASE_MS 100
#define BACKOFF_CAP_MS  5000

/* The retry quota, a token bucket after the one of the AWS SDKs ("standard" retry mode): retries
 * are paid for, successes pay a little back. While a cloud is down no more than a tenth of the
 * requests that succeed are added as retries, after a first burst. */
#define QUOTA_FULL    100
#define QUOTA_RETRY   10
#define QUOTA_SUCCESS 1

struct sender {
    struct http_client *client;
    const struct sender_ops *ops;
    void *ctx;
    char *what;
    atomic_int quota;
};

/* One request on its way through its attempts. */
struct errand {
    struct sender *s;
    struct op *op;
    const struct http_request *req; /* as the adapter made it */
    unsigned flags;
    bool maybe_done;             /* an attempt before this one may have changed something */
    struct http_response *rsp;   /* where the outcome is HTTP_ANSWERED */
    struct http_failure failure; /* where it is not */
};

struct sender *sender_new(struct http_client *client, const struct sender_ops *ops, void *ctx,
                          const char *what)
{
    struct sender *s = calloc(1, sizeof(*s));

    if (!s)
        return NULL;
    s->what = strdup(what);
    if (!s->what) {
        free(s);
        return NULL;
    }
    s->client = client;
    s->ops = ops;
    s->ctx = ctx;
    atomic_init(&s->quota, QUOTA_FULL);
    return s;
}

void sender_free(struct sender *s)
{
    if (!s)
        return;
    free(s->what);
    free(s);
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

static void quota_give(struct sender *s)
{
    int have = atomic_load_explicit(&s->quota, memory_order_relaxed);

    while (have < QUOTA_FULL &&
           !atomic_compare_exchange_weak(&s->quota, &have, have + QUOTA_SUCCESS))
        ;
}

static bool is_read(const struct errand *e)
{
    return strcmp(e->req->method, "GET") == 0 || strcmp(e->req->method, "HEAD") == 0;
}

static bool is_idempotent(const struct errand *e)
{
    return (e->flags & SEND_IDEMPOTENT) || is_read(e);
}

/* "GET /v2.1/servers": the path without the query, in which there may be secrets. */
static const char *line_of(const struct errand *e)
{
    const char *path = strstr(e->req->url, "://");

    path = path ? strchr(path + 3, '/') : NULL;
    return arena_printf(e->op->arena, "%s %.*s", e->req->method,
                        path ? (int)strcspn(path, "?#") : 1, path ? path : "/");
}

/* The delay that an answer asks for; -1 where it asks for none. */
static int64_t retry_after_ms(const struct http_response *rsp)
{
    const char *value = http_header(rsp, "Retry-After"), *date = http_header(rsp, "Date");
    int64_t at, now;

    if (!value)
        return -1;
    if (isdigit((unsigned char)*value)) {
        unsigned long long seconds = strtoull(value, NULL, 10);
        return seconds > 86400 ? INT64_C(86400000) : (int64_t)seconds * 1000;
    }
    at = http_date(value);
    if (at < 0)
        return -1;
    /* The two clocks need not agree: what counts is the time between two dates of the cloud's. */
    now = date ? http_date(date) : -1;
    if (now < 0)
        now = clock_wall_ns() / NS_PER_SEC;
    if (at <= now)
        return 0;
    return at - now > 86400 ? INT64_C(86400000) : (at - now) * 1000;
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

/* Forget what was said about requests before: it is none of this one's failure. */
static void result_begin(pb_Result *r)
{
    r->native = NULL;
    r->retry = NULL;
    r->n_violations = 0;
    r->side_effects = SIDE_EFFECTS_UNSPECIFIED;
    r->blame = BLAME_CLOUD;
}

static bool is_throttle(const struct http_response *rsp)
{
    return rsp->status == 429 || (rsp->status == 503 && retry_after_ms(rsp) >= 0);
}

/* What is said where no answer came. */
static const struct verdict {
    pb_ResultCode code;
    pb_RetryClass retry;
    const char *advice;
} verdicts[] = {
    [HTTP_NOT_SENT] = {RESULT_CODE_UNAVAILABLE, RETRY_CLASS_AFTER_BACKOFF, "try again later"},
    [HTTP_AMBIGUOUS] = {RESULT_CODE_UNAVAILABLE, RETRY_CLASS_AFTER_BACKOFF, "try again later"},
    [HTTP_TOO_LARGE] = {RESULT_CODE_UNAVAILABLE, RETRY_CLASS_NEVER, "ask for less at a time"},
    [HTTP_DEADLINE] = {RESULT_CODE_DEADLINE_EXCEEDED, RETRY_CLASS_AFTER_BACKOFF,
                       "allow more time or try again later"},
    [HTTP_CANCELLED] = {RESULT_CODE_CANCELLED, RETRY_CLASS_AFTER_BACKOFF, "call again if need be"},
};
static const struct verdict verdict_permanent = {RESULT_CODE_UNAVAILABLE, RETRY_CLASS_NEVER,
                                                 "correct the connection's settings"};
static const struct verdict verdict_unknown = {
    RESULT_CODE_OUTCOME_UNKNOWN, RETRY_CLASS_AFTER_LOOKUP,
    "it may have happened all the same, look before trying again"};

static pb_ResultCode fail_unanswered(struct errand *e, enum http_outcome outcome)
{
    const struct verdict *v = &verdicts[outcome];
    bool possible = e->maybe_done || (e->failure.sent && !is_read(e));

    if (outcome == HTTP_NOT_SENT && e->failure.permanent)
        v = &verdict_permanent;
    else if (e->failure.sent && !is_idempotent(e) && outcome != HTTP_CANCELLED)
        v = &verdict_unknown;
    result_begin(e->op->result);
    if (outcome == HTTP_CANCELLED)
        e->op->result->blame = BLAME_CALLER;
    e->op->result->side_effects = possible ? SIDE_EFFECTS_POSSIBLE : SIDE_EFFECTS_NONE;
    op_retry(e->op, v->retry, 0, RETRY_SCOPE_CLOUD);
    return op_fail(e->op, v->code, "%s: %s failed: %s; %s", e->s->what, line_of(e),
                   e->failure.reason, v->advice);
}

static pb_ResultCode fail_answered(struct errand *e)
{
    pb_Result *r = e->op->result;
    int64_t after_ms = retry_after_ms(e->rsp);
    pb_ResultCode code;

    result_begin(r);
    code = e->s->ops->map_error(e->s->ctx, e->op, e->req, e->rsp);
    if (result_is_success(code))
        return code;
    if (after_ms >= 0 && !r->retry)
        op_retry(e->op, RETRY_CLASS_AFTER_BACKOFF, 0, RETRY_SCOPE_ACCOUNT);
    if (after_ms >= 0 && r->retry && r->retry->after_ms == 0)
        r->retry->after_ms = (uint32_t)after_ms;
    /* An error of the cloud's own says nothing about how far it had come. */
    if (e->maybe_done || (e->rsp->status >= 500 && !is_read(e) && !is_throttle(e->rsp))) {
        if (r->side_effects != SIDE_EFFECTS_CERTAIN)
            r->side_effects = SIDE_EFFECTS_POSSIBLE;
        if (!is_idempotent(e) && r->retry && r->retry->class_ == RETRY_CLASS_AFTER_BACKOFF)
            r->retry->class_ = RETRY_CLASS_AFTER_LOOKUP;
    }
    return code;
}

static bool may_retry(const struct errand *e, enum http_outcome outcome)
{
    switch (outcome) {
    case HTTP_NOT_SENT:
        return !e->failure.permanent;
    case HTTP_AMBIGUOUS:
        return is_idempotent(e);
    case HTTP_ANSWERED:
        break;
    default:
        return false;
    }
    switch (e->rsp->status) {
    case 429:
        return true;
    case 503:
        return is_idempotent(e) || is_throttle(e->rsp);
    case 408:
    case 500:
    case 502:
    case 504:
        return is_idempotent(e);
    default:
        return false;
    }
}

/* How long to wait before the next attempt; -1 where there is to be none: it is not allowed, or
 * there were enough, or the wait would pass the deadline, or the quota is used up. */
static int64_t next_attempt_ms(struct errand *e, enum http_outcome outcome, int attempt)
{
    int64_t ms = backoff_ms(attempt), asked = -1;

    if (attempt == ATTEMPTS_MAX || !may_retry(e, outcome))
        return -1;
    if (outcome == HTTP_ANSWERED)
        asked = retry_after_ms(e->rsp);
    if (asked > ms)
        ms = asked;
    return ms < clock_ms_left(e->op->deadline_ns) && quota_take(e->s) ? ms : -1;
}

/* Wait for the next attempt; false where a cancellation ended that. */
static bool wait_for_next(struct errand *e, enum http_outcome outcome, int64_t ms)
{
    bool refused = outcome == HTTP_NOT_SENT || (outcome == HTTP_ANSWERED && is_throttle(e->rsp));

    if (!refused && !is_read(e))
        e->maybe_done = true;
    e->failure = (struct http_failure){.reason = "nobody waited for another attempt"};
    return op_sleep_ms(e->op, (int)ms);
}

static bool has_auth(const struct errand *e)
{
    return e->s->ops->authenticate && !(e->flags & SEND_NO_AUTH);
}

/* One attempt; RESULT_CODE_OK means that it was made, with `ret_outcome`. */
static pb_ResultCode attempt_once(struct errand *e, bool renew, enum http_outcome *ret_outcome)
{
    struct http_request sent = *e->req;
    pb_ResultCode code = RESULT_CODE_OK;

    sent.resend_ok = is_idempotent(e);
    if (has_auth(e))
        code = e->s->ops->authenticate(e->s->ctx, e->op, &sent, renew);
    if (code == RESULT_CODE_OK)
        *ret_outcome = http_send(e->s->client, e->op, &sent, e->rsp, &e->failure);
    return code;
}

pb_ResultCode send_request(struct sender *s, struct op *op, const struct http_request *req,
                           unsigned flags, struct http_response *ret)
{
    struct http_response rsp = {0};
    struct errand e = {.s = s, .op = op, .req = req, .flags = flags, .rsp = &rsp};
    enum http_outcome outcome = HTTP_NOT_SENT;
    bool renewed = false, renew = false;

    for (int attempt = 1;;) {
        pb_ResultCode code = attempt_once(&e, renew, &outcome);

        renew = false;
        if (code != RESULT_CODE_OK) {
            if (e.maybe_done)
                op->result->side_effects = SIDE_EFFECTS_POSSIBLE;
            return code;
        }
        if (outcome == HTTP_ANSWERED && rsp.status >= 200 && rsp.status < 300) {
            quota_give(s);
            *ret = rsp;
            return RESULT_CODE_OK;
        }
        if (outcome == HTTP_ANSWERED && rsp.status == 401 && has_auth(&e) && !renewed) {
            renewed = renew = true;
            continue;
        }
        int64_t ms = next_attempt_ms(&e, outcome, attempt++);
        if (ms < 0)
            break;
        if (!wait_for_next(&e, outcome, ms))
            return fail_unanswered(&e, HTTP_CANCELLED);
    }
    return outcome == HTTP_ANSWERED ? fail_answered(&e) : fail_unanswered(&e, outcome);
}
