/* Answers of Resource Manager that libcloud has recorded, and the examples of the published
 * specifications, by the tables that the adapter reads them with. */
#include "arena_fixture.h"
#include "az_states.h"
#include "az_things.h"
#include "shared_data.h"

#define RECORDED SHARED_DATA "/recorded/azure_arm/_subscriptions_"
#define SPEC     SHARED_DATA "/azure-swagger/specification/"
#define COMPUTE  SPEC "compute/resource-manager/Microsoft.Compute/stable/2021-03-01/examples/"
#define NETWORK  SPEC "network/resource-manager/Microsoft.Network/stable/2021-02-01/examples/"
#define OF_9     RECORDED "99999999_"
#define GROUP_0  OF_9 "resourceGroups_000000_providers_Microsoft_"
#define GROUP_R  OF_9 "resourceGroups_REVIZOR_providers_Microsoft_Network_"

static struct az_config config = {.location = "eastus"};
static struct adapter adapter = {.name = (char *)(uintptr_t) "lab", .config = &config};

/* A file as an answer; in an example it is inside of what was said of the request. */
static void read_into(const char *path, const struct az_kind *kind, const struct shape *shape,
                      void *ret, struct shape_list *items)
{
    bool example = strstr(path, "/examples/") != NULL;
    const struct shape_field body_field = {"body", SHAPE_STRUCT, 0, shape};
    const struct shape body = {shape->size, &body_field, 1, 0};
    const struct shape_field ok_field = {"200", SHAPE_STRUCT, 0, &body};
    const struct shape ok = {shape->size, &ok_field, 1, 0};
    const struct shape_field responses_field = {"responses", SHAPE_STRUCT, 0, &ok};
    const struct shape responses = {shape->size, &responses_field, 1, 0};
    const char *at = shape == kind->page ? "value" : "";
    struct http_response rsp = {.status = 200};
    char why[160];

    char *text = read_shared(path, &rsp.body_len);
    rsp.body = text;
    if (!shape_parse(&arena, rsp.body, rsp.body_len, example ? &responses : shape, ret, why))
        fail_msg("%s: %s", path, why);
    if (example)
        at = arena_printf(&arena, "responses.200.body%s%s", at[0] != '\0' ? "." : "", at);
    az_complete(&arena, kind, &rsp, at, items);
    free(text);
    assert_false(arena.exhausted);
}

static const struct az_page *read_list(const struct az_kind *kind, const char *path, size_t wanted)
{
    struct az_page *page = arena_alloc(&arena, sizeof(*page));

    page->items.n = SIZE_MAX;
    /* The list is complete only once it is parsed. */
    read_into(path, kind, kind->page, page, &page->items);
    if (page->items.n != wanted)
        fail_msg("%s: %zu things, not %zu", path, page->items.n, wanted);
    return page;
}

static void *read_one(const struct az_kind *kind, const char *path)
{
    struct shape_list one = {1, arena_alloc(&arena, kind->item->size)};

    read_into(path, kind, kind->item, one.items, &one);
    if (one.n != 1)
        fail_msg("%s: nothing", path);
    return one.items;
}

static const char *native(size_t n, pb_Vm_NativeEntry *const *all, const char *key)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(all[i]->key, key) == 0)
            return all[i]->value;
    fail_msg("no %s", key);
    return NULL;
}

static void test_machines(void **state)
{
    static const char *const pages[] = {OF_9 "providers_Microsoft_Compute_virtualMachines.json",
                                        OF_9 "providers_Microsoft_Compute_virtualMachines_1.json"};
    const struct az_links none = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
        const struct az_page *page = read_list(&az_vm_kind, pages[i], 1);
        const pb_Vm *vm = az_parse_vm(&arena, "lab", page->items.items, &none);
        assert_string_equal(vm->name, i == 0 ? "test-node-1" : "test-node-2");
        assert_string_equal(vm->flavor_name, "Standard_A1");
        assert_string_equal(vm->image_id, "OpenLogic:CentOS:7.3:latest");
        assert_string_equal(vm->region, "eastus");
        assert_int_equal(vm->n_volumes, 1);
        assert_int_equal(vm->state, VM_STATE_UNKNOWN); /* the words were edited */
        assert_string_equal(vm->native_state, "Running");
        assert_string_equal(native(vm->n_native, vm->native,
                                   "osProfile.linuxConfiguration.disablePasswordAuthentication"),
                            "false");
        assert_int_equal(page->next != NULL, i == 0);
    }
    read_list(&az_vm_kind,
              OF_9 "providers_Microsoft_Compute_virtualMachines_PAGINATION_INFINITE_LOOP.json", 1);
    const struct az_vm *one =
        read_one(&az_vm_kind, GROUP_0 "Compute_virtualMachines_test_node_1.json");
    const pb_Vm *vm = az_parse_vm(&arena, "lab", one, &none);
    assert_string_equal(vm->name, "test_vm");
    assert_string_equal(vm->image_id, "");
    assert_int_equal(vm->n_volumes, 2);
    assert_int_equal(vm->n_tags, 1);
    read_one(&az_vm_kind, GROUP_0 "Compute_virtualMachines_test_node_1_resize.json");
    one = read_one(&az_vm_kind, COMPUTE "GetVirtualMachine.json");
    vm = az_parse_vm(&arena, "lab", one, &none);
    assert_string_equal(vm->image_name,
                        "MicrosoftWindowsServer:WindowsServer:2016-Datacenter:latest");
    assert_int_equal(vm->disk_gib, 30);
    assert_int_equal(vm->n_volumes, 3);
    assert_string_equal(native(vm->n_native, vm->native, "storageProfile.dataDisks.2.createOption"),
                        "Attach");
    for (size_t i = 0; i < vm->n_native; i++)
        assert_string_not_equal(vm->native[i]->key, "userData");
    read_list(&az_vm_kind, COMPUTE "ListVirtualMachinesInASubscriptionByLocation.json", 2);
}

