/* The client of the SP wire: deadlines, cancellation, and gateways that take no connection. */
#include <dlfcn.h>
#include <netdb.h>

#include "sp_fixture.h"

/* Names that end in ".test" are resolved here: here.test is loopback, slow.test takes until it is
 * told to go on. */
static atomic_bool slow_name_may_go_on;
static atomic_uint slow_names_waiting;

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                struct addrinfo **ret)
{
    int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    bool is_test = name && strstr(name, ".test");

    if (is_test && (hints->ai_flags & AI_NUMERICHOST))
        return EAI_NONAME;
    if (is_test && strcmp(name, "slow.test") == 0) {
        atomic_fetch_add(&slow_names_waiting, 1);
        while (!atomic_load(&slow_name_may_go_on))
            usleep(1000);
        atomic_fetch_sub(&slow_names_waiting, 1);
    }
    *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
    return real(is_test ? "127.0.0.1" : name, service, hints, ret);
}

static void report_overrun(const struct fixture *f)
{
    print_message("%s: %+.1f ms past the deadline\n", f->stub.url,
                  (double)(clock_mono_ns() - f->op.deadline_ns) / 1e6);
}

static void the_deadline_holds_whatever_the_gateway_does(void **state)
{
    static const struct {
        enum stub_greeting greeting;
        enum stub_deed deed;
        bool sent;
    } table[] = {
        {STUB_SILENT, STUB_ECHO, false},
        {STUB_POLITE, STUB_HANG, true},
        {STUB_POLITE, STUB_HANG_MIDWAY, true},
    };
    (void)state;
    for (size_t i = 0; i < 2 * ARRAY_LEN(table); i++) {
        struct fixture f;
        open_fixture(&f, i % 2, table[i / 2].greeting, &table[i / 2].deed, 1);
        f.op.deadline_ns = in_ms(150);
        assert_int_equal(say(&f, "hello"), SP_DEADLINE);
        report_overrun(&f);
        assert_true(clock_mono_ns() >= f.op.deadline_ns);
        assert_int_equal(f.failure.sent, table[i / 2].sent);
        assert_non_null(strstr(f.failure.reason, "in time"));
        close_fixture(&f);
    }
}

static void a_deadline_that_has_passed_sends_nothing(void **state)
{
    struct fixture f;
    (void)state;
    OPEN(&f, true, STUB_ECHO);
    f.op.deadline_ns = in_ms(-1);
    assert_int_equal(say(&f, "hello"), SP_DEADLINE);
    assert_false(f.failure.sent);
    assert_int_equal(atomic_load(&f.stub.connections), 0);
    close_fixture(&f);
}

/* More than the buffers hold, to somebody who does not read. */
static void a_message_that_is_not_taken_ends_with_the_deadline(void **state)
{
    size_t len = (size_t)32 << 20;
    char *large = calloc(1, len);
    (void)state;
    assert_non_null(large);
    for (int ipc = 0; ipc < 2; ipc++) {
        struct fixture f;
        open_fixture(&f, ipc, STUB_DEAF, STEPS(STUB_ECHO), 1);
        f.op.deadline_ns = in_ms(200);
        assert_int_equal(sp_send(f.client, &f.op, large, len, &f.reply, &f.failure), SP_DEADLINE);
        assert_true(f.failure.sent);
        close_fixture(&f);
    }
    free(large);
}

static void connecting_has_a_time_of_its_own(void **state)
{
    struct fixture f;
    (void)state;
    open_fixture(&f, true, STUB_SILENT, STEPS(STUB_ECHO), 1);
    sp_client_free(f.client);
    f.client = client_to(f.stub.url, (struct sp_options){.connect_timeout_ms = 100});
    assert_int_equal(say(&f, "hello"), SP_NOT_SENT);
    assert_non_null(strstr(f.failure.reason, "did not take a connection in time"));
    close_fixture(&f);
}

