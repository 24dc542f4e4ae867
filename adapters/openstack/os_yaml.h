/* The part of YAML that clouds.yaml uses, as a tree that files can be merged in. The only file of
 * this adapter that knows libyaml is behind this header.
 *
 * Keys are normalised as openstacksdk does it: "auth-type" is "auth_type". Aliases and merge keys
 * ("<<") are resolved. Everything lives in the arena that is given.
 */
#ifndef OS_YAML_H
#define OS_YAML_H

#include "adapter.h"

enum os_node_kind {
    OS_NODE_NULL,
    OS_NODE_SCALAR,
    OS_NODE_LIST,
    OS_NODE_MAP,
};

struct os_node {
    enum os_node_kind kind;
    const char *key; /* in a map, else NULL */
    char *text;      /* of a scalar; writable, so that it can be wiped */
    const char *file;
    size_t line; /* from 1 */
    struct os_node *first, *last, *next;
};

/* Parse one document; `file` is for the messages. NULL where that fails, with file, line and what
 * is wrong in `ret_error`. An empty document is an empty map; anything but a map is an error. */
struct os_node *os_yaml_parse(struct arena *a, const char *text, size_t len, const char *file,
                              struct open_error *ret_error);
/* A node of its own: a map where `text` is NULL, else a scalar. NULL where memory is short. */
struct os_node *os_node_new(struct arena *a, const char *key, const char *text, const char *file);
/* Put a child into a map, in place of the one with its key. */
void os_node_put(struct os_node *map, struct os_node *child);
/* The child with this key, or NULL; `map` may be NULL. */
struct os_node *os_node_get(const struct os_node *map, const char *key);
/* The text of the child with this key; NULL where absent, null, empty or no scalar. */
const char *os_node_text(const struct os_node *map, const char *key);
void os_node_remove(struct os_node *map, const char *key);
/* A copy of `base` with `over` laid over it; maps in maps are merged too, `depth` levels deep.
 * Scalars share their text with the originals. */
struct os_node *os_node_merge(struct arena *a, const struct os_node *base,
                              const struct os_node *over, int depth);
/* Overwrite all text below: it holds passwords. */
void os_node_wipe(struct os_node *node);

#endif
