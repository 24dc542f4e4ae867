#include "stub.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"

/* How soon a change of mood is noticed. */
enum { TICK_MS = 20 };

static const struct stub_route openstack_routes[] = {
    {"GET", "/compute/v2.1/servers/" STUB_VM, NULL, "server.json"},
    {"GET", "/compute/v2.1/flavors/detail", NULL, "flavors.json"},
    {"GET", "/image/v2/images", NULL, "images.json"},
    {"GET", "/network/v2.0/networks", NULL, "networks.json"},
    {"GET", "/compute", NULL, "compute.json"},
};

struct stub_cloud stub_openstack(const char *folder)
{
    return (struct stub_cloud){folder, "application/json", openstack_routes,
                               ARRAY_LEN(openstack_routes), true};
}

static struct {
    int port;
    struct stub_cloud cloud;
    struct stub_control *control; /* may be NULL */
    char *bodies[STUB_ROUTES_MAX];
    char token[2048];
} stub;

static char *read_file(const char *folder, const char *name)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *f = fopen(path, "re");
    if (!f)
        bench_die("%s: %s", path, strerror(errno));
    char *text = calloc(1, 65536);
    if (!text || fread(text, 1, 65535, f) == 0)
        bench_die("%s is empty", path);
    fclose(f);
    return text;
}

/* A token of project `demo` with a catalogue that leads back here. */
static void make_token(void)
{
    static const char *const services[] = {"compute", "image", "network"};
    static const char *const paths[] = {"/compute/v2.1", "/image", "/network"};
    char catalog[1024] = "";
    for (size_t i = 0; i < ARRAY_LEN(services); i++)
        snprintf(
            catalog + strlen(catalog), sizeof(catalog) - strlen(catalog),
            "%s{\"type\":\"%s\",\"name\":\"%s\",\"id\":\"%zu\",\"endpoints\":[{\"id\":\"e%zu\","
            "\"interface\":\"public\",\"region\":\"RegionOne\",\"region_id\":\"RegionOne\","
            "\"url\":\"http://127.0.0.1:%d%s\"}]}",
            i ? "," : "", services[i], services[i], i, i, stub.port, paths[i]);
    snprintf(
        stub.token, sizeof(stub.token),
        "{\"token\":{\"methods\":[\"password\"],\"expires_at\":\"2999-01-01T00:00:00.000000Z\","
        "\"issued_at\":\"2026-01-01T00:00:00.000000Z\",\"project\":{\"id\":\"p\",\"name\":\"demo\","
        "\"domain\":{\"id\":\"default\",\"name\":\"Default\"}},\"user\":{\"id\":\"u\",\"name\":"
        "\"demo\",\"domain\":{\"id\":\"default\",\"name\":\"Default\"}},\"catalog\":[%s]}}",
        catalog);
}

static void answer(int fd, const char *status, const char *headers, const char *body)
{
    char out[70000];
    int len = snprintf(out, sizeof(out),
                       "HTTP/1.1 %s\r\nContent-Type: %s\r\n%sContent-Length: %zu\r\n\r\n%s", status,
                       stub.cloud.type, headers, strlen(body), body);
    if (len > 0 && (size_t)len < sizeof(out))
        (void)!send(fd, out, (size_t)len, MSG_NOSIGNAL);
}

static bool fits(const struct stub_route *r, const char *request)
{
    size_t n = strlen(r->method);
    const char *body = strstr(request, "\r\n\r\n");
    return strncmp(request, r->method, n) == 0 && request[n] == ' ' &&
           strncmp(request + n + 1, r->path, strlen(r->path)) == 0 &&
           (!r->body || (body && strncmp(body + 4, r->body, strlen(r->body)) == 0));
}

static void serve_one(int fd, const char *request)
{
    if (stub.cloud.keystone && strncmp(request, "POST /v3/auth/tokens", 20) == 0) {
        answer(fd, "201 Created", "X-Subject-Token: " STUB_TOKEN "\r\n", stub.token);
        return;
    }
    for (size_t i = 0; i < stub.cloud.n; i++) {
        if (fits(&stub.cloud.routes[i], request)) {
            answer(fd, "200 OK", "", stub.bodies[i]);
            return;
        }
    }
    answer(fd, "404 Not Found", "",
           "{\"itemNotFound\":{\"code\":404,\"message\":\"not recorded\"}}");
}

