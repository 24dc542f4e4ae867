/* A gateway for the tests of kit/sp.c, which does to each message what a script says: a thread a
 * connection. The steps are used up one a message; the last one stays.
 */
#ifndef ISOBAR_TESTS_SP_STUB_H
#define ISOBAR_TESTS_SP_STUB_H

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "isobar/envelope.h"

#define STUB_CONNECTIONS_MAX 64
#define STUB_KEPT            8

enum stub_deed {
    STUB_ECHO,
    STUB_ECHO_AND_CLOSE,
    STUB_ECHO_TWICE,    /* the second time nobody asked for it */
    STUB_OTHERS_FIRST,  /* answers to two other messages before */
    STUB_CLOSE,         /* no answer */
    STUB_CUT,           /* close in the middle of the answer */
    STUB_HANG,          /* no answer; the connection stays */
    STUB_HANG_MIDWAY,   /* half of the answer */
    STUB_TRICKLE,       /* a byte each millisecond */
    STUB_HUGE,          /* announces 2^40 bytes */
    STUB_NO_ID,         /* a length that has no room for an id */
    STUB_NOT_AN_ANSWER, /* an id without the bit that ends a backtrace */
};

enum stub_greeting {
    STUB_POLITE,
    STUB_WRONG,  /* says that it is a client too */
    STUB_SILENT, /* no handshake */
    STUB_GONE,   /* closes at once */
    STUB_DEAF,   /* shakes hands, and reads nothing more */
};

struct stub {
    bool ipc;
    int fd;
    char url[128], path[96];
    enum stub_greeting greeting;
    const enum stub_deed *steps;
    size_t n_steps;
    /* Instead of an echo, used up as the steps are; none: echoes. Before the first message. */
    const struct stub_answer {
        const void *data;
        size_t len;
    } * answers;
    size_t n_answers;
    atomic_uint messages, connections;
    pthread_mutex_t lock;
    struct stub_message {
        uint32_t id;
        uint8_t *data;
        size_t len;
    } kept[STUB_KEPT]; /* the first ones; stub_message() */
    pthread_t thread, threads[STUB_CONNECTIONS_MAX];
    int fds[STUB_CONNECTIONS_MAX];
};

struct stub_connection {
    struct stub *stub;
    int fd;
};

static bool stub_get(int fd, void *data, size_t len)
{
    return len == 0 || recv(fd, data, len, MSG_WAITALL) == (ssize_t)len;
}

static bool stub_put(int fd, const void *data, size_t len)
{
    for (size_t at = 0; at < len;) {
        ssize_t n = send(fd, (const char *)data + at, len - at, MSG_NOSIGNAL);
        if (n <= 0)
            return false;
        at += (size_t)n;
    }
    return true;
}

/* A whole message as bytes, malloc'ed. */
static uint8_t *stub_frame(bool ipc, uint32_t id, const void *data, size_t len, size_t *ret_len)
{
    uint8_t *out = malloc(len + 13), *at = out;
    if (!out)
        abort();
    if (ipc)
        *at++ = 1;
    sp_put64(at, len + 4);
    id = htonl(id | 0x80000000u);
    memcpy(at + 8, &id, 4);
    memcpy(at + 12, data, len);
    *ret_len = (size_t)(at - out) + 12 + len;
    return out;
}

static bool stub_put_message(struct stub_connection *c, uint32_t id, const void *data, size_t len)
{
    size_t n;
    uint8_t *bytes = stub_frame(c->stub->ipc, id, data, len, &n);
    bool ok = stub_put(c->fd, bytes, n);
    free(bytes);
    return ok;
}

/* Deeds on the bytes of an answer. */
static bool stub_spoil(struct stub_connection *c, enum stub_deed deed, uint32_t id,
                       const uint8_t *data, size_t len)
{
    size_t n, head = c->stub->ipc ? 1 : 0;
    uint8_t *bytes = stub_frame(c->stub->ipc, id, data, len, &n);
    bool go_on = true;
    if (deed == STUB_HUGE)
        sp_put64(bytes + head, (uint64_t)1 << 40);
    else if (deed == STUB_NO_ID)
        sp_put64(bytes + head, 3);
    else if (deed == STUB_NOT_AN_ANSWER)
        bytes[head + 8] &= 0x7f;
    if (deed == STUB_TRICKLE) {
        for (size_t i = 0; i < n && go_on; i++) {
            go_on = stub_put(c->fd, bytes + i, 1);
            usleep(1000);
        }
    } else {
        go_on = stub_put(c->fd, bytes, deed == STUB_CUT || deed == STUB_HANG_MIDWAY ? n / 2 : n) &&
                deed != STUB_CUT;
    }
    free(bytes);
    return go_on;
}

/* False: the connection is over. */
static bool stub_act(struct stub_connection *c, enum stub_deed deed, uint32_t id,
                     const uint8_t *data, size_t len)
{
    switch (deed) {
    case STUB_ECHO:
        return stub_put_message(c, id, data, len);
    case STUB_ECHO_AND_CLOSE:
        (void)!stub_put_message(c, id, data, len);
        return false;
    case STUB_ECHO_TWICE:
        return stub_put_message(c, id, data, len) && stub_put_message(c, id, "late", 4);
    case STUB_OTHERS_FIRST:
        return stub_put_message(c, id + 1, "another", 7) && stub_put_message(c, id - 1, "", 0) &&
               stub_put_message(c, id, data, len);
    case STUB_CLOSE:
        return false;
    case STUB_HANG:
        return true;
    default:
        return stub_spoil(c, deed, id, data, len);
    }
}

