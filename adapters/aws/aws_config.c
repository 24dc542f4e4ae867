#include "aws_config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "aws_source.h"
#include "isobar/near.h"

enum { CONFIG_MAX = 8 << 20, REGION_MAX = 63, METADATA_SECONDS_MAX = 60, ATTEMPTS_MAX = 10 };

void *aws_config_error(struct open_error *ret_error, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(ret_error->text, sizeof(ret_error->text), fmt, args);
    va_end(args);
    return NULL;
}

static void read_paths(struct aws_config *c)
{
    const char *config = aws_env_get(&c->env, "AWS_CONFIG_FILE");
    const char *credentials = aws_env_get(&c->env, "AWS_SHARED_CREDENTIALS_FILE");
    c->config_file = aws_env_path(&c->env, &c->arena, config != NULL ? config : "~/.aws/config");
    c->credentials_file =
        aws_env_path(&c->env, &c->arena, credentials != NULL ? credentials : "~/.aws/credentials");
}

static bool no_such_profile(const struct aws_config *c, const struct aws_profiles *p,
                            const char *by, struct open_error *error)
{
    const char *names[64];
    size_t n = 0, best = 0;
    for (const struct aws_profile *f = p->first; f != NULL && n < ARRAY_LEN(names); f = f->next)
        names[n++] = f->name;
    bool near = near_pick(c->profile, names, n, &best, 1) > 0;
    char list[240];
    aws_profiles_names(p, list, sizeof(list));
    aws_config_error(error, "%s: there is no profile \"%s\"%s%s%s in %s and %s (there are: %s)", by,
                     c->profile, near ? "; did you mean \"" : "", near ? names[best] : "",
                     near ? "\"?" : "", c->config_file, c->credentials_file, list);
    return false;
}

static bool read_profile(struct aws_config *c, const struct settings *s,
                         const struct aws_profiles *p, struct open_error *error)
{
    static const char *const variables[] = {"AWS_PROFILE", "AWS_DEFAULT_PROFILE"};
    const char *by = "profile", *name = settings_get(s, by);
    c->profile_chosen = name != NULL;
    for (size_t i = 0; name == NULL && i < ARRAY_LEN(variables); i++)
        name = aws_env_get(&c->env, by = variables[i]);
    c->profile = arena_strdup(&c->arena, name != NULL ? name : "default");
    return name == NULL || aws_profiles_find(p, name) != NULL || no_such_profile(c, p, by, error);
}

/* What may be the part of a host's name. */
static bool is_region(const char *text)
{
    size_t len = strlen(text);
    return len > 0 && len <= REGION_MAX && text[0] != '-' && text[len - 1] != '-' &&
           strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == len &&
           strspn(text, "0123456789") < len;
}

static bool read_region(struct aws_config *c, const struct settings *s,
                        const struct aws_profiles *p, struct open_error *error)
{
    const char *region = settings_get(s, "region");
    if (region == NULL)
        region = aws_env_get(&c->env, "AWS_REGION");
    if (region == NULL)
        region = aws_env_get(&c->env, "AWS_DEFAULT_REGION");
    if (region == NULL)
        region = aws_profile_get(p, aws_profiles_find(p, c->profile), "region");
    if (region == NULL) {
        aws_config_error(error,
                         "there is no region: give the setting \"region\", AWS_REGION, or "
                         "\"region\" in the profile \"%s\" of %s",
                         c->profile, c->config_file);
        return false;
    }
    if (!is_region(region)) {
        aws_config_error(error, "\"%s\" is no region: one looks like eu-west-1", region);
        return false;
    }
    c->region = arena_strdup(&c->arena, region);
    return true;
}

/* A value of the environment or else of the profile; NULL where there is none. */
static const char *either(const struct aws_config *c, const struct aws_profiles *p, const char *env,
                          const char *key)
{
    const char *value = aws_env_get(&c->env, env);
    return value != NULL ? value : aws_profile_get(p, aws_profiles_find(p, c->profile), key);
}

