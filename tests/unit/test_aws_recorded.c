/* Answers of EC2 that libcloud has recorded, by the tables that the adapter reads them with. */
#include "arena_fixture.h"
#include "aws_addresses.h"
#include "aws_eni.h"
#include "aws_errors.h"
#include "aws_images.h"
#include "aws_instances.h"
#include "aws_networks.h"
#include "aws_regions.h"
#include "aws_states.h"
#include "aws_types.h"
#include "shared_data.h"

static struct aws_config config = {.region = "us-east-1"};
static struct adapter adapter = {.name = (char *)(uintptr_t) "lab", .config = &config};

static void read_into(const char *file, const struct shape *shape, void *ret)
{
    size_t len;
    char why[160];
    char *text = read_shared(arena_printf(&arena, SHARED_DATA "/recorded/ec2/%s", file), &len);

    if (!xml_parse(&arena, text, len, shape, ret, why))
        fail_msg("%s: %s", file, why);
    free(text);
}

/* The things of a list, each as a message. */
static void **read_list(const struct aws_kind *kind, const char *file, size_t wanted)
{
    struct aws_page page = {.items = {SIZE_MAX, NULL}};
    void **messages = arena_array(&arena, wanted + 1, sizeof(*messages));

    read_into(file, kind->page, &page);
    aws_complete(&arena, kind, &page.items);
    assert_int_equal(page.items.n, wanted);
    for (size_t i = 0; i < wanted; i++) {
        messages[i] =
            kind->message(&adapter, &arena, (char *)page.items.items + i * kind->item->size);
        assert_non_null(messages[i]);
    }
    return messages;
}

static void test_instances(void **state)
{
    struct aws_page page = {0};

    (void)state;
    read_into("describe_instances.xml", aws_instance_kind.page, &page);
    aws_complete(&arena, &aws_instance_kind, &page.items);
    assert_int_equal(page.items.n, 2);
    const struct aws_instance *i = page.items.items;
    const pb_Vm *vm = aws_parse_instance(&arena, "lab", "us-east-1", &i[0]);
    assert_string_equal(vm->id, "i-4382922a");
    assert_string_equal(vm->name, "");
    assert_int_equal(vm->state, VM_STATE_STOPPED);
    assert_int_equal(vm->n_addresses, 2); /* of EC2-Classic: no interface */
    assert_string_equal(vm->addresses[1]->ip, "1.2.3.4");
    assert_int_equal(vm->addresses[1]->kind, ADDRESS_KIND_PUBLIC);
    assert_int_equal(vm->n_security_group_names, 2);
    assert_int_equal(vm->created_at->seconds, 1365530461); /* older than its launch */
    vm = aws_parse_instance(&arena, "lab", "us-east-1", &i[1]);
    assert_string_equal(vm->name, "Test Server 2");
    assert_int_equal(vm->n_tags, 1);
    assert_string_equal(vm->addresses[0]->network_id, "vpc-61dcd30e");
    assert_string_equal(vm->addresses[0]->mac, "0e:27:72:16:52:ab");
    assert_int_equal(vm->n_volumes, 1);
    assert_false(vm->volumes[0]->delete_on_termination);
    assert_string_equal(i[1].reservation_id, "r-88dc1bef");
}

/* Each answer with machines in it that RunInstances has given. */
static void test_run_instances(void **state)
{
    static const char *const files[] = {"run_instances.xml", "run_instances_iam_profile.xml",
                                        "run_instances_idem.xml", "run_instances_spot.xml",
                                        "run_instances_with_subnet_and_security_group.xml"};

    (void)state;
    for (size_t f = 0; f < ARRAY_LEN(files); f++) {
        struct aws_reservation r = {0};
        read_into(files[f], &aws_reservation_shape, &r);
        struct shape_list list = {1, &r};
        aws_complete(&arena, &aws_instance_kind, &list);
        if (list.n == 0)
            fail_msg("%s: no machine", files[f]);
        const struct aws_instance *i = list.items;
        const pb_Vm *vm = aws_parse_instance(&arena, "lab", "us-east-1", &i[0]);
        assert_int_equal(strncmp(vm->id, "i-", 2), 0);
        assert_int_equal(vm->state, VM_STATE_CREATING);
        assert_true(vm->flavor_name[0] != '\0' && vm->image_id[0] != '\0');
        assert_non_null(vm->created_at);
    }
}

static void test_changes(void **state)
{
    static const struct {
        const char *file, *now, *before;
    } rows[] = {
        {"start_instances.xml", "pending", "stopped"},
        {"stop_instances.xml", "stopping", "running"},
    };
    static const struct shape_field fields[] = {
        {"instancesSet", SHAPE_LIST, 0, &aws_instance_shape}};
    static const struct shape shape = {sizeof(struct shape_list), fields, 1, 0};

    (void)state;
    for (size_t f = 0; f < ARRAY_LEN(rows); f++) {
        struct shape_list list = {0};
        read_into(rows[f].file, &shape, &list);
        assert_int_equal(list.n, 1);
        const struct aws_instance *i = list.items;
        assert_string_equal(i->state.name, rows[f].now);
        assert_string_equal(i->previous.name, rows[f].before);
    }
}

