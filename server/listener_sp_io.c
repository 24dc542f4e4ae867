#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "isobar/clock.h"
#include "listener_sp.h"

#define EVENTS_MAX 128
/* Times are looked at this seldom, so that many connections with a time set cost little. */
#define TIMED_SLACK_NS (20 * NS_PER_MS)

static _Thread_local const struct sp_io *here;

/* In an inbox whose thread has ended. */
static struct call inbox_closed;

bool sp_io_is_here(const struct sp_io *io)
{
    return here == io;
}

void sp_io_ref(struct sp_io *io)
{
    atomic_fetch_add_explicit(&io->refs, 1, memory_order_relaxed);
}

void sp_io_unref(struct sp_io *io)
{
    if (atomic_fetch_sub_explicit(&io->refs, 1, memory_order_acq_rel) != 1)
        return;
    if (io->wake.fd >= 0)
        close(io->wake.fd);
    if (io->epoll >= 0)
        close(io->epoll);
    pthread_mutex_destroy(&io->lock);
    free(io);
}

bool sp_io_watch(struct sp_io *io, struct sp_source *s, uint32_t events)
{
    struct epoll_event ev = {.events = events, .data.ptr = s};
    return epoll_ctl(io->epoll, EPOLL_CTL_ADD, s->fd, &ev) == 0;
}

void sp_io_rewatch(struct sp_io *io, struct sp_source *s, uint32_t events)
{
    struct epoll_event ev = {.events = events, .data.ptr = s};
    epoll_ctl(io->epoll, EPOLL_CTL_MOD, s->fd, &ev);
}

void sp_io_unwatch(struct sp_io *io, struct sp_source *s)
{
    /* Closing it is not enough: a process that is just being started may hold a copy. */
    epoll_ctl(io->epoll, EPOLL_CTL_DEL, s->fd, NULL);
}

void sp_io_arm(struct sp_io *io, struct sp_timed *t, int64_t due_ns)
{
    if (!t->armed)
        LIST_INSERT_HEAD(&io->timed, t, list);
    t->armed = true;
    t->due_ns = due_ns;
    if (due_ns < io->next_due_ns)
        io->next_due_ns = due_ns;
}

void sp_io_disarm(struct sp_timed *t)
{
    if (t->armed)
        LIST_REMOVE(t, list);
    t->armed = false;
}

static void fire_timed(struct sp_io *io)
{
    if (io->next_due_ns == INT64_MAX)
        return;
    int64_t now = clock_mono_ns();
    if (now < io->next_due_ns)
        return;
    int64_t next = INT64_MAX;
    struct sp_timed *t = LIST_FIRST(&io->timed);
    io->next_due_ns = INT64_MAX;
    while (t) {
        struct sp_timed *after = LIST_NEXT(t, list);
        if (t->due_ns <= now) {
            sp_io_disarm(t);
            t->fire(t);
        } else if (t->due_ns < next) {
            next = t->due_ns;
        }
        t = after;
    }
    if (next < now + TIMED_SLACK_NS)
        next = now + TIMED_SLACK_NS;
    if (next < io->next_due_ns)
        io->next_due_ns = next;
}

static void wake(struct sp_io *io)
{
    uint64_t one = 1;
    ssize_t n UNUSED = write(io->wake.fd, &one, sizeof(one));
}

static void woken(struct sp_source *s, uint32_t events UNUSED)
{
    CONTAINER_OF(s, struct sp_io, wake)->woken = true;
}

void sp_io_post(struct sp_io *io, struct sp_task *t)
{
    t->next = NULL;
    pthread_mutex_lock(&io->lock);
    *io->last_task = t;
    io->last_task = &t->next;
    pthread_mutex_unlock(&io->lock);
    wake(io);
}

static void run_tasks(struct sp_io *io)
{
    if (!io->woken)
        return;
    io->woken = false;
    pthread_mutex_lock(&io->lock);
    struct sp_task *t = io->tasks;
    io->tasks = NULL;
    io->last_task = &io->tasks;
    pthread_mutex_unlock(&io->lock);
    while (t) {
        struct sp_task *next = t->next;
        t->run(io, t);
        t = next;
    }
}

bool sp_io_post_reply(struct sp_io *io, struct call *c)
{
    struct call *head = atomic_load_explicit(&io->inbox, memory_order_relaxed);
    /* Once the call is posted the thread may answer it, and end: hold on to it. */
    sp_io_ref(io);
    do {
        if (head == &inbox_closed) {
            sp_io_unref(io);
            return false;
        }
        c->next = head;
    } while (!atomic_compare_exchange_weak(&io->inbox, &head, c));
    /* Who finds it empty wakes the thread, unless that looks at its inbox anyway before it waits:
     * it says that it sleeps first, and looks then; we post first, and look then. */
    if (!head && atomic_load(&io->asleep) && atomic_exchange(&io->asleep, false))
        wake(io);
    sp_io_unref(io);
    return true;
}

static void answer_all(struct call *newest)
{
    struct call *first = NULL;
    while (newest) {
        struct call *next = newest->next;
        newest->next = first;
        first = newest;
        newest = next;
    }
    while (first) {
        struct call *next = first->next;
        first->next = NULL;
        sp_link_answer(first);
        first = next;
    }
}

