#include "kit/body.h"

struct json_writer *body_begin(struct request_body *b, size_t max)
{
    buf_init(&b->buf, max);
    b->json = json_writer_new(&b->buf, false);
    if (b->json != NULL)
        json_begin_object(b->json, NULL);
    return b->json;
}

bool body_end(struct request_body *b, struct arena *a, const char **ret, size_t *ret_len)
{
    bool ok = b->json != NULL;

    if (ok) {
        json_end_object(b->json);
        json_writer_free(b->json);
        ok = !b->buf.failed;
    }
    if (ok) {
        *ret = arena_strndup(a, b->buf.data, b->buf.len);
        *ret_len = b->buf.len;
    }
    buf_wipe(&b->buf);
    return ok && !a->exhausted;
}
