/* One connection: its life. */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "isobar/clock.h"
#include "listener_sp.h"

/* A connection that sends without a pause lets others have their turn after so many reads. */
#define READS_PER_TURN 4

static void name_inet(struct sp_link *k, const struct sockaddr_storage *from)
{
    if (from->ss_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, from, sizeof(in));
        listener_address(AF_INET, &in.sin_addr, in.sin_port, k->address);
    } else if (from->ss_family == AF_INET6) {
        struct sockaddr_in6 in;
        memcpy(&in, from, sizeof(in));
        listener_address(AF_INET6, &in.sin6_addr, in.sin6_port, k->address);
    }
}

static void name_local(struct sp_link *k)
{
    struct ucred who = {.pid = 0};
    socklen_t len = sizeof(who);
    if (getsockopt(k->source.fd, SOL_SOCKET, SO_PEERCRED, &who, &len) < 0)
        who.uid = (uid_t)-1;
    listener_local_peer(&k->peer, who.uid, (uint64_t)who.pid, k->address);
}

static void enqueue(struct sp_link *k)
{
    if (k->pending || k->closed)
        return;
    k->pending = true;
    TAILQ_INSERT_TAIL(&k->io->pending, k, queue);
}

void sp_link_pend(struct sp_link *k)
{
    if (!k->in_turn)
        enqueue(k);
}

static void timed_out(struct sp_timed *t)
{
    listener_count(&listener_stats.timeouts, 1);
    sp_link_drop(CONTAINER_OF(t, struct sp_link, timed), false);
}

static void ready(struct sp_source *s, uint32_t events)
{
    struct sp_link *k = CONTAINER_OF(s, struct sp_link, source);
    if (events & (EPOLLERR | EPOLLHUP)) {
        if (!k->tls_up)
            listener_count(&listener_stats.tls_failed, 1);
        sp_link_drop(k, false);
        return;
    }
    if (events & (EPOLLIN | EPOLLRDHUP) || k->tls)
        k->readable = true;
    if (events & EPOLLRDHUP)
        k->hung_up = true;
    if (events & EPOLLOUT || k->tls)
        k->blocked = false;
    sp_link_turn(k);
}

static void adopt(struct sp_io *io, struct sp_task *t)
{
    struct sp_link *k = CONTAINER_OF(t, struct sp_link, adopt);
    LIST_INSERT_HEAD(&io->links, k, links);
    sp_io_arm(io, &k->timed, clock_mono_ns() + k->listener->limits.handshake_ms * NS_PER_MS);
    if (!sp_io_watch(io, &k->source, SP_EVENTS_IN))
        k->broken = true;
    sp_link_turn(k);
}

struct sp_link *sp_link_take(struct sp_listener *l, struct sp_io *io, int fd,
                             const struct sockaddr_storage *from, struct tls_link *tls)
{
    struct sp_link *k = calloc(1, sizeof(*k));
    if (!k)
        return NULL;
    k->source = (struct sp_source){.fd = fd, .ready = ready};
    k->io = io;
    sp_io_ref(io);
    k->listener = l;
    atomic_init(&k->refs, 1);
    k->tls = tls;
    k->tls_up = !tls;
    k->ipc = l->place.ipc;
    k->peer.address = k->address;
    if (k->ipc)
        name_local(k);
    else
        name_inet(k, from);
    LIST_INIT(&k->tickets);
    buf_init(&k->in, l->limits.message_max + SP_IPC_LENGTH_LEN + SP_READ_BYTES);
    k->out_last = &k->out;
    k->timed.fire = timed_out;
    k->adopt.run = adopt;
    return k;
}

void sp_link_start(struct sp_link *k)
{
    if (sp_io_is_here(k->io))
        adopt(k->io, &k->adopt);
    else
        sp_io_post(k->io, &k->adopt);
}

void sp_link_unref(struct sp_link *k)
{
    if (atomic_fetch_sub_explicit(&k->refs, 1, memory_order_acq_rel) != 1)
        return;
    tls_link_free(k->tls);
    sp_io_unref(k->io);
    free(k);
}

/* Send what is in the socket's buffer on its way. A socket that is closed with bytes unread is
 * reset, and what it had still to send is lost: read them away first. */
static void say_goodbye(struct sp_link *k)
{
    if (k->tls)
        tls_link_shutdown(k->tls);
    shutdown(k->source.fd, SHUT_WR);
    for (int i = 0; i < READS_PER_TURN; i++)
        if (recv(k->source.fd, k->io->rbuf, SP_READ_BYTES, 0) <= 0)
            break;
}

void sp_link_drop(struct sp_link *k, bool orderly)
{
    if (k->closed)
        return;
    k->closed = true;
    struct sp_ticket *t;
    LIST_FOREACH(t, &k->tickets, list)
    cancel_raise(&t->call->cancelled);
    if (orderly)
        say_goodbye(k);
    sp_io_unwatch(k->io, &k->source);
    close(k->source.fd);
    sp_io_disarm(&k->timed);
    LIST_REMOVE(k, links);
    if (k->pending)
        TAILQ_REMOVE(&k->io->pending, k, queue);
    k->pending = false;
    sp_link_forget(k);
    buf_done(&k->in);
    (void)sp_link_hold(k);
    struct sp_listener *l = k->listener;
    k->listener = NULL;
    sp_listener_leave(l);
    sp_link_unref(k);
}

/* False where nothing more can be done for now. */
static bool shake_tls(struct sp_link *k)
{
    if (k->tls_up)
        return true;
    bool wants_out = false;
    int done = tls_link_handshake(k->tls, &wants_out);
    if (done < 0) {
        listener_count(&listener_stats.tls_failed, 1);
        sp_link_drop(k, false);
        return false;
    }
    sp_link_want_out(k, wants_out);
    if (done == 0)
        return false;
    k->tls_up = true;
    k->readable = true;
    k->peer.tls_name = tls_link_peer_name(k->tls);
    return true;
}

static void step(struct sp_link *k)
{
    if (!shake_tls(k))
        return;
    for (unsigned reads = 0; !k->closed; reads++) {
        if (k->held && !k->stopped)
            sp_link_take_held(k);
        sp_link_flush(k);
        if (k->closed || k->stopped || k->broken || sp_link_is_full(k))
            break;
        if (!k->held && !k->readable)
            break;
        if (reads >= READS_PER_TURN || k->taken >= SP_CALLS_PER_TURN) {
            enqueue(k);
            break;
        }
        if (!k->held)
            sp_link_read(k);
    }
}

/* Set the time for the rest of a message. It runs only while we read. */
static void time_frame(struct sp_link *k)
{
    if (!k->greeted)
        return;
    if (k->stopped || k->in.len == 0 || sp_link_is_full(k))
        sp_io_disarm(&k->timed);
    else if (k->frame_done || !k->timed.armed)
        sp_io_arm(k->io, &k->timed, clock_mono_ns() + k->listener->limits.frame_ms * NS_PER_MS);
    k->frame_done = false;
}

void sp_link_turn(struct sp_link *k)
{
    atomic_fetch_add_explicit(&k->refs, 1, memory_order_relaxed);
    k->in_turn = true;
    k->taken = 0;
    if (!k->broken)
        step(k);
    if (k->broken)
        sp_link_drop(k, false);
    else if (!k->closed && k->ending && k->calls == 0)
        sp_link_drop(k, true);
    if (!k->closed)
        time_frame(k);
    k->in_turn = false;
    sp_link_unref(k);
}
