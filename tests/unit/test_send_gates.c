/* What is not sent, or not waited for: breakers, turns and the time of one attempt. */
#include "send_fixture.h"

/* ---- Breakers ---- */

/* Ask till a call is refused without having been sent: a slow machine may come in time for a probe
 * or two. */
static void ask_till_refused(struct fixture *f)
{
    for (int i = 0; i < 50; i++) {
        unsigned before = requests(f);
        renew_op(f, 30000);
        assert_int_equal(get(f), RESULT_CODE_UNAVAILABLE);
        if (requests(f) == before)
            return;
    }
    fail_msg("the breaker did not open");
}

static void a_cloud_that_is_down_is_not_asked(void **state)
{
    static const struct stub_step down[] = {{.deed = STUB_CLOSE}};
    static const struct stub_step up[] = {{0}};
    struct fixture f;
    const pb_Result *r;

    (void)state;
    open_fixture(&f, down, 1);
    renew_sender(&f, true);
    ask_till_refused(&f);
    r = f.op.result;
    assert_failure(&f, SIDE_EFFECTS_NONE, RETRY_CLASS_AFTER_BACKOFF);
    assert_int_equal(r->retry->scope, RETRY_SCOPE_CLOUD);
    assert_true(r->retry->after_ms <= 3000);
    assert_non_null(strstr(r->detail, "Test cloud lab: GET /v2/things was not sent"));
    assert_non_null(strstr(r->detail, "http://127.0.0.1:"));
    assert_non_null(strstr(r->detail, "closed the connection without an answer"));
    assert_null(strstr(r->detail, "hush"));
    assert_int_equal(f.cloud.mapped, 0);

    /* It comes back by itself. */
    stub_script(&f.stub, up, 1);
    pb_ResultCode code = RESULT_CODE_UNAVAILABLE;
    for (int i = 0; i < 100 && code != RESULT_CODE_OK; i++) {
        usleep(f.op.result->retry->after_ms * 1000 + 1000);
        renew_op(&f, 30000);
        code = post(&f);
        assert_true(code == RESULT_CODE_OK || f.op.result->side_effects == SIDE_EFFECTS_NONE);
    }
    assert_int_equal(code, RESULT_CODE_OK);
    close_fixture(&f);
}

/* Both senders of a connection know what one of them found. */
static void senders_share_what_they_know(void **state)
{
    static const struct stub_step down[] = {{.status = 503}};
    struct sender *first;
    struct fixture f;

    (void)state;
    open_fixture(&f, down, 1);
    renew_sender(&f, true);
    ask_till_refused(&f);
    assert_non_null(strstr(f.op.result->detail, "it answered 503"));
    first = f.sender;
    f.sender = sender_new(f.client, f.breakers, &ops, &f.cloud, "Test cloud login");
    ask_till_refused(&f);
    assert_non_null(strstr(f.op.result->detail, "Test cloud login"));
    /* Not one of its own: five failures would have gone before. */
    assert_true(requests(&f) < 10);
    sender_free(first);
    close_fixture(&f);
}

static void refusals_open_no_breaker(void **state)
{
    static const struct stub_step refusing[] = {{.status = 404}};
    static const struct stub_step throttling[] = {{.status = 503, .headers = "Retry-After: 0\r\n"}};
    struct http_request bad = {.method = "GET", .url = "http://127.0.0.1:1 /"};
    struct fixture f;

    (void)state;
    open_fixture(&f, refusing, 1);
    renew_sender(&f, true);
    for (int i = 0; i < 30; i++)
        assert_int_equal(get(&f), RESULT_CODE_NOT_FOUND);
    assert_int_equal(requests(&f), 30);
    /* A caller in a hurry says nothing about the cloud, nor does a request that is none. */
    stub_script(&f.stub, (struct stub_step[]){{.deed = STUB_HANG}}, 1);
    for (int i = 0; i < 15; i++) {
        renew_op(&f, 20);
        assert_int_equal(get(&f), RESULT_CODE_DEADLINE_EXCEEDED);
    }
    for (int i = 0; i < 15; i++) {
        renew_op(&f, 30000);
        assert_int_equal(send_request(f.sender, &f.op, &bad, 0, &f.rsp), RESULT_CODE_UNAVAILABLE);
        assert_int_equal(f.op.result->retry->class_, RETRY_CLASS_NEVER);
    }
    stub_script(&f.stub, throttling, 1);
    for (int i = 0; i < 8; i++) {
        renew_op(&f, 30000);
        assert_int_equal(post(&f), RESULT_CODE_UNAVAILABLE);
        assert_int_equal(f.op.result->native->http_status, 503);
    }
    close_fixture(&f);
}

