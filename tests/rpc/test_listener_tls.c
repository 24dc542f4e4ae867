/* listener_sp over TLS, with OpenSSL's client: versions, client certificates, wrong authorities,
 * slow and broken handshakes, new certificates. */
#include "tls_client.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>

struct bench {
    struct host host;
    struct listener *listener;
    char folder[64];
    struct identity ca, other_ca, server, alice, san_only, stranger;
};

static int set_up(void **state)
{
    struct bench *b = calloc(1, sizeof(*b));
    signal(SIGPIPE, SIG_IGN); /* for the client here; the listener must not need it */
    make_folder(b->folder);
    make_identity(b->folder, &b->ca, "ca", "Test CA", NULL, NULL);
    make_identity(b->folder, &b->other_ca, "other-ca", "Other CA", NULL, NULL);
    make_identity(b->folder, &b->server, "server", "localhost", "DNS:localhost,IP:127.0.0.1",
                  &b->ca);
    make_identity(b->folder, &b->alice, "alice", "alice", "DNS:not.this.one", &b->ca);
    make_identity(b->folder, &b->san_only, "san", NULL, "IP:10.0.0.1,DNS:node7.example,DNS:x",
                  &b->ca);
    make_identity(b->folder, &b->stranger, "stranger", "alice", NULL, &b->other_ca);
    host_init(&b->host);
    *state = b;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *b = *state;
    if (b->listener)
        close_soon(b->listener);
    host_done(&b->host);
    struct identity *all[] = {&b->ca,    &b->other_ca, &b->server,
                              &b->alice, &b->san_only, &b->stranger};
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        drop_identity(all[i]);
    assert_int_equal(rmdir(b->folder), 0);
    free(b);
    return 0;
}

static void start(struct bench *b, bool mutual)
{
    struct listener_tls tls = {.cert_file = b->server.cert_file,
                               .key_file = b->server.key_file,
                               .ca_file = mutual ? b->ca.cert_file : NULL};
    struct listener_config config = config_for("tls+tcp://127.0.0.1:0");
    config.tls = &tls;
    config.limits.handshake_ms = 2000;
    b->listener = open_or_fail(&config, &b->host);
}

static bool dial(struct bench *b, struct client *c, const struct identity *id,
                 const struct identity *ca, int version)
{
    return dial_tls(c, b->listener->ops->port(b->listener), id, ca, version);
}

/* One call there and back; false where the other side closes. */
static bool round_trip_tls(struct client *c, const char *text, bool hello)
{
    uint8_t wire[256], back[256];
    size_t len = 0, head = hello ? sizeof(HELLO) : 0;
    memcpy(wire, HELLO, head);
    len = head + frame(wire + head, false, 77, text, strlen(text));
    if (!put_tls(c, wire, len) || get_tls(c, back, len) != len)
        return false;
    if (hello)
        assert_memory_equal(back, HELLO_BACK, 8);
    assert_memory_equal(back + head, wire + head, len - head);
    return true;
}

static void test_versions(void **state)
{
    struct bench *b = *state;
    start(b, false);
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
        struct client c;
        assert_true(dial(b, &c, NULL, &b->ca, versions[i]));
        assert_true(round_trip_tls(&c, "Einline", true));
        assert_true(round_trip_tls(&c, "Afrom another thread", false));
        assert_int_equal(SSL_version(c.ssl), versions[i]);
        assert_string_equal(b->host.tls_name, "");
        assert_false(b->host.local);
        assert_memory_equal(b->host.address, "127.0.0.1:", 10);
        hang_up(&c);
    }
    struct client c;
    uint64_t failed = count_of(&listener_stats.tls_failed);
    assert_false(dial(b, &c, NULL, &b->ca, TLS1_1_VERSION));
    hang_up(&c);
    EVENTUALLY(count_of(&listener_stats.tls_failed) == failed + 1);
}

