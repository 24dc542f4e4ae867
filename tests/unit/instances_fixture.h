/* A group of instances that nothing is sent to, for the tests of the choice among them. */
#ifndef ISOBAR_TESTS_INSTANCES_FIXTURE_H
#define ISOBAR_TESTS_INSTANCES_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "instances.h"
#include "isobar/clock.h"

#define MANY 1000

/* A group, and the instances that it was made of, which the test holds too. */
struct fixture {
    struct group *group;
    struct instance *all[MANY];
    size_t n;
};

UNUSED static struct instance *make_of(const char *const *urls, size_t n, const char *token,
                                       struct open_error *ret_error)
{
    return instance_new(&(struct instance_config){.urls = urls, .n_urls = n, .call_token = token},
                        ret_error);
}

UNUSED static void give(struct instance *i, enum instance_end end)
{
    instance_give(i, instance_client(i), end);
}

UNUSED static struct instance *make(void)
{
    struct open_error error;
    const char *url = "tcp://127.0.0.1:7461";
    struct instance *i = make_of(&url, 1, "", &error);

    assert_non_null(i);
    return i;
}

/* The group gets the first n, with these weights. */
static void set(struct fixture *f, const uint32_t *weights, size_t n)
{
    struct group_member members[MANY];

    for (size_t i = 0; i < n; i++)
        members[i] = (struct group_member){f->all[i], weights[i]};
    assert_true(group_set(f->group, members, n));
    assert_int_equal(group_size(f->group), n);
}

UNUSED static void begin(struct fixture *f, const uint32_t *weights, size_t n)
{
    *f = (struct fixture){.group = group_new("lab"), .n = n};
    assert_non_null(f->group);
    for (size_t i = 0; i < n; i++)
        f->all[i] = make();
    set(f, weights, n);
}

#define BEGIN(f, ...)                                                                              \
    begin(f, (const uint32_t[]){__VA_ARGS__}, sizeof((uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))
#define SET(f, ...)                                                                                \
    set(f, (const uint32_t[]){__VA_ARGS__}, sizeof((uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

UNUSED static void end(struct fixture *f)
{
    for (size_t i = 0; i < f->n; i++)
        instance_put(f->all[i]);
    group_put(f->group);
}

static size_t place_of(const struct fixture *f, const struct instance *wanted)
{
    for (size_t i = 0; i < f->n; i++)
        if (f->all[i] == wanted)
            return i;
    fail_msg("an instance of nobody");
    return 0;
}

/* A call that ends so; returns who had it. MANY: nobody. */
UNUSED static size_t call(struct fixture *f, const char *token, enum instance_end how)
{
    struct instance *i = group_take(f->group, token, NULL, 0);
    size_t place = i ? place_of(f, i) : MANY;

    if (i)
        give(i, how);
    return place;
}

/* That one fails: in a group of its own, so that it is that one. */
UNUSED static void fail_one(struct instance *i)
{
    struct group *g = group_new("");

    assert_non_null(g);
    assert_true(group_set(g, &(struct group_member){i, 1}, 1));
    struct instance *taken = group_take(g, "", NULL, 0);
    assert_ptr_equal(taken, i);
    give(taken, INSTANCE_FAILED);
    group_put(g);
}

UNUSED static bool is_down(const struct instance *i)
{
    struct instance_stats s;

    instance_stats(i, &s);
    return s.down;
}

/* It takes one second, or two: not as long as the longest pause. */
UNUSED static void wait_until_up(const struct instance *i)
{
    for (int n = 0; n < 800 && is_down(i); n++)
        usleep(5000);
    assert_false(is_down(i));
}

#endif
