/* Whom a call goes to: by weight, by load, and not to what has failed. */
#include "instances_fixture.h"

static void count_calls(struct fixture *f, int n, unsigned ret[MANY])
{
    memset(ret, 0, MANY * sizeof(*ret));
    for (int i = 0; i < n; i++) {
        size_t place = call(f, "", INSTANCE_ANSWERED);
        assert_true(place < f->n);
        ret[place]++;
    }
}

/* ---- drawing ---- */

static void expect_share(unsigned n, unsigned of, double share)
{
    double is = (double)n / of;

    if (is < share - 0.015 || is > share + 0.015)
        fail_msg("%.4f instead of %.4f", is, share);
}

/* In 40,000 draws the share of one strays by 0.0025, once in three times. */
static void shares_follow_the_weights(void **state)
{
    static const uint32_t table[][6] = {
        {1, 3},
        {1, 1},
        {99, 1},
        {1, 2, 3, 4, 10, 0},
        {0, 7, 0, 7, 0, 1},
        {UINT32_MAX, UINT32_MAX, 1, UINT32_MAX},
        {1000000, 3000000, 1},
    };
    unsigned got[MANY];

    (void)state;
    for (size_t k = 0; k < ARRAY_LEN(table); k++) {
        struct fixture f;
        double total = 0;
        begin(&f, table[k], 6);
        for (size_t i = 0; i < 6; i++)
            total += table[k][i];
        count_calls(&f, 40000, got);
        for (size_t i = 0; i < 6; i++) {
            expect_share(got[i], 40000, table[k][i] / total);
            assert_true(table[k][i] > 0 || got[i] == 0);
        }
        end(&f);
    }
}

static void a_thousand_get_their_share(void **state)
{
    static uint32_t weights[MANY];
    static unsigned got[MANY];
    struct fixture f;
    unsigned light = 0;

    (void)state;
    for (size_t i = 0; i < MANY; i++)
        weights[i] = i % 2 ? 3 : 1;
    begin(&f, weights, MANY);
    count_calls(&f, 200000, got);
    for (size_t i = 0; i < MANY; i++) {
        /* 100 and 300 are to be expected, 10 and 17 stray. */
        assert_in_range(got[i], i % 2 ? 200 : 40, i % 2 ? 400 : 160);
        light += i % 2 ? 0 : got[i];
    }
    expect_share(light, 200000, 0.25);
    end(&f);
}

static void where_there_is_none_there_is_none(void **state)
{
    struct fixture f;

    (void)state;
    BEGIN(&f, 0, 0);
    assert_int_equal(call(&f, "", INSTANCE_ANSWERED), MANY);
    assert_int_equal(call(&f, "an-operation", INSTANCE_ANSWERED), MANY);
    assert_true(group_set(f.group, NULL, 0));
    assert_int_equal(group_size(f.group), 0);
    assert_int_equal(call(&f, "", INSTANCE_ANSWERED), MANY);
    assert_int_equal(call(&f, "an-operation", INSTANCE_ANSWERED), MANY);
    end(&f);
}

/* ---- failures ---- */

static void one_that_failed_is_left_out_and_comes_back(void **state)
{
    struct fixture f;
    unsigned got[MANY];

    (void)state;
    BEGIN(&f, 1, 1, 1);
    int64_t since = clock_mono_ns();
    fail_one(f.all[1]);
    assert_true(is_down(f.all[1]));
    count_calls(&f, 3000, got);
    assert_int_equal(got[1], 0);
    assert_true(got[0] > 1000 && got[2] > 1000);
    wait_until_up(f.all[1]);
    assert_true(clock_mono_ns() - since >= NS_PER_SEC);
    /* It fails again, and is left out for longer. */
    since = clock_mono_ns();
    fail_one(f.all[1]);
    wait_until_up(f.all[1]);
    assert_true(clock_mono_ns() - since >= 2 * NS_PER_SEC);
    assert_false(is_down(f.all[0]));
    end(&f);
}

/* Calls that were under way when it died are one failure. */
static void many_calls_that_fail_at_once_are_one_failure(void **state)
{
    struct fixture f;
    struct instance *taken[20];

    (void)state;
    BEGIN(&f, 1);
    for (size_t i = 0; i < ARRAY_LEN(taken); i++)
        taken[i] = group_take(f.group, "", NULL, 0);
    for (size_t i = 0; i < ARRAY_LEN(taken); i++)
        give(taken[i], INSTANCE_FAILED);
    struct instance_stats s;
    instance_stats(f.all[0], &s);
    assert_int_equal(s.errors, 20);
    assert_true(s.down);
    wait_until_up(f.all[0]);
    end(&f);
}

/* Somebody has got an answer: then it is there, whatever was before. What nobody has heard says
 * neither. */
static void an_answer_ends_the_pause(void **state)
{
    struct fixture f;

    (void)state;
    BEGIN(&f, 1);
    fail_one(f.all[0]);
    assert_int_equal(call(&f, "", INSTANCE_UNHEARD), 0);
    assert_true(is_down(f.all[0]));
    assert_int_equal(call(&f, "", INSTANCE_ANSWERED), 0);
    assert_false(is_down(f.all[0]));
    assert_int_equal(call(&f, "", INSTANCE_UNHEARD), 0);
    assert_false(is_down(f.all[0]));
    end(&f);
}

