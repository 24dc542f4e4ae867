/* The files and the environment that credentials come from. Not thread-safe: it reads the
 * environment.
 */
#ifndef OS_FILES_H
#define OS_FILES_H

#include "os_yaml.h"

struct os_files {
    struct arena *arena;
    const char *folders[8]; /* where files are looked for, in this order */
    size_t n_folders;
    struct os_node *roots[4]; /* of what was read, to be wiped */
    size_t n_roots;
    struct open_error *error;
};

enum os_found {
    OS_FOUND,
    OS_ABSENT, /* not there, or we may not read it: it is passed over */
    OS_BROKEN, /* files->error says why */
};

/* Find out where to look. Both pointers are borrowed. */
void os_files_init(struct os_files *f, struct arena *a, struct open_error *error);
enum os_found os_files_read(struct os_files *f, const char *path, struct os_node **ret);
/* The first of NAME.yaml, NAME.yml and NAME.json in the folders; `first`, where not NULL, is tried
 * before them. */
enum os_found os_files_find(struct os_files *f, const char *first, const char *name,
                            struct os_node **ret);
/* Overwrite what was read: it holds passwords. */
void os_files_wipe(struct os_files *f);

/* A variable of the environment; NULL where it is not set or empty. */
const char *os_env(const char *name);
/* OS_* as a cloud; NULL where nothing but selectors (OS_CLOUD, OS_REGION_NAME, ...) is set. */
struct os_node *os_env_cloud(struct arena *a);

#endif
