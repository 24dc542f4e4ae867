/* A stand-in for OpenStack that answers from recorded bodies: the same bytes for every call, so
 * that what is measured is not the cloud.
 */
#ifndef ISOBAR_BENCH_STUB_H
#define ISOBAR_BENCH_STUB_H

#include <stdatomic.h>
#include <sys/types.h>

/* How the cloud fares. A connection ends with the mood in which it began. */
enum stub_mood {
    STUB_WELL,
    STUB_GONE,   /* nobody listens */
    STUB_CLOSES, /* accepts, and resets at once */
    STUB_HANGS,  /* reads, and never answers */
    STUB_BUSY,   /* 503 */
    STUB_MOODS
};

/* In memory that both processes see. */
struct stub_control {
    atomic_int mood;
    atomic_uint connections, requests; /* that came, ever */
};
struct stub_control *stub_control_new(void);

/* Serve on the port, in a process of its own, from the *.json in the folder; always well where
 * `control` is NULL. */
pid_t stub_start(int port, const char *folder, struct stub_control *control);

/* The id of the machine in server.json. */
#define STUB_VM    "d967cb97-013a-4ccc-a6ec-eb70623c854e"
#define STUB_TOKEN "stub-token"

#endif
