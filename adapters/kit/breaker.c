#include "kit/breaker.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "isobar/clock.h"

/* A run of failures opens it: five where there was no answer at all (as many as Envoy's
 * consecutive_5xx and Finagle's failure accrual take). An error of the cloud's own counts half:
 * one request that it cannot digest, tried again and again, does not make a cloud that is down. */
#define POINTS_OPEN  10
#define POINTS_DOWN  2
#define POINTS_ERROR 1
/* So does half of all requests of ten seconds where there were twenty (Hystrix; resilience4j takes
 * the same half): a cloud with one of its two servers gone. */
#define WINDOW_SECONDS 10
#define WINDOW_LEAST   20
/* Hystrix, Polly and resilience4j wait 5 to 60 s before they ask again. Here a cloud that is back
 * is to be noticed within 5 s, and one request in three seconds harms nobody. */
#define PROBE_FIRST_NS (1 * NS_PER_SEC)
#define PROBE_MAX_NS   (3 * NS_PER_SEC)

struct second {
    int64_t number;
    unsigned requests, failures;
};

struct cell {
    char authority[128]; /* "": free */
    uint64_t epoch;      /* another one with each opening, closing and change of hands */
    int64_t used_ns;
    int64_t usual_ns;
    int64_t since_ns; /* the first failure of the run */
    unsigned points;
    struct second window[WINDOW_SECONDS];
    char reason[160];
    bool open;
    int64_t next_ns;     /* the next probe may leave */
    int64_t interval_ns; /* from a probe's failure to the next */
    int64_t probe_ns;    /* the last probe left */
};

struct breakers {
    pthread_mutex_t lock;
    uint64_t epochs;
    struct cell cells[BREAKERS_MAX];
};

struct breakers *breakers_new(void)
{
    struct breakers *b = calloc(1, sizeof(*b));

    if (b)
        pthread_mutex_init(&b->lock, NULL);
    return b;
}

void breakers_free(struct breakers *b)
{
    if (!b)
        return;
    pthread_mutex_destroy(&b->lock);
    free(b);
}

static void copy_text(char *to, size_t room, const char *from, size_t len)
{
    if (len >= room)
        len = room - 1;
    memcpy(to, from, len);
    to[len] = '\0';
}

/* "https://cloud:443" of a URL, without a user's name and password. */
static void authority_of(const char *url, char *to, size_t room)
{
    const char *host = strstr(url, "://"), *at;
    size_t scheme, len;

    host = host ? host + 3 : url;
    scheme = (size_t)(host - url);
    len = strcspn(host, "/?#");
    at = memrchr(host, '@', len);
    if (at) {
        len -= (size_t)(at + 1 - host);
        host = at + 1;
    }
    copy_text(to, room, url, scheme);
    scheme = strlen(to);
    copy_text(to + scheme, room - scheme, host, len);
}

static void cell_close(struct breakers *b, struct cell *c)
{
    c->epoch = ++b->epochs;
    c->open = false;
    c->points = 0;
    memset(c->window, 0, sizeof(c->window));
}

static void cell_open(struct breakers *b, struct cell *c, int64_t now_ns)
{
    c->epoch = ++b->epochs;
    c->open = true;
    c->interval_ns = PROBE_FIRST_NS;
    c->next_ns = now_ns + c->interval_ns;
    c->probe_ns = 0;
}

static struct cell *cell_of(struct breakers *b, const char *authority)
{
    struct cell *oldest = &b->cells[0];

    for (size_t i = 0; i < BREAKERS_MAX; i++) {
        struct cell *c = &b->cells[i];
        if (strcmp(c->authority, authority) == 0)
            return c;
        if (c->used_ns < oldest->used_ns)
            oldest = c;
    }
    memset(oldest, 0, sizeof(*oldest));
    strcpy(oldest->authority, authority);
    cell_close(b, oldest);
    return oldest;
}

static bool cell_enter(struct cell *c, int64_t now_ns, struct breaker_pass *ret,
                       struct breaker_refusal *ret_refusal)
{
    if (c->open && now_ns < c->next_ns) {
        ret_refusal->since_ns = c->since_ns;
        ret_refusal->next_ns = c->next_ns;
        strcpy(ret_refusal->authority, c->authority);
        strcpy(ret_refusal->reason, c->reason);
        return false;
    }
    *ret = (struct breaker_pass){
        .epoch = c->epoch, .began_ns = now_ns, .usual_ns = c->usual_ns, .probe = c->open};
    if (c->open) {
        /* A probe that hangs must not keep the others from finding out that the cloud is back. */
        c->next_ns = now_ns + PROBE_MAX_NS;
        c->probe_ns = now_ns;
    }
    return true;
}

