/* The AWS adapter's manifest against the design's table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "aws_manifest.h"

/* M mandatory, - not present, in the order of VmSpec; what follows is optional. */
static const char wanted[] = "M--MM----MM-M--M";

static void test_attributes(void **state)
{
    (void)state;
    const pb_Manifest *m = aws_manifest();

    assert_ptr_equal(m, aws_manifest());
    assert_int_equal(m->n_attributes, pb_VmSpec_desc.n_fields - 1); /* but for `parameters` */
    for (size_t i = 0; i < m->n_attributes; i++) {
        pb_Presence presence = i >= strlen(wanted) ? PRESENCE_OPTIONAL
                               : wanted[i] == 'M'  ? PRESENCE_MANDATORY
                                                   : PRESENCE_NOT_PRESENT;
        assert_string_equal(m->attributes[i]->name, pb_VmSpec_desc.fields[i].name);
        assert_int_equal(m->attributes[i]->presence, presence);
        assert_int_not_equal(m->attributes[i]->description[0], '\0');
    }
}

/* A sentence each, with a full stop; a name once. */
static void test_parameters(void **state)
{
    (void)state;
    const pb_Manifest *m = aws_manifest();

    for (size_t i = 0; i < m->n_parameters + m->n_settings; i++) {
        const pb_ManifestParameter *p =
            i < m->n_parameters ? m->parameters[i] : m->settings[i - m->n_parameters];
        size_t len = strlen(p->description);
        assert_true(len > 0 && p->description[len - 1] == '.');
        for (size_t k = 0; k < i && i < m->n_parameters; k++)
            assert_string_not_equal(m->parameters[k]->name, p->name);
    }
    assert_false(m->open_parameters);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_attributes),
        cmocka_unit_test(test_parameters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
