/* What OpenStack's services answer, as they really do, into structs and messages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "os_cleanup.h"
#include "os_marks.h"
#include "os_servers.h"
#include "os_volumes.h"

static struct arena arena;

static int setup(void **state)
{
    (void)state;
    arena_init(&arena, (size_t)8 << 20);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_done(&arena);
    return 0;
}

static void parse(const char *json, const struct shape *shape, void *ret)
{
    char why[160] = "";
    if (!shape_parse(&arena, json, strlen(json), shape, ret, why))
        fail_msg("%s", why);
}

static const char *value_of(void *const *items, size_t n, const char *key)
{
    for (size_t i = 0; i < n; i++) {
        const pb_Vm_NativeEntry *e = items[i];
        if (strcmp(e->key, key) == 0)
            return e->value;
    }
    return NULL;
}
#define IN(map, message, key) value_of((void *const *)(message)->map, (message)->n_##map, key)

/* Nova 2.93, a machine with a floating IP, one network twice, two volumes. */
static const char server_json[] =
    "{\"id\":\"c5fd8963-3be7-4907-b3b9-a5c22e0c972a\",\"name\":\"web\",\"status\":\"SHUTOFF\","
    "\"tenant_id\":\"3ec2\",\"user_id\":\"0109\",\"metadata\":{\"isobar_token\":\"t1\","
    "\"team\":\"blue\",\"empty\":\"\"},\"hostId\":\"7227\",\"image\":{\"id\":\"8f895ad7\","
    "\"links\":"
    "[{\"rel\":\"bookmark\",\"href\":\"http://127.0.0.1:8774/images/8f895ad7\"}]},\"flavor\":{"
    "\"vcpus\":2,\"ram\":512,\"disk\":20,\"ephemeral\":0,\"swap\":0,\"original_name\":\"m1.tiny\","
    "\"extra_specs\":{\"hw:cpu_policy\":\"shared\"}},\"created\":\"2026-11-22T21:51:39Z\","
    "\"updated\":\"2026-11-22T21:51:40Z\",\"addresses\":{\"private\":[{\"version\":4,\"addr\":"
    "\"10.0.0.62\",\"OS-EXT-IPS:type\":\"fixed\",\"OS-EXT-IPS-MAC:mac_addr\":\"fa:16:3e:ca:9e:91\"}"
    ","
    "{\"version\":4,\"addr\":\"203.0.113.173\",\"OS-EXT-IPS:type\":\"floating\","
    "\"OS-EXT-IPS-MAC:mac_addr\":\"fa:16:3e:ca:9e:91\"}],\"six\":[{\"version\":6,\"addr\":"
    "\"fd00::1\",\"OS-EXT-IPS:type\":\"fixed\",\"OS-EXT-IPS-MAC:mac_addr\":\"fa:16:3e:00:00:01\"}]}"
    ","
    "\"accessIPv4\":\"\",\"accessIPv6\":\"\",\"links\":[],\"OS-DCF:diskConfig\":\"MANUAL\","
    "\"progress\":0,\"OS-EXT-AZ:availability_zone\":\"nova\",\"config_drive\":\"True\",\"key_"
    "name\":"
    "\"test-key\",\"OS-SRV-USG:launched_at\":\"2026-11-22T21:51:40.000000\","
    "\"OS-SRV-USG:terminated_at\":null,\"security_groups\":[{\"name\":\"default\"},{\"name\":"
    "\"web\"},{\"name\":\"default\"}],\"OS-EXT-STS:task_state\":\"powering-on\","
    "\"OS-EXT-STS:vm_state\":\"stopped\",\"OS-EXT-STS:power_state\":4,"
    "\"os-extended-volumes:volumes_attached\":[{\"id\":\"v1\",\"delete_on_termination\":true},"
    "{\"id\":\"v2\",\"delete_on_termination\":false}],\"locked\":true,\"locked_reason\":\"why "
    "not\","
    "\"description\":\"d\",\"tags\":[\"isobar-t1\",\"other\"],\"trusted_image_certificates\":null,"
    "\"OS-EXT-SRV-ATTR:hostname\":\"web\",\"server_groups\":[]}";

