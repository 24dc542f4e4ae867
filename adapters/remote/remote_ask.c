/* One question to the other gateway made dependable. */
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "isobar/clock.h"
#include "isobar/result.h"
#include "remote.h"

#define ATTEMPTS_MAX    3
#define BACKOFF_BASE_MS 100
/* As in kit/send.c: a retry costs so much, each answer gives one back, so that a gateway that is
 * away gets few. */
#define QUOTA_FULL  100
#define QUOTA_RETRY 10
/* What the other gateway does not get of the time, so that what it says at the end of its own still
 * finds us. At most, and as a part of what is left. */
#define MARGIN_MS   20
#define MARGIN_PART 20

/* One question on its way through its attempts. */
struct errand {
    struct adapter *a;
    struct op *op;
    const struct remote_question *q;
    struct arena scratch; /* for messages: only what they hold goes to the op's arena */
    const uint8_t *body;
    size_t body_len;
    bool earlier; /* a try before this one may have got somewhere */
    struct sp_reply reply;
    struct sp_failure failure;
};

static bool quota_take(struct adapter *a)
{
    int have = atomic_load_explicit(&a->quota, memory_order_relaxed);

    do {
        if (have < QUOTA_RETRY)
            return false;
    } while (!atomic_compare_exchange_weak(&a->quota, &have, have - QUOTA_RETRY));
    return true;
}

static void quota_give(struct adapter *a)
{
    int have = atomic_load_explicit(&a->quota, memory_order_relaxed);

    while (have < QUOTA_FULL && !atomic_compare_exchange_weak(&a->quota, &have, have + 1))
        ;
}

/* Full jitter: anything between nothing and the step. */
static int backoff_ms(int attempt)
{
    uint32_t step = (uint32_t)(BACKOFF_BASE_MS << (attempt - 1)), random = 0;

    if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
        return (int)step;
    return (int)(random % (step + 1));
}

/* ---- one attempt ---- */

static uint32_t timeout_of(const struct op *op)
{
    int left = clock_ms_left(op->deadline_ns);
    int margin = left / MARGIN_PART < MARGIN_MS ? left / MARGIN_PART : MARGIN_MS;

    return left > margin ? (uint32_t)(left - margin) : 1; /* 0 would be the gateway's default */
}

static char *text_of(const char *text)
{
    return (char *)(uintptr_t)(text ? text : "");
}

static enum sp_outcome attempt_once(struct errand *e)
{
    struct op *op = e->op;
    struct op wire = *op;
    pb_Call call = pb_Call_INIT;

    /* By its request id the other gateway's journal knows an order that comes again. */
    call.method = text_of(e->q->method);
    call.request_id = text_of(e->q->changes ? op->token : op->request_id);
    call.timeout_ms = timeout_of(op);
    call.token = e->a->token;
    call.traceparent = text_of(op->traceparent);
    call.body.data = (uint8_t *)(uintptr_t)e->body;
    call.body.len = e->body_len;
    size_t len = isobar__v1__call__get_packed_size(&call);
    uint8_t *data = arena_alloc(&e->scratch, len);
    e->failure = (struct sp_failure){.reason = "there is no memory for the request"};
    if (!data)
        return SP_NOT_SENT;
    isobar__v1__call__pack(&call, data);
    wire.arena = &e->scratch;
    enum sp_outcome outcome = sp_send(e->a->client, &wire, data, len, &e->reply, &e->failure);
    explicit_bzero(data, len); /* the token is in it */
    return outcome;
}

/* How long to wait before the next attempt; -1 where there is to be none. What was sent may be sent
 * again, an order too: it bears the same request id, under which the other gateway, having taken
 * it, answers with the operation that it became. */
static int next_attempt_ms(struct errand *e, enum sp_outcome outcome, int attempt)
{
    int ms = e->failure.stale ? 0 : backoff_ms(attempt);

    if (attempt == ATTEMPTS_MAX || e->failure.permanent ||
        (outcome != SP_NOT_SENT && outcome != SP_AMBIGUOUS))
        return -1;
    if (ms >= clock_ms_left(e->op->deadline_ns))
        return -1;
    return e->failure.stale || quota_take(e->a) ? ms : -1;
}

/* ---- what is said where no answer came ---- */

