/* How far a cloud's clock is ahead of ours, learned from the Date header of its answers.
 *
 * A date has whole seconds and was written somewhere between request and answer: one sample is
 * right to a second and half the round trip.
 */
#ifndef ISOBAR_KIT_SKEW_H
#define ISOBAR_KIT_SKEW_H

#include <stdatomic.h>

#include "kit/http.h"

/* Any thread. */
struct skew {
    _Atomic int64_t offset_ns; /* SKEW_UNKNOWN until there is a sample */
};
#define SKEW_UNKNOWN INT64_MIN

void skew_init(struct skew *s);
/* Nanoseconds to add to our wall clock; 0 where nothing is known. */
int64_t skew_ns(const struct skew *s);
/* What an answer says that came in at `wall_ns` (since 1970) after a round trip of so long; false
 * where it says nothing: it has no date, comes from a cache, or took too long to be of use. */
bool skew_sample(const struct http_response *rsp, int64_t wall_ns, int64_t round_trip_ns,
                 int64_t *ret) MUST_USE;
/* Move towards a sample, by an eighth of the way; the first counts whole. */
void skew_learn(struct skew *s, int64_t sample_ns);
/* The cloud refused our time: this sample counts whole. */
void skew_set(struct skew *s, int64_t sample_ns);

#endif
