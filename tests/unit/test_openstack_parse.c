/* What OpenStack's services answer, as they really do, into structs and messages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "os_cleanup.h"
#include "os_create.h"
#include "os_flavors.h"
#include "os_images.h"
#include "os_keypairs.h"
#include "os_networks.h"
#include "os_regions.h"
#include "os_secgroups.h"
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

static void test_flavor(void **state)
{
    (void)state;
    static const char json[] =
        "{\"flavor\":{\"id\":\"3\",\"name\":\"g1\",\"ram\":4096,\"disk\":40,\"swap\":\"\","
        "\"OS-FLV-EXT-DATA:ephemeral\":7,\"OS-FLV-DISABLED:disabled\":false,\"vcpus\":2,"
        "\"os-flavor-access:is_public\":true,\"rxtx_factor\":1.0,\"links\":[{\"rel\":\"self\","
        "\"href\":\"x\"}],\"description\":null,\"extra_specs\":{\"resources:VGPU\":\"2\","
        "\"pci_passthrough:alias\":\"a-gpu:3,nic:9,GPU2\"}}}";
    struct os_flavor f = {0};
    struct http_response rsp = {.body = json, .body_len = strlen(json)};
    parse(json, os_flavor_kind.one, &f);
    os_members(&arena, &rsp, os_flavor_kind.one_depth, &f, 1, sizeof(f));
    pb_Flavor *flavor = os_flavor_kind.message(&arena, "lab", &f.thing);
    assert_string_equal(flavor->id, "3");
    assert_string_equal(flavor->name, "g1");
    assert_int_equal(flavor->vcpus, 2);
    assert_int_equal(flavor->memory_mib, 4096);
    assert_int_equal(flavor->disk_gib, 40);
    assert_int_equal(flavor->ephemeral_gib, 7);
    assert_int_equal(flavor->swap_mib, 0);
    assert_int_equal(flavor->gpus, 6);
    assert_true(flavor->is_public);
    assert_int_equal(flavor->n_native, 4);
    assert_string_equal(IN(native, flavor, "rxtx_factor"), "1.0");
    assert_string_equal(IN(native, flavor, "OS-FLV-DISABLED:disabled"), "false");
    assert_string_equal(IN(native, flavor, "resources:VGPU"), "2");
}

/* All members of each of several things, and none of what is no thing. */
static void test_image_list(void **state)
{
    (void)state;
    static const char json[] =
        "{\"images\":[{\"id\":\"i1\",\"name\":\"one\",\"disk_format\":\"raw\",\"visibility\":"
        "\"public\",\"size\":4096,\"virtual_size\":null,\"status\":\"active\",\"protected\":false,"
        "\"min_ram\":64,\"min_disk\":1,\"owner\":\"o\",\"tags\":[\"a\",\"b\"],\"os_type\":"
        "\"linux\","
        "\"architecture\":\"x86_64\",\"hw_list\":[\"x\",\"y\",3],\"locations\":[{\"url\":\"u\","
        "\"metadata\":{}}],\"created_at\":\"2026-11-22T21:30:15Z\",\"updated_at\":"
        "\"2026-11-22T21:30:16Z\",\"my_property\":\"p\"},{\"id\":\"i2\",\"name\":null,\"size\":"
        "null,"
        "\"extra\":\"e\"}],\"first\":\"/v2/images\",\"next\":\"/v2/"
        "images?marker=i2\",\"images_links\":"
        "[{\"rel\":\"x\",\"href\":\"y\"}]}";
    struct os_page page = {0};
    struct http_response rsp = {.body = json, .body_len = strlen(json)};
    parse(json, os_image_kind.page, &page);
    assert_int_equal(page.items.n, 2);
    assert_string_equal(page.next, "/v2/images?marker=i2");
    struct os_image *i = page.items.items;
    os_members(&arena, &rsp, os_image_kind.list_depth, i, page.items.n, sizeof(*i));
    pb_Image *image = os_image_kind.message(&arena, "lab", &i[0].thing);
    assert_string_equal(image->id, "i1");
    assert_string_equal(image->name, "one");
    assert_string_equal(image->status, "active");
    assert_int_equal(image->size_bytes, 4096);
    assert_int_equal(image->min_disk_gib, 1);
    assert_int_equal(image->min_memory_mib, 64);
    assert_string_equal(image->os_type, "linux");
    assert_string_equal(image->architecture, "x86_64");
    assert_string_equal(image->visibility, "public");
    assert_string_equal(image->format, "raw");
    assert_string_equal(image->owner, "o");
    assert_int_equal(image->n_tags, 2);
    assert_string_equal(image->tags[1], "b");
    assert_int_equal(image->updated_at->seconds - image->created_at->seconds, 1);
    assert_int_equal(image->n_native, 3);
    assert_string_equal(IN(native, image, "my_property"), "p");
    assert_string_equal(IN(native, image, "protected"), "false");
    assert_string_equal(IN(native, image, "hw_list"), "x, y, 3");
    image = os_image_kind.message(&arena, "lab", &i[1].thing);
    assert_string_equal(image->name, "");
    assert_int_equal(image->n_native, 1);
    assert_string_equal(IN(native, image, "extra"), "e");
}

