/* The part of the environment that AWS's configuration is read from, copied once: what is read of
 * it later, by any thread, is what was there when the connection was opened.
 */
#ifndef AWS_ENV_H
#define AWS_ENV_H

#include "isobar/arena.h"

struct aws_env {
    size_t n;
    struct aws_env_var {
        const char *name;
        char *value;
    } * items;
    const char *home; /* NULL where there is none */
};

/* Copies AWS_* into the arena. Not thread-safe. */
void aws_env_read(struct arena *a, struct aws_env *ret);
/* There are secrets among the values. */
void aws_env_wipe(struct aws_env *e);
/* NULL where it is not set, or empty. */
const char *aws_env_get(const struct aws_env *e, const char *name);
/* "~" and "~/..." with the home in its place; other paths as they are. */
const char *aws_env_path(const struct aws_env *e, struct arena *a, const char *path);

#endif
