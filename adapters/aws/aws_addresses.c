#include "aws_addresses.h"

#include <string.h>

#include "aws_marks.h"
#include "aws_plan.h"

static const struct shape_field address_fields[] = {
    SHAPE_FIELD(struct aws_address, thing.id, "allocationId", SHAPE_STRING),
    SHAPE_FIELD(struct aws_address, thing.name, "publicIp", SHAPE_STRING),
    SHAPE_FIELD(struct aws_address, thing.tags, "tagSet", SHAPE_MAP),
    SHAPE_FIELD(struct aws_address, association_id, "associationId", SHAPE_STRING),
    SHAPE_FIELD(struct aws_address, eni_id, "networkInterfaceId", SHAPE_STRING),
};
const struct shape aws_address_made = {sizeof(struct aws_address), address_fields,
                                       ARRAY_LEN(address_fields), 0};
AWS_PAGE(addresses_page, "addressesSet", aws_address_made);

const struct aws_kind aws_address_kind = {
    .noun = "address",
    .action = "DescribeAddresses",
    .id_filter = "allocation-id",
    .id_prefix = "eipalloc-",
    .name_filter = "public-ip",
    .item = &aws_address_made,
    .page = &addresses_page,
};

bool aws_address_is_used(const struct aws_address *address)
{
    return address->association_id != NULL && address->association_id[0] != '\0';
}

bool aws_address_is_on(const struct aws_address *address, const char *eni_id)
{
    return address->eni_id != NULL && strcmp(address->eni_id, eni_id) == 0;
}

pb_ResultCode aws_addresses_by_token(struct adapter *a, struct op *op, const char *token,
                                     struct shape_list *ret)
{
    return aws_things_by_token(a, op, &aws_address_kind, token, ret);
}

void aws_build_address(struct aws_query *q, struct arena *a, const char *name, const char *token)
{
    aws_query_begin(q, a, AWS_EC2, "AllocateAddress", 0);
    aws_put(q, "vpc", "Domain");
    aws_put_tags(q, 1, "elastic-ip", name, NULL, token);
}

void aws_build_address_put(struct aws_query *q, struct arena *a, const char *id, const char *eni_id)
{
    aws_query_begin(q, a, AWS_EC2, "AssociateAddress", SEND_IDEMPOTENT);
    aws_put(q, id, "AllocationId");
    aws_put(q, eni_id, "NetworkInterfaceId");
    /* Never taken away from somebody else. */
    aws_put_bool(q, false, "AllowReassociation");
}

void aws_build_address_take(struct aws_query *q, struct arena *a, const char *association_id)
{
    aws_query_begin(q, a, AWS_EC2, "DisassociateAddress", SEND_IDEMPOTENT);
    aws_put(q, association_id, "AssociationId");
}

void aws_build_address_release(struct aws_query *q, struct arena *a, const char *id)
{
    aws_query_begin(q, a, AWS_EC2, "ReleaseAddress", SEND_IDEMPOTENT);
    aws_put(q, id, "AllocationId");
}
