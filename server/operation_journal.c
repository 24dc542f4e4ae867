/* The journal: what the store has of an operation, and the commits that bring it there.
 *
 *     operation/ID     its record (OperationRecord)
 *     open/ID          it has not ended; what a start reads
 *     request/KEY      the id of the operation that a request id is bound to
 *     cancelled/ID     its tombstone: what turns up of it is deleted
 *
 * Each change of a record compares the revision of the one before, so that who has lost an
 * operation to another gateway cannot write any more.
 */
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "isobar/clock.h"
#include "isobar/message.h"
#include "isobar/point.h"
#include "isobar/result.h"
#include "log.h"
#include "methods.h"
#include "operation_private.h"

/* How long until what could not be recorded is tried again. */
#define AGAIN_NS (200 * NS_PER_MS)

const char *journal_key(struct arena *a, const char *request_id, const char *principal)
{
    uint8_t digest[SHA256_DIGEST_LENGTH];
    char hex[2 * SHA256_DIGEST_LENGTH + 1];
    if (!request_id[0])
        return "";
    /* A request id may be long and hold anything; a key should not. */
    SHA256((const uint8_t *)request_id, strlen(request_id), digest);
    for (size_t i = 0; i < sizeof(digest); i++)
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    return arena_printf(a, KEY_REQUEST "%s/%s", hex, principal);
}

/* ---- records ---- */

static uint8_t *packed(const ProtobufCMessage *m, size_t *ret_len)
{
    *ret_len = protobuf_c_message_get_packed_size(m);
    uint8_t *data = malloc(*ret_len + 1);
    if (data)
        protobuf_c_message_pack(m, data);
    return data;
}

static void set_time(Google__Protobuf__Timestamp *t, int64_t wall_ns)
{
    google__protobuf__timestamp__init(t);
    t->seconds = wall_ns / NS_PER_SEC;
    t->nanos = (int32_t)(wall_ns % NS_PER_SEC);
}

static char *text(const char *s)
{
    return (char *)(uintptr_t)s;
}

/* Its record as it is now, serialised into write.record; false where memory is short. */
static bool write_record(struct operation *o, size_t *ret_len)
{
    Google__Protobuf__Timestamp created, updated;
    pb_Operation shown = pb_Operation_INIT;
    pb_OperationRecord record = pb_OperationRecord_INIT;
    size_t request_len = 0;
    uint8_t *request = o->finished ? NULL : packed(o->req, &request_len);
    if (!request && !o->finished)
        return false;
    set_time(&created, o->created_ns);
    set_time(&updated, o->updated_ns);
    shown.id = o->id;
    shown.state = o->finished ? OPERATION_STATE_DONE : o->state;
    shown.method = text(o->method->full_name);
    shown.cloud = text(o->cloud);
    shown.principal = text(o->principal);
    shown.request_id = text(o->request_id);
    shown.native_id = text(o->native_id);
    shown.created_at = &created;
    shown.updated_at = &updated;
    shown.attempt = o->attempt;
    shown.cancelled = o->cancelled;
    shown.result = o->finished ? o->result : NULL;
    shown.response = (ProtobufCBinaryData){o->response_len, o->response_data};
    record.operation = &shown;
    record.request = (ProtobufCBinaryData){request_len, request};
    record.digest = (ProtobufCBinaryData){sizeof(o->digest), o->digest};
    record.epoch = operations.epoch;
    record.deadline_us = o->deadline_wall_ns / NS_PER_US;
    record.waits = o->waits;
    record.maker = text(o->maker);
    record.adapter = text(o->adapter);
    record.keyed = o->key[0] != '\0';
    free(o->write.record);
    o->write.record = packed(&record.base, ret_len);
    free(request);
    return o->write.record != NULL;
}

static void change(struct journal_write *w, const char *key, const void *data, size_t len)
{
    w->changes[w->txn.n_changes++] = (struct store_change){.key = key, .data = data, .len = len};
}

static void write_done(struct store_txn *t)
{
    struct operation *o = CONTAINER_OF(t, struct operation, write.txn);
    if (t->outcome == STORE_DONE)
        o->revision = t->revision;
    if (t->outcome == STORE_REFUSED && t->was)
        snprintf(o->repeats, sizeof(o->repeats), "%.*s", (int)t->was->len,
                 (const char *)t->was->data);
    o->write.then(o, t->outcome);
}

/* The beginning of every commit: the record, compared with the one before. */
static void write_begin(struct operation *o, size_t len,
                        void (*then)(struct operation *o, enum store_outcome outcome))
{
    struct journal_write *w = &o->write;
    w->compare = (struct store_compare){o->key_record, o->revision};
    w->txn = (struct store_txn){
        .compares = &w->compare, .n_compares = 1, .changes = w->changes, .done = write_done};
    w->then = then;
    change(w, o->key_record, w->record, len);
}

/* ---- intents ---- */

static void intent_done(struct operation *o, enum store_outcome outcome)
{
    free(o->write.record);
    o->write.record = NULL;
    if (outcome == STORE_DONE)
        point("after-intent");
    operation_recorded(o, outcome);
}

void journal_intent(struct operation *o)
{
    size_t len;
    if (!write_record(o, &len)) {
        operation_recorded(o, STORE_FAILED);
        return;
    }
    write_begin(o, len, intent_done);
    struct journal_write *w = &o->write;
    if (o->key[0]) {
        w->compare = (struct store_compare){o->key, 0};
        w->txn.read = o->key;
        change(w, o->key, o->id, UUID_TEXT_LEN);
    }
    change(w, o->key_open, "", 0);
    point("before-intent");
    store_submit(operations.store, &w->txn);
}

