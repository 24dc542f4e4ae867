/* Both listeners, with nng's own REQ client: the same cases on each kind of URL. */
#include "sp_client.h"

#include <nng/nng.h>
#include <nng/protocol/reqrep0/req.h>

#define CLIENTS 16

struct kind {
    const char *name;
    const char *url;  /* %s: a folder */
    const char *dial; /* %s: the folder, or %d: the port */
    bool local;
};

static const struct kind kinds[] = {
    {"tcp", "tcp://127.0.0.1:0", "tcp://127.0.0.1:%d", false},
    {"ipc", "ipc://%s/sub/s.sock", "ipc://%s/sub/s.sock", true},
    {"nng+tcp", "nng+tcp://127.0.0.1:0", "tcp://127.0.0.1:%d", false},
    {"nng+ipc", "nng+ipc://%s/n.sock", "ipc://%s/n.sock", true},
    {"inproc", "inproc://isobar-test", "inproc://isobar-test", true},
};

struct bench {
    const struct kind *kind;
    struct host host;
    struct listener *listener;
    char folder[64];
    char url[128], dial[128];
};

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
static void set_up(struct bench *b, const struct kind *kind)
{
    memset(b, 0, sizeof(*b));
    b->kind = kind;
    make_folder(b->folder);
    snprintf(b->url, sizeof(b->url), kind->url, b->folder);
    host_init(&b->host);
    struct listener_config config = config_for(b->url);
    b->listener = open_or_fail(&config, &b->host);
    int port = b->listener->ops->port(b->listener);
    if (strstr(kind->dial, "%d")) {
        assert_true(port > 0);
        snprintf(b->dial, sizeof(b->dial), kind->dial, port);
    } else {
        assert_int_equal(port, 0);
        snprintf(b->dial, sizeof(b->dial), kind->dial, b->folder);
    }
}
#pragma GCC diagnostic pop

static void tear_down(struct bench *b)
{
    if (b->listener)
        close_soon(b->listener);
    host_done(&b->host);
    char sub[80];
    snprintf(sub, sizeof(sub), "%s/sub", b->folder);
    rmdir(sub);
    assert_int_equal(rmdir(b->folder), 0); /* so the sockets are gone */
}

static nng_socket dial(const struct bench *b)
{
    nng_socket s;
    assert_int_equal(nng_req0_open(&s), 0);
    assert_int_equal(nng_socket_set_ms(s, NNG_OPT_RECVTIMEO, PATIENCE_MS), 0);
    assert_int_equal(nng_socket_set_ms(s, NNG_OPT_SENDTIMEO, PATIENCE_MS), 0);
    assert_int_equal(nng_socket_set_ms(s, NNG_OPT_REQ_RESENDTIME, NNG_DURATION_INFINITE), 0);
    assert_int_equal(nng_dial(s, b->dial, NULL, 0), 0);
    return s;
}

static void ask_nng(nng_socket s, const void *data, size_t len)
{
    nng_msg *m;
    assert_int_equal(nng_msg_alloc(&m, len), 0);
    if (len > 0)
        memcpy(nng_msg_body(m), data, len);
    assert_int_equal(nng_sendmsg(s, m, 0), 0);
}

static void expect_nng(nng_socket s, const void *data, size_t len)
{
    nng_msg *m;
    int rc = nng_recvmsg(s, &m, 0);
    if (rc != 0)
        fail_msg("no reply: %s", nng_strerror(rc));
    assert_int_equal(nng_msg_len(m), len);
    assert_memory_equal(nng_msg_body(m), data, len);
    nng_msg_free(m);
}

static void check_echo(struct bench *b)
{
    nng_socket s = dial(b);
    int64_t before = clock_mono_ns();
    for (int i = 0; i < 100; i++) {
        char text[32];
        snprintf(text, sizeof(text), "%c%d", i % 2 ? 'A' : 'E', i);
        ask_nng(s, text, strlen(text));
        expect_nng(s, text, strlen(text));
    }
    assert_int_equal(host_received(&b->host), 100);
    pthread_mutex_lock(&b->host.lock);
    assert_int_equal(b->host.local, b->kind->local);
    assert_true(b->host.received_ns >= before && b->host.received_ns <= clock_mono_ns());
    assert_string_equal(b->host.tls_name, "");
    char want[64] = "127.0.0.1:";
    if (strstr(b->kind->name, "ipc"))
        snprintf(want, sizeof(want), "local:pid %d", getpid());
    else if (strstr(b->kind->name, "inproc"))
        snprintf(want, sizeof(want), "inproc");
    assert_memory_equal(b->host.address, want, strlen(want));
    pthread_mutex_unlock(&b->host.lock);
    nng_close(s);
}

