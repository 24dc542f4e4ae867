/* Which subscription, endpoints and API versions a connection has: its settings, then AZURE_* of
 * the environment.
 *
 * Source: "Environment variables" and DefaultAzureCredential of azure-identity; the metadata of the
 * clouds for the endpoints of sovereign ones.
 */
#ifndef AZ_CONFIG_H
#define AZ_CONFIG_H

#include "adapter.h"

/* The services of Resource Manager that the adapter speaks to, each with an API version. */
enum az_service { AZ_COMPUTE, AZ_NETWORK, AZ_RESOURCES, AZ_SUBSCRIPTIONS, AZ_N_SERVICES };

/* Which credentials are used; the first that is there where nothing says. */
enum az_credential {
    AZ_ANY,
    AZ_ENVIRONMENT, /* a service principal: AZURE_CLIENT_ID with a secret or a certificate */
    AZ_WORKLOAD,    /* a token in a file, given for one of Entra ID: AZURE_FEDERATED_TOKEN_FILE */
    AZ_MANAGED_IDENTITY, /* of the machine or the service that we run on */
    AZ_CLI,              /* `az account get-access-token` */
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
    const char *authority;      /* "https://login.microsoftonline.com", no slash behind */
    const char *endpoint;       /* "https://management.azure.com", no slash behind */
    const char *audience;       /* what tokens are for: "https://management.azure.com/" */
    const char *versions[AZ_N_SERVICES];
    const char *ca_file; /* NULL: the system's */
    enum az_credential credential;
    const char *tenant_id, *client_id;            /* NULL where nothing says */
    const char *certificate_file, *token_file;    /* the same */
    char *client_secret, *certificate_password;   /* the same */
    bool send_chain;                              /* the certificate's chain goes with it (x5c) */
    const char *metadata_url;                     /* of the instance metadata service */
    const char *identity_endpoint, *msi_endpoint; /* of a service's identity; NULL: none */
    char *identity_header, *msi_secret;
    const char *cli; /* the program: "az" */
};

/* Read settings and environment; no network. NULL where something is wrong, and `ret_error` says
 * what: no subscription, an API version that is none, credentials that are there by half. Not
 * thread-safe: it reads the environment. */
struct az_config *az_config_load(const struct settings *s, struct open_error *ret_error);
/* Wipes the secrets. NULL is allowed. */
void az_config_free(struct az_config *c);

#endif
