/* One connection: what comes in. */
#include <errno.h>
#include <string.h>

#include "isobar/clock.h"
#include "listener_sp.h"

/* The beginning of a message up to this size is put before what is read next; a longer one gets
 * memory of its own that grows as bytes come, never by what its length says. */
#define SHORT_REST ((size_t)4 << 10)

static void refuse_bytes(struct sp_link *k)
{
    listener_count(&listener_stats.bad_frames, 1);
    sp_link_drop(k, false);
}

bool sp_link_hold(struct sp_link *k)
{
    size_t room = k->in.room;
    if (room > k->in_held && !arena_budget_take(&call_memory, room - k->in_held))
        return false;
    if (room < k->in_held)
        arena_budget_give(&call_memory, k->in_held - room);
    k->in_held = room;
    return true;
}

/* No memory for what came: there is not even any to say so. */
static void starve(struct sp_link *k)
{
    listener_count(&listener_stats.starved, 1);
    sp_link_drop(k, false);
}

static void receive(struct sp_link *k, const struct sp_frame *f)
{
    struct call *c = call_new();
    const uint8_t *message = f->payload + f->backtrace_len;
    if (!c || !listener_set_message(c, message, f->payload_len - f->backtrace_len)) {
        if (c)
            call_free(c);
        starve(k);
        return;
    }
    _Static_assert(sizeof(struct sp_ticket) <= sizeof(c->room),
                   "a ticket has its room in the call");
    struct sp_ticket *t = (struct sp_ticket *)c->room;
    *t = (struct sp_ticket){.link = k, .call = c};
    LIST_INSERT_HEAD(&k->tickets, t, list);
    atomic_fetch_add_explicit(&k->refs, 1, memory_order_relaxed);
    k->calls++;
    k->taken++;
    c->peer = &k->peer;
    c->link = t;
    c->reply = sp_link_reply;
    memcpy(c->backtrace, f->payload, f->backtrace_len);
    c->backtrace_len = f->backtrace_len;
    c->received_ns = k->read_ns;
    k->listener->host.receive(k->listener->host.ctx, c);
}

/* Compares what has come so far, so that one who speaks another protocol is told at once. */
static size_t take_handshake(struct sp_link *k, const uint8_t *data, size_t len)
{
    uint8_t want[SP_HANDSHAKE_LEN];
    sp_handshake(want, SP_PROTO_REQ);
    size_t n = len < sizeof(want) ? len : sizeof(want);
    if (memcmp(data, want, n) != 0) {
        refuse_bytes(k);
        return 0;
    }
    if (n < sizeof(want))
        return 0;
    k->greeted = true;
    k->frame_done = true;
    return n;
}

/* Take what is whole; returns how many bytes that was. */
static size_t take(struct sp_link *k, const uint8_t *data, size_t len)
{
    size_t at = k->greeted ? 0 : take_handshake(k, data, len);
    k->held = false;
    while (k->greeted && !k->closed && !k->broken && at < len) {
        if (sp_link_is_full(k) || k->taken >= SP_CALLS_PER_TURN) {
            k->held = true;
            break;
        }
        struct sp_frame f;
        enum sp_frame_status status =
            sp_frame_parse(data + at, len - at, k->ipc, k->listener->limits.message_max, &f);
        if (status == SP_FRAME_PART)
            break;
        if (status == SP_FRAME_BAD) {
            refuse_bytes(k);
            break;
        }
        at += f.total;
        k->frame_done = true;
        receive(k, &f);
    }
    return at;
}

void sp_link_take_held(struct sp_link *k)
{
    size_t n = take(k, (const uint8_t *)k->in.data, k->in.len);
    if (k->closed || n == 0)
        return;
    buf_consume(&k->in, n);
    if (k->in.len == 0) {
        buf_done(&k->in);
        (void)sp_link_hold(k);
    }
}

static ssize_t read_some(struct sp_link *k, uint8_t *data, size_t room)
{
    ssize_t n;
    if (k->tls) {
        bool wants_out = false;
        n = tls_link_read(k->tls, data, room, &wants_out);
        if (wants_out)
            sp_link_want_out(k, true);
    } else {
        n = recv(k->source.fd, data, room, 0);
        /* Less than was asked for is all there is, and the next byte makes a new event; the end has
         * made its event already. */
        if (n > 0 && (size_t)n < room && !k->hung_up)
            k->readable = false;
    }
    if (n > 0)
        k->io->bytes_in += (uint64_t)n;
    else if (n < 0 && errno == EAGAIN)
        k->readable = false;
    else if (n < 0)
        sp_link_drop(k, false);
    else
        k->stopped = k->ending = true;
    return n;
}

/* Keep what is left of a read for the next one. */
static void keep(struct sp_link *k, const uint8_t *data, size_t len)
{
    buf_reset(&k->in);
    if (len == 0)
        buf_done(&k->in);
    bool ok = len == 0 || buf_add(&k->in, data, len);
    if (!sp_link_hold(k) || !ok)
        starve(k);
}

static void read_short(struct sp_link *k)
{
    uint8_t *data = k->io->rbuf;
    size_t before = k->in.len;
    if (before > 0)
        memcpy(data, k->in.data, before);
    ssize_t n = read_some(k, data + before, SP_READ_BYTES - before);
    if (n <= 0)
        return;
    size_t len = before + (size_t)n;
    k->read_ns = clock_mono_ns();
    size_t taken = take(k, data, len);
    if (!k->closed && (taken < len || before > 0))
        keep(k, data + taken, len - taken);
}

/* The rest of a long message, and not a byte more. */
static void read_long(struct sp_link *k)
{
    struct sp_frame f = {.total = 0};
    sp_frame_parse((const uint8_t *)k->in.data, k->in.len, k->ipc, k->listener->limits.message_max,
                   &f);
    size_t room = f.total - k->in.len;
    if (room > k->in.len)
        room = k->in.len;
    char *to = buf_reserve(&k->in, room);
    if (!to || !sp_link_hold(k)) {
        starve(k);
        return;
    }
    ssize_t n = read_some(k, (uint8_t *)to, room);
    if (n <= 0)
        return;
    k->in.len += (size_t)n;
    if (k->in.len < f.total)
        return;
    k->read_ns = clock_mono_ns();
    if (take(k, (const uint8_t *)k->in.data, k->in.len) > 0 && !k->closed) {
        buf_done(&k->in);
        (void)sp_link_hold(k);
    }
}

void sp_link_read(struct sp_link *k)
{
    if (k->in.len > SHORT_REST)
        read_long(k);
    else
        read_short(k);
}
