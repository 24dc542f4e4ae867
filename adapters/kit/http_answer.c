#include "http_answer.h"

#include <string.h>

/* The body's memory: as much as was announced, but at first no more than this ... */
#define BODY_FIRST_MAX ((size_t)1 << 20)
/* ... and where nothing was announced, this. */
#define BODY_FIRST ((size_t)16 << 10)
/* With an announcement it grows by this factor at most, without one it doubles: what is left behind
 * in the arena by growing stays below an eighth of the body, or about as much as the body. */
#define BODY_GROWTH 8

void answer_init(struct answer *a, struct arena *arena, size_t body_max)
{
    *a = (struct answer){.arena = arena, .body_max = body_max};
}

static bool answer_head_full(struct answer *a)
{
    a->trouble = ANSWER_HEAD_TOO_LARGE;
    return false;
}

static bool answer_add_header(struct answer *a, char *name, char *value)
{
    if (a->n_headers == a->headers_room) {
        size_t room = a->headers_room ? a->headers_room * 2 : 32;
        struct http_header *grown;

        if (a->n_headers == ANSWER_HEADERS_MAX)
            return answer_head_full(a);
        grown = arena_array(a->arena, room, sizeof(*grown));
        if (!grown)
            return answer_head_full(a);
        if (a->n_headers)
            memcpy(grown, a->headers, a->n_headers * sizeof(*grown));
        a->headers = grown;
        a->headers_room = room;
    }
    a->headers[a->n_headers++] = (struct http_header){.name = name, .value = value};
    return true;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool answer_head_line(struct answer *a, const char *line, size_t len)
{
    const char *colon;
    char *copy, *value;

    a->header_bytes += len;
    if (a->header_bytes > ANSWER_HEADER_BYTES_MAX)
        return answer_head_full(a);
    while (len > 0 && is_blank(line[len - 1]))
        len--;
    if (len == 0) {
        a->head_done = true;
        return true;
    }
    if (len >= 5 && memcmp(line, "HTTP/", 5) == 0) {
        a->head_done = false;
        a->n_headers = 0;
        return true;
    }
    colon = memchr(line, ':', len);
    /* A trailer, a folded line or none at all: nothing that anybody asks for. */
    if (a->head_done || !colon || colon == line || is_blank(line[0]))
        return true;
    copy = arena_strndup(a->arena, line, len);
    if (a->arena->exhausted)
        return answer_head_full(a);
    value = copy + (colon - line);
    *value++ = '\0';
    while (is_blank(*value))
        value++;
    return answer_add_header(a, copy, value);
}

/* How much room comes next for a body that needs `need` bytes. */
static size_t answer_next_room(const struct answer *a, size_t need, int64_t announced)
{
    size_t room = a->body_room, whole = announced > 0 ? (size_t)announced : 0;

    if (whole >= need) {
        size_t step = room ? room * BODY_GROWTH : BODY_FIRST_MAX;
        room = whole < step ? whole : step;
    } else {
        room = room ? room * 2 : BODY_FIRST;
    }
    if (room < need)
        room = need;
    return room < a->body_max ? room : a->body_max;
}

bool answer_body(struct answer *a, const char *data, size_t len, int64_t announced)
{
    if (len > a->body_max - a->body_len || (announced > 0 && (uint64_t)announced > a->body_max)) {
        a->trouble = ANSWER_BODY_TOO_LARGE;
        return false;
    }
    if (len > a->body_room - a->body_len) {
        size_t room = answer_next_room(a, a->body_len + len, announced);
        char *grown = arena_alloc(a->arena, room + 1);

        if (!grown) {
            a->trouble = ANSWER_BODY_TOO_LARGE;
            return false;
        }
        if (a->body_len)
            memcpy(grown, a->body, a->body_len);
        a->body = grown;
        a->body_room = room;
    }
    memcpy(a->body + a->body_len, data, len);
    a->body_len += len;
    return true;
}
