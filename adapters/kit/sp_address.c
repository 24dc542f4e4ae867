#include "sp_address.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "isobar/clock.h"
#include "isobar/envelope.h"

/* ---- the URL ---- */

/* HOST, HOST:PORT, [ADDRESS] or [ADDRESS]:PORT. */
static bool split_host(struct sp_address *a, const char *text)
{
    const char *host = text, *end, *rest;

    if (text[0] == '[') {
        host = text + 1;
        end = strchr(host, ']');
        rest = end ? end + 1 : "";
    } else {
        end = rest = text + strcspn(text, ":");
    }
    if (!end || end == host || strcspn(host, "/@ ") < (size_t)(end - host))
        return false;
    a->host = strndup(host, (size_t)(end - host));
    if (!*rest) {
        if (asprintf(&a->port, "%d", ISOBAR_PORT) < 0)
            a->port = NULL;
    } else if (*rest == ':') {
        a->port = strdup(rest + 1);
    }
    if (!a->host || !a->port || !*a->port || strlen(a->port) > 5 ||
        a->port[strspn(a->port, "0123456789")])
        return false;
    long number = strtol(a->port, NULL, 10);
    return number > 0 && number < 65536;
}

static bool init_tcp(struct sp_address *a, const char *scheme, const char *rest)
{
    if (!split_host(a, rest))
        return false;
    bool v6 = strchr(a->host, ':') != NULL;
    if (asprintf(&a->url, "%s://%s%s%s:%s", scheme, v6 ? "[" : "", a->host, v6 ? "]" : "",
                 a->port) < 0)
        a->url = NULL;
    return a->url != NULL;
}

static bool init_ipc(struct sp_address *a, const char *rest)
{
    if (rest[0] != '/' || strlen(rest) >= sizeof(((struct sockaddr_un *)0)->sun_path))
        return false;
    if (asprintf(&a->url, "ipc://%s", rest) < 0)
        a->url = NULL;
    if (a->url)
        a->path = a->url + strlen("ipc://");
    return a->url != NULL;
}

bool sp_address_init(struct sp_address *a, const char *url, struct open_error *ret_error)
{
    const char *wrong = NULL;

    *a = (struct sp_address){0};
    if (strncmp(url, "ipc://", 6) == 0)
        wrong = init_ipc(a, url + 6)
                    ? NULL
                    : "behind ipc:// comes the absolute path of a socket, of at most 107 bytes";
    else if (strncmp(url, "tcp://", 6) == 0)
        wrong = init_tcp(a, "tcp", url + 6) ? NULL : "behind tcp:// comes HOST or HOST:PORT";
    else if (strncmp(url, "tls+tcp://", 10) == 0)
        wrong =
            init_tcp(a, "tls+tcp", url + 10) ? NULL : "behind tls+tcp:// comes HOST or HOST:PORT";
    else
        wrong = "it begins with ipc://, tcp:// or tls+tcp://";
    a->secure = strncmp(url, "tls+", 4) == 0;
    if (!wrong)
        return true;
    snprintf(ret_error->text, sizeof(ret_error->text),
             "\"%.120s\" is not where a gateway can be reached: %s", url, wrong);
    sp_address_done(a);
    return false;
}

void sp_address_done(struct sp_address *a)
{
    tls_client_free(a->tls);
    free(a->url);
    free(a->host);
    free(a->port);
    *a = (struct sp_address){0};
}

/* ---- names ---- */

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

static struct lookup *lookup_new(const struct sp_address *a)
{
    struct lookup *u = calloc(1, sizeof(*u));
    pthread_condattr_t attr;

    if (!u)
        return NULL;
    pthread_mutex_init(&u->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&u->done_cond, &attr);
    pthread_condattr_destroy(&attr);
    u->host = strdup(a->host);
    u->port = strdup(a->port);
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

static bool lookup_start(struct lookup *u)
{
    pthread_attr_t attr;
    pthread_t thread;
    sigset_t all, before;

    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    /* The program's signals are not for this thread. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&thread, &attr, lookup_thread, u);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
    return error == 0;
}

/* Until it is done, `until_ns`, or a cancellation. With the lock held. */
static bool lookup_wait(struct lookup *u, const struct op *op, int64_t until_ns)
{
    while (!u->done && !op_cancelled(op)) {
        int64_t now = clock_mono_ns(), tick = now + SP_CANCEL_TICK_NS;
        if (now >= until_ns)
            break;
        if (tick > until_ns)
            tick = until_ns;
        struct timespec at = {tick / NS_PER_SEC, tick % NS_PER_SEC};
        pthread_cond_timedwait(&u->done_cond, &u->lock, &at);
    }
    return u->done;
}

struct addrinfo *sp_address_resolve(const struct sp_address *a, const struct op *op,
                                    int64_t until_ns, int *ret_error)
{
    struct addrinfo *list;

    *ret_error = look_up(a->host, a->port, AI_NUMERICHOST, &list);
    if (*ret_error != EAI_NONAME)
        return list;
    struct lookup *u = lookup_new(a);
    if (!u || !lookup_start(u)) {
        lookup_free(u);
        *ret_error = EAI_MEMORY;
        return NULL;
    }
    pthread_mutex_lock(&u->lock);
    bool done = lookup_wait(u, op, until_ns);
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
