/* The remote adapter where the way to the other gateway breaks, or what comes back is no help. */
#include "remote_fixture.h"

static void a_read_is_asked_again(void **state)
{
    struct fixture f;
    pb_GetVmResponse rsp;
    (void)state;
    OPEN(&f, STUB_CLOSE, STUB_CUT, STUB_ECHO);
    answer_machine(&f, RESULT_CODE_OK);
    assert_int_equal(get(&f, &rsp), RESULT_CODE_OK);
    assert_string_equal(rsp.vm->id, "the-machine");
    assert_int_equal(atomic_load(&f.stub.messages), 3);
    assert_string_equal(f.op.result->detail, "");
    close_fixture(&f);
}

static void what_is_sent(void **state)
{
    struct fixture f;
    pb_GetVmResponse rsp;
    (void)state;
    OPEN(&f, STUB_ECHO);
    answer_machine(&f, RESULT_CODE_OK);
    assert_int_equal(get(&f, &rsp), RESULT_CODE_OK);
    pb_Call *call = call_of(&f, 0);
    assert_string_equal(call->method, "isobar.v1.VmService/GetVm");
    assert_string_equal(call->request_id, "the-request");
    assert_string_equal(call->token, "secret");
    assert_string_equal(call->traceparent, "the-trace");
    assert_in_range(call->timeout_ms, 1, 20000);
    pb_GetVmRequest *req = isobar__v1__get_vm_request__unpack(arena_allocator(&f.arena),
                                                              call->body.len, call->body.data);
    assert_string_equal(req->cloud, "there");
    assert_string_equal(req->id, "web");
    close_fixture(&f);
}

/* It may have got there, and what serves the cloud knows no order a second time: whose operation it
 * is looks. */
static void an_order_whose_answer_is_lost_is_not_repeated(void **state)
{
    static const enum stub_deed deeds[] = {STUB_CLOSE, STUB_CUT, STUB_HUGE, STUB_NO_ID,
                                           STUB_NOT_AN_ANSWER};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(deeds); i++) {
        struct fixture f;
        pb_CreateVmResponse rsp;
        OPEN(&f, deeds[i], STUB_ECHO);
        answer_machine(&f, RESULT_CODE_CREATED);
        assert_int_equal(create(&f, &rsp), RESULT_CODE_OUTCOME_UNKNOWN);
        expect_unknown(&f);
        assert_null(rsp.vm);
        assert_int_equal(atomic_load(&f.stub.messages), 1);
        close_fixture(&f);
    }
}

/* Where nothing has left, it may be sent: also where a connection that was kept has ended
 * meanwhile. */
static void an_order_that_was_not_sent_is_sent(void **state)
{
    struct fixture f;
    pb_CreateVmResponse rsp;
    (void)state;
    OPEN(&f, STUB_ECHO_AND_CLOSE, STUB_ECHO);
    answer_machine(&f, RESULT_CODE_CREATED);
    assert_int_equal(create(&f, &rsp), RESULT_CODE_CREATED);
    usleep(20000); /* the end of the connection has arrived */
    assert_int_equal(create(&f, &rsp), RESULT_CODE_CREATED);
    assert_string_equal(rsp.vm->id, "the-machine");
    assert_int_equal(atomic_load(&f.stub.messages), 2);
    assert_int_equal(atomic_load(&f.stub.connections), 2);
    close_fixture(&f);
}

static void a_gateway_that_is_away_is_tried_again(void **state)
{
    struct fixture f;
    pb_CreateVmResponse rsp;
    (void)state;
    OPEN(&f, STUB_ECHO);
    answer_machine(&f, RESULT_CODE_CREATED);
    f.stub.greeting = STUB_GONE;
    assert_int_equal(create(&f, &rsp), RESULT_CODE_UNAVAILABLE);
    assert_int_equal(f.op.result->side_effects, SIDE_EFFECTS_NONE);
    assert_int_equal(f.op.result->retry->class_, RETRY_CLASS_AFTER_BACKOFF);
    assert_int_equal(atomic_load(&f.stub.connections), 3);
    assert_int_equal(atomic_load(&f.stub.messages), 0);
    close_fixture(&f);
}

static void three_attempts_and_no_more(void **state)
{
    struct fixture f;
    pb_GetVmResponse seen;
    (void)state;
    OPEN(&f, STUB_CLOSE);
    assert_int_equal(get(&f, &seen), RESULT_CODE_UNAVAILABLE);
    assert_int_equal(atomic_load(&f.stub.messages), 3);
    assert_int_equal(f.op.result->side_effects, SIDE_EFFECTS_NONE);
    assert_int_equal(f.op.result->retry->class_, RETRY_CLASS_AFTER_BACKOFF);
    close_fixture(&f);
}

/* An outage is not made worse: who fails again and again is not retried any more. */
static void retries_have_a_quota(void **state)
{
    struct fixture f;
    pb_GetVmResponse rsp;
    (void)state;
    OPEN(&f, STUB_CLOSE);
    for (int i = 0; i < 8; i++)
        assert_int_equal(get(&f, &rsp), RESULT_CODE_UNAVAILABLE);
    assert_int_equal(atomic_load(&f.stub.messages), 8 + 10);
    close_fixture(&f);
}

