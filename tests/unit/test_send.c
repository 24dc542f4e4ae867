/* Classification and retries, against a server that counts what reaches it. */
#include "send_fixture.h"

static void a_success_comes_back(void **state)
{
    static const struct stub_step steps[] = {{.status = 202, .body = "{}"}};
    struct fixture f;

    (void)state;
    open_fixture(&f, steps, 1);
    assert_int_equal(post(&f), RESULT_CODE_OK);
    assert_int_equal(f.rsp.status, 202);
    assert_string_equal(f.rsp.body, "{}");
    assert_true(stub_saw(&f.stub, "\r\nX-Token: generation-0\r\n"));
    assert_int_equal(send_method(&f, "POST", SEND_NO_AUTH), RESULT_CODE_OK);
    assert_false(stub_saw(&f.stub, "X-Token"));
    assert_int_equal(f.cloud.authenticated, 1);
    assert_int_equal(f.cloud.mapped, 0);
    close_fixture(&f);
}

static void throttling_is_obeyed(void **state)
{
    static const struct stub_step later[] = {{.status = 429, .headers = "Retry-After: 1\r\n"},
                                             {.status = 200}};
    static const struct stub_step busy[] = {{.status = 503, .headers = "Retry-After: 0\r\n"},
                                            {.status = 200}};
    struct fixture f;
    int64_t begin;

    (void)state;
    open_fixture(&f, later, 2);
    begin = clock_mono_ns();
    assert_int_equal(post(&f), RESULT_CODE_OK);
    assert_true(clock_mono_ns() - begin >= NS_PER_SEC);
    assert_int_equal(requests(&f), 2);
    stub_script(&f.stub, busy, 2);
    assert_int_equal(post(&f), RESULT_CODE_OK);
    assert_int_equal(requests(&f), 2);
    assert_int_equal(f.cloud.mapped, 0);
    close_fixture(&f);
}

static void a_wait_past_the_deadline_is_not_begun(void **state)
{
    static const char dates[] = "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                                "Retry-After: Sun, 06 Nov 1994 08:51:37 GMT\r\n";
    static const struct {
        struct stub_step step;
        uint32_t after_ms;
        pb_ResultCode code;
    } table[] = {
        {{.status = 429, .headers = "Retry-After: 3600\r\n"}, 3600000, RESULT_CODE_RATE_LIMITED},
        {{.status = 429, .headers = dates}, 120000, RESULT_CODE_RATE_LIMITED},
        {{.status = 503, .headers = "Retry-After: 99999999999999999999\r\n"},
         86400000,
         RESULT_CODE_UNAVAILABLE},
    };
    struct fixture f;

    (void)state;
    open_fixture(&f, &table[0].step, 1);
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        stub_script(&f.stub, &table[i].step, 1);
        renew_sender(&f, false);
        renew_op(&f, 20000);
        assert_int_equal(post(&f), table[i].code);
        assert_int_equal(requests(&f), 1);
        assert_failure(&f, SIDE_EFFECTS_NONE, RETRY_CLASS_AFTER_BACKOFF);
        assert_int_equal(f.op.result->retry->after_ms, table[i].after_ms);
    }
    close_fixture(&f);
}

