/* What has ended is forgotten after a while: its record, and with it the binding of its request id.
 * Some at a time, so that nobody waits for it.
 */
#include <stdio.h>
#include <string.h>

#include "isobar/clock.h"
#include "log.h"
#include "operation_private.h"

#define PRUNE_PAUSE_NS (60 * NS_PER_SEC)
#define PRUNE_CHUNK    200
#define PRUNE_MEMORY   ((size_t)64 << 20)
/* However young they are, more are not kept: a gateway that is used hard must not fill the disk. */
#define KEEP_MAX 1000000
/* They are counted with every so manieth look. */
#define COUNT_EVERY 16

static struct {
    struct timer timer;
    struct job job;
    unsigned turn;
    bool stopping; /* under the operations' lock */
} pruner;

/* How many more there are than may be. */
static size_t count_surplus(struct arena *a)
{
    size_t total = 0, n = 0;
    const char *from = KEY_OPERATION, *to = store_prefix_end(a, KEY_OPERATION);
    do {
        struct arena page;
        struct store_item *items = NULL;
        arena_init(&page, PRUNE_MEMORY);
        struct store_range range = {.from = from, .to = to, .keys_only = true, .limit = 10000};
        if (!store_list(operations.store, &page, &range, &items, &n))
            n = 0;
        total += n;
        /* The next key after the last is the last with one more byte. */
        if (n > 0)
            from = arena_printf(a, "%s\1", items[n - 1].key);
        arena_done(&page);
    } while (n == 10000 && !a->exhausted);
    return total > KEEP_MAX ? total - KEEP_MAX : 0;
}

/* Delete one, and the binding of its request id where that is still its own. */
static bool forget(struct arena *a, const pb_OperationRecord *r, const struct store_item *item)
{
    const pb_Operation *o = r->operation;
    struct store_change gone[2] = {{.key = item->key}};
    struct store_compare same[2] = {{item->key, item->modified}};
    struct store_item bound;
    size_t n = 1;
    const char *key = r->keyed ? journal_key(a, o->request_id, o->principal) : "";
    if (key[0] && store_get(operations.store, a, key, &bound, NULL) && bound.len == strlen(o->id) &&
        memcmp(bound.data, o->id, bound.len) == 0) {
        gone[n] = (struct store_change){.key = key};
        same[n++] = (struct store_compare){key, bound.modified};
    }
    struct store_txn t = {.compares = same, .n_compares = n, .changes = gone, .n_changes = n};
    return store_commit(operations.store, &t) == STORE_DONE;
}

static bool is_old(const pb_Operation *o, int64_t before_s)
{
    return o->result && o->updated_at && o->updated_at->seconds < before_s;
}

/* Look at some, the oldest first, from a key on; where to go on, or NULL where the rest is young.
 */
static const char *prune_some(struct arena *keep, const char *from, size_t *surplus, size_t *gone)
{
    struct arena a;
    struct store_item *items = NULL;
    size_t n = 0, i = 0;
    int64_t before_s = (clock_wall_ns() - operations.keep_ns) / NS_PER_SEC;
    arena_init(&a, PRUNE_MEMORY);
    struct store_range range = {
        .from = from, .to = store_prefix_end(&a, KEY_OPERATION), .limit = PRUNE_CHUNK};
    bool more = store_list(operations.store, &a, &range, &items, &n) && n == PRUNE_CHUNK;
    for (; i < n; i++) {
        pb_OperationRecord *r = (pb_OperationRecord *)(void *)protobuf_c_message_unpack(
            &pb_OperationRecord_desc, arena_allocator(&a), items[i].len, items[i].data);
        if (!r || !r->operation || !r->operation->result)
            continue; /* it has not ended, or is not ours to read */
        if (*surplus == 0 && !is_old(r->operation, before_s))
            break;
        if (!forget(&a, r, &items[i]))
            break;
        *surplus -= *surplus > 0;
        ++*gone;
    }
    const char *next = more && i == n ? arena_printf(keep, "%s\1", items[n - 1].key) : NULL;
    arena_done(&a);
    return next;
}

static void prune_due(struct timer *t);

static bool prune_stopping(void)
{
    pthread_mutex_lock(&operations.lock);
    bool stopping = pruner.stopping;
    pthread_mutex_unlock(&operations.lock);
    return stopping;
}

static void prune_job(struct job *j)
{
    (void)j;
    struct arena a;
    size_t gone = 0;
    arena_init(&a, PRUNE_MEMORY);
    size_t surplus = pruner.turn++ % COUNT_EVERY == 0 ? count_surplus(&a) : 0;
    for (const char *from = KEY_OPERATION; from && !prune_stopping();)
        from = prune_some(&a, from, &surplus, &gone);
    arena_done(&a);
    if (gone > 0) {
        char text[24];
        snprintf(text, sizeof(text), "%zu", gone);
        log_event(LOG_INFO, "operations forgotten", "count", text, NULL);
    }
    if (!prune_stopping())
        (void)!timer_arm(&pruner.timer, clock_mono_ns() + PRUNE_PAUSE_NS, prune_due);
}

static void prune_due(struct timer *t)
{
    (void)t;
    pruner.job.run = prune_job;
    lane_continue(operations.local, &pruner.job);
}

bool prune_start(void)
{
    pruner.stopping = false;
    return timer_reserve(&pruner.timer) &&
           timer_arm(&pruner.timer, clock_mono_ns() + NS_PER_SEC, prune_due);
}

void prune_stop(void)
{
    pthread_mutex_lock(&operations.lock);
    pruner.stopping = true;
    pthread_mutex_unlock(&operations.lock);
    timer_cancel(&pruner.timer);
    timer_unreserve(&pruner.timer);
}
