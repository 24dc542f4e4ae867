#include "methods.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "isobar/services.h"
#include "registry.h"
#include "services.h"

/* One function a slot, so that a call through the table has the slot's own type. */
#define SLOT(service, method, slot)                                                                \
    static pb_ResultCode call_##slot(const struct adapter_ops *ops, struct adapter *a,             \
                                     struct op *op, const ProtobufCMessage *req,                   \
                                     ProtobufCMessage *rsp)                                        \
    {                                                                                              \
        return ops->slot(a, op, (const pb_##method##Request *)(const void *)req,                   \
                         (pb_##method##Response *)(void *)rsp);                                    \
    }
ADAPTER_METHODS(SLOT)
#undef SLOT

#define GET(service, method, slot)                                                                 \
    {                                                                                              \
        "isobar.v1." #service, #method, KIND_GET, LANE_CLOUD, ROLE_READER, false,                  \
            VM_STATE_UNSPECIFIED, NULL, call_##slot, offsetof(struct adapter_ops, slot)            \
    }
#define LIST(service, method, slot)                                                                \
    {                                                                                              \
        "isobar.v1." #service, #method, KIND_LIST, LANE_CLOUD, ROLE_READER, false,                 \
            VM_STATE_UNSPECIFIED, NULL, call_##slot, offsetof(struct adapter_ops, slot)            \
    }
#define CHANGE(kind, method, slot, state)                                                          \
    {                                                                                              \
        "isobar.v1.VmService", #method, kind, LANE_CLOUD, ROLE_OPERATOR, true, state, NULL,        \
            call_##slot, offsetof(struct adapter_ops, slot)                                        \
    }
#define BATCH(method, role, mutates, handler)                                                      \
    {                                                                                              \
        "isobar.v1.VmService", #method, KIND_BATCH, LANE_CLOUD, role, mutates,                     \
            VM_STATE_UNSPECIFIED, handler, NULL, 0                                                 \
    }
#define OPERATION(method, role, handler)                                                           \
    {                                                                                              \
        "isobar.v1.OperationService", #method, KIND_HANDLER, LANE_LOCAL, role, false,              \
            VM_STATE_UNSPECIFIED, handler, NULL, 0                                                 \
    }
#define OWN(service, method, handler)                                                              \
    {                                                                                              \
        service, #method, KIND_HANDLER, LANE_INLINE, ROLE_READER, false, VM_STATE_UNSPECIFIED,     \
            handler, NULL, 0                                                                       \
    }

/* Of the registry of adapters. */
#define REGISTRY(method, lane, role, handler)                                                      \
    {                                                                                              \
        "isobar.v1.AdapterService", #method, KIND_HANDLER, lane, role, false,                      \
            VM_STATE_UNSPECIFIED, handler, NULL, 0                                                 \
    }

static const struct method_policy policies[] = {
    CHANGE(KIND_CREATE, CreateVm, create_vm, VM_STATE_RUNNING),
    GET(VmService, GetVm, get_vm),
    LIST(VmService, ListVms, list_vms),
    CHANGE(KIND_ACTION, StartVm, start_vm, VM_STATE_RUNNING),
    CHANGE(KIND_ACTION, StopVm, stop_vm, VM_STATE_STOPPED),
    CHANGE(KIND_ACTION, RebootVm, reboot_vm, VM_STATE_RUNNING),
    CHANGE(KIND_ACTION, SuspendVm, suspend_vm, VM_STATE_SUSPENDED),
    CHANGE(KIND_ACTION, ResumeVm, resume_vm, VM_STATE_RUNNING),
    CHANGE(KIND_ACTION, ResizeVm, resize_vm, VM_STATE_UNSPECIFIED),
    CHANGE(KIND_ACTION, DeleteVm, delete_vm, VM_STATE_DELETED),
    BATCH(BatchControlVms, ROLE_OPERATOR, true, batch_control),
    BATCH(BatchGetVmStatus, ROLE_READER, false, batch_status),
    LIST(ImageService, ListImages, list_images),
    GET(ImageService, GetImage, get_image),
    LIST(FlavorService, ListFlavors, list_flavors),
    GET(FlavorService, GetFlavor, get_flavor),
    LIST(NetworkService, ListNetworks, list_networks),
    GET(NetworkService, GetNetwork, get_network),
    LIST(NetworkService, ListSubnets, list_subnets),
    GET(NetworkService, GetSubnet, get_subnet),
    LIST(SecurityGroupService, ListSecurityGroups, list_security_groups),
    GET(SecurityGroupService, GetSecurityGroup, get_security_group),
    LIST(KeypairService, ListKeypairs, list_keypairs),
    GET(KeypairService, GetKeypair, get_keypair),
    LIST(RegionService, ListRegions, list_regions),
    GET(RegionService, GetRegion, get_region),
    LIST(RegionService, ListZones, list_zones),
    GET(RegionService, GetZone, get_zone),
    GET(CloudService, CheckCloud, check_cloud),
    LIST(OperationService, ListOperationVms, list_operation_vms),
    {"isobar.v1.OperationService", "ListLeftovers", KIND_LIST, LANE_CLOUD, ROLE_READER, false,
     VM_STATE_UNSPECIFIED, leftover_judge, call_list_leftovers,
     offsetof(struct adapter_ops, list_leftovers)},
    {"isobar.v1.OperationService", "DeleteLeftover", KIND_TASK, LANE_CLOUD, ROLE_ADMIN, true,
     VM_STATE_UNSPECIFIED, leftover_check, call_delete_leftover,
     offsetof(struct adapter_ops, delete_leftover)},
    OWN("isobar.v1.CloudService", ListClouds, cloud_list),
    OWN("isobar.v1.CloudService", GetCloud, cloud_get),
    OWN("isobar.v1.AdapterService", ListAdapters, adapter_list),
    OWN("isobar.v1.AdapterService", DescribeAdapter, adapter_describe),
    REGISTRY(RegisterAdapter, LANE_LOCAL, ROLE_ADAPTER, registry_register),
    REGISTRY(RenewAdapter, LANE_INLINE, ROLE_ADAPTER, registry_renew),
    REGISTRY(DeregisterAdapter, LANE_LOCAL, ROLE_ADAPTER, registry_deregister),
    REGISTRY(DrainAdapter, LANE_LOCAL, ROLE_ADAPTER, registry_drain),
    REGISTRY(SetAdapterStatus, LANE_LOCAL, ROLE_ADAPTER, registry_set_status),
    REGISTRY(WatchAdapters, LANE_INLINE, ROLE_READER, registry_watch),
    OPERATION(GetOperation, ROLE_READER, operation_get),
    OPERATION(ListOperations, ROLE_READER, operation_list),
    OPERATION(WaitOperation, ROLE_READER, operation_wait),
    OPERATION(CancelOperation, ROLE_OPERATOR, operation_cancel),
    OWN("grpc.health.v1.Health", Check, health_check),
};

#define SERVICE(name, descriptor) &descriptor,
static const ProtobufCServiceDescriptor *const services[] = {ISOBAR_SERVICES(SERVICE)};
#undef SERVICE

static struct {
    size_t n;
    struct method *items;
} methods;

static const struct method_policy *policy_of(const char *service, const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(policies); i++)
        if (strcmp(policies[i].service, service) == 0 && strcmp(policies[i].name, name) == 0)
            return &policies[i];
    return NULL;
}

static const ProtobufCFieldDescriptor *field_of(const ProtobufCMessageDescriptor *type,
                                                const char *name, ProtobufCType kind)
{
    const ProtobufCFieldDescriptor *f = protobuf_c_message_descriptor_get_field_by_name(type, name);
    return f && f->type == kind ? f : NULL;
}

static bool add_method(const ProtobufCServiceDescriptor *service,
                       const ProtobufCMethodDescriptor *d, char ret_why[256])
{
    struct method *m = &methods.items[methods.n];
    char *full_name;
    if (asprintf(&full_name, "%s/%s", service->name, d->name) < 0)
        return false;
    methods.n++;
    m->full_name = full_name;
    m->policy = policy_of(service->name, d->name);
    m->input = d->input;
    m->output = d->output;
    m->in = (struct method_fields){
        .cloud = field_of(d->input, "cloud", PROTOBUF_C_TYPE_STRING),
        .id = field_of(d->input, "id", PROTOBUF_C_TYPE_STRING),
        .ids = field_of(d->input, "ids", PROTOBUF_C_TYPE_STRING),
        .name = field_of(d->input, "name", PROTOBUF_C_TYPE_STRING),
        .wait = field_of(d->input, "wait", PROTOBUF_C_TYPE_ENUM),
        .dry_run = field_of(d->input, "dry_run", PROTOBUF_C_TYPE_BOOL),
        .page_size = field_of(d->input, "page_size", PROTOBUF_C_TYPE_UINT32),
        .page_token = field_of(d->input, "page_token", PROTOBUF_C_TYPE_STRING),
    };
    m->out_first = protobuf_c_message_descriptor_get_field(d->output, 1);
    if (!m->policy)
        snprintf(ret_why, 256, "%s has no policy", full_name);
    else if (m->policy->lane == LANE_CLOUD && !m->in.cloud)
        snprintf(ret_why, 256, "%s goes to a cloud and has no field `cloud`", full_name);
    else
        return true;
    return false;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct method *)a)->full_name, ((const struct method *)b)->full_name);
}

