/* An HTTP server for tests: loopback, a thread a connection, answers by a script. It can do what
 * real servers do on bad days: be late, trickle, stop in the middle, lie about lengths.
 *
 * Steps of the script are used up one a request, in the order in which requests arrive; the last
 * one stays for all that follow.
 */
#ifndef ISOBAR_TESTS_HTTP_STUB_H
#define ISOBAR_TESTS_HTTP_STUB_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "isobar/base.h"

#define STUB_CONNECTIONS_MAX 256
#define STUB_REQUEST_MAX     65536

/* What busy servers say to an idle connection before they close it. */
#define STUB_UNASKED "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n"

enum stub_deed {
    STUB_ANSWER,
    STUB_CLOSE,   /* read the request, close */
    STUB_RESET,   /* answer up to byte `cut_at` of the whole, then reset the connection */
    STUB_CUT,     /* answer up to byte `cut_at` of the whole, then close it */
    STUB_HANG,    /* answer up to byte `cut_at` of the whole, then nothing any more */
    STUB_TRICKLE, /* a byte of the answer each 20 ms */
    STUB_RAW,     /* the body is all that is sent; then close */
    STUB_FLOOD,   /* a body of `flood` bytes */
    STUB_LATER,   /* answer, and a little later an answer that nobody asked for */
    STUB_BEHIND,  /* the same in one piece */
};

struct stub_step {
    enum stub_deed deed;
    int status;          /* 0: 200 */
    const char *headers; /* further ones, each with its line end; NULL: none */
    const char *body;    /* NULL: "" */
    size_t body_len;     /* 0: that of the text */
    int delay_ms;        /* before the first byte */
    size_t cut_at;
    size_t flood;
    bool close; /* say "Connection: close", and do it */
};

struct stub {
    int fd, port;
    SSL_CTX *tls; /* NULL: plain */
    pthread_t thread;
    pthread_mutex_t lock;
    const struct stub_step *steps;
    size_t n_steps, step;
    int fds[STUB_CONNECTIONS_MAX];
    pthread_t threads[STUB_CONNECTIONS_MAX];
    size_t n_connections;
    char request[STUB_REQUEST_MAX]; /* the last one, header and body */
    size_t request_len;
    atomic_uint requests;
    atomic_bool stopping;
};

struct stub_connection {
    struct stub *stub;
    int fd;
    SSL *ssl;
};

static ssize_t stub_read(struct stub_connection *c, void *to, size_t len)
{
    return c->ssl ? SSL_read(c->ssl, to, (int)len) : recv(c->fd, to, len, 0);
}

static bool stub_write(struct stub_connection *c, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = c->ssl ? SSL_write(c->ssl, data, len > 1 << 20 ? 1 << 20 : (int)len)
                           : send(c->fd, data, len, MSG_NOSIGNAL);
        if (n <= 0)
            return false;
        data += n;
        len -= (size_t)n;
    }
    return true;
}

/* Sleep, but not longer than the test. */
static void stub_pause(struct stub *s, int ms)
{
    for (; ms > 0 && !atomic_load(&s->stopping); ms -= 10)
        usleep((useconds_t)(ms < 10 ? ms : 10) * 1000);
}

/* Read one request into stub->request; false where the connection ended. */
static bool stub_read_request(struct stub_connection *c)
{
    char *in = malloc(STUB_REQUEST_MAX);
    size_t len = 0, whole = 0;
    struct stub *s = c->stub;

    while (in && (whole == 0 || len < whole)) {
        ssize_t n = stub_read(c, in + len, STUB_REQUEST_MAX - 1 - len);
        const char *end, *length;
        if (n <= 0)
            break;
        len += (size_t)n;
        in[len] = '\0';
        end = strstr(in, "\r\n\r\n");
        if (!end)
            continue;
        length = strcasestr(in, "\r\nContent-Length:");
        whole = (size_t)(end + 4 - in);
        if (length && length < end)
            whole += strtoul(length + 17, NULL, 10);
    }
    if (!in || whole == 0 || len < whole) {
        free(in);
        return false;
    }
    pthread_mutex_lock(&s->lock);
    memcpy(s->request, in, len + 1);
    s->request_len = len;
    pthread_mutex_unlock(&s->lock);
    free(in);
    return true;
}

