/* What the journal costs: creates on the sandbox by 64 clients, each with a request_id and answered
 * when its end is durable; a call that asks not to wait; a Get beside them; and a start with, and a
 * page of, 100,000 operations that have ended.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "bench.h"
#include "isobar/clock.h"
#include "isobar/envelope.h"
#include "isobar/result.h"

enum { CLIENTS = 64, OPERATIONS = 100000, SINGLE = 2000, PAGES = 50, GETS = 5000, TRIES = 5 };
#define WINDOW_NS (5 * NS_PER_SEC)
/* What stands in the frame where each call's own number goes. */
#define PLACE "0000000000"

struct numbered {
    struct bench_frame frame;
    uint8_t *at;
    unsigned n;
};

/* A create under a request_id, whose digits can be changed in the frame. */
static void prepare(struct numbered *ret, pb_Wait wait)
{
    pb_VmSpec spec = pb_VmSpec_INIT;
    pb_CreateVmRequest req = pb_CreateVmRequest_INIT;
    pb_Call call = pb_Call_INIT;
    uint8_t body[512];
    spec.name = (char *)(uintptr_t) "web";
    spec.flavor_name = (char *)(uintptr_t) "m1.tiny";
    spec.image_id = (char *)(uintptr_t) "alpine";
    req.cloud = (char *)(uintptr_t) "box";
    req.spec = &spec;
    req.wait = wait;
    call.method = (char *)(uintptr_t) "isobar.v1.VmService/CreateVm";
    call.request_id = (char *)(uintptr_t) "bench-" PLACE;
    call.timeout_ms = 60000;
    call.body = (ProtobufCBinaryData){protobuf_c_message_pack(&req.base, body), body};
    size_t len = 4 + isobar__v1__call__get_packed_size(&call);
    uint8_t *data = malloc(SP_LENGTH_LEN + len);
    if (!data)
        bench_die("out of memory");
    sp_put64(data, len);
    memcpy(data + SP_LENGTH_LEN, (const uint8_t[]){SP_REQUEST_ID_BIT, 0, 0, 1}, 4);
    isobar__v1__call__pack(&call, data + SP_LENGTH_LEN + 4);
    ret->frame = (struct bench_frame){data, SP_LENGTH_LEN + len};
    ret->at = memmem(data, ret->frame.len, PLACE, strlen(PLACE));
}

static const struct bench_frame *next(struct numbered *f)
{
    char digits[16];
    snprintf(digits, sizeof(digits), "%010u", ++f->n);
    memcpy(f->at, digits, strlen(PLACE));
    return &f->frame;
}

/* Creates until `most` more have been made or the time is over; how many a second. */
static double create_many(int port, struct numbered *f, unsigned most, int64_t window_ns)
{
    int fds[CLIENTS], ep = epoll_create1(EPOLL_CLOEXEC);
    uint8_t buf[65536];
    unsigned sent = 0, done = 0;
    for (int i = 0; i < CLIENTS; i++) {
        fds[i] = bench_connect(port);
        struct epoll_event ev = {.events = EPOLLIN, .data.fd = fds[i]};
        epoll_ctl(ep, EPOLL_CTL_ADD, fds[i], &ev);
    }
    int64_t start = bench_now(), end = start + window_ns;
    for (int i = 0; i < CLIENTS && sent < most; i++, sent++)
        bench_send(fds[i], next(f));
    while (done < sent) {
        struct epoll_event events[CLIENTS];
        int n = epoll_wait(ep, events, CLIENTS, 1000);
        for (int i = 0; i < n; i++) {
            size_t len = bench_receive(events[i].data.fd, buf, sizeof(buf));
            /* Each is checked: what is not Created is not counted, it ends the bench. */
            isobar__v1__reply__free_unpacked(bench_expect_ok(buf, len), NULL);
            done++;
            if (sent < most && bench_now() < end) {
                bench_send(events[i].data.fd, next(f));
                sent++;
            }
        }
    }
    double rate = (double)done / ((double)(bench_now() - start) / 1e9);
    for (int i = 0; i < CLIENTS; i++)
        close(fds[i]);
    close(ep);
    return rate;
}

