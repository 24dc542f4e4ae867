/* The credentials of a connection, whose settings lead to a server of the test's own. */
#ifndef ISOBAR_TESTS_AZURE_FIXTURE_H
#define ISOBAR_TESTS_AZURE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "az_credentials.h"
#include "http_stub.h"
#include "isobar/clock.h"

#define AZURE_SUBSCRIPTION "11111111-2222-3333-4444-555555555555"
#define AZURE_TOKEN        "{\"access_token\":\"entra\",\"expires_in\":3600}"

struct azure {
    struct stub stub;
    struct az_config *config;
    struct http_client *http;
    struct breakers *breakers;
    struct az_credentials *credentials;
};

/* A service principal with a secret: AZURE_CLIENT_SECRET must be "hush". */
static void azure_principal(void)
{
    setenv("AZURE_TENANT_ID", "tenant", 1);
    setenv("AZURE_CLIENT_ID", "client", 1);
    setenv("AZURE_CLIENT_SECRET", "hush", 1);
}

static struct az_config *azure_config(struct azure *f, struct open_error *error)
{
    const struct setting items[] = {
        {"subscription_id", AZURE_SUBSCRIPTION},
        {"authority", stub_url(&f->stub, "")},
        {"endpoint", "https://arm.x"},
    };
    const struct settings s = {.cloud = "lab", .n = ARRAY_LEN(items), .items = items};
    return az_config_load(&s, error);
}

static void azure_open(struct azure *f, const struct stub_step *steps, size_t n)
{
    struct open_error error = {""};
    memset(f, 0, sizeof(*f));
    stub_start(&f->stub, steps, n, NULL);
    f->config = azure_config(f, &error);
    if (!f->config)
        fail_msg("%s", error.text);
    f->http = http_client_new(&(struct http_options){0});
    f->breakers = breakers_new();
    f->credentials = az_credentials_new(f->config, f->http, f->breakers, "lab");
    assert_non_null(f->credentials);
}

static void azure_close(struct azure *f)
{
    az_credentials_free(f->credentials);
    breakers_free(f->breakers);
    http_client_free(f->http);
    az_config_free(f->config);
    stub_stop(&f->stub);
}

/* One call, of a thread of its own perhaps. */
struct azure_call {
    struct azure *azure;
    uint64_t refused;
    struct arena arena;
    pb_Result *result;
    pb_ResultCode code;
    struct token_ref token;
    pthread_t thread;
};

static void azure_begin(struct azure_call *c)
{
    arena_init(&c->arena, 4 << 20);
    c->result = result_new(&c->arena);
}

static void azure_run(struct azure_call *c)
{
    struct op op = {.arena = &c->arena,
                    .deadline_ns = clock_mono_ns() + 30 * NS_PER_SEC,
                    .token = "",
                    .traceparent = "",
                    .result = c->result};
    c->code = az_credentials_get(c->azure->credentials, &op, c->refused, &c->token);
}

static void *azure_get(void *call)
{
    azure_begin(call);
    azure_run(call);
    return NULL;
}

static void azure_end(struct azure_call *c)
{
    token_release(&c->token);
    arena_done(&c->arena);
}

#endif
