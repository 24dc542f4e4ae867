/* No faster than a cloud wants it: a token bucket for each class of API, learned from throttles.
 *
 * Belongs to a sender, which is one account at one cloud. Until a cloud has throttled for the first
 * time there is no limit. Any thread; nothing here waits. Times are handed in: CLOCK_MONOTONIC
 * nanoseconds.
 */
#ifndef ISOBAR_KIT_GOVERNOR_H
#define ISOBAR_KIT_GOVERNOR_H

#include <pthread.h>

#include "isobar/base.h"

/* Clouds count them apart. */
enum governor_class { GOVERNOR_READS, GOVERNOR_CHANGES, GOVERNOR_CLASSES };

struct governor {
    pthread_mutex_t lock;
    struct bucket {
        int64_t closed_until_ns; /* the cloud said when to come again */
        int64_t next_ns;         /* the first moment that nobody has reserved */
        double rate;             /* requests a second at cut_ns; 0: no limit */
        double top;              /* the rate at which the cloud throttled */
        int64_t cut_ns;
        int64_t second; /* what is counted in `sent`, and in `sent_before` for the one before */
        unsigned sent, sent_before;
    } buckets[GOVERNOR_CLASSES];
};

void governor_init(struct governor *g);
void governor_done(struct governor *g);

/* Reserve a turn: when the request may leave, `now_ns` where that is at once. Nothing is reserved
 * where the turn would come at `deadline_ns` or later; 0 is returned then, with the turn in
 * `ret_late`. */
int64_t governor_reserve(struct governor *g, enum governor_class class, int64_t now_ns,
                         int64_t deadline_ns, int64_t *ret_late) MUST_USE;
/* Whether a turn that has come is still one: the class may have been closed meanwhile. */
bool governor_turn_holds(struct governor *g, enum governor_class class, int64_t now_ns) MUST_USE;
/* A request leaves. */
void governor_sent(struct governor *g, enum governor_class class, int64_t now_ns);
/* The cloud throttled a request that left at `sent_ns`, and asked to wait; -1: it did not say how
 * long. */
void governor_throttled(struct governor *g, enum governor_class class, int64_t sent_ns,
                        int64_t now_ns, int64_t retry_after_ms);
/* The cloud said, with an answer, how many requests are left to the account for now: the last ones
 * are spread over some seconds, so that there is no throttle. */
void governor_left(struct governor *g, enum governor_class class, int64_t now_ns, int64_t left);
/* Requests a second that are allowed; 0: no limit. */
double governor_rate(struct governor *g, enum governor_class class, int64_t now_ns);

#endif
