/* When a breaker opens and closes. Time is what the test says it is. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "isobar/clock.h"
#include "kit/breaker.h"

#define NOVA   "http://cloud:8774/v2.1/servers?secret=hush"
#define SEC(x) ((int64_t)((x) * (double)NS_PER_SEC))

static int64_t now;
static struct breaker_refusal refusal;

static int setup(void **state)
{
    now = SEC(1000);
    memset(&refusal, 0, sizeof(refusal));
    return (*state = breakers_new()) ? 0 : -1;
}

static int teardown(void **state)
{
    breakers_free(*state);
    return 0;
}

static struct breaker_pass pass_of(struct breakers *b, const char *url)
{
    struct breaker_pass pass;

    assert_true(breaker_enter(b, url, now, &pass, &refusal));
    return pass;
}

static bool refused(struct breakers *b, const char *url)
{
    struct breaker_pass pass;

    return !breaker_enter(b, url, now, &pass, &refusal);
}

/* One request; whether the breaker is open after it. */
static bool ask(struct breakers *b, const char *url, enum breaker_verdict verdict)
{
    struct breaker_pass pass = pass_of(b, url);

    return breaker_leave(b, &pass, verdict, "cloud:8774 refused the connection", now);
}

static void open_up(struct breakers *b)
{
    for (int i = 0; i < 5; i++)
        ask(b, NOVA, BREAKER_DOWN);
    assert_true(refused(b, NOVA));
}

static void five_without_an_answer_open_it(void **state)
{
    struct breakers *b = *state;

    for (int i = 0; i < 4; i++) {
        assert_false(ask(b, NOVA, BREAKER_DOWN));
        now += SEC(0.1);
    }
    assert_true(ask(b, NOVA, BREAKER_DOWN));
    assert_true(refused(b, "http://cloud:8774/other"));
    assert_string_equal(refusal.authority, "http://cloud:8774");
    assert_string_equal(refusal.reason, "cloud:8774 refused the connection");
    assert_int_equal(refusal.since_ns, SEC(1000));
    assert_int_equal(refusal.next_ns, now + SEC(1));
}

static void an_answer_ends_the_run(void **state)
{
    struct breakers *b = *state;

    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 4; i++)
            assert_false(ask(b, NOVA, BREAKER_DOWN));
        assert_false(ask(b, NOVA, BREAKER_GOOD));
        now += SEC(11); /* out of the window */
    }
    /* What is not known neither ends it nor counts. */
    for (int i = 0; i < 4; i++)
        assert_false(ask(b, NOVA, BREAKER_DOWN));
    for (int i = 0; i < 50; i++)
        assert_false(ask(b, NOVA, BREAKER_NEITHER));
    assert_true(ask(b, NOVA, BREAKER_DOWN));
}

static void an_error_counts_half(void **state)
{
    struct breakers *b = *state;

    for (int i = 0; i < 9; i++)
        assert_false(ask(b, NOVA, BREAKER_ERROR));
    assert_true(ask(b, NOVA, BREAKER_ERROR));
}

static void half_of_many_open_it(void **state)
{
    struct breakers *b = *state;

    /* Every other one of a few, or spread over a long time, does not. */
    for (int i = 0; i < 30; i++) {
        assert_false(ask(b, NOVA, i % 2 ? BREAKER_DOWN : BREAKER_GOOD));
        now += SEC(1);
    }
    now += SEC(20);
    for (int i = 0; i < 19; i++)
        assert_false(ask(b, NOVA, i % 2 ? BREAKER_DOWN : BREAKER_GOOD));
    assert_true(ask(b, NOVA, BREAKER_DOWN));
}

static void a_third_of_many_does_not(void **state)
{
    struct breakers *b = *state;

    for (int i = 0; i < 3000; i++) {
        assert_false(ask(b, NOVA, i % 3 ? BREAKER_GOOD : BREAKER_DOWN));
        now += SEC(0.01);
    }
}

