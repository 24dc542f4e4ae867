/* A listener on nng itself: inproc:// for tests and embedding, and nng's own TCP and IPC for who
 * runs a newer nng than Debian's. All in one file, so that nng is known nowhere else in the server.
 *
 * Each context (NNG's word for one request at a time) has an aio to receive and one to send, the
 * latter with a time-out, so that a client that does not read gives its context back in the end.
 *
 * What nng 1.5.2 does not do, or does wrong, over nng+tcp and nng+ipc: it stops accepting after
 * clients that half-close and reset; it keeps a descriptor for each client that vanishes with calls
 * under way; of the limits it knows only message_max and connections_max, and all connections share
 * the contexts. For trusted peers only, therefore; the default is listener_sp.
 */
#include <nng/nng.h>
#include <nng/protocol/reqrep0/rep.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "isobar/clock.h"
#include "listener.h"

#define SLOTS           64
#define SEND_TIMEOUT_MS 10000
#define RELEASE_MS      2000

struct gate;

struct slot {
    struct gate *gate;
    nng_ctx ctx;
    nng_aio *in, *out;
    nng_pipe pipe;     /* of the call; under the lock */
    struct call *call; /* under way; under the lock */
    struct peer peer;
    char address[LISTENER_ADDRESS_MAX];
};

struct gate {
    struct listener base;
    struct listener_host host;
    struct listener_limits limits;
    nng_socket socket;
    nng_listener listener;
    int port;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned calls;    /* with the host, or with a reply that nng has; each keeps the gate alive */
    unsigned inside;   /* threads in a function of nng: it must not be closed under them */
    atomic_bool quiet; /* nothing is received any more */
    bool closed;       /* nothing is sent any more; the last call frees it */
    bool released;     /* nng has let go of it */
    struct slot slots[SLOTS];
    char url[];
};

static struct gate *of(struct listener *l)
{
    return CONTAINER_OF(l, struct gate, base);
}

static void destroy(struct gate *g)
{
    pthread_mutex_destroy(&g->lock);
    pthread_cond_destroy(&g->changed);
    free(g);
}

static void describe_peer(struct slot *s, nng_pipe p)
{
    nng_sockaddr from;
    uint64_t uid = 0, pid = 0;
    s->peer = (struct peer){.address = s->address};
    if (nng_pipe_get_uint64(p, NNG_OPT_IPC_PEER_UID, &uid) == 0) {
        nng_pipe_get_uint64(p, NNG_OPT_IPC_PEER_PID, &pid);
        listener_local_peer(&s->peer, uid, pid, s->address);
        return;
    }
    snprintf(s->address, sizeof(s->address), "unknown");
    if (nng_pipe_get_addr(p, NNG_OPT_REMADDR, &from) != 0)
        return;
    if (from.s_family == NNG_AF_INPROC) {
        s->peer.local = true;
        snprintf(s->address, sizeof(s->address), "inproc");
    } else if (from.s_family == NNG_AF_INET) {
        listener_address(AF_INET, &from.s_in.sa_addr, from.s_in.sa_port, s->address);
    } else if (from.s_family == NNG_AF_INET6) {
        listener_address(AF_INET6, from.s_in6.sa_addr, from.s_in6.sa_port, s->address);
    }
}

static void count_down(struct gate *g, unsigned *counter)
{
    pthread_mutex_lock(&g->lock);
    --*counter;
    pthread_cond_broadcast(&g->changed);
    pthread_mutex_unlock(&g->lock);
}

static void receive_next(struct slot *s)
{
    struct gate *g = s->gate;
    pthread_mutex_lock(&g->lock);
    bool go = !g->quiet;
    g->inside += go;
    pthread_mutex_unlock(&g->lock);
    if (!go)
        return;
    nng_ctx_recv(s->ctx, s->in);
    count_down(g, &g->inside);
}

/* nng has done with the reply, or was never given one. */
static void sent(struct slot *s)
{
    receive_next(s);
    count_down(s->gate, &s->gate->calls);
}

static void on_sent(void *arg)
{
    struct slot *s = arg;
    if (nng_aio_result(s->out) != 0) {
        nng_msg_free(nng_aio_get_msg(s->out));
        nng_aio_set_msg(s->out, NULL);
    }
    sent(s);
}

static nng_msg *reply_message(const struct call *c)
{
    nng_msg *m = NULL;
    if (!c->reply_data || nng_msg_alloc(&m, c->reply_len) != 0)
        return NULL;
    if (c->reply_len > 0)
        memcpy(nng_msg_body(m), c->reply_data, c->reply_len);
    return m;
}

