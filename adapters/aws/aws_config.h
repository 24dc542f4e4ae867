/* Which account, region and endpoints a connection has, read the way the AWS CLI reads them: the
 * connection's settings, AWS_*, ~/.aws/config and ~/.aws/credentials.
 *
 * Source: "Configuration and credential file settings" of the AWS SDKs and Tools Reference Guide,
 * and botocore/configloader.py and credentials.py for the order of things.
 */
#ifndef AWS_CONFIG_H
#define AWS_CONFIG_H

#include "adapter.h"

enum aws_service { AWS_EC2, AWS_STS, AWS_N_SERVICES };

struct aws_config {
    struct arena arena;  /* everything here lives in it */
    const char *profile; /* "default" where nothing names one */
    bool profile_chosen; /* by the setting: then AWS_ACCESS_KEY_ID of the environment does not count
                          */
    const char *region;  /* "eu-west-1" */
    const char *urls[AWS_N_SERVICES]; /* "https://ec2.eu-west-1.amazonaws.com", no slash behind */
    const char *config_file, *credentials_file; /* their paths, whether they are there or not */
    const char *ca_file;                        /* NULL: the system's */
    /* Of the instance metadata service; NULL: it is switched off (AWS_EC2_METADATA_DISABLED). */
    const char *metadata_url;
};

/* Read files and environment; no network. NULL where something is wrong, and `ret_error` says what,
 * with file and line where they are known: no region, a profile that does not exist, credentials
 * that are there by half. Not thread-safe: it reads the environment. */
struct aws_config *aws_config_load(const struct settings *s, struct open_error *ret_error);
/* NULL is allowed. */
void aws_config_free(struct aws_config *c);

#endif
