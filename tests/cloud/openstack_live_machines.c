/* Machines from their beginning to their end, against a real OpenStack: what is made is deleted,
 * and nothing is left behind. At most one at a time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "openstack_live.h"
#include "os.h"

static void check_whole(const pb_Vm *vm, const char *token)
{
    assert_string_equal(vm->cloud, "lab");
    assert_string_equal(vm->name, live_name(&live, "live-whole"));
    assert_string_equal(vm->native_state, "ACTIVE");
    assert_string_equal(vm->flavor_id, "1");
    assert_string_equal(vm->flavor_name, "m1.tiny");
    assert_int_equal(vm->vcpus, 1);
    assert_int_equal(vm->memory_mib, 512);
    assert_int_equal(vm->disk_gib, 1);
    assert_string_equal(vm->image_name, "test-image");
    assert_string_equal(vm->region, "RegionOne");
    assert_string_equal(vm->zone, "nova");
    assert_string_equal(vm->keypair, "test-key");
    assert_int_equal(vm->n_security_group_names, 1);
    assert_string_equal(vm->security_group_names[0], "default");
    assert_int_equal(vm->n_tags, 2);
    assert_string_equal(LIVE_VALUE(vm, tags, "team"), "blue");
    assert_string_equal(LIVE_VALUE(vm, tags, "env"), "test");
    assert_non_null(vm->created_at);
    assert_non_null(vm->updated_at);
    assert_string_equal(LIVE_VALUE(vm, native, OS_TOKEN_KEY), token);
    assert_string_equal(LIVE_VALUE(vm, native, "OS-EXT-STS:vm_state"), "active");
    assert_string_equal(LIVE_VALUE(vm, native, "description"), "the whole of it");
    assert_non_null(LIVE_VALUE(vm, native, "tenant_id"));
    assert_int_equal(vm->n_addresses, 2);
    for (size_t i = 0; i < 2; i++) {
        const pb_VmAddress *a = vm->addresses[i];
        assert_string_equal(a->network_name, "private");
        assert_int_equal(strlen(a->network_id), 36);
        assert_int_equal(a->ip_version, 4);
        assert_int_equal(strlen(a->mac), 17);
        assert_int_equal(a->kind, i == 0 ? ADDRESS_KIND_FIXED : ADDRESS_KIND_PUBLIC);
        assert_memory_equal(a->ip, i == 0 ? "10.0.0." : "203.0.113.", i == 0 ? 7 : 10);
    }
}

static const pb_Vm *shown; /* by the last action */

#define ACTION(name, Method, slot)                                                                 \
    static pb_ResultCode name(char *id)                                                            \
    {                                                                                              \
        pb_##Method##Request req = pb_##Method##Request_INIT;                                      \
        pb_##Method##Response rsp = pb_##Method##Response_INIT;                                    \
        req.id = id;                                                                               \
        pb_ResultCode code = openstack_adapter.slot(live.adapter, live_op(&live), &req, &rsp);     \
        shown = rsp.vm;                                                                            \
        return code;                                                                               \
    }
ACTION(start, StartVm, start_vm)
ACTION(stop, StopVm, stop_vm)
ACTION(reboot, RebootVm, reboot_vm)
ACTION(suspend, SuspendVm, suspend_vm)
ACTION(resume, ResumeVm, resume_vm)

static pb_ResultCode reboot_hard(char *id)
{
    pb_RebootVmRequest req = pb_RebootVmRequest_INIT;
    pb_RebootVmResponse rsp = pb_RebootVmResponse_INIT;
    req.id = id;
    req.hard = true;
    pb_ResultCode code = openstack_adapter.reboot_vm(live.adapter, live_op(&live), &req, &rsp);
    shown = rsp.vm;
    return code;
}

static void expect(pb_ResultCode code, const char *id)
{
    live_code(&live, code, RESULT_CODE_CHANGED);
    assert_string_equal(live.op.result->detail, "");
    assert_string_equal(shown->id, id);
    print_message("%s\n", shown->native_state);
}

static void check_actions(char *id)
{
    expect(start(id), id); /* it runs already */
    assert_int_equal(shown->state, VM_STATE_RUNNING);
    live_code(&live, resume(id), RESULT_CODE_CHANGED);
    expect(stop(id), id);
    live_wait(&live, id, VM_STATE_STOPPED);
    expect(stop(id), id);
    live_code(&live, suspend(id), RESULT_CODE_FAILED_PRECONDITION);
    assert_int_equal(live.op.result->native->http_status, 409);
    assert_non_null(strstr(live.op.result->detail, "SHUTOFF"));
    live_code(&live, reboot(id), RESULT_CODE_FAILED_PRECONDITION);
    expect(start(id), id);
    live_wait(&live, id, VM_STATE_RUNNING);
    expect(reboot(id), id);
    live_wait(&live, id, VM_STATE_RUNNING);
    char name[64];
    snprintf(name, sizeof(name), "%s", live_name(&live, "live-whole"));
    expect(reboot_hard(name), id);
    live_wait(&live, id, VM_STATE_RUNNING);
    expect(suspend(name), id);
    live_wait(&live, id, VM_STATE_SUSPENDED);
    expect(suspend(id), id);
    live_code(&live, start(id), RESULT_CODE_FAILED_PRECONDITION);
    expect(resume(id), id);
    live_wait(&live, id, VM_STATE_RUNNING);
}

