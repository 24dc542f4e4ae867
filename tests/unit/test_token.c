/* The credential cache: one fetch for all, early renewal, and who gets which failure. */
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "isobar/clock.h"
#include "kit/token.h"

/* Every wiping passes by here; those of a whole token are counted. */
static atomic_uint tokens_wiped;

void explicit_bzero(void *data, size_t len)
{
    const char *was = data;

    /* The compiler has it that this function reads nothing. */
    __asm__("" : "+r"(was) : : "memory");
    if (len > 6 && memcmp(was, "token-", 6) == 0)
        atomic_fetch_add(&tokens_wiped, 1);
    memset(data, 0, len);
    __asm__ volatile("" : : "r"(data) : "memory");
}

/* An identity service. */
struct issuer {
    atomic_uint fetches, freed;
    int64_t lives_ns, renews_ns; /* from now */
    pb_ResultCode fail;          /* UNSPECIFIED: it does not */
    bool fail_once;
    bool blocks; /* until `go_on` is posted */
    sem_t entered, go_on;
    int64_t deadline_ns; /* of the last fetch */
};

static pb_ResultCode fetch(void *ctx, struct op *op, struct token_grant *ret)
{
    struct issuer *i = ctx;
    unsigned n = atomic_fetch_add(&i->fetches, 1) + 1;
    pb_ResultCode fail = i->fail;

    i->deadline_ns = op->deadline_ns;
    if (i->fail_once)
        i->fail = RESULT_CODE_UNSPECIFIED;
    sem_post(&i->entered);
    while (i->blocks && sem_wait(&i->go_on) != 0)
        ;
    if (fail != RESULT_CODE_UNSPECIFIED) {
        op_native(op, 503, "Down", "identity is down", "req-1");
        return op_fail(op, fail, "no token today");
    }
    if (asprintf(&ret->value, "token-%u", n) < 0)
        return op_fail(op, RESULT_CODE_INTERNAL_ERROR, "memory");
    ret->data = i;
    ret->expires_ns = clock_mono_ns() + i->lives_ns;
    ret->renew_ns = clock_mono_ns() + i->renews_ns;
    return RESULT_CODE_OK;
}

static void free_data(void *data)
{
    atomic_fetch_add(&((struct issuer *)data)->freed, 1);
}

static const struct token_cache_ops ops = {.fetch = fetch, .free_data = free_data};

struct fixture {
    struct issuer issuer;
    struct token_cache *cache;
};

static void open_fixture(struct fixture *f)
{
    memset(f, 0, sizeof(*f));
    f->issuer.lives_ns = f->issuer.renews_ns = 3600 * NS_PER_SEC;
    sem_init(&f->issuer.entered, 0, 0);
    sem_init(&f->issuer.go_on, 0, 0);
    f->cache = token_cache_new(&ops, &f->issuer);
    assert_non_null(f->cache);
    atomic_store(&tokens_wiped, 0);
}

static void close_fixture(struct fixture *f)
{
    token_cache_free(f->cache);
    sem_destroy(&f->issuer.entered);
    sem_destroy(&f->issuer.go_on);
}

/* One caller, on its own thread where it is run by caller_start(). */
struct caller {
    struct token_cache *cache;
    struct arena arena;
    struct op op;
    struct cancel cancelled;
    uint64_t refused;
    struct token_ref ref;
    pb_ResultCode code;
    pthread_t thread;
};

static void *caller_run(void *arg)
{
    struct caller *c = arg;

    c->code = token_get(c->cache, &c->op, c->refused, &c->ref);
    return NULL;
}

static void caller_init(struct caller *c, struct fixture *f, int ms)
{
    memset(c, 0, sizeof(*c));
    c->cache = f->cache;
    arena_init(&c->arena, 1 << 20);
    c->op = (struct op){.arena = &c->arena,
                        .deadline_ns = clock_mono_ns() + ms * NS_PER_MS,
                        .cancelled = &c->cancelled,
                        .result = result_new(&c->arena)};
}

