/* Machines as the Azure adapter reads them, with all that hangs on them, against a table of
 * answers.
 */
#include "azure_calls.h"

#define VMS          COMPUTE "/virtualMachines"
#define VM_ID(name_) GROUP("g") VMS "/" name_
#define NIC_ID(n_)   GROUP("g") NETWORK "/networkInterfaces/" n_
#define IP_ID(n_)    GROUP("g") NETWORK "/publicIPAddresses/" n_
#define SUBNET_ID    GROUP("n") NETWORK "/virtualNetworks/net/subnets/a"
#define VM(name_, nic_)                                                                            \
    "{\"id\":\"" VM_ID(name_) "\",\"name\":\"" name_                                               \
                              "\",\"location\":\"westeurope\",\"zones\":[\"2\"],\"tags\":{"        \
                              "\"role\":\"front\",\"isobar-token\":\"t1\"},\"properties\":{"       \
                              "\"vmId\":\"v-1\",\"hardwareProfile\":{\"vmSize\":"                  \
                              "\"Standard_B1s\"},\"provisioningState\":\"Succeeded\","             \
                              "\"timeCreated\":\"2026-11-22T10:00:00.1234567+00:00\","             \
                              "\"storageProfile\":{\"imageReference\":{\"publisher\":\"Debian\","  \
                              "\"offer\":\"debian-12\",\"sku\":\"12\",\"version\":\"latest\","     \
                              "\"exactVersion\":\"0.1.2\"},\"osDisk\":{\"osType\":\"Linux\","      \
                              "\"name\":\"d\",\"diskSizeGB\":30,\"deleteOption\":\"Delete\","      \
                              "\"managedDisk\":{\"id\":\"/disk/0\",\"storageAccountType\":"        \
                              "\"Premium_LRS\"}},\"dataDisks\":[{\"lun\":0,\"managedDisk\":{"      \
                              "\"id\":\"/disk/1\"},\"deleteOption\":\"Detach\"},{\"lun\":1}]},"    \
                              "\"networkProfile\":{\"networkInterfaces\":[{\"id\":\"" nic_ "\"}]}"
#define STATUSES                                                                                   \
    "\"instanceView\":{\"statuses\":[{\"code\":\"ProvisioningState/succeeded\",\"level\":"         \
    "\"Info\",\"time\":\"2026-11-22T11:00:00Z\"},{\"code\":\"PowerState/running\",\"level\":"      \
    "\"Info\"}]}"
#define NIC(n_, more_)                                                                             \
    "{\"id\":\"" NIC_ID(n_) "\",\"name\":\"" n_                                                    \
                            "\",\"properties\":{\"macAddress\":\"00-0D-3A-1B-C7-21\","             \
                            "\"networkSecurityGroup\":{\"id\":\"" GROUP("g") NETWORK               \
        "/networkSecurityGroups/web\"},"                                                           \
        "\"ipConfigurations\":[{\"properties\":{"                                                  \
        "\"privateIPAddress\":\"10.0.0.4\",\"subnet\":{"                                           \
        "\"id\":\"" SUBNET_ID "\"}" more_ "}},{"                                                   \
        "\"properties\":{\"privateIPAddress\":\"fd00::4\","                                        \
        "\"subnet\":{\"id\":\"" SUBNET_ID "\"}}}]}}"
#define PUBLIC(n_) ",\"publicIPAddress\":{\"id\":\"" IP_ID(n_) "\"}"
#define IP(n_)     "{\"id\":\"" IP_ID(n_) "\",\"properties\":{\"ipAddress\":\"20.1.2.3\"}}"

