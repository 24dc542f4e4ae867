#include "aws_source.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "aws_words.h"

/* Where a container's credentials are, beside loopback. */
#define CONTAINER_HOST "http://169.254.170.2"

void *aws_choice_fail(struct aws_choice *x, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(x->error->text, sizeof(x->error->text), fmt, args);
    va_end(args);
    x->failed = true;
    return NULL;
}

struct aws_source *aws_source_new(struct aws_choice *x, enum aws_source_kind kind,
                                  const char *what_fmt, ...)
{
    struct aws_source *s = ARENA_NEW(x->arena, struct aws_source);
    if (s == NULL)
        return aws_choice_fail(x, "out of memory");
    va_list args;
    va_start(args, what_fmt);
    s->kind = kind;
    s->what = arena_vprintf(x->arena, what_fmt, args);
    va_end(args);
    return s;
}

struct aws_source *aws_choose_environment(struct aws_choice *x, const struct aws_profile *profile)
{
    (void)profile;
    const struct aws_env *env = &x->config->env;
    const char *id = aws_env_get(env, "AWS_ACCESS_KEY_ID");
    if (id == NULL)
        return NULL;
    const char *secret = aws_env_get(env, "AWS_SECRET_ACCESS_KEY");
    if (secret == NULL)
        return aws_choice_fail(x, "the environment has AWS_ACCESS_KEY_ID and no "
                                  "AWS_SECRET_ACCESS_KEY: set both, or none");
    struct aws_source *s = aws_source_new(x, AWS_SOURCE_ENVIRONMENT, "the environment (AWS_*)");
    if (s == NULL)
        return NULL;
    s->id = id;
    s->secret = secret;
    s->session_token = aws_env_get(env, "AWS_SECURITY_TOKEN"); /* its old name */
    if (s->session_token == NULL)
        s->session_token = aws_env_get(env, "AWS_SESSION_TOKEN");
    s->expiration = aws_env_get(env, "AWS_CREDENTIAL_EXPIRATION");
    return s;
}

/* The keys that one of the files has for the profile. */
static struct aws_source *keys_of(struct aws_choice *x, enum aws_source_kind kind,
                                  const struct aws_profile *profile, const struct aws_file *file,
                                  const struct aws_ini_section *section)
{
    size_t line = 0;
    const char *id = aws_profile_get_of(file, section, "aws_access_key_id", &line);
    const char *secret = aws_profile_get_of(file, section, "aws_secret_access_key", NULL);
    if (id == NULL)
        return NULL;
    if (secret == NULL)
        return aws_choice_fail(x,
                               "%s:%zu: profile \"%s\" has an aws_access_key_id and no "
                               "aws_secret_access_key",
                               file->ini.file, line, profile->name);
    struct aws_source *s =
        aws_source_new(x, kind, "profile \"%s\" of %s", profile->name, file->ini.file);
    if (s == NULL)
        return NULL;
    s->id = id;
    s->secret = secret;
    s->session_token = aws_profile_get_of(file, section, "aws_security_token", NULL);
    if (s->session_token == NULL)
        s->session_token = aws_profile_get_of(file, section, "aws_session_token", NULL);
    return s;
}

static struct aws_source *shared_file(struct aws_choice *x, const struct aws_profile *profile)
{
    return keys_of(x, AWS_SOURCE_SHARED_FILE, profile, &x->profiles->credentials,
                   profile->credentials);
}

static struct aws_source *config_file(struct aws_choice *x, const struct aws_profile *profile)
{
    return keys_of(x, AWS_SOURCE_CONFIG_FILE, profile, &x->profiles->config, profile->config);
}

static struct aws_source *sso(struct aws_choice *x, const struct aws_profile *profile)
{
    if (aws_profile_get(x->profiles, profile, "sso_role_name") == NULL &&
        aws_profile_get(x->profiles, profile, "sso_account_id") == NULL)
        return NULL;
    return aws_choice_fail(x,
                           "profile \"%s\" signs in by SSO, which is not supported: give it a "
                           "credential_process, such as \"aws configure export-credentials "
                           "--profile NAME\" for a profile NAME that signs in",
                           profile->name);
}

