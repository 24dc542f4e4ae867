/* What a governor learns from throttles. Time is what the test says it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "isobar/clock.h"
#include "kit/governor.h"

#define SEC(x) ((int64_t)((x) * (double)NS_PER_SEC))
#define READS  GOVERNOR_READS
#define EVER   SEC(1000000)

static int64_t now;

static int setup(void **state)
{
    struct governor *g = malloc(sizeof(*g));

    now = SEC(1000);
    governor_init(g);
    *state = g;
    return 0;
}

static int teardown(void **state)
{
    governor_done(*state);
    free(*state);
    return 0;
}

static int64_t turn(struct governor *g, int64_t deadline_ns)
{
    int64_t late = 0, at = governor_reserve(g, READS, now, deadline_ns, &late);

    return at ? at : -late;
}

/* So many requests in the next second. */
static void call_for_a_second(struct governor *g, int n)
{
    for (int i = 0; i < n; i++) {
        governor_sent(g, READS, now);
        now += NS_PER_SEC / n;
    }
}

static void assert_rate(struct governor *g, double expected)
{
    double rate = governor_rate(g, READS, now);

    assert_true(rate > expected * 0.99 && rate < expected * 1.01);
}

static void nothing_is_limited_before_the_first_throttle(void **state)
{
    struct governor *g = *state;

    for (int i = 0; i < 10000; i++) {
        assert_int_equal(turn(g, EVER), now);
        governor_sent(g, READS, now);
    }
    assert_true(governor_rate(g, READS, now) == 0);
}

static void a_throttle_cuts_the_rate_that_was_too_much(void **state)
{
    struct governor *g = *state;

    call_for_a_second(g, 20);
    call_for_a_second(g, 20);
    governor_throttled(g, READS, now - 1, now, -1);
    assert_rate(g, 14);
    /* Those that left before the cut had another rate. */
    now += SEC(0.01);
    for (int i = 0; i < 50; i++)
        governor_throttled(g, READS, now - SEC(0.02), now, -1);
    assert_rate(g, 14);
    assert_true(governor_rate(g, GOVERNOR_CHANGES, now) == 0);
}

static void it_never_stops_altogether(void **state)
{
    struct governor *g = *state;

    /* One call, throttled because of what others do. */
    governor_sent(g, READS, now);
    governor_throttled(g, READS, now, now, -1);
    assert_rate(g, 2);
    for (int i = 0; i < 50; i++) {
        now += 1;
        governor_throttled(g, READS, now, now, -1);
    }
    assert_rate(g, 0.5);
}

static void it_grows_back_and_is_forgotten(void **state)
{
    struct governor *g = *state;

    call_for_a_second(g, 100);
    governor_throttled(g, READS, now - 1, now, -1);
    assert_rate(g, 70);
    now += SEC(6);
    assert_rate(g, 100);
    now += SEC(19.9);
    assert_rate(g, 199.5);
    now += SEC(0.1);
    assert_true(governor_rate(g, READS, now) == 0);
    assert_int_equal(turn(g, EVER), now);
}

static void turns_come_one_after_the_other(void **state)
{
    struct governor *g = *state;
    int64_t last = now, first;

    call_for_a_second(g, 100);
    governor_throttled(g, READS, now - 1, now, -1);
    first = turn(g, EVER);
    assert_int_equal(first, now);
    for (int i = 0; i < 70; i++) {
        int64_t next = turn(g, EVER);
        assert_true(next > last);
        last = next;
    }
    /* 70 a second. */
    assert_true(last - first > SEC(0.99) && last - first < SEC(1.01));
    /* A turn past the deadline is told and not reserved. */
    for (int i = 0; i < 3; i++) {
        int64_t late = -turn(g, now + SEC(0.5));
        assert_true(late > last && late - last < SEC(0.02));
    }
    /* After a pause half a second's worth may leave at once, and no more. */
    now = last + SEC(2);
    double rate = governor_rate(g, READS, now);
    int at_once = 0;
    while (turn(g, EVER) == now)
        at_once++;
    assert_true(at_once >= (int)(rate / 2) && at_once <= (int)(rate / 2) + 2);
}

