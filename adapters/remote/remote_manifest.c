/* The manifest: everything may be given, since the other gateway knows what its cloud needs. */
#include <pthread.h>

#include "remote.h"

#define BEHIND "As the cloud behind has it."

static const struct {
    const char *name;
    pb_Presence presence;
    const char *description;
} attributes[] = {
    {"name", PRESENCE_OPTIONAL, BEHIND},
    {"region", PRESENCE_OPTIONAL, BEHIND},
    {"resource_group_name", PRESENCE_OPTIONAL, BEHIND},
    {"instance_count", PRESENCE_NOT_PRESENT, "This gateway orders one after the other."},
    {"flavor_name", PRESENCE_OPTIONAL, BEHIND},
    {"source_type", PRESENCE_OPTIONAL, BEHIND},
    {"volume_created", PRESENCE_OPTIONAL, BEHIND},
    {"image_type", PRESENCE_OPTIONAL, BEHIND},
    {"os_type", PRESENCE_OPTIONAL, BEHIND},
    {"image_id", PRESENCE_OPTIONAL, BEHIND},
    {"subnet_name", PRESENCE_OPTIONAL, BEHIND},
    {"network_id", PRESENCE_OPTIONAL, BEHIND},
    {"security_group_name", PRESENCE_OPTIONAL, BEHIND},
    {"public_ip_type", PRESENCE_OPTIONAL, BEHIND},
    {"public_ip", PRESENCE_OPTIONAL, BEHIND},
    {"keypair", PRESENCE_OPTIONAL, BEHIND},
    {"zone", PRESENCE_OPTIONAL, BEHIND},
    {"user_data", PRESENCE_OPTIONAL, BEHIND},
    {"tags", PRESENCE_OPTIONAL, BEHIND},
    {"volumes", PRESENCE_OPTIONAL, BEHIND},
    {"extra_security_groups", PRESENCE_OPTIONAL, BEHIND},
};

static const struct {
    const char *name;
    bool required;
    const char *description;
} settings[] = {
    {"server", true, "Where the other gateway listens: ipc:///PATH or tcp://HOST:PORT."},
    {"cloud", true, "The cloud's name at the other gateway."},
    {"token_file", false,
     "A file whose first line is the token of a user of the other gateway; it is read when the "
     "connection is opened."},
};

static struct {
    pthread_once_t once;
    struct arena arena;
    pb_Manifest manifest;
} built = {.once = PTHREAD_ONCE_INIT, .manifest = pb_Manifest_INIT};

static void build(void)
{
    struct arena *a = &built.arena;
    pb_Manifest *m = &built.manifest;

    arena_init(a, (size_t)1 << 20);
    m->attributes = arena_array(a, ARRAY_LEN(attributes), sizeof(*m->attributes));
    for (size_t i = 0; m->attributes && i < ARRAY_LEN(attributes); i++) {
        pb_ManifestAttribute *each = arena_message(a, &pb_ManifestAttribute_desc);
        if (!each)
            return;
        each->name = arena_strdup(a, attributes[i].name);
        each->presence = attributes[i].presence;
        each->description = arena_strdup(a, attributes[i].description);
        m->attributes[m->n_attributes++] = each;
    }
    m->settings = arena_array(a, ARRAY_LEN(settings), sizeof(*m->settings));
    for (size_t i = 0; m->settings && i < ARRAY_LEN(settings); i++) {
        pb_ManifestParameter *each = arena_message(a, &pb_ManifestParameter_desc);
        if (!each)
            return;
        each->name = arena_strdup(a, settings[i].name);
        each->type = PARAMETER_TYPE_STRING;
        each->required = settings[i].required;
        each->description = arena_strdup(a, settings[i].description);
        m->settings[m->n_settings++] = each;
    }
    m->open_parameters = true;
}

const pb_Manifest *remote_manifest(void)
{
    pthread_once(&built.once, build);
    return &built.manifest;
}
