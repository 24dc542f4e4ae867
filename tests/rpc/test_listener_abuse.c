/* Ten thousand clients of each kind that no server likes: afterwards no descriptor is left, no
 * memory either, and a proper client is served. */
#include "sp_client.h"

#define ROUNDS  (SANITIZED ? 500 : 10000)
#define WARM_UP (ROUNDS / 5)
/* What the allocator may keep in excess, in KiB; a leak of 256 bytes a client is more. */
#define SLACK_KIB 2048

struct bench {
    struct host host;
    struct listener *listener;
    bool ipc;
    char folder[64];
    char path[80];
};

struct pattern {
    const char *name;
    void (*run)(struct bench *b, int fd);
};

static void send_calls(struct bench *b, int fd, char kind, unsigned n)
{
    uint8_t wire[256];
    size_t len = sizeof(HELLO);
    memcpy(wire, HELLO, len);
    for (unsigned i = 0; i < n; i++)
        len += frame(wire + len, b->ipc, i, &kind, 1);
    put(fd, wire, len);
}

static void say_nothing(struct bench *b UNUSED, int fd)
{
    close(fd);
}

static void garbage(struct bench *b UNUSED, int fd)
{
    put(fd, "GET / HTTP/1.1\r\n\r\n", 18);
    close(fd);
}

static void truncated_handshake(struct bench *b UNUSED, int fd)
{
    put(fd, HELLO, 5);
    close(fd);
}

static void truncated_message(struct bench *b, int fd)
{
    static const uint8_t head[] = {1, 0, 0, 0, 0, 0, 8, 0, 0, 0x80, 0, 0, 1, 'E'};
    uint8_t wire[8 + sizeof(head)];
    size_t skip = b->ipc ? 0 : 1;
    memcpy(wire, HELLO, 8);
    memcpy(wire + 8, head + skip, sizeof(head) - skip);
    put(fd, wire, 8 + sizeof(head) - skip);
    close(fd);
}

static void four_gigabytes(struct bench *b, int fd)
{
    static const uint8_t head[] = {1, 0, 0, 0, 1, 0, 0, 0, 0};
    uint8_t wire[8 + sizeof(head)];
    size_t skip = b->ipc ? 0 : 1;
    memcpy(wire, HELLO, 8);
    memcpy(wire + 8, head + skip, sizeof(head) - skip);
    put(fd, wire, 8 + sizeof(head) - skip);
    close(fd);
}

static void half_close(struct bench *b, int fd)
{
    uint8_t back[128];
    send_calls(b, fd, 'A', 2);
    shutdown(fd, SHUT_WR);
    size_t want = 8 + 2 * (b->ipc ? 14 : 13);
    assert_int_equal(get(fd, back, sizeof(back)), want);
    close(fd);
}

static void half_close_and_leave(struct bench *b, int fd)
{
    send_calls(b, fd, 'E', 2);
    shutdown(fd, SHUT_WR);
    close(fd);
}

static void half_close_and_reset(struct bench *b, int fd)
{
    send_calls(b, fd, 'A', 1);
    shutdown(fd, SHUT_WR);
    close_with_reset(fd);
}

static void reset_at_once(struct bench *b UNUSED, int fd)
{
    close_with_reset(fd);
}

static void reset_unread(struct bench *b, int fd)
{
    send_calls(b, fd, 'E', 3);
    close_with_reset(fd);
}

static void vanish_with_four(struct bench *b, int fd)
{
    send_calls(b, fd, 'A', 4);
    close(fd);
}

static void reset_with_held(struct bench *b, int fd)
{
    send_calls(b, fd, 'H', 2);
    close_with_reset(fd);
    if (host_held(&b->host) > 20)
        host_release(&b->host);
}

static const struct pattern patterns[] = {
    {"say nothing", say_nothing},
    {"garbage", garbage},
    {"truncated handshake", truncated_handshake},
    {"truncated message", truncated_message},
    {"4 GB", four_gigabytes},
    {"half-close", half_close},
    {"half-close and leave", half_close_and_leave},
    {"half-close and reset", half_close_and_reset},
    {"reset at once", reset_at_once},
    {"reset unread", reset_unread},
    {"vanish with four calls", vanish_with_four},
    {"reset with calls under way", reset_with_held},
};

static int dial(struct bench *b, unsigned i)
{
    return b->ipc ? dial_local(b->path)
                  : dial_tcp_from(b->listener->ops->port(b->listener), 2 + i % 200);
}

static void settle(struct bench *b, uint64_t closed)
{
    EVENTUALLY(count_of(&listener_stats.closed) == closed);
    host_release(&b->host);
}

static void run_pattern(struct bench *b, const struct pattern *p)
{
    unsigned fds = count_fds();
    uint64_t closed = count_of(&listener_stats.closed);
    long rss = 0;
    for (unsigned i = 0; i < ROUNDS; i++) {
        if (i == WARM_UP) {
            settle(b, closed + i);
            rss = rss_kib();
        }
        /* Not so far ahead that connections are refused, or descriptors run out. */
        if (i % 64 == 0)
            EVENTUALLY(count_of(&listener_stats.closed) + 256 >= closed + i);
        p->run(b, dial(b, i));
    }
    settle(b, closed + ROUNDS);
    EVENTUALLY(count_fds() == fds);
    long more = rss_kib() - rss;
    print_message("           %-28s %ld KiB more\n", p->name, more);
    if (!SANITIZED)
        assert_true(more < SLACK_KIB);
    int fd = dial(b, 0);
    greet(fd);
    round_trip(fd, b->ipc, 1, "Estill served");
    close(fd);
    settle(b, closed + ROUNDS + 1);
}

static void run_all(bool ipc)
{
    struct bench b = {.ipc = ipc};
    make_folder(b.folder);
    snprintf(b.path, sizeof(b.path), "%s/s", b.folder);
    char url[100] = "tcp://127.0.0.1:0";
    if (ipc)
        snprintf(url, sizeof(url), "ipc://%s", b.path);
    host_init(&b.host);
    struct listener_config config = config_for(url);
    b.listener = open_or_fail(&config, &b.host);
    for (size_t i = 0; i < ARRAY_LEN(patterns); i++)
        run_pattern(&b, &patterns[i]);
    close_soon(b.listener);
    host_done(&b.host);
    assert_int_equal(rmdir(b.folder), 0);
}

static void test_tcp(void **state UNUSED)
{
    run_all(false);
}

static void test_local(void **state UNUSED)
{
    run_all(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_tcp), cmocka_unit_test(test_local)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
