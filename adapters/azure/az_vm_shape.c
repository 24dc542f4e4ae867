/* What is read of a machine, as tables. */
#include "az_shapes.h"
#include "az_vms.h"

#define WORD(member_, name_) AZ_TEXT(az_vm, member_, name_)

static const struct shape_field status_fields[] = {
    AZ_TEXT(az_status, code, "code"),
    AZ_TEXT(az_status, level, "level"),
    AZ_TEXT(az_status, display, "displayStatus"),
    AZ_TEXT(az_status, message, "message"),
    AZ_TEXT(az_status, time, "time"),
};
AZ_SHAPE(status, az_status);

static const struct shape_field view_fields[] = {AZ_LIST(az_vm, statuses, "statuses", status)};
AZ_SHAPE(view, az_vm);

static const struct shape_field hardware_fields[] = {WORD(size, "vmSize")};
AZ_SHAPE(hardware, az_vm);

static const struct shape_field image_fields[] = {
    WORD(image.id, "id"),           WORD(image.publisher, "publisher"),
    WORD(image.offer, "offer"),     WORD(image.sku, "sku"),
    WORD(image.version, "version"), WORD(image.exact_version, "exactVersion"),
};
AZ_SHAPE(image, az_vm);

static const struct shape_field os_managed_fields[] = {
    WORD(os_disk.disk_id, "id"),
    WORD(os_disk.storage_type, "storageAccountType"),
};
AZ_SHAPE(os_managed, az_vm);

static const struct shape_field os_disk_fields[] = {
    WORD(os_disk.os_type, "osType"),
    WORD(os_disk.name, "name"),
    AZ_NUMBER(az_vm, os_disk.size_gib, "diskSizeGB"),
    AZ_PART("managedDisk", os_managed),
    WORD(os_disk.delete_option, "deleteOption"),
};
AZ_SHAPE(os_disk, az_vm);

static const struct shape_field managed_fields[] = {
    AZ_TEXT(az_data_disk, disk_id, "id"),
    AZ_TEXT(az_data_disk, storage_type, "storageAccountType"),
};
AZ_SHAPE(managed, az_data_disk);

static const struct shape_field data_disk_fields[] = {
    AZ_NUMBER(az_data_disk, lun, "lun"),
    AZ_TEXT(az_data_disk, name, "name"),
    AZ_TEXT(az_data_disk, create_option, "createOption"),
    AZ_NUMBER(az_data_disk, size_gib, "diskSizeGB"),
    AZ_PART("managedDisk", managed),
    AZ_TEXT(az_data_disk, delete_option, "deleteOption"),
};
AZ_SHAPE(data_disk, az_data_disk);

static const struct shape_field storage_fields[] = {
    AZ_PART("imageReference", image),
    AZ_PART("osDisk", os_disk),
    AZ_LIST(az_vm, data_disks, "dataDisks", data_disk),
};
AZ_SHAPE(storage, az_vm);

static const struct shape_field key_fields[] = {
    AZ_TEXT(az_ssh_key, path, "path"),
    AZ_TEXT(az_ssh_key, key, "keyData"),
};
AZ_SHAPE(key, az_ssh_key);

static const struct shape_field ssh_fields[] = {AZ_LIST(az_vm, keys, "publicKeys", key)};
AZ_SHAPE(ssh, az_vm);

static const struct shape_field linux_fields[] = {AZ_PART("ssh", ssh)};
AZ_SHAPE(linux, az_vm);

static const struct shape_field os_fields[] = {
    WORD(computer_name, "computerName"),
    WORD(admin, "adminUsername"),
    AZ_PART("linuxConfiguration", linux),
};
AZ_SHAPE(os, az_vm);

static const struct shape_field reference_more_fields[] = {
    AZ_BOOL(az_reference, primary, "primary"),
    AZ_TEXT(az_reference, delete_option, "deleteOption"),
};
AZ_SHAPE(reference_more, az_reference);

static const struct shape_field reference_fields[] = {
    AZ_TEXT(az_reference, id, "id"),
    AZ_PART("properties", reference_more),
};
AZ_SHAPE(reference, az_reference);

static const struct shape_field network_fields[] = {
    AZ_LIST(az_vm, nics, "networkInterfaces", reference),
};
AZ_SHAPE(network, az_vm);

static const struct shape_field set_fields[] = {WORD(availability_set, "id")};
AZ_SHAPE(set, az_vm);

static const struct shape_field properties_fields[] = {
    WORD(vm_id, "vmId"),
    AZ_PART("hardwareProfile", hardware),
    AZ_PART("storageProfile", storage),
    AZ_PART("osProfile", os),
    AZ_PART("networkProfile", network),
    AZ_PART("availabilitySet", set),
    WORD(priority, "priority"),
    WORD(eviction, "evictionPolicy"),
    WORD(license, "licenseType"),
    WORD(provisioning, "provisioningState"),
    AZ_PART("instanceView", view),
    WORD(created, "timeCreated"),
};
AZ_SHAPE(properties, az_vm);

static const struct shape_field vm_fields[] = {
    AZ_THING_FIELDS(struct az_vm),
    AZ_PART("properties", properties),
    AZ_TEXTS(az_vm, zones, "zones"),
};
AZ_SHAPE(vm, az_vm);
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
    "userData", /* there may be secrets in it */
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
