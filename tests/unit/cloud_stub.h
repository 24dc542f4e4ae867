/* A cloud for tests that answers by a table, on one port of loopback. Every request is written
 * down. openstack_stub.h and ec2_stub.h say which cloud.
 */
#ifndef ISOBAR_TESTS_CLOUD_STUB_H
#define ISOBAR_TESTS_CLOUD_STUB_H

#include <arpa/inet.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "adapter.h"
#include "isobar/clock.h"

enum { ALWAYS = -1, LOST = 0, CLOUD_CONNECTIONS_MAX = 64, CLOUD_LOG_MAX = 64 << 10 };

/* The first row whose beginning fits a request's line and which is not used up answers; with a "$"
 * at its end all of it has to fit. */
struct cloud_row {
    const char *begins;
    int times;  /* ALWAYS, or so often */
    int status; /* LOST: the connection is closed without an answer */
    const char *body;
};

struct cloud {
    /* What the cloud is, set before the start. How a request's line is made of its first line
     * ("POST /") and body: NULL: the first line it is. */
    const char *(*line)(const char *first, const char *body);
    const char *headers_of_all; /* of each answer, each with its line end */
    const char *nothing;        /* the body of the 404 where no row fits */
    /* A row's body that has to be made, and further headers; NULL: none has. */
    const char *(*made)(struct cloud *c, const char *body, const char **ret_headers);
    const struct adapter_ops *ops;
    int fd, port;
    pthread_t thread;
    pthread_mutex_t lock;
    struct cloud_row rows[64];
    size_t n_rows;
    int fds[CLOUD_CONNECTIONS_MAX];
    pthread_t threads[CLOUD_CONNECTIONS_MAX];
    size_t n_connections;
    char log[CLOUD_LOG_MAX]; /* a line a request: its line, and its body where that is not it */
    char headers[8192];      /* of the last request */
    size_t requests;
    /* The adapter that speaks to it, and one operation. */
    struct adapter *adapter;
    struct arena arena;
    struct op op;
    struct arena kept; /* bodies of rows that are made as the test runs */
    char noted[64];    /* what note_id was told */
    char file[64];     /* of the configuration */
};

static bool cloud_fits(const char *line, const char *begins)
{
    size_t len = strlen(begins);
    bool whole = len > 0 && begins[len - 1] == '$';
    return strncmp(line, begins, len - whole) == 0 && (!whole || line[len - 1] == '\0');
}

static void cloud_answer(struct cloud *c, int fd, const char *first, const char *body)
{
    static _Thread_local char out[1 << 20];
    const char *line = c->line != NULL ? c->line(first, body) : first, *headers = "";
    struct cloud_row row = {"", ALWAYS, 404, c->nothing};

    pthread_mutex_lock(&c->lock);
    c->requests++;
    size_t used = strlen(c->log);
    snprintf(c->log + used, sizeof(c->log) - used, "%s %s\n", line, line == body ? "" : body);
    for (size_t i = 0; i < c->n_rows; i++) {
        if (c->rows[i].times == 0 || !cloud_fits(line, c->rows[i].begins))
            continue;
        row = c->rows[i];
        c->rows[i].times -= c->rows[i].times > 0;
        break;
    }
    pthread_mutex_unlock(&c->lock);
    if (row.status == LOST) {
        shutdown(fd, SHUT_RDWR);
        return;
    }
    if (row.body == NULL)
        row.body = "";
    else if (c->made != NULL)
        row.body = c->made(c, row.body, &headers);
    int n = snprintf(out, sizeof(out), "HTTP/1.1 %d Stub\r\nContent-Length: %zu\r\n%s%s\r\n%s",
                     row.status, strlen(row.body), headers, c->headers_of_all, row.body);
    assert_true(n > 0 && (size_t)n < sizeof(out));
    send(fd, out, (size_t)n, MSG_NOSIGNAL);
}

struct cloud_connection {
    struct cloud *cloud;
    int fd;
};

