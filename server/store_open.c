/* Open and close. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store_private.h"

static void init(struct store *s)
{
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&s->work, &attr);
    pthread_condattr_destroy(&attr);
    pthread_cond_init(&s->waited, NULL);
    pthread_cond_init(&s->readers.back, NULL);
    pthread_mutex_init(&s->lock, NULL);
    pthread_mutex_init(&s->readers.lock, NULL);
    arena_init(&s->arena, STORE_READ_BYTES + 2 * STORE_QUEUE_BYTES);
    store_events_init(&s->events, 0);
    store_events_init(&s->pending, 0);
    s->last = &s->first;
    s->leases_look_ns = INT64_MAX;
    s->lock_fd = -1;
}

/* All but the thread. */
static void store_free(struct store *s)
{
    store_readers_done(s);
    store_watches_done(s);
    store_leases_done(s);
    store_db_close(s->db);
    if (s->lock_fd >= 0)
        close(s->lock_fd); /* last: nobody opens what is not closed */
    arena_done(&s->arena);
    pthread_mutex_destroy(&s->lock);
    pthread_mutex_destroy(&s->readers.lock);
    pthread_cond_destroy(&s->work);
    pthread_cond_destroy(&s->waited);
    pthread_cond_destroy(&s->readers.back);
    free(s);
}

static bool start(struct store *s, const char *folder, char ret_why[STORE_WHY_MAX])
{
    char path[PATH_MAX];
    int64_t revision = 0;
    if (snprintf(path, sizeof(path), "%s/store.db", folder) >= (int)sizeof(path)) {
        snprintf(ret_why, STORE_WHY_MAX, "the path of the folder for the state is too long");
        return false;
    }
    s->lock_fd = store_files_lock(folder, ret_why);
    if (s->lock_fd < 0 || !store_files_make(folder, path, ret_why))
        return false;
    s->db = store_db_open(path, ret_why);
    if (!s->db)
        return false;
    if (!store_db_load(s->db, &revision, store_lease_load, s)) {
        snprintf(ret_why, STORE_WHY_MAX, "%.300s: cannot read it", path);
        return false;
    }
    atomic_store(&s->revision, revision);
    store_events_init(&s->events, revision);
    int error = pthread_create(&s->writer, NULL, store_writer, s);
    if (error)
        snprintf(ret_why, STORE_WHY_MAX, "cannot start the thread of the store: %s",
                 strerror(error));
    return error == 0;
}

struct store *store_open(const char *folder, char ret_why[STORE_WHY_MAX])
{
    struct store *s = calloc(1, sizeof(*s));
    if (!s) {
        snprintf(ret_why, STORE_WHY_MAX, "there is no memory for the store");
        return NULL;
    }
    init(s);
    if (start(s, folder, ret_why))
        return s;
    store_free(s);
    return NULL;
}

void store_close(struct store *s)
{
    if (!s)
        return;
    pthread_mutex_lock(&s->lock);
    s->closing = true;
    store_wake(s);
    pthread_mutex_unlock(&s->lock);
    pthread_join(s->writer, NULL);
    store_free(s);
}
