#include "sp_line.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "isobar/clock.h"
#include "isobar/envelope.h"

/* Bytes that stay unacknowledged for so long mean a dead peer. */
#define UNACKED_MS 20000
/* Between two tries to connect to a local socket whose queue is full. */
#define QUEUE_FULL_MS 2

static enum sp_state broken(struct sp_wait *w, const char *fmt, ...) PRINTF(2, 3);

/* Always SP_STATE_BROKEN, for return. */
static enum sp_state broken(struct sp_wait *w, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vsnprintf(w->ret_why, 256, fmt, args);
    va_end(args);
    return SP_STATE_BROKEN;
}

/* What connect() or socket() said. */
static enum sp_state refused(struct sp_wait *w, int error)
{
    if (error == ECONNREFUSED || error == ENOENT)
        return broken(w, "nothing listens at %s", w->to->url);
    if (error == EACCES || error == EPERM)
        return broken(w, "this user may not open %s", w->to->url);
    return broken(w, "cannot connect to %s: %s", w->to->url, strerror(error));
}

/* Whether there is time left, and somebody who waits. Looked at in every turn of a loop: a peer
 * that always has a byte more must not hold it. */
static enum sp_state still_wanted(const struct sp_wait *w)
{
    if (clock_mono_ns() >= w->until_ns)
        return SP_STATE_LATE;
    return op_cancelled(w->op) ? SP_STATE_CANCELLED : SP_STATE_OK;
}

/* Sleep until the socket is ready, a tick has passed, or the time is over. */
static enum sp_state pause_for(struct sp_wait *w, int fd, short events)
{
    const int tick = (int)(SP_CANCEL_TICK_NS / NS_PER_MS);
    struct pollfd p = {.fd = fd, .events = events};
    int ms = clock_ms_left(w->until_ns);

    if (w->op->cancelled && ms > tick)
        ms = tick;
    if (poll(&p, 1, ms) < 0 && errno != EINTR)
        return broken(w, "%s cannot be waited for: %s", w->to->url, strerror(errno));
    return SP_STATE_OK;
}

/* Until a connection under way is there. */
static enum sp_state wait_connected(struct sp_wait *w, int fd)
{
    for (;;) {
        struct pollfd p = {.fd = fd, .events = POLLOUT};
        int error = 0;
        socklen_t len = sizeof(error);
        enum sp_state state = still_wanted(w);

        if (state == SP_STATE_OK)
            state = pause_for(w, fd, POLLOUT);
        if (state != SP_STATE_OK)
            return state;
        if (poll(&p, 1, 0) <= 0)
            continue;
        getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
        return error == 0 ? SP_STATE_OK : refused(w, error);
    }
}

static enum sp_state dial(struct sp_line *l, struct sp_wait *w, const struct sockaddr *address,
                          socklen_t len)
{
    l->fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (l->fd < 0)
        return refused(w, errno);
    for (;;) {
        enum sp_state state = still_wanted(w);
        if (state != SP_STATE_OK)
            return state;
        if (connect(l->fd, address, len) == 0)
            return SP_STATE_OK;
        if (errno == EINPROGRESS || errno == EINTR)
            return wait_connected(w, l->fd);
        /* The queue of a local socket is full, which cannot be polled for. */
        if (errno != EAGAIN)
            return refused(w, errno);
        nanosleep(&(struct timespec){.tv_nsec = QUEUE_FULL_MS * NS_PER_MS}, NULL);
    }
}

static enum sp_state dial_path(struct sp_line *l, struct sp_wait *w)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    memcpy(address.sun_path, w->to->path, strlen(w->to->path)); /* sp_address_init() measured it */
    return dial(l, w, (const struct sockaddr *)&address, sizeof(address));
}

static void set_options(int fd)
{
    int on = 1, ms = UNACKED_MS;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof(ms));
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
}

/* One address after the other; each but the last has its share of the time only. */
static enum sp_state dial_host(struct sp_line *l, struct sp_wait *w)
{
    int error;
    struct addrinfo *list = sp_address_resolve(w->to, w->op, w->until_ns, &error);
    int64_t until = w->until_ns;
    enum sp_state state = SP_STATE_LATE;

    if (!list && error == EAI_INPROGRESS)
        return op_cancelled(w->op) ? SP_STATE_CANCELLED : SP_STATE_LATE;
    if (!list)
        return broken(w, "the host of %s cannot be found: %s", w->to->url, gai_strerror(error));
    for (struct addrinfo *a = list; a; a = a->ai_next) {
        w->until_ns = a->ai_next ? until - (until - clock_mono_ns()) / 2 : until;
        state = dial(l, w, a->ai_addr, a->ai_addrlen);
        if (state == SP_STATE_OK || state == SP_STATE_CANCELLED)
            break;
        sp_line_close(l);
    }
    freeaddrinfo(list);
    w->until_ns = until;
    if (state == SP_STATE_OK)
        set_options(l->fd);
    return state;
}

/* TLS on a connection that is there. */
static enum sp_state start_tls(struct sp_line *l, struct sp_wait *w)
{
    l->tls = tls_session_new(w->to->tls, l->fd);
    if (!l->tls)
        return broken(w, "there is no memory for TLS");
    for (;;) {
        short events = 0;
        int done = tls_session_handshake(l->tls, &events);
        if (done > 0)
            return SP_STATE_OK;
        enum sp_state state = still_wanted(w);
        if (state != SP_STATE_OK)
            return state;
        if (done < 0)
            return broken(w, "no TLS with %s: %s", w->to->url, tls_session_why(l->tls));
        state = pause_for(w, l->fd, events);
        if (state != SP_STATE_OK)
            return state;
    }
}