static bool stub_serve_one(struct stub_connection *c)
{
    struct stub *s = c->stub;
    uint8_t head[13];
    size_t first = s->ipc ? 1 : 0;
    if (!stub_get(c->fd, head, first + 12) || (s->ipc && head[0] != 1))
        return false;
    size_t len = (size_t)sp_get64(head + first) - 4;
    uint32_t id;
    memcpy(&id, head + first + 8, 4);
    id = ntohl(id);
    uint8_t *data = malloc(len + 1);
    if (!data || !(id & 0x80000000u) || !stub_get(c->fd, data, len)) {
        free(data);
        return false;
    }
    pthread_mutex_lock(&s->lock);
    unsigned i = atomic_fetch_add(&s->messages, 1);
    if (i < STUB_KEPT) {
        s->kept[i].id = id;
        s->kept[i].len = len;
        s->kept[i].data = malloc(len + 1);
        if (!s->kept[i].data)
            abort();
        memcpy(s->kept[i].data, data, len);
    }
    pthread_mutex_unlock(&s->lock);
    struct stub_answer answer = {data, len};
    if (s->n_answers > 0)
        answer = s->answers[i < s->n_answers ? i : s->n_answers - 1];
    bool ok = stub_act(c, s->steps[i < s->n_steps ? i : s->n_steps - 1], id & 0x7fffffff,
                       answer.data, answer.len);
    free(data);
    return ok;
}

static void *stub_serve(void *arg)
{
    struct stub_connection *c = arg;
    uint8_t hello[SP_HANDSHAKE_LEN];
    enum stub_greeting greeting = c->stub->greeting;
    sp_handshake(hello, greeting == STUB_WRONG ? SP_PROTO_REQ : SP_PROTO_REP);
    if (greeting == STUB_DEAF || greeting == STUB_SILENT) {
        /* Reads nothing more, till either side hangs up. */
        struct pollfd p = {.fd = c->fd};
        if (greeting == STUB_SILENT ||
            (stub_put(c->fd, hello, sizeof(hello)) && stub_get(c->fd, hello, sizeof(hello))))
            poll(&p, 1, -1);
    } else if (greeting != STUB_GONE && stub_put(c->fd, hello, sizeof(hello)) &&
               stub_get(c->fd, hello, sizeof(hello)) && sp_handshake_ok(hello, SP_PROTO_REQ)) {
        while (stub_serve_one(c))
            ;
    }
    shutdown(c->fd, SHUT_RDWR);
    free(c);
    return NULL;
}

static void *stub_accept(void *arg)
{
    struct stub *s = arg;
    for (;;) {
        int fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC);
        unsigned n = atomic_load(&s->connections);
        if (fd < 0)
            return NULL;
        struct stub_connection *c = malloc(sizeof(*c));
        if (n == STUB_CONNECTIONS_MAX || !c)
            abort();
        *c = (struct stub_connection){s, fd};
        s->fds[n] = fd;
        /* Before it is served: who has an answer may count. */
        atomic_store(&s->connections, n + 1);
        if (pthread_create(&s->threads[n], NULL, stub_serve, c) != 0)
            abort();
    }
}

/* A socket that listens, and its URL. */
static void stub_listen(struct stub *s, bool ipc, int backlog)
{
    static atomic_uint serial;
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(in);
    *s = (struct stub){.ipc = ipc, .lock = PTHREAD_MUTEX_INITIALIZER};
    s->fd = socket(ipc ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(s->path, sizeof(s->path), "/tmp/isobar-sp-%d-%u", (int)getpid(),
             atomic_fetch_add(&serial, 1));
    memcpy(un.sun_path, s->path, sizeof(s->path));
    if (s->fd < 0 ||
        (ipc ? bind(s->fd, (struct sockaddr *)&un, sizeof(un))
             : bind(s->fd, (struct sockaddr *)&in, sizeof(in))) != 0 ||
        listen(s->fd, backlog) != 0)
        abort();
    if (!ipc && getsockname(s->fd, (struct sockaddr *)&in, &len) != 0)
        abort();
    if (ipc)
        snprintf(s->url, sizeof(s->url), "ipc://%s", s->path);
    else
        snprintf(s->url, sizeof(s->url), "tcp://127.0.0.1:%d", ntohs(in.sin_port));
}

UNUSED static void stub_start(struct stub *s, bool ipc, enum stub_greeting greeting,
                              const enum stub_deed *steps, size_t n_steps)
{
    stub_listen(s, ipc, 64);
    s->greeting = greeting;
    s->steps = steps;
    s->n_steps = n_steps;
    if (pthread_create(&s->thread, NULL, stub_accept, s) != 0)
        abort();
}

/* One of the first messages that came, till stub_stop(). */
UNUSED static struct stub_message stub_message(struct stub *s, unsigned i)
{
    if (i >= STUB_KEPT || i >= atomic_load(&s->messages))
        abort();
    pthread_mutex_lock(&s->lock);
    struct stub_message m = s->kept[i];
    pthread_mutex_unlock(&s->lock);
    return m;
}

static void stub_close(struct stub *s)
{
    close(s->fd);
    if (s->ipc)
        unlink(s->path);
}

UNUSED static void stub_stop(struct stub *s)
{
    shutdown(s->fd, SHUT_RDWR);
    pthread_join(s->thread, NULL);
    for (unsigned i = 0; i < atomic_load(&s->connections); i++) {
        shutdown(s->fds[i], SHUT_RDWR);
        pthread_join(s->threads[i], NULL);
        close(s->fds[i]);
    }
    for (size_t i = 0; i < STUB_KEPT; i++)
        free(s->kept[i].data);
    stub_close(s);
}

#endif
