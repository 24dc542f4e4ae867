#include "az_credentials.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "az_fetch.h"

enum { NEAR_CONNECT_MS = 1000, BODY_MAX = 1 << 20 };

struct az_credentials {
    struct az_fetcher fetcher;
    struct token_cache *cache;
    char *cloud;
};

static az_fetch *const map_fetch[AZ_N_CREDENTIALS] = {
    [AZ_ENVIRONMENT] = az_fetch_principal,
    [AZ_WORKLOAD] = az_fetch_workload,
    [AZ_MANAGED_IDENTITY] = az_fetch_identity,
    [AZ_CLI] = az_fetch_cli,
};

const char *az_fetch_whose(struct arena *a, const struct az_config *c, enum az_credential kind)
{
    switch (kind) {
    case AZ_ENVIRONMENT:
        return arena_printf(
            a, "the service principal %s of tenant %s (%s)", c->client_id, c->tenant_id,
            c->client_secret != NULL ? "AZURE_CLIENT_SECRET" : "AZURE_CLIENT_CERTIFICATE_PATH");
    case AZ_WORKLOAD:
        return arena_printf(a, "the workload identity %s of tenant %s (AZURE_FEDERATED_TOKEN_FILE)",
                            c->client_id, c->tenant_id);
    case AZ_MANAGED_IDENTITY:
        return c->client_id == NULL ? "the managed identity"
                                    : arena_printf(a, "the managed identity %s", c->client_id);
    default:
        return "az";
    }
}

bool az_fetch_is_only(const struct az_config *c, enum az_credential kind)
{
    return c->credentials == 1U << kind;
}

static void session_free(void *data)
{
    struct az_session *s = data;
    free(s->source);
    free(s);
}

static struct az_session *session_new(const char *source)
{
    struct az_session *s = calloc(1, sizeof(*s));
    if (s == NULL)
        return NULL;
    s->source = strdup(source);
    if (s->source != NULL)
        return s;
    free(s);
    return NULL;
}

/* What goes with the token. */
static pb_ResultCode complete(struct az_fetcher *f, struct op *op, enum az_credential kind,
                              struct token_grant *ret)
{
    ret->data = session_new(az_fetch_whose(op->arena, f->config, kind));
    if (ret->data != NULL) {
        f->chosen = kind;
        return RESULT_CODE_OK;
    }
    explicit_bzero(ret->value, strlen(ret->value));
    free(ret->value);
    return op_fail(op, RESULT_CODE_INTERNAL_ERROR, "memory is short; try again later");
}

/* The first credentials that are there; those of the last token, where there was one. */
static pb_ResultCode fetch_any(struct az_fetcher *f, struct op *op, struct token_grant *ret)
{
    const char *places = "";
    pb_NativeError *native = NULL;
    for (int i = 0; i < AZ_N_CREDENTIALS; i++) {
        enum az_credential kind = (enum az_credential)i;
        if ((f->config->credentials & 1U << i) == 0 ||
            (f->chosen != AZ_N_CREDENTIALS && f->chosen != kind))
            continue;
        struct op mine = op_aside(op, 0);
        bool absent = false;
        pb_ResultCode code = map_fetch[i](f, &mine, ret, &absent);
        if (code == RESULT_CODE_OK)
            return complete(f, op, kind, ret);
        if (!absent)
            return op_tell(op, &mine, code);
        places = arena_printf(op->arena, "%s%s%s", places, places[0] == '\0' ? "" : "; ",
                              mine.result->detail);
        if (mine.result->native != NULL)
            native = mine.result->native;
    }
    op->result->native = native;
    op_retry(op, RETRY_CLASS_NEVER, 0, RETRY_SCOPE_ACCOUNT);
    return op_fail(op, RESULT_CODE_UNAUTHORIZED, "cloud %s: there are no credentials: %s", f->cloud,
                   places);
}

static pb_ResultCode fetch(void *ctx, struct op *op, struct token_grant *ret)
{
    struct az_fetcher *f = ctx;
    pb_ResultCode code = fetch_any(f, op, ret);
    if (code == RESULT_CODE_OK)
        return code;
    if (code == RESULT_CODE_UNAUTHORIZED)
        f->chosen = AZ_N_CREDENTIALS;
    /* Whatever the call is to change, nothing of it has begun. */
    op->result->side_effects = SIDE_EFFECTS_NONE;
    return code;
}

static const struct token_cache_ops token_ops = {fetch, session_free};

struct az_credentials *az_credentials_new(const struct az_config *config, struct http_client *http,
                                          struct breakers *breakers, const char *cloud)
{
    struct az_credentials *c = calloc(1, sizeof(*c));
    if (c == NULL)
        return NULL;
    const struct http_options near = {
        .ca_file = config->ca_file, .no_proxy = true, .connect_timeout_ms = NEAR_CONNECT_MS};
    char what[128];
    snprintf(what, sizeof(what), "Entra ID of cloud %s", cloud);
    c->cloud = strdup(cloud);
    c->fetcher = (struct az_fetcher){
        .config = config,
        .near = http_client_new(&near),
        .entra = sender_new(http, breakers, &az_entra_ops, &c->fetcher, what),
        .cloud = c->cloud,
        .chosen = AZ_N_CREDENTIALS,
    };
    buf_init(&c->fetcher.body, BODY_MAX);
    c->cache = token_cache_new(&token_ops, &c->fetcher);
    if (c->cloud != NULL && c->fetcher.near != NULL && c->fetcher.entra != NULL && c->cache != NULL)
        return c;
    az_credentials_free(c);
    return NULL;
}

void az_credentials_free(struct az_credentials *c)
{
    if (c == NULL)
        return;
    token_cache_free(c->cache);
    sender_free(c->fetcher.entra);
    http_client_free(c->fetcher.near);
    buf_wipe(&c->fetcher.body);
    free(c->cloud);
    free(c);
}

pb_ResultCode az_credentials_get(struct az_credentials *c, struct op *op, uint64_t refused,
                                 struct token_ref *ret)
{
    return token_get(c->cache, op, refused, ret);
}
