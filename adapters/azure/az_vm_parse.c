/* Azure's machines into messages. Pure. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "az_states.h"
#include "az_things.h"
#include "az_vms.h"

/* ---- What hangs on a machine, by id ---- */

static int by_id(const void *a, const void *b)
{
    return strcasecmp(((const struct az_thing *)a)->id, ((const struct az_thing *)b)->id);
}

static void sort(struct shape_list *list, size_t size)
{
    if (list->n > 1)
        qsort(list->items, list->n, size, by_id);
}

void az_links_sort(struct az_links *links)
{
    sort(&links->nics, sizeof(struct az_nic));
    sort(&links->ips, sizeof(struct az_ip));
}

static const void *look_up(const struct shape_list *list, size_t size, const char *id)
{
    const struct az_thing wanted = {.id = id};

    return id == NULL || list->n == 0 ? NULL : bsearch(&wanted, list->items, list->n, size, by_id);
}

/* ---- Addresses and groups ---- */

/* "00-0D-3A-1B-C7-21" as other clouds write it. */
static char *mac_text(struct arena *a, const char *mac)
{
    char *text = mac != NULL ? arena_strdup(a, mac) : field_text(NULL);

    for (char *c = text; *c != '\0'; c++) {
        if (*c == '-')
            *c = ':';
        else if (*c >= 'A' && *c <= 'F')
            *c = (char)(*c - 'A' + 'a');
    }
    return text;
}

static void put_address(struct arena *a, pb_Vm *vm, const char *network_id, const char *ip,
                        pb_AddressKind kind, const char *mac)
{
    if (ip == NULL || ip[0] == '\0')
        return;
    pb_VmAddress *to = arena_message(a, &pb_VmAddress_desc);

    if (to == NULL)
        return;
    to->network_id = field_text(network_id);
    to->network_name = field_text(network_id != NULL ? az_id_name(a, network_id) : NULL);
    to->ip = field_text(ip);
    to->ip_version = strchr(ip, ':') != NULL ? 6 : 4;
    to->kind = kind;
    to->mac = mac_text(a, mac);
    vm->addresses[vm->n_addresses++] = to;
}

static void put_nic(struct arena *a, pb_Vm *vm, const struct az_nic *nic,
                    const struct az_links *links)
{
    const struct az_ip_config *configs = nic->configs.items;

    for (size_t i = 0; i < nic->configs.n; i++) {
        const struct az_ip_config *c = &configs[i];
        const struct az_ip *ip = look_up(&links->ips, sizeof(*ip), c->public_ip_id);
        struct az_id subnet = {0};
        if (c->subnet_id != NULL && !az_id_parse(a, c->subnet_id, &subnet))
            subnet.parent = NULL;
        put_address(a, vm, subnet.parent, c->private_ip, ADDRESS_KIND_FIXED, nic->mac);
        if (ip != NULL)
            put_address(a, vm, subnet.parent, ip->address, ADDRESS_KIND_PUBLIC, nic->mac);
    }
}

static void put_group(struct arena *a, pb_Vm *vm, const char *group_id)
{
    const char *name = group_id != NULL ? az_id_name(a, group_id) : "";
    bool known = name[0] == '\0';

    for (size_t i = 0; !known && i < vm->n_security_group_names; i++)
        known = strcasecmp(vm->security_group_names[i], name) == 0;
    if (!known)
        vm->security_group_names[vm->n_security_group_names++] = field_text(name);
}

static void put_links(struct arena *a, const struct az_vm *from, const struct az_links *links,
                      pb_Vm *vm)
{
    const struct az_reference *refs = from->nics.items;
    size_t room = 1;

    for (size_t i = 0; i < from->nics.n; i++) {
        const struct az_nic *nic = look_up(&links->nics, sizeof(*nic), refs[i].id);
        room += nic != NULL ? 2 * nic->configs.n : 0;
    }
    vm->addresses = arena_array(a, room, sizeof(*vm->addresses));
    vm->security_group_names = arena_array(a, from->nics.n + 1, sizeof(char *));
    if (vm->addresses == NULL || vm->security_group_names == NULL)
        return;
    for (size_t i = 0; i < from->nics.n; i++) {
        const struct az_nic *nic = look_up(&links->nics, sizeof(*nic), refs[i].id);
        if (nic == NULL)
            continue;
        put_nic(a, vm, nic, links);
        put_group(a, vm, nic->group_id);
    }
}