bool breaker_enter(struct breakers *b, const char *url, int64_t now_ns, struct breaker_pass *ret,
                   struct breaker_refusal *ret_refusal)
{
    char authority[sizeof(b->cells->authority)];
    struct cell *c;
    bool passed;

    authority_of(url, authority, sizeof(authority));
    pthread_mutex_lock(&b->lock);
    c = cell_of(b, authority);
    c->used_ns = now_ns;
    passed = cell_enter(c, now_ns, ret, ret_refusal);
    if (passed)
        ret->cell = (size_t)(c - b->cells);
    pthread_mutex_unlock(&b->lock);
    return passed;
}

/* Count one request in the window; whether too many of it failed. */
static bool window_count(struct cell *c, bool failed, int64_t now_ns)
{
    int64_t number = now_ns / NS_PER_SEC;
    struct second *s = &c->window[number % WINDOW_SECONDS];
    unsigned requests = 0, failures = 0;

    if (s->number != number)
        *s = (struct second){.number = number};
    s->requests++;
    s->failures += failed;
    for (size_t i = 0; failed && i < WINDOW_SECONDS; i++)
        if (number - c->window[i].number < WINDOW_SECONDS) {
            requests += c->window[i].requests;
            failures += c->window[i].failures;
        }
    return requests >= WINDOW_LEAST && failures * 2 >= requests;
}

/* The slowest answer of late: one that was quicker brings it down by a sixteenth of itself. */
static void cell_learn(struct cell *c, int64_t took_ns)
{
    int64_t less = c->usual_ns - c->usual_ns / 16;

    c->usual_ns = took_ns > less ? took_ns : less;
}

static void cell_good(struct breakers *b, struct cell *c, const struct breaker_pass *pass,
                      int64_t now_ns)
{
    cell_learn(c, now_ns - pass->began_ns);
    if (c->open)
        cell_close(b, c);
    c->points = 0;
    window_count(c, false, now_ns);
}

static void cell_bad(struct breakers *b, struct cell *c, unsigned points, const char *reason,
                     int64_t now_ns)
{
    bool many;

    copy_text(c->reason, sizeof(c->reason), reason, strlen(reason));
    if (c->open)
        return;
    if (c->points == 0)
        c->since_ns = now_ns;
    c->points += points;
    many = window_count(c, true, now_ns);
    if (many || c->points >= POINTS_OPEN)
        cell_open(b, c, now_ns);
}

/* When to ask again after a probe that found nothing good. The last one decides alone: those that
 * hung before it and end later would put the next one off again and again. */
static void cell_next_probe(struct cell *c, const struct breaker_pass *pass, bool failed,
                            int64_t now_ns)
{
    if (!c->open || !pass->probe || pass->began_ns != c->probe_ns)
        return;
    if (failed)
        c->interval_ns += c->interval_ns / 2;
    if (c->interval_ns > PROBE_MAX_NS)
        c->interval_ns = PROBE_MAX_NS;
    c->next_ns = now_ns + c->interval_ns;
}

bool breaker_leave(struct breakers *b, const struct breaker_pass *pass,
                   enum breaker_verdict verdict, const char *reason, int64_t now_ns)
{
    struct cell *c = &b->cells[pass->cell];
    bool open;

    pthread_mutex_lock(&b->lock);
    /* What left before the last opening or closing is late news. */
    if (c->epoch == pass->epoch) {
        if (verdict == BREAKER_GOOD)
            cell_good(b, c, pass, now_ns);
        else if (verdict == BREAKER_ERROR)
            cell_bad(b, c, POINTS_ERROR, reason, now_ns);
        else if (verdict == BREAKER_DOWN)
            cell_bad(b, c, POINTS_DOWN, reason, now_ns);
        cell_next_probe(c, pass, verdict == BREAKER_ERROR || verdict == BREAKER_DOWN, now_ns);
    }
    open = c->open;
    pthread_mutex_unlock(&b->lock);
    return open;
}