static void drain_inbox(struct sp_io *io)
{
    if (atomic_load_explicit(&io->inbox, memory_order_relaxed))
        answer_all(atomic_exchange_explicit(&io->inbox, NULL, memory_order_acquire));
}

/* One round: who wants another turn waits for the next. */
static void run_pending(struct sp_io *io)
{
    const struct sp_link *last = TAILQ_LAST(&io->pending, sp_queue);
    bool more = last != NULL;
    while (more) {
        struct sp_link *k = TAILQ_FIRST(&io->pending);
        TAILQ_REMOVE(&io->pending, k, queue);
        k->pending = false;
        more = k != last;
        sp_link_turn(k);
    }
}

static int wait_ms(struct sp_io *io)
{
    if (!TAILQ_EMPTY(&io->pending))
        return 0;
    int ms = io->next_due_ns == INT64_MAX ? -1 : clock_ms_left(io->next_due_ns);
    atomic_store(&io->asleep, true);
    if (atomic_load(&io->inbox))
        ms = 0;
    return ms;
}

static void publish(struct sp_io *io)
{
    if (io->bytes_in)
        listener_count(&listener_stats.bytes_in, io->bytes_in);
    if (io->bytes_out)
        listener_count(&listener_stats.bytes_out, io->bytes_out);
    io->bytes_in = 0;
    io->bytes_out = 0;
}

static void *run(void *arg)
{
    struct sp_io *io = arg;
    here = io;
    struct epoll_event events[EVENTS_MAX];
    while (!atomic_load_explicit(&io->stop, memory_order_relaxed)) {
        int n = epoll_wait(io->epoll, events, EVENTS_MAX, wait_ms(io));
        atomic_store_explicit(&io->asleep, false, memory_order_relaxed);
        /* A connection is freed only by its own event or after this loop, so no event is stale. */
        for (int i = 0; i < n; i++) {
            struct sp_source *s = events[i].data.ptr;
            s->ready(s, events[i].events);
        }
        run_tasks(io);
        drain_inbox(io);
        run_pending(io);
        fire_timed(io);
        publish(io);
    }
    answer_all(atomic_exchange(&io->inbox, &inbox_closed));
    return NULL;
}

static struct sp_io *io_new(void)
{
    struct sp_io *io = calloc(1, sizeof(*io));
    if (!io)
        return NULL;
    atomic_init(&io->refs, 1);
    pthread_mutex_init(&io->lock, NULL);
    io->last_task = &io->tasks;
    LIST_INIT(&io->links);
    TAILQ_INIT(&io->pending);
    LIST_INIT(&io->timed);
    io->next_due_ns = INT64_MAX;
    io->epoll = epoll_create1(EPOLL_CLOEXEC);
    io->wake = (struct sp_source){.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), .ready = woken};
    if (io->epoll < 0 || io->wake.fd < 0 || !sp_io_watch(io, &io->wake, EPOLLIN | EPOLLET)) {
        sp_io_unref(io);
        return NULL;
    }
    return io;
}

/* Signals are for the main thread; SIGPIPE is for nobody. */
static bool start_thread(struct sp_io *io)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool ok = pthread_create(&io->thread, NULL, run, io) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return ok;
}

struct sp_io *sp_io_start(unsigned number)
{
    struct sp_io *io = io_new();
    if (!io)
        return NULL;
    if (!start_thread(io)) {
        sp_io_unref(io);
        return NULL;
    }
    char name[16];
    snprintf(name, sizeof(name), "isobar-io-%u", number % 1000);
    pthread_setname_np(io->thread, name);
    return io;
}

void sp_io_stop(struct sp_io *io)
{
    atomic_store(&io->stop, true);
    wake(io);
    pthread_join(io->thread, NULL);
    sp_io_unref(io);
}

struct sync_task {
    struct sp_task task;
    void (*fn)(struct sp_io *io, void *ctx);
    void *ctx;
    pthread_mutex_t lock;
    pthread_cond_t cond;
    bool done;
};

static void run_sync(struct sp_io *io, struct sp_task *t)
{
    struct sync_task *s = CONTAINER_OF(t, struct sync_task, task);
    s->fn(io, s->ctx);
    pthread_mutex_lock(&s->lock);
    s->done = true;
    pthread_cond_signal(&s->cond);
    pthread_mutex_unlock(&s->lock);
}

void sp_io_call(struct sp_io *io, void (*fn)(struct sp_io *io, void *ctx), void *ctx)
{
    struct sync_task s = {.task.run = run_sync, .fn = fn, .ctx = ctx};
    pthread_mutex_init(&s.lock, NULL);
    pthread_cond_init(&s.cond, NULL);
    sp_io_post(io, &s.task);
    pthread_mutex_lock(&s.lock);
    while (!s.done)
        pthread_cond_wait(&s.cond, &s.lock);
    pthread_mutex_unlock(&s.lock);
    pthread_mutex_destroy(&s.lock);
    pthread_cond_destroy(&s.cond);
}
