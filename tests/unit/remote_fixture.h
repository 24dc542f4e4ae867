/* The remote adapter, and a gateway that does to it what a script says. */
#ifndef ISOBAR_TESTS_REMOTE_FIXTURE_H
#define ISOBAR_TESTS_REMOTE_FIXTURE_H

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
/* A gateway that does this to one call after the other, and answers what answer() says. */
#define OPEN(f, ...) open_fixture(f, STEPS(__VA_ARGS__), N(__VA_ARGS__))

extern const struct adapter_ops remote_adapter;

struct fixture {
    struct stub stub;
    struct adapter *adapter;
    struct arena arena;
    struct op op;
    char token_file[64];
    struct stub_answer answers[8];
};

static struct adapter *open_remote(const char *server, const char *token_file,
                                   struct open_error *ret_error)
{
    struct setting items[] = {{"server", server}, {"cloud", "there"}, {"token_file", token_file}};
    struct settings s = {.cloud = "far", .n = token_file ? 3 : 2, .items = items};
    return remote_adapter.open(&s, ret_error);
}

UNUSED static void open_fixture(struct fixture *f, const enum stub_deed *steps, size_t n_steps)
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
    f->stub.answers = f->answers;
    /* Nobody is asked how the cloud is. */
    group_set_traits(f->adapter->group, (struct group_traits){.known = true});
}

UNUSED static void close_fixture(struct fixture *f)
{
    remote_adapter.close(f->adapter);
    stub_stop(&f->stub);
    unlink(f->token_file);
    arena_done(&f->arena);
}

/* What the gateway answers to the next message that has no answer yet; the last one stays. */
static void add_answer(struct fixture *f, const pb_Reply *reply)
{
    uint8_t *bytes = arena_alloc(&f->arena, isobar__v1__reply__get_packed_size(reply) + 1);
    assert_true(f->stub.n_answers < ARRAY_LEN(f->answers));
    f->answers[f->stub.n_answers++] =
        (struct stub_answer){bytes, isobar__v1__reply__pack(reply, bytes)};
}

/* `body` and `noted` may be NULL. */
UNUSED static void answer(struct fixture *f, pb_Result *result, const ProtobufCMessage *body,
                          pb_Noted *noted)
{
    pb_Reply reply = pb_Reply_INIT;
    uint8_t bytes[2048];
    reply.result = result;
    reply.noted = noted;
    reply.body.data = bytes;
    reply.body.len = body ? protobuf_c_message_pack(body, bytes) : 0;
    add_answer(f, &reply);
}

UNUSED static void answer_code(struct fixture *f, pb_ResultCode code, const ProtobufCMessage *body)
{
    pb_Result result = pb_Result_INIT;
    result.code = code;
    answer(f, &result, body, NULL);
}

UNUSED static void answer_machine(struct fixture *f, pb_ResultCode code)
{
    pb_Vm vm = pb_Vm_INIT;
    pb_GetVmResponse rsp = pb_GetVmResponse_INIT;
    vm.id = TEXT("the-machine");
    rsp.vm = &vm;
    answer_code(f, code, &rsp.base); /* as CreateVmResponse and others begin as well */
}

UNUSED static pb_ResultCode get(struct fixture *f, pb_GetVmResponse *ret)
{
    pb_GetVmRequest req = pb_GetVmRequest_INIT;
    isobar__v1__get_vm_response__init(ret);
    req.cloud = TEXT("far");
    req.id = TEXT("web");
    return remote_adapter.get_vm(f->adapter, &f->op, &req, ret);
}

UNUSED static pb_ResultCode create(struct fixture *f, pb_CreateVmResponse *ret)
{
    pb_CreateVmRequest req = pb_CreateVmRequest_INIT;
    pb_VmSpec spec = pb_VmSpec_INIT;
    isobar__v1__create_vm_response__init(ret);
    req.cloud = TEXT("far");
    req.spec = &spec;
    req.wait = WAIT_RUNNING;
    return remote_adapter.create_vm(f->adapter, &f->op, &req, ret);
}

UNUSED static pb_Call *call_of(struct fixture *f, unsigned i)
{
    struct stub_message m = stub_message(&f->stub, i);
    pb_Call *call = isobar__v1__call__unpack(arena_allocator(&f->arena), m.len, m.data);
    assert_non_null(call);
    return call;
}

UNUSED static void expect_unknown(const struct fixture *f)
{
    assert_int_equal(f->op.result->code, RESULT_CODE_OUTCOME_UNKNOWN);
    assert_int_equal(f->op.result->side_effects, SIDE_EFFECTS_POSSIBLE);
    assert_int_equal(f->op.result->retry->class_, RETRY_CLASS_AFTER_LOOKUP);
    assert_int_equal(f->op.result->blame, BLAME_CLOUD);
}

#endif
