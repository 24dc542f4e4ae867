/* What the tests of the listeners share: a small host that answers calls. It looks at the first
 * byte of a call: 'E'  echo at once, on the thread that received it 'A'  echo from another thread
 *   'H'  keep it until host_release()
 *   'B'  then 4 bytes, big endian: a reply of so many bytes
 *   'N'  no reply at all
 */
#ifndef LISTENER_KIT_H
#define LISTENER_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* After the four that it needs. */
#include <cmocka.h>

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "isobar/clock.h"
#include "listener.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

/* How long a test waits for what must happen. */
#define PATIENCE_MS 20000

struct host {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct call *held;  /* of 'H', the oldest first; linked by wait_next */
    struct call *async; /* of 'A', likewise */
    unsigned n_held;
    unsigned received, cancelled;
    char address[64]; /* of the last call's peer */
    char tls_name[64];
    bool local;
    int64_t received_ns;
    size_t backtrace_len;
    bool stop;
    pthread_t thread;
    struct listener_host as_listener_host;
};

static inline void sleep_ms(int ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L}, NULL);
}

/* Wait until the expression is true; fail where it does not come. */
#define EVENTUALLY(expression)                                                                     \
    do {                                                                                           \
        int64_t until_ = clock_mono_ns() + PATIENCE_MS * NS_PER_MS;                                \
        while (!(expression) && clock_mono_ns() < until_)                                          \
            sleep_ms(1);                                                                           \
        assert_true(expression);                                                                   \
    } while (0)

static inline uint64_t count_of(atomic_uint_fast64_t *counter)
{
    return atomic_load(counter);
}

static inline void set_reply(struct call *c, const uint8_t *data, size_t len)
{
    uint8_t *at = arena_alloc(&c->arena, CALL_REPLY_ROOM + len + 1);
    if (!at)
        abort();
    c->reply_data = at + CALL_REPLY_ROOM;
    c->reply_len = len;
    if (data && len > 0)
        memcpy(c->reply_data, data, len);
}

static inline void echo(struct call *c)
{
    set_reply(c, c->message, c->message_len);
    c->reply(c);
}

static inline void push_last(struct call **list, struct call *c)
{
    while (*list)
        list = &(*list)->wait_next;
    *list = c;
}

static inline struct call *pop_first(struct call **list)
{
    struct call *c = *list;
    if (c) {
        *list = c->wait_next;
        c->wait_next = NULL;
    }
    return c;
}

static inline void host_receive(void *ctx, struct call *c)
{
    struct host *h = ctx;
    char kind = c->message_len > 0 ? (char)c->message[0] : 'E';
    pthread_mutex_lock(&h->lock);
    h->received++;
    snprintf(h->address, sizeof(h->address), "%s", c->peer->address);
    snprintf(h->tls_name, sizeof(h->tls_name), "%s", c->peer->tls_name ? c->peer->tls_name : "");
    h->local = c->peer->local;
    h->received_ns = c->received_ns;
    h->backtrace_len = c->backtrace_len;
    if (kind == 'H') {
        push_last(&h->held, c);
        h->n_held++;
    } else if (kind == 'A') {
        push_last(&h->async, c);
        pthread_cond_signal(&h->changed);
    }
    pthread_mutex_unlock(&h->lock);
    if (kind == 'B' && c->message_len >= 5) {
        uint32_t n;
        memcpy(&n, c->message + 1, 4);
        set_reply(c, NULL, ntohl(n));
        c->reply(c);
    } else if (kind == 'N') {
        c->reply(c);
    } else if (kind != 'H' && kind != 'A') {
        echo(c);
    }
}

static inline void *host_thread(void *arg)
{
    struct host *h = arg;
    pthread_mutex_lock(&h->lock);
    while (!h->stop || h->async) {
        struct call *c = pop_first(&h->async);
        if (!c) {
            pthread_cond_wait(&h->changed, &h->lock);
            continue;
        }
        pthread_mutex_unlock(&h->lock);
        echo(c);
        pthread_mutex_lock(&h->lock);
    }
    pthread_mutex_unlock(&h->lock);
    return NULL;
}

static inline void host_init(struct host *h)
{
    memset(h, 0, sizeof(*h));
    pthread_mutex_init(&h->lock, NULL);
    pthread_cond_init(&h->changed, NULL);
    h->as_listener_host = (struct listener_host){.ctx = h, .receive = host_receive};
    assert_int_equal(pthread_create(&h->thread, NULL, host_thread, h), 0);
}

static inline unsigned host_received(struct host *h)
{
    pthread_mutex_lock(&h->lock);
    unsigned n = h->received;
    pthread_mutex_unlock(&h->lock);
    return n;
}

static inline unsigned host_held(struct host *h)
{
    pthread_mutex_lock(&h->lock);
    unsigned n = h->n_held;
    pthread_mutex_unlock(&h->lock);
    return n;
}

/* Echo the calls that are kept; counts those that nobody waits for. */
static inline void host_release(struct host *h)
{
    pthread_mutex_lock(&h->lock);
    struct call *all = h->held;
    h->held = NULL;
    h->n_held = 0;
    for (struct call *c = all; c; c = c->wait_next)
        h->cancelled += cancel_is_raised(&c->cancelled);
    pthread_mutex_unlock(&h->lock);
    for (struct call *c; (c = pop_first(&all));)
        echo(c);
}

/* After the listeners have been closed. */
static inline void host_done(struct host *h)
{
    host_release(h);
    pthread_mutex_lock(&h->lock);
    h->stop = true;
    pthread_cond_signal(&h->changed);
    pthread_mutex_unlock(&h->lock);
    pthread_join(h->thread, NULL);
    pthread_mutex_destroy(&h->lock);
    pthread_cond_destroy(&h->changed);
    call_pool_drain();
}

static inline struct listener_config config_for(const char *url)
{
    return (struct listener_config){.url = url,
                                    .limits = {.message_max = 1 << 20,
                                               .reply_max = 16 << 20,
                                               .connections_max = 1000,
                                               .pipeline_max = 64,
                                               .unsent_max = 1 << 20,
                                               .handshake_ms = PATIENCE_MS,
                                               .frame_ms = PATIENCE_MS},
                                    .io_threads = 2};
}

static inline struct listener *open_or_fail(const struct listener_config *config, struct host *h)
{
    char why[256] = "";
    const struct listener_ops *ops = listener_for(config->url);
    assert_non_null(ops);
    struct listener *l = ops->open(config, &h->as_listener_host, why);
    if (!l)
        fail_msg("%s", why);
    return l;
}

static inline void close_now(struct listener *l)
{
    l->ops->close(l, clock_mono_ns());
}

static inline void close_soon(struct listener *l)
{
    l->ops->close(l, clock_mono_ns() + PATIENCE_MS * NS_PER_MS);
}

/* A folder of our own for sockets; removed by remove_folder. */
static inline void make_folder(char out[64])
{
    snprintf(out, 64, "/tmp/isobar-test-XXXXXX");
    assert_non_null(mkdtemp(out));
}

#endif
