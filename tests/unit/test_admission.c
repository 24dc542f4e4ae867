/* Admission in virtual time: a lane is simulated job by job, and never waits for a clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "admission.h"
#include "isobar/clock.h"

enum { WORKERS = 64, QUEUE = 1024 };

struct sim {
    struct admission a;
    int64_t now, service;
    unsigned workers;
    int64_t ends[WORKERS];  /* of the job that each runs; INT64_MAX: idle */
    int64_t begun[WORKERS]; /* and since when */
    int64_t queue[QUEUE];   /* a ring: when each came */
    unsigned first, waiting, running;
    int64_t patience; /* of callers; 0: endless */
    bool may_shed;

    int64_t *waits; /* of those that ran */
    size_t n_waits, room;
    unsigned refused, shed, done;
};

static void sim_init(struct sim *s, unsigned workers, unsigned queued, int64_t service)
{
    *s = (struct sim){.service = service, .workers = workers, .may_shed = true, .now = NS_PER_SEC};
    admission_init(&s->a, workers, queued);
    for (unsigned i = 0; i < workers; i++)
        s->ends[i] = INT64_MAX;
}

static void count_from_here(struct sim *s)
{
    s->n_waits = 0;
    s->refused = s->shed = s->done = 0;
}

static void note_wait(struct sim *s, int64_t wait)
{
    if (s->n_waits == s->room) {
        s->room = s->room ? 2 * s->room : 4096;
        s->waits = reallocarray(s->waits, s->room, sizeof(int64_t));
        assert_non_null(s->waits);
    }
    s->waits[s->n_waits++] = wait;
}

/* Idle workers take what waits. */
static void take_jobs(struct sim *s)
{
    for (unsigned i = 0; i < s->workers && s->waiting > 0; i++) {
        while (s->ends[i] == INT64_MAX && s->waiting > 0) {
            int64_t came = s->queue[s->first];
            s->first = (s->first + 1) % QUEUE;
            s->waiting--;
            if (!admission_begin(&s->a, s->now, came, s->may_shed)) {
                s->shed++;
                continue;
            }
            note_wait(s, s->now - came);
            s->running++;
            s->begun[i] = s->now;
            s->ends[i] = s->now + s->service;
        }
    }
}

/* Everything up to a time. */
static void run_until(struct sim *s, int64_t until)
{
    for (;;) {
        unsigned next = 0;
        for (unsigned i = 1; i < s->workers; i++)
            if (s->ends[i] < s->ends[next])
                next = i;
        if (s->ends[next] > until)
            break;
        s->now = s->ends[next];
        admission_served(&s->a, s->now - s->begun[next]);
        s->ends[next] = INT64_MAX;
        s->running--;
        s->done++;
        take_jobs(s);
    }
    s->now = until;
}

static bool arrive(struct sim *s)
{
    int64_t deadline = s->patience ? s->now + s->patience : INT64_MAX;
    if (!admission_take(&s->a, s->now, s->waiting, s->running, deadline)) {
        s->refused++;
        return false;
    }
    assert_true(s->waiting < QUEUE);
    s->queue[(s->first + s->waiting++) % QUEUE] = s->now;
    take_jobs(s);
    return true;
}

/* So many a second for a while. */
static void offer(struct sim *s, double rate, int64_t ns)
{
    int64_t start = s->now;
    for (int64_t i = 0; i < (int64_t)(rate * (double)ns / NS_PER_SEC); i++) {
        run_until(s, start + (int64_t)((double)i * NS_PER_SEC / rate));
        arrive(s);
    }
    run_until(s, start + ns);
}