static void caller_start(struct caller *c)
{
    assert_int_equal(pthread_create(&c->thread, NULL, caller_run, c), 0);
}

static void caller_done(struct caller *c)
{
    token_release(&c->ref);
    arena_done(&c->arena);
}

/* A call of its own: the generation that it got, or 0. */
static uint64_t get(struct fixture *f, uint64_t refused)
{
    struct caller c;
    uint64_t generation;

    caller_init(&c, f, 20000);
    c.refused = refused;
    caller_run(&c);
    generation = c.code == RESULT_CODE_OK ? c.ref.generation : 0;
    caller_done(&c);
    return generation;
}

static unsigned fetches(struct fixture *f)
{
    return atomic_load(&f->issuer.fetches);
}

static void a_token_is_fetched_once(void **state)
{
    struct fixture f;
    struct caller c;
    uint64_t first;

    (void)state;
    open_fixture(&f);
    caller_init(&c, &f, 20000);
    caller_run(&c);
    assert_int_equal(c.code, RESULT_CODE_OK);
    assert_string_equal(c.ref.value, "token-1");
    assert_ptr_equal(c.ref.data, &f.issuer);
    first = c.ref.generation;
    assert_true(first != 0);
    assert_int_equal(get(&f, 0), first);
    assert_int_equal(fetches(&f), 1);
    caller_done(&c);
    assert_int_equal(atomic_load(&f.issuer.freed), 0);
    close_fixture(&f);
    assert_int_equal(atomic_load(&f.issuer.freed), 1);
    assert_int_equal(atomic_load(&tokens_wiped), 1);
    token_release(&(struct token_ref){0});
    token_cache_free(NULL);
}

static void a_refused_token_is_replaced_and_stays_valid_while_held(void **state)
{
    struct fixture f;
    struct caller c;
    uint64_t first, second;

    (void)state;
    open_fixture(&f);
    caller_init(&c, &f, 20000);
    caller_run(&c);
    first = c.ref.generation;
    second = get(&f, first);
    assert_true(second != first && second != 0);
    /* The others that were refused the first one get the second, and no third is fetched. */
    assert_int_equal(get(&f, first), second);
    assert_int_equal(get(&f, 0), second);
    assert_int_equal(fetches(&f), 2);
    assert_string_equal(c.ref.value, "token-1");
    assert_int_equal(atomic_load(&f.issuer.freed), 0);
    caller_done(&c);
    assert_int_equal(atomic_load(&f.issuer.freed), 1);
    close_fixture(&f);
    assert_int_equal(atomic_load(&tokens_wiped), 2);
}

static void an_expired_token_is_not_used(void **state)
{
    struct fixture f;
    uint64_t first;

    (void)state;
    open_fixture(&f);
    f.issuer.lives_ns = f.issuer.renews_ns = -1;
    first = get(&f, 0);
    assert_true(first != 0);
    assert_true(get(&f, 0) != first);
    assert_int_equal(fetches(&f), 2);
    close_fixture(&f);
}

static void all_wait_for_one_fetch(void **state)
{
    struct fixture f;
    struct caller callers[8];

    (void)state;
    open_fixture(&f);
    f.issuer.blocks = true;
    for (size_t i = 0; i < ARRAY_LEN(callers); i++) {
        caller_init(&callers[i], &f, 20000);
        caller_start(&callers[i]);
    }
    sem_wait(&f.issuer.entered);
    sem_post(&f.issuer.go_on);
    for (size_t i = 0; i < ARRAY_LEN(callers); i++) {
        pthread_join(callers[i].thread, NULL);
        assert_int_equal(callers[i].code, RESULT_CODE_OK);
        assert_string_equal(callers[i].ref.value, "token-1");
    }
    assert_int_equal(fetches(&f), 1);
    for (size_t i = 0; i < ARRAY_LEN(callers); i++)
        caller_done(&callers[i]);
    close_fixture(&f);
}