/* A socket that listens with a full queue takes no connection and refuses none. */
static void a_full_queue_is_waited_for(void **state)
{
    (void)state;
    for (int ipc = 0; ipc < 2; ipc++) {
        struct stub s;
        struct arena arena;
        struct sp_reply reply;
        struct sp_failure failure;
        int fill[4];
        struct sockaddr_storage at;
        socklen_t len = sizeof(at);
        stub_listen(&s, ipc, 0);
        assert_int_equal(getsockname(s.fd, (struct sockaddr *)&at, &len), 0);
        for (size_t i = 0; i < ARRAY_LEN(fill); i++) {
            fill[i] = socket(at.ss_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
            (void)!connect(fill[i], (struct sockaddr *)&at, len);
        }
        arena_init(&arena, 65536);
        struct sp_client *c = client_to(s.url, (struct sp_options){0});
        struct op op = {.arena = &arena, .deadline_ns = in_ms(150)};
        assert_int_equal(sp_send(c, &op, "x", 1, &reply, &failure), SP_DEADLINE);
        assert_false(failure.sent);
        sp_client_free(c);
        arena_done(&arena);
        for (size_t i = 0; i < ARRAY_LEN(fill); i++)
            close(fill[i]);
        stub_close(&s);
    }
}

struct canceller {
    struct stub *stub;
    struct cancel cancel;
};

/* A little after the gateway has the message; without one, after 20 s. */
static void *cancel_later(void *arg)
{
    struct canceller *c = arg;
    int64_t until_ns = in_ms(20000);
    while (atomic_load(&c->stub->messages) == 0 && clock_mono_ns() < until_ns)
        usleep(1000);
    usleep(50000);
    cancel_raise(&c->cancel);
    return NULL;
}

static void a_cancellation_ends_the_waiting(void **state)
{
    (void)state;
    for (int ipc = 0; ipc < 2; ipc++) {
        struct fixture f;
        struct canceller canceller = {.stub = &f.stub};
        pthread_t thread;
        OPEN(&f, ipc, STUB_HANG);
        f.op.deadline_ns = in_ms(60000);
        f.op.cancelled = &canceller.cancel;
        assert_int_equal(pthread_create(&thread, NULL, cancel_later, &canceller), 0);
        assert_int_equal(say(&f, "hello"), SP_CANCELLED);
        assert_true(f.failure.sent);
        pthread_join(thread, NULL);
        /* From now on nothing leaves. */
        assert_int_equal(say(&f, "hello"), SP_CANCELLED);
        assert_false(f.failure.sent);
        assert_int_equal(atomic_load(&f.stub.connections), 1);
        close_fixture(&f);
    }
}

static void use_name(struct fixture *f, const char *name)
{
    char url[160];
    snprintf(url, sizeof(url), "tcp://%s%s", name, strrchr(f->stub.url, ':'));
    sp_client_free(f->client);
    f->client = client_to(url, (struct sp_options){0});
}

static void names_are_looked_up(void **state)
{
    struct fixture f;
    (void)state;
    OPEN(&f, false, STUB_ECHO);
    use_name(&f, "here.test");
    expect_echo(&f, "by name");
    close_fixture(&f);
}

/* The name server answers only after the test has seen that nobody waits for it. */
static void a_name_server_that_hangs_holds_up_nobody(void **state)
{
    struct fixture f;
    (void)state;
    OPEN(&f, false, STUB_ECHO);
    use_name(&f, "slow.test");
    f.op.deadline_ns = in_ms(150);
    assert_int_equal(say(&f, "hello"), SP_DEADLINE);
    report_overrun(&f);
    assert_false(f.failure.sent);
    assert_int_equal(atomic_load(&slow_names_waiting), 1);
    /* Its thread is still there; let it end before the program does. */
    atomic_store(&slow_name_may_go_on, true);
    while (atomic_load(&slow_names_waiting) > 0)
        usleep(1000);
    usleep(50000);
    f.op.deadline_ns = in_ms(20000);
    expect_echo(&f, "later");
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_deadline_holds_whatever_the_gateway_does),
        cmocka_unit_test(a_deadline_that_has_passed_sends_nothing),
        cmocka_unit_test(a_message_that_is_not_taken_ends_with_the_deadline),
        cmocka_unit_test(connecting_has_a_time_of_its_own),
        cmocka_unit_test(a_full_queue_is_waited_for),
        cmocka_unit_test(a_cancellation_ends_the_waiting),
        cmocka_unit_test(names_are_looked_up),
        cmocka_unit_test(a_name_server_that_hangs_holds_up_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
