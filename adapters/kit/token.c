#include "kit/token.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "isobar/clock.h"

/* How often a thread that waits for another one's fetch looks whether it has been cancelled. */
#define CANCEL_TICK_NS (40 * NS_PER_MS)
/* An early renewal holds up the call that makes it by no more than this, and by no more than a
 * quarter of the time that the call has left: it has a token that still works. */
#define RENEWAL_MAX_NS (5 * NS_PER_SEC)
/* After an early renewal failed, none is tried for this part of the token's remaining life, so that
 * an identity service that is down does not slow every call. */
#define RENEWAL_PAUSE_PART 4
#define RENEWAL_PAUSE_MIN  NS_PER_SEC
/* For the words of a failure that is handed to those who waited. */
#define FAILURE_ARENA_MAX ((size_t)64 << 10)

/* A token with those who use it; its generation never comes again. */
struct token_held {
    atomic_uint users; /* the cache is one of them */
    uint64_t generation;
    struct token_grant grant;
    void (*free_data)(void *data);
};

/* One fetch that is under way, with those who wait for it. */
struct flight {
    unsigned users; /* under the cache's lock */
    bool done;
    pb_ResultCode code;
    struct arena arena;
    pb_Result *failure; /* in the arena */
};

struct token_cache {
    const struct token_cache_ops *ops;
    void *ctx;
    pthread_mutex_t lock;
    pthread_cond_t landed;
    struct token_held *current;
    struct flight *flight; /* NULL: nobody fetches */
    uint64_t generations;
};

struct token_cache *token_cache_new(const struct token_cache_ops *ops, void *ctx)
{
    struct token_cache *c = calloc(1, sizeof(*c));
    pthread_condattr_t attr;

    if (!c)
        return NULL;
    c->ops = ops;
    c->ctx = ctx;
    pthread_mutex_init(&c->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&c->landed, &attr);
    pthread_condattr_destroy(&attr);
    return c;
}

static void held_release(struct token_held *h)
{
    if (!h || atomic_fetch_sub(&h->users, 1) > 1)
        return;
    if (h->grant.value)
        explicit_bzero(h->grant.value, strlen(h->grant.value));
    free(h->grant.value);
    if (h->free_data && h->grant.data)
        h->free_data(h->grant.data);
    free(h);
}

