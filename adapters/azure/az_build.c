/* What is made beside a machine, as requests; names and marks. Pure. */
#include <string.h>
#include <strings.h>

#include "az_plan.h"
#include "kit/spec.h"

const char *az_made_id(struct adapter *a, struct arena *arena, const char *group, const char *type,
                       const char *name)
{
    return az_path(a, arena, "/resourceGroups/%s/providers/%s/%s", group, type, name);
}

const char *az_made_name(struct arena *a, const char *token, const char *suffix)
{
    return arena_printf(a, AZ_MARK_PREFIX "%s-%s", token, suffix);
}

const char *az_disk_name(struct arena *a, const struct az_plan *p, size_t i)
{
    const pb_VolumeSpec *v = p->spec->volumes[i];

    if (v->name[0] != '\0')
        return v->name;
    if (!v->keep)
        return az_made_name(a, p->token, arena_printf(a, "d%zu", i));
    /* It outlives the machine: what is named as ours are is ours to delete. */
    return arena_printf(a, "%.30s-%s-d%zu", p->spec->name, p->token, i);
}

void az_put_tags(struct json_writer *w, const struct az_plan *p)
{
    json_begin_object(w, "tags");
    for (size_t i = 0; i < p->spec->n_tags; i++)
        json_put_string(w, p->spec->tags[i]->key, p->spec->tags[i]->value);
    json_put_string(w, AZ_TOKEN_KEY, p->token);
    json_end_object(w);
}

/* What each order begins with: where, and whose. */
static struct json_writer *begin(struct request_body *b, const struct az_plan *p)
{
    struct json_writer *w = az_body_begin(b);

    json_put_string(w, "location", p->location);
    az_put_tags(w, p);
    return w;
}

/* A PUT of the same is the same: the names are the operation's own. */
static bool end(struct request_body *b, struct arena *a, enum az_service service, const char *id,
                struct az_request *ret)
{
    *ret = (struct az_request){
        .service = service, .method = "PUT", .path = az_id_path(a, id), .flags = SEND_IDEMPOTENT};
    return body_end(b, a, &ret->body, &ret->body_len);
}

/* Without our mark, and no tag: where a policy has things inherit the tags of their group, what
 * others make in it would bear it. */
bool az_build_group(struct adapter *a, struct arena *arena, const struct az_plan *p,
                    struct az_request *ret)
{
    struct request_body b;
    struct json_writer *w = az_body_begin(&b);

    json_put_string(w, "location", p->location);
    return end(&b, arena, AZ_RESOURCES, az_path(a, arena, "/resourcegroups/%s", p->group), ret);
}

bool az_build_ip(struct arena *a, const struct az_plan *p, struct az_request *ret)
{
    const pb_VmSpec *spec = p->spec;
    bool basic = az_parameter_is(spec, "public_ip_sku", "Basic");
    /* Others than Basic addresses have to be static. */
    bool dynamic = basic && strcasecmp(spec->public_ip_type, "dynamic") == 0;
    const char *version = spec_parameter(spec, "public_ip_version");
    const char *label = spec_parameter(spec, "dns_label");
    struct request_body b;
    struct json_writer *w = begin(&b, p);

    json_begin_object(w, "sku");
    json_put_string(w, "name", basic ? "Basic" : "Standard");
    json_end_object(w);
    if (spec->zone[0] != '\0' && !basic) {
        json_begin_array(w, "zones");
        json_put_string(w, NULL, spec->zone);
        json_end_array(w);
    }
    json_begin_object(w, "properties");
    json_put_string(w, "publicIPAllocationMethod", dynamic ? "Dynamic" : "Static");
    json_put_string(w, "publicIPAddressVersion", version != NULL ? version : "IPv4");
    if (label != NULL) {
        json_begin_object(w, "dnsSettings");
        json_put_string(w, "domainNameLabel", label);
        json_end_object(w);
    }
    json_end_object(w);
    return end(&b, a, AZ_NETWORK, p->ip_id, ret);
}

void az_put_reference(struct json_writer *w, const char *key, const char *id)
{
    if (id == NULL)
        return;
    json_begin_object(w, key);
    json_put_string(w, "id", id);
    json_end_object(w);
}

/* An address of ours goes with the machine. Azure takes that where the interface refers to it. */
static void put_address(struct json_writer *w, const struct az_plan *p)
{
    const char *id = p->ip_id != NULL ? p->ip_id : p->address_id;

    json_begin_object(w, "publicIPAddress");
    json_put_string(w, "id", id);
    json_begin_object(w, "properties");
    json_put_string(w, "deleteOption", p->ip_id != NULL ? "Delete" : "Detach");
    json_end_object(w);
    json_end_object(w);
}

/* The primary one is of IPv4, always; one of IPv6 beside it. */
static void put_configuration(struct json_writer *w, const struct az_plan *p, bool v6, bool public)
{
    const char *private_ip = v6 ? NULL : spec_parameter(p->spec, "private_ip");

    json_begin_object(w, NULL);
    json_put_string(w, "name", v6 ? "ipconfig2" : "ipconfig1");
    json_begin_object(w, "properties");
    json_put_bool(w, "primary", !v6);
    az_put_reference(w, "subnet", p->subnet_id);
    json_put_string(w, "privateIPAddressVersion", v6 ? "IPv6" : "IPv4");
    json_put_string(w, "privateIPAllocationMethod", private_ip != NULL ? "Static" : "Dynamic");
    if (private_ip != NULL)
        json_put_string(w, "privateIPAddress", private_ip);
    if (public)
        put_address(w, p);
    json_end_object(w);
    json_end_object(w);
}

bool az_build_nic(struct arena *a, const struct az_plan *p, struct az_request *ret)
{
    bool v6 = az_parameter_is(p->spec, "public_ip_version", "IPv6");
    bool public = p->ip_id != NULL || p->address_id != NULL;
    struct request_body b;
    struct json_writer *w = begin(&b, p);

    json_begin_object(w, "properties");
    az_put_reference(w, "networkSecurityGroup", p->nsg_id);
    if (spec_parameter(p->spec, "accelerated_networking") != NULL)
        json_put_bool(w, "enableAcceleratedNetworking",
                      az_parameter_is(p->spec, "accelerated_networking", "true"));
    if (az_parameter_is(p->spec, "ip_forwarding", "true"))
        json_put_bool(w, "enableIPForwarding", true);
    json_begin_array(w, "ipConfigurations");
    put_configuration(w, p, false, public && !v6);
    if (v6)
        put_configuration(w, p, true, public);
    json_end_array(w);
    json_end_object(w);
    return end(&b, a, AZ_NETWORK, p->nic_id, ret);
}
