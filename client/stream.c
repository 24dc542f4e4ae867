/* SP's request protocol over one connection that many threads share.
 *
 * There is no thread of its own: of those that wait for a reply one reads for all, and hands that
 * on when its own has come. Everything is done with the lock held but connecting and poll(); nobody
 * blocks in a read or a write.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "frame.h"
#include "isobar/clock.h"
#include "isobar/envelope.h"
#include "link.h"

/* After a failed attempt to connect. */
#define REDIAL_NS (50 * NS_PER_MS)

/* A connection, counted by those that poll it. */
struct conn {
    struct link *link;
    struct frame frame; /* the one that is being read */
    unsigned refs;
    bool more; /* there may be bytes that poll() does not see */
};

/* An exchange under way; on the stack of its thread. */
struct waiter {
    struct waiter *next, *prev;
    pthread_cond_t wake;
    struct exchange *x;
    uint32_t id;         /* of the request */
    unsigned generation; /* of the connection that it was sent on */
    unsigned sends;
    int64_t lost_ns; /* when its connection broke */
    bool lost, done; /* lost: and its caller has not been told */
    enum outcome outcome;
};

struct stream {
    struct transport base;
    const struct endpoint *to;
    pthread_condattr_t monotonic;
    pthread_mutex_t lock;
    struct waiter *waiters;
    struct conn *conn;   /* NULL: none */
    unsigned generation; /* counts the connections */
    bool dialing, reading, writing;
    int64_t redial_ns; /* not before */
    uint32_t next_id;
};

static void conn_unref(struct conn *c)
{
    if (--c->refs > 0)
        return;
    link_free(c->link);
    frame_done(&c->frame);
    free(c);
}

static void finish(struct waiter *w, enum outcome outcome, const char *why)
{
    w->done = true;
    w->outcome = outcome;
    if (why)
        snprintf(w->x->why, sizeof w->x->why, "%s", why);
    pthread_cond_signal(&w->wake);
}

static void wake_all(struct stream *s)
{
    struct waiter *w;
    DL_FOREACH (s->waiters, w)
        pthread_cond_signal(&w->wake);
}

/* One to read and one to write, where nobody does. */
static void wake_next(struct stream *s)
{
    bool reader = s->reading, writer = s->writing;
    struct waiter *w;
    DL_FOREACH (s->waiters, w) {
        bool *role = w->generation == s->generation ? &reader : &writer;
        if (w->done || *role)
            continue;
        *role = true;
        pthread_cond_signal(&w->wake);
        if (reader && writer)
            return;
    }
}

static void nap(struct stream *s, struct waiter *w, int64_t until_ns)
{
    if (until_ns > w->x->deadline_ns)
        until_ns = w->x->deadline_ns;
    struct timespec until = {until_ns / NS_PER_SEC, until_ns % NS_PER_SEC};
    pthread_cond_timedwait(&w->wake, &s->lock, &until);
}

/* The connection that it was sent on is gone. */
static void lose(struct stream *s, struct waiter *w, const char *why)
{
    char times[16] = "";
    if (w->sends >= SENDS_MAX)
        snprintf(times, sizeof times, " %d times", SENDS_MAX);
    snprintf(w->x->why, sizeof w->x->why, "%.100s was lost%s during the call: %.100s", s->to->url,
             times, why);
    w->lost_ns = clock_mono_ns();
    w->lost = true;
    if (w->sends >= SENDS_MAX)
        finish(w, OUTCOME_LOST, NULL);
}

/* The connection is of no use any more. What was sent on it is sent again on the next one. */
static void drop_conn(struct stream *s, const char *why)
{
    struct conn *c = s->conn;
    s->conn = NULL;
    link_shut(c->link);
    struct waiter *w;
    DL_FOREACH (s->waiters, w)
        if (!w->done && w->generation == s->generation)
            lose(s, w, why);
    wake_all(s);
    conn_unref(c);
}

static struct waiter *waiter_of(struct stream *s, uint32_t id)
{
    struct waiter *w;
    DL_FOREACH (s->waiters, w)
        if (w->id == id && !w->done)
            return w;
    return NULL;
}

