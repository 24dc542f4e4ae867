#include "aws_profiles.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "aws_words.h"

/* Thousands of profiles fit. */
enum { FILE_MAX = 1 << 20, ARENA_MAX = 16 << 20 };

static bool broken(struct open_error *e, const char *path, const char *why)
{
    snprintf(e->text, sizeof(e->text), "%s: %s", path, why);
    return false;
}

/* The content with a NUL behind it, in the arena; NULL with errno set. */
static char *slurp(struct arena *a, int fd, size_t *ret_len)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return NULL;
    if (st.st_size > FILE_MAX) {
        errno = EFBIG;
        return NULL;
    }
    size_t size = S_ISREG(st.st_mode) ? (size_t)st.st_size : 0;
    char *text = arena_alloc(a, size + 1);
    *ret_len = 0;
    if (text == NULL)
        errno = ENOMEM;
    while (text != NULL && *ret_len < size) {
        ssize_t n = read(fd, text + *ret_len, size - *ret_len);
        if (n == 0)
            break;
        if (n < 0) {
            explicit_bzero(text, size);
            return NULL;
        }
        *ret_len += (size_t)n;
    }
    return text;
}

static bool read_file(struct arena *a, const char *path, struct aws_file *ret,
                      struct open_error *error)
{
    ret->ini.file = path;
    /* Not to be held up by a pipe. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    int why = errno;
    struct stat st;
    /* What is in a folder that is closed to us counts as absent, as for the AWS CLI. */
    if (fd < 0 && (why == ENOENT || why == ENOTDIR || why == ENXIO ||
                   (why == EACCES && stat(path, &st) != 0)))
        return true;
    if (fd < 0)
        return broken(error, path, strerror(why));
    size_t len = 0;
    char *text = slurp(a, fd, &len);
    why = errno;
    close(fd);
    if (text == NULL)
        return broken(error, path, strerror(why));
    ret->there = true;
    return aws_ini_parse(a, text, len, path, &ret->ini, error);
}

static struct aws_profile *add(struct aws_profiles *p, const char *name)
{
    struct aws_profile *found = p->first;
    while (found != NULL && strcmp(found->name, name) != 0)
        found = found->next;
    if (found != NULL)
        return found;
    found = ARENA_NEW(&p->arena, struct aws_profile);
    if (found == NULL)
        return NULL;
    found->name = name;
    if (p->last == NULL)
        p->first = found;
    else
        p->last->next = found;
    p->last = found;
    return found;
}

/* X of the section "KIND X"; NULL where it is none. */
static const char *named(struct arena *a, const struct aws_ini_section *s, const char *kind)
{
    size_t n = 0;
    if (strncmp(s->name, kind, strlen(kind)) != 0)
        return NULL;
    char **words = aws_words_split(a, s->name, &n);
    return words != NULL && n == 2 ? words[1] : NULL;
}

/* In the config file profiles are called so, but for "default"; of two for one profile ("[default]"
 * and "[profile default]") the last counts. In the credentials file each section is one. */
static void add_profiles(struct aws_profiles *p)
{
    for (const struct aws_ini_section *s = p->config.ini.first; s != NULL; s = s->next) {
        const char *name =
            strcmp(s->name, "default") == 0 ? s->name : named(&p->arena, s, "profile");
        struct aws_profile *profile = name == NULL ? NULL : add(p, name);
        if (profile != NULL)
            profile->config = s;
    }
    for (const struct aws_ini_section *s = p->credentials.ini.first; s != NULL; s = s->next) {
        struct aws_profile *profile = strcmp(s->name, "DEFAULT") == 0 ? NULL : add(p, s->name);
        if (profile != NULL)
            profile->credentials = s;
    }
}

bool aws_profiles_read(struct aws_profiles *p, const char *config_path,
                       const char *credentials_path, struct open_error *ret_error)
{
    *p = (struct aws_profiles){0};
    arena_init(&p->arena, ARENA_MAX);
    if (!read_file(&p->arena, config_path, &p->config, ret_error) ||
        !read_file(&p->arena, credentials_path, &p->credentials, ret_error))
        return false;
    add_profiles(p);
    return !p->arena.exhausted || broken(ret_error, config_path, "out of memory");
}

void aws_profiles_done(struct aws_profiles *p)
{
    aws_ini_wipe(&p->config.ini);
    aws_ini_wipe(&p->credentials.ini);
    arena_done(&p->arena);
}

const struct aws_profile *aws_profiles_find(const struct aws_profiles *p, const char *name)
{
    const struct aws_profile *found = p->first;
    while (found != NULL && strcmp(found->name, name) != 0)
        found = found->next;
    return found;
}

/* In place, for good; pairs are left alone. */
static void cut_comment(char *text)
{
    char *mark = text;
    if (text[0] == '\n')
        return;
    while ((mark = strpbrk(mark, "#;")) != NULL) {
        if (mark > text && (mark[-1] == ' ' || mark[-1] == '\t'))
            break;
        mark++;
    }
    while (mark != NULL && mark > text && (mark[-1] == ' ' || mark[-1] == '\t'))
        *--mark = '\0';
}

const char *aws_profile_get_of(const struct aws_file *file, const struct aws_ini_section *section,
                               const char *key, size_t *ret_line)
{
    struct aws_ini_value *v = aws_ini_get(&file->ini, section, key);
    if (v == NULL)
        return NULL;
    cut_comment(v->text);
    if (ret_line != NULL)
        *ret_line = v->line;
    return v->text[0] == '\0' || v->text[0] == '\n' ? NULL : v->text;
}

static struct aws_ini_value *value(const struct aws_profiles *p, const struct aws_profile *profile,
                                   const char *key)
{
    if (profile == NULL)
        return NULL;
    struct aws_ini_value *v = aws_ini_get(&p->credentials.ini, profile->credentials, key);
    return v != NULL ? v : aws_ini_get(&p->config.ini, profile->config, key);
}

const char *aws_profile_whole(const struct aws_profiles *p, const struct aws_profile *profile,
                              const char *key)
{
    const struct aws_ini_value *v = value(p, profile, key);
    return v == NULL || v->text[0] == '\0' || v->text[0] == '\n' ? NULL : v->text;
}

const char *aws_profile_get(const struct aws_profiles *p, const struct aws_profile *profile,
                            const char *key)
{
    struct aws_ini_value *v = value(p, profile, key);
    if (v != NULL)
        cut_comment(v->text);
    return aws_profile_whole(p, profile, key);
}

const char *aws_profile_service(struct aws_profiles *p, const struct aws_profile *profile,
                                const char *service, const char *key)
{
    const char *wanted = aws_profile_get(p, profile, "services");
    char *found = NULL;
    if (wanted == NULL)
        return NULL;
    for (const struct aws_ini_section *s = p->config.ini.first; s != NULL; s = s->next) {
        const char *name = named(&p->arena, s, "services");
        if (name == NULL || strcmp(name, wanted) != 0)
            continue;
        found = aws_ini_pair(&p->arena, aws_ini_get(&p->config.ini, s, service), key);
    }
    if (found != NULL)
        cut_comment(found);
    return found == NULL || found[0] == '\0' ? NULL : found;
}

void aws_profiles_names(const struct aws_profiles *p, char *ret, size_t size)
{
    size_t used = 0;
    snprintf(ret, size, "none");
    for (const struct aws_profile *f = p->first; f != NULL && used < size; f = f->next) {
        int n = snprintf(ret + used, size - used, "%s%s", used == 0 ? "" : ", ", f->name);
        used += n < 0 ? size : (size_t)n;
    }
}
