#include "log.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "auth.h"
#include "connection.h"
#include "isobar/buf.h"
#include "isobar/clock.h"
#include "isobar/result.h"
#include "methods.h"

/* What may wait to be written. */
#define LOG_MAX ((size_t)4 << 20)

static struct {
    pthread_mutex_t lock;
    pthread_cond_t work;
    pthread_t thread;
    struct buf filling; /* what comes */
    struct buf writing; /* what the thread writes */
    unsigned long dropped;
    bool stopping;
    atomic_int level;
} logger = {.lock = PTHREAD_MUTEX_INITIALIZER, .work = PTHREAD_COND_INITIALIZER, .level = LOG_INFO};

static const char *const level_names[] = {"debug", "info", "warn", "error"};

void log_set_level(const char *level)
{
    int found = LOG_INFO;
    for (int i = 0; level && i < (int)ARRAY_LEN(level_names); i++)
        if (strcmp(level, level_names[i]) == 0)
            found = i;
    atomic_store(&logger.level, found);
}

static void write_all(const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = write(STDERR_FILENO, data, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return;
        data += n;
        len -= (size_t)n;
    }
}

static void *log_thread(void *arg)
{
    (void)arg;
    pthread_setname_np(pthread_self(), "log");
    pthread_mutex_lock(&logger.lock);
    for (;;) {
        while (logger.filling.len == 0 && !logger.stopping)
            pthread_cond_wait(&logger.work, &logger.lock);
        if (logger.filling.len == 0)
            break;
        struct buf full = logger.filling;
        logger.filling = logger.writing;
        logger.writing = full;
        unsigned long dropped = logger.dropped;
        logger.dropped = 0;
        pthread_mutex_unlock(&logger.lock);
        write_all(logger.writing.data, logger.writing.len);
        if (logger.writing.room > LOG_MAX / 16)
            buf_done(&logger.writing);
        buf_reset(&logger.writing);
        if (dropped > 0) {
            char text[24];
            snprintf(text, sizeof(text), "%lu", dropped);
            log_event(LOG_WARN, "log lines dropped", "lines", text, NULL);
        }
        /* Many lines in one write. */
        nanosleep(&(struct timespec){.tv_nsec = 2 * NS_PER_MS}, NULL);
        pthread_mutex_lock(&logger.lock);
    }
    pthread_mutex_unlock(&logger.lock);
    return NULL;
}

bool log_start(void)
{
    buf_init(&logger.filling, LOG_MAX);
    buf_init(&logger.writing, LOG_MAX);
    logger.stopping = false;
    return pthread_create(&logger.thread, NULL, log_thread, NULL) == 0;
}

void log_stop(void)
{
    pthread_mutex_lock(&logger.lock);
    logger.stopping = true;
    pthread_cond_signal(&logger.work);
    pthread_mutex_unlock(&logger.lock);
    pthread_join(logger.thread, NULL);
    /* Who was not drained may log yet. */
    pthread_mutex_lock(&logger.lock);
    buf_done(&logger.filling);
    buf_done(&logger.writing);
    pthread_mutex_unlock(&logger.lock);
}

/* A line is built on the stack and copied in one go; what is longer is cut within its values. */
struct line {
    size_t len;
    char text[2048];
};

/* Room for the end of a line is always kept. */
#define LINE_ROOM (sizeof(((struct line *)0)->text) - 8)

static void add_raw(struct line *l, const char *s)
{
    size_t n = strlen(s);
    if (l->len + n <= LINE_ROOM) {
        memcpy(l->text + l->len, s, n);
        l->len += n;
    }
}

