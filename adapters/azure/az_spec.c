/* What is wrong with a specification by itself. Pure. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "az_plan.h"
#include "kit/spec.h"

/* What Azure takes. One of 50 tags is our token. Source: "Naming rules and restrictions for Azure
 * resources", "Tag resources: limitations", and the reference of Virtual Machines. */
enum {
    NAME_MAX_ = 64,
    USER_DATA_MAX = 65535,
    TAGS_MAX = 49,
    TAG_KEY_MAX = 512,
    TAG_VALUE_MAX = 256,
    VOLUMES_MAX = 64,
    DISK_NAME_MAX = 80,
};

#define ALNUM "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

bool az_parameter_is(const pb_VmSpec *spec, const char *name, const char *value)
{
    const char *has = spec_parameter(spec, name);

    return has != NULL && strcasecmp(has, value) == 0;
}

pb_ResultCode az_bad(struct op *op, const char *field, const char *why)
{
    op_violation(op, field, "%s", why);
    return op_fail(op, RESULT_CODE_BAD_REQUEST_DATA, "%s: %s", field, why);
}

const char *az_location(struct arena *a, const char *text)
{
    char *name = arena_strdup(a, text), *to = name;

    for (const char *from = text; name[0] != '\0' && *from != '\0'; from++)
        if (*from != ' ')
            *to++ = (char)tolower((unsigned char)*from);
    if (to != name)
        *to = '\0';
    return name;
}

bool az_compute_has(const struct adapter *a, const char *version)
{
    return strncmp(a->config->versions[AZ_COMPUTE], version, strlen(version)) >= 0;
}

/* Characters, as Azure counts them. */
static size_t length(const char *text)
{
    size_t n = 0;

    for (; *text != '\0'; text++)
        n += ((unsigned char)*text & 0xC0) != 0x80;
    return n;
}

static bool is_name(const char *name, size_t max)
{
    size_t len = strlen(name);

    return len > 0 && len <= max && strspn(name, ALNUM "-_.") == len &&
           strchr("-_.", name[0]) == NULL && strchr("-.", name[len - 1]) == NULL;
}

static void check_name(struct op *op, const pb_VmSpec *spec)
{
    const char *computer = spec_parameter(spec, "computer_name");

    if (!is_name(spec->name, NAME_MAX_))
        op_violation(
            op, "spec.name",
            "has to be 1 to %d letters, digits, - _ and ., the first a letter or digit and "
            "the last no - or .",
            NAME_MAX_);
    if (computer != NULL &&
        (strlen(computer) > NAME_MAX_ || strspn(computer, ALNUM "-.") != strlen(computer)))
        op_violation(op, "spec.parameters.computer_name",
                     "has to be letters, digits, - and ., at most %d", NAME_MAX_);
    if (spec->instance_count > 1)
        op_violation(op, "spec.instance_count", "is one here: several are ordered one by one");
    if (spec->n_extra_security_groups > 0)
        op_violation(op, "spec.extra_security_groups",
                     "an interface has one network security group in Azure: put the rules into it");
}

static void check_tags(struct op *op, const pb_VmSpec *spec)
{
    static const char *const reserved[] = {"microsoft", "azure", "windows"};

    if (spec->n_tags > TAGS_MAX)
        op_violation(op, "spec.tags", "are more than %d", TAGS_MAX);
    for (size_t i = 0; i < spec->n_tags; i++) {
        const char *key = spec->tags[i]->key;
        for (size_t k = 0; k < ARRAY_LEN(reserved); k++)
            if (strncasecmp(key, reserved[k], strlen(reserved[k])) == 0)
                op_violation(op, "spec.tags", "\"%s\": keys with %s are Azure's own", key,
                             reserved[k]);
        if (strcasecmp(key, AZ_TOKEN_KEY) == 0)
            op_violation(op, "spec.tags", "\"%s\" is the gateway's own", key);
        else if (key[0] == '\0' || length(key) > TAG_KEY_MAX || strpbrk(key, "<>%&\\?/") != NULL)
            op_violation(op, "spec.tags", "\"%s\": a key has 1 to %d characters, none of <>%%&\\?/",
                         key, TAG_KEY_MAX);
        else if (length(spec->tags[i]->value) > TAG_VALUE_MAX)
            op_violation(op, "spec.tags", "\"%s\": a value has at most %d characters", key,
                         TAG_VALUE_MAX);
    }
}