static struct aws_source *process(struct aws_choice *x, const struct aws_profile *profile)
{
    const char *line = aws_profile_whole(x->profiles, profile, "credential_process");
    if (line == NULL)
        return NULL;
    size_t n = 0;
    char **words = aws_words_split(x->arena, line, &n);
    if (words == NULL || n == 0)
        return aws_choice_fail(x,
                               "credential_process of profile \"%s\" cannot be split into "
                               "words: a quote is not closed, or a backslash is last",
                               profile->name);
    struct aws_source *s = aws_source_new(x, AWS_SOURCE_PROCESS,
                                          "credential_process of profile \"%s\"", profile->name);
    if (s != NULL)
        s->command = words;
    return s;
}

static struct aws_source *first_of(struct aws_choice *x, const struct aws_profile *profile,
                                   aws_chooser *const *choosers, size_t n)
{
    struct aws_source *s = NULL;
    for (size_t i = 0; s == NULL && !x->failed && i < n; i++)
        s = choosers[i](x, profile);
    return s;
}

struct aws_source *aws_choose_of_profile(struct aws_choice *x, const struct aws_profile *profile)
{
    static aws_chooser *const choosers[] = {sso, shared_file, process, config_file};
    return first_of(x, profile, choosers, ARRAY_LEN(choosers));
}

/* Whether credentials that are asked for without TLS stay on this machine, or in its container's
 * surroundings; `url` is one. */
static bool is_near(struct arena *a, const char *url)
{
    static const char *const hosts[] = {"localhost", "169.254.170.2", "169.254.170.23"};
    struct in_addr v4;
    struct in6_addr v6, eks;
    const char *host = strchr(url, ':') + 3;
    const char *end = host[0] == '[' ? strchr(host, ']') : host + strcspn(host, ":/");
    if (end == NULL)
        return false;
    host += host[0] == '[';
    const char *name = arena_strndup(a, host, (size_t)(end - host));
    for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
        if (strcasecmp(name, hosts[i]) == 0)
            return true;
    }
    if (inet_pton(AF_INET, name, &v4) == 1)
        return ntohl(v4.s_addr) >> 24 == 127;
    return inet_pton(AF_INET6, name, &v6) == 1 && inet_pton(AF_INET6, "fd00:ec2::23", &eks) == 1 &&
           (IN6_IS_ADDR_LOOPBACK(&v6) || memcmp(&v6, &eks, sizeof(v6)) == 0);
}

/* Whether text can be in an URL or a header. */
static bool is_printable(const char *text)
{
    while (*text >= ' ' && *text <= '~')
        text++;
    return *text == '\0';
}

