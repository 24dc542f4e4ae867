/* YAML as a tree in which each thing knows its place. The only file of the server that knows
 * libyaml is behind this header.
 *
 * What a configuration does not need is refused: anchors and aliases, tags, several documents,
 * keys that are no scalars, deep nesting, text that is not UTF-8.
 */
#ifndef ISOBAR_CONFIG_YAML_H
#define ISOBAR_CONFIG_YAML_H

#include "isobar/arena.h"

#define CONFIG_BYTES_MAX ((size_t)1 << 20)
#define CONFIG_DEPTH_MAX 16
#define CONFIG_NODES_MAX 10000

enum config_kind { CONFIG_SCALAR, CONFIG_LIST, CONFIG_MAP };

struct config_node {
    enum config_kind kind;
    bool quoted;      /* a scalar in quotes is never null */
    const char *key;  /* in a map, else NULL */
    const char *text; /* of a scalar */
    int line, column; /* from 1; in a map, where the key is */
    int first_line;   /* where the same map has the key before; 0: it has not */
    struct config_node *first, *last, *next;
};

/* What is wrong, and where; line 0: nowhere in particular. */
struct config_mistake {
    int line, column;
    char text[256];
};

/* One document into the arena; an empty one is an empty map. NULL where it cannot be read. */
struct config_node *config_yaml(struct arena *a, const char *text, size_t len,
                                struct config_mistake *ret_mistake) MUST_USE;

/* Whether a value is there at all: not `key:` alone, `~` or `null`. */
bool config_is_null(const struct config_node *n);
/* How many values a list or map has. */
size_t config_count(const struct config_node *n);

#endif
