/* Tokens are fetched: one way for each kind of credentials. What the files of this concern share.
 */
#ifndef AZ_FETCH_H
#define AZ_FETCH_H

#include "az_config.h"
#include "az_token.h"
#include "kit/jwt.h"
#include "kit/send.h"

/* Of a connection. One thread at a time fetches. */
struct az_fetcher {
    const struct az_config *config;
    struct http_client *near; /* no proxy, and no patience: for what is near or not there */
    struct sender *entra;
    const char *cloud;
    enum az_credential chosen; /* what has given the last token; AZ_N_CREDENTIALS: none has */
    /* Of the exchange with Entra ID that is under way. */
    const char *what;    /* whose it is, for sentences */
    struct jwt_key *key; /* NULL: there is no assertion of ours in it */
    struct buf body;     /* with a secret in it */
};

extern const struct sender_ops az_entra_ops; /* ctx: the fetcher */

/* Each fetches a token, in a grant without data. Where it fails, `ret_absent` says whether that is
 * because there are no such credentials here, so that others are looked for; the op has been told,
 * as a clause that can stand among others. */
typedef pb_ResultCode az_fetch(struct az_fetcher *f, struct op *op, struct token_grant *ret,
                               bool *ret_absent);
az_fetch az_fetch_principal, az_fetch_workload, az_fetch_identity, az_fetch_cli;

/* Whose the credentials of a kind are, for people; in the arena. */
const char *az_fetch_whose(struct arena *a, const struct az_config *c, enum az_credential kind);
/* No other credentials than these may be used. */
bool az_fetch_is_only(const struct az_config *c, enum az_credential kind);

#endif
