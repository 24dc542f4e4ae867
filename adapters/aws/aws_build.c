/* RunInstances. Pure. */
#include <string.h>

#include "aws_plan.h"
#include "kit/spec.h"

/* Parameters that are one of EC2's under another name. */
static const struct {
    const char *parameter, *name;
} map_plain[] = {
    {"placement_group", "Placement.GroupName"},
    {"tenancy", "Placement.Tenancy"},
    {"capacity_reservation",
     "CapacityReservationSpecification.CapacityReservationTarget.CapacityReservationId"},
    {"ebs_optimized", "EbsOptimized"},
    {"monitoring", "Monitoring.Enabled"},
    {"hibernation", "HibernationOptions.Configured"},
    {"metadata_tokens", "MetadataOptions.HttpTokens"},
    {"metadata_hop_limit", "MetadataOptions.HttpPutResponseHopLimit"},
    {"credit_specification", "CreditSpecification.CpuCredits"},
    {"cpu_cores", "CpuOptions.CoreCount"},
    {"threads_per_core", "CpuOptions.ThreadsPerCore"},
    {"enclave", "EnclaveOptions.Enabled"},
    {"termination_protection", "DisableApiTermination"},
    {"stop_protection", "DisableApiStop"},
    {"shutdown_behavior", "InstanceInitiatedShutdownBehavior"},
};

const char *const aws_root_parameters[][2] = {
    {"volume_size_gib", "VolumeSize"},
    {"volume_type", "VolumeType"},
    {"volume_iops", "Iops"},
    {"volume_throughput", "Throughput"},
    {"volume_encrypted", "Encrypted"},
    {"volume_kms_key", "KmsKeyId"},
    {NULL, NULL},
};

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static void put_tag(struct aws_query *q, size_t n, size_t *tag, const char *key, const char *value)
{
    ++*tag;
    aws_putf(q, key, "TagSpecification.%zu.Tag.%zu.Key", n, *tag);
    aws_putf(q, value, "TagSpecification.%zu.Tag.%zu.Value", n, *tag);
}

void aws_put_tags(struct aws_query *q, size_t n, const char *type, const char *name,
                  const pb_VmSpec *spec, const char *token)
{
    size_t tag = 0;

    aws_putf(q, type, "TagSpecification.%zu.ResourceType", n);
    put_tag(q, n, &tag, "Name", name);
    for (size_t i = 0; spec != NULL && i < spec->n_tags; i++)
        put_tag(q, n, &tag, spec->tags[i]->key, spec->tags[i]->value);
    if (token != NULL && token[0] != '\0')
        put_tag(q, n, &tag, AWS_TOKEN_KEY, token);
}

static void put_disks(struct aws_query *q, const struct aws_plan *p)
{
    size_t n = 0;

    for (size_t i = 0; aws_root_parameters[i][0] != NULL; i++) {
        const char *value = spec_parameter(p->spec, aws_root_parameters[i][0]);
        if (value == NULL)
            continue;
        if (n++ == 0)
            aws_put(q, p->image.root_device, "BlockDeviceMapping.1.DeviceName");
        aws_putf(q, value, "BlockDeviceMapping.1.Ebs.%s", aws_root_parameters[i][1]);
    }
    n = n > 0;
    for (size_t i = 0; i < p->n_volumes; i++) {
        const pb_VolumeSpec *v = p->volumes[i].spec;
        n++;
        aws_putf(q, p->volumes[i].device, "BlockDeviceMapping.%zu.DeviceName", n);
        aws_putf(q, arena_printf(q->arena, "%u", v->size_gib),
                 "BlockDeviceMapping.%zu.Ebs.VolumeSize", n);
        aws_putf(q, v->volume_type[0] != '\0' ? v->volume_type : NULL,
                 "BlockDeviceMapping.%zu.Ebs.VolumeType", n);
        aws_putf(q, v->keep ? "false" : "true", "BlockDeviceMapping.%zu.Ebs.DeleteOnTermination",
                 n);
    }
}

/* EC2 chooses a subnet of the default VPC, and whether there is a public address. */
static void put_no_network(struct aws_query *q, const struct aws_plan *p)
{
    for (size_t i = 0; i < p->n_groups; i++)
        aws_putf(q, p->groups[i], "SecurityGroupId.%zu", i + 1);
    aws_put(q, spec_parameter(p->spec, "ipv6_address_count"), "Ipv6AddressCount");
}

