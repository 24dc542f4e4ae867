/* The I/O threads that all listeners of listener_sp share. */
#include <sched.h>

#include "listener_sp.h"

#define THREADS_MAX 64
/* Unless the configuration says another number: more than this do not help one gateway. */
#define THREADS_DEFAULT_MAX 4

static struct {
    pthread_mutex_t lock;
    unsigned users;
    unsigned n;
    struct sp_io *io[THREADS_MAX];
    atomic_uint next;
} pool = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void end_threads(void)
{
    while (pool.n > 0)
        sp_io_stop(pool.io[--pool.n]);
}

static unsigned default_threads(void)
{
    cpu_set_t set;
    unsigned n = 1;
    if (sched_getaffinity(0, sizeof(set), &set) == 0)
        n = (unsigned)CPU_COUNT(&set);
    return n < THREADS_DEFAULT_MAX ? n : THREADS_DEFAULT_MAX;
}

static bool start_threads(unsigned threads)
{
    if (threads == 0)
        threads = default_threads();
    if (threads > THREADS_MAX)
        threads = THREADS_MAX;
    while (pool.n < threads) {
        struct sp_io *io = sp_io_start(pool.n);
        if (!io) {
            end_threads();
            return false;
        }
        pool.io[pool.n++] = io;
    }
    return true;
}

bool sp_pool_open(unsigned threads)
{
    pthread_mutex_lock(&pool.lock);
    bool ok = pool.users > 0 || start_threads(threads);
    if (ok)
        pool.users++;
    pthread_mutex_unlock(&pool.lock);
    return ok;
}

void sp_pool_close(void)
{
    pthread_mutex_lock(&pool.lock);
    if (--pool.users == 0)
        end_threads();
    pthread_mutex_unlock(&pool.lock);
}

struct sp_io *sp_pool_next(void)
{
    unsigned i = atomic_fetch_add_explicit(&pool.next, 1, memory_order_relaxed);
    return pool.io[i % pool.n];
}

void sp_pool_call(void (*fn)(struct sp_io *io, void *ctx), void *ctx)
{
    for (unsigned i = 0; i < pool.n; i++)
        sp_io_call(pool.io[i], fn, ctx);
}
