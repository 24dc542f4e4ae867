/* Offers clouds of this gateway to others: registers them there, renews, registers again where the
 * other side has forgotten, and takes them back at the end. A thread for each gateway that the
 * configuration names.
 */
#ifndef ISOBAR_REGISTRAR_H
#define ISOBAR_REGISTRAR_H

#include "config.h"

struct registrar;

/* To whom the configuration says; what, and how, is read from the one in force (connection.h).
 * NULL, with words, where memory is short, a token cannot be read, or a URL is none. Main thread,
 * as the next three. */
struct registrar *registrar_start(const struct config *config, char ret_why[512]) MUST_USE;
/* Whether one that was started with a configuration goes on with another one: the same gateways,
 * and the same way to them. */
bool registrar_fits(const struct config *before, const struct config *now);
/* The clouds, or the configuration, may have changed. */
void registrar_look(struct registrar *r);
/* Have the others send nothing more, and wait until what they have sent is answered; then
 * deregister. At the latest at the deadline (CLOCK_MONOTONIC). NULL is allowed. */
void registrar_stop(struct registrar *r, int64_t deadline_ns);

/* Whether a token (its SHA-256) is the one that others were given to call this gateway with. Any
 * thread. */
bool registrar_gave(const uint8_t digest[32]);
/* Whether a cloud is offered to any of them. */
bool registrar_offers(const struct config *config, const char *cloud);

#endif
