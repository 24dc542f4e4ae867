/* Finding things by name or id, and the words where that fails. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "kit/pick.h"

struct fixture {
    struct arena arena;
    struct op op;
};

static void open_fixture(struct fixture *f)
{
    arena_init(&f->arena, 1 << 20);
    f->op = (struct op){.arena = &f->arena, .result = result_new(&f->arena)};
}

static const struct pick_item flavors[] = {
    {"1", "m1.tiny"},  {"2", "m1.small"}, {"3", "m1.medium"},
    {"4", "m1.large"}, {"5", "1"},        {"6", "m1.large"},
};

static void names_and_ids_are_found(void **state)
{
    static const struct {
        const char *wanted;
        size_t index;
    } table[] = {{"2", 1}, {"m1.small", 1}, {"1", 0}, {"6", 5}};
    struct fixture f;
    size_t index;

    (void)state;
    open_fixture(&f);
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        index = 99;
        assert_int_equal(pick(&f.op, "flavor", "spec.flavor_name", table[i].wanted, flavors,
                              ARRAY_LEN(flavors), &index),
                         RESULT_CODE_OK);
        assert_int_equal(index, table[i].index);
    }
    arena_done(&f.arena);
}

static void two_of_a_name_are_an_error_that_lists_both(void **state)
{
    struct fixture f;
    size_t index = 99;

    (void)state;
    open_fixture(&f);
    assert_int_equal(
        pick(&f.op, "flavor", "spec.flavor_name", "m1.large", flavors, ARRAY_LEN(flavors), &index),
        RESULT_CODE_BAD_REQUEST_DATA);
    assert_int_equal(index, 99);
    assert_non_null(strstr(f.op.result->detail, "'m1.large'"));
    assert_non_null(strstr(f.op.result->detail, "4, 6"));
    assert_int_equal(f.op.result->n_violations, 1);
    assert_string_equal(f.op.result->violations[0]->field, "spec.flavor_name");
    arena_done(&f.arena);
}

static const char *not_found(struct fixture *f, const char *wanted, const struct pick_item *items,
                             size_t n)
{
    size_t index;

    open_fixture(f);
    assert_int_equal(pick(&f->op, "flavor", "spec.flavor_name", wanted, items, n, &index),
                     RESULT_CODE_NOT_FOUND);
    assert_string_equal(f->op.result->violations[0]->field, "spec.flavor_name");
    return f->op.result->detail;
}

static void near_names_are_offered(void **state)
{
    struct fixture f;
    const char *detail;

    (void)state;
    detail = not_found(&f, "m1.smal", flavors, ARRAY_LEN(flavors));
    assert_non_null(strstr(detail, "no flavor 'm1.smal'"));
    assert_non_null(strstr(detail, "did you mean m1.small (2)"));
    arena_done(&f.arena);
    /* Case counts when a thing is looked up, and not when it is guessed. */
    detail = not_found(&f, "M1.SMALL", flavors, ARRAY_LEN(flavors));
    assert_non_null(strstr(detail, "m1.small (2)"));
    arena_done(&f.arena);
    /* Nothing near: what there is, while that is not much. */
    detail = not_found(&f, "zzzzzzzz", flavors, ARRAY_LEN(flavors));
    assert_non_null(strstr(detail, "m1.tiny (1), m1.small (2), m1.medium (3)"));
    assert_null(strstr(detail, "did you mean"));
    arena_done(&f.arena);
    detail = not_found(&f, "m1.tiny", NULL, 0);
    assert_non_null(strstr(detail, "no flavor 'm1.tiny'; there is none"));
    arena_done(&f.arena);
}

static void long_lists_are_cut(void **state)
{
    static char ids[40][16];
    struct pick_item items[40];
    struct fixture f;
    const char *detail;
    size_t index, commas = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(items); i++) {
        snprintf(ids[i], sizeof(ids[i]), "server-%02zu", i);
        items[i] = (struct pick_item){.id = ids[i], .name = ""};
    }
    /* At most five near names. */
    detail = not_found(&f, "server-99", items, ARRAY_LEN(items));
    for (const char *c = detail; *c; c++)
        commas += *c == ',';
    assert_int_equal(commas, 4);
    arena_done(&f.arena);
    detail = not_found(&f, "zzzzzzzz", items, ARRAY_LEN(items));
    assert_null(strstr(detail, "server-"));
    assert_non_null(strstr(detail, "40"));
    arena_done(&f.arena);

    open_fixture(&f);
    for (size_t i = 0; i < ARRAY_LEN(items); i++)
        items[i].name = "twin";
    assert_int_equal(pick(&f.op, "server", "vm", "twin", items, ARRAY_LEN(items), &index),
                     RESULT_CODE_BAD_REQUEST_DATA);
    assert_non_null(strstr(f.op.result->detail, "server 'twin' is ambiguous: 40"));
    assert_non_null(strstr(f.op.result->detail, "server-09, and 30 more"));
    assert_null(strstr(f.op.result->detail, "server-10"));
    arena_done(&f.arena);
}

static void the_only_one_is_taken(void **state)
{
    static const struct pick_item networks[] = {{"n1", "private"}, {"n2", ""}};
    struct fixture f;
    size_t index = 99;

    (void)state;
    open_fixture(&f);
    assert_int_equal(pick_only(&f.op, "network", "spec.network_id", networks, 1, &index),
                     RESULT_CODE_OK);
    assert_int_equal(index, 0);
    assert_int_equal(pick_only(&f.op, "network", "spec.network_id", networks, 2, &index),
                     RESULT_CODE_BAD_REQUEST_DATA);
    assert_non_null(strstr(f.op.result->detail, "spec.network_id"));
    assert_non_null(strstr(f.op.result->detail, "private (n1), n2"));
    assert_string_equal(f.op.result->violations[0]->field, "spec.network_id");
    assert_int_equal(pick_only(&f.op, "network", "spec.network_id", networks, 0, &index),
                     RESULT_CODE_BAD_REQUEST_DATA);
    assert_non_null(strstr(f.op.result->detail, "no network"));
    arena_done(&f.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_ids_are_found),
        cmocka_unit_test(two_of_a_name_are_an_error_that_lists_both),
        cmocka_unit_test(near_names_are_offered),
        cmocka_unit_test(long_lists_are_cut),
        cmocka_unit_test(the_only_one_is_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
