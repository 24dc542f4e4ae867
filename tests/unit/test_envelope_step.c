/* The part of the envelope that is between gateways: steps, and what they note. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
/* cmocka.h wants those before it. */
#include <cmocka.h>

#include "isobar/envelope.h"

#define CAP     ((size_t)1 << 20)
#define TEXT(s) ((char *)(uintptr_t)(s))

static bool decode(struct arena *a, const void *data, size_t len, struct envelope *ret)
{
    arena_reset(a);
    /* A copy of exactly this length, so that ASan sees a read past its end. */
    uint8_t *copy = malloc(len ? len : 1);
    memcpy(copy, data, len);
    bool good = envelope_decode(a, copy, len, ret);
    free(copy);
    return good;
}

static size_t pack_step(uint8_t out[300], const char *operation_id)
{
    pb_Step step = pb_Step_INIT;
    step.operation_id = TEXT(operation_id);
    step.resumed = true;
    step.name_only = true;
    step.hops = UINT32_MAX;
    return protobuf_c_message_pack(&step.base, out);
}

/* A call that is nothing but a step. */
static bool decode_step(struct arena *a, const uint8_t *step, size_t len, struct envelope *ret)
{
    uint8_t data[600] = {0x3A, (uint8_t)(0x80 | (len & 0x7F)), (uint8_t)(len >> 7)};
    memcpy(data + 3, step, len);
    return decode(a, data, len + 3, ret);
}

static void expect_no_step(const struct envelope *e)
{
    assert_non_null(e->step);
    assert_string_equal(e->step->operation_id, "");
    assert_false(e->step->resumed);
    assert_false(e->step->name_only);
    assert_int_equal(e->step->hops, 0);
}

static void steps_are_decoded(void **state UNUSED)
{
    struct arena a;
    arena_init(&a, CAP);
    uint8_t step[300];
    struct envelope e;
    size_t len = pack_step(step, "op-\xC3\xBC");
    assert_true(decode_step(&a, step, len, &e));
    assert_string_equal(e.step->operation_id, "op-\xC3\xBC");
    assert_true(e.step->resumed);
    assert_true(e.step->name_only);
    assert_int_equal(e.step->hops, UINT32_MAX);
    assert_string_equal(e.method, "");

    /* A call that has none, one that has an empty one, and no call at all. */
    assert_true(decode(&a, "\x0A\x01x\x18\x02", 5, &e));
    expect_no_step(&e);
    assert_true(decode(&a, "\x3A\x00", 2, &e));
    expect_no_step(&e);
    expect_no_step(&envelope_none);
    /* What a later version says in it. */
    assert_true(decode(&a, "\x3A\x06\x7A\x01x\x0A\x01y", 8, &e));
    assert_string_equal(e.step->operation_id, "y");
    arena_done(&a);
}

static void cut_off_steps_are_refused(void **state UNUSED)
{
    struct arena a;
    arena_init(&a, CAP);
    uint8_t step[300];
    size_t len = pack_step(step, "operation"), whole = 0;
    struct envelope e;
    for (size_t cut = 0; cut < len; cut++)
        whole += decode_step(&a, step, cut, &e);
    /* Only between two of its four fields. */
    assert_int_equal(whole, 4);
    arena_done(&a);
}

static void steps_have_a_limit(void **state UNUSED)
{
    struct arena a;
    arena_init(&a, CAP);
    uint8_t step[300];
    char id[260] = "";
    struct envelope e;
    for (size_t n = 200; n < 258; n++) {
        memset(id, 'x', n);
        size_t len = pack_step(step, id);
        assert_int_equal(decode_step(&a, step, len, &e), len <= 256);
        if (len <= 256)
            assert_string_equal(e.step->operation_id, id);
    }
    arena_done(&a);
    arena_init(&a, 100);
    assert_false(decode_step(&a, step, 256, &e));
    arena_done(&a);
}

/* As protobuf-c writes them: with a body or without one, and where nothing else is there. */
static void replies_of_steps_are_written(void **state UNUSED)
{
    static const size_t sizes[] = {0, 1, 120, 121, 122, 123, 124, 125, 126, 127, 128, 16400};
    for (size_t i = 0; i < 4 * ARRAY_LEN(sizes); i++) {
        struct arena a;
        arena_init(&a, CAP);
        size_t n = sizes[i / 4];
        char *text = arena_alloc(&a, n + 1);
        memset(text, 'x', n);
        pb_Noted *noted = arena_message(&a, &pb_Noted_desc);
        noted->native_id = text;
        noted->touched = n > 0;
        pb_GetVmRequest *body = arena_message(&a, &pb_GetVmRequest_desc);
        body->id = TEXT("web");
        pb_Result *result = arena_message(&a, &pb_Result_desc);
        result->code = RESULT_CODE_CREATED;
        bool has_body = i % 2, has_result = i % 4 < 2;

        pb_Reply *want = arena_message(&a, &pb_Reply_desc);
        want->result = has_result ? result : NULL;
        want->noted = noted;
        want->body.len = has_body ? protobuf_c_message_get_packed_size(&body->base) : 0;
        want->body.data = arena_alloc(&a, want->body.len + 1);
        if (has_body)
            protobuf_c_message_pack(&body->base, want->body.data);
        size_t len = protobuf_c_message_get_packed_size(&want->base);
        uint8_t *theirs = arena_alloc(&a, len), *ours = malloc(len);
        protobuf_c_message_pack(&want->base, theirs);
        assert_int_equal(envelope_reply_size(want->result, has_body ? &body->base : NULL, noted),
                         len);
        envelope_reply_write(want->result, has_body ? &body->base : NULL, noted, ours);
        assert_memory_equal(ours, theirs, len);
        free(ours);
        arena_done(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_are_decoded),
        cmocka_unit_test(cut_off_steps_are_refused),
        cmocka_unit_test(steps_have_a_limit),
        cmocka_unit_test(replies_of_steps_are_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