static void errors_of_the_cloud_are_retried_where_that_is_safe(void **state)
{
    static const struct stub_step twice[] = {{.status = 500}, {.status = 502}, {.status = 200}};
    static const struct stub_step always[] = {{.status = 503, .body = "down"}};
    static const struct stub_step missing[] = {{.status = 404}};
    struct fixture f;

    (void)state;
    open_fixture(&f, twice, 3);
    assert_int_equal(get(&f), RESULT_CODE_OK);
    assert_int_equal(requests(&f), 3);
    assert_int_equal(f.cloud.mapped, 0);

    stub_script(&f.stub, always, 1);
    renew_op(&f, 30000);
    assert_int_equal(get(&f), RESULT_CODE_UNAVAILABLE);
    assert_int_equal(requests(&f), 3);
    assert_int_equal(f.cloud.mapped, 1);
    assert_failure(&f, SIDE_EFFECTS_NONE, RETRY_CLASS_AFTER_BACKOFF);
    assert_string_equal(f.op.result->native->message, "down");

    /* Not idempotent: once, and it may have happened. */
    stub_script(&f.stub, always, 1);
    renew_op(&f, 30000);
    assert_int_equal(post(&f), RESULT_CODE_UNAVAILABLE);
    assert_int_equal(requests(&f), 1);
    assert_failure(&f, SIDE_EFFECTS_POSSIBLE, RETRY_CLASS_AFTER_LOOKUP);

    /* Idempotent, and no read. */
    stub_script(&f.stub, always, 1);
    renew_op(&f, 30000);
    assert_int_equal(send_method(&f, "DELETE", SEND_IDEMPOTENT), RESULT_CODE_UNAVAILABLE);
    assert_int_equal(requests(&f), 3);
    assert_failure(&f, SIDE_EFFECTS_POSSIBLE, RETRY_CLASS_AFTER_BACKOFF);

    stub_script(&f.stub, missing, 1);
    renew_op(&f, 30000);
    assert_int_equal(post(&f), RESULT_CODE_NOT_FOUND);
    assert_int_equal(requests(&f), 1);
    assert_failure(&f, SIDE_EFFECTS_NONE, RETRY_CLASS_NEVER);
    close_fixture(&f);
}

static void a_redirect_is_a_failure(void **state)
{
    static const struct stub_step steps[] = {
        {.status = 302, .headers = "Location: http://127.0.0.1:1/\r\n"}};
    struct fixture f;

    (void)state;
    open_fixture(&f, steps, 1);
    assert_int_equal(get(&f), RESULT_CODE_UNAVAILABLE);
    assert_int_equal(requests(&f), 1);
    assert_int_equal(f.op.result->native->http_status, 302);
    close_fixture(&f);
}

static void what_was_never_sent_is_sent_again(void **state)
{
    static const struct stub_step steps[] = {{0}};
    struct fixture f;
    struct http_request req = {.method = "POST", .url = "ftp://127.0.0.1/"};

    (void)state;
    open_fixture(&f, steps, 1);
    stub_stop(&f.stub);
    assert_int_equal(post(&f), RESULT_CODE_UNAVAILABLE);
    assert_int_equal(f.cloud.authenticated, 3);
    assert_failure(&f, SIDE_EFFECTS_NONE, RETRY_CLASS_AFTER_BACKOFF);
    assert_int_equal(f.op.result->retry->scope, RETRY_SCOPE_CLOUD);
    /* The cloud, the call and the reason by name; no query, in which there may be secrets. */
    assert_non_null(strstr(f.op.result->detail, "Test cloud lab"));
    assert_non_null(strstr(f.op.result->detail, "POST /v2/things"));
    assert_non_null(strstr(f.op.result->detail, "refused"));
    assert_null(strstr(f.op.result->detail, "hush"));

    /* What cannot become better is not tried again. */
    renew_op(&f, 30000);
    f.cloud = (struct cloud){0};
    assert_int_equal(send_request(f.sender, &f.op, &req, 0, &f.rsp), RESULT_CODE_UNAVAILABLE);
    assert_int_equal(f.cloud.authenticated, 1);
    assert_failure(&f, SIDE_EFFECTS_NONE, RETRY_CLASS_NEVER);
    stub_start(&f.stub, steps, 1, NULL);
    close_fixture(&f);
}

