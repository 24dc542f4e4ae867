/* Words of errors, limits of memory, and some texts to look at; that all of the mapping is right is
 * for pbjson_peer.py to say. */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
/* cmocka.h wants those before it. */
#include <cmocka.h>

#include "google/protobuf/descriptor.pb-c.h"
#include "isobar/pb.h"
#include "isobar/pbjson.h"
#include "isobar/utf8.h"

#define CAP ((size_t)1 << 20)
#define WHY 160

static void names(void **state UNUSED)
{
    static const char *const rows[][2] = {
        {"name", "name"},
        {"flavor_name", "flavorName"},
        {"foo_bar_baz", "fooBarBaz"},
        {"foo__bar", "fooBar"},
        {"_foo", "Foo"},
        {"foo_", "foo"},
        {"foo_1bar", "foo1bar"},
        {"FOO_bar", "FOOBar"},
        {"", ""},
        {"public_ip", "publicIp"},
    };
    char name[64];
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        pbjson_name(rows[i][0], name);
        assert_string_equal(name, rows[i][1]);
    }
    char longer[100];
    memset(longer, 'a', sizeof(longer));
    longer[99] = '\0';
    pbjson_name(longer, name);
    assert_int_equal(strlen(name), 63);
}

static const char spec_text[] =
    "{\"cloud\":\"lab\",\"spec\":{\"name\":\"web\",\"instanceCount\":2,\"volumeCreated\":false,"
    "\"userData\":\"AP8B\",\"tags\":{\"a\":\"1\",\"b\":\"\"},"
    "\"volumes\":[{\"sizeGib\":10,\"keep\":true},{}],\"extraSecurityGroups\":[\"x\",\"y\"]},"
    "\"wait\":\"WAIT_RUNNING\"}";

static void request_reads_and_writes(void **state UNUSED)
{
    struct arena a;
    arena_init(&a, CAP);
    char why[WHY];
    pb_CreateVmRequest *m = (pb_CreateVmRequest *)(void *)pbjson_read(
        &a, &pb_CreateVmRequest_desc, spec_text, strlen(spec_text), why);
    if (!m)
        fail_msg("%s", why);
    assert_string_equal(m->cloud, "lab");
    assert_string_equal(m->spec->name, "web");
    assert_int_equal(m->spec->instance_count, 2);
    assert_int_equal(m->spec->volume_created_choice_case, pb_VmSpec_HAS_VOLUME_CREATED);
    assert_false(m->spec->volume_created);
    assert_int_equal(m->spec->user_data.len, 3);
    assert_memory_equal(m->spec->user_data.data, "\x00\xFF\x01", 3);
    assert_int_equal(m->spec->n_tags, 2);
    assert_string_equal(m->spec->tags[1]->key, "b");
    assert_int_equal(m->spec->n_volumes, 2);
    assert_true(m->spec->volumes[0]->keep);
    assert_string_equal(m->spec->volumes[1]->name, "");
    assert_int_equal(m->spec->n_extra_security_groups, 2);
    assert_string_equal(m->spec->extra_security_groups[1], "y");
    assert_int_equal(m->wait, WAIT_RUNNING);

    struct buf out CLEANUP(buf_done);
    buf_init(&out, CAP);
    assert_true(pbjson_write(&m->base, 0, &out));
    assert_string_equal(buf_cstr(&out), spec_text);
    arena_done(&a);
}