static void test_client_certificate(void **state)
{
    struct bench *b = *state;
    start(b, true);
    const struct {
        const struct identity *id;
        const char *name;
    } good[] = {{&b->alice, "alice"}, {&b->san_only, "node7.example"}};
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        for (size_t v = 0; v < ARRAY_LEN(versions); v++) {
            struct client c;
            assert_true(dial(b, &c, good[i].id, &b->ca, versions[v]));
            assert_true(round_trip_tls(&c, "Ewho am I", true));
            assert_string_equal(b->host.tls_name, good[i].name);
            hang_up(&c);
        }
    unsigned received = host_received(&b->host);
    const struct identity *bad[] = {NULL, &b->stranger};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        for (size_t v = 0; v < ARRAY_LEN(versions); v++) {
            struct client c;
            uint64_t failed = count_of(&listener_stats.tls_failed);
            bool ok = dial(b, &c, bad[i], &b->ca, versions[v]);
            assert_false(ok && round_trip_tls(&c, "Elet me in", true));
            hang_up(&c);
            EVENTUALLY(count_of(&listener_stats.tls_failed) == failed + 1);
        }
    assert_int_equal(host_received(&b->host), received);
}

/* A session that is taken up again knows its client still. */
static void test_resumption(void **state)
{
    struct bench *b = *state;
    start(b, true);
    struct client c, d;
    assert_true(dial(b, &c, &b->alice, &b->ca, TLS1_3_VERSION));
    assert_true(round_trip_tls(&c, "Efirst", true));
    SSL_SESSION *session = SSL_get1_session(c.ssl);
    assert_non_null(session);
    d.ctx = c.ctx;
    SSL_CTX_up_ref(d.ctx);
    d.ssl = SSL_new(d.ctx);
    d.fd = dial_tcp(b->listener->ops->port(b->listener));
    SSL_set_fd(d.ssl, d.fd);
    SSL_set_session(d.ssl, session);
    assert_int_equal(SSL_connect(d.ssl), 1);
    assert_true(round_trip_tls(&d, "Eagain", true));
    assert_int_equal(SSL_session_reused(d.ssl), 1);
    assert_string_equal(b->host.tls_name, "alice");
    SSL_SESSION_free(session);
    hang_up(&c);
    hang_up(&d);
}

static void test_wrong_authority(void **state)
{
    struct bench *b = *state;
    start(b, false);
    struct client c;
    uint64_t failed = count_of(&listener_stats.tls_failed);
    assert_false(dial(b, &c, NULL, &b->other_ca, TLS1_3_VERSION));
    hang_up(&c);
    EVENTUALLY(count_of(&listener_stats.tls_failed) == failed + 1);
}

static void test_large(void **state)
{
    enum { LEN = 900000 };
    struct bench *b = *state;
    start(b, false);
    struct client c;
    assert_true(dial(b, &c, NULL, &b->ca, TLS1_3_VERSION));
    uint8_t *wire = malloc(LEN + 32), *data = malloc(LEN), *back = malloc(LEN + 32), hello[8];
    for (size_t i = 0; i < LEN; i++)
        data[i] = (uint8_t)(i * 13 + i / 255);
    data[0] = 'E';
    assert_true(put_tls(&c, HELLO, 8));
    assert_int_equal(get_tls(&c, hello, 8), 8);
    size_t len = frame(wire, false, 5, data, LEN);
    assert_true(put_tls(&c, wire, len));
    assert_int_equal(get_tls(&c, back, len), len);
    assert_memory_equal(back, wire, len);
    /* A reply much larger than the socket takes at once. */
    const uint8_t big[] = {'B', 0, 0x80, 0, 0};
    len = frame(wire, false, 6, big, sizeof(big));
    assert_true(put_tls(&c, wire, len));
    sleep_ms(50);
    size_t left = 0x800000 + 12;
    while (left > 0) {
        size_t n = get_tls(&c, back, left < LEN ? left : LEN);
        assert_true(n > 0);
        left -= n;
    }
    free(wire);
    free(data);
    free(back);
    hang_up(&c);
}

