/* nng's REQ socket, for a gateway in the same process: a context a call. The only file of the
 * client that knows nng.
 *
 * nng sends a request again by itself when the connection breaks; newer ones fail it instead, and
 * then it is sent again here.
 */
#include <nng/nng.h>
#include <nng/protocol/reqrep0/req.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "isobar/clock.h"
#include "transport.h"

/* A connection that broke is made again in the background. */
#define RECONNECT_MS 20

/* An exchange under way; on the stack of its thread. */
struct flight {
    struct flight *next, *prev;
    struct nngreq *of;
    struct exchange *x;
    pthread_cond_t wake;
    nng_ctx ctx;
    nng_aio *aio;
    bool aio_done; /* under the lock */
    unsigned losses, told;
    int64_t lost_ns; /* when the last of them was */
};

struct nngreq {
    struct transport base;
    const struct endpoint *to;
    nng_socket socket;
    pthread_condattr_t monotonic;
    pthread_mutex_t lock; /* not held in calls of nng that wait for call-backs */
    struct flight *flights;
    int pipes; /* connections: 0 or 1, for a moment 2 */
    pthread_mutex_t dial_lock;
    bool dialed; /* from now on nng connects by itself */
};

static void on_pipe(nng_pipe pipe, nng_pipe_ev event, void *arg)
{
    (void)pipe;
    struct nngreq *r = arg;
    struct flight *f;
    pthread_mutex_lock(&r->lock);
    r->pipes += event == NNG_PIPE_EV_ADD_PRE ? 1 : -1;
    DL_FOREACH (r->flights, f) {
        if (event != NNG_PIPE_EV_ADD_PRE && f->x->sent) {
            f->losses++;
            f->lost_ns = clock_mono_ns();
        }
        pthread_cond_signal(&f->wake);
    }
    pthread_mutex_unlock(&r->lock);
}

static void on_done(void *arg)
{
    struct flight *f = arg;
    pthread_mutex_lock(&f->of->lock);
    f->aio_done = true;
    pthread_cond_signal(&f->wake);
    pthread_mutex_unlock(&f->of->lock);
}

/* With the lock; it is free meanwhile. */
static void nap(struct flight *f, int64_t until_ns)
{
    if (until_ns > f->x->deadline_ns)
        until_ns = f->x->deadline_ns;
    struct timespec until = {until_ns / NS_PER_SEC, until_ns % NS_PER_SEC};
    pthread_cond_timedwait(&f->wake, &f->of->lock, &until);
}

static enum outcome say(struct flight *f, enum outcome outcome, const char *fmt, ...) PRINTF(3, 4);

static enum outcome say(struct flight *f, enum outcome outcome, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(f->x->why, sizeof f->x->why, fmt, args);
    va_end(args);
    return outcome;
}

static enum outcome out_of_time(struct flight *f)
{
    return say(f, OUTCOME_TIMEOUT, "no answer from %.200s in time", f->of->to->url);
}

/* OUTCOME_REPLY: there is a connection. Within a process the first one is made, or refused, at
 * once. */
static enum outcome connect_nng(struct flight *f)
{
    struct nngreq *r = f->of;
    pthread_mutex_lock(&r->dial_lock);
    int error = r->dialed ? 0 : nng_dial(r->socket, r->to->url, NULL, 0);
    r->dialed = error == 0;
    pthread_mutex_unlock(&r->dial_lock);
    int64_t until = clock_mono_ns() + 4 * RECONNECT_MS * NS_PER_MS;
    pthread_mutex_lock(&r->lock);
    while (!error && r->pipes <= 0 && clock_mono_ns() < until &&
           clock_mono_ns() < f->x->deadline_ns)
        nap(f, until);
    bool connected = r->pipes > 0;
    pthread_mutex_unlock(&r->lock);
    if (connected)
        return OUTCOME_REPLY;
    return say(f, OUTCOME_UNREACHABLE, "nothing listens at %s in this process", r->to->url);
}

/* Tell the caller, without the lock. */
static void tell_lost(struct flight *f)
{
    f->told = f->losses;
    if (!f->x->on_repeat)
        return;
    char why[sizeof f->x->why];
    snprintf(why, sizeof why, "%.200s was lost during the call", f->of->to->url);
    pthread_mutex_unlock(&f->of->lock);
    f->x->on_repeat(f->x->repeat_data, why);
    pthread_mutex_lock(&f->of->lock);
}

/* Wait for what the context does; OUTCOME_REPLY: it is done, with whatever result. */
static enum outcome wait_done(struct flight *f)
{
    struct nngreq *r = f->of;
    enum outcome outcome = OUTCOME_REPLY;
    pthread_mutex_lock(&r->lock);
    while (!f->aio_done && outcome == OUTCOME_REPLY) {
        int64_t now = clock_mono_ns();
        bool away = r->pipes <= 0 && f->losses > 0;
        int64_t patience = f->lost_ns + COMEBACK_MS * NS_PER_MS;
        if (now >= f->x->deadline_ns)
            outcome = out_of_time(f);
        else if (f->losses >= SENDS_MAX)
            outcome = say(f, OUTCOME_LOST,
                          "%.120s closed the connection %d times during the call (as it is with a "
                          "reply over %d MiB)",
                          r->to->url, SENDS_MAX, REPLY_MAX >> 20);
        else if (away && now >= patience)
            outcome = say(f, OUTCOME_LOST, "%.200s went away during the call", r->to->url);
        else if (f->told < f->losses)
            tell_lost(f);
        else
            nap(f, away ? patience : INT64_MAX);
    }
    pthread_mutex_unlock(&r->lock);
    if (outcome != OUTCOME_REPLY)
        nng_aio_cancel(f->aio);
    nng_aio_wait(f->aio);
    return outcome;
}

