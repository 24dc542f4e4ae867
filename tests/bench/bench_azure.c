/* What the gateway adds to a GetVm on Azure, next to the same three requests (machine, interface,
 * address) made directly by libcurl with a kept-alive connection and a token at hand; call by call
 * in pairs, against a stub that always answers the same. bench_azure.py runs it.
 */
#include <curl/curl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pairs.h"
#include "stub.h"

#ifndef BENCH_DATA
#error "BENCH_DATA is the folder of the recorded bodies"
#endif

enum { WARM = 200, PAIRS = 3000, REQUESTS = 3 };

#define SUBSCRIPTION "11111111-2222-4333-8444-555555555555"
#define TENANT       "66666666-7777-4888-8999-000000000000"
#define BELOW        "/subscriptions/" SUBSCRIPTION "/resourceGroups/lab/providers/"
#define VM           BELOW "Microsoft.Compute/virtualMachines/web"
#define NIC          BELOW "Microsoft.Network/networkInterfaces/web-nic"
#define IP           BELOW "Microsoft.Network/publicIPAddresses/web-ip"

static const char *const paths[REQUESTS] = {
    VM "?$expand=instanceView&api-version=2021-03-01",
    NIC "?api-version=2021-02-01",
    IP "?api-version=2021-02-01",
};

struct direct {
    CURL *curl;
    struct curl_slist *headers;
    char urls[REQUESTS][256];
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
    struct direct *d = ctx;
    int64_t start = bench_now();
    for (int i = 0; i < REQUESTS; i++) {
        long status = 0;
        d->got = 0;
        curl_easy_setopt(d->curl, CURLOPT_URL, d->urls[i]);
        CURLcode rc = curl_easy_perform(d->curl);
        curl_easy_getinfo(d->curl, CURLINFO_RESPONSE_CODE, &status);
        if (rc != CURLE_OK || status != 200 || d->got == 0)
            bench_die("the direct call: %s, status %ld", curl_easy_strerror(rc), status);
    }
    return bench_now() - start;
}

static void direct_open(struct direct *d, int port)
{
    *d = (struct direct){.curl = curl_easy_init()};
    for (int i = 0; i < REQUESTS; i++)
        snprintf(d->urls[i], sizeof(d->urls[i]), "http://127.0.0.1:%d%s", port, paths[i]);
    d->headers = curl_slist_append(NULL, "Authorization: Bearer " STUB_TOKEN);
    curl_easy_setopt(d->curl, CURLOPT_HTTPHEADER, d->headers);
    curl_easy_setopt(d->curl, CURLOPT_WRITEFUNCTION, count_body);
    curl_easy_setopt(d->curl, CURLOPT_WRITEDATA, d);
    curl_easy_setopt(d->curl, CURLOPT_NOSIGNAL, 1L);
}

static void direct_close(struct direct *d)
{
    curl_easy_cleanup(d->curl);
    curl_slist_free_all(d->headers);
}

int main(void)
{
    static const struct stub_route routes[] = {
        {"POST", "/" TENANT "/oauth2/v2.0/token", NULL, "token.json"},
        {"GET", VM, NULL, "vm.json"},
        {"GET", NIC, NULL, "nic.json"},
        {"GET", IP, NULL, "ip.json"},
        {"GET", "/subscriptions/" SUBSCRIPTION "/providers/Microsoft.Compute/locations/", NULL,
         "sizes.json"},
    };
    const struct stub_cloud cloud = {BENCH_DATA, "application/json", routes, ARRAY_LEN(routes),
                                     false};
    struct bench_daemon daemon;
    struct direct d;
    struct through t;
    struct pairs p = {0};
    char clouds[512];
    int port = bench_free_port();
    signal(SIGPIPE, SIG_IGN);
    curl_global_init(CURL_GLOBAL_ALL);
    setenv("AZURE_CLIENT_SECRET", "CANARY", 1);
    pid_t stub = stub_start(port, &cloud, NULL);
    snprintf(clouds, sizeof(clouds),
             "  stub: {adapter: azure, subscription_id: " SUBSCRIPTION ", tenant_id: " TENANT
             ", client_id: bench, credential: environment, location: westeurope, "
             "authority: \"http://127.0.0.1:%d\", endpoint: \"http://127.0.0.1:%d\"}",
             port, port);
    bench_daemon_start(&daemon, clouds, -1);
    direct_open(&d, port);
    through_open(&t, daemon.port, "stub", VM);
    pairs_measure(&p, direct_call, &d, &t, WARM);
    pairs_reset(&p);
    pairs_measure(&p, direct_call, &d, &t, PAIRS);
    double added = samples_us(&p.difference, 50);
    printf(
        "GetVm, %d requests to the cloud, %d pairs: direct p50 %.1f us, p99 %.1f us; gateway p50 "
        "%.1f us, p99 %.1f us\n",
        REQUESTS, PAIRS, samples_us(&p.direct, 50), samples_us(&p.direct, 99),
        samples_us(&p.through, 50), samples_us(&p.through, 99));
    through_close(&t);
    direct_close(&d);
    bench_daemon_stop(&daemon);
    bench_end(stub);
    pairs_free(&p);
    printf("figure: added_p50_us=%.1f\n", added);
    return 0;
}