static void check_volumes(struct op *op, const pb_VmSpec *spec)
{
    if (spec->n_volumes > VOLUMES_MAX)
        op_violation(op, "spec.volumes", "are more than %d", VOLUMES_MAX);
    for (size_t i = 0; i < spec->n_volumes; i++) {
        const char *field = arena_printf(op->arena, "spec.volumes[%zu]", i);
        const char *name = spec->volumes[i]->name;
        if (spec->volumes[i]->size_gib == 0)
            op_violation(op, field, "size_gib must be at least 1");
        if (name[0] != '\0' && !is_name(name, DISK_NAME_MAX))
            op_violation(op, field, "name has to be 1 to %d letters, digits, - _ and .",
                         DISK_NAME_MAX);
        /* What is named so is taken to be ours, and deleted when it is left over. */
        if (strncasecmp(name, AZ_MARK_PREFIX, strlen(AZ_MARK_PREFIX)) == 0)
            op_violation(op, field,
                         "names that begin with " AZ_MARK_PREFIX " are the gateway's own");
        for (size_t k = 0; k < i; k++)
            if (name[0] != '\0' && strcasecmp(name, spec->volumes[k]->name) == 0)
                op_violation(op, field, "another volume is named so");
    }
}

static bool is_price(const char *text)
{
    size_t digits = strspn(text, "0123456789"), after = 0;

    if (strcmp(text, "-1") == 0)
        return true;
    if (text[digits] == '.')
        after = strspn(text + digits + 1, "0123456789") + 1;
    return digits > 0 && after != 1 && text[digits + after] == '\0';
}

static void check_parameters(struct adapter *a, struct op *op, const pb_VmSpec *spec)
{
    static const char *const spot[] = {"max_price", "eviction_policy"};
    const char *size = spec_parameter(spec, "os_disk_size_gib");
    const char *price = spec_parameter(spec, "max_price"), *plan = spec_parameter(spec, "plan");
    size_t colons = 0;

    for (size_t i = 0; i < ARRAY_LEN(spot); i++)
        if (spec_parameter(spec, spot[i]) != NULL && !az_parameter_is(spec, "priority", "Spot"))
            op_violation(op, arena_printf(op->arena, "spec.parameters.%s", spot[i]),
                         "is for machines with the parameter priority=Spot");
    if (size != NULL && strtoll(size, NULL, 10) < 1)
        op_violation(op, "spec.parameters.os_disk_size_gib", "must be at least 1");
    if (price != NULL && !is_price(price))
        op_violation(op, "spec.parameters.max_price", "must be a price like 0.05, or -1");
    for (const char *at = plan; at != NULL && *at != '\0'; at++)
        colons += *at == ':';
    if (plan != NULL && strcmp(plan, "image") != 0 && colons != 2)
        op_violation(op, "spec.parameters.plan", "must be PUBLISHER:PRODUCT:NAME, or image");
    if (spec_parameter(spec, "dns_label") != NULL &&
        (spec->public_ip[0] != '\0' || spec->public_ip_type[0] == '\0' ||
         strcasecmp(spec->public_ip_type, "none") == 0))
        op_violation(op, "spec.parameters.dns_label", "is for a public address that is made");
    if (az_parameter_is(spec, "hibernation", "true") && !az_compute_has(a, AZ_SINCE_HIBERNATION))
        op_violation(op, "spec.parameters.hibernation",
                     "needs the connection's compute_api_version to be " AZ_SINCE_HIBERNATION
                     " or later");
    if (az_parameter_is(spec, "public_ip_sku", "Basic") && spec->zone[0] != '\0' &&
        strcasecmp(spec->public_ip_type, "none") != 0)
        op_violation(op, "spec.parameters.public_ip_sku", "Basic addresses are in no zone");
}

pb_ResultCode az_check_spec(struct adapter *a, struct op *op, const pb_VmSpec *spec)
{
    const pb_Result *r = op->result;
    size_t before = r->n_violations;

    check_name(op, spec);
    check_tags(op, spec);
    check_volumes(op, spec);
    check_parameters(a, op, spec);
    if (spec->user_data.len > USER_DATA_MAX)
        op_violation(op, "spec.user_data", "has %zu bytes, and Azure takes %d", spec->user_data.len,
                     USER_DATA_MAX);
    if (strspn(spec->zone, "0123456789") != strlen(spec->zone))
        op_violation(op, "spec.zone", "is a number in Azure: 1, 2 or 3");
    if (r->n_violations == before)
        return RESULT_CODE_OK;
    return op_fail(op, RESULT_CODE_BAD_REQUEST_DATA, "%s: %s%s", r->violations[before]->field,
                   r->violations[before]->description,
                   r->n_violations > before + 1 ? "; and more is wrong" : "");
}