/* ---- Disks ---- */

static void put_volume(struct arena *a, pb_Vm *vm, const char *id, const char *delete_option)
{
    if (id == NULL || id[0] == '\0')
        return;
    pb_VmVolume *to = arena_message(a, &pb_VmVolume_desc);

    if (to == NULL)
        return;
    to->id = field_text(id);
    to->delete_on_termination = delete_option != NULL && strcasecmp(delete_option, "Delete") == 0;
    vm->volumes[vm->n_volumes++] = to;
}

static void put_volumes(struct arena *a, const struct az_vm *from, pb_Vm *vm)
{
    const struct az_data_disk *disks = from->data_disks.items;

    vm->volumes = arena_array(a, from->data_disks.n + 1, sizeof(*vm->volumes));
    if (vm->volumes == NULL)
        return;
    put_volume(a, vm, from->os_disk.disk_id, from->os_disk.delete_option);
    for (size_t i = 0; i < from->data_disks.n; i++)
        put_volume(a, vm, disks[i].disk_id, disks[i].delete_option);
}

/* ---- The whole ---- */

const char *az_vm_image(struct arena *a, const struct az_vm *vm, bool exact)
{
    const char *version =
        exact && vm->image.exact_version != NULL ? vm->image.exact_version : vm->image.version;

    if (vm->image.id != NULL && vm->image.id[0] != '\0')
        return exact ? vm->image.id : az_id_name(a, vm->image.id);
    if (vm->image.publisher == NULL || vm->image.offer == NULL || vm->image.sku == NULL)
        return "";
    return arena_printf(a, "%s:%s:%s:%s", vm->image.publisher, vm->image.offer, vm->image.sku,
                        version != NULL ? version : "latest");
}

static void put_texts(struct arena *a, const struct az_vm *from, pb_Vm *vm)
{
    struct field_pairs tags = {.arena = a, .type = &pb_Vm_TagsEntry_desc};
    struct field_pairs native = {.arena = a, .type = &pb_Vm_NativeEntry_desc};

    az_put_all(&native, &from->thing);
    for (size_t i = 0; i < from->thing.tags.n; i++) {
        const struct shape_pair *tag = &from->thing.tags.items[i];
        field_pairs_put(strcmp(tag->key, AZ_TOKEN_KEY) == 0 ? &native : &tags, tag->key,
                        tag->value);
    }
    vm->n_tags = tags.n;
    vm->tags = (void *)tags.items;
    vm->n_native = native.n;
    vm->native = (void *)native.items;
}

/* When what was last done to it was over. */
static const char *changed_at(const struct az_vm *vm)
{
    static const char prefix[] = "ProvisioningState/";
    const struct az_status *s = vm->statuses.items;

    for (size_t i = 0; i < vm->statuses.n; i++)
        if (s[i].code != NULL && strncasecmp(s[i].code, prefix, sizeof(prefix) - 1) == 0)
            return s[i].time;
    return NULL;
}

pb_Vm *az_parse_vm(struct arena *a, const char *cloud, const struct az_vm *from,
                   const struct az_links *links)
{
    pb_Vm *vm = arena_message(a, &pb_Vm_desc);

    if (vm == NULL)
        return NULL;
    vm->cloud = field_text(cloud);
    vm->id = field_text(from->thing.id);
    vm->name = field_text(from->thing.name);
    vm->state = az_vm_state(from);
    vm->native_state = az_native_state(a, from);
    vm->fault = field_text(az_vm_fault(a, from));
    vm->flavor_id = field_text(from->size);
    vm->flavor_name = field_text(from->size);
    vm->disk_gib = field_u64(from->os_disk.size_gib);
    vm->image_id = field_text(az_vm_image(a, from, true));
    vm->image_name = field_text(az_vm_image(a, from, false));
    vm->region = field_text(from->thing.location);
    vm->zone = field_text(from->zones.n > 0 ? from->zones.items[0] : NULL);
    vm->created_at = field_time(a, from->created);
    vm->updated_at = field_time(a, changed_at(from));
    put_links(a, from, links, vm);
    put_volumes(a, from, vm);
    put_texts(a, from, vm);
    return vm;
}
