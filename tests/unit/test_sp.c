/* The client of the SP wire against gateways that are well, break off or lie. */
#include "sp_fixture.h"

static void one_connection_for_call_after_call(void **state)
{
    (void)state;
    for (int ipc = 0; ipc < 2; ipc++) {
        struct fixture f;
        OPEN(&f, ipc, STUB_ECHO);
        expect_echo(&f, "first");
        expect_echo(&f, "");
        expect_echo(&f, "third");
        assert_int_equal(atomic_load(&f.stub.connections), 1);
        uint32_t ids[3];
        for (unsigned i = 0; i < 3; i++)
            ids[i] = stub_message(&f.stub, i).id;
        assert_true(ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2]);
        assert_string_equal(sp_client_url(f.client), f.stub.url);
        close_fixture(&f);
    }
}

static void large_messages_are_whole(void **state)
{
    (void)state;
    size_t len = (size_t)5 << 20;
    char *large = malloc(len + 1);
    assert_non_null(large);
    for (size_t i = 0; i < len; i++)
        large[i] = (char)('a' + i % 23);
    large[len] = '\0';
    for (int ipc = 0; ipc < 2; ipc++) {
        struct fixture f;
        OPEN(&f, ipc, STUB_ECHO);
        expect_echo(&f, large);
        close_fixture(&f);
    }
    free(large);
}

static void what_fails_before_the_message_was_not_sent(void **state)
{
    static const struct {
        enum stub_greeting greeting;
        bool permanent;
        const char *words;
    } table[] = {{STUB_WRONG, true, "is not an Isobar gateway"},
                 {STUB_GONE, false, "the connection"}};
    (void)state;
    for (size_t i = 0; i < 2 * ARRAY_LEN(table); i++) {
        struct fixture f;
        open_fixture(&f, i % 2, table[i / 2].greeting, STEPS(STUB_ECHO), 1);
        assert_int_equal(say(&f, "hello"), SP_NOT_SENT);
        assert_false(f.failure.sent);
        assert_int_equal(f.failure.permanent, table[i / 2].permanent);
        assert_non_null(strstr(f.failure.reason, table[i / 2].words));
        assert_int_equal(atomic_load(&f.stub.messages), 0);
        close_fixture(&f);
    }
}

static void nobody_listens(void **state)
{
    (void)state;
    for (int ipc = 0; ipc < 2; ipc++) {
        struct fixture f;
        OPEN(&f, ipc, STUB_ECHO);
        stub_stop(&f.stub);
        assert_int_equal(say(&f, "hello"), SP_NOT_SENT);
        assert_false(f.failure.sent);
        assert_false(f.failure.permanent);
        assert_non_null(strstr(f.failure.reason, "nothing listens at"));
        assert_non_null(strstr(f.failure.reason, f.stub.url));
        sp_client_free(f.client);
        arena_done(&f.arena);
    }
}

/* Sent, and no answer that is one: whoever asked does not know. */
static void what_breaks_off_is_ambiguous(void **state)
{
    static const enum stub_deed deeds[] = {STUB_CLOSE, STUB_CUT, STUB_NO_ID, STUB_NOT_AN_ANSWER};
    (void)state;
    for (size_t i = 0; i < 2 * ARRAY_LEN(deeds); i++) {
        struct fixture f;
        OPEN(&f, i % 2, deeds[i / 2], STUB_ECHO);
        assert_int_equal(say(&f, "hello"), SP_AMBIGUOUS);
        assert_true(f.failure.sent);
        assert_false(f.failure.stale);
        assert_non_null(strstr(f.failure.reason, f.stub.url));
        /* It was sent once, and the connection is not used again. */
        assert_int_equal(atomic_load(&f.stub.messages), 1);
        expect_echo(&f, "again");
        assert_int_equal(atomic_load(&f.stub.connections), 2);
        close_fixture(&f);
    }
}

static void a_kept_connection_that_ends_is_stale(void **state)
{
    struct fixture f;
    (void)state;
    OPEN(&f, true, STUB_ECHO, STUB_CLOSE, STUB_ECHO, STUB_CUT);
    expect_echo(&f, "one");
    assert_int_equal(say(&f, "two"), SP_AMBIGUOUS);
    assert_true(f.failure.stale);
    expect_echo(&f, "three");
    /* A part of an answer came: the gateway had it for certain. */
    assert_int_equal(say(&f, "four"), SP_AMBIGUOUS);
    assert_false(f.failure.stale);
    close_fixture(&f);
}

