#include "kit/memo.h"

#include <stdlib.h>
#include <string.h>

static void row_free(struct memo_row *r)
{
    free(r->key);
    free(r->id);
    free(r->name);
    free(r);
}

struct memo_row *memo_find(const struct memo *m, const char *key)
{
    struct memo_row *r;

    HASH_FIND_STR(m->rows, key, r);
    return r;
}

struct memo_row *memo_learn(struct memo *m, const char *key)
{
    struct memo_row *r = memo_find(m, key);

    if (r != NULL)
        return r;
    if (memo_is_full(m))
        memo_clear(m);
    r = calloc(1, sizeof(*r));
    if (r == NULL || (r->key = strdup(key)) == NULL) {
        free(r);
        return NULL;
    }
    HASH_ADD_KEYPTR(hh, m->rows, r->key, strlen(r->key), r);
    if (HASH_ADDED(hh, r))
        return r;
    row_free(r);
    return NULL;
}

bool memo_is_full(const struct memo *m)
{
    return HASH_COUNT(m->rows) >= MEMO_MAX;
}

void memo_clear(struct memo *m)
{
    struct memo_row *r, *next;

    HASH_ITER (hh, m->rows, r, next) {
        HASH_DEL(m->rows, r);
        row_free(r);
    }
}

void memo_set(char **at, const char *text)
{
    free(*at);
    *at = text != NULL ? strdup(text) : NULL;
}
