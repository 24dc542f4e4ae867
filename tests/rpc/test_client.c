/* The client library against a gateway that does as it is told. */
#include "client_fixture.h"
#include "isobar/uuid.h"

static void test_call(void **state)
{
    struct setup *s = *state;
    pb_GetVmRequest request;
    isobar__v1__get_vm_request__init(&request);
    request.id = (char[]){"web"};
    struct isobar_call_options options = {.timeout_ms = 4321, .traceparent = "00-ab-cd-01"};
    struct isobar_reply r;
    assert_true(isobar_call(s->client, "isobar.v1.VmService/GetVm", &request.base, &options, &r));
    const pb_Vm *vm = vm_of(&r);
    assert_string_equal(vm->id, "web");
    assert_string_equal(tag_of(vm, "method"), "isobar.v1.VmService/GetVm");
    assert_string_equal(tag_of(vm, "token"), "secret");
    assert_string_equal(tag_of(vm, "traceparent"), "00-ab-cd-01");
    assert_string_equal(tag_of(vm, "timeout_ms"), "4321");
    assert_true(uuid_is(r.request_id));
    assert_string_equal(tag_of(vm, "request_id"), r.request_id);
    isobar_reply_done(&r);
    assert_null(r.result);

    options.request_id = "mine";
    assert_true(isobar_call(s->client, "isobar.v1.VmService/GetVm", &request.base, &options, &r));
    assert_string_equal(r.request_id, "mine");
    assert_string_equal(tag_of(vm_of(&r), "request_id"), "mine");
    isobar_reply_done(&r);
}

static void test_results(void **state)
{
    struct setup *s = *state;
    struct isobar_reply r;
    assert_false(get_vm(s->client, "missing", LONG_MS, &r));
    assert_int_equal(r.result->code, RESULT_CODE_NOT_FOUND);
    assert_string_equal(r.result->detail, "there is no such machine");
    assert_null(r.message);
    isobar_reply_done(&r);
    assert_false(get_vm(s->client, "partial", LONG_MS, &r));
    assert_int_equal(r.result->code, RESULT_CODE_PARTIAL);
    assert_string_equal(vm_of(&r)->id, "partial");
    isobar_reply_done(&r);
}

static void test_refused_here(void **state)
{
    struct setup *s = *state;
    unsigned before = atomic_load(&s->gateway.calls);
    pb_StopVmRequest wrong;
    isobar__v1__stop_vm_request__init(&wrong);
    struct isobar_reply r;
    assert_false(isobar_call(s->client, "isobar.v1.VmService/GetVm", &wrong.base, NULL, &r));
    assert_int_equal(r.result->code, RESULT_CODE_INVALID_REQUEST);
    assert_non_null(strstr(r.result->detail, "isobar.v1.GetVmRequest"));
    assert_non_null(strstr(r.result->detail, "isobar.v1.StopVmRequest"));
    isobar_reply_done(&r);
    char id[65];
    memset(id, 'x', 64);
    id[64] = '\0';
    struct isobar_call_options options = {.request_id = id};
    assert_false(isobar_call(s->client, "isobar.v1.VmService/GetVm", NULL, &options, &r));
    assert_int_equal(r.result->code, RESULT_CODE_INVALID_REQUEST);
    isobar_reply_done(&r);
    assert_int_equal(atomic_load(&s->gateway.calls), before);
}

static void test_deadline(void **state)
{
    struct setup *s = *state;
    expect_vm(s->client, "web");
    expect_failure(s->client, "silent", 500, RESULT_CODE_DEADLINE_EXCEEDED, SIDE_EFFECTS_POSSIBLE,
                   "in time");
    expect_vm(s->client, "web");
    /* The late reply is nobody's, and surely not that of the next call. */
    expect_failure(s->client, "late:2000", 500, RESULT_CODE_DEADLINE_EXCEEDED,
                   SIDE_EFFECTS_POSSIBLE, "in time");
    expect_vm(s->client, "next");
    expect_vm(s->client, "wrong-id");
}

