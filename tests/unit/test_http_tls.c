/* The HTTP client on TLS: whom it believes. */
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <signal.h>

#include "http_fixture.h"

/* A certificate of its own for 127.0.0.1, written to `pem` with its key. */
static SSL_CTX *make_tls(const char *pem)
{
    SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    X509_EXTENSION *name =
        X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "IP:127.0.0.1,DNS:localhost");
    FILE *out = fopen(pem, "w");

    assert_non_null(out);
    X509_set_version(cert, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
    X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC,
                               (const unsigned char *)"stub", -1, -1, 0);
    X509_set_issuer_name(cert, X509_get_subject_name(cert));
    X509_set_pubkey(cert, key);
    X509_add_ext(cert, name, -1);
    X509_sign(cert, key, EVP_sha256());
    PEM_write_X509(out, cert);
    PEM_write_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL);
    fclose(out);
    SSL_CTX_use_certificate(tls, cert);
    SSL_CTX_use_PrivateKey(tls, key);
    X509_EXTENSION_free(name);
    X509_free(cert);
    EVP_PKEY_free(key);
    return tls;
}

static enum http_outcome get_with(struct fixture *f, const struct http_options *o, const char *url)
{
    http_client_free(f->client);
    f->client = http_client_new(o);
    assert_non_null(f->client);
    return send_one(f, (struct http_request){.method = "GET", .url = url});
}

static void tls_is_verified(void **state)
{
    static const struct stub_step steps[] = {{.body = "safe"}};
    char ca_file[] = "/tmp/isobar-test-http-XXXXXX", url[64];
    SSL_CTX *tls;
    struct fixture f;
    struct stub safe;

    (void)state;
    close(mkstemp(ca_file));
    tls = make_tls(ca_file);
    open_fixture(&f, steps, 1);
    stub_start(&safe, steps, 1, tls);
    assert_int_equal(get_with(&f, &(struct http_options){0}, stub_url(&safe, "/")), HTTP_NOT_SENT);
    assert_true(f.failure.permanent);
    assert_non_null(strstr(f.failure.reason, "certificate that is not trusted"));
    assert_int_equal(get_with(&f, &(struct http_options){.ca_file = ca_file}, stub_url(&safe, "/")),
                     HTTP_ANSWERED);
    assert_string_equal(f.rsp.body, "safe");
    /* The connection is kept. */
    assert_int_equal(
        send_one(&f, (struct http_request){.method = "GET", .url = stub_url(&safe, "/2")}),
        HTTP_ANSWERED);
    assert_int_equal(stub_connections(&safe), 2);
    /* The name must be the one in the certificate. */
    snprintf(url, sizeof(url), "https://here.test:%d/", safe.port);
    assert_int_equal(get_with(&f, &(struct http_options){.ca_file = ca_file}, url), HTTP_NOT_SENT);
    assert_true(f.failure.permanent);
    assert_int_equal(get_with(&f, &(struct http_options){.insecure = true}, url), HTTP_ANSWERED);
    assert_int_equal(get_with(&f, &(struct http_options){.insecure = true}, stub_url(&safe, "/")),
                     HTTP_ANSWERED);
    /* No TLS where TLS is expected, no CA where one is named. */
    snprintf(url, sizeof(url), "https://127.0.0.1:%d/", f.stub.port);
    assert_int_equal(get_with(&f, &(struct http_options){0}, url), HTTP_NOT_SENT);
    assert_false(f.failure.permanent);
    assert_int_equal(
        get_with(&f, &(struct http_options){.ca_file = "/nonexistent"}, stub_url(&safe, "/")),
        HTTP_NOT_SENT);
    assert_true(f.failure.permanent);
    close_fixture(&f);
    stub_stop(&safe);
    SSL_CTX_free(tls);
    unlink(ca_file);
}

