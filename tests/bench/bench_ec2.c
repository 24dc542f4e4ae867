/* What AWS costs: a signature, the gateway's share of a call, and reading a long list.
 *
 * signer     a request as EC2 gets them, next to the hashes that every signature needs
 * overhead   GetVm through the gateway, next to the same request, signed and sent by libcurl on a
 *            kept-alive connection; against a stub that always answers the same
 * parser     10,000 machines, a page of 1,000 at a time, next to copying the same bytes
 */
#include <curl/curl.h>
#include <errno.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "aws_instances.h"
#include "isobar/clock.h"
#include "kit/sigv4.h"
#include "pairs.h"
#include "stub.h"

#ifndef BENCH_DATA
#error "BENCH_DATA is the folder of the recorded bodies"
#endif

enum { ROUNDS = 7, SIGNATURES = 20000, WARM = 200, PAIRS = 5000 };
enum { PAGES = 10, PAGE_MACHINES = 1000, BODY_ROOM = 65536 };

#define VM     "i-0c8b1f7d2a9e45361"
#define FORM   "application/x-www-form-urlencoded; charset=utf-8"
#define KEY_ID "AKIAIOSFODNN7EXAMPLE"
#define SECRET "bench/CANARY/of/no/use/to/anybody/EXAMPLE"
#define DESCRIBE                                                                                   \
    "Action=DescribeInstances&Version=2016-11-15&Filter.1.Name=instance-id&Filter.1.Value.1=" VM

static const struct sigv4_key key = {.id = KEY_ID, .secret = SECRET};

/* ---- The signer ---- */

static struct http_request describe(const char *url, const struct http_header *form)
{
    return (struct http_request){.method = "POST",
                                 .url = url,
                                 .headers = form,
                                 .n_headers = 1,
                                 .body = DESCRIBE,
                                 .body_len = strlen(DESCRIBE)};
}

static void sign(struct sigv4_signer *signer, struct arena *a, struct http_request *req)
{
    const struct sigv4_scope scope = {
        .region = "eu-west-1", .service = "ec2", .time_s = clock_wall_ns() / NS_PER_SEC};
    if (!sigv4_sign(signer, a, &key, &scope, req))
        bench_die("the request cannot be signed");
}

static double signatures_us(struct sigv4_signer *signer, struct arena *a)
{
    static const struct http_header form = {"Content-Type", FORM};
    int64_t start = bench_now();
    for (int i = 0; i < SIGNATURES; i++) {
        struct http_request req = describe("https://ec2.eu-west-1.amazonaws.com/", &form);
        sign(signer, a, &req);
        arena_reset(a);
    }
    return (double)(bench_now() - start) / 1000 / SIGNATURES;
}

/* Of the body, of the canonical request, and a keyed one of what is signed. */
static double hashes_us(void)
{
    unsigned char digest[32], text[320] = {0};
    unsigned len = sizeof(digest);
    int64_t start = bench_now();
    for (int i = 0; i < SIGNATURES; i++) {
        SHA256((const unsigned char *)DESCRIBE, strlen(DESCRIBE), digest);
        SHA256(text, sizeof(text), digest);
        HMAC(EVP_sha256(), digest, sizeof(digest), text, 140, digest, &len);
        text[0] = digest[0];
    }
    return (double)(bench_now() - start) / 1000 / SIGNATURES;
}

static double measure_signer(void)
{
    double ours[ROUNDS], bare[ROUNDS];
    struct sigv4_signer *signer = sigv4_signer_new();
    struct arena a;
    arena_init(&a, (size_t)1 << 20);
    for (int i = 0; i < ROUNDS; i++) {
        ours[i] = signatures_us(signer, &a);
        bare[i] = hashes_us();
    }
    double us = middle(ours, ROUNDS);
    printf("signer: %.2f us a request; its hashes alone %.2f us\n", us, middle(bare, ROUNDS));
    arena_done(&a);
    sigv4_signer_free(signer);
    return us;
}

/* ---- The overhead ---- */

struct direct {
    CURL *curl;
    struct sigv4_signer *signer;
    struct arena arena;
    char url[64];
    size_t got;
};

static size_t count_body(char *data, size_t size, size_t n, void *ctx)
{
    struct direct *d = ctx;
    (void)data;
    d->got += size * n;
    return size * n;
}

