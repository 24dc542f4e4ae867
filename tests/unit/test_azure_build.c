/* Orders to Azure: what is sent for a plan, and what is wrong with a specification. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "az_actions.h"
#include "az_plan.h"

#define TEXT(s) ((char *)(uintptr_t)(s))
#define SUB     "11111111-2222-3333-4444-555555555555"
#define GROUP   "/subscriptions/" SUB "/resourceGroups/g (x)"
#define MARK    "isobar-01890a5d-ac96-774b-bcce-b302099a8057"
#define NIC_ID  GROUP "/providers/Microsoft.Network/networkInterfaces/" MARK "-nic"
#define IP_ID   GROUP "/providers/Microsoft.Network/publicIPAddresses/" MARK "-ip"
#define SUBNET  GROUP "/providers/Microsoft.Network/virtualNetworks/n/subnets/s"
#define TAGS    "\"tags\":{\"role\":\"web\",\"isobar-token\":\"01890a5d-ac96-774b-bcce-b302099a8057\"}"
#define NIC_PATH                                                                                   \
    "/subscriptions/" SUB "/resourceGroups/g%20%28x%29/providers/Microsoft.Network/"               \
    "networkInterfaces/" MARK "-nic"

static struct arena arena;

struct fixture {
    struct az_config config;
    struct adapter adapter;
    struct op op;
    pb_VmSpec spec;
    pb_VmSpec_TagsEntry tag, *tags[1];
    pb_VmSpec_ParametersEntry entries[8], *parameters[8];
    pb_VolumeSpec volumes[2], *volume_list[2];
    struct az_plan plan;
};

static void fixture(struct fixture *f)
{
    *f = (struct fixture){.spec = pb_VmSpec_INIT, .tag = pb_VmSpec_TagsEntry_INIT};
    f->config.subscription_id = SUB;
    f->config.versions[AZ_COMPUTE] = "2021-03-01";
    f->adapter = (struct adapter){.name = TEXT("lab"), .config = &f->config};
    f->op = (struct op){.arena = &arena, .result = result_new(&arena), .token = ""};
    f->tag.key = TEXT("role");
    f->tag.value = TEXT("web");
    f->tags[0] = &f->tag;
    f->spec.name = TEXT("web");
    f->spec.flavor_name = TEXT("Standard_B1s");
    f->spec.public_ip_type = TEXT("none");
    f->spec.tags = f->tags;
    f->spec.n_tags = 1;
    f->spec.parameters = f->parameters;
    f->plan = (struct az_plan){
        .spec = &f->spec,
        .token = "01890a5d-ac96-774b-bcce-b302099a8057",
        .location = "westeurope",
        .group = "g (x)",
        .vm_id = GROUP "/providers/Microsoft.Compute/virtualMachines/web",
        .nic_id = NIC_ID,
        .subnet_id = SUBNET,
        .image = {.publisher = "p", .offer = "o", .sku = "s", .version = "latest"},
        .key = "ssh-rsa AAAA me\n",
        .computer = "web",
    };
}

static void parameter(struct fixture *f, const char *name, const char *value)
{
    pb_VmSpec_ParametersEntry *e = &f->entries[f->spec.n_parameters];

    *e = (pb_VmSpec_ParametersEntry)pb_VmSpec_ParametersEntry_INIT;
    e->key = TEXT(name);
    e->value = TEXT(value);
    f->parameters[f->spec.n_parameters++] = e;
}

static void volume(struct fixture *f, const char *name, uint32_t size, bool keep)
{
    pb_VolumeSpec *v = &f->volumes[f->spec.n_volumes];

    *v = (pb_VolumeSpec)pb_VolumeSpec_INIT;
    v->name = TEXT(name);
    v->size_gib = size;
    v->keep = keep;
    f->volume_list[f->spec.n_volumes++] = v;
    f->spec.volumes = f->volume_list;
}

static void has(const struct az_request *req, const char *part)
{
    if (strstr(req->body, part) == NULL)
        fail_msg("no %s in %s", part, req->body);
}

static void lacks(const struct az_request *req, const char *part)
{
    if (strstr(req->body, part) != NULL)
        fail_msg("%s in %s", part, req->body);
}

static void test_names(void **state)
{
    struct fixture f;

    (void)state;
    fixture(&f);
    assert_string_equal(az_made_id(&f.adapter, &arena, "g (x)",
                                   "Microsoft.Network/networkInterfaces",
                                   az_made_name(&arena, f.plan.token, "nic")),
                        NIC_ID);
    volume(&f, "", 1, false);
    volume(&f, "", 2, true);
    assert_string_equal(az_disk_name(&arena, &f.plan, 0), MARK "-d0");
    /* One that is kept is not named as what is ours to delete. */
    assert_string_equal(az_disk_name(&arena, &f.plan, 1),
                        "web-01890a5d-ac96-774b-bcce-b302099a8057-d1");
    f.volumes[0].name = TEXT("data");
    assert_string_equal(az_disk_name(&arena, &f.plan, 0), "data");
}