/* One probe at a time, a second after the opening, then ever later up to 3 s. */
static void probes_are_few(void **state)
{
    static const double waits[] = {1, 1.5, 2.25, 3, 3, 3};
    struct breakers *b = *state;

    open_up(b);
    for (size_t i = 0; i < ARRAY_LEN(waits); i++) {
        struct breaker_pass probe;
        now += SEC(waits[i]) - 1;
        assert_true(refused(b, NOVA));
        assert_int_equal(refusal.next_ns, now + 1);
        assert_int_equal(refusal.since_ns, SEC(1000));
        now += 1;
        probe = pass_of(b, NOVA);
        assert_true(probe.probe);
        assert_true(refused(b, NOVA));
        assert_true(breaker_leave(b, &probe, BREAKER_DOWN, "still nothing", now));
    }
    assert_true(refused(b, NOVA));
    assert_string_equal(refusal.reason, "still nothing");
}

static void a_probe_that_is_answered_closes_it(void **state)
{
    struct breakers *b = *state;

    open_up(b);
    now += SEC(1);
    assert_true(ask(b, NOVA, BREAKER_DOWN));
    now += SEC(1.5);
    assert_false(ask(b, NOVA, BREAKER_GOOD));
    /* As if nothing had been: four do not open it, and then it begins with a second again. */
    for (int i = 0; i < 4; i++)
        assert_false(ask(b, NOVA, BREAKER_DOWN));
    assert_true(ask(b, NOVA, BREAKER_DOWN));
    assert_true(refused(b, NOVA));
    assert_int_equal(refusal.next_ns, now + SEC(1));
}

static void a_probe_that_finds_nothing_out_is_followed_soon(void **state)
{
    struct breakers *b = *state;

    open_up(b);
    for (int i = 0; i < 5; i++) {
        now += SEC(1);
        assert_true(ask(b, NOVA, BREAKER_NEITHER));
        assert_true(refused(b, NOVA));
        assert_int_equal(refusal.next_ns, now + SEC(1));
    }
}

/* Probes hang, and end one after the other: there is another one each 3 s all the same. */
static void a_probe_that_hangs_stops_no_other(void **state)
{
    struct breakers *b = *state;
    struct breaker_pass probes[20];

    open_up(b);
    now += SEC(1);
    for (int i = 0; i < 20; i++) {
        probes[i] = pass_of(b, NOVA);
        now += SEC(2.9);
        assert_true(refused(b, NOVA));
        if (i >= 4)
            assert_true(breaker_leave(b, &probes[i - 4], BREAKER_DOWN, "timed out", now));
        assert_true(refused(b, NOVA));
        now += SEC(0.1);
    }
    /* Any of them that is answered closes it. */
    assert_false(breaker_leave(b, &probes[17], BREAKER_GOOD, NULL, now));
    assert_false(breaker_leave(b, &probes[18], BREAKER_DOWN, "timed out", now));
}

static void late_news_count_for_nothing(void **state)
{
    struct breakers *b = *state;
    struct breaker_pass before[20], good;

    for (int i = 0; i < 20; i++)
        before[i] = pass_of(b, NOVA);
    good = pass_of(b, NOVA);
    open_up(b);
    /* An answer to what left before it opened does not close it. */
    assert_true(breaker_leave(b, &good, BREAKER_GOOD, NULL, now));
    assert_true(refused(b, NOVA));
    now += SEC(1);
    assert_false(ask(b, NOVA, BREAKER_GOOD));
    /* Nor do those that hung meanwhile open it again. */
    for (int i = 0; i < 20; i++)
        assert_false(breaker_leave(b, &before[i], BREAKER_DOWN, "timed out", now));
}