static enum outcome send_request(struct flight *f)
{
    nng_msg *m;
    if (nng_msg_alloc(&m, f->x->len) != 0)
        return say(f, OUTCOME_NO_MEMORY, "out of memory");
    memcpy(nng_msg_body(m), f->x->data, f->x->len);
    nng_aio_set_msg(f->aio, m);
    f->aio_done = false;
    pthread_mutex_lock(&f->of->lock);
    f->x->sent = true;
    pthread_mutex_unlock(&f->of->lock);
    nng_ctx_send(f->ctx, f->aio);
    enum outcome outcome = wait_done(f);
    int error = nng_aio_result(f->aio);
    if (error) /* else it is nng's */
        nng_msg_free(m);
    if (outcome == OUTCOME_REPLY && error)
        return say(f, OUTCOME_LOST, "cannot send to %.160s: %s", f->of->to->url,
                   nng_strerror(error));
    return outcome;
}

/* The reply as memory of the C library. */
static enum outcome take_reply(struct flight *f)
{
    nng_msg *m = nng_aio_get_msg(f->aio);
    f->x->reply_len = nng_msg_len(m);
    f->x->reply = malloc(f->x->reply_len > 0 ? f->x->reply_len : 1);
    if (f->x->reply)
        memcpy(f->x->reply, nng_msg_body(m), f->x->reply_len);
    nng_msg_free(m);
    return f->x->reply ? OUTCOME_REPLY : say(f, OUTCOME_NO_MEMORY, "out of memory");
}

static enum outcome send_and_receive(struct flight *f)
{
    for (;;) {
        enum outcome outcome = send_request(f);
        if (outcome != OUTCOME_REPLY)
            return outcome;
        f->aio_done = false;
        nng_ctx_recv(f->ctx, f->aio);
        outcome = wait_done(f);
        int error = nng_aio_result(f->aio);
        if (error == 0)
            return take_reply(f);
        if (outcome != OUTCOME_REPLY)
            return outcome;
        if (error != NNG_ECONNRESET)
            return say(f, OUTCOME_LOST, "%.160s: %s", f->of->to->url, nng_strerror(error));
    }
}

static enum outcome nng_exchange(struct transport *t, struct exchange *x)
{
    struct nngreq *r = CONTAINER_OF(t, struct nngreq, base);
    struct flight f = {.of = r, .x = x};
    if (nng_ctx_open(&f.ctx, r->socket) != 0)
        return say(&f, OUTCOME_NO_MEMORY, "out of memory");
    if (nng_aio_alloc(&f.aio, on_done, &f) != 0) {
        nng_ctx_close(f.ctx);
        return say(&f, OUTCOME_NO_MEMORY, "out of memory");
    }
    pthread_cond_init(&f.wake, &r->monotonic);
    pthread_mutex_lock(&r->lock);
    DL_APPEND(r->flights, &f);
    pthread_mutex_unlock(&r->lock);

    enum outcome outcome = connect_nng(&f);
    if (outcome == OUTCOME_REPLY)
        outcome = send_and_receive(&f);

    pthread_mutex_lock(&r->lock);
    DL_DELETE(r->flights, &f);
    pthread_mutex_unlock(&r->lock);
    nng_aio_free(f.aio);
    nng_ctx_close(f.ctx);
    pthread_cond_destroy(&f.wake);
    return outcome;
}

static struct transport *nng_open(const struct endpoint *to, char ret_why[256])
{
    struct nngreq *r = calloc(1, sizeof *r);
    int error = r ? nng_req0_open(&r->socket) : NNG_ENOMEM;
    if (error) {
        snprintf(ret_why, 256, "nng cannot start: %s", nng_strerror(error));
        free(r);
        return NULL;
    }
    r->base.ops = &transport_nng;
    r->to = to;
    pthread_mutex_init(&r->lock, NULL);
    pthread_mutex_init(&r->dial_lock, NULL);
    pthread_condattr_init(&r->monotonic);
    pthread_condattr_setclock(&r->monotonic, CLOCK_MONOTONIC);
    nng_socket_set_ms(r->socket, NNG_OPT_REQ_RESENDTIME, NNG_DURATION_INFINITE);
    nng_socket_set_size(r->socket, NNG_OPT_RECVMAXSZ, REPLY_MAX);
    nng_socket_set_ms(r->socket, NNG_OPT_RECONNMINT, RECONNECT_MS);
    nng_pipe_notify(r->socket, NNG_PIPE_EV_ADD_PRE, on_pipe, r);
    nng_pipe_notify(r->socket, NNG_PIPE_EV_REM_POST, on_pipe, r);
    return &r->base;
}

static void nng_transport_close(struct transport *t)
{
    struct nngreq *r = CONTAINER_OF(t, struct nngreq, base);
    nng_close(r->socket);
    pthread_condattr_destroy(&r->monotonic);
    pthread_mutex_destroy(&r->lock);
    pthread_mutex_destroy(&r->dial_lock);
    free(r);
}

const struct transport_ops transport_nng = {
    .open = nng_open,
    .close = nng_transport_close,
    .exchange = nng_exchange,
};