static int64_t direct_call(void *ctx)
{
    static const struct http_header form = {"Content-Type", FORM};
    struct direct *d = ctx;
    struct curl_slist *lines = NULL;
    char line[1024];
    long status = 0;
    int64_t start = bench_now();
    struct http_request req = describe(d->url, &form);
    sign(d->signer, &d->arena, &req);
    for (size_t i = 0; i < req.n_headers; i++) {
        snprintf(line, sizeof(line), "%s: %s", req.headers[i].name, req.headers[i].value);
        lines = curl_slist_append(lines, line);
    }
    curl_easy_setopt(d->curl, CURLOPT_HTTPHEADER, lines);
    curl_easy_setopt(d->curl, CURLOPT_POSTFIELDS, DESCRIBE);
    CURLcode rc = curl_easy_perform(d->curl);
    int64_t ns = bench_now() - start;
    curl_easy_getinfo(d->curl, CURLINFO_RESPONSE_CODE, &status);
    if (rc != CURLE_OK || status != 200 || d->got == 0)
        bench_die("the direct call: %s, status %ld", curl_easy_strerror(rc), status);
    curl_slist_free_all(lines);
    arena_reset(&d->arena);
    d->got = 0;
    return ns;
}

static void direct_open(struct direct *d, int port)
{
    *d = (struct direct){.curl = curl_easy_init(), .signer = sigv4_signer_new()};
    arena_init(&d->arena, (size_t)1 << 20);
    snprintf(d->url, sizeof(d->url), "http://127.0.0.1:%d/", port);
    curl_easy_setopt(d->curl, CURLOPT_URL, d->url);
    curl_easy_setopt(d->curl, CURLOPT_WRITEFUNCTION, count_body);
    curl_easy_setopt(d->curl, CURLOPT_WRITEDATA, d);
    curl_easy_setopt(d->curl, CURLOPT_NOSIGNAL, 1L);
}

static void direct_close(struct direct *d)
{
    curl_easy_cleanup(d->curl);
    sigv4_signer_free(d->signer);
    arena_done(&d->arena);
}

static double measure_overhead(void)
{
    static const struct stub_route routes[] = {
        {"POST", "/", "Action=DescribeInstances&", "instance.xml"},
        {"POST", "/", "Action=DescribeImages&", "images.xml"},
        {"POST", "/", "Action=DescribeSubnets&", "subnets.xml"},
        {"POST", "/", "Action=DescribeVpcs&", "vpcs.xml"},
        {"POST", "/", "Action=DescribeInstanceTypes&", "types.xml"},
    };
    const struct stub_cloud cloud = {BENCH_DATA, "text/xml;charset=UTF-8", routes,
                                     ARRAY_LEN(routes), false};
    struct bench_daemon daemon;
    struct direct d;
    struct through t;
    struct pairs p = {0};
    char clouds[256];
    int port = bench_free_port();
    pid_t stub = stub_start(port, &cloud, NULL);
    snprintf(clouds, sizeof(clouds),
             "  stub: {adapter: aws, region: eu-west-1, endpoint_url: \"http://127.0.0.1:%d\"}",
             port);
    bench_daemon_start(&daemon, clouds, -1);
    direct_open(&d, port);
    through_open(&t, daemon.port, "stub", VM);
    pairs_measure(&p, direct_call, &d, &t, WARM);
    pairs_reset(&p);
    pairs_measure(&p, direct_call, &d, &t, PAIRS);
    double added = samples_us(&p.difference, 50);
    printf(
        "overhead, %d pairs: direct p50 %.1f us, p99 %.1f us; gateway p50 %.1f us, p99 %.1f us\n",
        PAIRS, samples_us(&p.direct, 50), samples_us(&p.direct, 99), samples_us(&p.through, 50),
        samples_us(&p.through, 99));
    through_close(&t);
    direct_close(&d);
    bench_daemon_stop(&daemon);
    bench_end(stub);
    pairs_free(&p);
    return added;
}

/* ---- The parser ---- */

static size_t read_file(const char *name, char *out)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/%s", BENCH_DATA, name);
    FILE *f = fopen(path, "re");
    if (!f)
        bench_die("%s: %s", path, strerror(errno));
    size_t len = fread(out, 1, BODY_ROOM - 1, f);
    fclose(f);
    out[len] = '\0';
    return len;
}

/* A page of machines, made from the answer with one: what is between <reservationSet> and its end
 * comes once for each, with an id of its own. */
