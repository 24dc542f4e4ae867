#include "os_secgroups.h"

#include <string.h>

static const struct shape_field rule_fields[] = {
    SHAPE_FIELD(struct os_rule, id, "id", SHAPE_STRING),
    SHAPE_FIELD(struct os_rule, direction, "direction", SHAPE_STRING),
    SHAPE_FIELD(struct os_rule, ethertype, "ethertype", SHAPE_STRING),
    SHAPE_FIELD(struct os_rule, protocol, "protocol", SHAPE_STRING),
    SHAPE_FIELD(struct os_rule, remote_ip_prefix, "remote_ip_prefix", SHAPE_STRING),
    SHAPE_FIELD(struct os_rule, remote_group_id, "remote_group_id", SHAPE_STRING),
    SHAPE_FIELD(struct os_rule, port_min, "port_range_min", SHAPE_INT),
    SHAPE_FIELD(struct os_rule, port_max, "port_range_max", SHAPE_INT),
};
static const struct shape rule_shape = {sizeof(struct os_rule), rule_fields, ARRAY_LEN(rule_fields),
                                        0};

static const struct shape_field group_fields[] = {
    SHAPE_FIELD(struct os_secgroup, thing.id, "id", SHAPE_STRING),
    SHAPE_FIELD(struct os_secgroup, thing.name, "name", SHAPE_STRING),
    SHAPE_FIELD(struct os_secgroup, description, "description", SHAPE_STRING),
    SHAPE_FIELD(struct os_secgroup, project_id, "project_id", SHAPE_STRING),
    SHAPE_NESTED(struct os_secgroup, rules, "security_group_rules", SHAPE_LIST, rule_shape),
};
static const struct shape group_shape = {sizeof(struct os_secgroup), group_fields,
                                         ARRAY_LEN(group_fields), 0};
OS_PAGE(groups_page_shape, "security_groups", "security_groups_links", group_shape);
OS_ONE(group_one_shape, "security_group", struct os_secgroup, group_shape);

const struct os_kind os_secgroup_kind = {
    .noun = "security group",
    .service = OS_NETWORK,
    .path = "/security-groups",
    .name_filter = "name",
    .item = &group_shape,
    .page = &groups_page_shape,
    .one = &group_one_shape,
    .list_depth = 3,
    .one_depth = 2,
    .message = os_parse_secgroup,
};

static pb_SecurityGroupRule *parse_rule(struct arena *a, const struct os_rule *r)
{
    pb_SecurityGroupRule *rule = arena_message(a, &pb_SecurityGroupRule_desc);
    if (rule == NULL)
        return NULL;
    rule->id = field_text(r->id);
    rule->direction = field_text(r->direction);
    rule->protocol = field_text(r->protocol);
    rule->port_min = field_u32(r->port_min);
    rule->port_max = field_u32(r->port_max);
    rule->remote_cidr = field_text(r->remote_ip_prefix);
    rule->remote_group_id = field_text(r->remote_group_id);
    rule->ip_version = r->ethertype != NULL && strcmp(r->ethertype, "IPv6") == 0 ? 6 : 4;
    return rule;
}

void *os_parse_secgroup(struct arena *a, const char *cloud, const struct os_thing *thing)
{
    static const char *const mapped[] = {"id", "name", "description", NULL};
    const struct os_secgroup *g = (const void *)thing;
    pb_SecurityGroup *group = arena_message(a, &pb_SecurityGroup_desc);
    if (group == NULL)
        return NULL;
    group->cloud = field_text(cloud);
    group->id = field_text(g->thing.id);
    group->name = field_text(g->thing.name);
    group->description = field_text(g->description);
    group->rules = arena_array(a, g->rules.n + 1, sizeof(*group->rules));
    const struct os_rule *rules = g->rules.items;
    for (size_t i = 0; group->rules != NULL && i < g->rules.n; i++)
        group->rules[i] = parse_rule(a, &rules[i]);
    group->n_rules = group->rules == NULL ? 0 : g->rules.n;
    struct field_pairs native = {.arena = a, .type = &pb_SecurityGroup_NativeEntry_desc};
    field_pairs_rest(&native, &g->thing.all, mapped);
    group->n_native = native.n;
    group->native = (void *)native.items;
    return group;
}

pb_ResultCode openstack_list_security_groups(struct adapter *a, struct op *op,
                                             const pb_ListSecurityGroupsRequest *req,
                                             pb_ListSecurityGroupsResponse *ret)
{
    (void)req;
    return os_list_slot(a, op, &os_secgroup_kind, NULL, &ret->n_security_groups,
                        (void ***)&ret->security_groups);
}

pb_ResultCode openstack_get_security_group(struct adapter *a, struct op *op,
                                           const pb_GetSecurityGroupRequest *req,
                                           pb_GetSecurityGroupResponse *ret)
{
    return os_get_slot(a, op, &os_secgroup_kind, req->id, (void **)&ret->security_group);
}
