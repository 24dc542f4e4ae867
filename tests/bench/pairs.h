/* GetVm through the gateway, next to the same asked of the cloud directly, in pairs. */
#ifndef ISOBAR_BENCH_PAIRS_H
#define ISOBAR_BENCH_PAIRS_H

#include "bench.h"

/* A caller of the gateway. */
struct through {
    int fd;
    struct bench_frame frame;
};
void through_open(struct through *t, int port, const char *cloud, const char *id);
/* To the machine's message in the caller's memory; nanoseconds. */
int64_t through_call(struct through *t);
void through_close(struct through *t);

/* A direct call; nanoseconds. */
typedef int64_t direct_fn(void *ctx);

struct pairs {
    struct samples direct, through, difference;
};
/* The one first that was second before. */
void pairs_measure(struct pairs *p, direct_fn *direct, void *ctx, struct through *t, int n);
void pairs_reset(struct pairs *p);
void pairs_free(struct pairs *p);

#endif