/* ---- steps ---- */

void journal_step(struct operation *o, void (*then)(struct operation *o, enum store_outcome done))
{
    size_t len;
    /* What is recorded already is enough to recover from: a step that is not recorded costs time
     * then, and nothing else. */
    if (!write_record(o, &len)) {
        then(o, STORE_FAILED);
        return;
    }
    write_begin(o, len, then);
    store_submit(operations.store, &o->write.txn);
}

bool journal_note(struct operation *o)
{
    size_t len;
    if (!write_record(o, &len))
        return false;
    write_begin(o, len, NULL);
    if (store_commit(operations.store, &o->write.txn) != STORE_DONE)
        return false;
    o->revision = o->write.txn.revision;
    return true;
}

/* `data` NULL: take it away. */
static bool write_tombstone(const char *id, const void *data)
{
    char key[48];
    snprintf(key, sizeof(key), KEY_CANCELLED "%s", id);
    struct store_change one = {.key = key, .data = data, .len = 0};
    struct store_txn t = {.changes = &one, .n_changes = 1};
    return store_commit(operations.store, &t) == STORE_DONE;
}

bool journal_cancel(const char *id)
{
    return write_tombstone(id, "");
}

void journal_uncancel(const char *id)
{
    (void)write_tombstone(id, NULL);
}

/* ---- the end ---- */

/* Whether a repetition under the same request id is a new try: nothing happened, and later it may.
 */
static bool may_try_again(const pb_Result *r)
{
    return !result_is_success(r->code) && r->side_effects == SIDE_EFFECTS_NONE && r->retry &&
           r->retry->class_ == RETRY_CLASS_AFTER_BACKOFF;
}

static void submit_job(struct job *j)
{
    struct operation *o = CONTAINER_OF(j, struct operation, job);
    store_submit(operations.store, &o->write.txn);
}

/* Not from here: a store that takes nothing says so at once, and the timer is armed again then. */
static void submit_again(struct timer *t)
{
    struct operation *o = CONTAINER_OF(t, struct operation, timer);
    operation_next(o, submit_job);
}

static bool is_stopping(void)
{
    pthread_mutex_lock(&operations.lock);
    bool stopping = operations.stopping;
    pthread_mutex_unlock(&operations.lock);
    return stopping;
}

static void end_done(struct operation *o, enum store_outcome outcome)
{
    if (outcome == STORE_DONE && o->after)
        o->after->revision = o->revision;
    bool failed = outcome == STORE_FULL || outcome == STORE_FAILED;
    /* The disk is full or does not work: it will be recorded when there is room. Who waits is told
     * when the time is over. */
    if (failed && !is_stopping() && timer_arm(&o->timer, clock_mono_ns() + AGAIN_NS, submit_again))
        return; /* it has its place: arming cannot fail */
    if (outcome == STORE_DONE && o->after) {
        struct operation *after = o->after;
        o->after = NULL;
        operation_clean_up(after);
    }
    if (outcome != STORE_DONE)
        log_event(LOG_ERROR, "end not recorded", "operation", o->id, "why",
                  outcome == STORE_REFUSED ? "another gateway has taken it over"
                                           : "the store does not work",
                  NULL);
    operation_ended(o);
}

/* Serialise all that the record of the end has; false where memory is short. */
static bool write_end(struct operation *o, size_t *ret_len)
{
    if (!o->result_data)
        o->result_data = packed(&o->result->base, &o->result_len);
    if (o->rsp && !o->response_data)
        o->response_data = packed(o->rsp, &o->response_len);
    return o->result_data && (o->response_data || !o->rsp) && write_record(o, ret_len);
}

/* Memory that must be there, for what may not be lost: wait until it is. False where the process
 * ends before: the operation has not ended then, and the next one finds out what became of it. */
static bool wait_for_memory(struct operation *o)
{
    nanosleep(&(struct timespec){.tv_nsec = 20 * NS_PER_MS}, NULL);
    return operation_step(o);
}

void journal_end(struct operation *o)
{
    struct journal_write *w = &o->write;
    size_t len, after_len;
    while (!write_end(o, &len))
        if (!wait_for_memory(o))
            return;
    o->after = operation_clean_up_after(o);
    while (o->after && !write_record(o->after, &after_len))
        if (!wait_for_memory(o))
            return;
    write_begin(o, len, end_done);
    change(w, o->key_open, NULL, 0);
    if (o->key[0] && may_try_again(o->result))
        change(w, o->key, NULL, 0);
    if (o->cancelled)
        change(w, o->key_cancelled, NULL, 0);
    if (o->after) {
        change(w, o->after->key_record, o->after->write.record, after_len);
        change(w, o->after->key_open, "", 0);
    }
    point("second-commit");
    store_submit(operations.store, &w->txn);
}

/* ---- reading ---- */

pb_OperationRecord *journal_get(struct arena *a, const char *id, bool *ret_failed)
{
    struct store_item item;
    *ret_failed = false;
    if (strlen(id) > UUID_TEXT_LEN)
        return NULL;
    const char *key = arena_printf(a, KEY_OPERATION "%s", id);
    if (!store_get(operations.store, a, key, &item, ret_failed))
        return NULL;
    pb_OperationRecord *r = (pb_OperationRecord *)(void *)protobuf_c_message_unpack(
        &pb_OperationRecord_desc, arena_allocator(a), item.len, item.data);
    *ret_failed = !r || !r->operation;
    return *ret_failed ? NULL : r;
}