static void all_who_wait_get_the_failure(void **state)
{
    struct fixture f;
    struct caller callers[5];

    (void)state;
    open_fixture(&f);
    f.issuer.blocks = true;
    f.issuer.fail = RESULT_CODE_UNAVAILABLE;
    for (size_t i = 0; i < ARRAY_LEN(callers); i++) {
        caller_init(&callers[i], &f, 20000);
        caller_start(&callers[i]);
    }
    sem_wait(&f.issuer.entered);
    usleep(200000);
    /* One that came late would fetch for itself; let it. */
    for (size_t i = 0; i < ARRAY_LEN(callers); i++)
        sem_post(&f.issuer.go_on);
    for (size_t i = 0; i < ARRAY_LEN(callers); i++) {
        const pb_Result *r = callers[i].op.result;
        pthread_join(callers[i].thread, NULL);
        assert_int_equal(callers[i].code, RESULT_CODE_UNAVAILABLE);
        assert_null(callers[i].ref.held);
        assert_int_equal(r->code, RESULT_CODE_UNAVAILABLE);
        assert_string_equal(r->detail, "no token today");
        assert_int_equal(r->blame, BLAME_CLOUD);
        assert_string_equal(r->native->message, "identity is down");
    }
    assert_true(fetches(&f) < ARRAY_LEN(callers));
    for (size_t i = 0; i < ARRAY_LEN(callers); i++)
        caller_done(&callers[i]);
    /* A failure is not remembered. */
    f.issuer.blocks = false;
    f.issuer.fail = RESULT_CODE_UNSPECIFIED;
    assert_true(get(&f, 0) != 0);
    close_fixture(&f);
}

/* Those who wait give up by themselves, while the fetch goes on. */
static void waiting_ends_with_ones_own_time(void **state)
{
    struct fixture f;
    struct caller fetcher, hasty, gone;

    (void)state;
    open_fixture(&f);
    f.issuer.blocks = true;
    caller_init(&fetcher, &f, 20000);
    caller_start(&fetcher);
    sem_wait(&f.issuer.entered);
    caller_init(&hasty, &f, 50);
    caller_run(&hasty);
    assert_int_equal(hasty.code, RESULT_CODE_DEADLINE_EXCEEDED);
    caller_init(&gone, &f, 20000);
    caller_start(&gone);
    usleep(20000);
    cancel_raise(&gone.cancelled);
    pthread_join(gone.thread, NULL);
    assert_int_equal(gone.code, RESULT_CODE_CANCELLED);
    sem_post(&f.issuer.go_on);
    pthread_join(fetcher.thread, NULL);
    assert_int_equal(fetcher.code, RESULT_CODE_OK);
    assert_int_equal(fetches(&f), 1);
    caller_done(&fetcher);
    caller_done(&hasty);
    caller_done(&gone);
    close_fixture(&f);
}

/* The thread that fetches has its own troubles: another one takes over. */
static void one_who_gives_up_takes_nobody_along(void **state)
{
    static const pb_ResultCode codes[] = {RESULT_CODE_CANCELLED, RESULT_CODE_DEADLINE_EXCEEDED};
    struct fixture f;
    struct caller fetcher, other;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        open_fixture(&f);
        f.issuer.blocks = true;
        f.issuer.fail = codes[i];
        f.issuer.fail_once = true;
        caller_init(&fetcher, &f, 20000);
        caller_start(&fetcher);
        sem_wait(&f.issuer.entered);
        caller_init(&other, &f, 20000);
        caller_start(&other);
        usleep(20000);
        sem_post(&f.issuer.go_on);
        sem_post(&f.issuer.go_on);
        pthread_join(fetcher.thread, NULL);
        pthread_join(other.thread, NULL);
        assert_int_equal(fetcher.code, codes[i]);
        assert_int_equal(other.code, RESULT_CODE_OK);
        assert_string_equal(other.ref.value, "token-2");
        caller_done(&fetcher);
        caller_done(&other);
        close_fixture(&f);
    }
}

