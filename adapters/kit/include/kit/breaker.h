/* Circuit breakers: what is known to be down is not asked, but for one request now and then.
 *
 * A table belongs to a connection; each authority (scheme://host:port) has a breaker of its own in
 * it, since one service of a cloud may be down while the others work. Any thread; nothing here
 * waits. Times are handed in: CLOCK_MONOTONIC nanoseconds.
 */
#ifndef ISOBAR_KIT_BREAKER_H
#define ISOBAR_KIT_BREAKER_H

#include "isobar/base.h"

/* Authorities that are remembered; the one that was asked longest ago makes room. */
#define BREAKERS_MAX 32

struct breakers;
/* NULL where memory is short. */
struct breakers *breakers_new(void);
/* No request is under way any more. */
void breakers_free(struct breakers *b);

/* Leave for one request; to be given back by breaker_leave(). */
struct breaker_pass {
    size_t cell;
    uint64_t epoch;   /* what was decided since does not concern this request */
    int64_t began_ns; /* when it was let through */
    int64_t usual_ns; /* what a slow answer of this authority has taken of late; 0: not known */
    bool probe;       /* the request that finds out whether the authority is back */
};

/* Why none is given. */
struct breaker_refusal {
    int64_t since_ns; /* of the first failure */
    int64_t next_ns;  /* when it will be asked again */
    char authority[128];
    char reason[160]; /* of the last failure */
};

/* Whether a request to `url` may be made now, with `ret` or `ret_refusal` filled in. */
bool breaker_enter(struct breakers *b, const char *url, int64_t now_ns, struct breaker_pass *ret,
                   struct breaker_refusal *ret_refusal) MUST_USE;

enum breaker_verdict {
    BREAKER_GOOD,    /* it answers, whatever it says */
    BREAKER_ERROR,   /* it answers with an error of its own, which may be that of one request */
    BREAKER_DOWN,    /* no whole answer, or one of a gateway with nothing behind it */
    BREAKER_NEITHER, /* cancelled, too little time: nothing is known */
};

/* What became of it; `reason` is one clause for people, copied, needed for ERROR and DOWN. Returns
 * whether the breaker is open now. */
bool breaker_leave(struct breakers *b, const struct breaker_pass *pass,
                   enum breaker_verdict verdict, const char *reason, int64_t now_ns);

#endif
