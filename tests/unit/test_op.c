/* What every adapter says through struct op, and its settings. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "adapter.h"
#include "isobar/clock.h"

struct fixture {
    struct arena arena;
    struct op op;
};

static void open_fixture(struct fixture *f)
{
    arena_init(&f->arena, 1 << 20);
    f->op = (struct op){.arena = &f->arena,
                        .deadline_ns = clock_mono_ns() + 60 * NS_PER_SEC,
                        .result = result_new(&f->arena)};
}

static void a_failure_has_words_and_particulars(void **state)
{
    struct fixture f;
    const pb_Result *r;

    (void)state;
    open_fixture(&f);
    op_violation(&f.op, "spec.flavor_name", "no flavor '%s'", "huge");
    op_warn(&f.op, "%d of %d", 1, 2);
    assert_int_equal(op_fail(&f.op, RESULT_CODE_BAD_REQUEST_DATA, "'%s' is wrong", "huge"),
                     RESULT_CODE_BAD_REQUEST_DATA);
    r = f.op.result;
    assert_int_equal(r->code, RESULT_CODE_BAD_REQUEST_DATA);
    assert_string_equal(r->detail, "'huge' is wrong");
    assert_int_equal(r->n_violations, 1);
    assert_string_equal(r->violations[0]->field, "spec.flavor_name");
    assert_string_equal(r->violations[0]->description, "no flavor 'huge'");
    assert_int_equal(r->n_warnings, 1);
    assert_string_equal(r->warnings[0], "1 of 2");
    assert_int_equal(r->blame, BLAME_CALLER);
    arena_done(&f.arena);
}

static void the_clouds_own_words_are_kept(void **state)
{
    struct fixture f;
    const pb_Result *r;

    (void)state;
    open_fixture(&f);
    op_native(&f.op, 409, "Conflict", "caf\xe9 is taken", NULL);
    op_retry(&f.op, RETRY_CLASS_AFTER_BACKOFF, 1500, RETRY_SCOPE_ZONE);
    op_fail(&f.op, RESULT_CODE_ALREADY_EXISTS, "taken");
    r = f.op.result;
    assert_int_equal(r->blame, BLAME_CLOUD);
    assert_int_equal(r->native->http_status, 409);
    assert_string_equal(r->native->code, "Conflict");
    /* Not UTF-8 as it came: the reply must be. */
    assert_string_equal(r->native->message, "caf? is taken");
    assert_string_equal(r->native->request_id, "");
    assert_int_equal(r->retry->class_, RETRY_CLASS_AFTER_BACKOFF);
    assert_int_equal(r->retry->after_ms, 1500);
    assert_int_equal(r->retry->scope, RETRY_SCOPE_ZONE);
    arena_done(&f.arena);
}

static void a_success_has_nothing_of_earlier_failures(void **state)
{
    struct fixture f;
    const pb_Result *r;

    (void)state;
    open_fixture(&f);
    op_native(&f.op, 404, "NotFound", "no such tag", "req-1");
    op_violation(&f.op, "vm", "unknown");
    op_warn(&f.op, "stays");
    op_fail(&f.op, RESULT_CODE_NOT_FOUND, "no such tag");
    assert_int_equal(op_end(&f.op, RESULT_CODE_NOT_FOUND), RESULT_CODE_NOT_FOUND);
    assert_string_equal(f.op.result->detail, "no such tag");
    assert_int_equal(op_end(&f.op, RESULT_CODE_CREATED), RESULT_CODE_CREATED);
    r = f.op.result;
    assert_int_equal(r->code, RESULT_CODE_CREATED);
    assert_string_equal(r->detail, "");
    assert_null(r->native);
    assert_null(r->retry);
    assert_int_equal(r->n_violations, 0);
    assert_int_equal(r->n_warnings, 1);
    arena_done(&f.arena);
}

static void an_exhausted_arena_is_told_without_it(void **state)
{
    struct fixture f;

    (void)state;
    open_fixture(&f);
    assert_int_equal(op_end(&f.op, RESULT_CODE_CREATED), RESULT_CODE_CREATED);
    assert_null(arena_alloc(&f.arena, 2 << 20));
    assert_int_equal(op_end(&f.op, RESULT_CODE_CREATED), RESULT_CODE_INTERNAL_ERROR);
    assert_int_equal(f.op.result->code, RESULT_CODE_INTERNAL_ERROR);
    assert_non_null(strstr(f.op.result->detail, "does not fit"));
    arena_done(&f.arena);
}

static void a_sleep_ends_at_the_deadline(void **state)
{
    struct fixture f;
    int64_t begin = clock_mono_ns();

    (void)state;
    open_fixture(&f);
    assert_true(op_sleep_ms(&f.op, 20));
    assert_true(clock_mono_ns() - begin >= 20 * NS_PER_MS);
    assert_true(op_sleep_ms(&f.op, 0));
    f.op.deadline_ns = clock_mono_ns() + 20 * NS_PER_MS;
    assert_false(op_sleep_ms(&f.op, 3600000));
    assert_true(clock_mono_ns() >= f.op.deadline_ns);
    assert_false(op_sleep_ms(&f.op, 1));
    arena_done(&f.arena);
}

static void *cancel_soon(void *arg)
{
    usleep(50000);
    cancel_raise(arg);
    return NULL;
}

static void a_sleep_ends_at_a_cancellation(void **state)
{
    struct fixture f;
    struct cancel cancelled = {0};
    pthread_t thread;

    (void)state;
    open_fixture(&f);
    assert_false(op_cancelled(&f.op));
    f.op.cancelled = &cancelled;
    assert_false(op_cancelled(&f.op));
    assert_true(op_sleep_ms(&f.op, 1));
    pthread_create(&thread, NULL, cancel_soon, &cancelled);
    assert_false(op_sleep_ms(&f.op, 50000));
    pthread_join(thread, NULL);
    assert_true(op_cancelled(&f.op));
    assert_false(op_sleep_ms(&f.op, 0));
    arena_done(&f.arena);
}

static void settings_are_found_by_name(void **state)
{
    const struct setting items[] = {{"cloud", "demo"}, {"region", ""}};
    const struct settings s = {.cloud = "lab", .n = 2, .items = items};

    (void)state;
    assert_string_equal(settings_get(&s, "cloud"), "demo");
    assert_string_equal(settings_get(&s, "region"), "");
    assert_null(settings_get(&s, "Cloud"));
    assert_null(settings_get(&(struct settings){0}, "cloud"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failure_has_words_and_particulars),
        cmocka_unit_test(the_clouds_own_words_are_kept),
        cmocka_unit_test(a_success_has_nothing_of_earlier_failures),
        cmocka_unit_test(an_exhausted_arena_is_told_without_it),
        cmocka_unit_test(a_sleep_ends_at_the_deadline),
        cmocka_unit_test(a_sleep_ends_at_a_cancellation),
        cmocka_unit_test(settings_are_found_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
