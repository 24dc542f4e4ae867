/* The commands: one table, of which the parser, the help, the man page and the completion are made.
 *
 * A command that is one call to the gateway is a row: its request's fields become flags by the
 * table in flag.c, its answer is printed by the table in view.c.
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "isobar/base.h"

struct cli;

/* Does it, and returns an enum exit_code. What it prints goes to cli->out. */
typedef int command_run(struct cli *c);

/* How many words follow noun and verb. */
enum command_words { WORDS_NONE, WORDS_MAYBE, WORDS_ONE, WORDS_SOME, WORDS_UP_TO_TWO };

struct command {
    const char *noun; /* NULL: the verb stands alone */
    const char *verb;
    const char *method; /* "VmService/ListVms"; NULL: none, or another each time */
    command_run *run;
    unsigned does; /* OPTION_... */
    enum command_words words;
    const char *word;    /* what help calls them: "[CLOUD/]VM..." */
    const char *field;   /* of the request, that the word sets; "a/b": two, by a word that has a
                            slash; NULL: the command's own affair */
    const char *doc;     /* one sentence */
    const char *example; /* what follows `isobar`, or NULL */
};

struct noun {
    const char *name;
    const char *doc;
};

extern const struct command command_table[];
extern const size_t command_table_len;
extern const struct noun command_nouns[];
extern const size_t command_nouns_len;

const struct noun *command_noun(const char *name);
/* The command of a noun (NULL: of none), or NULL. */
const struct command *command_find(const char *noun, const char *verb);
/* The nearest verb of the noun; for NULL the nearest noun or lone verb. NULL where none is near. */
const char *command_near(const char *noun, const char *word);

#endif
