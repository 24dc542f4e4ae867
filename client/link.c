#include "link.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "isobar/clock.h"
#include "isobar/envelope.h"
#include "isobar/tls.h"
#include "resolve.h"

/* One attempt to connect. */
struct dial {
    const struct endpoint *to;
    int64_t deadline_ns;
    bool late;
    char *why; /* 256 bytes */
};

static bool failed(struct dial *d, const char *fmt, ...) PRINTF(2, 3);

/* Always false, for return. */
static bool failed(struct dial *d, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(d->why, 256, fmt, args);
    va_end(args);
    return false;
}

static bool late(struct dial *d)
{
    d->late = true;
    return failed(d, "%s did not answer in time", d->to->url);
}

/* What connect() or socket() said. */
static bool refused(struct dial *d, int error)
{
    const char *url = d->to->url;
    if (error == ECONNREFUSED || error == ENOENT)
        return failed(d,
                      "nothing listens at %s; start isobard, or name another gateway with --server "
                      "or ISOBAR_SERVER",
                      url);
    if (error == EACCES || error == EPERM)
        return failed(d, "you may not open %s; only the user who runs that gateway may", url);
    return failed(d, "cannot connect to %s: %s", url, strerror(error));
}

static bool wait_for(struct dial *d, int fd, short events)
{
    for (;;) {
        int ms = clock_ms_left(d->deadline_ns);
        if (ms == 0)
            return late(d);
        struct pollfd p = {.fd = fd, .events = events};
        int n = poll(&p, 1, ms);
        if (n > 0)
            return true;
        if (n < 0 && errno != EINTR)
            return refused(d, errno);
    }
}

static bool dial_address(struct dial *d, struct link *l, const struct sockaddr *address,
                         socklen_t len)
{
    l->fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (l->fd < 0)
        return refused(d, errno);
    int connected = connect(l->fd, address, len);
    /* The backlog of a local socket is full, which cannot be polled for. */
    while (connected < 0 && errno == EAGAIN) {
        if (clock_ms_left(d->deadline_ns) == 0)
            return late(d);
        nanosleep(&(struct timespec){.tv_nsec = 2 * NS_PER_MS}, NULL);
        connected = connect(l->fd, address, len);
    }
    if (connected == 0)
        return true;
    if (errno != EINPROGRESS && errno != EINTR)
        return refused(d, errno);
    int error = 0;
    socklen_t error_len = sizeof error;
    if (!wait_for(d, l->fd, POLLOUT))
        return false;
    getsockopt(l->fd, SOL_SOCKET, SO_ERROR, &error, &error_len);
    return error == 0 || refused(d, error);
}

static bool dial_path(struct dial *d, struct link *l)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, d->to->path, strlen(d->to->path)); /* endpoint_init() measured it */
    return dial_address(d, l, (const struct sockaddr *)&address, sizeof address);
}

