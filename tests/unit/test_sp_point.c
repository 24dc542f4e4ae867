/* Where the client of the SP wire dies at the points that a test may name, and what the gateway has
 * got by then; and the URLs that it takes. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "isobar/clock.h"
#include "isobar/point.h"
#include "sp_client.h"
#include "sp_stub.h"

#define MESSAGE_LEN 1000
#define WHOLE       (13 + MESSAGE_LEN) /* with its head on a local socket */

/* In a process of its own: send one message; it should not live to tell. */
static void send_and_die(const char *url, const char *at)
{
    struct arena arena;
    struct open_error error;
    struct sp_reply reply;
    struct sp_failure failure;
    static const char message[MESSAGE_LEN];
    struct op op = {.arena = &arena, .deadline_ns = clock_mono_ns() + 20 * NS_PER_SEC};
    setenv("ISOBAR_KILL_AT", at, 1);
    arena_init(&arena, 65536);
    struct sp_client *c = sp_client_new(url, &(struct sp_options){0}, &error);
    if (!c || !points_init() ||
        sp_send(c, &op, message, sizeof(message), &reply, &failure) != SP_ANSWERED)
        _exit(1);
    _exit(0);
}

/* What the gateway gets of the message; it answers what is whole. */
static size_t receive(int listening)
{
    uint8_t hello[SP_HANDSHAKE_LEN], in[WHOLE];
    size_t got = 0;
    ssize_t n;
    int fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
    assert_true(fd >= 0);
    sp_handshake(hello, SP_PROTO_REP);
    assert_true(stub_put(fd, hello, sizeof(hello)));
    assert_true(stub_get(fd, hello, sizeof(hello)));
    while (got < sizeof(in) && (n = recv(fd, in + got, sizeof(in) - got, 0)) > 0)
        got += (size_t)n;
    if (got == sizeof(in))
        (void)!stub_put(fd, in, sizeof(in)); /* an echo has the right id */
    while (recv(fd, hello, 1, 0) > 0)
        ;
    close(fd);
    return got;
}

static void the_process_dies_where_it_is_told(void **state)
{
    static const struct {
        const char *at;
        bool whole;
    } table[] = {{"half-sent", false}, {"sent", true}, {"reply-read", true}};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        struct stub s;
        int status;
        stub_listen(&s, true, 4);
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0)
            send_and_die(s.url, table[i].at);
        size_t got = receive(s.fd);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), SIGKILL);
        if (table[i].whole)
            assert_int_equal(got, WHOLE);
        else
            assert_in_range(got, WHOLE / 4, WHOLE * 3 / 4);
        stub_close(&s);
    }
}

/* With points that are for somebody else, a message in two pieces is the same message. */
static void two_pieces_are_one_message(void **state)
{
    struct stub s;
    int status;
    (void)state;
    stub_listen(&s, true, 4);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        send_and_die(s.url, "recovery");
    assert_int_equal(receive(s.fd), WHOLE);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    stub_close(&s);
}

static void urls(void **state)
{
    static const struct {
        const char *url, *shown; /* NULL: refused */
        const char *words;
    } table[] = {
        {"ipc:///run/isobar.sock", "ipc:///run/isobar.sock", NULL},
        {"tcp://127.0.0.1:7000", "tcp://127.0.0.1:7000", NULL},
        {"tcp://gateway.inside", "tcp://gateway.inside:7461", NULL},
        {"tcp://[::1]", "tcp://[::1]:7461", NULL},
        {"tcp://[::1]:99", "tcp://[::1]:99", NULL},
        {"tls+tcp://", NULL, "HOST"},
        {"ipc://relative", NULL, "absolute path"},
        {"ipc://", NULL, "absolute path"},
        {"tcp://", NULL, "HOST"},
        {"tcp://:7461", NULL, "HOST"},
        {"tcp://a:0", NULL, "HOST"},
        {"tcp://a:65536", NULL, "HOST"},
        {"tcp://a:7x", NULL, "HOST"},
        {"tcp://a:", NULL, "HOST"},
        {"tcp://a/b", NULL, "HOST"},
        {"tcp://[::1", NULL, "HOST"},
        {"tcp://[::1]7", NULL, "HOST"},
        {"http://a", NULL, "begins with"},
        {"", NULL, "begins with"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        struct open_error error = {""};
        struct sp_client *c = sp_client_new(table[i].url, &(struct sp_options){0}, &error);
        if (table[i].shown) {
            assert_non_null(c);
            assert_string_equal(sp_client_url(c), table[i].shown);
        } else {
            assert_null(c);
            assert_non_null(strstr(error.text, table[i].words));
        }
        sp_client_free(c);
    }
    char path[200] = "ipc:///";
    struct open_error error;
    memset(path + 7, 'p', 150);
    assert_null(sp_client_new(path, &(struct sp_options){0}, &error));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_process_dies_where_it_is_told),
        cmocka_unit_test(two_pieces_are_one_message),
        cmocka_unit_test(urls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
