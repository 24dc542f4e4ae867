/* What the gateway adds to a call: GetVm through it, next to the same HTTP request made directly by
 * libcurl with a kept-alive connection and a token at hand; call by call in pairs.
 *
 * Once against a stub with recorded bodies, and once against the real OpenStack of
 * $ISOBAR_TEST_OPENSTACK (a clouds.yaml with a cloud `demo`), where it is also compared with a
 * caller that logs in for each call.
 */
#include <curl/curl.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "isobar/clock.h"
#include "pairs.h"
#include "stub.h"

#ifndef BENCH_DATA
#error "BENCH_DATA is the folder of the recorded bodies"
#endif

enum { WARM = 200, STUB_PAIRS = 5000, CLOUD_PAIRS = 100, LOGINS = 15, TABLE_ROWS = 10 };

/* ---- the direct caller ---- */

struct body {
    char data[65536];
    size_t len;
    char token[1024];
};

static size_t keep_body(char *data, size_t size, size_t n, void *ctx)
{
    struct body *b = ctx;
    size_t len = size * n, room = sizeof(b->data) - 1 - b->len;
    memcpy(b->data + b->len, data, len < room ? len : room);
    b->len += len < room ? len : room;
    b->data[b->len] = '\0';
    return len;
}

static size_t keep_token(char *data, size_t size, size_t n, void *ctx)
{
    static const char name[] = "X-Subject-Token: ";
    struct body *b = ctx;
    size_t len = size * n, head = sizeof(name) - 1;
    if (len > head && strncasecmp(data, name, head) == 0)
        snprintf(b->token, sizeof(b->token), "%.*s", (int)strcspn(data + head, "\r\n"),
                 data + head);
    return len;
}

static struct curl_slist *add_header(struct curl_slist *list, const char *name, const char *value)
{
    char line[1200];
    snprintf(line, sizeof(line), "%s: %s", name, value);
    return curl_slist_append(list, line);
}

struct direct {
    CURL *curl;
    struct curl_slist *headers;
    struct body *body;
};

static void direct_open(struct direct *d, const char *url, const char *token)
{
    d->curl = curl_easy_init();
    d->body = calloc(1, sizeof(*d->body));
    d->headers = add_header(NULL, "X-Auth-Token", token);
    d->headers = add_header(d->headers, "OpenStack-API-Version", "compute 2.90");
    curl_easy_setopt(d->curl, CURLOPT_URL, url);
    curl_easy_setopt(d->curl, CURLOPT_HTTPHEADER, d->headers);
    curl_easy_setopt(d->curl, CURLOPT_WRITEFUNCTION, keep_body);
    curl_easy_setopt(d->curl, CURLOPT_WRITEDATA, d->body);
    curl_easy_setopt(d->curl, CURLOPT_NOSIGNAL, 1L);
}

static int64_t direct_call(void *ctx)
{
    struct direct *d = ctx;
    long status = 0;
    d->body->len = 0;
    int64_t start = bench_now();
    CURLcode rc = curl_easy_perform(d->curl);
    int64_t ns = bench_now() - start;
    curl_easy_getinfo(d->curl, CURLINFO_RESPONSE_CODE, &status);
    if (rc != CURLE_OK || status != 200)
        bench_die("the direct call: %s, status %ld", curl_easy_strerror(rc), status);
    return ns;
}

static void direct_close(struct direct *d)
{
    curl_easy_cleanup(d->curl);
    curl_slist_free_all(d->headers);
    free(d->body);
}

/* Log in on a fresh connection; the catalogue's compute endpoint may be asked for. */
static void log_in(const char *auth_url, const char *password, struct body *ret)
{
    char url[256], json[512];
    snprintf(url, sizeof(url), "%s/auth/tokens", auth_url);
    snprintf(
        json, sizeof(json),
        "{\"auth\":{\"identity\":{\"methods\":[\"password\"],\"password\":{\"user\":{\"name\":"
        "\"demo\",\"domain\":{\"name\":\"Default\"},\"password\":\"%s\"}}},\"scope\":{\"project\":"
        "{\"name\":\"demo\",\"domain\":{\"name\":\"Default\"}}}}}",
        password);
    CURL *curl = curl_easy_init();
    struct curl_slist *headers = add_header(NULL, "Content-Type", "application/json");
    memset(ret, 0, sizeof(*ret));
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, json);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, ret);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, keep_token);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, ret);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    CURLcode rc = curl_easy_perform(curl);
    curl_easy_cleanup(curl);
    curl_slist_free_all(headers);
    if (rc != CURLE_OK || !ret->token[0])
        bench_die("cannot log in at %s: %s", url, curl_easy_strerror(rc));
}

