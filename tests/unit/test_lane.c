/* Lanes: bounded, on as many threads as allowed, and nothing is lost or run twice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "alloc_fail.h"
#include "lane.h"

enum { WORKERS = 4, QUEUE = 8, MANY = 20000 };

struct task {
    struct job job;
    atomic_uint runs;
};

static atomic_uint running, most, done;
static atomic_bool gate_open;

static void enter(void)
{
    unsigned now = atomic_fetch_add(&running, 1) + 1;
    unsigned seen = atomic_load(&most);
    while (now > seen && !atomic_compare_exchange_weak(&most, &seen, now))
        ;
}

static void run_held(struct job *j)
{
    struct task *t = CONTAINER_OF(j, struct task, job);
    enter();
    while (!atomic_load(&gate_open))
        usleep(1000);
    atomic_fetch_sub(&running, 1);
    atomic_fetch_add(&t->runs, 1);
    atomic_fetch_add(&done, 1);
}

static void run_quick(struct job *j)
{
    struct task *t = CONTAINER_OF(j, struct task, job);
    atomic_fetch_add(&t->runs, 1);
    atomic_fetch_add(&done, 1);
}

static void wait_for(atomic_uint *counter, unsigned value)
{
    for (int i = 0; i < 20000 && atomic_load(counter) < value; i++)
        usleep(1000);
    assert_int_equal(atomic_load(counter), value);
}

static void reset(void)
{
    atomic_store(&running, 0);
    atomic_store(&most, 0);
    atomic_store(&done, 0);
    atomic_store(&gate_open, false);
}

static void test_bounds(void **state)
{
    (void)state;
    reset();
    struct lane *l = lane_new("test", WORKERS, QUEUE);
    static struct task tasks[WORKERS + QUEUE + 3];
    for (int i = 0; i < WORKERS; i++) {
        tasks[i].job.run = run_held;
        assert_true(lane_submit(l, &tasks[i].job));
    }
    wait_for(&running, WORKERS);
    for (int i = WORKERS; i < WORKERS + QUEUE; i++) {
        tasks[i].job.run = run_held;
        assert_true(lane_submit(l, &tasks[i].job));
    }
    struct task *refused = &tasks[WORKERS + QUEUE];
    refused->job.run = run_held;
    assert_false(lane_submit(l, &refused->job));
    struct lane_stats stats;
    lane_stats(l, &stats);
    assert_int_equal(stats.in_flight, WORKERS);
    assert_int_equal(stats.queued, QUEUE);
    /* What was admitted before is never refused. */
    struct task *next_step = &tasks[WORKERS + QUEUE + 1];
    next_step->job.run = run_held;
    lane_continue(l, &next_step->job);
    atomic_store(&gate_open, true);
    wait_for(&done, WORKERS + QUEUE + 1);
    assert_int_equal(atomic_load(&most), WORKERS);
    assert_int_equal(atomic_load(&refused->runs), 0);
    lane_free(l);
}

/* Where the system has no thread to give, what is queued is run all the same. */
static void test_no_thread_to_be_had(void **state)
{
    (void)state;
    reset();
    static struct task tasks[QUEUE];
    for (unsigned n = 1; n <= 2; n++) { /* its memory, its first thread */
        alloc_fail_at(n);
        assert_null(lane_new("test", WORKERS, QUEUE));
        assert_int_equal(alloc_fail_stop(), 1);
    }
    struct lane *l = lane_new("test", WORKERS, QUEUE);
    alloc_fail_from(1);
    for (int i = 0; i < QUEUE; i++) {
        tasks[i].job.run = run_held;
        if (i % 2)
            assert_true(lane_submit(l, &tasks[i].job));
        else
            lane_continue(l, &tasks[i].job);
    }
    atomic_store(&gate_open, true);
    wait_for(&done, QUEUE);
    assert_true(alloc_fail_stop() > 0);
    assert_int_equal(atomic_load(&most), 1);
    lane_free(l);
}

/* A place that is reserved is one less for others, and is there when it is used. */
static void test_reserve(void **state)
{
    (void)state;
    reset();
    struct lane *l = lane_new("test", 1, 2);
    static struct task tasks[4];
    for (int i = 0; i < 4; i++)
        tasks[i].job.run = run_held;
    assert_true(lane_submit(l, &tasks[0].job));
    wait_for(&running, 1);
    assert_true(lane_reserve(l, 0));
    assert_true(lane_reserve(l, 0));
    assert_false(lane_reserve(l, 0));
    assert_false(lane_submit(l, &tasks[1].job));
    struct lane_stats stats;
    lane_stats(l, &stats);
    assert_int_equal(stats.queued, 2);
    assert_int_equal(stats.refused, 2);
    assert_true(lane_retry_ms(l) > 0);
    lane_unreserve(l);
    assert_true(lane_submit(l, &tasks[1].job));
    lane_submit_reserved(l, &tasks[2].job);
    assert_false(lane_submit(l, &tasks[3].job));
    lane_stats(l, &stats);
    assert_int_equal(stats.queued, 2);
    atomic_store(&gate_open, true);
    wait_for(&done, 3);
    lane_free(l);
    /* The first of a lane: a worker comes for it, and waits. */
    reset();
    l = lane_new("test", 1, 1);
    assert_true(lane_reserve(l, 0));
    tasks[3].job.run = run_quick;
    lane_submit_reserved(l, &tasks[3].job);
    wait_for(&done, 1);
    lane_free(l);
}