static void a_token_is_renewed_early(void **state)
{
    struct fixture f;
    uint64_t first, second;

    (void)state;
    open_fixture(&f);
    f.issuer.renews_ns = 0;
    first = get(&f, 0);
    f.issuer.renews_ns = f.issuer.lives_ns;
    second = get(&f, 0);
    assert_true(second != first);
    assert_int_equal(get(&f, 0), second);
    assert_int_equal(fetches(&f), 2);
    close_fixture(&f);
}

static void an_early_renewal_that_fails_is_not_felt(void **state)
{
    struct fixture f;
    struct caller c;
    uint64_t first;

    (void)state;
    open_fixture(&f);
    f.issuer.renews_ns = 0;
    first = get(&f, 0);
    f.issuer.fail = RESULT_CODE_UNAVAILABLE;
    caller_init(&c, &f, 3600000);
    caller_run(&c);
    assert_int_equal(c.code, RESULT_CODE_OK);
    assert_int_equal(c.ref.generation, first);
    assert_int_equal(c.op.result->code, RESULT_CODE_UNSPECIFIED);
    assert_string_equal(c.op.result->detail, "");
    assert_int_equal(fetches(&f), 2);
    /* It may not use up the caller's time, and is not tried again at once. */
    assert_true(f.issuer.deadline_ns < c.op.deadline_ns);
    assert_int_equal(get(&f, 0), first);
    assert_int_equal(fetches(&f), 2);
    caller_done(&c);
    close_fixture(&f);
}

static void others_go_on_with_the_old_token_meanwhile(void **state)
{
    struct fixture f;
    struct caller c;
    uint64_t first;

    (void)state;
    open_fixture(&f);
    f.issuer.renews_ns = 0;
    first = get(&f, 0);
    sem_wait(&f.issuer.entered);
    f.issuer.blocks = true;
    f.issuer.renews_ns = f.issuer.lives_ns;
    caller_init(&c, &f, 20000);
    caller_start(&c);
    sem_wait(&f.issuer.entered);
    assert_int_equal(get(&f, 0), first);
    sem_post(&f.issuer.go_on);
    pthread_join(c.thread, NULL);
    assert_true(c.ref.generation != first);
    caller_done(&c);
    assert_int_equal(fetches(&f), 2);
    close_fixture(&f);
}

static void *use_much(void *arg)
{
    struct fixture *f = arg;
    uint64_t generation = 0;

    for (int i = 0; i < 500; i++) {
        uint64_t got = get(f, i % 50 == 49 ? generation : 0);
        if (got == 0)
            return arg;
        generation = got;
    }
    return NULL;
}

static void many_threads_use_one_cache(void **state)
{
    struct fixture f;
    pthread_t threads[8];
    void *failed;

    (void)state;
    open_fixture(&f);
    f.issuer.renews_ns = NS_PER_MS;
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        pthread_create(&threads[i], NULL, use_much, &f);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
    close_fixture(&f);
    assert_int_equal(atomic_load(&f.issuer.freed), fetches(&f));
    assert_int_equal(atomic_load(&tokens_wiped), fetches(&f));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_is_fetched_once),
        cmocka_unit_test(a_refused_token_is_replaced_and_stays_valid_while_held),
        cmocka_unit_test(an_expired_token_is_not_used),
        cmocka_unit_test(all_wait_for_one_fetch),
        cmocka_unit_test(all_who_wait_get_the_failure),
        cmocka_unit_test(waiting_ends_with_ones_own_time),
        cmocka_unit_test(one_who_gives_up_takes_nobody_along),
        cmocka_unit_test(a_token_is_renewed_early),
        cmocka_unit_test(an_early_renewal_that_fails_is_not_felt),
        cmocka_unit_test(others_go_on_with_the_old_token_meanwhile),
        cmocka_unit_test(many_threads_use_one_cache),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
