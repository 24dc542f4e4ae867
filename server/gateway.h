/* The gateway as a whole: start it, reload its configuration, let it end. Main thread only. */
#ifndef ISOBAR_GATEWAY_H
#define ISOBAR_GATEWAY_H

#include "config.h"

struct gateway;

/* Start everything that the configuration (taken) names. NULL where something cannot be had;
 * `report` gets a line for each reason, and nothing is left behind. */
struct gateway *gateway_start(struct config *config, void (*report)(void *ctx, const char *line),
                              void *ctx);
/* Take over another configuration (taken), without a call lost; false, with the old one in force,
 * where something in it cannot be had. */
bool gateway_reload(struct gateway *g, struct config *config,
                    void (*report)(void *ctx, const char *line), void *ctx);
/* Bring into force what has been registered, look after leases, free what a reload has left over.
 * To be called when gateway_wake_fd() is readable, and after so many milliseconds as it returns;
 * -1: there is nothing to do until then. */
int gateway_tidy(struct gateway *g);
int gateway_wake_fd(void);
/* Refuse what is new, finish what is under way, at most for the configured time; then close all.
 * False where calls were still under way: threads may then still run, and the process has to end by
 * _exit(). */
bool gateway_drain(struct gateway *g);

/* The port of the i-th listener of the configuration, where it is TCP. */
int gateway_port(const struct gateway *g, size_t i);

#endif
