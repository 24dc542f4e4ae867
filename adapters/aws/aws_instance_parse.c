/* EC2's instances into messages. Pure. */
#include <string.h>

#include "aws_instances.h"
#include "aws_states.h"
#include "isobar/clock.h"

/* Attachments are made within this time of a machine's first start. */
#define FIRST_START_NS (2 * NS_PER_SEC)

static bool same(const char *a, const char *b)
{
    return a != NULL && b != NULL && strcmp(a, b) == 0;
}

static bool to_ns(const char *text, int64_t *ret)
{
    int64_t seconds;
    int32_t nanos;

    return text != NULL && clock_parse(text, &seconds, &nanos) &&
           !__builtin_mul_overflow(seconds, NS_PER_SEC, &seconds) &&
           !__builtin_add_overflow(seconds, nanos, ret);
}

/* The older one; NULL counts for nothing. */
static const char *older(const char *a, const char *b)
{
    int64_t x, y;

    if (!to_ns(b, &y))
        return a;
    return to_ns(a, &x) && x <= y ? a : b;
}

/* EC2 says when a machine was last started. It was made with its first network interface, which
 * never leaves it, and hardly ever gets another root volume. */
static const char *made_at(const struct aws_instance *i)
{
    const struct aws_mapping *disks = i->mappings.items;
    const struct aws_nic *nics = i->nics.items;
    const char *at = NULL;

    for (size_t n = 0; n < i->mappings.n; n++)
        if (same(disks[n].device, i->root_device))
            at = older(at, disks[n].ebs.attach_time);
    for (size_t n = 0; n < i->nics.n; n++)
        if (nics[n].attachment.device_index == 0)
            at = older(at, nics[n].attachment.attach_time);
    return at;
}

bool aws_instance_started_again(const struct aws_instance *i)
{
    int64_t made, launched;

    return to_ns(made_at(i), &made) && to_ns(i->launch_time, &launched) &&
           launched - made > FIRST_START_NS;
}

bool aws_instance_is_gone(const struct aws_instance *i)
{
    pb_VmState state = aws_state(i);

    return state == VM_STATE_DELETED || state == VM_STATE_DELETING;
}

/* ---- Addresses ---- */

static void put_address(struct arena *a, pb_Vm *vm, const char *network, const char *ip,
                        pb_AddressKind kind, const char *mac)
{
    if (ip == NULL || ip[0] == '\0')
        return;
    pb_VmAddress *to = arena_message(a, &pb_VmAddress_desc);

    if (to == NULL)
        return;
    to->network_id = field_text(network);
    to->ip = field_text(ip);
    to->ip_version = strchr(ip, ':') != NULL ? 6 : 4;
    to->kind = kind;
    to->mac = field_text(mac);
    vm->addresses[vm->n_addresses++] = to;
}

static void put_association(struct arena *a, pb_Vm *vm, const struct aws_nic *nic,
                            const struct aws_association *from)
{
    put_address(a, vm, nic->vpc_id, from->public_ip, ADDRESS_KIND_PUBLIC, nic->mac);
    put_address(a, vm, nic->vpc_id, from->carrier_ip, ADDRESS_KIND_PUBLIC, nic->mac);
    put_address(a, vm, nic->vpc_id, from->customer_ip, ADDRESS_KIND_PUBLIC, nic->mac);
}

static void put_nic(struct arena *a, pb_Vm *vm, const struct aws_nic *nic)
{
    const struct aws_private_ip *ips = nic->ips.items;
    const struct aws_ipv6 *six = nic->ipv6.items;

    for (size_t n = 0; n < nic->ips.n; n++) {
        put_address(a, vm, nic->vpc_id, ips[n].ip, ADDRESS_KIND_FIXED, nic->mac);
        put_association(a, vm, nic, &ips[n].association);
    }
    if (nic->ips.n == 0)
        put_address(a, vm, nic->vpc_id, nic->private_ip, ADDRESS_KIND_FIXED, nic->mac);
    /* The same that the first address has. */
    if (nic->ips.n == 0)
        put_association(a, vm, nic, &nic->association);
    for (size_t n = 0; n < nic->ipv6.n; n++)
        put_address(a, vm, nic->vpc_id, six[n].ip, ADDRESS_KIND_FIXED, nic->mac);
}

static void put_addresses(struct arena *a, const struct aws_instance *i, pb_Vm *vm)
{
    const struct aws_nic *nics = i->nics.items;
    size_t room = 3;

    for (size_t n = 0; n < i->nics.n; n++)
        room += 4 * (nics[n].ips.n + 1) + nics[n].ipv6.n;
    vm->addresses = arena_array(a, room, sizeof(*vm->addresses));
    if (vm->addresses == NULL)
        return;
    for (size_t n = 0; n < i->nics.n; n++)
        put_nic(a, vm, &nics[n]);
    if (i->nics.n > 0)
        return;
    /* Nothing is known of its interfaces (a machine that is just being made). */
    put_address(a, vm, i->vpc_id, i->private_ip, ADDRESS_KIND_FIXED, NULL);
    put_address(a, vm, i->vpc_id, i->public_ip, ADDRESS_KIND_PUBLIC, NULL);
    put_address(a, vm, i->vpc_id, i->ipv6, ADDRESS_KIND_FIXED, NULL);
}

