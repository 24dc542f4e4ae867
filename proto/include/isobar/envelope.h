/* The envelope on the wire, for both ends of it: SP framing (nng's TCP and IPC transports) and the
 * Call and Reply messages.
 *
 * Source: nanomsg's RFCs sp-tcp-mapping-01 and sp-request-reply-01, and nng's own IPC mapping,
 * which puts a byte 0x01 before each length.
 */
#ifndef ISOBAR_ENVELOPE_H
#define ISOBAR_ENVELOPE_H

#include "isobar/arena.h"
#include "isobar/pb.h"

enum {
    SP_HANDSHAKE_LEN = 8,      /* 0 'S' 'P' 0, protocol (16 bit, big endian), 0 0 */
    SP_PROTO_REQ = 0x30,       /* what a client says it is */
    SP_PROTO_REP = 0x31,       /* what a server says it is */
    SP_LENGTH_LEN = 8,         /* before each message on TCP, big endian */
    SP_IPC_LENGTH_LEN = 9,     /* on IPC: a byte 0x01 first */
    SP_REQUEST_ID_BIT = 0x80,  /* in the first byte of the last word of the backtrace */
    SP_BACKTRACE_MAX = 16 * 4, /* bytes: hops plus the request id */
};

/* The default port of the gateway. */
#define ISOBAR_PORT 7461

/* Write the 8 bytes that open a connection. */
void sp_handshake(uint8_t out[SP_HANDSHAKE_LEN], uint16_t protocol);
/* Whether the other side's 8 bytes are a handshake of the protocol. */
bool sp_handshake_ok(const uint8_t in[SP_HANDSHAKE_LEN], uint16_t protocol);
uint64_t sp_get64(const uint8_t in[8]);
void sp_put64(uint8_t out[8], uint64_t v);

/* The length of the backtrace (request id included) at the head of a message; 0 where there is none
 * within SP_BACKTRACE_MAX. */
size_t sp_backtrace_len(const uint8_t *data, size_t len);

/* A decoded Call whose strings and body point into the message: nothing is copied, nothing is
 * NUL-terminated that the arena does not hold. */
struct envelope {
    const char *method; /* in the arena, as are the other strings */
    const char *request_id;
    const char *token;
    const char *traceparent;
    uint32_t timeout_ms;
    const uint8_t *body; /* points into the message */
    size_t body_len;
    const pb_Step *step; /* never NULL: the default one where the call has none */
};

/* Decode a Call; false where it is none. Strings go to the arena, the body stays where it is. */
bool envelope_decode(struct arena *a, const uint8_t *data, size_t len,
                     struct envelope *ret) MUST_USE;

/* An envelope of nothing. */
extern const struct envelope envelope_none;

/* Bytes of a Reply with this result, body message and what a step has noted; each may be NULL. */
size_t envelope_reply_size(const pb_Result *result, const ProtobufCMessage *body,
                           const pb_Noted *noted);
/* Write it; `out` has the size that envelope_reply_size said. */
void envelope_reply_write(const pb_Result *result, const ProtobufCMessage *body,
                          const pb_Noted *noted, uint8_t *out);

#endif
