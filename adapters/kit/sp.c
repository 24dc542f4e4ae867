/* The pool of connections, and the exchange of one message for one answer. */
#include "sp_client.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <sys/uio.h>

#include "isobar/clock.h"
#include "isobar/envelope.h"
#include "isobar/point.h"
#include "sp_line.h"

#define CONNECT_MS 5000
/* Connections that are kept while nobody uses them: as many as a lane has workers. */
#define IDLE_MAX 64
/* And for how long. */
#define IDLE_NS (120 * NS_PER_SEC)

/* To be woken takes about 20 us where a core sleeps. Who is alone on its way to a process asks for
 * so long instead; that is next to nothing where the answer takes long, and half of the way where
 * it does not. */
#define SPIN_NS (60 * NS_PER_US)

#define REQUEST_ID_LEN 4
#define HEAD_MAX       (SP_IPC_LENGTH_LEN + REQUEST_ID_LEN)

struct sp_client {
    struct sp_address address;
    size_t reply_max;
    int64_t connect_ns;
    bool may_spin;         /* there is another core */
    atomic_uint under_way; /* exchanges */
    pthread_mutex_t lock;
    struct sp_line *idle; /* used last first, so that few connections do most and stay warm */
};

struct sp_client *sp_client_new(const char *url, const struct sp_options *o,
                                struct open_error *ret_error)
{
    struct sp_client *c = calloc(1, sizeof(*c));

    if (!c) {
        snprintf(ret_error->text, sizeof(ret_error->text), "out of memory");
        return NULL;
    }
    if (!sp_address_init(&c->address, url, ret_error)) {
        free(c);
        return NULL;
    }
    if (c->address.secure) {
        struct tls_files files = {
            .ca = o->ca, .cert = o->cert, .key = o->key, .name = c->address.host};
        char why[256] = "";
        c->address.tls = tls_client_new(&files, why);
        if (!c->address.tls) {
            snprintf(ret_error->text, sizeof(ret_error->text), "%s", why);
            sp_address_done(&c->address);
            free(c);
            return NULL;
        }
    }
    c->may_spin = get_nprocs() > 1;
    c->reply_max = o->reply_max ? o->reply_max : SP_REPLY_MAX;
    c->connect_ns = (o->connect_timeout_ms > 0 ? o->connect_timeout_ms : CONNECT_MS) * NS_PER_MS;
    pthread_mutex_init(&c->lock, NULL);
    return c;
}

static void line_free(struct sp_line *l)
{
    sp_line_close(l);
    free(l);
}

static void lines_free(struct sp_line *l)
{
    while (l) {
        struct sp_line *next = l->next;
        line_free(l);
        l = next;
    }
}

