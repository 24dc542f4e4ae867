/* The adapter's slots, called in this process as the gateway would call them. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "conformance.h"
#include "isobar/clock.h"

/* One slot behind the signature that all have in common. */
#define SLOT_CALL(service, method, slot)                                                           \
    static pb_ResultCode call_##slot(const struct adapter_ops *ops, struct adapter *a,             \
                                     struct op *op, const void *req, void *rsp)                    \
    {                                                                                              \
        return ops->slot ? ops->slot(a, op, req, rsp)                                              \
                         : op_fail(op, RESULT_CODE_NOT_SUPPORTED, "there is no such slot");        \
    }
ADAPTER_METHODS(SLOT_CALL)

static const struct {
    const char *method;
    pb_ResultCode (*call)(const struct adapter_ops *ops, struct adapter *a, struct op *op,
                          const void *req, void *rsp);
} slots[] = {
#define SLOT_ROW(service, method, slot) {"isobar.v1." #service "/" #method, call_##slot},
    ADAPTER_METHODS(SLOT_ROW)};

static bool direct_open(struct run *t)
{
    struct setting items[SETTINGS_MAX];
    struct settings s = {.cloud = CLOUD, .items = items};
    struct open_error error = {""};

    s.n = t->harness->settings(t->scenario->fault, items);
    t->adapter = t->harness->ops->open(&s, &error);
    if (!t->adapter)
        run_fail(t, "it cannot be opened: %s", error.text);
    return t->adapter != NULL;
}

static bool direct_close(struct run *t)
{
    if (t->adapter)
        t->harness->ops->close(t->adapter);
    t->adapter = NULL;
    return true;
}

struct raiser {
    pthread_t thread;
    const struct run *t;
    int after_ms;
    int64_t raised_ns;
    struct cancel *flag;
};

static void *raise_later(void *arg)
{
    struct raiser *r = arg;

    run_await_fault(r->t);
    run_sleep(r->after_ms);
    r->raised_ns = clock_mono_ns();
    cancel_raise(r->flag);
    return NULL;
}

/* A create under a token that was used before is what the gateway calls resumed: it does so when
 * the one before has had its time to take effect. */
static bool was_there(const struct run *t, const char *token)
{
    for (size_t i = 0; i < t->n_tokens; i++)
        if (strcmp(t->tokens[i], token) == 0)
            return true;
    return false;
}

static bool direct_call(struct run *t, const struct ask *q, struct answer *ret)
{
    struct cancel cancelled = {0};
    struct raiser raiser = {.t = t, .after_ms = q->cancel_after_ms, .flag = &cancelled};
    int64_t begun = clock_mono_ns();
    const char *token = q->request_id ? q->request_id : "";
    bool resumed = q->resumed || (*token && was_there(t, token));
    if (resumed) {
        run_sleep(t->harness->settle_ms);
        begun = clock_mono_ns();
    }
    struct op op = {
        .arena = &t->arena,
        .deadline_ns = begun + (q->timeout_ms ? q->timeout_ms : CALL_MS) * NS_PER_MS,
        .token = token,
        .resumed = resumed,
        .request_id = token,
        .traceparent = "",
        .cancelled = &cancelled,
        .result = result_new(&t->arena),
    };
    void *rsp = run_message(t, q->rsp);
    size_t i = 0;

    while (i < ARRAY_LEN(slots) && strcmp(slots[i].method, q->method) != 0)
        i++;
    if (i == ARRAY_LEN(slots)) {
        run_fail(t, "no adapter has %s", q->method);
        return false;
    }
    if (q->cancel_after_ms)
        pthread_create(&raiser.thread, NULL, raise_later, &raiser);
    *ret = (struct answer){.code = slots[i].call(t->harness->ops, t->adapter, &op, q->req, rsp)};
    int64_t ended = clock_mono_ns();
    if (q->cancel_after_ms) {
        pthread_join(raiser.thread, NULL);
        begun = raiser.raised_ns;
    }
    ret->took_ms = (int)((ended - begun) / NS_PER_MS);
    ret->result = op.result;
    ret->message = rsp;
    ret->token = token;
    return true;
}

const struct caller caller_direct = {
    .way = "in process",
    .direct = true,
    .open = direct_open,
    .call = direct_call,
    .close = direct_close,
};
