/* What machines boot from: Glance's images. */
#ifndef OS_IMAGES_H
#define OS_IMAGES_H

#include "os.h"

struct os_image {
    struct os_thing thing;
    const char *status, *os_type, *architecture, *visibility, *disk_format, *owner;
    const char *created_at, *updated_at;
    int64_t size, virtual_size; /* bytes; 0 where not known */
    int64_t min_disk, min_ram;
    struct shape_strings tags;
};

extern const struct os_kind os_image_kind;

/* Pure. */
void *os_parse_image(struct arena *a, const char *cloud, const struct os_thing *thing);

pb_ResultCode openstack_list_images(struct adapter *a, struct op *op,
                                    const pb_ListImagesRequest *req, pb_ListImagesResponse *ret);
pb_ResultCode openstack_get_image(struct adapter *a, struct op *op, const pb_GetImageRequest *req,
                                  pb_GetImageResponse *ret);

#endif
