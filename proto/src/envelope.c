#include "isobar/envelope.h"

#include <string.h>

#include "isobar/utf8.h"

/* A Call is decoded by hand, not by protobuf_c_message_unpack(): that would copy the body, which is
 * nearly all of a message, once more than needed. */

#define METHOD_MAX     256
#define REQUEST_ID_MAX 256
#define STEP_MAX       256

void sp_handshake(uint8_t out[SP_HANDSHAKE_LEN], uint16_t protocol)
{
    const uint8_t bytes[SP_HANDSHAKE_LEN] = {
        0, 'S', 'P', 0, (uint8_t)(protocol >> 8), (uint8_t)protocol, 0, 0};
    memcpy(out, bytes, sizeof(bytes));
}

bool sp_handshake_ok(const uint8_t in[SP_HANDSHAKE_LEN], uint16_t protocol)
{
    uint8_t want[SP_HANDSHAKE_LEN];
    sp_handshake(want, protocol);
    return memcmp(in, want, sizeof(want)) == 0;
}

uint64_t sp_get64(const uint8_t in[8])
{
    uint64_t v = 0;
    for (int i = 0; i < 8; i++)
        v = v << 8 | in[i];
    return v;
}

void sp_put64(uint8_t out[8], uint64_t v)
{
    for (int i = 7; i >= 0; i--, v >>= 8)
        out[i] = (uint8_t)v;
}

size_t sp_backtrace_len(const uint8_t *data, size_t len)
{
    size_t max = len < SP_BACKTRACE_MAX ? len : SP_BACKTRACE_MAX;
    for (size_t at = 0; at + 4 <= max; at += 4) {
        if (data[at] & SP_REQUEST_ID_BIT)
            return at + 4;
    }
    return 0;
}

/* What is left of a message. */
struct input {
    const uint8_t *at, *end;
};

/* Bytes that a number may take. protobuf's own readers take no more for tags and lengths either. */
enum { VALUE_BYTES = 10, TAG_BYTES = 5, LENGTH_BYTES = 5 };

static bool take_varint(struct input *in, int max, uint64_t *ret)
{
    uint64_t v = 0;
    for (int i = 0; i < max && in->at < in->end; i++) {
        uint8_t byte = *in->at++;
        /* The tenth byte has room for one bit. */
        if (i == VALUE_BYTES - 1 && byte > 1)
            return false;
        v |= (uint64_t)(byte & 0x7F) << 7 * i;
        if (byte < 0x80) {
            *ret = v;
            return true;
        }
    }
    return false;
}

struct piece {
    const uint8_t *data;
    size_t len;
};

/* The value of a field: a number for varints, a piece for all else. Groups are no more. */
static bool take_value(struct input *in, unsigned wire_type, uint64_t *ret_number,
                       struct piece *ret_piece)
{
    uint64_t len;
    switch (wire_type) {
    case PROTOBUF_C_WIRE_TYPE_VARINT:
        return take_varint(in, VALUE_BYTES, ret_number);
    case PROTOBUF_C_WIRE_TYPE_64BIT:
        len = 8;
        break;
    case PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED:
        if (!take_varint(in, LENGTH_BYTES, &len))
            return false;
        break;
    case PROTOBUF_C_WIRE_TYPE_32BIT:
        len = 4;
        break;
    default:
        return false;
    }
    if (len > (uint64_t)(in->end - in->at))
        return false;
    *ret_piece = (struct piece){in->at, (size_t)len};
    in->at += len;
    return true;
}

/* What each field of Call has to be; the numbers are those of envelope.proto. */
enum { METHOD = 1, REQUEST_ID, TIMEOUT_MS, TOKEN, TRACEPARENT, BODY, STEP, FIELDS };

static const struct rule {
    unsigned wire_type;
    bool text;
    size_t max;
} rules[FIELDS] = {
    [METHOD] = {PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED, true, METHOD_MAX},
    [REQUEST_ID] = {PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED, true, REQUEST_ID_MAX},
    [TIMEOUT_MS] = {PROTOBUF_C_WIRE_TYPE_VARINT, false, 0},
    [TOKEN] = {PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED, true, SIZE_MAX},
    [TRACEPARENT] = {PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED, true, SIZE_MAX},
    [BODY] = {PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED, false, SIZE_MAX},
    [STEP] = {PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED, false, STEP_MAX},
};