/* Many calls in few records, and pauses where too many are under way. */
static void test_pipelined(void **state)
{
    enum { N = 3000 };
    struct bench *b = *state;
    start(b, false);
    struct client c;
    assert_true(dial(b, &c, NULL, &b->ca, TLS1_2_VERSION));
    uint8_t *wire = malloc(N * 32), *back = malloc(N * 32);
    memcpy(wire, HELLO, 8);
    size_t len = 8;
    for (uint32_t i = 0; i < N; i++) {
        char text[16];
        snprintf(text, sizeof(text), "E%u", i);
        len += frame(wire + len, false, i, text, strlen(text));
    }
    assert_true(put_tls(&c, wire, len));
    assert_int_equal(get_tls(&c, back, len), len);
    assert_memory_equal(back + 8, wire + 8, len - 8);
    free(wire);
    free(back);
    hang_up(&c);
}

static void test_half_close(void **state)
{
    struct bench *b = *state;
    start(b, false);
    struct client c;
    uint8_t wire[64];
    assert_true(dial(b, &c, NULL, &b->ca, TLS1_3_VERSION));
    memcpy(wire, HELLO, 8);
    size_t len = 8 + frame(wire + 8, false, 1, "H1", 2);
    assert_true(put_tls(&c, wire, len));
    assert_int_equal(get_tls(&c, wire, 8), 8);
    SSL_shutdown(c.ssl);
    EVENTUALLY(host_held(&b->host) == 1);
    sleep_ms(20);
    host_release(&b->host);
    assert_int_equal(get_tls(&c, wire, 14), 14);
    assert_memory_equal(wire + 12, "H1", 2);
    size_t n;
    assert_int_equal(SSL_read_ex(c.ssl, wire, 1, &n), 0);
    assert_int_equal(SSL_get_error(c.ssl, 0), SSL_ERROR_ZERO_RETURN); /* a proper goodbye */
    assert_int_equal(b->host.cancelled, 0);
    hang_up(&c);
}

static void test_broken_handshakes(void **state)
{
    struct bench *b = *state;
    start(b, false);
    int port = b->listener->ops->port(b->listener);
    unsigned fds = count_fds();
    uint64_t failed = count_of(&listener_stats.tls_failed);
    uint8_t back[64];
    int plain = dial_tcp(port); /* SP without TLS */
    assert_true(put(plain, HELLO, 8));
    get(plain, back, sizeof(back));
    close(plain);
    EVENTUALLY(count_of(&listener_stats.tls_failed) == failed + 1);
    int gone = dial_tcp(port);
    close(gone);
    EVENTUALLY(count_of(&listener_stats.tls_failed) == failed + 2);
    /* A client that says nothing, and one that stops in the middle. */
    uint64_t late = count_of(&listener_stats.timeouts);
    int silent = dial_tcp(port), begun = dial_tcp(port);
    assert_true(put(begun, "\x16\x03\x01\x02", 4));
    assert_true(is_closed(silent));
    assert_true(is_closed(begun));
    assert_int_equal(count_of(&listener_stats.timeouts), late + 2);
    close(silent);
    close(begun);
    /* One that has TLS, and then says no SP. */
    struct client c;
    assert_true(dial(b, &c, NULL, &b->ca, TLS1_3_VERSION));
    assert_int_equal(get_tls(&c, back, 9), 8);
    hang_up(&c);
    assert_int_equal(count_of(&listener_stats.timeouts), late + 3);
    EVENTUALLY(count_fds() == fds);
}

/* Clients that vanish right after the handshake leave nothing behind. */
static void test_vanish(void **state)
{
    struct bench *b = *state;
    start(b, false);
    uint64_t closed = count_of(&listener_stats.closed);
    unsigned fds = count_fds();
    int n = SANITIZED ? 50 : 300;
    for (int i = 0; i < n; i++) {
        struct client c;
        assert_true(dial(b, &c, NULL, &b->ca, i % 2 ? TLS1_2_VERSION : TLS1_3_VERSION));
        if (i % 3 == 0)
            assert_true(put_tls(&c, HELLO, 8));
        hang_up(&c);
    }
    EVENTUALLY(count_of(&listener_stats.closed) == closed + (unsigned)n);
    assert_int_equal(count_fds(), fds);
}