static const struct verdict {
    pb_ResultCode code;
    pb_RetryClass retry;
    const char *advice;
} verdicts[] = {
    [SP_NOT_SENT] = {RESULT_CODE_UNAVAILABLE, RETRY_CLASS_AFTER_BACKOFF, "try again later"},
    [SP_AMBIGUOUS] = {RESULT_CODE_UNAVAILABLE, RETRY_CLASS_AFTER_BACKOFF, "try again later"},
    [SP_TOO_LARGE] = {RESULT_CODE_UNAVAILABLE, RETRY_CLASS_NEVER, "ask for less at a time"},
    [SP_DEADLINE] = {RESULT_CODE_DEADLINE_EXCEEDED, RETRY_CLASS_AFTER_BACKOFF,
                     "allow more time or try again later"},
    [SP_CANCELLED] = {RESULT_CODE_CANCELLED, RETRY_CLASS_AFTER_BACKOFF, "call again if need be"},
};
static const struct verdict verdict_permanent = {RESULT_CODE_UNAVAILABLE, RETRY_CLASS_NEVER,
                                                 "correct the connection's settings"};
static const struct verdict verdict_unknown = {
    RESULT_CODE_OUTCOME_UNKNOWN, RETRY_CLASS_AFTER_LOOKUP,
    "it may have happened all the same, look before trying again"};

static pb_ResultCode fail_unanswered(struct errand *e, enum sp_outcome outcome)
{
    const struct verdict *v = e->failure.permanent ? &verdict_permanent : &verdicts[outcome];
    pb_Result *r = e->op->result;
    bool possible = e->q->changes && (e->earlier || e->failure.sent);

    if (possible && outcome != SP_CANCELLED)
        v = &verdict_unknown;
    r->code = RESULT_CODE_UNSPECIFIED;
    r->native = NULL;
    r->n_violations = 0;
    r->blame = outcome == SP_CANCELLED ? BLAME_CALLER : BLAME_CLOUD;
    r->side_effects = possible ? SIDE_EFFECTS_POSSIBLE : SIDE_EFFECTS_NONE;
    op_retry(e->op, v->retry, 0, RETRY_SCOPE_CLOUD);
    return op_fail(e->op, v->code, "%s failed: %s; %s", e->q->method, e->failure.reason, v->advice);
}

/* ---- the answer ---- */

static pb_ResultCode fail_nonsense(struct errand *e)
{
    snprintf(e->failure.reason, sizeof(e->failure.reason), "%s answered what is no reply to it",
             sp_client_url(e->a->client));
    e->failure.sent = true;
    return fail_unanswered(e, SP_AMBIGUOUS);
}

static pb_ResultCode take_answer(struct errand *e, ProtobufCMessage *ret)
{
    pb_Reply *reply =
        isobar__v1__reply__unpack(arena_allocator(&e->scratch), e->reply.len, e->reply.data);

    if (!reply || !reply->result)
        return fail_nonsense(e);
    quota_give(e->a);
    pb_ResultCode code = remote_result(e->a, e->op, reply->result, e->q->changes, e->earlier);
    if (!result_is_success(code))
        return code;
    ProtobufCMessage *body = protobuf_c_message_unpack(
        ret->descriptor, arena_allocator(e->op->arena), reply->body.len, reply->body.data);
    if (!body)
        return fail_nonsense(e);
    memcpy(ret, body, ret->descriptor->sizeof_message);
    return code;
}

/* ---- all of it ---- */

static pb_ResultCode run(struct errand *e, ProtobufCMessage *ret)
{
    for (int attempt = 1;; attempt++) {
        enum sp_outcome outcome = attempt_once(e);

        if (outcome == SP_ANSWERED)
            return take_answer(e, ret);
        int ms = next_attempt_ms(e, outcome, attempt);
        if (ms < 0)
            return fail_unanswered(e, outcome);
        e->earlier |= e->failure.sent && e->q->changes;
        if (!op_sleep_ms(e->op, ms)) {
            e->failure = (struct sp_failure){.reason = "nobody waited for another attempt"};
            return fail_unanswered(e, SP_CANCELLED);
        }
    }
}

pb_ResultCode remote_ask(struct adapter *a, struct op *op, const struct remote_question *q,
                         ProtobufCMessage *ret)
{
    struct errand e = {.a = a, .op = op, .q = q, .earlier = q->changes && op->resumed};
    size_t len = protobuf_c_message_get_packed_size(q->req);
    pb_ResultCode code;

    /* The answer, and the bytes that are cut out of it. */
    arena_init(&e.scratch, 3 * SP_REPLY_MAX);
    uint8_t *body = arena_alloc(&e.scratch, len + 1);
    if (body) {
        protobuf_c_message_pack(q->req, body);
        e.body = body;
        e.body_len = len;
        code = run(&e, ret);
    } else {
        code = op_fail(op, RESULT_CODE_INTERNAL_ERROR, "there is no memory for the request");
    }
    arena_done(&e.scratch);
    return code;
}
