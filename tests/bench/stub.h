/* A stand-in for a cloud that answers from recorded bodies: the same bytes for every call, so that
 * what is measured is not the cloud.
 */
#ifndef ISOBAR_BENCH_STUB_H
#define ISOBAR_BENCH_STUB_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
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

/* What is answered to which request: the first row that fits; the rest is Not Found. */
struct stub_route {
    const char *method, *path; /* how the path begins */
    const char *body;          /* how the body begins; NULL: anyhow */
    const char *file;          /* of the folder */
};
#define STUB_ROUTES_MAX 8

struct stub_cloud {
    const char *folder;
    const char *type; /* of the answers: "application/json" */
    const struct stub_route *routes;
    size_t n;
    bool keystone; /* gives tokens, with a catalogue that leads back to it */
};
/* An OpenStack, from the *.json in the folder. */
struct stub_cloud stub_openstack(const char *folder);

/* Serve on the port, in a process of its own; always well where `control` is NULL. */
pid_t stub_start(int port, const struct stub_cloud *cloud, struct stub_control *control);

/* The id of the machine in server.json. */
#define STUB_VM    "d967cb97-013a-4ccc-a6ec-eb70623c854e"
#define STUB_TOKEN "stub-token"

#endif