static char *make_page(size_t *ret_len)
{
    char *one = malloc(BODY_ROOM);
    read_file("instance.xml", one);
    char *begin = strstr(one, "<reservationSet>"), *end = strstr(one, "</reservationSet>");
    if (!begin || !end)
        bench_die("instance.xml has no reservationSet");
    begin += strlen("<reservationSet>");
    size_t head = (size_t)(begin - one), body = (size_t)(end - begin), tail = strlen(end);
    char *page = malloc(head + body * PAGE_MACHINES + tail + 1), *to = page;
    to = mempcpy(to, one, head);
    for (int i = 0; i < PAGE_MACHINES; i++) {
        char id[sizeof(VM) + 16], *copy = to;
        to = mempcpy(to, begin, body);
        snprintf(id, sizeof(id), "i-%017x", (unsigned)i);
        for (char *at = copy; (at = memmem(at, (size_t)(to - at), VM, strlen(VM))) != NULL;)
            at = mempcpy(at, id, strlen(VM));
    }
    memcpy(to, end, tail + 1);
    *ret_len = (size_t)(to - page) + tail;
    free(one);
    return page;
}

AWS_PAGE(page_shape, "reservationSet", aws_reservation_shape);

static void parse_page(struct arena *a, const char *page, size_t len, bool messages)
{
    struct aws_page answer = {0};
    char why[160];
    if (!xml_parse(a, page, len, &page_shape, &answer, why))
        bench_die("the page cannot be read: %s", why);
    struct shape_list machines = answer.items;
    aws_reservation_unpack(a, &machines);
    if (machines.n != PAGE_MACHINES)
        bench_die("%zu machines in a page of %d", machines.n, PAGE_MACHINES);
    const struct aws_instance *i = machines.items;
    for (size_t k = 0; messages && k < machines.n; k++)
        if (!aws_parse_instance(a, "stub", "eu-west-1", &i[k]))
            bench_die("out of memory");
}

/* MB/s, and the most memory that a page took. */
static double pages_mb_s(const char *page, size_t len, bool messages, size_t *ret_most)
{
    struct arena a;
    arena_init(&a, (size_t)256 << 20);
    int64_t start = bench_now();
    for (int i = 0; i < PAGES; i++) {
        parse_page(&a, page, len, messages);
        if (a.total > *ret_most)
            *ret_most = a.total;
        arena_reset(&a);
    }
    double mb_s = (double)len * PAGES / 1e6 / ((double)(bench_now() - start) / 1e9);
    arena_done(&a);
    return mb_s;
}

static double copies_mb_s(const char *page, size_t len)
{
    char *copy = malloc(len);
    int64_t start = bench_now();
    for (int i = 0; i < PAGES; i++) {
        memcpy(copy, page, len);
        __asm__ volatile("" ::"r"(copy) : "memory");
    }
    double mb_s = (double)len * PAGES / 1e6 / ((double)(bench_now() - start) / 1e9);
    free(copy);
    return mb_s;
}

static double measure_parser(void)
{
    double structs[ROUNDS], messages[ROUNDS], copies[ROUNDS];
    size_t len, most = 0, most_messages = 0;
    char *page = make_page(&len);
    for (int i = 0; i < ROUNDS; i++) {
        structs[i] = pages_mb_s(page, len, false, &most);
        messages[i] = pages_mb_s(page, len, true, &most_messages);
        copies[i] = copies_mb_s(page, len);
    }
    double mb_s = middle(structs, ROUNDS);
    printf("parser, %d machines in pages of %.1f MB: %.1f MB/s, %.1f MB of memory; with messages "
           "%.1f MB/s, %.1f MB; copied %.0f MB/s\n",
           PAGES * PAGE_MACHINES, (double)len / 1e6, mb_s, (double)most / 1e6,
           middle(messages, ROUNDS), (double)most_messages / 1e6, middle(copies, ROUNDS));
    free(page);
    return mb_s;
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    curl_global_init(CURL_GLOBAL_ALL);
    setenv("AWS_ACCESS_KEY_ID", KEY_ID, 1);
    setenv("AWS_SECRET_ACCESS_KEY", SECRET, 1);
    double signer_us = measure_signer();
    double mb_s = measure_parser();
    double added = measure_overhead();
    printf("figure: signer_us=%.2f added_p50_us=%.1f parse_mb_s=%.1f\n", signer_us, added, mb_s);
    return 0;
}
