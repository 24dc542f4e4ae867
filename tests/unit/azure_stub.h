/* A cloud for tests that answers by a table: Azure's Resource Manager and Entra ID on one port of
 * loopback. Every request is written down: "METHOD /path?query body".
 */
#ifndef ISOBAR_TESTS_AZURE_STUB_H
#define ISOBAR_TESTS_AZURE_STUB_H

#include "cloud_stub.h"

extern const struct adapter_ops azure_adapter;

#define AZURE_SUBSCRIPTION "11111111-2222-3333-4444-555555555555"
#define SUBSCRIPTION       "/subscriptions/" AZURE_SUBSCRIPTION
#define GROUP(name_)       SUBSCRIPTION "/resourceGroups/" name_
#define COMPUTE            "/providers/Microsoft.Compute"
#define NETWORK            "/providers/Microsoft.Network"
#define AZURE_LOGIN        "POST /tenant/oauth2/v2.0/token"
#define AZURE_TOKEN        "{\"access_token\":\"entra\",\"expires_in\":3600}"
/* An error as Resource Manager writes it. */
#define AZURE_ERROR(code_, message_)                                                               \
    "{\"error\":{\"code\":\"" code_ "\",\"message\":\"" message_ "\"}}"

/* "%1$s" in a body is the stub's URL: what leads on to a next page. Headers that are to go with an
 * answer stand before its body, after a '!' and before an empty line. */
static const char *azure_made(struct cloud *c, const char *body, const char **ret_headers)
{
    static _Thread_local char out[1 << 18];
    size_t used = 0;

    for (const char *next; (next = strstr(body, "%1$s")) != NULL; body = next + 4)
        used += (size_t)snprintf(out + used, sizeof(out) - used, "%.*shttp://127.0.0.1:%d",
                                 (int)(next - body), body, c->port);
    snprintf(out + used, sizeof(out) - used, "%s", body);
    char *end = out[0] == '!' ? strstr(out, "\r\n\r\n") : NULL;
    if (end == NULL)
        return out;
    end[2] = '\0';
    *ret_headers = out + 1;
    return end + 4;
}

/* With two more settings, which may be NULL. */
UNUSED static void cloud_start_with(struct cloud *c, const char *group, const char *location)
{
    static const struct cloud none;
    struct setting items[8];
    char url[64];
    size_t n = 0;

    *c = none;
    c->ops = &azure_adapter;
    c->headers_of_all = "x-ms-request-id: r-9\r\n";
    c->nothing = AZURE_ERROR("ResourceNotFound", "no row");
    c->made = azure_made;
    close(cloud_listen(c));
    setenv("AZURE_CLIENT_SECRET", "hush", 1);
    snprintf(url, sizeof(url), "http://127.0.0.1:%d", c->port);
    items[n++] = (struct setting){"subscription_id", AZURE_SUBSCRIPTION};
    items[n++] = (struct setting){"tenant_id", "tenant"};
    items[n++] = (struct setting){"client_id", "client"};
    items[n++] = (struct setting){"authority", url};
    items[n++] = (struct setting){"endpoint", url};
    items[n++] = (struct setting){"settle_ms", "100"};
    if (group != NULL)
        items[n++] = (struct setting){"resource_group", group};
    if (location != NULL)
        items[n++] = (struct setting){"location", location};
    CLOUD_ROWS(c, {AZURE_LOGIN, ALWAYS, 200, AZURE_TOKEN});
    cloud_open(c, items, n);
}

UNUSED static void cloud_start(struct cloud *c)
{
    cloud_start_with(c, NULL, "westeurope");
}

#endif