/* The whole answer of a step as bytes; malloc'ed. */
static char *stub_answer(const struct stub_step *step, bool head, size_t *ret_len)
{
    const char *body = step->body ? step->body : "";
    size_t len = step->body_len ? step->body_len : strlen(body);
    char *out, *text;
    int n =
        asprintf(&text, "HTTP/1.1 %d Stub\r\nContent-Length: %zu\r\n%s%s\r\n",
                 step->status ? step->status : 200, step->deed == STUB_FLOOD ? step->flood : len,
                 step->close ? "Connection: close\r\n" : "", step->headers ? step->headers : "");

    if (n < 0 || !(out = malloc((size_t)n + len + 1)))
        abort();
    memcpy(out, text, (size_t)n);
    free(text);
    if (!head)
        memcpy(out + n, body, len);
    *ret_len = (size_t)n + (head ? 0 : len);
    return out;
}

/* True where the connection goes on. */
static bool stub_do(struct stub_connection *c, const struct stub_step *step, bool head)
{
    static const char zeros[1 << 16];
    struct linger reset = {.l_onoff = 1, .l_linger = 0};
    struct stub *s = c->stub;
    size_t len;
    char *answer = stub_answer(step, head, &len);
    size_t cut = step->cut_at < len ? step->cut_at : len;
    bool goes_on = false;

    stub_pause(s, step->delay_ms);
    switch (step->deed) {
    case STUB_ANSWER:
        goes_on = stub_write(c, answer, len) && !step->close;
        break;
    case STUB_CLOSE:
        break;
    case STUB_RESET:
        stub_write(c, answer, cut);
        usleep(20000); /* a reset overtakes what was sent before it */
        setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
        break;
    case STUB_CUT:
        stub_write(c, answer, cut);
        break;
    case STUB_HANG:
        stub_write(c, answer, cut);
        stub_pause(s, 60000);
        break;
    case STUB_TRICKLE:
        goes_on = true;
        for (size_t i = 0; i < len && goes_on && !atomic_load(&s->stopping); i++) {
            goes_on = stub_write(c, answer + i, 1);
            stub_pause(s, 20);
        }
        break;
    case STUB_RAW:
        stub_write(c, step->body, step->body_len ? step->body_len : strlen(step->body));
        break;
    case STUB_LATER:
        goes_on = stub_write(c, answer, len);
        stub_pause(s, 20);
        goes_on = goes_on && stub_write(c, STUB_UNASKED, strlen(STUB_UNASKED));
        break;
    case STUB_BEHIND:
        answer = realloc(answer, len + sizeof(STUB_UNASKED));
        memcpy(answer + len, STUB_UNASKED, sizeof(STUB_UNASKED));
        goes_on = stub_write(c, answer, len + strlen(STUB_UNASKED));
        break;
    case STUB_FLOOD:
        goes_on = stub_write(c, answer, len);
        for (size_t sent = 0; goes_on && sent < step->flood; sent += sizeof(zeros))
            goes_on = stub_write(c, zeros, sizeof(zeros));
        break;
    }
    free(answer);
    return goes_on;
}

