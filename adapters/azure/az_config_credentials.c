/* Which credentials a connection has: a part of az_config.h. */
#include <string.h>
#include <strings.h>

#include "az_config.h"
#include "isobar/near.h"

#define BIT(credential) (1U << (credential))
#define ALL             (BIT(AZ_N_CREDENTIALS) - 1)

/* What the setting and what AZURE_TOKEN_CREDENTIALS call them. */
static const struct choice_row {
    const char *setting, *variable;
    unsigned credentials;
} map_choice[] = {
    {"environment", "EnvironmentCredential", BIT(AZ_ENVIRONMENT)},
    {"workload", "WorkloadIdentityCredential", BIT(AZ_WORKLOAD)},
    {"managed_identity", "ManagedIdentityCredential", BIT(AZ_MANAGED_IDENTITY)},
    {"cli", "AzureCliCredential", BIT(AZ_CLI)},
    {NULL, "prod", ALL & ~BIT(AZ_CLI)},
    {NULL, "dev", BIT(AZ_CLI)},
};

static bool is_true(const char *text)
{
    return text != NULL && (strcasecmp(text, "true") == 0 || strcmp(text, "1") == 0);
}

static bool read_choice(struct az_config *c, const struct settings *s, struct open_error *error)
{
    const char *by = "credential", *wanted = settings_get(s, by);
    bool is_setting = wanted != NULL;
    if (!is_setting)
        wanted = az_config_env(by = "AZURE_TOKEN_CREDENTIALS");
    c->credentials = wanted == NULL ? ALL : 0;
    const char *names[ARRAY_LEN(map_choice)];
    size_t n = 0, best = 0;
    for (size_t i = 0; wanted != NULL && i < ARRAY_LEN(map_choice); i++) {
        const char *name = is_setting ? map_choice[i].setting : map_choice[i].variable;
        if (name == NULL)
            continue;
        names[n++] = name;
        if (strcasecmp(wanted, name) == 0)
            c->credentials = map_choice[i].credentials;
    }
    if (c->credentials != 0)
        return true;
    bool near = near_pick(wanted, names, n, &best, 1) > 0;
    az_config_error(error, "%s: there is no \"%s\"%s%s%s here: take %s, %s, %s%s%s", by, wanted,
                    near ? " (did you mean \"" : "", near ? names[best] : "", near ? "\"?)" : "",
                    names[0], names[1], names[2], n == 4 ? " or " : ", ",
                    n == 4 ? names[3] : "AzureCliCredential, prod or dev");
    return false;
}

static const char *copy(struct az_config *c, const char *text)
{
    return text == NULL ? NULL : arena_strdup(&c->arena, text);
}

static char *copy_secret(struct az_config *c, const char *name)
{
    const char *text = az_config_env(name);
    return text == NULL ? NULL : arena_strdup(&c->arena, text);
}

/* They become parts of paths and arguments. */
static bool read_name(struct az_config *c, const struct settings *s, const char *setting,
                      const char *variable, const char **ret, struct open_error *error)
{
    const char *by = setting, *text = settings_get(s, by);
    if (text == NULL)
        text = az_config_env(by = variable);
    *ret = copy(c, text);
    if (text == NULL)
        return true;
    size_t good = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.");
    if (text[0] != '\0' && text[good] == '\0' && text[0] != '-' && text[0] != '.')
        return true;
    az_config_error(error,
                    "%s: \"%.100s\" is none: it is an id like "
                    "00000000-0000-0000-0000-000000000000",
                    by, text);
    return false;
}

/* A secret alone is of no use. */
static bool has_whole(const struct az_config *c, const char *what, struct open_error *error)
{
    if (c->tenant_id != NULL && c->client_id != NULL)
        return true;
    az_config_error(error, "%s is set, and %s%s%s %s not: give %s too, or unset it", what,
                    c->tenant_id == NULL ? "AZURE_TENANT_ID (or tenant_id)" : "",
                    c->tenant_id == NULL && c->client_id == NULL ? " and " : "",
                    c->client_id == NULL ? "AZURE_CLIENT_ID (or client_id)" : "",
                    c->tenant_id == NULL && c->client_id == NULL ? "are" : "is",
                    c->tenant_id == NULL && c->client_id == NULL ? "them" : "it");
    return false;
}

