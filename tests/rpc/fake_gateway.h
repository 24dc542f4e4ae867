/* A gateway that does as the request says, for tests of the client: SP's bytes on plain sockets or
 * TLS, a thread a connection.
 *
 * It answers VmService/GetVm with a machine whose id is the one asked for and whose tags are what
 * the Call said. An id of the form FAULT or FAULT:N makes it do something else:
 *
 *   silent:N   no reply the first N times     not-reply  a reply that is no protobuf message
 *   late:MS    the reply comes so late        no-result  a Reply without a result
 *   swap       with the next call's reply     bad-body   a response that cannot be decoded
 *              before it                      missing    NotFound
 *   wrong-id   a reply of another request     partial    Partial, with a machine
 *              first                          huge       a length of more than the client takes
 *   close:N    closes the connection the      cut:N      closes it in the midst of the reply the
 *              first N times that the call               first N times
 *              comes                          garbage:N  sends rubbish the first N times
 */
#ifndef FAKE_GATEWAY_H
#define FAKE_GATEWAY_H

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "isobar/clock.h"
#include "isobar/envelope.h"

struct fake {
    const char *path; /* of a local socket; NULL: TCP on loopback */
    SSL_CTX *tls;     /* NULL: none; owned by the test */
    bool mute;        /* accepts, and never says anything */
    bool stranger;    /* greets with something else than SP */
    int port;         /* 0 at first: any */
    int fd;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t gone;
    int fds[256]; /* of its connections */
    size_t n_fds;
    struct fake_seen {
        char request_id[64];
        unsigned times;
    } seen[64]; /* calls, the newest over the oldest */
    unsigned n_seen;
    atomic_uint connections, calls;
};

struct fake_conn {
    struct fake *fake;
    int fd;
    SSL *ssl;
    uint8_t *held; /* a reply that waits for the next */
    size_t held_len;
};

static inline bool fake_write(struct fake_conn *c, const void *data, size_t len)
{
    const uint8_t *at = data;
    while (len > 0) {
        ssize_t n = c->ssl ? SSL_write(c->ssl, at, len > 16384 ? 16384 : (int)len)
                           : send(c->fd, at, len, MSG_NOSIGNAL);
        if (n <= 0)
            return false;
        at += n;
        len -= (size_t)n;
    }
    return true;
}

static inline bool fake_read(struct fake_conn *c, void *data, size_t len)
{
    uint8_t *at = data;
    while (len > 0) {
        ssize_t n =
            c->ssl ? SSL_read(c->ssl, at, len > 16384 ? 16384 : (int)len) : recv(c->fd, at, len, 0);
        if (n <= 0)
            return false;
        at += n;
        len -= (size_t)n;
    }
    return true;
}

/* The bytes of a message with its request id; free() them. */
static inline uint8_t *fake_frame(const struct fake_conn *c, const uint8_t *id, const void *data,
                                  size_t len, uint64_t claimed, size_t *ret_len)
{
    uint8_t *frame = malloc(len + 13), *at = frame;
    if (c->fake->path)
        *at++ = 1;
    sp_put64(at, claimed + 4);
    memcpy(at + 8, id, 4);
    memcpy(at + 12, data, len);
    *ret_len = (size_t)(at + 12 - frame) + len;
    return frame;
}

static inline bool fake_send(struct fake_conn *c, const uint8_t *id, const void *data, size_t len)
{
    size_t frame_len;
    uint8_t *frame = fake_frame(c, id, data, len, len, &frame_len);
    bool ok = fake_write(c, frame, frame_len);
    free(frame);
    return ok;
}

static inline void fake_tag(struct arena *a, pb_Vm *vm, const char *key, const char *value)
{
    pb_Vm_TagsEntry *tag = arena_message(a, &pb_Vm_TagsEntry_desc);
    tag->key = arena_strdup(a, key);
    tag->value = arena_strdup(a, value);
    vm->tags[vm->n_tags++] = tag;
}

