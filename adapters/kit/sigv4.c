#include "kit/sigv4.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "isobar/buf.h"
#include "isobar/clock.h"
#include "sigv4_canonical.h"

#define ALGORITHM "AWS4-HMAC-SHA256"
#define HASH_LEN  32
#define HEX_LEN   (2 * HASH_LEN)
#define TIME_LEN  16 /* "20150830T123600Z" */
#define DATE_LEN  8  /* the part of it before the T */

/* ---- the signer ---- */

struct sigv4_signer {
    EVP_MD *sha256; /* constant. Fetched once: OpenSSL 3 looks it up in tables otherwise */
    pthread_mutex_t lock;
    EVP_MAC_CTX *mac; /* under the lock, as is all that follows */
    /* What the key was derived from; the scope is empty where there is none. */
    struct buf secret; /* "AWS4" and the secret */
    struct buf scope;
    size_t region_len; /* a region with a slash must not look like another service */
    unsigned char key[HASH_LEN];
};

static EVP_MAC_CTX *mac_new(void)
{
    char digest[] = "SHA256";
    OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string("digest", digest, 0),
                           OSSL_PARAM_construct_end()};
    EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *mac = hmac ? EVP_MAC_CTX_new(hmac) : NULL;

    EVP_MAC_free(hmac);
    if (mac && EVP_MAC_CTX_set_params(mac, params) != 1) {
        EVP_MAC_CTX_free(mac);
        mac = NULL;
    }
    return mac;
}

struct sigv4_signer *sigv4_signer_new(void)
{
    struct sigv4_signer *s = calloc(1, sizeof(*s));

    if (!s)
        return NULL;
    pthread_mutex_init(&s->lock, NULL);
    buf_init(&s->secret, SIZE_MAX);
    buf_init(&s->scope, SIZE_MAX);
    s->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    s->mac = mac_new();
    if (!s->sha256 || !s->mac) {
        sigv4_signer_free(s);
        return NULL;
    }
    return s;
}

static void forget_key(struct sigv4_signer *s)
{
    OPENSSL_cleanse(s->key, sizeof(s->key));
    buf_wipe(&s->secret);
    buf_reset(&s->scope);
}