static bool check_principal(struct az_config *c, struct open_error *error)
{
    if ((c->credentials & BIT(AZ_ENVIRONMENT)) == 0)
        return true;
    if (c->client_secret != NULL || c->certificate_file != NULL)
        return has_whole(
            c, c->client_secret != NULL ? "AZURE_CLIENT_SECRET" : "AZURE_CLIENT_CERTIFICATE_PATH",
            error);
    if (c->credentials != BIT(AZ_ENVIRONMENT))
        return true;
    az_config_error(error, "credential \"environment\": neither AZURE_CLIENT_SECRET nor "
                           "AZURE_CLIENT_CERTIFICATE_PATH is set");
    return false;
}

static bool check_workload(struct az_config *c, struct open_error *error)
{
    if ((c->credentials & BIT(AZ_WORKLOAD)) == 0)
        return true;
    if (c->token_file != NULL)
        return has_whole(c, "AZURE_FEDERATED_TOKEN_FILE", error);
    if (c->credentials != BIT(AZ_WORKLOAD))
        return true;
    az_config_error(error, "credential \"workload\": AZURE_FEDERATED_TOKEN_FILE is not set");
    return false;
}

/* Where managed identities are asked for. */
static bool read_identity(struct az_config *c, struct open_error *error)
{
    static const char *const variables[] = {"IDENTITY_ENDPOINT", "MSI_ENDPOINT",
                                            "AZURE_POD_IDENTITY_AUTHORITY_HOST"};
    const char *urls[ARRAY_LEN(variables)];
    if ((c->credentials & BIT(AZ_MANAGED_IDENTITY)) == 0)
        return true;
    for (size_t i = 0; i < ARRAY_LEN(variables); i++) {
        urls[i] = az_config_env(variables[i]);
        if (urls[i] != NULL && !az_config_is_url(urls[i])) {
            az_config_error(error, "%s: \"%s\" is no http:// URL", variables[i], urls[i]);
            return false;
        }
    }
    c->identity_header = copy_secret(c, "IDENTITY_HEADER");
    c->msi_secret = copy_secret(c, "MSI_SECRET");
    /* Without the header it is that of Azure Arc, and with this certificate Service Fabric's. */
    bool is_other = urls[0] != NULL && (c->identity_header == NULL ||
                                        az_config_env("IDENTITY_SERVER_THUMBPRINT") != NULL);
    if (is_other && c->credentials == BIT(AZ_MANAGED_IDENTITY)) {
        az_config_error(error, "IDENTITY_ENDPOINT: the managed identities of Azure Arc and of "
                               "Service Fabric are not supported");
        return false;
    }
    c->identity_endpoint = is_other ? NULL : copy(c, urls[0]);
    c->msi_endpoint = copy(c, urls[1]);
    const char *metadata = urls[2] == NULL ? "http://169.254.169.254" : urls[2];
    size_t len = strlen(metadata);
    while (metadata[len - 1] == '/')
        len--;
    c->metadata_url = arena_strndup(&c->arena, metadata, len);
    return true;
}

bool az_config_read_credentials(struct az_config *c, const struct settings *s,
                                struct open_error *ret_error)
{
    if (!read_choice(c, s, ret_error) ||
        !read_name(c, s, "tenant_id", "AZURE_TENANT_ID", &c->tenant_id, ret_error) ||
        !read_name(c, s, "client_id", "AZURE_CLIENT_ID", &c->client_id, ret_error))
        return false;
    c->client_secret = copy_secret(c, "AZURE_CLIENT_SECRET");
    c->certificate_file = copy(c, az_config_env("AZURE_CLIENT_CERTIFICATE_PATH"));
    c->certificate_password = copy_secret(c, "AZURE_CLIENT_CERTIFICATE_PASSWORD");
    c->send_chain = is_true(az_config_env("AZURE_CLIENT_SEND_CERTIFICATE_CHAIN"));
    c->token_file = copy(c, az_config_env("AZURE_FEDERATED_TOKEN_FILE"));
    c->cli = "az";
    return check_principal(c, ret_error) && check_workload(c, ret_error) &&
           read_identity(c, ret_error);
}
