/* The adapter as the gateway sees it: its table, and how a connection begins and ends. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "az.h"
#include "az_manifest.h"
#include "az_names.h"

static void azure_close(struct adapter *a)
{
    if (a == NULL)
        return;
    sender_free(a->sender);
    az_credentials_free(a->credentials);
    az_names_free(a->names);
    breakers_free(a->breakers);
    http_client_free(a->http);
    az_config_free(a->config);
    free(a->name);
    free(a);
}

static bool build(struct adapter *a, const char *name)
{
    char what[128];

    snprintf(what, sizeof(what), "Azure cloud %s", name);
    const struct http_options options = {.ca_file = a->config->ca_file};
    a->name = strdup(name);
    a->http = http_client_new(&options);
    a->breakers = breakers_new();
    a->names = az_names_new();
    if (a->name == NULL || a->http == NULL || a->breakers == NULL || a->names == NULL)
        return false;
    a->sender = sender_new(a->http, a->breakers, &az_sender_ops, a, what);
    a->credentials = az_credentials_new(a->config, a->http, a->breakers, name);
    return a->sender != NULL && a->credentials != NULL;
}

/* An order may wait in a queue before Resource Manager takes it, and lists come from caches that
 * lag by some seconds. */
enum { SETTLE_MS = 10000, SETTLE_MS_MAX = 600000 };

static int azure_settle_ms(const struct adapter *a)
{
    return a->settle_ms;
}

static bool azure_dedupes(const struct adapter *a)
{
    (void)a;
    return true;
}

static struct adapter *azure_open(const struct settings *s, struct open_error *ret_error)
{
    struct adapter *a = calloc(1, sizeof(*a));

    if (a != NULL &&
        settings_number(s, "settle_ms", SETTLE_MS, SETTLE_MS_MAX, &a->settle_ms, ret_error))
        a->config = az_config_load(s, ret_error);
    if (a != NULL && a->config != NULL && build(a, s->cloud))
        return a;
    if (a == NULL || a->config != NULL)
        snprintf(ret_error->text, sizeof(ret_error->text),
                 "out of memory, or libcurl does not work");
    azure_close(a);
    return NULL;
}

extern const struct adapter_ops azure_adapter;
const struct adapter_ops azure_adapter = {
    .name = "azure",
    .description = "Microsoft Azure: Resource Manager with Compute, Network and Resources.",
    .version = ISOBAR_VERSION,
    .manifest = azure_manifest,
    .open = azure_open,
    .close = azure_close,
    .poll_interval_ms = 1000,
    .settle_ms = azure_settle_ms,
    /* A name has one machine: a second PUT makes no second one. */
    .dedupes = azure_dedupes,
#define SLOT(service, method, slot) .slot = azure_##slot,
    ADAPTER_METHODS(SLOT)
#undef SLOT
};