static void test_network_and_subnet(void **state)
{
    (void)state;
    struct os_network n = {0};
    parse("{\"network\":{\"id\":\"n\",\"name\":\"public\",\"status\":\"ACTIVE\",\"mtu\":1500,"
          "\"subnets\":[\"s1\",\"s2\"],\"shared\":true,\"router:external\":true,"
          "\"port_security_enabled\":false,\"is_default\":true,\"admin_state_up\":true}}",
          os_network_kind.one, &n);
    pb_Network *network = os_network_kind.message(&arena, "lab", &n.thing);
    assert_string_equal(network->name, "public");
    assert_string_equal(network->status, "ACTIVE");
    assert_true(network->is_external);
    assert_true(network->is_shared);
    assert_int_equal(network->mtu, 1500);
    assert_int_equal(network->n_subnet_ids, 2);
    assert_string_equal(n.port_security, "false");
    assert_true(n.is_default);
    struct os_subnet s = {0};
    parse("{\"subnet\":{\"id\":\"s\",\"name\":\"sub\",\"network_id\":\"n\",\"ip_version\":6,"
          "\"enable_dhcp\":false,\"gateway_ip\":null,\"cidr\":\"fd00::/64\",\"dns_nameservers\":"
          "[\"fd00::53\"]}}",
          os_subnet_kind.one, &s);
    pb_Subnet *subnet = os_subnet_kind.message(&arena, "lab", &s.thing);
    assert_string_equal(subnet->network_id, "n");
    assert_string_equal(subnet->cidr, "fd00::/64");
    assert_int_equal(subnet->ip_version, 6);
    assert_string_equal(subnet->gateway_ip, "");
    assert_false(subnet->dhcp_enabled);
    assert_string_equal(subnet->dns_servers[0], "fd00::53");
}

static void test_security_group(void **state)
{
    (void)state;
    struct os_secgroup g = {0};
    parse(
        "{\"security_group\":{\"id\":\"g\",\"name\":\"web\",\"description\":\"d\","
        "\"security_group_rules\":[{\"id\":\"r1\",\"ethertype\":\"IPv6\",\"direction\":\"ingress\","
        "\"protocol\":\"tcp\",\"port_range_min\":80,\"port_range_max\":443,\"remote_ip_prefix\":"
        "\"::/0\",\"remote_group_id\":null},{\"id\":\"r2\",\"ethertype\":\"IPv4\",\"direction\":"
        "\"egress\",\"protocol\":null,\"port_range_min\":null,\"port_range_max\":null,"
        "\"remote_ip_prefix\":null,\"remote_group_id\":\"g\"}]}}",
        os_secgroup_kind.one, &g);
    pb_SecurityGroup *group = os_secgroup_kind.message(&arena, "lab", &g.thing);
    assert_string_equal(group->description, "d");
    assert_int_equal(group->n_rules, 2);
    const pb_SecurityGroupRule *r = group->rules[0];
    assert_string_equal(r->direction, "ingress");
    assert_string_equal(r->protocol, "tcp");
    assert_int_equal(r->port_min, 80);
    assert_int_equal(r->port_max, 443);
    assert_string_equal(r->remote_cidr, "::/0");
    assert_int_equal(r->ip_version, 6);
    r = group->rules[1];
    assert_string_equal(r->protocol, "");
    assert_int_equal(r->port_min + r->port_max, 0);
    assert_string_equal(r->remote_group_id, "g");
    assert_int_equal(r->ip_version, 4);
}

static void test_keypairs(void **state)
{
    (void)state;
    static const char json[] =
        "{\"keypairs\":[{\"keypair\":{\"name\":\"k1\",\"public_key\":\"ssh-rsa A\",\"fingerprint\":"
        "\"e3:b7\",\"type\":\"ssh\"}},{\"keypair\":{\"name\":\"k2\",\"fingerprint\":\"00\","
        "\"user_id\":\"u\",\"id\":7}}]}";
    struct os_page page = {0};
    struct http_response rsp = {.body = json, .body_len = strlen(json)};
    parse(json, os_keypair_kind.page, &page);
    assert_int_equal(page.items.n, 2);
    struct os_keypair *k = page.items.items;
    os_members(&arena, &rsp, os_keypair_kind.list_depth, k, 2, sizeof(*k));
    pb_Keypair *keypair = os_keypair_kind.message(&arena, "lab", &k[0].thing);
    assert_string_equal(keypair->id, "k1");
    assert_string_equal(keypair->name, "k1");
    assert_string_equal(keypair->public_key, "ssh-rsa A");
    assert_string_equal(keypair->type, "ssh");
    keypair = os_keypair_kind.message(&arena, "lab", &k[1].thing);
    assert_string_equal(keypair->id, "k2");
    assert_string_equal(keypair->type, "ssh"); /* Nova 2.1 does not say */
    assert_string_equal(IN(native, keypair, "user_id"), "u");
    assert_int_equal(keypair->n_native, 1);
}

static void test_zone(void **state)
{
    (void)state;
    struct os_page page = {0};
    parse("{\"availabilityZoneInfo\":[{\"zoneName\":\"nova\",\"zoneState\":{\"available\":true},"
          "\"hosts\":null},{\"zoneName\":\"z2\",\"zoneState\":{\"available\":false}}]}",
          os_zone_kind.page, &page);
    assert_int_equal(page.items.n, 2);
    struct os_zone *z = page.items.items;
    pb_Zone *zone = os_zone_kind.message(&arena, "lab", &z[0].thing);
    assert_string_equal(zone->id, "nova");
    assert_true(zone->available);
    zone = os_zone_kind.message(&arena, "lab", &z[1].thing);
    assert_string_equal(zone->name, "z2");
    assert_false(zone->available);
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
        cmocka_unit_test(test_server),         cmocka_unit_test(test_server_with_less),
        cmocka_unit_test(test_server_mangled), cmocka_unit_test(test_flavor),
        cmocka_unit_test(test_image_list),     cmocka_unit_test(test_network_and_subnet),
        cmocka_unit_test(test_security_group), cmocka_unit_test(test_keypairs),
        cmocka_unit_test(test_zone),           cmocka_unit_test(test_ours),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
