/* The HTTP client against servers that are late, break off or lie. */
#include <signal.h>

#include "http_fixture.h"

static void report_overrun(const struct fixture *f, const char *what)
{
    print_message("%s: %+.1f ms past the deadline\n", what,
                  (double)(clock_mono_ns() - f->op.deadline_ns) / 1e6);
}

static void the_deadline_holds_whatever_the_server_does(void **state)
{
    static const struct {
        const char *what;
        struct stub_step step;
    } table[] = {
        {"hangs before the header", {.deed = STUB_HANG}},
        {"hangs in the header", {.deed = STUB_HANG, .cut_at = 20}},
        {"hangs in the body", {.deed = STUB_HANG, .body = "0123456789", .cut_at = 45}},
        {"trickles", {.deed = STUB_TRICKLE, .body = "0123456789012345678901234567890123456789"}},
    };
    struct fixture f;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        open_fixture(&f, &table[i].step, 1);
        f.op.deadline_ns = in_ms(200);
        assert_int_equal(get(&f, "/"), HTTP_DEADLINE);
        report_overrun(&f, table[i].what);
        assert_true(f.failure.sent);
        assert_non_null(strstr(f.failure.reason, "127.0.0.1:"));
        /* The connection is not used again. */
        stub_script(&f.stub, &(struct stub_step){.body = "well"}, 1);
        f.op.deadline_ns = in_ms(20000);
        assert_int_equal(get(&f, "/"), HTTP_ANSWERED);
        assert_string_equal(f.rsp.body, "well");
        close_fixture(&f);
    }
}

static void a_deadline_that_has_passed_sends_nothing(void **state)
{
    static const struct stub_step steps[] = {{0}};
    struct fixture f;

    (void)state;
    open_fixture(&f, steps, 1);
    f.op.deadline_ns = in_ms(-1);
    assert_int_equal(get(&f, "/"), HTTP_DEADLINE);
    assert_false(f.failure.sent);
    assert_int_equal(stub_connections(&f.stub), 0);
    close_fixture(&f);
}

/* The name server answers only after the test has seen that nobody waits for it. */
static void a_name_server_that_hangs_holds_up_nobody(void **state)
{
    static const struct stub_step steps[] = {{0}};
    struct fixture f;

    (void)state;
    open_fixture(&f, steps, 1);
    f.op.deadline_ns = in_ms(200);
    assert_int_equal(
        send_one(&f, (struct http_request){.method = "GET", .url = "http://slow.test/"}),
        HTTP_DEADLINE);
    report_overrun(&f, "name server hangs");
    assert_false(f.failure.sent);
    f.op.deadline_ns = in_ms(20000);
    assert_int_equal(get(&f, "/"), HTTP_ANSWERED);
    close_fixture(&f);
    /* The resolver's thread is still there; let it end before the program does. */
    assert_int_equal(atomic_load(&slow_names_waiting), 1);
    atomic_store(&slow_name_may_go_on, true);
    while (atomic_load(&slow_names_waiting) > 0)
        usleep(1000);
    usleep(50000);
}