static atomic_uint shed;

static void shed_it(struct job *j)
{
    struct task *t = CONTAINER_OF(j, struct task, job);
    atomic_fetch_add(&t->runs, 1);
    atomic_fetch_add(&shed, 1);
}

static void run_slow(struct job *j)
{
    usleep(5000);
    run_quick(j);
}

/* More than the lane can do, for long: of what was queued some is shed, each runs or is shed once,
 * and what must not be shed is not. */
static void test_overloaded(void **state)
{
    (void)state;
    reset();
    atomic_store(&shed, 0);
    enum { CROWD = 400 };
    struct lane *l = lane_new("test", 2, CROWD);
    struct task *tasks = calloc(MANY, sizeof(*tasks));
    static struct task first, reserved, next_step;
    first.job.run = run_slow;
    assert_true(lane_submit(l, &first.job));
    wait_for(&done, 1);
    unsigned taken = 0;
    struct lane_stats stats = {.overloaded = false};
    /* Till it has been full for long; then till something was shed. */
    for (int i = 0; i < 60000 && stats.shed == 0 && taken < MANY; i++) {
        struct task *t = &tasks[taken];
        t->job = (struct job){.run = run_slow, .shed = shed_it};
        if (lane_submit(l, &t->job))
            taken++;
        else
            usleep(500);
        if (taken == CROWD / 2 && !reserved.job.run) {
            reserved.job = (struct job){.run = run_slow};
            next_step.job = (struct job){.run = run_slow, .shed = shed_it};
            assert_true(lane_reserve(l, 0));
            lane_submit_reserved(l, &reserved.job);
            lane_continue(l, &next_step.job);
        }
        lane_stats(l, &stats);
    }
    assert_true(stats.overloaded);
    assert_true(stats.shed > 0);
    assert_true(stats.service_ns > 0);
    lane_free(l);
    assert_true(atomic_load(&shed) > 0);
    assert_int_equal(atomic_load(&done) + atomic_load(&shed), taken + 3);
    for (unsigned i = 0; i < taken; i++)
        assert_int_equal(atomic_load(&tasks[i].runs), 1);
    assert_int_equal(atomic_load(&reserved.runs), 1);
    assert_int_equal(atomic_load(&next_step.runs), 1);
    assert_null(next_step.job.shed);
    free(tasks);
}

static void test_withdraw(void **state)
{
    (void)state;
    reset();
    struct lane *l = lane_new("test", 1, QUEUE);
    static struct task first, second, third;
    first.job.run = second.job.run = third.job.run = run_held;
    assert_true(lane_submit(l, &first.job));
    wait_for(&running, 1);
    assert_true(lane_submit(l, &second.job));
    assert_true(lane_submit(l, &third.job));
    assert_false(lane_withdraw(l, &first.job));
    assert_true(lane_withdraw(l, &second.job));
    assert_false(lane_withdraw(l, &second.job));
    atomic_store(&gate_open, true);
    wait_for(&done, 2);
    assert_int_equal(atomic_load(&second.runs), 0);
    assert_int_equal(atomic_load(&third.runs), 1);
    lane_free(l);
}

static void test_each_runs_once(void **state)
{
    (void)state;
    reset();
    struct lane *l = lane_new("test", WORKERS, MANY);
    struct task *tasks = calloc(MANY, sizeof(*tasks));
    for (int i = 0; i < MANY; i++) {
        tasks[i].job.run = run_quick;
        assert_true(lane_submit(l, &tasks[i].job));
    }
    lane_free(l);
    assert_int_equal(atomic_load(&done), MANY);
    for (int i = 0; i < MANY; i++)
        assert_int_equal(atomic_load(&tasks[i].runs), 1);
    free(tasks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bounds),   cmocka_unit_test(test_no_thread_to_be_had),
        cmocka_unit_test(test_reserve),  cmocka_unit_test(test_overloaded),
        cmocka_unit_test(test_withdraw), cmocka_unit_test(test_each_runs_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
