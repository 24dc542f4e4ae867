/* Listeners turn bytes into calls and replies into bytes. Everything else of the gateway is the
 * same whatever the call came through.
 */
#ifndef ISOBAR_LISTENER_H
#define ISOBAR_LISTENER_H

#include "call.h"

struct listener_tls {
    const char *cert_file; /* PEM chain */
    const char *key_file;  /* PEM */
    const char *ca_file; /* PEM; clients must show a certificate of these (mTLS); NULL: need not */
};

struct listener_limits {
    size_t message_max;       /* bytes of one request; a larger one closes the connection */
    size_t reply_max;         /* bytes of one reply */
    unsigned connections_max; /* of all listeners; more are closed at once */
    unsigned pipeline_max;    /* calls under way on one connection; then it is not read */
    size_t unsent_max;        /* bytes of replies that one connection may leave unread; then it is
                                 not read */
    int handshake_ms;         /* for TLS and SP to be done */
    int frame_ms;             /* from the first byte of a message to its last */
};

struct listener_config {
    const char *url; /* "tcp://127.0.0.1:7461", "ipc:///run/isobar/isobar.sock", ... */
    const struct listener_tls *tls; /* for tls+tcp://, else NULL */
    struct listener_limits limits;
};

/* The gateway, as listeners see it. */
struct listener_host {
    void *ctx;
    /* A call has come; takes it. May reply before it returns, on this thread. Never blocks. */
    void (*receive)(void *ctx, struct call *c);
};

struct listener;

struct listener_ops {
    const char *const *schemes; /* ended by NULL: "tcp", "ipc", "tls+tcp" */
    /* Bind and listen and begin to accept. NULL where that fails; `ret_why` says what, with the
     * URL. The config and the host are copied, their strings too. */
    struct listener *(*open)(const struct listener_config *config, const struct listener_host *host,
                             char ret_why[256]);
    /* Refuse new connections and new calls: what arrives from now on is not read. Replies still go
     * out. */
    void (*quiesce)(struct listener *l);
    /* Wait until all replies are sent, at most till the deadline, then close everything. Calls that
     * are still under way may reply later; that is ignored. Frees it. */
    void (*close)(struct listener *l, int64_t deadline_ns);
    /* The port that tcp://host:0 got; 0 for others. */
    int (*port)(const struct listener *l);
    /* New certificates for connections to come; false where they cannot be read. */
    bool (*reload_tls)(struct listener *l, const struct listener_tls *tls, char ret_why[256]);
};

extern const struct listener_ops listener_sp;  /* tcp, ipc, tls+tcp: our own epoll loop */
extern const struct listener_ops listener_nng; /* inproc, nng+tcp, nng+ipc: nng itself */

/* The listener for a URL, or NULL where the scheme is unknown. */
const struct listener_ops *listener_for(const char *url);

/* Counters of all listeners, for metrics and tests; relaxed. */
struct listener_stats {
    atomic_uint_fast64_t accepted, closed, refused, bad_frames;
    atomic_uint_fast64_t bytes_in, bytes_out;
};
extern struct listener_stats listener_stats;

#endif
