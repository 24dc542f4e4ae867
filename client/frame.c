#include "frame.h"

#include <stdlib.h>
#include <string.h>

#include "isobar/envelope.h"

void frame_init(struct frame *f, bool ipc, size_t max)
{
    *f = (struct frame){.head_len = (ipc ? SP_IPC_LENGTH_LEN : SP_LENGTH_LEN) + 4, .max = max};
}

void frame_done(struct frame *f)
{
    free(f->data);
    *f = (struct frame){.head_len = f->head_len, .max = f->max};
}

uint8_t *frame_take(struct frame *f)
{
    uint8_t *data = f->data;
    f->data = NULL;
    return data;
}

/* The header is whole. */
static enum frame_state begin(struct frame *f)
{
    const uint8_t *id = f->head + f->head_len - 4;
    f->len = sp_get64(id - SP_LENGTH_LEN);
    if ((f->head_len > SP_LENGTH_LEN + 4 && f->head[0] != 1) || f->len < 4 ||
        !(id[0] & SP_REQUEST_ID_BIT))
        return FRAME_BAD;
    f->id = (uint32_t)id[0] << 24 | (uint32_t)id[1] << 16 | (uint32_t)id[2] << 8 | id[3];
    f->len -= 4;
    if (f->len > f->max)
        return FRAME_TOO_BIG;
    f->data = malloc(f->len > 0 ? f->len : 1);
    return f->data ? FRAME_PART : FRAME_NO_MEMORY;
}

enum frame_state frame_add(struct frame *f, const uint8_t *bytes, size_t n, size_t *ret_used)
{
    size_t used = 0;
    if (f->head_got < f->head_len) {
        used = f->head_len - f->head_got;
        if (used > n)
            used = n;
        memcpy(f->head + f->head_got, bytes, used);
        f->head_got += used;
        *ret_used = used;
        enum frame_state state = f->head_got < f->head_len ? FRAME_PART : begin(f);
        if (state != FRAME_PART || f->head_got < f->head_len)
            return state;
    }
    size_t some = f->len - f->got < n - used ? (size_t)(f->len - f->got) : n - used;
    memcpy(f->data + f->got, bytes + used, some);
    f->got += some;
    *ret_used = used + some;
    return f->got == f->len ? FRAME_WHOLE : FRAME_PART;
}
