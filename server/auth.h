/* Who may call what. */
#ifndef ISOBAR_AUTH_H
#define ISOBAR_AUTH_H

#include "call.h"
#include "config.h"

/* What somebody may do; each includes the ones before. */
enum role { ROLE_ADAPTER, ROLE_READER, ROLE_OPERATOR, ROLE_ADMIN };

struct principal {
    const char *name;
    enum role role;
    size_t n_adapters;
    const char *const *adapters; /* as which it may register processes; "*": as any */
    const char *ca;  /* who signs the certificates of their endpoints; NULL: the system's */
    bool is_gateway; /* another gateway, to which this one has offered clouds: it may use those, and
                      * nothing else */
};

struct auth;

/* From the configuration's users; reads the token files. NULL where one cannot be read; `ret_why`
 * then says which. Holds digests of the tokens, not the tokens. */
struct auth *auth_new(const struct config *config, char ret_why[256]);
void auth_free(struct auth *a);

/* Who a call comes from; NULL where it is nobody that is known. A local peer is an admin, for only
 * this user can open its socket; where the configuration has no users, everybody who can connect
 * is one. A call token of registrar.h is known beside them. Valid as long as `a`. Thread-safe. */
const struct principal *auth_check(const struct auth *a, const struct peer *peer,
                                   const char *token);

/* Whether it may register processes as this adapter. */
bool principal_may_register(const struct principal *p, const char *adapter);

/* "adapter", "reader", "operator", "admin"; false for another word. */
bool role_parse(const char *text, enum role *ret);
const char *role_name(enum role role);

#endif
