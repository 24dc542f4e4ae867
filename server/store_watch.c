/* The latest events, in order, and who is told of them.
 *
 * A commit's events come behind those of the commits before it, each watch is told all that it has
 * not been told yet, and only then the oldest are forgotten: a watch never misses one, and one that
 * begins where a list ended finds what came in between.
 */
#include <stdlib.h>
#include <string.h>

#include "store_private.h"
#include "utlist.h"

/* Events that are remembered for watches that begin later. */
#define EVENTS_MAX       ((size_t)4096)
#define EVENTS_BYTES_MAX ((size_t)16 << 20)
/* Events of one `tell`. */
#define TELL_MAX ((size_t)256)

struct store_event_link {
    struct store_event event;
    struct store_event_link *next;
    size_t bytes;
    char text[]; /* key, NUL, data */
};

struct store_watch {
    char *prefix;
    size_t prefix_len;
    int64_t told; /* all up to this revision */
    void (*tell)(void *ctx, const struct store_event *events, size_t n);
    void *ctx;
    struct store_watch *next, *prev;
};

void store_events_init(struct store_events *e, int64_t revision)
{
    *e = (struct store_events){.lost = revision};
    e->last = &e->first;
}

static void forget_first(struct store_events *e)
{
    struct store_event_link *l = e->first;
    e->lost = l->event.revision;
    e->first = l->next;
    if (!e->first)
        e->last = &e->first;
    e->n--;
    e->bytes -= l->bytes;
    free(l);
}

void store_events_clear(struct store_events *e)
{
    while (e->first)
        forget_first(e);
}

bool store_events_add(struct store_events *e, const struct store_item *item, int64_t revision)
{
    size_t key_len = strlen(item->key) + 1, len = item->data ? item->len : 0;
    size_t bytes = sizeof(struct store_event_link) + key_len + len;
    struct store_event_link *l = malloc(bytes);
    if (!l)
        return false;
    *l = (struct store_event_link){.event = {.item = *item, .revision = revision}, .bytes = bytes};
    memcpy(l->text, item->key, key_len);
    l->event.item.key = l->text;
    if (item->data) {
        if (len > 0)
            memcpy(l->text + key_len, item->data, len);
        l->event.item.data = (const uint8_t *)l->text + key_len;
    }
    *e->last = l;
    e->last = &l->next;
    e->n++;
    e->bytes += bytes;
    return true;
}

void store_events_move(struct store_events *to, struct store_events *from)
{
    if (!from->first)
        return;
    *to->last = from->first;
    to->last = from->last;
    to->n += from->n;
    to->bytes += from->bytes;
    store_events_init(from, 0);
}

/* Tell a watch what comes next for it. Links stay where they are while the lock is given up: only
 * this thread adds and forgets any. */
static void tell_some(struct store *s, struct store_watch *w)
{
    struct store_event some[TELL_MAX];
    size_t n = 0;
    const struct store_event_link *l = s->events.first;
    while (l && l->event.revision <= w->told)
        l = l->next;
    s->telling = w;
    int64_t until = atomic_load(&s->revision);
    pthread_mutex_unlock(&s->lock);
    for (; l; l = l->next) {
        if (strncmp(l->event.item.key, w->prefix, w->prefix_len) == 0)
            some[n++] = l->event;
        if (n == TELL_MAX) {
            w->tell(w->ctx, some, n);
            n = 0;
        }
    }
    if (n > 0)
        w->tell(w->ctx, some, n);
    pthread_mutex_lock(&s->lock);
    s->telling = NULL;
    w->told = until;
    pthread_cond_broadcast(&s->waited);
}

bool store_watches_due(const struct store *s)
{
    for (const struct store_watch *w = s->watches; w; w = w->next)
        if (w->told < atomic_load(&s->revision))
            return true;
    return false;
}

void store_watches_tell(struct store *s)
{
    struct store_watch *w = s->watches;
    while (w) {
        if (w->told < atomic_load(&s->revision)) {
            tell_some(s, w);
            w = s->watches; /* the list may be another by now */
        } else {
            w = w->next;
        }
    }
    while (s->events.n > EVENTS_MAX || s->events.bytes > EVENTS_BYTES_MAX)
        forget_first(&s->events);
}

struct store_watch *store_watch(struct store *s, const char *prefix, int64_t after,
                                void (*tell)(void *ctx, const struct store_event *events, size_t n),
                                void *ctx)
{
    struct store_watch *w = calloc(1, sizeof(*w));
    char *copy = strdup(prefix);
    if (!w || !copy) {
        free(w);
        free(copy);
        return NULL;
    }
    *w = (struct store_watch){
        .prefix = copy, .prefix_len = strlen(copy), .told = after, .tell = tell, .ctx = ctx};
    pthread_mutex_lock(&s->lock);
    bool known = after >= s->events.lost;
    if (known) {
        DL_APPEND(s->watches, w);
        store_wake(s);
    }
    pthread_mutex_unlock(&s->lock);
    if (known)
        return w;
    free(copy);
    free(w);
    return NULL;
}

static void watch_free(struct store_watch *w)
{
    free(w->prefix);
    free(w);
}

void store_unwatch(struct store *s, struct store_watch *w)
{
    if (!w)
        return;
    pthread_mutex_lock(&s->lock);
    DL_DELETE(s->watches, w);
    while (s->telling == w)
        pthread_cond_wait(&s->waited, &s->lock);
    pthread_mutex_unlock(&s->lock);
    watch_free(w);
}

void store_watches_done(struct store *s)
{
    struct store_watch *w, *next;
    DL_FOREACH_SAFE (s->watches, w, next)
        watch_free(w);
    s->watches = NULL;
    store_events_clear(&s->events);
    store_events_clear(&s->pending);
}
