/* Parameters of a create against a manifest that lists them all, and one that does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "isobar/result.h"
#include "validate.h"

#define TEXT(s) ((char *)(uintptr_t)(s))

struct fixture {
    struct arena arena;
    pb_Manifest manifest;
    pb_ManifestParameter size, *parameters[1];
    struct config_cloud cloud;
    pb_CreateVmRequest req;
    pb_VmSpec spec;
    pb_VmSpec_ParametersEntry entry, *entries[1];
    pb_Result *result;
};

/* A cloud that knows the parameter `size`, a whole number; the request gives one parameter. */
static void open_fixture(struct fixture *f, bool open, const char *name, const char *value)
{
    *f = (struct fixture){.manifest = pb_Manifest_INIT,
                          .size = pb_ManifestParameter_INIT,
                          .req = pb_CreateVmRequest_INIT,
                          .spec = pb_VmSpec_INIT,
                          .entry = pb_VmSpec_ParametersEntry_INIT};
    arena_init(&f->arena, (size_t)1 << 20);
    f->size.name = TEXT("size");
    f->size.type = PARAMETER_TYPE_INTEGER;
    f->parameters[0] = &f->size;
    f->manifest.parameters = f->parameters;
    f->manifest.n_parameters = 1;
    f->manifest.open_parameters = open;
    f->entry.key = TEXT(name);
    f->entry.value = TEXT(value);
    f->entries[0] = &f->entry;
    f->spec.parameters = f->entries;
    f->spec.n_parameters = 1;
    f->req.spec = &f->spec;
    f->result = result_new(&f->arena);
}

static pb_ResultCode validate(struct fixture *f)
{
    return validate_create(&f->arena, &f->req, &f->manifest, &f->cloud, f->result);
}

static const char *parameter(const struct fixture *f, const char *name)
{
    const char *found = NULL;
    for (size_t i = 0; i < f->spec.n_parameters; i++)
        if (strcmp(f->spec.parameters[i]->key, name) == 0) {
            assert_null(found); /* once only */
            found = f->spec.parameters[i]->value;
        }
    return found;
}

static void a_parameter_that_is_not_listed(void **state)
{
    struct fixture f;
    (void)state;
    open_fixture(&f, false, "sise", "7");
    assert_int_equal(validate(&f), RESULT_CODE_BAD_REQUEST_DATA);
    assert_string_equal(f.result->violations[0]->field, "spec.parameters.sise");
    arena_done(&f.arena);
    open_fixture(&f, true, "sise", "7");
    assert_int_equal(validate(&f), RESULT_CODE_OK);
    assert_string_equal(parameter(&f, "sise"), "7");
    arena_done(&f.arena);
}

static void a_parameter_that_is_listed_is_checked_all_the_same(void **state)
{
    (void)state;
    for (int open = 0; open < 2; open++) {
        struct fixture f;
        open_fixture(&f, open, "size", "large");
        assert_int_equal(validate(&f), RESULT_CODE_BAD_REQUEST_DATA);
        assert_string_equal(f.result->violations[0]->field, "spec.parameters.size");
        arena_done(&f.arena);
    }
}

static void defaults_of_the_connection_fill_in(void **state)
{
    static const struct config_pair defaults[] = {
        {.name = "zone", .value = "a"},
        {.name = "parameters.size", .value = "3"},
        {.name = "parameters.given", .value = "default"},
        {.name = "parameters.other", .value = "there"},
    };
    (void)state;
    for (int open = 0; open < 2; open++) {
        struct fixture f;
        open_fixture(&f, open, open ? "given" : "size", "9");
        f.cloud.defaults = (struct config_pair *)(uintptr_t)defaults;
        f.cloud.n_defaults = ARRAY_LEN(defaults);
        assert_int_equal(validate(&f), RESULT_CODE_OK);
        assert_string_equal(parameter(&f, "size"), open ? "3" : "9");
        if (open) {
            assert_string_equal(parameter(&f, "given"), "9");
            assert_string_equal(parameter(&f, "other"), "there");
        } else {
            assert_null(parameter(&f, "other"));
        }
        arena_done(&f.arena);
    }
}

/* People write "Static" where a manifest has "static"; an adapter gets what the manifest has. */
static void a_word_of_a_list_in_any_case(void **state)
{
    static char *words[] = {TEXT("none"), TEXT("static")};
    static const struct {
        const char *given, *wanted; /* NULL: it is refused */
    } cases[] = {{"static", "static"}, {"Static", "static"}, {"STATIC", "static"}, {"stat", NULL}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct fixture f;
        pb_ManifestAttribute attribute = pb_ManifestAttribute_INIT, *attributes[] = {&attribute};
        open_fixture(&f, false, "size", cases[i].given);
        f.size.type = PARAMETER_TYPE_STRING;
        f.size.allowed_values = attribute.allowed_values = words;
        f.size.n_allowed_values = attribute.n_allowed_values = 2;
        attribute.name = TEXT("public_ip_type");
        attribute.presence = PRESENCE_OPTIONAL;
        f.manifest.attributes = attributes;
        f.manifest.n_attributes = 1;
        f.spec.public_ip_type = TEXT(cases[i].given);
        bool good = cases[i].wanted != NULL;
        assert_int_equal(validate(&f), good ? RESULT_CODE_OK : RESULT_CODE_BAD_REQUEST_DATA);
        if (good) {
            assert_string_equal(parameter(&f, "size"), cases[i].wanted);
            assert_string_equal(f.spec.public_ip_type, cases[i].wanted);
        } else {
            assert_int_equal(f.result->n_violations, 2);
        }
        arena_done(&f.arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_parameter_that_is_not_listed),
        cmocka_unit_test(a_parameter_that_is_listed_is_checked_all_the_same),
        cmocka_unit_test(defaults_of_the_connection_fill_in),
        cmocka_unit_test(a_word_of_a_list_in_any_case),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
