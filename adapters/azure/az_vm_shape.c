/* What is read of a machine, as tables. */
#include "az_vms.h"

#define TEXT(struct_, member_, name_) SHAPE_FIELD(struct struct_, member_, name_, SHAPE_STRING)
#define WORD(member_, name_)          TEXT(az_vm, member_, name_)
#define NUMBER(member_, name_)        SHAPE_FIELD(struct az_vm, member_, name_, SHAPE_INT)
#define LIST(member_, name_, shape_)  SHAPE_NESTED(struct az_vm, member_, name_, SHAPE_LIST, shape_)
/* An object whose members are members of the struct that it is in. */
#define PART(name_, shape_)                                                                        \
    {                                                                                              \
        name_, SHAPE_STRUCT, 0, &shape_##_shape                                                    \
    }
#define SHAPE_OF(name_, struct_)                                                                   \
    static const struct shape name_##_shape = {sizeof(struct struct_), name_##_fields,             \
                                               ARRAY_LEN(name_##_fields), 0}

static const struct shape_field status_fields[] = {
    TEXT(az_status, code, "code"),
    TEXT(az_status, level, "level"),
    TEXT(az_status, display, "displayStatus"),
    TEXT(az_status, message, "message"),
    TEXT(az_status, time, "time"),
};
SHAPE_OF(status, az_status);

static const struct shape_field view_fields[] = {LIST(statuses, "statuses", status_shape)};
SHAPE_OF(view, az_vm);

static const struct shape_field hardware_fields[] = {WORD(size, "vmSize")};
SHAPE_OF(hardware, az_vm);

static const struct shape_field image_fields[] = {
    WORD(image.id, "id"),           WORD(image.publisher, "publisher"),
    WORD(image.offer, "offer"),     WORD(image.sku, "sku"),
    WORD(image.version, "version"), WORD(image.exact_version, "exactVersion"),
};
SHAPE_OF(image, az_vm);

static const struct shape_field os_managed_fields[] = {
    WORD(os_disk.disk_id, "id"),
    WORD(os_disk.storage_type, "storageAccountType"),
};
SHAPE_OF(os_managed, az_vm);

static const struct shape_field os_disk_fields[] = {
    WORD(os_disk.os_type, "osType"),
    WORD(os_disk.name, "name"),
    NUMBER(os_disk.size_gib, "diskSizeGB"),
    PART("managedDisk", os_managed),
    WORD(os_disk.delete_option, "deleteOption"),
};
SHAPE_OF(os_disk, az_vm);

static const struct shape_field managed_fields[] = {
    TEXT(az_data_disk, disk_id, "id"),
    TEXT(az_data_disk, storage_type, "storageAccountType"),
};
SHAPE_OF(managed, az_data_disk);

static const struct shape_field data_disk_fields[] = {
    SHAPE_FIELD(struct az_data_disk, lun, "lun", SHAPE_INT),
    TEXT(az_data_disk, name, "name"),
    TEXT(az_data_disk, create_option, "createOption"),
    SHAPE_FIELD(struct az_data_disk, size_gib, "diskSizeGB", SHAPE_INT),
    PART("managedDisk", managed),
    TEXT(az_data_disk, delete_option, "deleteOption"),
};
SHAPE_OF(data_disk, az_data_disk);

static const struct shape_field storage_fields[] = {
    PART("imageReference", image),
    PART("osDisk", os_disk),
    LIST(data_disks, "dataDisks", data_disk_shape),
};
SHAPE_OF(storage, az_vm);

static const struct shape_field key_fields[] = {
    TEXT(az_ssh_key, path, "path"),
    TEXT(az_ssh_key, key, "keyData"),
};
SHAPE_OF(key, az_ssh_key);

static const struct shape_field ssh_fields[] = {LIST(keys, "publicKeys", key_shape)};
SHAPE_OF(ssh, az_vm);

static const struct shape_field linux_fields[] = {PART("ssh", ssh)};
SHAPE_OF(linux, az_vm);

static const struct shape_field os_fields[] = {
    WORD(computer_name, "computerName"),
    WORD(admin, "adminUsername"),
    PART("linuxConfiguration", linux),
};
SHAPE_OF(os, az_vm);

static const struct shape_field reference_more_fields[] = {
    SHAPE_FIELD(struct az_reference, primary, "primary", SHAPE_BOOL),
    TEXT(az_reference, delete_option, "deleteOption"),
};
SHAPE_OF(reference_more, az_reference);

static const struct shape_field reference_fields[] = {
    TEXT(az_reference, id, "id"),
    PART("properties", reference_more),
};
SHAPE_OF(reference, az_reference);

static const struct shape_field network_fields[] = {
    LIST(nics, "networkInterfaces", reference_shape),
};
SHAPE_OF(network, az_vm);

static const struct shape_field set_fields[] = {WORD(availability_set, "id")};
SHAPE_OF(set, az_vm);

static const struct shape_field properties_fields[] = {
    WORD(vm_id, "vmId"),
    PART("hardwareProfile", hardware),
    PART("storageProfile", storage),
    PART("osProfile", os),
    PART("networkProfile", network),
    PART("availabilitySet", set),
    WORD(priority, "priority"),
    WORD(eviction, "evictionPolicy"),
    WORD(license, "licenseType"),
    WORD(provisioning, "provisioningState"),
    PART("instanceView", view),
    WORD(created, "timeCreated"),
};
SHAPE_OF(properties, az_vm);

static const struct shape_field vm_fields[] = {
    AZ_THING_FIELDS(struct az_vm),
    PART("properties", properties),
    SHAPE_FIELD(struct az_vm, zones, "zones", SHAPE_STRINGS),
};
SHAPE_OF(vm, az_vm);
AZ_PAGE(vms_page_shape, vm_shape);

static const char *const mapped[] = {
    "id",
    "name",
    "type",
    "location",
    "tags",
    "zones",
    "hardwareProfile.vmSize",
    "storageProfile.osDisk.diskSizeGB",
    "storageProfile.osDisk.managedDisk.id",
    "storageProfile.osDisk.deleteOption",
    "storageProfile.dataDisks.managedDisk.id",
    "storageProfile.dataDisks.deleteOption",
    "provisioningState",
    "timeCreated",
    NULL,
};

const struct az_kind az_vm_kind = {
    .noun = "machine",
    .service = AZ_COMPUTE,
    .type = "Microsoft.Compute/virtualMachines",
    .expand = "instanceView",
    .item = &vm_shape,
    .page = &vms_page_shape,
    .mapped = mapped,
};

/* Of a list of statuses alone, nothing is shown but with the machines. */
const struct az_kind az_vm_status_kind = {
    .noun = "machine",
    .service = AZ_COMPUTE,
    .type = "Microsoft.Compute/virtualMachines",
    .item = &vm_shape,
    .page = &vms_page_shape,
};