static void authorities_are_apart(void **state)
{
    struct breakers *b = *state;
    struct breaker_pass held;
    char url[64];

    open_up(b);
    assert_false(ask(b, "https://cloud:8774/", BREAKER_GOOD));
    assert_false(ask(b, "http://cloud:9696/", BREAKER_GOOD));
    assert_true(refused(b, NOVA));
    for (int i = 0; i < 5; i++)
        ask(b, "http://user:hush@cloud/", BREAKER_DOWN);
    assert_true(refused(b, "http://cloud?x"));
    assert_string_equal(refusal.authority, "http://cloud");
    /* The table is bounded; what was asked longest ago is forgotten, and its news are nobody's. */
    now += SEC(1);
    held = pass_of(b, "http://held/");
    for (int i = 0; i < 3 * BREAKERS_MAX; i++) {
        now += 1;
        snprintf(url, sizeof(url), "http://host-%d/", i);
        assert_false(ask(b, url, BREAKER_DOWN));
    }
    for (int i = 0; i < 5; i++)
        breaker_leave(b, &held, BREAKER_DOWN, "late", now);
    for (int i = 2 * BREAKERS_MAX; i < 3 * BREAKERS_MAX; i++) {
        snprintf(url, sizeof(url), "http://host-%d/", i);
        assert_false(refused(b, url));
    }
    assert_false(refused(b, NOVA));
}

static void slow_answers_are_remembered(void **state)
{
    struct breakers *b = *state;
    struct breaker_pass pass = pass_of(b, NOVA);
    int64_t before;

    assert_int_equal(pass.usual_ns, 0);
    now += SEC(6);
    breaker_leave(b, &pass, BREAKER_GOOD, NULL, now);
    before = pass_of(b, NOVA).usual_ns;
    assert_int_equal(before, SEC(6));
    ask(b, NOVA, BREAKER_GOOD);
    assert_int_equal(pass_of(b, NOVA).usual_ns, before - before / 16);
    for (int i = 0; i < 200; i++)
        ask(b, NOVA, BREAKER_GOOD);
    assert_true(pass_of(b, NOVA).usual_ns < SEC(0.01));
}

/* ---- Many at once ---- */

enum { THREADS = 8, ROUNDS = 300 };

struct crowd {
    struct breakers *breakers;
    pthread_barrier_t barrier;
    atomic_uint passed;
    int64_t now_ns;
};

static void *crowd_member(void *arg)
{
    struct crowd *c = arg;
    struct breaker_refusal why;

    for (int i = 0; i < ROUNDS; i++) {
        struct breaker_pass pass;
        bool passed;
        pthread_barrier_wait(&c->barrier);
        passed = breaker_enter(c->breakers, NOVA, c->now_ns, &pass, &why);
        if (passed)
            atomic_fetch_add(&c->passed, 1);
        pthread_barrier_wait(&c->barrier);
        if (passed)
            breaker_leave(c->breakers, &pass, BREAKER_DOWN, "nothing", c->now_ns);
        pthread_barrier_wait(&c->barrier);
        if (pthread_barrier_wait(&c->barrier) == PTHREAD_BARRIER_SERIAL_THREAD)
            c->now_ns += SEC(3);
    }
    return NULL;
}

static void one_of_many_is_the_probe(void **state)
{
    struct crowd c = {.breakers = *state};
    pthread_t threads[THREADS];

    open_up(*state);
    c.now_ns = now + SEC(3);
    pthread_barrier_init(&c.barrier, NULL, THREADS);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, crowd_member, &c), 0);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&c.barrier);
    assert_int_equal(c.passed, ROUNDS);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(five_without_an_answer_open_it),
        TEST(an_answer_ends_the_run),
        TEST(an_error_counts_half),
        TEST(half_of_many_open_it),
        TEST(a_third_of_many_does_not),
        TEST(probes_are_few),
        TEST(a_probe_that_is_answered_closes_it),
        TEST(a_probe_that_finds_nothing_out_is_followed_soon),
        TEST(a_probe_that_hangs_stops_no_other),
        TEST(late_news_count_for_nothing),
        TEST(authorities_are_apart),
        TEST(slow_answers_are_remembered),
        TEST(one_of_many_is_the_probe),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
