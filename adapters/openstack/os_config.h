/* Where the cloud is and who we are there, read the way openstacksdk reads it: clouds.yaml,
 * secure.yaml, clouds-public.yaml and OS_*.
 *
 * Source: openstack/config/loader.py and cloud_region.py of openstacksdk, and keystoneauth's
 * loading/ for what each auth_type takes.
 */
#ifndef OS_CONFIG_H
#define OS_CONFIG_H

#include "os_yaml.h"

/* The services of OpenStack that the adapter speaks to. */
enum os_service {
    OS_IDENTITY,
    OS_COMPUTE,
    OS_IMAGE,
    OS_NETWORK,
    OS_VOLUME,
    OS_N_SERVICES,
};

struct os_service_info {
    const char *name;           /* for people: "compute" */
    const char *const *types;   /* in the catalogue, the best first; ended by NULL */
    const char *version;        /* the path's part that is appended where there is none: "/v2.1" */
    const char *version_prefix; /* how such a part begins: "/v2" */
};

extern const struct os_service_info os_services[OS_N_SERVICES];

enum os_auth_kind {
    OS_AUTH_PASSWORD,
    OS_AUTH_TOKEN,
    OS_AUTH_APPLICATION_CREDENTIAL,
};

/* What can be said for one service alone; NULL where nothing is. */
struct os_service_config {
    const char *endpoint; /* in place of the catalogue's */
    const char *interface;
    const char *region;
    const char *type; /* in the catalogue */
    const char *name; /* in the catalogue */
};

struct os_config {
    struct arena arena; /* everything here lives in it */
    const char *source; /* for people: `cloud "demo" of /etc/openstack/clouds.yaml` */
    enum os_auth_kind auth;
    const char *auth_url; /* ends in /v3 */
    const char *user_id, *username, *user_domain_id, *user_domain_name;
    const char *project_id, *project_name, *project_domain_id, *project_domain_name;
    const char *domain_id, *domain_name; /* of a token for a domain, not a project */
    const char *trust_id;
    const char *credential_id, *credential_name;
    char *secret;          /* password, application credential's secret, or token */
    const char *region;    /* NULL: whatever the catalogue has first */
    const char *interface; /* "public"; several, the best first, with commas between */
    bool insecure;
    const char *ca_file, *client_cert, *client_key;
    const char *compute_microversion; /* NULL: negotiated */
    struct os_service_config services[OS_N_SERVICES];
};

/* Read the files and the environment; no network. NULL where something is wrong, and `ret_error`
 * says what, with file and line where they are known. Not thread-safe: it reads the environment. */
struct os_config *os_config_load(const struct settings *s, struct open_error *ret_error);
/* Wipes the secret. NULL is allowed. */
void os_config_free(struct os_config *c);

/* The two halves of it. The tree of the chosen cloud, with profile, secure.yaml and region laid
 * over each other; `ret_source` as in struct os_config. */
struct os_node *os_config_find(struct arena *a, const struct settings *s, const char **ret_source,
                               struct open_error *ret_error);
/* The tree into the struct; strings are copied to c->arena. */
bool os_config_read(struct os_config *c, const struct os_node *cloud,
                    struct open_error *ret_error) MUST_USE;

/* For the files of this concern: say what is wrong, return NULL. `at` may be NULL. */
void *os_config_error(struct open_error *ret_error, const struct os_node *at, const char *fmt, ...)
    PRINTF(3, 4);

#endif
