/* The configuration: one YAML file, checked whole before anything starts.
 *
 * Keys, types, defaults and limits are one table in config_keys.c, which the manual is made of too.
 * Mistakes are reported with line and column, all at once (but what is no YAML ends at its first).
 */
#ifndef ISOBAR_CONFIG_H
#define ISOBAR_CONFIG_H

#include "adapter.h"
#include "isobar/buf.h"
#include "listener.h"

struct config_listen {
    const char *url;
    bool insecure;           /* plain TCP beyond loopback is meant so */
    struct listener_tls tls; /* of tls+tcp:// */
};

struct config_pair {
    const char *name, *value;
    int line, column;
};

struct config_cloud {
    const char *name;
    const char *adapter;
    const struct adapter_ops *ops; /* NULL: processes that have registered serve it */
    const char *version;           /* which of them; a range, NULL: any */
    const char *cloud;             /* its name there; NULL: the same */
    unsigned max_in_flight, max_queued;
    size_t n_settings; /* what the adapter's manifest has under `settings` */
    struct config_pair *settings;
    size_t n_defaults; /* of VmSpec's attributes; `parameters` as "parameters.NAME" */
    struct config_pair *defaults;
    int line, column;
    int adapter_line, adapter_column; /* where the adapter stands */
};

struct config_user {
    const char *name;
    const char *role;       /* "adapter", "reader", "operator" or "admin" */
    const char *token_file; /* holds the token; NULL: known by the name in its certificate alone */
    size_t n_adapters;
    const char **adapters; /* whose instances it may register; "*": any */
    const char *ca;        /* who signs the certificates of their endpoints; NULL: the system's */
    int line, column;
};

/* Another gateway that is offered clouds of this one. */
struct config_register {
    const char *gateway;         /* its URL */
    const char *token_file;      /* what it knows us by; NULL: it does without */
    const char *ca, *cert, *key; /* of tls+tcp:// */
    const char *endpoint;        /* where it calls us */
    unsigned weight;
    size_t n_offer; /* 0: all clouds */
    const char **offer;
    size_t n_metadata;
    struct config_pair *metadata;
    int line, column;
};

struct config {
    struct arena arena; /* everything here lives in it */
    const char *path;   /* NULL: the built-in default */
    const char *state_dir;
    unsigned io_threads; /* 0: as many as cores, at most 4 */
    int default_timeout_ms;
    int drain_timeout_ms;
    int keep_operations_ms;
    const char *log_level; /* "debug", "info", "warn" or "error" */
    struct listener_limits limits;
    size_t memory_max; /* bytes of all calls together, while they are read too */
    size_t n_listen;
    struct config_listen *listen;
    size_t n_clouds;
    struct config_cloud *clouds;
    size_t n_users;
    struct config_user *users;
    size_t n_registers;
    struct config_register *registers;
};

/* Read and check a file; path NULL gives the default: a cloud named sandbox, and the local socket
 * (where_socket). NULL where there are mistakes: `report` is then called for each, with
 * "file:line:column: what". What the file names is looked at (files, folders), but no adapter is
 * opened and nothing is made. */
struct config *config_load(const char *path, void (*report)(void *ctx, const char *line),
                           void *ctx);
/* The same from memory; `path` is only for the reports. */
struct config *config_parse(const char *text, size_t len, const char *path,
                            void (*report)(void *ctx, const char *line), void *ctx);
/* NULL is allowed. What adapters are told is wiped. */
void config_free(struct config *c);

/* A cloud that the configuration does not name, and processes offer; the texts are borrowed. */
void config_offered_cloud(struct config_cloud *c, const char *name, const char *adapter);

/* Names of clouds, and of adapters and instances: at most so many letters a to z, digits, and _ - .
 * behind the first. */
#define CONFIG_NAME_MAX 63
bool config_is_name(const char *text);

/* Whether a text is a value of that type: "-12", "true". */
bool config_value_fits(pb_ParameterType type, const char *text);

/* isobard.conf(5), as mdoc. */
void config_manual(struct buf *out);

#endif