static void an_ambiguous_create_is_not_sent_again(void **state)
{
    static const struct stub_step closes[] = {{.deed = STUB_CLOSE}};
    static const struct stub_step kept[] = {{0}, {.deed = STUB_CLOSE}, {0}};
    static const struct stub_step cut[] = {{.deed = STUB_CUT, .cut_at = 50, .body = "0123456789"}};
    static const struct stub_step flood[] = {{.deed = STUB_FLOOD, .flood = 100 << 20}};
    const struct stub_step *scripts[] = {closes, cut, flood};
    struct fixture f;

    (void)state;
    open_fixture(&f, closes, 1);
    for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
        stub_script(&f.stub, scripts[i], 1);
        renew_op(&f, 30000);
        assert_int_equal(post(&f), RESULT_CODE_OUTCOME_UNKNOWN);
        assert_int_equal(requests(&f), 1);
        assert_failure(&f, SIDE_EFFECTS_POSSIBLE, RETRY_CLASS_AFTER_LOOKUP);
    }
    /* On a kept-alive connection too. */
    stub_script(&f.stub, kept, 3);
    renew_op(&f, 30000);
    assert_int_equal(post(&f), RESULT_CODE_OK);
    assert_int_equal(post(&f), RESULT_CODE_OUTCOME_UNKNOWN);
    assert_int_equal(requests(&f), 2);
    close_fixture(&f);
}

static void an_ambiguous_read_is_sent_again(void **state)
{
    static const struct stub_step closes[] = {{.deed = STUB_CLOSE}};
    static const struct stub_step then_ok[] = {{.deed = STUB_RESET}, {.body = "fine"}};
    static const struct stub_step flood[] = {{.deed = STUB_FLOOD, .flood = 100 << 20}};
    struct fixture f;

    (void)state;
    open_fixture(&f, closes, 1);
    assert_int_equal(get(&f), RESULT_CODE_UNAVAILABLE);
    assert_int_equal(requests(&f), 3);
    assert_failure(&f, SIDE_EFFECTS_NONE, RETRY_CLASS_AFTER_BACKOFF);

    stub_script(&f.stub, closes, 1);
    renew_op(&f, 30000);
    assert_int_equal(send_method(&f, "DELETE", SEND_IDEMPOTENT), RESULT_CODE_UNAVAILABLE);
    assert_int_equal(requests(&f), 3);
    assert_failure(&f, SIDE_EFFECTS_POSSIBLE, RETRY_CLASS_AFTER_BACKOFF);

    stub_script(&f.stub, then_ok, 2);
    renew_op(&f, 30000);
    assert_int_equal(get(&f), RESULT_CODE_OK);
    assert_string_equal(f.rsp.body, "fine");

    stub_script(&f.stub, flood, 1);
    renew_op(&f, 30000);
    assert_int_equal(get(&f), RESULT_CODE_UNAVAILABLE);
    assert_int_equal(requests(&f), 1);
    assert_failure(&f, SIDE_EFFECTS_NONE, RETRY_CLASS_NEVER);
    close_fixture(&f);
}

static void a_deadline_says_what_it_leaves_open(void **state)
{
    static const struct stub_step steps[] = {{.deed = STUB_HANG}};
    struct fixture f;

    (void)state;
    open_fixture(&f, steps, 1);
    renew_op(&f, 1000);
    assert_int_equal(get(&f), RESULT_CODE_DEADLINE_EXCEEDED);
    assert_failure(&f, SIDE_EFFECTS_NONE, RETRY_CLASS_AFTER_BACKOFF);
    renew_op(&f, 1000);
    assert_int_equal(send_method(&f, "DELETE", SEND_IDEMPOTENT), RESULT_CODE_DEADLINE_EXCEEDED);
    assert_failure(&f, SIDE_EFFECTS_POSSIBLE, RETRY_CLASS_AFTER_BACKOFF);
    renew_op(&f, 1000);
    assert_int_equal(post(&f), RESULT_CODE_OUTCOME_UNKNOWN);
    assert_failure(&f, SIDE_EFFECTS_POSSIBLE, RETRY_CLASS_AFTER_LOOKUP);
    for (int i = 0; i < 20000 && requests(&f) < 3; i++)
        usleep(1000);
    assert_int_equal(requests(&f), 3);
    renew_op(&f, -1);
    assert_int_equal(post(&f), RESULT_CODE_DEADLINE_EXCEEDED);
    assert_failure(&f, SIDE_EFFECTS_NONE, RETRY_CLASS_AFTER_BACKOFF);
    assert_int_equal(requests(&f), 3);
    close_fixture(&f);
}

