/* Which subscription, endpoints and API versions a connection has: its settings, then AZURE_* of
 * the environment.
 *
 * Source: "Environment variables" and DefaultAzureCredential of azure-identity; the metadata of the
 * clouds (`az cloud list`) for the endpoints of sovereign ones.
 */
#ifndef AZ_CONFIG_H
#define AZ_CONFIG_H

#include "adapter.h"

/* The services of Resource Manager that the adapter speaks to, each with an API version. */
enum az_service { AZ_COMPUTE, AZ_NETWORK, AZ_RESOURCES, AZ_SUBSCRIPTIONS, AZ_N_SERVICES };

/* The kinds of credentials, in the order in which DefaultAzureCredential looks for them. */
enum az_credential {
    AZ_ENVIRONMENT, /* a service principal: AZURE_CLIENT_ID with a secret or a certificate */
    AZ_WORKLOAD,    /* a token in a file, given for one of Entra ID: AZURE_FEDERATED_TOKEN_FILE */
    AZ_MANAGED_IDENTITY, /* of the machine or the service that we run on */
    AZ_CLI,              /* `az account get-access-token` */
    AZ_N_CREDENTIALS,
};

struct az_service_info {
    const char *name;    /* for people: "compute" */
    const char *setting; /* that gives another version: "compute_api_version" */
    const char *version; /* the tested floor: "2021-03-01" */
};
extern const struct az_service_info az_services[AZ_N_SERVICES];

struct az_config {
    struct arena arena; /* everything here lives in it */
    const char *subscription_id;
    const char *resource_group; /* that lists are bound to; NULL: all of the subscription */
    const char *location;       /* that sizes and marketplace images are of; NULL: the group's */
    const char *authority;      /* "https://login.microsoftonline.com", no slash behind */
    const char *endpoint;       /* "https://management.azure.com", no slash behind */
    const char *audience;       /* what tokens are for: the same, but for a setting */
    const char *versions[AZ_N_SERVICES];
    const char *ca_file;  /* NULL: the system's */
    unsigned credentials; /* 1 << enum az_credential each: the first that is there is used */
    const char *tenant_id, *client_id;            /* NULL where nothing says */
    const char *certificate_file, *token_file;    /* the same */
    char *client_secret, *certificate_password;   /* the same */
    bool send_chain;                              /* the certificate's chain goes with it (x5c) */
    const char *metadata_url;                     /* of the instance metadata service */
    const char *identity_endpoint, *msi_endpoint; /* of a service's identity; NULL: none */
    char *identity_header, *msi_secret;           /* with identity_endpoint there is a header */
    const char *cli;                              /* the program: "az" */
};

/* What becomes a part of a path. Letters of all scripts are allowed in it. */
bool az_is_group_name(const char *text);

/* Read settings and environment; no network, no file. NULL where something is wrong, and
 * `ret_error` says what: no subscription, an API version that is none or older than the floor,
 * credentials that are there by half. Not thread-safe: it reads the environment. */
struct az_config *az_config_load(const struct settings *s, struct open_error *ret_error);
/* Wipes the secrets. NULL is allowed. */
void az_config_free(struct az_config *c);

/* For the files of this concern. Each reads a part; false where something is wrong. What is said is
 * returned as NULL by az_config_error(). */
void *az_config_error(struct open_error *ret_error, const char *fmt, ...) PRINTF(2, 3);
/* A variable of the environment; NULL where it is not set, or empty. */
const char *az_config_env(const char *name);
bool az_config_is_url(const char *text);
/* Authority, endpoint, audience. */
bool az_config_read_cloud(struct az_config *c, const struct settings *s,
                          struct open_error *ret_error);
/* Which credentials, and what there is of them. */
bool az_config_read_credentials(struct az_config *c, const struct settings *s,
                                struct open_error *ret_error);

#endif