static void a_deadline_leaves_an_order_unknown(void **state)
{
    struct fixture f;
    pb_CreateVmResponse made;
    pb_GetVmResponse seen;
    (void)state;
    OPEN(&f, STUB_HANG);
    f.op.deadline_ns = clock_mono_ns() + 100 * NS_PER_MS;
    assert_int_equal(create(&f, &made), RESULT_CODE_OUTCOME_UNKNOWN);
    expect_unknown(&f);
    f.op.result = result_new(&f.arena);
    f.op.deadline_ns = clock_mono_ns() + 100 * NS_PER_MS;
    assert_int_equal(get(&f, &seen), RESULT_CODE_DEADLINE_EXCEEDED);
    f.op.result = result_new(&f.arena);
    assert_int_equal(create(&f, &made), RESULT_CODE_DEADLINE_EXCEEDED);
    assert_int_equal(f.op.result->side_effects, SIDE_EFFECTS_NONE); /* it was too late to send */
    close_fixture(&f);
}

/* What an order that has failed there has done is what the other side says of it; where it does
 * not, and was in the middle, anything. A read has done nothing. */
static void a_failure_is_taken_at_its_word(void **state)
{
    static const struct {
        pb_ResultCode code;
        pb_SideEffects said, taken;
    } table[] = {
        {RESULT_CODE_OVERLOADED, SIDE_EFFECTS_NONE, SIDE_EFFECTS_NONE},
        {RESULT_CODE_OVERLOADED, SIDE_EFFECTS_UNSPECIFIED, SIDE_EFFECTS_NONE},
        {RESULT_CODE_UNAVAILABLE, SIDE_EFFECTS_NONE, SIDE_EFFECTS_NONE},
        {RESULT_CODE_OUT_OF_CAPACITY, SIDE_EFFECTS_CERTAIN, SIDE_EFFECTS_CERTAIN},
        {RESULT_CODE_OUTCOME_UNKNOWN, SIDE_EFFECTS_POSSIBLE, SIDE_EFFECTS_POSSIBLE},
        {RESULT_CODE_UNAVAILABLE, SIDE_EFFECTS_UNSPECIFIED, SIDE_EFFECTS_POSSIBLE},
        {RESULT_CODE_INTERNAL_ERROR, SIDE_EFFECTS_UNSPECIFIED, SIDE_EFFECTS_POSSIBLE},
        {RESULT_CODE_DEADLINE_EXCEEDED, SIDE_EFFECTS_UNSPECIFIED, SIDE_EFFECTS_POSSIBLE},
        {RESULT_CODE_CANCELLED, SIDE_EFFECTS_UNSPECIFIED, SIDE_EFFECTS_POSSIBLE},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        struct fixture f;
        pb_CreateVmResponse made;
        pb_GetVmResponse seen;
        pb_Result result = pb_Result_INIT;
        OPEN(&f, STUB_ECHO);
        result.code = table[i].code;
        result.side_effects = table[i].said;
        answer(&f, &result, NULL, NULL);
        assert_int_equal(create(&f, &made), table[i].code);
        assert_int_equal(f.op.result->side_effects, table[i].taken);
        f.op.result = result_new(&f.arena);
        assert_int_equal(get(&f, &seen), table[i].code);
        assert_int_equal(atomic_load(&f.stub.messages), 2);
        close_fixture(&f);
    }
}

/* From a gateway that does not know steps: the order is an operation there. */
static void an_order_that_goes_on_is_unknown(void **state)
{
    struct fixture f;
    pb_CreateVmResponse rsp;
    (void)state;
    OPEN(&f, STUB_ECHO);
    answer_machine(&f, RESULT_CODE_ACCEPTED);
    assert_int_equal(create(&f, &rsp), RESULT_CODE_OUTCOME_UNKNOWN);
    expect_unknown(&f);
    assert_null(rsp.vm);
    close_fixture(&f);
}

static void what_cannot_be_read_is_no_success(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
    } table[] = {
        {"", 0},             /* no result */
        {"\xff\xff", 2},     /* no message */
        {"\x0a\x02\x08\x02"  /* Created */
         "\x12\x02\xff\xff", /* and a body that is none */
         8},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        struct fixture f;
        pb_CreateVmResponse made;
        pb_GetVmResponse seen;
        OPEN(&f, STUB_ECHO);
        f.answers[f.stub.n_answers++] = (struct stub_answer){table[i].bytes, table[i].len};
        assert_int_equal(create(&f, &made), RESULT_CODE_OUTCOME_UNKNOWN);
        expect_unknown(&f);
        assert_null(made.vm);
        assert_int_equal(atomic_load(&f.stub.messages), 1);
        f.op.result = result_new(&f.arena);
        assert_int_equal(get(&f, &seen), RESULT_CODE_UNAVAILABLE);
        assert_null(seen.vm);
        assert_int_equal(atomic_load(&f.stub.messages), 4);
        close_fixture(&f);
    }
}

