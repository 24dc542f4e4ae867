/* The client library over a gateway that dies when it has a call in hand, and is started again. */
#include "client_fixture.h"

/* A call that changes something, on a thread of its own. */
struct change {
    struct setup *setup;
    const char *id, *request_id; /* of the machine; of the call, NULL: the library's own */
    uint32_t timeout_ms;
    pb_ResultCode code;
    pb_SideEffects effects;
    pb_RetryClass retry;
    char sent_id[64], reply_id[64]; /* the request id that the gateway saw; that the caller got */
    unsigned told_ms;               /* what the gateway was told of the time, at last */
    unsigned repeats;
    char why[256];
    pthread_t caller;
    bool other_thread;
};

static void on_repeat(void *data, const char *why)
{
    struct change *w = data;
    w->repeats++;
    w->other_thread |= !pthread_equal(pthread_self(), w->caller);
    snprintf(w->why, sizeof w->why, "%s", why);
}

static void *make_change(void *arg)
{
    struct change *w = arg;
    pb_StopVmRequest request;
    isobar__v1__stop_vm_request__init(&request);
    request.id = (char *)(uintptr_t)w->id;
    struct isobar_call_options options = {
        .timeout_ms = w->timeout_ms,
        .request_id = w->request_id,
        .on_repeat = on_repeat,
        .data = w,
    };
    struct isobar_reply r;
    w->caller = pthread_self();
    if (isobar_call(w->setup->client, "isobar.v1.VmService/StopVm", &request.base, &options, &r)) {
        /* The fake gateway answers with the machine in the same field as GetVm. */
        const pb_Vm *vm = ((const pb_StopVmResponse *)(const void *)r.message)->vm;
        snprintf(w->sent_id, sizeof w->sent_id, "%s", tag_of(vm, "request_id"));
        w->told_ms = (unsigned)atoi(tag_of(vm, "timeout_ms"));
    }
    memcpy(w->reply_id, r.request_id, sizeof w->reply_id);
    w->code = r.result->code;
    w->effects = r.result->side_effects;
    w->retry = r.result->retry ? r.result->retry->class_ : RETRY_CLASS_UNSPECIFIED;
    isobar_reply_done(&r);
    return NULL;
}

/* How often the gateway got the call. */
static unsigned times_seen(struct fake *f, const char *request_id)
{
    for (size_t i = 0; i < ARRAY_LEN(f->seen); i++)
        if (strcmp(f->seen[i].request_id, request_id) == 0)
            return f->seen[i].times;
    return 0;
}

/* Begin the change, and end the gateway as soon as it has the call. */
static pthread_t begin_and_kill(struct change *w)
{
    struct fake *f = &w->setup->gateway;
    pthread_t thread;
    unsigned before = atomic_load(&f->calls);
    assert_int_equal(pthread_create(&thread, NULL, make_change, w), 0);
    await_call(f, before, thread);
    fake_stop(f);
    return thread;
}

static void check_restart(struct setup *s, const char *request_id)
{
    struct change w = {
        .setup = s, .id = "silent:1", .request_id = request_id, .timeout_ms = LONG_MS};
    pthread_t thread = begin_and_kill(&w);
    /* For some attempts to connect there is nobody. */
    usleep(300000);
    assert_true(fake_start(&s->gateway));
    pthread_join(thread, NULL);
    assert_int_equal(w.code, RESULT_CODE_OK);
    if (request_id)
        assert_string_equal(w.sent_id, request_id);
    assert_string_equal(w.sent_id, w.reply_id);
    assert_int_equal(times_seen(&s->gateway, w.sent_id), 2);
    assert_int_equal(w.repeats, 1);
    assert_false(w.other_thread);
    assert_non_null(strstr(w.why, "was lost during the call"));
    /* The gateway is told what is left, so that it does not wait longer than the caller. */
    assert_in_range(w.told_ms, 1, LONG_MS - 300);
}

static void test_change_over_restart(void **state)
{
    check_restart(*state, NULL);
    check_restart(*state, "mine");
}

/* It dies with each call that it gets: that may be the call's fault, so there is an end. */
static void test_dies_again_and_again(void **state)
{
    struct setup *s = *state;
    struct change w = {.setup = s, .id = "silent", .request_id = "deadly", .timeout_ms = LONG_MS};
    pthread_t thread = begin_and_kill(&w);
    for (int i = 0; i < 2; i++) {
        unsigned before = atomic_load(&s->gateway.calls);
        assert_true(fake_start(&s->gateway));
        await_call(&s->gateway, before, thread);
        fake_stop(&s->gateway);
    }
    pthread_join(thread, NULL);
    assert_int_equal(w.code, RESULT_CODE_UNAVAILABLE);
    assert_int_equal(w.effects, SIDE_EFFECTS_POSSIBLE);
    assert_int_equal(w.retry, RETRY_CLASS_AFTER_LOOKUP);
    assert_int_equal(times_seen(&s->gateway, "deadly"), 3);
    assert_int_equal(w.repeats, 2);
    assert_true(fake_start(&s->gateway));
}

/* It stays away: the caller's time is the end, and the same id goes on where it was left. */
static void test_stays_away(void **state)
{
    struct setup *s = *state;
    expect_vm(s->client, "web"); /* its time is not for connecting */
    struct change w = {.setup = s, .id = "silent:1", .timeout_ms = 3000};
    pthread_t thread = begin_and_kill(&w);
    pthread_join(thread, NULL);
    assert_int_equal(w.code, RESULT_CODE_DEADLINE_EXCEEDED);
    assert_int_equal(w.effects, SIDE_EFFECTS_POSSIBLE);
    assert_int_equal(w.retry, RETRY_CLASS_AFTER_LOOKUP);
    assert_true(fake_start(&s->gateway));
    struct change again = {
        .setup = s, .id = "silent:1", .request_id = w.reply_id, .timeout_ms = LONG_MS};
    make_change(&again);
    assert_int_equal(again.code, RESULT_CODE_OK);
    assert_string_equal(again.sent_id, w.reply_id);
    assert_int_equal(again.repeats, 0);
    assert_int_equal(again.told_ms, LONG_MS);
}

int main(void)
{
    struct CMUnitTest tests[] = {
        cmocka_unit_test(test_change_over_restart),
        cmocka_unit_test(test_dies_again_and_again),
        cmocka_unit_test(test_stays_away),
    };
    return run_all(tests, ARRAY_LEN(tests));
}
