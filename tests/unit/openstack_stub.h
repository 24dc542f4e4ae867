/* A cloud for tests that answers by a table: OpenStack's services on one port of loopback, each
 * under a path of its own (/identity, /compute, /image, /network, /volume). Every request is
 * written down: "METHOD /path?query body".
 */
#ifndef ISOBAR_TESTS_OPENSTACK_STUB_H
#define ISOBAR_TESTS_OPENSTACK_STUB_H

#include "cloud_stub.h"

extern const struct adapter_ops openstack_adapter;

#define CLOUD_LOGIN                                                                                \
    "{\"token\":{\"issued_at\":\"2026-11-22T21:51:11.000000Z\",\"expires_at\":"                    \
    "\"2026-11-22T22:51:11.000000Z\",\"project\":{\"id\":\"PID\"},\"catalog\":["                   \
    "{\"type\":\"compute\",\"endpoints\":[{\"interface\":\"public\",\"region_id\":\"R1\",\"url\":" \
    "\"%1$s/compute/v2.1\"}]},{\"type\":\"image\",\"endpoints\":[{\"interface\":\"public\","       \
    "\"region_id\":\"R1\",\"url\":\"%1$s/image\"}]},{\"type\":\"network\",\"endpoints\":[{"        \
    "\"interface\":\"public\",\"region_id\":\"R1\",\"url\":\"%1$s/network\"}]},{\"type\":"         \
    "\"volumev3\",\"endpoints\":[{\"interface\":\"public\",\"region_id\":\"R1\",\"url\":"          \
    "\"%1$s/volume/v3/PID\"}]}]}}"
#define CLOUD_VERSIONS "{\"version\":{\"version\":\"2.93\",\"min_version\":\"2.1\"}}"
#define NOVA           "/compute/v2.1"
#define NEUTRON        "/network/v2.0"
#define GLANCE         "/image/v2"
#define CINDER         "/volume/v3/PID"

static const char *cloud_login(struct cloud *c, const char *body, const char **ret_headers)
{
    static _Thread_local char login[2048];
    char base[64];

    if (strcmp(body, CLOUD_LOGIN) != 0)
        return body;
    snprintf(base, sizeof(base), "http://127.0.0.1:%d", c->port);
    snprintf(login, sizeof(login), CLOUD_LOGIN, base);
    *ret_headers = "X-Subject-Token: secret-token\r\n";
    return login;
}

UNUSED static void cloud_start(struct cloud *c)
{
    static const struct cloud none;

    *c = none;
    c->ops = &openstack_adapter;
    c->headers_of_all = "X-OpenStack-Request-ID: req-7\r\n";
    c->nothing = "{\"itemNotFound\":{\"message\":\"no row\"}}";
    c->made = cloud_login;
    int fd = cloud_listen(c);
    dprintf(fd,
            "clouds: {x: {auth: {auth_url: 'http://127.0.0.1:%d/identity', user_id: u, password: "
            "p, project_id: PID}, region_name: R1}}\n",
            c->port);
    close(fd);
    const struct setting items[] = {{"clouds_file", c->file}, {"cloud", "x"}, {"settle_ms", "100"}};
    CLOUD_ROWS(c, {"POST /identity/v3/auth/tokens", ALWAYS, 201, CLOUD_LOGIN},
               {"GET " NOVA "/$", ALWAYS, 200, CLOUD_VERSIONS});
    cloud_open(c, items, ARRAY_LEN(items));
}

#endif
