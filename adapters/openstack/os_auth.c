#include "os_auth.h"

#include <stdlib.h>
#include <string.h>

#include "isobar/clock.h"
#include "os_endpoint.h"
#include "os_errors.h"

/* A token is renewed when a fifth of its life is left, but not before this; seconds. */
enum { RENEW_BEFORE_MAX = 300, LIFETIME_DEFAULT = 3600, SESSION_MAX = 8 << 20 };
/* What a cloud promises beyond this is not counted on (and would overflow a clock); seconds. */
#define LIFETIME_MAX (30 * INT64_C(86400))

static const struct shape_field project_fields[] = {
    SHAPE_FIELD(struct os_login, token.project.id, "id", SHAPE_STRING),
    SHAPE_FIELD(struct os_login, token.project.name, "name", SHAPE_STRING),
};
static const struct shape project_shape = {sizeof(struct os_login), project_fields,
                                           ARRAY_LEN(project_fields), 0};
static const struct shape_field token_fields[] = {
    SHAPE_FIELD(struct os_login, token.issued_at, "issued_at", SHAPE_STRING),
    SHAPE_FIELD(struct os_login, token.expires_at, "expires_at", SHAPE_STRING),
    {"project", SHAPE_STRUCT, 0, &project_shape},
    SHAPE_NESTED(struct os_login, token.catalog, "catalog", SHAPE_LIST, os_catalog_service_shape),
};
static const struct shape token_shape = {sizeof(struct os_login), token_fields,
                                         ARRAY_LEN(token_fields), 0};
static const struct shape_field login_fields[] = {
    {"token", SHAPE_STRUCT, 0, &token_shape},
};
const struct shape os_login_shape = {sizeof(struct os_login), login_fields, ARRAY_LEN(login_fields),
                                     0};

static void put(struct json_writer *w, const char *key, const char *value)
{
    if (value != NULL)
        json_put_string(w, key, value);
}

static void put_domain(struct json_writer *w, const char *id, const char *name)
{
    if (id == NULL && name == NULL)
        return;
    json_begin_object(w, "domain");
    put(w, id != NULL ? "id" : "name", id != NULL ? id : name);
    json_end_object(w);
}

static void put_user(struct json_writer *w, const struct os_config *c, const char *password)
{
    json_begin_object(w, "user");
    put(w, c->user_id != NULL ? "id" : "name", c->user_id != NULL ? c->user_id : c->username);
    if (c->user_id == NULL)
        put_domain(w, c->user_domain_id, c->user_domain_name);
    put(w, "password", password);
    json_end_object(w);
}

static void put_identity(struct json_writer *w, const struct os_config *c)
{
    static const char *const methods[] = {
        [OS_AUTH_PASSWORD] = "password",
        [OS_AUTH_TOKEN] = "token",
        [OS_AUTH_APPLICATION_CREDENTIAL] = "application_credential",
    };
    json_begin_object(w, "identity");
    json_begin_array(w, "methods");
    json_put_string(w, NULL, methods[c->auth]);
    json_end_array(w);
    json_begin_object(w, methods[c->auth]);
    if (c->auth == OS_AUTH_PASSWORD) {
        put_user(w, c, c->secret);
    } else if (c->auth == OS_AUTH_TOKEN) {
        put(w, "id", c->secret);
    } else {
        put(w, "secret", c->secret);
        put(w, "id", c->credential_id);
        if (c->credential_id == NULL) {
            put(w, "name", c->credential_name);
            put_user(w, c, NULL);
        }
    }
    json_end_object(w);
    json_end_object(w);
}

/* What the token is for. An application credential has its project in itself; without any, a user
 * gets the default project, if there is one. */
static void put_scope(struct json_writer *w, const struct os_config *c)
{
    bool project = c->project_id != NULL || c->project_name != NULL;
    bool domain = c->domain_id != NULL || c->domain_name != NULL;
    if (c->auth == OS_AUTH_APPLICATION_CREDENTIAL || (!project && !domain && c->trust_id == NULL))
        return;
    json_begin_object(w, "scope");
    if (c->trust_id != NULL) {
        json_begin_object(w, "OS-TRUST:trust");
        put(w, "id", c->trust_id);
        json_end_object(w);
    } else if (project) {
        json_begin_object(w, "project");
        put(w, c->project_id != NULL ? "id" : "name",
            c->project_id != NULL ? c->project_id : c->project_name);
        if (c->project_id == NULL)
            put_domain(w, c->project_domain_id, c->project_domain_name);
        json_end_object(w);
    } else {
        put_domain(w, c->domain_id, c->domain_name);
    }
    json_end_object(w);
}

bool os_build_login(const struct os_config *c, struct buf *out)
{
    struct json_writer *w CLEANUP(json_writer_freep) = json_writer_new(out, false);
    if (w == NULL)
        return false;
    json_begin_object(w, NULL);
    json_begin_object(w, "auth");
    put_identity(w, c);
    put_scope(w, c);
    json_end_object(w);
    json_end_object(w);
    return !out->failed;
}

int64_t os_login_lifetime(const struct os_login *l)
{
    int64_t issued, expires;
    int32_t nanos;
    if (l->token.issued_at == NULL || !clock_parse(l->token.issued_at, &issued, &nanos))
        issued = clock_wall_ns() / NS_PER_SEC;
    if (l->token.expires_at == NULL || !clock_parse(l->token.expires_at, &expires, &nanos))
        return 0;
    if (expires <= issued)
        return 0;
    return expires - issued < LIFETIME_MAX ? expires - issued : LIFETIME_MAX;
}