static bool add_all(char ret_why[256])
{
    size_t n = 0;
    for (size_t s = 0; s < ARRAY_LEN(services); s++)
        n += services[s]->n_methods;
    methods.items = calloc(n, sizeof(*methods.items));
    if (!methods.items)
        return false;
    for (size_t s = 0; s < ARRAY_LEN(services); s++)
        for (unsigned i = 0; i < services[s]->n_methods; i++)
            if (!add_method(services[s], &services[s]->methods[i], ret_why))
                return false;
    if (n != ARRAY_LEN(policies)) {
        snprintf(ret_why, 256, "%zu methods, and %zu policies", n, ARRAY_LEN(policies));
        return false;
    }
    qsort(methods.items, methods.n, sizeof(*methods.items), by_name);
    return true;
}

bool methods_init(char ret_why[256])
{
    if (add_all(ret_why))
        return true;
    methods_done();
    return false;
}

void methods_done(void)
{
    for (size_t i = 0; i < methods.n; i++)
        free((void *)(uintptr_t)methods.items[i].full_name);
    free(methods.items);
    methods.items = NULL;
    methods.n = 0;
}

const struct method *method_find(const char *full_name)
{
    struct method key = {.full_name = full_name};
    return bsearch(&key, methods.items, methods.n, sizeof(*methods.items), by_name);
}

const struct method *methods_all(size_t *ret_n)
{
    *ret_n = methods.n;
    return methods.items;
}

bool method_supported(const struct method *m, const struct adapter_ops *ops)
{
    if (!m->policy->slot)
        return m->policy->kind == KIND_BATCH;
    void (*slot)(void);
    memcpy(&slot, (const char *)ops + m->policy->slot_offset, sizeof(slot));
    return slot != NULL;
}
