#include "aws_credentials.h"

#include <stdlib.h>
#include <string.h>

#include "aws_fetch.h"
#include "aws_sts.h"
#include "isobar/clock.h"
#include "kit/secret.h"

enum { SCRATCH_MAX = 1 << 20, LOCAL_TIMEOUT_MS = 2000 };

struct aws_credentials {
    struct aws_fetcher fetcher;
    struct token_cache *cache;
    char *cloud;
};

int64_t aws_now_s(const struct aws_fetcher *f)
{
    return (clock_wall_ns() + aws_sts_clock_offset_ns(f->sts)) / NS_PER_SEC;
}

static pb_ResultCode fetch_keys(struct aws_fetcher *f, struct op *op, const struct aws_source *s,
                                struct aws_keys *ret)
{
    const struct aws_keys_answer answer = {
        .id = s->id,
        .secret = s->secret,
        .session_token = s->session_token,
        .expiration = s->expiration,
    };
    return aws_keys_take(op, &answer, s->what, aws_now_s(f), ret);
}

static pb_ResultCode fetch(struct aws_fetcher *f, struct op *op, const struct aws_source *s,
                           struct aws_keys *ret);

static pb_ResultCode fetch_role(struct aws_fetcher *f, struct op *op, const struct aws_source *s,
                                struct aws_keys *ret)
{
    struct aws_keys base CLEANUP(aws_keys_done) = {0};
    pb_ResultCode code = fetch(f, op, s->base, &base);
    struct sigv4_key key = aws_keys_borrow(&base);
    return code == RESULT_CODE_OK ? aws_sts_assume(f->sts, op, s, &key, ret) : code;
}

static pb_ResultCode fetch_web_identity(struct aws_fetcher *f, struct op *op,
                                        const struct aws_source *s, struct aws_keys *ret)
{
    return aws_sts_assume(f->sts, op, s, NULL, ret);
}

static pb_ResultCode fetch_nothing(struct aws_fetcher *f, struct op *op, const struct aws_source *s,
                                   struct aws_keys *ret)
{
    (void)f;
    (void)s;
    (void)ret;
    return op_fail(op, RESULT_CODE_UNAUTHORIZED, "instance metadata is switched off");
}

/* Roles lead to roles, as many as struct aws_choice allows. */
static pb_ResultCode fetch(struct aws_fetcher *f, struct op *op, const struct aws_source *s,
                           struct aws_keys *ret)
{
    static pb_ResultCode (*const map_fetch[AWS_N_SOURCE_KINDS])(
        struct aws_fetcher *, struct op *, const struct aws_source *, struct aws_keys *) = {
        [AWS_SOURCE_ENVIRONMENT] = fetch_keys,
        [AWS_SOURCE_ROLE] = fetch_role,
        [AWS_SOURCE_WEB_IDENTITY] = fetch_web_identity,
        [AWS_SOURCE_SHARED_FILE] = fetch_keys,
        [AWS_SOURCE_PROCESS] = aws_fetch_process,
        [AWS_SOURCE_CONFIG_FILE] = fetch_keys,
        [AWS_SOURCE_CONTAINER] = aws_fetch_container,
        [AWS_SOURCE_METADATA] = aws_fetch_metadata,
        [AWS_SOURCE_NONE] = fetch_nothing,
    };
    pb_ResultCode code = map_fetch[s->kind](f, op, s, ret);
    if (code != RESULT_CODE_OK || ret->life_s > 0)
        return code;
    return op_fail(op, RESULT_CODE_UNAUTHORIZED, "the credentials of %s have expired: renew them",
                   s->what);
}

/* What the cache keeps: the session and its texts are one piece of memory. */
static struct aws_session *session_new(const struct aws_keys *k, const char *source)
{
    const char *texts[] = {k->id, k->secret, k->session_token, source};
    size_t sizes[ARRAY_LEN(texts)], size = sizeof(struct aws_session);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        size += sizes[i] = texts[i] == NULL ? 0 : strlen(texts[i]) + 1;
    struct aws_session *s = calloc(1, size);
    if (s == NULL)
        return NULL;
    const char **at[] = {&s->key.id, &s->key.secret, &s->key.session_token, &s->source};
    char *to = (char *)(s + 1);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        if (texts[i] != NULL)
            *at[i] = memcpy(to, texts[i], sizes[i]);
        to += sizes[i];
    }
    return s;
}

static void session_free(void *data)
{
    struct aws_session *s = data;
    secret_wipe(s->key.secret);
    secret_wipe(s->key.session_token);
    free(s);
}

