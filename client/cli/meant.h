/* What to say of a word that is none of those that there are. */
#ifndef CLI_MEANT_H
#define CLI_MEANT_H

#include "isobar/base.h"

/* Write `there is no KIND "WORD"; did you mean NEAR?`; where none is near and `all` is set,
 * `...; it is one of A, B`. `kind` may be "". */
void meant(char *why, size_t size, const char *kind, const char *word, const char *const *words,
           size_t n, bool all);

#endif
