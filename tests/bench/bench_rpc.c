/* The RPC core: GetVm on the sandbox, decode and encode included, next to a bare TCP echo of the
 * same bytes and to gRPC C++ with the same messages, in interleaved rounds.
 *
 * Everything, clients included, runs on one core: what is measured is work, not how long a sleeping
 * core needs to wake up. Where gRPC's peer could not be built, its row is left out.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "isobar/clock.h"
#include "isobar/envelope.h"

enum { ROUNDS = 7, ONE_BY_ONE = 8000, CONNECTIONS = 64, CORE = 0 };
#define BURST_NS (NS_PER_SEC / 2)

struct peer {
    const char *name;
    double p50[ROUNDS], rate[ROUNDS];
};

/* ---- the echo: answers each message with so many bytes ---- */

static void echo_serve(int listener, const uint8_t *answer, size_t answer_len)
{
    int ep = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event ev = {.events = EPOLLIN, .data.fd = listener}, events[128];
    epoll_ctl(ep, EPOLL_CTL_ADD, listener, &ev);
    uint8_t buf[65536];
    for (;;) {
        int n = epoll_wait(ep, events, 128, -1);
        for (int i = 0; i < n; i++) {
            int fd = events[i].data.fd;
            if (fd == listener) {
                int fresh = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
                uint8_t hello[SP_HANDSHAKE_LEN];
                sp_handshake(hello, SP_PROTO_REP);
                setsockopt(fresh, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
                (void)!write(fresh, hello, sizeof(hello));
                ev = (struct epoll_event){.events = EPOLLIN, .data.fd = fresh};
                epoll_ctl(ep, EPOLL_CTL_ADD, fresh, &ev);
                continue;
            }
            ssize_t got = read(fd, buf, sizeof(buf));
            if (got <= 0)
                close(fd);
            else if (got > SP_HANDSHAKE_LEN)
                (void)!write(fd, answer, answer_len);
        }
    }
}

static pid_t echo_start(int *ret_port, const uint8_t *answer, size_t answer_len)
{
    *ret_port = bench_free_port();
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)*ret_port)};
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (bind(fd, (struct sockaddr *)&a, sizeof(a)) || listen(fd, 128))
        bench_die("echo: %s", strerror(errno));
    pid_t pid = fork();
    if (pid == 0) {
        bench_pin(CORE);
        echo_serve(fd, answer, answer_len);
    }
    close(fd);
    return pid;
}

/* ---- the bare socket client ---- */

static double one_by_one(int port, const struct bench_frame *f)
{
    uint8_t buf[65536];
    struct samples s = {0};
    int fd = bench_connect(port);
    for (int i = 0; i < ONE_BY_ONE; i++) {
        int64_t start = bench_now();
        bench_call(fd, f, buf, sizeof(buf));
        if (i >= ONE_BY_ONE / 10)
            samples_add(&s, bench_now() - start);
    }
    close(fd);
    double p50 = samples_us(&s, 50);
    samples_free(&s);
    return p50;
}

/* Calls per second over all connections, one call under way on each. */
static double burst(int port, const struct bench_frame *f)
{
    int fds[CONNECTIONS], ep = epoll_create1(EPOLL_CLOEXEC);
    uint8_t buf[65536];
    for (int i = 0; i < CONNECTIONS; i++) {
        fds[i] = bench_connect(port);
        struct epoll_event ev = {.events = EPOLLIN, .data.fd = fds[i]};
        epoll_ctl(ep, EPOLL_CTL_ADD, fds[i], &ev);
    }
    int64_t start = bench_now(), end = start + BURST_NS;
    size_t calls = 0;
    for (int i = 0; i < CONNECTIONS; i++)
        bench_send(fds[i], f);
    while (bench_now() < end) {
        struct epoll_event events[CONNECTIONS];
        int n = epoll_wait(ep, events, CONNECTIONS, 1000);
        for (int i = 0; i < n; i++) {
            bench_receive(events[i].data.fd, buf, sizeof(buf));
            bench_send(events[i].data.fd, f);
            calls++;
        }
    }
    double rate = (double)calls / ((double)(bench_now() - start) / 1e9);
    for (int i = 0; i < CONNECTIONS; i++)
        close(fds[i]);
    close(ep);
    return rate;
}

/* ---- gRPC ---- */

