/* Which jobs a lane takes, and which of those that wait it gives up: arithmetic alone, without
 * clock, lock or thread. The lane calls it with its lock held and the present time.
 *
 * A lane that has not refused anybody takes whatever its queue holds, and nobody is given up: a
 * burst waits its time. It is overloaded when it has to refuse because the queue is full, and the
 * queue has been bad for a whole interval before: each job that a worker took had waited longer
 * than a job runs. From then on one job a worker may wait, which keeps every worker busy and makes
 * the wait about as long as a job runs; what was queued before and has waited longer than two is
 * shed. It is over when nobody has been refused or shed for an interval.
 *
 * This is the controlled delay of Nichols and Jacobson (Controlling Queue Delay, ACM Queue 2012:
 * target 5 ms, interval 100 ms) in the form that Facebook runs (Maurer, Fail at Scale, ACM Queue
 * 2015: the wait is short where the queue was not empty for the last 100 ms; folly's and wangle's
 * Codel shed at twice the target). There the two times are constants; here they are the least, and
 * else follow what jobs of this lane take, since a cloud may take 3 ms for a job or 3 s.
 */
#ifndef ISOBAR_ADMISSION_H
#define ISOBAR_ADMISSION_H

#include "isobar/base.h"

struct admission {
    unsigned workers, max_queued;
    unsigned n_served;  /* jobs that made the mean, as far as that matters */
    int64_t mean_ns;    /* how long a job runs, of late; 0: not known */
    int64_t last_ns;    /* how long the last one ran */
    int64_t good_ns;    /* when the queue was last seen to be good */
    int64_t refused_ns; /* when somebody was last refused or shed */
    bool overloaded;
    uint64_t n_refused, n_shed; /* for ever */
};

void admission_init(struct admission *a, unsigned workers, unsigned max_queued);
/* Whether one more may wait, with so many waiting and running; the deadline is INT64_MAX where
 * there is none. One that would not get its turn before its deadline is refused too, but only where
 * every worker has another job to come first: with less the estimate says little. */
bool admission_take(struct admission *a, int64_t now_ns, unsigned waiting, unsigned running,
                    int64_t deadline_ns) MUST_USE;
/* Whether a job that a worker has taken from the queue is to run; false: shed it. Those that may
 * not be shed are told of as well. */
bool admission_begin(struct admission *a, int64_t now_ns, int64_t queued_ns,
                     bool may_shed) MUST_USE;
/* A job has run for so long. */
void admission_served(struct admission *a, int64_t ns);
/* How long one that came now would wait, behind so many. 0 where it is not known. */
int64_t admission_wait_ns(const struct admission *a, unsigned waiting);
/* When one that was refused is to try again, milliseconds. */
uint32_t admission_retry_ms(const struct admission *a, unsigned waiting);

#endif
