/* Groups of instances, and the choice among them.
 *
 * The choice is Walker's alias method (drawing by weight in constant time), twice, and the less
 * busy of the two: that spreads a load nearly as well as knowing all of them (Mitzenmacher, The
 * Power of Two Choices in Randomized Load Balancing).
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "instances_private.h"
#include "isobar/clock.h"
#include "text_hash.h"

/* Draws before all are looked at. */
#define DRAWS 8
/* Operations whose instance is remembered. */
#define STICKY 1024

/* ---- the table ---- */

struct member {
    struct instance *instance;
    uint64_t weight;
    /* Of those that are drawn, by place: the member itself for what is below `limit` (of the sum
     * of all weights), else `other`. */
    uint64_t limit;
    size_t other;
};

struct group {
    atomic_uint refs;
    char *cloud;
    pthread_mutex_t lock; /* of all that follows */
    struct group_traits traits;
    struct member *members; /* first those that are drawn */
    size_t n, n_drawn;
    uint64_t total;        /* weight of those */
    struct sticky *sticky; /* STICKY of them, from the first operation on; NULL: none yet */
};

struct sticky {
    uint64_t operation, instance;
    size_t place; /* where it was then */
};

struct group *group_new(const char *cloud)
{
    struct group *g = calloc(1, sizeof(*g));

    if (!g)
        return NULL;
    g->cloud = strdup(cloud);
    if (!g->cloud) {
        free(g);
        return NULL;
    }
    atomic_init(&g->refs, 1);
    pthread_mutex_init(&g->lock, NULL);
    return g;
}

struct group *group_hold(struct group *g)
{
    atomic_fetch_add(&g->refs, 1);
    return g;
}

static void members_free(struct member *members, size_t n)
{
    for (size_t i = 0; i < n; i++)
        instance_put(members[i].instance);
    free(members);
}

void group_put(struct group *g)
{
    if (!g || atomic_fetch_sub(&g->refs, 1) != 1)
        return;
    members_free(g->members, g->n);
    pthread_mutex_destroy(&g->lock);
    free(g->sticky);
    free(g->cloud);
    free(g);
}

const char *group_cloud(const struct group *g)
{
    return g->cloud;
}

/* Vose's way of making the table: each place that has less than the average is filled up from one
 * that has more. `places` has room for all. */
static void fill_table(struct member *m, size_t n, uint64_t total, size_t *places)
{
    size_t small = 0, large = n;

    for (size_t i = 0; i < n; i++) {
        m[i].limit = m[i].weight * n;
        m[i].other = i;
        places[m[i].limit < total ? small++ : --large] = i;
    }
    while (small > 0 && large < n) {
        size_t less = places[--small], more = places[large];
        m[less].other = more;
        m[more].limit -= total - m[less].limit;
        if (m[more].limit < total) {
            large++;
            places[small++] = more;
        }
    }
}

bool group_set(struct group *g, const struct group_member *members, size_t n)
{
    struct member *fresh = calloc(n + 1, sizeof(*fresh));
    size_t *places = calloc(n + 1, sizeof(*places)), drawn = 0, last = n;
    uint64_t total = 0;

    if (!fresh || !places) {
        free(fresh);
        free(places);
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        fresh[members[i].weight > 0 ? drawn++ : --last] = (struct member){
            .instance = instance_hold(members[i].instance), .weight = members[i].weight};
        total += members[i].weight;
    }
    fill_table(fresh, drawn, total, places);
    free(places);
    pthread_mutex_lock(&g->lock);
    struct member *old = g->members;
    size_t n_old = g->n;
    g->members = fresh;
    g->n = n;
    g->n_drawn = drawn;
    g->total = total;
    pthread_mutex_unlock(&g->lock);
    members_free(old, n_old);
    return true;
}

void group_set_traits(struct group *g, struct group_traits t)
{
    pthread_mutex_lock(&g->lock);
    g->traits = t;
    pthread_mutex_unlock(&g->lock);
}

struct group_traits group_traits(struct group *g)
{
    pthread_mutex_lock(&g->lock);
    struct group_traits t = g->traits;
    pthread_mutex_unlock(&g->lock);
    return t;
}

