/* Disks and resource groups: what machines are made of, and in. */
#include "az_shapes.h"
#include "az_things.h"

static const struct shape_field disk_more_fields[] = {
    AZ_TEXT(az_disk, created, "timeCreated"),
    AZ_TEXT(az_disk, state, "diskState"),
};
AZ_SHAPE(disk_more, az_disk);

static const struct shape_field disk_fields[] = {
    AZ_THING_FIELDS(struct az_disk),
    AZ_TEXT(az_disk, used_by, "managedBy"),
    AZ_PART("properties", disk_more),
};
AZ_SHAPE(disk, az_disk);
AZ_PAGE(disks_page_shape, disk_shape);

const struct az_kind az_disk_kind = {
    .noun = "disk",
    .service = AZ_COMPUTE,
    .version = "2020-12-01", /* they are not there in all versions of Compute */
    .type = "Microsoft.Compute/disks",
    .item = &disk_shape,
    .page = &disks_page_shape,
};

static const struct shape_field group_more_fields[] = {
    AZ_TEXT(az_group, provisioning, "provisioningState"),
};
AZ_SHAPE(group_more, az_group);

static const struct shape_field group_fields[] = {
    AZ_THING_FIELDS(struct az_group),
    AZ_TEXT(az_group, managed_by, "managedBy"),
    AZ_PART("properties", group_more),
};
AZ_SHAPE(group, az_group);
AZ_PAGE(groups_page_shape, group_shape);

const struct az_kind az_group_kind = {
    .noun = "resource group",
    .service = AZ_RESOURCES,
    .list = "/resourcegroups",
    .type = "Microsoft.Resources/resourceGroups",
    .item = &group_shape,
    .page = &groups_page_shape,
};