/* An action of Nova that the adapter has no slot for. */
static void act(const char *id, const char *body)
{
    struct os_request req = {.service = OS_COMPUTE, .method = "POST", .body = body};
    struct http_response rsp;
    live_op(&live);
    req.path = arena_printf(&live.arena, "/servers/%s/action", id);
    req.body_len = strlen(body);
    live_code(&live, os_send(live.adapter, &live.op, &req, &rsp), RESULT_CODE_OK);
}

/* From states that somebody else brought about. */
static void check_other_states(char *id)
{
    act(id, "{\"pause\":null}");
    live_wait(&live, id, VM_STATE_SUSPENDED);
    expect(resume(id), id);
    live_wait(&live, id, VM_STATE_RUNNING);
    act(id, "{\"shelve\":null}");
    live_wait(&live, id, VM_STATE_STOPPED);
    expect(stop(id), id);
    expect(start(id), id);
    live_wait(&live, id, VM_STATE_RUNNING);
}

static void check_resize(char *id)
{
    pb_ResizeVmRequest req = pb_ResizeVmRequest_INIT;
    pb_ResizeVmResponse rsp = pb_ResizeVmResponse_INIT;
    req.id = id;
    for (int i = 0; i < 2; i++) { /* the second time there is nothing to do */
        struct op *op = live_op(&live);
        req.flavor_name = arena_strdup(&live.arena, "m1.small");
        live_code(&live, openstack_adapter.resize_vm(live.adapter, op, &req, &rsp),
                  RESULT_CODE_CHANGED);
        assert_string_equal(rsp.vm->flavor_name, "m1.small");
        assert_string_equal(rsp.vm->flavor_id, "2");
        assert_int_equal(rsp.vm->memory_mib, 2048);
    }
    live_wait(&live, id, VM_STATE_RUNNING);
    req.flavor_name = arena_strdup(&live.arena, "m1.smal");
    live_code(&live, openstack_adapter.resize_vm(live.adapter, live_more(&live), &req, &rsp),
              RESULT_CODE_NOT_FOUND);
    assert_string_equal(live.op.result->violations[0]->field, "flavor_name");
}

static void check_listed(const char *id)
{
    pb_ListVmsRequest req = pb_ListVmsRequest_INIT;
    pb_ListVmsResponse rsp = pb_ListVmsResponse_INIT;
    req.name = arena_printf(&live.arena, "%s*", live_name(&live, "live-whole"));
    live_code(&live, openstack_adapter.list_vms(live.adapter, live_more(&live), &req, &rsp),
              RESULT_CODE_OK);
    assert_int_equal(rsp.n_vms, 1);
    assert_string_equal(rsp.vms[0]->id, id);
    assert_string_equal(rsp.vms[0]->image_name, "test-image");
}

static void test_whole_life(void **state)
{
    (void)state;
    char id[64], token[64];
    pb_VmSpec *spec = live_spec(&live, "live-whole");
    spec->network_id = field_text(NULL); /* there is but one */
    spec->public_ip_type = arena_strdup(&live.arena, "dynamic");
    spec->user_data.data = (uint8_t *)arena_strdup(&live.arena, "#cloud-config\n");
    spec->user_data.len = strlen("#cloud-config\n");
    live_tag(&live, spec, "team", "blue");
    live_tag(&live, spec, "env", "test");
    live_parameter(&live, spec, "description", "the whole of it");
    snprintf(token, sizeof(token), "%s", live.token);
    pb_Vm *vm = live_create(&live, spec, id);
    check_whole(vm, token);
    check_listed(id);
    check_actions(id);
    check_other_states(id);
    check_resize(id);
    live_delete(&live, id);
}

static void create_fails(pb_VmSpec *spec, pb_ResultCode wanted, const char *field)
{
    pb_CreateVmRequest req = pb_CreateVmRequest_INIT;
    pb_CreateVmResponse rsp = pb_CreateVmResponse_INIT;
    req.spec = spec;
    live_code(&live, openstack_adapter.create_vm(live.adapter, live_more(&live), &req, &rsp),
              wanted);
    assert_null(rsp.vm);
    assert_true(live.op.result->side_effects == SIDE_EFFECTS_NONE);
    print_message("%s\n", live.op.result->detail);
    if (field != NULL)
        assert_string_equal(live.op.result->violations[0]->field, field);
}

