/* The client library on TLS: whom it trusts and what it says, and that it leaves nothing behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>

#include "fake_gateway.h"
#include "isobar.h"
#include "test_certificates.h"

static char dir[64], ca[96], local_path[96], local_url[128];
static struct fake local = {.path = local_path};

static int set_up(void **state)
{
    (void)state;
    struct authority authority;
    snprintf(dir, sizeof dir, "/tmp/isobar-client.XXXXXX");
    assert_non_null(mkdtemp(dir));
    snprintf(ca, sizeof ca, "%s/ca.pem", dir);
    snprintf(local_path, sizeof local_path, "%s/gateway.sock", dir);
    snprintf(local_url, sizeof local_url, "ipc://%s", local_path);
    static const char *const certs[][2] = {
        {"name", "DNS:localhost"}, {"address", "IP:127.0.0.1"}, {"other", "DNS:other.example"}};
    assert_true(authority_init(&authority, ca));
    for (size_t i = 0; i < ARRAY_LEN(certs); i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s.pem", dir, certs[i][0]);
        assert_true(authority_sign(&authority, path, certs[i][0], certs[i][1]));
    }
    authority_done(&authority);
    return fake_start(&local) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    fake_stop(&local);
    char command[128];
    snprintf(command, sizeof command, "rm -r %s", dir);
    return system(command);
}

static bool get_vm(struct isobar *c, const char *id, struct isobar_reply *ret)
{
    pb_GetVmRequest request;
    isobar__v1__get_vm_request__init(&request);
    request.id = (char *)(uintptr_t)id;
    return isobar_call(c, "isobar.v1.VmService/GetVm", &request.base, NULL, ret);
}

struct tls_case {
    const char *host, *cert; /* of the gateway */
    bool known_ca, mutual, client_cert;
    const char *server_name;
    int version;       /* 0: any */
    const char *words; /* why not; NULL: it works */
};