static void check_address(const pb_VmAddress *a, const char *network, const char *ip,
                          uint32_t version, pb_AddressKind kind)
{
    assert_string_equal(a->network_name, network);
    assert_string_equal(a->ip, ip);
    assert_int_equal(a->ip_version, version);
    assert_int_equal(a->kind, kind);
    assert_int_equal(strlen(a->mac), 17);
}

static void check_native(const pb_Vm *vm)
{
    static const char *const native[][2] = {
        {"isobar_token", "t1"},
        {"tags", "isobar-t1, other"},
        {"status", "SHUTOFF"},
        {"OS-EXT-STS:task_state", "powering-on"},
        {"OS-EXT-STS:vm_state", "stopped"},
        {"OS-EXT-STS:power_state", "4"},
        {"tenant_id", "3ec2"},
        {"user_id", "0109"},
        {"hostId", "7227"},
        {"description", "d"},
        {"progress", "0"},
        {"config_drive", "True"},
        {"OS-DCF:diskConfig", "MANUAL"},
        {"OS-SRV-USG:launched_at", "2026-11-22T21:51:40.000000"},
        {"locked", "true"},
        {"locked_reason", "why not"},
        {"OS-EXT-SRV-ATTR:hostname", "web"},
    };
    assert_int_equal(vm->n_native, ARRAY_LEN(native));
    for (size_t i = 0; i < ARRAY_LEN(native); i++)
        assert_string_equal(IN(native, vm, native[i][0]), native[i][1]);
}

static void test_server(void **state)
{
    (void)state;
    struct os_server s = {0};
    parse(server_json, &os_server_shape, &s);
    pb_Vm *vm = os_parse_server(&arena, "lab", "R1", &s);
    assert_string_equal(vm->cloud, "lab");
    assert_string_equal(vm->id, "c5fd8963-3be7-4907-b3b9-a5c22e0c972a");
    assert_string_equal(vm->name, "web");
    assert_int_equal(vm->state, VM_STATE_STARTING);
    assert_string_equal(vm->native_state, "SHUTOFF (powering-on)");
    assert_string_equal(vm->fault, "");
    assert_string_equal(vm->flavor_id, "");
    assert_string_equal(vm->flavor_name, "m1.tiny");
    assert_int_equal(vm->vcpus, 2);
    assert_int_equal(vm->memory_mib, 512);
    assert_int_equal(vm->disk_gib, 20);
    assert_string_equal(vm->image_id, "8f895ad7");
    assert_string_equal(vm->image_name, "");
    assert_string_equal(vm->region, "R1");
    assert_string_equal(vm->zone, "nova");
    assert_string_equal(vm->keypair, "test-key");
    assert_int_equal(vm->created_at->seconds, 1795384299);
    assert_int_equal(vm->updated_at->seconds, 1795384300);
    assert_int_equal(vm->n_addresses, 3);
    check_address(vm->addresses[0], "private", "10.0.0.62", 4, ADDRESS_KIND_FIXED);
    check_address(vm->addresses[1], "private", "203.0.113.173", 4, ADDRESS_KIND_PUBLIC);
    check_address(vm->addresses[2], "six", "fd00::1", 6, ADDRESS_KIND_FIXED);
    assert_int_equal(vm->n_security_group_names, 2);
    assert_string_equal(vm->security_group_names[0], "default");
    assert_string_equal(vm->security_group_names[1], "web");
    assert_int_equal(vm->n_volumes, 2);
    assert_string_equal(vm->volumes[0]->id, "v1");
    assert_true(vm->volumes[0]->delete_on_termination);
    assert_false(vm->volumes[1]->delete_on_termination);
    assert_int_equal(vm->n_tags, 2);
    assert_string_equal(IN(tags, vm, "team"), "blue");
    assert_string_equal(IN(tags, vm, "empty"), "");
    check_native(vm);
    assert_true(os_server_is_ours(&s, "t1", "isobar-t1"));
    assert_false(os_server_is_ours(&s, "t2", "isobar-t2"));
}