void token_cache_free(struct token_cache *c)
{
    if (!c)
        return;
    held_release(c->current);
    pthread_cond_destroy(&c->landed);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

void token_release(struct token_ref *ref)
{
    held_release(ref->held);
    *ref = (struct token_ref){0};
}

static void token_hold(struct token_held *h, struct token_ref *ret)
{
    atomic_fetch_add(&h->users, 1);
    *ret = (struct token_ref){
        .value = h->grant.value, .data = h->grant.data, .generation = h->generation, .held = h};
}

/* All from here to token_get() are called with the lock held, which they may give up meanwhile. */

static void flight_leave(struct flight *f)
{
    if (--f->users > 0)
        return;
    arena_done(&f->arena);
    free(f);
}

static struct flight *flight_begin(struct token_cache *c)
{
    struct flight *f = calloc(1, sizeof(*f));

    if (!f)
        return NULL;
    arena_init(&f->arena, FAILURE_ARENA_MAX);
    f->users = 1;
    c->flight = f;
    return f;
}

static void flight_end(struct token_cache *c, pb_ResultCode code, const pb_Result *failure)
{
    struct flight *f = c->flight;

    f->done = true;
    f->code = code;
    if (code != RESULT_CODE_OK && f->users > 1)
        f->failure = result_copy(&f->arena, failure);
    c->flight = NULL;
    pthread_cond_broadcast(&c->landed);
    flight_leave(f);
}

/* Fetch without the lock, and take over what comes. */
static pb_ResultCode token_fetch(struct token_cache *c, struct op *op)
{
    struct token_grant grant = {0};
    struct token_held *fresh = calloc(1, sizeof(*fresh));
    pb_ResultCode code = RESULT_CODE_INTERNAL_ERROR;

    if (!fresh || !flight_begin(c)) {
        free(fresh);
        op_fail(op, code, "memory is short; try again later");
        return code;
    }
    pthread_mutex_unlock(&c->lock);
    code = c->ops->fetch(c->ctx, op, &grant);
    pthread_mutex_lock(&c->lock);
    if (code == RESULT_CODE_OK) {
        *fresh = (struct token_held){
            .generation = ++c->generations, .grant = grant, .free_data = c->ops->free_data};
        atomic_init(&fresh->users, 1);
        held_release(c->current);
        c->current = fresh;
    } else {
        free(fresh);
    }
    flight_end(c, code, op->result);
    return code;
}

/* Fetch a new one while the present one still works. A failure is not told: nobody asked. */
static void token_renew(struct token_cache *c, struct op *op, int64_t now)
{
    pb_Result unheard;
    struct op mine = *op;
    struct token_held *before = c->current;
    int64_t most = now + RENEWAL_MAX_NS, part = now + (op->deadline_ns - now) / 4;

    pb_Result_desc.message_init(&unheard.base);
    mine.result = &unheard;
    mine.note_id = NULL;
    mine.deadline_ns = most < part ? most : part;
    if (token_fetch(c, &mine) != RESULT_CODE_OK && c->current == before) {
        int64_t pause = (before->grant.expires_ns - now) / RENEWAL_PAUSE_PART;
        before->grant.renew_ns =
            clock_mono_ns() + (pause > RENEWAL_PAUSE_MIN ? pause : RENEWAL_PAUSE_MIN);
    }
}

/* Whether a failure was that of the thread which fetched, and not of the fetch. */
static bool failed_by_itself(pb_ResultCode code)
{
    return code == RESULT_CODE_CANCELLED || code == RESULT_CODE_DEADLINE_EXCEEDED;
}

/* Wait for somebody else's fetch. RESULT_CODE_UNSPECIFIED: look again. */
static pb_ResultCode token_wait(struct token_cache *c, struct op *op)
{
    struct flight *f = c->flight;
    pb_ResultCode code = RESULT_CODE_UNSPECIFIED;

    f->users++;
    while (!f->done && code == RESULT_CODE_UNSPECIFIED) {
        int64_t now = clock_mono_ns(), until = op->deadline_ns;

        if (op_cancelled(op)) {
            code = op_fail(op, RESULT_CODE_CANCELLED, "nobody waits for the answer any more");
        } else if (now >= until) {
            code = op_fail(op, RESULT_CODE_DEADLINE_EXCEEDED,
                           "the time was over before the cloud had confirmed the credentials; "
                           "allow more time");
        } else {
            if (op->cancelled && until - now > CANCEL_TICK_NS)
                until = now + CANCEL_TICK_NS;
            struct timespec at = {.tv_sec = until / NS_PER_SEC, .tv_nsec = until % NS_PER_SEC};
            pthread_cond_timedwait(&c->landed, &c->lock, &at);
        }
    }
    if (f->done && f->code != RESULT_CODE_OK && !failed_by_itself(f->code)) {
        const pb_Result *said = f->failure ? result_copy(op->arena, f->failure) : NULL;

        code = op_fail(op, f->code, "the cloud did not confirm the credentials");
        if (said) {
            op->result->detail = said->detail;
            op->result->native = said->native;
            op->result->retry = said->retry;
            op->result->side_effects = said->side_effects;
            op->result->blame = said->blame;
        }
    }
    flight_leave(f);
    return code;
}

/* One step towards a token in `ret`. RESULT_CODE_UNSPECIFIED: look again. */
static pb_ResultCode token_step(struct token_cache *c, struct op *op, uint64_t refused,
                                struct token_ref *ret)
{
    int64_t now = clock_mono_ns();
    struct token_held *h = c->current;
    pb_ResultCode code;

    if (h && (h->generation == refused || h->grant.expires_ns <= now)) {
        c->current = NULL;
        held_release(h);
        h = NULL;
    }
    if (h && h->grant.renew_ns <= now && !c->flight) {
        token_renew(c, op, now);
        h = c->current;
    }
    if (h) {
        token_hold(h, ret);
        return RESULT_CODE_OK;
    }
    if (c->flight)
        return token_wait(c, op);
    code = token_fetch(c, op);
    if (code == RESULT_CODE_OK)
        token_hold(c->current, ret);
    return code;
}

pb_ResultCode token_get(struct token_cache *c, struct op *op, uint64_t refused,
                        struct token_ref *ret)
{
    pb_ResultCode code;

    pthread_mutex_lock(&c->lock);
    do {
        code = token_step(c, op, refused, ret);
    } while (code == RESULT_CODE_UNSPECIFIED);
    pthread_mutex_unlock(&c->lock);
    return code;
}