/* One call at a time; the median in microseconds. */
static double one_by_one(int fd, struct numbered *f, const struct bench_frame *same, int n)
{
    struct samples s = {0};
    static uint8_t buf[32 << 20];
    for (int i = 0; i < n; i++) {
        const struct bench_frame *frame = same ? same : next(f);
        int64_t start = bench_now();
        size_t len = bench_call(fd, frame, buf, sizeof(buf));
        samples_add(&s, bench_now() - start);
        if (i == 0)
            isobar__v1__reply__free_unpacked(bench_expect_ok(buf, len), NULL);
    }
    double p50 = samples_us(&s, 50);
    samples_free(&s);
    return p50;
}

/* The last "store" line that the daemon has logged as it ended. */
static double commit_p50(const struct bench_daemon *d, char words[256])
{
    char path[96], line[1024];
    double us = 0;
    snprintf(path, sizeof(path), "%s/log", d->dir);
    FILE *f = fopen(path, "re");
    while (f && fgets(line, sizeof(line), f)) {
        const char *at = strstr(line, "\"event\":\"store\"");
        const char *p50 = at ? strstr(at, "\"commit_p50_us\":\"") : NULL;
        if (p50 && sscanf(p50, "\"commit_p50_us\":\"%lf", &us) == 1)
            snprintf(words, 256, "%.*s", (int)strcspn(at, "}\n"), at);
    }
    if (f)
        fclose(f);
    return us;
}

static void list_frame(struct bench_frame *f, unsigned page_size)
{
    pb_ListOperationsRequest req = pb_ListOperationsRequest_INIT;
    req.page_size = page_size;
    bench_frame(f, "isobar.v1.OperationService/ListOperations", &req.base, 10000);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    static struct bench_daemon d;
    static struct numbered waits, accepts;
    struct bench_frame page, small, get;
    struct statfs fs;
    char words[256] = "";
    bench_daemon_start(&d,
                       "  box: {adapter: sandbox, capacity: 100000, quota_instances: 100000, "
                       "quota_cores: 1000000}",
                       -1);
    if (statfs(d.dir, &fs) == 0 && fs.f_type == 0x01021994)
        printf("the state is on a tmpfs: the figures are not those of a disk\n");
    prepare(&waits, WAIT_UNSPECIFIED);
    double rates[TRIES];
    unsigned made = 0;
    for (int i = 0; i < TRIES; i++) {
        unsigned before = waits.n;
        rates[i] = create_many(d.port, &waits, 15000, WINDOW_NS);
        printf("creates, %d clients: %.0f/s\n", CLIENTS, rates[i]);
        made += waits.n - before;
    }
    int fd = bench_connect(d.port);
    prepare(&accepts, WAIT_NONE);
    accepts.n = 1u << 30;
    double accepted = one_by_one(fd, &accepts, NULL, SINGLE);
    printf("Accepted after the commit, one client: %.0f us\n", accepted);
    pb_GetVmRequest req = pb_GetVmRequest_INIT;
    req.cloud = (char *)(uintptr_t) "box";
    req.id = bench_make_vm(fd, "box", "one");
    bench_frame(&get, "isobar.v1.VmService/GetVm", &req.base, 10000);
    printf("Get, one client: %.1f us\n", one_by_one(fd, NULL, &get, GETS));
    if (made + SINGLE + 1 < OPERATIONS - 1)
        create_many(d.port, &waits, OPERATIONS - 1 - made - SINGLE - 1, 120 * NS_PER_SEC);
    close(fd);
    bench_end(d.pid);
    double p50 = commit_p50(&d, words);
    printf("%s\n", words);
    d.pid = 0;
    double starts[TRIES];
    for (int i = 0; i < TRIES; i++) {
        bench_daemon_restart(&d, -1);
        starts[i] = (double)d.ready_ns / 1e6;
    }
    fd = bench_connect(d.port);
    list_frame(&page, 0);
    list_frame(&small, 100);
    printf("a page of 1,000 of %d operations: %.2f ms, of 100: %.2f ms\n", OPERATIONS,
           one_by_one(fd, NULL, &page, PAGES) / 1000, one_by_one(fd, NULL, &small, PAGES) / 1000);
    close(fd);
    bench_daemon_stop(&d);
    free(req.id);
    printf("figure: ops_per_s=%.0f commit_p50_us=%.0f start_ms=%.1f\n", middle(rates, TRIES), p50,
           middle(starts, TRIES));
    return 0;
}
