/* What the files behind config.h share. */
#ifndef ISOBAR_CONFIG_PARSE_H
#define ISOBAR_CONFIG_PARSE_H

#include "config.h"
#include "config_yaml.h"

/* Mistakes are told up to this many. */
#define CONFIG_MISTAKES_MAX 50

struct config_reading {
    struct config *config;
    struct arena *arena; /* of the configuration */
    void (*report)(void *ctx, const char *line);
    void *ctx;
    unsigned n_mistakes;
};

/* Say what is wrong at a node, and what to do; NULL: nowhere in particular. */
void config_wrong(struct config_reading *r, const struct config_node *n, const char *fmt, ...)
    PRINTF(3, 4);

/* ---- keys ---- */

enum config_type {
    CONFIG_TEXT,     /* const char * */
    CONFIG_WORD,     /* const char *: one of `words` */
    CONFIG_BOOL,     /* bool */
    CONFIG_COUNT,    /* unsigned */
    CONFIG_SIZE,     /* size_t, bytes */
    CONFIG_DURATION, /* int, milliseconds */
    CONFIG_PATH,     /* const char *: a folder or file, made absolute */
    CONFIG_FILE,     /* const char *: a file that can be read, made absolute */
    CONFIG_SECTION,  /* a table of its own, in the same struct */
    CONFIG_SPECIAL,  /* `read` does it */
};

struct config_key {
    const char *name;
    enum config_type type;
    size_t offset;
    int64_t min, max, initial;          /* of numbers, in their unit */
    const char *text;                   /* of texts and words: the initial one; else how it looks */
    const char *const *words;           /* ended by NULL */
    const struct config_table *section; /* also of a SPECIAL whose values are such maps */
    void (*read)(struct config_reading *r, const struct config_node *n, void *base);
    bool required;
    const char *doc; /* for the manual: one or two sentences */
};

struct config_table {
    const char *what; /* "the configuration", "a cloud": for sentences and the manual */
    size_t n;
    const struct config_key *keys;
};

extern const struct config_table config_top, config_cloud_table, config_listen_table,
    config_user_table, config_register_table;

/* Set what has an initial value. */
void config_initial(const struct config_table *t, void *base);
/* Read a map by its table. Keys that are not in it go to `other`, or are a mistake where that is
 * NULL. */
void config_read(struct config_reading *r, const struct config_table *t,
                 const struct config_node *map, void *base,
                 void (*other)(struct config_reading *r, const struct config_node *n, void *base));
/* An unknown key: a mistake that tells near names of the table and of `more`. */
void config_unknown(struct config_reading *r, const struct config_table *t,
                    const struct config_node *n, const char *const *more, size_t n_more);
/* Whether the node is of the kind; a mistake where not. */
bool config_expect(struct config_reading *r, const struct config_node *n, enum config_kind kind);

/* Who can be reached from other machines has to know who calls; after all else has been read. */
void config_check_strangers(struct config_reading *r, const struct config_node *root);

/* What hangs together across sections: adapters that are not built in, and who registers them. */
void config_check_registered(struct config_reading *r, const struct config_node *root);
/* Others have no right to a file with a token; a mistake where they have. */
void config_check_secret(struct config_reading *r, const struct config_node *n, const char *path);

/* ---- values ---- */

/* "30s", "500ms", "5m", "1h"; a number alone is seconds. Fractions are allowed. False where it is
 * none. */
bool config_duration(const char *text, int64_t *ret_ms) MUST_USE;
/* "4MiB", "64KiB", "1GiB"; a number alone is bytes. */
bool config_size(const char *text, int64_t *ret_bytes) MUST_USE;
/* As they are written in the configuration. */
void config_duration_text(int64_t ms, char out[32]);
void config_size_text(int64_t bytes, char out[32]);
void config_number_text(enum config_type type, int64_t value, char out[32]);
/* Relative to the folder of the configuration. */
const char *config_path(struct config_reading *r, const char *path);

/* ---- the special ones ---- */

void config_read_listen(struct config_reading *r, const struct config_node *n, void *base);
void config_read_clouds(struct config_reading *r, const struct config_node *n, void *base);
void config_read_users(struct config_reading *r, const struct config_node *n, void *base);
void config_read_defaults(struct config_reading *r, const struct config_node *n, void *base);
void config_read_registers(struct config_reading *r, const struct config_node *n, void *base);
void config_read_adapters(struct config_reading *r, const struct config_node *n, void *base);
void config_read_offer(struct config_reading *r, const struct config_node *n, void *base);
void config_read_metadata(struct config_reading *r, const struct config_node *n, void *base);

#endif