static void test_interface(void **state)
{
    struct fixture f;
    struct az_request req;

    (void)state;
    fixture(&f);
    assert_true(az_build_nic(&arena, &f.plan, &req));
    assert_string_equal(req.path, NIC_PATH);
    assert_string_equal(req.method, "PUT");
    assert_int_equal(req.flags, SEND_IDEMPOTENT);
    assert_string_equal(
        req.body,
        "{\"location\":\"westeurope\"," TAGS ",\"properties\":{\"ipConfigurations\":[{\"name\":"
        "\"ipconfig1\",\"properties\":{\"primary\":true,\"subnet\":{\"id\":\"" SUBNET "\"},"
        "\"privateIPAddressVersion\":\"IPv4\",\"privateIPAllocationMethod\":\"Dynamic\"}}]}}");
    /* An address of ours goes with the machine, another one stays. */
    f.plan.ip_id = IP_ID;
    f.plan.nsg_id = "/n";
    assert_true(az_build_nic(&arena, &f.plan, &req));
    has(&req,
        "\"publicIPAddress\":{\"id\":\"" IP_ID "\",\"properties\":{\"deleteOption\":\"Delete\"}}");
    has(&req, "\"networkSecurityGroup\":{\"id\":\"/n\"}");
    f.plan.ip_id = NULL;
    f.plan.address_id = "/mine";
    assert_true(az_build_nic(&arena, &f.plan, &req));
    has(&req,
        "\"publicIPAddress\":{\"id\":\"/mine\",\"properties\":{\"deleteOption\":\"Detach\"}}");
    /* The primary configuration is of IPv4. */
    parameter(&f, "public_ip_version", "IPv6");
    assert_true(az_build_nic(&arena, &f.plan, &req));
    const char *first = strstr(req.body, "ipconfig1"), *second = strstr(req.body, "ipconfig2");
    assert_true(first != NULL && second > first && strstr(req.body, "/mine") > second);
}

