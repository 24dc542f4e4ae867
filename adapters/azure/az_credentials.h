/* A token for Resource Manager, from the first place that has credentials, in the order of enum
 * az_credential; kept while it lasts, and renewed early. What is there and is refused is the end of
 * the search; the place that has given a token is asked for the next one.
 */
#ifndef AZ_CREDENTIALS_H
#define AZ_CREDENTIALS_H

#include "az_config.h"
#include "kit/send.h"
#include "kit/token.h"

/* token_ref.data: constant while the reference is held. token_ref.value is the bearer token. */
struct az_session {
    char *source; /* for people: "the service principal 1b0.. of tenant ..", "az" */
};

struct az_credentials;
/* `cloud` is the connection's name, for sentences; copied. Config, client and breakers are
 * borrowed. NULL where memory is short. No network, and no file is read yet. */
struct az_credentials *az_credentials_new(const struct az_config *config, struct http_client *http,
                                          struct breakers *breakers, const char *cloud);
/* Wipes what it has. NULL is allowed. */
void az_credentials_free(struct az_credentials *c);

/* The token, to be released by token_release(). `refused`: the generation that Resource Manager has
 * refused, or 0; files, programs and services are then asked anew. Unauthorized, with the places
 * that were looked at, where there is none; any thread. */
pb_ResultCode az_credentials_get(struct az_credentials *c, struct op *op, uint64_t refused,
                                 struct token_ref *ret) MUST_USE;

#endif
