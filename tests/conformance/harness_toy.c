/* The toy adapter of adapters/examples, a process in Python, behind the adapter `remote`:
 * toy_cloud.py is that process, with faults. What is counted is asked of its cloud itself.
 */
#include "harness.h"

#include <string.h>

extern const struct adapter_ops remote_adapter;

/* The cloud `tardy` of toy_cloud.py says 1,000 ms; the adapter adds what a process needs to notice
 * that its caller has gone. */
#define SETTLE_MS 1500

static char server[128];

static const char *toy_start(void)
{
    const char *build = getenv("ISOBAR_BUILD");
    char descriptors[512];

    if (system("/usr/bin/python3 -c 'import google.protobuf' 2>/dev/null") != 0)
        return "python3-protobuf is missing";
    snprintf(descriptors, sizeof(descriptors), "%s/proto/gen/isobar.binpb", build ? build : ".");
    setenv("ISOBAR_DESCRIPTORS", descriptors, 1);
    companion_start("toy_cloud.py", NULL);
    snprintf(server, sizeof(server), "%s", companion_member("server"));
    return NULL;
}

/* A late order is of interest where the cloud does not know its orders. */
static size_t toy_settings(enum fault f, struct setting items[SETTINGS_MAX])
{
    size_t n = 0;

    items[n++] = (struct setting){"server", server};
    items[n++] = (struct setting){"cloud", f == FAULT_LATE_COMMIT ? "tardy" : "toy"};
    return n;
}

static void toy_spec(struct arena *a, pb_VmSpec *spec)
{
    spec->flavor_name = arena_strdup(a, "small");
    spec->image_id = arena_strdup(a, "bear");
}

const struct harness harness_toy = {
    .ops = &remote_adapter,
    .settle_ms = SETTLE_MS,
    .cannot =
        {
            [FAULT_UNAUTHORIZED] = "what is shown to an adapter process does not end",
            [FAULT_SKEW] = "nothing here depends on the cloud's clock",
        },
    .start = toy_start,
    .stop = companion_stop,
    .settings = toy_settings,
    .arm = companion_arm,
    .disarm = companion_disarm,
    .hit = companion_hit,
    .spec = toy_spec,
    .machines = companion_machines,
    .things = companion_things,
    .drop_machines = companion_drop_machines,
    .drop_things = companion_drop_things,
};
