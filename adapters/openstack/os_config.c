#include "os_config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "isobar/near.h"
#include "os_files.h"

enum { ARENA_MAX = 64 << 20, MERGE_ALL = 32 };

void *os_config_error(struct open_error *ret_error, const struct os_node *at, const char *fmt, ...)
{
    int used = 0;
    if (at != NULL && at->file != NULL && at->line > 0)
        used = snprintf(ret_error->text, sizeof(ret_error->text), "%s:%zu: ", at->file, at->line);
    if (used < 0 || (size_t)used >= sizeof(ret_error->text))
        used = 0;
    va_list args;
    va_start(args, fmt);
    vsnprintf(ret_error->text + used, sizeof(ret_error->text) - (size_t)used, fmt, args);
    va_end(args);
    return NULL;
}

/* "a, b, c" piece by piece. */
static void list_add(char *list, size_t size, const char *name)
{
    size_t used = strlen(list);
    snprintf(list + used, size - used, "%s%s", used == 0 ? "" : ", ", name);
}

/* clouds.yaml, and where the setting names it the folder of it, for secure.yaml. */
static enum os_found read_clouds(struct os_files *f, const char *named, struct os_node **ret)
{
    if (named == NULL)
        return os_files_find(f, os_env("OS_CLIENT_CONFIG_FILE"), "clouds", ret);
    enum os_found found = os_files_read(f, named, ret);
    if (found == OS_ABSENT) {
        os_config_error(f->error, NULL, "clouds_file: %s: %s", named, strerror(errno));
        return OS_BROKEN;
    }
    const char *slash = strrchr(named, '/');
    if (slash != NULL)
        f->folders[0] = arena_strndup(f->arena, named, (size_t)(slash - named));
    return found;
}

/* All clouds: clouds.yaml with secure.yaml laid over it. */
static struct os_node *all_clouds(struct os_files *f, const struct settings *settings)
{
    struct os_node *root = NULL, *secure = NULL;
    if (read_clouds(f, settings_get(settings, "clouds_file"), &root) == OS_BROKEN)
        return NULL;
    if (os_files_find(f, os_env("OS_CLIENT_SECURE_FILE"), "secure", &secure) == OS_BROKEN)
        return NULL;
    if (root == NULL)
        root = os_node_new(f->arena, NULL, NULL, NULL);
    struct os_node *all = root == NULL ? NULL : os_node_merge(f->arena, root, secure, MERGE_ALL);
    if (all == NULL)
        return os_config_error(f->error, NULL, "out of memory");
    struct os_node *clouds = os_node_get(all, "clouds");
    if (clouds == NULL || clouds->kind == OS_NODE_NULL)
        return os_node_new(f->arena, "clouds", NULL, all->file);
    if (clouds->kind != OS_NODE_MAP)
        return os_config_error(f->error, clouds, "\"clouds\" must be a map of names to clouds");
    return clouds;
}

static struct os_node *no_such_cloud(struct open_error *error, const struct os_node *clouds,
                                     const char *wanted)
{
    if (clouds->file == NULL)
        return os_config_error(error, NULL,
                               "no cloud \"%s\": there is no clouds.yaml where OpenStack's own "
                               "client looks for it; the setting clouds_file can name one",
                               wanted);
    const char *names[64];
    size_t n = 0, best = 0;
    char list[300] = "";
    for (const struct os_node *c = clouds->first; c != NULL && n < ARRAY_LEN(names); c = c->next) {
        list_add(list, sizeof(list), c->key);
        names[n++] = c->key;
    }
    bool near = near_pick(wanted, names, n, &best, 1) > 0;
    return os_config_error(error, NULL, "%s: no cloud \"%s\"%s%s%s (it has: %s)", clouds->file,
                           wanted, near ? "; did you mean \"" : "", near ? names[best] : "",
                           near ? "\"?" : "", n == 0 ? "none" : list);
}

/* Which cloud is meant: the setting, OS_CLOUD, OS_*, or the only one that there is. */
static struct os_node *choose(struct os_files *f, const struct settings *settings,
                              struct os_node *clouds, const char **ret_source)
{
    const char *env_name = os_env("OS_CLOUD_NAME");
    if (env_name == NULL)
        env_name = "envvars";
    struct os_node *env = os_env_cloud(f->arena);
    if (env != NULL && f->n_roots < ARRAY_LEN(f->roots))
        f->roots[f->n_roots++] = env;
    const char *wanted = settings_get(settings, "cloud");
    if (wanted == NULL)
        wanted = os_env("OS_CLOUD");
    if (wanted == NULL && env != NULL)
        wanted = env_name;
    if (wanted == NULL && clouds->first != NULL && clouds->first == clouds->last)
        wanted = clouds->first->key;
    if (wanted == NULL)
        return os_config_error(f->error, NULL, "%s",
                               clouds->first == NULL
                                   ? "no credentials: there is no clouds.yaml where OpenStack's "
                                     "own client looks, and no OS_AUTH_URL in the environment"
                                   : "clouds.yaml has several clouds: the setting \"cloud\" must "
                                     "say which");
    if (strcmp(wanted, env_name) == 0) {
        *ret_source = "the environment (OS_*)";
        return env != NULL ? env
                           : os_config_error(f->error, NULL,
                                             "cloud \"%s\" means the environment, and OS_AUTH_URL "
                                             "is not set there",
                                             wanted);
    }
    struct os_node *cloud = os_node_get(clouds, wanted);
    if (cloud == NULL)
        return no_such_cloud(f->error, clouds, wanted);
    if (cloud->kind != OS_NODE_MAP)
        return os_config_error(f->error, cloud, "cloud \"%s\" must be a map", wanted);
    *ret_source = arena_printf(f->arena, "cloud \"%s\" of %s", wanted,
                               clouds->file == NULL ? cloud->file : clouds->file);
    return cloud;
}

