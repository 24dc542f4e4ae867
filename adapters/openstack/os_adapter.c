/* The adapter as the gateway sees it: its table, and how a connection begins and ends. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os.h"
#include "os_actions.h"
#include "os_auth.h"
#include "os_check.h"
#include "os_create.h"
#include "os_flavors.h"
#include "os_images.h"
#include "os_keypairs.h"
#include "os_manifest.h"
#include "os_marks.h"
#include "os_networks.h"
#include "os_regions.h"
#include "os_secgroups.h"
#include "os_servers.h"

static void openstack_close(struct adapter *a)
{
    if (a == NULL)
        return;
    token_cache_free(a->tokens);
    sender_free(a->sender);
    sender_free(a->login);
    breakers_free(a->breakers);
    http_client_free(a->http);
    os_names_free(a->names);
    os_config_free(a->config);
    free(a->name);
    free(a);
}

static bool build(struct adapter *a, const char *name)
{
    char what[128];
    snprintf(what, sizeof(what), "OpenStack cloud %s", name);
    struct http_options options = {
        .ca_file = a->config->ca_file,
        .client_cert = a->config->client_cert,
        .client_key = a->config->client_key,
        .insecure = a->config->insecure,
    };
    a->name = strdup(name);
    a->http = http_client_new(&options);
    a->breakers = breakers_new();
    if (a->name == NULL || a->http == NULL || a->breakers == NULL)
        return false;
    a->sender = sender_new(a->http, a->breakers, &os_sender_ops, a, what);
    a->login = sender_new(a->http, a->breakers, &os_login_ops, a, what);
    a->tokens = token_cache_new(&os_token_ops, a);
    a->names = os_names_new();
    return a->sender != NULL && a->login != NULL && a->tokens != NULL && a->names != NULL;
}

/* How long an order that was sent may go about before there is a machine in the list. Nova's API
 * writes it to its database before it answers: what is longest is a queue before the API (a
 * proxy's, or the WSGI server's), then Neutron and Cinder, which are asked first, a second or two
 * at a cloud that is busy; and lists may come from a database's replica that lags. Too short means
 * an order twice on the same port: one of them fails there, and costs a machine in ERROR for a
 * while. */
enum { SETTLE_MS = 5000, SETTLE_MS_MAX = 600000 };

static int openstack_settle_ms(const struct adapter *a)
{
    return a->settle_ms;
}

static struct adapter *openstack_open(const struct settings *s, struct open_error *ret_error)
{
    struct adapter *a = calloc(1, sizeof(*a));
    if (a == NULL)
        return os_config_error(ret_error, NULL, "out of memory");
    if (settings_number(s, "settle_ms", SETTLE_MS, SETTLE_MS_MAX, &a->settle_ms, ret_error))
        a->config = os_config_load(s, ret_error);
    if (a->config != NULL && build(a, s->cloud))
        return a;
    if (a->config != NULL)
        os_config_error(ret_error, NULL, "out of memory, or libcurl does not work");
    openstack_close(a);
    return NULL;
}

extern const struct adapter_ops openstack_adapter;
const struct adapter_ops openstack_adapter = {
    .name = "openstack",
    .description = "OpenStack: Keystone v3, Nova, Glance, Neutron and Cinder.",
    .version = ISOBAR_VERSION,
    .manifest = openstack_manifest,
    .open = openstack_open,
    .close = openstack_close,
    .poll_interval_ms = 500,
    .settle_ms = openstack_settle_ms,
#define SLOT(service, method, slot) .slot = openstack_##slot,
    ADAPTER_METHODS(SLOT)
#undef SLOT
};
