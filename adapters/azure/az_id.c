/* Ids of resources. Pure. */
#include <string.h>
#include <strings.h>

#include "az.h"

/* The next piece of a path, NULL where there is none; `at` moves behind it. */
static const char *piece(struct arena *a, const char **at)
{
    const char *begin = *at;

    if (*begin != '/')
        return NULL;
    size_t len = strcspn(++begin, "/?#");
    *at = begin + len;
    /* "." and ".." lead elsewhere. */
    if (len == 0 || (len <= 2 && strspn(begin, ".") >= len))
        return NULL;
    return arena_strndup(a, begin, len);
}

static bool takes(struct arena *a, const char **at, const char *word)
{
    const char *p = piece(a, at);

    return p != NULL && strcasecmp(p, word) == 0;
}

bool az_id_parse(struct arena *a, const char *text, struct az_id *ret)
{
    const char *at = text, *before = NULL, *type, *name;
    struct az_id id = {0};

    if (text == NULL || !takes(a, &at, "subscriptions") ||
        (id.subscription = piece(a, &at)) == NULL || !takes(a, &at, "resourceGroups") ||
        (id.group = piece(a, &at)) == NULL)
        return false;
    if (*at == '\0') { /* the group itself */
        id.type = "Microsoft.Resources/resourceGroups";
        id.name = id.group;
        *ret = id;
        return true;
    }
    if (!takes(a, &at, "providers") || (id.type = piece(a, &at)) == NULL)
        return false;
    while (*at == '/') {
        const char *begin = at;
        if ((type = piece(a, &at)) == NULL || (name = piece(a, &at)) == NULL)
            return false;
        if (id.name != NULL)
            before = arena_strndup(a, text, (size_t)(begin - text));
        id.type = arena_printf(a, "%s/%s", id.type, type);
        id.name = name;
    }
    id.parent = before;
    if (*at != '\0' || id.name == NULL)
        return false;
    *ret = id;
    return true;
}

/* Nothing in it leads elsewhere: what would begin a query is a part of a name. */
const char *az_id_path(struct arena *a, const char *id)
{
    const char *path = "";

    for (size_t len; *id == '/'; id += len) {
        len = strcspn(++id, "/");
        path = arena_printf(a, "%s/%s", path, url_escape(a, arena_strndup(a, id, len)));
    }
    return path;
}

bool az_id_is(const char *one, const char *other)
{
    return one != NULL && other != NULL && strcasecmp(one, other) == 0;
}

const char *az_id_group(struct arena *a, const char *text)
{
    struct az_id id;

    return az_id_parse(a, text, &id) ? id.group : "";
}

const char *az_id_name(struct arena *a, const char *text)
{
    struct az_id id;

    return az_id_parse(a, text, &id) ? id.name : "";
}
