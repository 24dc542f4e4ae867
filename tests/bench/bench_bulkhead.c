/* A slow cloud is alone: 1,000 calls that wait 3 s each on one cloud, and what calls to another
 * cloud and to a method that needs no cloud see of it.
 *
 * Interleaved rounds: unloaded, loaded, unloaded, ... Every slow call has to be answered.
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"
#include "isobar/clock.h"
#include "isobar/envelope.h"

enum { ROUNDS = 5, SLOW_CALLS = 1000, SLOW_CONNECTIONS = 50 };
#define WINDOW_NS (2 * NS_PER_SEC)
#define PAUSE_NS  (200 * NS_PER_US)
#define SLOW_WAIT 60000

struct probe {
    const char *name;
    struct bench_frame frame;
    struct samples quiet, loaded;
};

/* Calls at a steady pace, one after the other, for a while. */
static void measure(int fd, struct probe *probes, size_t n, bool loaded)
{
    uint8_t buf[65536];
    for (int64_t end = bench_now() + WINDOW_NS; bench_now() < end;) {
        for (size_t i = 0; i < n; i++) {
            int64_t start = bench_now();
            size_t len = bench_call(fd, &probes[i].frame, buf, sizeof(buf));
            samples_add(loaded ? &probes[i].loaded : &probes[i].quiet, bench_now() - start);
            isobar__v1__reply__free_unpacked(bench_expect_ok(buf, len), NULL);
        }
        struct timespec pause = {.tv_nsec = PAUSE_NS};
        nanosleep(&pause, NULL);
    }
}

/* Read replies until all have come or nothing comes any more; how many were good. */
static size_t gather(const int *fds, size_t expected)
{
    static uint8_t buf[1 << 20];
    size_t good = 0, seen = 0;
    for (int i = 0; i < SLOW_CONNECTIONS; i++) {
        size_t have = 0, want = expected / SLOW_CONNECTIONS;
        while (want > 0) {
            struct pollfd p = {.fd = fds[i], .events = POLLIN};
            ssize_t n =
                poll(&p, 1, SLOW_WAIT) > 0 ? read(fds[i], buf + have, sizeof(buf) - have) : 0;
            if (n <= 0)
                break;
            have += (size_t)n;
            size_t at = 0;
            while (have - at >= SP_LENGTH_LEN && have - at >= SP_LENGTH_LEN + sp_get64(buf + at)) {
                size_t len = (size_t)sp_get64(buf + at);
                pb_Reply *reply = bench_reply(buf + at, len);
                good += reply->result->code == RESULT_CODE_OK;
                isobar__v1__reply__free_unpacked(reply, NULL);
                at += SP_LENGTH_LEN + len;
                seen++;
                want--;
            }
            memmove(buf, buf + at, have - at);
            have -= at;
        }
    }
    if (seen != expected)
        printf("only %zu of %zu slow calls were answered\n", seen, expected);
    return good;
}

static void get_frame(struct bench_frame *f, const char *cloud, char *id, uint32_t timeout_ms)
{
    pb_GetVmRequest req;
    isobar__v1__get_vm_request__init(&req);
    req.cloud = (char *)(uintptr_t)cloud;
    req.id = id;
    bench_frame(f, "isobar.v1.VmService/GetVm", &req.base, timeout_ms);
}

struct setting {
    struct bench_daemon daemon;
    int fd, slow[SLOW_CONNECTIONS];
    struct bench_frame slow_frame;
    struct probe probes[3];
};

static void probe_vm(struct setting *s, struct bench_frame *f, const char *cloud,
                     uint32_t timeout_ms)
{
    char *id = bench_make_vm(s->fd, cloud, "probe");
    get_frame(f, cloud, id, timeout_ms);
    free(id);
}

static void open_all(struct setting *s)
{
    bench_daemon_start(
        &s->daemon,
        "  fast: {adapter: sandbox, pace_ms: 1}\n"
        "  slow: {adapter: sandbox, pace_ms: 1, latency_ms: 3000, max_in_flight: 1000}\n"
        "  near: {adapter: sandbox, pace_ms: 1, latency_ms: 1}",
        -1);
    s->fd = bench_connect(s->daemon.port);
    for (int i = 0; i < SLOW_CONNECTIONS; i++)
        s->slow[i] = bench_connect(s->daemon.port);
    s->probes[0].name = "another cloud, from memory";
    s->probes[1].name = "another cloud, 1 ms away";
    s->probes[2].name = "no cloud";
    probe_vm(s, &s->probes[0].frame, "fast", 0);
    probe_vm(s, &s->probes[1].frame, "near", 0);
    probe_vm(s, &s->slow_frame, "slow", SLOW_WAIT);
    pb_HealthCheckRequest health;
    grpc__health__v1__health_check_request__init(&health);
    bench_frame(&s->probes[2].frame, "grpc.health.v1.Health/Check", &health.base, 0);
}

static void close_all(struct setting *s)
{
    for (size_t i = 0; i < ARRAY_LEN(s->probes); i++) {
        samples_free(&s->probes[i].quiet);
        samples_free(&s->probes[i].loaded);
        free(s->probes[i].frame.data);
    }
    for (int i = 0; i < SLOW_CONNECTIONS; i++)
        close(s->slow[i]);
    free(s->slow_frame.data);
    close(s->fd);
    bench_daemon_stop(&s->daemon);
}

/* One round; how many of the slow calls were lost. */
static size_t run_round(struct setting *s, int number, double ratios[3])
{
    for (size_t i = 0; i < 3; i++) {
        samples_reset(&s->probes[i].quiet);
        samples_reset(&s->probes[i].loaded);
    }
    measure(s->fd, s->probes, 3, false);
    for (int i = 0; i < SLOW_CALLS; i++)
        bench_send(s->slow[i % SLOW_CONNECTIONS], &s->slow_frame);
    struct timespec settle = {.tv_nsec = 500 * NS_PER_MS};
    nanosleep(&settle, NULL);
    measure(s->fd, s->probes, 3, true);
    size_t lost = SLOW_CALLS - gather(s->slow, SLOW_CALLS);
    for (size_t i = 0; i < 3; i++) {
        double quiet = samples_us(&s->probes[i].quiet, 99);
        double loaded = samples_us(&s->probes[i].loaded, 99);
        ratios[i] = loaded / quiet;
        printf("round %d: %-28s p99 %8.1f us unloaded, %8.1f us loaded: %.2f\n", number,
               s->probes[i].name, quiet, loaded, ratios[i]);
    }
    return lost;
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    static struct setting s;
    open_all(&s);
    size_t lost = 0;
    double ratios[ROUNDS][3], worst = 0;
    for (int r = 0; r < ROUNDS; r++)
        lost += run_round(&s, r + 1, ratios[r]);
    for (size_t i = 0; i < 3; i++) {
        double column[ROUNDS];
        for (int r = 0; r < ROUNDS; r++)
            column[r] = ratios[r][i];
        double m = middle(column, ROUNDS);
        worst = m > worst ? m : worst;
    }
    close_all(&s);
    printf("figure: p99_ratio=%.2f lost=%zu\n", worst, lost);
    return 0;
}