/* A reset in the middle, and a reply to it: SIGPIPE must not end the process. */
static void test_reset(void **state)
{
    struct bench *b = *state;
    start(b, false);
    signal(SIGPIPE, SIG_DFL);
    for (int i = 0; i < 20; i++) {
        struct client c;
        assert_true(dial(b, &c, NULL, &b->ca, TLS1_3_VERSION));
        uint8_t wire[64];
        memcpy(wire, HELLO, 8);
        assert_true(put_tls(&c, wire, 8 + frame(wire + 8, false, 1, "H1", 2)));
        EVENTUALLY(host_held(&b->host) == 1);
        if (i % 2)
            close_with_reset(c.fd);
        host_release(&b->host);
        if (i % 2)
            c.fd = -1;
        hang_up(&c);
    }
    signal(SIGPIPE, SIG_IGN);
}

static void test_reload(void **state)
{
    struct bench *b = *state;
    start(b, false);
    struct client before, after;
    assert_true(dial(b, &before, NULL, &b->ca, TLS1_3_VERSION));
    assert_true(round_trip_tls(&before, "Eold", true));
    char why[256] = "";
    struct listener_tls none = {.cert_file = "/nowhere/x.crt", .key_file = b->server.key_file};
    assert_false(b->listener->ops->reload_tls(b->listener, &none, why));
    if (!strstr(why, "/nowhere/x.crt: No such file"))
        fail_msg("%s", why);
    struct listener_tls mixed = {.cert_file = b->server.cert_file, .key_file = b->alice.key_file};
    assert_false(b->listener->ops->reload_tls(b->listener, &mixed, why));
    if (!strstr(why, "mismatch"))
        fail_msg("%s", why);
    struct identity fresh;
    make_identity(b->folder, &fresh, "fresh", "localhost", "DNS:localhost", &b->other_ca);
    struct listener_tls good = {.cert_file = fresh.cert_file, .key_file = fresh.key_file};
    assert_true(b->listener->ops->reload_tls(b->listener, &good, why));
    assert_true(round_trip_tls(&before, "Estill there", false));
    assert_true(dial(b, &after, NULL, &b->other_ca, TLS1_3_VERSION));
    assert_true(round_trip_tls(&after, "Enew", true));
    hang_up(&before);
    hang_up(&after);
    assert_false(dial(b, &after, NULL, &b->ca, TLS1_3_VERSION));
    hang_up(&after);
    drop_identity(&fresh);
}

static void test_bad_files(void **state)
{
    struct bench *b = *state;
    char why[256] = "";
    struct listener_config config = config_for("tls+tcp://127.0.0.1:0");
    struct listener_tls tls = {.cert_file = b->server.key_file, .key_file = b->server.key_file};
    config.tls = &tls;
    assert_null(listener_sp.open(&config, &b->host.as_listener_host, why));
    assert_non_null(strstr(why, b->server.key_file));
    tls = (struct listener_tls){.cert_file = b->server.cert_file,
                                .key_file = b->server.key_file,
                                .ca_file = "/nowhere/ca.crt"};
    assert_null(listener_sp.open(&config, &b->host.as_listener_host, why));
    assert_non_null(strstr(why, "/nowhere/ca.crt"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_versions),   TEST(test_client_certificate),
        TEST(test_resumption), TEST(test_wrong_authority),
        TEST(test_large),      TEST(test_pipelined),
        TEST(test_half_close), TEST(test_broken_handshakes),
        TEST(test_vanish),     TEST(test_reset),
        TEST(test_reload),     TEST(test_bad_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
