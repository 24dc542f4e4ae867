#include "call.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Calls that wait to be used again. More than this is given back to the system, so that a burst
 * does not stay in memory for ever. */
#define POOL_MAX 256
/* What one call may hold: a request, its answer from the cloud, and the reply. A list of 10,000
 * machines with all that AWS shows of them takes 120 MB. */
#define CALL_ARENA_MAX ((size_t)192 << 20)

/* Parts of call_memory that are not for new calls. */
#define MEMORY_SPARE 4

struct arena_budget call_memory = {.max = SIZE_MAX};

static struct {
    pthread_mutex_t lock;
    struct call *first;
    unsigned n;
} pool = {.lock = PTHREAD_MUTEX_INITIALIZER};

bool call_memory_is_short(void)
{
    size_t max = atomic_load_explicit(&call_memory.max, memory_order_relaxed);
    return atomic_load_explicit(&call_memory.used, memory_order_relaxed) > max - max / MEMORY_SPARE;
}

struct call *call_new(void)
{
    pthread_mutex_lock(&pool.lock);
    struct call *c = pool.first;
    if (c) {
        pool.first = c->next;
        pool.n--;
    }
    pthread_mutex_unlock(&pool.lock);
    if (c) {
        c->next = NULL;
        return c;
    }
    c = calloc(1, sizeof(*c));
    if (!c)
        return NULL;
    arena_init(&c->arena, CALL_ARENA_MAX);
    c->arena.budget = &call_memory;
    return c;
}

static void destroy(struct call *c)
{
    arena_done(&c->arena);
    free(c);
}

void call_free(struct call *c)
{
    arena_reset(&c->arena);
    size_t rest = offsetof(struct call, arena) + sizeof(c->arena);
    memset((char *)c + rest, 0, sizeof(*c) - rest);
    pthread_mutex_lock(&pool.lock);
    bool keep = pool.n < POOL_MAX;
    if (keep) {
        c->next = pool.first;
        pool.first = c;
        pool.n++;
    }
    pthread_mutex_unlock(&pool.lock);
    if (!keep)
        destroy(c);
}

void call_pool_drain(void)
{
    pthread_mutex_lock(&pool.lock);
    struct call *c = pool.first;
    pool.first = NULL;
    pool.n = 0;
    pthread_mutex_unlock(&pool.lock);
    while (c) {
        struct call *next = c->next;
        destroy(c);
        c = next;
    }
}
