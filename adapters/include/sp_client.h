/* Messages to another gateway: the requesting side of nng's REQ/REP protocol on TCP and local
 * sockets, which is the wire of every Isobar gateway.
 *
 * A client belongs to one connection of the configuration and is used by many threads at once: each
 * exchange takes a kept-alive connection for itself, the one that was used last, or opens one. A
 * message is sent once and never a second time by itself. Nothing outlives the deadline by more
 * than 50 ms.
 */
#ifndef ISOBAR_SP_CLIENT_H
#define ISOBAR_SP_CLIENT_H

#include "adapter.h"

struct sp_options {
    size_t reply_max;       /* bytes of an answer; 0: SP_REPLY_MAX */
    int connect_timeout_ms; /* with the handshake; 0: 5,000 */
    /* Of tls+tcp://, PEM files; NULL: the system's CAs, and no certificate of our own. The key may
     * be in the file of the certificate. */
    const char *ca, *cert, *key;
};

#define SP_REPLY_MAX ((size_t)16 << 20)

struct sp_client;
/* To ipc:///PATH, tcp://HOST[:PORT] or tls+tcp://HOST[:PORT]; copies what it is given. NULL, with
 * words, where the URL is none of these, a file cannot be read, or memory is short. */
struct sp_client *sp_client_new(const char *url, const struct sp_options *o,
                                struct open_error *ret_error);
/* No exchange is under way any more. */
void sp_client_free(struct sp_client *c);
/* The URL with its port. */
const char *sp_client_url(const struct sp_client *c);

struct sp_reply {
    const uint8_t *data; /* in the op's arena */
    size_t len;
};

enum sp_outcome {
    SP_ANSWERED,  /* `ret` is filled in */
    SP_NOT_SENT,  /* not one byte of the message left: name, refused, handshake */
    SP_AMBIGUOUS, /* sent at least in part, and no whole answer came back */
    SP_TOO_LARGE, /* the answer exceeds reply_max or the arena; the message was sent */
    SP_DEADLINE,  /* the deadline passed; `sent` says whether the message may have left */
    SP_CANCELLED,
};

struct sp_failure {
    bool sent;        /* at least a part of the message may have left */
    bool stale;       /* a kept-alive connection turned out to be closed: another one may do */
    bool permanent;   /* the same again fails the same: no gateway listens there */
    char reason[256]; /* one clause: "nothing listens at tcp://127.0.0.1:7461" */
};

/* Send one message and wait for its answer. Blocks until that is whole, op->deadline_ns or
 * cancellation. */
enum sp_outcome sp_send(struct sp_client *c, struct op *op, const void *data, size_t len,
                        struct sp_reply *ret, struct sp_failure *ret_failure) MUST_USE;

/* Send a Call so, serialised in the op's arena and wiped: a token is in it. */
enum sp_outcome sp_call(struct sp_client *c, struct op *op, const pb_Call *call,
                        struct sp_reply *ret, struct sp_failure *ret_failure) MUST_USE;

#endif