static void where_all_have_failed_one_is_tried(void **state)
{
    struct fixture f;
    size_t seen = 0;

    (void)state;
    BEGIN(&f, 1, 1, 0);
    fail_one(f.all[0]);
    fail_one(f.all[1]);
    for (int i = 0; i < 200; i++) {
        size_t place = call(&f, "", INSTANCE_UNHEARD);
        assert_true(place < 2);
        seen |= 1u << place;
        struct instance *next = group_take(f.group, "", &f.all[0], 1);
        assert_ptr_equal(next, f.all[1]);
        give(next, INSTANCE_UNHEARD);
    }
    assert_int_equal(seen, 3);
    end(&f);
}

static void nobody_is_tried_twice(void **state)
{
    static uint32_t weights[100];
    struct fixture f;
    struct instance *tried[100];

    (void)state;
    /* One that is drawn nearly always, and many that are hard to come by. */
    for (size_t i = 0; i < ARRAY_LEN(weights); i++)
        weights[i] = i == 0 ? 1000000 : 1;
    begin(&f, weights, ARRAY_LEN(weights));
    fail_one(f.all[7]);
    for (size_t n = 0; n < ARRAY_LEN(tried); n++) {
        struct instance *i = group_take(f.group, "an-operation", tried, n);
        assert_non_null(i);
        for (size_t k = 0; k < n; k++)
            assert_ptr_not_equal(tried[k], i);
        /* The one that has failed is the last resort. */
        assert_int_equal(i == f.all[7], n == ARRAY_LEN(tried) - 1);
        give(i, INSTANCE_UNHEARD);
        tried[n] = i;
    }
    assert_null(group_take(f.group, "an-operation", tried, ARRAY_LEN(tried)));
    assert_null(group_take(f.group, "", tried, ARRAY_LEN(tried)));
    end(&f);
}

static void the_next_address_is_used_where_one_fails(void **state)
{
    static const char *const urls[] = {"tcp://127.0.0.1:1", "ipc:///2", "tcp://127.0.0.1:3"};
    struct open_error error;
    struct instance *i = make_of(urls, ARRAY_LEN(urls), "secret", &error);

    (void)state;
    assert_non_null(i);
    assert_string_equal(instance_token(i), "secret");
    for (size_t k = 0; k < 2 * ARRAY_LEN(urls); k++) {
        assert_string_equal(sp_client_url(instance_client(i)), urls[k % ARRAY_LEN(urls)]);
        /* Where all have failed, it is left out. */
        assert_int_equal(is_down(i), k >= ARRAY_LEN(urls));
        fail_one(i);
    }
    instance_put(i);
}

/* ---- load ---- */

static void the_less_busy_of_two_is_asked(void **state)
{
    struct fixture f;
    static struct instance *held[40000];
    struct instance_stats s[2];

    (void)state;
    BEGIN(&f, 1, 3);
    for (size_t i = 0; i < ARRAY_LEN(held); i++)
        held[i] = group_take(f.group, "", NULL, 0);
    instance_stats(f.all[0], &s[0]);
    instance_stats(f.all[1], &s[1]);
    assert_int_equal(s[0].in_flight + s[1].in_flight, ARRAY_LEN(held));
    /* Drawing alone would stray by 87. */
    assert_in_range(s[0].in_flight, 9985, 10015);
    for (size_t i = 0; i < ARRAY_LEN(held); i++)
        give(held[i], INSTANCE_ANSWERED);
    end(&f);
}

/* One that is slow has much under way, and gets only what was drawn for it twice. */
static void one_that_is_slow_gets_less(void **state)
{
    struct fixture f;
    unsigned got[MANY];

    (void)state;
    BEGIN(&f, 1);
    struct instance *busy = group_take(f.group, "", NULL, 0);
    f.all[f.n++] = make();
    SET(&f, 1, 1);
    count_calls(&f, 40000, got);
    expect_share(got[0], 40000, 0.25);
    give(busy, INSTANCE_ANSWERED);
    count_calls(&f, 40000, got);
    expect_share(got[0], 40000, 0.5);
    end(&f);
}

static void calls_are_counted(void **state)
{
    struct fixture f;
    struct instance_stats s;

    (void)state;
    BEGIN(&f, 1);
    instance_stats(f.all[0], &s);
    assert_int_equal(s.calls + s.errors + s.in_flight + s.down, 0);
    struct instance *a = group_take(f.group, "", NULL, 0), *b = group_take(f.group, "x", NULL, 0);
    instance_stats(f.all[0], &s);
    assert_int_equal(s.in_flight, 2);
    give(a, INSTANCE_ANSWERED);
    give(b, INSTANCE_FAILED);
    assert_int_equal(call(&f, "", INSTANCE_UNHEARD), 0);
    instance_stats(f.all[0], &s);
    assert_int_equal(s.in_flight, 0);
    assert_int_equal(s.calls, 3);
    assert_int_equal(s.errors, 1);
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shares_follow_the_weights),
        cmocka_unit_test(a_thousand_get_their_share),
        cmocka_unit_test(where_there_is_none_there_is_none),
        cmocka_unit_test(one_that_failed_is_left_out_and_comes_back),
        cmocka_unit_test(many_calls_that_fail_at_once_are_one_failure),
        cmocka_unit_test(an_answer_ends_the_pause),
        cmocka_unit_test(where_all_have_failed_one_is_tried),
        cmocka_unit_test(nobody_is_tried_twice),
        cmocka_unit_test(the_next_address_is_used_where_one_fails),
        cmocka_unit_test(the_less_busy_of_two_is_asked),
        cmocka_unit_test(one_that_is_slow_gets_less),
        cmocka_unit_test(calls_are_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
