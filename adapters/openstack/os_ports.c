#include "os_ports.h"

#include <string.h>

#include "os_plan.h"

static const struct shape_field port_fields[] = {
    SHAPE_FIELD(struct os_port, thing.id, "id", SHAPE_STRING),
    SHAPE_FIELD(struct os_port, thing.name, "name", SHAPE_STRING),
    SHAPE_FIELD(struct os_port, description, "description", SHAPE_STRING),
    SHAPE_FIELD(struct os_port, device_id, "device_id", SHAPE_STRING),
    SHAPE_FIELD(struct os_port, device_owner, "device_owner", SHAPE_STRING),
    SHAPE_FIELD(struct os_port, created, "created_at", SHAPE_STRING),
    SHAPE_FIELD(struct os_port, network_id, "network_id", SHAPE_STRING),
};
static const struct shape port_shape = {sizeof(struct os_port), port_fields, ARRAY_LEN(port_fields),
                                        0};
OS_PAGE(ports_page_shape, "ports", "ports_links", port_shape);
OS_ONE(port_one_shape, "port", struct os_port, port_shape);

static const struct shape_field fip_fields[] = {
    SHAPE_FIELD(struct os_fip, thing.id, "id", SHAPE_STRING),
    SHAPE_FIELD(struct os_fip, thing.name, "floating_ip_address", SHAPE_STRING),
    SHAPE_FIELD(struct os_fip, description, "description", SHAPE_STRING),
    SHAPE_FIELD(struct os_fip, port_id, "port_id", SHAPE_STRING),
    SHAPE_FIELD(struct os_fip, revision, "revision_number", SHAPE_STRING),
    SHAPE_FIELD(struct os_fip, created, "created_at", SHAPE_STRING),
};
static const struct shape fip_shape = {sizeof(struct os_fip), fip_fields, ARRAY_LEN(fip_fields), 0};
OS_PAGE(fips_page_shape, "floatingips", "floatingips_links", fip_shape);
OS_ONE(fip_one_shape, "floatingip", struct os_fip, fip_shape);

const struct os_kind os_port_kind = {
    .noun = "port",
    .service = OS_NETWORK,
    .path = "/ports",
    .name_filter = "name",
    .item = &port_shape,
    .page = &ports_page_shape,
    .one = &port_one_shape,
};

const struct os_kind os_fip_kind = {
    .noun = "floating IP",
    .service = OS_NETWORK,
    .path = "/floatingips",
    .name_filter = "floating_ip_address",
    .item = &fip_shape,
    .page = &fips_page_shape,
    .one = &fip_one_shape,
};

bool os_build_port(struct arena *a, const struct os_plan *p, struct os_request *ret)
{
    *ret = (struct os_request){.service = OS_NETWORK, .method = "POST", .path = "/ports"};
    struct request_body b;
    struct json_writer *w = os_body_begin(&b);
    if (w == NULL)
        return body_end(&b, a, &ret->body, &ret->body_len);
    json_begin_object(w, "port");
    json_put_string(w, "name", p->mark);
    json_put_string(w, "description", OS_DESCRIPTION);
    json_put_string(w, "network_id", p->network_id);
    if (p->subnet_id != NULL || p->fixed_ip != NULL) {
        json_begin_array(w, "fixed_ips");
        json_begin_object(w, NULL);
        if (p->subnet_id != NULL)
            json_put_string(w, "subnet_id", p->subnet_id);
        if (p->fixed_ip != NULL)
            json_put_string(w, "ip_address", p->fixed_ip);
        json_end_object(w);
        json_end_array(w);
    }
    if (p->n_groups > 0) {
        json_begin_array(w, "security_groups");
        for (size_t i = 0; i < p->n_groups; i++)
            json_put_string(w, NULL, p->groups[i]);
        json_end_array(w);
    }
    json_end_object(w);
    return body_end(&b, a, &ret->body, &ret->body_len);
}

bool os_build_fip(struct arena *a, const struct os_plan *p, const char *port_id,
                  struct os_request *ret)
{
    *ret = (struct os_request){.service = OS_NETWORK, .method = "POST", .path = "/floatingips"};
    struct request_body b;
    struct json_writer *w = os_body_begin(&b);
    if (w == NULL)
        return body_end(&b, a, &ret->body, &ret->body_len);
    json_begin_object(w, "floatingip");
    json_put_string(w, "floating_network_id", p->external_network_id);
    json_put_string(w, "port_id", port_id);
    json_put_string(w, "description", p->mark);
    json_end_object(w);
    return body_end(&b, a, &ret->body, &ret->body_len);
}

bool os_build_fip_attach(struct arena *a, const struct os_fip *fip, const char *port_id,
                         struct os_request *ret)
{
    *ret = (struct os_request){
        .service = OS_NETWORK,
        .method = "PUT",
        .path = arena_printf(a, "/floatingips/%s", url_escape(a, fip->thing.id)),
    };
    if (fip->revision != NULL)
        ret->if_match = arena_printf(a, "revision_number=%s", fip->revision);
    struct request_body b;
    struct json_writer *w = os_body_begin(&b);
    if (w == NULL)
        return body_end(&b, a, &ret->body, &ret->body_len);
    json_begin_object(w, "floatingip");
    json_put_string(w, "port_id", port_id);
    json_end_object(w);
    return body_end(&b, a, &ret->body, &ret->body_len);
}

static bool same(const char *a, const char *b)
{
    return a != NULL && strcmp(a, b) == 0;
}

bool os_port_is_ours(const struct os_port *port, const char *mark)
{
    return port->thing.id != NULL && same(port->thing.name, mark) &&
           same(port->description, OS_DESCRIPTION);
}

bool os_fip_is_ours(const struct os_fip *fip, const char *mark)
{
    return fip->thing.id != NULL && same(fip->description, mark);
}
