/* The envelope, against protobuf-c's own reader of the same messages. */
#include <string.h>

#include "fuzz.h"
#include "isobar/envelope.h"
#include "isobar/utf8.h"

#define CAP ((size_t)16 << 20)

/* A Call that we accept is one to protobuf-c too, with the same fields. */
static void check_call(struct arena *a, const uint8_t *data, size_t len)
{
    struct envelope e;
    if (!envelope_decode(a, data, len, &e))
        return;
    pb_Call *call =
        (pb_Call *)(void *)protobuf_c_message_unpack(&pb_Call_desc, arena_allocator(a), len, data);
    MUST(call);
    MUST(strcmp(e.method, call->method) == 0);
    MUST(strcmp(e.request_id, call->request_id) == 0);
    MUST(strcmp(e.token, call->token) == 0);
    MUST(strcmp(e.traceparent, call->traceparent) == 0);
    MUST(e.timeout_ms == call->timeout_ms);
    MUST(e.body_len == call->body.len);
    MUST(e.body_len == 0 || (e.body >= data && e.body + e.body_len <= data + len));
    MUST(e.body_len == 0 || memcmp(e.body, call->body.data, e.body_len) == 0);
    MUST(strlen(e.method) <= 256 && utf8_is(e.method, strlen(e.method)));
}

static pb_Result *unpack_result(struct arena *a, const uint8_t *data, size_t len)
{
    return (pb_Result *)(void *)protobuf_c_message_unpack(&pb_Result_desc, arena_allocator(a), len,
                                                          data);
}

/* Any Result, sent as both parts of a Reply, arrives as it was. */
static void check_reply(struct arena *a, const uint8_t *data, size_t len)
{
    pb_Result *result = unpack_result(a, data, len);
    if (!result)
        return;
    size_t packed_len = protobuf_c_message_get_packed_size(&result->base);
    uint8_t *packed = malloc(packed_len + 1);
    MUST(packed);
    protobuf_c_message_pack(&result->base, packed);
    /* protobuf-c takes an unknown field 0 in, and does not read it where it has itself written it.
     */
    if (unpack_result(a, packed, packed_len)) {
        size_t size = envelope_reply_size(result, &result->base, NULL);
        uint8_t *out = malloc(size);
        MUST(out);
        envelope_reply_write(result, &result->base, NULL, out);
        pb_Reply *reply = (pb_Reply *)(void *)protobuf_c_message_unpack(
            &pb_Reply_desc, arena_allocator(a), size, out);
        MUST(reply && reply->result);
        MUST(reply->body.len == packed_len);
        MUST(packed_len == 0 || memcmp(reply->body.data, packed, packed_len) == 0);
        MUST(protobuf_c_message_get_packed_size(&reply->result->base) == packed_len);
        free(out);
    }
    free(packed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct arena a;
    arena_init(&a, CAP);
    size_t backtrace = sp_backtrace_len(data, len);
    MUST(backtrace <= len && backtrace <= SP_BACKTRACE_MAX && backtrace % 4 == 0);
    check_call(&a, data, len);
    arena_reset(&a);
    check_reply(&a, data, len);
    arena_done(&a);
    return 0;
}
