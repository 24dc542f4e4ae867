#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
/* cmocka.h wants those before it. */
#include <cmocka.h>

#include "isobar/envelope.h"

#define CAP ((size_t)1 << 20)

static void handshakes(void **state UNUSED)
{
    uint8_t bytes[SP_HANDSHAKE_LEN];
    sp_handshake(bytes, SP_PROTO_REP);
    assert_memory_equal(bytes, "\0SP\0\0\x31\0\0", 8);
    assert_true(sp_handshake_ok(bytes, SP_PROTO_REP));
    assert_false(sp_handshake_ok(bytes, SP_PROTO_REQ));
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] ^= 1;
        assert_false(sp_handshake_ok(bytes, SP_PROTO_REP));
        bytes[i] ^= 1;
    }
}

static void lengths_are_big_endian(void **state UNUSED)
{
    uint8_t bytes[8];
    sp_put64(bytes, UINT64_C(0x0123456789ABCDEF));
    assert_memory_equal(bytes, "\x01\x23\x45\x67\x89\xAB\xCD\xEF", 8);
    assert_true(sp_get64(bytes) == UINT64_C(0x0123456789ABCDEF));
    sp_put64(bytes, UINT64_MAX);
    assert_true(sp_get64(bytes) == UINT64_MAX);
}

static void backtraces(void **state UNUSED)
{
    uint8_t data[100] = {0};
    assert_int_equal(sp_backtrace_len(data, 0), 0);
    assert_int_equal(sp_backtrace_len(data, sizeof(data)), 0);
    for (size_t at = 0; at < sizeof(data) - 4; at += 4) {
        data[at] = 0x80;
        size_t len = at + 4 <= SP_BACKTRACE_MAX ? at + 4 : 0;
        assert_int_equal(sp_backtrace_len(data, sizeof(data)), len);
        assert_int_equal(sp_backtrace_len(data, at + 3), 0);
        data[at] = 0;
        /* Only the first byte of a word says that it is the last. */
        data[at + 1] = 0x80;
        assert_int_equal(sp_backtrace_len(data, sizeof(data)), 0);
        data[at + 1] = 0;
    }
}

static bool decode(struct arena *a, const void *data, size_t len, struct envelope *ret)
{
    arena_reset(a);
    /* A copy of exactly this length, so that ASan sees a read past its end. */
    uint8_t *copy = malloc(len ? len : 1);
    memcpy(copy, data, len);
    bool good = envelope_decode(a, copy, len, ret);
    if (good && ret->body)
        ret->body = (const uint8_t *)data + (ret->body - copy);
    free(copy);
    return good;
}

static size_t pack_call(uint8_t out[4096])
{
    static uint8_t body[300] = {0, 255, 1};
    pb_Call call = pb_Call_INIT;
    char method[] = "isobar.v1.VmService/GetVm", id[] = "r-\xC3\xBC", token[] = "t",
         trace[] = "00-";
    call.method = method;
    call.request_id = id;
    call.token = token;
    call.traceparent = trace;
    call.timeout_ms = 4000000000;
    call.body = (ProtobufCBinaryData){sizeof(body), body};
    return protobuf_c_message_pack(&call.base, out);
}

static void calls_are_decoded(void **state UNUSED)
{
    struct arena a;
    arena_init(&a, CAP);
    uint8_t data[4096];
    size_t len = pack_call(data);
    struct envelope e;
    assert_true(decode(&a, data, len, &e));
    assert_string_equal(e.method, "isobar.v1.VmService/GetVm");
    assert_string_equal(e.request_id, "r-\xC3\xBC");
    assert_string_equal(e.token, "t");
    assert_string_equal(e.traceparent, "00-");
    assert_int_equal(e.timeout_ms, 4000000000);
    assert_int_equal(e.body_len, 300);
    /* In the message, not copied. */
    assert_ptr_equal(e.body, data + len - 300);

    assert_true(decode(&a, "", 0, &e));
    assert_string_equal(e.method, "");
    assert_string_equal(e.traceparent, "");
    assert_int_equal(e.body_len, 0);
    assert_int_equal(e.timeout_ms, 0);
    arena_done(&a);
}

