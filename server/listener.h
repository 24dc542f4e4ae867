/* Listeners turn bytes into calls and replies into bytes. Everything else of the gateway is the
 * same whatever the call came through.
 */
#ifndef ISOBAR_LISTENER_H
#define ISOBAR_LISTENER_H

#include <pthread.h>

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
    unsigned pipeline_max;    /* calls under way on one connection, until their replies are sent;
                                 then it is not read */
    size_t unsent_max;        /* bytes of replies that one connection may leave unread; then it is
                                 not read */
    int handshake_ms;         /* for TLS and SP to be done */
    int frame_ms;             /* from the first byte of a message to its last */
};

struct listener_config {
    const char *url; /* "tcp://127.0.0.1:7461", "ipc:///run/isobar/isobar.sock", ... */
    const struct listener_tls *tls; /* for tls+tcp://, else NULL */
    struct listener_limits limits;  /* each above 0 */
    unsigned io_threads; /* 0: as many as cores, at most 4; the first open decides for all */
};

/* The gateway, as listeners see it. */
struct listener_host {
    void *ctx;
    /* A call has come; takes it, and gives it back by c->reply exactly once. May reply before it
     * returns, on this thread. Never blocks. A call whose reply_data is NULL has no reply: its
     * connection is closed, so that the client does not wait in vain. */
    void (*receive)(void *ctx, struct call *c);
};

/* What all listeners begin with. */
struct listener {
    const struct listener_ops *ops;
};

struct listener_ops {
    const char *const *schemes; /* ended by NULL: "tcp", "ipc", "tls+tcp" */
    /* Bind and listen and begin to accept. NULL where that fails; `ret_why` says what, with the
     * URL. The config and the host are copied, their strings too. None of these functions may be
     * called on a thread that receives calls. */
    struct listener *(*open)(const struct listener_config *config, const struct listener_host *host,
                             char ret_why[256]);
    /* Refuse new connections and new calls: what arrives from now on is not read, and once it
     * returns, receive is not called any more. Replies still go out. */
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

/* Counters of all listeners, for metrics and tests; relaxed. `accepted` less `closed` are open;
 * `refused` are those of them that were one too many. `bad_frames` counts connections that were
 * closed for what they sent: no handshake of ours, a length out of bounds, no request id.
 * `timeouts` counts those that took too long over a handshake or a message, `tls_failed` those
 * whose TLS handshake failed, `starved` those for whose request call_memory had no room. nng tells
 * none of these four, and its bytes are those of messages
 * alone. */
struct listener_stats {
    atomic_uint_fast64_t accepted, closed, refused;
    atomic_uint_fast64_t bad_frames, timeouts, tls_failed, starved;
    atomic_uint_fast64_t bytes_in, bytes_out;
};
extern struct listener_stats listener_stats;

/* --- For the listeners themselves --- */

/* What went wrong, without the URL. */
#define LISTENER_CAUSE_MAX 140

/* Count a connection in; false where it is one too many, and is to be closed. Count it out, in
 * either case. */
bool listener_enter(unsigned connections_max) MUST_USE;
void listener_leave(void);
static inline void listener_count(atomic_uint_fast64_t *counter, uint64_t n)
{
    atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}
/* Copy what came into the call's arena; false where memory is short. */
bool listener_set_message(struct call *c, const void *data, size_t len) MUST_USE;
/* "127.0.0.1:53412", "[::1]:53412"; address and port are in network order. */
#define LISTENER_ADDRESS_MAX 72
void listener_address(int family, const void *address, uint16_t port,
                      char out[LISTENER_ADDRESS_MAX]);
/* Who opened a local socket: "local:pid 1234"; it counts as local if that is us, or root. */
void listener_local_peer(struct peer *p, uint64_t uid, uint64_t pid,
                         char out[LISTENER_ADDRESS_MAX]);
/* A condition variable that can be waited for until a time; false when that has passed. */
void listener_cond_init(pthread_cond_t *c);
bool listener_cond_wait(pthread_cond_t *c, pthread_mutex_t *m, int64_t deadline_ns);

#endif