static void reply(struct call *c)
{
    struct slot *s = c->link;
    struct gate *g = s->gate;
    pthread_mutex_lock(&g->lock);
    s->call = NULL;
    bool closed = g->closed;
    g->calls -= closed;
    g->inside += !closed;
    bool last = g->calls == 0;
    pthread_mutex_unlock(&g->lock);
    if (closed) {
        call_free(c);
        if (last)
            destroy(g);
        return;
    }
    nng_msg *m = reply_message(c);
    call_free(c);
    if (m) {
        listener_count(&listener_stats.bytes_out, nng_msg_len(m));
        nng_aio_set_msg(s->out, m);
        nng_ctx_send(s->ctx, s->out);
    } else {
        nng_pipe_close(s->pipe);
        sent(s);
    }
    count_down(g, &g->inside);
}

static struct call *make_call(struct slot *s, nng_msg *m)
{
    size_t len = nng_msg_len(m);
    struct call *c = len <= s->gate->limits.message_max ? call_new() : NULL;
    if (!c)
        return NULL;
    if (!listener_set_message(c, nng_msg_body(m), len)) {
        call_free(c);
        return NULL;
    }
    c->received_ns = clock_mono_ns();
    c->peer = &s->peer;
    c->link = s;
    c->reply = reply;
    listener_count(&listener_stats.bytes_in, len);
    return c;
}

static void on_received(void *arg)
{
    struct slot *s = arg;
    struct gate *g = s->gate;
    int rc = nng_aio_result(s->in);
    if (rc == NNG_ECLOSED || rc == NNG_ECANCELED)
        return;
    if (rc != 0) {
        receive_next(s);
        return;
    }
    nng_msg *m = nng_aio_get_msg(s->in);
    nng_pipe p = nng_msg_get_pipe(m);
    describe_peer(s, p);
    struct call *c = make_call(s, m);
    nng_msg_free(m);
    pthread_mutex_lock(&g->lock);
    bool take = c && !g->quiet;
    if (take) {
        g->calls++;
        s->call = c;
        s->pipe = p;
    }
    pthread_mutex_unlock(&g->lock);
    if (take) {
        g->host.receive(g->host.ctx, c);
        return;
    }
    if (c)
        call_free(c);
    else
        nng_pipe_close(p);
    receive_next(s);
}

static void on_pipe_come(nng_pipe p, nng_pipe_ev ev UNUSED, void *arg)
{
    struct gate *g = arg;
    if (!listener_enter(g->quiet ? 0 : g->limits.connections_max))
        nng_pipe_close(p);
}

/* Nobody waits for the calls of a pipe, or of all, any more. With the lock held. */
static void cancel_calls(struct gate *g, const nng_pipe *p)
{
    for (struct slot *s = g->slots; s < g->slots + SLOTS; s++)
        if (s->call && (!p || s->pipe.id == p->id))
            cancel_raise(&s->call->cancelled);
}

static void on_pipe_gone(nng_pipe p, nng_pipe_ev ev UNUSED, void *arg)
{
    struct gate *g = arg;
    pthread_mutex_lock(&g->lock);
    cancel_calls(g, &p);
    pthread_mutex_unlock(&g->lock);
    listener_leave();
}

static int open_slot(struct gate *g, struct slot *s)
{
    s->gate = g;
    int rc = nng_ctx_open(&s->ctx, g->socket);
    if (rc == 0)
        rc = nng_aio_alloc(&s->in, on_received, s);
    if (rc == 0)
        rc = nng_aio_alloc(&s->out, on_sent, s);
    if (rc == 0)
        nng_aio_set_timeout(s->out, SEND_TIMEOUT_MS);
    return rc;
}

/* nng's own URL: without the "nng+". */
static const char *own_url(const char *url)
{
    return strncmp(url, "nng+", 4) == 0 ? url + 4 : url;
}

static int start(struct gate *g)
{
    int rc = nng_socket_set_size(g->socket, NNG_OPT_RECVMAXSZ, g->limits.message_max);
    if (rc == 0)
        rc = nng_pipe_notify(g->socket, NNG_PIPE_EV_ADD_PRE, on_pipe_come, g);
    if (rc == 0)
        rc = nng_pipe_notify(g->socket, NNG_PIPE_EV_REM_POST, on_pipe_gone, g);
    for (size_t i = 0; i < SLOTS && rc == 0; i++)
        rc = open_slot(g, &g->slots[i]);
    if (rc == 0)
        rc = nng_listener_create(&g->listener, g->socket, own_url(g->url));
    if (rc == 0 && strncmp(g->url, "nng+ipc:", 8) == 0)
        rc = nng_listener_set_int(g->listener, NNG_OPT_IPC_PERMISSIONS, 0600);
    if (rc == 0)
        rc = nng_listener_start(g->listener, 0);
    if (rc != 0)
        return rc;
    if (strncmp(g->url, "nng+tcp:", 8) == 0)
        nng_listener_get_int(g->listener, NNG_OPT_TCP_BOUND_PORT, &g->port);
    for (size_t i = 0; i < SLOTS; i++)
        nng_ctx_recv(g->slots[i].ctx, g->slots[i].in);
    return 0;
}

