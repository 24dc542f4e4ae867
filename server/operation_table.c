/* The operations that have not ended: made, found, forgotten. What has ended is in the store alone.
 */
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "isobar/clock.h"
#include "isobar/message.h"
#include "isobar/result.h"
#include "methods.h"
#include "operation_private.h"

#define WORKING_MAX ((size_t)32 << 20)
/* An order that was not answered is sent again for so long after its receipt, or as long as its
 * caller would have waited: who asked yesterday does not want a machine today. */
#define RESEND_NS (3600 * NS_PER_SEC)

struct operations operations = {.lock = PTHREAD_MUTEX_INITIALIZER,
                                .calm = PTHREAD_COND_INITIALIZER};

struct operation *operation_ref(struct operation *o)
{
    o->refs++;
    return o;
}

void operation_unref(struct operation *o)
{
    if (--o->refs > 0)
        return;
    timer_unreserve(&o->timer);
    arena_done(&o->memory);
    arena_done(&o->working);
    arena_done(&o->looks[0]);
    arena_done(&o->looks[1]);
    if (o->after)
        operation_discard(o->after);
    free(o->write.record);
    free(o->result_data);
    free(o->response_data);
    free(o);
}

void operation_digest(struct call *c)
{
    const ProtobufCFieldDescriptor *field = c->method->in.wait;
    int none = 0, *wait = field ? (int *)(void *)((char *)c->req + field->offset) : &none;
    int kept = *wait;
    *wait = 0;
    size_t name_len = strlen(c->method->full_name) + 1;
    size_t len = name_len + protobuf_c_message_get_packed_size(c->req);
    uint8_t *data = arena_alloc(&c->arena, len);
    if (data) {
        memcpy(data, c->method->full_name, name_len);
        protobuf_c_message_pack(c->req, data + name_len);
        SHA256(data, len, c->digest);
    }
    *wait = kept;
}

pb_Wait operation_wait_of(const struct call *c)
{
    return (pb_Wait)message_uint(c->req, c->method->in.wait);
}

bool operation_is_cancelled(struct operation *o)
{
    pthread_mutex_lock(&operations.lock);
    bool cancelled = o->cancelled;
    pthread_mutex_unlock(&operations.lock);
    return cancelled;
}

bool operation_deletes(const struct operation *o)
{
    return o->method->policy->wait_for == VM_STATE_DELETED;
}

bool operation_creates(const struct operation *o)
{
    return o->method->policy->kind == KIND_CREATE;
}

struct operation *operation_blank(const char *id)
{
    struct operation *o = calloc(1, sizeof(*o));
    /* What has been begun must not stand still because there is no memory for its next step. */
    if (!o || !timer_reserve(&o->timer)) {
        free(o);
        return NULL;
    }
    arena_init(&o->memory, 65536);
    arena_init(&o->working, WORKING_MAX);
    arena_init(&o->looks[0], WORKING_MAX);
    arena_init(&o->looks[1], WORKING_MAX);
    if (id)
        snprintf(o->id, sizeof(o->id), "%s", id);
    else
        uuid7_numbered(operations.number, o->id);
    snprintf(o->key_record, sizeof(o->key_record), KEY_OPERATION "%s", o->id);
    snprintf(o->key_open, sizeof(o->key_open), KEY_OPEN "%s", o->id);
    snprintf(o->key_cancelled, sizeof(o->key_cancelled), KEY_CANCELLED "%s", o->id);
    o->state = OPERATION_STATE_INTENT;
    o->native_id = o->maker = o->key = o->request_id = o->adapter = "";
    o->start_by_ns = INT64_MAX;
    o->refs = 1;
    return o;
}

static void name_it(struct operation *o, const struct call *c, const char *key)
{
    o->method = c->method;
    o->connection = c->connection;
    o->cloud = arena_strdup(&o->memory, c->connection->name);
    o->adapter = arena_strdup(&o->memory, c->connection->kind->name);
    o->principal = arena_strdup(&o->memory, c->principal->name);
    o->request_id = arena_strdup(&o->memory, c->env.request_id);
    o->key = arena_strdup(&o->memory, key);
    memcpy(o->digest, c->digest, sizeof(o->digest));
}