size_t group_size(struct group *g)
{
    pthread_mutex_lock(&g->lock);
    size_t n = g->n;
    pthread_mutex_unlock(&g->lock);
    return n;
}

/* ---- the choice; with the lock held ---- */

struct choice {
    struct group *g;
    struct instance *const *tried;
    size_t n_tried;
    int64_t now_ns;
};

static bool is_tried(const struct choice *c, const struct instance *i)
{
    for (size_t k = 0; k < c->n_tried; k++)
        if (c->tried[k] == i)
            return true;
    return false;
}

static bool is_fit(const struct choice *c, const struct member *m)
{
    return !instance_is_down(m->instance, c->now_ns) && !is_tried(c, m->instance);
}

/* xorshift64*, each thread its own. */
static uint64_t draw(void)
{
    static _Thread_local uint64_t x;

    while (x == 0)
        if (getrandom(&x, sizeof(x), 0) != (ssize_t)sizeof(x))
            x = (uint64_t)clock_mono_ns();
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    return x * UINT64_C(2685821657736338717);
}

static const struct member *draw_fit(const struct choice *c)
{
    const struct group *g = c->g;

    for (int i = 0; i < DRAWS; i++) {
        const struct member *m = &g->members[(draw() >> 8) % g->n_drawn];
        if ((draw() >> 8) % g->total >= m->limit)
            m = &g->members[m->other];
        if (is_fit(c, m))
            return m;
    }
    return NULL;
}

/* Most have failed, or all: one that has not, else one that was not tried by this call. */
static const struct member *search(const struct choice *c)
{
    const struct group *g = c->g;
    const struct member *any = NULL;
    size_t first = g->n_drawn ? (draw() >> 8) % g->n_drawn : 0;

    for (size_t k = 0; k < g->n_drawn; k++) {
        const struct member *m = &g->members[(first + k) % g->n_drawn];
        if (is_fit(c, m))
            return m;
        if (!any && !is_tried(c, m->instance))
            any = m;
    }
    return any;
}

static unsigned busy(const struct member *m)
{
    return atomic_load_explicit(&m->instance->in_flight, memory_order_relaxed);
}

static const struct member *choose(const struct choice *c)
{
    const struct member *a = c->g->n_drawn ? draw_fit(c) : NULL;
    const struct member *b = a ? draw_fit(c) : NULL;

    if (!a)
        return search(c);
    return b && busy(b) * a->weight < busy(a) * b->weight ? b : a;
}

/* The member that the operation's calls have gone to, where it still serves. */
static const struct member *stick(const struct choice *c, const struct sticky *s,
                                  uint64_t operation)
{
    const struct group *g = c->g;
    size_t at = s->place;

    if (s->operation != operation)
        return NULL;
    if (at >= g->n || g->members[at].instance->number != s->instance)
        for (at = 0; at < g->n && g->members[at].instance->number != s->instance;)
            at++;
    return at < g->n && is_fit(c, &g->members[at]) ? &g->members[at] : NULL;
}

struct instance *group_take(struct group *g, const char *token, struct instance *const *tried,
                            size_t n_tried)
{
    struct choice c = {.g = g, .tried = tried, .n_tried = n_tried, .now_ns = clock_mono_ns()};
    uint64_t operation = token[0] ? text_hash(token) : 0;

    pthread_mutex_lock(&g->lock);
    /* Where memory is short, it goes where any call goes. */
    if (operation && g->n > 0 && !g->sticky)
        g->sticky = calloc(STICKY, sizeof(*g->sticky));
    struct sticky *s = operation && g->sticky ? &g->sticky[operation % STICKY] : NULL;
    const struct member *m = s ? stick(&c, s, operation) : NULL;
    if (!m)
        m = choose(&c);
    struct instance *i = m ? instance_hold(m->instance) : NULL;
    if (i && s)
        *s = (struct sticky){operation, i->number, (size_t)(m - g->members)};
    if (i)
        atomic_fetch_add(&i->in_flight, 1);
    pthread_mutex_unlock(&g->lock);
    return i;
}
