/* Where the gateway listens, and who may call. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "auth.h"
#include "config_parse.h"
#include "isobar/where.h"

/* ---- URLs ---- */

/* Host and port of "HOST:PORT", "[HOST]:PORT", ":PORT" or "HOST"; false where it is none. */
static bool split_address(struct arena *a, const char *address, const char **ret_host)
{
    bool bracket = address[0] == '[';
    const char *host = address + bracket;
    size_t len = strcspn(host, bracket ? "]" : ":");
    const char *rest = host + len + bracket;

    if (bracket && host[len] != ']')
        return false;
    *ret_host = arena_strndup(a, host, len);
    if (!*rest)
        return true;
    return rest[0] == ':' && rest[1] && !rest[1 + strspn(rest + 1, "0123456789")] &&
           strlen(rest + 1) <= 5 && atoi(rest + 1) <= 65535;
}

static bool is_loopback(const char *host)
{
    struct in_addr v4;
    struct in6_addr v6;

    if (strcmp(host, "localhost") == 0)
        return true;
    if (inet_pton(AF_INET, host, &v4) == 1)
        return ntohl(v4.s_addr) >> 24 == 127;
    return inet_pton(AF_INET6, host, &v6) == 1 &&
           (IN6_IS_ADDR_LOOPBACK(&v6) || (IN6_IS_ADDR_V4MAPPED(&v6) && v6.s6_addr[12] == 127));
}

/* "tcp" of both "tcp" and "nng+tcp". */
static bool ends_with(const char *text, size_t len, const char *end)
{
    size_t n = strlen(end);

    return len >= n && memcmp(text + len - n, end, n) == 0;
}

static const char *known_schemes(struct arena *a)
{
    static const struct listener_ops *const kinds[] = {&listener_sp, &listener_nng};
    const char *text = "";

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        for (const char *const *s = kinds[i]->schemes; *s; s++)
            text = arena_printf(a, "%s%s%s://", text, *text ? ", " : "", *s);
    return text;
}

static void check_address(struct config_reading *r, const struct config_node *n,
                          const struct config_listen *l, const char *address, bool tls)
{
    const char *host;

    if (!split_address(r->arena, address, &host))
        config_wrong(r, n, "%s has no HOST:PORT; as tcp://127.0.0.1:7461", l->url);
    else if (tls && !l->tls.cert_file)
        config_wrong(r, n, "%s needs its files: {url: ..., tls: {cert: FILE, key: FILE}}", l->url);
    else if (!tls && !l->insecure && !is_loopback(host))
        config_wrong(r, n,
                     "%s is reached from other machines without encryption, so that tokens and "
                     "calls can be read and changed on their way; use tls+tcp:// with tls: {cert, "
                     "key}, or say insecure: true where the network is trusted",
                     l->url);
}

static void check_listen(struct config_reading *r, const struct config_node *n,
                         const struct config_listen *l)
{
    size_t len = strcspn(l->url, ":");
    bool tls = strncmp(l->url, "tls+", 4) == 0;

    if (!listener_for(l->url)) {
        config_wrong(r, n, "nothing listens at \"%s\"; a URL begins with one of %s", l->url,
                     known_schemes(r->arena));
        return;
    }
    const char *rest = l->url + len + strlen("://");
    if (ends_with(l->url, len, "tcp"))
        check_address(r, n, l, rest, tls);
    else if (ends_with(l->url, len, "ipc") && (rest[0] != '/' || strlen(rest) >= WHERE_PATH_MAX))
        config_wrong(r, n, "%s must have an absolute path of at most %d bytes", l->url,
                     WHERE_PATH_MAX - 1);
    else if (!*rest)
        config_wrong(r, n, "%s has no name", l->url);
    if (!tls && l->tls.cert_file)
        config_wrong(r, n, "%s has no use for tls; use tls+tcp://, or leave tls out", l->url);
}

static void read_place(struct config_reading *r, const struct config_node *n,
                       struct config_listen *l)
{
    unsigned before = r->n_mistakes;

