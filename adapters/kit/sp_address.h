/* Where a gateway listens: its URL taken apart, and its host looked up with a deadline. */
#ifndef ISOBAR_KIT_SP_ADDRESS_H
#define ISOBAR_KIT_SP_ADDRESS_H

#include <netdb.h>

#include "adapter.h"
#include "isobar/tls.h"

struct sp_address {
    char *url;              /* with its port */
    const char *path;       /* of a local socket, in `url`; NULL: TCP */
    char *host, *port;      /* of TCP */
    bool secure;            /* with TLS, */
    struct tls_client *tls; /* which the client makes; owned */
};

/* False, with words, where the URL is none that can be used, or memory is short. */
bool sp_address_init(struct sp_address *a, const char *url, struct open_error *ret_error) MUST_USE;
void sp_address_done(struct sp_address *a);

/* Stream addresses of the host; free with freeaddrinfo(). A number needs no look-up; a name is
 * looked up on a thread that may outlive the deadline, and then ends by itself. NULL where that
 * fails: *ret_error is a code for gai_strerror(), or EAI_INPROGRESS where `until_ns` or a
 * cancellation came first. */
struct addrinfo *sp_address_resolve(const struct sp_address *a, const struct op *op,
                                    int64_t until_ns, int *ret_error);

/* How often who waits looks whether the call has been cancelled. */
#define SP_CANCEL_TICK_NS (40 * NS_PER_MS)

#endif
