/* "Did you mean": which of some words are near to one. */
#ifndef ISOBAR_NEAR_H
#define ISOBAR_NEAR_H

#include "isobar/base.h"

/* How far two words are apart: insertions, deletions, changes and swaps of neighbours (Damerau's
 * distance, optimal string alignment), not counting the case of letters; words over 63 bytes count
 * with their first 63. */
unsigned near_distance(const char *a, const char *b);

/* Up to `max` of the candidates that are near `word` (at most a third of its length apart, at least
 * one; or one is the beginning of the other), nearest first, as indices. Returns how many. */
size_t near_pick(const char *word, const char *const *candidates, size_t n, size_t *ret_index,
                 size_t max);

#endif
