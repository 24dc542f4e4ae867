/* The operations that there are: made, found, forgotten. */
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "isobar/clock.h"
#include "isobar/message.h"
#include "isobar/result.h"
#include "methods.h"
#include "operation_private.h"

#define WORKING_MAX ((size_t)32 << 20)

struct operations operations = {.lock = PTHREAD_MUTEX_INITIALIZER};

struct operation *operation_ref(struct operation *o)
{
    o->refs++;
    return o;
}

void operation_unref(struct operation *o)
{
    if (--o->refs > 0)
        return;
    arena_done(&o->memory);
    arena_done(&o->working);
    arena_done(&o->looks[0]);
    arena_done(&o->looks[1]);
    free(o->result_data);
    free(o->response_data);
    free(o);
}

void operation_forget_key(struct operation *o)
{
    if (o->key[0])
        HASH_DELETE(by_key, operations.keys, o);
    o->key = "";
}

static void forget(struct operation *o)
{
    HASH_DELETE(by_id, operations.ids, o);
    operation_forget_key(o);
    if (o->newer)
        o->newer->older = o->older;
    else
        operations.newest = o->older;
    if (o->older)
        o->older->newer = o->newer;
    else
        operations.oldest = o->newer;
    if (o->ended)
        operations.n_ended--;
    operation_unref(o);
}

void operations_prune(void)
{
    struct operation *o = operations.oldest;
    while (o && operations.n_ended > OPERATIONS_KEPT) {
        struct operation *newer = o->newer;
        if (o->ended)
            forget(o);
        o = newer;
    }
}

void operation_digest(struct call *c)
{
    int *wait = (int *)(void *)((char *)c->req + c->method->in.wait->offset);
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

struct operation *operation_new(struct call *c, const char *key)
{
    struct operation *o = calloc(1, sizeof(*o));
    if (!o)
        return NULL;
    arena_init(&o->memory, 65536);
    arena_init(&o->working, WORKING_MAX);
    arena_init(&o->looks[0], WORKING_MAX);
    arena_init(&o->looks[1], WORKING_MAX);
    uuid7(o->id);
    o->state = OPERATION_STATE_INTENT;
    o->method = c->method;
    o->connection = c->connection;
    o->cloud = arena_strdup(&o->memory, c->connection->name);
    o->principal = arena_strdup(&o->memory, c->principal->name);
    o->request_id = arena_strdup(&o->memory, c->env.request_id);
    o->key = arena_strdup(&o->memory, key);
    o->native_id = "";
    memcpy(o->digest, c->digest, sizeof(o->digest));
    o->created_ns = o->updated_ns = clock_wall_ns();
    o->req = message_copy(&o->working, c->req);
    o->rsp = arena_message(&o->working, c->method->output);
    o->result = result_new(&o->working);
    for (size_t i = 0; o->result && i < c->result->n_warnings; i++)
        result_add_warning(&o->working, o->result, "%s", c->result->warnings[i]);
    o->waits = operation_wait_of(c) == WAIT_RUNNING;
    o->start_by_ns = operation_wait_of(c) == WAIT_NONE ? INT64_MAX : c->deadline_ns;
    o->refs = 1;
    if (o->req && o->rsp && o->result && !o->memory.exhausted) {
        o->snapshot = c->snapshot;
        atomic_fetch_add(&o->snapshot->refs, 1);
        return o;
    }
    operation_unref(o);
    return NULL;
}

void operation_insert(struct operation *o)
{
    HASH_ADD_KEYPTR(by_id, operations.ids, o->id, UUID_TEXT_LEN, o);
    if (o->key[0])
        HASH_ADD_KEYPTR(by_key, operations.keys, o->key, strlen(o->key), o);
    o->older = operations.newest;
    if (operations.newest)
        operations.newest->newer = o;
    else
        operations.oldest = o;
    operations.newest = o;
    operations.n_open++;
}

unsigned operations_open(void)
{
    pthread_mutex_lock(&operations.lock);
    unsigned n = operations.n_open;
    pthread_mutex_unlock(&operations.lock);
    return n;
}

void operations_done(void)
{
    pthread_mutex_lock(&operations.lock);
    while (operations.oldest)
        forget(operations.oldest);
    pthread_mutex_unlock(&operations.lock);
}
