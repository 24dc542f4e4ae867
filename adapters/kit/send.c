#include "kit/send.h"

#include <stdlib.h>
#include <string.h>

#include "isobar/clock.h"
#include "send_errand.h"

struct sender *sender_new(struct http_client *client, struct breakers *breakers,
                          const struct sender_ops *ops, void *ctx, const char *what)
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
    s->breakers = breakers;
    s->ops = ops;
    s->ctx = ctx;
    quota_init(s);
    governor_init(&s->governor);
    skew_init(&s->skew);
    return s;
}

void sender_free(struct sender *s)
{
    if (!s)
        return;
    if (!s)
        return;
    governor_done(&s->governor);
    free(s->what);
    free(s);
}

int64_t sender_clock_offset_ns(const struct sender *s)
{
    return skew_ns(&s->skew);
}

/* Wait until the governor lets the request go. RESULT_CODE_OK: it may. */
static pb_ResultCode wait_for_turn(struct errand *e)
{
    struct governor *g = &e->s->governor;
    enum governor_class class = errand_class(e);

    for (;;) {
        int64_t now = clock_mono_ns(), late = 0;
        int64_t turn = governor_reserve(g, class, now, e->op->deadline_ns, &late);

        /* Where the deadline has passed already, http_send() says so. */
        if (turn == 0 && now < e->op->deadline_ns)
            return e->at_hand ? errand_fail(e) : errand_fail_turn(e, late);
        if (turn <= now)
            return RESULT_CODE_OK;
        if (!op_sleep_ms(e->op, clock_ms_left(turn)) && op_cancelled(e->op))
            return errand_fail_cancelled(e);
        if (governor_turn_holds(g, class, clock_mono_ns()))
            return RESULT_CODE_OK;
    }
}

static bool has_auth(const struct errand *e)
{
    return e->s->ops->authenticate && !(e->flags & SEND_NO_AUTH);
}

/* The exchange, within what is allotted to one attempt. */
static void exchange(struct errand *e, const struct http_request *sent,
                     const struct breaker_pass *pass)
{
    struct op mine = *e->op;

    mine.deadline_ns = errand_attempt_deadline_ns(e, pass);
    governor_sent(&e->s->governor, errand_class(e), clock_mono_ns());
    e->outcome = http_send(e->s->client, &mine, sent, &e->rsp, &e->failure);
    if (e->outcome == HTTP_DEADLINE && mine.deadline_ns < e->op->deadline_ns) {
        e->timed_out = true;
        e->outcome = e->failure.sent ? HTTP_AMBIGUOUS : HTTP_NOT_SENT;
    }
}

/* What the attempt tells about the cloud, for the requests that follow. */
static void learn(struct errand *e, const struct breaker_pass *pass)
{
    struct sender *s = e->s;
    int64_t now = clock_mono_ns(), sample;
    const char *reason;

    if (s->breakers) {
        enum breaker_verdict verdict = errand_verdict(e, pass, now, &reason);
        e->down = breaker_leave(s->breakers, pass, verdict, reason, now);
    }
    if (e->outcome != HTTP_ANSWERED)
        return;
    if (skew_sample(&e->rsp, clock_wall_ns(), now - e->sent_ns, &sample))
        skew_learn(&s->skew, sample);
    int64_t left = s->ops->calls_left ? s->ops->calls_left(s->ctx, &e->rsp) : -1;
    if (left >= 0)
        governor_left(&s->governor, errand_class(e), now, left);
    if (e->rsp.status >= 400 && errand_is_throttle(e))
        governor_throttled(&s->governor, errand_class(e), e->sent_ns, now,
                           errand_retry_after_ms(e));
}

/* One attempt. RESULT_CODE_OK means that it was made; else all is said. */
static pb_ResultCode attempt_once(struct errand *e)
{
    struct http_request sent = *e->req;
    struct breaker_refusal refusal;
    struct breaker_pass pass = {0};
    pb_ResultCode code = wait_for_turn(e);

    if (code != RESULT_CODE_OK)
        return code;
    if (e->s->breakers &&
        !breaker_enter(e->s->breakers, e->req->url, clock_mono_ns(), &pass, &refusal))
        return e->at_hand ? errand_fail(e) : errand_fail_down(e, &refusal);
    sent.resend_ok = errand_is_idempotent(e);
    if (has_auth(e))
        code = e->s->ops->authenticate(e->s->ctx, e->op, &sent, e->renew);
    e->renew = false;
    if (code != RESULT_CODE_OK) {
        if (e->s->breakers)
            breaker_leave(e->s->breakers, &pass, BREAKER_NEITHER, NULL, clock_mono_ns());
        if (e->maybe_done)
            e->op->result->side_effects = SIDE_EFFECTS_POSSIBLE;
        return code;
    }
    e->sent_ns = clock_mono_ns();
    exchange(e, &sent, &pass);
    learn(e, &pass);
    return RESULT_CODE_OK;
}

/* Whether the cloud refused how the request was authenticated, and that can be mended, once. */
static bool mend(struct errand *e)
{
    const struct sender *s = e->s;
    int64_t sample;

    if (e->outcome != HTTP_ANSWERED || e->rsp.status < 400 || !has_auth(e))
        return false;
    if (!e->set_clock && s->ops->is_clock_skew && s->ops->is_clock_skew(s->ctx, &e->rsp) &&
        skew_sample(&e->rsp, clock_wall_ns(), clock_mono_ns() - e->sent_ns, &sample)) {
        skew_set(&e->s->skew, sample);
        return e->set_clock = true;
    }
    if (e->renewed ||
        (e->rsp.status != 401 && !(s->ops->is_refused && s->ops->is_refused(s->ctx, &e->rsp))))
        return false;
    return e->renewed = e->renew = true;
}

/* Wait for the next attempt; false where a cancellation ended that. */
static bool wait_for_next(struct errand *e, int64_t ms)
{
    bool refused =
        e->outcome == HTTP_NOT_SENT || (e->outcome == HTTP_ANSWERED && errand_is_throttle(e));

    if (!refused && !errand_is_read(e))
        e->maybe_done = true;
    return op_sleep_ms(e->op, (int)ms);
}

pb_ResultCode send_request(struct sender *s, struct op *op, const struct http_request *req,
                           unsigned flags, struct http_response *ret)
{
    struct errand e = {.s = s, .op = op, .req = req, .flags = flags, .attempt = 1};

    for (;;) {
        pb_ResultCode code = attempt_once(&e);

        if (code != RESULT_CODE_OK)
            return code;
        if (e.outcome == HTTP_ANSWERED && e.rsp.status >= 200 && e.rsp.status < 300) {
            errand_earn(&e);
            *ret = e.rsp;
            return RESULT_CODE_OK;
        }
        e.at_hand = !mend(&e);
        if (!e.at_hand)
            continue;
        int64_t ms = errand_next_ms(&e);
        if (ms < 0)
            return errand_fail(&e);
        e.attempt++;
        if (!wait_for_next(&e, ms))
            return errand_fail_cancelled(&e);
    }
}