static void time_it(struct operation *o, const struct call *c)
{
    int64_t left = c->deadline_ns - clock_mono_ns();
    o->created_ns = o->updated_ns = clock_wall_ns();
    o->deadline_wall_ns = o->created_ns + (left > RESEND_NS ? left : RESEND_NS);
    o->waits = operation_wait_of(c) == WAIT_RUNNING;
    o->start_by_ns = operation_wait_of(c) == WAIT_NONE ? INT64_MAX : c->deadline_ns;
}

struct operation *operation_new(struct call *c, const char *key)
{
    struct operation *o = operation_blank(NULL);
    if (!o)
        return NULL;
    name_it(o, c, key);
    time_it(o, c);
    o->req = message_copy(&o->working, c->req);
    o->rsp = arena_message(&o->working, c->method->output);
    o->result = result_new(&o->working);
    for (size_t i = 0; o->result && i < c->result->n_warnings; i++)
        result_add_warning(&o->working, o->result, "%s", c->result->warnings[i]);
    if (o->req && o->rsp && o->result && !o->memory.exhausted && !o->working.exhausted) {
        o->snapshot = c->snapshot;
        atomic_fetch_add(&o->snapshot->refs, 1);
        return o;
    }
    operation_unref(o);
    return NULL;
}

bool operation_insert(struct operation *o)
{
    HASH_ADD_KEYPTR(by_id, operations.ids, o->id, UUID_TEXT_LEN, o);
    if (!HASH_ADDED(by_id, o))
        return false;
    if (o->key[0])
        HASH_ADD_KEYPTR(by_key, operations.keys, o->key, strlen(o->key), o);
    if (o->key[0] && !HASH_ADDED(by_key, o)) {
        HASH_DELETE(by_id, operations.ids, o);
        return false;
    }
    o->older = operations.newest;
    if (operations.newest)
        operations.newest->newer = o;
    else
        operations.oldest = o;
    operations.newest = o;
    operations.n_open++;
    return true;
}

void operation_remove(struct operation *o)
{
    HASH_DELETE(by_id, operations.ids, o);
    if (o->key[0])
        HASH_DELETE(by_key, operations.keys, o);
    if (o->newer)
        o->newer->older = o->older;
    else
        operations.newest = o->older;
    if (o->older)
        o->older->newer = o->newer;
    else
        operations.oldest = o->newer;
    operations.n_open--;
    operation_unref(o);
}

struct operation *operation_find(const char *id)
{
    struct operation *o;
    HASH_FIND(by_id, operations.ids, id, strlen(id), o);
    return o;
}

struct operation *operation_unfinished(const char *cloud, const char *wanted)
{
    for (struct operation *o = operations.newest; o; o = o->older) {
        if (o->finished || !operation_creates(o) || strcmp(o->cloud, cloud) != 0)
            continue;
        const pb_CreateVmRequest *req = (const pb_CreateVmRequest *)(const void *)o->req;
        if (strcmp(o->native_id, wanted) == 0 || strcmp(req->spec->name, wanted) == 0)
            return o;
    }
    return NULL;
}

void operation_release(void)
{
    if (--operations.n_working == 0)
        pthread_cond_broadcast(&operations.calm);
}

void operation_discard(struct operation *o)
{
    if (o->snapshot)
        snapshot_put(o->snapshot);
    operation_unref(o);
}

void operation_forget(struct operation *o)
{
    if (o->snapshot)
        snapshot_put(o->snapshot);
    o->snapshot = NULL;
    pthread_mutex_lock(&operations.lock);
    operation_remove(o);
    operation_release();
    pthread_mutex_unlock(&operations.lock);
}

unsigned operations_open(void)
{
    pthread_mutex_lock(&operations.lock);
    unsigned n = operations.n_open;
    pthread_mutex_unlock(&operations.lock);
    return n;
}

uint32_t operations_number(void)
{
    pthread_mutex_lock(&operations.lock);
    uint32_t number = operations.number;
    pthread_mutex_unlock(&operations.lock);
    return number;
}
