/* Which account, region and endpoints a connection has, read the way the AWS CLI reads them: the
 * connection's settings, AWS_*, ~/.aws/config and ~/.aws/credentials.
 *
 * Source: "Configuration and credential file settings" of the AWS SDKs and Tools Reference Guide,
 * and botocore/configloader.py and credentials.py for the order of things.
 */
#ifndef AWS_CONFIG_H
#define AWS_CONFIG_H

#include "aws_env.h"
#include "aws_profiles.h"

enum aws_service { AWS_EC2, AWS_STS, AWS_N_SERVICES };

struct aws_config {
    struct arena arena;  /* everything here lives in it */
    const char *profile; /* "default" where nothing names one */
    /* By the setting: then keys and roles of the environment do not count. */
    bool profile_chosen;
    const char *region;               /* "eu-west-1" */
    const char *urls[AWS_N_SERVICES]; /* "https://ec2.eu-west-1.amazonaws.com", no slash behind */
    const char *config_file, *credentials_file; /* their paths, whether they are there or not */
    const char *ca_file;                        /* NULL: the system's */
    /* Of the instance metadata service; NULL: it is switched off (AWS_EC2_METADATA_DISABLED). */
    const char *metadata_url;
    int metadata_timeout_ms, metadata_attempts;
    struct aws_env env; /* as it was when the connection was opened */
};

/* Read files and environment; no network. NULL where something is wrong, and `ret_error` says what,
 * with file and line where they are known: no region, a profile that does not exist, credentials
 * that are there by half. Not thread-safe: it reads the environment. */
struct aws_config *aws_config_load(const struct settings *s, struct open_error *ret_error);
/* Wipes what it has of the environment. NULL is allowed. */
void aws_config_free(struct aws_config *c);

/* For the files of this concern: say what is wrong; returns NULL. */
void *aws_config_error(struct open_error *ret_error, const char *fmt, ...) PRINTF(2, 3);
/* The URLs of the services, of c->region, settings, environment and profile: aws_endpoint.c. */
bool aws_endpoints_read(struct aws_config *c, const struct settings *s, struct aws_profiles *p,
                        struct open_error *ret_error) MUST_USE;
/* Whether it is an http:// or https:// URL with a host, without user, query or fragment. */
bool aws_is_url(const char *text);

#endif
