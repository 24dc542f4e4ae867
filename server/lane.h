/* A lane: a bounded queue and the worker threads that empty it. Each connection has one of its own,
 * so that a slow cloud holds up nobody else.
 *
 * Threads are started when there is work and none is idle, up to the lane's limit, and end when
 * they have been idle for a while. One is there from the beginning to the end: what is queued is
 * run, also where the system has no thread to give any more.
 */
#ifndef ISOBAR_LANE_H
#define ISOBAR_LANE_H

#include "isobar/base.h"

struct job {
    void (*run)(struct job *j); /* on a worker, which then forgets it */
    /* Instead of run, and as that, where the lane is overloaded and the job has waited too long for
     * others to have their turn in time: answer Overloaded. NULL: it is never shed. */
    void (*shed)(struct job *j);
    int64_t deadline_ns; /* one that cannot begin by then is not taken; 0: none */

    /* The lane's. */
    struct job *next, **prev; /* in the queue; prev is NULL while it is in none */
    int64_t queued_ns;
};

struct lane;

struct lane_stats {
    unsigned in_flight, max_in_flight, queued, max_queued; /* a place reserved counts as queued */
    bool overloaded;
    uint64_t refused, shed; /* since its beginning */
    int64_t service_ns;     /* how long a job runs, of late; 0: not known */
};

/* NULL where memory is short, or no thread can be had. The name is that of its threads (at most 15
 * bytes are shown). */
struct lane *lane_new(const char *name, unsigned max_in_flight, unsigned max_queued);
/* Waits for what runs; jobs still queued are run too. No place is reserved any more. */
void lane_free(struct lane *l);
/* Queue a job. False where the queue is full, the lane is overloaded (admission.h), or the job
 * would not begin before its deadline: the job is the caller's. */
bool lane_submit(struct lane *l, struct job *j) MUST_USE;
/* The same in two steps, for who must do something between the promise of a place and the job: take
 * a place, which counts as a job that waits, and use it or give it back. Only the first can fail.
 * What must run from then on has no j->shed. */
bool lane_reserve(struct lane *l, int64_t deadline_ns) MUST_USE;
void lane_submit_reserved(struct lane *l, struct job *j);
void lane_unreserve(struct lane *l);
/* When one that was refused or shed is to try again, for its retry hint; milliseconds. */
uint32_t lane_retry_ms(struct lane *l);
/* Queue a job whatever the queue's limit, never to be shed: for the next step of what was admitted
 * before. */
void lane_continue(struct lane *l, struct job *j);
/* Take a job out again that no worker has begun; false where one has, or it is not there. */
bool lane_withdraw(struct lane *l, struct job *j);
void lane_stats(struct lane *l, struct lane_stats *ret);

#endif