enum { CALLERS = 16, CALLS = 50 };

static void *call_often(void *arg)
{
    struct fixture *all = arg;
    struct fixture mine = {.sender = all->sender};
    struct http_request req = {.method = "GET", .url = stub_url(&all->stub, "/")};

    arena_init(&mine.arena, (size_t)1 << 20);
    for (int i = 0; i < CALLS; i++) {
        renew_op(&mine, 30000);
        if (send_request(mine.sender, &mine.op, &req, 0, &mine.rsp) != RESULT_CODE_UNAVAILABLE)
            abort();
    }
    arena_done(&mine.arena);
    return NULL;
}

static void many_callers_ask_a_dead_cloud_seldom(void **state)
{
    static const struct stub_step down[] = {{.status = 502}};
    pthread_t threads[CALLERS];
    struct fixture f;

    (void)state;
    open_fixture(&f, down, 1);
    renew_sender(&f, true);
    for (size_t i = 0; i < CALLERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, call_often, &f), 0);
    for (size_t i = 0; i < CALLERS; i++)
        pthread_join(threads[i], NULL);
    assert_true(requests(&f) < CALLERS * CALLS / 2);
    close_fixture(&f);
}

/* ---- Turns ---- */

static void a_class_that_is_closed_is_not_asked(void **state)
{
    static const struct stub_step closed[] = {{.status = 429, .headers = "Retry-After: 3600\r\n"},
                                              {.status = 201}};
    struct fixture f;

    (void)state;
    open_fixture(&f, closed, 2);
    assert_int_equal(get(&f), RESULT_CODE_RATE_LIMITED);
    assert_int_equal(f.op.result->retry->after_ms, 3600000);
    renew_op(&f, 30000);
    assert_int_equal(get(&f), RESULT_CODE_RATE_LIMITED);
    assert_int_equal(requests(&f), 1);
    assert_failure(&f, SIDE_EFFECTS_NONE, RETRY_CLASS_AFTER_BACKOFF);
    assert_int_equal(f.op.result->retry->scope, RETRY_SCOPE_ACCOUNT);
    /* The governor believes five minutes of it. */
    assert_in_range(f.op.result->retry->after_ms, 1, 300000);
    assert_non_null(strstr(f.op.result->detail, "the cloud wants fewer calls"));
    assert_null(f.op.result->native);
    /* Changes are another class. */
    assert_int_equal(post(&f), RESULT_CODE_OK);
    assert_int_equal(requests(&f), 2);
    close_fixture(&f);
}

static void an_adapter_knows_throttles_of_its_own(void **state)
{
    static const struct stub_step by_code[] = {{.status = 400, .body = "RequestLimitExceeded"},
                                               {.status = 201}};
    static const struct stub_step by_result[] = {{.status = 413, .headers = "Retry-After: 60\r\n"}};
    struct fixture f;

    (void)state;
    open_fixture(&f, by_code, 2);
    assert_int_equal(post(&f), RESULT_CODE_OK);
    assert_int_equal(requests(&f), 2);

    /* By what map_error() makes of it. */
    stub_script(&f.stub, by_result, 1);
    renew_sender(&f, false);
    for (int i = 0; i < 2; i++) {
        renew_op(&f, 20000);
        assert_int_equal(post(&f), RESULT_CODE_RATE_LIMITED);
        assert_int_equal(requests(&f), 1);
    }
    close_fixture(&f);
}