static void test_server_with_less(void **state)
{
    (void)state;
    struct os_server s = {0};
    /* It boots from a volume; the image is then no object but "". */
    parse(
        "{\"id\":\"i\",\"status\":\"ERROR\",\"image\":\"\",\"flavor\":{\"id\":\"1\",\"links\":[]},"
        "\"fault\":{\"code\":500,\"created\":\"2026-11-22T21:51:39Z\",\"message\":\"No valid host "
        "was found.\",\"details\":\"Traceback\"}}",
        &os_server_shape, &s);
    pb_Vm *vm = os_parse_server(&arena, "lab", "", &s);
    assert_int_equal(vm->state, VM_STATE_ERROR);
    assert_string_equal(vm->fault, "No valid host was found.");
    assert_string_equal(IN(native, vm, "fault_code"), "500");
    assert_string_equal(vm->image_id, "");
    assert_string_equal(vm->flavor_id, "1");
    assert_null(vm->created_at);
    /* Nova's cell is down: almost nothing is known. */
    s = (struct os_server){0};
    parse("{\"id\":\"i\",\"status\":\"UNKNOWN\",\"tenant_id\":\"t\",\"created\":\"2026-11-22T21:51:"
          "39Z"
          "\",\"links\":[]}",
          &os_server_shape, &s);
    vm = os_parse_server(&arena, "lab", "", &s);
    assert_int_equal(vm->state, VM_STATE_UNKNOWN);
    assert_string_equal(vm->native_state, "UNKNOWN");
    assert_false(os_server_is_ours(&s, "t1", "isobar-t1"));
}

/* Cut anywhere, and with every value made another: no crash, and no message that is half. */
static void test_server_mangled(void **state)
{
    (void)state;
    static char text[sizeof(server_json)];
    char why[160];
    for (size_t i = 0; i < strlen(server_json); i++) {
        struct os_server s = {0};
        assert_false(shape_parse(&arena, server_json, i, &os_server_shape, &s, why));
        strcpy(text, server_json);
        text[i] = text[i] == '"' ? '7' : text[i] == '{' ? '[' : '"';
        s = (struct os_server){0};
        if (shape_parse(&arena, text, strlen(text), &os_server_shape, &s, why))
            assert_non_null(os_parse_server(&arena, "lab", "", &s));
        arena_reset(&arena);
    }
    struct os_server s = {0};
    parse("{\"id\":[1],\"name\":{},\"status\":7,\"metadata\":[],\"image\":[],\"flavor\":\"x\","
          "\"addresses\":[1,2],\"security_groups\":{},\"tags\":{\"a\":1},\"fault\":\"x\","
          "\"os-extended-volumes:volumes_attached\":\"none\",\"created\":5}",
          &os_server_shape, &s);
    pb_Vm *vm = os_parse_server(&arena, "lab", "", &s);
    assert_int_equal(vm->state, VM_STATE_UNKNOWN);
    assert_int_equal(vm->n_addresses + vm->n_tags + vm->n_volumes, 0);
}

/* What does not bear the mark in all its parts was not made by us. */
static void test_ours(void **state)
{
    (void)state;
    struct os_port port = {.thing = {.id = "p", .name = "isobar-t1"},
                           .description = OS_DESCRIPTION};
    assert_true(os_port_is_ours(&port, "isobar-t1"));
    assert_false(os_port_is_ours(&port, "isobar-t"));
    assert_false(os_port_is_ours(&port, ""));
    port.description = "mine";
    assert_false(os_port_is_ours(&port, "isobar-t1"));
    port.description = NULL;
    assert_false(os_port_is_ours(&port, "isobar-t1"));
    struct os_fip fip = {.thing = {.id = "f"}, .description = "isobar-t1"};
    assert_true(os_fip_is_ours(&fip, "isobar-t1"));
    assert_false(os_fip_is_ours(&fip, "isobar-t2"));
    fip.description = NULL;
    assert_false(os_fip_is_ours(&fip, "isobar-t1"));
    struct shape_pair pair = {OS_TOKEN_KEY, "t1"};
    struct os_volume volume = {.thing = {.id = "v"}, .metadata = {1, &pair}};
    assert_true(os_volume_is_ours(&volume, "t1"));
    assert_false(os_volume_is_ours(&volume, "t2"));
    volume.metadata.n = 0;
    assert_false(os_volume_is_ours(&volume, "t1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_server),
        cmocka_unit_test(test_server_with_less),
        cmocka_unit_test(test_server_mangled),
        cmocka_unit_test(test_ours),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
