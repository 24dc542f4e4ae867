/* What tests of making a machine share: a cloud with just one of everything that is to be chosen,
 * in which everything works, and the operation "t1".
 */
#ifndef ISOBAR_TESTS_OPENSTACK_CREATE_H
#define ISOBAR_TESTS_OPENSTACK_CREATE_H

#include "openstack_stub.h"

#define ID     "11111111-1111-4111-8111-111111111111"
#define MARKS  "\"metadata\":{\"isobar_token\":\"t1\"},\"tags\":[\"isobar-t1\"]"
#define SERVER "{\"id\":\"" ID "\",\"name\":\"web\",\"status\":\"BUILD\"," MARKS "}"
#define OURS   "\"description\":\"Made by Isobar together with its machine\""
#define PORT   "{\"id\":\"p1\",\"name\":\"isobar-t1\"," OURS "}"
#define PORTS  "GET " NEUTRON "/ports?name=isobar-t1"
#define FIPS   "GET " NEUTRON "/floatingips?description=isobar-t1"
#define FIP                                                                                        \
    "{\"id\":\"f1\",\"floating_ip_address\":\"192.0.2.1\","                                        \
    "\"description\":\"isobar-t1\"}"
#define BY_MARK "GET " NOVA "/servers/detail?tags=isobar-t1"

#define VOLUMES "GET " CINDER "/volumes/detail?metadata=%7B%27isobar_token%27%3A%20%27t1%27%7D"
#define VOLUME(id_, size_, status_)                                                                \
    "{\"id\":\"" id_ "\",\"name\":\"data\",\"size\":" size_ ",\"status\":\"" status_               \
    "\",\"metadata\":{\"isobar_token\":\"t1\"}}"
#define NO_PORTS                                                                                   \
    {                                                                                              \
        PORTS, ALWAYS, 200, "{\"ports\":[]}"                                                       \
    }
#define NO_FIPS                                                                                    \
    {                                                                                              \
        FIPS, ALWAYS, 200, "{\"floatingips\":[]}"                                                  \
    }

UNUSED static struct cloud cloud;

UNUSED static int create_setup(void **state)
{
    (void)state;
    cloud_start(&cloud);
    CLOUD_ROWS(
        &cloud,
        {"GET " NOVA "/flavors/detail", ALWAYS, 200,
         "{\"flavors\":[{\"id\":\"1\",\"name\":\"small\",\"vcpus\":1,\"ram\":512,\"disk\":3}]}"},
        {"GET " GLANCE "/images?limit=1000&name=debian$", ALWAYS, 200,
         "{\"images\":[{\"id\":\"img\",\"name\":\"debian\",\"status\":\"active\",\"min_disk\":2}]"
         "}"},
        {"GET " NOVA "/os-keypairs$", ALWAYS, 200,
         "{\"keypairs\":[{\"keypair\":{\"name\":\"key\"}}]}"},
        {"GET " NEUTRON "/networks$", ALWAYS, 200,
         "{\"networks\":[{\"id\":\"ext\",\"name\":\"public\",\"router:external\":true,"
         "\"admin_state_up\":true,\"shared\":true,\"subnets\":[\"s\"]},{\"id\":\"net\",\"name\":"
         "\"private\",\"project_id\":\"PID\",\"admin_state_up\":true,\"subnets\":[\"s\"]},{\"id\":"
         "\"foreign\",\"name\":\"x\",\"project_id\":\"OTHER\",\"admin_state_up\":true,\"subnets\":"
         "[\"s\"]}]}"},
        {"GET " NEUTRON "/networks?router:external=True", ALWAYS, 200,
         "{\"networks\":[{\"id\":\"ext\",\"name\":\"public\"}]}"},
        {"GET " NEUTRON "/security-groups?project_id=PID&name=default", ALWAYS, 200,
         "{\"security_groups\":[{\"id\":\"grp\",\"name\":\"default\"}]}"},
        {"POST " NEUTRON "/ports", ALWAYS, 201, "{\"port\":" PORT "}"},
        {"POST " NEUTRON "/floatingips", ALWAYS, 201, "{\"floatingip\":" FIP "}"},
        {"POST " NOVA "/servers$", ALWAYS, 202, "{\"server\":{\"id\":\"" ID "\"}}"},
        {"GET " NOVA "/servers/" ID "$", ALWAYS, 200, "{\"server\":" SERVER "}"},
        {PORTS, ALWAYS, 200, "{\"ports\":[" PORT "]}"},
        {FIPS, ALWAYS, 200, "{\"floatingips\":[" FIP "]}"},
        {"GET " NEUTRON "/ports/p1$", ALWAYS, 200, "{\"port\":" PORT "}"},
        {VOLUMES, ALWAYS, 200, "{\"volumes\":[]}"}, {BY_MARK, ALWAYS, 200, "{\"servers\":[]}"},
        {"DELETE ", ALWAYS, 204, NULL});
    return 0;
}

UNUSED static int create_teardown(void **state)
{
    (void)state;
    cloud_stop(&cloud);
    return 0;
}

UNUSED static pb_VmSpec *spec(void)
{
    cloud_op(&cloud);
    pb_VmSpec *s = arena_message(&cloud.arena, &pb_VmSpec_desc);
    s->name = arena_strdup(&cloud.arena, "web");
    s->flavor_name = arena_strdup(&cloud.arena, "small");
    s->image_id = arena_strdup(&cloud.arena, "debian");
    return s;
}

UNUSED static pb_VmSpec *spec_with_ip(void)
{
    pb_VmSpec *s = spec();
    s->public_ip_type = arena_strdup(&cloud.arena, "dynamic");
    return s;
}

/* With a second disk, made before the machine, for it has a name. */
UNUSED static pb_VmSpec *spec_with_volume(void)
{
    pb_VmSpec *s = spec();
    pb_VolumeSpec *v = arena_message(&cloud.arena, &pb_VolumeSpec_desc);
    v->name = arena_strdup(&cloud.arena, "data");
    v->size_gib = 5;
    s->volumes = arena_array(&cloud.arena, 1, sizeof(*s->volumes));
    s->volumes[s->n_volumes++] = v;
    return s;
}

/* How much was ordered: ports, floating IPs, volumes, machines. */
UNUSED static size_t posts(void)
{
    return cloud_count(&cloud, "POST " NEUTRON) + cloud_count(&cloud, "POST " NOVA) +
           cloud_count(&cloud, "POST " CINDER);
}

UNUSED static void effects(pb_SideEffects wanted)
{
    if (cloud.op.result->side_effects != wanted)
        fail_msg("side effects %d, not %d", (int)cloud.op.result->side_effects, (int)wanted);
}

/* Make it; the test fails where the code is not the wanted one. */
UNUSED static pb_Vm *create(pb_VmSpec *s, pb_ResultCode wanted)
{
    pb_CreateVmRequest req = pb_CreateVmRequest_INIT;
    pb_CreateVmResponse rsp = pb_CreateVmResponse_INIT;
    req.spec = s;
    cloud_code(&cloud, openstack_adapter.create_vm(cloud.adapter, &cloud.op, &req, &rsp), wanted);
    return rsp.vm;
}

#endif
