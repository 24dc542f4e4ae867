/* Where credentials are to be taken from: the first of the places that has some, in the order of
 * the AWS CLI. Choosing is pure: files and environment have been read, nothing is asked yet.
 *
 * Source: botocore/credentials.py for the order of things.
 */
#ifndef AWS_SOURCE_H
#define AWS_SOURCE_H

#include "aws_config.h"

enum aws_source_kind {
    AWS_SOURCE_ENVIRONMENT,
    AWS_SOURCE_ROLE,         /* assumed with the credentials of `base` */
    AWS_SOURCE_WEB_IDENTITY, /* a role that is assumed with a token of somebody else */
    AWS_SOURCE_SHARED_FILE,  /* the credentials file */
    AWS_SOURCE_PROCESS,
    AWS_SOURCE_CONFIG_FILE,
    AWS_SOURCE_CONTAINER,
    AWS_SOURCE_METADATA,
    AWS_SOURCE_NONE, /* there are none anywhere */
    AWS_N_SOURCE_KINDS,
};

struct aws_source {
    enum aws_source_kind kind;
    const char *what; /* for people: `profile "dev" of ~/.aws/credentials` */
    /* ENVIRONMENT, SHARED_FILE, CONFIG_FILE; expiration may be NULL, and so may the token. */
    const char *id, *secret, *session_token, *expiration;
    /* ROLE, WEB_IDENTITY; what may be left out is NULL or 0. */
    const char *role_arn, *session_name, *external_id;
    int64_t duration_s;
    const struct aws_source *base;
    const char *token_file; /* WEB_IDENTITY, CONTAINER */
    char **command;         /* PROCESS */
    const char *url;        /* CONTAINER */
    const char *token;      /* CONTAINER: the header Authorization; NULL: none, or in token_file */
    bool asked_for;         /* METADATA: a profile names it, it is not just the last resort */
};

/* Choose, into the arena; the texts may be those of environment and files. NULL where what is
 * chosen is there by half, or is wrong, and the error says so. */
const struct aws_source *aws_source_choose(struct arena *a, const struct aws_config *c,
                                           const struct aws_profiles *p,
                                           struct open_error *ret_error) MUST_USE;
/* For people: the places that have no credentials where there is no better source than METADATA or
 * NONE, and what is there by half. */
const char *aws_source_places(struct arena *a, const struct aws_config *c,
                              const struct aws_profiles *p);

/* For the files of this concern: what is at work while choosing. */
struct aws_choice {
    struct arena *arena;
    const struct aws_config *config;
    const struct aws_profiles *profiles;
    struct open_error *error;
    bool failed;             /* and the error is filled in */
    const char *visited[16]; /* profiles whose roles are on the way */
    size_t n_visited;
};
/* Each returns NULL where its kind is not there, or where it failed. */
typedef struct aws_source *aws_chooser(struct aws_choice *x, const struct aws_profile *profile);
/* The role of a profile with role_arn: aws_source_role.c. */
aws_chooser aws_choose_role, aws_choose_web_identity;
/* The same without the environment. */
aws_chooser aws_choose_web_identity_of_profile;
/* What a profile has beside a role with a source_profile. */
aws_chooser aws_choose_of_profile;
/* What is no profile's; the profile does not count. */
aws_chooser aws_choose_environment, aws_choose_container, aws_choose_metadata;
/* A new source of a kind, called so. */
struct aws_source *aws_source_new(struct aws_choice *x, enum aws_source_kind kind,
                                  const char *what_fmt, ...) PRINTF(3, 4);
/* It cannot be used; returns NULL. */
void *aws_choice_fail(struct aws_choice *x, const char *fmt, ...) PRINTF(2, 3);
/* Whether a profile has a role that is assumed with other credentials. */
bool aws_has_role(const struct aws_choice *x, const struct aws_profile *profile);

#endif
