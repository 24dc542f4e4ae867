/* Ten times what the daemon can take: how much of its best it still does, how long those that it
 * admits wait, how soon the others are told, and what memory that takes.
 *
 *     bench_overload [SECONDS of overload, 60]
 *
 * The peak is found closed-loop, then calls come open-loop: at 80 % of it, and at ten times. A
 * call's time runs from when it was due, not from when it could be sent. Twice: for a cloud 20 ms
 * away, where the lane is what is full, and for calls that need memory only, where the CPU is. The
 * daemon has one core, the generator the other.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"
#include "isobar/clock.h"
#include "isobar/envelope.h"
#include "isobar/result.h"

enum { LINKS = 64, DAEMON_CORE = 0, OUR_CORE = 1, TIMEOUT_MS = 1000 };
/* Calls that are due are sent this often. */
#define TICK_NS (250 * NS_PER_US)
/* What waits for a connection to take it; more is not sent, and is counted. */
#define OUT_ROOM ((size_t)16 << 10)
/* Ids of calls under way; a power of two. */
#define IDS (1u << 20)

struct link {
    int fd;
    size_t out_at, out_len, have;
    uint8_t out[OUT_ROOM], in[65536];
};

/* What came of a while of load. */
struct outcome {
    double seconds;
    double cpu_us;  /* of the daemon, for each answer */
    double goodput; /* a second */
    size_t offered, unsent, good, late, rejected, failed;
    struct samples admitted, rejects;
    size_t rss;
};

static struct {
    struct bench_daemon daemon;
    struct link links[LINKS];
    struct bench_frame frame;
    int ep;
    unsigned next_id, next_link, under_way;
    bool closed_loop; /* each answer makes the next call */
    int64_t due[IDS]; /* 0: not under way */
    int64_t rss_at;
    struct outcome *to;
} gen;

static void flush(struct link *k)
{
    while (k->out_at < k->out_len) {
        ssize_t n = send(k->fd, k->out + k->out_at, k->out_len - k->out_at, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN)
            return;
        if (n <= 0)
            bench_die("send: %s", strerror(errno));
        k->out_at += (size_t)n;
    }
    k->out_at = k->out_len = 0;
}

static void put_call(struct link *k, int64_t due_ns)
{
    gen.to->offered++;
    if (k->out_len + gen.frame.len > OUT_ROOM && k->out_at > 0) {
        memmove(k->out, k->out + k->out_at, k->out_len - k->out_at);
        k->out_len -= k->out_at;
        k->out_at = 0;
    }
    unsigned id = gen.next_id++ % IDS;
    if (k->out_len + gen.frame.len > OUT_ROOM || gen.due[id]) {
        gen.to->unsent++;
        return;
    }
    uint8_t *to = k->out + k->out_len;
    memcpy(to, gen.frame.data, gen.frame.len);
    to[SP_LENGTH_LEN + 1] = (uint8_t)(id >> 16);
    to[SP_LENGTH_LEN + 2] = (uint8_t)(id >> 8);
    to[SP_LENGTH_LEN + 3] = (uint8_t)id;
    k->out_len += gen.frame.len;
    gen.due[id] = due_ns;
    gen.under_way++;
}

/* The code of a Reply, whose result comes first, and in it the code. */
static unsigned code_of(const uint8_t *data, size_t len)
{
    size_t at = 1;
    unsigned code = 0, shift = 0;
    if (len < 4 || data[0] != 0x0a)
        bench_die("the answer is no Reply");
    while (at < len && data[at++] & 0x80)
        ;
    if (at >= len || data[at++] != 0x08)
        bench_die("the answer has no code");
    for (; at < len; at++, shift += 7) {
        code |= (unsigned)(data[at] & 0x7f) << shift;
        if (!(data[at] & 0x80))
            break;
    }
    return code;
}

static void take_reply(struct link *k, const uint8_t *message, size_t len)
{
    unsigned id = (unsigned)message[1] << 16 | (unsigned)message[2] << 8 | message[3];
    if (id >= IDS || !gen.due[id])
        bench_die("an answer to no call");
    int64_t now = bench_now(), took = now - gen.due[id];
    unsigned code = code_of(message + 4, len - 4);
    gen.due[id] = 0;
    gen.under_way--;
    if (code == RESULT_CODE_OVERLOADED) {
        gen.to->rejected++;
        samples_add(&gen.to->rejects, took);
    } else {
        bool ok = result_is_success((pb_ResultCode)code);
        bool in_time = took <= TIMEOUT_MS * NS_PER_MS;
        gen.to->good += ok && in_time;
        gen.to->late += ok && !in_time;
        gen.to->failed += !ok;
        samples_add(&gen.to->admitted, took);
    }
    if (gen.closed_loop)
        put_call(k, now);
}

