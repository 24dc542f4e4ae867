#include "aws_eni.h"

#include <string.h>

#include "aws_marks.h"
#include "kit/spec.h"

static const struct shape_field attachment_fields[] = {
    SHAPE_FIELD(struct aws_attachment, id, "attachmentId", SHAPE_STRING),
    SHAPE_FIELD(struct aws_attachment, instance_id, "instanceId", SHAPE_STRING),
    SHAPE_FIELD(struct aws_attachment, delete_on_termination, "deleteOnTermination", SHAPE_BOOL),
};
static const struct shape attachment_shape = {sizeof(struct aws_attachment), attachment_fields,
                                              ARRAY_LEN(attachment_fields), 0};
static const struct shape_field eni_fields[] = {
    SHAPE_FIELD(struct aws_eni, thing.id, "networkInterfaceId", SHAPE_STRING),
    SHAPE_FIELD(struct aws_eni, thing.tags, "tagSet", SHAPE_MAP),
    SHAPE_FIELD(struct aws_eni, status, "status", SHAPE_STRING),
    SHAPE_NESTED(struct aws_eni, attachment, "attachment", SHAPE_STRUCT, attachment_shape),
};
static const struct shape eni_shape = {sizeof(struct aws_eni), eni_fields, ARRAY_LEN(eni_fields),
                                       0};
AWS_PAGE(enis_page, "networkInterfaceSet", eni_shape);

static const struct shape_field made_fields[] = {
    {"networkInterface", SHAPE_STRUCT, 0, &eni_shape},
};
const struct shape aws_eni_made = {sizeof(struct aws_eni), made_fields, ARRAY_LEN(made_fields), 0};

const struct aws_kind aws_eni_kind = {
    .noun = "network interface",
    .action = "DescribeNetworkInterfaces",
    .id_filter = "network-interface-id",
    .id_prefix = "eni-",
    .name_filter = "tag:Name",
    .page_size = 1000,
    .item = &eni_shape,
    .page = &enis_page,
};

bool aws_eni_is_attached(const struct aws_eni *eni)
{
    return (eni->attachment.id != NULL && eni->attachment.id[0] != '\0') ||
           (eni->status != NULL && strcmp(eni->status, "in-use") == 0);
}

pb_ResultCode aws_enis_by_token(struct adapter *a, struct op *op, const char *token,
                                struct shape_list *ret)
{
    return aws_things_by_token(a, op, &aws_eni_kind, token, ret);
}

void aws_build_eni(struct aws_query *q, struct arena *a, const struct aws_plan *p)
{
    aws_query_begin(q, a, AWS_EC2, "CreateNetworkInterface", SEND_IDEMPOTENT);
    aws_put(q, p->token, "ClientToken");
    aws_put(q, AWS_ENI_DESCRIPTION, "Description");
    aws_put(q, p->subnet.thing.id, "SubnetId");
    for (size_t i = 0; i < p->n_groups; i++)
        aws_putf(q, p->groups[i], "SecurityGroupId.%zu", i + 1);
    aws_put(q, spec_parameter(p->spec, "private_ip"), "PrivateIpAddress");
    aws_put(q, spec_parameter(p->spec, "ipv6_address_count"), "Ipv6AddressCount");
    aws_put_tags(q, 1, "network-interface", p->spec->name, NULL, p->token);
}

void aws_build_eni_delete(struct aws_query *q, struct arena *a, const char *id)
{
    aws_query_begin(q, a, AWS_EC2, "DeleteNetworkInterface", SEND_IDEMPOTENT);
    aws_put(q, id, "NetworkInterfaceId");
}

void aws_build_eni_bind(struct aws_query *q, struct arena *a, const char *id,
                        const char *attachment_id)
{
    aws_query_begin(q, a, AWS_EC2, "ModifyNetworkInterfaceAttribute", SEND_IDEMPOTENT);
    aws_put(q, id, "NetworkInterfaceId");
    aws_put(q, attachment_id, "Attachment.AttachmentId");
    aws_put_bool(q, true, "Attachment.DeleteOnTermination");
}
