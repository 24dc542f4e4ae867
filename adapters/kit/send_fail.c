/* What is said of a request that failed. */
#include <string.h>

#include "isobar/clock.h"
#include "send_errand.h"

/* "GET /v2.1/servers": the path without the query, in which there may be secrets. */
static const char *line_of(const struct errand *e)
{
    if (e->req->name)
        return e->req->name;
    const char *path = strstr(e->req->url, "://");

    path = path ? strchr(path + 3, '/') : NULL;
    return arena_printf(e->op->arena, "%s %.*s", e->req->method,
                        path ? (int)strcspn(path, "?#") : 1, path ? path : "/");
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
    bool possible = e->maybe_done || (e->failure.sent && !errand_is_read(e));

    if (outcome == HTTP_NOT_SENT && e->failure.permanent)
        v = &verdict_permanent;
    else if (e->failure.sent && !errand_is_idempotent(e) && outcome != HTTP_CANCELLED)
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
    int64_t after_ms = errand_retry_after_ms(e);
    pb_ResultCode code;

    result_begin(r);
    code = e->s->ops->map_error(e->s->ctx, e->op, e->req, &e->rsp);
    if (result_is_success(code))
        return code;
    if (after_ms >= 0 && !r->retry)
        op_retry(e->op, RETRY_CLASS_AFTER_BACKOFF, 0, RETRY_SCOPE_ACCOUNT);
    if (after_ms >= 0 && r->retry && r->retry->after_ms == 0)
        r->retry->after_ms = (uint32_t)after_ms;
    /* What the adapter calls so without having said it by is_throttle(). */
    if (code == RESULT_CODE_RATE_LIMITED && !errand_is_throttle(e))
        governor_throttled(&e->s->governor, errand_class(e), e->sent_ns, clock_mono_ns(), after_ms);
    /* An error of the cloud's own says nothing about how far it had come. */
    if (e->maybe_done || (e->rsp.status >= 500 && !errand_is_read(e) && !errand_is_throttle(e) &&
                          !errand_is_refusal(e))) {
        if (r->side_effects != SIDE_EFFECTS_CERTAIN)
            r->side_effects = SIDE_EFFECTS_POSSIBLE;
        if (!errand_is_idempotent(e) && r->retry && r->retry->class_ == RETRY_CLASS_AFTER_BACKOFF)
            r->retry->class_ = RETRY_CLASS_AFTER_LOOKUP;
    }
    return code;
}

pb_ResultCode errand_fail(struct errand *e)
{
    return e->outcome == HTTP_ANSWERED ? fail_answered(e) : fail_unanswered(e, e->outcome);
}

pb_ResultCode errand_fail_cancelled(struct errand *e)
{
    e->failure = (struct http_failure){.reason = "nobody waited for another attempt"};
    return fail_unanswered(e, HTTP_CANCELLED);
}

/* Nothing left this time; earlier attempts may have done something. */
static void begin_not_sent(struct errand *e, int64_t until_ns, pb_RetryScope scope)
{
    result_begin(e->op->result);
    e->op->result->side_effects = e->maybe_done ? SIDE_EFFECTS_POSSIBLE : SIDE_EFFECTS_NONE;
    op_retry(e->op, RETRY_CLASS_AFTER_BACKOFF, (uint32_t)clock_ms_left(until_ns), scope);
}

pb_ResultCode errand_fail_down(struct errand *e, const struct breaker_refusal *r)
{
    char since[CLOCK_TEXT_MAX];
    int64_t at = clock_wall_ns() - (clock_mono_ns() - r->since_ns);

    clock_format(at / NS_PER_SEC, 0, since);
    begin_not_sent(e, r->next_ns, RETRY_SCOPE_CLOUD);
    return op_fail(e->op, RESULT_CODE_UNAVAILABLE,
                   "%s: %s was not sent, since %s has been failing since %s (at last: %s); it is "
                   "asked again in %d ms",
                   e->s->what, line_of(e), r->authority, since, r->reason,
                   clock_ms_left(r->next_ns));
}

pb_ResultCode errand_fail_turn(struct errand *e, int64_t turn_ns)
{
    begin_not_sent(e, turn_ns, RETRY_SCOPE_ACCOUNT);
    return op_fail(e->op, RESULT_CODE_RATE_LIMITED,
                   "%s: %s was not sent: the cloud wants fewer calls, and its turn is in %d ms, "
                   "after the deadline; call less often or allow more time",
                   e->s->what, line_of(e), clock_ms_left(turn_ns));
}