/* A whole frame, or one that is refused. A reply that nobody waits for any more is dropped. */
static void deliver(struct stream *s, struct frame *f, enum frame_state state)
{
    struct waiter *w = waiter_of(s, f->id);
    if (w && state == FRAME_WHOLE) {
        w->x->reply_len = f->len;
        w->x->reply = frame_take(f);
        finish(w, OUTCOME_REPLY, NULL);
    } else if (w) {
        char why[256];
        snprintf(why, sizeof why, "the reply of %.120s has %llu bytes; at most %d are taken",
                 s->to->url, (unsigned long long)f->len, REPLY_MAX);
        finish(w, state == FRAME_TOO_BIG ? OUTCOME_TOO_BIG : OUTCOME_NO_MEMORY, why);
    }
    frame_done(f);
}

/* Take what has come; false where the connection broke, and is dropped. */
static bool read_available(struct stream *s)
{
    struct conn *c = s->conn;
    uint8_t bytes[16384];
    for (int i = 0; i < 64; i++) {
        size_t n, used;
        short events;
        enum link_state got = link_read(c->link, bytes, sizeof bytes, &n, &events);
        if (got == LINK_BROKEN) {
            drop_conn(s, c->link->why);
            return false;
        }
        c->more = false;
        if (got == LINK_AGAIN)
            return true;
        for (size_t at = 0; at < n; at += used) {
            enum frame_state state = frame_add(&c->frame, bytes + at, n - at, &used);
            if (state == FRAME_BAD) {
                drop_conn(s, "it sent what is not a reply");
                return false;
            }
            if (state != FRAME_PART)
                deliver(s, &c->frame, state);
            if (state == FRAME_TOO_BIG || state == FRAME_NO_MEMORY) {
                drop_conn(s, "it sent a reply that is too big");
                return false;
            }
        }
        if (!c->link->tls && n < sizeof bytes)
            return true;
    }
    c->more = true;
    return true;
}

/* Wait, without the lock, for the socket. Reads for all where nobody else does. */
static void poll_conn(struct stream *s, struct waiter *w, short events)
{
    struct conn *c = s->conn;
    bool reader = !s->reading;
    s->reading = true;
    c->refs++;
    struct pollfd p = {.fd = c->link->fd, .events = (short)(events | (reader ? POLLIN : 0))};
    if (!c->more) {
        pthread_mutex_unlock(&s->lock);
        poll(&p, 1, clock_ms_left(w->x->deadline_ns));
        pthread_mutex_lock(&s->lock);
    }
    if (reader && s->conn == c)
        read_available(s);
    if (reader)
        s->reading = false;
    conn_unref(c);
    wake_next(s);
}

/* The SP bytes before the message. Returns where they begin. */
static uint8_t *put_header(struct stream *s, struct waiter *w)
{
    uint8_t *at = w->x->data - 4;
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(w->id >> (24 - 8 * i));
    at -= SP_LENGTH_LEN;
    sp_put64(at, w->x->len + 4);
    if (s->to->scheme->ipc)
        *--at = 1;
    return at;
}

static void send_message(struct stream *s, struct waiter *w)
{
    struct conn *c = s->conn;
    if (w->sends > 0)
        exchange_renew(w->x);
    const uint8_t *at = put_header(s, w), *end = w->x->data + w->x->len;
    s->writing = true;
    c->refs++;
    w->sends++;
    w->x->sent = true;
    while (at < end && s->conn == c) {
        size_t n = 0;
        short events = 0;
        enum link_state state = link_write(c->link, at, (size_t)(end - at), &n, &events);
        at += n;
        if (state == LINK_AGAIN && clock_ms_left(w->x->deadline_ns) == 0)
            drop_conn(s, "a call gave up while it was being sent");
        else if (state == LINK_AGAIN)
            poll_conn(s, w, events);
        else if (state == LINK_BROKEN)
            drop_conn(s, c->link->why);
    }
    s->writing = false;
    if (s->conn == c)
        w->generation = s->generation;
    else
        lose(s, w, "it broke while the call was being sent");
    conn_unref(c);
    wake_next(s);
}

/* Those that sent nothing yet need not wait for a gateway that is not there; the others do, for a
 * while. */
