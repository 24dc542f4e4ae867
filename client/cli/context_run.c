/* `isobar context list|show|use`. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "context.h"
#include "detail.h"
#include "isobar.h"
#include "output.h"
#include "request.h"
#include "say.h"

static int read_file(struct cli *c, struct context_file *file)
{
    char why[CONTEXT_WHY];
    return context_file_read(&c->arena, context_path(&c->arena), file, why)
               ? output_prepare(c, NULL)
               : say_usage(c, "%s", why);
}

int run_context_list(struct cli *c)
{
    struct context_file file;
    int code = read_file(c, &file);
    if (code != EXIT_OK) {
        return code;
    }
    CLEANUP(table_freep) struct table *t = output_table(c);
    table_add_column(t, "CURRENT", 0);
    table_add_column(t, "NAME", 0);
    table_add_column(t, "SERVER", 0);
    table_add_column(t, "CLOUD", 0);
    for (size_t i = 0; i < file.n; i++) {
        const struct context *x = &file.contexts[i];
        bool is_current = file.current && strcmp(file.current, x->name) == 0;
        table_add_row(t);
        table_set(t, 0, is_current ? "*" : "", TABLE_PLAIN);
        table_set(t, 1, x->name, TABLE_PLAIN);
        table_set(t, 2, x->server ? x->server : isobar_default_url(), TABLE_PLAIN);
        table_set(t, 3, x->cloud ? x->cloud : "", TABLE_PLAIN);
    }
    output_take_table(c, t);
    if (!file.n) {
        say(c, "%s names no gateway", *file.path ? file.path : "client.yaml");
    }
    return EXIT_OK;
}

int run_context_show(struct cli *c)
{
    struct context_file file;
    char why[CONTEXT_WHY];
    int code = read_file(c, &file);
    if (code != EXIT_OK) {
        return code;
    }
    const char *name = c->args.n_words ? c->args.words[0] : file.current;
    const struct context *x = name ? context_find(&file, name, why) : NULL;
    if (name && !x) {
        return say_usage(c, "%s", why);
    }
    CLEANUP(table_freep) struct table *t = detail_table(c);
    detail_row(t, "name", x ? x->name : "(none)", TABLE_PLAIN);
    if (!x || !x->server) {
        detail_row(t, "server", isobar_default_url(), TABLE_PLAIN);
    }
    const char *key, *value;
    for (size_t i = 0; x && (value = context_setting(x, i, &key), key); i++) {
        if (value) {
            detail_row(t, key, value, TABLE_PLAIN);
        }
    }
    output_take_table(c, t);
    return EXIT_OK;
}

/* Write the file whole under another name, then put it in place. */
static bool replace_file(struct cli *c, const char *path, const struct buf *text)
{
    const char *temporary = arena_printf(&c->arena, "%s.%ld", path, (long)getpid());
    struct stat old;
    mode_t mode = stat(path, &old) == 0 ? old.st_mode & 0777 : 0600;
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0) {
        return false;
    }
    bool good = write(fd, text->data, text->len) == (ssize_t)text->len && fsync(fd) == 0;
    good = close(fd) == 0 && good && rename(temporary, path) == 0;
    if (!good) {
        int error = errno;
        unlink(temporary);
        errno = error;
    }
    return good;
}

int run_context_use(struct cli *c)
{
    struct context_file file, changed;
    char why[CONTEXT_WHY];
    int code = read_file(c, &file);
    if (code != EXIT_OK) {
        return code;
    }
    const char *name = c->args.words[0];
    if (!context_find(&file, name, why)) {
        return say_usage(c, "%s", why);
    }
    CLEANUP(buf_done) struct buf old;
    CLEANUP(buf_done) struct buf text;
    buf_init(&old, SIZE_MAX / 2);
    buf_init(&text, SIZE_MAX / 2);
    if (!request_read_file(file.path, &old, why)) {
        return say_failure(c, "%s", why);
    }
    context_with_current(&file, old.data, old.len, name, &text);
    if (text.failed ||
        !context_file_parse(&c->arena, file.path, text.data, text.len, &changed, why) ||
        !changed.current || strcmp(changed.current, name) != 0) {
        return say_failure(c, "cannot change %s: write `current: %s` into it", file.path, name);
    }
    if (!replace_file(c, file.path, &text)) {
        return say_failure(c, "cannot write %s: %s", file.path, strerror(errno));
    }
    return EXIT_OK;
}
