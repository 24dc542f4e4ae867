/* Network security groups. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "az_shapes.h"
#include "az_things.h"

/* One side of a rule: where it comes from, or where it goes. One text or several. */
struct az_side {
    const char *prefix, *ports;
    struct shape_strings prefixes, port_ranges;
    struct shape_list groups; /* struct az_reference_id: application security groups */
};

struct az_reference_id {
    const char *id;
};

struct az_rule {
    const char *id, *name, *protocol, *access, *direction;
    struct az_side from, to;
};

static const struct shape_field reference_fields[] = {AZ_TEXT(az_reference_id, id, "id")};
AZ_SHAPE(reference, az_reference_id);

static const struct shape_field rule_more_fields[] = {
    AZ_TEXT(az_rule, protocol, "protocol"),
    AZ_TEXT(az_rule, from.ports, "sourcePortRange"),
    AZ_TEXT(az_rule, to.ports, "destinationPortRange"),
    AZ_TEXT(az_rule, from.prefix, "sourceAddressPrefix"),
    AZ_TEXT(az_rule, to.prefix, "destinationAddressPrefix"),
    AZ_TEXT(az_rule, access, "access"),
    AZ_TEXT(az_rule, direction, "direction"),
    AZ_TEXTS(az_rule, from.port_ranges, "sourcePortRanges"),
    AZ_TEXTS(az_rule, to.port_ranges, "destinationPortRanges"),
    AZ_TEXTS(az_rule, from.prefixes, "sourceAddressPrefixes"),
    AZ_TEXTS(az_rule, to.prefixes, "destinationAddressPrefixes"),
    AZ_LIST(az_rule, from.groups, "sourceApplicationSecurityGroups", reference),
    AZ_LIST(az_rule, to.groups, "destinationApplicationSecurityGroups", reference),
};
AZ_SHAPE(rule_more, az_rule);

static const struct shape_field rule_fields[] = {
    AZ_TEXT(az_rule, name, "name"),
    AZ_TEXT(az_rule, id, "id"),
    AZ_PART("properties", rule_more),
};
AZ_SHAPE(rule, az_rule);

static const struct shape_field nsg_more_fields[] = {
    AZ_TEXT(az_nsg, provisioning, "provisioningState"),
    AZ_LIST(az_nsg, rules, "securityRules", rule),
};
AZ_SHAPE(nsg_more, az_nsg);

static const struct shape_field nsg_fields[] = {
    AZ_THING_FIELDS(struct az_nsg),
    AZ_PART("properties", nsg_more),
};
AZ_SHAPE(nsg, az_nsg);
AZ_PAGE(nsgs_page_shape, nsg_shape);

/* Every group has the default rules; what else a rule says, its priority and whether it denies, is
 * native. */
static const char *const mapped[] = {"id", "name", "type", "tags", "defaultSecurityRules", NULL};

/* ---- A rule is as many as it has peers and ranges of ports ---- */

struct peer {
    const char *text; /* a CIDR, an address, a service's tag; NULL: any */
    const char *group_id;
};

static struct peer peer_of(const char *prefix)
{
    return (struct peer){.text = strcmp(prefix, "*") == 0 ? NULL : prefix};
}

static size_t peers_of(const struct az_side *side, struct peer *ret)
{
    const struct az_reference_id *groups = side->groups.items;
    size_t n = 0;

    if (side->prefix != NULL && side->prefix[0] != '\0')
        ret[n++] = peer_of(side->prefix);
    for (size_t i = 0; i < side->prefixes.n; i++)
        ret[n++] = peer_of(side->prefixes.items[i]);
    for (size_t i = 0; i < side->groups.n; i++)
        if (groups[i].id != NULL)
            ret[n++] = (struct peer){.group_id = groups[i].id};
    return n;
}

static size_t ranges_of(const struct az_side *side, const char **ret)
{
    size_t n = 0;

    if (side->ports != NULL && side->ports[0] != '\0')
        ret[n++] = side->ports;
    for (size_t i = 0; i < side->port_ranges.n; i++)
        ret[n++] = side->port_ranges.items[i];
    return n;
}

