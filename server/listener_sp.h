/* Inside of listener_sp: its I/O threads, its connections, and where it listens. For the files
 * listener_sp*.c alone.
 *
 * Threads: a connection belongs to one I/O thread, and all of it is touched on that thread only,
 * but for the fields marked as shared. A reply that is made elsewhere is posted to that thread.
 *
 * Life: a connection is counted: once while it is open, and once for each call under way. So it
 * outlives its listener, and even the I/O threads, where a call is still under way then.
 */
#ifndef ISOBAR_LISTENER_SP_H
#define ISOBAR_LISTENER_SP_H

#include <pthread.h>
#include <sys/epoll.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "isobar/buf.h"
#include "listener.h"
#include "listener_tls.h"

struct sp_io;
struct sp_link;
struct sp_listener;

/* --- listener_sp_frame.c: one message on the wire, without any state --- */

enum sp_frame_status {
    SP_FRAME_WHOLE,
    SP_FRAME_PART, /* more bytes are needed: `total`, as far as is known */
    SP_FRAME_BAD,
};

struct sp_frame {
    size_t total;           /* bytes with the length before it */
    const uint8_t *payload; /* backtrace and Call; points into the data */
    size_t payload_len;
    size_t backtrace_len;
};

/* Look at the head of the data. `ipc`: with nng's 0x01 before the length. */
enum sp_frame_status sp_frame_parse(const uint8_t *data, size_t len, bool ipc, size_t message_max,
                                    struct sp_frame *ret);
/* Write length and backtrace directly before a reply; returns how many bytes that are, at most
 * CALL_REPLY_ROOM. */
size_t sp_frame_head(uint8_t *reply, size_t reply_len, bool ipc, const uint8_t *backtrace,
                     size_t backtrace_len);

/* --- listener_sp_io.c: the I/O threads, and what they wait for --- */

#define SP_READ_BYTES  ((size_t)64 << 10)
#define SP_WRITE_BYTES ((size_t)16 << 10)

/* A descriptor in the thread's epoll set. */
struct sp_source {
    int fd;
    void (*ready)(struct sp_source *s, uint32_t events);
};

/* Something to be done by a time; a bit late is good enough. */
struct sp_timed {
    LIST_ENTRY(sp_timed) list;
    bool armed;
    int64_t due_ns;
    void (*fire)(struct sp_timed *t);
};

/* Something that another thread asks an I/O thread to do. */
struct sp_task {
    struct sp_task *next;
    void (*run)(struct sp_io *io, struct sp_task *t);
};

LIST_HEAD(sp_links, sp_link);
TAILQ_HEAD(sp_queue, sp_link);

struct sp_io {
    atomic_uint refs; /* shared: the pool, each connection, who posts */
    atomic_bool stop;
    int epoll;
    struct sp_source wake; /* an eventfd, edge-triggered and never read */
    atomic_bool asleep;    /* shared: it waits, or is about to, and must be woken */
    bool woken;
    _Atomic(struct call *) inbox; /* shared: replies, the newest first */
    pthread_mutex_t lock;
    struct sp_task *tasks, **last_task; /* shared, under the lock */
    struct sp_links links;              /* all open connections */
    struct sp_queue pending;            /* those that need a turn */
    LIST_HEAD(, sp_timed) timed;
    int64_t next_due_ns;
    uint64_t bytes_in, bytes_out; /* not yet added to listener_stats */
    pthread_t thread;
    uint8_t rbuf[SP_READ_BYTES];
    uint8_t wbuf[SP_WRITE_BYTES]; /* where TLS gathers what it sends */
};

/* Start a thread; the number is for its name. NULL: no thread, descriptor or memory could be had.
 */
struct sp_io *sp_io_start(unsigned number);
/* End it; no connection is open on it any more. */
void sp_io_stop(struct sp_io *io);
void sp_io_post(struct sp_io *io, struct sp_task *t);
/* Run fn on the thread and wait until it is done; what was posted before has run by then too. Not
 * from an I/O thread. */
void sp_io_call(struct sp_io *io, void (*fn)(struct sp_io *io, void *ctx), void *ctx);
/* Hand over a call that has its reply. False where the thread has ended. */
bool sp_io_post_reply(struct sp_io *io, struct call *c) MUST_USE;
bool sp_io_is_here(const struct sp_io *io);
void sp_io_ref(struct sp_io *io);
void sp_io_unref(struct sp_io *io);

/* On the thread itself. */
bool sp_io_watch(struct sp_io *io, struct sp_source *s, uint32_t events) MUST_USE;
void sp_io_rewatch(struct sp_io *io, struct sp_source *s, uint32_t events);
void sp_io_unwatch(struct sp_io *io, struct sp_source *s);
void sp_io_arm(struct sp_io *io, struct sp_timed *t, int64_t due_ns);
void sp_io_disarm(struct sp_timed *t);

/* --- listener_sp_pool.c: the threads that all listeners share --- */

/* Started by the first open, ended by the last close. False: as sp_io_start. */
bool sp_pool_open(unsigned threads) MUST_USE;
void sp_pool_close(void);
/* The threads in turn. */
struct sp_io *sp_pool_next(void);
/* sp_io_call on each. */
void sp_pool_call(void (*fn)(struct sp_io *io, void *ctx), void *ctx);