/* Lay the cloud over the profile of its provider, where it names one. */
static struct os_node *with_profile(struct os_files *f, struct os_node *cloud)
{
    const char *profile = os_node_text(cloud, "profile");
    if (profile == NULL)
        profile = os_node_text(cloud, "cloud"); /* its old name */
    if (profile == NULL)
        return cloud;
    struct os_node *root = NULL;
    if (os_files_find(f, NULL, "clouds-public", &root) == OS_BROKEN)
        return NULL;
    struct os_node *known = os_node_get(os_node_get(root, "public-clouds"), profile);
    if (known != NULL && known->kind == OS_NODE_MAP) {
        struct os_node *merged = os_node_merge(f->arena, known, cloud, 1);
        if (merged == NULL)
            return os_config_error(f->error, cloud, "out of memory");
        merged->file = cloud->file;
        merged->line = cloud->line;
        return merged;
    }
    if (os_node_text(os_node_get(cloud, "auth"), "auth_url") != NULL ||
        os_node_text(cloud, "auth_url") != NULL)
        return cloud;
    return os_config_error(f->error, cloud,
                           "profile \"%s\" is not in clouds-public.yaml, and there is no auth_url: "
                           "write one of them",
                           profile);
}

static void list_append(struct os_node *list, struct os_node *n)
{
    if (list->last == NULL)
        list->first = n;
    else
        list->last->next = n;
    list->last = n;
}

/* The regions that the cloud has, as a list; NULL where it names none. */
static struct os_node *known_regions(struct arena *a, struct os_node *cloud)
{
    struct os_node *regions = os_node_get(cloud, "regions");
    if (regions != NULL && regions->kind == OS_NODE_LIST && regions->first != NULL)
        return regions;
    regions = os_node_get(cloud, "region_name");
    if (regions != NULL && regions->kind == OS_NODE_LIST)
        return regions;
    const char *text = os_node_text(cloud, "region_name");
    struct os_node *list = text == NULL ? NULL : os_node_new(a, NULL, NULL, cloud->file);
    if (list == NULL)
        return NULL;
    list->kind = OS_NODE_LIST;
    char *rest = arena_strdup(a, text);
    for (char *name = strsep(&rest, ","); name != NULL; name = strsep(&rest, ",")) {
        struct os_node *n = os_node_new(a, NULL, name, cloud->file);
        if (n != NULL)
            list_append(list, n);
    }
    return list;
}

/* Settle for one region: the setting's, or the first; what clouds.yaml says of it is laid over. */
static struct os_node *with_region(struct os_files *f, const struct settings *settings,
                                   struct os_node *cloud)
{
    const char *wanted = settings_get(settings, "region");
    const struct os_node *regions = known_regions(f->arena, cloud);
    const char *chosen = regions == NULL ? wanted : NULL;
    struct os_node *merged = cloud;
    char list[300] = "";
    for (struct os_node *r = regions == NULL ? NULL : regions->first; r != NULL; r = r->next) {
        const char *name = r->kind == OS_NODE_MAP ? os_node_text(r, "name") : r->text;
        if (name == NULL)
            return os_config_error(f->error, r, "a region must have a name");
        list_add(list, sizeof(list), name);
        if (wanted != NULL && strcmp(wanted, name) != 0)
            continue;
        const struct os_node *values = os_node_get(r, "values");
        if (values != NULL && values->kind == OS_NODE_MAP)
            merged = os_node_merge(f->arena, cloud, values, 1);
        chosen = name;
        break;
    }
    if (wanted != NULL && chosen == NULL)
        return os_config_error(f->error, cloud, "no region \"%s\" (it has: %s)", wanted, list);
    struct os_node *n =
        chosen == NULL ? NULL : os_node_new(f->arena, "region_name", chosen, cloud->file);
    if (merged == NULL || (chosen != NULL && n == NULL))
        return os_config_error(f->error, NULL, "out of memory");
    if (n != NULL)
        os_node_put(merged, n);
    return merged;
}

static struct os_node *find(struct os_files *f, const struct settings *s, const char **ret_source)
{
    struct os_node *clouds = all_clouds(f, s);
    struct os_node *cloud = clouds == NULL ? NULL : choose(f, s, clouds, ret_source);
    if (cloud != NULL)
        cloud = with_profile(f, cloud);
    if (cloud != NULL)
        cloud = with_region(f, s, cloud);
    return cloud;
}

struct os_config *os_config_load(const struct settings *s, struct open_error *ret_error)
{
    struct os_config *c = calloc(1, sizeof(*c));
    if (c == NULL)
        return os_config_error(ret_error, NULL, "out of memory");
    arena_init(&c->arena, ARENA_MAX);
    struct arena scratch;
    arena_init(&scratch, ARENA_MAX);
    struct os_files files;
    os_files_init(&files, &scratch, ret_error);
    const char *source = NULL;
    struct os_node *cloud = find(&files, s, &source);
    bool ok = cloud != NULL && os_config_read(c, cloud, ret_error);
    if (ok)
        c->source = arena_strdup(&c->arena, source);
    if (ok && c->arena.exhausted) {
        os_config_error(ret_error, NULL, "out of memory");
        ok = false;
    }
    os_files_wipe(&files);
    arena_done(&scratch);
    if (ok)
        return c;
    os_config_free(c);
    return NULL;
}

void os_config_free(struct os_config *c)
{
    if (c == NULL)
        return;
    if (c->secret != NULL)
        explicit_bzero(c->secret, strlen(c->secret));
    arena_done(&c->arena);
    free(c);
}