/* The machine that was asked for, with what the Call said in its tags. */
static inline uint8_t *fake_answer(struct arena *a, const struct envelope *call, const char *id,
                                   size_t *ret_len)
{
    pb_Result *result = arena_message(a, &pb_Result_desc);
    pb_GetVmResponse *response = arena_message(a, &pb_GetVmResponse_desc);
    result->code = RESULT_CODE_OK;
    if (strcmp(id, "missing") == 0) {
        result->code = RESULT_CODE_NOT_FOUND;
        result->detail = arena_strdup(a, "there is no such machine");
        response = NULL;
    } else if (strcmp(id, "partial") == 0) {
        result->code = RESULT_CODE_PARTIAL;
    }
    if (response) {
        pb_Vm *vm = response->vm = arena_message(a, &pb_Vm_desc);
        vm->id = arena_strdup(a, id);
        vm->tags = arena_array(a, 5, sizeof *vm->tags);
        fake_tag(a, vm, "method", call->method);
        fake_tag(a, vm, "request_id", call->request_id);
        fake_tag(a, vm, "token", call->token);
        fake_tag(a, vm, "traceparent", call->traceparent);
        fake_tag(a, vm, "timeout_ms", arena_printf(a, "%u", call->timeout_ms));
    }
    const ProtobufCMessage *body = response ? &response->base : NULL;
    *ret_len = envelope_reply_size(result, body, NULL);
    uint8_t *bytes = arena_alloc(a, *ret_len + 1);
    envelope_reply_write(result, body, NULL, bytes);
    return bytes;
}

/* How often the call has come, this time included. */
static inline unsigned fake_count(struct fake *f, const char *request_id)
{
    pthread_mutex_lock(&f->lock);
    struct fake_seen *seen = NULL;
    for (size_t i = 0; i < 64 && !seen; i++)
        if (strcmp(f->seen[i].request_id, request_id) == 0)
            seen = &f->seen[i];
    if (!seen) {
        seen = &f->seen[f->n_seen++ % 64];
        snprintf(seen->request_id, sizeof seen->request_id, "%s", request_id);
        seen->times = 0;
    }
    unsigned times = ++seen->times;
    pthread_mutex_unlock(&f->lock);
    return times;
}

static inline bool fake_is(const char *id, const char *fault, unsigned *ret_n)
{
    size_t len = strlen(fault);
    if (strncmp(id, fault, len) != 0 || (id[len] != '\0' && id[len] != ':'))
        return false;
    *ret_n = id[len] ? (unsigned)atoi(id + len + 1) : UINT32_MAX;
    return true;
}

static inline bool fake_huge(struct fake_conn *c, const uint8_t *id)
{
    size_t len;
    uint8_t *frame = fake_frame(c, id, "xxxx", 4, UINT64_C(1) << 40, &len);
    bool ok = fake_write(c, frame, len);
    free(frame);
    return ok;
}

/* The faults; false: the connection is to be closed. */
static inline bool fake_act(struct fake_conn *c, const uint8_t *wire_id, const char *id,
                            unsigned times, const uint8_t *reply, size_t len)
{
    static const uint8_t no_result[] = {0x12, 0x00}, bad_body[] = {0x0a, 2, 8, 1, 0x12, 1, 0xff};
    unsigned n;
    if (fake_is(id, "silent", &n) && times <= n)
        return true;
    if (fake_is(id, "close", &n) && times <= n)
        return false;
    if (fake_is(id, "cut", &n) && times <= n) {
        size_t frame_len;
        uint8_t *frame = fake_frame(c, wire_id, reply, len, len, &frame_len);
        fake_write(c, frame, frame_len / 2);
        free(frame);
        return false;
    }
    if (fake_is(id, "garbage", &n) && times <= n)
        return fake_write(c, "HTTP/1.1 400 Bad Request\r\n\r\n", 28);
    if (fake_is(id, "late", &n))
        usleep(n * 1000);
    if (fake_is(id, "wrong-id", &n)) {
        const uint8_t other[4] = {0x80, 0xde, 0xad, wire_id[3] ^ 1};
        fake_send(c, other, "", 0);
    }
    if (fake_is(id, "huge", &n))
        return fake_huge(c, wire_id);
    if (fake_is(id, "not-reply", &n))
        return fake_send(c, wire_id, "\xff\xff\xff", 3);
    if (fake_is(id, "no-result", &n))
        return fake_send(c, wire_id, no_result, sizeof no_result);
    if (fake_is(id, "bad-body", &n))
        return fake_send(c, wire_id, bad_body, sizeof bad_body);
    if (fake_is(id, "swap", &n) && !c->held) {
        c->held = fake_frame(c, wire_id, reply, len, len, &c->held_len);
        return true;
    }
    bool ok =
        fake_send(c, wire_id, reply, len) && (!c->held || fake_write(c, c->held, c->held_len));
    free(c->held);
    c->held = NULL;
    return ok;
}