static void retry_after_closes_the_class(void **state)
{
    struct governor *g = *state;
    int64_t late, reserved = turn(g, EVER), closed;

    assert_true(governor_turn_holds(g, READS, reserved));
    governor_throttled(g, READS, now, now, 4000);
    closed = now + SEC(4);
    /* Who waits already waits again. */
    assert_false(governor_turn_holds(g, READS, reserved));
    assert_int_equal(turn(g, now + SEC(4)), -closed);
    assert_int_equal(turn(g, EVER), closed);
    assert_true(turn(g, EVER) >= closed);
    assert_int_equal(governor_reserve(g, GOVERNOR_CHANGES, now, EVER, &late), now);
    /* A shorter one does not shorten it, a longer one does lengthen it. */
    governor_throttled(g, READS, now, now, 1000);
    assert_false(governor_turn_holds(g, READS, closed - 1));
    assert_true(governor_turn_holds(g, READS, closed));
    governor_throttled(g, READS, now, now, 9000);
    assert_false(governor_turn_holds(g, READS, closed));
    /* The rate grows only when calls may leave again. */
    double rate = governor_rate(g, READS, now + SEC(9));
    assert_true(rate == governor_rate(g, READS, now));
    /* Nobody is believed for ever. */
    governor_throttled(g, READS, now, now, 86400000);
    assert_true(governor_turn_holds(g, READS, now + SEC(300)));
}

/* A cloud that takes ten a second, and callers who want fifty: most of what is sent is taken, and
 * most of what is taken could be. */
static void it_finds_the_rate_of_a_cloud(void **state)
{
    struct governor *g = *state;
    int64_t end = now + SEC(120), wants = now;
    double tokens = 10;
    int sent = 0, taken = 0;

    for (; now < end; now = wants) {
        int64_t at = turn(g, EVER), before = now;
        tokens += (double)(at - before) / (double)NS_PER_SEC * 10;
        tokens = tokens > 10 ? 10 : tokens;
        now = at;
        governor_sent(g, READS, now);
        sent++;
        if (tokens >= 1) {
            tokens--;
            taken++;
        } else {
            governor_throttled(g, READS, now, now, -1);
        }
        wants = now + SEC(0.02);
        tokens += 0.2;
    }
    assert_true(taken > 120 * 10 * 7 / 10);
    assert_true(taken > sent * 8 / 10);
}

/* ---- Many at once ---- */

enum { THREADS = 8, TURNS = 500 };

struct crowd {
    struct governor *g;
    pthread_t thread;
    int64_t turns[TURNS];
};

static void *reserve_many(void *arg)
{
    struct crowd *c = arg;
    int64_t late;

    for (size_t i = 0; i < TURNS; i++) {
        c->turns[i] = governor_reserve(c->g, READS, SEC(2000), EVER, &late);
        governor_sent(c->g, READS, SEC(2000));
        if (i % 100 == 0)
            governor_throttled(c->g, READS, SEC(1000), SEC(2000), -1);
    }
    return NULL;
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static void no_turn_is_given_twice(void **state)
{
    struct crowd crowd[THREADS];
    static int64_t all[THREADS * TURNS];

    now = SEC(2000) - 1;
    call_for_a_second(*state, 1000);
    now = SEC(2000);
    governor_throttled(*state, READS, now, now, -1);
    for (size_t i = 0; i < THREADS; i++) {
        crowd[i].g = *state;
        assert_int_equal(pthread_create(&crowd[i].thread, NULL, reserve_many, &crowd[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(crowd[i].thread, NULL);
        for (size_t k = 0; k < TURNS; k++)
            all[i * TURNS + k] = crowd[i].turns[k];
    }
    qsort(all, ARRAY_LEN(all), sizeof(*all), by_value);
    assert_int_equal(all[0], SEC(2000));
    for (size_t i = 1; i < ARRAY_LEN(all); i++)
        assert_true(all[i] > all[i - 1]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing_is_limited_before_the_first_throttle),
        TEST(a_throttle_cuts_the_rate_that_was_too_much),
        TEST(it_never_stops_altogether),
        TEST(it_grows_back_and_is_forgotten),
        TEST(turns_come_one_after_the_other),
        TEST(retry_after_closes_the_class),
        TEST(it_finds_the_rate_of_a_cloud),
        TEST(no_turn_is_given_twice),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
