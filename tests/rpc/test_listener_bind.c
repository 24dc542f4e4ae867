/* Where listener_sp listens: addresses, and the local socket's file: who may open it, whose it is,
 * and when it goes. */
#include "sp_client.h"

#include <sys/file.h>
#include <sys/wait.h>

struct bench {
    struct host host;
    struct listener *listener;
    bool started;
    char folder[64];
    char path[100], url[128];
};

static int set_up(void **state)
{
    struct bench *b = calloc(1, sizeof(*b));
    make_folder(b->folder);
    snprintf(b->path, sizeof(b->path), "%s/a/b/s.sock", b->folder);
    snprintf(b->url, sizeof(b->url), "ipc://%s", b->path);
    *state = b;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *b = *state;
    if (b->listener)
        close_soon(b->listener);
    if (b->started)
        host_done(&b->host);
    static const char *const parts[] = {"/a/b/s.sock", "/a/b", "/a", ""};
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        char path[100];
        snprintf(path, sizeof(path), "%s%s", b->folder, parts[i]);
        remove(path);
    }
    assert_int_not_equal(access(b->folder, F_OK), 0);
    free(b);
    return 0;
}

static void start(struct bench *b)
{
    struct listener_config config = config_for(b->url);
    if (!b->started)
        host_init(&b->host);
    b->started = true;
    b->listener = open_or_fail(&config, &b->host);
}

static void expect_refusal(struct bench *b, const char *words)
{
    struct listener_config config = config_for(b->url);
    char why[256] = "";
    assert_null(listener_sp.open(&config, &b->host.as_listener_host, why));
    if (!strstr(why, words) || !strstr(why, b->url))
        fail_msg("%s", why);
}

static unsigned mode_of(const char *folder, const char *rest)
{
    char path[160];
    snprintf(path, sizeof(path), "%s%s", folder, rest);
    struct stat st;
    assert_int_equal(lstat(path, &st), 0);
    return st.st_mode & 07777;
}

static bool exists(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0;
}

static void make_parents(const struct bench *b)
{
    char path[80];
    snprintf(path, sizeof(path), "%s/a", b->folder);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(path, sizeof(path), "%s/a/b", b->folder);
    assert_int_equal(mkdir(path, 0700), 0);
}

/* A socket that is bound there; listening, if asked. */
static int bind_there(const struct bench *b, bool listening)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    snprintf(un.sun_path, sizeof(un.sun_path), "%s", b->path);
    assert_int_equal(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
    if (listening)
        assert_int_equal(listen(fd, 1), 0);
    return fd;
}

static void test_modes(void **state)
{
    struct bench *b = *state;
    mode_t before = umask(0);
    start(b);
    umask(before);
    assert_int_equal(mode_of(b->folder, "/a"), 0700);
    assert_int_equal(mode_of(b->folder, "/a/b"), 0700);
    assert_int_equal(mode_of(b->folder, "/a/b/s.sock"), 0600);
    int fd = dial_local(b->path);
    greet(fd);
    round_trip(fd, true, 1, "Ehello");
    assert_true(b->host.local);
    close(fd);
    close_soon(b->listener);
    b->listener = NULL;
    assert_false(exists(b->path));
}

static void test_quiesce_removes_it(void **state)
{
    struct bench *b = *state;
    start(b);
    b->listener->ops->quiesce(b->listener);
    assert_false(exists(b->path));
}

static void test_stale(void **state)
{
    struct bench *b = *state;
    make_parents(b);
    close(bind_there(b, true));
    assert_true(exists(b->path));
    start(b);
    int fd = dial_local(b->path);
    greet(fd);
    close(fd);
}

static void test_alive(void **state)
{
    struct bench *b = *state;
    make_parents(b);
    int fd = bind_there(b, true);
    char words[64];
    snprintf(words, sizeof(words), "another process listens there already (pid %d)", getpid());
    expect_refusal(b, words);
    expect_refusal(b, words); /* its queue is full now */
    assert_true(exists(b->path));
    close(fd);
    start(b);
}

static void test_two_of_ours(void **state)
{
    struct bench *b = *state;
    start(b);
    expect_refusal(b, "another process listens there already");
    int fd = dial_local(b->path);
    greet(fd);
    round_trip(fd, true, 1, "Eunharmed");
    close(fd);
}

