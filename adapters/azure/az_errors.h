/* What Resource Manager and its services say when they do not do something, into our result codes.
 * Pure.
 *
 * Sources: "Common REST API status codes", "Resource Manager common deployment errors", "Error
 * codes for Azure compute", and what the services answer.
 */
#ifndef AZ_ERRORS_H
#define AZ_ERRORS_H

#include "az.h"
#include "kit/error.h"

/* What stands in an error; "" where it does not say. */
struct az_fault {
    const char *code; /* "ResourceNotFound"; of the innermost error that has one */
    const char *message;
    const char *target;
};
/* Any body at all: {"error": {..}}, that without its wrapping, an asynchronous operation's. */
void az_fault_read(struct arena *a, const char *body, size_t len, struct az_fault *ret);

/* Whether such a code says that Azure works yet on what the order is about or refers to, so that
 * the same order is in place a little later; NULL: no. */
bool az_is_not_yet(const char *code);
/* Whether that is what op->result has been told. */
bool az_said_not_yet(const struct op *op);

extern const struct error_row az_errors[]; /* the last one fits everything */
extern const size_t az_errors_len;
const struct error_row *az_error_find(const struct az_fault *fault, int status);

/* For struct sender_ops, and for operations that end badly. `cloud` is the connection's name,
 * `source` where the credentials are from; may be NULL. */
pb_ResultCode az_map_error(struct op *op, const char *cloud, const char *source,
                           const struct http_response *rsp);

#endif