    if (n->kind == CONFIG_MAP)
        config_read(r, &config_listen_table, n, l, NULL);
    else if (config_expect(r, n, CONFIG_SCALAR))
        l->url = n->text;
    if (l->url && r->n_mistakes == before)
        check_listen(r, n, l);
    for (size_t i = 0; l->url && i < r->config->n_listen; i++)
        if (r->config->listen[i].url && strcmp(r->config->listen[i].url, l->url) == 0)
            config_wrong(r, n, "%s is there twice; keep one of them", l->url);
}

void config_read_listen(struct config_reading *r, const struct config_node *list, void *base)
{
    struct config *config = base;

    if (!config_expect(r, list, CONFIG_LIST))
        return;
    if (!list->first)
        config_wrong(r, list, "listen names no place; leave it out for the local socket");
    config->listen = arena_array(r->arena, config_count(list), sizeof(*config->listen));
    for (const struct config_node *n = list->first; n && config->listen; n = n->next) {
        read_place(r, n, &config->listen[config->n_listen]);
        config->n_listen++;
    }
}

/* Encryption alone does not say who calls. */
static void check_strangers(struct config_reading *r, const struct config_node *n,
                            const struct config_listen *l)
{
    size_t len = strcspn(l->url, ":");
    const char *host;
    if (l->insecure || l->tls.ca_file || !ends_with(l->url, len, "tcp") ||
        !split_address(r->arena, l->url + len + strlen("://"), &host) || is_loopback(host))
        return;
    config_wrong(r, n,
                 "%s lets everybody who reaches it do everything; name users, or clients' "
                 "certificates by tls: {ca}, or say insecure: true",
                 l->url);
}

void config_check_strangers(struct config_reading *r, const struct config_node *root)
{
    const struct config_node *list = root->first;
    while (list && strcmp(list->key, "listen") != 0)
        list = list->next;
    size_t i = 0;
    for (const struct config_node *n = list ? list->first : NULL; n && r->config->n_users == 0;
         n = n->next)
        check_strangers(r, n, &r->config->listen[i++]);
}

/* ---- users ---- */

void config_check_secret(struct config_reading *r, const struct config_node *n, const char *path)
{
    struct stat st;

    if (stat(path, &st) == 0 && st.st_mode & 077)
        config_wrong(r, n, "token_file: others have rights to %s (mode %04o); chmod 600 it", path,
                     (unsigned)(st.st_mode & 07777));
}

static void check_user(struct config_reading *r, const struct config_node *n,
                       const struct config_user *u)
{
    enum role role;
    const char *roles = "";

    if (u->name && !*u->name)
        config_wrong(r, n, "a user's name cannot be empty");
    for (size_t i = 0; u->name && i < r->config->n_users; i++)
        if (r->config->users[i].name && strcmp(r->config->users[i].name, u->name) == 0)
            config_wrong(r, n, "user %s is there twice; keep one of them", u->name);
    for (role = ROLE_ADAPTER; role <= ROLE_ADMIN; role++)
        roles = arena_printf(r->arena, "%s%s%s", roles, *roles ? ", " : "", role_name(role));
    if (u->role && !role_parse(u->role, &role))
        config_wrong(r, n, "role cannot be \"%s\"; it is one of %s", u->role, roles);
    if (u->role && strcmp(u->role, role_name(ROLE_ADAPTER)) == 0 && u->n_adapters == 0)
        config_wrong(r, n, "a user of the role adapter needs adapters: [ADAPTER, ...]");
    if (u->token_file)
        config_check_secret(r, n, u->token_file);
}

void config_read_users(struct config_reading *r, const struct config_node *list, void *base)
{
    struct config *config = base;

    if (!config_expect(r, list, CONFIG_LIST))
        return;
    config->users = arena_array(r->arena, config_count(list), sizeof(*config->users));
    for (const struct config_node *n = list->first; n && config->users; n = n->next) {
        struct config_user *u = &config->users[config->n_users];
        u->line = n->line;
        u->column = n->column;
        if (config_expect(r, n, CONFIG_MAP)) {
            config_read(r, &config_user_table, n, u, NULL);
            check_user(r, n, u);
        }
        config->n_users++;
    }
}
