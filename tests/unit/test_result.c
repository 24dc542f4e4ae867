#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
/* cmocka.h wants those before it. */
#include <cmocka.h>

#include "isobar/result.h"

#define CAP ((size_t)1 << 20)

/* The ten codes whose words are given. */
static void words_of_the_codes(void **state UNUSED)
{
    static const struct {
        pb_ResultCode code;
        const char *name;
        int status;
        const char *reason, *title;
    } rows[] = {
        {RESULT_CODE_OK, "OK", 200, "OK", "Retrieve Successes"},
        {RESULT_CODE_CREATED, "Created", 201, "Created", "Created Successes"},
        {RESULT_CODE_DELETED, "Deleted", 200, "OK", "Deleted Successes"},
        {RESULT_CODE_CHANGED, "Changed", 200, "OK", "Changed Successes"},
        {RESULT_CODE_INVALID_REQUEST, "InvalidRequest", 400, "Bad Request", "Invalid Request"},
        {RESULT_CODE_BAD_REQUEST_DATA, "BadRequestData", 400, "Bad Request", "Bad Request Data"},
        {RESULT_CODE_UNAUTHORIZED, "Unauthorized", 401, "Unauthorized", "Unauthorized"},
        {RESULT_CODE_METHOD_NOT_ALLOWED, "MethodNotAllowed", 405, "Method Not Allowed",
         "Requested API is not defined"},
        {RESULT_CODE_ALREADY_EXISTS, "AlreadyExists", 409, "Conflict", "Already Exists"},
        {RESULT_CODE_INTERNAL_ERROR, "InternalError", 500, "Internal Server Error",
         "Internal Error"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct result_info *info = result_info(rows[i].code);
        assert_int_equal(info->code, rows[i].code);
        assert_string_equal(info->name, rows[i].name);
        assert_string_equal(result_name(rows[i].code), rows[i].name);
        assert_int_equal(info->http_status, rows[i].status);
        assert_string_equal(info->http_reason, rows[i].reason);
        assert_string_equal(info->title, rows[i].title);
    }
    assert_ptr_equal(result_info((pb_ResultCode)999), result_info(RESULT_CODE_UNSPECIFIED));
    assert_ptr_equal(result_info((pb_ResultCode)-1), result_info(RESULT_CODE_UNSPECIFIED));
}

/* Every code of the .proto has its words, and every failure its consequences. */
static void no_code_is_forgotten(void **state UNUSED)
{
    struct arena a;
    arena_init(&a, CAP);
    for (unsigned i = 0; i < pb_ResultCode_desc.n_values; i++) {
        pb_ResultCode code = (pb_ResultCode)pb_ResultCode_desc.values[i].value;
        assert_int_equal(result_info(code)->code, code);
        if (code == RESULT_CODE_UNSPECIFIED || result_is_success(code))
            continue;
        pb_Result *r = result_new(&a);
        assert_int_equal(result_fail(&a, r, code, "no %s", "luck"), code);
        assert_int_equal(r->code, code);
        assert_string_equal(r->detail, "no luck");
        assert_non_null(r->retry);
        assert_int_not_equal(r->retry->class_, RETRY_CLASS_UNSPECIFIED);
        assert_int_not_equal(r->blame, BLAME_UNSPECIFIED);
        assert_int_not_equal(r->side_effects, SIDE_EFFECTS_UNSPECIFIED);
    }
    arena_done(&a);
}

static void successes(void **state UNUSED)
{
    static const pb_ResultCode good[] = {RESULT_CODE_OK, RESULT_CODE_CREATED, RESULT_CODE_DELETED,
                                         RESULT_CODE_CHANGED, RESULT_CODE_ACCEPTED};
    size_t n = 0;
    for (unsigned i = 0; i < pb_ResultCode_desc.n_values; i++)
        n += result_is_success((pb_ResultCode)pb_ResultCode_desc.values[i].value);
    assert_int_equal(n, ARRAY_LEN(good));
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_true(result_is_success(good[i]));
}

static void what_was_said_before_stays(void **state UNUSED)
{
    struct arena a;
    arena_init(&a, CAP);
    pb_Result *r = result_new(&a);
    r->retry = arena_message(&a, &pb_Retry_desc);
    r->retry->class_ = RETRY_CLASS_NEVER;
    r->retry->after_ms = 1500;
    r->side_effects = SIDE_EFFECTS_CERTAIN;
    r->native = arena_message(&a, &pb_NativeError_desc);
    result_fail(&a, r, RESULT_CODE_UNAVAILABLE, "gone");
    assert_int_equal(r->retry->class_, RETRY_CLASS_NEVER);
    assert_int_equal(r->retry->after_ms, 1500);
    assert_int_equal(r->side_effects, SIDE_EFFECTS_CERTAIN);
    assert_int_equal(r->blame, BLAME_CLOUD);

    /* A wait that is known leaves the class to follow from the code. */
    r = result_new(&a);
    r->retry = arena_message(&a, &pb_Retry_desc);
    r->retry->after_ms = 20;
    result_fail(&a, r, RESULT_CODE_RATE_LIMITED, "slow down");
    assert_int_equal(r->retry->class_, RETRY_CLASS_AFTER_BACKOFF);
    assert_int_equal(r->retry->after_ms, 20);

    /* The cloud's refusal is the cloud's, whatever the code. */
    r = result_new(&a);
    r->native = arena_message(&a, &pb_NativeError_desc);
    result_fail(&a, r, RESULT_CODE_BAD_REQUEST_DATA, "refused");
    assert_int_equal(r->blame, BLAME_CLOUD);
    arena_done(&a);
}

/* A second thought: that nothing happened must not be left over from the first. */
static void second_code_replaces_what_followed_from_the_first(void **state UNUSED)
{
    struct arena a;
    arena_init(&a, CAP);
    pb_Result *r = result_new(&a);
    result_fail(&a, r, RESULT_CODE_INVALID_REQUEST, "first");
    assert_int_equal(r->side_effects, SIDE_EFFECTS_NONE);
    result_fail(&a, r, RESULT_CODE_OUTCOME_UNKNOWN, "second");
    assert_string_equal(r->detail, "second");
    assert_int_equal(r->side_effects, SIDE_EFFECTS_POSSIBLE);
    assert_int_equal(r->retry->class_, RETRY_CLASS_AFTER_LOOKUP);
    assert_int_equal(r->blame, BLAME_CLOUD);
    arena_done(&a);
}

static void lists_grow_and_copies_are_whole(void **state UNUSED)
{
    struct arena a, b;
    arena_init(&a, CAP);
    arena_init(&b, CAP);
    pb_Result *r = result_new(&a);
    result_fail(&a, r, RESULT_CODE_BAD_REQUEST_DATA, "%d mistakes", 3);
    for (int i = 0; i < 3; i++) {
        result_add_violation(&a, r, "spec.name", "mistake %d", i);
        result_add_warning(&a, r, "warning %d", i);
    }
    r->operation_id = arena_strdup(&a, "op");
    pb_Result *copy = result_copy(&b, r);
    arena_done(&a);
    /* A list that protobuf-c made has no room of its own. */
    result_add_warning(&b, copy, "warning %d", 3);
    result_add_violation(&b, copy, "spec.zone", "mistake %d", 3);
    assert_int_equal(copy->code, RESULT_CODE_BAD_REQUEST_DATA);
    assert_string_equal(copy->detail, "3 mistakes");
    assert_string_equal(copy->operation_id, "op");
    assert_int_equal(copy->n_warnings, 4);
    assert_int_equal(copy->n_violations, 4);
    assert_string_equal(copy->warnings[0], "warning 0");
    assert_string_equal(copy->warnings[3], "warning 3");
    assert_string_equal(copy->violations[2]->field, "spec.name");
    assert_string_equal(copy->violations[2]->description, "mistake 2");
    assert_string_equal(copy->violations[3]->field, "spec.zone");
    arena_done(&b);
}

static void words_of_others_become_utf8(void **state UNUSED)
{
    struct arena a;
    arena_init(&a, CAP);
    pb_Result *r = result_new(&a);
    result_fail(&a, r, RESULT_CODE_UNAVAILABLE, "the cloud said: %s", "gr\xFC\xDF Gott");
    result_add_warning(&a, r, "\xFF");
    result_add_violation(&a, r, "\xFF", "\xFF");
    assert_string_equal(r->detail, "the cloud said: gr?? Gott");
    assert_string_equal(r->warnings[0], "?");
    assert_string_equal(r->violations[0]->field, "?");
    assert_string_equal(r->violations[0]->description, "?");
    arena_done(&a);
}

static void exhausted_arena_is_borne(void **state UNUSED)
{
    struct arena a;
    arena_init(&a, 10);
    pb_Result *r = result_new(&a);
    assert_null(r);
    assert_int_equal(result_fail(&a, r, RESULT_CODE_NOT_FOUND, "x"), RESULT_CODE_NOT_FOUND);
    result_add_warning(&a, r, "x");
    result_add_violation(&a, r, "x", "x");
    pb_Result here = pb_Result_INIT;
    assert_int_equal(result_fail(&a, &here, RESULT_CODE_NOT_FOUND, "x"), RESULT_CODE_NOT_FOUND);
    result_add_warning(&a, &here, "x");
    result_add_violation(&a, &here, "x", "x");
    assert_string_equal(here.detail, "");
    assert_int_equal(here.n_warnings + here.n_violations, 0);
    assert_null(result_copy(&a, &here));
    assert_true(a.exhausted);
    arena_done(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_of_the_codes),
        cmocka_unit_test(no_code_is_forgotten),
        cmocka_unit_test(successes),
        cmocka_unit_test(what_was_said_before_stays),
        cmocka_unit_test(second_code_replaces_what_followed_from_the_first),
        cmocka_unit_test(lists_grow_and_copies_are_whole),
        cmocka_unit_test(words_of_others_become_utf8),
        cmocka_unit_test(exhausted_arena_is_borne),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
