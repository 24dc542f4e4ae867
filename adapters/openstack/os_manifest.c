#include "os_manifest.h"

#include <pthread.h>

#include "os.h"

#define M  PRESENCE_MANDATORY
#define O  PRESENCE_OPTIONAL
#define NP PRESENCE_NOT_PRESENT
/* Not present, and the nearest real thing is given. */
#define NEAREST ((pb_Presence)-1)

enum { VALUES_MAX = 4 };

struct attribute_row {
    const char *name;
    pb_Presence presence;
    const char *default_value;
    bool chosen;
    const char *allowed[VALUES_MAX];
    const char *description;
};

static const struct attribute_row attributes[] = {
    {"name", M, "", false, {0}, "The server's name; need not be unique."},
    {"region", NP, "", false, {0}, "Fixed for a connection, by clouds.yaml or its setting region."},
    {"resource_group_name", NP, "", false, {0}, "The project of the credentials takes its place."},
    {"instance_count", NP, "", false, {0}, "The gateway makes them one by one."},
    {"flavor_name", M, "", false, {0}, "The flavor, by name or id."},
    {"source_type",
     M,
     "image",
     false,
     {"image", "volume", "snapshot"},
     "What it boots from: a Glance image, a Cinder volume, or a Cinder snapshot."},
    {"volume_created",
     M,
     "false",
     false,
     {"true", "false"},
     "Boot from a new volume, made from image, volume or snapshot and deleted with the machine; a "
     "snapshot always gets one."},
    {"image_type", NP, "", false, {0}, "An image is an image."},
    {"os_type", NP, "", false, {0}, "The image says what is in it."},
    {"image_id", M, "", false, {0}, "The image, volume or snapshot of source_type, by name or id."},
    {"subnet_name", NP, "", false, {0}, "Neutron chooses; the parameter subnet can say which."},
    {"network_id",
     M,
     "",
     true,
     {0},
     "The network, by name or id; chosen where there is but one that is not external."},
    {"security_group_name", M, "default", false, {0}, "The security group, by name or id."},
    {"public_ip_type",
     NEAREST,
     "",
     false,
     {"none", "dynamic", "static"},
     "A floating IP: dynamic takes a new one, released with the machine; static takes the one that "
     "public_ip names, or else a new one. Without it, static where public_ip is given, else none."},
    {"public_ip",
     NEAREST,
     "",
     false,
     {0},
     "An existing floating IP, by address or id; it is kept when the machine goes."},
    {"keypair",
     M,
     "",
     true,
     {0},
     "The key pair's name; chosen where there is but one, none where there is none."},
    {"zone", O, "", false, {0}, "The availability zone."},
    {"user_data", O, "", false, {0}, "For cloud-init; at most 49,151 bytes."},
    {"tags", O, "", false, {0}, "The server's metadata."},
    {"volumes", O, "", false, {0}, "More volumes, empty; deleted with the machine unless keep."},
    {"extra_security_groups", O, "", false, {0}, "More security groups, by name or id."},
};

struct parameter_row {
    const char *name;
    pb_ParameterType type;
    const char *description;
};

static const struct parameter_row parameters[] = {
    {"volume_size_gib", PARAMETER_TYPE_INTEGER,
     "Size of the new volume that it boots from; otherwise what the image needs or the flavor "
     "has."},
    {"volume_type", PARAMETER_TYPE_STRING, "Cinder's type of that volume."},
    {"subnet", PARAMETER_TYPE_STRING, "The subnet that the address comes from, by name or id."},
    {"fixed_ip", PARAMETER_TYPE_STRING, "The address on the network."},
    {"external_network", PARAMETER_TYPE_STRING,
     "Where a new floating IP comes from, by name or id; otherwise the only external network or "
     "the default one."},
    {"server_group", PARAMETER_TYPE_STRING, "The server group to be in, by name or id."},
    {"config_drive", PARAMETER_TYPE_BOOLEAN, "Give the machine its metadata on a small disk."},
    {"description", PARAMETER_TYPE_STRING, "The server's description."},
    {"hostname", PARAMETER_TYPE_STRING, "The host name, where it is not to follow from the name."},
};

static const struct parameter_row settings[] = {
    {"cloud", PARAMETER_TYPE_STRING,
     "The cloud's name in clouds.yaml, or envvars for OS_* of the environment; otherwise OS_CLOUD, "
     "OS_*, or the only cloud there is."},
    {"clouds_file", PARAMETER_TYPE_STRING,
     "The path of clouds.yaml; otherwise it is where OpenStack's own client looks."},
    {"region", PARAMETER_TYPE_STRING, "The region; otherwise the first that clouds.yaml names."},
    {"settle_ms", PARAMETER_TYPE_INTEGER,
     "After a create without an answer: how many milliseconds it may take until the machine is in "
     "the cloud's list, if there is one. Nothing is ordered again before; otherwise 5000."},
};

static pb_ManifestAttribute built_attributes[ARRAY_LEN(attributes)];
static pb_ManifestAttribute *attribute_list[ARRAY_LEN(attributes)];
static char *allowed_lists[ARRAY_LEN(attributes)][VALUES_MAX];
static pb_ManifestParameter built_parameters[ARRAY_LEN(parameters)];
static pb_ManifestParameter *parameter_list[ARRAY_LEN(parameters)];
static pb_ManifestParameter built_settings[ARRAY_LEN(settings)];
static pb_ManifestParameter *setting_list[ARRAY_LEN(settings)];
static pb_Manifest manifest = pb_Manifest_INIT;

static void build_attribute(size_t i)
{
    const struct attribute_row *row = &attributes[i];
    pb_ManifestAttribute *a = &built_attributes[i];
    *a = (pb_ManifestAttribute)pb_ManifestAttribute_INIT;
    a->name = os_text(row->name);
    a->nearest = row->presence == NEAREST;
    a->presence = a->nearest ? NP : row->presence;
    a->default_value = os_text(row->default_value);
    a->chosen = row->chosen;
    a->allowed_values = allowed_lists[i];
    while (a->n_allowed_values < VALUES_MAX && row->allowed[a->n_allowed_values] != NULL) {
        allowed_lists[i][a->n_allowed_values] = os_text(row->allowed[a->n_allowed_values]);
        a->n_allowed_values++;
    }
    a->description = os_text(row->description);
    attribute_list[i] = a;
}

static void build_parameters(const struct parameter_row *rows, size_t n,
                             pb_ManifestParameter *built, pb_ManifestParameter **list)
{
    for (size_t i = 0; i < n; i++) {
        built[i] = (pb_ManifestParameter)pb_ManifestParameter_INIT;
        built[i].name = os_text(rows[i].name);
        built[i].type = rows[i].type;
        built[i].description = os_text(rows[i].description);
        list[i] = &built[i];
    }
}

static void build(void)
{
    for (size_t i = 0; i < ARRAY_LEN(attributes); i++)
        build_attribute(i);
    build_parameters(parameters, ARRAY_LEN(parameters), built_parameters, parameter_list);
    build_parameters(settings, ARRAY_LEN(settings), built_settings, setting_list);
    manifest.n_attributes = ARRAY_LEN(attributes);
    manifest.attributes = attribute_list;
    manifest.n_parameters = ARRAY_LEN(parameters);
    manifest.parameters = parameter_list;
    manifest.n_settings = ARRAY_LEN(settings);
    manifest.settings = setting_list;
}

const pb_Manifest *openstack_manifest(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, build);
    return &manifest;
}
