/* Groups whose members change, operations that stay with one of them, and memory that runs out. */
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "alloc_fail.h"
#include "instances_fixture.h"

/* ---- operations ---- */

static void an_operation_stays_with_its_instance(void **state)
{
    struct fixture f;
    size_t places[100], seen = 0;

    (void)state;
    BEGIN(&f, 1, 1, 1, 1);
    for (int round = 0; round < 50; round++)
        for (size_t i = 0; i < ARRAY_LEN(places); i++) {
            char token[40];
            snprintf(token, sizeof(token), "018f0000-0000-7000-8000-%012zu", i * 7919);
            size_t place = call(&f, token, INSTANCE_ANSWERED);
            if (round == 0)
                places[i] = place;
            /* Where there are two at one place, they take turns. */
            else if (places[i] != place)
                places[i] = MANY;
        }
    for (size_t i = 0; i < ARRAY_LEN(places); i++)
        seen += places[i] != MANY;
    assert_true(seen >= 80);
    end(&f);
}

static void it_moves_on_where_its_instance_fails(void **state)
{
    struct fixture f;

    (void)state;
    BEGIN(&f, 1, 1, 1);
    size_t first = call(&f, "op", INSTANCE_ANSWERED);
    fail_one(f.all[first]);
    size_t second = call(&f, "op", INSTANCE_ANSWERED);
    assert_int_not_equal(second, first);
    wait_until_up(f.all[first]);
    /* And does not come back. */
    for (int i = 0; i < 100; i++)
        assert_int_equal(call(&f, "op", INSTANCE_ANSWERED), second);
    /* The call itself has been there in vain. */
    struct instance *third = group_take(f.group, "op", &f.all[second], 1);
    assert_ptr_not_equal(third, f.all[second]);
    give(third, INSTANCE_ANSWERED);
    for (int i = 0; i < 100; i++)
        assert_int_equal(call(&f, "op", INSTANCE_ANSWERED), place_of(&f, third));
    end(&f);
}

/* It gets nothing new, and ends what it has begun. */
static void it_stays_where_nothing_new_goes(void **state)
{
    struct fixture f;

    (void)state;
    BEGIN(&f, 1, 0, 0);
    assert_int_equal(call(&f, "op", INSTANCE_ANSWERED), 0);
    SET(&f, 0, 1, 1);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(call(&f, "op", INSTANCE_ANSWERED), 0);
        assert_int_not_equal(call(&f, "", INSTANCE_ANSWERED), 0);
    }
    end(&f);
}

static void it_moves_on_where_its_instance_is_gone(void **state)
{
    struct fixture f;

    (void)state;
    BEGIN(&f, 1, 0, 0);
    assert_int_equal(call(&f, "op", INSTANCE_ANSWERED), 0);
    struct group_member others[] = {{f.all[1], 0}, {f.all[2], 1}};
    assert_true(group_set(f.group, others, 2));
    for (int i = 0; i < 100; i++)
        assert_int_equal(call(&f, "op", INSTANCE_ANSWERED), 2);
    /* One that comes back at another place is found there, but the operation is elsewhere now. */
    SET(&f, 1, 1, 1);
    for (int i = 0; i < 100; i++)
        assert_int_equal(call(&f, "op", INSTANCE_ANSWERED), 2);
    assert_true(group_set(f.group, others, 1));
    assert_int_equal(call(&f, "op", INSTANCE_ANSWERED), MANY);
    end(&f);
}

/* ---- members ---- */

static void members_are_exchanged_under_way(void **state)
{
    struct fixture f;

    (void)state;
    BEGIN(&f, 1, 1);
    struct instance *taken = group_take(f.group, "", NULL, 0);
    struct instance *old = taken, *fresh = make();
    /* Nobody but the call has it now. */
    for (size_t i = 0; i < 2; i++)
        instance_put(f.all[i]);
    f.all[0] = fresh;
    f.n = 1;
    SET(&f, 1);
    assert_string_equal(sp_client_url(instance_client(old)), "tcp://127.0.0.1:7461");
    for (int i = 0; i < 10; i++)
        assert_int_equal(call(&f, "", INSTANCE_ANSWERED), 0);
    give(taken, INSTANCE_ANSWERED);
    end(&f);
}

static void a_group_lives_as_long_as_somebody_has_it(void **state)
{
    struct fixture f;

    (void)state;
    BEGIN(&f, 1);
    struct group *g = group_hold(f.group);
    end(&f);
    assert_string_equal(group_cloud(g), "lab");
    struct instance *i = group_take(g, "", NULL, 0);
    assert_non_null(i);
    group_put(g);
    assert_string_equal(instance_token(i), "");
    give(i, INSTANCE_ANSWERED);
    group_put(NULL);
    instance_put(NULL);
}

/* The gateway has a group for every cloud that was ever offered: one that no operation has used is
 * small. */
static void a_group_that_is_not_used_is_small(void **state)
{
    struct group *groups[100];
    size_t before = mallinfo2().uordblks;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
        groups[i] = group_new("somewhere");
        assert_non_null(groups[i]);
    }
    assert_true(mallinfo2().uordblks - before < ARRAY_LEN(groups) * 1024);
    for (size_t i = 0; i < ARRAY_LEN(groups); i++)
        group_put(groups[i]);
}

