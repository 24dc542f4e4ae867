/* Replies out of a stream of bytes: SP's length, request id, and what follows. */
#ifndef ISOBAR_CLIENT_FRAME_H
#define ISOBAR_CLIENT_FRAME_H

#include "isobar/base.h"

struct frame {
    uint32_t id;  /* of the request, once its header is whole */
    uint64_t len; /* of the reply, without the id */
    uint8_t *data;
    uint64_t got;
    uint8_t head[13];
    size_t head_got, head_len;
    size_t max;
};

enum frame_state {
    FRAME_PART,      /* all was used, and more is needed */
    FRAME_WHOLE,     /* data and len */
    FRAME_BAD,       /* this is no reply; nothing that follows can be read either */
    FRAME_TOO_BIG,   /* over the limit: id and len are known, nothing is kept */
    FRAME_NO_MEMORY, /* the same */
};

/* `ipc`: with the byte that nng's IPC mapping puts before each length. */
void frame_init(struct frame *f, bool ipc, size_t max);
/* Free what it holds; the next bytes begin a new frame. */
void frame_done(struct frame *f);
/* The data of a whole frame; free() it. */
uint8_t *frame_take(struct frame *f) MUST_USE;
/* Add bytes that came, up to the end of the frame at most; *ret_used (at least 1) is how many. */
enum frame_state frame_add(struct frame *f, const uint8_t *bytes, size_t n, size_t *ret_used);

#endif