static void read_link(struct link *k)
{
    ssize_t n = recv(k->fd, k->in + k->have, sizeof(k->in) - k->have, 0);
    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0)
        bench_die("the connection ended: %s", n < 0 ? strerror(errno) : "closed");
    k->have += (size_t)n;
    size_t at = 0;
    while (k->have - at >= SP_LENGTH_LEN) {
        size_t len = (size_t)sp_get64(k->in + at);
        if (len > sizeof(k->in) - SP_LENGTH_LEN)
            bench_die("an answer of %zu bytes", len);
        if (k->have - at - SP_LENGTH_LEN < len)
            break;
        take_reply(k, k->in + at + SP_LENGTH_LEN, len);
        at += SP_LENGTH_LEN + len;
    }
    memmove(k->in, k->in + at, k->have - at);
    k->have -= at;
}

static void turn(int64_t wait_ns)
{
    struct epoll_event events[LINKS];
    struct timespec ts = {.tv_nsec = wait_ns > 0 ? wait_ns : 0};
    int n = epoll_pwait2(gen.ep, events, LINKS, &ts, NULL);
    for (int i = 0; i < n; i++) {
        struct link *k = events[i].data.ptr;
        if (events[i].events & (uint32_t)EPOLLIN)
            read_link(k);
        flush(k);
    }
    int64_t now = bench_now();
    if (now >= gen.rss_at) {
        size_t rss = bench_rss(gen.daemon.pid);
        gen.to->rss = rss > gen.to->rss ? rss : gen.to->rss;
        gen.rss_at = now + NS_PER_SEC / 4;
    }
}

/* Processor time of the daemon so far, microseconds. */
static double daemon_cpu_us(void)
{
    char path[64];
    unsigned long user = 0, system = 0;
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)gen.daemon.pid);
    FILE *f = fopen(path, "re");
    if (!f || fscanf(f, "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
                     &system) != 2)
        bench_die("%s cannot be read", path);
    fclose(f);
    return (double)(user + system) * 1e6 / (double)sysconf(_SC_CLK_TCK);
}

/* Whatever is under way is answered, or lost. */
static void settle(void)
{
    gen.closed_loop = false;
    for (int64_t end = bench_now() + 10 * NS_PER_SEC; gen.under_way > 0 && bench_now() < end;)
        turn(NS_PER_MS);
    if (gen.under_way > 0)
        bench_die("%u calls were not answered", gen.under_way);
}

static void begin(struct outcome *to)
{
    *to = (struct outcome){.cpu_us = -daemon_cpu_us()};
    gen.to = to;
}

static void end(struct outcome *to, int64_t start)
{
    to->seconds = (double)(bench_now() - start) / NS_PER_SEC;
    to->goodput = (double)to->good / to->seconds;
    size_t answers = to->good + to->late + to->failed + to->rejected;
    to->cpu_us = (to->cpu_us + daemon_cpu_us()) / (double)(answers ? answers : 1);
}

/* So many calls under way all the time. */
static void run_closed(struct outcome *to, unsigned depth, int64_t ns)
{
    begin(to);
    gen.closed_loop = true;
    int64_t start = bench_now();
    for (unsigned i = 0; i < depth; i++)
        put_call(&gen.links[i % LINKS], start);
    for (int i = 0; i < LINKS; i++)
        flush(&gen.links[i]);
    while (bench_now() < start + ns)
        turn(NS_PER_MS);
    end(to, start);
    struct outcome rest = {.seconds = 0};
    gen.to = &rest;
    settle();
    samples_free(&rest.admitted);
    samples_free(&rest.rejects);
}

/* So many calls a second, whatever becomes of them. */
static void run_open(struct outcome *to, double rate, int64_t ns)
{
    begin(to);
    int64_t start = bench_now(), tick = start;
    for (int64_t n = 0, now; (now = bench_now()) < start + ns;) {
        int64_t due_n = (int64_t)((double)(now - start) * rate / NS_PER_SEC);
        for (; n < due_n; n++) {
            struct link *k = &gen.links[gen.next_link++ % LINKS];
            put_call(k, start + (int64_t)((double)n * NS_PER_SEC / rate));
        }
        for (int i = 0; i < LINKS; i++)
            flush(&gen.links[i]);
        tick = now + TICK_NS;
        while ((now = bench_now()) < tick)
            turn(tick - now);
    }
    end(to, start);
    settle();
}

static void print(const char *what, struct outcome *o)
{
    printf("  %-18s offered %9.0f/s", what, (double)(o->offered - o->unsent) / o->seconds);
    printf(", done in time %8.0f/s", o->goodput);
    printf(", admitted p50 %7.2f p99 %7.2f ms", samples_us(&o->admitted, 50) / 1000,
           samples_us(&o->admitted, 99) / 1000);
    printf(", rejected %8.0f/s p99 %5.2f ms", (double)o->rejected / o->seconds,
           samples_us(&o->rejects, 99) / 1000);
    printf(", CPU %.1f us each", o->cpu_us);
    printf(", late %zu, failed %zu, not sent %zu, RSS %.1f MB\n", o->late, o->failed, o->unsent,
           (double)o->rss / 1e6);
    fflush(stdout);
}

