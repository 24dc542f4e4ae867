/* A flag that is raised once, and that can be slept on: somebody has gone, what is done for them
 * may end. Any thread; all zero is a flag that is not raised.
 */
#ifndef ISOBAR_CANCEL_H
#define ISOBAR_CANCEL_H

#include <stdatomic.h>

#include "isobar/base.h"

struct cancel {
    atomic_uint raised;
};

/* Raise it, and wake who sleeps on it. */
void cancel_raise(struct cancel *c);
static inline bool cancel_is_raised(const struct cancel *c)
{
    return atomic_load_explicit(&c->raised, memory_order_relaxed) != 0;
}
/* Sleep until it is raised, or till a time (CLOCK_MONOTONIC); whether it is raised. */
bool cancel_sleep(struct cancel *c, int64_t until_ns);

#endif
