/* A connection to a gateway, past its SP handshake: bytes in, bytes out, nothing that blocks.
 * The connecting itself waits, at most until a deadline.
 */
#ifndef ISOBAR_CLIENT_LINK_H
#define ISOBAR_CLIENT_LINK_H

#include "transport.h"

struct link {
    int fd; /* non-blocking */
    struct tls_session *tls;
    char why[200]; /* set with LINK_BROKEN */
};

enum link_state {
    LINK_OK,
    LINK_AGAIN, /* wait for the events of poll() */
    LINK_BROKEN,
};

/* Connect. NULL where that fails: `ret_why` says what, as a sentence that names the URL, and
 * *ret_late tells whether it was for the deadline alone. */
struct link *link_dial(const struct endpoint *to, int64_t deadline_ns, bool *ret_late,
                       char ret_why[256]);
/* NULL is allowed. */
void link_free(struct link *l);

/* At least one byte with LINK_OK. The end of the stream is LINK_BROKEN. */
enum link_state link_read(struct link *l, void *data, size_t len, size_t *ret_len,
                          short *ret_events);
enum link_state link_write(struct link *l, const void *data, size_t len, size_t *ret_len,
                           short *ret_events);
/* Wake up whoever polls the socket: it is of no use any more. From any thread. */
void link_shut(struct link *l);

#endif