static double capacity(const struct sim *s)
{
    return (double)s->workers * NS_PER_SEC / (double)s->service;
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static int64_t wait_p(struct sim *s, double p)
{
    assert_true(s->n_waits > 0);
    qsort(s->waits, s->n_waits, sizeof(int64_t), by_value);
    return s->waits[(size_t)(p / 100 * (double)(s->n_waits - 1))];
}

/* Ten times what it can do, its beginning included, for clouds of all speeds. */
static void test_ten_times(void **state)
{
    (void)state;
    static const int64_t services[] = {2 * NS_PER_MS, 20 * NS_PER_MS, 300 * NS_PER_MS,
                                       3 * NS_PER_SEC};
    for (size_t i = 0; i < ARRAY_LEN(services); i++) {
        struct sim s;
        sim_init(&s, WORKERS, QUEUE, services[i]);
        /* As it is in life: some load before. */
        offer(&s, 0.8 * capacity(&s), 20 * services[i]);
        count_from_here(&s);
        int64_t span = 500 * services[i] > 4 * NS_PER_SEC ? 500 * services[i] : 4 * NS_PER_SEC;
        offer(&s, 10 * capacity(&s), span);
        assert_true(s.done >= 0.99 * capacity(&s) * (double)span / NS_PER_SEC);
        assert_true(wait_p(&s, 50) <= services[i] + services[i] / 10);
        assert_true(wait_p(&s, 95) <= 2 * services[i]);
        assert_true(s.a.overloaded);
        free(s.waits);
    }
}

/* A little too much fills the queue slowly, and is found out then. */
static void test_a_little_too_much(void **state)
{
    (void)state;
    struct sim s;
    sim_init(&s, WORKERS, QUEUE, 20 * NS_PER_MS);
    offer(&s, 1.1 * capacity(&s), 10 * NS_PER_SEC);
    count_from_here(&s);
    offer(&s, 1.1 * capacity(&s), 20 * NS_PER_SEC);
    assert_true(s.a.overloaded);
    assert_true(s.done >= 0.99 * capacity(&s) * 20);
    assert_true(wait_p(&s, 99) <= 22 * NS_PER_MS);
    free(s.waits);
}

/* A burst on a quiet lane: each of it has its turn, however long that takes. */
static void test_burst(void **state)
{
    (void)state;
    static const int64_t services[] = {NS_PER_MS, 50 * NS_PER_MS, 3 * NS_PER_SEC};
    for (size_t i = 0; i < ARRAY_LEN(services); i++) {
        struct sim s;
        sim_init(&s, WORKERS, QUEUE, services[i]);
        for (int round = 0; round < 3; round++) {
            count_from_here(&s);
            for (int k = 0; k < QUEUE + WORKERS; k++)
                assert_true(arrive(&s));
            /* And some that find it full. */
            for (int k = 0; k < 100; k++)
                assert_false(arrive(&s));
            run_until(&s, s.now + 60 * services[i] + NS_PER_SEC);
            assert_int_equal(s.done, QUEUE + WORKERS);
            assert_int_equal(s.shed, 0);
            assert_false(s.a.overloaded);
        }
        free(s.waits);
    }
}

/* A crowd that waits for each answer keeps a queue for good; nobody of it is refused. */
static void test_crowd(void **state)
{
    (void)state;
    struct sim s;
    sim_init(&s, WORKERS, QUEUE, 10 * NS_PER_MS);
    for (int k = 0; k < 5 * WORKERS; k++)
        assert_true(arrive(&s));
    for (int k = 0; k < 1000; k++) {
        unsigned before = s.done;
        run_until(&s, s.now + NS_PER_MS);
        for (unsigned n = s.done - before; n > 0; n--)
            assert_true(arrive(&s));
    }
    assert_int_equal(s.shed, 0);
    assert_false(s.a.overloaded);
    free(s.waits);
}

static void test_recovers(void **state)
{
    (void)state;
    struct sim s;
    sim_init(&s, WORKERS, QUEUE, 20 * NS_PER_MS);
    offer(&s, 10 * capacity(&s), 5 * NS_PER_SEC);
    assert_true(s.a.overloaded);
    offer(&s, 0.9 * capacity(&s), NS_PER_SEC);
    count_from_here(&s);
    offer(&s, 0.9 * capacity(&s), 5 * NS_PER_SEC);
    assert_int_equal(s.refused + s.shed, 0);
    assert_false(s.a.overloaded);
    for (int k = 0; k < QUEUE; k++)
        assert_true(arrive(&s));
    free(s.waits);
}

/* A cloud that becomes a hundred times slower all of a sudden, under a load that was good: what
 * waits behind the first slow jobs is not given up for that. */
static void test_becomes_slow(void **state)
{
    (void)state;
    struct sim s;
    sim_init(&s, WORKERS, QUEUE, 20 * NS_PER_MS);
    double rate = 0.2 * capacity(&s);
    offer(&s, rate, NS_PER_SEC);
    s.service = 2 * NS_PER_SEC;
    count_from_here(&s);
    offer(&s, rate, 2200 * NS_PER_MS);
    assert_true(s.done > 0);
    assert_true(s.n_waits > WORKERS);
    assert_true(s.a.overloaded);
    assert_int_equal(s.shed, 0);
    free(s.waits);
}

/* What must not be shed runs, overload or not; what may be is shed once it has waited too long. */
static void test_shed(void **state)
{
    (void)state;
    for (int may_shed = 0; may_shed < 2; may_shed++) {
        struct sim s;
        sim_init(&s, WORKERS, QUEUE, 20 * NS_PER_MS);
        s.may_shed = may_shed;
        offer(&s, 0.5 * capacity(&s), NS_PER_SEC);
        count_from_here(&s);
        offer(&s, 10 * capacity(&s), NS_PER_SEC);
        assert_true(s.a.overloaded);
        assert_int_equal(s.shed > 0, may_shed);
        assert_true(s.a.n_refused >= s.refused);
        free(s.waits);
    }
}

static void test_deadline(void **state)
{
    (void)state;
    struct sim s;
    sim_init(&s, 2, 100, NS_PER_SEC);
    offer(&s, 1, 20 * NS_PER_SEC);
    s.patience = 10 * NS_PER_MS;
    /* Two run, two wait: nothing is certain. Then it is. */
    for (int k = 0; k < 4; k++)
        assert_true(arrive(&s));
    assert_false(arrive(&s));
    s.patience = 1400 * NS_PER_MS;
    assert_true(arrive(&s));
    assert_false(arrive(&s));
    s.patience = 0;
    assert_true(arrive(&s));
    assert_false(s.a.overloaded);
    assert_int_equal(admission_wait_ns(&s.a, s.waiting), 2 * NS_PER_SEC);
    assert_int_equal(admission_retry_ms(&s.a, s.waiting), 3000);
    free(s.waits);
}

/* Nothing is known before the first job has ended: no deadline and no queue is judged. */
static void test_unknown(void **state)
{
    (void)state;
    struct sim s;
    sim_init(&s, 2, 10, 5 * NS_PER_SEC);
    s.patience = 1;
    for (int k = 0; k < 12; k++)
        assert_true(arrive(&s));
    run_until(&s, s.now + 4 * NS_PER_SEC);
    assert_false(arrive(&s));
    assert_false(s.a.overloaded);
    assert_int_equal(admission_retry_ms(&s.a, s.waiting), 100);
    free(s.waits);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ten_times), cmocka_unit_test(test_a_little_too_much),
        cmocka_unit_test(test_burst),     cmocka_unit_test(test_crowd),
        cmocka_unit_test(test_recovers),  cmocka_unit_test(test_becomes_slow),
        cmocka_unit_test(test_shed),      cmocka_unit_test(test_deadline),
        cmocka_unit_test(test_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