static void *stub_serve(void *arg)
{
    struct stub_connection c = *(struct stub_connection *)arg;
    struct stub *s = c.stub;
    bool goes_on = true;
    int one = 1;

    free(arg);
    setsockopt(c.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    if (s->tls) {
        c.ssl = SSL_new(s->tls);
        SSL_set_fd(c.ssl, c.fd);
        goes_on = SSL_accept(c.ssl) == 1;
    }
    while (goes_on && stub_read_request(&c)) {
        struct stub_step step;
        bool head;
        pthread_mutex_lock(&s->lock);
        step = s->steps[s->step];
        if (s->step + 1 < s->n_steps)
            s->step++;
        head = strncmp(s->request, "HEAD ", 5) == 0;
        pthread_mutex_unlock(&s->lock);
        atomic_fetch_add(&s->requests, 1);
        goes_on = stub_do(&c, &step, head);
    }
    if (c.ssl) {
        SSL_shutdown(c.ssl);
        SSL_free(c.ssl);
    }
    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < s->n_connections; i++)
        if (s->fds[i] == c.fd)
            s->fds[i] = -1;
    close(c.fd);
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

static void *stub_accept(void *arg)
{
    struct stub *s = arg;

    for (;;) {
        int fd = accept(s->fd, NULL, NULL);
        struct stub_connection *c;
        if (fd < 0)
            return NULL;
        pthread_mutex_lock(&s->lock);
        if (s->n_connections == STUB_CONNECTIONS_MAX || !(c = malloc(sizeof(*c))))
            abort();
        *c = (struct stub_connection){.stub = s, .fd = fd};
        s->fds[s->n_connections] = fd;
        if (pthread_create(&s->threads[s->n_connections++], NULL, stub_serve, c) != 0)
            abort();
        pthread_mutex_unlock(&s->lock);
    }
}

/* Start a server with a script; `tls` may be NULL. */
UNUSED static void stub_start(struct stub *s, const struct stub_step *steps, size_t n_steps,
                              SSL_CTX *tls)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(at);

    *s = (struct stub){.steps = steps, .n_steps = n_steps, .tls = tls};
    pthread_mutex_init(&s->lock, NULL);
    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(s->fd, (struct sockaddr *)&at, sizeof(at)) != 0 || listen(s->fd, 128) != 0 ||
        getsockname(s->fd, (struct sockaddr *)&at, &len) != 0 ||
        pthread_create(&s->thread, NULL, stub_accept, s) != 0)
        abort();
    s->port = ntohs(at.sin_port);
}

/* Another script from now on; counters start anew. */
UNUSED static void stub_script(struct stub *s, const struct stub_step *steps, size_t n_steps)
{
    pthread_mutex_lock(&s->lock);
    s->steps = steps;
    s->n_steps = n_steps;
    s->step = 0;
    atomic_store(&s->requests, 0);
    pthread_mutex_unlock(&s->lock);
}

UNUSED static void stub_stop(struct stub *s)
{
    atomic_store(&s->stopping, true);
    shutdown(s->fd, SHUT_RDWR);
    pthread_join(s->thread, NULL);
    close(s->fd);
    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < s->n_connections; i++)
        if (s->fds[i] >= 0)
            shutdown(s->fds[i], SHUT_RDWR);
    pthread_mutex_unlock(&s->lock);
    for (size_t i = 0; i < s->n_connections; i++)
        pthread_join(s->threads[i], NULL);
    pthread_mutex_destroy(&s->lock);
}

/* How many connections there have been. */
UNUSED static size_t stub_connections(struct stub *s)
{
    size_t n;

    pthread_mutex_lock(&s->lock);
    n = s->n_connections;
    pthread_mutex_unlock(&s->lock);
    return n;
}

/* Whether the last request has this line (or any other text). */
UNUSED static bool stub_saw(struct stub *s, const char *text)
{
    bool saw;

    pthread_mutex_lock(&s->lock);
    saw = memmem(s->request, s->request_len, text, strlen(text)) != NULL;
    pthread_mutex_unlock(&s->lock);
    return saw;
}

/* "http://127.0.0.1:PORT" and the path, in one of a few static buffers of the thread. */
UNUSED static const char *stub_url(const struct stub *s, const char *path)
{
    static _Thread_local char urls[4][512];
    static _Thread_local unsigned next;
    char *url = urls[next++ % 4];

    snprintf(url, 512, "%s://127.0.0.1:%d%s", s->tls ? "https" : "http", s->port, path);
    return url;
}

#endif
