#include "bench.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "isobar/clock.h"
#include "isobar/envelope.h"
#include "isobar/result.h"

void bench_die(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fputs("bench: ", stderr);
    vfprintf(stderr, fmt, args);
    fputc('\n', stderr);
    va_end(args);
    exit(1);
}

const char *bench_program(const char *path)
{
    const char *build = getenv("ISOBAR_BUILD");
    char *full;
    if (!build)
        bench_die("ISOBAR_BUILD names no build folder: start me by tools/bench");
    if (asprintf(&full, "%s/%s", build, path) < 0)
        bench_die("out of memory");
    return access(full, X_OK) == 0 ? full : NULL;
}

int64_t bench_now(void)
{
    return clock_mono_ns();
}

void bench_pin(int core)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    if (core >= sysconf(_SC_NPROCESSORS_ONLN))
        core = 0;
    if (core >= 0)
        CPU_SET((unsigned)core, &set);
    for (unsigned i = 0; core < 0 && i < (unsigned)sysconf(_SC_NPROCESSORS_ONLN); i++)
        CPU_SET(i, &set);
    (void)sched_setaffinity(0, sizeof(set), &set);
}

static struct sockaddr_in loopback(int port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return a;
}

int bench_free_port(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in a = loopback(0);
    socklen_t len = sizeof(a);
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) ||
        getsockname(fd, (struct sockaddr *)&a, &len))
        bench_die("no port: %s", strerror(errno));
    close(fd);
    return ntohs(a.sin_port);
}

bool bench_wait_port(int port, int ms)
{
    struct sockaddr_in a = loopback(port);
    for (int64_t until = bench_now() + ms * NS_PER_MS; bench_now() < until;) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        int rc = connect(fd, (struct sockaddr *)&a, sizeof(a));
        close(fd);
        if (rc == 0)
            return true;
        nanosleep(&(struct timespec){.tv_nsec = NS_PER_MS / 2}, NULL);
    }
    return false;
}

