/* The limits of listener_sp: calls under way, unread replies, time, memory, connections,
 * descriptors; and what closing does to each. */
#include "sp_bench.h"

#include <sys/resource.h>

static void test_pipeline_limit(void **state UNUSED)
{
    struct bench b;
    prepare(&b, false);
    b.config.limits.pipeline_max = 8;
    start(&b);
    int fd = dial_and_greet(&b);
    char text[16];
    for (uint32_t i = 0; i < 30; i++) {
        snprintf(text, sizeof(text), "H%u", i);
        ask(fd, false, i, text, strlen(text));
    }
    for (uint32_t i = 0; i < 30;) {
        unsigned want = 30 - i < 8 ? 30 - i : 8;
        EVENTUALLY(host_held(&b.host) == want);
        sleep_ms(10);
        assert_int_equal(host_held(&b.host), want);
        host_release(&b.host);
        for (unsigned k = 0; k < want; k++, i++) {
            snprintf(text, sizeof(text), "H%u", i);
            expect(fd, false, i, text, strlen(text));
        }
    }
    close(fd);
    tear_down(&b);
}

static bool write_until_stuck(int fd, const uint8_t *wire, size_t len, size_t limit,
                              size_t *ret_sent)
{
    size_t sent = 0;
    int idle = 0;
    while (sent < limit && idle < 100) {
        size_t at = sent % len;
        ssize_t n = send(fd, wire + at, len - at, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n > 0) {
            sent += (size_t)n;
            idle = 0;
        } else if (n < 0 && errno != EAGAIN) {
            break;
        } else {
            sleep_ms(3);
            idle++;
        }
    }
    *ret_sent = sent;
    return idle >= 100;
}

/* One that sends without end and never reads is held, with bounded memory; others go on; and when
 * it reads at last it gets every reply. */
static void never_reads(struct bench *b)
{
    enum { CALL = 8 + 4 + 5 };
    b->config.limits.unsent_max = 256 << 10;
    start(b);
    int fd = dial_and_greet(b), other = dial_and_greet(b);
    uint8_t wire[CALL + 1];
    const uint8_t call[] = {'B', 0, 0, 0x40, 0}; /* a reply of 16 KiB */
    size_t len = frame(wire, b->ipc, 1, call, sizeof(call));
    long before = rss_kib();
    size_t sent;
    assert_true(write_until_stuck(fd, wire, len, (size_t)256 << 20, &sent));
    unsigned received = host_received(&b->host);
    round_trip(other, b->ipc, 2, "Efine");
    sleep_ms(20);
    assert_int_equal(host_received(&b->host), received + 1);
    print_message("           %zu bytes sent, %u calls taken, %ld KiB more\n", sent, received,
                  rss_kib() - before);
    if (!SANITIZED)
        assert_true(rss_kib() - before < 16 << 10);
    /* What was sent whole is answered whole. */
    for (size_t i = 0; i < sent / len; i++) {
        uint32_t id;
        size_t got;
        free(answer(fd, b->ipc, &id, &got));
        assert_int_equal(got, 0x4000);
    }
    round_trip(other, b->ipc, 3, "Efine");
    close(fd);
    close(other);
}

static void test_never_reads(void **state UNUSED)
{
    for (int ipc = 0; ipc < 2; ipc++) {
        struct bench b;
        prepare(&b, ipc);
        never_reads(&b);
        tear_down(&b);
    }
}

/* One that never reads is not waited for beyond the deadline. */
static void test_close_with_unread(void **state UNUSED)
{
    struct bench b;
    prepare(&b, false);
    start(&b);
    int fd = dial_and_greet(&b);
    const uint8_t call[] = {'B', 0, 0x80, 0, 0}; /* 8 MiB */
    ask(fd, false, 1, call, sizeof(call));
    EVENTUALLY(host_received(&b.host) == 1);
    int64_t start_ns = clock_mono_ns();
    b.listener->ops->close(b.listener, start_ns + 100 * NS_PER_MS);
    b.listener = NULL;
    assert_true(clock_mono_ns() - start_ns >= 100 * NS_PER_MS);
    close(fd);
    tear_down(&b);
}