/* A 5xx that says what is refused: nothing was done, it is not tried again, and nothing is down. */
static void an_adapter_knows_refusals_of_its_own(void **state)
{
    static const struct stub_step refused[] = {{.status = 500, .body = "InsufficientCapacity"}};
    static const struct stub_step lost[] = {{.status = 500},
                                            {.status = 500, .body = "InsufficientCapacity"}};
    struct fixture f;

    (void)state;
    open_fixture(&f, refused, 1);
    renew_sender(&f, true);
    for (unsigned i = 1; i <= 30; i++) {
        renew_op(&f, 20000);
        assert_int_equal(send_method(&f, "POST", SEND_IDEMPOTENT), RESULT_CODE_UNAVAILABLE);
        assert_failure(&f, SIDE_EFFECTS_NONE, RETRY_CLASS_AFTER_BACKOFF);
        assert_int_equal(requests(&f), i);
    }
    /* The one before it may have done something. */
    stub_script(&f.stub, lost, 2);
    renew_op(&f, 20000);
    assert_int_equal(send_method(&f, "POST", SEND_IDEMPOTENT), RESULT_CODE_UNAVAILABLE);
    assert_int_equal(requests(&f), 2);
    assert_failure(&f, SIDE_EFFECTS_POSSIBLE, RETRY_CLASS_AFTER_BACKOFF);
    close_fixture(&f);
}

static void *cancel_soon(void *arg)
{
    usleep(100000);
    cancel_raise(arg);
    return NULL;
}

static void a_cancellation_ends_waiting_for_a_turn(void **state)
{
    static const struct stub_step steps[] = {{.status = 429, .headers = "Retry-After: 60\r\n"}};
    struct cancel cancelled = {0};
    struct fixture f;
    pthread_t thread;

    (void)state;
    open_fixture(&f, steps, 1);
    assert_int_equal(get(&f), RESULT_CODE_RATE_LIMITED);
    renew_op(&f, 90000);
    f.op.cancelled = &cancelled;
    pthread_create(&thread, NULL, cancel_soon, &cancelled);
    assert_int_equal(get(&f), RESULT_CODE_CANCELLED);
    pthread_join(thread, NULL);
    assert_int_equal(requests(&f), 1);
    assert_int_equal(f.op.result->side_effects, SIDE_EFFECTS_NONE);
    assert_int_equal(f.op.result->blame, BLAME_CALLER);
    close_fixture(&f);
}

/* ---- The time of one attempt ---- */

static void *hang_on_a_create(void *arg)
{
    static const struct stub_step hangs[] = {{.deed = STUB_HANG}};
    struct fixture *f = arg;

    open_fixture(f, hangs, 1);
    renew_op(f, 5000);
    if (post(f) != RESULT_CODE_OUTCOME_UNKNOWN)
        abort();
    return NULL;
}

/* A server that hangs does not use up the time of what may be sent again; what may not gets all of
 * it. */
static void an_attempt_gets_a_part_of_the_time(void **state)
{
    static const struct stub_step then_ok[] = {{.deed = STUB_HANG}, {.body = "fine"}};
    static struct fixture f, create;
    int64_t begin = clock_mono_ns(), deadline;
    pthread_t thread;

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, hang_on_a_create, &create), 0);
    open_fixture(&f, then_ok, 2);
    renew_op(&f, 9000);
    deadline = f.op.deadline_ns;
    assert_int_equal(send_method(&f, "DELETE", SEND_IDEMPOTENT), RESULT_CODE_OK);
    assert_int_equal(f.op.deadline_ns, deadline);
    assert_int_equal(requests(&f), 2);
    assert_true(clock_mono_ns() - begin >= 3 * NS_PER_SEC);
    pthread_join(thread, NULL);
    assert_true(clock_mono_ns() - begin >= 5 * NS_PER_SEC);
    assert_int_equal(requests(&create), 1);
    assert_failure(&create, SIDE_EFFECTS_POSSIBLE, RETRY_CLASS_AFTER_LOOKUP);
    close_fixture(&create);
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cloud_that_is_down_is_not_asked),
        cmocka_unit_test(senders_share_what_they_know),
        cmocka_unit_test(refusals_open_no_breaker),
        cmocka_unit_test(many_callers_ask_a_dead_cloud_seldom),
        cmocka_unit_test(a_class_that_is_closed_is_not_asked),
        cmocka_unit_test(an_adapter_knows_throttles_of_its_own),
        cmocka_unit_test(an_adapter_knows_refusals_of_its_own),
        cmocka_unit_test(a_cancellation_ends_waiting_for_a_turn),
        cmocka_unit_test(an_attempt_gets_a_part_of_the_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
