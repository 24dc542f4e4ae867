/* A server of Nova into a Vm. Pure. */
#include <string.h>

#include "os_servers.h"
#include "os_states.h"

#define TEXT(member_, json_) SHAPE_FIELD(struct os_server, member_, json_, SHAPE_STRING)

static const struct shape_field address_fields[] = {
    SHAPE_FIELD(struct os_address, version, "version", SHAPE_INT),
    SHAPE_FIELD(struct os_address, addr, "addr", SHAPE_STRING),
    SHAPE_FIELD(struct os_address, type, "OS-EXT-IPS:type", SHAPE_STRING),
    SHAPE_FIELD(struct os_address, mac, "OS-EXT-IPS-MAC:mac_addr", SHAPE_STRING),
};
static const struct shape address_shape = {sizeof(struct os_address), address_fields,
                                           ARRAY_LEN(address_fields),
                                           offsetof(struct os_address, network)};

static const struct shape_field attachment_fields[] = {
    SHAPE_FIELD(struct os_attachment, id, "id", SHAPE_STRING),
    SHAPE_FIELD(struct os_attachment, delete_on_termination, "delete_on_termination", SHAPE_BOOL),
};
static const struct shape attachment_shape = {sizeof(struct os_attachment), attachment_fields,
                                              ARRAY_LEN(attachment_fields), 0};

static const struct shape_field group_fields[] = {
    SHAPE_FIELD(struct os_thing, name, "name", SHAPE_STRING),
};
static const struct shape group_shape = {sizeof(struct os_thing), group_fields,
                                         ARRAY_LEN(group_fields), 0};

static const struct shape_field flavor_fields[] = {
    TEXT(flavor.id, "id"),
    TEXT(flavor.name, "original_name"),
    SHAPE_FIELD(struct os_server, flavor.vcpus, "vcpus", SHAPE_INT),
    SHAPE_FIELD(struct os_server, flavor.ram, "ram", SHAPE_INT),
    SHAPE_FIELD(struct os_server, flavor.disk, "disk", SHAPE_INT),
};
static const struct shape flavor_shape = {sizeof(struct os_server), flavor_fields,
                                          ARRAY_LEN(flavor_fields), 0};

static const struct shape_field image_fields[] = {
    TEXT(image_id, "id"),
};
static const struct shape image_shape = {sizeof(struct os_server), image_fields,
                                         ARRAY_LEN(image_fields), 0};

static const struct shape_field fault_fields[] = {
    TEXT(fault.message, "message"),
    SHAPE_FIELD(struct os_server, fault.code, "code", SHAPE_INT),
};
static const struct shape fault_shape = {sizeof(struct os_server), fault_fields,
                                         ARRAY_LEN(fault_fields), 0};

