/* Offers clouds of this gateway to others: registers them there, renews, registers again where the
 * other side has forgotten, and takes them back at the end. A thread for each gateway that the
 * configuration names; where two gateways offer clouds to each other, neither may wait for the
 * other to let go with the thread that lets go.
 */
#ifndef ISOBAR_REGISTRAR_H
#define ISOBAR_REGISTRAR_H

#include "config.h"

struct registrar;

/* One with nobody to offer anything to; NULL where memory or chance is short. Main thread, as the
 * following. */
struct registrar *registrar_new(void) MUST_USE;
/* Begin with the gateways that a configuration names, where that has not been done: nothing is
 * offered before the configuration is in force (connection.h), from which it is read what, and how.
 * False, with words, and all as it was, where memory is short, a token or certificate cannot be
 * read, or a URL is none. */
bool registrar_take(struct registrar *r, const struct config *config, char ret_why[512]) MUST_USE;
/* Leave those that a configuration does not name (NULL: all): have them send nothing more, wait
 * until what they have sent is answered, and deregister; at the latest at the deadline
 * (CLOCK_MONOTONIC). That goes on by itself. */
void registrar_leave(struct registrar *r, const struct config *config, int64_t deadline_ns);
/* Free what has left; returns how many have not. */
size_t registrar_tidy(struct registrar *r);
/* The clouds, or the configuration, may have changed. */
void registrar_look(struct registrar *r);
/* Everybody has left. NULL is allowed. */
void registrar_free(struct registrar *r);

/* Whether a token (its SHA-256) is the one that others were given to call this gateway with. Any
 * thread. */
bool registrar_gave(const uint8_t digest[32]);
/* Whether a cloud is offered to any of them. */
bool registrar_offers(const struct config *config, const char *cloud);

#endif
