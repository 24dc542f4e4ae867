/* The flags that do not go into a request: where the gateway is, how to print, and so on. */
#ifndef CLI_OPTION_H
#define CLI_OPTION_H

#include "isobar/base.h"

/* What a command does, and so which options it takes. */
enum {
    OPTION_ALWAYS = 0,
    OPTION_CALLS = 1,   /* it talks to the gateway */
    OPTION_PRINTS = 2,  /* it prints things in a format of choice */
    OPTION_LISTS = 4,   /* it prints many of them */
    OPTION_CHANGES = 8, /* it makes calls that change something */
    OPTION_DELETES = 16,
};

enum option_format { FORMAT_TABLE, FORMAT_WIDE, FORMAT_JSON, FORMAT_YAML, FORMAT_CSV, FORMAT_NAME };

struct options {
    const char *server, *context, *token_file, *ca, *cert, *key, *server_name;
    const char *request_id; /* NULL: one is made */
    const char *columns, *sort;
    uint32_t timeout_ms; /* 0: not given */
    uint32_t limit;      /* 0: none */
    int format;          /* enum option_format; -1: not given */
    bool no_header, yes, help, version, verbose;
};

enum option_kind { OPTION_TEXT, OPTION_SWITCH, OPTION_DURATION, OPTION_COUNT, OPTION_FORMAT };

struct option {
    const char *name;
    char letter; /* 0: none */
    enum option_kind kind;
    unsigned only; /* for commands that do one of these; OPTION_ALWAYS: for all */
    size_t offset; /* in struct options */
    const char *arg;
    const char *doc;
};

extern const struct option option_table[];
extern const size_t option_table_len;
extern const char *const option_formats[6]; /* by enum option_format */

#define OPTION_WHY 160

/* By name or by letter; NULL where there is none. */
const struct option *option_find(const char *name);
const struct option *option_find_letter(char letter);
/* Whether a command that does `does` takes it. */
bool option_fits(const struct option *o, unsigned does);
/* Set it; the value is NULL for a switch. */
bool option_set(struct options *to, const struct option *o, const char *value,
                char why[OPTION_WHY]) MUST_USE;

#endif
