#include "aws_env.h"

#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

static bool is_ours(const char *entry)
{
    return strncmp(entry, "AWS_", 4) == 0 && strchr(entry, '=') != NULL;
}

static const char *home(void)
{
    const char *value = getenv("HOME");
    if (value != NULL && value[0] != '\0')
        return value;
    const struct passwd *pw = getpwuid(getuid());
    return pw == NULL ? NULL : pw->pw_dir;
}

void aws_env_read(struct arena *a, struct aws_env *ret)
{
    *ret = (struct aws_env){.home = home() == NULL ? NULL : arena_strdup(a, home())};
    size_t n = 0;
    for (char **e = environ; *e != NULL; e++)
        n += is_ours(*e);
    ret->items = n == 0 ? NULL : arena_array(a, n, sizeof(*ret->items));
    for (char **e = environ; ret->items != NULL && *e != NULL; e++) {
        if (!is_ours(*e))
            continue;
        const char *equals = strchr(*e, '=');
        ret->items[ret->n].name = arena_strndup(a, *e, (size_t)(equals - *e));
        ret->items[ret->n++].value = arena_strdup(a, equals + 1);
    }
}

void aws_env_wipe(struct aws_env *e)
{
    for (size_t i = 0; i < e->n; i++)
        explicit_bzero(e->items[i].value, strlen(e->items[i].value));
    e->n = 0;
}

const char *aws_env_get(const struct aws_env *e, const char *name)
{
    for (size_t i = 0; i < e->n; i++) {
        if (strcmp(e->items[i].name, name) == 0)
            return e->items[i].value[0] == '\0' ? NULL : e->items[i].value;
    }
    return NULL;
}

const char *aws_env_path(const struct aws_env *e, struct arena *a, const char *path)
{
    if (path[0] != '~' || (path[1] != '/' && path[1] != '\0') || e->home == NULL)
        return path;
    return arena_printf(a, "%s%s", e->home, path + 1);
}
