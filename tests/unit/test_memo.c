/* What an adapter remembers of a cloud's things. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "alloc_fail.h"
#include "kit/memo.h"

static void a_row_is_there_once(void **state)
{
    struct memo m = {0};

    (void)state;
    assert_null(memo_find(&m, "m1.tiny"));
    struct memo_row *r = memo_learn(&m, "m1.tiny");
    assert_non_null(r);
    assert_string_equal(r->key, "m1.tiny");
    assert_null(r->id);
    assert_null(r->name);
    r->vcpus = 2;
    memo_set(&r->name, "tiny");
    assert_ptr_equal(memo_find(&m, "m1.tiny"), r);
    assert_ptr_equal(memo_learn(&m, "m1.tiny"), r);
    assert_int_equal(r->vcpus, 2);
    assert_string_equal(r->name, "tiny");
    assert_null(memo_find(&m, "m1.tin"));
    memo_set(&r->name, NULL);
    assert_null(r->name);
    memo_clear(&m);
    assert_null(memo_find(&m, "m1.tiny"));
}

static void a_full_one_begins_anew(void **state)
{
    struct memo m = {0};
    char key[16];

    (void)state;
    for (int i = 0; i < MEMO_MAX; i++) {
        assert_false(memo_is_full(&m));
        snprintf(key, sizeof(key), "%d", i);
        assert_non_null(memo_learn(&m, key));
    }
    assert_true(memo_is_full(&m));
    assert_non_null(memo_learn(&m, "0")); /* it is there: nothing has to go */
    assert_non_null(memo_find(&m, "1"));
    assert_non_null(memo_learn(&m, "new"));
    assert_null(memo_find(&m, "0"));
    assert_false(memo_is_full(&m));
    assert_non_null(memo_find(&m, "new"));
    memo_clear(&m);
}

static void without_memory_there_is_no_row(void **state)
{
    unsigned failed = 1, n;

    (void)state;
    for (n = 1; failed != 0; n++) {
        struct memo m = {0};
        alloc_fail_at(n);
        struct memo_row *r = memo_learn(&m, "a");
        failed = alloc_fail_stop();
        assert_int_equal(r == NULL, failed != 0);
        assert_ptr_equal(memo_find(&m, "a"), r);
        memo_clear(&m);
    }
    assert_true(n > 4); /* the row, its key, the table and its buckets */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_is_there_once),
        cmocka_unit_test(a_full_one_begins_anew),
        cmocka_unit_test(without_memory_there_is_no_row),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