/* A reply that is on its way when the listener closes arrives whole. */
static void test_close_delivers(void **state UNUSED)
{
    struct bench b;
    prepare(&b, false);
    start(&b);
    int fd = dial_and_greet(&b);
    uint8_t call[] = {'H', 0, 0, 0, 0};
    ask(fd, false, 1, call, sizeof(call));
    EVENTUALLY(host_held(&b.host) == 1);
    b.listener->ops->quiesce(b.listener);
    ask(fd, false, 2, "Eunread", 7); /* must not reset the connection when it is closed */
    host_release(&b.host);
    close_soon(b.listener);
    b.listener = NULL;
    expect(fd, false, 1, call, sizeof(call));
    assert_true(is_closed(fd));
    close(fd);
    tear_down(&b);
}

/* Replies that are made while the listener closes, before and after it has. */
static void test_close_race(void **state UNUSED)
{
    for (int round = 0; round < 20; round++) {
        struct bench b;
        int fd[16];
        prepare(&b, round % 2);
        start(&b);
        for (size_t i = 0; i < ARRAY_LEN(fd); i++) {
            fd[i] = dial_and_greet(&b);
            for (uint32_t k = 0; k < 4; k++)
                ask(fd[i], b.ipc, k, "A", 1);
        }
        close_now(b.listener);
        b.listener = NULL;
        for (size_t i = 0; i < ARRAY_LEN(fd); i++)
            close(fd[i]);
        tear_down(&b);
    }
}

static void test_slow(void **state UNUSED)
{
    struct bench b;
    prepare(&b, false);
    b.config.limits.handshake_ms = 1000;
    b.config.limits.frame_ms = 1000;
    start(&b);
    uint8_t wire[64];
    size_t len = frame(wire, false, 1, "Etoo slow to be answered", 24);
    int idle = dial_and_greet(&b);
    round_trip(idle, false, 1, "Efast");
    uint64_t before = count_of(&listener_stats.timeouts);
    int silent = dial(&b), begun = dial(&b), waiting = dial_and_greet(&b);
    int trickle = dial_and_greet(&b);
    assert_true(put(begun, HELLO, 5));
    assert_true(put(waiting, wire, len - 1));
    ask(idle, false, 2, "H", 1);
    for (size_t i = 0; i < len; i++) {
        if (!put(trickle, wire + i, 1))
            break;
        sleep_ms(60);
    }
    uint8_t back[9];
    assert_int_equal(get(silent, back, 9), 8);
    assert_int_equal(get(begun, back, 9), 8);
    assert_true(is_closed(waiting));
    assert_true(is_closed(trickle));
    EVENTUALLY(count_of(&listener_stats.timeouts) == before + 4);
    /* Time spent between messages, or waiting for a reply, does not count. */
    sleep_ms(1300);
    host_release(&b.host);
    expect(idle, false, 2, "H", 1);
    round_trip(idle, false, 3, "Estill here");
    close(silent);
    close(begun);
    close(waiting);
    close(trickle);
    close(idle);
    assert_int_equal(count_of(&listener_stats.timeouts), before + 4);
    tear_down(&b);
}

static void test_held_message_is_not_slow(void **state UNUSED)
{
    struct bench b;
    prepare(&b, false);
    b.config.limits.frame_ms = 1000;
    b.config.limits.pipeline_max = 1;
    start(&b);
    int fd = dial_and_greet(&b);
    uint8_t wire[64];
    ask(fd, false, 1, "H", 1);
    size_t len = frame(wire, false, 2, "Esecond", 7);
    assert_true(put(fd, wire, len - 3));
    EVENTUALLY(host_held(&b.host) == 1);
    sleep_ms(1500);
    host_release(&b.host);
    expect(fd, false, 1, "H", 1);
    assert_true(put(fd, wire + len - 3, 3));
    expect(fd, false, 2, "Esecond", 7);
    close(fd);
    tear_down(&b);
}