/* The URL of the public compute endpoint in a token's body. */
static void compute_url(const char *token_body, char *out, size_t room)
{
    /* Members come in no fixed order: the endpoint is the URL that ends in the compute API's path.
     */
    for (const char *at = token_body; (at = strstr(at, "\"url\": \"")); at++) {
        const char *url = at + strlen("\"url\": \"");
        size_t len = strcspn(url, "\"");
        if (len > 5 && len < room && strncmp(url + len - 5, "/v2.1", 5) == 0) {
            snprintf(out, room, "%.*s", (int)len, url);
            return;
        }
    }
    bench_die("the catalogue has no compute endpoint");
}

/* ---- against the stub ---- */

static void stub_clouds(const char *dir, int port, char *path, size_t room)
{
    snprintf(path, room, "%s/clouds.yaml", dir);
    FILE *f = fopen(path, "we");
    if (!f)
        bench_die("%s: %s", path, strerror(errno));
    fprintf(f,
            "clouds:\n  stub:\n    auth: {auth_url: \"http://127.0.0.1:%d/v3\", username: demo, "
            "password: secret, project_name: demo, user_domain_name: Default, "
            "project_domain_name: Default}\n    region_name: RegionOne\n",
            port);
    fclose(f);
}

static void against_stub(double *ret_p50, double *ret_p99)
{
    int port = bench_free_port();
    const struct stub_cloud cloud = stub_openstack(BENCH_DATA);
    pid_t stub = stub_start(port, &cloud, NULL);
    struct bench_daemon daemon;
    char dir[] = "/tmp/isobar-bench-XXXXXX", path[128], clouds[256], url[128];
    if (!mkdtemp(dir))
        bench_die("mkdtemp: %s", strerror(errno));
    stub_clouds(dir, port, path, sizeof(path));
    snprintf(clouds, sizeof(clouds), "  stub: {adapter: openstack, cloud: stub, clouds_file: %s}",
             path);
    bench_daemon_start(&daemon, clouds, -1);
    struct direct d;
    struct through t;
    snprintf(url, sizeof(url), "http://127.0.0.1:%d/compute/v2.1/servers/" STUB_VM, port);
    direct_open(&d, url, STUB_TOKEN);
    through_open(&t, daemon.port, "stub", STUB_VM);
    struct pairs p = {0};
    pairs_measure(&p, direct_call, &d, &t, WARM);
    pairs_reset(&p);
    pairs_measure(&p, direct_call, &d, &t, STUB_PAIRS);
    *ret_p50 = samples_us(&p.difference, 50);
    *ret_p99 = samples_us(&p.through, 99) - samples_us(&p.direct, 99);
    printf("stub, %d pairs: direct p50 %.1f us, p99 %.1f us; gateway p50 %.1f us, p99 %.1f us\n",
           STUB_PAIRS, samples_us(&p.direct, 50), samples_us(&p.direct, 99),
           samples_us(&p.through, 50), samples_us(&p.through, 99));
    direct_close(&d);
    through_close(&t);
    bench_daemon_stop(&daemon);
    bench_end(stub);
    unlink(path);
    rmdir(dir);
    pairs_free(&p);
}

/* ---- against the real OpenStack ---- */

/* What follows `key:` in the part of the file behind `demo:`. */
static void yaml_value(const char *path, const char *key, char *out, size_t room)
{
    char line[512];
    bool inside = false;
    FILE *f = fopen(path, "re");
    if (!f)
        bench_die("%s: %s", path, strerror(errno));
    out[0] = '\0';
    while (fgets(line, sizeof(line), f)) {
        char *text = line + strspn(line, " ");
        text[strcspn(text, "\r\n")] = '\0';
        inside |= strcmp(text, "demo:") == 0;
        size_t n = strlen(key);
        if (inside && strncmp(text, key, n) == 0 && text[n] == ':') {
            snprintf(out, room, "%s", text + n + 1 + strspn(text + n + 1, " "));
            break;
        }
    }
    fclose(f);
}

