/* A flag that is slept on: till its time, or till it is raised. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "isobar/cancel.h"
#include "isobar/clock.h"

static void test_sleeps_till_its_time(void **state)
{
    (void)state;
    struct cancel c = {0};
    int64_t until = clock_mono_ns() + 30 * NS_PER_MS;
    assert_false(cancel_sleep(&c, until));
    assert_true(clock_mono_ns() >= until);
    assert_false(cancel_sleep(&c, 0));
}

static void *sleeper(void *arg)
{
    static const int64_t hour = 3600 * NS_PER_SEC;
    return cancel_sleep(arg, clock_mono_ns() + hour) ? arg : NULL;
}

static void test_wakes_all(void **state)
{
    (void)state;
    struct cancel c = {0};
    pthread_t threads[8];
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, sleeper, &c), 0);
    usleep(20000);
    assert_false(cancel_is_raised(&c));
    cancel_raise(&c);
    cancel_raise(&c);
    assert_true(cancel_is_raised(&c));
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        void *woken;
        pthread_join(threads[i], &woken);
        assert_ptr_equal(woken, &c);
    }
    assert_true(cancel_sleep(&c, clock_mono_ns() + NS_PER_SEC));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sleeps_till_its_time),
        cmocka_unit_test(test_wakes_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