static void test_large(void **state)
{
    struct setup *s = *state;
    size_t len = 6 << 20;
    char *id = malloc(len + 1);
    memset(id, 'x', len);
    id[len] = '\0';
    struct isobar_reply r;
    assert_true(get_vm(s->client, id, LONG_MS, &r));
    assert_string_equal(vm_of(&r)->id, "large");
    isobar_reply_done(&r);
    free(id);
}

static void test_rubbish(void **state)
{
    struct setup *s = *state;
    static const char *const words[][2] = {
        {"not-reply", "3 bytes that are not a Reply"},
        {"no-result", "not a Reply with a result"},
        {"bad-body", "1 bytes that are not a isobar.v1.GetVmResponse"},
    };
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        expect_failure(s->client, words[i][0], LONG_MS, RESULT_CODE_INTERNAL_ERROR,
                       SIDE_EFFECTS_POSSIBLE, words[i][1]);
    expect_failure(s->client, "huge", LONG_MS, RESULT_CODE_INTERNAL_ERROR, SIDE_EFFECTS_POSSIBLE,
                   "1099511627776 bytes");
    expect_vm(s->client, "web");
}

static void test_broken_connection(void **state)
{
    struct setup *s = *state;
    expect_vm(s->client, "close:1");
    expect_vm(s->client, "cut:2");
    expect_vm(s->client, "garbage:1");
    unsigned before = atomic_load(&s->gateway.calls);
    expect_failure(s->client, "close", LONG_MS, RESULT_CODE_UNAVAILABLE, SIDE_EFFECTS_POSSIBLE,
                   "3 times during the call");
    assert_int_equal(atomic_load(&s->gateway.calls) - before, 3);
    expect_vm(s->client, "web");
}

static void test_absent(void **state)
{
    struct setup *s = *state;
    fake_stop(&s->gateway);
    struct isobar *c = open_client(s);
    expect_failure(c, "web", LONG_MS, RESULT_CODE_UNAVAILABLE, SIDE_EFFECTS_NONE,
                   "nothing listens at");
    expect_failure(c, "web", LONG_MS, RESULT_CODE_UNAVAILABLE, SIDE_EFFECTS_NONE, s->url);
    assert_true(fake_start(&s->gateway));
    expect_vm(c, "web");
    /* Away while nobody calls. */
    fake_stop(&s->gateway);
    expect_failure(c, "web", LONG_MS, RESULT_CODE_UNAVAILABLE, SIDE_EFFECTS_NONE,
                   "nothing listens at");
    assert_true(fake_start(&s->gateway));
    expect_vm(c, "web");
    fake_stop(&s->gateway);
    assert_true(fake_start(&s->gateway));
    expect_vm(c, "web");
    isobar_close(c);
}

static void test_not_a_gateway(void **state)
{
    struct setup *s = *state;
    fake_stop(&s->gateway);
    s->gateway.stranger = true;
    assert_true(fake_start(&s->gateway));
    struct isobar *c = open_client(s);
    expect_failure(c, "web", LONG_MS, RESULT_CODE_UNAVAILABLE, SIDE_EFFECTS_NONE,
                   "is not an Isobar gateway");
    isobar_close(c);
    fake_stop(&s->gateway);
    s->gateway.stranger = false;
    /* Something that listens and says nothing. */
    s->gateway.mute = true;
    assert_true(fake_start(&s->gateway));
    c = open_client(s);
    expect_failure(c, "web", 100, RESULT_CODE_DEADLINE_EXCEEDED, SIDE_EFFECTS_NONE, "in time");
    isobar_close(c);
    fake_stop(&s->gateway);
    s->gateway.mute = false;
    assert_true(fake_start(&s->gateway));
}

int main(void)
{
    struct CMUnitTest tests[] = {
        cmocka_unit_test(test_call),
        cmocka_unit_test(test_results),
        cmocka_unit_test(test_refused_here),
        cmocka_unit_test(test_deadline),
        cmocka_unit_test(test_large),
        cmocka_unit_test(test_rubbish),
        cmocka_unit_test(test_broken_connection),
        cmocka_unit_test(test_absent),
        cmocka_unit_test(test_not_a_gateway),
    };
    return run_all(tests, ARRAY_LEN(tests));
}