static void *cloud_serve(void *arg)
{
    struct cloud_connection c = *(struct cloud_connection *)arg;
    char *in = malloc(65536);
    size_t len = 0;

    free(arg);
    for (;;) {
        char *end = len == 0 ? NULL : strstr(in, "\r\n\r\n");
        if (end != NULL) {
            const char *length = strcasestr(in, "\r\nContent-Length:");
            size_t body = length != NULL && length < end ? strtoul(length + 17, NULL, 10) : 0;
            size_t whole = (size_t)(end + 4 - in) + body;
            if (len >= whole) {
                char line[2048], text[32768];
                snprintf(line, sizeof(line), "%.*s", (int)strcspn(in, "\r"), in);
                char *version = strrchr(line, ' ');
                *version = '\0';
                snprintf(text, sizeof(text), "%.*s", (int)body, end + 4);
                pthread_mutex_lock(&c.cloud->lock);
                snprintf(c.cloud->headers, sizeof(c.cloud->headers), "%.*s", (int)(end + 2 - in),
                         in);
                pthread_mutex_unlock(&c.cloud->lock);
                memmove(in, in + whole, len - whole + 1);
                len -= whole;
                cloud_answer(c.cloud, c.fd, line, text);
                continue;
            }
        }
        ssize_t n = recv(c.fd, in + len, 65535 - len, 0);
        if (n <= 0)
            break;
        len += (size_t)n;
        in[len] = '\0';
    }
    free(in);
    pthread_mutex_lock(&c.cloud->lock);
    for (size_t i = 0; i < c.cloud->n_connections; i++)
        if (c.cloud->fds[i] == c.fd)
            c.cloud->fds[i] = -1;
    close(c.fd);
    pthread_mutex_unlock(&c.cloud->lock);
    return NULL;
}

static void *cloud_accept(void *arg)
{
    struct cloud *c = arg;
    for (;;) {
        int fd = accept(c->fd, NULL, NULL);
        if (fd < 0)
            return NULL;
        struct cloud_connection *link = malloc(sizeof(*link));
        pthread_mutex_lock(&c->lock);
        if (link == NULL || c->n_connections == CLOUD_CONNECTIONS_MAX)
            abort();
        *link = (struct cloud_connection){c, fd};
        c->fds[c->n_connections] = fd;
        if (pthread_create(&c->threads[c->n_connections++], NULL, cloud_serve, link) != 0)
            abort();
        pthread_mutex_unlock(&c->lock);
    }
}

static bool cloud_note(struct op *op, const char *id)
{
    struct cloud *c = op->owner;
    snprintf(c->noted, sizeof(c->noted), "%s", id);
    return true;
}

/* Rows go before those that are there. */
UNUSED static void cloud_rows(struct cloud *c, const struct cloud_row *rows, size_t n)
{
    pthread_mutex_lock(&c->lock);
    assert_true(c->n_rows + n <= ARRAY_LEN(c->rows));
    memmove(c->rows + n, c->rows, c->n_rows * sizeof(*rows));
    memcpy(c->rows, rows, n * sizeof(*rows));
    c->n_rows += n;
    pthread_mutex_unlock(&c->lock);
}
/* A row's body that is not constant. */
UNUSED static const char *cloud_keep(struct cloud *c, const char *body)
{
    return arena_strdup(&c->kept, body);
}

/* The first row goes. */
UNUSED static void cloud_drop_row(struct cloud *c)
{
    pthread_mutex_lock(&c->lock);
    memmove(c->rows, c->rows + 1, --c->n_rows * sizeof(*c->rows));
    pthread_mutex_unlock(&c->lock);
}

#define CLOUD_ROWS(c, ...)                                                                         \
    do {                                                                                           \
        static const struct cloud_row rows_[] = {__VA_ARGS__};                                     \
        cloud_rows(c, rows_, ARRAY_LEN(rows_));                                                    \
    } while (0)

