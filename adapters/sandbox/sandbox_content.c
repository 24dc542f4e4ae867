/* What the sandbox has from the start. The ids never change, so that scripts may use them. */
#include "sandbox.h"

#include <string.h>

/* Ids of one kind: the same UUID but for its end. */
#define ID(kind, number) "5a9db0c5-" kind "-4000-8000-00000000000" number

#define CREATED 1764547200 /* 2025-12-01T00:00:00Z */

static const struct sandbox_flavor flavors[] = {
    {{ID("00f1", "1"), "m1.tiny"}, .vcpus = 1, .memory_mib = 512, .disk_gib = 1},
    {{ID("00f1", "2"), "m1.small"}, .vcpus = 1, .memory_mib = 2048, .disk_gib = 20},
    {{ID("00f1", "3"), "m1.medium"}, .vcpus = 2, .memory_mib = 4096, .disk_gib = 40},
    {{ID("00f1", "4"), "m1.large"}, .vcpus = 4, .memory_mib = 8192, .disk_gib = 80},
    {{ID("00f1", "5"), "g1.small"}, .vcpus = 4, .memory_mib = 16384, .disk_gib = 40, .gpus = 1},
};

static const struct sandbox_image images[] = {
    {{ID("01ab", "1"), "ubuntu"}, 648 << 20, .min_disk_gib = 4, .min_memory_mib = 1024},
    {{ID("01ab", "2"), "debian"}, 331 << 20, .min_disk_gib = 2, .min_memory_mib = 512},
    {{ID("01ab", "3"), "alpine"}, 58 << 20, .min_disk_gib = 1, .min_memory_mib = 128},
};

static const struct sandbox_network networks[] = {
    {{ID("0e70", "1"), "private"}, .external = false},
    {{ID("0e70", "2"), "public"}, .external = true},
};

/* 198.18.0.0/15 is set apart for tests of devices (RFC 2544): nothing outside has it. */
const struct sandbox_subnet sandbox_subnets[SANDBOX_SUBNETS] = {
    {{ID("05b0", "1"), "private-subnet"},
     &networks[0],
     "10.32.0.0/14",
     "10.32.0.1",
     .base = 0x0a200000,
     .size = 1 << 18},
    {{ID("05b0", "2"), "public-subnet"},
     &networks[1],
     "198.18.0.0/15",
     "198.18.0.1",
     .base = 0xc6120000,
     .size = 1 << 17},
};

/* A port of 0 is any. */
#define RULE(number, way, protocol_, port, cidr, group)                                            \
    {                                                                                              \
        .id = ID("0a1e", number), .direction = way, .protocol = protocol_, .ip_version = 4,        \
        .port_min = port, .port_max = port, .remote_cidr = cidr, .remote_group_id = group          \
    }
#define DEFAULT_GROUP ID("05e0", "1")

static const pb_SecurityGroupRule default_rules[] = {
    RULE("1", "egress", "", 0, "", ""),
    RULE("2", "ingress", "", 0, "", DEFAULT_GROUP),
};

static const pb_SecurityGroupRule web_rules[] = {
    RULE("3", "egress", "", 0, "", ""),
    RULE("4", "ingress", "tcp", 80, "0.0.0.0/0", ""),
    RULE("5", "ingress", "tcp", 443, "0.0.0.0/0", ""),
};

static const struct sandbox_group groups[] = {
    {{DEFAULT_GROUP, "default"},
     "Machines of this group reach each other",
     default_rules,
     ARRAY_LEN(default_rules)},
    {{ID("05e0", "2"), "web"}, "HTTP and HTTPS from everywhere", web_rules, ARRAY_LEN(web_rules)},
};

static const struct sandbox_key keys[] = {
    {{"default", "default"},
     "SHA256:+oFI1bQq7GWRGpi+M9yYBiQ4VQ3MuowruFOrbnRq5vM",
     "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKIEvzTumzCRGsmz8OBLx6OzdpuhxQ5hBiILinMa5YAX sandbox"},
};

static const struct sandbox_place regions[] = {
    {{"sandbox-1", "sandbox-1"}},
};

static const struct sandbox_place zones[] = {
    {{"sandbox-1a", "a"}},
    {{"sandbox-1b", "b"}},
};

/* ---- how it is shown ---- */

/* Messages are not const and point to what is: nobody writes through them. */
static char *fixed(const char *s)
{
    return (char *)(uintptr_t)s;
}

static pb_Timestamp *timestamp(struct arena *a, int64_t seconds)
{
    pb_Timestamp *t = arena_message(a, &pb_Timestamp_desc);
    if (t)
        t->seconds = seconds;
    return t;
}

/* A message of the type with the row's id and name; its caller returns NULL where this is NULL. */
#define SHOW(type, message, arena, row)                                                            \
    pb_##type *message = arena_message(arena, &pb_##type##_desc);                                  \
    if (!message)                                                                                  \
        return NULL;                                                                               \
    message->id = fixed(((const struct pick_item *)row)->id);                                      \
    message->name = fixed(((const struct pick_item *)row)->name)

