/* The profiles of ~/.aws/config and ~/.aws/credentials: [profile x], [default] and [x], what both
 * files say of one laid over each other. Belongs to one thread.
 */
#ifndef AWS_PROFILES_H
#define AWS_PROFILES_H

#include "aws_ini.h"

struct aws_file {
    struct aws_ini ini; /* no sections where the file is not there */
    bool there;
};

struct aws_profile {
    const char *name;
    const struct aws_ini_section *config, *credentials; /* NULL: not in that file */
    struct aws_profile *next;
};

struct aws_profiles {
    struct arena arena;
    struct aws_file config, credentials;
    struct aws_profile *first, *last;
};

/* Read both files. One that is not there, or is no regular file (/dev/null), is empty; one that
 * cannot be read or parsed is an error. To be ended by aws_profiles_done() in any case. */
bool aws_profiles_read(struct aws_profiles *p, const char *config_path,
                       const char *credentials_path, struct open_error *ret_error) MUST_USE;
/* Wipes what was read. */
void aws_profiles_done(struct aws_profiles *p);

/* NULL where there is none of that name. */
const struct aws_profile *aws_profiles_find(const struct aws_profiles *p, const char *name);
/* A profile's value: the credentials file's, else the config file's; NULL where there is none, it
 * is empty, or consists of pairs. What is behind white space and a # or ; is a comment, and is cut
 * off. A NULL profile has no values. */
const char *aws_profile_get(const struct aws_profiles *p, const struct aws_profile *profile,
                            const char *key);
/* The same of one of the files, with the line in `ret_line`, which may be NULL. */
const char *aws_profile_get_of(const struct aws_file *file, const struct aws_ini_section *section,
                               const char *key, size_t *ret_line);
/* The same as aws_profile_get() with nothing cut off: of a command line. */
const char *aws_profile_whole(const struct aws_profiles *p, const struct aws_profile *profile,
                              const char *key);
/* A value below a service's name in the section [services x] that the profile names; NULL where
 * there is none. */
const char *aws_profile_service(struct aws_profiles *p, const struct aws_profile *profile,
                                const char *service, const char *key);
/* "a, b, c": as many names as fit. */
void aws_profiles_names(const struct aws_profiles *p, char *ret, size_t size);

#endif
