/* The tree of one cloud into struct os_config: the second half of os_config.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "os_config.h"
#include "os_files.h"

static const char *const identity_types[] = {"identity", NULL};
static const char *const compute_types[] = {"compute", NULL};
static const char *const image_types[] = {"image", NULL};
static const char *const network_types[] = {"network", NULL};
/* Source: OpenStack's service-types-authority. Version 2 of Cinder lacks what is needed. */
static const char *const volume_types[] = {"block-storage", "volumev3", "block-store", "volume",
                                           NULL};

const struct os_service_info os_services[OS_N_SERVICES] = {
    [OS_IDENTITY] = {"identity", identity_types, "/v3", "/v3"},
    [OS_COMPUTE] = {"compute", compute_types, "/v2.1", "/v2"},
    [OS_IMAGE] = {"image", image_types, "/v2", "/v2"},
    [OS_NETWORK] = {"network", network_types, "/v2.0", "/v2"},
    [OS_VOLUME] = {"volume", volume_types, "/v3", "/v3"},
};

static const struct auth_row {
    const char *type;
    enum os_auth_kind kind;
} map_auth[] = {
    {"password", OS_AUTH_PASSWORD},
    {"v3password", OS_AUTH_PASSWORD},
    {"token", OS_AUTH_TOKEN},
    {"v3token", OS_AUTH_TOKEN},
    {"v3applicationcredential", OS_AUTH_APPLICATION_CREDENTIAL},
};

/* What Keystone is told, under its names in the files, the weakest first. */
static const struct text_row {
    const char *names[3];
    size_t offset;
} map_texts[] = {
    {{"user_id"}, offsetof(struct os_config, user_id)},
    {{"user_name", "username"}, offsetof(struct os_config, username)},
    {{"user_domain_id"}, offsetof(struct os_config, user_domain_id)},
    {{"user_domain_name"}, offsetof(struct os_config, user_domain_name)},
    {{"tenant_id", "project_id"}, offsetof(struct os_config, project_id)},
    {{"tenant_name", "project_name"}, offsetof(struct os_config, project_name)},
    {{"project_domain_id"}, offsetof(struct os_config, project_domain_id)},
    {{"project_domain_name"}, offsetof(struct os_config, project_domain_name)},
    {{"domain_id"}, offsetof(struct os_config, domain_id)},
    {{"domain_name"}, offsetof(struct os_config, domain_name)},
    {{"trust_id"}, offsetof(struct os_config, trust_id)},
    {{"application_credential_id"}, offsetof(struct os_config, credential_id)},
    {{"application_credential_name"}, offsetof(struct os_config, credential_name)},
};

static const struct service_row {
    const char *names[2]; /* behind the service's type and "_", the weakest first */
    size_t offset;
} map_service_texts[] = {
    {{"endpoint", "endpoint_override"}, offsetof(struct os_service_config, endpoint)},
    {{"interface", "endpoint_type"}, offsetof(struct os_service_config, interface)},
    {{"region_name"}, offsetof(struct os_service_config, region)},
    {{"service_type"}, offsetof(struct os_service_config, type)},
    {{"service_name"}, offsetof(struct os_service_config, name)},
};

/* The strongest of some names; of the same name, the one under "auth" wins. */
static const char *text_of(const struct os_node *cloud, const char *const *names, size_t n)
{
    const struct os_node *auth = os_node_get(cloud, "auth");
    const char *found = NULL;
    for (size_t i = 0; i < n && names[i] != NULL; i++) {
        const char *top = os_node_text(cloud, names[i]);
        const char *in_auth = os_node_text(auth, names[i]);
        found = in_auth != NULL ? in_auth : top != NULL ? top : found;
    }
    return found;
}

