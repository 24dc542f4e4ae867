/* What the command line and an idle daemon cost: `isobar vm list` from process start to end, beside
 * the start of a process that does nothing and, where it is installed, `openstack server list`;
 * memory of the idle daemon, and how long it takes to be ready.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"
#include "isobar/clock.h"

enum { ROUNDS = 10, RUNS = 20, STARTS = 15 };

/* Nanoseconds from start to end of a program; dies where it fails. */
static int64_t run(char *const argv[])
{
    static int null_fd = -1;
    if (null_fd < 0)
        null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    int status;
    int64_t start = bench_now();
    pid_t pid = bench_spawn(argv, -1, null_fd, NULL);
    waitpid(pid, &status, 0);
    int64_t ns = bench_now() - start;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        bench_die("%s failed", argv[0]);
    return ns;
}

static void measure_starts(double *ret_ready_ms, double *ret_rss_mb)
{
    double ready[STARTS], rss[STARTS];
    for (int i = 0; i < STARTS; i++) {
        struct bench_daemon d;
        bench_daemon_start(&d, "  box: {adapter: sandbox}", -1);
        struct timespec idle = {.tv_nsec = 100 * NS_PER_MS};
        nanosleep(&idle, NULL);
        ready[i] = (double)d.ready_ns / 1e6;
        rss[i] = (double)bench_rss(d.pid) / 1e6;
        bench_daemon_stop(&d);
    }
    *ret_ready_ms = middle(ready, STARTS);
    *ret_rss_mb = middle(rss, STARTS);
}

int main(void)
{
    const char *cli = bench_program("client/isobar");
    if (!cli)
        bench_die("isobar is not built");
    double ready_ms, rss_mb;
    measure_starts(&ready_ms, &rss_mb);
    struct bench_daemon daemon;
    bench_daemon_start(&daemon, "  box: {adapter: sandbox, pace_ms: 1}", -1);
    int fd = bench_connect(daemon.port);
    for (int i = 0; i < 5; i++) {
        char name[16];
        snprintf(name, sizeof(name), "web%d", i);
        free(bench_make_vm(fd, "box", name));
    }
    close(fd);
    char url[128];
    snprintf(url, sizeof(url), "ipc://%s", daemon.socket);
    char *list[] = {(char *)(uintptr_t)cli,   (char *)(uintptr_t) "--server", url,
                    (char *)(uintptr_t) "vm", (char *)(uintptr_t) "list",     NULL};
    char *nothing[] = {(char *)(uintptr_t) "/bin/true", NULL};
    char *theirs[] = {(char *)(uintptr_t) "/usr/bin/openstack", (char *)(uintptr_t) "--version",
                      NULL};
    bool has_theirs = access(theirs[0], X_OK) == 0;
    struct samples ours = {0}, empty = {0}, openstack = {0};
    for (int r = 0; r < ROUNDS; r++) {
        for (int i = 0; i < RUNS; i++) {
            samples_add(&empty, run(nothing));
            samples_add(&ours, run(list));
        }
        if (has_theirs)
            samples_add(&openstack, run(theirs));
    }
    printf("%-36s %8.2f ms\n", "a process that does nothing", samples_us(&empty, 50) / 1000);
    printf("%-36s %8.2f ms (p95 %.2f)\n", "isobar vm list", samples_us(&ours, 50) / 1000,
           samples_us(&ours, 95) / 1000);
    if (has_theirs)
        printf("%-36s %8.2f ms\n", "openstack --version (no call at all)",
               samples_us(&openstack, 50) / 1000);
    double median_ms = samples_us(&ours, 50) / 1000;
    bench_daemon_stop(&daemon);
    samples_free(&ours);
    samples_free(&empty);
    samples_free(&openstack);
    printf("figure: median_ms=%.2f rss_mb=%.1f ready_ms=%.1f\n", median_ms, rss_mb, ready_ms);
    return 0;
}