static void check_machine(const pb_Vm *vm)
{
    assert_string_equal(vm->id, VM_ID("web"));
    assert_string_equal(vm->name, "web");
    assert_int_equal(vm->state, VM_STATE_RUNNING);
    assert_string_equal(vm->native_state, "running, Succeeded");
    assert_string_equal(vm->fault, "");
    assert_string_equal(vm->flavor_name, "Standard_B1s");
    assert_int_equal(vm->vcpus, 1);
    assert_int_equal(vm->memory_mib, 1024);
    assert_int_equal(vm->disk_gib, 30);
    assert_string_equal(vm->image_id, "Debian:debian-12:12:0.1.2");
    assert_string_equal(vm->image_name, "Debian:debian-12:12:latest");
    assert_string_equal(vm->region, "westeurope");
    assert_string_equal(vm->zone, "2");
    assert_int_equal(vm->created_at->seconds, 1795341600);
    assert_int_equal(vm->updated_at->seconds, 1795345200);
    assert_int_equal(vm->n_volumes, 2);
    assert_string_equal(vm->volumes[0]->id, "/disk/0");
    assert_true(vm->volumes[0]->delete_on_termination);
    assert_false(vm->volumes[1]->delete_on_termination);
    assert_int_equal(vm->n_tags, 1);
    assert_string_equal(vm->tags[0]->key, "role");
    assert_int_equal(vm->n_addresses, 3);
    assert_string_equal(vm->addresses[0]->ip, "10.0.0.4");
    assert_string_equal(vm->addresses[0]->mac, "00:0d:3a:1b:c7:21");
    assert_string_equal(vm->addresses[0]->network_id, GROUP("n") NETWORK "/virtualNetworks/net");
    assert_string_equal(vm->addresses[0]->network_name, "net");
    assert_string_equal(vm->addresses[1]->ip, "20.1.2.3");
    assert_int_equal(vm->addresses[1]->kind, ADDRESS_KIND_PUBLIC);
    assert_int_equal(vm->addresses[2]->ip_version, 6);
    assert_int_equal(vm->n_security_group_names, 1);
    assert_string_equal(vm->security_group_names[0], "web");
}

static const char *native(const pb_Vm *vm, const char *key)
{
    for (size_t i = 0; i < vm->n_native; i++)
        if (strcmp(vm->native[i]->key, key) == 0)
            return vm->native[i]->value;
    return "";
}

static void test_get(void **state)
{
    pb_GetVmResponse got;

    (void)state;
    CLOUD_ROWS(
        &cloud, {SIZES, ALWAYS, 200, SIZES_BODY},
        {"GET " VM_ID("web") "?$expand=instanceView&api-version=2021-03-01$", ALWAYS, 200,
         VM("web", NIC_ID("n1")) "," STATUSES "}}"},
        {"GET " NIC_ID("n1") "?api-version=2021-02-01$", ALWAYS, 200, NIC("n1", PUBLIC("p1"))},
        {"GET " IP_ID("p1"), ALWAYS, 200, IP("p1")});
    cloud_code(&cloud, CALL(get_vm, GetVm, GET_VM, VM_ID("web"), &got), RESULT_CODE_OK);
    check_machine(got.vm);
    assert_string_equal(native(got.vm, "isobar-token"), "t1");
    assert_string_equal(native(got.vm, "vmId"), "v-1");
    assert_string_equal(native(got.vm, "instanceView.statuses.2.code"), "PowerState/running");
    assert_string_equal(native(got.vm, "storageProfile.osDisk.managedDisk.storageAccountType"),
                        "Premium_LRS");
    assert_string_equal(native(got.vm, "hardwareProfile.vmSize"), "");
    /* The sizes are known now. */
    cloud_code(&cloud, CALL(get_vm, GetVm, GET_VM, VM_ID("web"), &got), RESULT_CODE_OK);
    check_machine(got.vm);
    assert_int_equal(cloud_count(&cloud, "GET"), 3);
}

/* What hangs on it may be out of reach: it is shown all the same, and that is said. */
static void test_get_without(void **state)
{
    pb_GetVmResponse got;

    (void)state;
    CLOUD_ROWS(&cloud, {SIZES, ALWAYS, 403, AZURE_ERROR("AuthorizationFailed", "no sizes")},
               {"GET " VM_ID("web"), ALWAYS, 200, VM("web", NIC_ID("n1")) "," STATUSES "}}"},
               {"GET " NIC_ID("n1"), 1, 404, AZURE_ERROR("ResourceNotFound", "gone")},
               {"GET " NIC_ID("n1"), ALWAYS, 403, AZURE_ERROR("AuthorizationFailed", "no nics")});
    cloud_code(&cloud, CALL(get_vm, GetVm, GET_VM, VM_ID("web"), &got), RESULT_CODE_OK);
    assert_int_equal(got.vm->n_addresses, 0);
    assert_int_equal(got.vm->vcpus, 0);
    assert_int_equal(cloud.op.result->n_warnings, 0); /* it goes with its interfaces */
    cloud_code(&cloud, CALL(get_vm, GetVm, GET_VM, VM_ID("web"), &got), RESULT_CODE_OK);
    assert_int_equal(got.vm->n_addresses, 0);
    assert_int_equal(cloud.op.result->n_warnings, 1);
    assert_non_null(strstr(cloud.op.result->warnings[0], "no nics"));
}