static void *release(void *arg)
{
    struct gate *g = arg;
    nng_close(g->socket);
    for (size_t i = 0; i < SLOTS; i++) {
        nng_aio_free(g->slots[i].in);
        nng_aio_free(g->slots[i].out);
    }
    pthread_mutex_lock(&g->lock);
    g->released = true;
    pthread_cond_broadcast(&g->changed);
    pthread_mutex_unlock(&g->lock);
    return NULL;
}

/* Until nobody is in a function of nng. With the lock held. */
static void wait_until_outside(struct gate *g)
{
    while (g->inside > 0)
        pthread_cond_wait(&g->changed, &g->lock);
}

/* Have nng close everything. Its nng_close may wait for ever for something that it has lost sight
 * of (nng #1543), so a thread of its own does that; false where it did not come back. */
static bool release_nng(struct gate *g)
{
    pthread_t thread;
    pthread_mutex_lock(&g->lock);
    wait_until_outside(g);
    if (pthread_create(&thread, NULL, release, g) == 0)
        pthread_detach(thread);
    int64_t until = clock_mono_ns() + RELEASE_MS * NS_PER_MS;
    while (!g->released && listener_cond_wait(&g->changed, &g->lock, until))
        ;
    bool released = g->released;
    pthread_mutex_unlock(&g->lock);
    return released;
}

static struct gate *make(const struct listener_config *config, const struct listener_host *host)
{
    struct gate *g = calloc(1, sizeof(*g) + strlen(config->url) + 1);
    if (!g)
        return NULL;
    g->base.ops = &listener_nng;
    g->host = *host;
    g->limits = config->limits;
    strcpy(g->url, config->url);
    pthread_mutex_init(&g->lock, NULL);
    listener_cond_init(&g->changed);
    return g;
}

static struct listener *open_nng(const struct listener_config *config,
                                 const struct listener_host *host, char ret_why[256])
{
    struct gate *g = make(config, host);
    int rc = g ? nng_rep0_open(&g->socket) : NNG_ENOMEM;
    if (rc == 0) {
        rc = start(g);
        if (rc == 0)
            return &g->base;
        if (!release_nng(g))
            g = NULL;
    }
    snprintf(ret_why, 256, "%.150s: %s", config->url, nng_strerror(rc));
    if (g)
        destroy(g);
    return NULL;
}

/* Closing nng's listener would close its connections too, so new ones are refused one by one. Who
 * saw us not quiet yet may be about to receive: what is cancelled before that would wait for ever.
 */
static void quiesce_nng(struct listener *l)
{
    struct gate *g = of(l);
    pthread_mutex_lock(&g->lock);
    g->quiet = true;
    wait_until_outside(g);
    pthread_mutex_unlock(&g->lock);
    for (size_t i = 0; i < SLOTS; i++) {
        nng_aio_cancel(g->slots[i].in);
        nng_aio_wait(g->slots[i].in);
    }
}

static void close_nng(struct listener *l, int64_t deadline_ns)
{
    struct gate *g = of(l);
    quiesce_nng(l);
    pthread_mutex_lock(&g->lock);
    while (g->calls > 0 && listener_cond_wait(&g->changed, &g->lock, deadline_ns))
        ;
    g->closed = true;
    g->calls++; /* so that it lives until we are done */
    cancel_calls(g, NULL);
    pthread_mutex_unlock(&g->lock);
    if (!release_nng(g))
        return; /* nng may look at it still */
    pthread_mutex_lock(&g->lock);
    bool last = --g->calls == 0;
    pthread_mutex_unlock(&g->lock);
    if (last)
        destroy(g);
}

static int port_nng(const struct listener *l)
{
    return ((const struct gate *)(const void *)l)->port;
}

static bool reload_tls_nng(struct listener *l, const struct listener_tls *tls UNUSED,
                           char ret_why[256])
{
    snprintf(ret_why, 256, "%.150s: it has no TLS", of(l)->url);
    return false;
}

static const char *const schemes[] = {"inproc", "nng+tcp", "nng+ipc", NULL};

const struct listener_ops listener_nng = {
    .schemes = schemes,
    .open = open_nng,
    .quiesce = quiesce_nng,
    .close = close_nng,
    .port = port_nng,
    .reload_tls = reload_tls_nng,
};
