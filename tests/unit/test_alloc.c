/* The harness of failing allocations itself: that each kind of allocation is counted, and fails
 * when it is to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc_fail.h"
#include "isobar/arena.h"
#include "isobar/base.h"

static void *by_malloc(void)
{
    return malloc(1);
}

static void *by_calloc(void)
{
    return calloc(1, 1);
}

static void *by_realloc(void)
{
    return realloc(NULL, 1);
}

static void *by_reallocarray(void)
{
    return reallocarray(NULL, 1, 1);
}

static void *by_strdup(void)
{
    return strdup("text");
}

static void *by_strndup(void)
{
    return strndup("text", 2);
}

static void *by_asprintf(void)
{
    char *text;
    return asprintf(&text, "%d", 1) < 0 ? NULL : text;
}

static char *PRINTF(1, 2) print(const char *fmt, ...)
{
    char *text;
    va_list args;
    va_start(args, fmt);
    int len = vasprintf(&text, fmt, args);
    va_end(args);
    return len < 0 ? NULL : text;
}

static void *by_vasprintf(void)
{
    return print("%d", 1);
}

static void *by_posix_memalign(void)
{
    void *at;
    return posix_memalign(&at, 64, 64) == 0 ? at : NULL;
}

static void *by_aligned_alloc(void)
{
    return aligned_alloc(64, 64);
}

/* The project's own code, out of one of its libraries. */
static void *by_arena(void)
{
    struct arena a;
    arena_init(&a, 1 << 20);
    bool good = arena_alloc(&a, 1) != NULL;
    arena_done(&a);
    return good ? malloc(1) : NULL;
}

static void test_kinds(void **state UNUSED)
{
    static void *(*const kinds[])(void) = {
        by_malloc,   by_calloc,    by_realloc,        by_reallocarray,  by_strdup, by_strndup,
        by_asprintf, by_vasprintf, by_posix_memalign, by_aligned_alloc, by_arena,
    };
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        free(kinds[i]());
        alloc_fail_at(1);
        void *none = kinds[i]();
        void *some = kinds[i]();
        assert_int_equal(alloc_fail_stop(), 1);
        assert_null(none);
        assert_non_null(some);
        free(some);
    }
}

static void test_which(void **state UNUSED)
{
    for (unsigned n = 1; n <= 4; n++) {
        void *at[3];
        alloc_fail_at(n);
        for (size_t i = 0; i < 3; i++)
            at[i] = malloc(1);
        unsigned failed = alloc_fail_stop();
        assert_int_equal(alloc_fail_count(), 3);
        assert_int_equal(failed, n <= 3);
        alloc_fail_from(n);
        for (unsigned i = 1; i <= 3; i++) {
            bool should = i != n; /* as alloc_fail_at() had it */
            bool was = at[i - 1] != NULL;
            free(at[i - 1]);
            at[i - 1] = malloc(1);
            bool now = at[i - 1] != NULL;
            if (was != should || now != (i < n)) {
                alloc_fail_stop();
                fail_msg("allocation %u of %u", i, n);
            }
        }
        assert_int_equal(alloc_fail_stop(), n <= 3 ? 4 - n : 0);
        for (size_t i = 0; i < 3; i++)
            free(at[i]);
    }
}

/* A block that cannot grow is still there. */
static void test_realloc_keeps(void **state UNUSED)
{
    char *text = strdup("kept");
    alloc_fail_at(1);
    char *more = realloc(text, 100);
    int error = errno;
    alloc_fail_stop();
    if (more) {
        free(more);
        fail_msg("it grew");
    } else {
        assert_int_equal(error, ENOMEM);
        assert_string_equal(text, "kept");
        free(text);
    }
}

static void *allocate_often(void *arg)
{
    unsigned *ret_failed = arg;
    for (int i = 0; i < 1000; i++) {
        void *at = malloc(1);
        *ret_failed += at == NULL;
        free(at);
    }
    return NULL;
}

/* One failure in all, whichever thread gets it; and none for a thread that is spared. */
static void test_threads(void **state UNUSED)
{
    pthread_t threads[4];
    unsigned failures[4] = {0}, sum = 0;
    alloc_fail_spare(true);
    alloc_fail_at(1500);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, allocate_often, &failures[i]), 0);
    unsigned mine = 0;
    allocate_often(&mine);
    for (size_t i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        sum += failures[i];
    }
    assert_int_equal(alloc_fail_stop(), 1);
    alloc_fail_spare(false);
    assert_int_equal(sum, 1);
    assert_int_equal(mine, 0);
    assert_int_equal(alloc_fail_count(), 4000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_which),
        cmocka_unit_test(test_realloc_keeps),
        cmocka_unit_test(test_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
