#include "kit/governor.h"

#include <string.h>

#include "isobar/clock.h"

/* AIMD. The cut and the least rate are those of the AWS SDKs' "adaptive" retry mode; where that
 * grows back by CUBIC (about 4 s from 100 a second), here a straight line regains the rate that was
 * too much in six seconds, and twice of it in 26: then the limit is forgotten. */
#define CUT         0.7
#define RATE_LEAST  0.5
#define GROW_PART   0.05 /* of the rate that was too much, each second */
#define FORGET_PART 2.0
/* The first cut goes no deeper: who was throttled while hardly calling was so because of others. */
#define RATE_FIRST 2.0
/* Turns that nobody took are kept for so long, and may be taken at once. */
#define BURST_NS (NS_PER_SEC / 2)
/* A cloud that says "tomorrow" is asked again before that: it may have been in error. */
#define CLOSED_MAX_NS (300 * NS_PER_SEC)

/* What counts as the last requests, and over how many seconds they are spread. Clouds that say how
 * many are left give some ten new ones a second. */
#define LEFT_SCARCE   50
#define LEFT_SPREAD_S 10.0

void governor_init(struct governor *g)
{
    memset(g, 0, sizeof(*g));
    pthread_mutex_init(&g->lock, NULL);
}

void governor_done(struct governor *g)
{
    pthread_mutex_destroy(&g->lock);
}

/* The rate as it has grown since the cut, or since calls may leave again; forgets the limit when it
 * has grown enough. */
static double bucket_rate(struct bucket *b, int64_t now_ns)
{
    int64_t since = b->closed_until_ns > b->cut_ns ? b->closed_until_ns : b->cut_ns;
    double rate = b->rate;

    if (rate == 0)
        return 0;
    if (now_ns > since)
        rate += (double)(now_ns - since) / (double)NS_PER_SEC * b->top * GROW_PART;
    if (rate < b->top * FORGET_PART)
        return rate;
    b->rate = 0;
    return 0;
}

/* Requests in the last second, from this second's and a part of the one before. */
static double bucket_measured(const struct bucket *b, int64_t now_ns)
{
    int64_t second = now_ns / NS_PER_SEC;
    double gone = (double)(now_ns % NS_PER_SEC) / (double)NS_PER_SEC;

    if (second == b->second)
        return (double)b->sent + (double)b->sent_before * (1 - gone);
    return second == b->second + 1 ? (double)b->sent * (1 - gone) : 0;
}

int64_t governor_reserve(struct governor *g, enum governor_class class, int64_t now_ns,
                         int64_t deadline_ns, int64_t *ret_late)
{
    struct bucket *b = &g->buckets[class];
    int64_t turn = now_ns;
    double rate;

    pthread_mutex_lock(&g->lock);
    rate = bucket_rate(b, now_ns);
    if (b->closed_until_ns > turn)
        turn = b->closed_until_ns;
    if (rate > 0 && b->next_ns > turn)
        turn = b->next_ns;
    if (turn >= deadline_ns) {
        *ret_late = turn;
        turn = 0;
    } else if (rate > 0) {
        if (b->next_ns < turn - BURST_NS)
            b->next_ns = turn - BURST_NS;
        b->next_ns += (int64_t)((double)NS_PER_SEC / rate);
    }
    pthread_mutex_unlock(&g->lock);
    return turn;
}

bool governor_turn_holds(struct governor *g, enum governor_class class, int64_t now_ns)
{
    bool holds;

    pthread_mutex_lock(&g->lock);
    holds = g->buckets[class].closed_until_ns <= now_ns;
    pthread_mutex_unlock(&g->lock);
    return holds;
}

void governor_sent(struct governor *g, enum governor_class class, int64_t now_ns)
{
    struct bucket *b = &g->buckets[class];
    int64_t second = now_ns / NS_PER_SEC;

    pthread_mutex_lock(&g->lock);
    if (second != b->second) {
        b->sent_before = second == b->second + 1 ? b->sent : 0;
        b->sent = 0;
        b->second = second;
    }
    b->sent++;
    pthread_mutex_unlock(&g->lock);
}

/* Requests that were under way together are throttled together: that is one cut. */
static void bucket_cut(struct bucket *b, int64_t sent_ns, int64_t now_ns)
{
    double rate = bucket_rate(b, now_ns), measured = bucket_measured(b, now_ns);
    double least = rate > 0 ? RATE_LEAST : RATE_FIRST;

    if (rate > 0 && sent_ns < b->cut_ns)
        return;
    if (rate > 0 && measured < rate / 2)
        measured = rate / 2;
    b->top = rate > 0 && rate < measured ? rate : measured;
    if (b->top * CUT < least)
        b->top = least / CUT;
    b->rate = b->top * CUT;
    b->cut_ns = now_ns;
    if (rate == 0)
        b->next_ns = now_ns;
}

void governor_throttled(struct governor *g, enum governor_class class, int64_t sent_ns,
                        int64_t now_ns, int64_t retry_after_ms)
{
    struct bucket *b = &g->buckets[class];
    int64_t closed =
        retry_after_ms < CLOSED_MAX_NS / NS_PER_MS ? retry_after_ms * NS_PER_MS : CLOSED_MAX_NS;

    pthread_mutex_lock(&g->lock);
    bucket_cut(b, sent_ns, now_ns);
    if (retry_after_ms > 0 && now_ns + closed > b->closed_until_ns)
        b->closed_until_ns = now_ns + closed;
    pthread_mutex_unlock(&g->lock);
}

void governor_left(struct governor *g, enum governor_class class, int64_t now_ns, int64_t left)
{
    struct bucket *b = &g->buckets[class];
    double wanted = (double)left / LEFT_SPREAD_S, rate;

    if (left >= LEFT_SCARCE)
        return;
    if (wanted < RATE_LEAST)
        wanted = RATE_LEAST;
    pthread_mutex_lock(&g->lock);
    rate = bucket_rate(b, now_ns);
    if (rate == 0 || wanted < rate) {
        b->rate = wanted;
        b->top = wanted / CUT;
        b->cut_ns = now_ns;
        if (rate == 0)
            b->next_ns = now_ns;
    }
    pthread_mutex_unlock(&g->lock);
}

double governor_rate(struct governor *g, enum governor_class class, int64_t now_ns)
{
    double rate;

    pthread_mutex_lock(&g->lock);
    rate = bucket_rate(&g->buckets[class], now_ns);
    pthread_mutex_unlock(&g->lock);
    return rate;
}
