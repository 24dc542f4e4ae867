/* The default listener: nng's SP protocol as REP over TCP, local sockets and TLS, on epoll loops of
 * our own. Opening, accepting, closing; the connections are in listener_sp_link.c.
 *
 * Why not nng: as a server, Debian's 1.5.2 stops accepting after two connections that half-close
 * and reset (one, on IPC), leaks a descriptor for each client that vanishes with calls under way or
 * right after a TLS handshake, and costs several times as much for a call.
 */
#include "listener_sp.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "isobar/clock.h"

/* Connections accepted before others have their turn. */
#define ACCEPTS_PER_TURN 64
/* How long accepting rests where no descriptor or memory is left. */
#define PAUSE_NS (100 * NS_PER_MS)

static struct sp_listener *of(struct listener *l)
{
    return CONTAINER_OF(l, struct sp_listener, base);
}

void sp_listener_leave(struct sp_listener *l)
{
    listener_leave();
    pthread_mutex_lock(&l->lock);
    if (--l->n_links == 0)
        pthread_cond_signal(&l->no_links);
    pthread_mutex_unlock(&l->lock);
}

/* Takes the descriptor. */
static void welcome(struct sp_listener *l, int fd, const struct sockaddr_storage *from)
{
    if (!listener_enter(l->limits.connections_max)) {
        listener_leave();
        close(fd);
        return;
    }
    struct tls_link *tls = NULL;
    pthread_mutex_lock(&l->lock);
    l->n_links++;
    bool ok = !l->tls || (tls = tls_link_new(l->tls, fd));
    pthread_mutex_unlock(&l->lock);
    struct sp_link *k = ok ? sp_link_take(l, sp_pool_next(), fd, from, tls) : NULL;
    if (k) {
        sp_link_start(k);
        return;
    }
    tls_link_free(tls);
    close(fd);
    sp_listener_leave(l);
}

static void accept_again(struct sp_timed *t)
{
    struct sp_listener *l = CONTAINER_OF(t, struct sp_listener, pause);
    sp_io_rewatch(l->io, &l->source, EPOLLIN);
}

static void accept_ready(struct sp_source *s, uint32_t events UNUSED)
{
    struct sp_listener *l = CONTAINER_OF(s, struct sp_listener, source);
    for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
        struct sockaddr_storage from = {.ss_family = AF_UNSPEC};
        socklen_t len = sizeof(from);
        int fd = accept4(s->fd, (struct sockaddr *)&from, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            welcome(l, fd, &from);
        } else if (errno == EAGAIN) {
            return;
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            /* It would be ready again at once, without end. */
            sp_io_rewatch(l->io, s, 0);
            sp_io_arm(l->io, &l->pause, clock_mono_ns() + PAUSE_NS);
            return;
        }
        /* Any other error is that of one connection, which is gone already. */
    }
}

static void begin_accepting(struct sp_io *io, void *ctx)
{
    struct sp_listener *l = ctx;
    l->accepting = sp_io_watch(io, &l->source, EPOLLIN);
}

static void end_accepting(struct sp_io *io, void *ctx)
{
    struct sp_listener *l = ctx;
    if (!l->accepting)
        return;
    l->accepting = false;
    sp_io_disarm(&l->pause);
    sp_io_unwatch(io, &l->source);
    sp_place_close(&l->place);
}

static void destroy(struct sp_listener *l)
{
    sp_place_close(&l->place);
    tls_server_free(l->tls);
    pthread_mutex_destroy(&l->lock);
    pthread_cond_destroy(&l->no_links);
    free(l->url);
    free(l);
}

static struct sp_listener *make(const struct listener_config *config,
                                const struct listener_host *host)
{
    struct sp_listener *l = calloc(1, sizeof(*l));
    if (!l)
        return NULL;
    l->base.ops = &listener_sp;
    l->place.fd = -1;
    l->pause.fire = accept_again;
    l->host = *host;
    l->limits = config->limits;
    pthread_mutex_init(&l->lock, NULL);
    listener_cond_init(&l->no_links);
    l->url = strdup(config->url);
    if (l->url)
        return l;
    destroy(l);
    return NULL;
}