/* A socket that listens with a full queue takes no connection and refuses none. */
static void a_connection_that_is_not_taken_was_not_sent(void **state)
{
    static const struct stub_step steps[] = {{0}};
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(at);
    int fd = socket(AF_INET, SOCK_STREAM, 0), fill[4];
    struct fixture f;
    char url[64];

    (void)state;
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(listen(fd, 0), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
    for (size_t i = 0; i < ARRAY_LEN(fill); i++) {
        fill[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)!connect(fill[i], (struct sockaddr *)&at, sizeof(at));
    }
    snprintf(url, sizeof(url), "http://127.0.0.1:%d/", ntohs(at.sin_port));
    open_fixture(&f, steps, 1);
    f.op.deadline_ns = in_ms(200);
    assert_int_equal(send_one(&f, (struct http_request){.method = "POST", .url = url}),
                     HTTP_DEADLINE);
    report_overrun(&f, "connection is not taken");
    assert_false(f.failure.sent);

    /* The time for connecting alone. */
    http_client_free(f.client);
    f.client = http_client_new(&(struct http_options){.connect_timeout_ms = 200});
    f.op.deadline_ns = in_ms(20000);
    assert_int_equal(send_one(&f, (struct http_request){.method = "POST", .url = url}),
                     HTTP_NOT_SENT);
    assert_non_null(strstr(f.failure.reason, "did not take a connection in time"));
    close_fixture(&f);
    for (size_t i = 0; i < ARRAY_LEN(fill); i++)
        close(fill[i]);
    close(fd);
}

struct canceller {
    struct stub *stub;
    struct cancel cancel;
    _Atomic int64_t raised_ns;
};

/* A little after the server has the request; without one, after 20 s. */
static void *cancel_soon(void *arg)
{
    struct canceller *c = arg;
    int64_t until_ns = in_ms(20000);

    while (atomic_load(&c->stub->requests) == 0 && clock_mono_ns() < until_ns)
        usleep(1000);
    usleep(50000);
    atomic_store(&c->raised_ns, clock_mono_ns());
    cancel_raise(&c->cancel);
    return NULL;
}

static void a_cancellation_ends_it(void **state)
{
    static const struct stub_step steps[] = {{.deed = STUB_HANG}};
    struct fixture f;
    struct canceller canceller = {.stub = &f.stub};
    pthread_t thread;

    (void)state;
    open_fixture(&f, steps, 1);
    f.op.cancelled = &canceller.cancel;
    f.op.deadline_ns = in_ms(60000);
    pthread_create(&thread, NULL, cancel_soon, &canceller);
    assert_int_equal(get(&f, "/"), HTTP_CANCELLED);
    print_message("cancellation: seen after %.1f ms\n",
                  (double)(clock_mono_ns() - atomic_load(&canceller.raised_ns)) / 1e6);
    assert_true(f.failure.sent);
    pthread_join(thread, NULL);
    assert_int_equal(get(&f, "/"), HTTP_CANCELLED);
    assert_false(f.failure.sent);
    assert_int_equal(atomic_load(&f.stub.requests), 1);
    close_fixture(&f);
}

/* The server reads a request on a kept-alive connection and goes away. It may have acted on it: the
 * same request must not come again, unless it is allowed to. */
static void a_request_is_not_sent_twice(void **state)
{
    static const struct stub_step closes[] = {{0}, {.deed = STUB_CLOSE}, {.body = "again"}};
    static const struct stub_step resets[] = {{0}, {.deed = STUB_RESET}, {.body = "again"}};
    const struct stub_step *scripts[] = {closes, resets};
    const char *bodies[] = {"{\"server\": {}}", NULL};
    struct fixture f;

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        open_fixture(&f, scripts[i / 2], 3);
        assert_int_equal(post(&f, bodies[i % 2]), HTTP_ANSWERED);
        assert_int_equal(post(&f, bodies[i % 2]), HTTP_AMBIGUOUS);
        assert_true(f.failure.sent);
        assert_non_null(strstr(f.failure.reason, "closed a kept-alive connection"));
        usleep(50000);
        assert_int_equal(atomic_load(&f.stub.requests), 2);

        stub_script(&f.stub, scripts[i / 2], 3);
        assert_int_equal(get(&f, "/"), HTTP_ANSWERED);
        assert_int_equal(get(&f, "/"), HTTP_ANSWERED);
        assert_string_equal(f.rsp.body, "again");
        assert_int_equal(atomic_load(&f.stub.requests), 3);
        close_fixture(&f);
    }
}

static void a_fresh_connection_that_dies_is_ambiguous(void **state)
{
    static const struct stub_step steps[] = {{.deed = STUB_CLOSE}};
    struct fixture f;

    (void)state;
    open_fixture(&f, steps, 1);
    assert_int_equal(post(&f, "x"), HTTP_AMBIGUOUS);
    assert_true(f.failure.sent);
    assert_non_null(strstr(f.failure.reason, "closed the connection without an answer"));
    assert_int_equal(atomic_load(&f.stub.requests), 1);
    assert_int_equal(get(&f, "/"), HTTP_AMBIGUOUS);
    assert_int_equal(atomic_load(&f.stub.requests), 2);
    close_fixture(&f);
}

/* The server has closed a kept-alive connection while nobody looked: that is noticed before. */
static void a_connection_that_was_closed_is_not_used(void **state)
{
    static const struct stub_step steps[] = {{.deed = STUB_CUT, .cut_at = 9999, .body = "x"},
                                             {.body = "y"}};
    struct fixture f;

    (void)state;
    open_fixture(&f, steps, 2);
    assert_int_equal(post(&f, "x"), HTTP_ANSWERED);
    usleep(50000);
    assert_int_equal(post(&f, "x"), HTTP_ANSWERED);
    assert_string_equal(f.rsp.body, "y");
    assert_int_equal(atomic_load(&f.stub.requests), 2);
    close_fixture(&f);
}

