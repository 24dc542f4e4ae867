/* Who may register adapters here, and where this gateway registers its own clouds. */
#include <string.h>

#include "config_parse.h"
#include "semver.h"
#include "words.h"

/* The texts of a list. */
static void read_texts(struct config_reading *r, const struct config_node *list,
                       const char ***ret_texts, size_t *ret_n)
{
    if (!config_expect(r, list, CONFIG_LIST))
        return;
    *ret_texts = arena_array(r->arena, config_count(list), sizeof(**ret_texts));
    for (const struct config_node *n = list->first; n && *ret_texts; n = n->next)
        if (config_expect(r, n, CONFIG_SCALAR))
            (*ret_texts)[(*ret_n)++] = n->text;
    if (!list->first)
        config_wrong(r, list, "the list %s is empty; leave it out, or name something", list->key);
}

void config_read_adapters(struct config_reading *r, const struct config_node *n, void *base)
{
    struct config_user *u = base;
    read_texts(r, n, &u->adapters, &u->n_adapters);
}

void config_read_offer(struct config_reading *r, const struct config_node *n, void *base)
{
    struct config_register *g = base;
    read_texts(r, n, &g->offer, &g->n_offer);
}

void config_read_metadata(struct config_reading *r, const struct config_node *map, void *base)
{
    struct config_register *g = base;

    if (!config_expect(r, map, CONFIG_MAP))
        return;
    g->metadata = arena_array(r->arena, config_count(map), sizeof(*g->metadata));
    for (const struct config_node *n = map->first; n && g->metadata; n = n->next)
        if (config_expect(r, n, CONFIG_SCALAR))
            g->metadata[g->n_metadata++] =
                (struct config_pair){n->key, n->text, n->line, n->column};
}

static bool is_reachable_url(const char *url)
{
    return strncmp(url, "ipc:///", 7) == 0 || strncmp(url, "tcp://", 6) == 0 ||
           strncmp(url, "tls+tcp://", 10) == 0;
}

void config_read_registers(struct config_reading *r, const struct config_node *node, void *base)
{
    struct config *config = base;
    bool list = node->kind == CONFIG_LIST;
    const struct config_node *first = list ? node->first : node;

    config->registers = arena_array(r->arena, config_count(node) + 1, sizeof(*config->registers));
    for (const struct config_node *n = first; n && config->registers; n = list ? n->next : NULL) {
        struct config_register *g = &config->registers[config->n_registers++];
        g->line = n->line;
        g->column = n->column;
        config_initial(&config_register_table, g);
        if (!config_expect(r, n, CONFIG_MAP))
            continue;
        config_read(r, &config_register_table, n, g, NULL);
        if (g->gateway && !is_reachable_url(g->gateway))
            config_wrong(r, n,
                         "gateway: \"%s\" is none; as ipc:///run/isobar/isobar.sock or "
                         "tcp://10.0.0.7:7461",
                         g->gateway);
        if (g->token_file)
            config_check_secret(r, n, g->token_file);
    }
}

/* ---- what hangs together ---- */

static bool may_be_registered(const struct config *c, const char *adapter)
{
    for (size_t i = 0; i < c->n_users; i++)
        for (size_t k = 0; k < c->users[i].n_adapters; k++)
            if (strcmp(c->users[i].adapters[k], adapter) == 0 ||
                strcmp(c->users[i].adapters[k], "*") == 0)
                return true;
    return false;
}

static const char *near_adapters(struct config_reading *r, const char *word)
{
    size_t n = 0, most = 0;
    const struct config *c = r->config;

    while (adapters_builtin[most])
        most++;
    for (size_t i = 0; i < c->n_users; i++)
        most += c->users[i].n_adapters;
    const char **names = arena_array(r->arena, most + 1, sizeof(*names));
    for (size_t i = 0; names && adapters_builtin[i]; i++)
        names[n++] = adapters_builtin[i]->name;
    for (size_t i = 0; names && i < c->n_users; i++)
        for (size_t k = 0; k < c->users[i].n_adapters; k++)
            names[n++] = c->users[i].adapters[k];
    return names ? near_words(r->arena, word, names, n) : "";
}

static void check_cloud(struct config_reading *r, const struct config_cloud *c)
{
    struct config_node at = {.line = c->adapter_line, .column = c->adapter_column};

    if (c->ops || !c->adapter)
        return;
    if (c->version && !semver_range_ok(c->version))
        config_wrong(r, &at,
                     "version: \"%s\" is no range of versions; as \">=2 <3\", \"1.4\" or \"*\"",
                     c->version);
    if (may_be_registered(r->config, c->adapter))
        return;
    config_wrong(
        r, &at,
        "there is no adapter \"%s\"%s; one that registers must stand under `adapters` of a "
        "user",
        c->adapter, near_adapters(r, c->adapter));
}

static bool is_fit_endpoint(const char *url)
{
    bool reachable = is_reachable_url(url);
    url += strncmp(url, "tls+", 4) == 0 ? 4 : 0;
    size_t len = strlen(url);
    bool nowhere = strncmp(url, "tcp://0.0.0.0", 13) == 0 || strncmp(url, "tcp://[::]", 10) == 0 ||
                   strncmp(url, "tcp://:", 7) == 0 || (len > 2 && strcmp(url + len - 2, ":0") == 0);
    return reachable && !nowhere;
}

static void check_register(struct config_reading *r, struct config_register *g)
{
    struct config_node at = {.line = g->line, .column = g->column};
    const struct config *c = r->config;
    const char **names = arena_array(r->arena, c->n_clouds + 1, sizeof(*names));

    for (size_t i = 0; names && i < c->n_clouds; i++)
        names[i] = c->clouds[i].name;
    for (size_t i = 0; names && i < g->n_offer; i++) {
        size_t k = 0;
        while (k < c->n_clouds && strcmp(names[k], g->offer[i]) != 0)
            k++;
        if (k == c->n_clouds)
            config_wrong(r, &at, "there is no cloud \"%s\" to offer%s", g->offer[i],
                         near_words(r->arena, g->offer[i], names, c->n_clouds));
    }
    if (!g->endpoint && c->n_listen > 0)
        g->endpoint = c->listen[0].url;
    if (g->endpoint && !is_fit_endpoint(g->endpoint))
        config_wrong(r, &at,
                     "the other gateway cannot call %s; say by endpoint: how it reaches "
                     "this one, as ipc:///PATH or tcp://HOST:PORT",
                     g->endpoint);
}

void config_check_registered(struct config_reading *r, const struct config_node *root)
{
    struct config *c = r->config;
    bool any = false;

    for (size_t i = 0; i < c->n_clouds; i++)
        check_cloud(r, &c->clouds[i]);
    for (size_t i = 0; i < c->n_users; i++)
        any = any || c->users[i].n_adapters > 0;
    if (r->n_mistakes == 0 && c->n_clouds == 0 && !any)
        config_wrong(r, root,
                     "clouds names none; as a beginning: clouds: {box: {adapter: sandbox}}");
    for (size_t i = 0; i < c->n_registers; i++)
        check_register(r, &c->registers[i]);
}