static void machine_is_written(void **state UNUSED)
{
    pb_Timestamp when = pb_Timestamp_INIT;
    when.seconds = 1795377662;
    when.nanos = 5000000;
    pb_Vm vm = pb_Vm_INIT;
    char id[] = "42";
    vm.id = id;
    vm.memory_mib = 4096;
    vm.vcpus = 2;
    vm.state = VM_STATE_RUNNING;
    vm.created_at = &when;
    struct buf out CLEANUP(buf_done);
    buf_init(&out, CAP);
    assert_true(pbjson_write(&vm.base, PBJSON_PRETTY, &out));
    assert_string_equal(buf_cstr(&out), "{\n"
                                        "  \"id\": \"42\",\n"
                                        "  \"state\": \"VM_STATE_RUNNING\",\n"
                                        "  \"vcpus\": 2,\n"
                                        "  \"memoryMib\": \"4096\",\n"
                                        "  \"createdAt\": \"2026-11-22T20:01:02.005Z\"\n"
                                        "}\n");
    buf_reset(&out);
    assert_true(pbjson_write(&vm.base, PBJSON_DEFAULTS, &out));
    assert_non_null(strstr(buf_cstr(&out), "\"fault\":\"\""));
    assert_non_null(strstr(buf_cstr(&out), "\"addresses\":[]"));
    assert_non_null(strstr(buf_cstr(&out), "\"tags\":{}"));
    assert_null(strstr(buf_cstr(&out), "updatedAt"));

    /* A time that protobuf's JSON has no text for. */
    when.nanos = -1;
    buf_reset(&out);
    assert_false(pbjson_write(&vm.base, 0, &out));
}

static void assert_refused(const char *text, const char *words)
{
    struct arena a;
    arena_init(&a, CAP);
    char why[WHY];
    if (pbjson_read(&a, &pb_CreateVmRequest_desc, text, strlen(text), why))
        fail_msg("accepted: %s", text);
    assert_string_equal(why, words);
    arena_done(&a);
}

static void mistakes_are_named(void **state UNUSED)
{
    assert_refused("{\"spec\":{\"instanceCount\":99999999999}}",
                   "spec.instanceCount: 99999999999 is out of range for int32");
    assert_refused("{\"spec\":{\"instance_count\":\"two\"}}",
                   "spec.instanceCount: must be a whole number, not two");
    assert_refused("{\"spec\":{\"instanceCount\":1.5}}",
                   "spec.instanceCount: must be a whole number, not 1.5");
    assert_refused("{\"spec\":{\"instanceCount\":true}}",
                   "spec.instanceCount: must be a whole number");
    assert_refused("{\"spec\":{\"flavourName\":\"x\"}}",
                   "spec: VmSpec has no field \"flavourName\"; did you mean flavorName?");
    assert_refused("{\"zzz\":1}",
                   "isobar.v1.CreateVmRequest: CreateVmRequest has no field \"zzz\"");
    assert_refused("{\"spec\":{\"volumes\":[{},{},{\"sizeGib\":-1}]}}",
                   "spec.volumes[2].sizeGib: -1 is out of range for uint32");
    assert_refused("{\"spec\":{\"tags\":{\"a\":\"b\",\"c\":5}}}", "spec.tags[\"c\"]: must be text");
    assert_refused("{\"spec\":{\"tags\":{\"a\":\"b\",\"a\":\"c\"}}}",
                   "spec.tags[\"a\"]: is given twice");
    assert_refused("{\"spec\":{\"name\":\"a\",\"name\":\"b\"}}", "spec.name: is given twice");
    assert_refused("{\"spec\":{\"flavorName\":\"a\",\"flavor_name\":\"b\"}}",
                   "spec.flavorName: is given twice");
    assert_refused("{\"spec\":{\"userData\":\"?\"}}", "spec.userData: must be bytes in base64");
    assert_refused("{\"spec\":{\"name\":\"a\\u0000b\"}}",
                   "spec.name: must not have the character U+0000");
    assert_refused("{\"spec\":{\"extraSecurityGroups\":[\"a\",null]}}",
                   "spec.extraSecurityGroups[1]: must be text");
    assert_refused("{\"spec\":{\"extraSecurityGroups\":\"a\"}}",
                   "spec.extraSecurityGroups: must be an array");
    assert_refused("{\"spec\":{\"tags\":[]}}", "spec.tags: must be an object");
    assert_refused("{\"spec\":[]}", "spec: must be an object");
    assert_refused("[]", "isobar.v1.CreateVmRequest: must be an object");
    assert_refused("{\"wait\":\"WAIT_RUNING\"}",
                   "wait: \"WAIT_RUNING\" is no Wait; did you mean WAIT_RUNNING?");
    assert_refused("{\"wait\":\"later\"}", "wait: \"later\" is no Wait, which are WAIT_NONE, ...");
    assert_refused("{\"strict\":\"true\"}", "strict: must be true or false");
    assert_refused("{\"cloud\":", "parse error: premature EOF at byte 9");
}