/* Four lists and the sizes, however many machines there are; ids in any case. */
static void test_list(void **state)
{
    pb_ListVmsResponse all;

    (void)state;
    CLOUD_ROWS(&cloud, {SIZES, ALWAYS, 200, SIZES_BODY},
               {"GET " SUBSCRIPTION VMS "?api-version=2021-03-01$", ALWAYS, 200,
                LIST(VM("web", "/SUBSCRIPTIONS/" AZURE_SUBSCRIPTION "/RESOURCEGROUPS/G" NETWORK
                               "/networkInterfaces/N1") "}}," VM("new", "/none") "}}")},
               {"GET " SUBSCRIPTION VMS "?statusOnly=true&api-version=2021-03-01$", ALWAYS, 200,
                LIST("{\"id\":\"/subscriptions/" AZURE_SUBSCRIPTION "/resourcegroups/G" VMS
                     "/WEB\",\"properties\":{\"provisioningState\":"
                     "\"Succeeded\"," STATUSES "}},{\"id\":\"/other\"},{\"name\":\"x\"}")},
               {"GET " SUBSCRIPTION NETWORK "/networkInterfaces?", ALWAYS, 200,
                LIST(NIC("n2", "") "," NIC("n1", PUBLIC("P1")))},
               {"GET " SUBSCRIPTION NETWORK "/publicIPAddresses?", ALWAYS, 200,
                LIST("{\"id\":\"/z\"}," IP("p1") ",{\"id\":\"/a\"}")});
    cloud_code(&cloud, LISTING(list_vms, ListVms, LIST_VMS, &all), RESULT_CODE_OK);
    assert_int_equal(cloud_count(&cloud, "GET"), 5);
    assert_int_equal(all.n_vms, 2);
    check_machine(all.vms[0]);
    /* It has come into being between the two lists. */
    assert_string_equal(all.vms[1]->name, "new");
    assert_int_equal(all.vms[1]->state, VM_STATE_UNKNOWN);
    assert_int_equal(all.vms[1]->n_addresses, 0);
    cloud_code(&cloud, LISTING(list_vms, ListVms, LIST_VMS, &all), RESULT_CODE_OK);
    assert_int_equal(cloud_count(&cloud, "GET"), 4);
}

static void test_list_fails(void **state)
{
    pb_ListVmsResponse all;

    (void)state;
    CLOUD_ROWS(
        &cloud, {"GET " SUBSCRIPTION VMS "?api-version=2021-03-01$", 1, 200, LIST("")},
        {"GET " SUBSCRIPTION VMS "?api-version=2021-03-01$", 1, 200, LIST(VM("web", "/none") "}}")},
        {"GET " SUBSCRIPTION VMS "?statusOnly=true", ALWAYS, 403,
         AZURE_ERROR("AuthorizationFailed", "no states")});
    cloud_code(&cloud, LISTING(list_vms, ListVms, LIST_VMS, &all), RESULT_CODE_OK);
    assert_int_equal(all.n_vms, 0);
    assert_int_equal(cloud_count(&cloud, "GET"), 1);
    /* Machines of no state would be as good as lost. */
    cloud_code(&cloud, LISTING(list_vms, ListVms, LIST_VMS, &all), RESULT_CODE_FORBIDDEN);
    assert_non_null(strstr(cloud.op.result->detail, "no states"));
    cloud_code(&cloud, LISTING(list_vms, ListVms, LIST_VMS, &all), RESULT_CODE_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_get),
        CASE(test_get_without),
        CASE(test_list),
        CASE(test_list_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
