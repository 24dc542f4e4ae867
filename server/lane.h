/* A lane: a bounded queue and the worker threads that empty it. Each connection has one of its own,
 * so that a slow cloud holds up nobody else.
 *
 * Threads are started when there is work and none is idle, up to the lane's limit, and end when
 * they have been idle for a while.
 */
#ifndef ISOBAR_LANE_H
#define ISOBAR_LANE_H

#include "isobar/base.h"

struct job {
    struct job *next, **prev;   /* in the queue; prev is NULL while it is in none */
    void (*run)(struct job *j); /* on a worker, which then forgets it */
};

struct lane;

struct lane_stats {
    unsigned in_flight, max_in_flight, queued, max_queued;
};

/* NULL where memory is short. The name is that of its threads (at most 15 bytes are shown). */
struct lane *lane_new(const char *name, unsigned max_in_flight, unsigned max_queued);
/* Waits for what runs; jobs still queued are run too. */
void lane_free(struct lane *l);
/* Queue a job. False where the queue is full (or no thread can be had): the job is the caller's. */
bool lane_submit(struct lane *l, struct job *j) MUST_USE;
/* Queue a job whatever the queue's limit: for the next step of what was admitted before. Where no
 * thread can be had now, it waits for the next submission. */
void lane_continue(struct lane *l, struct job *j);
/* Take a job out again that no worker has begun; false where one has, or it is not there. */
bool lane_withdraw(struct lane *l, struct job *j);
void lane_stats(struct lane *l, struct lane_stats *ret);

#endif
