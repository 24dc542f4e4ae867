/* What is wrong with a specification by itself. Pure. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "aws_plan.h"
#include "isobar/utf8.h"
#include "kit/spec.h"

/* What EC2 takes. The tags of a machine are the specification's, its name and our token. */
enum { USER_DATA_MAX = 16384, TAGS_MAX = 48, TAG_KEY_MAX = 128, TAG_VALUE_MAX = 256 };

/* Characters, as EC2 counts them. */
static size_t length(const char *text)
{
    size_t n = 0;

    for (; *text != '\0'; text++)
        n += ((unsigned char)*text & 0xC0) != 0x80;
    return n;
}

static void check_name(struct op *op, const pb_VmSpec *spec)
{
    if (length(spec->name) > TAG_VALUE_MAX)
        op_violation(op, "spec.name", "is longer than %d characters", TAG_VALUE_MAX);
    if (spec->instance_count > 1)
        op_violation(op, "spec.instance_count", "is one here: several are ordered one by one");
}

static void check_tags(struct op *op, const pb_VmSpec *spec)
{
    if (spec->n_tags > TAGS_MAX)
        op_violation(op, "spec.tags", "are more than %d", TAGS_MAX);
    for (size_t i = 0; i < spec->n_tags; i++) {
        const char *key = spec->tags[i]->key;
        if (strncasecmp(key, "aws:", 4) == 0)
            op_violation(op, "spec.tags", "\"%s\": keys with aws: are EC2's own", key);
        else if (strcmp(key, AWS_TOKEN_KEY) == 0)
            op_violation(op, "spec.tags", "\"%s\" is the gateway's own", key);
        else if (strcmp(key, "Name") == 0)
            op_violation(op, "spec.tags", "\"Name\" is what spec.name gives");
        else if (key[0] == '\0' || length(key) > TAG_KEY_MAX)
            op_violation(op, "spec.tags", "\"%s\": a key has 1 to %d characters", key, TAG_KEY_MAX);
        else if (length(spec->tags[i]->value) > TAG_VALUE_MAX)
            op_violation(op, "spec.tags", "\"%s\": a value has at most %d characters", key,
                         TAG_VALUE_MAX);
    }
}

static void check_volumes(struct op *op, const pb_VmSpec *spec)
{
    for (size_t i = 0; i < spec->n_volumes; i++) {
        const char *field = arena_printf(op->arena, "spec.volumes[%zu]", i);
        if (spec->volumes[i]->size_gib == 0)
            op_violation(op, field, "size_gib must be at least 1");
        if (length(spec->volumes[i]->name) > TAG_VALUE_MAX)
            op_violation(op, field, "name is longer than %d characters", TAG_VALUE_MAX);
    }
}

static void check_parameters(struct op *op, const pb_VmSpec *spec)
{
    static const char *const spot[] = {"spot_max_price", "spot_interruption"};
    static const char *const counts[] = {
        "volume_size_gib",    "volume_iops", "volume_throughput", "ipv6_address_count",
        "metadata_hop_limit", "cpu_cores",   "threads_per_core"};
    const char *market = spec_parameter(spec, "market");
    const char *template = spec_parameter(spec, "launch_template");

    for (size_t i = 0; i < ARRAY_LEN(spot); i++)
        if (spec_parameter(spec, spot[i]) != NULL &&
            (market == NULL || strcmp(market, "spot") != 0))
            op_violation(op, arena_printf(op->arena, "spec.parameters.%s", spot[i]),
                         "is for machines with the parameter market=spot");
    for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
        const char *value = spec_parameter(spec, counts[i]);
        if (value != NULL && strtoll(value, NULL, 10) < 1)
            op_violation(op, arena_printf(op->arena, "spec.parameters.%s", counts[i]),
                         "must be at least 1");
    }
    if (template != NULL && (template[0] == ':' || template[strlen(template) - 1] == ':'))
        op_violation(op, "spec.parameters.launch_template", "must be NAME-or-ID[:VERSION]");
}

enum aws_public_ip aws_public_ip(const pb_VmSpec *spec)
{
    static const struct {
        const char *word;
        enum aws_public_ip type;
    } map_types[] = {
        {"none", AWS_PUBLIC_NONE},
        {"dynamic", AWS_PUBLIC_DYNAMIC},
        {"static", AWS_PUBLIC_STATIC},
    };

    for (size_t i = 0; i < ARRAY_LEN(map_types); i++)
        if (strcmp(spec->public_ip_type, map_types[i].word) == 0)
            return map_types[i].type;
    return spec->public_ip[0] != '\0' ? AWS_PUBLIC_STATIC : AWS_PUBLIC_UNSAID;
}

pb_ResultCode aws_check_spec(struct op *op, const pb_VmSpec *spec)
{
    const pb_Result *r = op->result;
    size_t before = r->n_violations;

    check_name(op, spec);
    check_tags(op, spec);
    check_volumes(op, spec);
    check_parameters(op, spec);
    if (spec->user_data.len > USER_DATA_MAX)
        op_violation(op, "spec.user_data", "has %zu bytes, and EC2 takes %d", spec->user_data.len,
                     USER_DATA_MAX);
    if (spec->public_ip[0] != '\0' && aws_public_ip(spec) != AWS_PUBLIC_STATIC)
        op_violation(op, "spec.public_ip", "names an address, but public_ip_type is '%s'",
                     spec->public_ip_type);
    if (r->n_violations == before)
        return RESULT_CODE_OK;
    return op_fail(op, RESULT_CODE_BAD_REQUEST_DATA, "%s: %s%s", r->violations[before]->field,
                   r->violations[before]->description,
                   r->n_violations > before + 1 ? "; and more is wrong" : "");
}
