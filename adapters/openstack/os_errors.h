/* What an OpenStack service says when it does not do something, into our result codes. Pure.
 *
 * Sources: nova, cinder api/openstack/wsgi.py (Fault), neutron api/api_common.py and
 * neutron_lib.exceptions, keystone's and keystonemiddleware's errors, webob for glance.
 */
#ifndef OS_ERRORS_H
#define OS_ERRORS_H

#include "kit/error.h"
#include "os.h"

/* The words in an error's body, whichever service wrote it. */
struct os_fault {
    const char *type;    /* what is machine-readable: "OverQuota", "forbidden"; "" where nothing */
    const char *message; /* "" where there is none */
};

/* Any body at all: JSON of Nova, Cinder, Neutron, Keystone, Glance; HTML; text. */
void os_fault_read(struct arena *a, const char *body, size_t len, struct os_fault *ret);

extern const struct error_row os_errors[]; /* the last one fits everything */
extern const size_t os_errors_len;
const struct error_row *os_error_find(int status, const struct os_fault *fault);

/* For struct sender_ops. `cloud` is the connection's name, `service` the service's. */
pb_ResultCode os_map_error(struct op *op, const char *cloud, const char *service,
                           const struct http_response *rsp);
/* The same for what Keystone says to our credentials, which are those of `source`. */
pb_ResultCode os_map_login_error(struct op *op, const char *cloud, const char *source,
                                 const struct http_response *rsp);

/* The cloud's id of the request, or "". */
const char *os_request_id(const struct http_response *rsp);

#endif
