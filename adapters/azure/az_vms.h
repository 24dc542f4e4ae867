/* Machines: virtual machines of Microsoft.Compute. */
#ifndef AZ_VMS_H
#define AZ_VMS_H

#include "az.h"

/* A status of an instance view: "PowerState/running". */
struct az_status {
    const char *code, *level, *display, *message, *time;
};

struct az_reference {
    const char *id;
    bool primary;
    const char *delete_option;
};

struct az_data_disk {
    const char *name, *disk_id, *storage_type, *create_option, *delete_option;
    int64_t lun, size_gib;
};

struct az_ssh_key {
    const char *path, *key;
};

/* A machine as Azure shows it. Texts are NULL where it does not say. */
struct az_vm {
    struct az_thing thing;
    const char *vm_id, *size, *provisioning, *created, *priority, *license, *eviction;
    const char *computer_name, *admin, *availability_set;
    struct {
        const char *publisher, *offer, *sku, *version, *exact_version, *id;
    } image;
    struct {
        const char *name, *os_type, *disk_id, *storage_type, *delete_option;
        int64_t size_gib;
    } os_disk;
    struct shape_list data_disks; /* struct az_data_disk */
    struct shape_list nics;       /* struct az_reference */
    struct shape_strings zones;
    struct shape_list statuses; /* struct az_status: of the instance view, where it was asked for */
    struct shape_list keys;     /* struct az_ssh_key */
};

/* az_vm_status_kind: of the list of statuses alone. */
extern const struct az_kind az_vm_kind, az_vm_status_kind;

/* A machine's network interfaces and their public addresses, or those of all machines: each ordered
 * by id with az_links_sort(). */
struct az_links {
    struct shape_list nics, ips; /* struct az_nic, struct az_ip */
};
void az_links_sort(struct az_links *links);

/* Into the message; pure. `links` has the addresses and security groups. */
pb_Vm *az_parse_vm(struct arena *a, const char *cloud, const struct az_vm *vm,
                   const struct az_links *links);
/* "publisher:offer:sku:version" or the id of what it was made from; "" where neither is said.
 * `exact`: with the version that "latest" turned out to be. */
const char *az_vm_image(struct arena *a, const struct az_vm *vm, bool exact);
/* The machine that a name or id refers to, with its instance view. */
pb_ResultCode az_vm_find(struct adapter *a, struct op *op, const char *wanted,
                         struct az_vm *ret) MUST_USE;
/* The message, with addresses and what its size is. */
pb_Vm *az_vm_message(struct adapter *a, struct op *op, const struct az_vm *vm);
/* The same for a list of struct az_vm: a request for all network interfaces and one for all
 * addresses, whatever the number of machines; returns how many there are in `ret`. */
size_t az_vm_messages(struct adapter *a, struct op *op, const struct shape_list *list,
                      pb_Vm ***ret);
/* All machines with their power states: one list, and one of statuses alone. */
pb_ResultCode az_vms(struct adapter *a, struct op *op, struct shape_list *ret) MUST_USE;

#endif
