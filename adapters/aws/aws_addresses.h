/* Allocated (elastic) addresses. */
#ifndef AWS_ADDRESSES_H
#define AWS_ADDRESSES_H

#include "aws.h"

struct aws_address {
    struct aws_thing thing; /* the id is that of its allocation, the name is the address */
    const char *association_id, *eni_id; /* NULL or "" where it is on none */
};

extern const struct aws_kind aws_address_kind;

/* Whether it is on an interface, or on this one. Pure. */
bool aws_address_is_used(const struct aws_address *address);
bool aws_address_is_on(const struct aws_address *address, const char *eni_id);
/* Those that bear the token of an operation, or with NULL any (struct aws_address). */
pb_ResultCode aws_addresses_by_token(struct adapter *a, struct op *op, const char *token,
                                     struct shape_list *ret) MUST_USE;

/* Queries; pure. AllocateAddress knows no token: it may not be sent again blindly. */
void aws_build_address(struct aws_query *q, struct arena *a, const char *name, const char *token);
void aws_build_address_put(struct aws_query *q, struct arena *a, const char *id,
                           const char *eni_id);
void aws_build_address_take(struct aws_query *q, struct arena *a, const char *association_id);
void aws_build_address_release(struct aws_query *q, struct arena *a, const char *id);

/* Of the answers to AllocateAddress and AssociateAddress: struct aws_address. */
extern const struct shape aws_address_made;

#endif
