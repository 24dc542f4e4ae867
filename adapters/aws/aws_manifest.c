#include "aws_manifest.h"

#include "kit/manifest.h"

#define M  PRESENCE_MANDATORY
#define O  PRESENCE_OPTIONAL
#define NP PRESENCE_NOT_PRESENT
static const struct manifest_attribute attributes[] = {
    {"name", M, .description = "The machine's tag Name; need not be unique."},
    {"region", NP, .description = "Fixed for a connection, by its setting region or the profile."},
    {"resource_group_name", NP, .description = "The account of the credentials takes its place."},
    {"instance_count", M, .initial = "1", .description = "The gateway makes them one by one."},
    {"flavor_name", M, .description = "The instance type: t3.micro."},
    {"source_type", NP, .description = "A machine always starts from an image."},
    {"volume_created", NP, .description = "The image says what its volumes are made from."},
    {"image_type", NP, .description = "An image is an image."},
    {"os_type", NP, .description = "The image says what is in it."},
    {"image_id", M,
     .description = "The image: its id, the name of one that the account owns or was given, or "
                    "OWNER/NAME, where * stands for anything and the newest is taken."},
    {"subnet_name", M, .chosen = true,
     .description = "The subnet, by name or id; chosen where there is but one. In a default VPC "
                    "EC2 chooses the zone, and with it the default subnet."},
    {"network_id", NP, .nearest = true,
     .description = "The VPC in which subnet and security groups are looked for, by name or id."},
    {"security_group_name", M, .initial = "default",
     .description = "The security group, by name or id."},
    {"public_ip_type", NP, .nearest = true, .allowed = {"none", "dynamic", "static"},
     .description =
         "A public address: dynamic is EC2's own, another one after each stop; static is an "
         "allocated (elastic) one, that which public_ip names, or else a new one that is released "
         "with the machine. Without it, static where public_ip is given, else as the subnet has "
         "it."},
    {"public_ip", NP, .nearest = true,
     .description =
         "An allocated address, by address or allocation id; it is kept when the machine goes."},
    {"keypair", M, .chosen = true,
     .description =
         "The key pair's name; chosen where there is but one, none where there is none."},
    {"zone", O, .description = "The availability zone, by name or id."},
    {"user_data", O, .description = "For cloud-init; at most 16,384 bytes."},
    {"tags", O, .description = "The machine's tags; at most 48."},
    {"volumes", O,
     .description = "More volumes, empty; deleted with the machine unless keep. At most 11."},
    {"extra_security_groups", O, .description = "More security groups, by name or id."},
};

#define TEXT PARAMETER_TYPE_STRING
#define INT  PARAMETER_TYPE_INTEGER
#define BOOL PARAMETER_TYPE_BOOLEAN
static const struct manifest_parameter parameters[] = {
    {"market", TEXT, .allowed = {"on-demand", "spot"}, .description = "How it is paid for."},
    {"spot_max_price", TEXT,
     .description = "The most that a spot machine may cost, US dollars an hour; otherwise the "
                    "on-demand price."},
    {"spot_interruption", TEXT, .allowed = {"terminate", "stop", "hibernate"},
     .description = "What becomes of a spot machine that EC2 takes back; otherwise terminate."},
    {"iam_instance_profile", TEXT, .description = "The instance profile, by name or ARN."},
    {"volume_size_gib", INT, .description = "Size of the root volume; otherwise the image's."},
    {"volume_type", TEXT, .description = "Type of the root volume: gp3, gp2, io1, io2, st1, sc1."},
    {"volume_iops", INT, .description = "I/O operations a second of the root volume."},
    {"volume_throughput", INT, .description = "Throughput of the root volume (gp3), MiB/s."},
    {"volume_encrypted", BOOL, .description = "Encrypt the root volume."},
    {"volume_kms_key", TEXT,
     .description = "The KMS key that the root volume is encrypted with, by id, alias or ARN."},
    {"private_ip", TEXT, .description = "The machine's address in the subnet."},
    {"ipv6_address_count", INT, .description = "How many IPv6 addresses of the subnet it gets."},
    {"placement_group", TEXT, .description = "The placement group to be in, by name."},
    {"tenancy", TEXT, .allowed = {"default", "dedicated", "host"},
     .description = "Whether it shares its host with machines of other accounts."},
    {"capacity_reservation", TEXT, .description = "The id of the capacity reservation to use."},
    {"ebs_optimized", BOOL, .description = "Bandwidth of its own for volumes, at extra cost."},
    {"monitoring", BOOL, .description = "CloudWatch's detailed monitoring, at extra cost."},
    {"hibernation", BOOL, .description = "Make it so that it can be suspended."},
    {"metadata_tokens", TEXT, .initial = "required", .allowed = {"required", "optional"},
     .description = "Whether its metadata needs a token (IMDSv2)."},
    {"metadata_hop_limit", INT,
     .description = "How many hops an answer of the metadata service may make: 2 for containers."},
    {"credit_specification", TEXT, .allowed = {"standard", "unlimited"},
     .description = "Whether a burstable machine may use more CPU than it has credits for."},
    {"cpu_cores", INT, .description = "How many cores; threads_per_core is needed too."},
    {"threads_per_core", INT, .description = "1 or 2; cpu_cores is needed too."},
    {"enclave", BOOL, .description = "Allow Nitro enclaves in it."},
    {"termination_protection", BOOL,
     .description = "Refuse to delete it, until somebody takes the protection away."},
    {"stop_protection", BOOL,
     .description = "Refuse to stop it, until somebody takes the protection away."},
    {"shutdown_behavior", TEXT, .allowed = {"stop", "terminate"},
     .description = "What becomes of it when it is shut down from inside."},
    {"launch_template", TEXT,
     .description = "A launch template, NAME-or-ID[:VERSION], for what neither attributes nor "
                    "parameters say, and for the key pair if none is named. It must not have "
                    "network interfaces of its own."},
};

static const struct manifest_parameter settings[] = {
    {"profile", TEXT,
     .description = "The profile of ~/.aws/config and ~/.aws/credentials; otherwise AWS_PROFILE, "
                    "or default."},
    {"region", TEXT,
     .description = "The region; otherwise AWS_REGION, AWS_DEFAULT_REGION or the profile's."},
    {"endpoint_url", TEXT, .description = "Where EC2 is, where that is not its usual place."},
    {"sts_endpoint_url", TEXT, .description = "Where STS is, where that is not its usual place."},
    {"ca_file", TEXT,
     .description = "The certificates to trust (PEM); otherwise AWS_CA_BUNDLE, the profile's, or "
                    "the system's."},
    {"settle_ms", INT,
     .description = "How many milliseconds EC2's lists may lag behind: so long after a delete, or "
                    "a create that failed, it is looked once more for what is left. Otherwise "
                    "10000."},
};

const pb_Manifest *aws_manifest(void)
{
    static struct manifest_rows rows = {
        .attributes = attributes,
        .n_attributes = ARRAY_LEN(attributes),
        .parameters = parameters,
        .n_parameters = ARRAY_LEN(parameters),
        .settings = settings,
        .n_settings = ARRAY_LEN(settings),
    };

    return manifest_of(&rows);
}
