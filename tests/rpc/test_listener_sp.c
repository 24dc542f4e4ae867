/* listener_sp, byte by byte: framing, bad bytes, half-closed and reset connections, replies from
 * other threads. On TCP and on local sockets. */
#include "sp_bench.h"

#include <sys/wait.h>

/* Run a check on a fresh listener of each kind. */
static void on_both(void (*check)(struct bench *b))
{
    for (int ipc = 0; ipc < 2; ipc++) {
        struct bench b;
        prepare(&b, ipc);
        start(&b);
        unsigned fds = count_fds();
        check(&b);
        EVENTUALLY(count_fds() == fds);
        tear_down(&b);
    }
}

static void check_split_everywhere(struct bench *b)
{
    uint8_t wire[128];
    memcpy(wire, HELLO, 8);
    size_t len = 8;
    len += frame(wire + len, b->ipc, 1, "Efirst", 6);
    len += frame(wire + len, b->ipc, 2, "Esecond one", 11);
    uint64_t bytes = count_of(&listener_stats.bytes_in);
    for (size_t cut = 1; cut < len; cut++, bytes += len) {
        int fd = dial(b);
        assert_true(put(fd, wire, cut));
        EVENTUALLY(count_of(&listener_stats.bytes_in) == bytes + cut);
        assert_true(put(fd, wire + cut, len - cut));
        uint8_t back[8];
        assert_int_equal(get(fd, back, 8), 8);
        assert_memory_equal(back, HELLO_BACK, 8);
        expect(fd, b->ipc, 1, "Efirst", 6);
        expect(fd, b->ipc, 2, "Esecond one", 11);
        close(fd);
    }
}

static void check_byte_by_byte(struct bench *b)
{
    uint8_t wire[64];
    uint64_t bytes = count_of(&listener_stats.bytes_in) + sizeof(HELLO);
    int fd = dial_and_greet(b);
    size_t len = frame(wire, b->ipc, 9, "Eslow", 5);
    for (size_t i = 0; i < len; i++) {
        assert_true(put(fd, wire + i, 1));
        EVENTUALLY(count_of(&listener_stats.bytes_in) == bytes + i + 1);
    }
    expect(fd, b->ipc, 9, "Eslow", 5);
    close(fd);
}

/* More than a read takes, more than may be under way, answered in order. */
static void check_many_in_one_segment(struct bench *b)
{
    enum { N = 6000 };
    int fd = dial_and_greet(b);
    uint8_t *wire = malloc(N * 64);
    size_t len = 0;
    char text[32];
    for (uint32_t i = 0; i < N; i++) {
        snprintf(text, sizeof(text), "E%0*u", (int)(i % 23) + 1, i);
        len += frame(wire + len, b->ipc, i, text, strlen(text));
    }
    pid_t child = fork(); /* so that neither side waits for the other to read */
    assert_true(child >= 0);
    if (child == 0)
        _exit(put(fd, wire, len) ? 0 : 1);
    for (uint32_t i = 0; i < N; i++) {
        snprintf(text, sizeof(text), "E%0*u", (int)(i % 23) + 1, i);
        expect(fd, b->ipc, i, text, strlen(text));
    }
    int status;
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
    free(wire);
    close(fd);
}

/* Messages around the sizes at which buffers change. */
static void check_sizes(struct bench *b)
{
    static const size_t around[] = {1, 4096, 65536, 131072, (1 << 20) - 4};
    int fd = dial_and_greet(b);
    uint8_t *data = malloc(1 << 20);
    for (size_t k = 0; k < 1 << 20; k++)
        data[k] = (uint8_t)(k * 31 + k / 253);
    data[0] = 'E';
    for (size_t i = 0; i < ARRAY_LEN(around); i++)
        for (size_t off = 0; off < 24; off++) {
            size_t len = around[i] - (off < around[i] ? off : 0);
            ask(fd, b->ipc, 5, data, len);
            expect(fd, b->ipc, 5, data, len);
        }
    free(data);
    close(fd);
}

static void check_backtrace(struct bench *b)
{
    /* Two hops before the request id. */
    static const uint8_t tail[] = {0,    0, 0, 0, 0,    0, 0, 15, 0x00, 0,   0,  7,
                                   0x7f, 1, 2, 3, 0x80, 0, 0, 1,  'E',  'o', 'k'};
    uint8_t wire[1 + sizeof(tail)] = {1}, back[sizeof(wire)];
    memcpy(wire + 1, tail, sizeof(tail));
    const uint8_t *at = b->ipc ? wire : wire + 1;
    size_t len = sizeof(tail) + (b->ipc ? 1 : 0);
    int fd = dial_and_greet(b);
    assert_true(put(fd, at, len));
    assert_int_equal(get(fd, back, len), len);
    assert_memory_equal(back, at, len);
    assert_int_equal(b->host.backtrace_len, 12);
    /* Nothing but a request id is an empty call. */
    ask(fd, b->ipc, 3, "", 0);
    expect(fd, b->ipc, 3, "", 0);
    close(fd);
}

