/* The manifest against the design's table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "os_manifest.h"

extern const struct adapter_ops openstack_adapter;

#define M  PRESENCE_MANDATORY
#define O  PRESENCE_OPTIONAL
#define NP PRESENCE_NOT_PRESENT

/* In this order. The two about public addresses are no part of Nova's interface: a floating IP of
 * Neutron is the nearest real thing. */
static const struct {
    const char *name;
    pb_Presence presence;
    const char *value;
    bool chosen;
} expected[] = {
    {"name", M, "", false},
    {"region", NP, "", false},
    {"resource_group_name", NP, "", false},
    {"instance_count", NP, "", false},
    {"flavor_name", M, "", false},
    {"source_type", M, "image", false},
    {"volume_created", M, "false", false},
    {"image_type", NP, "", false},
    {"os_type", NP, "", false},
    {"image_id", M, "", false},
    {"subnet_name", NP, "", false},
    {"network_id", M, "", true},
    {"security_group_name", M, "default", false},
    {"public_ip_type", NP, "", false},
    {"public_ip", NP, "", false},
    {"keypair", M, "", true},
    {"zone", O, "", false},
    {"user_data", O, "", false},
    {"tags", O, "", false},
    {"volumes", O, "", false},
    {"extra_security_groups", O, "", false},
};

static void test_attributes(void **state)
{
    (void)state;
    const pb_Manifest *m = openstack_manifest();
    assert_int_equal(m->n_attributes, ARRAY_LEN(expected));
    for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
        const pb_ManifestAttribute *a = m->attributes[i];
        assert_string_equal(a->name, expected[i].name);
        assert_int_equal(a->presence, expected[i].presence);
        assert_string_equal(a->default_value, expected[i].value);
        assert_int_equal(a->chosen, expected[i].chosen);
        assert_int_equal(a->nearest, strncmp(a->name, "public_ip", strlen("public_ip")) == 0);
        assert_non_null(protobuf_c_message_descriptor_get_field_by_name(&pb_VmSpec_desc, a->name));
        bool allowed = a->n_allowed_values == 0 || a->default_value[0] == '\0';
        for (size_t k = 0; k < a->n_allowed_values; k++)
            allowed = allowed || strcmp(a->allowed_values[k], a->default_value) == 0;
        assert_true(allowed);
    }
}

/* A sentence for each, a name once. */
static void check_parameters(pb_ManifestParameter *const *p, size_t n)
{
    assert_true(n > 0);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(p[i]->description[strlen(p[i]->description) - 1], '.');
        assert_int_not_equal(p[i]->type, PARAMETER_TYPE_UNSPECIFIED);
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(p[i]->name, p[k]->name);
    }
}

static void test_parameters(void **state)
{
    (void)state;
    const pb_Manifest *m = openstack_manifest();
    check_parameters(m->parameters, m->n_parameters);
    check_parameters(m->settings, m->n_settings);
    for (size_t i = 0; i < m->n_attributes; i++)
        assert_int_equal(m->attributes[i]->description[strlen(m->attributes[i]->description) - 1],
                         '.');
}

static void test_table(void **state)
{
    (void)state;
    assert_ptr_equal(openstack_adapter.manifest(), openstack_manifest());
    assert_string_equal(openstack_adapter.name, "openstack");
    assert_int_equal(openstack_adapter.poll_interval_ms, 500);
    assert_null(openstack_adapter.is_instant);
    assert_true(openstack_adapter.settle_ms != NULL);
#define HAS(service, method, slot) assert_true(openstack_adapter.slot != NULL);
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
