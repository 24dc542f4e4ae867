#include "timer.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "isobar/clock.h"

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed; /* CLOCK_MONOTONIC */
    pthread_t thread;
    bool stopping;
    int64_t wakes_ns;    /* when the thread looks next by itself */
    struct timer **heap; /* from 1; the earliest first */
    size_t n, room;
    atomic_size_t n_reserved;
} timers = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void put(size_t place, struct timer *t)
{
    timers.heap[place] = t;
    t->place = place;
}

static void sift_up(size_t place, struct timer *t)
{
    while (place > 1 && timers.heap[place / 2]->due_ns > t->due_ns) {
        put(place, timers.heap[place / 2]);
        place /= 2;
    }
    put(place, t);
}

static void sift_down(size_t place, struct timer *t)
{
    for (;;) {
        size_t child = place * 2;
        if (child > timers.n)
            break;
        if (child < timers.n && timers.heap[child + 1]->due_ns < timers.heap[child]->due_ns)
            child++;
        if (timers.heap[child]->due_ns >= t->due_ns)
            break;
        put(place, timers.heap[child]);
        place = child;
    }
    put(place, t);
}

static void take_out(struct timer *t)
{
    size_t place = t->place;
    struct timer *last = timers.heap[timers.n--];
    t->place = 0;
    if (last == t)
        return;
    if (place > 1 && timers.heap[place / 2]->due_ns > last->due_ns)
        sift_up(place, last);
    else
        sift_down(place, last);
}

/* The thread sleeps on when the timer that it sleeps for is cancelled: most are, and a later one
 * need not wake it then. */
static void wait_until(int64_t due_ns)
{
    timers.wakes_ns = due_ns;
    struct timespec ts = {.tv_sec = due_ns / NS_PER_SEC, .tv_nsec = due_ns % NS_PER_SEC};
    pthread_cond_timedwait(&timers.changed, &timers.lock, &ts);
}

static void *timer_thread(void *arg)
{
    (void)arg;
    pthread_mutex_lock(&timers.lock);
    while (!timers.stopping) {
        if (timers.n == 0) {
            timers.wakes_ns = INT64_MAX;
            pthread_cond_wait(&timers.changed, &timers.lock);
            continue;
        }
        struct timer *t = timers.heap[1];
        if (t->due_ns > clock_mono_ns()) {
            wait_until(t->due_ns);
            continue;
        }
        take_out(t);
        t->fire(t);
    }
    pthread_mutex_unlock(&timers.lock);
    return NULL;
}

/* For one more, beside all that a place is kept for. */
static bool make_room(void)
{
    if (timers.n + atomic_load(&timers.n_reserved) + 1 < timers.room)
        return true;
    size_t room = timers.room ? timers.room * 2 : 256;
    struct timer **heap = reallocarray(timers.heap, room, sizeof(struct timer *));
    if (!heap)
        return false;
    timers.heap = heap;
    timers.room = room;
    return true;
}

bool timers_start(void)
{
    if (!make_room())
        return false;
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&timers.changed, &attr);
    pthread_condattr_destroy(&attr);
    timers.stopping = false;
    timers.wakes_ns = INT64_MIN;
    if (pthread_create(&timers.thread, NULL, timer_thread, NULL)) {
        pthread_cond_destroy(&timers.changed);
        return false;
    }
    pthread_setname_np(timers.thread, "timer");
    return true;
}

void timers_stop(void)
{
    pthread_mutex_lock(&timers.lock);
    timers.stopping = true;
    pthread_cond_signal(&timers.changed);
    pthread_mutex_unlock(&timers.lock);
    pthread_join(timers.thread, NULL);
    pthread_cond_destroy(&timers.changed);
    while (timers.n > 0)
        timers.heap[timers.n--]->place = 0;
    free(timers.heap);
    timers.heap = NULL;
    timers.n = timers.room = 0;
}

bool timer_reserve(struct timer *t)
{
    pthread_mutex_lock(&timers.lock);
    t->reserved = make_room();
    if (t->reserved)
        atomic_fetch_add(&timers.n_reserved, 1);
    pthread_mutex_unlock(&timers.lock);
    return t->reserved;
}

void timer_unreserve(struct timer *t)
{
    if (t->reserved)
        atomic_fetch_sub(&timers.n_reserved, 1);
    t->reserved = false;
}

bool timer_arm(struct timer *t, int64_t due_ns, void (*fire)(struct timer *t))
{
    pthread_mutex_lock(&timers.lock);
    bool ok = t->reserved || make_room();
    if (ok) {
        if (t->place)
            take_out(t);
        t->due_ns = due_ns;
        t->fire = fire;
        timers.n++;
        sift_up(timers.n, t);
        if (due_ns < timers.wakes_ns) {
            timers.wakes_ns = due_ns;
            pthread_cond_signal(&timers.changed);
        }
    }
    pthread_mutex_unlock(&timers.lock);
    return ok;
}

bool timer_cancel(struct timer *t)
{
    pthread_mutex_lock(&timers.lock);
    bool was_armed = t->place != 0;
    if (was_armed)
        take_out(t);
    pthread_mutex_unlock(&timers.lock);
    return was_armed;
}
