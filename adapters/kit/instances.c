/* Instances: processes that serve a cloud, and how they do. */
#include "instances_private.h"

#include <stdlib.h>
#include <string.h>

#include "isobar/clock.h"

/* An instance that has failed is left out for so long, doubled with each failure in a row. */
#define DOWN_MIN_NS NS_PER_SEC
#define DOWN_MAX_NS (10 * NS_PER_SEC)
/* So many calls in a row that were not answered in their time are a failure. */
#define LATE_MAX 3
/* How long a process may take to accept a connection: another one can do meanwhile. */
#define CONNECT_MS 1500
void instance_put(struct instance *i)
{
    if (!i || atomic_fetch_sub(&i->refs, 1) != 1)
        return;
    for (size_t k = 0; k < i->n; k++)
        sp_client_free(i->clients[k]);
    if (i->token)
        explicit_bzero(i->token, strlen(i->token));
    free(i->token);
    free(i);
}

struct instance *instance_hold(struct instance *i)
{
    atomic_fetch_add(&i->refs, 1);
    return i;
}

struct instance *instance_new(const struct instance_config *config, struct open_error *ret_error)
{
    const struct sp_options options = {.connect_timeout_ms = CONNECT_MS,
                                       .ca = config->ca,
                                       .cert = config->cert,
                                       .key = config->key};
    static atomic_uint_fast64_t number;
    struct instance *i = calloc(1, sizeof(*i) + config->n_urls * sizeof(i->clients[0]));

    *ret_error = (struct open_error){"out of memory"};
    if (!i)
        return NULL;
    if (config->n_urls == 0) {
        *ret_error = (struct open_error){"it has no address"};
        free(i);
        return NULL;
    }
    atomic_init(&i->refs, 1);
    i->number = atomic_fetch_add(&number, 1) + 1;
    i->token = strdup(config->call_token);
    bool ok = i->token != NULL;
    for (size_t k = 0; k < config->n_urls && ok; k++) {
        i->clients[k] = sp_client_new(config->urls[k], &options, ret_error);
        ok = i->clients[k] != NULL;
        i->n += ok;
    }
    if (ok)
        return i;
    instance_put(i);
    return NULL;
}

struct sp_client *instance_client(struct instance *i)
{
    return i->clients[atomic_load_explicit(&i->at, memory_order_relaxed) % i->n];
}

const char *instance_token(const struct instance *i)
{
    return i->token;
}

bool instance_is_down(const struct instance *i, int64_t now_ns)
{
    return atomic_load_explicit(&i->down_until_ns, memory_order_relaxed) > now_ns;
}

void instance_stats(const struct instance *i, struct instance_stats *ret)
{
    *ret = (struct instance_stats){
        .in_flight = atomic_load(&i->in_flight),
        .calls = atomic_load(&i->calls),
        .errors = atomic_load(&i->errors),
        .down = instance_is_down(i, clock_mono_ns()),
    };
}

/* Another of its addresses may work; where all have failed, it is left out for a while. */
static void note_failure(struct instance *i, const struct sp_client *client)
{
    size_t at = atomic_load(&i->at);
    int64_t pause = DOWN_MIN_NS;

    atomic_fetch_add(&i->errors, 1);
    /* All calls that were under way fail with it: that is one failure. */
    if (i->clients[at % i->n] != client || !atomic_compare_exchange_strong(&i->at, &at, at + 1) ||
        instance_is_down(i, clock_mono_ns()))
        return;
    unsigned row = atomic_fetch_add(&i->failures, 1) + 1;
    if (row % i->n != 0)
        return;
    for (size_t k = row / i->n; k > 1 && pause < DOWN_MAX_NS; k--)
        pause *= 2;
    atomic_store(&i->down_until_ns, clock_mono_ns() + (pause < DOWN_MAX_NS ? pause : DOWN_MAX_NS));
}

void instance_give(struct instance *i, const struct sp_client *client, enum instance_end end)
{
    atomic_fetch_add(&i->calls, 1);
    if (end == INSTANCE_ANSWERED)
        atomic_store(&i->late, 0);
    if (end == INSTANCE_FAILED ||
        (end == INSTANCE_LATE && atomic_fetch_add(&i->late, 1) + 1 >= LATE_MAX)) {
        note_failure(i, client);
    } else if (end == INSTANCE_ANSWERED && atomic_load(&i->failures) > 0) {
        atomic_store(&i->failures, 0);
        atomic_store(&i->down_until_ns, 0);
    }
    atomic_fetch_sub(&i->in_flight, 1);
    instance_put(i);
}