static void long_mistakes_are_cut_between_characters(void **state UNUSED)
{
    for (size_t n = 1; n < 300; n++) {
        struct buf text CLEANUP(buf_done);
        buf_init(&text, CAP);
        buf_adds(&text, "{\"spec\":{\"tags\":{\"");
        for (size_t i = 0; i < n; i++)
            buf_adds(&text, "\xE2\x82\xAC");
        buf_adds(&text, "\":{}}}}");
        struct arena a;
        arena_init(&a, CAP);
        char why[WHY];
        assert_null(pbjson_read(&a, &pb_CreateVmRequest_desc, text.data, text.len, why));
        assert_non_null(strstr(why, "spec.tags[\"\xE2\x82\xAC"));
        assert_true(utf8_is(why, strlen(why)));
        arena_done(&a);
    }
}

static void memory_has_a_cap(void **state UNUSED)
{
    struct buf text CLEANUP(buf_done);
    buf_init(&text, CAP);
    buf_adds(&text, "{\"spec\":{\"volumes\":[{}");
    for (int i = 0; i < 10000; i++)
        buf_adds(&text, ",{}");
    buf_adds(&text, "]}}");
    char why[WHY];
    /* Whatever the allocation that fails first is, it is said. */
    for (size_t cap = 0; cap < 300000; cap = cap * 3 / 2 + 100) {
        struct arena a;
        arena_init(&a, cap);
        assert_null(pbjson_read(&a, &pb_CreateVmRequest_desc, text.data, text.len, why));
        assert_non_null(strstr(why, "is too large"));
        arena_done(&a);
    }
    struct arena a;
    arena_init(&a, 4 * CAP);
    pb_CreateVmRequest *m = (pb_CreateVmRequest *)(void *)pbjson_read(&a, &pb_CreateVmRequest_desc,
                                                                      text.data, text.len, why);
    assert_non_null(m);
    assert_int_equal(m->spec->n_volumes, 10001);
    struct buf out CLEANUP(buf_done);
    buf_init(&out, 100);
    assert_false(pbjson_write(&m->base, 0, &out));
    arena_done(&a);
}

/* Many keys, so that looking for those given twice must not take their square. */
static void big_maps(void **state UNUSED)
{
    struct buf text CLEANUP(buf_done);
    buf_init(&text, 4 * CAP);
    buf_adds(&text, "{\"spec\":{\"tags\":{\"x\":\"\"");
    for (int i = 0; i < 100000; i++)
        buf_addf(&text, ",\"%d\":\"\"", i);
    struct arena a;
    arena_init(&a, 64 * CAP);
    char why[WHY];
    size_t len = text.len;
    buf_adds(&text, "}}}");
    pb_CreateVmRequest *m = (pb_CreateVmRequest *)(void *)pbjson_read(&a, &pb_CreateVmRequest_desc,
                                                                      text.data, text.len, why);
    assert_non_null(m);
    assert_int_equal(m->spec->n_tags, 100001);
    text.len = len;
    buf_adds(&text, ",\"77777\":\"\"}}}");
    arena_reset(&a);
    assert_null(pbjson_read(&a, &pb_CreateVmRequest_desc, text.data, text.len, why));
    assert_string_equal(why, "spec.tags[\"77777\"]: is given twice");
    arena_done(&a);
}