static void add_escaped(struct line *l, const char *s)
{
    static const char hex[] = "0123456789abcdef";
    for (; *s && l->len + 6 <= LINE_ROOM - 64; s++) {
        unsigned char ch = (unsigned char)*s;
        if (ch == '"' || ch == '\\') {
            l->text[l->len++] = '\\';
            l->text[l->len++] = (char)ch;
        } else if (ch < 0x20 || ch == 0x7f) {
            memcpy(l->text + l->len, "\\u00", 4);
            l->text[l->len + 4] = hex[ch >> 4];
            l->text[l->len + 5] = hex[ch & 15];
            l->len += 6;
        } else {
            l->text[l->len++] = (char)ch;
        }
    }
    /* A character that was cut in the middle would make the line invalid UTF-8. */
    if (((unsigned char)*s & 0xc0) == 0x80) {
        do {
            s--;
            l->len--;
        } while (((unsigned char)*s & 0xc0) == 0x80);
    }
}

static void add_field(struct line *l, const char *name, const char *value)
{
    add_raw(l, ",\"");
    add_raw(l, name);
    add_raw(l, "\":\"");
    add_escaped(l, value);
    add_raw(l, "\"");
}

static void begin_line(struct line *l, enum log_level level, const char *event)
{
    char now[CLOCK_TEXT_MAX];
    int64_t ns = clock_wall_ns();
    clock_format(ns / NS_PER_SEC, (int32_t)(ns % NS_PER_SEC / NS_PER_US * NS_PER_US), now);
    l->len = 0;
    add_raw(l, "{\"time\":\"");
    add_raw(l, now);
    add_raw(l, "\"");
    add_field(l, "level", level_names[level]);
    add_field(l, "event", event);
}

static void end_line(struct line *l)
{
    memcpy(l->text + l->len, "}\n", 2);
    l->len += 2;
    pthread_mutex_lock(&logger.lock);
    bool was_empty = logger.filling.len == 0;
    if (logger.filling.len + l->len > LOG_MAX || !buf_add(&logger.filling, l->text, l->len))
        logger.dropped++;
    if (was_empty)
        pthread_cond_signal(&logger.work);
    pthread_mutex_unlock(&logger.lock);
}

void log_event(enum log_level level, const char *event, ...)
{
    if ((int)level < atomic_load_explicit(&logger.level, memory_order_relaxed))
        return;
    struct line l;
    begin_line(&l, level, event);
    va_list args;
    va_start(args, event);
    for (const char *name; (name = va_arg(args, const char *));)
        add_field(&l, name, va_arg(args, const char *));
    va_end(args);
    end_line(&l);
}

/* What every registered process does every few seconds. */
static bool is_heartbeat(const struct call *c)
{
    return c->method && c->method->policy->role == ROLE_ADAPTER &&
           c->method->policy->lane == LANE_INLINE && result_is_success(c->result->code);
}

void log_call(const struct call *c)
{
    enum log_level level = is_heartbeat(c) ? LOG_DEBUG : LOG_INFO;
    if (atomic_load_explicit(&logger.level, memory_order_relaxed) > (int)level)
        return;
    struct line l;
    begin_line(&l, level, "call");
    if (c->env.request_id && c->env.request_id[0])
        add_field(&l, "request_id", c->env.request_id);
    add_field(&l, "method", c->env.method ? c->env.method : "");
    if (c->connection)
        add_field(&l, "cloud", c->connection->name);
    add_field(&l, "code", result_name(c->result->code));
    add_field(&l, "principal", c->principal ? c->principal->name : "");
    if (c->peer)
        add_field(&l, "peer", c->peer->address);
    if (c->result->operation_id[0])
        add_field(&l, "operation", c->result->operation_id);
    if (c->env.traceparent && c->env.traceparent[0])
        add_field(&l, "traceparent", c->env.traceparent);
    if (c->result->detail[0])
        add_field(&l, "detail", c->result->detail);
    char tail[48];
    snprintf(tail, sizeof(tail), ",\"duration_us\":%lld",
             (long long)((clock_mono_ns() - c->received_ns) / NS_PER_US));
    add_raw(&l, tail);
    end_line(&l);
}
