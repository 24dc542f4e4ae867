/* A cloud goes away for half a minute, under steady calls from many connections: how often it is
 * asked meanwhile, how soon after its return calls succeed again, and what calls to another cloud
 * see of it.
 *
 * It goes away in four ways, one after the other; between them both clouds are well. Both are stubs
 * that answer as OpenStack does, and the first counts what reaches it.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"
#include "isobar/clock.h"
#include "isobar/result.h"
#include "stub.h"

#ifndef BENCH_DATA
#error "BENCH_DATA is the folder of the recorded bodies"
#endif

enum { CALLERS = 24, TIMEOUT_MS = 10000, TICK_MS = 1 };
#define PACE_NS    (100 * NS_PER_MS) /* of each caller */
#define OUTAGE_NS  (30 * NS_PER_SEC)
#define QUIET_NS   (10 * NS_PER_SEC)
#define RECOVER_NS (5 * NS_PER_SEC)
/* The other cloud's p99 is taken in such slices, each with a probe or two of the outage in it, and
 * beside that of a daemon which has no other cloud: what else the machine does concerns both. */
#define SLICE_NS   (5 * NS_PER_SEC)
#define SLICES_MAX 8

static const struct way {
    const char *name;
    enum stub_mood mood;
    bool countable;
} ways[] = {
    {"refuses connections", STUB_GONE, false},
    {"accepts and resets", STUB_CLOSES, true},
    {"accepts and hangs", STUB_HANGS, true},
    {"answers 503", STUB_BUSY, true},
};

/* ---- The callers of the cloud that goes away ---- */

static struct {
    int port;
    struct bench_frame frame;
    atomic_bool over;
    atomic_bool out;            /* the cloud is away */
    atomic_uint calls, refused; /* begun meanwhile; those that failed within 50 ms */
    _Atomic int64_t back_ns;    /* when it came back; 0: it is away */
    _Atomic int64_t first_ok_ns, last_fail_ns;
} callers;

static void note(int64_t begin, int64_t end, bool ok, bool out)
{
    int64_t none = 0;
    if (out && !ok && end - begin < 50 * NS_PER_MS)
        atomic_fetch_add(&callers.refused, 1);
    if (atomic_load(&callers.back_ns) == 0)
        return;
    if (ok) {
        atomic_compare_exchange_strong(&callers.first_ok_ns, &none, end);
        return;
    }
    for (int64_t was = atomic_load(&callers.last_fail_ns); was < end;)
        if (atomic_compare_exchange_weak(&callers.last_fail_ns, &was, end))
            break;
}

static void *call_steadily(void *arg)
{
    uint8_t *buf = malloc(65536);
    int fd = bench_connect(callers.port);
    int64_t next = bench_now() + (intptr_t)arg * (PACE_NS / CALLERS);
    while (!atomic_load(&callers.over)) {
        int64_t begin = bench_now();
        bool out = atomic_load(&callers.out);
        if (begin < next) {
            struct timespec pause = {.tv_nsec = next - begin};
            nanosleep(&pause, NULL);
            continue;
        }
        if (out)
            atomic_fetch_add(&callers.calls, 1);
        pb_Reply *reply = bench_reply(buf, bench_call(fd, &callers.frame, buf, 65536));
        note(begin, bench_now(), result_is_success(reply->result->code), out);
        isobar__v1__reply__free_unpacked(reply, NULL);
        /* Late is late: no burst makes up for it. */
        next = next + PACE_NS > begin ? next + PACE_NS : begin + PACE_NS;
    }
    close(fd);
    free(buf);
    return NULL;
}

/* ---- The other cloud ---- */

struct other {
    int fd, beside; /* to the daemon under test, and to the one that has only this cloud */
    struct bench_frame frame;
    struct samples slice, slice_beside;
};

/* Of each slice of so long a time: the p99, microseconds, and by how much it is that beside. */
struct p99s {
    double us[SLICES_MAX], ratio[SLICES_MAX];
    size_t n;
};

static void call_one(int fd, const struct bench_frame *f, struct samples *ret)
{
    static uint8_t buf[65536];
    struct timespec pause = {.tv_nsec = TICK_MS * NS_PER_MS};
    int64_t start = bench_now();
    size_t len = bench_call(fd, f, buf, sizeof(buf));
    samples_add(ret, bench_now() - start);
    isobar__v1__reply__free_unpacked(bench_expect_ok(buf, len), NULL);
    nanosleep(&pause, NULL);
}

