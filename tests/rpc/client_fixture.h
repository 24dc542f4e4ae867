/* A client and a fake gateway that it calls, over each transport: what test_client.c and
 * test_client_threads.c share. */
#ifndef CLIENT_FIXTURE_H
#define CLIENT_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake_gateway.h"
#include "isobar.h"
#include "test_certificates.h"

#define LONG_MS 30000 /* for calls that are to end by themselves */

/* What a group of tests runs on. */
struct setup {
    const char *name;
    bool local, tls;
    struct fake gateway;
    char dir[64], path[96], ca[96], cert[96];
    char url[160];
    struct isobar *client;
};

/* Wait until the gateway has another call than the `before` ones. Where none comes, the call on
 * `thread` is let end (it uses what is on the caller's stack), and the test fails. */
static inline void await_call(struct fake *f, unsigned before, pthread_t thread)
{
    int64_t until_ns = clock_mono_ns() + 20 * NS_PER_SEC;
    while (atomic_load(&f->calls) == before && clock_mono_ns() < until_ns)
        usleep(1000);
    if (atomic_load(&f->calls) != before)
        return;
    pthread_join(thread, NULL);
    fail_msg("the call did not reach the gateway in 20 s");
}

static inline void get_url(struct setup *s)
{
    if (s->local)
        snprintf(s->url, sizeof s->url, "ipc://%s", s->path);
    else
        snprintf(s->url, sizeof s->url, "%s://localhost:%d", s->tls ? "tls+tcp" : "tcp",
                 s->gateway.port);
}

static inline struct isobar *open_client(struct setup *s)
{
    struct isobar_options options = {.token = "secret", .ca_file = s->ca, .timeout_ms = LONG_MS};
    struct isobar_error error = {""};
    struct isobar *c = isobar_connect(s->url, &options, &error);
    if (!c)
        fail_msg("%s", error.text);
    return c;
}

static inline SSL_CTX *server_tls(const char *cert)
{
    SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
    assert_int_equal(SSL_CTX_use_certificate_chain_file(tls, cert), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey_file(tls, cert, SSL_FILETYPE_PEM), 1);
    return tls;
}

static inline int set_up(void **state)
{
    struct setup *s = *state;
    struct authority authority;
    snprintf(s->dir, sizeof s->dir, "/tmp/isobar-client.XXXXXX");
    assert_non_null(mkdtemp(s->dir));
    snprintf(s->path, sizeof s->path, "%s/gateway.sock", s->dir);
    snprintf(s->ca, sizeof s->ca, "%s/ca.pem", s->dir);
    snprintf(s->cert, sizeof s->cert, "%s/gateway.pem", s->dir);
    assert_true(authority_init(&authority, s->ca));
    assert_true(authority_sign(&authority, s->cert, "gateway", "DNS:localhost"));
    authority_done(&authority);
    s->gateway = (struct fake){.path = s->local ? s->path : NULL};
    if (s->tls)
        s->gateway.tls = server_tls(s->cert);
    assert_true(fake_start(&s->gateway));
    get_url(s);
    s->client = open_client(s);
    return 0;
}

static inline int tear_down(void **state)
{
    struct setup *s = *state;
    isobar_close(s->client);
    fake_stop(&s->gateway);
    SSL_CTX_free(s->gateway.tls);
    unlink(s->ca);
    unlink(s->cert);
    return rmdir(s->dir);
}

static inline bool get_vm(struct isobar *c, const char *id, uint32_t timeout_ms,
                          struct isobar_reply *ret)
{
    pb_GetVmRequest request;
    isobar__v1__get_vm_request__init(&request);
    request.id = (char *)(uintptr_t)id;
    struct isobar_call_options options = {.timeout_ms = timeout_ms};
    return isobar_call(c, "isobar.v1.VmService/GetVm", &request.base, &options, ret);
}

static inline const pb_Vm *vm_of(const struct isobar_reply *r)
{
    return ((const pb_GetVmResponse *)(const void *)r->message)->vm;
}

static inline const char *tag_of(const pb_Vm *vm, const char *key)
{
    for (size_t i = 0; i < vm->n_tags; i++)
        if (strcmp(vm->tags[i]->key, key) == 0)
            return vm->tags[i]->value;
    return NULL;
}

static inline void expect_vm(struct isobar *c, const char *id)
{
    struct isobar_reply r;
    if (!get_vm(c, id, LONG_MS, &r))
        fail_msg("%s: %s: %s", id, isobar_code_name(r.result->code), r.result->detail);
    assert_int_equal(r.result->code, RESULT_CODE_OK);
    assert_non_null(r.message);
    assert_string_equal(vm_of(&r)->id, id);
    isobar_reply_done(&r);
}

/* The call fails here, in the client. */
static inline void expect_failure(struct isobar *c, const char *id, uint32_t timeout_ms,
                                  pb_ResultCode code, pb_SideEffects effects, const char *words)
{
    struct isobar_reply r;
    assert_false(get_vm(c, id, timeout_ms, &r));
    assert_string_equal(isobar_code_name(r.result->code), isobar_code_name(code));
    if (!strstr(r.result->detail, words))
        fail_msg("%s: no '%s' in '%s'", id, words, r.result->detail);
    assert_int_equal(r.result->side_effects, effects);
    assert_int_equal(r.result->blame, BLAME_GATEWAY);
    assert_non_null(r.result->retry);
    assert_int_equal(r.result->retry->class_, effects == SIDE_EFFECTS_POSSIBLE
                                                  ? RETRY_CLASS_AFTER_LOOKUP
                                                  : RETRY_CLASS_AFTER_BACKOFF);
    assert_null(r.message);
    isobar_reply_done(&r);
}

/* Run the tests, each with a client and a gateway of its own, over each transport. */
static inline int run_all(struct CMUnitTest *tests, size_t n)
{
    static struct setup setups[] = {
        {.name = "ipc", .local = true},
        {.name = "tcp"},
        {.name = "tls+tcp", .tls = true},
    };
    int failed = 0;
    for (size_t i = 0; i < ARRAY_LEN(setups); i++) {
        for (size_t t = 0; t < n; t++) {
            tests[t].setup_func = set_up;
            tests[t].teardown_func = tear_down;
            tests[t].initial_state = &setups[i];
        }
        /* What the macro that names a group calls, for an array whose length it cannot see. */
        failed += _cmocka_run_group_tests(setups[i].name, tests, n, NULL, NULL);
    }
    return failed;
}

#endif