static pid_t grpc_start(char *peer, int port, const pb_Reply *reply)
{
    char path[] = "/tmp/isobar-bench-body-XXXXXX", text[16];
    int fd = mkstemp(path);
    if (fd < 0 || write(fd, reply->body.data, reply->body.len) != (ssize_t)reply->body.len)
        bench_die("%s: %s", path, strerror(errno));
    close(fd);
    snprintf(text, sizeof(text), "%d", port);
    char *argv[] = {peer, (char *)(uintptr_t) "server", text, path, NULL};
    pid_t pid = bench_spawn(argv, CORE, -1, NULL);
    if (!bench_wait_port(port, 10000))
        bench_die("the gRPC peer did not start");
    unlink(path);
    return pid;
}

/* The client measures as above, and prints "p50_us calls_per_s". */
static void grpc_measure(char *peer, int port, const char *id, double *ret_p50, double *ret_rate)
{
    char text[16], out[128] = "";
    int pipe_fds[2];
    snprintf(text, sizeof(text), "%d", port);
    char *argv[] = {peer, (char *)(uintptr_t) "client", text, (char *)(uintptr_t)id, NULL};
    if (pipe(pipe_fds))
        bench_die("pipe: %s", strerror(errno));
    pid_t pid = bench_spawn(argv, CORE, pipe_fds[1], NULL);
    close(pipe_fds[1]);
    size_t have = 0;
    for (ssize_t n; (n = read(pipe_fds[0], out + have, sizeof(out) - 1 - have)) > 0;)
        have += (size_t)n;
    close(pipe_fds[0]);
    waitpid(pid, NULL, 0);
    if (sscanf(out, "%lf %lf", ret_p50, ret_rate) != 2)
        bench_die("the gRPC client said: %s", out);
}

static void print_row(struct peer *p)
{
    printf("%-10s %10.1f us %12.0f calls/s\n", p->name, middle(p->p50, ROUNDS),
           middle(p->rate, ROUNDS));
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    char *grpc_peer = (char *)(uintptr_t)bench_program("tests/bench/grpc_peer");
    struct bench_daemon daemon;
    bench_daemon_start(&daemon, "  box: {adapter: sandbox, pace_ms: 1}", CORE);
    bench_pin(CORE);
    int fd = bench_connect(daemon.port);
    char *id = bench_make_vm(fd, "box", "bench");
    pb_GetVmRequest req;
    isobar__v1__get_vm_request__init(&req);
    req.cloud = (char *)(uintptr_t) "box";
    req.id = id;
    struct bench_frame frame;
    static uint8_t answer[65536];
    bench_frame(&frame, "isobar.v1.VmService/GetVm", &req.base, 0);
    size_t len = bench_call(fd, &frame, answer, sizeof(answer));
    pb_Reply *reply = bench_expect_ok(answer, len);
    printf("GetVm: request %zu bytes, reply %zu bytes; one core for all, %d rounds\n", frame.len,
           len + SP_LENGTH_LEN, ROUNDS);

    int echo_port, grpc_port = bench_free_port();
    pid_t echo = echo_start(&echo_port, answer, len + SP_LENGTH_LEN);
    pid_t grpc = grpc_peer ? grpc_start(grpc_peer, grpc_port, reply) : 0;
    static struct peer isobar = {.name = "isobar"}, tcp = {.name = "bare TCP"},
                       peer = {.name = "gRPC C++"};
    for (int i = 0; i < ROUNDS; i++) {
        tcp.p50[i] = one_by_one(echo_port, &frame);
        isobar.p50[i] = one_by_one(daemon.port, &frame);
        tcp.rate[i] = burst(echo_port, &frame);
        isobar.rate[i] = burst(daemon.port, &frame);
        if (grpc_peer)
            grpc_measure(grpc_peer, grpc_port, id, &peer.p50[i], &peer.rate[i]);
    }
    print_row(&tcp);
    print_row(&isobar);
    if (grpc_peer)
        print_row(&peer);
    kill(echo, SIGKILL);
    waitpid(echo, NULL, 0);
    bench_end(grpc);
    close(fd);
    bench_daemon_stop(&daemon);
    double rate = middle(isobar.rate, ROUNDS), grpc_rate = middle(peer.rate, ROUNDS);
    printf("figure: p50_us=%.1f calls_per_s=%.0f vs_grpc=%.2f vs_tcp=%.2f\n",
           middle(isobar.p50, ROUNDS), rate, grpc_rate > 0 ? rate / grpc_rate : 0,
           rate / middle(tcp.rate, ROUNDS));
    isobar__v1__reply__free_unpacked(reply, NULL);
    free(frame.data);
    free(id);
    return 0;
}
