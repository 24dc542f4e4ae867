/* An instance in the store, and in memory. */
#include <stdlib.h>
#include <string.h>

#include "isobar/clock.h"
#include "isobar/message.h"
#include "operation.h"
#include "registry_private.h"

#define ARENA_MAX ((size_t)8 << 20)

static uint32_t said_weight(const pb_RegisterAdapterRequest *said)
{
    return said->weight_choice_case == ISOBAR__V1__REGISTER_ADAPTER_REQUEST__WEIGHT_CHOICE_WEIGHT
               ? said->weight
               : WEIGHT_INITIAL;
}

uint32_t registry_weight(const struct registered *r)
{
    return r->weight_set ? r->set_weight : said_weight(r->said);
}

void registered_free(struct registered *r)
{
    if (!r)
        return;
    if (r->said && r->said->call_token)
        explicit_bzero(r->said->call_token, strlen(r->said->call_token));
    instance_put(r->instance);
    kind_put(r->kind);
    arena_done(&r->arena);
    free(r);
}

struct registered *registered_new(const pb_AdapterRecord *record, char ret_why[512])
{
    struct open_error error = {"out of memory"};
    struct registered *r = calloc(1, sizeof(*r));

    if (r) {
        const pb_RegisterAdapterRequest *said = record->registration;
        arena_init(&r->arena, ARENA_MAX);
        r->said = (pb_RegisterAdapterRequest *)(void *)message_copy(&r->arena, &said->base);
        r->key = arena_printf(&r->arena, KEY_ADAPTER "%s/%s", said->name, said->id);
        r->owner = arena_strdup(&r->arena, record->owner);
        r->set_status = record->status;
        r->weight_set =
            record->weight_choice_case == ISOBAR__V1__ADAPTER_RECORD__WEIGHT_CHOICE_WEIGHT;
        r->set_weight = record->weight;
        r->heard_ns = clock_mono_ns();
        r->registered_ns = record->registered_at ? record->registered_at->seconds * NS_PER_SEC +
                                                       record->registered_at->nanos
                                                 : clock_wall_ns();
        r->kind = kind_new(said);
        r->ca = arena_strdup(&r->arena, record->ca);
        const struct instance_config config = {.urls = (const char *const *)said->endpoints,
                                               .n_urls = said->n_endpoints,
                                               .call_token = said->call_token,
                                               .ca = record->ca[0] ? record->ca : NULL};
        r->instance = instance_new(&config, &error);
    }
    if (r && r->said && r->kind && r->instance && !r->arena.exhausted)
        return r;
    memcpy(ret_why, error.text, sizeof(error.text));
    registered_free(r);
    return NULL;
}

/* The record, serialised in the arena. */
static uint8_t *serialise(struct arena *a, const struct registered *r, size_t *ret_len)
{
    pb_AdapterRecord record = pb_AdapterRecord_INIT;
    Google__Protobuf__Timestamp at = GOOGLE__PROTOBUF__TIMESTAMP__INIT;

    at.seconds = r->registered_ns / NS_PER_SEC;
    at.nanos = (int32_t)(r->registered_ns % NS_PER_SEC);
    record.registration = r->said;
    record.owner = r->owner;
    record.ca = r->ca;
    record.registered_at = &at;
    record.status = r->set_status;
    if (r->weight_set) {
        record.weight_choice_case = ISOBAR__V1__ADAPTER_RECORD__WEIGHT_CHOICE_WEIGHT;
        record.weight = r->set_weight;
    }
    *ret_len = isobar__v1__adapter_record__get_packed_size(&record);
    uint8_t *data = arena_alloc(a, *ret_len + 1);
    if (data)
        isobar__v1__adapter_record__pack(&record, data);
    return data;
}

enum store_outcome registered_store(struct registered *r)
{
    struct arena a;
    size_t len;

    if (!r->lease)
        r->lease = store_lease_grant(registry.store, LEASE_MS);
    if (!r->lease)
        return STORE_FAILED;
    arena_init(&a, ARENA_MAX);
    uint8_t *data = serialise(&a, r, &len);
    struct store_change put = {.key = r->key, .data = data, .len = len, .lease = r->lease};
    struct store_txn txn = {.changes = &put, .n_changes = 1};
    enum store_outcome outcome = data ? store_commit(registry.store, &txn) : STORE_FAILED;
    if (data)
        explicit_bzero(data, len); /* the token is in it */
    arena_done(&a);
    if (outcome == STORE_DONE) {
        pthread_mutex_lock(&registry.lock);
        r->stored = txn.revision;
        pthread_mutex_unlock(&registry.lock);
    }
    return outcome;
}
