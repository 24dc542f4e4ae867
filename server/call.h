/* One call on its way through the gateway: from the bytes that a listener got to the bytes that it
 * sends back.
 *
 * A call belongs to one thread at a time: the I/O thread that received it, then the lane's queue,
 * the worker that runs it, and the listener again, which sends the reply and frees it. Everything
 * that belongs to the call is in its arena.
 */
#ifndef ISOBAR_CALL_H
#define ISOBAR_CALL_H

#include <stdatomic.h>

#include "isobar/arena.h"
#include "isobar/cancel.h"
#include "isobar/envelope.h"
#include "isobar/pb.h"
#include "lane.h"
#include "timer.h"

/* Who is at the other end of a connection, as the listener knows it. Valid as long as any call of
 * the connection lives. */
struct peer {
    bool local;           /* a local socket that only this user can open, or in this process */
    const char *tls_name; /* the verified name of a client certificate, or NULL */
    const char *address;  /* for the log */
};

struct method;
struct principal;
struct connection;
struct snapshot;
struct operation;
struct family;

struct call {
    struct arena arena;

    /* The listener's part. */
    const struct peer *peer;
    void *link;                    /* the listener's own: connection, context, parent call */
    void (*reply)(struct call *c); /* take c->reply_data, send it, call_free(); any thread */
    void *room[4];          /* the listener's own; the arena may be emptied before the reply */
    struct call *next;      /* while it is in a queue of the listener */
    const uint8_t *message; /* a serialised Call, without the SP backtrace; in the arena */
    size_t message_len;
    uint8_t backtrace[SP_BACKTRACE_MAX];
    size_t backtrace_len;
    int64_t received_ns;     /* CLOCK_MONOTONIC; when the message was whole */
    struct cancel cancelled; /* nobody waits for the reply any more; it is still to be made */

    /* The reply: `reply_room` bytes for the listener's framing, then reply_len bytes of Reply. */
    uint8_t *reply_data;
    size_t reply_len;

    /* The server's part. */
    void (*done)(struct call *c); /* what to do with the result: send it, or hand it to a parent */
    struct family *family;        /* where it is a part of another call */
    struct envelope env;
    const struct method *method;
    struct snapshot *snapshot; /* counted */
    const struct principal *principal;
    struct connection *connection; /* of the snapshot; NULL where no cloud is concerned */
    int64_t deadline_ns;
    ProtobufCMessage *req; /* typed, in the arena */
    ProtobufCMessage *rsp;
    pb_Result *result;
    pb_Noted *noted;    /* of a step of another gateway's operation; else NULL */
    pb_Result spare;    /* for `result`, where the arena had no room for one */
    struct job job;     /* in a lane */
    struct timer timer; /* of the deadline while it waits */

    /* Where it is an operation, or waits for one; under the operations' lock. */
    uint8_t digest[32]; /* of the request, as it came */
    struct operation *operation;
    struct call *wait_next, **wait_prev;
    bool wait_over;
    const char *repeats; /* the operation that has its request id already */
};

/* How much room a reply has before its first byte for a listener's own framing: an IPC length and a
 * whole backtrace. The listener writes it directly before the reply and sends both as one piece. */
#define CALL_REPLY_ROOM (SP_IPC_LENGTH_LEN + SP_BACKTRACE_MAX)

/* What the arenas of all calls and the requests that are still being read hold together, and may
 * hold: `memory_max` of the configuration. */
extern struct arena_budget call_memory;
/* Little of it is left: what may be refused is answered Overloaded, so that what is under way ends
 * well. Any thread. */
bool call_memory_is_short(void);

/* A fresh call from the pool: everything zero, the arena empty. NULL where there is no memory.
 * Thread-safe. */
struct call *call_new(void);
/* Put it back. Thread-safe. */
void call_free(struct call *c);
/* Give the pool's memory back; at the end of the process. */
void call_pool_drain(void);

#endif
