/* The sandbox as a cloud: its content, and how machines are made. */

#include "test_sandbox.h"

/* Changes of state that are over at once, or that take an hour: tests need not wait. */
#define INSTANT "boot_ms=0 pace_ms=0"
#define SLOW    "boot_ms=3600000 pace_ms=3600000"

/* ---- content ---- */

#define LIST(r, Type, many, req_ptr, rsp_ptr)                                                      \
    (rig_op(r), protobuf_c_message_init(&pb_List##Type##sResponse_desc, rsp_ptr),                  \
     sandbox_list_##many((r)->a, &(r)->op, req_ptr, rsp_ptr))

static void lists_flavors_and_images(void **state)
{
    static const struct {
        const char *name;
        uint32_t vcpus;
        uint64_t memory_mib, disk_gib;
    } expected[] = {{"m1.tiny", 1, 512, 1},
                    {"m1.small", 1, 2048, 20},
                    {"m1.medium", 2, 4096, 40},
                    {"m1.large", 4, 8192, 80}};
    struct rig r;
    pb_ListFlavorsRequest req;
    pb_ListFlavorsResponse flavors;
    pb_ListImagesRequest image_req;
    pb_ListImagesResponse images;

    (void)state;
    rig_open(&r, INSTANT);
    protobuf_c_message_init(&pb_ListFlavorsRequest_desc, &req);
    assert_int_equal(LIST(&r, Flavor, flavors, &req, &flavors), RESULT_CODE_OK);
    assert_int_equal(flavors.n_flavors, 5);
    for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
        assert_string_equal(flavors.flavors[i]->name, expected[i].name);
        assert_true(uuid_is(flavors.flavors[i]->id));
        assert_int_equal(flavors.flavors[i]->vcpus, expected[i].vcpus);
        assert_int_equal(flavors.flavors[i]->memory_mib, expected[i].memory_mib);
        assert_int_equal(flavors.flavors[i]->disk_gib, expected[i].disk_gib);
        assert_int_equal(flavors.flavors[i]->gpus, 0);
    }
    assert_int_equal(flavors.flavors[4]->gpus, 1);
    protobuf_c_message_init(&pb_ListImagesRequest_desc, &image_req);
    assert_int_equal(LIST(&r, Image, images, &image_req, &images), RESULT_CODE_OK);
    assert_int_equal(images.n_images, 3);
    assert_string_equal(images.images[0]->name, "ubuntu");
    assert_true(images.images[0]->min_disk_gib > 1);
    assert_true(images.images[0]->created_at->seconds > 0);
    rig_close(&r);
}

static void subnets_belong_to_networks(void **state)
{
    struct rig r;
    pb_ListNetworksRequest req;
    pb_ListNetworksResponse networks;
    pb_ListSubnetsRequest subnet_req;
    pb_ListSubnetsResponse subnets;

    (void)state;
    rig_open(&r, INSTANT);
    protobuf_c_message_init(&pb_ListNetworksRequest_desc, &req);
    assert_int_equal(LIST(&r, Network, networks, &req, &networks), RESULT_CODE_OK);
    assert_int_equal(networks.n_networks, 2);
    assert_false(networks.networks[0]->is_external);
    assert_true(networks.networks[1]->is_external);
    assert_int_equal(networks.networks[1]->n_subnet_ids, 1);
    char *public_subnet = strdup(networks.networks[1]->subnet_ids[0]);
    protobuf_c_message_init(&pb_ListSubnetsRequest_desc, &subnet_req);
    assert_int_equal(LIST(&r, Subnet, subnets, &subnet_req, &subnets), RESULT_CODE_OK);
    assert_int_equal(subnets.n_subnets, 2);
    char wanted[] = "public";
    subnet_req.network_id = wanted;
    assert_int_equal(LIST(&r, Subnet, subnets, &subnet_req, &subnets), RESULT_CODE_OK);
    assert_int_equal(subnets.n_subnets, 1);
    assert_string_equal(subnets.subnets[0]->id, public_subnet);
    char unknown[] = "pubic";
    subnet_req.network_id = unknown;
    assert_int_equal(LIST(&r, Subnet, subnets, &subnet_req, &subnets), RESULT_CODE_NOT_FOUND);
    assert_non_null(strstr(r.op.result->detail, "public"));
    free(public_subnet);
    rig_close(&r);
}

/* Get by name, and again by the id that came; returns OK where both brought the same. */
#define GET_BOTH(r, Type, one, name_)                                                              \
    __extension__({                                                                                \
        pb_Get##Type##Request req_;                                                                \
        pb_Get##Type##Response by_name_, by_id_;                                                   \
        char wanted_[] = name_;                                                                    \
        rig_op(r);                                                                                 \
        protobuf_c_message_init(&pb_Get##Type##Request_desc, &req_);                               \
        protobuf_c_message_init(&pb_Get##Type##Response_desc, &by_name_);                          \
        protobuf_c_message_init(&pb_Get##Type##Response_desc, &by_id_);                            \
        req_.id = wanted_;                                                                         \
        pb_ResultCode code_ = sandbox_get_##one((r)->a, &(r)->op, &req_, &by_name_);               \
        if (code_ == RESULT_CODE_OK) {                                                             \
            req_.id = by_name_.one->id;                                                            \
            code_ = sandbox_get_##one((r)->a, &(r)->op, &req_, &by_id_);                           \
            assert_string_equal(by_id_.one->name, wanted_);                                        \
        }                                                                                          \
        code_;                                                                                     \
    })

static void gets_content_by_name_and_id(void **state)
{
    struct rig r;

    (void)state;
    rig_open(&r, INSTANT);
    assert_int_equal(GET_BOTH(&r, Flavor, flavor, "g1.small"), RESULT_CODE_OK);
    assert_int_equal(GET_BOTH(&r, Image, image, "alpine"), RESULT_CODE_OK);
    assert_int_equal(GET_BOTH(&r, Network, network, "public"), RESULT_CODE_OK);
    assert_int_equal(GET_BOTH(&r, Subnet, subnet, "private-subnet"), RESULT_CODE_OK);
    assert_int_equal(GET_BOTH(&r, SecurityGroup, security_group, "web"), RESULT_CODE_OK);
    assert_int_equal(GET_BOTH(&r, Keypair, keypair, "default"), RESULT_CODE_OK);
    assert_int_equal(GET_BOTH(&r, Region, region, "sandbox-1"), RESULT_CODE_OK);
    assert_int_equal(GET_BOTH(&r, Zone, zone, "b"), RESULT_CODE_OK);
    assert_int_equal(GET_BOTH(&r, Zone, zone, "c"), RESULT_CODE_NOT_FOUND);
    assert_int_equal(GET_BOTH(&r, Image, image, "ubunut"), RESULT_CODE_NOT_FOUND);
    assert_non_null(strstr(r.op.result->detail, "ubuntu"));
    assert_true(rig_blames(&r, "id"));
    rig_close(&r);
}

static void every_slot_is_there_and_checks(void **state)
{
    struct rig r;
    pb_CheckCloudRequest req;
    pb_CheckCloudResponse rsp;
    char id[UUID_TEXT_LEN + 1];

    (void)state;
#define SLOT_IS_SET(service, method, slot) assert_non_null((void *)(uintptr_t)sandbox_adapter.slot);
    ADAPTER_METHODS(SLOT_IS_SET)
    rig_open(&r, INSTANT);
    rig_create(&r, "web", id);
    protobuf_c_message_init(&pb_CheckCloudRequest_desc, &req);
    protobuf_c_message_init(&pb_CheckCloudResponse_desc, &rsp);
    rig_op(&r);
    assert_int_equal(sandbox_adapter.check_cloud(r.a, &r.op, &req, &rsp), RESULT_CODE_OK);
    assert_int_equal(rsp.n_services, 1);
    assert_non_null(strstr(rsp.services[0], "1 machines"));
    rig_close(&r);
}

/* ---- create ---- */

static void creates_with_the_least(void **state)
{
    struct rig r;
    pb_Vm *vm;
    pb_Vm *seen;

    (void)state;
    rig_open(&r, SLOW);
    assert_int_equal(rig_create_spec(&r, rig_spec(&r, "web"), "token-1", &vm), RESULT_CODE_CREATED);
    assert_true(uuid_is(vm->id));
    assert_int_equal(vm->state, VM_STATE_CREATING);
    assert_string_equal(vm->native_state, "building");
    assert_string_equal(vm->flavor_name, "m1.small");
    assert_true(uuid_is(vm->flavor_id));
    assert_int_equal(vm->memory_mib, 2048);
    assert_string_equal(vm->image_name, "ubuntu");
    assert_string_equal(vm->region, "sandbox-1");
    assert_string_equal(vm->keypair, "");
    assert_int_equal(vm->n_addresses, 1);
    assert_string_equal(vm->addresses[0]->network_name, "private");
    assert_int_equal(vm->addresses[0]->kind, ADDRESS_KIND_FIXED);
    assert_int_equal(strncmp(vm->addresses[0]->ip, "10.3", 4), 0);
    assert_int_equal(strlen(vm->addresses[0]->mac), 17);
    assert_int_equal(vm->n_security_group_names, 1);
    assert_string_equal(vm->security_group_names[0], "default");
    assert_int_equal(vm->n_native, 1);
    assert_string_equal(vm->native[0]->value, "token-1");
    int64_t age_s = clock_wall_ns() / NS_PER_SEC - vm->created_at->seconds;
    assert_true(age_s >= 0 && age_s < 3600);
    assert_int_equal(rig_get(&r, "web", &seen), RESULT_CODE_OK);
    assert_int_equal(seen->state, VM_STATE_CREATING);
    rig_close(&r);
}

static void creates_with_everything(void **state)
{
    struct rig r;
    pb_Vm *vm;
    pb_VmSpec_TagsEntry tag;
    pb_VmSpec_TagsEntry *tags[] = {&tag};
    pb_VolumeSpec volume;
    pb_VolumeSpec *volumes[] = {&volume};
    char key[] = "team", value[] = "blue", web[] = "web", group[] = "default";
    char *extra[] = {group, web};
    uint8_t data[] = "#!/bin/sh\n";

    (void)state;
    rig_open(&r, INSTANT);
    pb_VmSpec *s = rig_spec(&r, "db");
    protobuf_c_message_init(&pb_VmSpec_TagsEntry_desc, &tag);
    protobuf_c_message_init(&pb_VolumeSpec_desc, &volume);
    tag.key = key;
    tag.value = value;
    volume.size_gib = 10;
    volume.keep = true;
    s->network_id = arena_strdup(&r.arena, "private");
    s->subnet_name = arena_strdup(&r.arena, "private-subnet");
    s->public_ip = arena_strdup(&r.arena, "198.18.7.7");
    s->keypair = arena_strdup(&r.arena, "default");
    s->zone = arena_strdup(&r.arena, "b");
    s->tags = tags;
    s->n_tags = 1;
    s->volumes = volumes;
    s->n_volumes = 1;
    s->extra_security_groups = extra;
    s->n_extra_security_groups = 2;
    s->volume_created_choice_case = pb_VmSpec_HAS_VOLUME_CREATED;
    s->volume_created = true;
    s->user_data.data = data;
    s->user_data.len = sizeof(data) - 1;
    assert_int_equal(rig_create_spec(&r, s, "", NULL), RESULT_CODE_CREATED);
    assert_int_equal(rig_get(&r, "db", &vm), RESULT_CODE_OK);
    assert_int_equal(vm->state, VM_STATE_RUNNING);
    assert_int_equal(vm->n_addresses, 2);
    assert_string_equal(vm->addresses[1]->ip, "198.18.7.7");
    assert_int_equal(vm->addresses[1]->kind, ADDRESS_KIND_PUBLIC);
    assert_string_equal(vm->keypair, "default");
    assert_string_equal(vm->zone, "sandbox-1b");
    assert_string_equal(vm->tags[0]->key, "team");
    assert_string_equal(vm->tags[0]->value, "blue");
    assert_int_equal(vm->n_volumes, 2);
    assert_true(vm->volumes[0]->delete_on_termination);
    assert_false(vm->volumes[1]->delete_on_termination);
    assert_string_equal(vm->image_id, "");
    assert_int_equal(vm->n_security_group_names, 2);
    assert_string_equal(vm->security_group_names[1], "web");
    assert_string_equal(vm->native[0]->key, "user_data_bytes");
    assert_string_equal(vm->native[0]->value, "10");
    rig_close(&r);
}

static void refuses_what_does_not_fit(void **state)
{
    static const struct {
        const char *field, *value;
        pb_ResultCode code;
        const char *blamed, *said;
    } cases[] = {
        {"flavor_name", "m1.smal", RESULT_CODE_NOT_FOUND, "spec.flavor_name", "m1.small"},
        {"image_id", "ubunto", RESULT_CODE_NOT_FOUND, "spec.image_id", "ubuntu"},
        {"network_id", "privat", RESULT_CODE_NOT_FOUND, "spec.network_id", "private"},
        {"subnet_name", "nowhere", RESULT_CODE_NOT_FOUND, "spec.subnet_name", "private-subnet"},
        {"security_group_name", "wep", RESULT_CODE_NOT_FOUND, "spec.security_group_name", "web"},
        {"keypair", "mine", RESULT_CODE_NOT_FOUND, "spec.keypair", "default"},
        {"zone", "z", RESULT_CODE_NOT_FOUND, "spec.zone", "sandbox-1a"},
        {"region", "moon", RESULT_CODE_NOT_FOUND, "spec.region", "sandbox-1"},
        {"public_ip", "10.0.0.1", RESULT_CODE_BAD_REQUEST_DATA, "spec.public_ip", "198.18.0.0/15"},
        {"public_ip", "198.18.0.1", RESULT_CODE_BAD_REQUEST_DATA, "spec.public_ip", "public"},
        {"public_ip", "here", RESULT_CODE_BAD_REQUEST_DATA, "spec.public_ip", "IPv4"},
        {"name", "", RESULT_CODE_BAD_REQUEST_DATA, "spec.name", "255"},
        {"flavor_name", "m1.tiny", RESULT_CODE_BAD_REQUEST_DATA, "spec.flavor_name", "memory"},
    };
    struct rig r;
    pb_ListVmsResponse list;

    (void)state;
    rig_open(&r, INSTANT);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(rig_create_with(&r, cases[i].field, cases[i].value), cases[i].code);
        assert_true(rig_blames(&r, cases[i].blamed));
        assert_non_null(strstr(r.op.result->detail, cases[i].said));
    }
    assert_int_equal(rig_list(&r, &list), RESULT_CODE_OK);
    assert_int_equal(list.n_vms, 0);
    rig_close(&r);
}

static void public_addresses_are_given_once(void **state)
{
    struct rig r;
    pb_Vm *vm;
    char first[16];

    (void)state;
    rig_open(&r, INSTANT);
    assert_int_equal(rig_create_with(&r, "public_ip", "198.19.0.5"), RESULT_CODE_CREATED);
    assert_int_equal(rig_create_with(&r, "public_ip", "198.19.0.5"), RESULT_CODE_ALREADY_EXISTS);
    assert_true(rig_blames(&r, "spec.public_ip"));
    assert_int_equal(rig_delete(&r, "web"), RESULT_CODE_DELETED);
    assert_int_equal(rig_create_with(&r, "public_ip", "198.19.0.5"), RESULT_CODE_CREATED);
    rig_op(&r);
    pb_VmSpec *spec = rig_spec(&r, "dynamic");
    spec->public_ip_type = arena_strdup(&r.arena, "dynamic");
    assert_int_equal(rig_create_spec(&r, spec, "", &vm), RESULT_CODE_CREATED);
    assert_int_equal(vm->n_addresses, 2);
    snprintf(first, sizeof(first), "%s", vm->addresses[1]->ip);
    assert_int_equal(strncmp(first, "198.1", 5), 0);
    assert_int_equal(rig_create_with(&r, "public_ip", first), RESULT_CODE_ALREADY_EXISTS);
    assert_int_equal(rig_create_with(&r, "public_ip_type", "none"), RESULT_CODE_CREATED);
    rig_close(&r);
}

static void a_token_makes_one_machine(void **state)
{
    struct rig r;
    pb_Vm *vm;
    pb_ListVmsResponse list;
    char id[UUID_TEXT_LEN + 1];

    (void)state;
    rig_open(&r, INSTANT);
    assert_int_equal(rig_create_spec(&r, rig_spec(&r, "a"), "t", &vm), RESULT_CODE_CREATED);
    memcpy(id, vm->id, sizeof(id));
    rig_op(&r);
    assert_int_equal(rig_create_spec(&r, rig_spec(&r, "a"), "t", &vm), RESULT_CODE_CREATED);
    assert_string_equal(vm->id, id);
    rig_op(&r);
    assert_int_equal(rig_create_spec(&r, rig_spec(&r, "a"), "u", &vm), RESULT_CODE_CREATED);
    assert_string_not_equal(vm->id, id);
    assert_int_equal(rig_list(&r, &list), RESULT_CODE_OK);
    assert_int_equal(list.n_vms, 2);
    rig_close(&r);
}

static void a_dry_run_makes_nothing(void **state)
{
    struct rig r;
    pb_CreateVmRequest req;
    pb_CreateVmResponse rsp;
    pb_ListVmsResponse list;

    (void)state;
    rig_open(&r, "quota_instances=1");
    protobuf_c_message_init(&pb_CreateVmRequest_desc, &req);
    protobuf_c_message_init(&pb_CreateVmResponse_desc, &rsp);
    req.dry_run = true;
    req.spec = rig_spec(&r, "web");
    assert_int_equal(sandbox_create_vm(r.a, &r.op, &req, &rsp), RESULT_CODE_OK);
    assert_null(rsp.vm);
    assert_int_equal(rig_list(&r, &list), RESULT_CODE_OK);
    assert_int_equal(list.n_vms, 0);
    char id[UUID_TEXT_LEN + 1];
    rig_create(&r, "web", id);
    rig_op(&r);
    req.spec = rig_spec(&r, "web");
    assert_int_equal(sandbox_create_vm(r.a, &r.op, &req, &rsp), RESULT_CODE_QUOTA_EXCEEDED);
    rig_close(&r);
}

static void names_may_be_shared(void **state)
{
    struct rig r;
    pb_Vm *vm;
    char one[UUID_TEXT_LEN + 1], two[UUID_TEXT_LEN + 1];

    (void)state;
    rig_open(&r, INSTANT);
    rig_create(&r, "web", one);
    rig_create(&r, "web", two);
    assert_int_equal(rig_get(&r, "web", &vm), RESULT_CODE_BAD_REQUEST_DATA);
    assert_non_null(strstr(r.op.result->detail, one));
    assert_non_null(strstr(r.op.result->detail, two));
    assert_int_equal(rig_get(&r, one, &vm), RESULT_CODE_OK);
    assert_string_equal(vm->id, one);
    assert_int_equal(rig_delete(&r, one), RESULT_CODE_DELETED);
    assert_int_equal(rig_get(&r, "web", &vm), RESULT_CODE_OK);
    assert_string_equal(vm->id, two);
    assert_int_equal(rig_get(&r, "wbe", &vm), RESULT_CODE_NOT_FOUND);
    assert_non_null(strstr(r.op.result->detail, "web"));
    assert_int_equal(rig_get(&r, one, &vm), RESULT_CODE_NOT_FOUND);
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_flavors_and_images),
        cmocka_unit_test(subnets_belong_to_networks),
        cmocka_unit_test(gets_content_by_name_and_id),
        cmocka_unit_test(every_slot_is_there_and_checks),
        cmocka_unit_test(creates_with_the_least),
        cmocka_unit_test(creates_with_everything),
        cmocka_unit_test(refuses_what_does_not_fit),
        cmocka_unit_test(public_addresses_are_given_once),
        cmocka_unit_test(a_token_makes_one_machine),
        cmocka_unit_test(a_dry_run_makes_nothing),
        cmocka_unit_test(names_may_be_shared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
