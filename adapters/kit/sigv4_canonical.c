#include "sigv4_canonical.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

#define LOWER  "abcdefghijklmnopqrstuvwxyz"
#define UPPER  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

/* ---- the URL ---- */

bool url_split(const char *text, struct url *ret)
{
    const char *host, *at;
    size_t len;

    *ret = (struct url){.tls = strncasecmp(text, "https://", 8) == 0};
    if (!ret->tls && strncasecmp(text, "http://", 7) != 0)
        return false;
    host = text + (ret->tls ? 8 : 7);
    len = strcspn(host, "/?#");
    ret->path = host + len;
    at = memrchr(host, '@', len);
    ret->host = at ? at + 1 : host;
    ret->host_len = (size_t)(ret->path - ret->host);
    ret->path_len = strcspn(ret->path, "?#");
    ret->query = ret->path + ret->path_len;
    if (*ret->query == '?')
        ret->query++;
    ret->query_len = strcspn(ret->query, "#");
    return ret->host_len > 0;
}

/* Without the brackets, and as libcurl shortens it: no zone, fewer zeros. */
static const char *host_v6(struct arena *a, const char *text, size_t len)
{
    char *host = arena_strndup(a, text, len), shorter[INET6_ADDRSTRLEN];
    struct in6_addr address;

    if (a->exhausted)
        return NULL;
    host[strcspn(host, "%")] = '\0';
    if (inet_pton(AF_INET6, host, &address) != 1 ||
        !inet_ntop(AF_INET6, &address, shorter, sizeof(shorter)))
        return NULL;
    return strlen(shorter) < strlen(host) ? arena_strdup(a, shorter) : host;
}

/* libcurl writes numbers as the address that they are ("127.1"). Of a name that it would decode or
 * turn into punycode we do not know what becomes. */
static const char *host_name(struct arena *a, const char *text, size_t len)
{
    char *host = arena_strndup(a, text, len), dotted[INET_ADDRSTRLEN];
    struct in_addr address;

    if (!*host || host[strspn(host, LOWER UPPER DIGITS "-._~")])
        return NULL;
    if (inet_aton(host, &address) && inet_ntop(AF_INET, &address, dotted, sizeof(dotted)))
        return arena_strdup(a, dotted);
    return host;
}

/* The number in ":8443"; 0 for the scheme's own, which need not be written; -1 where it is none. */
static long host_port(const struct url *url, const char *text, size_t len)
{
    long port;

    if (len <= 1)
        return len == 0 || *text == ':' ? 0 : -1;
    if (*text != ':' || strspn(text + 1, DIGITS) < len - 1)
        return -1;
    port = strtol(text + 1, NULL, 10);
    if (port < 1 || port > 65535)
        return -1;
    return port == (url->tls ? 443 : 80) ? 0 : port;
}

const char *url_host_header(struct arena *a, const struct url *url)
{
    const char *text = url->host, *end = text + url->host_len, *host, *rest;
    bool v6 = *text == '[';
    long port;

    if (v6) {
        rest = memchr(text, ']', url->host_len);
        host = rest ? host_v6(a, text + 1, (size_t)(rest - text - 1)) : NULL;
        rest = rest ? rest + 1 : end;
    } else {
        rest = memchr(text, ':', url->host_len);
        rest = rest ? rest : end;
        host = host_name(a, text, (size_t)(rest - text));
    }
    port = host_port(url, rest, (size_t)(end - rest));
    if (!host || port < 0 || a->exhausted)
        return NULL;
    if (v6 && port > 0)
        return arena_printf(a, "[%s]:%ld", host, port);
    if (v6)
        return arena_printf(a, "[%s]", host);
    return port > 0 ? arena_printf(a, "%s:%ld", host, port) : host;
}

/* ---- path and query ---- */

/* Dots are resolved and empty segments left out, into `out`, which has room for the path; what
 * comes out has a slash before each segment, and one at the end where the path has. */
static size_t remove_dots(const char *path, size_t len, char *out)
{
    size_t n = 0, segment;

    for (size_t i = 0; i < len; i += segment + 1) {
        const char *slash = memchr(path + i, '/', len - i);
        segment = slash ? (size_t)(slash - path) - i : len - i;
        if (segment == 0 || (segment == 1 && path[i] == '.'))
            continue;
        if (segment == 2 && memcmp(path + i, "..", 2) == 0) {
            while (n > 0 && out[--n] != '/')
                continue;
            continue;
        }
        out[n++] = '/';
        memcpy(out + n, path + i, segment);
        n += segment;
    }
    if (path[len - 1] == '/')
        out[n++] = '/';
    return n;
}

