/* What an earlier process has left in the journal is taken up; what has ended is pruned after a
 * while; and the end of the process.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "isobar/clock.h"
#include "isobar/message.h"
#include "isobar/result.h"
#include "log.h"
#include "methods.h"
#include "operation_private.h"

/* Workers of what reads the store. */
#define LOCAL_WORKERS 4
#define LOCAL_QUEUED  1024
/* How long an order that is given up may take to notice. */
#define GIVE_UP_S 1
#define READ_MAX  ((size_t)256 << 20)

/* ---- the gateway's own ---- */

/* A number from the store, which is made where it is not there: one that counts the starts, one
 * that tells the operations of this gateway from those of others. */
static bool own_numbers(struct store *s)
{
    struct arena a;
    arena_init(&a, 65536);
    struct store_item epoch = {0}, number = {0};
    bool failed = false, broken = false;
    if (store_get(s, &a, "gateway/epoch", &epoch, &failed) && epoch.len == sizeof(uint64_t))
        memcpy(&operations.epoch, epoch.data, sizeof(uint64_t));
    if (store_get(s, &a, "gateway/number", &number, &broken) && number.len == sizeof(uint32_t))
        memcpy(&operations.number, number.data, sizeof(uint32_t));
    operations.epoch++;
    while (!operations.number)
        if (getrandom(&operations.number, sizeof(uint32_t), 0) != (ssize_t)sizeof(uint32_t))
            operations.number = 0;
    struct store_compare same = {"gateway/epoch", epoch.modified};
    struct store_change changes[] = {
        {.key = "gateway/epoch", .data = &operations.epoch, .len = sizeof(uint64_t)},
        {.key = "gateway/number", .data = &operations.number, .len = sizeof(uint32_t)},
    };
    struct store_txn t = {.compares = &same, .n_compares = 1, .changes = changes, .n_changes = 2};
    bool ok = !failed && !broken && store_commit(s, &t) == STORE_DONE;
    arena_done(&a);
    return ok;
}

/* ---- taking up ---- */

static int64_t wall_of(const Google__Protobuf__Timestamp *t)
{
    return t ? t->seconds * NS_PER_SEC + t->nanos : 0;
}

static bool fill(struct operation *o, const pb_OperationRecord *r, int64_t revision)
{
    const pb_Operation *shown = r->operation;
    o->method = method_find(shown->method);
    if (!o->method || r->digest.len != sizeof(o->digest))
        return false;
    o->state = shown->state;
    o->durable = true;
    o->resumed = true;
    o->cloud = arena_strdup(&o->memory, shown->cloud);
    o->principal = arena_strdup(&o->memory, shown->principal);
    o->request_id = arena_strdup(&o->memory, shown->request_id);
    o->native_id = arena_strdup(&o->memory, shown->native_id);
    o->maker = arena_strdup(&o->memory, r->maker);
    o->adapter = arena_strdup(&o->memory, r->adapter);
    o->key = r->keyed ? journal_key(&o->memory, o->request_id, o->principal) : "";
    memcpy(o->digest, r->digest.data, sizeof(o->digest));
    o->created_ns = wall_of(shown->created_at);
    o->updated_ns = wall_of(shown->updated_at);
    o->deadline_wall_ns = r->deadline_us * NS_PER_US;
    o->attempt = shown->attempt;
    o->waits = r->waits;
    o->revision = revision;
    o->req = protobuf_c_message_unpack(o->method->input, arena_allocator(&o->working),
                                       r->request.len, r->request.data);
    o->rsp = arena_message(&o->working, o->method->output);
    o->result = result_new(&o->working);
    return o->req && o->rsp && o->result && !o->memory.exhausted;
}

/* One that has not ended, into the table. Where it is not there then, `ret_failed` says whether it
 * is the store or the memory that is to blame, and not its record. */
static bool load(struct store *s, const char *id, bool *ret_failed)
{
    struct arena a;
    struct store_item item;
    bool failed = false, room = true, ok = false;
    arena_init(&a, READ_MAX);
    struct operation *o = operation_blank(id);
    bool there = o && store_get(s, &a, o->key_record, &item, &failed);
    pb_OperationRecord *r =
        there ? (pb_OperationRecord *)(void *)protobuf_c_message_unpack(
                    &pb_OperationRecord_desc, arena_allocator(&a), item.len, item.data)
              : NULL;
    if (r && r->operation && fill(o, r, item.modified)) {
        struct store_item stone;
        o->cancelled = store_get(s, &a, o->key_cancelled, &stone, &failed);
        pthread_mutex_lock(&operations.lock);
        room = !failed && operation_insert(o);
        pthread_mutex_unlock(&operations.lock);
        ok = room;
    }
    *ret_failed =
        !o || failed || !room || a.exhausted || o->memory.exhausted || o->working.exhausted;
    if (!ok && o)
        operation_unref(o);
    arena_done(&a);
    return ok;
}

static void taken_up(struct operation *o, enum store_outcome outcome)
{
    (void)outcome;
    /* A create may have been sent, whatever its record says: who sent it is dead now. */
    if (operation_is_own(o))
        operation_later(o, operation_order, operation_settle_ns(o));
    else if (o->state == OPERATION_STATE_RUNNING && o->native_id[0] && !o->cancelled)
        operation_next(o, operation_look_again);
    else if (operation_creates(o))
        operation_resolve(o);
    else if (operation_deletes(o) || operation_settle_ns(o) == 0)
        operation_next(o, operation_order);
    else /* what the dead one has sent may take effect yet, and must not come after this */
        operation_later(o, operation_order, operation_settle_ns(o));
}

