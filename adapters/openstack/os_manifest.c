#include "os_manifest.h"

#include "kit/manifest.h"
#include "os.h"

#define M  PRESENCE_MANDATORY
#define O  PRESENCE_OPTIONAL
#define NP PRESENCE_NOT_PRESENT
static const struct manifest_attribute attributes[] = {
    {"name", M, .description = "The server's name; need not be unique."},
    {"region", NP, .description = "Fixed for a connection, by clouds.yaml or its setting region."},
    {"resource_group_name", NP, .description = "The project of the credentials takes its place."},
    {"instance_count", NP, .description = "The gateway makes them one by one."},
    {"flavor_name", M, .description = "The flavor, by name or id."},
    {"source_type", M, .initial = "image", .allowed = {"image", "volume", "snapshot"},
     .description = "What it boots from: a Glance image, a Cinder volume, or a Cinder snapshot."},
    {"volume_created", M, .initial = "false", .allowed = {"true", "false"},
     .description = "Boot from a new volume, made from image, volume or snapshot and deleted with "
                    "the machine; a snapshot always gets one."},
    {"image_type", NP, .description = "An image is an image."},
    {"os_type", NP, .description = "The image says what is in it."},
    {"image_id", M, .description = "The image, volume or snapshot of source_type, by name or id."},
    {"subnet_name", NP, .description = "Neutron chooses; the parameter subnet can say which."},
    {"network_id", M, .chosen = true,
     .description =
         "The network, by name or id; chosen where there is but one that is not external."},
    {"security_group_name", M, .initial = "default",
     .description = "The security group, by name or id."},
    {"public_ip_type", NP, .nearest = true, .allowed = {"none", "dynamic", "static"},
     .description = "A floating IP: dynamic takes a new one, released with the machine; static "
                    "takes the one that public_ip names, or else a new one. Without it, static "
                    "where public_ip is given, else none."},
    {"public_ip", NP, .nearest = true,
     .description = "An existing floating IP, by address or id; it is kept when the machine goes."},
    {"keypair", M, .chosen = true,
     .description =
         "The key pair's name; chosen where there is but one, none where there is none."},
    {"zone", O, .description = "The availability zone."},
    {"user_data", O, .description = "For cloud-init; at most 49,151 bytes."},
    {"tags", O, .description = "The server's metadata."},
    {"volumes", O, .description = "More volumes, empty; deleted with the machine unless keep."},
    {"extra_security_groups", O, .description = "More security groups, by name or id."},
};

static const struct manifest_parameter parameters[] = {
    {"volume_size_gib", PARAMETER_TYPE_INTEGER,
     .description =
         "Size of the new volume that it boots from; otherwise what the image needs or the flavor "
         "has."},
    {"volume_type", PARAMETER_TYPE_STRING, .description = "Cinder's type of that volume."},
    {"subnet", PARAMETER_TYPE_STRING,
     .description = "The subnet that the address comes from, by name or id."},
    {"fixed_ip", PARAMETER_TYPE_STRING, .description = "The address on the network."},
    {"external_network", PARAMETER_TYPE_STRING,
     .description = "Where a new floating IP comes from, by name or id; otherwise the only "
                    "external network or "
                    "the default one."},
    {"server_group", PARAMETER_TYPE_STRING,
     .description = "The server group to be in, by name or id."},
    {"config_drive", PARAMETER_TYPE_BOOLEAN,
     .description = "Give the machine its metadata on a small disk."},
    {"description", PARAMETER_TYPE_STRING, .description = "The server's description."},
    {"hostname", PARAMETER_TYPE_STRING,
     .description = "The host name, where it is not to follow from the name."},
};

static const struct manifest_parameter settings[] = {
    {"cloud", PARAMETER_TYPE_STRING,
     .description = "The cloud's name in clouds.yaml, or envvars for OS_* of the environment; "
                    "otherwise OS_CLOUD, "
                    "OS_*, or the only cloud there is."},
    {"clouds_file", PARAMETER_TYPE_STRING,
     .description = "The path of clouds.yaml; otherwise it is where OpenStack's own client looks."},
    {"region", PARAMETER_TYPE_STRING,
     .description = "The region; otherwise the first that clouds.yaml names."},
    {"settle_ms", PARAMETER_TYPE_INTEGER,
     .description =
         "After a create without an answer: how many milliseconds it may take until the machine is "
         "in "
         "the cloud's list, if there is one. Nothing is ordered again before; otherwise 5000."},
};

const pb_Manifest *openstack_manifest(void)
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