struct bad {
    const char *what;
    size_t len;
    uint8_t bytes[24]; /* for TCP; on IPC a 0x01 goes before */
};

static void check_bad_frames(struct bench *b)
{
    struct bad bad[] = {
        {"length 0", 8, {0}},
        {"4 GB", 12, {0, 0, 0, 1, 0, 0, 0, 0, 0x80}},
        {"2^63", 12, {0x80, 0, 0, 0, 0, 0, 0, 0, 0x80}},
        {"2^64-1", 8, {255, 255, 255, 255, 255, 255, 255, 255}},
        {"one byte too long", 8, {0, 0, 0, 0, 0, 0x10, 0, 1}},
        {"shorter than a request id", 11, {0, 0, 0, 0, 0, 0, 0, 3, 0x80, 0, 0}},
        {"no request id", 16, {0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 1, 0, 0, 0, 2}},
    };
    int good = dial_and_greet(b);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        uint64_t before = count_of(&listener_stats.bad_frames);
        int fd = dial_and_greet(b);
        round_trip(fd, b->ipc, 1, "Efine so far");
        if (b->ipc)
            assert_true(put(fd, "\1", 1));
        assert_true(put(fd, bad[i].bytes, bad[i].len));
        if (!is_closed(fd))
            fail_msg("%s: not closed", bad[i].what);
        assert_int_equal(count_of(&listener_stats.bad_frames), before + 1);
        close(fd);
        round_trip(good, b->ipc, 2, "Estill here");
    }
    /* A backtrace that never ends. */
    uint8_t hops[80] = {0, 0, 0, 0, 0, 0, 0, 72};
    int fd = dial_and_greet(b);
    if (b->ipc)
        assert_true(put(fd, "\1", 1));
    assert_true(put(fd, hops, sizeof(hops)));
    assert_true(is_closed(fd));
    close(fd);
    if (b->ipc) {
        fd = dial_and_greet(b);
        assert_true(put(fd, "\2\0\0", 3));
        assert_true(is_closed(fd));
        close(fd);
    }
    close(good);
}

static void check_bad_handshake(struct bench *b)
{
    static const char *const bad[] = {"GET / HTTP/1.1\r\n\r\n", "\x16\x03\x01", "\0SP\0\0\x30\0\1",
                                      "\0SP\0\0\x31\0\0", "\0SP\1"};
    static const size_t len[] = {18, 3, 8, 8, 4};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        uint64_t before = count_of(&listener_stats.bad_frames);
        int fd = dial(b);
        put(fd, bad[i], len[i]);
        uint8_t back[9];
        assert_true(get(fd, back, 9) <= 8);
        assert_int_equal(count_of(&listener_stats.bad_frames), before + 1);
        close(fd);
    }
}

static void check_truncated(struct bench *b)
{
    uint8_t wire[64];
    memcpy(wire, HELLO, 8);
    size_t len = 8 + frame(wire + 8, b->ipc, 1, "Enever whole", 12);
    for (size_t cut = 0; cut < len; cut++) {
        uint64_t closed = count_of(&listener_stats.closed);
        int fd = dial(b);
        assert_true(put(fd, wire, cut));
        close(fd);
        EVENTUALLY(count_of(&listener_stats.closed) == closed + 1);
    }
    assert_int_equal(host_received(&b->host), 0);
}

static void check_half_close(struct bench *b)
{
    int fd = dial_and_greet(b);
    ask(fd, b->ipc, 1, "Hone", 4);
    ask(fd, b->ipc, 2, "Htwo", 4);
    assert_true(put(fd, "\1", 1)); /* the beginning of another message that never comes */
    shutdown(fd, SHUT_WR);
    EVENTUALLY(host_held(&b->host) == 2);
    sleep_ms(20);
    host_release(&b->host);
    expect(fd, b->ipc, 1, "Hone", 4);
    expect(fd, b->ipc, 2, "Htwo", 4);
    assert_true(is_closed(fd));
    assert_int_equal(b->host.cancelled, 0);
    close(fd);
    /* All in one segment: handshake, call and end. */
    uint8_t wire[64];
    memcpy(wire, HELLO, 8);
    size_t len = 8 + frame(wire + 8, b->ipc, 3, "A3", 2);
    fd = dial(b);
    assert_true(put(fd, wire, len));
    shutdown(fd, SHUT_WR);
    assert_int_equal(get(fd, wire, 8), 8);
    expect(fd, b->ipc, 3, "A3", 2);
    assert_true(is_closed(fd));
    close(fd);
}

