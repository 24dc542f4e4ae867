/* Flavors, images, networks and the like, as OpenStack's services really answer, into messages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "os_flavors.h"
#include "os_images.h"
#include "os_keypairs.h"
#include "os_networks.h"
#include "os_regions.h"
#include "os_secgroups.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flavor),
        cmocka_unit_test(test_image_list),
        cmocka_unit_test(test_network_and_subnet),
        cmocka_unit_test(test_security_group),
        cmocka_unit_test(test_keypairs),
        cmocka_unit_test(test_zone),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
