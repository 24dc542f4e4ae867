/* The remote adapter where the way to the other gateway breaks, or what comes back is no help. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "isobar/clock.h"
#include "isobar/result.h"
#include "remote.h"
#include "sp_stub.h"

#define STEPS(...) ((const enum stub_deed[]){__VA_ARGS__})
#define N(...)     (sizeof(STEPS(__VA_ARGS__)) / sizeof(enum stub_deed))
#define TEXT(s)    ((char *)(uintptr_t)(s))
/* A gateway that does this to one call after the other, and answers with the fixture's reply. */
#define OPEN(f, ...) open_fixture(f, STEPS(__VA_ARGS__), N(__VA_ARGS__))

extern const struct adapter_ops remote_adapter;

struct fixture {
    struct stub stub;
    struct adapter *adapter;
    struct arena arena;
    struct op op;
    char token_file[64];
    uint8_t answer[4096];
};

static struct adapter *open_remote(const char *server, const char *token_file,
                                   struct open_error *ret_error)
{
    struct setting items[] = {{"server", server}, {"cloud", "there"}, {"token_file", token_file}};
    struct settings s = {.cloud = "far", .n = token_file ? 3 : 2, .items = items};
    return remote_adapter.open(&s, ret_error);
}

static void open_fixture(struct fixture *f, const enum stub_deed *steps, size_t n_steps)
{
    struct open_error error = {""};
    memset(f, 0, sizeof(*f));
    strcpy(f->token_file, "/tmp/isobar-token-XXXXXX");
    int fd = mkstemp(f->token_file);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, " secret \nnot this\n", 18), 18);
    close(fd);
    stub_start(&f->stub, true, STUB_POLITE, steps, n_steps);
    f->adapter = open_remote(f->stub.url, f->token_file, &error);
    assert_non_null(f->adapter);
    arena_init(&f->arena, (size_t)1 << 20);
    f->op = (struct op){.arena = &f->arena,
                        .deadline_ns = clock_mono_ns() + 20 * NS_PER_SEC,
                        .token = "the-token",
                        .request_id = "the-request",
                        .traceparent = "the-trace",
                        .result = result_new(&f->arena)};
    f->stub.answer = f->answer;
}

static void close_fixture(struct fixture *f)
{
    remote_adapter.close(f->adapter);
    stub_stop(&f->stub);
    unlink(f->token_file);
    arena_done(&f->arena);
}

/* What the gateway answers; before the first call. */
static void answer(struct fixture *f, pb_Result *result, const ProtobufCMessage *body)
{
    pb_Reply reply = pb_Reply_INIT;
    uint8_t bytes[2048];
    reply.result = result;
    reply.body.data = bytes;
    reply.body.len = body ? protobuf_c_message_pack(body, bytes) : 0;
    f->stub.answer_len = isobar__v1__reply__pack(&reply, f->answer);
}

static void answer_code(struct fixture *f, pb_ResultCode code, const ProtobufCMessage *body)
{
    pb_Result result = pb_Result_INIT;
    result.code = code;
    answer(f, &result, body);
}

static void answer_machine(struct fixture *f, pb_ResultCode code)
{
    pb_Vm vm = pb_Vm_INIT;
    pb_GetVmResponse rsp = pb_GetVmResponse_INIT;
    vm.id = TEXT("the-machine");
    rsp.vm = &vm;
    answer_code(f, code, &rsp.base); /* as CreateVmResponse begins as well */
}

static pb_ResultCode get(struct fixture *f, pb_GetVmResponse *ret)
{
    pb_GetVmRequest req = pb_GetVmRequest_INIT;
    isobar__v1__get_vm_response__init(ret);
    req.cloud = TEXT("far");
    req.id = TEXT("web");
    return remote_adapter.get_vm(f->adapter, &f->op, &req, ret);
}

static pb_ResultCode create(struct fixture *f, pb_CreateVmResponse *ret)
{
    pb_CreateVmRequest req = pb_CreateVmRequest_INIT;
    pb_VmSpec spec = pb_VmSpec_INIT;
    isobar__v1__create_vm_response__init(ret);
    req.cloud = TEXT("far");
    req.spec = &spec;
    req.wait = WAIT_RUNNING;
    return remote_adapter.create_vm(f->adapter, &f->op, &req, ret);
}

static pb_Call *call_of(struct fixture *f, unsigned i)
{
    struct stub_message m = stub_message(&f->stub, i);
    pb_Call *call = isobar__v1__call__unpack(arena_allocator(&f->arena), m.len, m.data);
    assert_non_null(call);
    return call;
}

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

