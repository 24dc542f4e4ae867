/* What machines boot from, which disks and addresses they have, and an old Nova, against a real
 * OpenStack: what is made is deleted, and nothing is left behind. At most one at a time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "openstack_live.h"
#include "os.h"
#include "os_images.h"
#include "os_ports.h"
#include "os_volumes.h"

static void test_volumes(void **state)
{
    (void)state;
    char id[64];
    pb_VmSpec *spec = live_spec(&live, "live-volumes");
    spec->volume_created_choice_case = pb_VmSpec_HAS_VOLUME_CREATED;
    spec->volume_created = true;
    live_parameter(&live, spec, "volume_size_gib", "2");
    spec->volumes = arena_array(&live.arena, 2, sizeof(*spec->volumes));
    for (; spec->n_volumes < 2; spec->n_volumes++) {
        pb_VolumeSpec *v = arena_message(&live.arena, &pb_VolumeSpec_desc);
        v->size_gib = 1;
        if (spec->n_volumes == 1)
            v->name = arena_strdup(&live.arena, "live-data");
        spec->volumes[spec->n_volumes] = v;
    }
    pb_Vm *vm = live_create(&live, spec, id);
    assert_string_equal(vm->image_id, "");
    assert_int_equal(vm->n_volumes, 3);
    char volumes[3][64];
    for (size_t i = 0; i < 3; i++) {
        assert_true(vm->volumes[i]->delete_on_termination);
        snprintf(volumes[i], sizeof(volumes[i]), "%s", vm->volumes[i]->id);
    }
    live_delete(&live, id);
    for (size_t i = 0; i < 3; i++) {
        struct os_volume volume = {0};
        live_code(
            &live,
            os_find(live.adapter, live_op(&live), &os_volume_kind, "", volumes[i], NULL, &volume),
            RESULT_CODE_NOT_FOUND);
    }
}

/* A floating IP that was there before stays when the machine goes. */
static void test_static_ip(void **state)
{
    (void)state;
    char id[64], address[64], fip_id[64];
    static const char body[] = "{\"floatingip\":{\"floating_network_id\":\"%s\"}}";
    pb_GetNetworkRequest find = pb_GetNetworkRequest_INIT;
    pb_GetNetworkResponse found = pb_GetNetworkResponse_INIT;
    find.id = arena_strdup(&live.arena, "public");
    live_code(&live, openstack_adapter.get_network(live.adapter, &live.op, &find, &found),
              RESULT_CODE_OK);
    struct os_request make = {.service = OS_NETWORK, .method = "POST", .path = "/floatingips"};
    make.body = arena_printf(&live.arena, body, found.network->id);
    make.body_len = strlen(make.body);
    struct os_fip fip = {0};
    live_code(&live, os_ask(live.adapter, &live.op, &make, os_fip_kind.one, &fip), RESULT_CODE_OK);
    snprintf(address, sizeof(address), "%s", fip.thing.name);
    snprintf(fip_id, sizeof(fip_id), "%s", fip.thing.id);
    live_made(&live, &os_fip_kind, fip_id);

    pb_VmSpec *spec = live_spec(&live, "live-static");
    spec->public_ip_type = arena_strdup(&live.arena, "static");
    spec->public_ip = address;
    pb_Vm *vm = live_create(&live, spec, id);
    assert_int_equal(vm->n_addresses, 2);
    assert_string_equal(vm->addresses[1]->ip, address);

    pb_CreateVmRequest req = pb_CreateVmRequest_INIT;
    pb_CreateVmResponse rsp = pb_CreateVmResponse_INIT;
    live_op(&live);
    req.spec = live_spec(&live, "live-static-2");
    req.spec->public_ip_type = arena_strdup(&live.arena, "static");
    req.spec->public_ip = fip_id;
    live_code(&live, openstack_adapter.create_vm(live.adapter, &live.op, &req, &rsp),
              RESULT_CODE_FAILED_PRECONDITION);
    assert_string_equal(live.op.result->violations[0]->field, "spec.public_ip");

    live_delete(&live, id);
    fip = (struct os_fip){0};
    live_code(&live, os_find(live.adapter, live_op(&live), &os_fip_kind, "", fip_id, NULL, &fip),
              RESULT_CODE_OK);
    assert_true(fip.port_id == NULL || fip.port_id[0] == '\0');
}

/* Order something by the adapter's own means; the struct is of the kind. */
static void order(const struct os_kind *kind, const char *body, void *ret)
{
    struct os_request req = {.service = kind->service, .method = "POST", .path = kind->path};
    req.body = body;
    req.body_len = strlen(body);
    live_code(&live, os_ask(live.adapter, &live.op, &req, kind->one, ret), RESULT_CODE_OK);
}