static bool keeps_rule(const struct rule *rule, unsigned wire_type, const struct piece *piece)
{
    if (wire_type != rule->wire_type)
        return false;
    if (wire_type == PROTOBUF_C_WIRE_TYPE_VARINT)
        return true;
    return piece->len <= rule->max &&
           (!rule->text || (utf8_is((const char *)piece->data, piece->len) &&
                            (piece->len == 0 || !memchr(piece->data, 0, piece->len))));
}

static const char *text_of(struct arena *a, const struct piece *piece)
{
    return piece->len == 0 ? "" : arena_strndup(a, (const char *)piece->data, piece->len);
}

static const pb_Step no_step = pb_Step_INIT;

const struct envelope envelope_none = {
    .method = "", .request_id = "", .token = "", .traceparent = "", .step = &no_step};

/* NULL where it is none. */
static const pb_Step *step_of(struct arena *a, const struct piece *piece)
{
    if (!piece->data)
        return &no_step;
    const pb_Step *step = isobar__v1__step__unpack(arena_allocator(a), piece->len, piece->data);
    return step && utf8_is(step->operation_id, strlen(step->operation_id)) ? step : NULL;
}

bool envelope_decode(struct arena *a, const uint8_t *data, size_t len, struct envelope *ret)
{
    struct input in = {data, data + len};
    struct piece pieces[FIELDS] = {0};
    uint64_t timeout_ms = 0;
    while (in.at < in.end) {
        uint64_t tag, number = 0;
        struct piece piece = {0};
        if (!take_varint(&in, TAG_BYTES, &tag) || tag >> 3 == 0 || tag > UINT32_MAX)
            return false;
        unsigned wire_type = (unsigned)(tag & 7);
        if (!take_value(&in, wire_type, &number, &piece))
            return false;
        uint64_t id = tag >> 3;
        if (id >= FIELDS)
            continue;
        if (!keeps_rule(&rules[id], wire_type, &piece))
            return false;
        if (id == TIMEOUT_MS)
            timeout_ms = number;
        else
            pieces[id] = piece;
    }
    *ret = (struct envelope){
        .method = text_of(a, &pieces[METHOD]),
        .request_id = text_of(a, &pieces[REQUEST_ID]),
        .token = text_of(a, &pieces[TOKEN]),
        .traceparent = text_of(a, &pieces[TRACEPARENT]),
        .timeout_ms = (uint32_t)timeout_ms,
        .body = pieces[BODY].data,
        .body_len = pieces[BODY].len,
        .step = step_of(a, &pieces[STEP]),
    };
    return ret->step && !a->exhausted;
}

enum { TAG_RESULT = 1 << 3 | PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED };
enum { TAG_BODY = 2 << 3 | PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED };
enum { TAG_NOTED = 3 << 3 | PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED };

static size_t varint_len(size_t v)
{
    size_t n = 1;
    while (v >>= 7)
        n++;
    return n;
}

static size_t field_size(const ProtobufCMessage *m)
{
    size_t len = m ? protobuf_c_message_get_packed_size(m) : 0;
    return m ? 1 + varint_len(len) + len : 0;
}

size_t envelope_reply_size(const pb_Result *result, const ProtobufCMessage *body,
                           const pb_Noted *noted)
{
    return field_size(result ? &result->base : NULL) + field_size(body) +
           field_size(noted ? &noted->base : NULL);
}

/* The message goes where its length would end if that took one byte, and is moved up where it takes
 * more: that is cheaper than to measure it again. */
static uint8_t *write_field(uint8_t tag, const ProtobufCMessage *m, uint8_t *out)
{
    if (!m)
        return out;
    *out++ = tag;
    size_t len = protobuf_c_message_pack(m, out + 1);
    size_t prefix = varint_len(len);
    if (prefix > 1)
        memmove(out + prefix, out + 1, len);
    uint8_t *end = out + prefix + len;
    for (size_t left = len; prefix > 0; prefix--, left >>= 7)
        *out++ = (uint8_t)((left & 0x7F) | (prefix > 1 ? 0x80 : 0));
    return end;
}

void envelope_reply_write(const pb_Result *result, const ProtobufCMessage *body,
                          const pb_Noted *noted, uint8_t *out)
{
    out = write_field(TAG_RESULT, result ? &result->base : NULL, out);
    out = write_field(TAG_BODY, body, out);
    write_field(TAG_NOTED, noted ? &noted->base : NULL, out);
}
