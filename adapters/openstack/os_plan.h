/* What is to be made for a CreateVm: every name looked up, every choice made, nothing made yet. */
#ifndef OS_PLAN_H
#define OS_PLAN_H

#include "os_flavors.h"
#include "os_ports.h"
#include "os_volumes.h"

/* What the machine boots from. */
enum os_boot {
    OS_BOOT_IMAGE,          /* a disk of the host's, from the image */
    OS_BOOT_IMAGE_VOLUME,   /* a new volume, from the image */
    OS_BOOT_VOLUME,         /* the volume itself */
    OS_BOOT_VOLUME_COPY,    /* a new volume, a copy of it, made before the machine */
    OS_BOOT_SNAPSHOT_VOLUME /* a new volume, from the snapshot */
};

struct os_plan_volume {
    const pb_VolumeSpec *spec;
    const char *id; /* made before the machine, for it has a name; else NULL: Nova makes it */
};

struct os_plan {
    const pb_VmSpec *spec;
    const char *token; /* of the operation */
    const char *mark;  /* "isobar-TOKEN", by which all that is made is known */
    struct os_flavor flavor;
    enum os_boot boot;
    const char *source_id;   /* of image, volume or snapshot; of the copy, once made */
    int64_t boot_size;       /* GiB of the new volume */
    const char *volume_type; /* of it; NULL: the cloud's own choice */
    const char *network_id;
    const char *subnet_id, *fixed_ip; /* NULL: the cloud's own choice */
    size_t n_groups;
    const char **groups;             /* security groups, by id; none where the network has none */
    const char *keypair;             /* NULL: no key */
    const char *external_network_id; /* a new floating IP is taken from it; NULL: none is */
    struct os_fip fip;               /* an existing one is taken; thing.id NULL: none is */
    const char *server_group;        /* its id, or NULL */
    const char *user_data;           /* encoded, or NULL */
    size_t n_volumes;
    struct os_plan_volume *volumes;
};

/* Look everything up. Asks the cloud, changes nothing. With op->resumed, what an earlier try may
 * have used up is not held against it: the quota of volumes, the floating IP. */
pb_ResultCode os_plan(struct adapter *a, struct op *op, const pb_VmSpec *spec,
                      struct os_plan *ret) MUST_USE;
/* The part of it that is about the network: os_plan_network.c */
pb_ResultCode os_plan_network(struct adapter *a, struct op *op, struct os_plan *p) MUST_USE;

/* Say that the floating IP that is wanted is another one's. Returns the code. */
pb_ResultCode os_fip_taken(struct op *op, const struct os_fip *fip);

/* Parameters that Nova takes from microversion 2.`minor` on. */
struct os_since {
    const char *parameter;
    int minor;
};
extern const struct os_since os_since[];
extern const size_t os_since_len;

/* POST /servers, in the words of microversion 2.`minor`, on the port. Pure; false where memory is
 * short. In os_build_server.c. */
bool os_build_server(struct arena *a, const struct os_plan *p, const char *port_id, int minor,
                     struct os_request *ret) MUST_USE;

#endif
