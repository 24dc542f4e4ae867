/* The policy table against the services' descriptors, and the conventions that generic code relies
 * on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "methods.h"

static void test_every_method_has_its_row(void **state)
{
    (void)state;
    char why[256] = "";
    assert_true(methods_init(why));
    size_t n;
    const struct method *all = methods_all(&n);
    assert_true(n > 30);
    for (size_t i = 0; i < n; i++) {
        assert_ptr_equal(method_find(all[i].full_name), &all[i]);
        assert_true(all[i].policy->handler || all[i].policy->slot);
        if (i > 0)
            assert_true(strcmp(all[i - 1].full_name, all[i].full_name) < 0);
    }
    assert_null(method_find("isobar.v1.VmService/"));
    assert_null(method_find(""));
    methods_done();
}

static bool has_field(const ProtobufCMessageDescriptor *type, const char *name, unsigned number)
{
    const ProtobufCFieldDescriptor *f = protobuf_c_message_descriptor_get_field_by_name(type, name);
    return f && (number == 0 || f->id == number);
}

static void test_conventions(void **state)
{
    (void)state;
    char why[256] = "";
    assert_true(methods_init(why));
    size_t n;
    const struct method *all = methods_all(&n);
    for (size_t i = 0; i < n; i++) {
        const struct method *m = &all[i];
        if (m->policy->lane != LANE_CLOUD)
            continue;
        assert_true(has_field(m->input, "cloud", 1));
        assert_non_null(m->out_first);
        switch (m->policy->kind) {
        case KIND_LIST:
            assert_int_equal(m->out_first->label, PROTOBUF_C_LABEL_REPEATED);
            assert_int_equal(m->out_first->type, PROTOBUF_C_TYPE_MESSAGE);
            assert_true(has_field(m->out_first->descriptor, "cloud", 1));
            assert_true(has_field(m->out_first->descriptor, "id", 2));
            assert_true(has_field(m->out_first->descriptor, "name", 3));
            assert_true(has_field(m->output, "next_page_token", 2));
            assert_true(has_field(m->output, "cloud_results", 3));
            assert_true(m->in.page_size && m->in.page_token && m->in.name);
            break;
        case KIND_CREATE:
        case KIND_ACTION:
            assert_true(m->policy->mutates);
            assert_true(m->in.wait && m->in.dry_run);
            assert_ptr_equal(m->out_first->descriptor, &pb_Vm_desc);
            break;
        default:
            break;
        }
    }
    methods_done();
}

static void test_adapters_have_what_they_say(void **state)
{
    (void)state;
    char why[256] = "";
    assert_true(methods_init(why));
    const struct method *get = method_find("isobar.v1.VmService/GetVm");
    struct adapter_ops none = {.name = "none"};
    assert_false(method_supported(get, &none));
    for (size_t i = 0; adapters_builtin[i]; i++)
        assert_true(method_supported(get, adapters_builtin[i]));
    methods_done();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_method_has_its_row),
        cmocka_unit_test(test_conventions),
        cmocka_unit_test(test_adapters_have_what_they_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
