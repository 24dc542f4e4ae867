/* Roles that a profile or the environment names, and whose credentials they are assumed with. */
#include <stdlib.h>
#include <string.h>

#include "aws_source.h"

static const char *get(const struct aws_choice *x, const struct aws_profile *profile,
                       const char *key)
{
    return aws_profile_get(x->profiles, profile, key);
}

/* A role with a web identity is assumed without credentials. */
bool aws_has_role(const struct aws_choice *x, const struct aws_profile *profile)
{
    return get(x, profile, "role_arn") != NULL &&
           get(x, profile, "web_identity_token_file") == NULL;
}

static bool has_keys(const struct aws_choice *x, const struct aws_profile *profile)
{
    return get(x, profile, "aws_access_key_id") != NULL ||
           get(x, profile, "aws_secret_access_key") != NULL;
}

/* The credentials that credential_source names. */
static struct aws_source *of_place(struct aws_choice *x, const struct aws_profile *profile,
                                   const char *place)
{
    static const struct {
        const char *name;
        aws_chooser *choose;
    } map_place[] = {
        {"Environment", aws_choose_environment},
        {"Ec2InstanceMetadata", aws_choose_metadata},
        {"EcsContainer", aws_choose_container},
    };
    for (size_t i = 0; i < ARRAY_LEN(map_place); i++) {
        if (strcmp(place, map_place[i].name) != 0)
            continue;
        struct aws_source *s = map_place[i].choose(x, profile);
        if (s != NULL)
            s->asked_for = true;
        if (s != NULL || x->failed)
            return s;
        return aws_choice_fail(x,
                               "profile \"%s\" wants the credentials of its credential_source "
                               "%s, and there are none",
                               profile->name, place);
    }
    return aws_choice_fail(x,
                           "credential_source of profile \"%s\" is \"%s\", and none of "
                           "Environment, Ec2InstanceMetadata and EcsContainer",
                           profile->name, place);
}

static bool was_visited(const struct aws_choice *x, const char *name)
{
    for (size_t i = 0; i < x->n_visited; i++) {
        if (strcmp(x->visited[i], name) == 0)
            return true;
    }
    return false;
}

/* The credentials of the profile that source_profile names. A profile may name itself where it has
 * keys of its own. */
static struct aws_source *of_source_profile(struct aws_choice *x, const struct aws_profile *profile,
                                            const char *name)
{
    const struct aws_profile *source = aws_profiles_find(x->profiles, name);
    if (source == NULL)
        return aws_choice_fail(x,
                               "source_profile of profile \"%s\" is \"%s\", and there is no "
                               "such profile",
                               profile->name, name);
    bool itself = strcmp(name, profile->name) == 0;
    if (was_visited(x, name) && !(itself && has_keys(x, source)))
        return aws_choice_fail(x, "source_profile of profile \"%s\" leads back to \"%s\"",
                               profile->name, name);
    if (!has_keys(x, source) && aws_has_role(x, source))
        return aws_choose_role(x, source);
    struct aws_source *s = aws_choose_web_identity_of_profile(x, source);
    if (s == NULL && !x->failed)
        s = aws_choose_of_profile(x, source);
    if (s != NULL || x->failed)
        return s;
    return aws_choice_fail(x,
                           "source_profile of profile \"%s\" is \"%s\", which has no "
                           "credentials",
                           profile->name, name);
}

static int64_t duration(const char *text)
{
    char *end = NULL;
    long n = text == NULL ? 0 : strtol(text, &end, 10);
    return text == NULL || end == text || *end != '\0' ? 0 : n;
}

struct aws_source *aws_choose_role(struct aws_choice *x, const struct aws_profile *profile)
{
    if (!aws_has_role(x, profile))
        return NULL;
    const char *name = get(x, profile, "source_profile");
    const char *place = get(x, profile, "credential_source");
    if ((name == NULL) == (place == NULL))
        return aws_choice_fail(x,
                               "profile \"%s\" has a role_arn and %s source_profile %s "
                               "credential_source: one of them says who assumes the role",
                               profile->name, name == NULL ? "neither" : "both",
                               name == NULL ? "nor" : "and");
    if (get(x, profile, "mfa_serial") != NULL)
        return aws_choice_fail(x,
                               "profile \"%s\" wants a code from a device (mfa_serial), which "
                               "nobody can type here: use a role without it, or a "
                               "credential_process",
                               profile->name);
    if (x->n_visited == ARRAY_LEN(x->visited))
        return aws_choice_fail(x,
                               "profile \"%s\": more than %zu roles are assumed one with the "
                               "other",
                               profile->name, ARRAY_LEN(x->visited));
    x->visited[x->n_visited++] = profile->name;
    struct aws_source *base =
        place != NULL ? of_place(x, profile, place) : of_source_profile(x, profile, name);
    if (base == NULL)
        return NULL;
    const char *arn = get(x, profile, "role_arn");
    struct aws_source *s =
        aws_source_new(x, AWS_SOURCE_ROLE, "role %s of profile \"%s\"", arn, profile->name);
    if (s == NULL)
        return NULL;
    s->role_arn = arn;
    s->base = base;
    s->session_name = get(x, profile, "role_session_name");
    s->external_id = get(x, profile, "external_id");
    s->duration_s = duration(get(x, profile, "duration_seconds"));
    return s;
}

/* A value of the environment, where that counts, or of the profile. */
static const char *either(const struct aws_choice *x, const struct aws_profile *profile, bool env,
                          const char *variable, const char *key)
{
    const char *value = env ? aws_env_get(&x->config->env, variable) : NULL;
    return value != NULL ? value : get(x, profile, key);
}

static struct aws_source *web_identity(struct aws_choice *x, const struct aws_profile *profile,
                                       bool env)
{
    const char *file =
        either(x, profile, env, "AWS_WEB_IDENTITY_TOKEN_FILE", "web_identity_token_file");
    if (file == NULL)
        return NULL;
    const char *arn = either(x, profile, env, "AWS_ROLE_ARN", "role_arn");
    if (arn == NULL)
        return aws_choice_fail(x,
                               "there is a web identity (%s) and no role for it: give "
                               "AWS_ROLE_ARN, or role_arn in profile \"%s\"",
                               file, profile->name);
    struct aws_source *s = aws_source_new(x, AWS_SOURCE_WEB_IDENTITY,
                                          "role %s with the web identity in %s", arn, file);
    if (s == NULL)
        return NULL;
    s->role_arn = arn;
    s->token_file = aws_env_path(&x->config->env, x->arena, file);
    s->session_name = either(x, profile, env, "AWS_ROLE_SESSION_NAME", "role_session_name");
    return s;
}

struct aws_source *aws_choose_web_identity(struct aws_choice *x, const struct aws_profile *profile)
{
    return web_identity(x, profile, !x->config->profile_chosen);
}

struct aws_source *aws_choose_web_identity_of_profile(struct aws_choice *x,
                                                      const struct aws_profile *profile)
{
    return web_identity(x, profile, false);
}