struct aws_source *aws_choose_container(struct aws_choice *x, const struct aws_profile *profile)
{
    (void)profile;
    const struct aws_env *env = &x->config->env;
    const char *path = aws_env_get(env, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    const char *url = aws_env_get(env, "AWS_CONTAINER_CREDENTIALS_FULL_URI");
    if (path == NULL && url == NULL)
        return NULL;
    const char *query = strchr(path != NULL ? path : url, '?');
    if (path != NULL && path[0] != '/')
        return aws_choice_fail(x,
                               "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: \"%s\" does not begin "
                               "with a slash",
                               path);
    if (path != NULL)
        url = arena_printf(x->arena, CONTAINER_HOST "%s", path);
    const char *base = query == NULL ? url : arena_strndup(x->arena, url, strcspn(url, "?"));
    if (!aws_is_url(base) || (query != NULL && !is_printable(query)))
        return aws_choice_fail(x, "AWS_CONTAINER_CREDENTIALS_%s: it is no URL",
                               path != NULL ? "RELATIVE_URI" : "FULL_URI");
    if (strncasecmp(url, "https:", 6) != 0 && !is_near(x->arena, base))
        return aws_choice_fail(x,
                               "AWS_CONTAINER_CREDENTIALS_FULL_URI: without https only "
                               "loopback, 169.254.170.2, 169.254.170.23 and fd00:ec2::23 are "
                               "asked for credentials, not %s",
                               base);
    struct aws_source *s =
        aws_source_new(x, AWS_SOURCE_CONTAINER, "the container's service at %s", base);
    if (s == NULL)
        return NULL;
    s->url = url;
    s->token_file = aws_env_get(env, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    if (s->token_file == NULL)
        s->token = aws_env_get(env, "AWS_CONTAINER_AUTHORIZATION_TOKEN");
    if (s->token != NULL && !is_printable(s->token))
        return aws_choice_fail(x, "AWS_CONTAINER_AUTHORIZATION_TOKEN cannot be in a header");
    return s;
}

struct aws_source *aws_choose_metadata(struct aws_choice *x, const struct aws_profile *profile)
{
    (void)profile;
    if (x->config->metadata_url == NULL)
        return NULL;
    return aws_source_new(x, AWS_SOURCE_METADATA, "instance metadata at %s",
                          x->config->metadata_url);
}

static struct aws_source *choose(struct aws_choice *x)
{
    static aws_chooser *const choosers[] = {aws_choose_role, aws_choose_web_identity,
                                            aws_choose_of_profile, aws_choose_container,
                                            aws_choose_metadata};
    /* The default profile need not be there. */
    static const struct aws_profile nothing = {.name = "default"};
    const struct aws_profile *profile = aws_profiles_find(x->profiles, x->config->profile);
    if (profile == NULL && strcmp(x->config->profile, nothing.name) != 0)
        return aws_choice_fail(x, "there is no profile \"%s\" any more in %s and %s",
                               x->config->profile, x->config->config_file,
                               x->config->credentials_file);
    if (profile == NULL)
        profile = &nothing;
    struct aws_source *s = x->config->profile_chosen ? NULL : aws_choose_environment(x, profile);
    if (s == NULL && !x->failed)
        s = first_of(x, profile, choosers, ARRAY_LEN(choosers));
    return s != NULL || x->failed ? s : aws_source_new(x, AWS_SOURCE_NONE, "nowhere");
}

const struct aws_source *aws_source_choose(struct arena *a, const struct aws_config *c,
                                           const struct aws_profiles *p,
                                           struct open_error *ret_error)
{
    struct aws_choice x = {.arena = a, .config = c, .profiles = p, .error = ret_error};
    struct aws_source *s = choose(&x);
    if (s != NULL && a->exhausted)
        return aws_choice_fail(&x, "out of memory");
    return s;
}

/* A secret without its id counts for nothing, which somebody may not know. */
static const char *half(struct arena *a, const struct aws_file *file,
                        const struct aws_ini_section *section)
{
    size_t line = 0;
    if (aws_profile_get_of(file, section, "aws_secret_access_key", &line) == NULL)
        return "";
    return arena_printf(a, " (in line %zu there is a secret without an aws_access_key_id)", line);
}

const char *aws_source_places(struct arena *a, const struct aws_config *c,
                              const struct aws_profiles *p)
{
    static const struct aws_profile nothing;
    const struct aws_profile *profile = aws_profiles_find(p, c->profile);
    if (profile == NULL)
        profile = &nothing;
    bool secret = aws_env_get(&c->env, "AWS_SECRET_ACCESS_KEY") != NULL;
    return arena_printf(
        a,
        "%s%s, profile \"%s\" of %s%s%s and of %s%s%s, a container's AWS_CONTAINER_CREDENTIALS_*",
        c->profile_chosen ? "" : "AWS_ACCESS_KEY_ID",
        c->profile_chosen ? "not the environment, since the setting \"profile\" is given"
        : secret          ? " (AWS_SECRET_ACCESS_KEY is there without it)"
                          : "",
        c->profile, c->credentials_file, p->credentials.there ? "" : " (which is not there)",
        half(a, &p->credentials, profile->credentials), c->config_file,
        p->config.there ? "" : " (which is not there)", half(a, &p->config, profile->config));
}