/* A message from the wire may have a key twice, and text that is not UTF-8. */
static void what_the_wire_allows_is_written_well(void **state UNUSED)
{
    pb_Vm_TagsEntry tags[3] = {pb_Vm_TagsEntry_INIT, pb_Vm_TagsEntry_INIT, pb_Vm_TagsEntry_INIT};
    pb_Vm_TagsEntry *list[] = {&tags[0], &tags[1], &tags[2]};
    char b[] = "b", a[] = "a", one[] = "1", two[] = "2", bad[] = "\xFF";
    tags[0].key = b;
    tags[0].value = one;
    tags[1].key = a;
    tags[1].value = bad;
    tags[2].key = b;
    tags[2].value = two;
    pb_Vm vm = pb_Vm_INIT;
    vm.n_tags = 3;
    vm.tags = list;
    struct buf out CLEANUP(buf_done);
    buf_init(&out, CAP);
    assert_true(pbjson_write(&vm.base, 0, &out));
    assert_string_equal(buf_cstr(&out), "{\"tags\":{\"a\":\"?\",\"b\":\"2\"}}");
    pb_Vm_TagsEntry *holes[] = {&tags[0]};
    tags[0].key = NULL;
    tags[0].value = NULL;
    vm.n_tags = 1;
    vm.tags = holes;
    buf_reset(&out);
    assert_true(pbjson_write(&vm.base, 0, &out));
    assert_string_equal(buf_cstr(&out), "{\"tags\":{\"\":\"\"}}");
}

/* proto2, as protobuf's own descriptors are: fields that are there or not. */
static void proto2_has_presence(void **state UNUSED)
{
    static const char text[] =
        "{\"name\":[{\"namePart\":\"x\",\"isExtension\":false}],\"negativeIntValue\":\"-5\","
        "\"doubleValue\":0,\"stringValue\":\"AA==\"}";
    struct arena a;
    arena_init(&a, CAP);
    char why[WHY];
    const ProtobufCMessageDescriptor *type = &google__protobuf__uninterpreted_option__descriptor;
    Google__Protobuf__UninterpretedOption *m =
        (Google__Protobuf__UninterpretedOption *)(void *)pbjson_read(&a, type, text, strlen(text),
                                                                     why);
    if (!m)
        fail_msg("%s", why);
    assert_true(m->has_negative_int_value);
    assert_true(m->has_double_value);
    assert_true(m->has_string_value);
    assert_false(m->has_positive_int_value);
    struct buf out CLEANUP(buf_done);
    buf_init(&out, CAP);
    assert_true(pbjson_write(&m->base, 0, &out));
    assert_string_equal(buf_cstr(&out), text);
    arena_done(&a);
}

static void numbers_have_a_point_in_every_country(void **state UNUSED)
{
    /* The first of these that the machine has; none changes nothing. */
    if (!setlocale(LC_ALL, "de_DE.UTF-8") && !setlocale(LC_ALL, "fr_FR.UTF-8"))
        skip();
    static const char text[] = "{\"doubleValue\":1.5}";
    struct arena a;
    arena_init(&a, CAP);
    char why[WHY];
    ProtobufCMessage *m = pbjson_read(&a, &google__protobuf__uninterpreted_option__descriptor, text,
                                      strlen(text), why);
    setlocale(LC_ALL, "C");
    assert_non_null(m);
    assert_true(((Google__Protobuf__UninterpretedOption *)(void *)m)->double_value == 1.5);
    arena_done(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),
        cmocka_unit_test(request_reads_and_writes),
        cmocka_unit_test(machine_is_written),
        cmocka_unit_test(mistakes_are_named),
        cmocka_unit_test(long_mistakes_are_cut_between_characters),
        cmocka_unit_test(memory_has_a_cap),
        cmocka_unit_test(big_maps),
        cmocka_unit_test(what_the_wire_allows_is_written_well),
        cmocka_unit_test(proto2_has_presence),
        cmocka_unit_test(numbers_have_a_point_in_every_country),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
