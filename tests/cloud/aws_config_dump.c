/* aws_config_dump [fetch] NAME=VALUE...: what the adapter reads of ~/.aws and the environment with
 * these settings, as JSON, for test_aws_config.py to compare with what botocore reads. `fetch`: the
 * credentials are fetched too. Secrets are shown as their hashes. 1: the connection cannot be
 * opened; 2: there are no credentials; the sentence is on stderr.
 */
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "aws_credentials.h"
#include "aws_source.h"
#include "isobar/clock.h"
#include "isobar/json.h"

static const char *const kinds[AWS_N_SOURCE_KINDS] = {
    [AWS_SOURCE_ENVIRONMENT] = "env",
    [AWS_SOURCE_ROLE] = "assume-role",
    [AWS_SOURCE_WEB_IDENTITY] = "assume-role-with-web-identity",
    [AWS_SOURCE_SHARED_FILE] = "shared-credentials-file",
    [AWS_SOURCE_PROCESS] = "custom-process",
    [AWS_SOURCE_CONFIG_FILE] = "config-file",
    [AWS_SOURCE_CONTAINER] = "container-role",
    [AWS_SOURCE_METADATA] = "iam-role",
    [AWS_SOURCE_NONE] = "none",
};

static void put(struct json_writer *w, const char *key, const char *value)
{
    if (value != NULL)
        json_put_string(w, key, value);
}

static void put_hash(struct json_writer *w, const char *key, const char *secret)
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    char text[2 * EVP_MAX_MD_SIZE + 1];
    unsigned len = 0;
    if (secret == NULL || EVP_Digest(secret, strlen(secret), hash, &len, EVP_sha256(), NULL) != 1)
        return;
    for (unsigned i = 0; i < len; i++)
        snprintf(text + (size_t)2 * i, 3, "%02x", hash[i]);
    json_put_string(w, key, text);
}

static void put_source(struct json_writer *w, const char *key, const struct aws_source *s)
{
    json_begin_object(w, key);
    put(w, "kind", kinds[s->kind]);
    put(w, "what", s->what);
    put(w, "id", s->id);
    put_hash(w, "secret", s->secret);
    put_hash(w, "session_token", s->session_token);
    put(w, "role_arn", s->role_arn);
    put(w, "session_name", s->session_name);
    put(w, "external_id", s->external_id);
    if (s->duration_s > 0)
        json_put_int(w, "duration_s", s->duration_s);
    put(w, "token_file", s->token_file);
    put(w, "url", s->url);
    json_begin_array(w, "command");
    for (char **word = s->command; word != NULL && *word != NULL; word++)
        json_put_string(w, NULL, *word);
    json_end_array(w);
    if (s->base != NULL)
        put_source(w, "base", s->base);
    json_end_object(w);
}

/* The same files are read once more: the configuration keeps nothing of them. */
static void put_choice(struct json_writer *w, const struct aws_config *c)
{
    struct aws_profiles profiles;
    struct open_error error;
    const struct aws_source *s = NULL;
    if (aws_profiles_read(&profiles, c->config_file, c->credentials_file, &error))
        s = aws_source_choose(&profiles.arena, c, &profiles, &error);
    if (s != NULL)
        put_source(w, "source", s);
    aws_profiles_done(&profiles);
}

static int put_session(struct json_writer *w, const struct aws_config *c)
{
    struct arena arena;
    arena_init(&arena, 16 << 20);
    struct op op = {.arena = &arena,
                    .deadline_ns = clock_mono_ns() + 20 * NS_PER_SEC,
                    .token = "",
                    .traceparent = "",
                    .result = result_new(&arena)};
    struct http_client *http = http_client_new(&(struct http_options){.ca_file = c->ca_file});
    struct aws_credentials *credentials = aws_credentials_new(c, http, NULL, "test");
    struct token_ref ref = {0};
    pb_ResultCode code = aws_credentials_get(credentials, &op, 0, &ref);
    json_begin_object(w, "session");
    put(w, "code", result_name(code));
    if (code == RESULT_CODE_OK) {
        const struct aws_session *s = ref.data;
        put(w, "source", s->source);
        put(w, "id", s->key.id);
        put_hash(w, "secret", s->key.secret);
        put_hash(w, "session_token", s->key.session_token);
    } else {
        put(w, "native", op.result->native == NULL ? NULL : op.result->native->code);
        fprintf(stderr, "%s\n", op.result->detail);
    }
    json_end_object(w);
    token_release(&ref);
    aws_credentials_free(credentials);
    http_client_free(http);
    arena_done(&arena);
    return code == RESULT_CODE_OK ? 0 : 2;
}

int main(int argc, char **argv)
{
    struct setting items[16];
    struct settings settings = {.cloud = "test", .items = items};
    bool fetch = argc > 1 && strcmp(argv[1], "fetch") == 0;
    for (int i = fetch ? 2 : 1; i < argc && settings.n < ARRAY_LEN(items); i++) {
        char *equals = strchr(argv[i], '=');
        if (equals == NULL)
            return 3;
        *equals = '\0';
        items[settings.n++] = (struct setting){argv[i], equals + 1};
    }
    struct open_error error;
    struct aws_config *c = aws_config_load(&settings, &error);
    if (c == NULL) {
        fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    struct buf out;
    buf_init(&out, 1 << 20);
    struct json_writer *w = json_writer_new(&out, true);
    json_begin_object(w, NULL);
    put(w, "profile", c->profile);
    put(w, "region", c->region);
    put(w, "ec2", c->urls[AWS_EC2]);
    put(w, "sts", c->urls[AWS_STS]);
    put(w, "ca_file", c->ca_file);
    put(w, "metadata", c->metadata_url);
    put_choice(w, c);
    int status = fetch ? put_session(w, c) : 0;
    json_end_object(w);
    json_writer_free(w);
    printf("%s\n", buf_cstr(&out));
    buf_done(&out);
    aws_config_free(c);
    return status;
}
