/* The real test OpenStack, with openstack_cloud.py before and beside it: the adapter goes through a
 * fault proxy, what is counted is asked of Nova, Neutron and Cinder themselves.
 */
#include "harness.h"

#include <string.h>

extern const struct adapter_ops openstack_adapter;

/* openstack_cloud.py commits 1,500 ms late. */
#define SETTLE_MS   3000
#define SETTLE_TEXT "3000"

static char clouds_file[512];

static const char *openstack_start(void)
{
    static char why[256];
    const char *clouds = getenv("ISOBAR_TEST_OPENSTACK");

    if (!clouds || !*clouds) {
        const char *said = getenv("ISOBAR_NO_OPENSTACK");
        snprintf(why, sizeof(why), "no test OpenStack: %s",
                 said ? said : "ISOBAR_TEST_OPENSTACK is not set");
        return why;
    }
    companion_start("openstack_cloud.py", clouds);
    snprintf(clouds_file, sizeof(clouds_file), "%s", companion_member("clouds_file"));
    return NULL;
}

static bool has_setting(const char *name)
{
    const pb_Manifest *m = openstack_adapter.manifest();

    for (size_t i = 0; i < m->n_settings; i++)
        if (strcmp(m->settings[i]->name, name) == 0)
            return true;
    return false;
}

static size_t openstack_settings(enum fault f, struct setting items[SETTINGS_MAX])
{
    size_t n = 0;

    (void)f;
    items[n++] = (struct setting){"clouds_file", clouds_file};
    items[n++] = (struct setting){"cloud", "demo"};
    if (has_setting("settle_ms"))
        items[n++] = (struct setting){"settle_ms", SETTLE_TEXT};
    return n;
}

static void openstack_spec(struct arena *a, pb_VmSpec *spec)
{
    spec->flavor_name = arena_strdup(a, "m1.tiny");
    spec->source_type = arena_strdup(a, "image");
    spec->image_id = arena_strdup(a, "test-image");
    spec->network_id = arena_strdup(a, "private");
    spec->security_group_name = arena_strdup(a, "default");
}

const struct harness harness_openstack = {
    .ops = &openstack_adapter,
    .settle_ms = SETTLE_MS,
    .start = openstack_start,
    .stop = companion_stop,
    .settings = openstack_settings,
    .arm = companion_arm,
    .disarm = companion_disarm,
    .hit = companion_hit,
    .spec = openstack_spec,
    .machines = companion_machines,
    .things = companion_things,
    .drop_machines = companion_drop_machines,
    .drop_things = companion_drop_things,
    .logins = companion_logins,
};
