/* What is to be made for a CreateVm: every name looked up, every choice made, nothing made yet.
 *
 * Everything that is made beside the machine is named by the operation's token. So an order that is
 * sent again means the same things, nothing is made twice, and no other machine is ever changed:
 * a PUT over another's machine would change the name of its system disk, which Azure refuses
 * (PropertyChangeNotAllowed); a PUT that arrives when the machine has been deleted again refers to
 * a network interface that has gone with it, and is refused, too.
 */
#ifndef AZ_PLAN_H
#define AZ_PLAN_H

#include "az_things.h"

/* An image as the order refers to it. */
struct az_plan_image {
    const char *publisher, *offer, *sku, *version; /* of the marketplace; or */
    const char *key, *id;                          /* "id", "sharedGalleryImageId", .. and the id */
};

struct az_plan {
    const pb_VmSpec *spec;
    const char *token; /* of the operation; "" in a dry run */
    const char *location;
    const char *group;
    const char *vm_id, *nic_id;
    const char *ip_id;      /* of the public address to be made; NULL: none */
    const char *address_id; /* of an existing one; NULL: none */
    const char *subnet_id, *nsg_id;
    bool unguarded; /* the subnet is known to have no security group */
    struct az_plan_image image;
    bool windows;
    const char *key;       /* the public key's text */
    char *password;        /* of a Windows machine: nobody's, to be wiped */
    const char *computer;  /* its name inside */
    const char *user_data; /* encoded, or NULL */
    size_t n_identities;
    const char **identities; /* ids */
    bool system_identity;
    const char *availability_set, *proximity_group; /* ids */
};

/* Look everything up. Asks the cloud, changes nothing. What of the plan is known stays in `ret` on
 * failure, too: the ids of what is to be made before anything is looked up. With op->resumed, what
 * an earlier try may have used up is not held against it: the address. */
pb_ResultCode az_plan(struct adapter *a, struct op *op, const pb_VmSpec *spec,
                      struct az_plan *ret) MUST_USE;
/* The parts of it. az_plan_network.c, az_plan_image.c */
pb_ResultCode az_plan_network(struct adapter *a, struct op *op, struct az_plan *p) MUST_USE;
pb_ResultCode az_plan_image(struct adapter *a, struct op *op, struct az_plan *p) MUST_USE;
/* What is wrong with the specification by itself, each in a violation: az_spec.c. Pure. */
pb_ResultCode az_check_spec(struct adapter *a, struct op *op, const pb_VmSpec *spec) MUST_USE;

/* A parameter's value, or NULL where it is not given or empty. */
bool az_parameter_is(const pb_VmSpec *spec, const char *name, const char *value);
/* Say what is wrong with a field. Returns BadRequestData. */
pb_ResultCode az_bad(struct op *op, const char *field, const char *why);
/* "westeurope" of "West Europe". */
const char *az_location(struct arena *a, const char *text);
/* Whether the connection's version of Compute's interface is this one or a later. */
bool az_compute_has(const struct adapter *a, const char *version);

/* What came after the tested floor. Sources: the versions of azure-mgmt-compute; for If-None-Match
 * ComputeRP/stable/2023-09-01/virtualMachine.json of azure-rest-api-specs, the first that has it.
 */
#define AZ_SINCE_HIBERNATION     "2021-07-01"
#define AZ_SINCE_SHARED_IMAGE    "2021-07-01"
#define AZ_SINCE_COMMUNITY_IMAGE "2022-03-01"
#define AZ_SINCE_IF_NONE_MATCH   "2023-09-01"

/* ---- The orders: az_build.c, az_build_vm.c. Pure; false where memory is short ---- */

/* The id of a thing of this operation: "..-nic" of "Microsoft.Network/networkInterfaces". */
const char *az_made_id(struct adapter *a, struct arena *arena, const char *group, const char *type,
                       const char *name);
/* The name of what is made beside the machine: "isobar-TOKEN-nic". */
const char *az_made_name(struct arena *a, const char *token, const char *suffix);
/* The name of a data disk. One that is kept has none that begins as ours do. */
const char *az_disk_name(struct arena *a, const struct az_plan *p, size_t i);

bool az_build_group(struct adapter *a, struct arena *arena, const struct az_plan *p,
                    struct az_request *ret) MUST_USE;
bool az_build_ip(struct arena *a, const struct az_plan *p, struct az_request *ret) MUST_USE;
bool az_build_nic(struct arena *a, const struct az_plan *p, struct az_request *ret) MUST_USE;
/* `fresh`: only where there is no machine of that name. */
bool az_build_vm(struct arena *a, const struct az_plan *p, bool fresh,
                 struct az_request *ret) MUST_USE;
/* "tags": those of the specification, and our token. */
void az_put_tags(struct json_writer *w, const struct az_plan *p);
/* "key": {"id": ".."}; nothing where the id is NULL. */
void az_put_reference(struct json_writer *w, const char *key, const char *id);

#endif