static void *cancel_soon(void *arg)
{
    usleep(100000);
    cancel_raise(arg);
    return NULL;
}

static void a_cancellation_ends_waiting_for_a_retry(void **state)
{
    static const struct stub_step steps[] = {{.status = 429, .headers = "Retry-After: 20\r\n"}};
    struct cancel cancelled = {0};
    struct fixture f;
    pthread_t thread;

    (void)state;
    open_fixture(&f, steps, 1);
    renew_op(&f, 60000);
    f.op.cancelled = &cancelled;
    pthread_create(&thread, NULL, cancel_soon, &cancelled);
    assert_int_equal(post(&f), RESULT_CODE_CANCELLED);
    pthread_join(thread, NULL);
    assert_int_equal(requests(&f), 1);
    assert_int_equal(f.op.result->side_effects, SIDE_EFFECTS_NONE);
    assert_int_equal(f.op.result->blame, BLAME_CALLER);
    close_fixture(&f);
}

/* While a cloud is down retries end after the first burst; successes earn new ones slowly. */
static void an_outage_is_not_amplified(void **state)
{
    static const struct stub_step down[] = {{.status = 500}};
    static const struct stub_step up[] = {{0}};
    struct fixture f;

    (void)state;
    open_fixture(&f, down, 1);
    for (int i = 0; i < 30; i++) {
        renew_op(&f, 30000);
        assert_int_equal(get(&f), RESULT_CODE_UNAVAILABLE);
    }
    assert_int_equal(requests(&f), 30 + 10);
    stub_script(&f.stub, up, 1);
    for (int i = 0; i < 25; i++)
        assert_int_equal(get(&f), RESULT_CODE_OK);
    stub_script(&f.stub, down, 1);
    for (int i = 0; i < 5; i++)
        assert_int_equal(get(&f), RESULT_CODE_UNAVAILABLE);
    assert_int_equal(requests(&f), 5 + 2);
    close_fixture(&f);
}

/* What an earlier request of the same operation said is not said again. */
static void an_earlier_failure_is_forgotten(void **state)
{
    static const struct stub_step steps[] = {{.status = 404, .body = "not here"},
                                             {.deed = STUB_CLOSE}};
    struct fixture f;

    (void)state;
    open_fixture(&f, steps, 2);
    assert_int_equal(get(&f), RESULT_CODE_NOT_FOUND);
    op_violation(&f.op, "spec.name", "old");
    op_warn(&f.op, "stays");
    assert_int_equal(post(&f), RESULT_CODE_OUTCOME_UNKNOWN);
    assert_failure(&f, SIDE_EFFECTS_POSSIBLE, RETRY_CLASS_AFTER_LOOKUP);
    assert_null(f.op.result->native);
    assert_int_equal(f.op.result->n_violations, 0);
    assert_int_equal(f.op.result->n_warnings, 1);
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_success_comes_back),
        cmocka_unit_test(throttling_is_obeyed),
        cmocka_unit_test(a_wait_past_the_deadline_is_not_begun),
        cmocka_unit_test(errors_of_the_cloud_are_retried_where_that_is_safe),
        cmocka_unit_test(a_redirect_is_a_failure),
        cmocka_unit_test(what_was_never_sent_is_sent_again),
        cmocka_unit_test(an_ambiguous_create_is_not_sent_again),
        cmocka_unit_test(an_ambiguous_read_is_sent_again),
        cmocka_unit_test(a_deadline_says_what_it_leaves_open),
        cmocka_unit_test(a_cancellation_ends_waiting_for_a_retry),
        cmocka_unit_test(an_outage_is_not_amplified),
        cmocka_unit_test(an_earlier_failure_is_forgotten),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
