/* The real test OpenStack, with openstack_cloud.py before and beside it: the adapter goes through a
 * fault proxy, what is counted is asked of Nova, Neutron and Cinder themselves.
 */
#include "harness.h"

#include <string.h>

extern const struct adapter_ops openstack_adapter;

#define PYTHON "/usr/bin/python3"
/* openstack_cloud.py commits 1,500 ms late. */
#define SETTLE_MS   3000
#define SETTLE_TEXT "3000"

static struct companion companion;
static char clouds_file[512];

static const char *openstack_start(void)
{
    static char why[256];
    const char *clouds = getenv("ISOBAR_TEST_OPENSTACK");
    const char *folder = getenv("ISOBAR_CONFORMANCE");
    char script[512];

    if (!clouds || !*clouds) {
        const char *said = getenv("ISOBAR_NO_OPENSTACK");
        snprintf(why, sizeof(why), "no test OpenStack: %s",
                 said ? said : "ISOBAR_TEST_OPENSTACK is not set");
        return why;
    }
    snprintf(script, sizeof(script), "%s/openstack_cloud.py", folder ? folder : ".");
    const char *const argv[] = {PYTHON, script, clouds, NULL};
    if (!companion_start(&companion, argv)) {
        fprintf(stderr, "%s did not start\n", script);
        exit(1);
    }
    snprintf(clouds_file, sizeof(clouds_file), "%s", companion_member(&companion, "clouds_file"));
    return NULL;
}

static void openstack_stop(void)
{
    companion_stop(&companion);
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

static int ask(const char *method, const char *what, const char *key, const char *value,
               char ret_id[64])
{
    char path[256];

    snprintf(path, sizeof(path), "/%s?%s=%s", what, key, value);
    return companion_ask(&companion, method, path, ret_id);
}

static bool openstack_arm(enum fault f)
{
    return ask("POST", "arm", "fault", fault_names[f], NULL) > 0;
}

static void openstack_disarm(void)
{
    companion_ask(&companion, "DELETE", "/rules", NULL);
}

static bool openstack_hit(void)
{
    return companion_ask(&companion, "GET", "/hits", NULL) > 0;
}

static void openstack_spec(struct arena *a, pb_VmSpec *spec)
{
    spec->flavor_name = arena_strdup(a, "m1.tiny");
    spec->source_type = arena_strdup(a, "image");
    spec->image_id = arena_strdup(a, "test-image");
    spec->network_id = arena_strdup(a, "private");
    spec->security_group_name = arena_strdup(a, "default");
}

static int openstack_machines(struct run *t, const char *token, char ret_id[64])
{
    (void)t;
    return ask("GET", "machines", "token", token, ret_id);
}

static int openstack_things(struct run *t, const char *token)
{
    (void)t;
    return ask("GET", "things", "token", token, NULL);
}

static bool openstack_drop_machines(const char *token)
{
    return ask("DELETE", "machines", "token", token, NULL) == 0;
}

static bool openstack_drop_things(const char *token)
{
    return ask("DELETE", "things", "token", token, NULL) == 0;
}

static int openstack_logins(void)
{
    return companion_ask(&companion, "GET", "/logins", NULL);
}

const struct harness harness_openstack = {
    .ops = &openstack_adapter,
    .settle_ms = SETTLE_MS,
    .start = openstack_start,
    .stop = openstack_stop,
    .settings = openstack_settings,
    .arm = openstack_arm,
    .disarm = openstack_disarm,
    .hit = openstack_hit,
    .spec = openstack_spec,
    .machines = openstack_machines,
    .things = openstack_things,
    .drop_machines = openstack_drop_machines,
    .drop_things = openstack_drop_things,
    .logins = openstack_logins,
};