static void check_reset(struct bench *b)
{
    uint64_t closed = count_of(&listener_stats.closed);
    int fd = dial_and_greet(b);
    ask(fd, b->ipc, 1, "H1", 2);
    ask(fd, b->ipc, 2, "H2", 2);
    EVENTUALLY(host_held(&b->host) == 2);
    close_with_reset(fd);
    EVENTUALLY(count_of(&listener_stats.closed) == closed + 1);
    host_release(&b->host);
    assert_int_equal(b->host.cancelled, 2);
    fd = dial_and_greet(b);
    round_trip(fd, b->ipc, 3, "Eon");
    close(fd);
}

static void check_no_reply(struct bench *b)
{
    int fd = dial_and_greet(b);
    ask(fd, b->ipc, 1, "H", 1);
    EVENTUALLY(host_held(&b->host) == 1);
    ask(fd, b->ipc, 2, "N", 1);
    assert_true(is_closed(fd));
    close(fd);
    host_release(&b->host);
    assert_int_equal(b->host.cancelled, 1);
}

#define ON_BOTH(name)                                                                              \
    static void test_##name(void **state UNUSED)                                                   \
    {                                                                                              \
        on_both(check_##name);                                                                     \
    }
ON_BOTH(split_everywhere)
ON_BOTH(byte_by_byte)
ON_BOTH(many_in_one_segment)
ON_BOTH(sizes)
ON_BOTH(backtrace)
ON_BOTH(bad_frames)
ON_BOTH(bad_handshake)
ON_BOTH(truncated)
ON_BOTH(half_close)
ON_BOTH(reset)
ON_BOTH(no_reply)

/* Replies in another order than the calls came in go to the right ones. */
static void test_out_of_order(void **state UNUSED)
{
    struct bench b;
    prepare(&b, false);
    start(&b);
    int fd = dial_and_greet(&b);
    ask(fd, false, 1, "Hlate", 5);
    EVENTUALLY(host_held(&b.host) == 1);
    round_trip(fd, false, 2, "Esoon");
    round_trip(fd, false, 3, "Asooner");
    host_release(&b.host);
    expect(fd, false, 1, "Hlate", 5);
    close(fd);
    tear_down(&b);
}

static void *hammer(void *arg)
{
    const struct bench *b = arg;
    int fd = dial_and_greet(b);
    char text[32];
    for (uint32_t i = 0; i < 300; i += 3) {
        for (uint32_t k = 0; k < 3; k++) {
            snprintf(text, sizeof(text), "%c%u", k == 1 ? 'E' : 'A', i + k);
            ask(fd, b->ipc, i + k, text, strlen(text));
        }
        for (uint32_t k = 0; k < 3; k++) {
            uint32_t id;
            size_t len;
            uint8_t *got = answer(fd, b->ipc, &id, &len);
            snprintf(text, sizeof(text), "%c%u", id - i == 1 ? 'E' : 'A', id);
            assert_int_equal(len, strlen(text));
            assert_memory_equal(got, text, len);
            free(got);
        }
    }
    close(fd);
    return NULL;
}

/* Replies from another thread and from the I/O threads, on many connections at once. */
static void check_hammer(struct bench *b)
{
    pthread_t t[12];
    for (size_t i = 0; i < ARRAY_LEN(t); i++)
        assert_int_equal(pthread_create(&t[i], NULL, hammer, b), 0);
    for (size_t i = 0; i < ARRAY_LEN(t); i++)
        pthread_join(t[i], NULL);
    assert_int_equal(host_received(&b->host), 300 * ARRAY_LEN(t));
}
ON_BOTH(hammer)

/* Several listeners share the threads; each can go without the others. */
static void test_several_listeners(void **state UNUSED)
{
    struct bench a, b;
    prepare(&a, false);
    prepare(&b, true);
    start(&a);
    start(&b);
    int fa = dial_and_greet(&a), fb = dial_and_greet(&b);
    ask(fa, false, 1, "H", 1);
    EVENTUALLY(host_held(&a.host) == 1);
    close_now(a.listener);
    a.listener = NULL;
    assert_true(is_closed(fa));
    round_trip(fb, true, 1, "Ehere");
    host_release(&a.host);
    round_trip(fb, true, 2, "Estill here");
    close(fa);
    close(fb);
    tear_down(&a);
    tear_down(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_split_everywhere),
        cmocka_unit_test(test_byte_by_byte),
        cmocka_unit_test(test_many_in_one_segment),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_backtrace),
        cmocka_unit_test(test_bad_frames),
        cmocka_unit_test(test_bad_handshake),
        cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_half_close),
        cmocka_unit_test(test_reset),
        cmocka_unit_test(test_no_reply),
        cmocka_unit_test(test_out_of_order),
        cmocka_unit_test(test_hammer),
        cmocka_unit_test(test_several_listeners),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