/* A fresh operation of five seconds; the log begins anew. */
UNUSED static struct op *cloud_op(struct cloud *c)
{
    arena_reset(&c->arena);
    c->op = (struct op){
        .arena = &c->arena,
        .deadline_ns = clock_mono_ns() + 5 * NS_PER_SEC,
        .token = "t1",
        .request_id = "01890a5d-ac96-774b-bcce-b302099a8057",
        .traceparent = "",
        .result = result_new(&c->arena),
        .note_id = cloud_note,
        .owner = c,
    };
    pthread_mutex_lock(&c->lock);
    c->log[0] = '\0';
    c->requests = 0;
    pthread_mutex_unlock(&c->lock);
    c->noted[0] = '\0';
    return &c->op;
}

/* How often a line of the log begins so. */
UNUSED static size_t cloud_count(struct cloud *c, const char *begins)
{
    size_t n = 0;
    pthread_mutex_lock(&c->lock);
    for (const char *l = c->log; *l != '\0'; l = strchr(l, '\n') + 1)
        n += strncmp(l, begins, strlen(begins)) == 0;
    pthread_mutex_unlock(&c->lock);
    return n;
}

/* Fail where the log does not have these lines' beginnings in this order. */
UNUSED static void cloud_order(struct cloud *c, const char *const *begins, size_t n)
{
    size_t i = 0;
    for (const char *l = c->log; i < n && *l != '\0'; l = strchr(l, '\n') + 1)
        i += strncmp(l, begins[i], strlen(begins[i])) == 0;
    if (i < n)
        fail_msg("no \"%s\" in its place in:\n%s", begins[i], c->log);
}

#define cloud_code(c, code, wanted)                                                                \
    do {                                                                                           \
        pb_ResultCode code_ = (code);                                                              \
        if (code_ != (wanted))                                                                     \
            fail_msg("%s, not %s: %s\n%s", result_name(code_), result_name(wanted),                \
                     (c)->op.result->detail, (c)->log);                                            \
    } while (0)

/* The port, and a file for the configuration whose descriptor is returned. */
static int cloud_listen(struct cloud *c)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(at);

    pthread_mutex_init(&c->lock, NULL);
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(c->fd, (struct sockaddr *)&at, sizeof(at)) != 0 || listen(c->fd, 128) != 0 ||
        getsockname(c->fd, (struct sockaddr *)&at, &len) != 0 ||
        pthread_create(&c->thread, NULL, cloud_accept, c) != 0)
        abort();
    c->port = ntohs(at.sin_port);
    arena_init(&c->arena, (size_t)64 << 20);
    arena_init(&c->kept, (size_t)1 << 20);
    strcpy(c->file, "/tmp/isobar-test-XXXXXX");
    int fd = mkstemp(c->file);
    assert_true(fd >= 0);
    return fd;
}

static void cloud_open(struct cloud *c, const struct setting *items, size_t n)
{
    struct settings settings = {.cloud = "lab", .n = n, .items = items};
    struct open_error error = {""};

    c->adapter = c->ops->open(&settings, &error);
    if (c->adapter == NULL)
        fail_msg("%s", error.text);
    cloud_op(c);
}

/* What was asked for, for who checks it afterwards: tests/unit/extra.cmake. */
static void cloud_keep_log(struct cloud *c)
{
    const char *folder = getenv("ISOBAR_REQUESTS");
    char path[512];

    if (!folder)
        return;
    mkdir(folder, 0777);
    snprintf(path, sizeof(path), "%s/%d", folder, (int)getpid());
    FILE *f = fopen(path, "ae");
    assert_non_null(f);
    fputs(c->log, f);
    fclose(f);
}

UNUSED static void cloud_stop(struct cloud *c)
{
    cloud_keep_log(c);
    c->ops->close(c->adapter);
    shutdown(c->fd, SHUT_RDWR);
    pthread_join(c->thread, NULL);
    close(c->fd);
    pthread_mutex_lock(&c->lock);
    for (size_t i = 0; i < c->n_connections; i++)
        if (c->fds[i] >= 0)
            shutdown(c->fds[i], SHUT_RDWR);
    pthread_mutex_unlock(&c->lock);
    for (size_t i = 0; i < c->n_connections; i++)
        pthread_join(c->threads[i], NULL);
    pthread_mutex_destroy(&c->lock);
    arena_done(&c->arena);
    arena_done(&c->kept);
    unlink(c->file);
}

#endif
