/* Timers fire once, in order, not before their time, and not after they were cancelled. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "alloc_fail.h"
#include "isobar/clock.h"
#include "timer.h"

enum { MANY = 2000 };

struct alarm {
    struct timer timer;
    atomic_int fired;
    int64_t when, due;
};

static atomic_int n_fired;
static struct alarm *order[MANY];

static void fire(struct timer *t)
{
    struct alarm *a = CONTAINER_OF(t, struct alarm, timer);
    a->when = clock_mono_ns();
    int place = atomic_fetch_add(&n_fired, 1);
    order[place] = a;
    atomic_fetch_add(&a->fired, 1);
}

static void test_order_and_cancel(void **state)
{
    (void)state;
    assert_true(timers_start());
    static struct alarm alarms[MANY];
    int64_t now = clock_mono_ns();
    srand(7);
    int cancelled = 0;
    for (int i = 0; i < MANY; i++) {
        alarms[i].due = now + (50 + rand() % 200) * NS_PER_MS;
        assert_true(timer_arm(&alarms[i].timer, alarms[i].due, fire));
    }
    for (int i = 0; i < MANY; i += 3, cancelled++)
        assert_true(timer_cancel(&alarms[i].timer));
    /* Moved, earlier and later. */
    alarms[1].due = now + 20 * NS_PER_MS;
    alarms[2].due = now + 300 * NS_PER_MS;
    assert_true(timer_arm(&alarms[1].timer, alarms[1].due, fire));
    assert_true(timer_arm(&alarms[2].timer, alarms[2].due, fire));
    for (int i = 0; i < 5000 && atomic_load(&n_fired) < MANY - cancelled; i++)
        usleep(1000);
    timers_stop();
    assert_int_equal(atomic_load(&n_fired), MANY - cancelled);
    assert_ptr_equal(order[0], &alarms[1]);
    assert_ptr_equal(order[MANY - cancelled - 1], &alarms[2]);
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(atomic_load(&alarms[i].fired), i % 3 != 0);
        assert_true(!atomic_load(&alarms[i].fired) || alarms[i].when >= alarms[i].due);
        assert_false(timer_cancel(&alarms[i].timer));
    }
    for (int i = 1; i < MANY - cancelled; i++)
        assert_true(order[i - 1]->due <= order[i]->due);
}

/* Where there is no memory for another timer, those that a place is kept for are armed all the
 * same. */
static void test_reserved(void **state)
{
    (void)state;
    enum { KEPT = 100 };
    static struct alarm kept[KEPT], others[MANY];
    assert_true(timers_start());
    int64_t now = clock_mono_ns(), far = now + 3600 * NS_PER_SEC;
    int n_armed = 0;
    atomic_store(&n_fired, 0);
    for (int i = 0; i < KEPT; i++)
        assert_true(timer_reserve(&kept[i].timer));
    alloc_fail_from(1);
    while (n_armed < MANY && timer_arm(&others[n_armed].timer, far, fire))
        n_armed++;
    assert_true(n_armed < MANY);
    assert_false(timer_reserve(&others[MANY - 1].timer));
    for (int i = 0; i < KEPT; i++)
        assert_true(timer_arm(&kept[i].timer, now + NS_PER_MS, fire));
    for (int i = 0; i < 10000 && atomic_load(&n_fired) < KEPT; i++)
        usleep(1000);
    assert_int_equal(atomic_load(&n_fired), KEPT);
    /* A place that is given up is another's. */
    assert_false(timer_arm(&others[n_armed].timer, far, fire));
    timer_unreserve(&kept[0].timer);
    assert_true(timer_arm(&others[n_armed].timer, far, fire));
    alloc_fail_stop();
    for (int i = 1; i < KEPT; i++)
        timer_unreserve(&kept[i].timer);
    timers_stop();
    /* None of those that never fired is armed any more. */
    for (int i = 0; i <= n_armed; i++)
        assert_false(timer_cancel(&others[i].timer));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_and_cancel),
        cmocka_unit_test(test_reserved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
