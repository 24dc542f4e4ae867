/* Points at which a test may have the process die, as kill -9 would.
 *
 * ISOBAR_KILL_AT=NAME[:N] in the environment of a daemon ends it with SIGKILL when the point is
 * passed for the N-th time (the first, where N is missing). Nothing runs any more after it: no
 * handler, no flush. Without the variable a point costs one load.
 */
#ifndef ISOBAR_POINT_H
#define ISOBAR_POINT_H

#include "isobar/base.h"

/* Read the environment; once, before any thread is started. False where the value is no such point
 * or number: the process should then not start. */
bool points_init(void) MUST_USE;
/* The points there are, ended by NULL. */
extern const char *const point_names[];
extern bool points_armed;
void point_passed(const char *name);

/* Pass a point of this name. Any thread. */
static inline void point(const char *name)
{
    if (points_armed)
        point_passed(name);
}

#endif
