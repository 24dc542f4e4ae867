#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config_parse.h"
#include "isobar/utf8.h"
#include "isobar/where.h"

/* The tree, its strings and what is made of them; a file of the largest size fits several times. */
#define ARENA_MAX ((size_t)16 << 20)

static const char built_in[] = "clouds: {sandbox: {adapter: sandbox}}\n";

static const char *place_name(const struct config *c)
{
    return c->path ? c->path : "built-in configuration";
}

void config_wrong(struct config_reading *r, const struct config_node *n, const char *fmt, ...)
{
    char what[1024], line[1280];
    va_list args;

    if (r->n_mistakes++ >= CONFIG_MISTAKES_MAX)
        return;
    va_start(args, fmt);
    vsnprintf(what, sizeof(what), fmt, args);
    va_end(args);
    if (n && n->line)
        snprintf(line, sizeof(line), "%s:%d:%d: %s", place_name(r->config), n->line, n->column,
                 what);
    else
        snprintf(line, sizeof(line), "%s: %s", place_name(r->config), what);
    /* A report is one line, whatever the file has in quotes. */
    for (char *p = line; *p; p++)
        if ((unsigned char)*p < ' ' || *p == 0x7f)
            *p = '?';
    r->report(r->ctx, utf8_mend(line));
}

/* ---- what nobody says ---- */

static const char *default_state_dir(struct arena *a)
{
    const char *given = getenv("STATE_DIRECTORY"), *xdg = getenv("XDG_STATE_HOME"),
               *home = getenv("HOME");

    /* systemd separates several by colons. */
    if (given && *given)
        return arena_strndup(a, given, strcspn(given, ":"));
    if (geteuid() == 0)
        return "/var/lib/isobar";
    if (xdg && *xdg == '/')
        return arena_printf(a, "%s/isobar", xdg);
    if (home && *home == '/')
        return arena_printf(a, "%s/.local/state/isobar", home);
    return arena_printf(a, "/var/tmp/isobar-%lu", (unsigned long)geteuid());
}

static void fill(struct config *c)
{
    char path[WHERE_PATH_MAX];

    if (!c->state_dir)
        c->state_dir = default_state_dir(&c->arena);
    if (c->listen)
        return;
    c->listen = ARENA_NEW(&c->arena, struct config_listen);
    if (!c->listen)
        return;
    where_socket(path);
    c->listen->url = arena_printf(&c->arena, "ipc://%s", path);
    c->n_listen = 1;
}

/* ---- reading ---- */

static void tell_repeated(struct config_reading *r, const struct config_node *parent)
{
    for (const struct config_node *n = parent->first; n; n = n->next) {
        if (n->first_line)
            config_wrong(r, n, "%s is in line %d already; keep one of them", n->key, n->first_line);
        tell_repeated(r, n);
    }
}

static void read_all(struct config_reading *r, const char *text, size_t len)
{
    struct config_mistake mistake;
    struct config_node *root = config_yaml(r->arena, text, len, &mistake);

    if (!root) {
        struct config_node at = {.line = mistake.line, .column = mistake.column};
        config_wrong(r, &at, "%s", mistake.text);
        return;
    }
    /* A file of comments alone is a map without keys. */
    if (config_is_null(root))
        *root = (struct config_node){.kind = CONFIG_MAP, .line = 1, .column = 1};
    if (!config_expect(r, root, CONFIG_MAP))
        return;
    tell_repeated(r, root);
    config_initial(&config_top, r->config);
    config_read(r, &config_top, root, r->config, NULL);
    fill(r->config);
    if (r->n_mistakes == 0)
        config_check_strangers(r, root);
    config_check_registered(r, root);
    if (r->arena->exhausted)
        config_wrong(r, NULL, "there is too much in this file");
}

struct config *config_parse(const char *text, size_t len, const char *path,
                            void (*report)(void *ctx, const char *line), void *ctx)
{
    struct config *c = calloc(1, sizeof(*c));
    char line[96];

    if (!c) {
        report(ctx, "out of memory");
        return NULL;
    }
    arena_init(&c->arena, ARENA_MAX);
    c->path = path ? arena_strdup(&c->arena, path) : NULL;
    struct config_reading r = {.config = c, .arena = &c->arena, .report = report, .ctx = ctx};
    read_all(&r, text, len);
    if (r.n_mistakes == 0)
        return c;
    if (r.n_mistakes > CONFIG_MISTAKES_MAX) {
        snprintf(line, sizeof(line), "and %u more mistakes", r.n_mistakes - CONFIG_MISTAKES_MAX);
        report(ctx, line);
    }
    config_free(c);
    return NULL;
}

/* Read at most the largest size and one byte more, whatever the file is. */
static bool read_file(int fd, struct buf *out)
{
    for (;;) {
        char *at = buf_reserve(out, 4096);
        ssize_t n = at ? read(fd, at, 4096) : 0;
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        if (n == 0)
            return true;
        out->len += (size_t)n;
    }
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

struct config *config_load(const char *path, void (*report)(void *ctx, const char *line), void *ctx)
{
    struct buf text CLEANUP(buf_wipe);
    char line[512];

    buf_init(&text, CONFIG_BYTES_MAX + 8192);
    if (!path)
        return config_parse(built_in, strlen(built_in), NULL, report, ctx);
    int fd CLEANUP(close_fd) = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || !read_file(fd, &text)) {
        snprintf(line, sizeof(line), "%s: cannot read it: %s", path, strerror(errno));
        report(ctx, line);
        return NULL;
    }
    return config_parse(text.data ? text.data : "", text.len, path, report, ctx);
}

void config_free(struct config *c)
{
    if (!c)
        return;
    /* Among the settings may be secrets. */
    for (size_t i = 0; i < c->n_clouds; i++)
        for (size_t k = 0; k < c->clouds[i].n_settings; k++) {
            const char *value = c->clouds[i].settings[k].value;
            explicit_bzero((char *)(uintptr_t)value, strlen(value));
        }
    arena_done(&c->arena);
    free(c);
}