static void a_client_shows_its_certificate(void **state)
{
    static const struct stub_step steps[] = {{.body = "safe"}};
    char pem[] = "/tmp/isobar-test-http-XXXXXX";
    SSL_CTX *tls;
    struct fixture f;
    struct stub safe;

    (void)state;
    close(mkstemp(pem));
    tls = make_tls(pem);
    SSL_CTX_load_verify_file(tls, pem);
    SSL_CTX_set_verify(tls, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    open_fixture(&f, steps, 1);
    stub_start(&safe, steps, 1, tls);
    assert_int_not_equal(get_with(&f, &(struct http_options){.ca_file = pem}, stub_url(&safe, "/")),
                         HTTP_ANSWERED);
    assert_int_equal(atomic_load(&safe.requests), 0);
    assert_int_equal(get_with(&f, &(struct http_options){.ca_file = pem, .client_cert = pem},
                              stub_url(&safe, "/")),
                     HTTP_ANSWERED);
    assert_int_equal(
        get_with(&f, &(struct http_options){.ca_file = pem, .client_cert = pem, .client_key = pem},
                 stub_url(&safe, "/")),
        HTTP_ANSWERED);
    assert_int_equal(get_with(&f,
                              &(struct http_options){.ca_file = pem, .client_cert = "/nonexistent"},
                              stub_url(&safe, "/")),
                     HTTP_NOT_SENT);
    assert_true(f.failure.permanent);
    close_fixture(&f);
    stub_stop(&safe);
    SSL_CTX_free(tls);
    unlink(pem);
}

static void an_answer_that_nobody_asked_for_is_not_taken(void **state)
{
    static const struct stub_step steps[] = {{.deed = STUB_LATER, .body = "x"}, {.body = "y"}};
    char pem[] = "/tmp/isobar-test-http-XXXXXX";
    SSL_CTX *tls;
    struct fixture f;
    struct stub safe;

    (void)state;
    close(mkstemp(pem));
    tls = make_tls(pem);
    open_fixture(&f, steps, 1);
    stub_start(&safe, steps, 2, tls);
    assert_int_equal(get_with(&f, &(struct http_options){.ca_file = pem}, stub_url(&safe, "/")),
                     HTTP_ANSWERED);
    usleep(100000);
    assert_int_equal(
        send_one(&f, (struct http_request){.method = "POST", .url = stub_url(&safe, "/")}),
        HTTP_ANSWERED);
    assert_string_equal(f.rsp.body, "y");
    close_fixture(&f);
    stub_stop(&safe);
    SSL_CTX_free(tls);
    unlink(pem);
}

struct many {
    struct http_client *client;
    char url[128];
    unsigned answered;
};

static void *send_many(void *arg)
{
    struct many *m = arg;
    struct arena arena;
    struct op op = {.arena = &arena, .deadline_ns = in_ms(60000), .traceparent = ""};

    arena_init(&arena, 1 << 20);
    for (int i = 0; i < 20; i++) {
        struct http_request req = {.method = "POST", .url = m->url};
        struct http_response rsp;
        struct http_failure failure;
        m->answered += http_send(m->client, &op, &req, &rsp, &failure) == HTTP_ANSWERED;
        arena_reset(&arena);
    }
    arena_done(&arena);
    return NULL;
}

/* All verify with the same certificates; every third answer ends its connection. */
static void many_threads_trust_alike(void **state)
{
    static const struct stub_step steps[] = {{0}, {0}, {.close = true}, {0}, {0}, {.close = true},
                                             {0}, {0}, {.close = true}, {0}};
    char pem[] = "/tmp/isobar-test-http-XXXXXX";
    struct many many[8];
    pthread_t threads[8];
    SSL_CTX *tls;
    struct http_client *client;
    struct stub safe;

    (void)state;
    close(mkstemp(pem));
    tls = make_tls(pem);
    stub_start(&safe, steps, ARRAY_LEN(steps), tls);
    client = http_client_new(&(struct http_options){.ca_file = pem});
    for (size_t i = 0; i < ARRAY_LEN(many); i++) {
        many[i] = (struct many){.client = client};
        snprintf(many[i].url, sizeof(many[i].url), "%s", stub_url(&safe, "/"));
        pthread_create(&threads[i], NULL, send_many, &many[i]);
    }
    for (size_t i = 0; i < ARRAY_LEN(many); i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(many[i].answered, 20);
    }
    http_client_free(client);
    stub_stop(&safe);
    SSL_CTX_free(tls);
    unlink(pem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tls_is_verified),
        cmocka_unit_test(a_client_shows_its_certificate),
        cmocka_unit_test(an_answer_that_nobody_asked_for_is_not_taken),
        cmocka_unit_test(many_threads_trust_alike),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
