/* An emulated Azure, with arm_cloud.py beside it: what is counted is asked of the emulator itself.
 */
#include "harness.h"

#include <string.h>

extern const struct adapter_ops azure_adapter;

/* arm_cloud.py commits 1,500 ms late. */
#define SETTLE_MS   3000
#define SETTLE_TEXT "3000"

static char url[128], subscription[64], tenant[64], client[64];

static void keep(char *to, size_t room, const char *member)
{
    snprintf(to, room, "%s", companion_member(member));
}

static const char *azure_start(void)
{
    companion_start("arm_cloud.py", NULL);
    keep(url, sizeof(url), "url");
    keep(subscription, sizeof(subscription), "subscription_id");
    keep(tenant, sizeof(tenant), "tenant_id");
    keep(client, sizeof(client), "client_id");
    /* The adapter of this process and that of a daemon find it as azure-identity does. */
    setenv("AZURE_CLIENT_SECRET", companion_member("client_secret"), 1);
    return NULL;
}

static size_t azure_settings(enum fault f, struct setting items[SETTINGS_MAX])
{
    size_t n = 0;

    (void)f;
    items[n++] = (struct setting){"subscription_id", subscription};
    items[n++] = (struct setting){"tenant_id", tenant};
    items[n++] = (struct setting){"client_id", client};
    items[n++] = (struct setting){"credential", "environment"};
    items[n++] = (struct setting){"authority", url};
    items[n++] = (struct setting){"endpoint", url};
    items[n++] = (struct setting){"location", "westeurope"};
    items[n++] = (struct setting){"audience", "https://management.azure.com/"};
    items[n++] = (struct setting){"settle_ms", SETTLE_TEXT};
    return n;
}

/* With a public address there is the most beside a machine that there can be: it, an interface and
 * a disk. */
static void azure_spec(struct arena *a, pb_VmSpec *spec)
{
    spec->flavor_name = arena_strdup(a, "Standard_B1s");
    spec->image_id = arena_strdup(a, "Debian:debian-12:12:latest");
    spec->public_ip_type = arena_strdup(a, "static");
}

const struct harness harness_azure = {
    .ops = &azure_adapter,
    .settle_ms = SETTLE_MS,
    .start = azure_start,
    .stop = companion_stop,
    .settings = azure_settings,
    .arm = companion_arm,
    .disarm = companion_disarm,
    .hit = companion_hit,
    .spec = azure_spec,
    .machines = companion_machines,
    .things = companion_things,
    .drop_machines = companion_drop_machines,
    .drop_things = companion_drop_things,
    .logins = companion_logins,
};
