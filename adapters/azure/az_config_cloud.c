/* Which of Azure's clouds a connection is to: a part of az_config.h. */
#include <string.h>
#include <strings.h>

#include "az_config.h"
#include "isobar/near.h"

/* As `az cloud list` names them. A token for the endpoint is good for it, so that it is the
 * audience too. */
static const struct cloud_row {
    const char *name, *authority, *endpoint;
} map_cloud[] = {
    {"AzureCloud", "https://login.microsoftonline.com", "https://management.azure.com"},
    {"AzureChinaCloud", "https://login.chinacloudapi.cn", "https://management.chinacloudapi.cn"},
    {"AzureUSGovernment", "https://login.microsoftonline.us",
     "https://management.usgovcloudapi.net"},
};

/* Other names of an authority. */
static const struct {
    const char *authority, *same_as;
} map_alias[] = {
    {"https://login.partner.microsoftonline.cn", "https://login.chinacloudapi.cn"},
    {"https://login.windows.net", "https://login.microsoftonline.com"},
    {"https://login.microsoft.com", "https://login.microsoftonline.com"},
};

/* Where the host of an URL begins; NULL where it is none. */
static const char *host_of(const char *url)
{
    return strncasecmp(url, "http://", 7) == 0    ? url + 7
           : strncasecmp(url, "https://", 8) == 0 ? url + 8
                                                  : NULL;
}

bool az_config_is_url(const char *text)
{
    const char *host = host_of(text);
    if (host == NULL || host[0] == '\0' || host[0] == '/' || host[0] == ':')
        return false;
    for (const char *c = text; *c != '\0'; c++) {
        if (*c <= ' ' || *c > '~' || strchr("@?#\\\"", *c) != NULL)
            return false;
    }
    return true;
}

/* Secrets go there. */
static bool is_safe(const char *url)
{
    const char *host = host_of(url);
    size_t len = host[0] == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":/");
    return host - url == 8 ||
           (strncmp(host, "127.", 4) == 0 && strspn(host, "0123456789.") == len) ||
           (len == 5 && strncmp(host, "[::1]", 5) == 0) ||
           (len == 9 && strncasecmp(host, "localhost", 9) == 0);
}

/* Without slashes behind it; NULL where it is none. */
static const char *read_url(struct az_config *c, const char *by, const char *text,
                            struct open_error *error)
{
    size_t len = strlen(text);
    while (len > 0 && text[len - 1] == '/')
        len--;
    /* As azure-identity has it: AZURE_AUTHORITY_HOST may be a host alone. */
    const char *url = arena_printf(&c->arena, "%s%.*s",
                                   strstr(text, "://") == NULL ? "https://" : "", (int)len, text);
    if (!az_config_is_url(url))
        return az_config_error(error, "%s: \"%s\" is no https:// URL", by, text);
    if (!is_safe(url))
        return az_config_error(error,
                               "%s: %s would send credentials over the network in the clear: take "
                               "https://",
                               by, text);
    return url;
}

static const struct cloud_row *find_cloud(const char *name, struct open_error *error)
{
    const char *names[ARRAY_LEN(map_cloud)];
    for (size_t i = 0; i < ARRAY_LEN(map_cloud); i++) {
        names[i] = map_cloud[i].name;
        if (strcasecmp(name, map_cloud[i].name) == 0)
            return &map_cloud[i];
    }
    size_t best = 0;
    bool near = near_pick(name, names, ARRAY_LEN(names), &best, 1) > 0;
    return az_config_error(error,
                           "environment: there is no \"%s\"%s%s%s: take AzureCloud, "
                           "AzureChinaCloud or AzureUSGovernment, or give authority and endpoint",
                           name, near ? "; did you mean \"" : "", near ? names[best] : "",
                           near ? "\"?" : "");
}

static const struct cloud_row *cloud_of_authority(const char *authority)
{
    for (size_t i = 0; i < ARRAY_LEN(map_alias); i++) {
        if (strcasecmp(authority, map_alias[i].authority) == 0)
            authority = map_alias[i].same_as;
    }
    for (size_t i = 0; i < ARRAY_LEN(map_cloud); i++) {
        if (strcasecmp(authority, map_cloud[i].authority) == 0)
            return &map_cloud[i];
    }
    return NULL;
}

bool az_config_read_cloud(struct az_config *c, const struct settings *s,
                          struct open_error *ret_error)
{
    const char *name = settings_get(s, "environment"), *endpoint = settings_get(s, "endpoint");
    const char *audience = settings_get(s, "audience");
    const char *by = "authority", *authority = settings_get(s, by);
    const struct cloud_row *cloud = name == NULL ? NULL : find_cloud(name, ret_error);
    if (name != NULL && cloud == NULL)
        return false;
    if (authority == NULL && cloud == NULL)
        authority = az_config_env(by = "AZURE_AUTHORITY_HOST");
    if (authority == NULL && cloud == NULL)
        cloud = &map_cloud[0];
    c->authority = authority == NULL ? cloud->authority : read_url(c, by, authority, ret_error);
    if (c->authority == NULL)
        return false;
    if (cloud == NULL)
        cloud = cloud_of_authority(c->authority);
    if (endpoint == NULL && cloud == NULL) {
        az_config_error(ret_error, "%s: %s is of no cloud that is known here: give endpoint too",
                        by, authority);
        return false;
    }
    c->endpoint = endpoint == NULL ? cloud->endpoint : read_url(c, "endpoint", endpoint, ret_error);
    /* It becomes an argument of `az`, and a part of a scope. */
    c->audience = c->endpoint == NULL || audience == NULL
                      ? c->endpoint
                      : read_url(c, "audience", audience, ret_error);
    return c->audience != NULL;
}