static void forget(struct outcome *o)
{
    samples_free(&o->admitted);
    samples_free(&o->rejects);
}

struct verdict {
    double reached, goodput_ratio, p99_ratio, reject_ms, rss_mb;
};

/* One kind of call: peak, 80 %, ten times. */
static struct verdict judge(const char *name, const unsigned depths[3], int64_t ns)
{
    double peak = 0;
    char what[32];
    struct outcome o;
    printf("%s\n", name);
    for (int i = 0; i < 3; i++) {
        run_closed(&o, depths[i], 3 * NS_PER_SEC);
        peak = o.goodput > peak ? o.goodput : peak;
        snprintf(what, sizeof(what), "%u under way", depths[i]);
        print(what, &o);
        forget(&o);
    }
    run_open(&o, 0.8 * peak, 8 * NS_PER_SEC);
    print("80 %", &o);
    double calm = samples_us(&o.admitted, 99);
    forget(&o);
    run_open(&o, 10 * peak, ns);
    print("ten times", &o);
    struct verdict v = {.reached = (double)(o.offered - o.unsent) / o.seconds / peak,
                        .goodput_ratio = o.goodput / peak,
                        .p99_ratio = samples_us(&o.admitted, 99) / calm,
                        .reject_ms = samples_us(&o.rejects, 99) / 1000,
                        .rss_mb = (double)o.rss / 1e6};
    forget(&o);
    printf("  offered %.1f x peak: goodput %.3f of it, p99 %.2f x that at 80 %%, rejects p99 %.2f "
           "ms, RSS at most %.1f MB\n",
           v.reached, v.goodput_ratio, v.p99_ratio, v.reject_ms, v.rss_mb);
    return v;
}

static void choose_cloud(const char *cloud)
{
    pb_GetVmRequest req;
    int fd = bench_connect(gen.daemon.port);
    isobar__v1__get_vm_request__init(&req);
    req.cloud = (char *)(uintptr_t)cloud;
    req.id = bench_make_vm(fd, cloud, "probe");
    free(gen.frame.data);
    bench_frame(&gen.frame, "isobar.v1.VmService/GetVm", &req.base, TIMEOUT_MS);
    free(req.id);
    close(fd);
}

int main(int argc, char **argv)
{
    long seconds = argc > 1 ? strtol(argv[1], NULL, 10) : 60;
    static const unsigned lane_depths[] = {64, 128, 256}, cpu_depths[] = {64, 256, 1024};
    if (seconds < 1 || seconds > 3600)
        bench_die("so many seconds of overload: %s", argv[1]);
    signal(SIGPIPE, SIG_IGN);
    bench_daemon_start(&gen.daemon,
                       "  near: {adapter: sandbox, pace_ms: 1, latency_ms: 20}\n"
                       "  fast: {adapter: sandbox, pace_ms: 1}\n"
                       "log_level: warn",
                       DAEMON_CORE);
    bench_pin(OUR_CORE);
    gen.ep = epoll_create1(EPOLL_CLOEXEC);
    for (int i = 0; i < LINKS; i++) {
        gen.links[i].fd = bench_connect(gen.daemon.port);
        /* What cannot be taken now waits here, where it is seen, and not in the kernel. */
        setsockopt(gen.links[i].fd, SOL_SOCKET, SO_SNDBUF, &(int){OUT_ROOM}, sizeof(int));
        fcntl(gen.links[i].fd, F_SETFL, O_NONBLOCK);
        struct epoll_event ev = {.events = EPOLLIN, .data.ptr = &gen.links[i]};
        epoll_ctl(gen.ep, EPOLL_CTL_ADD, gen.links[i].fd, &ev);
    }
    choose_cloud("near");
    struct verdict lane = judge("a cloud 20 ms away, 64 calls at a time: its lane is full",
                                lane_depths, seconds * NS_PER_SEC);
    choose_cloud("fast");
    struct verdict cpu = judge("from memory, on the I/O threads: the CPU is full", cpu_depths,
                               (seconds + 2) / 3 * NS_PER_SEC);
    if (cpu.reached < 9.5)
        printf("  this generator and its sockets bring no more than %.1f x that\n", cpu.reached);
    for (int i = 0; i < LINKS; i++)
        close(gen.links[i].fd);
    free(gen.frame.data);
    bench_daemon_stop(&gen.daemon);
    printf("figure: goodput_ratio=%.3f p99_ratio=%.2f reject_ms=%.2f rss_mb=%.1f\n",
           lane.goodput_ratio, lane.p99_ratio, lane.reject_ms,
           lane.rss_mb > cpu.rss_mb ? lane.rss_mb : cpu.rss_mb);
    return 0;
}
