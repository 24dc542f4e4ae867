/* What the benches share: a daemon under test, a bare socket client, and figures.
 *
 * Everything is on loopback, is bounded, and stops by itself. A bench prints; it never fails on a
 * time.
 */
#ifndef ISOBAR_BENCH_H
#define ISOBAR_BENCH_H

#include <sys/types.h>

#include "isobar/arena.h"
#include "isobar/pb.h"

/* End the program with words where something that a bench needs does not work. */
void bench_die(const char *fmt, ...) PRINTF(1, 2) __attribute__((noreturn));
/* A program of the build, by its path in it ("server/isobard"): $ISOBAR_BUILD says where that is.
 * Static storage for each; NULL where there is none. */
const char *bench_program(const char *path);
/* The present time, nanoseconds. */
int64_t bench_now(void);
/* Keep this thread, and the processes that it starts, on one core (the first, where there is no
 * such one); -1: on any. */
void bench_pin(int core);
/* A TCP port of 127.0.0.1 that was free a moment ago. */
int bench_free_port(void);
/* Whether something accepts connections there within so long. */
bool bench_wait_port(int port, int ms);
/* Run a program with standard output to `out_fd` (-1: this one's) and standard error to a file. */
pid_t bench_spawn(char *const argv[], int core, int out_fd, const char *stderr_path);
/* End a process that bench_spawn started: SIGTERM, and wait. */
void bench_end(pid_t pid);

/* An isobard under test. */
struct bench_daemon {
    pid_t pid;
    int port;
    int64_t ready_ns; /* from its start to its first answer */
    char dir[64];     /* holds its configuration, socket and log */
    char socket[96];
};
/* Start the build's; `clouds` is the text under `clouds:` in YAML, indented. The core as in
 * bench_pin(). */
void bench_daemon_start(struct bench_daemon *d, const char *clouds, int core);
/* End it as an init system does, and start it again with the same state. */
void bench_daemon_restart(struct bench_daemon *d, int core);
void bench_daemon_stop(struct bench_daemon *d);
/* Resident memory of a process, bytes. */
size_t bench_rss(pid_t pid);

/* A serialised call, framed for TCP, ready to be sent any number of times. */
struct bench_frame {
    uint8_t *data;
    size_t len;
};
void bench_frame(struct bench_frame *ret, const char *method, const ProtobufCMessage *request,
                 uint32_t timeout_ms);
/* A blocking connection after the SP handshake. */
int bench_connect(int port);
/* Send a frame, and read the whole reply into `buf`; its length without the length's own bytes. */
size_t bench_call(int fd, const struct bench_frame *f, uint8_t *buf, size_t room);
void bench_send(int fd, const struct bench_frame *f);
size_t bench_receive(int fd, uint8_t *buf, size_t room);
/* The Reply in what bench_call() got, from malloc; dies where it is none. */
pb_Reply *bench_reply(const uint8_t *buf, size_t len);
/* The same, and dies where the result is no success. */
pb_Reply *bench_expect_ok(const uint8_t *buf, size_t len);

/* Times, in nanoseconds. */
struct samples {
    int64_t *values;
    size_t n, room;
};
void samples_add(struct samples *s, int64_t ns);
/* In microseconds; sorts them. p in 0..100. */
double samples_us(struct samples *s, double p);
double samples_mean_us(const struct samples *s);
void samples_reset(struct samples *s);
void samples_free(struct samples *s);
/* The middle one of n figures; sorts them. */
double middle(double *values, size_t n);

/* Make a machine in a sandbox cloud and return its id, from malloc. */
char *bench_make_vm(int fd, const char *cloud, const char *name);
/* The same in any cloud. */
char *bench_make_vm_of(int fd, const char *cloud, const char *name, const char *flavor,
                       const char *image);

#endif