/* One address after the other; each but the last has its share of the time only. */
static bool dial_host(struct dial *d, struct link *l)
{
    int error;
    struct addrinfo *list = resolve(d->to->host, d->to->port, d->deadline_ns, &error);
    if (!list && error == EAI_INPROGRESS)
        return late(d);
    if (!list)
        return failed(d, "cannot find the host of %s: %s", d->to->url, gai_strerror(error));
    int64_t deadline = d->deadline_ns;
    bool ok = false;
    for (struct addrinfo *a = list; a && !ok; a = a->ai_next) {
        int64_t left = deadline - clock_mono_ns();
        d->deadline_ns = a->ai_next ? deadline - left / 2 : deadline;
        d->late = false;
        ok = dial_address(d, l, a->ai_addr, a->ai_addrlen);
        if (!ok && l->fd >= 0) {
            close(l->fd);
            l->fd = -1;
        }
    }
    freeaddrinfo(list);
    d->deadline_ns = deadline;
    int on = 1;
    if (ok)
        setsockopt(l->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return ok;
}

static bool start_tls(struct dial *d, struct link *l)
{
    l->tls = tls_session_new(d->to->tls, l->fd);
    if (!l->tls)
        return failed(d, "no memory for TLS to %s", d->to->url);
    for (;;) {
        short events = 0;
        int state = tls_session_handshake(l->tls, &events);
        if (state > 0)
            return true;
        if (state < 0)
            return failed(d, "no TLS with %s: %s", d->to->url, tls_session_why(l->tls));
        if (!wait_for(d, l->fd, events))
            return false;
    }
}

static bool transfer(struct dial *d, struct link *l, uint8_t *data, size_t len, bool out)
{
    while (len > 0) {
        short events = 0;
        size_t n = 0;
        enum link_state state =
            out ? link_write(l, data, len, &n, &events) : link_read(l, data, len, &n, &events);
        if (state == LINK_BROKEN)
            return failed(d, "%s hung up before the first call: %s", d->to->url, l->why);
        if (state == LINK_AGAIN && !wait_for(d, l->fd, events))
            return false;
        data += n;
        len -= n;
    }
    return true;
}

static bool shake_hands(struct dial *d, struct link *l)
{
    uint8_t bytes[SP_HANDSHAKE_LEN];
    sp_handshake(bytes, SP_PROTO_REQ);
    if (!transfer(d, l, bytes, sizeof bytes, true) || !transfer(d, l, bytes, sizeof bytes, false))
        return false;
    if (!sp_handshake_ok(bytes, SP_PROTO_REP))
        return failed(d, "what listens at %s is not an Isobar gateway", d->to->url);
    return true;
}

struct link *link_dial(const struct endpoint *to, int64_t deadline_ns, bool *ret_late,
                       char ret_why[256])
{
    struct dial d = {.to = to, .deadline_ns = deadline_ns, .why = ret_why};
    /* The caller's deadline is what counts as late; a gateway that takes forever is just away. */
    int64_t limit = clock_mono_ns() + CONNECT_MS * NS_PER_MS;
    bool limited = limit < deadline_ns;
    if (limited)
        d.deadline_ns = limit;
    struct link *l = calloc(1, sizeof *l);
    *ret_late = false;
    if (!l) {
        failed(&d, "out of memory");
        return NULL;
    }
    l->fd = -1;
    if ((to->scheme->ipc ? dial_path(&d, l) : dial_host(&d, l)) &&
        (!to->scheme->tls || start_tls(&d, l)) && shake_hands(&d, l))
        return l;
    *ret_late = d.late && !limited;
    link_free(l);
    return NULL;
}

void link_free(struct link *l)
{
    if (!l)
        return;
    tls_session_free(l->tls);
    if (l->fd >= 0)
        close(l->fd);
    free(l);
}

static enum link_state broken(struct link *l, const char *why)
{
    snprintf(l->why, sizeof l->why, "%s", why);
    return LINK_BROKEN;
}

/* The outcome of send() and recv(). */
static enum link_state plain(struct link *l, ssize_t n, size_t *ret_len)
{
    if (n >= 0) {
        *ret_len = (size_t)n;
        return LINK_OK;
    }
    if (errno == EAGAIN || errno == EINTR)
        return LINK_AGAIN;
    char text[128];
    snprintf(text, sizeof text, "the connection broke: %s", strerror(errno));
    return broken(l, text);
}

static enum link_state secured(struct link *l, int state)
{
    if (state < 0)
        return broken(l, tls_session_why(l->tls));
    return state == 0 ? LINK_AGAIN : LINK_OK;
}

enum link_state link_read(struct link *l, void *data, size_t len, size_t *ret_len,
                          short *ret_events)
{
    *ret_len = 0;
    *ret_events = POLLIN;
    enum link_state state =
        l->tls ? secured(l, tls_session_read(l->tls, data, len, ret_len, ret_events))
               : plain(l, recv(l->fd, data, len, 0), ret_len);
    if (state == LINK_OK && *ret_len == 0)
        return broken(l, "it closed the connection");
    return state;
}

enum link_state link_write(struct link *l, const void *data, size_t len, size_t *ret_len,
                           short *ret_events)
{
    *ret_len = 0;
    *ret_events = POLLOUT;
    return l->tls ? secured(l, tls_session_write(l->tls, data, len, ret_len, ret_events))
                  : plain(l, send(l->fd, data, len, MSG_NOSIGNAL), ret_len);
}

void link_shut(struct link *l)
{
    shutdown(l->fd, SHUT_RDWR);
}
