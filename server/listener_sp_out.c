/* One connection: what goes out. */
#include <errno.h>
#include <string.h>
#include <sys/uio.h>

#include "listener_sp.h"

/* Pieces sent at once. */
#define PIECES_MAX 128

bool sp_link_is_full(const struct sp_link *k)
{
    const struct listener_limits *limits = &k->listener->limits;
    return k->calls >= limits->pipeline_max || k->unsent >= limits->unsent_max;
}

void sp_link_reply(struct call *c)
{
    struct sp_ticket *t = c->link;
    struct sp_link *k = t->link;
    if (sp_io_is_here(k->io)) {
        sp_link_answer(c);
    } else if (!sp_io_post_reply(k->io, c)) {
        /* The thread has ended, so the connection is closed and nobody else looks at it. */
        call_free(c);
        sp_link_unref(k);
    }
}

void sp_link_answer(struct call *c)
{
    struct sp_ticket *t = c->link;
    struct sp_link *k = t->link;
    LIST_REMOVE(t, list);
    if (k->closed || !c->reply_data) {
        k->calls--;
        k->broken = true;
        call_free(c);
        sp_link_pend(k);
        sp_link_unref(k);
        return;
    }
    size_t head =
        sp_frame_head(c->reply_data, c->reply_len, k->ipc, c->backtrace, c->backtrace_len);
    c->reply_data -= head;
    c->reply_len += head;
    c->next = NULL;
    *k->out_last = c;
    k->out_last = &c->next;
    k->unsent += c->reply_len;
    sp_link_pend(k);
}

/* Done with the first reply. */
static void pop(struct sp_link *k)
{
    struct call *c = k->out;
    k->out = c->next;
    if (!k->out)
        k->out_last = &k->out;
    k->out_sent = 0;
    k->unsent -= c->reply_len;
    k->calls--;
    call_free(c);
    sp_link_unref(k);
}

void sp_link_forget(struct sp_link *k)
{
    while (k->out)
        pop(k);
}

void sp_link_want_out(struct sp_link *k, bool want)
{
    if (k->wants_out == want)
        return;
    k->wants_out = want;
    sp_io_rewatch(k->io, &k->source, SP_EVENTS_IN | (want ? (uint32_t)EPOLLOUT : 0));
}

static size_t gather(const struct sp_link *k, uint8_t hello[SP_HANDSHAKE_LEN],
                     struct iovec pieces[PIECES_MAX])
{
    size_t n = 0;
    if (k->hello_sent < SP_HANDSHAKE_LEN) {
        sp_handshake(hello, SP_PROTO_REP);
        pieces[n++] = (struct iovec){.iov_base = hello + k->hello_sent,
                                     .iov_len = SP_HANDSHAKE_LEN - (size_t)k->hello_sent};
    }
    size_t skip = k->out_sent;
    for (const struct call *c = k->out; c && n < PIECES_MAX; c = c->next) {
        pieces[n++] =
            (struct iovec){.iov_base = c->reply_data + skip, .iov_len = c->reply_len - skip};
        skip = 0;
    }
    return n;
}

static ssize_t send_plain(struct sp_link *k, struct iovec *pieces, size_t n)
{
    if (n == 1)
        return send(k->source.fd, pieces->iov_base, pieces->iov_len, MSG_NOSIGNAL);
    struct msghdr m = {.msg_iov = pieces, .msg_iovlen = n};
    return sendmsg(k->source.fd, &m, MSG_NOSIGNAL);
}

/* TLS gets one piece, so that many replies are one record. The bytes of a write that has to be
 * repeated are the same again: the queue only grows at its end. */
static ssize_t send_tls(struct sp_link *k, const struct iovec *pieces, size_t n)
{
    uint8_t *to = k->io->wbuf;
    size_t len = 0;
    for (size_t i = 0; i < n && len < SP_WRITE_BYTES; i++) {
        size_t part = pieces[i].iov_len;
        if (part > SP_WRITE_BYTES - len)
            part = SP_WRITE_BYTES - len;
        memcpy(to + len, pieces[i].iov_base, part);
        len += part;
    }
    return tls_link_write(k->tls, to, len);
}

static void sent(struct sp_link *k, size_t n)
{
    k->io->bytes_out += n;
    size_t hello = SP_HANDSHAKE_LEN - (size_t)k->hello_sent;
    if (hello > n)
        hello = n;
    k->hello_sent = (uint8_t)(k->hello_sent + hello);
    n -= hello;
    while (n > 0) {
        size_t left = k->out->reply_len - k->out_sent;
        if (n < left) {
            k->out_sent += n;
            return;
        }
        n -= left;
        pop(k);
    }
}

void sp_link_flush(struct sp_link *k)
{
    uint8_t hello[SP_HANDSHAKE_LEN];
    struct iovec pieces[PIECES_MAX];
    while (!k->closed && !k->blocked) {
        size_t n = gather(k, hello, pieces);
        if (n == 0) {
            sp_link_want_out(k, false);
            return;
        }
        ssize_t done = k->tls ? send_tls(k, pieces, n) : send_plain(k, pieces, n);
        if (done >= 0) {
            sent(k, (size_t)done);
        } else if (errno == EAGAIN) {
            k->blocked = true;
            sp_link_want_out(k, true);
        } else {
            sp_link_drop(k, false);
        }
    }
}
