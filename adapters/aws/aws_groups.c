/* Security groups. */
#include <string.h>

#include "aws_networks.h"

#define TEXT(struct_, member_, name_) SHAPE_FIELD(struct struct_, member_, name_, SHAPE_STRING)
#define SHAPE_OF(name_, struct_)                                                                   \
    static const struct shape name_##_shape = {sizeof(struct struct_), name_##_fields,             \
                                               ARRAY_LEN(name_##_fields), 0}

/* Who is let through: one of these four is set. */
struct peer {
    const char *cidr, *cidr6, *prefix_list, *group_id;
    const char *group_name, *user_id, *vpc_id, *peering, *peering_status, *description;
};

/* What EC2 shows as one are as many rules as it has peers. */
struct aws_permission {
    const char *protocol;
    int64_t from, to;
    struct shape_list ranges, ranges6, prefix_lists, groups; /* struct peer */
};

static const struct shape_field peer_fields[] = {
    TEXT(peer, cidr, "cidrIp"),
    TEXT(peer, cidr6, "cidrIpv6"),
    TEXT(peer, prefix_list, "prefixListId"),
    TEXT(peer, group_id, "groupId"),
    TEXT(peer, user_id, "userId"),
    TEXT(peer, group_name, "groupName"),
    TEXT(peer, vpc_id, "vpcId"),
    TEXT(peer, peering, "vpcPeeringConnectionId"),
    TEXT(peer, peering_status, "peeringStatus"),
    TEXT(peer, description, "description"),
};
SHAPE_OF(peer, peer);

#define PEERS(member_, name_)                                                                      \
    SHAPE_NESTED(struct aws_permission, member_, name_, SHAPE_LIST, peer_shape)

static const struct shape_field permission_fields[] = {
    TEXT(aws_permission, protocol, "ipProtocol"),
    SHAPE_FIELD(struct aws_permission, from, "fromPort", SHAPE_INT),
    SHAPE_FIELD(struct aws_permission, to, "toPort", SHAPE_INT),
    PEERS(groups, "groups"),
    PEERS(ranges, "ipRanges"),
    PEERS(ranges6, "ipv6Ranges"),
    PEERS(prefix_lists, "prefixListIds"),
};
SHAPE_OF(permission, aws_permission);

static const struct shape_field group_fields[] = {
    TEXT(aws_security_group, owner_id, "ownerId"),
    TEXT(aws_security_group, thing.id, "groupId"),
    TEXT(aws_security_group, thing.name, "groupName"),
    TEXT(aws_security_group, description, "groupDescription"),
    TEXT(aws_security_group, vpc_id, "vpcId"),
    SHAPE_NESTED(struct aws_security_group, ingress, "ipPermissions", SHAPE_LIST, permission_shape),
    SHAPE_NESTED(struct aws_security_group, egress, "ipPermissionsEgress", SHAPE_LIST,
                 permission_shape),
    SHAPE_FIELD(struct aws_security_group, thing.tags, "tagSet", SHAPE_MAP),
};
SHAPE_OF(group, aws_security_group);
AWS_PAGE(groups_page_shape, "securityGroupInfo", group_shape);

/* ---- Into messages ---- */

static pb_SecurityGroupRule *rule(struct arena *a, const char *direction,
                                  const struct aws_permission *p, const struct peer *peer)
{
    pb_SecurityGroupRule *r = arena_message(a, &pb_SecurityGroupRule_desc);
    bool any = p->protocol != NULL && strcmp(p->protocol, "-1") == 0;

    if (r == NULL)
        return NULL;
    r->direction = field_text(direction);
    r->protocol = field_text(any ? NULL : p->protocol);
    r->port_min = field_u32(p->from); /* -1: all */
    r->port_max = field_u32(p->to);
    r->remote_cidr = field_text(peer->cidr != NULL ? peer->cidr : peer->cidr6);
    /* A list of prefixes is no group, but a rule without a peer would be for all the world. */
    r->remote_group_id = field_text(peer->group_id != NULL ? peer->group_id : peer->prefix_list);
    r->ip_version = peer->cidr6 != NULL ? 6 : 4;
    return r;
}

static size_t count(const struct shape_list *permissions)
{
    const struct aws_permission *p = permissions->items;
    size_t n = 0;

    for (size_t i = 0; i < permissions->n; i++)
        n += p[i].ranges.n + p[i].ranges6.n + p[i].prefix_lists.n + p[i].groups.n;
    return n;
}

static void add_rules(struct arena *a, const char *direction, const struct shape_list *permissions,
                      pb_SecurityGroup *to)
{
    const struct aws_permission *p = permissions->items;

    for (size_t i = 0; i < permissions->n; i++) {
        const struct shape_list *lists[] = {&p[i].ranges, &p[i].ranges6, &p[i].prefix_lists,
                                            &p[i].groups};
        for (size_t l = 0; l < ARRAY_LEN(lists); l++) {
            const struct peer *peers = lists[l]->items;
            for (size_t k = 0; k < lists[l]->n; k++)
                to->rules[to->n_rules++] = rule(a, direction, &p[i], &peers[k]);
        }
    }
}

static void *message(struct adapter *a, struct arena *arena, const void *item)
{
    static const char *const mapped[] = {"groupId",
                                         "groupName",
                                         "groupDescription",
                                         "vpcId",
                                         "ipPermissions.ipProtocol",
                                         "ipPermissions.ipRanges.cidrIp",
                                         "ipPermissions.ipv6Ranges.cidrIpv6",
                                         "ipPermissions.prefixListIds.prefixListId",
                                         "ipPermissions.groups.groupId",
                                         "ipPermissionsEgress.ipProtocol",
                                         "ipPermissionsEgress.ipRanges.cidrIp",
                                         "ipPermissionsEgress.ipv6Ranges.cidrIpv6",
                                         "ipPermissionsEgress.prefixListIds.prefixListId",
                                         "ipPermissionsEgress.groups.groupId",
                                         NULL};
    const struct aws_security_group *g = item;
    pb_SecurityGroup *group = arena_message(arena, &pb_SecurityGroup_desc);

    if (group == NULL)
        return NULL;
    group->cloud = field_text(a->name);
    group->id = field_text(g->thing.id);
    group->name = field_text(g->thing.name);
    group->description = field_text(g->description);
    group->network_id = field_text(g->vpc_id);
    group->rules =
        arena_array(arena, count(&g->ingress) + count(&g->egress) + 1, sizeof(*group->rules));
    if (group->rules == NULL)
        return NULL;
    add_rules(arena, "ingress", &g->ingress, group);
    add_rules(arena, "egress", &g->egress, group);
    struct field_pairs native = {.arena = arena, .type = &pb_SecurityGroup_NativeEntry_desc};
    aws_put_native(&native, &group_shape, g, mapped);
    group->n_native = native.n;
    group->native = (void *)native.items;
    return group;
}

const struct aws_kind aws_group_kind = {
    .noun = "security group",
    .action = "DescribeSecurityGroups",
    .id_filter = "group-id",
    .id_prefix = "sg-",
    .name_filter = "group-name",
    .page_size = 1000,
    .item = &group_shape,
    .page = &groups_page_shape,
    .message = message,
};

pb_ResultCode aws_list_security_groups(struct adapter *a, struct op *op,
                                       const pb_ListSecurityGroupsRequest *req,
                                       pb_ListSecurityGroupsResponse *ret)
{
    return aws_list_slot(a, op, &aws_group_kind, req->name, NULL, 0, &ret->n_security_groups,
                         (void ***)&ret->security_groups);
}

pb_ResultCode aws_get_security_group(struct adapter *a, struct op *op,
                                     const pb_GetSecurityGroupRequest *req,
                                     pb_GetSecurityGroupResponse *ret)
{
    return aws_get_slot(a, op, &aws_group_kind, req->id, (void **)&ret->security_group);
}