/* ---- What else is a list ---- */

static size_t add_groups(pb_Vm *vm, const struct shape_list *groups)
{
    const struct aws_group *from = groups->items;
    size_t n = vm->n_security_group_names;

    for (size_t i = 0; i < groups->n; i++) {
        bool known = from[i].name == NULL;
        for (size_t k = 0; !known && k < n; k++)
            known = strcmp(vm->security_group_names[k], from[i].name) == 0;
        if (!known)
            vm->security_group_names[n++] = field_text(from[i].name);
    }
    return n;
}

/* The machine's own list has the groups of its first interface alone. */
static void put_groups(struct arena *a, const struct aws_instance *i, pb_Vm *vm)
{
    const struct aws_nic *nics = i->nics.items;
    size_t room = i->groups.n + 1;

    for (size_t n = 0; n < i->nics.n; n++)
        room += nics[n].groups.n;
    vm->security_group_names = arena_array(a, room, sizeof(char *));
    if (vm->security_group_names == NULL)
        return;
    vm->n_security_group_names = add_groups(vm, &i->groups);
    for (size_t n = 0; n < i->nics.n; n++)
        vm->n_security_group_names = add_groups(vm, &nics[n].groups);
}

static void put_volumes(struct arena *a, const struct aws_instance *i, pb_Vm *vm)
{
    const struct aws_mapping *from = i->mappings.items;

    vm->volumes = arena_array(a, i->mappings.n + 1, sizeof(*vm->volumes));
    for (size_t n = 0; vm->volumes != NULL && n < i->mappings.n; n++) {
        if (from[n].ebs.volume_id == NULL)
            continue;
        pb_VmVolume *to = arena_message(a, &pb_VmVolume_desc);
        if (to == NULL)
            return;
        to->id = field_text(from[n].ebs.volume_id);
        to->delete_on_termination = from[n].ebs.delete_on_termination;
        vm->volumes[vm->n_volumes++] = to;
    }
}

/* All but the name, which is a field of its own, and our mark. */
static void put_tags(struct arena *a, const struct aws_instance *i, pb_Vm *vm)
{
    static const char *const mapped[] = {
        "instanceId",
        "instanceState",
        "imageId",
        "keyName",
        "instanceType",
        "placement.availabilityZone",
        "privateIpAddress",
        "ipAddress",
        "ipv6Address",
        "groupSet.groupName",
        "blockDeviceMapping.ebs.volumeId",
        "tagSet",
        "networkInterfaceSet.macAddress",
        "networkInterfaceSet.vpcId",
        "networkInterfaceSet.privateIpAddress",
        "networkInterfaceSet.association.publicIp",
        "networkInterfaceSet.privateIpAddressesSet",
        "networkInterfaceSet.ipv6AddressesSet",
        "networkInterfaceSet.groupSet.groupName",
        "currentState",
        "previousState",
        NULL,
    };
    struct field_pairs tags = {.arena = a, .type = &pb_Vm_TagsEntry_desc};
    struct field_pairs native = {.arena = a, .type = &pb_Vm_NativeEntry_desc};

    for (size_t n = 0; n < i->thing.tags.n; n++) {
        const struct shape_pair *tag = &i->thing.tags.items[n];
        bool ours = strcmp(tag->key, AWS_TOKEN_KEY) == 0;
        if (strcmp(tag->key, "Name") != 0)
            field_pairs_put(ours ? &native : &tags, tag->key, tag->value);
    }
    aws_put_native(&native, &aws_instance_shape, i, mapped);
    vm->n_tags = tags.n;
    vm->tags = (void *)tags.items;
    vm->n_native = native.n;
    vm->native = (void *)native.items;
}

/* ---- The whole ---- */

static uint32_t vcpus(const struct aws_instance *i)
{
    int64_t n;

    return __builtin_mul_overflow(i->cpu.cores, i->cpu.threads, &n) ? 0 : field_u32(n);
}

pb_Vm *aws_parse_instance(struct arena *a, const char *cloud, const char *region,
                          const struct aws_instance *i)
{
    pb_Vm *vm = arena_message(a, &pb_Vm_desc);

    if (vm == NULL)
        return NULL;
    vm->cloud = field_text(cloud);
    vm->id = field_text(i->thing.id);
    vm->name = field_text(i->thing.name);
    vm->state = aws_state(i);
    vm->native_state = aws_native_state(a, i);
    vm->fault = field_text(aws_instance_fault(i));
    vm->flavor_id = field_text(i->type);
    vm->flavor_name = field_text(i->type);
    vm->vcpus = vcpus(i);
    vm->image_id = field_text(i->image_id);
    vm->region = field_text(region);
    vm->zone = field_text(i->zone);
    vm->keypair = field_text(i->key_name);
    vm->created_at = field_time(a, older(i->launch_time, made_at(i)));
    vm->updated_at = field_time(a, i->launch_time);
    put_addresses(a, i, vm);
    put_groups(a, i, vm);
    put_volumes(a, i, vm);
    put_tags(a, i, vm);
    return vm;
}
