/* The command line, taken apart: which command, which flags, which words. Pure: it looks at nothing
 * but its arguments. */
#ifndef CLI_ARGS_H
#define CLI_ARGS_H

#include "command.h"
#include "flag.h"
#include "option.h"
#include "symbol.h"

/* A flag of the request, as it was given. */
struct args_flag {
    const struct flag *flag;
    const char *value; /* NULL where it has none */
};

struct args {
    const struct noun *noun;       /* NULL: none was named */
    const struct command *command; /* NULL: none was named */
    struct symbol method;          /* that the command calls; .method NULL: none */
    size_t n_words, n_flags;
    const char **words;
    struct args_flag *flags;
    struct options options;
    /* Which options were given, by their place in option_table. */
    uint32_t given;
};

#define ARGS_WHY 400

/* Parse argv[1] and further. False where it is wrong; `why` then says how to put it right, and what
 * was understood up to there is in `ret`. Without a command, or where help is asked for, the words
 * are not counted. Everything lives in the arena or in argv. */
bool args_parse(struct arena *a, int argc, char **argv, struct args *ret,
                char why[ARGS_WHY]) MUST_USE;

/* Whether a flag or option was given: "no-wait". */
bool args_has(const struct args *args, const char *name);
/* The last value of a flag of the request; NULL where it was not given. */
const char *args_value(const struct args *args, const char *name);

#endif
