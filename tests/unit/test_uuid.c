#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
/* cmocka.h wants those before it. */
#include <cmocka.h>

#include "isobar/clock.h"
#include "isobar/uuid.h"

#define THREADS 4
#define EACH    20000

static void has_the_fields_of_version_7(void **state UNUSED)
{
    int64_t before = clock_wall_ns() / NS_PER_MS;
    char id[UUID_TEXT_LEN + 1];
    uuid7(id);
    int64_t after = clock_wall_ns() / NS_PER_MS;
    assert_int_equal(strlen(id), UUID_TEXT_LEN);
    assert_true(uuid_is(id));
    assert_int_equal(id[14], '7');
    assert_non_null(strchr("89ab", id[19]));
    char ms[13];
    snprintf(ms, sizeof(ms), "%.8s%.4s", id, id + 9);
    assert_in_range(strtoll(ms, NULL, 16), before, after);
}

static char ids[THREADS][EACH][UUID_TEXT_LEN + 1];

static void *make_many(void *arg)
{
    char(*mine)[UUID_TEXT_LEN + 1] = arg;
    for (size_t i = 0; i < EACH; i++)
        uuid7(mine[i]);
    return NULL;
}

static int compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* More than fit into the count of a millisecond, from several threads. */
static void each_is_greater_than_the_one_before(void **state UNUSED)
{
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, make_many, ids[i]), 0);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    for (size_t t = 0; t < THREADS; t++) {
        for (size_t i = 1; i < EACH; i++)
            assert_true(strcmp(ids[t][i - 1], ids[t][i]) < 0);
    }
    char(*all)[UUID_TEXT_LEN + 1] = ids[0];
    qsort(all, THREADS * EACH, sizeof(*all), compare);
    for (size_t i = 1; i < THREADS * EACH; i++)
        assert_string_not_equal(all[i - 1], all[i]);
}

static void child_and_parent_differ(void **state UNUSED)
{
    char ours[8][UUID_TEXT_LEN + 1], theirs[8][UUID_TEXT_LEN + 1];
    int pipe_fds[2];
    assert_int_equal(pipe(pipe_fds), 0);
    uuid7(ours[0]);
    pid_t child = fork();
    if (child == 0) {
        for (size_t i = 0; i < ARRAY_LEN(theirs); i++)
            uuid7(theirs[i]);
        _exit(write(pipe_fds[1], theirs, sizeof(theirs)) == (ssize_t)sizeof(theirs) ? 0 : 1);
    }
    assert_true(child > 0);
    for (size_t i = 0; i < ARRAY_LEN(ours); i++)
        uuid7(ours[i]);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(read(pipe_fds[0], theirs, sizeof(theirs)), sizeof(theirs));
    close(pipe_fds[0]);
    close(pipe_fds[1]);
    /* What is behind the time and the count is chance, and not the same chance. */
    for (size_t i = 0; i < ARRAY_LEN(ours); i++) {
        for (size_t k = 0; k < ARRAY_LEN(theirs); k++)
            assert_string_not_equal(ours[i] + 19, theirs[k] + 19);
    }
}

static void shapes(void **state UNUSED)
{
    static const char *const good[] = {
        "01890a5d-ac96-774b-bcce-b302099a8057",
        "01890A5D-AC96-774B-BCCE-B302099A8057",
        "00000000-0000-0000-0000-000000000000",
        "01890a5dac96774bbcceb302099a8057",
    };
    static const char *const bad[] = {
        "",
        "web",
        "01890a5d-ac96-774b-bcce-b302099a805",
        "01890a5d-ac96-774b-bcce-b302099a80577",
        "01890a5d-ac96-774b-bcce-b302099a805g",
        "01890a5dac96-774b-bcce-b302099a8057",
        "01890a5d-ac96-774b-bcceb302099a8057-",
        "01890a5d_ac96_774b_bcce_b302099a8057",
        "01890a5dac96774bbcceb302099a805",
        "01890a5dac96774bbcceb302099a80577",
        "{1890a5d-ac96-774b-bcce-b302099a805}",
    };
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_true(uuid_is(good[i]));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(uuid_is(bad[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_the_fields_of_version_7),
        cmocka_unit_test(each_is_greater_than_the_one_before),
        cmocka_unit_test(child_and_parent_differ),
        cmocka_unit_test(shapes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