static void call_other(struct other *o, int64_t ns, struct p99s *ret)
{
    int64_t now = bench_now(), end = now + ns, slice_end = now + SLICE_NS;
    ret->n = 0;
    while (now < end) {
        call_one(o->fd, &o->frame, &o->slice);
        call_one(o->beside, &o->frame, &o->slice_beside);
        now = bench_now();
        if (now < slice_end || ret->n == SLICES_MAX)
            continue;
        ret->us[ret->n] = samples_us(&o->slice, 99);
        ret->ratio[ret->n] = ret->us[ret->n] / samples_us(&o->slice_beside, 99);
        ret->n++;
        samples_reset(&o->slice);
        samples_reset(&o->slice_beside);
        slice_end += SLICE_NS;
    }
    samples_reset(&o->slice);
    samples_reset(&o->slice_beside);
}

static double middle_of(const double *a, size_t n_a, const double *b, size_t n_b)
{
    double all[2 * SLICES_MAX];
    memcpy(all, a, n_a * sizeof(double));
    memcpy(all + n_a, b, n_b * sizeof(double));
    return middle(all, n_a + n_b);
}

/* ---- One outage ---- */

struct figures {
    double attempts_ratio, recover_s, p99_ratio;
};

static void worst(struct figures *all, const struct figures *one)
{
    if (one->attempts_ratio > all->attempts_ratio)
        all->attempts_ratio = one->attempts_ratio;
    if (one->recover_s > all->recover_s)
        all->recover_s = one->recover_s;
    if (one->p99_ratio > all->p99_ratio)
        all->p99_ratio = one->p99_ratio;
}

static double seconds_after(int64_t ns, int64_t start)
{
    return ns > start ? (double)(ns - start) / (double)NS_PER_SEC : 0;
}

/* In memory of both; each attempt at a server that hangs or is busy is a request, at one that
 * resets a connection. */
static unsigned attempts(struct stub_control *c, enum stub_mood mood)
{
    return mood == STUB_CLOSES ? atomic_load(&c->connections) : atomic_load(&c->requests);
}

static void go_away(struct other *o, struct stub_control *cloud, const struct way *way,
                    struct p99s *quiet, struct figures *ret)
{
    struct p99s during, after, recovering;
    atomic_store(&callers.back_ns, 0);
    atomic_store(&callers.calls, 0);
    atomic_store(&callers.refused, 0);
    unsigned attempts_before = attempts(cloud, way->mood);
    atomic_store(&cloud->mood, (int)way->mood);
    atomic_store(&callers.out, true);
    call_other(o, OUTAGE_NS, &during);
    unsigned n = attempts(cloud, way->mood) - attempts_before, calls = atomic_load(&callers.calls);
    atomic_store(&callers.out, false);
    atomic_store(&callers.first_ok_ns, 0);
    atomic_store(&callers.last_fail_ns, 0);
    int64_t back = bench_now();
    atomic_store(&cloud->mood, STUB_WELL);
    atomic_store(&callers.back_ns, back);
    call_other(o, RECOVER_NS, &recovering);
    call_other(o, QUIET_NS, &after);

    int64_t first = atomic_load(&callers.first_ok_ns), last = atomic_load(&callers.last_fail_ns);
    ret->attempts_ratio = way->countable && calls > 0 ? (double)n / calls : 0;
    /* Where none came at all, as long as was waited. */
    ret->recover_s = seconds_after(first ? last : bench_now(), back);
    double calm = middle_of(quiet->ratio, quiet->n, after.ratio, after.n);
    double rough = middle(during.ratio, during.n);
    ret->p99_ratio = calm > 0 ? rough / calm : 0;
    printf("%-20s %u calls, ", way->name, calls);
    if (way->countable)
        printf("%u attempts (%.3f), ", n, ret->attempts_ratio);
    printf("%.1f %% told within 50 ms; back: first success after %.2f s, last failure after %.2f "
           "s\n%-20s the other cloud: p99 %.0f us before and after, %.0f us meanwhile; beside a "
           "daemon without outage %.2f and %.2f times: %.2f\n",
           calls ? 100.0 * atomic_load(&callers.refused) / calls : 0,
           seconds_after(first ? first : bench_now(), back), ret->recover_s, "",
           middle_of(quiet->us, quiet->n, after.us, after.n), middle(during.us, during.n), calm,
           rough, ret->p99_ratio);
    fflush(stdout);
    /* After this one is before the next. */
    *quiet = after;
}