/* What the instance view says of states, in the one place that this adapter looks for it. */
static void test_views(void **state)
{
    static const struct {
        const char *file, *power;
    } rows[] = {
        {GROUP_0 "Compute_virtualMachines_test_node_1_InstanceView.json", "running"},
        {GROUP_0 "Compute_virtualMachines_test_node_2_InstanceView.json", "running"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        size_t len;
        char why[160], *view = read_shared(rows[i].file, &len);
        const char *body =
            arena_printf(&arena,
                         "{\"id\":\"/x\",\"properties\":{\"provisioningState\":\"Succeeded\","
                         "\"instanceView\":%s}}",
                         view);
        struct az_vm vm = {0};
        free(view);
        assert_true(shape_parse(&arena, body, strlen(body), az_vm_kind.item, &vm, why));
        assert_string_equal(az_power(&vm), rows[i].power);
        assert_int_equal(az_vm_state(&vm), VM_STATE_RUNNING);
        assert_string_equal(az_vm_fault(&arena, &vm), "");
    }
}

static void test_interfaces(void **state)
{
    static const struct {
        const char *file, *mac, *ip;
    } rows[] = {
        {GROUP_0 "Network_networkInterfaces_test_node_1_nic.json", NULL, "10.0.0.1"},
        {GROUP_0 "Network_networkInterfaces_test_node_2_nic.json", "11-11-11-11-11-11", "10.0.0.2"},
        {GROUP_R "networkInterfaces_test_nic.json", "00-0D-3A-1B-C7-21", "172.20.2.4"},
        {NETWORK "NetworkInterfaceGet.json", "00-0D-3A-1B-C7-21", "172.20.2.4"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct az_nic *nic = read_one(&az_nic_kind, rows[i].file);
        const struct az_ip_config *c = nic->configs.items;
        assert_true(nic->configs.n >= 1);
        assert_string_equal(c->private_ip, rows[i].ip);
        assert_non_null(c->subnet_id);
        assert_non_null(nic->vm_id);
        if (rows[i].mac != NULL)
            assert_string_equal(nic->mac, rows[i].mac);
    }
    read_list(&az_nic_kind, OF_9 "providers_Microsoft_Network_networkInterfaces.json", 1);
    read_list(&az_nic_kind, NETWORK "NetworkInterfaceListAll.json", 2);
    read_list(&az_nic_kind, NETWORK "NetworkInterfaceList.json", 2);
}

static void test_addresses(void **state)
{
    const struct az_ip *ip = read_one(&az_ip_kind, GROUP_R "publicIPAddresses_test_public_ip.json");

    (void)state;
    assert_string_equal(ip->sku, "Standard");
    assert_string_equal(ip->allocation, "Static");
    assert_int_equal(ip->zones.n, 1);
    assert_null(ip->address);
    assert_non_null(strstr(ip->used_by, "/ipConfigurations/ipconfig1"));
    ip = read_one(&az_ip_kind, NETWORK "PublicIpAddressGet.json");
    assert_string_equal(ip->version, "IPv4");
    read_list(&az_ip_kind, NETWORK "PublicIpAddressListAll.json", 2);
}

static void test_networks(void **state)
{
    const struct az_page *page =
        read_list(&az_vnet_kind, OF_9 "providers_Microsoft_Network_virtualnetworks.json", 1);
    const pb_Network *n = az_vnet_kind.message(&adapter, &arena, page->items.items);
    const struct az_vnet *v = page->items.items;

    (void)state;
    assert_string_equal(n->name, "test_network");
    assert_string_equal(n->status, "Succeeded");
    assert_int_equal(n->n_subnet_ids, 1);
    const pb_Subnet *s = az_subnet_kind.message(&adapter, &arena, v->subnets.items);
    assert_string_equal(s->name, "Azure_VPC_Subnet");
    assert_string_equal(s->cidr, "10.17.26.0/19");
    assert_string_equal(s->network_id, n->id);
    assert_int_equal(s->n_native, 2); /* etag, provisioningState */
    v = read_one(&az_vnet_kind, NETWORK "VirtualNetworkGet.json");
    assert_int_equal(v->subnets.n, 1);
    read_list(&az_vnet_kind, NETWORK "VirtualNetworkListAll.json", 2);
    const struct az_subnet *subnet = read_one(&az_subnet_kind, NETWORK "SubnetGet.json");
    assert_string_equal(subnet->prefix, "10.0.0.0/16");
}

static void test_groups(void **state)
{
    const struct az_nsg *g = read_one(&az_nsg_kind, NETWORK "NetworkSecurityGroupGet.json");
    const pb_SecurityGroup *m = az_nsg_kind.message(&adapter, &arena, g);

    (void)state;
    assert_int_equal(m->n_rules, 1); /* without the default ones */
    assert_string_equal(m->rules[0]->direction, "ingress");
    assert_string_equal(m->rules[0]->protocol, "");
    assert_int_equal(m->rules[0]->port_min, 80);
    assert_int_equal(m->rules[0]->port_max, 80);
    assert_string_equal(m->rules[0]->remote_cidr, "");
    assert_non_null(strstr(m->rules[0]->id, "/securityRules/rule1"));
    read_list(&az_nsg_kind, NETWORK "NetworkSecurityGroupListAll.json", 2);
}

static void test_sizes(void **state)
{
    const struct az_page *page = read_list(
        &az_size_kind, OF_9 "providers_Microsoft_Compute_locations_eastus_vmSizes.json", 3);
    const struct az_size *s = page->items.items;
    const pb_Flavor *f = az_size_kind.message(&adapter, &arena, &s[1]);

    (void)state;
    assert_string_equal(f->id, "Standard_A1");
    assert_int_equal(f->vcpus, 1);
    assert_int_equal(f->memory_mib, 1792);
    assert_int_equal(f->ephemeral_gib, 70);
    read_list(&az_size_kind, COMPUTE "ListAvailableVmSizes_VirtualMachines.json", 2);
}

static void test_the_rest(void **state)
{
    const struct az_page *page =
        read_list(&az_disk_kind, OF_9 "providers_Microsoft_Compute_disks.json", 3);
    const struct az_disk *disks = page->items.items;

    (void)state;
    assert_string_equal(disks[0].state, "Attached");
    read_list(&az_disk_kind, OF_9 "providers_Microsoft_Compute_disks_1.json", 1);
    read_list(&az_disk_kind, OF_9 "providers_Microsoft_Compute_disks_PAGINATION_INFINITE_LOOP.json",
              1);
    read_one(&az_disk_kind, GROUP_0 "Compute_disks_test_disk_1.json");
    read_one(&az_disk_kind, GROUP_0 "Compute_disks_test_node_disk_1.json");
    read_list(&az_disk_kind, OF_9 "resourceGroups_111111_providers_Microsoft_Compute_disks.json",
              1);
    page = read_list(&az_image_kind, COMPUTE "ListImagesInASubscription.json", 1);
    const pb_Image *i = az_image_kind.message(&adapter, &arena, page->items.items);
    assert_string_equal(i->os_type, "windows");
    assert_string_equal(i->status, "created");
    i = az_image_kind.message(&adapter, &arena,
                              read_one(&az_image_kind, COMPUTE "GetInformationAboutAnImage.json"));
    assert_int_equal(i->min_disk_gib, 20);
    const struct az_key *k = read_one(&az_key_kind, COMPUTE "GetAnSshPublicKey.json");
    assert_string_equal(k->public_key, "{ssh-rsa public key}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_machines),   cmocka_unit_test(test_views),
        cmocka_unit_test(test_interfaces), cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_networks),   cmocka_unit_test(test_groups),
        cmocka_unit_test(test_sizes),      cmocka_unit_test(test_the_rest),
    };

    return have_shared_data(SHARED_DATA "/recorded/azure_arm") &&
                   have_shared_data(SHARED_DATA "/azure-swagger")
               ? cmocka_run_group_tests(tests, arena_set_up, arena_tear_down)
               : 77;
}