/* One call; false: the connection is to be closed. */
static inline bool fake_call(struct fake_conn *c, struct arena *a)
{
    uint8_t head[9];
    size_t extra = c->fake->path ? 1 : 0;
    if (!fake_read(c, head, 8 + extra))
        return false;
    uint64_t len = sp_get64(head + extra);
    uint8_t *message = len < 64 << 20 ? arena_alloc(a, len + 1) : NULL;
    struct envelope call;
    if (!message || !fake_read(c, message, len) || len < 4 ||
        !envelope_decode(a, message + 4, len - 4, &call))
        return false;
    atomic_fetch_add(&c->fake->calls, 1);
    pb_GetVmRequest *request = (pb_GetVmRequest *)(void *)protobuf_c_message_unpack(
        &pb_GetVmRequest_desc, arena_allocator(a), call.body_len, call.body);
    if (!request)
        return false;
    /* A large request is only asked for as one. */
    const char *id = strlen(request->id) > 1000 ? "large" : request->id;
    size_t reply_len;
    uint8_t *reply = fake_answer(a, &call, id, &reply_len);
    return fake_act(c, message, id, fake_count(c->fake, call.request_id), reply, reply_len);
}

static inline bool fake_greet(struct fake_conn *c)
{
    uint8_t hello[8];
    sp_handshake(hello, SP_PROTO_REP);
    if (c->fake->stranger)
        memcpy(hello, "SSH-2.0-", 8);
    return fake_write(c, hello, 8) && fake_read(c, hello, 8);
}

static inline void *fake_serve(void *arg)
{
    struct fake_conn *c = arg;
    struct fake *f = c->fake;
    struct arena a;
    arena_init(&a, 128 << 20);
    bool ok = true;
    sigset_t pipe_signal; /* OpenSSL writes with write() */
    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_signal, NULL);
    if (f->tls) {
        c->ssl = SSL_new(f->tls);
        SSL_set_fd(c->ssl, c->fd);
        ok = SSL_accept(c->ssl) == 1;
    }
    if (f->mute)
        while (recv(c->fd, &(char){0}, 1, 0) > 0)
            ;
    else
        ok = ok && fake_greet(c);
    while (ok && !f->mute && fake_call(c, &a))
        arena_reset(&a);
    arena_done(&a);
    free(c->held);
    SSL_free(c->ssl);
    pthread_mutex_lock(&f->lock);
    close(c->fd);
    for (size_t i = 0; i < f->n_fds; i++)
        if (f->fds[i] == c->fd)
            f->fds[i] = f->fds[--f->n_fds];
    pthread_cond_signal(&f->gone);
    pthread_mutex_unlock(&f->lock);
    free(c);
    return NULL;
}

static inline void *fake_accept(void *arg)
{
    struct fake *f = arg;
    for (;;) {
        int fd = accept4(f->fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0 && errno != EINTR && errno != ECONNABORTED)
            return NULL;
        struct fake_conn *c = fd >= 0 ? calloc(1, sizeof *c) : NULL;
        if (!c)
            continue;
        atomic_fetch_add(&f->connections, 1);
        *c = (struct fake_conn){.fake = f, .fd = fd};
        pthread_mutex_lock(&f->lock);
        f->fds[f->n_fds++] = fd;
        pthread_mutex_unlock(&f->lock);
        pthread_t thread;
        pthread_create(&thread, NULL, fake_serve, c);
        pthread_detach(thread);
    }
}

/* Listen, where it listened before if it did; false where that fails. */
static inline bool fake_start(struct fake *f)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons((uint16_t)f->port)};
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t len = sizeof in;
    int on = 1;
    if (f->path) {
        snprintf(un.sun_path, sizeof un.sun_path, "%s", f->path);
        unlink(f->path);
    }
    f->fd = socket(f->path ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(f->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(f->fd, f->path ? (void *)&un : (void *)&in, f->path ? sizeof un : sizeof in) != 0 ||
        listen(f->fd, 64) != 0)
        return false;
    if (!f->path && getsockname(f->fd, (void *)&in, &len) == 0)
        f->port = ntohs(in.sin_port);
    pthread_mutex_init(&f->lock, NULL);
    pthread_cond_init(&f->gone, NULL);
    return pthread_create(&f->thread, NULL, fake_accept, f) == 0;
}

/* Close everything; may be started again. */
static inline void fake_stop(struct fake *f)
{
    shutdown(f->fd, SHUT_RDWR);
    pthread_join(f->thread, NULL);
    close(f->fd);
    if (f->path)
        unlink(f->path);
    pthread_mutex_lock(&f->lock);
    for (size_t i = 0; i < f->n_fds; i++)
        shutdown(f->fds[i], SHUT_RDWR);
    while (f->n_fds > 0)
        pthread_cond_wait(&f->gone, &f->lock);
    pthread_mutex_unlock(&f->lock);
    pthread_cond_destroy(&f->gone);
    pthread_mutex_destroy(&f->lock);
}

#endif