/* A number from 1 on; false where it is none. */
static bool read_number(const struct aws_config *c, const struct aws_profiles *p, const char *env,
                        const char *key, int max, int *ret, struct open_error *error)
{
    const char *text = either(c, p, env, key);
    char *end = NULL;
    long n = text == NULL ? 1 : strtol(text, &end, 10);
    if ((text != NULL && (end == text || *end != '\0')) || n < 1 || n > max) {
        aws_config_error(error, "%s (%s): \"%s\" is no number from 1 to %d", env, key, text, max);
        return false;
    }
    *ret = (int)n;
    return true;
}

static bool read_metadata(struct aws_config *c, const struct aws_profiles *p,
                          struct open_error *error)
{
    const char *disabled = aws_env_get(&c->env, "AWS_EC2_METADATA_DISABLED");
    const char *url =
        either(c, p, "AWS_EC2_METADATA_SERVICE_ENDPOINT", "ec2_metadata_service_endpoint");
    const char *mode = either(c, p, "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
                              "ec2_metadata_service_endpoint_mode");
    if (disabled != NULL && strcasecmp(disabled, "true") == 0)
        return true;
    if (mode != NULL && strcasecmp(mode, "ipv4") != 0 && strcasecmp(mode, "ipv6") != 0) {
        aws_config_error(error,
                         "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE: \"%s\" is neither IPv4 "
                         "nor IPv6",
                         mode);
        return false;
    }
    if (url == NULL)
        url = mode != NULL && strcasecmp(mode, "ipv6") == 0 ? "http://[fd00:ec2::254]"
                                                            : "http://169.254.169.254";
    size_t len = strlen(url);
    while (len > 0 && url[len - 1] == '/')
        len--;
    c->metadata_url = arena_strndup(&c->arena, url, len);
    if (!aws_is_url(c->metadata_url)) {
        aws_config_error(error, "AWS_EC2_METADATA_SERVICE_ENDPOINT: \"%s\" is no http:// URL", url);
        return false;
    }
    int seconds = 0;
    if (!read_number(c, p, "AWS_METADATA_SERVICE_TIMEOUT", "metadata_service_timeout",
                     METADATA_SECONDS_MAX, &seconds, error) ||
        !read_number(c, p, "AWS_METADATA_SERVICE_NUM_ATTEMPTS", "metadata_service_num_attempts",
                     ATTEMPTS_MAX, &c->metadata_attempts, error))
        return false;
    c->metadata_timeout_ms = seconds * 1000;
    return true;
}

static void read_ca_file(struct aws_config *c, const struct settings *s,
                         const struct aws_profiles *p)
{
    const char *path = settings_get(s, "ca_file");
    if (path == NULL)
        path = either(c, p, "AWS_CA_BUNDLE", "ca_bundle");
    if (path != NULL)
        c->ca_file = arena_strdup(&c->arena, aws_env_path(&c->env, &c->arena, path));
}

static bool read_all(struct aws_config *c, const struct settings *s, struct aws_profiles *p,
                     struct open_error *error)
{
    aws_env_read(&c->arena, &c->env);
    read_paths(c);
    if (!aws_profiles_read(p, c->config_file, c->credentials_file, error) ||
        !read_profile(c, s, p, error) || !read_region(c, s, p, error) ||
        !aws_endpoints_read(c, s, p, error) || !read_metadata(c, p, error))
        return false;
    read_ca_file(c, s, p);
    /* What is wrong with the credentials is better known now than at the first call. */
    if (aws_source_choose(&p->arena, c, p, error) == NULL)
        return false;
    if (!c->arena.exhausted && !p->arena.exhausted)
        return true;
    aws_config_error(error, "out of memory");
    return false;
}

struct aws_config *aws_config_load(const struct settings *s, struct open_error *ret_error)
{
    struct aws_config *c = calloc(1, sizeof(*c));
    if (c == NULL)
        return aws_config_error(ret_error, "out of memory");
    arena_init(&c->arena, CONFIG_MAX);
    struct aws_profiles profiles = {0};
    bool ok = read_all(c, s, &profiles, ret_error);
    aws_profiles_done(&profiles);
    if (ok)
        return c;
    aws_config_free(c);
    return NULL;
}

void aws_config_free(struct aws_config *c)
{
    if (c == NULL)
        return;
    aws_env_wipe(&c->env);
    arena_done(&c->arena);
    free(c);
}
