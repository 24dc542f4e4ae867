#include "resolve.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "isobar/clock.h"

/* Owned by the thread that asks and the one that looks up; the last one frees it. */
struct lookup {
    pthread_mutex_t lock;
    pthread_cond_t done_cond;
    bool done, abandoned;
    int error;
    struct addrinfo *list;
    char *host, *port;
};

static int look_up(const char *host, const char *port, int flags, struct addrinfo **ret)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = flags | AI_NUMERICSERV};
    *ret = NULL;
    return getaddrinfo(host, port, &hints, ret);
}

static void lookup_free(struct lookup *u)
{
    if (!u)
        return;
    if (u->list)
        freeaddrinfo(u->list);
    pthread_cond_destroy(&u->done_cond);
    pthread_mutex_destroy(&u->lock);
    free(u->host);
    free(u->port);
    free(u);
}

static struct lookup *lookup_new(const char *host, const char *port)
{
    struct lookup *u = calloc(1, sizeof *u);
    if (!u)
        return NULL;
    pthread_mutex_init(&u->lock, NULL);
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&u->done_cond, &attr);
    pthread_condattr_destroy(&attr);
    u->host = strdup(host);
    u->port = strdup(port);
    if (u->host && u->port)
        return u;
    lookup_free(u);
    return NULL;
}

static void *lookup_thread(void *arg)
{
    struct lookup *u = arg;
    struct addrinfo *list;
    int error = look_up(u->host, u->port, 0, &list);
    pthread_mutex_lock(&u->lock);
    u->list = list;
    u->error = error;
    u->done = true;
    bool abandoned = u->abandoned;
    pthread_cond_signal(&u->done_cond);
    pthread_mutex_unlock(&u->lock);
    if (abandoned)
        lookup_free(u);
    return NULL;
}

static bool start(struct lookup *u)
{
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    /* The program's signals are not for this thread. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_t thread;
    int error = pthread_create(&thread, &attr, lookup_thread, u);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
    return error == 0;
}

struct addrinfo *resolve(const char *host, const char *port, int64_t deadline_ns, int *ret_error)
{
    struct addrinfo *list;
    *ret_error = look_up(host, port, AI_NUMERICHOST, &list);
    if (*ret_error != EAI_NONAME)
        return list;
    struct lookup *u = lookup_new(host, port);
    if (!u || !start(u)) {
        lookup_free(u);
        *ret_error = EAI_MEMORY;
        return NULL;
    }
    struct timespec until = {deadline_ns / NS_PER_SEC, deadline_ns % NS_PER_SEC};
    pthread_mutex_lock(&u->lock);
    while (!u->done)
        if (pthread_cond_timedwait(&u->done_cond, &u->lock, &until) != 0)
            break;
    bool done = u->done;
    u->abandoned = !done;
    list = u->list;
    *ret_error = done ? u->error : EAI_INPROGRESS;
    if (done)
        u->list = NULL;
    pthread_mutex_unlock(&u->lock);
    if (done)
        lookup_free(u);
    return done ? list : NULL;
}
