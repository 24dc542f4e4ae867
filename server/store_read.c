/* Reads, each on a connection of a small pool: they wait for no writer, and no writer for them. */
#include <string.h>

#include "store_private.h"

static struct store_reader *take(struct store *s)
{
    struct store_readers *p = &s->readers;
    struct store_reader *r = NULL;
    pthread_mutex_lock(&p->lock);
    while (p->n_idle == 0 && p->n_open == STORE_READERS)
        pthread_cond_wait(&p->back, &p->lock);
    if (p->n_idle > 0)
        r = p->idle[--p->n_idle];
    else
        p->n_open++;
    pthread_mutex_unlock(&p->lock);
    return r ? r : store_reader_open(s->db);
}

/* One that has failed, or could not be opened, makes room for a new one. */
static void give_back(struct store *s, struct store_reader *r, bool works)
{
    struct store_readers *p = &s->readers;
    if (r && !works) {
        store_reader_close(r);
        r = NULL;
    }
    pthread_mutex_lock(&p->lock);
    if (r)
        p->idle[p->n_idle++] = r;
    else
        p->n_open--;
    pthread_cond_signal(&p->back);
    pthread_mutex_unlock(&p->lock);
}

void store_readers_done(struct store *s)
{
    while (s->readers.n_idle > 0)
        store_reader_close(s->readers.idle[--s->readers.n_idle]);
}

bool store_get(struct store *s, struct arena *a, const char *key, struct store_item *ret,
               bool *ret_failed)
{
    struct store_item item = {0};
    struct store_reader *r = take(s);
    bool works = r && !a->exhausted && store_reader_get(r, a, key, &item);
    give_back(s, r, works || a->exhausted);
    if (works && item.key)
        *ret = item;
    if (ret_failed)
        *ret_failed = !works;
    return works && item.key;
}

bool store_list(struct store *s, struct arena *a, const struct store_range *range,
                struct store_item **ret, size_t *ret_n)
{
    struct store_reader *r = take(s);
    bool works = r && !a->exhausted && store_reader_list(r, a, range, ret, ret_n);
    give_back(s, r, works || a->exhausted);
    return works;
}

const char *store_prefix_end(struct arena *a, const char *prefix)
{
    char *end = arena_strdup(a, prefix);
    /* The last byte that can be counted up is; what follows it is cut off. */
    for (size_t len = strlen(end); len > 0; len--) {
        unsigned char last = (unsigned char)end[len - 1];
        if (last < 0xff) {
            end[len - 1] = (char)(last + 1);
            end[len] = '\0';
            return end;
        }
    }
    return "";
}
