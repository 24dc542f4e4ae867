/* How a message gets to the gateway and its reply back. A transport keeps one connection, which
 * many threads share; it connects when there is something to send, and again when the connection
 * breaks.
 */
#ifndef ISOBAR_CLIENT_TRANSPORT_H
#define ISOBAR_CLIENT_TRANSPORT_H

#include "isobar/base.h"

struct tls_client;

/* Where the gateway is. */
struct endpoint {
    char *url;                   /* complete: with the port */
    const struct scheme *scheme; /* of the URL */
    char *host;                  /* tcp, tls+tcp: name or address, without brackets */
    char *port;                  /* the same: a number */
    const char *path;            /* ipc: of the socket */
    struct tls_client *tls;      /* tls+tcp: certificates and names; else NULL */
};

enum {
    /* Bytes of a reply; a larger one is refused. */
    REPLY_MAX = 32 << 20,
    /* An IPC length and a request id. */
    EXCHANGE_ROOM = 13,
    /* A tag and a number of 32 bits. */
    EXCHANGE_TAIL = 6,
    /* A call whose connection breaks so often is given up: it may be what breaks it. */
    SENDS_MAX = 3,
    /* How long a call that was sent waits for a gateway that has gone to come back, if its deadline
       lets it: a restart takes seconds, and one that has a long journal to go through some more. */
    COMEBACK_MS = 60000,
    /* For a connection to be made, TLS and the SP handshake included. */
    CONNECT_MS = 10000,
};

enum outcome {
    OUTCOME_REPLY,
    OUTCOME_UNREACHABLE, /* there is no connection, and nothing was sent */
    OUTCOME_LOST,        /* sent, and the connection broke for good: nobody knows what came of it */
    OUTCOME_TOO_BIG,     /* the reply is over REPLY_MAX */
    OUTCOME_TIMEOUT,     /* the deadline has passed; `sent` tells whether it was on its way */
    OUTCOME_NO_MEMORY,
};

struct exchange {
    uint8_t *data; /* the message; before it are EXCHANGE_ROOM bytes for SP's own, behind it
                      EXCHANGE_TAIL for exchange_renew() */
    size_t len;
    size_t call_len;     /* of it as it was packed */
    int64_t deadline_ns; /* CLOCK_MONOTONIC */
    /* The connection was lost, and it will be sent again; NULL: nobody is to be told. On the
     * thread of the exchange. */
    void (*on_repeat)(void *data, const char *why);
    void *repeat_data;

    uint8_t *reply; /* of OUTCOME_REPLY; free() it */
    size_t reply_len;
    bool sent;
    char why[256]; /* one sentence, for the outcomes without a reply */
};

/* Before a message is sent again: tells the gateway how much of the time is left. */
void exchange_renew(struct exchange *x);

struct transport;

struct transport_ops {
    /* NULL where that fails. Connects nothing yet. The endpoint outlives the transport. */
    struct transport *(*open)(const struct endpoint *to, char ret_why[256]);
    /* No exchange is under way. */
    void (*close)(struct transport *t);
    /* Send and wait for the reply; from any thread. Returns by the deadline. A message whose
     * connection breaks is sent again, so it must be one that may be. */
    enum outcome (*exchange)(struct transport *t, struct exchange *x);
};

struct transport {
    const struct transport_ops *ops;
};

extern const struct transport_ops transport_nng; /* nng's REQ socket */
extern const struct transport_ops
    transport_stream; /* SP's bytes on a socket, with TLS or without */

/* What the part of a URL before "://" says. */
struct scheme {
    const char *name;
    const struct transport_ops *ops;
    bool inet; /* then comes HOST[:PORT] */
    bool tls;  /* with certificates */
    bool ipc;  /* a local socket: its frames have a byte more */
};

/* Take a URL apart; false where it is none of ours, and `ret_why` says what is wrong. TLS is the
 * caller's to add. */
bool endpoint_init(struct endpoint *e, const char *url, char ret_why[256]) MUST_USE;
void endpoint_done(struct endpoint *e);

#endif