void sp_client_free(struct sp_client *c)
{
    if (!c)
        return;
    lines_free(c->idle);
    sp_address_done(&c->address);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

const char *sp_client_url(const struct sp_client *c)
{
    return c->address.url;
}

/* ---- the pool ---- */

/* An idle connection that is fit; NULL where there is none. One that is readable is at its end, or
 * has something to say that nobody asked for. */
static struct sp_line *client_take(struct sp_client *c)
{
    for (;;) {
        pthread_mutex_lock(&c->lock);
        struct sp_line *l = c->idle;
        if (l)
            c->idle = l->next;
        pthread_mutex_unlock(&c->lock);
        if (!l || sp_line_is_fit(l))
            return l;
        line_free(l);
    }
}

static void client_put(struct sp_client *c, struct sp_line *l)
{
    struct sp_line *stale = NULL;
    unsigned kept = 0;

    l->idle_since_ns = clock_mono_ns();
    pthread_mutex_lock(&c->lock);
    l->next = c->idle;
    c->idle = l;
    /* The list is in order of use: the first that is too many or too old ends it. */
    for (struct sp_line **at = &c->idle; *at; at = &(*at)->next, kept++)
        if (kept == IDLE_MAX || l->idle_since_ns - (*at)->idle_since_ns > IDLE_NS) {
            stale = *at;
            *at = NULL;
            break;
        }
    pthread_mutex_unlock(&c->lock);
    lines_free(stale);
}

/* ---- one exchange ---- */

struct exchange {
    struct sp_client *client;
    struct op *op;
    struct sp_line *line;
    bool reused;     /* the line comes from the pool */
    bool any_answer; /* at least a byte came back */
    bool too_large;  /* the answer */
    struct sp_wait wait;
    struct sp_failure *failure;
};

/* How a step that failed ends the exchange. */
static enum sp_outcome outcome_of(struct exchange *x, enum sp_state state)
{
    struct sp_failure *f = x->failure;
    const char *url = x->client->address.url;

    switch (state) {
    case SP_STATE_LATE:
        snprintf(f->reason, sizeof(f->reason), "%s did not %s in time", url,
                 f->sent ? "answer" : "take the request");
        return SP_DEADLINE;
    case SP_STATE_CANCELLED:
        snprintf(f->reason, sizeof(f->reason), "nobody waited for the answer of %s any more", url);
        return SP_CANCELLED;
    default:
        if (x->too_large)
            return SP_TOO_LARGE;
        f->stale = x->reused && !x->any_answer;
        return f->sent ? SP_AMBIGUOUS : SP_NOT_SENT;
    }
}

static enum sp_state open_line(struct exchange *x)
{
    struct sp_client *c = x->client;
    int64_t limit = clock_mono_ns() + c->connect_ns;
    bool limited = limit < x->op->deadline_ns;

    x->line = calloc(1, sizeof(*x->line));
    if (!x->line) {
        snprintf(x->failure->reason, sizeof(x->failure->reason), "there is no memory");
        return SP_STATE_BROKEN;
    }
    x->wait.until_ns = limited ? limit : x->op->deadline_ns;
    enum sp_state state = sp_line_open(x->line, &x->wait);
    x->wait.until_ns = x->op->deadline_ns;
    x->failure->permanent = x->wait.foreign;
    if (state == SP_STATE_LATE && limited) {
        snprintf(x->failure->reason, sizeof(x->failure->reason),
                 "%s did not take a connection in time", c->address.url);
        return SP_STATE_BROKEN;
    }
    return state;
}

/* Length and request id; returns how many bytes. */
static size_t write_head(struct sp_line *l, size_t len, uint8_t head[HEAD_MAX])
{
    uint8_t *at = head;
    uint32_t id;

    l->last_id = (l->last_id + 1) & 0x7fffffff;
    id = htonl(l->last_id | (uint32_t)SP_REQUEST_ID_BIT << 24);
    if (l->ipc)
        *at++ = 1;
    sp_put64(at, len + REQUEST_ID_LEN);
    memcpy(at + SP_LENGTH_LEN, &id, REQUEST_ID_LEN);
    return (size_t)(at - head) + SP_LENGTH_LEN + REQUEST_ID_LEN;
}

static enum sp_state send_message(struct exchange *x, const void *data, size_t len)
{
    uint8_t head[HEAD_MAX];
    const struct iovec parts[2] = {{head, write_head(x->line, len, head)},
                                   {(void *)(uintptr_t)data, len}};
    size_t whole = parts[0].iov_len + len, at = 0;
    enum sp_state state = SP_STATE_OK;

    /* In two pieces only where a test wants the process to die between them. */
    if (points_armed) {
        state = sp_line_write(x->line, &x->wait, parts, &at, whole / 2);
        if (state == SP_STATE_OK)
            point("half-sent");
    }
    if (state == SP_STATE_OK)
        state = sp_line_write(x->line, &x->wait, parts, &at, whole);
    x->failure->sent = at > 0;
    if (state == SP_STATE_OK)
        point("sent");
    return state;
}

static enum sp_state nonsense(struct exchange *x)
{
    snprintf(x->failure->reason, sizeof(x->failure->reason), "%s answered what is no message",
             x->client->address.url);
    return SP_STATE_BROKEN;
}

static enum sp_state too_large(struct exchange *x, uint64_t len)
{
    x->too_large = true;
    snprintf(x->failure->reason, sizeof(x->failure->reason),
             "the answer of %s, of %llu bytes, is too large", x->client->address.url,
             (unsigned long long)len);
    return SP_STATE_BROKEN;
}

/* The head of the next message: how long its data is, and whether it is for ours. */
static enum sp_state read_head(struct exchange *x, size_t *ret_len, bool *ret_ours)
{
    uint8_t head[HEAD_MAX];
    const uint8_t *at = x->line->ipc ? head + 1 : head;
    size_t got, head_len = (size_t)(at - head) + SP_LENGTH_LEN + REQUEST_ID_LEN;
    enum sp_state state = sp_line_read(x->line, &x->wait, head, head_len, &got);
    uint32_t id;

    x->any_answer |= got > 0;
    if (state != SP_STATE_OK)
        return state;
    uint64_t len = sp_get64(at);
    memcpy(&id, at + SP_LENGTH_LEN, REQUEST_ID_LEN);
    if ((x->line->ipc && head[0] != 1) || len < REQUEST_ID_LEN ||
        !(at[SP_LENGTH_LEN] & SP_REQUEST_ID_BIT))
        return nonsense(x);
    if (len - REQUEST_ID_LEN > x->client->reply_max)
        return too_large(x, len);
    *ret_len = (size_t)len - REQUEST_ID_LEN;
    *ret_ours = (ntohl(id) & 0x7fffffff) == x->line->last_id;
    return SP_STATE_OK;
}

/* An answer to what somebody else asked is none of ours. */
static enum sp_state drop(struct exchange *x, size_t len)
{
    uint8_t sink[4096];
    enum sp_state state = SP_STATE_OK;

    while (len > 0 && state == SP_STATE_OK) {
        size_t got, most = len < sizeof(sink) ? len : sizeof(sink);
        state = sp_line_read(x->line, &x->wait, sink, most, &got);
        len -= got;
    }
    return state;
}

static enum sp_state read_reply(struct exchange *x, struct sp_reply *ret)
{
    for (;;) {
        size_t len = 0, got;
        bool ours = false;
        enum sp_state state = read_head(x, &len, &ours);

        if (state == SP_STATE_OK && !ours)
            state = drop(x, len);
        if (state != SP_STATE_OK)
            return state;
        if (!ours)
            continue;
        uint8_t *data = arena_alloc(x->op->arena, len + 1);
        if (!data)
            return too_large(x, len);
        state = sp_line_read(x->line, &x->wait, data, len, &got);
        if (state == SP_STATE_OK)
            *ret = (struct sp_reply){data, len};
        return state;
    }
}

enum sp_outcome sp_send(struct sp_client *c, struct op *op, const void *data, size_t len,
                        struct sp_reply *ret, struct sp_failure *ret_failure)
{
    struct exchange x = {.client = c, .op = op, .failure = ret_failure};
    enum sp_state state = SP_STATE_OK;

    *ret_failure = (struct sp_failure){0};
    x.wait = (struct sp_wait){
        .op = op, .until_ns = op->deadline_ns, .to = &c->address, .ret_why = ret_failure->reason};
    if (op_cancelled(op))
        return outcome_of(&x, SP_STATE_CANCELLED);
    if (clock_mono_ns() >= op->deadline_ns)
        return outcome_of(&x, SP_STATE_LATE);
    x.line = client_take(c);
    x.reused = x.line != NULL;
    if (!x.line)
        state = open_line(&x);
    bool alone = atomic_fetch_add(&c->under_way, 1) == 0;
    if (state == SP_STATE_OK)
        state = send_message(&x, data, len);
    if (alone && c->may_spin)
        x.wait.spin_until_ns = clock_mono_ns() + SPIN_NS;
    if (state == SP_STATE_OK)
        state = read_reply(&x, ret);
    atomic_fetch_sub(&c->under_way, 1);
    if (state == SP_STATE_OK) {
        point("reply-read");
        client_put(c, x.line);
        return SP_ANSWERED;
    }
    if (x.line)
        line_free(x.line);
    return outcome_of(&x, state);
}

enum sp_outcome sp_call(struct sp_client *c, struct op *op, const pb_Call *call,
                        struct sp_reply *ret, struct sp_failure *ret_failure)
{
    size_t len = isobar__v1__call__get_packed_size(call);
    uint8_t *data = arena_alloc(op->arena, len);

    *ret_failure = (struct sp_failure){.reason = "there is no memory for the request"};
    if (!data)
        return SP_TOO_LARGE;
    isobar__v1__call__pack(call, data);
    enum sp_outcome outcome = sp_send(c, op, data, len, ret, ret_failure);
    explicit_bzero(data, len);
    return outcome;
}