static const struct shape_field server_fields[] = {
    TEXT(id, "id"),
    TEXT(name, "name"),
    TEXT(status, "status"),
    TEXT(tenant_id, "tenant_id"),
    TEXT(user_id, "user_id"),
    SHAPE_FIELD(struct os_server, metadata, "metadata", SHAPE_MAP),
    TEXT(host_id, "hostId"),
    {"image", SHAPE_STRUCT, 0, &image_shape},
    {"flavor", SHAPE_STRUCT, 0, &flavor_shape},
    TEXT(created, "created"),
    TEXT(updated, "updated"),
    SHAPE_NESTED(struct os_server, addresses, "addresses", SHAPE_DICT, address_shape),
    TEXT(access_ipv4, "accessIPv4"),
    TEXT(access_ipv6, "accessIPv6"),
    TEXT(disk_config, "OS-DCF:diskConfig"),
    TEXT(progress, "progress"),
    TEXT(zone, "OS-EXT-AZ:availability_zone"),
    TEXT(config_drive, "config_drive"),
    TEXT(key_name, "key_name"),
    TEXT(launched_at, "OS-SRV-USG:launched_at"),
    TEXT(terminated_at, "OS-SRV-USG:terminated_at"),
    SHAPE_NESTED(struct os_server, security, "security_groups", SHAPE_LIST, group_shape),
    TEXT(task_state, "OS-EXT-STS:task_state"),
    TEXT(vm_state, "OS-EXT-STS:vm_state"),
    TEXT(power_state, "OS-EXT-STS:power_state"),
    SHAPE_NESTED(struct os_server, attachments, "os-extended-volumes:volumes_attached", SHAPE_LIST,
                 attachment_shape),
    TEXT(locked, "locked"),
    TEXT(locked_reason, "locked_reason"),
    TEXT(description, "description"),
    SHAPE_FIELD(struct os_server, tags, "tags", SHAPE_STRINGS),
    TEXT(hostname, "OS-EXT-SRV-ATTR:hostname"),
    SHAPE_FIELD(struct os_server, groups, "server_groups", SHAPE_STRINGS),
    {"fault", SHAPE_STRUCT, 0, &fault_shape},
    /* For administrators alone. */
    TEXT(host, "OS-EXT-SRV-ATTR:host"),
    TEXT(hypervisor, "OS-EXT-SRV-ATTR:hypervisor_hostname"),
    TEXT(instance_name, "OS-EXT-SRV-ATTR:instance_name"),
    TEXT(root_device, "OS-EXT-SRV-ATTR:root_device_name"),
    TEXT(reservation_id, "OS-EXT-SRV-ATTR:reservation_id"),
    TEXT(host_status, "host_status"),
};
const struct shape os_server_shape = {sizeof(struct os_server), server_fields,
                                      ARRAY_LEN(server_fields), 0};

#define NATIVE(member_, json_)                                                                     \
    {                                                                                              \
        json_, offsetof(struct os_server, member_)                                                 \
    }

static const struct field_native server_native[] = {
    NATIVE(status, "status"),
    NATIVE(task_state, "OS-EXT-STS:task_state"),
    NATIVE(vm_state, "OS-EXT-STS:vm_state"),
    NATIVE(power_state, "OS-EXT-STS:power_state"),
    NATIVE(tenant_id, "tenant_id"),
    NATIVE(user_id, "user_id"),
    NATIVE(host_id, "hostId"),
    NATIVE(description, "description"),
    NATIVE(progress, "progress"),
    NATIVE(config_drive, "config_drive"),
    NATIVE(disk_config, "OS-DCF:diskConfig"),
    NATIVE(launched_at, "OS-SRV-USG:launched_at"),
    NATIVE(terminated_at, "OS-SRV-USG:terminated_at"),
    NATIVE(access_ipv4, "accessIPv4"),
    NATIVE(access_ipv6, "accessIPv6"),
    NATIVE(locked, "locked"),
    NATIVE(locked_reason, "locked_reason"),
    NATIVE(hostname, "OS-EXT-SRV-ATTR:hostname"),
    NATIVE(host, "OS-EXT-SRV-ATTR:host"),
    NATIVE(hypervisor, "OS-EXT-SRV-ATTR:hypervisor_hostname"),
    NATIVE(instance_name, "OS-EXT-SRV-ATTR:instance_name"),
    NATIVE(root_device, "OS-EXT-SRV-ATTR:root_device_name"),
    NATIVE(reservation_id, "OS-EXT-SRV-ATTR:reservation_id"),
    NATIVE(host_status, "host_status"),
};

static void put_addresses(struct arena *a, const struct os_server *s, pb_Vm *vm)
{
    const struct os_address *from = s->addresses.items;
    vm->addresses = arena_array(a, s->addresses.n + 1, sizeof(*vm->addresses));
    for (size_t i = 0; vm->addresses != NULL && i < s->addresses.n; i++) {
        pb_VmAddress *to = arena_message(a, &pb_VmAddress_desc);
        if (to == NULL)
            return;
        to->network_name = field_text(from[i].network);
        to->ip = field_text(from[i].addr);
        to->ip_version = field_u32(from[i].version);
        to->mac = field_text(from[i].mac);
        to->kind = from[i].type != NULL && strcmp(from[i].type, "floating") == 0
                       ? ADDRESS_KIND_PUBLIC
                       : ADDRESS_KIND_FIXED;
        vm->addresses[vm->n_addresses++] = to;
    }
}