/* "*", "Tcp", "Icmp", .. */
static char *protocol_text(struct arena *a, const char *protocol)
{
    char *text = arena_strdup(a, protocol == NULL || strcmp(protocol, "*") == 0 ? "" : protocol);

    for (char *c = text; *c != '\0'; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
    return text;
}

/* "80", "8000-8100", "*" */
static void put_ports(pb_SecurityGroupRule *r, const char *range)
{
    char *end;
    long from = strtol(range, &end, 10), to = from;

    if (end == range)
        return;
    if (*end == '-')
        to = strtol(end + 1, NULL, 10);
    r->port_min = field_u32(from);
    r->port_max = field_u32(to);
    if (r->port_min == 0 && r->port_max == 65535) /* all */
        r->port_max = 0;
}

static bool is_address(const char *text)
{
    return (text[0] >= '0' && text[0] <= '9') || strchr(text, ':') != NULL;
}

static pb_SecurityGroupRule *message_of(struct arena *a, const struct az_rule *from,
                                        const struct peer *peer, const char *range)
{
    pb_SecurityGroupRule *r = arena_message(a, &pb_SecurityGroupRule_desc);
    bool inbound = from->direction == NULL || strcasecmp(from->direction, "Outbound") != 0;
    bool six = peer->text != NULL && strchr(peer->text, ':') != NULL;

    if (r == NULL)
        return NULL;
    r->id = field_text(from->id);
    r->direction = field_text(inbound ? "ingress" : "egress");
    r->protocol = protocol_text(a, from->protocol);
    put_ports(r, range);
    /* A service's tag ("Internet") is no group, but a rule without a peer would be for all the
     * world. */
    if (peer->text != NULL && is_address(peer->text))
        r->remote_cidr = field_text(peer->text);
    else
        r->remote_group_id = field_text(peer->text != NULL ? peer->text : peer->group_id);
    if (peer->text != NULL && is_address(peer->text))
        r->ip_version = six ? 6 : 4;
    return r;
}

static size_t count(const struct az_side *side)
{
    return side->prefixes.n + side->groups.n + 1;
}

static void put_rule(struct arena *a, const struct az_rule *from, pb_SecurityGroup *to)
{
    bool outbound = from->direction != NULL && strcasecmp(from->direction, "Outbound") == 0;
    const struct az_side *side = outbound ? &from->to : &from->from;
    struct peer *peers = arena_array(a, count(side), sizeof(*peers));
    const char **ranges = arena_array(a, from->to.port_ranges.n + 1, sizeof(*ranges));

    if (peers == NULL || ranges == NULL)
        return;
    size_t n_peers = peers_of(side, peers), n_ranges = ranges_of(&from->to, ranges);
    for (size_t i = 0; i < n_peers; i++)
        for (size_t k = 0; k < n_ranges; k++)
            to->rules[to->n_rules++] = message_of(a, from, &peers[i], ranges[k]);
}

static bool allows(const struct az_rule *r)
{
    return r->access != NULL && strcasecmp(r->access, "Allow") == 0;
}

static void put_rules(struct arena *a, const struct az_nsg *from, pb_SecurityGroup *to)
{
    const struct az_rule *rules = from->rules.items;
    size_t room = 1;

    for (size_t i = 0; i < from->rules.n; i++) {
        size_t peers = count(&rules[i].from) + count(&rules[i].to);
        room += peers * (rules[i].to.port_ranges.n + 1);
    }
    to->rules = arena_array(a, room, sizeof(*to->rules));
    for (size_t i = 0; to->rules != NULL && i < from->rules.n; i++)
        if (allows(&rules[i]))
            put_rule(a, &rules[i], to);
}

static void *message(struct adapter *a, struct arena *arena, const void *item)
{
    const struct az_nsg *g = item;
    pb_SecurityGroup *group = arena_message(arena, &pb_SecurityGroup_desc);

    if (group == NULL)
        return NULL;
    group->cloud = field_text(a->name);
    group->id = field_text(g->thing.id);
    group->name = field_text(g->thing.name);
    put_rules(arena, g, group);
    struct field_pairs native = {.arena = arena, .type = &pb_SecurityGroup_NativeEntry_desc};
    az_put_native(&native, &g->thing);
    group->n_native = native.n;
    group->native = (void *)native.items;
    return group;
}

const struct az_kind az_nsg_kind = {
    .noun = "network security group",
    .service = AZ_NETWORK,
    .type = "Microsoft.Network/networkSecurityGroups",
    .item = &nsg_shape,
    .page = &nsgs_page_shape,
    .mapped = mapped,
    .message = message,
};

pb_ResultCode azure_list_security_groups(struct adapter *a, struct op *op,
                                         const pb_ListSecurityGroupsRequest *req,
                                         pb_ListSecurityGroupsResponse *ret)
{
    (void)req;
    return az_list_slot(a, op, &az_nsg_kind, &ret->n_security_groups,
                        (void ***)&ret->security_groups);
}

pb_ResultCode azure_get_security_group(struct adapter *a, struct op *op,
                                       const pb_GetSecurityGroupRequest *req,
                                       pb_GetSecurityGroupResponse *ret)
{
    return az_get_slot(a, op, &az_nsg_kind, req->id, (void **)&ret->security_group);
}