/* The other gateway knows the order by its request id, so it may come again: but as the same. */
static void an_order_is_sent_again_under_the_same_id(void **state)
{
    struct fixture f;
    pb_CreateVmResponse rsp;
    (void)state;
    OPEN(&f, STUB_CLOSE, STUB_ECHO);
    answer_machine(&f, RESULT_CODE_CREATED);
    assert_int_equal(create(&f, &rsp), RESULT_CODE_CREATED);
    assert_string_equal(rsp.vm->id, "the-machine");
    pb_Call *a = call_of(&f, 0), *b = call_of(&f, 1);
    assert_string_equal(a->request_id, "the-token");
    assert_string_equal(b->request_id, "the-token");
    assert_int_equal(a->body.len, b->body.len);
    assert_memory_equal(a->body.data, b->body.data, a->body.len);
    pb_CreateVmRequest *req =
        isobar__v1__create_vm_request__unpack(arena_allocator(&f.arena), a->body.len, a->body.data);
    assert_int_equal(req->wait, WAIT_UNSPECIFIED);
    close_fixture(&f);
}

static void expect_unknown(const struct fixture *f)
{
    assert_int_equal(f->op.result->code, RESULT_CODE_OUTCOME_UNKNOWN);
    assert_int_equal(f->op.result->side_effects, SIDE_EFFECTS_POSSIBLE);
    assert_int_equal(f->op.result->retry->class_, RETRY_CLASS_AFTER_LOOKUP);
    assert_int_equal(f->op.result->blame, BLAME_CLOUD);
}

static void three_attempts_and_no_more(void **state)
{
    struct fixture f;
    pb_CreateVmResponse made;
    pb_GetVmResponse seen;
    (void)state;
    OPEN(&f, STUB_CLOSE);
    assert_int_equal(create(&f, &made), RESULT_CODE_OUTCOME_UNKNOWN);
    assert_int_equal(atomic_load(&f.stub.messages), 3);
    expect_unknown(&f);
    f.op.result = result_new(&f.arena);
    assert_int_equal(get(&f, &seen), RESULT_CODE_UNAVAILABLE);
    assert_int_equal(atomic_load(&f.stub.messages), 6);
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

/* "Too busy" says nothing of the order that was sent before and may be there. */
static void a_refusal_after_a_lost_answer_settles_nothing(void **state)
{
    pb_CreateVmResponse rsp;
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct fixture f;
        pb_Result result = pb_Result_INIT;
        bool lost = i == 1, resumed = i == 2, known = i == 3;
        OPEN(&f, lost || known ? STUB_CLOSE : STUB_ECHO, STUB_ECHO);
        f.op.resumed = resumed;
        result.code = RESULT_CODE_OVERLOADED;
        result.side_effects = SIDE_EFFECTS_NONE;
        /* What became of an operation is what became of the order. */
        result.operation_id = TEXT(known ? "op" : "");
        answer(&f, &result, NULL);
        pb_ResultCode code = create(&f, &rsp);
        if (lost || resumed)
            expect_unknown(&f);
        else
            assert_int_equal(f.op.result->side_effects, SIDE_EFFECTS_NONE);
        assert_int_equal(code,
                         lost || resumed ? RESULT_CODE_OUTCOME_UNKNOWN : RESULT_CODE_OVERLOADED);
        close_fixture(&f);
    }
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
        memcpy(f.answer, table[i].bytes, table[i].len);
        f.stub.answer_len = table[i].len;
        assert_int_equal(create(&f, &made), RESULT_CODE_OUTCOME_UNKNOWN);
        expect_unknown(&f);
        assert_null(made.vm);
        f.op.result = result_new(&f.arena);
        assert_int_equal(get(&f, &seen), RESULT_CODE_UNAVAILABLE);
        assert_null(seen.vm);
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
    answer(&f, &result, NULL);
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
    assert_null(open_remote("tls+tcp://there", NULL, &error));
    assert_non_null(strstr(error.text, "TLS"));
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
        cmocka_unit_test(an_order_is_sent_again_under_the_same_id),
        cmocka_unit_test(three_attempts_and_no_more),
        cmocka_unit_test(retries_have_a_quota),
        cmocka_unit_test(a_deadline_leaves_an_order_unknown),
        cmocka_unit_test(a_refusal_after_a_lost_answer_settles_nothing),
        cmocka_unit_test(what_cannot_be_read_is_no_success),
        cmocka_unit_test(particulars_come_through),
        cmocka_unit_test(our_own_rights_there_are_not_the_callers),
        cmocka_unit_test(a_list_is_read_to_its_end),
        cmocka_unit_test(settings_that_are_wrong_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
