/* What the settings make go wrong, before and after the true work. */
#include "sandbox.h"

#include <limits.h>
#include <stdarg.h>

/* How long a caller is told to wait after a refusal for its rate. */
#define RATE_LIMIT_AFTER_MS 1000

/* A number from 0 to below 1. SplitMix64: the state is a counter, so that threads draw without a
 * lock, each number once. */
static double draw(struct adapter *a)
{
    uint64_t z =
        atomic_fetch_add_explicit(&a->random, UINT64_C(0x9e3779b97f4a7c15), memory_order_relaxed);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    z ^= z >> 31;
    return (double)(z >> 11) / (double)(UINT64_C(1) << 53);
}

static bool happens(struct adapter *a, double rate)
{
    return rate > 0 && draw(a) < rate;
}

pb_ResultCode sandbox_refuse(struct op *op, pb_ResultCode code, int http_status, const char *word,
                             const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    const char *text = arena_vprintf(op->arena, fmt, args);
    va_end(args);
    op_native(op, http_status, word, text, op->request_id);
    op->result->side_effects = SIDE_EFFECTS_NONE;
    return op_fail(op, code, "%s", text);
}

/* The wait did not come to its end. */
static pb_ResultCode gave_up(struct op *op, pb_SideEffects effects)
{
    op->result->side_effects = effects;
    if (op_cancelled(op))
        return op_fail(op, RESULT_CODE_CANCELLED, "the caller has gone");
    return op_fail(op, RESULT_CODE_DEADLINE_EXCEEDED,
                   "the time was over before the cloud answered; allow more, or try later");
}

static pb_ResultCode hang(struct op *op, bool mutates)
{
    while (op_sleep_ms(op, INT_MAX))
        continue;
    /* Nothing has happened, but who waits for an answer that never comes cannot know. */
    return gave_up(op, mutates ? SIDE_EFFECTS_POSSIBLE : SIDE_EFFECTS_NONE);
}

static pb_ResultCode fail(struct op *op)
{
    return sandbox_refuse(op, RESULT_CODE_UNAVAILABLE, 503, "Broken",
                          "the sandbox fails this call, as its settings say; try again");
}

static pb_ResultCode limit(struct op *op)
{
    op_retry(op, RETRY_CLASS_AFTER_BACKOFF, RATE_LIMIT_AFTER_MS, RETRY_SCOPE_ACCOUNT);
    return sandbox_refuse(op, RESULT_CODE_RATE_LIMITED, 429, "SlowDown",
                          "too many calls, as the sandbox's settings say; try again in %d ms",
                          RATE_LIMIT_AFTER_MS);
}

/* Take the script's next step, where it is (or is not) the loss of a create's reply: that waits
 * until a create has come so far. */
static enum sandbox_fault take_step(struct adapter *a, bool lost_reply)
{
    const struct sandbox_script *script = &a->set.script;
    size_t at = atomic_load(&a->step);

    while (at < script->n && (script->faults[at] == SANDBOX_LOST_REPLY) == lost_reply)
        if (atomic_compare_exchange_weak(&a->step, &at, at + 1))
            return script->faults[at];
    return SANDBOX_OK;
}

pb_ResultCode sandbox_enter(struct adapter *a, struct op *op, bool mutates)
{
    const struct sandbox_settings *s = &a->set;

    if (s->latency_ms > 0 && !op_sleep_ms(op, (int)s->latency_ms))
        return gave_up(op, SIDE_EFFECTS_NONE);
    enum sandbox_fault step = mutates ? take_step(a, false) : SANDBOX_OK;
    if (step == SANDBOX_HANG || happens(a, s->hang_rate))
        return hang(op, mutates);
    if (step == SANDBOX_ERROR || happens(a, s->error_rate))
        return fail(op);
    if (step == SANDBOX_RATE_LIMIT || happens(a, s->rate_limit_rate))
        return limit(op);
    return RESULT_CODE_OK;
}

pb_ResultCode sandbox_leave_create(struct adapter *a, struct op *op, pb_ResultCode code)
{
    if (take_step(a, true) != SANDBOX_LOST_REPLY && !happens(a, a->set.lost_reply_rate))
        return code;
    op->result->side_effects = SIDE_EFFECTS_POSSIBLE;
    return op_fail(op, RESULT_CODE_OUTCOME_UNKNOWN,
                   "the order was sent and the reply was lost, as the sandbox's settings say; look "
                   "whether the machine is there before another try");
}