/* What a length says takes no memory; bytes do. */
static void test_announced_length(void **state UNUSED)
{
    enum { N = 400 };
    struct bench b;
    prepare(&b, false);
    b.config.limits.message_max = 64 << 20;
    start(&b);
    static int fd[N];
    static const uint8_t head[] = {0, 0, 0, 0, 4, 0, 0, 0, 0x80, 0, 0, 1, 'E'};
    uint8_t some[5000] = {0};
    uint64_t bytes = count_of(&listener_stats.bytes_in) + N * sizeof(HELLO);
    for (int i = 0; i < N; i++)
        fd[i] = dial_and_greet(&b);
    long before = rss_kib();
    for (int i = 0; i < N; i++) {
        assert_true(put(fd[i], head, sizeof(head)));
        assert_true(put(fd[i], some, sizeof(some)));
    }
    EVENTUALLY(count_of(&listener_stats.bytes_in) == bytes + N * (sizeof(head) + sizeof(some)));
    print_message("           %ld KiB more\n", rss_kib() - before);
    if (!SANITIZED)
        assert_true(rss_kib() - before < N * 24);
    for (int i = 0; i < N; i++)
        close(fd[i]);
    tear_down(&b);
}

static void test_connections_max(void **state UNUSED)
{
    struct bench b;
    prepare(&b, false);
    b.config.limits.connections_max = 3;
    start(&b);
    uint64_t refused = count_of(&listener_stats.refused);
    int fd[3];
    for (int i = 0; i < 3; i++)
        fd[i] = dial_and_greet(&b);
    int more = dial(&b);
    assert_true(is_closed(more));
    close(more);
    assert_int_equal(count_of(&listener_stats.refused), refused + 1);
    uint64_t closed = count_of(&listener_stats.closed);
    close(fd[0]);
    EVENTUALLY(count_of(&listener_stats.closed) == closed + 1);
    fd[0] = dial_and_greet(&b);
    for (int i = 0; i < 3; i++) {
        round_trip(fd[i], false, 1, "Eok");
        close(fd[i]);
    }
    tear_down(&b);
}

/* Without descriptors accepting rests, and goes on when there are some again. */
static void test_no_descriptors(void **state UNUSED)
{
    struct bench b;
    prepare(&b, false);
    start(&b);
    int old = dial_and_greet(&b), fresh = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct rlimit limit, low;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    low = limit;
    low.rlim_cur = (rlim_t)fresh + 1;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    struct sockaddr_in in = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)b.listener->ops->port(b.listener)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_int_equal(connect(fresh, (struct sockaddr *)&in, sizeof(in)), 0);
    set_patience(fresh);
    struct rusage from, to;
    getrusage(RUSAGE_SELF, &from);
    sleep_ms(300);
    getrusage(RUSAGE_SELF, &to);
    /* A loop that spins uses the processor all the while. */
    int64_t used_us =
        (to.ru_utime.tv_sec + to.ru_stime.tv_sec - from.ru_utime.tv_sec - from.ru_stime.tv_sec) *
            INT64_C(1000000) +
        to.ru_utime.tv_usec + to.ru_stime.tv_usec - from.ru_utime.tv_usec - from.ru_stime.tv_usec;
    assert_true(used_us < 150000);
    round_trip(old, false, 1, "Eserved all the while");
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    greet(fresh);
    round_trip(fresh, false, 1, "Eaccepted at last");
    close(old);
    close(fresh);
    tear_down(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pipeline_limit),
        cmocka_unit_test(test_never_reads),
        cmocka_unit_test(test_close_with_unread),
        cmocka_unit_test(test_close_delivers),
        cmocka_unit_test(test_close_race),
        cmocka_unit_test(test_slow),
        cmocka_unit_test(test_held_message_is_not_slow),
        cmocka_unit_test(test_announced_length),
        cmocka_unit_test(test_connections_max),
        cmocka_unit_test(test_no_descriptors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
