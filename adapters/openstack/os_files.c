#include "os_files.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A cloud's entry is a few hundred bytes. */
enum { FILE_MAX = 1 << 20 };

extern char **environ;

const char *os_env(const char *name)
{
    const char *value = getenv(name);
    return value != NULL && value[0] != '\0' ? value : NULL;
}

static void add_folder(struct os_files *f, const char *parent, const char *below)
{
    if (parent != NULL && f->n_folders < ARRAY_LEN(f->folders))
        f->folders[f->n_folders++] = arena_printf(f->arena, "%s%s", parent, below);
}

static const char *home(void)
{
    if (os_env("HOME") != NULL)
        return os_env("HOME");
    const struct passwd *pw = getpwuid(getuid());
    return pw == NULL ? NULL : pw->pw_dir;
}

void os_files_init(struct os_files *f, struct arena *a, struct open_error *error)
{
    *f = (struct os_files){.arena = a, .error = error};
    add_folder(f, ".", "");
    if (os_env("XDG_CONFIG_HOME") != NULL)
        add_folder(f, os_env("XDG_CONFIG_HOME"), "/openstack");
    const char *snap = os_env("SNAP_REAL_HOME");
    add_folder(f, snap == NULL ? home() : snap, "/.config/openstack");
    const char *site = os_env("XDG_CONFIG_DIRS");
    add_folder(f, site == NULL ? "/etc/xdg" : site, "/openstack");
    add_folder(f, "/etc", "/openstack");
}

static enum os_found broken(struct os_files *f, const char *path, const char *why)
{
    snprintf(f->error->text, sizeof(f->error->text), "%s: %s", path, why);
    return OS_BROKEN;
}

/* The content, from malloc; NULL with errno set. */
static char *slurp(int fd, size_t *ret_len)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return NULL;
    if (!S_ISREG(st.st_mode) || st.st_size > FILE_MAX) {
        errno = S_ISDIR(st.st_mode) ? EISDIR : EFBIG;
        return NULL;
    }
    size_t size = (size_t)st.st_size;
    char *text = malloc(size + 1);
    *ret_len = 0;
    while (text != NULL && *ret_len < size) {
        ssize_t n = read(fd, text + *ret_len, size - *ret_len);
        if (n == 0)
            break;
        if (n < 0) {
            free(text);
            return NULL;
        }
        *ret_len += (size_t)n;
    }
    return text;
}

enum os_found os_files_read(struct os_files *f, const char *path, struct os_node **ret)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR || errno == EACCES
                   ? OS_ABSENT
                   : broken(f, path, strerror(errno));
    size_t len = 0;
    char *text = slurp(fd, &len);
    int error = errno;
    close(fd);
    if (text == NULL)
        return broken(f, path, strerror(error));
    *ret = os_yaml_parse(f->arena, text, len, path, f->error);
    explicit_bzero(text, len);
    free(text);
    if (*ret == NULL)
        return OS_BROKEN;
    if (f->n_roots < ARRAY_LEN(f->roots))
        f->roots[f->n_roots++] = *ret;
    return OS_FOUND;
}

enum os_found os_files_find(struct os_files *f, const char *first, const char *name,
                            struct os_node **ret)
{
    static const char *const suffixes[] = {"yaml", "yml", "json"};
    enum os_found found = first == NULL ? OS_ABSENT : os_files_read(f, first, ret);
    for (size_t i = 0; found == OS_ABSENT && i < f->n_folders; i++) {
        for (size_t k = 0; found == OS_ABSENT && k < ARRAY_LEN(suffixes); k++)
            found = os_files_read(
                f, arena_printf(f->arena, "%s/%s.%s", f->folders[i], name, suffixes[k]), ret);
    }
    return found;
}

void os_files_wipe(struct os_files *f)
{
    for (size_t i = 0; i < f->n_roots; i++)
        os_node_wipe(f->roots[i]);
    f->n_roots = 0;
}

/* Whether `text`, "NAME=value", begins with one of the words. */
static bool one_of(const char *text, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (strncmp(text, words[i], strlen(words[i])) == 0)
            return true;
    }
    return false;
}

struct os_node *os_env_cloud(struct arena *a)
{
    static const char *const ours[] = {"OS_"};
    static const char *const ignored[] = {"OS_TEST", "OS_STD", "OS_LOG", "OS_CLOUD="};
    static const char *const selectors[] = {
        "OS_REGION_NAME=", "OS_CLIENT_CONFIG_FILE=", "OS_CLIENT_SECURE_FILE=", "OS_CLOUD_NAME="};
    struct os_node *cloud = os_node_new(a, "envvars", NULL, NULL);
    bool meant = false;
    for (char **e = environ; cloud != NULL && *e != NULL; e++) {
        const char *equals = strchr(*e, '=');
        if (equals == NULL || !one_of(*e, ours, ARRAY_LEN(ours)) ||
            one_of(*e, ignored, ARRAY_LEN(ignored)))
            continue;
        meant = meant || !one_of(*e, selectors, ARRAY_LEN(selectors));
        char *key = arena_strndup(a, *e + 3, (size_t)(equals - *e - 3));
        for (char *c = key; *c != '\0'; c++)
            *c = (char)(*c >= 'A' && *c <= 'Z' ? *c - 'A' + 'a' : *c);
        struct os_node *n = os_node_new(a, key, equals + 1, NULL);
        if (n != NULL)
            os_node_put(cloud, n);
    }
    return meant ? cloud : NULL;
}
