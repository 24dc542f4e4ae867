/* client.yaml: the gateways that a user works with, by name.
 *
 *     current: home
 *     contexts:
 *       home: {server: ipc:///run/isobar/isobar.sock}
 *       far:  {server: tls+tcp://gw.example.org:7461, token_file: ~/.isobar-token, cloud: lab}
 *
 * It is $XDG_CONFIG_HOME/isobar/client.yaml, or that below ~/.config. The only file of the client
 * that knows libyaml is behind this header.
 */
#ifndef CLI_CONTEXT_H
#define CLI_CONTEXT_H

#include "isobar/arena.h"
#include "isobar/buf.h"

/* One gateway; what the file does not say is NULL. */
struct context {
    const char *name;
    const char *server, *token_file, *ca, *cert, *key, *server_name, *cloud;
};

struct context_file {
    const char *path;
    const char *current; /* NULL: none */
    size_t n;
    struct context *contexts;
    /* Where the text of `current` is, in characters, for context_file_use(); equal where absent. */
    size_t current_from, current_to;
};

#define CONTEXT_WHY 512

/* Its name; "" where there is neither XDG_CONFIG_HOME nor HOME. In the arena. */
const char *context_path(struct arena *a);
/* Read it. A file that is not there has no contexts. False where it is wrong: `why` has
 * file:line:column and what. A leading "~/" in a file's name is the home directory. */
bool context_file_read(struct arena *a, const char *path, struct context_file *ret,
                       char why[CONTEXT_WHY]) MUST_USE;
/* The same from memory. */
bool context_file_parse(struct arena *a, const char *path, const char *text, size_t len,
                        struct context_file *ret, char why[CONTEXT_WHY]) MUST_USE;
/* By name; where there is none, NULL, and `why` says so with a near name. */
const struct context *context_find(const struct context_file *file, const char *name,
                                   char why[CONTEXT_WHY]);
/* The text with another current context; comments and layout stay as they are. */
void context_with_current(const struct context_file *file, const char *text, size_t len,
                          const char *name, struct buf *out);
/* The i-th setting of a context, by its key in the file; NULL past the last. */
const char *context_setting(const struct context *context, size_t i, const char **ret_key);

#endif