static pb_ResultCode grant(struct op *op, const struct aws_source *s, const struct aws_keys *k,
                           int64_t asked_ns, struct token_grant *ret)
{
    *ret = (struct token_grant){
        .value = strdup(k->id),
        .data = session_new(k, s->what),
        .expires_ns = INT64_MAX,
        .renew_ns = INT64_MAX,
    };
    if (ret->value == NULL || ret->data == NULL) {
        if (ret->data != NULL)
            session_free(ret->data);
        free(ret->value);
        *ret = (struct token_grant){0};
        return op_fail(op, RESULT_CODE_INTERNAL_ERROR, "memory is short; try again later");
    }
    if (k->life_s < INT64_MAX) {
        ret->expires_ns = asked_ns + k->life_s * NS_PER_SEC;
        ret->renew_ns = ret->expires_ns - aws_keys_early_s(k->life_s) * NS_PER_SEC;
    }
    return RESULT_CODE_OK;
}

/* It was the last resort: then there are none anywhere. */
static bool is_nowhere(const struct aws_fetcher *f, const struct aws_source *s, pb_ResultCode code)
{
    return code == RESULT_CODE_UNAUTHORIZED && !f->metadata_known &&
           (s->kind == AWS_SOURCE_NONE || s->kind == AWS_SOURCE_METADATA);
}

static pb_ResultCode fetch_from(struct aws_fetcher *f, struct op *op, struct aws_profiles *p,
                                struct arena *scratch, struct token_grant *ret)
{
    struct open_error error = {""};
    if (!aws_profiles_read(p, f->config->config_file, f->config->credentials_file, &error))
        return op_fail(op, RESULT_CODE_UNAUTHORIZED, "%s", error.text);
    const struct aws_source *s = aws_source_choose(scratch, f->config, p, &error);
    if (s == NULL)
        return op_fail(op, RESULT_CODE_UNAUTHORIZED, "%s", error.text);
    struct aws_keys keys CLEANUP(aws_keys_done) = {0};
    int64_t asked_ns = clock_mono_ns();
    pb_ResultCode code = fetch(f, op, s, &keys);
    if (code == RESULT_CODE_OK)
        return grant(op, s, &keys, asked_ns, ret);
    if (is_nowhere(f, s, code))
        return op_fail(op, code, "there are no credentials for cloud %s: looked at %s; %s",
                       f->cloud, aws_source_places(scratch, f->config, p), op->result->detail);
    return code;
}

static pb_ResultCode fetch_grant(void *ctx, struct op *op, struct token_grant *ret)
{
    struct aws_credentials *c = ctx;
    struct aws_profiles profiles = {0};
    struct arena scratch;
    arena_init(&scratch, SCRATCH_MAX);
    pb_ResultCode code = fetch_from(&c->fetcher, op, &profiles, &scratch, ret);
    arena_done(&scratch);
    aws_profiles_done(&profiles);
    /* Whatever the call is to change, nothing of it has begun. */
    if (code != RESULT_CODE_OK)
        op->result->side_effects = SIDE_EFFECTS_NONE;
    return code;
}

struct aws_credentials *aws_credentials_new(const struct aws_config *config,
                                            struct http_client *http, struct breakers *breakers,
                                            const char *cloud)
{
    static const struct token_cache_ops ops = {fetch_grant, session_free};
    struct aws_credentials *c = calloc(1, sizeof(*c));
    if (c == NULL)
        return NULL;
    struct http_options local = {
        .ca_file = config->ca_file,
        .no_proxy = true,
        .connect_timeout_ms =
            config->metadata_url != NULL ? config->metadata_timeout_ms : LOCAL_TIMEOUT_MS,
    };
    c->cloud = strdup(cloud);
    c->fetcher = (struct aws_fetcher){
        .config = config, .http = http, .local = http_client_new(&local), .cloud = c->cloud};
    if (c->cloud != NULL)
        c->fetcher.sts = aws_sts_new(config, http, breakers, c->cloud);
    c->cache = token_cache_new(&ops, c);
    if (c->fetcher.local != NULL && c->fetcher.sts != NULL && c->cache != NULL)
        return c;
    aws_credentials_free(c);
    return NULL;
}

void aws_credentials_free(struct aws_credentials *c)
{
    if (c == NULL)
        return;
    token_cache_free(c->cache);
    aws_sts_free(c->fetcher.sts);
    http_client_free(c->fetcher.local);
    free(c->cloud);
    free(c);
}

pb_ResultCode aws_credentials_get(struct aws_credentials *c, struct op *op, uint64_t refused,
                                  struct token_ref *ret)
{
    return token_get(c->cache, op, refused, ret);
}