/* Wait until the other side's end, or its unasked answer, has come. */
static void wait_for_stub(const struct fixture *f, unsigned messages)
{
    for (int i = 0; i < 5000 && atomic_load(&f->stub.messages) < messages; i++)
        usleep(1000);
    usleep(50000);
}

static void idle_connections_that_are_readable_are_not_used(void **state)
{
    static const enum stub_deed deeds[] = {STUB_ECHO_AND_CLOSE, STUB_ECHO_TWICE};
    (void)state;
    for (size_t i = 0; i < 2 * ARRAY_LEN(deeds); i++) {
        struct fixture f;
        OPEN(&f, i % 2, deeds[i / 2], STUB_ECHO);
        expect_echo(&f, "one");
        wait_for_stub(&f, 1);
        expect_echo(&f, "two");
        assert_int_equal(atomic_load(&f.stub.connections), 2);
        close_fixture(&f);
    }
}

static void answers_to_others_are_dropped(void **state)
{
    (void)state;
    for (int ipc = 0; ipc < 2; ipc++) {
        struct fixture f;
        OPEN(&f, ipc, STUB_ECHO, STUB_OTHERS_FIRST);
        expect_echo(&f, "one");
        expect_echo(&f, "mine");
        expect_echo(&f, "mine as well");
        assert_int_equal(atomic_load(&f.stub.connections), 1);
        close_fixture(&f);
    }
}

static void answers_have_a_limit(void **state)
{
    struct fixture f;
    (void)state;
    OPEN(&f, false, STUB_HUGE, STUB_ECHO);
    assert_int_equal(say(&f, "hello"), SP_TOO_LARGE);
    assert_true(f.failure.sent);
    sp_client_free(f.client);
    f.client = client_to(f.stub.url, (struct sp_options){.reply_max = 10});
    expect_echo(&f, "0123456789");
    assert_int_equal(say(&f, "0123456789+"), SP_TOO_LARGE);
    /* Nor more than the call may hold. */
    char large[70000];
    memset(large, 'x', sizeof(large) - 1);
    large[sizeof(large) - 1] = '\0';
    sp_client_free(f.client);
    f.client = client_to(f.stub.url, (struct sp_options){0});
    arena_done(&f.arena);
    arena_init(&f.arena, 65536);
    assert_int_equal(say(&f, large), SP_TOO_LARGE);
    close_fixture(&f);
}

static void slow_is_not_broken(void **state)
{
    struct fixture f;
    (void)state;
    OPEN(&f, true, STUB_TRICKLE);
    expect_echo(&f, "byte by byte");
    close_fixture(&f);
}

static void *talk(void *arg)
{
    const struct fixture *shared = arg;
    struct fixture own = {.client = shared->client, .op = shared->op};
    arena_init(&own.arena, 1 << 20);
    own.op.arena = &own.arena;
    for (int i = 0; i < 100; i++) {
        char text[32];
        snprintf(text, sizeof(text), "%p %d", (void *)&own, i);
        expect_echo(&own, text);
        arena_reset(&own.arena);
    }
    arena_done(&own.arena);
    return NULL;
}

static void many_threads_share_few_connections(void **state)
{
    struct fixture f;
    pthread_t threads[8];
    (void)state;
    OPEN(&f, true, STUB_ECHO);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, talk, &f), 0);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(atomic_load(&f.stub.messages), 800);
    assert_true(atomic_load(&f.stub.connections) <= ARRAY_LEN(threads));
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_connection_for_call_after_call),
        cmocka_unit_test(large_messages_are_whole),
        cmocka_unit_test(what_fails_before_the_message_was_not_sent),
        cmocka_unit_test(nobody_listens),
        cmocka_unit_test(what_breaks_off_is_ambiguous),
        cmocka_unit_test(a_kept_connection_that_ends_is_stale),
        cmocka_unit_test(idle_connections_that_are_readable_are_not_used),
        cmocka_unit_test(answers_to_others_are_dropped),
        cmocka_unit_test(answers_have_a_limit),
        cmocka_unit_test(slow_is_not_broken),
        cmocka_unit_test(many_threads_share_few_connections),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
