#include "lane.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "admission.h"
#include "isobar/clock.h"

/* A worker that has had nothing to do for so long ends, where it is not the last. */
#define IDLE_SECONDS 30
/* Adapters keep what is large in arenas, so that workers need little stack. */
#define STACK_BYTES ((size_t)512 << 10)

struct lane {
    pthread_mutex_t lock;
    pthread_cond_t work;  /* a job has come, or the end */
    pthread_cond_t ended; /* a worker has ended */
    struct job *first, **last;
    unsigned n_queued, n_reserved;
    unsigned n_threads, n_idle, n_running, max_threads;
    struct admission admission;
    bool stopping;
    char name[16];
};

static void unlink_job(struct lane *l, struct job *j)
{
    *j->prev = j->next;
    if (j->next)
        j->next->prev = j->prev;
    else
        l->last = j->prev;
    j->next = NULL;
    j->prev = NULL;
    l->n_queued--;
}

/* Wait for a job; NULL where the worker is to end. With the lock held. */
static struct job *next_job(struct lane *l)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += IDLE_SECONDS;
    while (!l->first && !l->stopping) {
        bool last = l->n_threads == 1;
        int rc = 0;
        l->n_idle++;
        if (last)
            pthread_cond_wait(&l->work, &l->lock);
        else
            rc = pthread_cond_timedwait(&l->work, &l->lock, &until);
        l->n_idle--;
        if (rc == ETIMEDOUT && l->n_threads > 1)
            break;
    }
    struct job *j = l->first;
    if (j)
        unlink_job(l, j);
    return j;
}

/* With the lock held, which it gives up meanwhile. */
static void run_job(struct lane *l, struct job *j)
{
    int64_t begun_ns = clock_mono_ns();
    if (!admission_begin(&l->admission, begun_ns, j->queued_ns, j->shed != NULL)) {
        pthread_mutex_unlock(&l->lock);
        j->shed(j);
        pthread_mutex_lock(&l->lock);
        return;
    }
    l->n_running++;
    pthread_mutex_unlock(&l->lock);
    j->run(j);
    pthread_mutex_lock(&l->lock);
    l->n_running--;
    admission_served(&l->admission, clock_mono_ns() - begun_ns);
}

static void *worker(void *arg)
{
    struct lane *l = arg;
    pthread_setname_np(pthread_self(), l->name);
    pthread_mutex_lock(&l->lock);
    for (struct job *j; (j = next_job(l));)
        run_job(l, j);
    l->n_threads--;
    pthread_cond_broadcast(&l->ended);
    pthread_mutex_unlock(&l->lock);
    return NULL;
}

/* With the lock held. */
static bool start_worker(struct lane *l)
{
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attr, STACK_BYTES);
    pthread_t thread;
    bool ok = pthread_create(&thread, &attr, worker, l) == 0;
    pthread_attr_destroy(&attr);
    if (ok)
        l->n_threads++;
    return ok;
}

struct lane *lane_new(const char *name, unsigned max_in_flight, unsigned max_queued)
{
    struct lane *l = calloc(1, sizeof(*l));
    if (!l)
        return NULL;
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&l->work, &attr);
    pthread_condattr_destroy(&attr);
    pthread_cond_init(&l->ended, NULL);
    pthread_mutex_init(&l->lock, NULL);
    l->last = &l->first;
    l->max_threads = max_in_flight;
    admission_init(&l->admission, max_in_flight, max_queued);
    snprintf(l->name, sizeof(l->name), "%s", name);
    pthread_mutex_lock(&l->lock);
    bool ok = start_worker(l);
    pthread_mutex_unlock(&l->lock);
    if (ok)
        return l;
    lane_free(l);
    return NULL;
}