static void add_region(struct os_session *s, size_t room, const char *region)
{
    for (size_t i = 0; i < s->n_regions; i++) {
        if (strcmp(s->regions[i], region) == 0)
            return;
    }
    if (s->regions != NULL && s->n_regions < room)
        s->regions[s->n_regions++] = arena_strdup(&s->arena, region);
}

static void read_catalog(struct os_session *s, const struct shape_list *catalog)
{
    const struct os_catalog_service *c = catalog->items;
    size_t endpoints = 0;
    s->offered = "";
    for (size_t i = 0; i < catalog->n; i++) {
        endpoints += c[i].endpoints.n;
        if (c[i].type != NULL)
            s->offered = arena_printf(&s->arena, "%s%s%s", s->offered,
                                      s->offered[0] == '\0' ? "" : ", ", c[i].type);
    }
    s->regions = endpoints == 0 ? NULL : arena_array(&s->arena, endpoints, sizeof(char *));
    for (size_t i = 0; i < catalog->n; i++) {
        const struct os_endpoint *e = c[i].endpoints.items;
        for (size_t k = 0; k < c[i].endpoints.n; k++) {
            const char *region = e[k].region_id == NULL ? e[k].region : e[k].region_id;
            if (region != NULL)
                add_region(s, endpoints, region);
        }
    }
}

struct os_session *os_session_new(const struct os_config *c, const struct os_login *l)
{
    struct os_session *s = calloc(1, sizeof(*s));
    if (s == NULL)
        return NULL;
    arena_init(&s->arena, SESSION_MAX);
    s->project_id = arena_strdup(&s->arena, l->token.project.id == NULL ? "" : l->token.project.id);
    for (int i = 0; i < OS_N_SERVICES; i++)
        s->bases[i] =
            os_endpoint_choose(&s->arena, c, (enum os_service)i, &l->token.catalog, s->project_id);
    read_catalog(s, &l->token.catalog);
    if (!s->arena.exhausted)
        return s;
    os_session_free(s);
    return NULL;
}

void os_session_free(void *session)
{
    struct os_session *s = session;
    if (s == NULL)
        return;
    arena_done(&s->arena);
    free(s);
}

/* The answer into what the cache keeps. */
static pb_ResultCode grant(struct adapter *a, struct op *op, const struct http_response *rsp,
                           int64_t asked_ns, struct token_grant *ret)
{
    const char *token = http_header(rsp, "X-Subject-Token");
    struct os_login login = {0};
    char why[160] = "there is no token in it";
    if (token == NULL ||
        !shape_parse(op->arena, rsp->body, rsp->body_len, &os_login_shape, &login, why))
        return op_fail(op, RESULT_CODE_UNAVAILABLE,
                       "what answers at %s is no Keystone, or it is broken: %s; check auth_url in "
                       "%s",
                       a->config->auth_url, why, a->config->source);
    struct os_session *session = os_session_new(a->config, &login);
    char *value = session == NULL ? NULL : strdup(token);
    if (value == NULL) {
        os_session_free(session);
        return op_fail(op, RESULT_CODE_INTERNAL_ERROR, "memory is short; try again later");
    }
    int64_t lifetime = os_login_lifetime(&login);
    if (lifetime == 0)
        lifetime = LIFETIME_DEFAULT;
    int64_t early = lifetime / 5 < RENEW_BEFORE_MAX ? lifetime / 5 : RENEW_BEFORE_MAX;
    *ret = (struct token_grant){
        .value = value,
        .data = session,
        .expires_ns = asked_ns + lifetime * NS_PER_SEC,
        .renew_ns = asked_ns + (lifetime - early) * NS_PER_SEC,
    };
    return RESULT_CODE_OK;
}

static pb_ResultCode fetch(void *ctx, struct op *op, struct token_grant *ret)
{
    struct adapter *a = ctx;
    struct buf body CLEANUP(buf_wipe);
    buf_init(&body, (size_t)1 << 20);
    if (!os_build_login(a->config, &body))
        return op_fail(op, RESULT_CODE_INTERNAL_ERROR, "memory is short; try again later");
    static const struct http_header headers[] = {
        {"Content-Type", "application/json"},
        {"Accept", "application/json"},
    };
    struct http_request req = {
        .method = "POST",
        .url = arena_printf(op->arena, "%s/auth/tokens", a->config->auth_url),
        .headers = headers,
        .n_headers = ARRAY_LEN(headers),
        .body = body.data,
        .body_len = body.len,
        .body_max = SESSION_MAX,
    };
    struct http_response rsp;
    int64_t asked_ns = clock_mono_ns();
    /* A token that nobody learns of does no harm: it may be asked for again. */
    pb_ResultCode code = send_request(a->login, op, &req, SEND_IDEMPOTENT, &rsp);
    if (code != RESULT_CODE_OK) {
        /* Whatever the call is to change, nothing of it has begun. */
        op->result->side_effects = SIDE_EFFECTS_NONE;
        return code;
    }
    code = grant(a, op, &rsp, asked_ns, ret);
    char *token = field_text(http_header(&rsp, "X-Subject-Token"));
    explicit_bzero(token, strlen(token));
    return code;
}

const struct token_cache_ops os_token_ops = {fetch, os_session_free};

static pb_ResultCode login_error(void *ctx, struct op *op, const struct http_request *req,
                                 const struct http_response *rsp)
{
    (void)req;
    struct adapter *a = ctx;
    return os_map_login_error(op, a->name, a->config->source, rsp);
}

const struct sender_ops os_login_ops = {.map_error = login_error};