static void cut_off_calls_are_refused(void **state UNUSED)
{
    struct arena a;
    arena_init(&a, CAP);
    uint8_t data[4096];
    size_t len = pack_call(data);
    size_t whole = 0;
    for (size_t cut = 0; cut < len; cut++) {
        struct envelope e;
        whole += decode(&a, data, cut, &e);
    }
    /* Only between two of the six fields is a beginning of the message a message. */
    assert_int_equal(whole, 6);
    arena_done(&a);
}

struct bytes {
    const char *data;
    size_t len;
};
#define BYTES(s)                                                                                   \
    {                                                                                              \
        s, sizeof(s) - 1                                                                           \
    }

static void other_encoders_are_understood(void **state UNUSED)
{
    struct arena a;
    arena_init(&a, CAP);
    struct envelope e;
    /* The last one wins. */
    assert_true(decode(&a, "\x0A\x01x\x0A\x01y\x18\x01\x18\x02", 10, &e));
    assert_string_equal(e.method, "y");
    assert_int_equal(e.timeout_ms, 2);
    /* Unknown fields of every type are skipped. */
    static const struct bytes unknown[] = {
        BYTES("\x40\x01\x0A\x01x"),
        BYTES("\x41"
              "12345678\x0A\x01x"),
        BYTES("\x42\x03"
              "abc\x0A\x01x"),
        BYTES("\x45"
              "1234\x0A\x01x"),
        BYTES("\xF8\xFF\xFF\xFF\x0F\x00\x0A\x01x"),
        BYTES("\x40\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01\x0A\x01x"),
        /* A length, and a tag, in more bytes than needed. */
        BYTES("\x0A\x81\x80\x00x"),
        BYTES("\x8A\x00\x01x"),
    };
    for (size_t i = 0; i < ARRAY_LEN(unknown); i++) {
        assert_true(decode(&a, unknown[i].data, unknown[i].len, &e));
        assert_string_equal(e.method, "x");
    }
    /* A number that is too big is cut, as protobuf does it. */
    assert_true(decode(&a, "\x18\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01", 11, &e));
    assert_int_equal(e.timeout_ms, UINT32_MAX);
    arena_done(&a);
}

static void malformed_calls_are_refused(void **state UNUSED)
{
    static const struct bytes bad[] = {
        BYTES("\x0A"),                                             /* no length */
        BYTES("\x0A\x02x"),                                        /* longer than the message */
        BYTES("\x0A\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01"),     /* nearly 2^64 */
        BYTES("\x0A\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x02"),     /* more than 2^64 */
        BYTES("\x0A\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00"), /* eleven bytes */
        BYTES("\x08\x01"),                                         /* method as a number */
        BYTES("\x1A\x01x"),                                        /* timeout as text */
        BYTES("\x1D"
              "1234"), /* timeout, fixed */
        BYTES("\x35"
              "1234"),                          /* body, fixed */
        BYTES("\x02\x01x"),                     /* field 0 */
        BYTES("\x80\x80\x80\x80\x10\x01"),      /* a tag past 32 bits */
        BYTES("\x43\x44"),                      /* a group */
        BYTES("\x44"),                          /* the end of one */
        BYTES("\x8A\x80\x80\x80\x80\x00\x01x"), /* a tag of six bytes */
        BYTES("\x0A\x81\x80\x80\x80\x80\x00x"), /* a length of six bytes */
        BYTES("\x46"),                          /* no such type */
        BYTES("\x47"),                          /* no such type */
        BYTES("\x41"
              "1234567"),              /* too short */
        BYTES("\x0A\x02\xC0\x80"),     /* not UTF-8 */
        BYTES("\x12\x01\xFF"),         /* not UTF-8 */
        BYTES("\x22\x03\xED\xA0\x80"), /* a surrogate */
        BYTES("\x0A\x03"
              "a\0b"),                  /* a NUL */
        BYTES("\x2A\x01\0"),            /* a NUL */
        BYTES("\x0A\x01\xFF\x0A\x01x"), /* not the last one, and wrong */
        BYTES("\x38\x01"),              /* step as a number */
        BYTES("\x3D"
              "1234"),                 /* step, fixed */
        BYTES("\x3A\x03\x0A\x02x"),    /* the operation is longer than the step */
        BYTES("\x3A\x01\x10"),         /* no number */
        BYTES("\x3A\x03\x22\x01x"),    /* hops as text */
        BYTES("\x3A\x03\x0A\x01\xFF"), /* not UTF-8 */
        BYTES("\x3A\x02\x13\x14"),     /* a group */
    };
    struct arena a;
    arena_init(&a, CAP);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct envelope e;
        if (decode(&a, bad[i].data, bad[i].len, &e))
            fail_msg("accepted: row %zu", i);
    }
    arena_done(&a);
}