static ProtobufCMessage *show_flavor(struct arena *a, const void *row)
{
    const struct sandbox_flavor *f = row;
    SHOW(Flavor, m, a, row);
    m->vcpus = f->vcpus;
    m->memory_mib = f->memory_mib;
    m->disk_gib = f->disk_gib;
    m->gpus = f->gpus;
    m->architecture = fixed("x86_64");
    m->is_public = true;
    return &m->base;
}

static ProtobufCMessage *show_image(struct arena *a, const void *row)
{
    const struct sandbox_image *i = row;
    SHOW(Image, m, a, row);
    m->status = fixed("ready");
    m->size_bytes = i->size_bytes;
    m->min_disk_gib = i->min_disk_gib;
    m->min_memory_mib = i->min_memory_mib;
    m->os_type = fixed("linux");
    m->architecture = fixed("x86_64");
    m->visibility = fixed("public");
    m->format = fixed("raw");
    m->owner = fixed("sandbox");
    m->created_at = timestamp(a, CREATED);
    m->updated_at = timestamp(a, CREATED);
    return &m->base;
}

static ProtobufCMessage *show_network(struct arena *a, const void *row)
{
    const struct sandbox_network *n = row;
    SHOW(Network, m, a, row);
    m->status = fixed("up");
    m->is_external = n->external;
    m->is_shared = true;
    m->mtu = 1500;
    m->subnet_ids = arena_array(a, SANDBOX_SUBNETS, sizeof(*m->subnet_ids));
    for (size_t i = 0; m->subnet_ids && i < SANDBOX_SUBNETS; i++)
        if (sandbox_subnets[i].network == n)
            m->subnet_ids[m->n_subnet_ids++] = fixed(sandbox_subnets[i].ref.id);
    return &m->base;
}

static ProtobufCMessage *show_subnet(struct arena *a, const void *row)
{
    const struct sandbox_subnet *s = row;
    SHOW(Subnet, m, a, row);
    m->network_id = fixed(s->network->ref.id);
    m->cidr = fixed(s->cidr);
    m->ip_version = 4;
    m->gateway_ip = fixed(s->gateway);
    m->dhcp_enabled = true;
    m->dns_servers = arena_array(a, 1, sizeof(*m->dns_servers));
    if (m->dns_servers)
        m->dns_servers[m->n_dns_servers++] = fixed("10.32.0.2");
    return &m->base;
}

static ProtobufCMessage *show_group(struct arena *a, const void *row)
{
    const struct sandbox_group *g = row;
    SHOW(SecurityGroup, m, a, row);
    m->description = fixed(g->description);
    m->rules = arena_array(a, g->n_rules, sizeof(*m->rules));
    for (size_t i = 0; m->rules && i < g->n_rules; i++) {
        pb_SecurityGroupRule *rule = arena_message(a, &pb_SecurityGroupRule_desc);
        if (!rule)
            return NULL;
        ProtobufCMessage base = rule->base;
        *rule = g->rules[i];
        rule->base = base;
        m->rules[m->n_rules++] = rule;
    }
    return &m->base;
}

static ProtobufCMessage *show_key(struct arena *a, const void *row)
{
    const struct sandbox_key *k = row;
    SHOW(Keypair, m, a, row);
    m->fingerprint = fixed(k->fingerprint);
    m->type = fixed("ssh");
    m->public_key = fixed(k->text);
    m->created_at = timestamp(a, CREATED);
    return &m->base;
}

static ProtobufCMessage *show_region(struct arena *a, const void *row)
{
    SHOW(Region, m, a, row);
    m->description = fixed("The memory of this gateway");
    m->is_current = true;
    return &m->base;
}

static ProtobufCMessage *show_zone(struct arena *a, const void *row)
{
    SHOW(Zone, m, a, row);
    m->region = fixed(regions[0].ref.id);
    m->available = true;
    return &m->base;
}

static const struct sandbox_network *network_of_subnet(const void *row)
{
    return ((const struct sandbox_subnet *)row)->network;
}

#define NOUN(what, rows, ...)                                                                      \
    {                                                                                              \
        what, rows, sizeof((rows)[0]), ARRAY_LEN(rows), __VA_ARGS__                                \
    }
const struct sandbox_noun sandbox_flavor_noun = NOUN("flavor", flavors, show_flavor, NULL);
const struct sandbox_noun sandbox_image_noun = NOUN("image", images, show_image, NULL);
const struct sandbox_noun sandbox_network_noun = NOUN("network", networks, show_network, NULL);
const struct sandbox_noun sandbox_subnet_noun =
    NOUN("subnet", sandbox_subnets, show_subnet, network_of_subnet);
const struct sandbox_noun sandbox_security_group_noun =
    NOUN("security group", groups, show_group, NULL);
