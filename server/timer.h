/* Timers: one thread, one heap. A call-back runs on the timer thread with the timers' lock held:
 * it is short, and calls nothing of this file.
 */
#ifndef ISOBAR_TIMER_H
#define ISOBAR_TIMER_H

#include "isobar/base.h"

struct timer {
    int64_t due_ns; /* CLOCK_MONOTONIC */
    void (*fire)(struct timer *t);
    size_t place;  /* in the heap, from 1; 0: not armed */
    bool reserved; /* a place is kept for it */
};

bool timers_start(void) MUST_USE;
/* No timer fires any more afterwards, and none is armed. */
void timers_stop(void);
/* Keep a place for a timer, for what must go on whatever becomes of the memory: arming it cannot
 * fail from then on. False where memory is short. */
bool timer_reserve(struct timer *t) MUST_USE;
/* Its place is not needed any more; it is not armed. Any thread, with any lock. */
void timer_unreserve(struct timer *t);
/* Arm it, or move it. False where memory is short and no place is kept for it. */
bool timer_arm(struct timer *t, int64_t due_ns, void (*fire)(struct timer *t)) MUST_USE;
/* After it returns, the call-back neither runs nor will. True where it had not fired. */
bool timer_cancel(struct timer *t);

#endif
