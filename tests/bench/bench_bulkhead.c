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
    double ratio;
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

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    struct bench_daemon daemon;
    bench_daemon_start(
        &daemon,
        "  fast: {adapter: sandbox, pace_ms: 1}\n"
        "  slow: {adapter: sandbox, pace_ms: 1, latency_ms: 3000, max_in_flight: 1000}\n"
        "  laned: {adapter: sandbox, pace_ms: 1, latency_ms: 1}",
        -1);
    int fd = bench_connect(daemon.port), slow[SLOW_CONNECTIONS];
    for (int i = 0; i < SLOW_CONNECTIONS; i++)
        slow[i] = bench_connect(daemon.port);
    char *fast_id = bench_make_vm(fd, "fast", "probe");
    char *laned_id = bench_make_vm(fd, "laned", "probe");
    char *slow_id = bench_make_vm(fd, "slow", "target");
    static struct probe probes[3] = {{.name = "another cloud, from memory"},
                                     {.name = "another cloud, 1 ms away"},
                                     {.name = "no cloud"}};
    get_frame(&probes[0].frame, "fast", fast_id, 0);
    get_frame(&probes[1].frame, "laned", laned_id, 0);
    pb_HealthCheckRequest health;
    grpc__health__v1__health_check_request__init(&health);
    bench_frame(&probes[2].frame, "grpc.health.v1.Health/Check", &health.base, 0);
    struct bench_frame slow_frame;
    get_frame(&slow_frame, "slow", slow_id, SLOW_WAIT);

    size_t lost = 0;
    double ratios[ROUNDS][3];
    for (int r = 0; r < ROUNDS; r++) {
        for (size_t i = 0; i < 3; i++) {
            samples_reset(&probes[i].quiet);
            samples_reset(&probes[i].loaded);
        }
        measure(fd, probes, 3, false);
        for (int i = 0; i < SLOW_CALLS; i++)
            bench_send(slow[i % SLOW_CONNECTIONS], &slow_frame);
        struct timespec settle = {.tv_nsec = 500 * NS_PER_MS};
        nanosleep(&settle, NULL);
        measure(fd, probes, 3, true);
        lost += SLOW_CALLS - gather(slow, SLOW_CALLS);
        for (size_t i = 0; i < 3; i++) {
            double quiet = samples_us(&probes[i].quiet, 99);
            double loaded = samples_us(&probes[i].loaded, 99);
            ratios[r][i] = loaded / quiet;
            printf("round %d: %-28s p99 %8.1f us unloaded, %8.1f us loaded: %.2f\n", r + 1,
                   probes[i].name, quiet, loaded, ratios[r][i]);
        }
    }
    double worst = 0;
    for (size_t i = 0; i < 3; i++) {
        double column[ROUNDS];
        for (int r = 0; r < ROUNDS; r++)
            column[r] = ratios[r][i];
        double m = middle(column, ROUNDS);
        worst = m > worst ? m : worst;
        samples_free(&probes[i].quiet);
        samples_free(&probes[i].loaded);
        free(probes[i].frame.data);
    }
    for (int i = 0; i < SLOW_CONNECTIONS; i++)
        close(slow[i]);
    close(fd);
    bench_daemon_stop(&daemon);
    free(slow_frame.data);
    free(fast_id);
    free(laned_id);
    free(slow_id);
    printf("figure: p99_ratio=%.2f lost=%zu\n", worst, lost);
    return 0;
}