static void particulars_come_through(void **state)
{
    struct fixture f;
    pb_GetVmResponse rsp;
    pb_Result result = pb_Result_INIT;
    pb_Retry retry = pb_Retry_INIT;
    pb_NativeError native = pb_NativeError_INIT;
    char *warnings[] = {TEXT("mind the gap")};
    (void)state;
    result.code = RESULT_CODE_RATE_LIMITED;
    result.detail = TEXT("too fast");
    retry.class_ = RETRY_CLASS_AFTER_BACKOFF;
    retry.after_ms = 1234;
    retry.scope = RETRY_SCOPE_REGION;
    native.http_status = 429;
    native.code = TEXT("Throttled");
    result.retry = &retry;
    result.native = &native;
    result.blame = BLAME_CLOUD;
    result.warnings = warnings;
    result.n_warnings = 1;
    OPEN(&f, STUB_ECHO);
    answer(&f, &result, NULL, NULL);
    assert_int_equal(get(&f, &rsp), RESULT_CODE_RATE_LIMITED);
    const pb_Result *r = f.op.result;
    assert_non_null(strstr(r->detail, f.stub.url));
    assert_non_null(strstr(r->detail, "too fast"));
    assert_int_equal(r->retry->after_ms, 1234);
    assert_int_equal(r->retry->scope, RETRY_SCOPE_REGION);
    assert_int_equal(r->native->http_status, 429);
    assert_string_equal(r->native->code, "Throttled");
    assert_int_equal(r->blame, BLAME_CLOUD);
    assert_int_equal(r->n_warnings, 1);
    assert_string_equal(r->warnings[0], "mind the gap");
    close_fixture(&f);
}

static void our_own_rights_there_are_not_the_callers(void **state)
{
    struct fixture f;
    pb_GetVmResponse rsp;
    (void)state;
    OPEN(&f, STUB_ECHO);
    answer_code(&f, RESULT_CODE_UNAUTHORIZED, NULL);
    assert_int_equal(get(&f, &rsp), RESULT_CODE_UNAUTHORIZED);
    assert_int_equal(f.op.result->blame, BLAME_GATEWAY);
    assert_non_null(strstr(f.op.result->detail, "token_file"));
    close_fixture(&f);
    OPEN(&f, STUB_ECHO);
    answer_code(&f, (pb_ResultCode)99, NULL);
    assert_int_equal(get(&f, &rsp), RESULT_CODE_INTERNAL_ERROR);
    assert_non_null(strstr(f.op.result->detail, "99"));
    close_fixture(&f);
}

static void a_list_is_read_to_its_end(void **state)
{
    struct fixture f;
    pb_ListVmsRequest req = pb_ListVmsRequest_INIT;
    pb_ListVmsResponse page = pb_ListVmsResponse_INIT, rsp = pb_ListVmsResponse_INIT;
    pb_Vm vm = pb_Vm_INIT, *vms[] = {&vm};
    (void)state;
    OPEN(&f, STUB_ECHO);
    page.vms = vms;
    page.n_vms = 1;
    page.next_page_token = TEXT("and so on");
    answer_code(&f, RESULT_CODE_OK, &page.base);
    /* A page that is its own successor. */
    assert_int_equal(remote_adapter.list_vms(f.adapter, &f.op, &req, &rsp),
                     RESULT_CODE_UNAVAILABLE);
    assert_non_null(strstr(f.op.result->detail, "does not end"));
    assert_int_equal(atomic_load(&f.stub.messages), 2);
    assert_int_equal(rsp.n_vms, 0);
    close_fixture(&f);
}

static void settings_that_are_wrong_are_refused(void **state)
{
    struct open_error error;
    (void)state;
    assert_null(open_remote("http://there", NULL, &error));
    assert_non_null(strstr(error.text, "tls+tcp://"));
    assert_null(open_remote("ipc:///there", "/tmp/isobar-no-such-file", &error));
    assert_non_null(strstr(error.text, "token_file"));
    assert_null(open_remote("ipc:///there", "/dev/null", &error));
    assert_non_null(strstr(error.text, "no token"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_read_is_asked_again),
        cmocka_unit_test(what_is_sent),
        cmocka_unit_test(an_order_whose_answer_is_lost_is_not_repeated),
        cmocka_unit_test(an_order_that_was_not_sent_is_sent),
        cmocka_unit_test(a_gateway_that_is_away_is_tried_again),
        cmocka_unit_test(three_attempts_and_no_more),
        cmocka_unit_test(retries_have_a_quota),
        cmocka_unit_test(a_deadline_leaves_an_order_unknown),
        cmocka_unit_test(a_failure_is_taken_at_its_word),
        cmocka_unit_test(an_order_that_goes_on_is_unknown),
        cmocka_unit_test(what_cannot_be_read_is_no_success),
        cmocka_unit_test(particulars_come_through),
        cmocka_unit_test(our_own_rights_there_are_not_the_callers),
        cmocka_unit_test(a_list_is_read_to_its_end),
        cmocka_unit_test(settings_that_are_wrong_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