static void dial_failed(struct stream *s, const char *why)
{
    int64_t now = clock_mono_ns();
    s->redial_ns = now + REDIAL_NS;
    struct waiter *w;
    DL_FOREACH (s->waiters, w) {
        if (w->done)
            continue;
        if (w->sends == 0)
            finish(w, OUTCOME_UNREACHABLE, why);
        else if (now - w->lost_ns > COMEBACK_MS * NS_PER_MS)
            finish(w, OUTCOME_LOST, why);
    }
}

static void dial(struct stream *s, struct waiter *w)
{
    char why[256];
    bool late = false;
    struct conn *c = calloc(1, sizeof *c);
    if (!c) {
        finish(w, OUTCOME_NO_MEMORY, "out of memory");
        return;
    }
    s->dialing = true;
    pthread_mutex_unlock(&s->lock);
    c->link = link_dial(s->to, w->x->deadline_ns, &late, why);
    pthread_mutex_lock(&s->lock);
    s->dialing = false;
    if (c->link) {
        frame_init(&c->frame, s->to->scheme->ipc, REPLY_MAX);
        c->refs = 1;
        s->conn = c;
        s->generation++;
    } else {
        free(c);
        if (!late)
            dial_failed(s, why);
    }
    wake_all(s);
}

/* Tell the caller, without the lock. */
static void tell_lost(struct stream *s, struct waiter *w)
{
    w->lost = false;
    if (!w->x->on_repeat)
        return;
    char why[sizeof w->x->why];
    memcpy(why, w->x->why, sizeof why);
    pthread_mutex_unlock(&s->lock);
    w->x->on_repeat(w->x->repeat_data, why);
    pthread_mutex_lock(&s->lock);
}

/* Do the next thing that brings this exchange on, or wait while another thread does it. */
static void step(struct stream *s, struct waiter *w)
{
    if (!s->conn) {
        if (s->dialing)
            nap(s, w, INT64_MAX);
        else if (w->sends > 0 && clock_mono_ns() < s->redial_ns)
            nap(s, w, s->redial_ns);
        else
            dial(s, w);
    } else if (w->generation != s->generation) {
        if (s->writing)
            nap(s, w, INT64_MAX);
        else
            send_message(s, w);
    } else if (s->reading) {
        nap(s, w, INT64_MAX);
    } else {
        poll_conn(s, w, 0);
    }
}

static enum outcome stream_exchange(struct transport *t, struct exchange *x)
{
    struct stream *s = CONTAINER_OF(t, struct stream, base);
    struct waiter w = {.x = x};
    pthread_cond_init(&w.wake, &s->monotonic);
    pthread_mutex_lock(&s->lock);
    w.id = s->next_id++ | UINT32_C(0x80000000);
    w.generation = s->generation - 1;
    DL_APPEND(s->waiters, &w);
    /* A connection that has been closed meanwhile shows here, before anything is sent on it. */
    if (s->conn && !s->reading)
        read_available(s);
    while (!w.done) {
        if (clock_mono_ns() >= x->deadline_ns) {
            char why[256];
            snprintf(why, sizeof why, "no answer from %.200s in time", s->to->url);
            finish(&w, OUTCOME_TIMEOUT, why);
        } else if (w.lost) {
            tell_lost(s, &w);
        } else {
            step(s, &w);
        }
    }
    DL_DELETE(s->waiters, &w);
    wake_next(s);
    pthread_mutex_unlock(&s->lock);
    pthread_cond_destroy(&w.wake);
    return w.outcome;
}

static struct transport *stream_open(const struct endpoint *to, char ret_why[256])
{
    struct stream *s = calloc(1, sizeof *s);
    if (!s) {
        snprintf(ret_why, 256, "out of memory");
        return NULL;
    }
    s->base.ops = &transport_stream;
    s->to = to;
    s->next_id = (uint32_t)clock_mono_ns();
    pthread_mutex_init(&s->lock, NULL);
    pthread_condattr_init(&s->monotonic);
    pthread_condattr_setclock(&s->monotonic, CLOCK_MONOTONIC);
    return &s->base;
}

static void stream_close(struct transport *t)
{
    struct stream *s = CONTAINER_OF(t, struct stream, base);
    if (s->conn)
        conn_unref(s->conn);
    pthread_condattr_destroy(&s->monotonic);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

const struct transport_ops transport_stream = {
    .open = stream_open,
    .close = stream_close,
    .exchange = stream_exchange,
};