void canonical_path(struct text *t, const struct url *url, bool keep)
{
    char *clean;
    size_t len;

    if (url->path_len <= 1) {
        text_addc(t, '/');
    } else if (keep) {
        text_encode(t, url->path, url->path_len, TEXT_SLASH | TEXT_ESCAPED);
    } else if ((clean = arena_alloc(t->arena, url->path_len))) {
        len = remove_dots(url->path, url->path_len, clean);
        text_encode(t, len > 0 ? clean : "/", len > 0 ? len : 1, TEXT_SLASH);
    }
}

struct param {
    const char *name, *value;
    size_t name_len, value_len;
};

static int compare_bytes(const char *a, size_t a_len, const char *b, size_t b_len)
{
    int order = memcmp(a, b, a_len < b_len ? a_len : b_len);

    return order ? order : (a_len > b_len) - (a_len < b_len);
}

static int compare_params(const void *a, const void *b)
{
    const struct param *p = a, *q = b;
    int order = compare_bytes(p->name, p->name_len, q->name, q->name_len);

    return order ? order : compare_bytes(p->value, p->value_len, q->value, q->value_len);
}

/* "name=value" with both encoded into `encoded`, which does not move. */
static struct param param_read(struct text *encoded, const char *text, size_t len)
{
    const char *equals = memchr(text, '=', len), *value = equals ? equals + 1 : text + len;
    struct param p = {.name = encoded->data + encoded->len};

    text_encode(encoded, text, equals ? (size_t)(equals - text) : len, TEXT_ESCAPED);
    p.value = encoded->data + encoded->len;
    p.name_len = (size_t)(p.value - p.name);
    text_encode(encoded, value, (size_t)(text + len - value), TEXT_ESCAPED);
    p.value_len = (size_t)(encoded->data + encoded->len - p.value);
    return p;
}

void canonical_query(struct text *t, const char *query, size_t len)
{
    struct text encoded;
    struct param *params;
    size_t n = 0, room = 1, param_len;

    if (len == 0)
        return;
    for (size_t i = 0; i < len; i++)
        room += query[i] == '&';
    params = arena_array(t->arena, room, sizeof(*params));
    text_init(&encoded, t->arena, 3 * len);
    if (!params || t->arena->exhausted)
        return;
    for (size_t i = 0; i < len; i += param_len + 1) {
        const char *and = memchr(query + i, '&', len - i);
        param_len = and? (size_t)(and-query) - i : len - i;
        if (param_len > 0)
            params[n++] = param_read(&encoded, query + i, param_len);
    }
    qsort(params, n, sizeof(*params), compare_params);
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            text_addc(t, '&');
        text_add(t, params[i].name, params[i].name_len);
        text_addc(t, '=');
        text_add(t, params[i].value, params[i].value_len);
    }
}

/* ---- headers ---- */

/* By name; those of one name in the order in which they are sent. */
static int compare_headers(const void *a, const void *b)
{
    const struct http_header *p = *(const struct http_header *const *)a,
                             *q = *(const struct http_header *const *)b;
    int order = strcasecmp(p->name, q->name);

    return order ? order : (p > q) - (p < q);
}

static void add_lower(struct text *t, const char *name)
{
    size_t len = strlen(name);
    char *to = text_reserve(t, len);

    if (!to)
        return;
    for (size_t i = 0; i < len; i++)
        to[i] = (char)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] | 0x20 : name[i]);
    t->len += len;
}

/* Blanks at both ends go, those within become one, quoted or not. */
static void add_trimmed(struct text *t, const char *value)
{
    static const char blanks[] = " \t\r\n\v\f";

    value += strspn(value, blanks);
    while (*value) {
        size_t word = strcspn(value, blanks), gap = strspn(value + word, blanks);
        text_add(t, value, word);
        value += word + gap;
        if (*value)
            text_addc(t, ' ');
    }
}

void canonical_headers(struct text *lines, struct text *names, const struct http_header *headers,
                       size_t n, const struct http_header *skip)
{
    const struct http_header **sorted = arena_array(lines->arena, n, sizeof(*sorted));
    size_t n_sorted = 0;

    if (!sorted)
        return;
    for (size_t i = 0; i < n; i++)
        if (&headers[i] != skip)
            sorted[n_sorted++] = &headers[i];
    qsort(sorted, n_sorted, sizeof(*sorted), compare_headers);
    for (size_t i = 0; i < n_sorted; i++) {
        if (i > 0 && strcasecmp(sorted[i]->name, sorted[i - 1]->name) == 0) {
            text_addc(lines, ',');
        } else {
            if (i > 0) {
                text_addc(lines, '\n');
                text_addc(names, ';');
            }
            add_lower(lines, sorted[i]->name);
            text_addc(lines, ':');
            add_lower(names, sorted[i]->name);
        }
        add_trimmed(lines, sorted[i]->value);
    }
    text_addc(lines, '\n');
}
