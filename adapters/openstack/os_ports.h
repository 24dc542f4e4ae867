/* Neutron's ports and floating IPs. */
#ifndef OS_PORTS_H
#define OS_PORTS_H

#include "os.h"

struct os_port {
    struct os_thing thing;
    const char *description, *device_id, *device_owner, *network_id, *created;
};

struct os_fip {
    struct os_thing thing; /* the address is its name */
    const char *description, *port_id, *revision, *created;
};

extern const struct os_kind os_port_kind;
extern const struct os_kind os_fip_kind;

struct os_plan;

/* POST /ports: on the plan's network, with its groups, named by its mark. Pure; false where memory
 * is short, as below. */
bool os_build_port(struct arena *a, const struct os_plan *p, struct os_request *ret) MUST_USE;
/* POST /floatingips: a new one from the plan's external network, on the port, described by the
 * mark. */
bool os_build_fip(struct arena *a, const struct os_plan *p, const char *port_id,
                  struct os_request *ret) MUST_USE;
/* PUT /floatingips/ID: an existing one onto the port, if nobody has changed it meanwhile. */
bool os_build_fip_attach(struct arena *a, const struct os_fip *fip, const char *port_id,
                         struct os_request *ret) MUST_USE;

/* Whether it bears the mark, and so was made by that very operation. Pure. */
bool os_port_is_ours(const struct os_port *port, const char *mark);
bool os_fip_is_ours(const struct os_fip *fip, const char *mark);

#endif
