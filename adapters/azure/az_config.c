#include "az_config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "isobar/uuid.h"
#include "kit/secret.h"

enum { CONFIG_MAX = 1 << 20, GROUP_MAX = 90 };

const struct az_service_info az_services[AZ_N_SERVICES] = {
    [AZ_COMPUTE] = {"compute", "compute_api_version", "2021-03-01"},
    [AZ_NETWORK] = {"network", "network_api_version", "2021-02-01"},
    [AZ_RESOURCES] = {"resources", "resources_api_version", "2021-04-01"},
    [AZ_SUBSCRIPTIONS] = {"subscriptions", "subscriptions_api_version", "2021-01-01"},
};

void *az_config_error(struct open_error *ret_error, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(ret_error->text, sizeof(ret_error->text), fmt, args);
    va_end(args);
    return NULL;
}

const char *az_config_env(const char *name)
{
    const char *value = getenv(name);
    return value == NULL || value[0] == '\0' ? NULL : value;
}

static bool read_subscription(struct az_config *c, const struct settings *s,
                              struct open_error *error)
{
    const char *id = settings_get(s, "subscription_id");
    if (id == NULL)
        id = az_config_env("AZURE_SUBSCRIPTION_ID");
    if (id == NULL) {
        az_config_error(error, "there is no subscription: give the setting subscription_id, or "
                               "AZURE_SUBSCRIPTION_ID");
        return false;
    }
    if (strlen(id) != UUID_TEXT_LEN || !uuid_is(id)) {
        az_config_error(error,
                        "\"%s\" is no subscription_id: it is the id that `az account show` gives, "
                        "not the name",
                        id);
        return false;
    }
    c->subscription_id = arena_strdup(&c->arena, id);
    return true;
}

bool az_is_group_name(const char *text)
{
    size_t len = strlen(text), good = 0;

    while (good < len &&
           ((unsigned char)text[good] >= 0x80 || (text[good] >= '0' && text[good] <= '9') ||
            (text[good] >= 'a' && text[good] <= 'z') || (text[good] >= 'A' && text[good] <= 'Z') ||
            strchr("-_.()", text[good]) != NULL))
        good++;
    return len > 0 && len <= GROUP_MAX && good == len && text[len - 1] != '.';
}

static bool read_group(struct az_config *c, const struct settings *s, struct open_error *error)
{
    const char *group = settings_get(s, "resource_group");
    if (group == NULL)
        return true;
    if (!az_is_group_name(group)) {
        az_config_error(error, "resource_group: \"%.100s\" is no name of a resource group", group);
        return false;
    }
    c->resource_group = arena_strdup(&c->arena, group);
    return true;
}

/* It becomes a part of a path too: "westeurope", and "West Europe" for people. */
static bool read_location(struct az_config *c, const struct settings *s, struct open_error *error)
{
    const char *location = settings_get(s, "location");
    if (location == NULL)
        return true;
    char *name = arena_strdup(&c->arena, location), *to = name;
    for (const char *from = location; name[0] != '\0' && *from != '\0'; from++) {
        if (*from != ' ')
            *to++ = (char)(*from >= 'A' && *from <= 'Z' ? *from - 'A' + 'a' : *from);
    }
    if (to != name)
        *to = '\0';
    if (name[0] == '\0' || strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789") != strlen(name)) {
        az_config_error(error, "location: \"%.100s\" is no location: one looks like westeurope",
                        location);
        return false;
    }
    c->location = name;
    return true;
}

static int digits(const char *text, int n)
{
    int value = 0;
    for (int i = 0; i < n; i++) {
        if (text[i] < '0' || text[i] > '9')
            return -1;
        value = 10 * value + text[i] - '0';
    }
    return value;
}

/* "2021-03-01", and "-preview" behind it. */
static bool is_version(const char *text)
{
    size_t len = strlen(text);
    if (len < 10 || text[4] != '-' || text[7] != '-' || digits(text, 4) < 0)
        return false;
    int month = digits(text + 5, 2), day = digits(text + 8, 2);
    return month >= 1 && month <= 12 && day >= 1 && day <= 31 &&
           (len == 10 || strcmp(text + 10, "-preview") == 0);
}

static bool read_versions(struct az_config *c, const struct settings *s, struct open_error *error)
{
    for (int i = 0; i < AZ_N_SERVICES; i++) {
        const struct az_service_info *service = &az_services[i];
        const char *version = settings_get(s, service->setting);
        if (version == NULL)
            version = service->version;
        if (!is_version(version)) {
            az_config_error(error, "%s: \"%s\" is no API version: one looks like %s",
                            service->setting, version, service->version);
            return false;
        }
        if (strncmp(version, service->version, strlen(service->version)) < 0) {
            az_config_error(error, "%s: %s is too old: it must be %s or newer", service->setting,
                            version, service->version);
            return false;
        }
        c->versions[i] = arena_strdup(&c->arena, version);
    }
    return true;
}

static bool read_all(struct az_config *c, const struct settings *s, struct open_error *error)
{
    if (!read_subscription(c, s, error) || !read_group(c, s, error) ||
        !read_location(c, s, error) || !az_config_read_cloud(c, s, error) ||
        !read_versions(c, s, error) || !az_config_read_credentials(c, s, error))
        return false;
    const char *ca_file = settings_get(s, "ca_file");
    c->ca_file = ca_file == NULL ? NULL : arena_strdup(&c->arena, ca_file);
    if (!c->arena.exhausted)
        return true;
    az_config_error(error, "out of memory");
    return false;
}

struct az_config *az_config_load(const struct settings *s, struct open_error *ret_error)
{
    struct az_config *c = calloc(1, sizeof(*c));
    if (c == NULL)
        return az_config_error(ret_error, "out of memory");
    arena_init(&c->arena, CONFIG_MAX);
    if (read_all(c, s, ret_error))
        return c;
    az_config_free(c);
    return NULL;
}

void az_config_free(struct az_config *c)
{
    if (c == NULL)
        return;
    secret_wipe(c->client_secret);
    secret_wipe(c->certificate_password);
    secret_wipe(c->identity_header);
    secret_wipe(c->msi_secret);
    arena_done(&c->arena);
    free(c);
}