static SSL_CTX *server_tls(const struct tls_case *k)
{
    char cert[128];
    snprintf(cert, sizeof cert, "%s/%s.pem", dir, k->cert);
    SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
    assert_int_equal(SSL_CTX_use_certificate_chain_file(tls, cert), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey_file(tls, cert, SSL_FILETYPE_PEM), 1);
    SSL_CTX_set_min_proto_version(tls, k->version);
    SSL_CTX_set_max_proto_version(tls, k->version);
    if (k->mutual) {
        SSL_CTX_set_verify(tls, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
        assert_int_equal(SSL_CTX_load_verify_file(tls, ca), 1);
    }
    return tls;
}

static void check_tls(const struct tls_case *k)
{
    struct fake gateway = {.tls = server_tls(k)};
    assert_true(fake_start(&gateway));
    char url[128], cert[128];
    snprintf(url, sizeof url, "tls+tcp://%s:%d", k->host, gateway.port);
    snprintf(cert, sizeof cert, "%s/name.pem", dir);
    struct isobar_options options = {.ca_file = k->known_ca ? ca : NULL,
                                     .cert_file = k->client_cert ? cert : NULL,
                                     .server_name = k->server_name};
    struct isobar_error error = {""};
    struct isobar *c = isobar_connect(url, &options, &error);
    assert_string_equal(error.text, "");
    struct isobar_reply r;
    bool ok = get_vm(c, "web", &r);
    if (ok != !k->words || (k->words && !strstr(r.result->detail, k->words)))
        fail_msg("%s, %s: %s", k->host, k->cert, r.result->detail);
    if (k->words) {
        assert_int_equal(r.result->code, RESULT_CODE_UNAVAILABLE);
        assert_int_equal(r.result->side_effects, SIDE_EFFECTS_NONE);
    }
    isobar_reply_done(&r);
    isobar_close(c);
    fake_stop(&gateway);
    SSL_CTX_free(gateway.tls);
}

static void test_tls(void **state)
{
    (void)state;
    static const struct tls_case cases[] = {
        {.host = "localhost", .cert = "name", .known_ca = true},
        {.host = "localhost", .cert = "name", .known_ca = true, .version = TLS1_2_VERSION},
        {.host = "localhost", .cert = "name", .known_ca = true, .version = TLS1_3_VERSION},
        {.host = "127.0.0.1", .cert = "address", .known_ca = true},
        {.host = "127.0.0.1", .cert = "name", .known_ca = true, .server_name = "localhost"},
        {.host = "localhost",
         .cert = "name",
         .known_ca = true,
         .mutual = true,
         .client_cert = true},
        {.host = "localhost",
         .cert = "name",
         .words = "its certificate is not accepted: unable to get local issuer certificate"},
        {.host = "localhost",
         .cert = "other",
         .known_ca = true,
         .words = "its certificate is not accepted: hostname mismatch"},
        {.host = "127.0.0.1",
         .cert = "name",
         .known_ca = true,
         .words = "its certificate is not accepted: IP address mismatch"},
        {.host = "localhost",
         .cert = "name",
         .known_ca = true,
         .mutual = true,
         .version = TLS1_2_VERSION,
         .words = "no TLS with"},
        {.host = "localhost",
         .cert = "name",
         .known_ca = true,
         .mutual = true,
         .version = TLS1_3_VERSION,
         .words = "hung up before the first call"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check_tls(&cases[i]);
}

static void test_tls_files(void **state)
{
    (void)state;
    char absent[128], cert[128];
    snprintf(absent, sizeof absent, "%s/absent.pem", dir);
    snprintf(cert, sizeof cert, "%s/name.pem", dir);
    const struct isobar_options bad[] = {
        {.ca_file = absent},
        {.ca_file = ca, .cert_file = absent},
        {.ca_file = ca, .cert_file = cert, .key_file = absent},
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct isobar_error error = {""};
        assert_null(isobar_connect("tls+tcp://localhost", &bad[i], &error));
        if (!strstr(error.text, absent))
            fail_msg("%s", error.text);
    }
    /* The key of another certificate. */
    char key[128];
    snprintf(key, sizeof key, "%s/other.pem", dir);
    struct isobar_options mixed = {.cert_file = cert, .key_file = key};
    struct isobar_error error = {""};
    assert_null(isobar_connect("tls+tcp://localhost", &mixed, &error));
    assert_non_null(strstr(error.text, key));
}

static int count_fds(void)
{
    int n = 0;
    DIR *d = opendir("/proc/self/fd");
    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

static void test_nothing_left(void **state)
{
    (void)state;
    const struct tls_case plain = {.host = "localhost", .cert = "name", .known_ca = true};
    struct fake gateway = {.tls = server_tls(&plain)};
    assert_true(fake_start(&gateway));
    char url[64];
    snprintf(url, sizeof url, "tls+tcp://localhost:%d", gateway.port);
    struct isobar_options options = {.ca_file = ca, .timeout_ms = 30};
    const char *urls[] = {local_url, url, "ipc:///nowhere"};
    int before = 0;
    for (int i = 0; i < 20; i++) {
        for (size_t u = 0; u < ARRAY_LEN(urls); u++) {
            struct isobar *c = isobar_connect(urls[u], &options, NULL);
            struct isobar_reply r;
            get_vm(c, i % 2 ? "silent" : "web", &r);
            isobar_reply_done(&r);
            isobar_close(c);
        }
        if (i == 1)
            before = count_fds();
    }
    /* The fake's own ends are closed when it notices. */
    for (int i = 0; count_fds() > before && i < 200; i++)
        usleep(10000);
    assert_in_range(count_fds(), 0, before);
    fake_stop(&gateway);
    SSL_CTX_free(gateway.tls);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tls),
        cmocka_unit_test(test_tls_files),
        cmocka_unit_test(test_nothing_left),
    };
    return cmocka_run_group_tests_name("client TLS", tests, set_up, tear_down);
}
