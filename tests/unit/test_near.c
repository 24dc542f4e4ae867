#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
/* cmocka.h wants those before it. */
#include <cmocka.h>

#include "isobar/near.h"

static void distances(void **state UNUSED)
{
    static const struct {
        const char *a, *b;
        unsigned distance;
    } rows[] = {
        {"", "", 0},
        {"", "abc", 3},
        {"abc", "ABC", 0},
        {"kitten", "sitting", 3},
        {"flavor", "flavour", 1},
        {"flaovr", "flavor", 1},
        {"ab", "ba", 1},
        /* Optimal string alignment: no piece is changed twice. */
        {"ca", "abc", 3},
        {"m1.smal", "m1.small", 1},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(near_distance(rows[i].a, rows[i].b), rows[i].distance);
        assert_int_equal(near_distance(rows[i].b, rows[i].a), rows[i].distance);
    }
    /* Past 63 bytes nothing counts. */
    char a[101], b[101];
    memset(a, 'x', 100);
    a[100] = '\0';
    memcpy(b, a, sizeof(b));
    memset(b + 63, 'y', 37);
    assert_int_equal(near_distance(a, b), 0);
    b[62] = 'y';
    assert_int_equal(near_distance(a, b), 1);
}

static void nearest_come_first(void **state UNUSED)
{
    static const char *const names[] = {"m1.large", "m1.small", "m1.tiny", "m2.small", NULL, "x"};
    size_t index[6];
    assert_int_equal(near_pick("m1.smal", names, ARRAY_LEN(names), index, 6), 2);
    assert_int_equal(index[0], 1);
    assert_int_equal(index[1], 3);
    assert_int_equal(near_pick("m1.smal", names, ARRAY_LEN(names), index, 1), 1);
    assert_int_equal(index[0], 1);
    assert_int_equal(near_pick("m1.smal", names, ARRAY_LEN(names), index, 0), 0);
    /* The beginning of words, however long these are; equally far ones stay in their order. */
    assert_int_equal(near_pick("M1", names, ARRAY_LEN(names), index, 6), 3);
    assert_int_equal(index[0], 2);
    assert_int_equal(index[1], 0);
    assert_int_equal(index[2], 1);
    assert_int_equal(near_pick("M1", names, ARRAY_LEN(names), index, 2), 2);
    assert_int_equal(index[0], 2);
    assert_int_equal(index[1], 0);
}

static void nothing_is_near(void **state UNUSED)
{
    static const char *const names[] = {"ubuntu", "debian", ""};
    size_t index[3];
    assert_int_equal(near_pick("windows", names, 3, index, 3), 0);
    assert_int_equal(near_pick("", names, 3, index, 3), 0);
    assert_int_equal(near_pick("ubuntu", NULL, 0, index, 3), 0);
    /* One letter off is near even for short words, two is not. */
    static const char *const states[] = {"on"};
    assert_int_equal(near_pick("an", states, 1, index, 3), 1);
    assert_int_equal(near_pick("xy", states, 1, index, 3), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(distances),
        cmocka_unit_test(nearest_come_first),
        cmocka_unit_test(nothing_is_near),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
