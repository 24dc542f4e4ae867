/* The manifest: everything may be given, since the other gateway knows what its cloud needs. */
#include "kit/manifest.h"
#include "remote.h"

#define BEHIND "As the cloud behind has it."

static const struct manifest_attribute attributes[] = {
    {"name", PRESENCE_OPTIONAL, .description = BEHIND},
    {"region", PRESENCE_OPTIONAL, .description = BEHIND},
    {"resource_group_name", PRESENCE_OPTIONAL, .description = BEHIND},
    {"instance_count", PRESENCE_NOT_PRESENT,
     .description = "This gateway orders one after the other."},
    {"flavor_name", PRESENCE_OPTIONAL, .description = BEHIND},
    {"source_type", PRESENCE_OPTIONAL, .description = BEHIND},
    {"volume_created", PRESENCE_OPTIONAL, .description = BEHIND},
    {"image_type", PRESENCE_OPTIONAL, .description = BEHIND},
    {"os_type", PRESENCE_OPTIONAL, .description = BEHIND},
    {"image_id", PRESENCE_OPTIONAL, .description = BEHIND},
    {"subnet_name", PRESENCE_OPTIONAL, .description = BEHIND},
    {"network_id", PRESENCE_OPTIONAL, .description = BEHIND},
    {"security_group_name", PRESENCE_OPTIONAL, .description = BEHIND},
    {"public_ip_type", PRESENCE_OPTIONAL, .description = BEHIND},
    {"public_ip", PRESENCE_OPTIONAL, .description = BEHIND},
    {"keypair", PRESENCE_OPTIONAL, .description = BEHIND},
    {"zone", PRESENCE_OPTIONAL, .description = BEHIND},
    {"user_data", PRESENCE_OPTIONAL, .description = BEHIND},
    {"tags", PRESENCE_OPTIONAL, .description = BEHIND},
    {"volumes", PRESENCE_OPTIONAL, .description = BEHIND},
    {"extra_security_groups", PRESENCE_OPTIONAL, .description = BEHIND},
};

static const struct manifest_parameter settings[] = {
    {"server", PARAMETER_TYPE_STRING, .required = true,
     .description =
         "Where the other gateway listens: ipc:///PATH, tcp://HOST:PORT or tls+tcp://HOST:PORT."},
    {"cloud", PARAMETER_TYPE_STRING, .required = true,
     .description = "The cloud's name at the other gateway."},
    {"token_file", PARAMETER_TYPE_STRING,
     .description =
         "A file whose first line is the token of a user of the other gateway; it is read when the "
         "connection is opened."},
    {"ca", PARAMETER_TYPE_STRING,
     .description = "Of tls+tcp://: who signs the other gateway's certificate, PEM; without it the "
                    "system's."},
    {"cert", PARAMETER_TYPE_STRING,
     .description = "Of tls+tcp://: a certificate of our own to show, with its chain, PEM."},
    {"key", PARAMETER_TYPE_STRING,
     .description = "Its key, PEM; without it in the file of the certificate."},
};

const pb_Manifest *remote_manifest(void)
{
    static struct manifest_rows rows = {
        .attributes = attributes,
        .n_attributes = ARRAY_LEN(attributes),
        .settings = settings,
        .n_settings = ARRAY_LEN(settings),
        .open_parameters = true,
    };

    return manifest_of(&rows);
}
