/* The manifest against the design's table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "adapter.h"
#include "az_manifest.h"

extern const struct adapter_ops azure_adapter;

#define M  PRESENCE_MANDATORY
#define O  PRESENCE_OPTIONAL
#define NP PRESENCE_NOT_PRESENT

/* In this order. Security group and key are no part of a machine in Azure: those of its interface
 * and of its profile are the nearest real things. */
static const struct {
    const char *name;
    pb_Presence presence;
    const char *value;
    bool chosen, nearest;
} expected[] = {
    {"name", M, "", false, false},
    {"region", M, "", true, false},
    {"resource_group_name", M, "", true, false},
    {"instance_count", NP, "", false, false},
    {"flavor_name", M, "", false, false},
    {"source_type", NP, "", false, false},
    {"volume_created", NP, "", false, false},
    {"image_type", M, "marketplace", false, false},
    {"os_type", M, "linux", false, false},
    {"image_id", M, "", false, false},
    {"subnet_name", M, "", true, false},
    {"network_id", M, "", true, false},
    {"security_group_name", NP, "", false, true},
    {"public_ip_type", M, "none", false, false},
    {"public_ip", M, "", true, false},
    {"keypair", NP, "", false, true},
    {"zone", O, "", false, false},
    {"user_data", O, "", false, false},
    {"tags", O, "", false, false},
    {"volumes", O, "", false, false},
    {"extra_security_groups", O, "", false, false},
};

static void test_attributes(void **state)
{
    const pb_Manifest *m = azure_manifest();

    (void)state;
    assert_int_equal(m->n_attributes, ARRAY_LEN(expected));
    for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
        const pb_ManifestAttribute *a = m->attributes[i];
        assert_string_equal(a->name, expected[i].name);
        assert_int_equal(a->presence, expected[i].presence);
        assert_string_equal(a->default_value, expected[i].value);
        assert_int_equal(a->chosen, expected[i].chosen);
        assert_int_equal(a->nearest, expected[i].nearest);
        assert_non_null(protobuf_c_message_descriptor_get_field_by_name(&pb_VmSpec_desc, a->name));
        assert_int_equal(a->description[strlen(a->description) - 1], '.');
    }
}

/* A sentence for each, a name once, a default that is allowed. */
static void check_parameters(pb_ManifestParameter *const *p, size_t n)
{
    assert_true(n > 0);
    for (size_t i = 0; i < n; i++) {
        bool allowed = p[i]->n_allowed_values == 0 || p[i]->default_value[0] == '\0';
        assert_int_equal(p[i]->description[strlen(p[i]->description) - 1], '.');
        assert_int_not_equal(p[i]->type, PARAMETER_TYPE_UNSPECIFIED);
        for (size_t k = 0; k < p[i]->n_allowed_values; k++)
            allowed = allowed || strcmp(p[i]->allowed_values[k], p[i]->default_value) == 0;
        assert_true(allowed);
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(p[i]->name, p[k]->name);
    }
}

static void test_parameters(void **state)
{
    (void)state;
    check_parameters(azure_manifest()->parameters, azure_manifest()->n_parameters);
    check_parameters(azure_manifest()->settings, azure_manifest()->n_settings);
}

static void test_table(void **state)
{
    (void)state;
    assert_ptr_equal(azure_adapter.manifest(), azure_manifest());
    assert_string_equal(azure_adapter.name, "azure");
    assert_non_null(azure_adapter.dedupes);
    assert_non_null(azure_adapter.settle_ms);
#define HAS(service, method, slot) assert_non_null(azure_adapter.slot);
    ADAPTER_METHODS(HAS)
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_attributes),
        cmocka_unit_test(test_parameters),
        cmocka_unit_test(test_table),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
