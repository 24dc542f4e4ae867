/* Help, made from the tables of commands, flags, options and exit codes. */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include "run.h"

/* Which commands there are; of a noun, which verbs. */
void help_short(const char *noun, struct buf *out);
/* Append to the output how a command is used; with NULL the noun; with no noun all. */
void help_for(struct cli *c, const char *noun, const struct command *command);
/* The exit codes, with the result codes that lead to them. */
void help_exit_codes(struct buf *out);
/* The names of the result codes that lead to an exit code, with commas; "" for none. */
void help_results_of(const struct exit_info *info, struct buf *out);
/* How a flag is written: "--flavor FLAVOR"; an option: "-o, --output FORMAT". */
void help_flag_usage(const struct flag *f, struct buf *out);
void help_option_usage(const struct option *o, struct buf *out);
/* "isobar vm create [FLAGS]" */
void help_usage(const struct command *command, struct buf *out);

#endif