/* All of it that can fail; `ret_why` is without the URL. */
static bool set_up(struct sp_listener *l, const struct listener_config *config,
                   char ret_why[LISTENER_CAUSE_MAX])
{
    bool wants_tls = strncmp(l->url, "tls+", 4) == 0;
    if (wants_tls != (config->tls != NULL)) {
        snprintf(ret_why, LISTENER_CAUSE_MAX,
                 "certificates belong to tls+tcp://, which needs them");
        return false;
    }
    if (wants_tls && !(l->tls = tls_server_new(config->tls, ret_why)))
        return false;
    if (!sp_place_open(l->url, &l->place, ret_why))
        return false;
    if (!sp_pool_open(config->io_threads)) {
        snprintf(ret_why, LISTENER_CAUSE_MAX, "cannot start I/O threads: %s", strerror(errno));
        return false;
    }
    l->source = (struct sp_source){.fd = l->place.fd, .ready = accept_ready};
    l->io = sp_pool_next();
    sp_io_call(l->io, begin_accepting, l);
    if (l->accepting)
        return true;
    snprintf(ret_why, LISTENER_CAUSE_MAX, "cannot wait for connections");
    sp_pool_close();
    return false;
}

static struct listener *open_sp(const struct listener_config *config,
                                const struct listener_host *host, char ret_why[256])
{
    struct sp_listener *l = make(config, host);
    char why[LISTENER_CAUSE_MAX] = "no memory";
    if (l && set_up(l, config, why))
        return &l->base;
    if (l)
        destroy(l);
    snprintf(ret_why, 256, "%.113s: %s", config->url, why);
    return NULL;
}

enum { QUIESCE, FINISH, ABORT };

struct order {
    struct sp_listener *listener;
    int what;
};

static void tell_links(struct sp_io *io, void *ctx)
{
    const struct order *o = ctx;
    struct sp_link *next;
    for (struct sp_link *k = LIST_FIRST(&io->links); k; k = next) {
        next = LIST_NEXT(k, links);
        if (k->listener != o->listener)
            continue;
        k->stopped = true;
        k->ending |= o->what == FINISH;
        k->broken |= o->what == ABORT;
        sp_link_pend(k);
    }
}

static void nothing(struct sp_io *io UNUSED, void *ctx UNUSED)
{
}

static void tell(struct sp_listener *l, int what)
{
    struct order o = {.listener = l, .what = what};
    sp_pool_call(tell_links, &o);
}

static void quiesce_sp(struct listener *base)
{
    struct sp_listener *l = of(base);
    /* First of all: what it accepted is on its way to the other threads then. */
    sp_io_call(l->io, end_accepting, l);
    tell(l, QUIESCE);
}

/* False: the deadline has passed. */
static bool wait_for_links(struct sp_listener *l, int64_t deadline_ns)
{
    pthread_mutex_lock(&l->lock);
    while (l->n_links > 0 && listener_cond_wait(&l->no_links, &l->lock, deadline_ns))
        ;
    bool none = l->n_links == 0;
    pthread_mutex_unlock(&l->lock);
    return none;
}

static void close_sp(struct listener *base, int64_t deadline_ns)
{
    struct sp_listener *l = of(base);
    quiesce_sp(base);
    tell(l, FINISH);
    if (!wait_for_links(l, deadline_ns)) {
        tell(l, ABORT);
        wait_for_links(l, INT64_MAX);
    }
    /* The threads may be on their way out of sp_listener_leave. */
    sp_pool_call(nothing, NULL);
    sp_pool_close();
    destroy(l);
}

static int port_sp(const struct listener *base)
{
    return ((const struct sp_listener *)(const void *)base)->place.port;
}

static bool reload_tls_sp(struct listener *base, const struct listener_tls *files,
                          char ret_why[256])
{
    struct sp_listener *l = of(base);
    char why[LISTENER_CAUSE_MAX] = "";
    struct tls_server *fresh = NULL;
    if (!l->tls)
        snprintf(why, sizeof(why), "it has no TLS");
    else
        fresh = tls_server_new(files, why);
    if (!fresh) {
        snprintf(ret_why, 256, "%.113s: %s", l->url, why);
        return false;
    }
    pthread_mutex_lock(&l->lock);
    struct tls_server *old = l->tls;
    l->tls = fresh;
    pthread_mutex_unlock(&l->lock);
    tls_server_free(old);
    return true;
}

static const char *const schemes[] = {"tcp", "ipc", "tls+tcp", NULL};

const struct listener_ops listener_sp = {
    .schemes = schemes,
    .open = open_sp,
    .quiesce = quiesce_sp,
    .close = close_sp,
    .port = port_sp,
    .reload_tls = reload_tls_sp,
};