/* Whether a connection is to the cloud that it was ordered at. Where another adapter has the name,
 * what has been sent is not to be found: it would be ordered a second time. */
static bool is_its(const struct operation *o, const struct connection *c)
{
    return kind_supports(c->kind, o->method) &&
           (!o->adapter[0] || strcmp(c->kind->name, o->adapter) == 0);
}

/* Give it the connection of its cloud, and go on; false where there is none. */
static bool take_up(struct operation *o, struct snapshot *now)
{
    struct connection *c = snapshot_find(now, o->cloud);
    if (!c || !is_its(o, c))
        return false;
    atomic_fetch_add(&now->refs, 1);
    pthread_mutex_lock(&operations.lock);
    o->snapshot = now;
    o->connection = c;
    operations.n_working++;
    pthread_mutex_unlock(&operations.lock);
    log_event(LOG_INFO, "operation taken up", "operation", o->id, "method", o->method->full_name,
              "cloud", o->cloud, NULL);
    journal_step(o, taken_up);
    return true;
}

void operations_take_up(struct snapshot *now, int64_t keep_ms)
{
    unsigned n_parked = 0;
    atomic_store(&operations.keep_ns, keep_ms * NS_PER_MS);
    /* None is added or taken away by others that has no connection. */
    for (;;) {
        pthread_mutex_lock(&operations.lock);
        struct operation *o = operations.oldest;
        for (unsigned skip = 0; o; o = o->newer)
            if (!o->connection && skip++ == n_parked)
                break;
        pthread_mutex_unlock(&operations.lock);
        if (!o)
            break;
        if (take_up(o, now))
            continue;
        n_parked++;
        if (o->parked)
            continue;
        o->parked = true;
        log_event(
            LOG_WARN, "operation parked", "operation", o->id, "cloud", o->cloud, "detail",
            "no such cloud is configured, or another adapter has it: it goes on when its own is",
            "adapter", o->adapter, NULL);
    }
}

static bool load_all(struct store *s)
{
    struct arena a;
    struct store_item *items = NULL;
    size_t n = 0;
    arena_init(&a, READ_MAX);
    struct store_range range = {
        .from = KEY_OPEN, .to = store_prefix_end(&a, KEY_OPEN), .keys_only = true};
    bool ok = store_list(s, &a, &range, &items, &n);
    for (size_t i = 0; ok && i < n; i++) {
        const char *id = items[i].key + strlen(KEY_OPEN);
        bool failed;
        if (load(s, id, &failed))
            continue;
        /* Another start reads it: one that did not know of it would not take it up. */
        ok = !failed;
        if (ok)
            log_event(LOG_ERROR, "operation not read", "operation", id, "detail",
                      "its record is damaged, or of another version; it is left as it is", NULL);
    }
    arena_done(&a);
    return ok;
}

bool operations_open_store(struct store *s, struct snapshot *now, int64_t keep_ms,
                           char ret_why[512])
{
    operations.store = s;
    operations.stopping = false;
    operations.local = lane_new("store", LOCAL_WORKERS, LOCAL_QUEUED);
    if (!operations.local || !own_numbers(s) || !load_all(s) || !prune_start()) {
        snprintf(ret_why, 512, "the store cannot be read or written, or there is no memory for it");
        lane_free(operations.local);
        operations.local = NULL;
        operations_done();
        return false;
    }
    operations_take_up(now, keep_ms);
    return true;
}

bool operations_run_local(struct job *j)
{
    return lane_submit(operations.local, j);
}

/* ---- the end ---- */

bool operations_stop(int64_t deadline_ns)
{
    struct timespec at = {.tv_sec = time(NULL)};
    int64_t until = clock_wall_ns() + (deadline_ns - clock_mono_ns());
    at.tv_sec = until / NS_PER_SEC;
    at.tv_nsec = until % NS_PER_SEC;
    prune_stop();
    pthread_mutex_lock(&operations.lock);
    operations.stopping = true;
    pthread_mutex_unlock(&operations.lock);
    operations_answer_all();
    pthread_mutex_lock(&operations.lock);
    int rc = 0;
    while (operations.n_working > 0 && rc == 0)
        rc = pthread_cond_timedwait(&operations.calm, &operations.lock, &at);
    /* The time is over: orders that are on their way are no longer waited for. */
    for (struct operation *o = operations.newest; rc != 0 && o; o = o->older)
        cancel_raise(&o->given_up);
    at.tv_sec += GIVE_UP_S;
    for (rc = 0; operations.n_working > 0 && rc == 0;)
        rc = pthread_cond_timedwait(&operations.calm, &operations.lock, &at);
    bool calm = operations.n_working == 0;
    pthread_mutex_unlock(&operations.lock);
    return calm;
}

void operations_done(void)
{
    lane_free(operations.local);
    operations.local = NULL;
    pthread_mutex_lock(&operations.lock);
    while (operations.oldest) {
        struct operation *o = operations.oldest;
        if (o->snapshot)
            snapshot_put(o->snapshot);
        o->snapshot = NULL;
        operation_remove(o);
    }
    pthread_mutex_unlock(&operations.lock);
    operations.store = NULL;
}
