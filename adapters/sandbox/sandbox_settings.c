/* The settings of a connection, and the manifest: each list is a table here and nowhere else. */
#include "sandbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kit/manifest.h"

#define HOUR_MS 3600000

enum setting_kind { WHOLE_NUMBER, SHARE, SCRIPT };

struct setting_row {
    const char *name;
    enum setting_kind kind;
    size_t offset;
    int64_t min, max, initial;
    const char *description;
};

#define WHOLE(member, min, max, initial, description)                                              \
    {                                                                                              \
#member, WHOLE_NUMBER, offsetof(struct sandbox_settings, member), min, max, initial,       \
            description                                                                            \
    }
#define RATE(member, description)                                                                  \
    {                                                                                              \
#member, SHARE, offsetof(struct sandbox_settings, member), 0, 1, 0,                        \
            description ", 0 to 1 (0.05 is one in twenty)."                                        \
    }

static const struct setting_row rows[] = {
    WHOLE(boot_ms, 0, HOUR_MS, 800, "Milliseconds from a create until the machine runs."),
    WHOLE(pace_ms, 0, HOUR_MS, 300, "Milliseconds that any other change of state takes."),
    WHOLE(quota_instances, 0, SANDBOX_MACHINES_MAX, SANDBOX_MACHINES_MAX,
          "Machines that there may be; more is QuotaExceeded."),
    WHOLE(quota_cores, 0, 1000000, 1000000,
          "Virtual CPUs that all machines may have together; more is QuotaExceeded."),
    WHOLE(capacity, 0, SANDBOX_MACHINES_MAX, SANDBOX_MACHINES_MAX,
          "Machines that the cloud has room for; more is OutOfCapacity."),
    WHOLE(latency_ms, 0, HOUR_MS, 0, "Milliseconds that every call takes."),
    RATE(error_rate, "Share of calls that fail as Unavailable, nothing done"),
    RATE(rate_limit_rate, "Share of calls that are refused as RateLimited"),
    RATE(lost_reply_rate, "Share of creates that happen and answer OutcomeUnknown"),
    RATE(hang_rate, "Share of calls that are never answered"),
    WHOLE(late_commit_ms, 0, HOUR_MS, 0,
          "Milliseconds until a create or a delete that has been answered can be seen."),
    WHOLE(list_lag_ms, 0, HOUR_MS, 0, "Milliseconds that lists of machines are behind."),
    WHOLE(seed, 0, UINT32_MAX, 1, "Where the random numbers of the shares begin."),
    {"script", SCRIPT, offsetof(struct sandbox_settings, script), 0, 0, 0,
     "What becomes of the first calls that change something, one after the other, as "
     "lost_reply,429,ok: ok, 429, 503, hang, or lost_reply, which waits for a create."},
};

/* ---- reading ---- */

static bool read_whole(const char *text, int64_t *ret)
{
    char *end;

    if (!*text || text[strspn(text, "0123456789")] || strlen(text) > 18)
        return false;
    *ret = strtoll(text, &end, 10);
    return true;
}

static bool read_rate(const char *text, double *ret)
{
    char *end;

    if (!*text || text[strspn(text, "0123456789.")])
        return false;
    *ret = strtod(text, &end);
    return !*end && *ret <= 1;
}

/* Words with commas between. */
static bool read_script(const char *text, struct sandbox_script *ret)
{
    static const char *const words[] = {[SANDBOX_OK] = "ok",
                                        [SANDBOX_LOST_REPLY] = "lost_reply",
                                        [SANDBOX_RATE_LIMIT] = "429",
                                        [SANDBOX_ERROR] = "503",
                                        [SANDBOX_HANG] = "hang"};

    for (ret->n = 0; *text; text += *text == ',') {
        size_t len = strcspn(text, ","), i = 0;
        while (i < ARRAY_LEN(words) &&
               (strlen(words[i]) != len || strncmp(words[i], text, len) != 0))
            i++;
        if (i == ARRAY_LEN(words) || ret->n == SANDBOX_SCRIPT_MAX)
            return false;
        ret->faults[ret->n++] = (uint8_t)i;
        text += len;
    }
    return true;
}

static bool read_row(const struct setting_row *row, const char *text, void *at,
                     struct open_error *ret_error)
{
    int64_t whole = row->initial;

