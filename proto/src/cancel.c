#include "isobar/cancel.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "isobar/clock.h"

/* A futex, so that a thousand sleepers cost nothing until one of them is woken. */
static void futex(struct cancel *c, int what, unsigned value, const struct timespec *until)
{
    syscall(SYS_futex, (uintptr_t)&c->raised, what | FUTEX_PRIVATE_FLAG, value, until, NULL,
            FUTEX_BITSET_MATCH_ANY);
}

void cancel_raise(struct cancel *c)
{
    if (atomic_exchange(&c->raised, 1) == 0)
        futex(c, FUTEX_WAKE_BITSET, 0x7fffffff, NULL);
}

bool cancel_sleep(struct cancel *c, int64_t until_ns)
{
    struct timespec until = {.tv_sec = until_ns / NS_PER_SEC, .tv_nsec = until_ns % NS_PER_SEC};
    while (!cancel_is_raised(c) && clock_mono_ns() < until_ns)
        futex(c, FUTEX_WAIT_BITSET, 0, &until);
    return cancel_is_raised(c);
}
