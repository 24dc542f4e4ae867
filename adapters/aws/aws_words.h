/* A line split into words as a shell does it: quotes and backslashes, nothing else.
 *
 * Source: shlex.split() of Python, by which the AWS CLI splits credential_process and the names of
 * sections.
 */
#ifndef AWS_WORDS_H
#define AWS_WORDS_H

#include "isobar/arena.h"

/* The words, ended by NULL; NULL where a quote is not closed, a backslash is last, or memory is
 * short. `ret_n` may be NULL. */
char **aws_words_split(struct arena *a, const char *line, size_t *ret_n);

#endif