/* Wait until a volume or snapshot can be used; its id is copied into `ret_id`. */
static void wait_available(const struct os_kind *kind, const char *id, char ret_id[64])
{
    snprintf(ret_id, 64, "%s", id);
    for (int i = 0; i < 60; i++) {
        struct os_volume v = {0}; /* a snapshot begins alike */
        live_code(&live, os_find(live.adapter, live_op(&live), kind, "", ret_id, NULL, &v),
                  RESULT_CODE_OK);
        if (strcmp(v.status, "available") == 0)
            return;
        op_sleep_ms(&live.op, 500);
    }
    fail_msg("%s %s does not become available", kind->noun, ret_id);
}

/* From a volume, a copy of it, and a snapshot of it. The volume itself stays. */
static void test_boot_sources(void **state)
{
    (void)state;
    static const struct {
        const char *type;
        bool created, own; /* it boots from the volume itself */
    } rows[] = {{"volume", false, true}, {"volume", true, false}, {"snapshot", false, false}};
    char volume_id[64], snapshot_id[64], id[64];
    struct os_volume volume = {0};
    struct os_snapshot snapshot = {0};
    struct os_image image = {0};
    live_code(&live,
              os_find(live.adapter, &live.op, &os_image_kind, "", "test-image", NULL, &image),
              RESULT_CODE_OK);
    order(&os_volume_kind,
          arena_printf(&live.arena, "{\"volume\":{\"name\":\"%s\",\"size\":1,\"imageRef\":\"%s\"}}",
                       live_name(&live, "live-source"), image.thing.id),
          &volume);
    live_made(&live, &os_volume_kind, volume.thing.id);
    wait_available(&os_volume_kind, volume.thing.id, volume_id);
    order(&os_snapshot_kind,
          arena_printf(&live.arena, "{\"snapshot\":{\"name\":\"%s\",\"volume_id\":\"%s\"}}",
                       live_name(&live, "live-snapshot"), volume_id),
          &snapshot);
    live_made(&live, &os_snapshot_kind, snapshot.thing.id);
    wait_available(&os_snapshot_kind, snapshot.thing.id, snapshot_id);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        live_op(&live);
        pb_VmSpec *spec = live_spec(&live, "live-source");
        spec->source_type = arena_strdup(&live.arena, rows[i].type);
        spec->image_id =
            strcmp(rows[i].type, "volume") == 0 ? volume_id : live_name(&live, "live-snapshot");
        spec->volume_created_choice_case = pb_VmSpec_HAS_VOLUME_CREATED;
        spec->volume_created = rows[i].created;
        pb_Vm *vm = live_create(&live, spec, id);
        assert_int_equal(vm->n_volumes, 1);
        assert_int_equal(strcmp(vm->volumes[0]->id, volume_id) == 0, rows[i].own);
        assert_int_equal(vm->volumes[0]->delete_on_termination, !rows[i].own);
        live_delete(&live, id);
    }
    wait_available(&os_volume_kind, volume_id, id); /* it is there still */
}

/* The oldest Nova that there is: less is shown, and it works. */
static void test_old_microversion(void **state)
{
    (void)state;
    char path[] = "/tmp/isobar-clouds-XXXXXX", line[1024], id[64], token[64];
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    FILE *in = fopen(getenv("ISOBAR_TEST_OPENSTACK"), "r"), *out = fdopen(fd, "w");
    assert_non_null(in);
    while (fgets(line, sizeof(line), in) != NULL) {
        fputs(line, out);
        if (strstr(line, "region_name:") != NULL)
            fputs("    compute_default_microversion: '2.1'\n", out);
    }
    fclose(in);
    fclose(out);
    struct adapter *usual = live.adapter;
    struct open_error error = {""};
    live.adapter = live_open(path, "demo", &error);
    unlink(path);
    if (live.adapter == NULL)
        fail_msg("%s", error.text);
    pb_VmSpec *spec = live_spec(&live, "live-old");
    live_tag(&live, spec, "team", "blue");
    live_parameter(&live, spec, "description", "not for this one");
    snprintf(token, sizeof(token), "%s", live.token);
    pb_Vm *vm = live_create(&live, spec, id);
    assert_string_equal(vm->flavor_id, "1");
    assert_string_equal(vm->flavor_name, "m1.tiny");
    assert_int_equal(vm->memory_mib, 512);
    assert_string_equal(vm->image_name, "test-image");
    assert_string_equal(LIVE_VALUE(vm, tags, "team"), "blue");
    assert_string_equal(LIVE_VALUE(vm, native, OS_TOKEN_KEY), token);
    assert_null(LIVE_VALUE(vm, native, "description"));
    live_delete(&live, id);
    openstack_adapter.close(live.adapter);
    live.adapter = usual;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE_TEST(test_volumes),
        LIVE_TEST(test_static_ip),
        LIVE_TEST(test_boot_sources),
        LIVE_TEST(test_old_microversion),
    };
    return cmocka_run_group_tests(tests, live_setup, live_teardown);
}