static void traits_are_kept(void **state)
{
    struct fixture f;

    (void)state;
    BEGIN(&f, 1);
    assert_false(group_traits(f.group).known);
    group_set_traits(f.group, (struct group_traits){true, 1234, true});
    SET(&f, 0);
    assert_true(group_traits(f.group).known);
    assert_int_equal(group_traits(f.group).settle_ms, 1234);
    assert_true(group_traits(f.group).dedupes);
    end(&f);
}

/* ---- many threads ---- */

static atomic_bool over;

static void *use(void *arg)
{
    struct fixture *f = arg;
    char token[24];

    for (unsigned n = 0; !atomic_load(&over); n++) {
        snprintf(token, sizeof(token), "op-%u", n % 64);
        if (n % 2)
            token[0] = '\0';
        struct instance *i = group_take(f->group, token, &f->all[n % 4], 1);
        struct instance_stats s;
        if (!i)
            continue;
        instance_stats(i, &s);
        assert_true(s.in_flight > 0);
        give(i, n % 100 ? INSTANCE_ANSWERED : INSTANCE_FAILED);
    }
    return NULL;
}

static void threads_take_while_members_change(void **state)
{
    struct fixture f;
    pthread_t threads[3];
    struct instance_stats s;

    (void)state;
    BEGIN(&f, 1, 2, 0, 1);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, use, &f), 0);
    for (uint32_t n = 0; n < 2000; n++) {
        SET(&f, n % 3, 1, n % 2, n % 5);
        set(&f, (const uint32_t[]){1, 1, 1, 1}, n % 5);
    }
    atomic_store(&over, true);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    for (size_t i = 0; i < f.n; i++) {
        instance_stats(f.all[i], &s);
        assert_int_equal(s.in_flight, 0);
    }
    end(&f);
}

/* ---- what goes wrong ---- */

static void what_is_no_url_makes_no_instance(void **state)
{
    static const char *const wrong[] = {"", "tcp://", "http://there", "tls+tcp://",
                                        "127.0.0.1:7461"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        const char *const urls[] = {"tcp://127.0.0.1:1", wrong[i]};
        struct open_error error = {""};
        assert_null(make_of(urls, 2, "secret", &error));
        assert_string_not_equal(error.text, "");
        assert_string_not_equal(error.text, "out of memory");
    }
}

/* Each allocation fails in turn: there is no instance, no group, or the group is as it was. */
static void without_memory_all_is_as_before(void **state)
{
    static const char *const urls[] = {"tcp://127.0.0.1:1", "ipc:///2"};
    unsigned n, failed = 1;
    struct open_error error;
    struct fixture f;

    (void)state;
    for (n = 1; failed != 0; n++) {
        alloc_fail_at(n);
        struct instance *i = make_of(urls, 2, "secret", &error);
        failed = alloc_fail_stop();
        assert_int_equal(i == NULL, failed != 0);
        assert_string_not_equal(error.text, "");
        instance_put(i);
    }
    assert_true(n > 4); /* itself, the token, two clients */
    for (n = 1, failed = 1; failed != 0; n++) {
        alloc_fail_at(n);
        struct group *g = group_new("lab");
        failed = alloc_fail_stop();
        assert_int_equal(g == NULL, failed != 0);
        group_put(g);
    }
    assert_true(n > 2);
    BEGIN(&f, 1, 0);
    /* Operations are not remembered then, and go where any call goes. */
    alloc_fail_at(1);
    size_t first = call(&f, "op", INSTANCE_ANSWERED);
    assert_int_not_equal(alloc_fail_stop(), 0);
    assert_int_equal(first, 0);
    assert_int_equal(call(&f, "op", INSTANCE_ANSWERED), 0);
    for (n = 1, failed = 1; failed != 0; n++) {
        struct group_member members[] = {{f.all[0], 0}, {f.all[1], 1}, {f.all[1], 1}};
        alloc_fail_at(n);
        bool ok = group_set(f.group, members, 3);
        size_t place = call(&f, n % 2 ? "op" : "", INSTANCE_ANSWERED);
        failed = alloc_fail_stop();
        assert_int_equal(ok, failed == 0);
        assert_int_equal(group_size(f.group), failed ? 2 : 3);
        assert_true(!failed || place == 0);
    }
    assert_true(n > 2);
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_operation_stays_with_its_instance),
        cmocka_unit_test(it_moves_on_where_its_instance_fails),
        cmocka_unit_test(it_stays_where_nothing_new_goes),
        cmocka_unit_test(it_moves_on_where_its_instance_is_gone),
        cmocka_unit_test(members_are_exchanged_under_way),
        cmocka_unit_test(a_group_lives_as_long_as_somebody_has_it),
        cmocka_unit_test(a_group_that_is_not_used_is_small),
        cmocka_unit_test(traits_are_kept),
        cmocka_unit_test(threads_take_while_members_change),
        cmocka_unit_test(what_is_no_url_makes_no_instance),
        cmocka_unit_test(without_memory_all_is_as_before),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