const struct sandbox_noun sandbox_keypair_noun = NOUN("key pair", keys, show_key, NULL);
const struct sandbox_noun sandbox_region_noun = NOUN("region", regions, show_region, NULL);
const struct sandbox_noun sandbox_zone_noun = NOUN("zone", zones, show_zone, NULL);

static const void *row_at(const struct sandbox_noun *noun, size_t i)
{
    return (const char *)noun->rows + i * noun->stride;
}

pb_ResultCode sandbox_pick(struct op *op, const struct sandbox_noun *noun, const char *field,
                           const char *wanted, const void **ret_row)
{
    struct pick_item *items = arena_array(op->arena, noun->n, sizeof(*items));
    size_t index;

    for (size_t i = 0; items && i < noun->n; i++)
        items[i] = *(const struct pick_item *)row_at(noun, i);
    pb_ResultCode code = pick(op, noun->what, field, wanted, items, items ? noun->n : 0, &index);
    if (code == RESULT_CODE_OK)
        *ret_row = row_at(noun, index);
    return op_end(op, code);
}

/* ---- the slots ---- */

/* All rows, or those of one network where `network` is not NULL. */
static ProtobufCMessage **show_all(struct op *op, const struct sandbox_noun *noun,
                                   const struct sandbox_network *network, size_t *ret_n)
{
    ProtobufCMessage **items = arena_array(op->arena, noun->n, sizeof(*items));

    *ret_n = 0;
    for (size_t i = 0; items && i < noun->n; i++) {
        const void *row = row_at(noun, i);
        if (network && noun->network_of(row) != network)
            continue;
        items[*ret_n] = noun->show(op->arena, row);
        if (items[*ret_n])
            ++*ret_n;
    }
    return items;
}

/* The network that a list is to be cut down to; NULL: none. */
static pb_ResultCode wanted_network(struct op *op, const struct sandbox_noun *noun,
                                    const ProtobufCMessage *req, const struct sandbox_network **ret)
{
    const void *row = NULL;

    *ret = NULL;
    if (!noun->network_of)
        return RESULT_CODE_OK;
    const char *wanted = ((const pb_ListSubnetsRequest *)(const void *)req)->network_id;
    if (!*wanted)
        return RESULT_CODE_OK;
    pb_ResultCode code = sandbox_pick(op, &sandbox_network_noun, "network_id", wanted, &row);
    *ret = row;
    return code;
}

static pb_ResultCode list_rows(struct adapter *a, struct op *op, const struct sandbox_noun *noun,
                               const ProtobufCMessage *req, ProtobufCMessage ***ret, size_t *ret_n)
{
    const struct sandbox_network *network;
    pb_ResultCode code = sandbox_enter(a, op, false);

    if (code == RESULT_CODE_OK)
        code = wanted_network(op, noun, req, &network);
    if (code != RESULT_CODE_OK)
        return code;
    *ret = show_all(op, noun, network, ret_n);
    return op_end(op, RESULT_CODE_OK);
}

static pb_ResultCode get_row(struct adapter *a, struct op *op, const struct sandbox_noun *noun,
                             const char *wanted, ProtobufCMessage **ret)
{
    const void *row = NULL;
    pb_ResultCode code = sandbox_enter(a, op, false);

    if (code == RESULT_CODE_OK)
        code = sandbox_pick(op, noun, "id", wanted, &row);
    if (code != RESULT_CODE_OK)
        return code;
    *ret = noun->show(op->arena, row);
    return op_end(op, RESULT_CODE_OK);
}

#define CONTENT_SLOTS(Type, many, one)                                                             \
    pb_ResultCode sandbox_list_##many(struct adapter *a, struct op *op,                            \
                                      const pb_List##Type##sRequest *req,                          \
                                      pb_List##Type##sResponse *ret)                               \
    {                                                                                              \
        ProtobufCMessage **items = NULL;                                                           \
        size_t n = 0;                                                                              \
        pb_ResultCode code = list_rows(a, op, &sandbox_##one##_noun, &req->base, &items, &n);      \
        if (code == RESULT_CODE_OK) {                                                              \
            ret->many = (pb_##Type **)(void *)items;                                               \
            ret->n_##many = n;                                                                     \
        }                                                                                          \
        return code;                                                                               \
    }                                                                                              \
    pb_ResultCode sandbox_get_##one(struct adapter *a, struct op *op,                              \
                                    const pb_Get##Type##Request *req, pb_Get##Type##Response *ret) \
    {                                                                                              \
        ProtobufCMessage *item = NULL;                                                             \
        pb_ResultCode code = get_row(a, op, &sandbox_##one##_noun, req->id, &item);                \
        if (code == RESULT_CODE_OK)                                                                \
            ret->one = (pb_##Type *)(void *)item;                                                  \
        return code;                                                                               \
    }
SANDBOX_CONTENT(CONTENT_SLOTS)