static void put_network(struct aws_query *q, const struct aws_plan *p, const char *eni_id)
{
    if (eni_id == NULL && p->subnet.thing.id == NULL && p->public_ip == AWS_PUBLIC_UNSAID) {
        put_no_network(q, p);
        return;
    }
    aws_put(q, "0", "NetworkInterface.1.DeviceIndex");
    if (eni_id != NULL) {
        aws_put(q, eni_id, "NetworkInterface.1.NetworkInterfaceId");
        return;
    }
    aws_put(q, p->subnet.thing.id, "NetworkInterface.1.SubnetId");
    for (size_t i = 0; i < p->n_groups; i++)
        aws_putf(q, p->groups[i], "NetworkInterface.1.SecurityGroupId.%zu", i + 1);
    if (p->public_ip == AWS_PUBLIC_NONE || p->public_ip == AWS_PUBLIC_DYNAMIC)
        aws_put_bool(q, p->public_ip == AWS_PUBLIC_DYNAMIC,
                     "NetworkInterface.1.AssociatePublicIpAddress");
    aws_put_bool(q, true, "NetworkInterface.1.DeleteOnTermination");
    aws_put(q, spec_parameter(p->spec, "private_ip"), "NetworkInterface.1.PrivateIpAddress");
    aws_put(q, spec_parameter(p->spec, "ipv6_address_count"),
            "NetworkInterface.1.Ipv6AddressCount");
}

static void put_market(struct aws_query *q, const pb_VmSpec *spec)
{
    const char *market = spec_parameter(spec, "market");
    const char *interruption = spec_parameter(spec, "spot_interruption");

    if (market == NULL || strcmp(market, "spot") != 0)
        return;
    aws_put(q, "spot", "InstanceMarketOptions.MarketType");
    aws_put(q, spec_parameter(spec, "spot_max_price"),
            "InstanceMarketOptions.SpotOptions.MaxPrice");
    if (interruption == NULL || strcmp(interruption, "terminate") == 0)
        return;
    /* A request that is done with its first machine cannot have that one back. */
    aws_put(q, "persistent", "InstanceMarketOptions.SpotOptions.SpotInstanceType");
    aws_put(q, interruption, "InstanceMarketOptions.SpotOptions.InstanceInterruptionBehavior");
}

/* NAME-or-ID[:VERSION]; a name has no colon. */
static void put_template(struct aws_query *q, const char *template)
{
    if (template == NULL)
        return;
    size_t len = strcspn(template, ":");
    aws_put(q, arena_strndup(q->arena, template, len),
            begins(template, "lt-") ? "LaunchTemplate.LaunchTemplateId"
                                    : "LaunchTemplate.LaunchTemplateName");
    if (template[len] == ':')
        aws_put(q, template + len + 1, "LaunchTemplate.Version");
}

void aws_build_run(struct aws_query *q, struct arena *a, const struct aws_plan *p,
                   const char *eni_id, bool dry_run)
{
    const char *profile = spec_parameter(p->spec, "iam_instance_profile");

    aws_query_begin(q, a, AWS_EC2, "RunInstances", dry_run ? SEND_READ : SEND_IDEMPOTENT);
    if (dry_run)
        aws_put_bool(q, true, "DryRun");
    else
        aws_put(q, p->token, "ClientToken");
    aws_put_int(q, 1, "MinCount");
    aws_put_int(q, 1, "MaxCount");
    aws_put(q, p->image.thing.id, "ImageId");
    aws_put(q, p->type.thing.name, "InstanceType");
    aws_put(q, p->keypair, "KeyName");
    aws_put(q, p->user_data, "UserData");
    if (profile != NULL)
        aws_put(q, profile,
                begins(profile, "arn:") ? "IamInstanceProfile.Arn" : "IamInstanceProfile.Name");
    for (size_t i = 0; i < ARRAY_LEN(map_plain); i++)
        aws_put(q, spec_parameter(p->spec, map_plain[i].parameter), map_plain[i].name);
    put_template(q, spec_parameter(p->spec, "launch_template"));
    put_market(q, p->spec);
    put_network(q, p, eni_id);
    put_disks(q, p);
    aws_put_tags(q, 1, "instance", p->spec->name, p->spec, p->token);
    /* EC2 deletes those that go with the machine, and the others are to stay: no token. */
    aws_put_tags(q, 2, "volume", p->spec->name, NULL, NULL);
}
