#include "listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "isobar/clock.h"

struct listener_stats listener_stats;

static const struct listener_ops *const kinds[] = {&listener_sp, &listener_nng};

static atomic_uint connections;

const struct listener_ops *listener_for(const char *url)
{
    const char *end = strstr(url, "://");
    if (!end)
        return NULL;
    size_t len = (size_t)(end - url);
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        for (const char *const *s = kinds[i]->schemes; *s; s++)
            if (strlen(*s) == len && memcmp(*s, url, len) == 0)
                return kinds[i];
    return NULL;
}

bool listener_enter(unsigned connections_max)
{
    listener_count(&listener_stats.accepted, 1);
    if (atomic_fetch_add_explicit(&connections, 1, memory_order_relaxed) < connections_max)
        return true;
    listener_count(&listener_stats.refused, 1);
    return false;
}

void listener_leave(void)
{
    atomic_fetch_sub_explicit(&connections, 1, memory_order_relaxed);
    listener_count(&listener_stats.closed, 1);
}

void listener_address(int family, const void *address, uint16_t port,
                      char out[LISTENER_ADDRESS_MAX])
{
    char text[INET6_ADDRSTRLEN] = "";
    inet_ntop(family, address, text, sizeof(text));
    snprintf(out, LISTENER_ADDRESS_MAX, family == AF_INET6 ? "[%s]:%u" : "%s:%u", text,
             (unsigned)ntohs(port));
}

void listener_local_peer(struct peer *p, uint64_t uid, uint64_t pid, char out[LISTENER_ADDRESS_MAX])
{
    p->local = uid == geteuid() || uid == 0;
    snprintf(out, LISTENER_ADDRESS_MAX, "local:pid %llu", (unsigned long long)pid);
}

bool listener_set_message(struct call *c, const void *data, size_t len)
{
    c->message = len > 0 ? arena_memdup(&c->arena, data, len) : arena_alloc(&c->arena, 1);
    c->message_len = len;
    return c->message != NULL;
}

void listener_cond_init(pthread_cond_t *c)
{
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(c, &attr);
    pthread_condattr_destroy(&attr);
}

bool listener_cond_wait(pthread_cond_t *c, pthread_mutex_t *m, int64_t deadline_ns)
{
    struct timespec until = {.tv_sec = (time_t)(deadline_ns / NS_PER_SEC),
                             .tv_nsec = (long)(deadline_ns % NS_PER_SEC)};
    return pthread_cond_timedwait(c, m, &until) != ETIMEDOUT;
}