static void test_address(void **state)
{
    static const struct {
        const char *type, *sku, *wanted;
    } cases[] = {
        {"static", NULL,
         "\"sku\":{\"name\":\"Standard\"},\"properties\":{"
         "\"publicIPAllocationMethod\":\"Static\""},
        {"dynamic", NULL, "\"publicIPAllocationMethod\":\"Static\""},
        {"dynamic", "Basic", "\"publicIPAllocationMethod\":\"Dynamic\""},
        {"static", "Basic",
         "\"sku\":{\"name\":\"Basic\"},\"properties\":{"
         "\"publicIPAllocationMethod\":\"Static\""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct fixture f;
        struct az_request req;
        fixture(&f);
        f.plan.ip_id = IP_ID;
        f.spec.public_ip_type = TEXT(cases[i].type);
        if (cases[i].sku != NULL)
            parameter(&f, "public_ip_sku", cases[i].sku);
        assert_true(az_build_ip(&arena, &f.plan, &req));
        has(&req, cases[i].wanted);
        has(&req, TAGS);
        lacks(&req, "zones");
    }
}

static void test_machine(void **state)
{
    struct fixture f;
    struct az_request req;

    (void)state;
    fixture(&f);
    assert_true(az_build_vm(&arena, &f.plan, false, &req));
    assert_false(req.if_none_match);
    assert_string_equal(
        req.body,
        "{\"location\":\"westeurope\"," TAGS ",\"properties\":{\"hardwareProfile\":{\"vmSize\":"
        "\"Standard_B1s\"},\"storageProfile\":{\"imageReference\":{\"publisher\":\"p\",\"offer\":"
        "\"o\",\"sku\":\"s\",\"version\":\"latest\"},\"osDisk\":{\"name\":\"" MARK "-os\","
        "\"osType\":\"Linux\",\"createOption\":\"FromImage\",\"deleteOption\":\"Delete\"},"
        "\"dataDisks\":[]},\"osProfile\":{\"computerName\":\"web\",\"adminUsername\":\"azureuser\","
        "\"linuxConfiguration\":{\"disablePasswordAuthentication\":true,\"ssh\":{\"publicKeys\":[{"
        "\"path\":\"/home"
        "/azureuser/.ssh/authorized_keys\",\"keyData\":\"ssh-rsa AAAA me\"}]}}},"
        "\"networkProfile\":{\"networkInterfaces\":[{\"id\":\"" NIC_ID "\",\"properties\":{"
        "\"primary\":true,\"deleteOption\":\"Delete\"}}]}}}");
    assert_true(az_build_vm(&arena, &f.plan, true, &req));
    assert_true(req.if_none_match);
}

static void test_machine_with_more(void **state)
{
    struct fixture f;
    struct az_request req;

    (void)state;
    fixture(&f);
    volume(&f, "", 3, true);
    f.volumes[0].volume_type = TEXT("Premium_LRS");
    f.spec.zone = TEXT("2");
    f.plan.windows = true;
    f.plan.password = TEXT("secret");
    f.plan.image = (struct az_plan_image){.key = "id", .id = "/i"};
    f.plan.system_identity = true;
    f.plan.n_identities = 1;
    f.plan.identities = (const char *[]){"/one"};
    parameter(&f, "priority", "Spot");
    parameter(&f, "max_price", "0.25");
    parameter(&f, "plan", "a:b:c");
    assert_true(az_build_vm(&arena, &f.plan, false, &req));
    has(&req, "\"zones\":[\"2\"],\"plan\":{\"publisher\":\"a\",\"product\":\"b\",\"name\":\"c\"},"
              "\"identity\":{\"type\":\"SystemAssigned, UserAssigned\",\"userAssignedIdentities\":{"
              "\"/one\":{}}}");
    has(&req, "\"imageReference\":{\"id\":\"/i\"}");
    has(&req, "\"dataDisks\":[{\"lun\":0,\"name\":\"web-01890a5d-ac96-774b-bcce-b302099a8057-d0\","
              "\"createOption\":\"Empty\",\"diskSizeGB\":3,\"deleteOption\":\"Detach\","
              "\"managedDisk\":{\"storageAccountType\":\"Premium_LRS\"}}]");
    has(&req, "\"adminPassword\":\"secret\"");
    has(&req, "\"priority\":\"Spot\",\"billingProfile\":{\"maxPrice\":0.25}");
    lacks(&req, "linuxConfiguration");
}

/* A policy that has things inherit their group's tags would mark what others make. */
static void test_group(void **state)
{
    struct fixture f;
    struct az_request req;

    (void)state;
    fixture(&f);
    assert_true(az_build_group(&f.adapter, &arena, &f.plan, &req));
    assert_string_equal(req.body, "{\"location\":\"westeurope\"}");
    assert_string_equal(req.path, "/subscriptions/" SUB "/resourcegroups/g%20%28x%29");
}

static void test_specification(void **state)
{
    static const struct {
        const char *name, *value, *field; /* NULL: it is in order */
    } cases[] = {
        {"max_price", "1", "spec.parameters.max_price"},
        {"computer_name", "a_b", "spec.parameters.computer_name"},
        {"computer_name", "a.b", NULL},
        {"os_disk_size_gib", "0", "spec.parameters.os_disk_size_gib"},
        {"os_disk_size_gib", "30", NULL},
        {"plan", "image", NULL},
        {"plan", "a:b:c", NULL},
        {"plan", "a:b", "spec.parameters.plan"},
        {"hibernation", "true", "spec.parameters.hibernation"},
        {"hibernation", "false", NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct fixture f;
        fixture(&f);
        parameter(&f, cases[i].name, cases[i].value);
        pb_ResultCode code = az_check_spec(&f.adapter, &f.op, &f.spec);
        assert_int_equal(code,
                         cases[i].field != NULL ? RESULT_CODE_BAD_REQUEST_DATA : RESULT_CODE_OK);
        if (cases[i].field != NULL)
            assert_string_equal(f.op.result->violations[0]->field, cases[i].field);
    }
    struct fixture f;
    fixture(&f);
    f.config.versions[AZ_COMPUTE] = "2021-07-01-preview";
    parameter(&f, "hibernation", "true");
    assert_int_equal(az_check_spec(&f.adapter, &f.op, &f.spec), RESULT_CODE_OK);
}

static void test_prices(void **state)
{
    static const struct {
        const char *text;
        bool good;
    } cases[] = {{"-1", true},  {"0.05", true}, {"3", true},  {"1.", false},   {".5", false},
                 {"-2", false}, {"1e3", false}, {"x", false}, {"1.2.3", false}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct fixture f;
        fixture(&f);
        parameter(&f, "priority", "Spot");
        parameter(&f, "max_price", cases[i].text);
        assert_int_equal(az_check_spec(&f.adapter, &f.op, &f.spec) == RESULT_CODE_OK,
                         cases[i].good);
    }
}

static void test_actions(void **state)
{
    struct az_request req = az_build_action(&arena, &az_suspend, "/subscriptions/s/x");

    (void)state;
    assert_string_equal(req.path, "/subscriptions/s/x/deallocate?hibernate=true");
    assert_string_equal(req.method, "POST");
    req = az_build_action(&arena, &az_power_off, "/subscriptions/s/x");
    assert_string_equal(req.path, "/subscriptions/s/x/powerOff?skipShutdown=true");
    req = az_build_action(&arena, &az_reboot, "/subscriptions/s/x");
    assert_string_equal(req.path, "/subscriptions/s/x/restart");
    assert_int_equal(req.flags, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),   cmocka_unit_test(test_interface),
        cmocka_unit_test(test_address), cmocka_unit_test(test_machine),
        cmocka_unit_test(test_group),   cmocka_unit_test(test_machine_with_more),
        cmocka_unit_test(test_prices),  cmocka_unit_test(test_specification),
        cmocka_unit_test(test_actions),
    };

    arena_init(&arena, (size_t)16 << 20);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_done(&arena);
    return failed;
}