static void test_other_file(void **state)
{
    struct bench *b = *state;
    make_parents(b);
    int fd = open(b->path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    close(fd);
    expect_refusal(b, "no socket");
    assert_true(exists(b->path));
}

/* The file of another daemon, made when ours was removed, stays. */
static void test_replaced(void **state)
{
    struct bench *b = *state;
    start(b);
    assert_int_equal(unlink(b->path), 0);
    int fd = bind_there(b, true);
    close_soon(b->listener);
    b->listener = NULL;
    assert_true(exists(b->path));
    close(fd);
}

static void test_path_too_long(void **state)
{
    struct bench *b = *state;
    snprintf(b->url, sizeof(b->url), "ipc:///tmp/%0110d", 1);
    struct listener_config config = config_for(b->url);
    char why[256] = "";
    assert_null(listener_sp.open(&config, &b->host.as_listener_host, why));
    assert_non_null(strstr(why, "107"));
}

/* Another user gets no connection; root does, and counts as local. */
static void test_other_user(void **state)
{
    struct bench *b = *state;
    if (geteuid() != 0)
        skip();
    start(b);
    char path[80];
    static const char *const parents[] = {"", "/a", "/a/b"};
    for (size_t i = 0; i < ARRAY_LEN(parents); i++) {
        snprintf(path, sizeof(path), "%s%s", b->folder, parents[i]);
        assert_int_equal(chmod(path, 0755), 0);
    }
    pid_t child = fork();
    if (child == 0) {
        if (setgid(65534) != 0 || setuid(65534) != 0)
            _exit(2);
        struct sockaddr_un un = {.sun_family = AF_UNIX};
        snprintf(un.sun_path, sizeof(un.sun_path), "%s", b->path);
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        _exit(connect(fd, (struct sockaddr *)&un, sizeof(un)) < 0 && errno == EACCES ? 0 : 1);
    }
    int status;
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
}

/* Several daemons that start at once: one gets it. No thread may run when they are made. */
static void test_race(void **state)
{
    enum { N = 8 };
    struct bench *b = *state;
    make_parents(b);
    close(bind_there(b, true));
    int ready[2], done[2];
    assert_int_equal(pipe(ready), 0);
    assert_int_equal(pipe(done), 0);
    pid_t child[N];
    for (int i = 0; i < N; i++) {
        child[i] = fork();
        if (child[i] != 0)
            continue;
        struct listener_config config = config_for(b->url);
        char why[256], byte;
        close(ready[1]);
        close(done[1]);
        ssize_t n UNUSED = read(ready[0], &byte, 1);
        struct listener *l = listener_sp.open(&config, &b->host.as_listener_host, why);
        n = read(done[0], &byte, 1);
        /* Whose socket it is must not close before all have tried: no exit handlers either. */
        _exit(l ? 7 : 0);
    }
    close(ready[1]);
    sleep_ms(300);
    close(done[1]);
    int winners = 0;
    for (int i = 0; i < N; i++) {
        int status;
        waitpid(child[i], &status, 0);
        winners += WIFEXITED(status) && WEXITSTATUS(status) == 7;
    }
    close(ready[0]);
    close(done[0]);
    assert_int_equal(winners, 1);
}

/* An IPv6 address is tried only where there is IPv6. */
static bool has_ipv6(void)
{
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in6 in = {.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback};
    bool has = fd >= 0 && bind(fd, (struct sockaddr *)&in, sizeof(in)) == 0;
    if (fd >= 0)
        close(fd);
    return has;
}

static int dial_ipv6(int port)
{
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in6 in = {
        .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port), .sin6_addr = in6addr_loopback};
    assert_int_equal(connect(fd, (struct sockaddr *)&in, sizeof(in)), 0);
    set_patience(fd);
    return fd;
}

static void test_addresses(void **state)
{
    static const struct {
        const char *url, *peer;
    } at[] = {{"tcp://localhost:0", "127.0.0.1:"},
              {"tcp://*:0", "127.0.0.1:"},
              {"tcp://:0", "127.0.0.1:"},
              {"tcp://0.0.0.0:0", "127.0.0.1:"},
              {"tcp://[::1]:0", "[::1]:"}};
    struct bench *b = *state;
    for (size_t i = 0; i < ARRAY_LEN(at); i++) {
        bool six = at[i].peer[0] == '[';
        if (six && !has_ipv6())
            continue;
        snprintf(b->url, sizeof(b->url), "%s", at[i].url);
        start(b);
        int port = b->listener->ops->port(b->listener);
        int fd = six ? dial_ipv6(port) : dial_tcp(port);
        greet(fd);
        round_trip(fd, false, 1, "Ehello");
        assert_memory_equal(b->host.address, at[i].peer, strlen(at[i].peer));
        close(fd);
        close_soon(b->listener);
        b->listener = NULL;
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_modes),    TEST(test_quiesce_removes_it), TEST(test_stale),
        TEST(test_alive),    TEST(test_two_of_ours),        TEST(test_other_file),
        TEST(test_replaced), TEST(test_path_too_long),      TEST(test_other_user),
        TEST(test_race),     TEST(test_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
