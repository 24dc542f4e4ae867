/* openstack_config_dump FILE CLOUD REGION: what the adapter reads of clouds.yaml and the
 * environment, as JSON, for test_openstack_config.py to compare with what openstacksdk reads. An
 * empty argument is a setting that is not there. The secrets are the test's own.
 */
#include <stdio.h>

#include "isobar/json.h"
#include "os_config.h"

static void put(struct json_writer *w, const char *key, const char *value)
{
    if (value != NULL)
        json_put_string(w, key, value);
}

static void put_auth(struct json_writer *w, const struct os_config *c)
{
    static const char *const secrets[] = {
        [OS_AUTH_PASSWORD] = "password",
        [OS_AUTH_TOKEN] = "token",
        [OS_AUTH_APPLICATION_CREDENTIAL] = "application_credential_secret",
    };
    json_begin_object(w, "auth");
    put(w, "auth_url", c->auth_url);
    put(w, "user_id", c->user_id);
    put(w, "username", c->username);
    put(w, "user_domain_id", c->user_domain_id);
    put(w, "user_domain_name", c->user_domain_name);
    put(w, "project_id", c->project_id);
    put(w, "project_name", c->project_name);
    put(w, "project_domain_id", c->project_domain_id);
    put(w, "project_domain_name", c->project_domain_name);
    put(w, "domain_id", c->domain_id);
    put(w, "domain_name", c->domain_name);
    put(w, "trust_id", c->trust_id);
    put(w, "application_credential_id", c->credential_id);
    put(w, "application_credential_name", c->credential_name);
    put(w, secrets[c->auth], c->secret);
    json_end_object(w);
}

int main(int argc, char **argv)
{
    static const char *const names[] = {"clouds_file", "cloud", "region"};
    struct setting items[ARRAY_LEN(names)];
    struct settings settings = {.cloud = "test", .items = items};
    for (int i = 1; i < argc && (size_t)i <= ARRAY_LEN(names); i++) {
        if (argv[i][0] != '\0')
            items[settings.n++] = (struct setting){names[i - 1], argv[i]};
    }
    struct open_error error;
    struct os_config *c = os_config_load(&settings, &error);
    if (c == NULL) {
        fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    struct buf out;
    buf_init(&out, 1 << 20);
    struct json_writer *w = json_writer_new(&out, true);
    json_begin_object(w, NULL);
    put_auth(w, c);
    put(w, "region_name", c->region);
    put(w, "interface", c->interface);
    json_put_bool(w, "insecure", c->insecure);
    put(w, "cacert", c->ca_file);
    put(w, "cert", c->client_cert);
    put(w, "key", c->client_key);
    put(w, "compute_microversion", c->compute_microversion);
    for (int i = 0; i < OS_N_SERVICES; i++) {
        const struct os_service_config *s = &c->services[i];
        json_begin_object(w, os_services[i].types[0]);
        put(w, "endpoint", s->endpoint);
        put(w, "interface", s->interface);
        put(w, "region_name", s->region);
        json_end_object(w);
    }
    json_end_object(w);
    json_writer_free(w);
    printf("%s\n", buf_cstr(&out));
    buf_done(&out);
    os_config_free(c);
    return 0;
}