static bool decode_text_field(struct arena *a, unsigned field, size_t len)
{
    uint8_t data[1000] = {(uint8_t)(field << 3 | 2), (uint8_t)(0x80 | (len & 0x7F)),
                          (uint8_t)(len >> 7)};
    memset(data + 3, 'x', len);
    struct envelope e;
    return decode(a, data, len + 3, &e);
}

static void names_have_a_limit(void **state UNUSED)
{
    struct arena a;
    arena_init(&a, CAP);
    for (unsigned field = 1; field <= 2; field++) {
        assert_true(decode_text_field(&a, field, 256));
        assert_false(decode_text_field(&a, field, 257));
    }
    assert_true(decode_text_field(&a, 4, 900));
    arena_done(&a);
    arena_init(&a, 100);
    assert_false(decode_text_field(&a, 1, 200));
    arena_done(&a);
}

/* Replies are what protobuf-c itself makes of a Reply with the same parts, at every length at which
 * the length of a length changes. */
static void replies_are_written(void **state UNUSED)
{
    static const size_t sizes[] = {0,     1,     118,   119,   120,   121,   122,   123,   124,
                                   125,   126,   127,   128,   129,   130,   16370, 16376, 16377,
                                   16378, 16379, 16380, 16381, 16382, 16384, 16390, 100000};
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        struct arena a;
        arena_init(&a, CAP);
        char *text = arena_alloc(&a, sizes[i] + 1);
        memset(text, 'x', sizes[i]);
        pb_GetVmRequest *body = arena_message(&a, &pb_GetVmRequest_desc);
        body->id = text;
        pb_Result *result = arena_message(&a, &pb_Result_desc);
        result->code = RESULT_CODE_NOT_FOUND;
        result->detail = text;

        pb_Reply *want = arena_message(&a, &pb_Reply_desc);
        want->result = result;
        want->body.len = protobuf_c_message_get_packed_size(&body->base);
        want->body.data = arena_alloc(&a, want->body.len);
        protobuf_c_message_pack(&body->base, want->body.data);
        size_t len = protobuf_c_message_get_packed_size(&want->base);
        uint8_t *theirs = arena_alloc(&a, len);
        protobuf_c_message_pack(&want->base, theirs);

        size_t size = envelope_reply_size(result, &body->base, NULL);
        uint8_t *ours = malloc(size);
        envelope_reply_write(result, &body->base, NULL, ours);
        pb_Reply *got = (pb_Reply *)(void *)protobuf_c_message_unpack(
            &pb_Reply_desc, arena_allocator(&a), size, ours);
        assert_non_null(got);
        assert_string_equal(got->result->detail, text);
        assert_int_equal(got->body.len, want->body.len);
        /* An empty body is written by us and left out by protobuf-c: the same to all readers. */
        if (sizes[i] > 0) {
            assert_int_equal(size, len);
            assert_memory_equal(ours, theirs, len);
        }
        free(ours);
        arena_done(&a);
    }
}

static void replies_without_a_body(void **state UNUSED)
{
    pb_Result result = pb_Result_INIT;
    result.code = RESULT_CODE_OK;
    uint8_t out[4];
    assert_int_equal(envelope_reply_size(&result, NULL, NULL), 4);
    envelope_reply_write(&result, NULL, NULL, out);
    assert_memory_equal(out, "\x0A\x02\x08\x01", 4);
    assert_int_equal(envelope_reply_size(NULL, NULL, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(handshakes),
        cmocka_unit_test(lengths_are_big_endian),
        cmocka_unit_test(backtraces),
        cmocka_unit_test(calls_are_decoded),
        cmocka_unit_test(cut_off_calls_are_refused),
        cmocka_unit_test(other_encoders_are_understood),
        cmocka_unit_test(malformed_calls_are_refused),
        cmocka_unit_test(names_have_a_limit),
        cmocka_unit_test(replies_are_written),
        cmocka_unit_test(replies_without_a_body),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
