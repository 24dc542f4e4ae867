/* Cinder's volumes and snapshots, so far as machines need them. */
#ifndef OS_VOLUMES_H
#define OS_VOLUMES_H

#include "os.h"

struct os_volume {
    struct os_thing thing;
    const char *status;
    const char *bootable; /* "true" or "false" */
    const char *created;
    int64_t size; /* GiB */
    struct shape_map metadata;
};

struct os_snapshot {
    struct os_thing thing;
    const char *status;
    int64_t size; /* GiB */
};

extern const struct os_kind os_volume_kind;
extern const struct os_kind os_snapshot_kind;

/* A volume that is to be made before its machine. */
struct os_new_volume {
    const char *name;
    const char *source_volume; /* that it is a copy of; NULL: empty */
    const char *type;          /* NULL: the cloud's own choice */
    int64_t size;              /* GiB */
    bool keep;                 /* it outlives its machine */
};

/* POST /volumes, marked with the operation's token. Pure; false where memory is short. */
bool os_build_volume(struct arena *a, const struct os_new_volume *v, const char *token,
                     struct os_request *ret) MUST_USE;
/* Order it. */
pb_ResultCode os_volume_order(struct adapter *a, struct op *op, const struct os_new_volume *v,
                              const char *token, struct os_volume *ret) MUST_USE;
/* Wait until it can be used; `seen` is what was last seen of it. */
pb_ResultCode os_volume_wait(struct adapter *a, struct op *op, const struct os_new_volume *v,
                             const struct os_volume *seen) MUST_USE;
/* Whether the quota has room for so many more volumes of so many GiB together. Nova would find out
 * only when the machine is on its way. What the cloud does not tell is no hindrance. */
pb_ResultCode os_volume_quota(struct adapter *a, struct op *op, int64_t volumes,
                              int64_t gib) MUST_USE;
/* Whether that very operation made it. Pure. */
bool os_volume_is_ours(const struct os_volume *v, const char *token);
/* Whether it is known that no machine uses it, and none is about to. Pure. */
bool os_volume_is_free(const struct os_volume *v);

#endif