static void delete_vm(int fd, const char *cloud, char *id)
{
    pb_DeleteVmRequest req;
    isobar__v1__delete_vm_request__init(&req);
    req.cloud = (char *)(uintptr_t)cloud;
    req.id = id;
    req.wait = WAIT_RUNNING;
    struct bench_frame frame;
    uint8_t buf[65536];
    bench_frame(&frame, "isobar.v1.VmService/DeleteVm", &req.base, 60000);
    isobar__v1__reply__free_unpacked(bench_expect_ok(buf, bench_call(fd, &frame, buf, sizeof(buf))),
                                     NULL);
    free(frame.data);
}

static void print_table(struct direct *d, struct through *t)
{
    double sum[3] = {0};
    printf("\n%4s %14s %14s %14s\n", "call", "gateway ms", "direct ms", "difference ms");
    for (int i = 0; i < TABLE_ROWS; i++) {
        double direct = (double)direct_call(d) / 1e6, through = (double)through_call(t) / 1e6;
        printf("%4d %14.3f %14.3f %14.3f\n", i + 1, through, direct, through - direct);
        sum[0] += through;
        sum[1] += direct;
        sum[2] += through - direct;
    }
    printf("%4s %14.3f %14.3f %14.3f\n\n", "mean", sum[0] / TABLE_ROWS, sum[1] / TABLE_ROWS,
           sum[2] / TABLE_ROWS);
}

static void against_openstack(const char *clouds_yaml, double *ret_added, double *ret_vs_login)
{
    char auth_url[256], password[128], endpoint[256], url[384], clouds[512];
    yaml_value(clouds_yaml, "auth_url", auth_url, sizeof(auth_url));
    yaml_value(clouds_yaml, "password", password, sizeof(password));
    struct body *login = calloc(1, sizeof(*login));
    log_in(auth_url, password, login);
    compute_url(login->data, endpoint, sizeof(endpoint));
    struct bench_daemon daemon;
    snprintf(
        clouds, sizeof(clouds),
        "  lab: {adapter: openstack, cloud: demo, clouds_file: %s, defaults: {keypair: test-key}}",
        clouds_yaml);
    bench_daemon_start(&daemon, clouds, -1);
    int fd = bench_connect(daemon.port);
    char *id = bench_make_vm_of(fd, "lab", "bench-overhead", "m1.tiny", "test-image");
    snprintf(url, sizeof(url), "%s/servers/%s", endpoint, id);
    struct direct d;
    struct through t;
    direct_open(&d, url, login->token);
    through_open(&t, daemon.port, "lab", id);
    struct pairs p = {0};
    struct samples logins = {0};
    pairs_measure(&p, direct_call, &d, &t, 5);
    pairs_reset(&p);
    print_table(&d, &t);
    pairs_measure(&p, direct_call, &d, &t, CLOUD_PAIRS);
    for (int i = 0; i < LOGINS; i++) {
        int64_t start = bench_now();
        log_in(auth_url, password, login);
        struct direct fresh;
        direct_open(&fresh, url, login->token);
        direct_call(&fresh);
        direct_close(&fresh);
        samples_add(&logins, bench_now() - start);
    }
    *ret_added = samples_us(&p.difference, 50);
    *ret_vs_login = samples_us(&logins, 50) / samples_us(&p.through, 50);
    printf("OpenStack, %d pairs: gateway p50 %.2f ms; a login for each call %.2f ms\n", CLOUD_PAIRS,
           samples_us(&p.through, 50) / 1000, samples_us(&logins, 50) / 1000);
    direct_close(&d);
    through_close(&t);
    delete_vm(fd, "lab", id);
    close(fd);
    bench_daemon_stop(&daemon);
    free(id);
    free(login);
    pairs_free(&p);
    samples_free(&logins);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    curl_global_init(CURL_GLOBAL_ALL);
    double p50, p99, added = 0, vs_login = 0;
    against_stub(&p50, &p99);
    const char *clouds_yaml = getenv("ISOBAR_TEST_OPENSTACK");
    if (clouds_yaml)
        against_openstack(clouds_yaml, &added, &vs_login);
    else
        printf("no OpenStack is up: its figures are 0\n");
    printf("figure: added_p50_us=%.1f added_p99_us=%.1f openstack_added_p50_us=%.1f "
           "vs_login_per_call=%.2f\n",
           p50, p99, added, vs_login);
    return 0;
}
