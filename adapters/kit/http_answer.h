/* An answer as it comes in, piece by piece, into an arena: header and body with their caps. Knows
 * nothing of who reads it from the network.
 */
#ifndef ISOBAR_KIT_HTTP_ANSWER_H
#define ISOBAR_KIT_HTTP_ANSWER_H

#include "kit/http.h"

#define ANSWER_HEADERS_MAX      256
#define ANSWER_HEADER_BYTES_MAX ((size_t)64 << 10)

enum answer_trouble {
    ANSWER_FINE,
    ANSWER_BODY_TOO_LARGE, /* body_max or the arena is exhausted */
    ANSWER_HEAD_TOO_LARGE,
};

struct answer {
    struct arena *arena;
    struct http_header *headers;
    size_t n_headers, headers_room, header_bytes;
    bool head_done; /* lines that come now are trailers, or another status line */
    char *body;
    size_t body_len, body_room, body_max;
    enum answer_trouble trouble;
};

void answer_init(struct answer *a, struct arena *arena, size_t body_max);
/* A line of the header, the status line and the empty one too, with its line end or without; false
 * where it is too much. A new status line (after "100 Continue") forgets the lines before it. */
bool answer_head_line(struct answer *a, const char *line, size_t len) MUST_USE;
/* A piece of the body; `announced` is the Content-Length, -1 where there is none. It is a hint:
 * memory is taken ahead only in proportion to what has arrived. */
bool answer_body(struct answer *a, const char *data, size_t len, int64_t announced) MUST_USE;

#endif