static void test_bad_specs(void **state)
{
    (void)state;
    pb_VmSpec *spec = live_spec(&live, "live-bad");
    spec->flavor_name = arena_strdup(&live.arena, "m1.tin");
    create_fails(spec, RESULT_CODE_NOT_FOUND, "spec.flavor_name");
    assert_non_null(strstr(live.op.result->detail, "m1.tiny"));
    spec = live_spec(&live, "live-bad");
    spec->image_id = arena_strdup(&live.arena, "test-imag");
    create_fails(spec, RESULT_CODE_NOT_FOUND, "spec.image_id");
    spec = live_spec(&live, "live-bad");
    spec->network_id = arena_strdup(&live.arena, "privat");
    create_fails(spec, RESULT_CODE_NOT_FOUND, "spec.network_id");
    spec = live_spec(&live, "live-bad");
    spec->keypair = arena_strdup(&live.arena, "test-kei");
    create_fails(spec, RESULT_CODE_NOT_FOUND, "spec.keypair");
    spec = live_spec(&live, "live-bad");
    spec->security_group_name = arena_strdup(&live.arena, "defaul");
    create_fails(spec, RESULT_CODE_NOT_FOUND, "spec.security_group_name");
    spec = live_spec(&live, "live-bad");
    spec->zone = arena_strdup(&live.arena, "novo");
    create_fails(spec, RESULT_CODE_NOT_FOUND, "spec.zone");
    spec = live_spec(&live, "live-bad");
    spec->public_ip = arena_strdup(&live.arena, "192.0.2.1");
    create_fails(spec, RESULT_CODE_NOT_FOUND, "spec.public_ip");
    spec = live_spec(&live, "live-bad");
    live_parameter(&live, spec, "fixed_ip", "192.0.2.1");
    create_fails(spec, RESULT_CODE_BAD_REQUEST_DATA, NULL);
    assert_string_equal(live.op.result->native->code, "InvalidIpForNetwork");
}

/* Nova refuses after port and floating IP were made: they go again. */
static void test_clean_up_of_failure(void **state)
{
    (void)state;
    pb_VmSpec *spec = live_spec(&live, "live-refused");
    spec->public_ip_type = arena_strdup(&live.arena, "dynamic");
    spec->volumes = arena_array(&live.arena, 1, sizeof(*spec->volumes));
    spec->volumes[spec->n_volumes++] = arena_message(&live.arena, &pb_VolumeSpec_desc);
    spec->volumes[0]->size_gib = 1;
    spec->volumes[0]->name = arena_strdup(&live.arena, "live-refused-data");
    live_parameter(&live, spec, "hostname", "not a host name!");
    create_fails(spec, RESULT_CODE_BAD_REQUEST_DATA, NULL);
    assert_string_equal(live.op.result->native->code, "badRequest");
    assert_int_equal(live.op.result->n_warnings, 0);
}

/* Cinder's quota is 1,000 GiB. */
static void test_quota(void **state)
{
    (void)state;
    pb_VmSpec *spec = live_spec(&live, "live-quota");
    spec->volumes = arena_array(&live.arena, 1, sizeof(*spec->volumes));
    spec->volumes[spec->n_volumes++] = arena_message(&live.arena, &pb_VolumeSpec_desc);
    spec->volumes[0]->size_gib = 2000;
    spec->volumes[0]->name = arena_strdup(&live.arena, "live-quota-data");
    create_fails(spec, RESULT_CODE_QUOTA_EXCEEDED, NULL);
    assert_int_equal(live.op.result->blame, BLAME_CLOUD);
}

static void test_dry_run(void **state)
{
    (void)state;
    pb_CreateVmRequest req = pb_CreateVmRequest_INIT;
    pb_CreateVmResponse rsp = pb_CreateVmResponse_INIT;
    req.spec = live_spec(&live, "live-dry");
    req.spec->public_ip_type = arena_strdup(&live.arena, "dynamic");
    req.dry_run = true;
    live_code(&live, openstack_adapter.create_vm(live.adapter, &live.op, &req, &rsp),
              RESULT_CODE_OK);
    assert_null(rsp.vm);
    pb_GetVmRequest get = pb_GetVmRequest_INIT;
    pb_GetVmResponse got = pb_GetVmResponse_INIT;
    get.id = req.spec->name;
    live_code(&live, openstack_adapter.get_vm(live.adapter, live_more(&live), &get, &got),
              RESULT_CODE_NOT_FOUND);
}

static void test_delete_of_nothing(void **state)
{
    (void)state;
    pb_DeleteVmRequest req = pb_DeleteVmRequest_INIT;
    pb_DeleteVmResponse rsp = pb_DeleteVmResponse_INIT;
    req.id = arena_strdup(&live.arena, "no-such-machine");
    live_code(&live, openstack_adapter.delete_vm(live.adapter, live_more(&live), &req, &rsp),
              RESULT_CODE_NOT_FOUND);
    req.id = arena_strdup(&live.arena, "01234567-89ab-4def-8123-456789abcdef");
    live_code(&live, openstack_adapter.delete_vm(live.adapter, live_more(&live), &req, &rsp),
              RESULT_CODE_DELETED);
    assert_int_equal(rsp.vm->state, VM_STATE_DELETED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE_TEST(test_bad_specs), LIVE_TEST(test_clean_up_of_failure), LIVE_TEST(test_quota),
        LIVE_TEST(test_dry_run),   LIVE_TEST(test_delete_of_nothing),   LIVE_TEST(test_whole_life),

    };
    return cmocka_run_group_tests(tests, live_setup, live_teardown);
}