/* "{region_name}" and the like, as Python's str.format() fills them in from the cloud's keys. */
static const char *format(struct arena *a, const struct os_node *cloud, const char *text,
                          struct open_error *error)
{
    const char *out = "";
    for (const char *open; (open = strchr(text, '{')) != NULL;) {
        const char *close = strchr(open, '}');
        const char *key =
            close == NULL ? "" : arena_strndup(a, open + 1, (size_t)(close - open - 1));
        const char *value = os_node_text(cloud, key);
        if (value == NULL)
            return os_config_error(error, cloud, "\"%s\": there is no \"%s\" to fill in", text,
                                   key);
        out = arena_printf(a, "%s%.*s%s", out, (int)(open - text), text, value);
        text = close + 1;
    }
    return arena_printf(a, "%s%s", out, text);
}

static bool is_http(const char *url)
{
    return strncasecmp(url, "http://", 7) == 0 || strncasecmp(url, "https://", 8) == 0;
}

/* Keystone's version 3, whatever version the URL names. */
static bool read_auth_url(struct os_config *c, const struct os_node *cloud,
                          struct open_error *error)
{
    static const char *const names[] = {"auth_url"};
    const char *text = text_of(cloud, names, ARRAY_LEN(names));
    if (text == NULL)
        return os_config_error(error, cloud, "there is no auth_url");
    const char *url = format(&c->arena, cloud, text, error);
    if (url == NULL)
        return false;
    if (!is_http(url))
        return os_config_error(error, cloud, "auth_url \"%s\" is no http:// or https:// URL", url);
    size_t len = strlen(url);
    while (len > 0 && url[len - 1] == '/')
        len--;
    static const char *const versions[] = {"/v3", "/v2.0"};
    for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
        size_t n = strlen(versions[i]);
        if (len > n && strncmp(url + len - n, versions[i], n) == 0) {
            len -= n;
            break;
        }
    }
    c->auth_url = arena_printf(&c->arena, "%.*s/v3", (int)len, url);
    return true;
}

static bool read_kind(struct os_config *c, const struct os_node *cloud, struct open_error *error)
{
    const char *type = os_node_text(cloud, "auth_type");
    if (type == NULL)
        type = os_node_text(cloud, "auth_plugin");
    if (type == NULL)
        type = map_auth[0].type;
    for (size_t i = 0; i < ARRAY_LEN(map_auth); i++) {
        if (strcmp(type, map_auth[i].type) == 0) {
            c->auth = map_auth[i].kind;
            return true;
        }
    }
    return os_config_error(error, cloud,
                           "auth_type \"%s\" is not supported: use password, token or "
                           "v3applicationcredential",
                           type);
}

/* One domain for user and project, where they have none of their own. */
static void fill_domains(struct os_config *c, const struct os_node *cloud)
{
    static const char *const id_names[] = {"default_domain", "default_domain_id"};
    static const char *const name_names[] = {"default_domain_name"};
    const char *id = text_of(cloud, id_names, ARRAY_LEN(id_names));
    const char *name = text_of(cloud, name_names, ARRAY_LEN(name_names));
    bool project = c->project_id != NULL || c->project_name != NULL;
    if (project && c->domain_id != NULL)
        id = c->domain_id;
    if (project && c->domain_name != NULL)
        name = c->domain_name;
    if (project)
        c->domain_id = c->domain_name = NULL;
    char *id_copy = id == NULL ? NULL : arena_strdup(&c->arena, id);
    char *name_copy = name == NULL ? NULL : arena_strdup(&c->arena, name);
    if (c->user_domain_id == NULL && c->user_domain_name == NULL) {
        c->user_domain_id = id_copy;
        c->user_domain_name = name_copy;
    }
    if (c->project_domain_id == NULL && c->project_domain_name == NULL) {
        c->project_domain_id = id_copy;
        c->project_domain_name = name_copy;
    }
}

static bool check_user(const struct os_config *c, const struct os_node *cloud,
                       struct open_error *error)
{
    if (c->user_id != NULL)
        return true;
    if (c->username == NULL)
        return os_config_error(error, cloud, "there is no username%s",
                               c->credential_id == NULL
                                   ? ""
                                   : "; with application_credential_id, auth_type must be "
                                     "v3applicationcredential");
    if (c->user_domain_id == NULL && c->user_domain_name == NULL)
        return os_config_error(error, cloud,
                               "a username is unique within its domain only: add user_domain_name "
                               "or user_domain_id");
    return true;
}

