/* az_dump config SETTING=VALUE...
 * az_dump token STEPS THREADS TIMEOUT_MS SETTING=VALUE...
 *
 * What the adapter reads of settings and environment, or the tokens that it gets, as JSON, for
 * test_az_config.py and test_az_credentials.py. Each letter of STEPS is done by all threads at once
 * before the next: g gets a token, r refuses the last one and gets another, s sleeps for a second.
 * The secrets are the test's own.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "az_credentials.h"
#include "isobar/clock.h"
#include "isobar/json.h"

enum { THREADS_MAX = 64, SETTINGS_MAX = 32 };

static void put(struct json_writer *w, const char *key, const char *value)
{
    if (value != NULL)
        json_put_string(w, key, value);
}

static void put_config(struct json_writer *w, const struct az_config *c)
{
    static const char *const kinds[AZ_N_CREDENTIALS] = {"environment", "workload",
                                                        "managed_identity", "cli"};
    put(w, "subscription_id", c->subscription_id);
    put(w, "resource_group", c->resource_group);
    put(w, "location", c->location);
    put(w, "authority", c->authority);
    put(w, "endpoint", c->endpoint);
    put(w, "audience", c->audience);
    put(w, "ca_file", c->ca_file);
    json_begin_array(w, "credentials");
    for (int i = 0; i < AZ_N_CREDENTIALS; i++) {
        if ((c->credentials & 1U << i) != 0)
            json_put_string(w, NULL, kinds[i]);
    }
    json_end_array(w);
    for (int i = 0; i < AZ_N_SERVICES; i++)
        put(w, az_services[i].name, c->versions[i]);
    put(w, "tenant_id", c->tenant_id);
    put(w, "client_id", c->client_id);
    put(w, "client_secret", c->client_secret);
    put(w, "certificate_file", c->certificate_file);
    put(w, "certificate_password", c->certificate_password);
    json_put_bool(w, "send_chain", c->send_chain);
    put(w, "token_file", c->token_file);
    put(w, "metadata_url", c->metadata_url);
    put(w, "identity_endpoint", c->identity_endpoint);
    put(w, "identity_header", c->identity_header);
    put(w, "msi_endpoint", c->msi_endpoint);
    put(w, "msi_secret", c->msi_secret);
}

struct caller {
    struct az_credentials *credentials;
    pthread_t thread;
    char step;
    int timeout_ms;
    struct arena arena;
    pb_Result *result;
    struct token_ref token;
    uint64_t generation; /* of the last one */
};

static void *call(void *arg)
{
    struct caller *c = arg;
    arena_reset(&c->arena);
    c->result = result_new(&c->arena);
    struct op op = {.arena = &c->arena,
                    .deadline_ns = clock_mono_ns() + c->timeout_ms * NS_PER_MS,
                    .result = c->result};
    pb_ResultCode code =
        az_credentials_get(c->credentials, &op, c->step == 'r' ? c->generation : 0, &c->token);
    c->result->code = code;
    if (code == RESULT_CODE_OK)
        c->generation = c->token.generation;
    return NULL;
}

static void put_call(struct json_writer *w, struct caller *c)
{
    const pb_Result *r = c->result;
    const struct az_session *session = c->token.data;
    json_begin_object(w, NULL);
    put(w, "code", result_name(r->code));
    if (r->code == RESULT_CODE_OK) {
        put(w, "token", c->token.value);
        put(w, "source", session->source);
    } else {
        put(w, "detail", r->detail);
        json_put_int(w, "after_ms", r->retry == NULL ? 0 : r->retry->after_ms);
        json_put_int(w, "side_effects", r->side_effects);
    }
    if (r->native != NULL) {
        json_put_int(w, "status", r->native->http_status);
        put(w, "native", r->native->code);
        put(w, "message", r->native->message);
        put(w, "request_id", r->native->request_id);
    }
    json_end_object(w);
    token_release(&c->token);
}

static void run(struct json_writer *w, const struct az_config *config, const char *steps, int n,
                int timeout_ms)
{
    struct http_client *http = http_client_new(&(struct http_options){.ca_file = config->ca_file});
    struct breakers *breakers = breakers_new();
    struct az_credentials *credentials = az_credentials_new(config, http, breakers, "lab");
    static struct caller callers[THREADS_MAX];
    for (int i = 0; i < n; i++) {
        callers[i] = (struct caller){.credentials = credentials, .timeout_ms = timeout_ms};
        arena_init(&callers[i].arena, 8 << 20);
    }
    json_begin_array(w, "calls");
    for (; *steps != '\0'; steps++) {
        if (*steps == 's') {
            sleep(1);
            continue;
        }
        for (int i = 0; i < n; i++) {
            callers[i].step = *steps;
            pthread_create(&callers[i].thread, NULL, call, &callers[i]);
        }
        for (int i = 0; i < n; i++) {
            pthread_join(callers[i].thread, NULL);
            put_call(w, &callers[i]);
        }
    }
    json_end_array(w);
    for (int i = 0; i < n; i++)
        arena_done(&callers[i].arena);
    az_credentials_free(credentials);
    breakers_free(breakers);
    http_client_free(http);
}

int main(int argc, char **argv)
{
    struct setting items[SETTINGS_MAX];
    struct settings settings = {.cloud = "lab", .items = items};
    bool tokens = argc > 4 && strcmp(argv[1], "token") == 0;
    for (int i = tokens ? 5 : 2; i < argc && settings.n < SETTINGS_MAX; i++) {
        char *equals = strchr(argv[i], '=');
        *equals = '\0';
        items[settings.n++] = (struct setting){argv[i], equals + 1};
    }
    struct open_error error;
    struct az_config *c = az_config_load(&settings, &error);
    if (c == NULL) {
        fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    struct buf out;
    buf_init(&out, 16 << 20);
    struct json_writer *w = json_writer_new(&out, true);
    json_begin_object(w, NULL);
    if (tokens)
        run(w, c, argv[2], atoi(argv[3]), atoi(argv[4]));
    else
        put_config(w, c);
    json_end_object(w);
    json_writer_free(w);
    printf("%s\n", buf_cstr(&out));
    buf_wipe(&out);
    az_config_free(c);
    return 0;
}