void lane_free(struct lane *l)
{
    if (!l)
        return;
    pthread_mutex_lock(&l->lock);
    l->stopping = true;
    pthread_cond_broadcast(&l->work);
    while (l->n_threads > 0)
        pthread_cond_wait(&l->ended, &l->lock);
    pthread_mutex_unlock(&l->lock);
    pthread_mutex_destroy(&l->lock);
    pthread_cond_destroy(&l->work);
    pthread_cond_destroy(&l->ended);
    free(l);
}

/* With the lock held: see that somebody takes one more job soon. Where no thread can be had, those
 * that are there take it: there is always one. A worker that has been woken for an earlier job
 * counts as idle still, so the idle are compared with what waits. */
static void want_worker(struct lane *l)
{
    if (l->n_idle <= l->n_queued + l->n_reserved && l->n_threads < l->max_threads)
        (void)start_worker(l);
}

/* With the lock held. */
static void queue(struct lane *l, struct job *j, int64_t now_ns)
{
    j->next = NULL;
    j->prev = l->last;
    j->queued_ns = now_ns;
    *l->last = j;
    l->last = &j->next;
    l->n_queued++;
    if (l->n_idle > 0)
        pthread_cond_signal(&l->work);
}

/* With the lock held: whether there is a place for one more. */
static bool admit(struct lane *l, int64_t now_ns, int64_t deadline_ns)
{
    bool ok = admission_take(&l->admission, now_ns, l->n_queued + l->n_reserved, l->n_running,
                             deadline_ns ? deadline_ns : INT64_MAX);
    if (ok)
        want_worker(l);
    return ok;
}

bool lane_submit(struct lane *l, struct job *j)
{
    int64_t now_ns = clock_mono_ns();
    pthread_mutex_lock(&l->lock);
    bool ok = admit(l, now_ns, j->deadline_ns);
    if (ok)
        queue(l, j, now_ns);
    pthread_mutex_unlock(&l->lock);
    return ok;
}

bool lane_reserve(struct lane *l, int64_t deadline_ns)
{
    int64_t now_ns = clock_mono_ns();
    pthread_mutex_lock(&l->lock);
    bool ok = admit(l, now_ns, deadline_ns);
    if (ok)
        l->n_reserved++;
    pthread_mutex_unlock(&l->lock);
    return ok;
}

void lane_submit_reserved(struct lane *l, struct job *j)
{
    pthread_mutex_lock(&l->lock);
    l->n_reserved--;
    want_worker(l);
    queue(l, j, clock_mono_ns());
    pthread_mutex_unlock(&l->lock);
}

void lane_unreserve(struct lane *l)
{
    pthread_mutex_lock(&l->lock);
    l->n_reserved--;
    pthread_mutex_unlock(&l->lock);
}

uint32_t lane_retry_ms(struct lane *l)
{
    pthread_mutex_lock(&l->lock);
    uint32_t ms = admission_retry_ms(&l->admission, l->n_queued + l->n_reserved);
    pthread_mutex_unlock(&l->lock);
    return ms;
}

void lane_continue(struct lane *l, struct job *j)
{
    pthread_mutex_lock(&l->lock);
    j->shed = NULL;
    want_worker(l);
    queue(l, j, clock_mono_ns());
    pthread_mutex_unlock(&l->lock);
}

bool lane_withdraw(struct lane *l, struct job *j)
{
    pthread_mutex_lock(&l->lock);
    bool queued = j->prev != NULL;
    if (queued)
        unlink_job(l, j);
    pthread_mutex_unlock(&l->lock);
    return queued;
}

void lane_stats(struct lane *l, struct lane_stats *ret)
{
    pthread_mutex_lock(&l->lock);
    *ret = (struct lane_stats){.in_flight = l->n_running,
                               .max_in_flight = l->max_threads,
                               .queued = l->n_queued + l->n_reserved,
                               .max_queued = l->admission.max_queued,
                               .overloaded = l->admission.overloaded,
                               .refused = l->admission.n_refused,
                               .shed = l->admission.n_shed,
                               .service_ns = l->admission.mean_ns};
    pthread_mutex_unlock(&l->lock);
}
