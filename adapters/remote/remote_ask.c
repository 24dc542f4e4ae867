/* One question made dependable: attempts, and whom they go to. */
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "isobar/clock.h"
#include "isobar/message.h"
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

/* Instances that one question goes to at most, one after the other. */
#define TRIED_MAX 16

/* One question on its way through its attempts. */
struct errand {
    struct adapter *a;
    struct op *op;
    const struct remote_question *q;
    struct arena scratch; /* for messages: only what they hold goes to the op's arena */
    const uint8_t *body;
    size_t body_len;
    struct instance *instance;         /* of the last attempt; held */
    struct sp_client *client;          /* of it, for that attempt */
    struct instance *tried[TRIED_MAX]; /* compared, not used: they may be gone */
    size_t n_tried;
    bool asked; /* there was one to ask, in this round */
    struct sp_reply reply;
    struct sp_failure failure;
    struct remote_answer *answer;
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
    pb_Step step = pb_Step_INIT;

    e->client = instance_client(e->instance);
    step.operation_id = text_of(e->q->changes ? op->token : "");
    step.resumed = e->q->changes && op->resumed;
    step.name_only = e->q->name_only;
    step.hops = op->hops + 1;
    call.method = text_of(e->q->method);
    call.request_id = text_of(op->request_id);
    call.timeout_ms = timeout_of(op);
    call.token = text_of(instance_token(e->instance));
    call.traceparent = text_of(op->traceparent);
    call.body.data = (uint8_t *)(uintptr_t)e->body;
    call.body.len = e->body_len;
    call.step = &step;
    wire.arena = &e->scratch;
    return sp_call(e->client, &wire, &call, &e->reply, &e->failure);
}

/* Whether the transport is at fault. */
static bool is_failure(enum sp_outcome outcome)
{
    return outcome == SP_NOT_SENT || outcome == SP_AMBIGUOUS;
}

/* Whether another attempt may be made: nothing was sent, or it changes nothing. */
static bool may_repeat(const struct errand *e, enum sp_outcome outcome)
{
    return is_failure(outcome) && !(e->q->changes && !e->q->name_only && e->failure.sent);
}

/* How long to wait before another round; -1 where there is to be none. */
static int next_round_ms(struct errand *e, int round)
{
    int ms = e->failure.stale ? 0 : backoff_ms(round);

    if (round == ATTEMPTS_MAX || e->failure.permanent || ms >= clock_ms_left(e->op->deadline_ns))
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
    bool possible = e->q->changes && !e->q->name_only && e->failure.sent;

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

/* ANSWERED, or how it failed: no reply at all is as if the connection had broken. */
static enum sp_outcome take_answer(struct errand *e, ProtobufCMessage *ret, pb_ResultCode *ret_code)
{
    const char *url = sp_client_url(e->client);
    pb_Reply *reply =
        isobar__v1__reply__unpack(arena_allocator(&e->scratch), e->reply.len, e->reply.data);
    bool ok = reply && reply->result && (!reply->noted || message_is_utf8(&reply->noted->base));
    ProtobufCMessage *body = NULL;

    if (ok && result_is_success(reply->result->code)) {
        body = protobuf_c_message_unpack(ret->descriptor, arena_allocator(e->op->arena),
                                         reply->body.len, reply->body.data);
        /* One machine with a name that is no text, and strict clients lose a list of all clouds. */
        ok = body ? message_is_utf8(body) && remote_fits(e->q, reply->result->code, body)
                  : e->op->arena->exhausted;
    }
    if (!ok) {
        e->failure = (struct sp_failure){.sent = true};
        snprintf(e->failure.reason, sizeof(e->failure.reason), "%s answered what is no reply to it",
                 url);
        return SP_AMBIGUOUS;
    }
    /* But for that they are words only, and the code counts. */
    message_mend(&reply->result->base);
    if (!e->a->own && remote_is_door(reply->result)) {
        e->failure = (struct sp_failure){.sent = false};
        snprintf(e->failure.reason, sizeof(e->failure.reason), "%s refuses this gateway: %.120s",
                 url, reply->result->detail);
        return SP_NOT_SENT;
    }
    quota_give(e->a);
    e->answer->who = arena_printf(e->op->arena, "%s %s", e->a->own ? "gateway" : "adapter", url);
    if (reply->noted)
        e->answer->noted = (pb_Noted *)(void *)message_copy(e->op->arena, &reply->noted->base);
    *ret_code = remote_result(e->a, e->op, e->answer->who, reply->result,
                              e->q->changes && !e->q->name_only);
    if (body && result_is_success(*ret_code))
        memcpy(ret, body, ret->descriptor->sizeof_message);
    return SP_ANSWERED;
}

/* ---- all of it ---- */

static enum instance_end end_of(const struct errand *e, enum sp_outcome outcome)
{
    if (outcome == SP_ANSWERED)
        return INSTANCE_ANSWERED;
    if (outcome == SP_TOO_LARGE || (outcome == SP_DEADLINE && e->failure.sent))
        return INSTANCE_LATE;
    return is_failure(outcome) && !e->failure.stale ? INSTANCE_FAILED : INSTANCE_UNHEARD;
}

/* One attempt at an instance; true where the question has come to its end. */
static bool try_one(struct errand *e, ProtobufCMessage *ret, pb_ResultCode *ret_code)
{
    enum sp_outcome outcome = attempt_once(e);

    if (outcome == SP_ANSWERED)
        outcome = take_answer(e, ret, ret_code);
    if (outcome != SP_ANSWERED && !may_repeat(e, outcome))
        *ret_code = fail_unanswered(e, outcome);
    instance_give(e->instance, e->client, end_of(e, outcome));
    return outcome == SP_ANSWERED || !may_repeat(e, outcome);
}

/* Each instance that there is, the next at once where one fails; false where none is left. */
static bool try_all(struct errand *e, ProtobufCMessage *ret, pb_ResultCode *ret_code)
{
    e->n_tried = 0;
    e->asked = false;
    for (int i = 0; i < TRIED_MAX; i++) {
        e->instance = group_take(e->a->group, e->op->token, e->tried, e->n_tried);
        if (!e->instance)
            return false;
        struct instance *asked = e->instance;
        e->asked = true;
        if (try_one(e, ret, ret_code))
            return true;
        /* Of a connection that was kept for too long, only the connection is known. */
        if (!e->failure.stale)
            e->tried[e->n_tried++] = asked;
    }
    return false;
}

static pb_ResultCode run(struct errand *e, ProtobufCMessage *ret)
{
    pb_ResultCode code = RESULT_CODE_INTERNAL_ERROR;

    for (int round = 1;; round++) {
        if (try_all(e, ret, &code))
            return code;
        if (!e->asked)
            snprintf(e->failure.reason, sizeof(e->failure.reason),
                     "no process that serves cloud \"%s\" is in service", group_cloud(e->a->group));
        int ms = next_round_ms(e, round);
        if (ms < 0)
            return fail_unanswered(e, SP_NOT_SENT);
        if (!op_sleep_ms(e->op, ms)) {
            e->failure = (struct sp_failure){.reason = "nobody waited for another attempt"};
            return fail_unanswered(e, SP_CANCELLED);
        }
    }
}

pb_ResultCode remote_ask(struct adapter *a, struct op *op, const struct remote_question *q,
                         ProtobufCMessage *ret, struct remote_answer *ret_answer)
{
    struct errand e = {.a = a, .op = op, .q = q, .answer = ret_answer};
    size_t len = protobuf_c_message_get_packed_size(q->req);
    pb_ResultCode code;

    *ret_answer = (struct remote_answer){"", NULL};
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
