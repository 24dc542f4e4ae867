/* An emulated EC2, with ec2_cloud.py beside it: what is counted is asked of the emulator itself. */
#include "harness.h"

#include <string.h>

extern const struct adapter_ops aws_adapter;

/* ec2_cloud.py commits 1,500 ms late. */
#define SETTLE_MS   3000
#define SETTLE_TEXT "3000"

static char url[128];

static const char *aws_start(void)
{
    if (system("/usr/bin/python3 -c 'import boto3' 2>/dev/null") != 0)
        return "python3-boto3 is missing";
    companion_start("ec2_cloud.py", NULL);
    snprintf(url, sizeof(url), "%s", companion_member("url"));
    /* The adapter of this process and that of a daemon find them as the AWS CLI does. */
    setenv("AWS_ACCESS_KEY_ID", companion_member("access_key_id"), 1);
    setenv("AWS_SECRET_ACCESS_KEY", companion_member("secret_access_key"), 1);
    unsetenv("AWS_PROFILE");
    return NULL;
}

static size_t aws_settings(enum fault f, struct setting items[SETTINGS_MAX])
{
    size_t n = 0;

    (void)f;
    items[n++] = (struct setting){"region", "us-east-1"};
    items[n++] = (struct setting){"endpoint_url", url};
    items[n++] = (struct setting){"settle_ms", SETTLE_TEXT};
    return n;
}

/* A static address makes the most there can be beside a machine: it, and a network interface. */
static void aws_spec(struct arena *a, pb_VmSpec *spec)
{
    spec->flavor_name = arena_strdup(a, "t3.micro");
    spec->image_id = arena_strdup(a, "web");
    spec->security_group_name = arena_strdup(a, "default");
    spec->zone = arena_strdup(a, "us-east-1a");
    spec->public_ip_type = arena_strdup(a, "static");
}

const struct harness harness_aws = {
    .ops = &aws_adapter,
    .settle_ms = SETTLE_MS,
    .start = aws_start,
    .stop = companion_stop,
    .settings = aws_settings,
    .arm = companion_arm,
    .disarm = companion_disarm,
    .hit = companion_hit,
    .spec = aws_spec,
    .machines = companion_machines,
    .things = companion_things,
    .drop_machines = companion_drop_machines,
    .drop_things = companion_drop_things,
};
