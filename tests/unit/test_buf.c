#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
/* cmocka.h wants those before it. */
#include <cmocka.h>

#include "isobar/buf.h"

static void appends(void **state UNUSED)
{
    struct buf b CLEANUP(buf_done);
    buf_init(&b, 1 << 20);
    assert_string_equal(buf_cstr(&b), "");
    assert_true(buf_adds(&b, "one"));
    assert_true(buf_addc(&b, ','));
    assert_true(buf_add(&b, "t\0o", 3));
    assert_true(buf_add(&b, NULL, 0));
    assert_int_equal(b.len, 7);
    assert_memory_equal(b.data, "one,t\0o", 7);
    buf_reset(&b);
    assert_int_equal(b.len, 0);
    for (int i = 0; i < 1000; i++)
        assert_true(buf_addf(&b, "%d ", i));
    assert_memory_equal(b.data, "0 1 2 3 ", 8);
    assert_string_equal(buf_cstr(&b) + b.len - 8, "998 999 ");
    assert_false(b.failed);
}

static void formatted_text_of_every_length(void **state UNUSED)
{
    /* Around the sizes at which the buffer grows, where one byte off would show. */
    for (int width = 1; width < 1100; width++) {
        struct buf b CLEANUP(buf_done);
        buf_init(&b, 1 << 20);
        assert_true(buf_addf(&b, "%*s", width, "x"));
        assert_int_equal(b.len, width);
        assert_true(buf_addf(&b, "%s", "yz"));
        assert_string_equal(buf_cstr(&b) + width - 1, "xyz");
    }
}

static void cap_is_kept_and_failure_sticks(void **state UNUSED)
{
    struct buf b CLEANUP(buf_done);
    buf_init(&b, 10);
    assert_true(buf_adds(&b, "0123456789"));
    assert_false(b.failed);
    assert_false(buf_addc(&b, 'x'));
    assert_true(b.failed);
    assert_int_equal(b.len, 10);
    /* A NUL does not count. */
    assert_string_equal(buf_cstr(&b), "0123456789");
    assert_null(buf_reserve(&b, SIZE_MAX));
    buf_reset(&b);
    assert_false(b.failed);
    assert_false(buf_addf(&b, "%s", "0123456789x"));
    assert_int_equal(b.len, 0);
    assert_true(buf_addf(&b, "%s", "0123456789"));
    assert_int_equal(b.len, 10);
}

static void reserve_and_consume(void **state UNUSED)
{
    struct buf b CLEANUP(buf_done);
    buf_init(&b, 1 << 20);
    char *p = buf_reserve(&b, 5000);
    assert_non_null(p);
    assert_int_equal(b.len, 0);
    memset(p, 'a', 5000);
    p[4999] = 'z';
    b.len += 5000;
    buf_consume(&b, 4998);
    assert_int_equal(b.len, 2);
    assert_memory_equal(b.data, "az", 2);
    buf_consume(&b, 9);
    assert_int_equal(b.len, 0);
    buf_done(&b);
    assert_non_null(buf_reserve(&b, 0));
}

static void wiped_buffer_is_usable_again(void **state UNUSED)
{
    struct buf b;
    buf_init(&b, 100);
    buf_wipe(&b);
    assert_true(buf_adds(&b, "secret"));
    buf_wipe(&b);
    assert_int_equal(b.len, 0);
    assert_null(b.data);
    assert_true(buf_adds(&b, "again"));
    assert_string_equal(buf_cstr(&b), "again");
    buf_wipe(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appends),
        cmocka_unit_test(formatted_text_of_every_length),
        cmocka_unit_test(cap_is_kept_and_failure_sticks),
        cmocka_unit_test(reserve_and_consume),
        cmocka_unit_test(wiped_buffer_is_usable_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
