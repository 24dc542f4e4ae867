/* A create against a cloud that answers by a table: what is asked for, in which order and how
 * often. */
#include "azure_stub.h"

#include "adapter.h"

#define TEXT(s) ((char *)(uintptr_t)(s))
#define VM      GROUP("g") COMPUTE "/virtualMachines/web"
#define NIC     GROUP("g") NETWORK "/networkInterfaces/isobar-t1-nic"
#define IP      GROUP("g") NETWORK "/publicIPAddresses/isobar-t1-ip"
#define SUBNET  GROUP("g") NETWORK "/virtualNetworks/n/subnets/s"
#define TAGS    "\"tags\":{\"isobar-token\":\"t1\"}"
#define VM_BODY(tags_, disk_)                                                                      \
    "{\"id\":\"" VM "\",\"name\":\"web\",\"location\":\"westeurope\"," tags_                       \
    ",\"properties\":{\"provisioningState\":\"Creating\",\"hardwareProfile\":{\"vmSize\":"         \
    "\"Standard_B1s\"},\"storageProfile\":{\"osDisk\":{\"name\":\"" disk_ "\"}}}}"
#define OURS     VM_BODY(TAGS, "isobar-t1-os")
#define THEIRS   VM_BODY("\"tags\":{\"isobar-token\":\"t2\"}", "isobar-t2-os")
#define NIC_BODY "{\"id\":\"" NIC "\",\"name\":\"isobar-t1-nic\"," TAGS ",\"properties\":{}}"
#define IP_BODY  "{\"id\":\"" IP "\",\"name\":\"isobar-t1-ip\"," TAGS ",\"properties\":{}}"

static struct cloud cloud;
static pb_CreateVmResponse answer;

/* All of it is said by ids: nothing needs to be looked up. */
static pb_ResultCode create(bool resumed)
{
    pb_VmSpec spec = pb_VmSpec_INIT;
    pb_CreateVmRequest req = pb_CreateVmRequest_INIT;
    struct op *op = cloud_op(&cloud);

    spec.name = TEXT("web");
    spec.region = TEXT("West Europe");
    spec.resource_group_name = TEXT("g");
    spec.flavor_name = TEXT("Standard_B1s");
    spec.image_id = TEXT("p:o:s:latest");
    spec.image_type = TEXT("marketplace");
    spec.subnet_name = TEXT(SUBNET);
    spec.public_ip_type = TEXT("static");
    spec.keypair = TEXT("ssh-rsa AAAA me");
    req.spec = &spec;
    op->resumed = resumed;
    op->deadline_ns += 5 * NS_PER_SEC;
    answer = (pb_CreateVmResponse)pb_CreateVmResponse_INIT;
    return cloud.ops->create_vm(cloud.adapter, op, &req, &answer);
}

static void start(void)
{
    cloud_start(&cloud);
    CLOUD_ROWS(&cloud, {"PUT " IP, ALWAYS, 201, IP_BODY}, {"PUT " NIC, ALWAYS, 201, NIC_BODY},
               {"PUT " VM, ALWAYS, 201, OURS});
}

static void test_requests(void **state)
{
    static const char *const order[] = {"GET " VM, "PUT " IP, "PUT " NIC, "PUT " VM};

    (void)state;
    start();
    CLOUD_ROWS(&cloud, {"GET " VM, 1, 404, AZURE_ERROR("ResourceNotFound", "none")},
               {"GET " VM, ALWAYS, 200, OURS});
    cloud_code(&cloud, create(false), RESULT_CODE_CREATED);
    cloud_order(&cloud, order, ARRAY_LEN(order));
    /* Four for the machine, none of them a look at what goes on; then how it is shown. */
    assert_int_equal(cloud_count(&cloud, "PUT "), 3);
    assert_int_equal(cloud_count(&cloud, "GET " VM), 2);
    assert_int_equal(cloud_count(&cloud, "GET " SUBSCRIPTION "/providers/Microsoft.Network"), 0);
    assert_int_equal(answer.vm->state, VM_STATE_CREATING);
    assert_string_equal(answer.vm->id, VM);
    assert_string_equal(cloud.op.result->detail, "");
    cloud_stop(&cloud);
}

/* What is there is not ordered again. */
static void test_resumed(void **state)
{
    (void)state;
    start();
    CLOUD_ROWS(&cloud, {"GET " VM, ALWAYS, 200, OURS});
    cloud_code(&cloud, create(true), RESULT_CODE_CREATED);
    assert_int_equal(cloud_count(&cloud, "PUT "), 0);
    cloud_stop(&cloud);
}

static void test_name_of_another(void **state)
{
    (void)state;
    for (int resumed = 0; resumed < 2; resumed++) {
        start();
        CLOUD_ROWS(&cloud, {"GET " VM, ALWAYS, 200, THEIRS},
                   {"GET " NIC, ALWAYS, 404, AZURE_ERROR("ResourceNotFound", "none")},
                   {"GET " IP, ALWAYS, 404, AZURE_ERROR("ResourceNotFound", "none")});
        cloud_code(&cloud, create(resumed), RESULT_CODE_ALREADY_EXISTS);
        assert_int_equal(cloud_count(&cloud, "PUT "), 0);
        assert_int_equal(cloud_count(&cloud, "DELETE "), 0);
        assert_int_equal(cloud.op.result->side_effects, SIDE_EFFECTS_NONE);
        assert_string_equal(cloud.op.result->violations[0]->field, "spec.name");
        cloud_stop(&cloud);
    }
}