/* How long a request at the beginning of the buffer is; 0 where it is not whole. */
static size_t request_len(const char *buf)
{
    const char *end = strstr(buf, "\r\n\r\n");
    if (!end)
        return 0;
    size_t len = (size_t)(end - buf) + 4, body = 0;
    const char *field = strcasestr(buf, "\r\nContent-Length:");
    if (field && field < end)
        body = strtoul(field + 17, NULL, 10);
    return strlen(buf) < len + body ? 0 : len + body;
}

static enum stub_mood mood(void)
{
    return stub.control ? (enum stub_mood)atomic_load(&stub.control->mood) : STUB_WELL;
}

/* One whole request, in the mood of its connection. */
static void take_one(int fd, const char *request, enum stub_mood at)
{
    if (stub.control)
        atomic_fetch_add(&stub.control->requests, 1);
    if (at == STUB_WELL)
        serve_one(fd, request);
    else if (at == STUB_BUSY)
        answer(fd, "503 Service Unavailable", "", "{\"message\":\"no server is available\"}");
}

static void *serve(void *arg)
{
    int fd = (int)(intptr_t)arg;
    char buf[16384] = "";
    size_t have = 0;
    enum stub_mood at = mood();
    while (at == mood()) {
        ssize_t n = recv(fd, buf + have, sizeof(buf) - 1 - have, 0);
        if (n < 0 && errno == EAGAIN)
            continue;
        if (n <= 0 || at != mood())
            break;
        have += (size_t)n;
        buf[have] = '\0';
        for (size_t len; (len = request_len(buf)) > 0;) {
            take_one(fd, buf, at);
            memmove(buf, buf + len, have - len + 1);
            have -= len;
        }
    }
    close(fd);
    return NULL;
}

static void welcome(int fd)
{
    struct linger reset = {.l_onoff = 1};
    struct timeval tick = {.tv_usec = TICK_MS * 1000};
    pthread_t thread;
    if (stub.control) {
        atomic_fetch_add(&stub.control->connections, 1);
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tick, sizeof(tick));
    }
    if (mood() == STUB_CLOSES)
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    if (mood() == STUB_CLOSES || pthread_create(&thread, NULL, serve, (void *)(intptr_t)fd))
        close(fd);
    else
        pthread_detach(thread);
}

static int listen_on(int port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (bind(fd, (struct sockaddr *)&a, sizeof(a)) || listen(fd, 64))
        bench_die("stub: %s", strerror(errno));
    return fd;
}

static void accept_for_ever(int listener)
{
    for (;;) {
        struct pollfd p = {.fd = listener, .events = POLLIN};
        if (mood() == STUB_GONE) {
            close(listener);
            while (mood() == STUB_GONE)
                poll(NULL, 0, TICK_MS);
            listener = listen_on(stub.port);
            continue;
        }
        if (stub.control && poll(&p, 1, TICK_MS) <= 0)
            continue;
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0)
            welcome(fd);
    }
}

struct stub_control *stub_control_new(void)
{
    struct stub_control *c =
        mmap(NULL, sizeof(*c), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (c == MAP_FAILED)
        bench_die("mmap: %s", strerror(errno));
    return c;
}

pid_t stub_start(int port, const struct stub_cloud *cloud, struct stub_control *control)
{
    stub.port = port;
    stub.cloud = *cloud;
    stub.control = control;
    for (size_t i = 0; i < cloud->n && i < STUB_ROUTES_MAX; i++)
        stub.bodies[i] = read_file(cloud->folder, cloud->routes[i].file);
    if (cloud->keystone)
        make_token();
    int fd = listen_on(port);
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        signal(SIGTERM, SIG_DFL);
        accept_for_ever(fd);
    }
    close(fd);
    for (size_t i = 0; i < cloud->n && i < STUB_ROUTES_MAX; i++)
        free(stub.bodies[i]);
    return pid;
}