/* What may not be sent twice takes no connection that the server may be about to close. */
static void an_old_connection_is_for_what_may_be_sent_twice(void **state)
{
    static const struct stub_step steps[] = {{0}};
    struct fixture f;

    (void)state;
    open_fixture(&f, steps, 1);
    assert_int_equal(post(&f, "x"), HTTP_ANSWERED);
    assert_int_equal(post(&f, "x"), HTTP_ANSWERED);
    assert_int_equal(stub_connections(&f.stub), 1);
    sleep(5);
    assert_int_equal(get(&f, "/"), HTTP_ANSWERED);
    assert_int_equal(stub_connections(&f.stub), 1);
    sleep(5);
    assert_int_equal(post(&f, "x"), HTTP_ANSWERED);
    assert_int_equal(stub_connections(&f.stub), 2);
    close_fixture(&f);
}

/* An answer that came before its request is not taken for that request's. */
static void an_answer_that_nobody_asked_for_is_not_taken(void **state)
{
    static const enum stub_deed deeds[] = {STUB_LATER, STUB_BEHIND};
    struct stub_step steps[] = {{.body = "x"}, {.body = "y"}};
    struct fixture f;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(deeds); i++) {
        steps[0].deed = deeds[i];
        open_fixture(&f, steps, 2);
        assert_int_equal(get(&f, "/"), HTTP_ANSWERED);
        assert_string_equal(f.rsp.body, "x");
        usleep(100000);
        assert_int_equal(post(&f, "x"), HTTP_ANSWERED);
        assert_int_equal(f.rsp.status, 200);
        assert_string_equal(f.rsp.body, "y");
        assert_int_equal(atomic_load(&f.stub.requests), 2);
        close_fixture(&f);
    }
}

/* Wherever an answer stops, what came before is not taken for the whole. */
static void a_cut_answer_is_ambiguous(void **state)
{
    static const enum stub_deed deeds[] = {STUB_CUT, STUB_RESET};
    struct stub_step step = {.headers = "X: y\r\n", .body = "0123456789"};
    size_t whole;
    struct fixture f;

    (void)state;
    free(stub_answer(&step, false, &whole));
    for (size_t i = 0; i < ARRAY_LEN(deeds); i++) {
        open_fixture(&f, &step, 1);
        for (size_t cut = 0; cut < whole; cut += deeds[i] == STUB_CUT ? 1 : 7) {
            step.deed = deeds[i];
            step.cut_at = cut;
            stub_script(&f.stub, &step, 1);
            f.op.deadline_ns = in_ms(20000);
            if (post(&f, "x") != HTTP_AMBIGUOUS)
                fail_msg("cut at byte %zu: status %d, body '%s'", cut, f.rsp.status, f.rsp.body);
            assert_true(f.failure.sent);
            assert_int_equal(atomic_load(&f.stub.requests), 1);
            arena_reset(&f.arena);
        }
        close_fixture(&f);
    }
}

static void what_is_not_http_is_ambiguous(void **state)
{
    static const struct stub_step steps[] = {
        {.deed = STUB_RAW, .body = "hello\n"},
        {.deed = STUB_RAW, .body = "<html><body>502 Bad Gateway</body></html>"},
        {.deed = STUB_RAW, .body = "HTTP/1.1 abc def\r\n\r\n"},
        {.deed = STUB_RAW, .body = "\x16\x03\x01\x00\xff", .body_len = 5},
        {.deed = STUB_RAW, .body = "HTTP/1.1 200 OK\r\nContent-Length: -7\r\n\r\nabc"},
        {.deed = STUB_RAW, .body = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"},
        {.deed = STUB_RAW, .body = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"},
    };
    struct fixture f;

    (void)state;
    open_fixture(&f, steps, ARRAY_LEN(steps));
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        if (post(&f, "x") != HTTP_AMBIGUOUS)
            fail_msg("'%s' was taken for an answer: %d '%s'", steps[i].body, f.rsp.status,
                     f.rsp.body);
        assert_true(f.failure.reason[0] != '\0');
    }
    assert_int_equal(atomic_load(&f.stub.requests), ARRAY_LEN(steps));
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_deadline_holds_whatever_the_server_does),
        cmocka_unit_test(a_deadline_that_has_passed_sends_nothing),
        cmocka_unit_test(a_name_server_that_hangs_holds_up_nobody),
        cmocka_unit_test(a_connection_that_is_not_taken_was_not_sent),
        cmocka_unit_test(a_cancellation_ends_it),
        cmocka_unit_test(a_request_is_not_sent_twice),
        cmocka_unit_test(a_fresh_connection_that_dies_is_ambiguous),
        cmocka_unit_test(a_connection_that_was_closed_is_not_used),
        cmocka_unit_test(an_old_connection_is_for_what_may_be_sent_twice),
        cmocka_unit_test(an_answer_that_nobody_asked_for_is_not_taken),
        cmocka_unit_test(a_cut_answer_is_ambiguous),
        cmocka_unit_test(what_is_not_http_is_ambiguous),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