/* It came between our look and our order. */
static void test_overtaken(void **state)
{
    static const char *const order[] = {"PUT " VM, "GET " VM, "DELETE " NIC, "DELETE " IP};

    (void)state;
    start();
    CLOUD_ROWS(&cloud, {"GET " VM, 1, 404, AZURE_ERROR("ResourceNotFound", "none")},
               {"GET " VM, ALWAYS, 200, THEIRS},
               {"PUT " VM, ALWAYS, 409,
                AZURE_ERROR("PropertyChangeNotAllowed",
                            "Changing property 'osDisk.name' is not allowed.")},
               {"GET " NIC, ALWAYS, 200, NIC_BODY}, {"GET " IP, ALWAYS, 200, IP_BODY},
               {"DELETE ", ALWAYS, 204, ""});
    cloud_code(&cloud, create(false), RESULT_CODE_ALREADY_EXISTS);
    cloud_order(&cloud, order, ARRAY_LEN(order));
    assert_true(cloud.op.touched);
    assert_int_equal(cloud.op.result->side_effects, SIDE_EFFECTS_NONE);
    cloud_stop(&cloud);
}

/* Ours, whose answer was lost: the order that was sent again meets the first one. */
static void test_met_itself(void **state)
{
    (void)state;
    start();
    CLOUD_ROWS(&cloud, {"GET " VM, 1, 404, AZURE_ERROR("ResourceNotFound", "none")},
               {"GET " VM, ALWAYS, 200, OURS}, {"PUT " VM, 1, LOST, NULL},
               {"PUT " VM, ALWAYS, 409, AZURE_ERROR("Conflict", "Concurrent request.")});
    cloud_code(&cloud, create(false), RESULT_CODE_CREATED);
    assert_int_equal(cloud_count(&cloud, "DELETE "), 0);
    cloud_stop(&cloud);
}

/* The interface has to wait for the address: that is looked at, and the order sent again. */
static void test_patience(void **state)
{
    static const char *const order[] = {"PUT " IP, "PUT " NIC, "GET " SUBSCRIPTION "/operations/1",
                                        "PUT " NIC, "PUT " VM};

    (void)state;
    start();
    CLOUD_ROWS(&cloud, {"GET " VM, 1, 404, AZURE_ERROR("ResourceNotFound", "none")},
               {"GET " VM, ALWAYS, 200, OURS},
               {"PUT " IP, ALWAYS, 201,
                "!Azure-AsyncOperation: %1$s" SUBSCRIPTION
                "/operations/1?api-version=1\r\n\r\n" IP_BODY},
               {"GET " SUBSCRIPTION "/operations/1", ALWAYS, 200, "{\"status\":\"Succeeded\"}"},
               {"PUT " NIC, 1, 409, AZURE_ERROR("ReferencedResourceNotProvisioned", "Not yet.")});
    cloud_code(&cloud, create(false), RESULT_CODE_CREATED);
    cloud_order(&cloud, order, ARRAY_LEN(order));
    cloud_stop(&cloud);
}

/* Nobody knows: everything stays as it is, and a resumed create goes on with it. */
static void test_unknown(void **state)
{
    (void)state;
    start();
    CLOUD_ROWS(&cloud, {"GET " VM, ALWAYS, 404, AZURE_ERROR("ResourceNotFound", "none")},
               {"PUT " VM, ALWAYS, 500, AZURE_ERROR("InternalServerError", "It broke.")});
    cloud_code(&cloud, create(false), RESULT_CODE_OUTCOME_UNKNOWN);
    assert_int_equal(cloud.op.result->side_effects, SIDE_EFFECTS_POSSIBLE);
    assert_int_equal(cloud_count(&cloud, "DELETE "), 0);
    cloud_stop(&cloud);
}

/* A thing of the right name that does not bear our tag is not deleted, one with a copied tag
 * neither. */
static void test_only_ours_is_taken_back(void **state)
{
    (void)state;
    start();
    CLOUD_ROWS(
        &cloud, {"GET " VM, ALWAYS, 404, AZURE_ERROR("ResourceNotFound", "none")},
        {"PUT " VM, ALWAYS, 409, AZURE_ERROR("SkuNotAvailable", "No room.")},
        {"GET " NIC, ALWAYS, 200, "{\"id\":\"" NIC "\",\"name\":\"isobar-t1-nic\",\"tags\":{}}"},
        {"GET " IP, ALWAYS, 200,
         "{\"id\":\"" IP "\",\"name\":\"isobar-t1-ip\"," TAGS
         ",\"properties\":{\"ipConfiguration\":{\"id\":\"/other/ipConfigurations/1\"}}}"});
    cloud_code(&cloud, create(false), RESULT_CODE_OUT_OF_CAPACITY);
    assert_int_equal(cloud_count(&cloud, "DELETE "), 0);
    assert_int_equal(cloud.op.result->side_effects, SIDE_EFFECTS_CERTAIN);
    assert_true(cloud.op.result->n_warnings > 0);
    cloud_stop(&cloud);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests),        cmocka_unit_test(test_resumed),
        cmocka_unit_test(test_name_of_another), cmocka_unit_test(test_overtaken),
        cmocka_unit_test(test_met_itself),      cmocka_unit_test(test_patience),
        cmocka_unit_test(test_unknown),         cmocka_unit_test(test_only_ours_is_taken_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