static enum sp_state shake_hands(struct sp_line *l, struct sp_wait *w)
{
    uint8_t out[SP_HANDSHAKE_LEN], in[SP_HANDSHAKE_LEN];
    size_t at = 0, got = 0;

    sp_handshake(out, SP_PROTO_REQ);
    const struct iovec parts[2] = {{out, sizeof(out)}, {NULL, 0}};
    enum sp_state state = sp_line_write(l, w, parts, &at, sizeof(out));
    if (state == SP_STATE_OK)
        state = sp_line_read(l, w, in, sizeof(in), &got);
    if (state == SP_STATE_OK && !sp_handshake_ok(in, SP_PROTO_REP)) {
        w->foreign = true;
        return broken(w, "what listens at %s is not an Isobar gateway", w->to->url);
    }
    return state;
}

enum sp_state sp_line_open(struct sp_line *l, struct sp_wait *w)
{
    enum sp_state state;

    l->fd = -1;
    l->ipc = w->to->path != NULL;
    state = l->ipc ? dial_path(l, w) : dial_host(l, w);
    if (state == SP_STATE_OK && w->to->tls)
        state = start_tls(l, w);
    if (state == SP_STATE_OK)
        state = shake_hands(l, w);
    if (state != SP_STATE_OK)
        sp_line_close(l);
    return state;
}

void sp_line_close(struct sp_line *l)
{
    tls_session_free(l->tls);
    l->tls = NULL;
    if (l->fd >= 0)
        close(l->fd);
    l->fd = -1;
}

bool sp_line_is_fit(const struct sp_line *l)
{
    struct pollfd p = {.fd = l->fd, .events = POLLIN};

    return poll(&p, 1, 0) == 0;
}

/* The bytes of both parts from `at` to `to`. */
static struct msghdr rest_of(const struct iovec parts[2], size_t at, size_t to,
                             struct iovec rest[2])
{
    struct msghdr m = {.msg_iov = rest};

    for (size_t i = 0, begin = 0; i < 2; begin += parts[i++].iov_len) {
        size_t end = begin + parts[i].iov_len;
        size_t from = at > begin ? at : begin, till = to < end ? to : end;
        if (from < till)
            rest[m.msg_iovlen++] =
                (struct iovec){(char *)parts[i].iov_base + (from - begin), till - from};
    }
    return m;
}

/* What a step of TLS has done, as a system call says it. */
static ssize_t as_call(int done, size_t n)
{
    if (done > 0)
        return (ssize_t)n;
    errno = done == 0 ? EAGAIN : EPROTO;
    return -1;
}

/* Send what there is place for; else errno, and what to wait for. */
static ssize_t put(struct sp_line *l, const struct msghdr *m, short *ret_events)
{
    size_t n = 0;

    if (!l->tls)
        return sendmsg(l->fd, m, MSG_NOSIGNAL);
    int done =
        tls_session_write(l->tls, m->msg_iov[0].iov_base, m->msg_iov[0].iov_len, &n, ret_events);
    return as_call(done, n);
}

static ssize_t take(struct sp_line *l, void *data, size_t len, short *ret_events)
{
    size_t n = 0;

    if (!l->tls)
        return recv(l->fd, data, len, 0);
    int done = tls_session_read(l->tls, data, len, &n, ret_events);
    return as_call(done, n);
}

static const char *why(const struct sp_line *l)
{
    return l->tls ? tls_session_why(l->tls) : strerror(errno);
}

enum sp_state sp_line_write(struct sp_line *l, struct sp_wait *w, const struct iovec parts[2],
                            size_t *at, size_t to)
{
    while (*at < to) {
        struct iovec rest[2];
        struct msghdr m = rest_of(parts, *at, to, rest);
        enum sp_state state = still_wanted(w);

        if (state != SP_STATE_OK)
            return state;
        short events = POLLOUT;
        ssize_t n = put(l, &m, &events);
        if (n >= 0) {
            *at += (size_t)n;
            continue;
        }
        if (errno != EAGAIN && errno != EINTR)
            return broken(w, "%s broke the connection during the request: %s", w->to->url, why(l));
        state = pause_for(w, l->fd, events);
        if (state != SP_STATE_OK)
            return state;
    }
    return SP_STATE_OK;
}

enum sp_state sp_line_read(struct sp_line *l, struct sp_wait *w, void *data, size_t len,
                           size_t *ret_got)
{
    *ret_got = 0;
    while (*ret_got < len) {
        enum sp_state state = still_wanted(w);

        if (state != SP_STATE_OK)
            return state;
        short events = POLLIN;
        ssize_t n = take(l, (char *)data + *ret_got, len - *ret_got, &events);
        if (n > 0) {
            *ret_got += (size_t)n;
            continue;
        }
        if (n == 0)
            return broken(w, "%s closed the connection before an answer was whole", w->to->url);
        if (errno != EAGAIN && errno != EINTR)
            return broken(w, "%s broke the connection before an answer was whole: %s", w->to->url,
                          why(l));
        if (clock_mono_ns() < w->spin_until_ns)
            continue;
        state = pause_for(w, l->fd, events);
        if (state != SP_STATE_OK)
            return state;
    }
    return SP_STATE_OK;
}