/* Nova names a group once for each port that has it. */
static void put_groups(struct arena *a, const struct os_server *s, pb_Vm *vm)
{
    const struct os_thing *from = s->security.items;
    vm->security_group_names = arena_array(a, s->security.n + 1, sizeof(char *));
    for (size_t i = 0; vm->security_group_names != NULL && i < s->security.n; i++) {
        bool known = from[i].name == NULL;
        for (size_t k = 0; !known && k < vm->n_security_group_names; k++)
            known = strcmp(vm->security_group_names[k], from[i].name) == 0;
        if (!known)
            vm->security_group_names[vm->n_security_group_names++] = field_text(from[i].name);
    }
}

static void put_volumes(struct arena *a, const struct os_server *s, pb_Vm *vm)
{
    const struct os_attachment *from = s->attachments.items;
    vm->volumes = arena_array(a, s->attachments.n + 1, sizeof(*vm->volumes));
    for (size_t i = 0; vm->volumes != NULL && i < s->attachments.n; i++) {
        pb_VmVolume *to = arena_message(a, &pb_VmVolume_desc);
        if (to == NULL)
            return;
        to->id = field_text(from[i].id);
        to->delete_on_termination = from[i].delete_on_termination;
        vm->volumes[vm->n_volumes++] = to;
    }
}

/* Metadata are the tags, but for our own mark; Nova's tags, which have no value, are native. */
static void put_tags(struct arena *a, const struct os_server *s, pb_Vm *vm)
{
    struct field_pairs tags = {.arena = a, .type = &pb_Vm_TagsEntry_desc};
    struct field_pairs native = {.arena = a, .type = &pb_Vm_NativeEntry_desc};
    for (size_t i = 0; i < s->metadata.n; i++) {
        const struct shape_pair *pair = &s->metadata.items[i];
        bool ours = strcmp(pair->key, OS_TOKEN_KEY) == 0;
        field_pairs_put(ours ? &native : &tags, pair->key, pair->value);
    }
    field_pairs_native(&native, server_native, ARRAY_LEN(server_native), s);
    field_pairs_add(&native, "tags", field_join(a, &s->tags));
    field_pairs_add(&native, "server_groups", field_join(a, &s->groups));
    if (s->fault.code != 0)
        field_pairs_add(&native, "fault_code", arena_printf(a, "%lld", (long long)s->fault.code));
    vm->n_tags = tags.n;
    vm->tags = (void *)tags.items;
    vm->n_native = native.n;
    vm->native = (void *)native.items;
}

pb_Vm *os_parse_server(struct arena *a, const char *cloud, const char *region,
                       const struct os_server *s)
{
    pb_Vm *vm = arena_message(a, &pb_Vm_desc);
    if (vm == NULL)
        return NULL;
    vm->cloud = field_text(cloud);
    vm->id = field_text(s->id);
    vm->name = field_text(s->name);
    vm->state = os_state(s->status, s->task_state);
    vm->native_state = os_native_state(a, s->status, s->task_state);
    vm->fault = field_text(s->fault.message);
    vm->flavor_id = field_text(s->flavor.id);
    vm->flavor_name = field_text(s->flavor.name);
    vm->vcpus = field_u32(s->flavor.vcpus);
    vm->memory_mib = field_u64(s->flavor.ram);
    vm->disk_gib = field_u64(s->flavor.disk);
    vm->image_id = field_text(s->image_id);
    vm->region = field_text(region);
    vm->zone = field_text(s->zone);
    vm->keypair = field_text(s->key_name);
    vm->created_at = field_time(a, s->created);
    vm->updated_at = field_time(a, s->updated);
    put_addresses(a, s, vm);
    put_groups(a, s, vm);
    put_volumes(a, s, vm);
    put_tags(a, s, vm);
    return vm;
}