/* --- listener_sp_link.c, listener_sp_in.c, listener_sp_out.c: one connection --- */

/* What a connection waits for; EPOLLOUT only while it has to. */
#define SP_EVENTS_IN ((uint32_t)EPOLLIN | (uint32_t)EPOLLRDHUP | (uint32_t)EPOLLET)

/* A call under way; in the call's arena. */
struct sp_ticket {
    LIST_ENTRY(sp_ticket) list;
    struct sp_link *link;
    struct call *call;
};

struct sp_link {
    struct sp_source source;
    struct sp_io *io;
    struct sp_listener *listener; /* NULL once it is closed */
    atomic_uint refs;             /* shared */
    struct peer peer;             /* shared, never changed while a call lives */
    char address[LISTENER_ADDRESS_MAX];
    struct tls_link *tls; /* NULL: plain */
    bool ipc;

    bool tls_up;     /* or there is none */
    bool greeted;    /* the client's handshake has come */
    bool readable;   /* as far as is known */
    bool hung_up;    /* the client sends no more; what it sent may be there still */
    bool blocked;    /* a write would block; EPOLLOUT is waited for */
    bool wants_out;  /* EPOLLOUT is in the epoll set */
    bool held;       /* `in` begins with messages that were not taken yet */
    bool stopped;    /* nothing is read any more */
    bool ending;     /* closed when the last reply is out */
    bool broken;     /* to be closed by the next turn */
    bool closed;     /* only waits for its calls */
    bool in_turn;    /* sp_link_turn is at work */
    bool pending;    /* in io->pending */
    bool frame_done; /* since the time for a message was set */
    uint8_t hello_sent;

    unsigned calls; /* under way, or with a reply not wholly sent */
    LIST_HEAD(, sp_ticket) tickets;
    struct buf in;                /* read, and not taken */
    size_t in_held;               /* bytes of it that call_memory knows of */
    unsigned taken;               /* calls, in this turn */
    int64_t read_ns;              /* the last time */
    struct call *out, **out_last; /* replies to send */
    size_t out_sent;              /* bytes of the first of them that are sent */
    size_t unsent;                /* bytes of all of them */
    struct sp_timed timed;        /* for the handshake, then for a message */
    struct sp_task adopt;
    LIST_ENTRY(sp_link) links;
    TAILQ_ENTRY(sp_link) queue;
};

/* A connection from an accepted socket; takes it, and `tls`. NULL where memory is short. */
struct sp_link *sp_link_take(struct sp_listener *l, struct sp_io *io, int fd,
                             const struct sockaddr_storage *from, struct tls_link *tls) MUST_USE;
/* Hand it to its thread. */
void sp_link_start(struct sp_link *k);
/* Do what can be done now: read, take messages, send. */
void sp_link_turn(struct sp_link *k);
/* Have a turn soon. */
void sp_link_pend(struct sp_link *k);
/* Close it; `orderly`: what was sent arrives, and TLS says goodbye. */
void sp_link_drop(struct sp_link *k, bool orderly);
void sp_link_unref(struct sp_link *k);
/* Calls under way and unsent replies are at a limit. */
bool sp_link_is_full(const struct sp_link *k);

/* Read once, and take the messages that are whole. */
void sp_link_read(struct sp_link *k);
/* Take messages that were read when there were too many calls. */
void sp_link_take_held(struct sp_link *k);
/* Tell call_memory what the link's buffer holds now; false where it has no room for that. */
bool sp_link_hold(struct sp_link *k);
/* A connection that has sent much lets others have their turn after so many calls. */
#define SP_CALLS_PER_TURN 64

/* The c->reply of all calls; any thread. */
void sp_link_reply(struct call *c);
/* The same on the link's own thread. */
void sp_link_answer(struct call *c);
/* Send what can be sent. */
void sp_link_flush(struct sp_link *k);
/* Give up the replies that wait to be sent. */
void sp_link_forget(struct sp_link *k);
void sp_link_want_out(struct sp_link *k, bool want);

/* --- listener_sp_bind.c: where it listens --- */

struct sp_place {
    int fd;       /* listening */
    bool ipc;     /* else TCP */
    int port;     /* TCP */
    char *path;   /* IPC */
    dev_t device; /* of the socket's file */
    ino_t inode;
};

/* Bind and listen. False where that fails; `ret_why` says what, without the URL. */
bool sp_place_open(const char *url, struct sp_place *ret,
                   char ret_why[LISTENER_CAUSE_MAX]) MUST_USE;
/* Close the socket, and remove its file if it is still ours. */
void sp_place_close(struct sp_place *p);

/* --- listener_sp.c --- */

struct sp_listener {
    struct listener base;
    struct sp_source source; /* the listening socket */
    struct sp_io *io;        /* the thread that accepts */
    struct sp_timed pause;   /* no descriptors are left: accept again later */
    bool accepting;          /* on that thread */
    char *url;
    struct sp_place place;
    struct listener_host host;
    struct listener_limits limits;
    pthread_mutex_t lock;
    struct tls_server *tls; /* shared, under the lock; NULL: plain */
    unsigned n_links;       /* shared, under the lock */
    pthread_cond_t no_links;
};

/* Count a connection out. */
void sp_listener_leave(struct sp_listener *l);

#endif