static bool check_scope(const struct os_config *c, const struct os_node *cloud,
                        struct open_error *error)
{
    if (os_node_text(cloud, "system_scope") != NULL ||
        os_node_text(os_node_get(cloud, "auth"), "system_scope") != NULL)
        return os_config_error(error, cloud,
                               "system_scope has no machines: name a project with project_name");
    if (c->project_id == NULL && c->project_name != NULL && c->project_domain_id == NULL &&
        c->project_domain_name == NULL)
        return os_config_error(error, cloud,
                               "a project_name is unique within its domain only: add "
                               "project_domain_name or project_domain_id");
    return true;
}

static bool read_secret(struct os_config *c, const struct os_node *cloud, struct open_error *error)
{
    static const struct {
        const char *names[2];
    } rows[] = {
        [OS_AUTH_PASSWORD] = {{"password"}},
        [OS_AUTH_TOKEN] = {{"auth_token", "token"}},
        [OS_AUTH_APPLICATION_CREDENTIAL] = {{"application_credential_secret"}},
    };
    const char *const *names = rows[c->auth].names;
    const char *secret = text_of(cloud, names, ARRAY_LEN(rows[c->auth].names));
    if (secret == NULL)
        return os_config_error(error, cloud, "there is no %s",
                               names[1] == NULL ? names[0] : names[1]);
    c->secret = arena_strdup(&c->arena, secret);
    if (c->auth == OS_AUTH_PASSWORD)
        return check_user(c, cloud, error) && check_scope(c, cloud, error);
    if (c->auth == OS_AUTH_TOKEN)
        return check_scope(c, cloud, error);
    if (c->credential_id != NULL)
        return true;
    if (c->credential_name == NULL)
        return os_config_error(error, cloud,
                               "there is no application_credential_id, nor an "
                               "application_credential_name with a user");
    return check_user(c, cloud, error);
}

/* "publicURL" is "public"; a list keeps its order. */
static const char *read_interface(struct os_config *c, const struct os_node *cloud, const char *key,
                                  struct open_error *error)
{
    static const char *const known[] = {"public", "internal", "admin"};
    struct os_node *n = os_node_get(cloud, key);
    if (n == NULL || n->kind == OS_NODE_NULL)
        return "";
    const char *out = "";
    for (struct os_node *i = n->kind == OS_NODE_LIST ? n->first : n; i != NULL;
         i = n->kind == OS_NODE_LIST ? i->next : NULL) {
        size_t len = i->text == NULL ? 0 : strlen(i->text);
        if (len > 3 && strcmp(i->text + len - 3, "URL") == 0)
            len -= 3;
        const char *word = NULL;
        for (size_t k = 0; k < ARRAY_LEN(known); k++)
            word = strlen(known[k]) == len && memcmp(known[k], i->text, len) == 0 ? known[k] : word;
        if (word == NULL)
            return os_config_error(error, i, "%s \"%s\" is none of public, internal and admin", key,
                                   i->text == NULL ? "" : i->text);
        out = arena_printf(&c->arena, "%s%s%s", out, out[0] == '\0' ? "" : ",", word);
    }
    return out;
}

/* What is said for one service alone, under any of its types. */
static bool read_service(struct os_config *c, enum os_service service, const struct os_node *cloud,
                         struct open_error *error)
{
    struct os_service_config *s = &c->services[service];
    size_t n_types = 0;
    while (os_services[service].types[n_types] != NULL)
        n_types++;
    for (size_t t = n_types; t-- > 0;) { /* the best type last: it wins */
        char *type = arena_strdup(&c->arena, os_services[service].types[t]);
        for (char *dash = type; *dash != '\0'; dash++)
            *dash = (char)(*dash == '-' ? '_' : *dash);
        for (size_t i = 0; i < ARRAY_LEN(map_service_texts); i++) {
            const struct service_row *row = &map_service_texts[i];
            for (size_t k = 0; k < ARRAY_LEN(row->names) && row->names[k] != NULL; k++) {
                const char *key = arena_printf(&c->arena, "%s_%s", type, row->names[k]);
                bool interface = row->offset == offsetof(struct os_service_config, interface);
                const char *text =
                    interface ? read_interface(c, cloud, key, error) : os_node_text(cloud, key);
                if (text == NULL && interface)
                    return false;
                if (text != NULL && text[0] != '\0')
                    *(const char **)((char *)s + row->offset) = arena_strdup(&c->arena, text);
            }
        }
    }
    if (s->endpoint == NULL)
        return true;
    s->endpoint = format(&c->arena, cloud, s->endpoint, error);
    if (s->endpoint != NULL && !is_http(s->endpoint))
        return os_config_error(error, cloud, "\"%s\" is no http:// or https:// URL", s->endpoint);
    return s->endpoint != NULL;
}