static void check_sizes(struct bench *b)
{
    static const size_t sizes[] = {0, 1, 4095, 65536, 65537, 300000, (1 << 20) - 4};
    nng_socket s = dial(b);
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        uint8_t *data = malloc(sizes[i] + 1);
        assert_non_null(data);
        for (size_t k = 0; k < sizes[i]; k++)
            data[k] = (uint8_t)(k * 7 + k / 251);
        data[0] = 'E';
        ask_nng(s, data, sizes[i]);
        expect_nng(s, data, sizes[i]);
        free(data);
    }
    /* A large reply. */
    const uint8_t big[] = {'B', 0, 0x30, 0, 0};
    uint8_t *zeros = calloc(1, 0x300000);
    ask_nng(s, big, sizeof(big));
    expect_nng(s, zeros, 0x300000);
    free(zeros);
    nng_close(s);
}

/* By a bare client: nng's own would send it again and again, and may not survive being closed while
 * it does (nng #1543). So there is no such case for inproc. */
static void check_too_large(struct bench *b)
{
    bool ipc = b->kind->local;
    if (strncmp(b->dial, "inproc:", 7) == 0)
        return;
    int fd = ipc ? dial_local(b->dial + strlen("ipc://"))
                 : dial_tcp(b->listener->ops->port(b->listener));
    greet(fd);
    round_trip(fd, ipc, 1, "Esmall");
    static const uint8_t head[] = {1, 0, 0, 0, 0, 0, 0x10, 0, 5, 0x80, 0, 0, 1};
    size_t skip = ipc ? 0 : 1;
    assert_true(put(fd, head + skip, sizeof(head) - skip));
    assert_true(is_closed(fd));
    close(fd);
    nng_socket other = dial(b);
    ask_nng(other, "E1", 2);
    expect_nng(other, "E1", 2);
    nng_close(other);
    assert_int_equal(host_received(&b->host), 2);
}

static void check_many_clients(struct bench *b)
{
    nng_socket s[CLIENTS];
    char text[CLIENTS][16];
    for (int i = 0; i < CLIENTS; i++)
        s[i] = dial(b);
    for (int round = 0; round < 50; round++) {
        for (int i = 0; i < CLIENTS; i++) {
            snprintf(text[i], sizeof(text[i]), "%c%d.%d", round % 2 ? 'A' : 'E', i, round);
            ask_nng(s[i], text[i], strlen(text[i]));
        }
        for (int i = 0; i < CLIENTS; i++)
            expect_nng(s[i], text[i], strlen(text[i]));
    }
    for (int i = 0; i < CLIENTS; i++)
        nng_close(s[i]);
    assert_int_equal(host_received(&b->host), 50 * CLIENTS);
}

static void check_quiesce(struct bench *b)
{
    nng_socket s = dial(b), t = dial(b);
    ask_nng(s, "H1", 2);
    EVENTUALLY(host_held(&b->host) == 1);
    b->listener->ops->quiesce(b->listener);
    ask_nng(t, "E2", 2);
    host_release(&b->host);
    expect_nng(s, "H1", 2);
    sleep_ms(50);
    assert_int_equal(host_received(&b->host), 1);
    close_soon(b->listener);
    b->listener = NULL;
    assert_int_equal(host_received(&b->host), 1);
    nng_close(s);
    nng_close(t);
}

/* Calls that are answered when their listener is gone. */
static void check_late_replies(struct bench *b)
{
    nng_socket s[CLIENTS];
    for (int i = 0; i < CLIENTS; i++) {
        s[i] = dial(b);
        ask_nng(s[i], "H", 1);
    }
    EVENTUALLY(host_held(&b->host) == CLIENTS);
    close_now(b->listener);
    b->listener = NULL;
    host_release(&b->host);
    assert_int_equal(b->host.cancelled, CLIENTS);
    for (int i = 0; i < CLIENTS; i++)
        nng_close(s[i]);
}

/* Closed while replies leave and the next calls are taken. By bare clients: nng's own may not
 * survive it (nng #1543). */
static void check_busy_end(struct bench *b)
{
    bool ipc = b->kind->local;
    if (strncmp(b->dial, "inproc:", 7) == 0)
        return;
    for (int round = 0; round < 40; round++) {
        int fd = ipc ? dial_local(b->dial + strlen("ipc://"))
                     : dial_tcp(b->listener->ops->port(b->listener));
        greet(fd);
        for (uint32_t i = 0; i < CLIENTS; i++)
            ask(fd, ipc, i, "A", 1);
        size_t len;
        uint32_t id;
        for (int i = 0; i < round % CLIENTS; i++)
            free(answer(fd, ipc, &id, &len));
        tear_down(b);
        close(fd);
        set_up(b, b->kind);
    }
}