static void test_images(void **state)
{
    pb_Image **images = (pb_Image **)read_list(&aws_own_image_kind, "describe_images.xml", 3);

    (void)state;
    assert_string_equal(images[0]->id, "ami-57ba933a");
    assert_string_equal(images[0]->name, "Test Image");
    assert_int_equal(images[0]->min_disk_gib, 10);
    assert_string_equal(images[0]->visibility, "private");
    assert_string_equal(images[0]->os_type, "linux");
    assert_int_equal(images[0]->created_at->seconds, 1610303040);
    assert_null(images[1]->created_at);
    read_list(&aws_image_kind, "describe_images_ex_imageids.xml", 1);
}

static void test_networks(void **state)
{
    pb_Network **networks = (pb_Network **)read_list(&aws_vpc_kind, "describe_vpcs.xml", 2);
    pb_Subnet **subnets = (pb_Subnet **)read_list(&aws_subnet_kind, "describe_subnets.xml", 2);
    pb_SecurityGroup **groups =
        (pb_SecurityGroup **)read_list(&aws_group_kind, "describe_security_groups.xml", 2);

    (void)state;
    assert_string_equal(networks[0]->id, "vpc-532335e1");
    assert_string_equal(networks[0]->status, "available");
    assert_int_equal(strncmp(subnets[0]->id, "subnet-", 7), 0);
    assert_int_equal(strncmp(subnets[0]->network_id, "vpc-", 4), 0);
    assert_non_null(strchr(subnets[0]->cidr, '/'));
    assert_int_equal(groups[0]->n_rules, 1);
    assert_string_equal(groups[0]->rules[0]->protocol, "tcp");
    assert_int_equal(groups[0]->rules[0]->port_min, 80);
    assert_string_equal(groups[0]->rules[0]->direction, "ingress");
    assert_string_equal(groups[0]->rules[0]->remote_cidr, "0.0.0.0/0");
    assert_string_equal(groups[1]->rules[0]->remote_group_id, "sg-99gh4012");
}

static const struct aws_thing *first_of(const struct aws_kind *kind, const char *file,
                                        size_t wanted)
{
    struct aws_page page = {.items = {SIZE_MAX, NULL}};

    read_into(file, kind->page, &page);
    aws_complete(&arena, kind, &page.items);
    assert_int_equal(page.items.n, wanted);
    return page.items.items;
}

static void test_addresses(void **state)
{
    const struct aws_thing *thing = first_of(&aws_address_kind, "describe_addresses.xml", 1);
    const struct aws_address *address = (const void *)thing;

    (void)state;
    assert_string_equal(thing->id, "eipalloc-602b5d01");
    assert_string_equal(thing->name, "1.2.3.4");
    assert_true(aws_address_is_on(address, "eni-83e3c5c5"));
    /* Of EC2-Classic, which has no allocations: none of ours. */
    first_of(&aws_address_kind, "describe_addresses_single.xml", 0);
    thing = first_of(&aws_eni_kind, "describe_network_interfaces.xml", 2);
    assert_string_equal(thing->id, "eni-18e6c05e");
    assert_true(aws_eni_is_attached((const void *)thing));
}

static void test_errors(void **state)
{
    static const struct {
        const char *file, *code;
        pb_ResultCode result;
    } rows[] = {
        {"describe_key_pairs_doesnt_exist.xml", "InvalidKeyPair.NotFound", RESULT_CODE_NOT_FOUND},
        {"run_instances_idem_mismatch.xml", "IdempotentParameterMismatch",
         RESULT_CODE_ALREADY_EXISTS},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct aws_fault fault;
        size_t len;
        char *text =
            read_shared(arena_printf(&arena, SHARED_DATA "/recorded/ec2/%s", rows[i].file), &len);
        struct http_response rsp = {.status = 400, .body = text, .body_len = len};
        aws_fault_read(&arena, &rsp, &fault);
        assert_string_equal(fault.code, rows[i].code);
        assert_int_equal(aws_error_find(fault.code, 400)->result, rows[i].result);
        assert_null(strchr(fault.message, '\n')); /* one is laid out for people */
        free(text);
    }
}

static void test_the_rest(void **state)
{
    pb_Keypair **keys = (pb_Keypair **)read_list(&aws_key_kind, "describe_key_pairs.xml", 1);
    pb_Zone **zones = (pb_Zone **)read_list(&aws_zone_kind, "describe_availability_zones.xml", 2);
    struct aws_page types = {.items = {SIZE_MAX, NULL}};

    (void)state;
    assert_string_equal(keys[0]->name, "gsg-keypair");
    assert_string_equal(keys[0]->id, "gsg-keypair"); /* from before they had ids */
    assert_string_equal(zones[0]->id, "eu-west-1a");
    assert_string_equal(zones[0]->region, "eu-west-1");
    assert_true(zones[0]->available);
    /* Eucalyptus has a list of its own making, which is not EC2's. */
    read_into("describe_instance_types.xml", aws_type_kind.page, &types);
    assert_true(types.items.n == SIZE_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_instances), cmocka_unit_test(test_run_instances),
        cmocka_unit_test(test_changes),   cmocka_unit_test(test_images),
        cmocka_unit_test(test_networks),  cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_errors),    cmocka_unit_test(test_the_rest),
    };

    return have_shared_data(SHARED_DATA "/recorded/ec2")
               ? cmocka_run_group_tests(tests, arena_set_up, arena_tear_down)
               : 77;
}
