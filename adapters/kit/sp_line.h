/* One connection to a gateway: opening it, bytes out, bytes in, each with a deadline. */
#ifndef ISOBAR_KIT_SP_LINE_H
#define ISOBAR_KIT_SP_LINE_H

#include "sp_address.h"

/* Belongs to one thread at a time. */
struct sp_line {
    struct sp_line *next; /* in the client's list */
    int64_t idle_since_ns;
    int fd;                  /* non-blocking; -1: none */
    struct tls_session *tls; /* NULL: in the clear */
    bool ipc;
    uint32_t last_id; /* of its messages */
};

enum sp_state {
    SP_STATE_OK,
    SP_STATE_BROKEN, /* with words in ret_why */
    SP_STATE_LATE,
    SP_STATE_CANCELLED,
};

/* What a step waits for at most, and where its words go. */
struct sp_wait {
    const struct op *op; /* for its cancellation */
    int64_t until_ns;
    const struct sp_address *to; /* for words */
    char *ret_why;               /* 256 bytes: one clause */
    bool foreign;                /* what listens there does not speak our protocol */
    int64_t spin_until_ns;       /* a read asks again and again until then, instead of sleeping */
};

/* Connect, and shake hands. The line is closed again where that fails. */
enum sp_state sp_line_open(struct sp_line *l, struct sp_wait *w);
void sp_line_close(struct sp_line *l);
/* Whether an idle line can be used: it is neither closed nor has anything to read. */
bool sp_line_is_fit(const struct sp_line *l);

/* Write head and data from byte *at to byte `to` of both together; *at tells how far it came. */
enum sp_state sp_line_write(struct sp_line *l, struct sp_wait *w, const struct iovec parts[2],
                            size_t *at, size_t to);
/* Read so many bytes; *ret_got tells how many came. */
enum sp_state sp_line_read(struct sp_line *l, struct sp_wait *w, void *data, size_t len,
                           size_t *ret_got);

#endif
