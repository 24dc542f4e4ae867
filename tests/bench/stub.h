/* A stand-in for OpenStack that answers from recorded bodies: the same bytes for every call, so
 * that what is measured is not the cloud.
 */
#ifndef ISOBAR_BENCH_STUB_H
#define ISOBAR_BENCH_STUB_H

#include <sys/types.h>

/* Serve on the port, in a process of its own, from the *.json in the folder. */
pid_t stub_start(int port, const char *folder);

/* The id of the machine in server.json. */
#define STUB_VM    "d967cb97-013a-4ccc-a6ec-eb70623c854e"
#define STUB_TOKEN "stub-token"

#endif
