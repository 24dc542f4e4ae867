/* Where the services are: an URL that is given, or the one that follows from the region.
 *
 * Source: "Service-specific endpoints", "Dual-stack and FIPS endpoints" of the AWS SDKs and Tools
 * Reference Guide; partitions.json of botocore for the partitions' domains.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "aws_config.h"

static const struct service_row {
    const char *host;    /* how the host's name begins */
    const char *setting; /* of the connection */
    const char *env;
    const char *section; /* in [services x] */
} services[AWS_N_SERVICES] = {
    [AWS_EC2] = {"ec2", "endpoint_url", "AWS_ENDPOINT_URL_EC2", "ec2"},
    [AWS_STS] = {"sts", "sts_endpoint_url", "AWS_ENDPOINT_URL_STS", "sts"},
};

static const struct partition_row {
    const char *prefix; /* of the regions; the first that fits counts */
    const char *domain;
    const char *dual_domain; /* for IPv4 and IPv6; NULL: it has none */
    bool fips_always;        /* without a name of its own */
} map_partition[] = {
    {"cn-", "amazonaws.com.cn", "api.amazonwebservices.com.cn", false},
    {"us-gov-", "amazonaws.com", "api.aws", true},
    {"us-iso-", "c2s.ic.gov", NULL, false},
    {"us-isob-", "sc2s.sgov.gov", NULL, false},
    {"us-isof-", "csp.hci.ic.gov", NULL, false},
    {"eu-isoe-", "cloud.adc-e.uk", NULL, false},
    {"eusc-", "amazonaws.eu", NULL, false},
    {"", "amazonaws.com", "api.aws", false},
};

static bool is_true(const char *text)
{
    return text != NULL && strcasecmp(text, "true") == 0;
}

bool aws_is_url(const char *text)
{
    const char *host = strncasecmp(text, "http://", 7) == 0    ? text + 7
                       : strncasecmp(text, "https://", 8) == 0 ? text + 8
                                                               : NULL;
    if (host == NULL || host[0] == '\0' || host[0] == '/' || host[0] == ':')
        return false;
    for (const char *c = text; *c != '\0'; c++) {
        if (*c <= ' ' || *c > '~' || strchr("@?#\\", *c) != NULL)
            return false;
    }
    return true;
}

/* Where an URL can be given, the first that is. */
static const char *given_url(const struct aws_config *c, const struct service_row *service,
                             const struct settings *s, struct aws_profiles *p, const char **ret_by)
{
    const struct aws_profile *profile = aws_profiles_find(p, c->profile);
    *ret_by = service->setting;
    if (settings_get(s, service->setting) != NULL)
        return settings_get(s, service->setting);
    const char *ignore = aws_env_get(&c->env, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");
    if (ignore == NULL)
        ignore = aws_profile_get(p, profile, "ignore_configured_endpoint_urls");
    if (is_true(ignore))
        return NULL;
    *ret_by = service->env;
    const char *url = aws_env_get(&c->env, service->env);
    if (url != NULL)
        return url;
    *ret_by = "AWS_ENDPOINT_URL";
    url = aws_env_get(&c->env, *ret_by);
    if (url != NULL)
        return url;
    *ret_by = "endpoint_url of the profile";
    url = aws_profile_service(p, profile, service->section, "endpoint_url");
    return url != NULL ? url : aws_profile_get(p, profile, "endpoint_url");
}

/* The URL that follows from the region. */
static const char *region_url(struct aws_config *c, const struct service_row *service, bool fips,
                              bool dual, struct open_error *error)
{
    const struct partition_row *row = map_partition;
    while (strncmp(c->region, row->prefix, strlen(row->prefix)) != 0)
        row++;
    if (dual && row->dual_domain == NULL)
        return aws_config_error(error,
                                "region %s has no dual-stack endpoints: switch "
                                "use_dualstack_endpoint off, or give the setting %s",
                                c->region, service->setting);
    bool own_name = fips && (dual || !row->fips_always);
    return arena_printf(&c->arena, "https://%s%s.%s.%s", service->host, own_name ? "-fips" : "",
                        c->region, dual ? row->dual_domain : row->domain);
}

static bool is_on(const struct aws_config *c, const struct aws_profiles *p, const char *env,
                  const char *key)
{
    const char *text = aws_env_get(&c->env, env);
    if (text == NULL)
        text = aws_profile_get(p, aws_profiles_find(p, c->profile), key);
    return is_true(text);
}

bool aws_endpoints_read(struct aws_config *c, const struct settings *s, struct aws_profiles *p,
                        struct open_error *ret_error)
{
    bool fips = is_on(c, p, "AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint");
    bool dual = is_on(c, p, "AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint");
    for (int i = 0; i < AWS_N_SERVICES; i++) {
        const char *by = NULL;
        const char *url = given_url(c, &services[i], s, p, &by);
        if (url == NULL) {
            c->urls[i] = region_url(c, &services[i], fips, dual, ret_error);
            if (c->urls[i] == NULL)
                return false;
            continue;
        }
        size_t len = strlen(url);
        while (len > 0 && url[len - 1] == '/')
            len--;
        c->urls[i] = arena_strndup(&c->arena, url, len);
        if (!aws_is_url(c->urls[i])) {
            aws_config_error(ret_error, "%s: \"%s\" is no http:// or https:// URL", by, url);
            return false;
        }
    }
    return true;
}