    if (row->kind == SCRIPT) {
        if (text && !read_script(text, at)) {
            snprintf(ret_error->text, sizeof(ret_error->text),
                     "%s must be at most %d of ok, lost_reply, 429, 503 and hang with commas "
                     "between; it is \"%.80s\"",
                     row->name, SANDBOX_SCRIPT_MAX, text);
            return false;
        }
        return true;
    }
    if (row->kind == SHARE) {
        double rate = 0;
        if (text && !read_rate(text, &rate)) {
            snprintf(ret_error->text, sizeof(ret_error->text),
                     "%s must be a number from 0 to 1, as 0.05; it is \"%.80s\"", row->name, text);
            return false;
        }
        memcpy(at, &rate, sizeof(rate));
        return true;
    }
    if (text && (!read_whole(text, &whole) || whole < row->min || whole > row->max)) {
        snprintf(ret_error->text, sizeof(ret_error->text),
                 "%s must be a whole number from %lld to %lld; it is \"%.80s\"", row->name,
                 (long long)row->min, (long long)row->max, text);
        return false;
    }
    memcpy(at, &whole, sizeof(whole));
    return true;
}

bool sandbox_settings_read(const struct settings *s, struct sandbox_settings *ret,
                           struct open_error *ret_error)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (!read_row(&rows[i], settings_get(s, rows[i].name), (char *)ret + rows[i].offset,
                      ret_error))
            return false;
    return true;
}

/* ---- the manifest ---- */

#define M PRESENCE_MANDATORY
#define O PRESENCE_OPTIONAL
#define N PRESENCE_NOT_PRESENT

static const struct manifest_attribute attributes[] = {
    {"name", M, .description = "The machine's name; several may have the same."},
    {"region", O, .initial = "sandbox-1", .description = "There is but sandbox-1."},
    {"resource_group_name", N, .description = "The sandbox does not group what it has."},
    {"instance_count", N, .description = "The gateway orders one after the other."},
    {"flavor_name", M,
     .description = "A flavor: m1.tiny, m1.small, m1.medium, m1.large, g1.small."},
    {"source_type", O, .initial = "image", .allowed = {"image"},
     .description = "Machines boot from an image, or from a volume made of one."},
    {"volume_created", O, .description = "Boot from a new volume that is made of the image."},
    {"image_type", N, .description = "An image is referred to in one way only."},
    {"os_type", N, .description = "The image says."},
    {"image_id", M, .description = "An image: ubuntu, debian, alpine."},
    {"subnet_name", O, .chosen = true, .description = "The subnet; else that of the network."},
    {"network_id", O, .chosen = true,
     .description = "The network; else the only one that is not external."},
    {"security_group_name", O, .initial = "default", .description = "A group: default, web."},
    {"public_ip_type", O, .allowed = {"none", "dynamic", "static"},
     .description = "Whether the machine gets a public address; none where nothing says."},
    {"public_ip", O, .description = "An address of the public subnet that is free."},
    {"keypair", O, .description = "A key pair: default."},
    {"zone", O, .description = "a or b; else the sandbox takes turns."},
    {"user_data", O, .description = "At most 64 KiB; only its length is kept."},
    {"tags", O, .description = "At most 50."},
    {"volumes", O, .description = "At most 20 further disks."},
    {"extra_security_groups", O, .description = "Groups besides security_group_name."},
};

#undef M
#undef O
#undef N

static const struct manifest_parameter parameters[] = {
    {"boot_ms", PARAMETER_TYPE_INTEGER,
     .description = "Milliseconds until this machine runs; else the connection's boot_ms."},
    {"fail_boot", PARAMETER_TYPE_BOOLEAN,
     .description = "The machine ends in ERROR instead of RUNNING."},
};

static struct manifest_parameter shown[ARRAY_LEN(rows)]; /* the rows, as the manifest has them */
static char initials[ARRAY_LEN(rows)][24];

static void show(void)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        snprintf(initials[i], sizeof(initials[i]), "%lld", (long long)rows[i].initial);
        shown[i].name = rows[i].name;
        shown[i].type =
            rows[i].kind == WHOLE_NUMBER ? PARAMETER_TYPE_INTEGER : PARAMETER_TYPE_STRING;
        shown[i].initial = rows[i].kind == SCRIPT ? NULL : initials[i];
        shown[i].description = rows[i].description;
    }
}

const pb_Manifest *sandbox_manifest(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    static struct manifest_rows all = {
        .attributes = attributes,
        .n_attributes = ARRAY_LEN(attributes),
        .parameters = parameters,
        .n_parameters = ARRAY_LEN(parameters),
        .settings = shown,
        .n_settings = ARRAY_LEN(shown),
    };

    pthread_once(&once, show);
    return manifest_of(&all);
}
