/* Names to addresses, with a deadline, which the C library's resolver does not know. */
#ifndef ISOBAR_CLIENT_RESOLVE_H
#define ISOBAR_CLIENT_RESOLVE_H

#include <netdb.h>

#include "isobar/base.h"

/* Stream addresses of a host and a port number; free with freeaddrinfo(). Addresses need no
 * look-up; a name is looked up on a thread that may outlive the deadline, and then ends by itself.
 * NULL where that fails: *ret_error is a code for gai_strerror(), or EAI_INPROGRESS where the
 * deadline came first. */
struct addrinfo *resolve(const char *host, const char *port, int64_t deadline_ns, int *ret_error);

#endif
