/* Words for people that several modules need. */
#ifndef ISOBAR_WORDS_H
#define ISOBAR_WORDS_H

#include "isobar/arena.h"

/* What to say behind `no such X`: "; near: a, b", or "; there is: a, b" where nothing is near and
 * the list is short, or "". */
const char *near_words(struct arena *a, const char *word, const char *const *names, size_t n);

#endif
