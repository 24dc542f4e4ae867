/* A cached credential that expires: fetched by one thread while the others wait (single flight),
 * renewed early in the same way, and used till it expires where an early renewal fails.
 */
#ifndef ISOBAR_KIT_TOKEN_H
#define ISOBAR_KIT_TOKEN_H

#include "adapter.h"

/* What a fetch returns; both from malloc, taken over by the cache. The value is wiped before it is
 * freed. `data` is whatever goes with the token (a catalogue, ...), released by the cache's
 * free_data. */
struct token_grant {
    char *value;
    void *data;
    int64_t expires_ns; /* CLOCK_MONOTONIC; INT64_MAX: never */
    int64_t renew_ns;   /* from when on to renew early */
};

struct token_cache_ops {
    pb_ResultCode (*fetch)(void *ctx, struct op *op, struct token_grant *ret);
    void (*free_data)(void *data);
};

struct token_cache;
struct token_cache *token_cache_new(const struct token_cache_ops *ops, void *ctx);
void token_cache_free(struct token_cache *c);

/* A token that is held: counted, so that it stays valid while it is used. */
struct token_ref {
    const char *value;
    void *data;
    uint64_t generation;
    struct token_held *held;
};

/* Get the token; fetches where there is none, it has expired, or `refused` is the generation that
 * is cached now (0: none was refused). Waits at most until the op's deadline. Failures are not
 * cached, but all who waited for a fetch get its failure, unless that was Cancelled or
 * DeadlineExceeded: that was the fetching thread's own trouble, and one of them takes over. The
 * thread that finds it is time for an early renewal makes it before it goes on, within a part of
 * its time; the others go on with the token that there is. */
pb_ResultCode token_get(struct token_cache *c, struct op *op, uint64_t refused,
                        struct token_ref *ret) MUST_USE;
/* For CLEANUP() too; a zeroed ref is allowed. */
void token_release(struct token_ref *ref);

#endif
