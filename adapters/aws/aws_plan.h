/* What is to be made for a CreateVm: every name looked up, every choice made, nothing made yet. */
#ifndef AWS_PLAN_H
#define AWS_PLAN_H

#include "aws_addresses.h"
#include "aws_images.h"
#include "aws_networks.h"
#include "aws_types.h"

enum aws_public_ip {
    AWS_PUBLIC_UNSAID, /* as the subnet has it */
    AWS_PUBLIC_NONE,
    AWS_PUBLIC_DYNAMIC,
    AWS_PUBLIC_STATIC, /* an allocated one: it takes an interface that is made first */
};

struct aws_plan_volume {
    const pb_VolumeSpec *spec;
    const char *device; /* "/dev/sdf" */
};

struct aws_plan {
    const pb_VmSpec *spec;
    const char *token; /* of the operation; "" in a dry run */
    struct aws_image image;
    struct aws_type type;
    /* Without an id EC2 is to choose: a zone of the default VPC that has room, and its subnet. */
    struct aws_subnet subnet;
    const char *vpc_id;
    size_t n_groups;
    const char **groups; /* by id */
    const char *keypair; /* NULL: no key */
    enum aws_public_ip public_ip;
    struct aws_address address; /* an existing one is taken; without an id none is */
    const char *user_data;      /* encoded, or NULL */
    size_t n_volumes;
    struct aws_plan_volume *volumes;
};

/* Look everything up. Asks the cloud, changes nothing. With op->resumed, what an earlier try may
 * have used up is not held against it: the address. */
pb_ResultCode aws_plan(struct adapter *a, struct op *op, const pb_VmSpec *spec,
                       struct aws_plan *ret) MUST_USE;
/* The part of it that is about the network: aws_plan_network.c */
pb_ResultCode aws_plan_network(struct adapter *a, struct op *op, struct aws_plan *p) MUST_USE;
/* What is wrong with the specification by itself, each in a violation: aws_spec.c. Pure. */
pb_ResultCode aws_check_spec(struct op *op, const pb_VmSpec *spec) MUST_USE;

/* What the specification says of a public address; what is wrong with that aws_check_spec() says.
 */
enum aws_public_ip aws_public_ip(const pb_VmSpec *spec);
/* Say that the address that is wanted is another one's. Returns the code. */
pb_ResultCode aws_address_taken(struct op *op, const struct aws_address *address);

/* Parameters that are of the root volume, and their names in its mapping; ended by NULL. */
extern const char *const aws_root_parameters[][2];

/* RunInstances; pure. On an interface that was made for it, or with NULL on a new one. A dry run
 * bears no token. */
void aws_build_run(struct aws_query *q, struct arena *a, const struct aws_plan *p,
                   const char *eni_id, bool dry_run);
/* TagSpecification.N of what is made: Name, the specification's tags (may be NULL), our token (may
 * be NULL or ""). */
void aws_put_tags(struct aws_query *q, size_t n, const char *type, const char *name,
                  const pb_VmSpec *spec, const char *token);

#endif