pid_t bench_spawn(char *const argv[], int core, int out_fd, const char *stderr_path)
{
    pid_t pid = fork();
    if (pid < 0)
        bench_die("fork: %s", strerror(errno));
    if (pid > 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    bench_pin(core);
    int err = open(stderr_path ? stderr_path : "/dev/null", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (err >= 0)
        dup2(err, STDERR_FILENO);
    if (out_fd >= 0)
        dup2(out_fd, STDOUT_FILENO);
    execv(argv[0], argv);
    _exit(127);
}

void bench_end(pid_t pid)
{
    if (pid <= 0)
        return;
    kill(pid, SIGTERM);
    waitpid(pid, NULL, 0);
}

/* Until its first answer. */
static void launch(struct bench_daemon *d, int core)
{
    char config[96], log[96];
    snprintf(config, sizeof(config), "%s/isobard.yaml", d->dir);
    snprintf(log, sizeof(log), "%s/log", d->dir);
    char *argv[] = {(char *)(uintptr_t)bench_program("server/isobard"),
                    (char *)(uintptr_t) "--config", config, NULL};
    if (!argv[0])
        bench_die("isobard is not built");
    int64_t start = bench_now();
    d->pid = bench_spawn(argv, core, -1, log);
    if (!bench_wait_port(d->port, 10000)) {
        bench_end(d->pid);
        bench_die("isobard did not start: see %s", log);
    }
    struct bench_frame frame;
    uint8_t buf[4096];
    pb_HealthCheckRequest req;
    grpc__health__v1__health_check_request__init(&req);
    bench_frame(&frame, "grpc.health.v1.Health/Check", &req.base, 5000);
    int fd = bench_connect(d->port);
    pb_Reply *reply = bench_expect_ok(buf, bench_call(fd, &frame, buf, sizeof(buf)));
    d->ready_ns = bench_now() - start;
    isobar__v1__reply__free_unpacked(reply, NULL);
    free(frame.data);
    close(fd);
}

void bench_daemon_start(struct bench_daemon *d, const char *clouds, int core)
{
    *d = (struct bench_daemon){.port = bench_free_port()};
    strcpy(d->dir, "/tmp/isobar-bench-XXXXXX");
    if (!mkdtemp(d->dir))
        bench_die("mkdtemp: %s", strerror(errno));
    char config[96];
    snprintf(config, sizeof(config), "%s/isobard.yaml", d->dir);
    snprintf(d->socket, sizeof(d->socket), "%s/socket", d->dir);
    FILE *f = fopen(config, "we");
    if (!f)
        bench_die("%s: %s", config, strerror(errno));
    fprintf(f, "state_dir: %s/state\nlisten: [\"tcp://127.0.0.1:%d\", \"ipc://%s\"]\nclouds:\n%s\n",
            d->dir, d->port, d->socket, clouds);
    fclose(f);
    launch(d, core);
}

void bench_daemon_restart(struct bench_daemon *d, int core)
{
    bench_end(d->pid);
    launch(d, core);
}

static void remove_folder(const char *path)
{
    DIR *dir = opendir(path);
    for (struct dirent *e; dir && (e = readdir(dir));)
        if (e->d_name[0] != '.')
            unlinkat(dirfd(dir), e->d_name, 0);
    if (dir)
        closedir(dir);
    rmdir(path);
}

void bench_daemon_stop(struct bench_daemon *d)
{
    char state[96];
    bench_end(d->pid);
    snprintf(state, sizeof(state), "%s/state", d->dir);
    remove_folder(state);
    remove_folder(d->dir);
}

size_t bench_rss(pid_t pid)
{
    char path[64], line[256];
    size_t kib = 0;
    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    FILE *f = fopen(path, "re");
    while (f && fgets(line, sizeof(line), f))
        if (sscanf(line, "VmRSS: %zu", &kib) == 1)
            break;
    if (f)
        fclose(f);
    return kib * 1024;
}

void bench_frame(struct bench_frame *ret, const char *method, const ProtobufCMessage *request,
                 uint32_t timeout_ms)
{
    pb_Call call;
    isobar__v1__call__init(&call);
    call.method = (char *)(uintptr_t)method;
    call.timeout_ms = timeout_ms;
    call.body.len = protobuf_c_message_get_packed_size(request);
    call.body.data = malloc(call.body.len + 1);
    protobuf_c_message_pack(request, call.body.data);
    size_t len = 4 + isobar__v1__call__get_packed_size(&call);
    ret->len = SP_LENGTH_LEN + len;
    ret->data = malloc(ret->len);
    sp_put64(ret->data, len);
    memcpy(ret->data + SP_LENGTH_LEN, (const uint8_t[]){SP_REQUEST_ID_BIT, 0, 0, 1}, 4);
    isobar__v1__call__pack(&call, ret->data + SP_LENGTH_LEN + 4);
    free(call.body.data);
}

static void write_all(int fd, const uint8_t *data, size_t len)
{
    while (len > 0) {
        ssize_t n = send(fd, data, len, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            bench_die("send: %s", strerror(errno));
        data += n;
        len -= (size_t)n;
    }
}

static void read_all(int fd, uint8_t *data, size_t len)
{
    while (len > 0) {
        ssize_t n = recv(fd, data, len, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            bench_die("the connection ended: %s", n < 0 ? strerror(errno) : "closed");
        data += n;
        len -= (size_t)n;
    }
}

int bench_connect(int port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in a = loopback(port);
    if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)))
        bench_die("connect: %s", strerror(errno));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    uint8_t mine[SP_HANDSHAKE_LEN], theirs[SP_HANDSHAKE_LEN];
    sp_handshake(mine, SP_PROTO_REQ);
    write_all(fd, mine, sizeof(mine));
    read_all(fd, theirs, sizeof(theirs));
    if (!sp_handshake_ok(theirs, SP_PROTO_REP))
        bench_die("the other side is no REP socket");
    return fd;
}

void bench_send(int fd, const struct bench_frame *f)
{
    write_all(fd, f->data, f->len);
}

/* In as few reads as there are: the length and the message come in one piece. */
size_t bench_receive(int fd, uint8_t *buf, size_t room)
{
    size_t have = 0;
    while (have < SP_LENGTH_LEN || have < SP_LENGTH_LEN + sp_get64(buf)) {
        ssize_t n = recv(fd, buf + have, room - have, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            bench_die("the connection ended: %s", n < 0 ? strerror(errno) : "closed");
        have += (size_t)n;
    }
    return have - SP_LENGTH_LEN;
}

size_t bench_call(int fd, const struct bench_frame *f, uint8_t *buf, size_t room)
{
    bench_send(fd, f);
    return bench_receive(fd, buf, room);
}

pb_Reply *bench_reply(const uint8_t *buf, size_t len)
{
    pb_Reply *reply =
        len < 4 ? NULL : isobar__v1__reply__unpack(NULL, len - 4, buf + SP_LENGTH_LEN + 4);
    if (!reply || !reply->result)
        bench_die("the answer is no Reply");
    return reply;
}

pb_Reply *bench_expect_ok(const uint8_t *buf, size_t len)
{
    pb_Reply *reply = bench_reply(buf, len);
    if (!result_is_success(reply->result->code))
        bench_die("%s: %s", result_name(reply->result->code), reply->result->detail);
    return reply;
}

void samples_add(struct samples *s, int64_t ns)
{
    if (s->n == s->room) {
        s->room = s->room ? s->room * 2 : 4096;
        s->values = reallocarray(s->values, s->room, sizeof(int64_t));
        if (!s->values)
            bench_die("out of memory");
    }
    s->values[s->n++] = ns;
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

double samples_us(struct samples *s, double p)
{
    if (s->n == 0)
        return 0;
    qsort(s->values, s->n, sizeof(int64_t), by_value);
    size_t at = (size_t)(p / 100 * (double)(s->n - 1) + 0.5);
    return (double)s->values[at] / 1000;
}

double samples_mean_us(const struct samples *s)
{
    double sum = 0;
    for (size_t i = 0; i < s->n; i++)
        sum += (double)s->values[i];
    return s->n ? sum / (double)s->n / 1000 : 0;
}

void samples_reset(struct samples *s)
{
    s->n = 0;
}

void samples_free(struct samples *s)
{
    free(s->values);
    *s = (struct samples){0};
}

static int by_double(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double middle(double *values, size_t n)
{
    qsort(values, n, sizeof(double), by_double);
    return n ? values[n / 2] : 0;
}

char *bench_make_vm(int fd, const char *cloud, const char *name)
{
    return bench_make_vm_of(fd, cloud, name, "m1.small", "ubuntu");
}

char *bench_make_vm_of(int fd, const char *cloud, const char *name, const char *flavor,
                       const char *image)
{
    pb_VmSpec spec;
    pb_CreateVmRequest req;
    isobar__v1__vm_spec__init(&spec);
    isobar__v1__create_vm_request__init(&req);
    spec.name = (char *)(uintptr_t)name;
    spec.flavor_name = (char *)(uintptr_t)flavor;
    spec.image_id = (char *)(uintptr_t)image;
    req.cloud = (char *)(uintptr_t)cloud;
    req.spec = &spec;
    req.wait = WAIT_RUNNING;
    struct bench_frame frame;
    uint8_t buf[16384];
    bench_frame(&frame, "isobar.v1.VmService/CreateVm", &req.base, 60000);
    pb_Reply *reply = bench_expect_ok(buf, bench_call(fd, &frame, buf, sizeof(buf)));
    pb_CreateVmResponse *rsp =
        isobar__v1__create_vm_response__unpack(NULL, reply->body.len, reply->body.data);
    if (!rsp || !rsp->vm)
        bench_die("no machine was made");
    char *id = strdup(rsp->vm->id);
    isobar__v1__create_vm_response__free_unpacked(rsp, NULL);
    isobar__v1__reply__free_unpacked(reply, NULL);
    free(frame.data);
    return id;
}