/* YAML 1.1's words for true and false, and what people write in the environment. */
static bool is_word(const char *text, const char *const *words, size_t n)
{
    for (size_t i = 0; text != NULL && i < n; i++) {
        if (strcasecmp(text, words[i]) == 0)
            return true;
    }
    return false;
}

static const char *path_of(struct os_config *c, const struct os_node *cloud, const char *key)
{
    const char *path = os_node_text(cloud, key);
    if (path == NULL)
        return NULL;
    if (strncmp(path, "~/", 2) == 0 && os_env("HOME") != NULL)
        return arena_printf(&c->arena, "%s%s", os_env("HOME"), path + 1);
    return arena_strdup(&c->arena, path);
}

static void read_tls(struct os_config *c, const struct os_node *cloud)
{
    static const char *const yes[] = {"true", "yes", "on", "1"};
    static const char *const no[] = {"false", "no", "off", "0"};
    c->insecure = is_word(os_node_text(cloud, "insecure"), yes, ARRAY_LEN(yes)) ||
                  is_word(os_node_text(cloud, "verify"), no, ARRAY_LEN(no));
    c->ca_file = path_of(c, cloud, "cacert");
    c->client_cert = path_of(c, cloud, "cert");
    c->client_key = path_of(c, cloud, "key");
}

/* compute_default_microversion, or a compute_api_version that is one. */
static void read_microversion(struct os_config *c, const struct os_node *cloud)
{
    const char *text = os_node_text(cloud, "compute_default_microversion");
    const char *version = os_node_text(cloud, "compute_api_version");
    const char *dot = version == NULL ? NULL : strchr(version, '.');
    if (text == NULL && dot != NULL && strcmp(dot, ".0") != 0)
        text = version;
    c->compute_microversion = text == NULL ? NULL : arena_strdup(&c->arena, text);
}

bool os_config_read(struct os_config *c, const struct os_node *cloud, struct open_error *ret_error)
{
    const struct os_node *auth = os_node_get(cloud, "auth");
    if (auth != NULL && auth->kind != OS_NODE_MAP && auth->kind != OS_NODE_NULL)
        return os_config_error(ret_error, auth, "\"auth\" must be a map");
    for (size_t i = 0; i < ARRAY_LEN(map_texts); i++) {
        const struct text_row *row = &map_texts[i];
        const char *text = text_of(cloud, row->names, ARRAY_LEN(row->names));
        if (text != NULL)
            *(const char **)((char *)c + row->offset) = arena_strdup(&c->arena, text);
    }
    fill_domains(c, cloud);
    if (!read_kind(c, cloud, ret_error) || !read_auth_url(c, cloud, ret_error) ||
        !read_secret(c, cloud, ret_error))
        return false;
    const char *interface = read_interface(
        c, cloud, os_node_text(cloud, "endpoint_type") != NULL ? "endpoint_type" : "interface",
        ret_error);
    if (interface == NULL)
        return false;
    c->interface = interface[0] == '\0' ? "public" : interface;
    for (int i = 0; i < OS_N_SERVICES; i++) {
        if (!read_service(c, (enum os_service)i, cloud, ret_error))
            return false;
    }
    const char *region = os_node_text(cloud, "region_name");
    c->region = region == NULL ? NULL : arena_strdup(&c->arena, region);
    read_tls(c, cloud);
    read_microversion(c, cloud);
    return true;
}
