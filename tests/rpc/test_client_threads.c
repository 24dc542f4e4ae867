/* A client in the hands of several threads. */
#include "client_fixture.h"

struct restart {
    struct setup *setup;
    pb_ResultCode code;
    bool right_id;
};

static void *call_over_restart(void *arg)
{
    struct restart *w = arg;
    struct isobar_reply r;
    if (get_vm(w->setup->client, "late:300", LONG_MS, &r))
        w->right_id = strcmp(tag_of(vm_of(&r), "request_id"), r.request_id) == 0;
    w->code = r.result->code;
    isobar_reply_done(&r);
    return NULL;
}

static void test_restart(void **state)
{
    struct setup *s = *state;
    expect_vm(s->client, "web");
    struct restart w = {.setup = s};
    pthread_t thread;
    unsigned before = atomic_load(&s->gateway.calls);
    assert_int_equal(pthread_create(&thread, NULL, call_over_restart, &w), 0);
    await_call(&s->gateway, before, thread);
    fake_stop(&s->gateway);
    usleep(200000);
    assert_true(fake_start(&s->gateway));
    pthread_join(thread, NULL);
    assert_int_equal(w.code, RESULT_CODE_OK);
    assert_true(w.right_id);
    assert_int_equal(atomic_load(&s->gateway.calls) - before, 2);
}

enum { THREADS = 8, CALLS = 100 };

struct caller {
    struct setup *setup;
    int number;
    int right;
};

static void *call_often(void *arg)
{
    struct caller *w = arg;
    for (int i = 0; i < CALLS; i++) {
        char id[32];
        struct isobar_reply r;
        snprintf(id, sizeof id, "vm-%d-%d", w->number, i);
        if (w->number == 0 && i % 50 == 49) /* and the others' calls go on all the same */
            snprintf(id, sizeof id, "close:1");
        if (get_vm(w->setup->client, id, LONG_MS, &r) && strcmp(vm_of(&r)->id, id) == 0 &&
            strcmp(tag_of(vm_of(&r), "request_id"), r.request_id) == 0)
            w->right++;
        isobar_reply_done(&r);
    }
    return NULL;
}

static void test_threads(void **state)
{
    struct setup *s = *state;
    struct caller callers[THREADS];
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        callers[i] = (struct caller){.setup = s, .number = i};
        assert_int_equal(pthread_create(&threads[i], NULL, call_often, &callers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(callers[i].right, CALLS);
}

static void *call_swapped(void *arg)
{
    struct caller *w = arg;
    struct isobar_reply r;
    w->right = get_vm(w->setup->client, "swap", LONG_MS, &r) &&
               strcmp(tag_of(vm_of(&r), "request_id"), r.request_id) == 0;
    isobar_reply_done(&r);
    return NULL;
}

/* Replies in another order than the requests, on one connection. */
static void test_order(void **state)
{
    struct setup *s = *state;
    struct caller callers[2] = {{.setup = s}, {.setup = s}};
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, call_swapped, &callers[i]), 0);
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(callers[i].right, 1);
    }
}

int main(void)
{
    struct CMUnitTest tests[] = {
        cmocka_unit_test(test_restart),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_order),
    };
    return run_all(tests, ARRAY_LEN(tests));
}