void sigv4_signer_free(struct sigv4_signer *s)
{
    if (!s)
        return;
    forget_key(s);
    buf_done(&s->scope);
    EVP_MAC_CTX_free(s->mac); /* which wipes what it has of the key */
    EVP_MD_free(s->sha256);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

/* ---- one signature ---- */

struct signing {
    struct sigv4_signer *signer;
    struct arena *arena;
    const struct sigv4_key *key;
    const struct sigv4_scope *scope;
    char time[TIME_LEN + 1];
    const char *scope_text;   /* "20150830/us-east-1/ec2/aws4_request" */
    struct text lines, names; /* the headers, canonical */
    struct text canonical, to_sign;
    char *signature; /* in hex; in the arena */
};

/* All from here to sign_text() are called with the signer's lock held. */

static bool hmac(struct sigv4_signer *s, const void *key, size_t key_len, const char *data,
                 size_t len, unsigned char ret[HASH_LEN])
{
    size_t ret_len;

    return EVP_MAC_init(s->mac, key, key_len, NULL) == 1 &&
           EVP_MAC_update(s->mac, (const unsigned char *)data, len) == 1 &&
           EVP_MAC_final(s->mac, ret, &ret_len, HASH_LEN) == 1 && ret_len == HASH_LEN;
}

static bool key_fits(const struct sigv4_signer *s, const struct signing *g)
{
    size_t scope_len = strlen(g->scope_text), secret_len = strlen(g->key->secret);

    return s->scope.len == scope_len && memcmp(s->scope.data, g->scope_text, scope_len) == 0 &&
           s->region_len == strlen(g->scope->region) && s->secret.len == 4 + secret_len &&
           CRYPTO_memcmp(s->secret.data + 4, g->key->secret, secret_len) == 0;
}

/* Each step's key overwrites the one before. */
static bool derive_key(struct sigv4_signer *s, const struct signing *g)
{
    const char *region = g->scope->region, *service = g->scope->service, *last = "aws4_request";

    forget_key(s);
    s->region_len = strlen(region);
    return buf_adds(&s->secret, "AWS4") && buf_adds(&s->secret, g->key->secret) &&
           hmac(s, s->secret.data, s->secret.len, g->time, DATE_LEN, s->key) &&
           hmac(s, s->key, HASH_LEN, region, strlen(region), s->key) &&
           hmac(s, s->key, HASH_LEN, service, strlen(service), s->key) &&
           hmac(s, s->key, HASH_LEN, last, strlen(last), s->key) &&
           buf_adds(&s->scope, g->scope_text);
}

static bool sign_text(const struct signing *g, const struct text *text, unsigned char ret[HASH_LEN])
{
    struct sigv4_signer *s = g->signer;
    bool ok;

    pthread_mutex_lock(&s->lock);
    ok = key_fits(s, g) || derive_key(s, g);
    if (!ok)
        forget_key(s);
    ok = ok && hmac(s, s->key, HASH_LEN, text->data, text->len, ret);
    pthread_mutex_unlock(&s->lock);
    return ok;
}

static void to_hex(const unsigned char hash[HASH_LEN], char ret[HEX_LEN + 1])
{
    static const char hex[] = "0123456789abcdef";

    for (size_t i = 0; i < HASH_LEN; i++) {
        ret[2 * i] = hex[hash[i] >> 4];
        ret[2 * i + 1] = hex[hash[i] & 15];
    }
    ret[HEX_LEN] = '\0';
}

static bool hash_text(const struct sigv4_signer *s, const char *data, size_t len,
                      char ret[HEX_LEN + 1])
{
    unsigned char hash[HASH_LEN];

    if (EVP_Digest(data ? data : "", data ? len : 0, hash, NULL, s->sha256, NULL) != 1)
        return false;
    to_hex(hash, ret);
    return true;
}

static bool has_token(const struct sigv4_key *key)
{
    return key->session_token && *key->session_token;
}

static void begin(struct signing *g)
{
    char text[CLOCK_TEXT_MAX];
    struct text scope;

    clock_format(g->scope->time_s, 0, text);
    snprintf(g->time, sizeof(g->time), "%.4s%.2s%.2sT%.2s%.2s%.2sZ", text, text + 5, text + 8,
             text + 11, text + 14, text + 17);
    text_init(&scope, g->arena, 64);
    text_add(&scope, g->time, DATE_LEN);
    text_addc(&scope, '/');
    text_adds(&scope, g->scope->region);
    text_addc(&scope, '/');
    text_adds(&scope, g->scope->service);
    text_adds(&scope, "/aws4_request");
    g->scope_text = scope.data;
    text_init(&g->lines, g->arena, 512);
    text_init(&g->names, g->arena, 128);
}

/* "name=value" with the value encoded, and a "&" before it unless it is the first. */
static void add_param(struct text *query, const char *name, const char *value)
{
    if (query->len > 0)
        text_addc(query, '&');
    text_adds(query, name);
    text_addc(query, '=');
    text_encode(query, value, strlen(value), 0);
}

static void add_token_param(const struct signing *g, struct text *query)
{
    if (has_token(g->key))
        add_param(query, "X-Amz-Security-Token", g->key->session_token);
}

/* What of the query is signed. */
static void make_query(struct signing *g, const struct url *url, struct text *ret)
{
    char seconds[16];

    text_init(ret, g->arena, url->query_len + 512);
    text_add(ret, url->query, url->query_len);
    if (!(g->scope->flags & SIGV4_IN_QUERY))
        return;
    add_param(ret, "X-Amz-Algorithm", ALGORITHM);
    add_param(ret, "X-Amz-Credential", arena_printf(g->arena, "%s/%s", g->key->id, g->scope_text));
    add_param(ret, "X-Amz-Date", g->time);
    add_param(ret, "X-Amz-SignedHeaders", g->names.data);
    snprintf(seconds, sizeof(seconds), "%u", (unsigned)g->scope->expires_s);
    add_param(ret, "X-Amz-Expires", seconds);
    if (!(g->scope->flags & SIGV4_TOKEN_LAST))
        add_token_param(g, ret);
}

/* From the canonical headers and the query to the signature. */
static bool compute(struct signing *g, const struct http_request *req, const struct url *url,
                    const struct text *query, const char *body_hash)
{
    struct text *t = &g->canonical;
    unsigned char mac[HASH_LEN];
    char hash[HEX_LEN + 1];

    text_init(t, g->arena, 256 + url->path_len + query->len + g->lines.len + g->names.len);
    text_adds(t, req->method);
    text_addc(t, '\n');
    canonical_path(t, url, g->scope->flags & SIGV4_KEEP_PATH);
    text_addc(t, '\n');
    canonical_query(t, query->data, query->len);
    text_addc(t, '\n');
    text_add(t, g->lines.data, g->lines.len);
    text_addc(t, '\n');
    text_add(t, g->names.data, g->names.len);
    text_addc(t, '\n');
    text_adds(t, body_hash);
    if (!hash_text(g->signer, t->data, t->len, hash))
        return false;
    t = &g->to_sign;
    text_init(t, g->arena, 256);
    text_adds(t, ALGORITHM "\n");
    text_adds(t, g->time);
    text_addc(t, '\n');
    text_adds(t, g->scope_text);
    text_addc(t, '\n');
    text_adds(t, hash);
    g->signature = arena_alloc(g->arena, HEX_LEN + 1);
    if (g->arena->exhausted || !sign_text(g, t, mac))
        return false;
    to_hex(mac, g->signature);
    return true;
}

/* The request's headers behind a free place for Host, and room for four more behind them. */
static struct http_header *copy_headers(struct arena *a, const struct http_request *req)
{
    struct http_header *all = arena_array(a, 1 + req->n_headers + 4, sizeof(*all));

    if (all && req->n_headers > 0)
        memcpy(all + 1, req->headers, req->n_headers * sizeof(*all));
    return all;
}

/* The canonical form of all headers that are signed: n behind `all`, and Host, which libcurl makes
 * of the URL unless the request has one of its own. */
static bool sign_headers(struct signing *g, const struct url *url, struct http_header *all,
                         size_t n, const struct http_header *skip)
{
    bool own = false;

    for (size_t i = 1; i <= n && !own; i++)
        own = strcasecmp(all[i].name, "Host") == 0;
    if (!own)
        all[0] = (struct http_header){"Host", url_host_header(g->arena, url)};
    if (!own && !all[0].value)
        return false;
    canonical_headers(&g->lines, &g->names, own ? all + 1 : all, own ? n : n + 1, skip);
    return true;
}

static const char *authorization(const struct signing *g)
{
    struct text t;

    text_init(&t, g->arena, 256 + g->names.len);
    text_adds(&t, ALGORITHM " Credential=");
    text_adds(&t, g->key->id);
    text_addc(&t, '/');
    text_adds(&t, g->scope_text);
    text_adds(&t, ", SignedHeaders=");
    text_add(&t, g->names.data, g->names.len);
    text_adds(&t, ", Signature=");
    text_adds(&t, g->signature);
    return t.data;
}

static bool sign_in_headers(struct signing *g, struct http_request *req, const struct url *url,
                            const char *body_hash)
{
    struct http_header *all = copy_headers(g->arena, req), *token = NULL;
    size_t n = req->n_headers;
    struct text query;

    if (!all)
        return false;
    if (has_token(g->key)) {
        token = &all[++n];
        *token = (struct http_header){"X-Amz-Security-Token",
                                      arena_strdup(g->arena, g->key->session_token)};
    }
    all[++n] = (struct http_header){"X-Amz-Date", arena_strdup(g->arena, g->time)};
    if (g->scope->flags & SIGV4_HASH_BODY)
        all[++n] = (struct http_header){"x-amz-content-sha256", arena_strdup(g->arena, body_hash)};
    if (!sign_headers(g, url, all, n, g->scope->flags & SIGV4_TOKEN_LAST ? token : NULL))
        return false;
    make_query(g, url, &query);
    if (!compute(g, req, url, &query, body_hash))
        return false;
    all[++n] = (struct http_header){"Authorization", authorization(g)};
    if (g->arena->exhausted)
        return false;
    req->headers = all + 1;
    req->n_headers = n;
    return true;
}

static bool sign_in_query(struct signing *g, struct http_request *req, const struct url *url,
                          const char *body_hash)
{
    struct http_header *all = copy_headers(g->arena, req);
    struct text query, whole;

    if (!all || !sign_headers(g, url, all, req->n_headers, NULL))
        return false;
    make_query(g, url, &query);
    if (!compute(g, req, url, &query, body_hash))
        return false;
    if (g->scope->flags & SIGV4_TOKEN_LAST)
        add_token_param(g, &query);
    add_param(&query, "X-Amz-Signature", g->signature);
    text_init(&whole, g->arena, strlen(req->url) + query.len + 2);
    text_add(&whole, req->url, (size_t)(url->path + url->path_len - req->url));
    text_adds(&whole, url->path_len > 0 ? "?" : "/?");
    text_add(&whole, query.data, query.len);
    if (g->arena->exhausted)
        return false;
    req->url = whole.data;
    return true;
}

bool sigv4_sign_stages(struct sigv4_signer *s, struct arena *a, const struct sigv4_key *key,
                       const struct sigv4_scope *scope, struct http_request *req,
                       struct sigv4_stages *ret)
{
    struct signing g = {.signer = s, .arena = a, .key = key, .scope = scope};
    char body_hash[HEX_LEN + 1];
    struct url url;
    bool ok;

    if (!url_split(req->url, &url) || !hash_text(s, req->body, req->body_len, body_hash))
        return false;
    begin(&g);
    ok = scope->flags & SIGV4_IN_QUERY ? sign_in_query(&g, req, &url, body_hash)
                                       : sign_in_headers(&g, req, &url, body_hash);
    if (!ok)
        return false;
    *ret = (struct sigv4_stages){.canonical_request = g.canonical.data,
                                 .string_to_sign = g.to_sign.data,
                                 .signature = g.signature};
    return true;
}

bool sigv4_sign(struct sigv4_signer *s, struct arena *a, const struct sigv4_key *key,
                const struct sigv4_scope *scope, struct http_request *req)
{
    struct sigv4_stages stages;

    return sigv4_sign_stages(s, a, key, scope, req, &stages);
}