static void check_gone_client(struct bench *b)
{
    nng_socket s = dial(b);
    uint64_t closed = count_of(&listener_stats.closed);
    ask_nng(s, "H", 1);
    EVENTUALLY(host_held(&b->host) == 1);
    nng_close(s);
    /* A half-closed client may still read, so only a local one is known to be gone. */
    if (b->kind->local)
        EVENTUALLY(count_of(&listener_stats.closed) == closed + 1);
    host_release(&b->host);
    if (b->kind->local)
        assert_int_equal(b->host.cancelled, 1);
    EVENTUALLY(count_of(&listener_stats.closed) == closed + 1);
}

static void check_no_reply(struct bench *b)
{
    nng_socket s = dial(b);
    uint64_t closed = count_of(&listener_stats.closed);
    ask_nng(s, "N", 1);
    EVENTUALLY(count_of(&listener_stats.closed) == closed + 1);
    nng_close(s);
}

static void on_each(void (*check)(struct bench *b))
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        struct bench b;
        print_message("           %s\n", kinds[i].name);
        set_up(&b, &kinds[i]);
        check(&b);
        tear_down(&b);
    }
}

#define ON_EACH(name)                                                                              \
    static void test_##name(void **state UNUSED)                                                   \
    {                                                                                              \
        on_each(check_##name);                                                                     \
    }
ON_EACH(echo)
ON_EACH(sizes)
ON_EACH(too_large)
ON_EACH(many_clients)
ON_EACH(quiesce)
ON_EACH(late_replies)
ON_EACH(busy_end)
ON_EACH(gone_client)
ON_EACH(no_reply)

static void test_schemes(void **state UNUSED)
{
    assert_ptr_equal(listener_for("tcp://127.0.0.1:1"), &listener_sp);
    assert_ptr_equal(listener_for("ipc:///x"), &listener_sp);
    assert_ptr_equal(listener_for("tls+tcp://[::1]:1"), &listener_sp);
    assert_ptr_equal(listener_for("inproc://x"), &listener_nng);
    assert_ptr_equal(listener_for("nng+tcp://x:1"), &listener_nng);
    assert_ptr_equal(listener_for("nng+ipc:///x"), &listener_nng);
    static const char *const unknown[] = {
        "",         "tcp",    "tcp:", "tcp:/x",          "udp://x",
        "tcpp://x", "tc://x", "://x", "nng+tls+tcp://x", "TCP://x"};
    for (size_t i = 0; i < ARRAY_LEN(unknown); i++)
        assert_null(listener_for(unknown[i]));
}

static void test_cannot_open(void **state UNUSED)
{
    struct bench b;
    set_up(&b, &kinds[0]);
    char taken[128], nng_taken[132];
    snprintf(taken, sizeof(taken), "%s", b.dial);
    snprintf(nng_taken, sizeof(nng_taken), "nng+%s", b.dial);
    const struct {
        const char *url, *why;
    } bad[] = {
        {taken, "in use"},
        {nng_taken, "in use"},
        {"tcp://127.0.0.1:99999", "tcp://HOST:PORT"},
        {"tcp://127.0.0.1:x", "tcp://HOST:PORT"},
        {"tcp://[::1", "tcp://HOST:PORT"},
        {"tcp://192.0.2.1:0", "assign"},
        {"ipc://", "path"},
        {"ipc:///proc/isobar/x", "/proc/isobar"},
        {"tls+tcp://127.0.0.1:0", "certificates"},
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct listener_config config = config_for(bad[i].url);
        char why[256] = "";
        assert_null(listener_for(bad[i].url)->open(&config, &b.host.as_listener_host, why));
        if (!strstr(why, bad[i].url) || !strstr(why, bad[i].why))
            fail_msg("%s: %s", bad[i].url, why);
    }
    char why[256] = "";
    struct listener_tls none = {.cert_file = "/x", .key_file = "/x"};
    assert_false(b.listener->ops->reload_tls(b.listener, &none, why));
    assert_non_null(strstr(why, "no TLS"));
    tear_down(&b);
}

/* Debian's nng, which is the client here, now and then loses a connection's memory when it is
 * closed (one run in thirty, in its dialer): LeakSanitizer asks for this. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libnng.so\n";
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_schemes),   cmocka_unit_test(test_cannot_open),
        cmocka_unit_test(test_echo),      cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_too_large), cmocka_unit_test(test_many_clients),
        cmocka_unit_test(test_quiesce),   cmocka_unit_test(test_late_replies),
        cmocka_unit_test(test_busy_end),  cmocka_unit_test(test_gone_client),
        cmocka_unit_test(test_no_reply),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
