/* Images: AMIs. */
#ifndef AWS_IMAGES_H
#define AWS_IMAGES_H

#include "aws.h"

struct aws_image_mapping {
    const char *device, *virtual_name, *no_device, *snapshot_id, *volume_type, *iops, *throughput;
    const char *encrypted, *kms_key, *outpost_arn, *delete_on_termination, *volume_size;
};

struct aws_image {
    struct aws_thing thing; /* the name is its own */
    const char *state, *owner_id, *owner_alias, *location, *architecture, *platform;
    const char *platform_details, *root_device, *root_device_type, *virtualization, *hypervisor;
    const char *created, *description, *image_type, *boot_mode, *deprecated, *kernel_id;
    const char *ramdisk_id, *usage_operation, *ena, *sriov, *tpm, *imds, *is_public; /* "true" */
    struct {
        const char *code, *message;
    } state_reason;
    struct shape_list mappings; /* struct aws_image_mapping */
    struct shape_list products; /* struct aws_product */
    bool is_own;                /* in lists: of the account itself */
};

extern const struct aws_kind
    aws_image_kind,        /* all that the account may see, 100,000 and more: only with filters */
    aws_own_image_kind,    /* the account's own */
    aws_shared_image_kind; /* those that are shared with it by name */

/* What spec.image_id refers to: "ami-..", the name of one that the account owns or may launch, or
 * OWNER/NAME ("amazon/al2023-ami-2023.*-x86_64", "099720109477/ubuntu-*"), where * and ? are
 * wildcards: the newest that is available, of those for one of `architectures` (NULL: any) if there
 * are some. A public image has to be named with its owner. */
pb_ResultCode aws_image_find(struct adapter *a, struct op *op, const char *field,
                             const char *wanted, const struct shape_strings *architectures,
                             struct aws_image *ret) MUST_USE;

/* Where it says what it is for, and they say what they are. */
bool aws_image_runs_on(const struct aws_image *i, const struct shape_strings *architectures);

pb_ResultCode aws_list_images(struct adapter *a, struct op *op, const pb_ListImagesRequest *req,
                              pb_ListImagesResponse *ret);
pb_ResultCode aws_get_image(struct adapter *a, struct op *op, const pb_GetImageRequest *req,
                            pb_GetImageResponse *ret);

#endif