/* ---- Setting up ---- */

static void get_frame(struct bench_frame *f, const char *cloud)
{
    pb_GetVmRequest req;
    isobar__v1__get_vm_request__init(&req);
    req.cloud = (char *)(uintptr_t)cloud;
    req.id = (char *)(uintptr_t)STUB_VM;
    bench_frame(f, "isobar.v1.VmService/GetVm", &req.base, TIMEOUT_MS);
}

static void write_clouds(const char *path, const int ports[2])
{
    static const char *const names[] = {"frail", "sound"};
    FILE *f = fopen(path, "we");
    if (!f)
        bench_die("%s: %s", path, strerror(errno));
    fprintf(f, "clouds:\n");
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        fprintf(f,
                "  %s:\n    auth: {auth_url: \"http://127.0.0.1:%d/v3\", username: demo, password: "
                "secret, project_name: demo, user_domain_name: Default, project_domain_name: "
                "Default}\n    region_name: RegionOne\n",
                names[i], ports[i]);
    fclose(f);
}

static void run(const struct bench_daemon *daemon, const struct bench_daemon *beside,
                struct stub_control *frail, struct figures *ret)
{
    struct other other = {.fd = bench_connect(daemon->port), .beside = bench_connect(beside->port)};
    pthread_t threads[CALLERS];
    uint8_t buf[65536];
    callers.port = daemon->port;
    get_frame(&callers.frame, "frail");
    get_frame(&other.frame, "sound");
    /* Tokens and versions are at hand from here on. */
    size_t len = bench_call(other.fd, &callers.frame, buf, sizeof(buf));
    isobar__v1__reply__free_unpacked(bench_expect_ok(buf, len), NULL);
    for (size_t i = 0; i < CALLERS; i++)
        if (pthread_create(&threads[i], NULL, call_steadily, (void *)(intptr_t)i))
            bench_die("no thread");
    struct p99s quiet;
    call_other(&other, NS_PER_SEC, &quiet);
    call_other(&other, QUIET_NS, &quiet);
    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        struct figures one;
        go_away(&other, frail, &ways[i], &quiet, &one);
        worst(ret, &one);
    }
    atomic_store(&callers.over, true);
    for (size_t i = 0; i < CALLERS; i++)
        pthread_join(threads[i], NULL);
    close(other.fd);
    close(other.beside);
    free(other.frame.data);
    free(callers.frame.data);
    samples_free(&other.slice);
    samples_free(&other.slice_beside);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    char dir[] = "/tmp/isobar-bench-XXXXXX", path[128], clouds[512];
    if (!mkdtemp(dir))
        bench_die("mkdtemp: %s", strerror(errno));
    snprintf(path, sizeof(path), "%s/clouds.yaml", dir);
    struct stub_control *frail = stub_control_new();
    int ports[2];
    pid_t stubs[2];
    ports[0] = bench_free_port();
    const struct stub_cloud cloud = stub_openstack(BENCH_DATA);
    stubs[0] = stub_start(ports[0], &cloud, frail);
    ports[1] = bench_free_port();
    stubs[1] = stub_start(ports[1], &cloud, NULL);
    write_clouds(path, ports);
    snprintf(clouds, sizeof(clouds),
             "  sound: {adapter: openstack, cloud: sound, clouds_file: %s}\n"
             "  frail: {adapter: openstack, cloud: frail, clouds_file: %s}",
             path, path);
    struct bench_daemon daemon, beside;
    bench_daemon_start(&daemon, clouds, -1);
    *strchr(clouds, '\n') = '\0';
    bench_daemon_start(&beside, clouds, -1);
    struct figures all = {0};
    run(&daemon, &beside, frail, &all);
    bench_daemon_stop(&daemon);
    bench_daemon_stop(&beside);
    bench_end(stubs[0]);
    bench_end(stubs[1]);
    unlink(path);
    rmdir(dir);
    printf("figure: attempts_ratio=%.3f recover_s=%.2f others_p99_ratio=%.2f\n", all.attempts_ratio,
           all.recover_s, all.p99_ratio);
    return 0;
}
