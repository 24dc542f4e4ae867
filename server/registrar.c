#include "registrar.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "isobar/clock.h"
#include "isobar/result.h"
#include "log.h"
#include "registrar_private.h"

#define CALL_NS (5 * NS_PER_SEC)
/* Until the other side has said how often it wants to hear of us. */
#define HEARTBEAT_MS 3000
/* After a failure, doubled up to the heartbeat; after a refusal, which somebody has to mend. */
#define RETRY_MS    100
#define REFUSED_MS  10000
#define SCRATCH_MAX ((size_t)16 << 20)

bool registrar_offers(const struct config *config, const char *cloud)
{
    for (size_t i = 0; i < config->n_registers; i++)
        if (registrar_offers_to(&config->registers[i], cloud))
            return true;
    return false;
}

static struct offer *find_offer(struct parent *p, const struct adapter_kind *kind)
{
    struct offer *o = p->offers;

    while (o && (strcmp(o->name, kind->name) != 0 || strcmp(o->version, kind->version) != 0))
        o = o->next;
    if (o)
        return o;
    o = calloc(1, sizeof(*o));
    if (!o)
        return NULL;
    o->name = strdup(kind->name);
    o->version = strdup(kind->version);
    if (!o->name || !o->version) {
        free(o->name);
        free(o->version);
        free(o);
        return NULL;
    }
    o->next = p->offers;
    p->offers = o;
    return o;
}

static bool is_leaving(const struct parent *p)
{
    pthread_mutex_lock(&p->registrar->lock);
    bool leaving = p->leaving;
    pthread_mutex_unlock(&p->registrar->lock);
    return leaving;
}

/* Told once, until it works again. */
static void failed(struct parent *p, struct offer *o, pb_ResultCode code, const char *why)
{
    bool refused = code != RESULT_CODE_OUTCOME_UNKNOWN && code != RESULT_CODE_UNAVAILABLE &&
                   code != RESULT_CODE_OVERLOADED;
    int64_t pause = RETRY_MS;

    for (unsigned i = 0; i < o->failures && pause < HEARTBEAT_MS; i++)
        pause *= 2;
    pause = refused ? REFUSED_MS : pause < HEARTBEAT_MS ? pause : HEARTBEAT_MS;
    if (o->failures++ == 0 || refused != o->refused)
        log_event(LOG_WARN, "not registered", "gateway", sp_client_url(p->client), "adapter",
                  o->name, "code", code == RESULT_CODE_OUTCOME_UNKNOWN ? "" : result_name(code),
                  "detail", why, NULL);
    o->refused = refused;
    o->due_ns = clock_mono_ns() + pause * NS_PER_MS;
}

static void worked(struct parent *p, struct offer *o)
{
    o->failures = 0;
    o->refused = false;
    o->due_ns = clock_mono_ns() + p->heartbeat_ms * NS_PER_MS;
}

static void register_offer(struct parent *p, struct arena *a, struct offer *o,
                           const pb_RegisterAdapterRequest *req)
{
    pb_RegisterAdapterResponse rsp = pb_RegisterAdapterResponse_INIT;
    const char *why;
    pb_ResultCode code = registrar_ask(p, a, "RegisterAdapter", &req->base,
                                       clock_mono_ns() + CALL_NS, &rsp.base, &why);

    o->registered = result_is_success(code);
    if (!o->registered) {
        failed(p, o, code, why);
        return;
    }
    if (rsp.heartbeat_ms > 0)
        p->heartbeat_ms = (int)(rsp.heartbeat_ms < 60000 ? rsp.heartbeat_ms : 60000);
    worked(p, o);
    log_event(LOG_INFO, "registered", "gateway", sp_client_url(p->client), "adapter", req->name,
              "instance", req->id, NULL);
}

static void renew_offer(struct parent *p, struct arena *a, struct offer *o, char *id)
{
    pb_RenewAdapterRequest req = pb_RenewAdapterRequest_INIT;
    pb_RenewAdapterResponse rsp = pb_RenewAdapterResponse_INIT;
    const char *why;

    req.name = o->name;
    req.id = id;
    pb_ResultCode code =
        registrar_ask(p, a, "RenewAdapter", &req.base, clock_mono_ns() + CALL_NS, &rsp.base, &why);
    if (result_is_success(code)) {
        worked(p, o);
        return;
    }
    /* It does not know us any more, or another token is wanted: the registration says all anew. */
    if (code != RESULT_CODE_OUTCOME_UNKNOWN)
        o->registered = false;
    failed(p, o, code, why);
    if (!o->registered)
        o->due_ns = 0;
}

static void digest_of(struct arena *a, const pb_RegisterAdapterRequest *req,
                      uint8_t ret[SHA256_DIGEST_LENGTH])
{
    size_t len = isobar__v1__register_adapter_request__get_packed_size(req);
    uint8_t *data = arena_alloc(a, len + 1);

    memset(ret, 0, SHA256_DIGEST_LENGTH);
    if (!data)
        return;
    isobar__v1__register_adapter_request__pack(req, data);
    SHA256(data, len, ret);
    OPENSSL_cleanse(data, len);
}

/* ---- taking back ---- */

/* The other side sends nothing more; what it has sent is answered by then. */
static void drain_offer(struct parent *p, struct offer *o, int64_t deadline_ns)
{
    struct arena a;
    pb_DrainAdapterRequest drain = pb_DrainAdapterRequest_INIT;
    pb_DrainAdapterResponse drained = pb_DrainAdapterResponse_INIT;
    pb_DeregisterAdapterRequest leave = pb_DeregisterAdapterRequest_INIT;
    pb_DeregisterAdapterResponse left = pb_DeregisterAdapterResponse_INIT;
    int64_t soon = clock_mono_ns() + CALL_NS;
    const char *why;

    arena_init(&a, SCRATCH_MAX);
    drain.name = leave.name = o->name;
    drain.id = leave.id = registrar_id(&a, o->version);
    pb_ResultCode code =
        registrar_ask(p, &a, "DrainAdapter", &drain.base, deadline_ns, &drained.base, &why);
    if (code != RESULT_CODE_OUTCOME_UNKNOWN) {
        code = registrar_ask(p, &a, "DeregisterAdapter", &leave.base,
                             deadline_ns < soon ? soon : deadline_ns, &left.base, &why);
        log_event(LOG_INFO, "deregistered", "gateway", sp_client_url(p->client), "adapter", o->name,
                  "code", result_name(code), NULL);
        o->registered = false;
    }
    arena_done(&a);
}

/* ---- the thread ---- */

/* False, with the token as it was, where the file has none (now). */
static bool read_token(struct parent *p, const char *path)
{
    char token[SECRET_MAX];
    bool ok = secret_read(path, token);

    if (ok)
        memcpy(p->token, token, sizeof(token));
    OPENSSL_cleanse(token, sizeof(token));
    return ok;
}

/* Bring one adapter's registration up to date. */
static void look_at(struct parent *p, const struct config_register *g, struct arena *a,
                    const struct snapshot *s, const struct adapter_kind *kind)
{
    struct offer *o = find_offer(p, kind);
    uint8_t digest[SHA256_DIGEST_LENGTH];

    if (!o || o->wanted)
        return;
    pb_RegisterAdapterRequest *req = registrar_describe(g, a, s, kind, registrar_token());
    if (!req || req->n_clouds == 0)
        return;
    o->wanted = true;
    digest_of(a, req, digest);
    bool changed = memcmp(digest, o->digest, sizeof(digest)) != 0;
    memcpy(o->digest, digest, sizeof(digest));
    if (o->registered && !changed && clock_mono_ns() >= o->due_ns)
        renew_offer(p, a, o, req->id);
    if (changed || (!o->registered && clock_mono_ns() >= o->due_ns))
        register_offer(p, a, o, req);
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool is_for(const struct parent *p, const struct config_register *g)
{
    return same_text(p->gateway, g->gateway) && same_text(p->token_file, g->token_file) &&
           same_text(p->ca, g->ca) && same_text(p->cert, g->cert) && same_text(p->key, g->key);
}

/* What a configuration says of it; NULL where it does not name it. */
static const struct config_register *said_of(const struct parent *p, const struct config *config)
{
    for (size_t i = 0; i < config->n_registers; i++)
        if (is_for(p, &config->registers[i]))
            return &config->registers[i];
    return NULL;
}

/* Whether somebody who went there by another way is about to take back what is registered. */
static bool is_awaited(const struct parent *p)
{
    struct registrar *r = p->registrar;
    bool awaited = false;

    pthread_mutex_lock(&r->lock);
    for (const struct parent *o = r->parents; o; o = o->next)
        awaited =
            awaited || (o != p && o->leaving && !o->left && same_text(o->gateway, p->gateway));
    pthread_mutex_unlock(&r->lock);
    return awaited;
}

static void look(struct parent *p)
{
    struct snapshot *s = snapshot_get();
    const struct config_register *g = s ? said_of(p, s->config) : NULL;
    struct arena a;

    /* While a reload goes on, the configuration in force is not the one that names it. */
    if (!g || is_awaited(p)) {
        if (s)
            snapshot_put(s);
        return;
    }
    if (g->token_file)
        read_token(p, g->token_file);
    for (struct offer *o = p->offers; o; o = o->next)
        o->wanted = false;
    for (size_t i = 0; i < s->n && !is_leaving(p); i++) {
        arena_init(&a, SCRATCH_MAX);
        if (s->connections[i]->kind->version[0])
            look_at(p, g, &a, s, s->connections[i]->kind);
        arena_done(&a);
    }
    snapshot_put(s);
    for (struct offer *o = p->offers; o && !is_leaving(p); o = o->next)
        if (o->registered && !o->wanted)
            drain_offer(p, o, clock_mono_ns() + CALL_NS);
}

/* Until something is due, or the clouds may have changed. */
static void wait_for(struct parent *p, uint64_t *looks)
{
    struct registrar *r = p->registrar;
    int64_t due = clock_mono_ns() + p->heartbeat_ms * NS_PER_MS;
    struct timespec at;

    for (const struct offer *o = p->offers; o; o = o->next)
        due = o->wanted && o->due_ns < due ? o->due_ns : due;
    at.tv_sec = due / NS_PER_SEC;
    at.tv_nsec = due % NS_PER_SEC;
    pthread_mutex_lock(&r->lock);
    int rc = 0;
    while (!p->leaving && r->looks == *looks && rc == 0)
        rc = pthread_cond_timedwait(&r->woken, &r->lock, &at);
    *looks = r->looks;
    pthread_mutex_unlock(&r->lock);
}

static void *run(void *ctx)
{
    struct parent *p = ctx;
    struct registrar *r = p->registrar;
    uint64_t looks = 0;

    while (!is_leaving(p)) {
        look(p);
        wait_for(p, &looks);
    }
    for (struct offer *o = p->offers; o; o = o->next)
        if (o->registered)
            drain_offer(p, o, p->leave_by_ns);
    pthread_mutex_lock(&r->lock);
    p->left = true;
    r->looks++;
    pthread_cond_broadcast(&r->woken);
    pthread_mutex_unlock(&r->lock);
    return NULL;
}

/* ---- start and end ---- */

/* A parent whose thread is none, or has ended. */
static void free_parent(struct parent *p)
{
    sp_client_free(p->client);
    OPENSSL_cleanse(p->token, sizeof(p->token));
    while (p->offers) {
        struct offer *o = p->offers;
        p->offers = o->next;
        free(o->name);
        free(o->version);
        free(o);
    }
    char *texts[] = {p->gateway, p->token_file, p->ca, p->cert, p->key};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        free(texts[i]);
    free(p);
}

static bool copy_text(char **to, const char *text)
{
    *to = text ? strdup(text) : NULL;
    return *to || !text;
}

static struct parent *start_one(struct registrar *r, const struct config_register *config,
                                char ret_why[512])
{
    struct parent *p = calloc(1, sizeof(*p));
    struct open_error error = {"out of memory"};

    snprintf(ret_why, 512, "out of memory");
    if (!p)
        return NULL;
    p->registrar = r;
    p->heartbeat_ms = HEARTBEAT_MS;
    if (!copy_text(&p->gateway, config->gateway) ||
        !copy_text(&p->token_file, config->token_file) || !copy_text(&p->ca, config->ca) ||
        !copy_text(&p->cert, config->cert) || !copy_text(&p->key, config->key)) {
        free_parent(p);
        return NULL;
    }
    if (p->token_file && !read_token(p, p->token_file)) {
        snprintf(ret_why, 512, "register: cannot read a token from %.300s", p->token_file);
        free_parent(p);
        return NULL;
    }
    p->client = sp_client_new(
        p->gateway, &(struct sp_options){.ca = p->ca, .cert = p->cert, .key = p->key}, &error);
    if (!p->client)
        memcpy(ret_why, error.text, sizeof(error.text));
    else if (pthread_create(&p->thread, NULL, run, p) != 0)
        snprintf(ret_why, 512, "the system has no thread left");
    else
        return p;
    free_parent(p);
    return NULL;
}

/* Those before `until` that a configuration does not name. */
static void begin_leaving(struct registrar *r, const struct config *config,
                          const struct parent *until, int64_t deadline_ns)
{
    pthread_mutex_lock(&r->lock);
    for (struct parent *p = r->parents; p != until; p = p->next) {
        if (p->leaving || (config && said_of(p, config)))
            continue;
        p->leave_by_ns = deadline_ns;
        p->leaving = true;
    }
    pthread_cond_broadcast(&r->woken);
    pthread_mutex_unlock(&r->lock);
}

struct registrar *registrar_new(void)
{
    struct registrar *r = calloc(1, sizeof(*r));
    pthread_condattr_t attr;

    if (!r || !registrar_make_token()) {
        free(r);
        return NULL;
    }
    pthread_mutex_init(&r->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&r->woken, &attr);
    pthread_condattr_destroy(&attr);
    return r;
}

static bool goes_on(const struct registrar *r, const struct config_register *g)
{
    for (const struct parent *p = r->parents; p; p = p->next)
        if (!p->leaving && is_for(p, g))
            return true;
    return false;
}

bool registrar_take(struct registrar *r, const struct config *config, char ret_why[512])
{
    const struct parent *before = r->parents;

    for (size_t i = 0; i < config->n_registers; i++) {
        if (goes_on(r, &config->registers[i]))
            continue;
        struct parent *p = start_one(r, &config->registers[i], ret_why);
        if (!p) {
            begin_leaving(r, NULL, before, 0);
            return false;
        }
        pthread_mutex_lock(&r->lock);
        p->next = r->parents;
        r->parents = p;
        pthread_mutex_unlock(&r->lock);
    }
    return true;
}

void registrar_leave(struct registrar *r, const struct config *config, int64_t deadline_ns)
{
    begin_leaving(r, config, NULL, deadline_ns);
}

void registrar_look(struct registrar *r)
{
    pthread_mutex_lock(&r->lock);
    r->looks++;
    pthread_cond_broadcast(&r->woken);
    pthread_mutex_unlock(&r->lock);
}

size_t registrar_tidy(struct registrar *r)
{
    struct parent *gone = NULL;
    size_t n = 0;

    pthread_mutex_lock(&r->lock);
    for (struct parent **at = &r->parents; *at;) {
        struct parent *p = *at;
        if (!p->left) {
            n++;
            at = &p->next;
            continue;
        }
        *at = p->next;
        p->next = gone;
        gone = p;
    }
    pthread_mutex_unlock(&r->lock);
    while (gone) {
        struct parent *p = gone;
        gone = p->next;
        pthread_join(p->thread, NULL);
        free_parent(p);
    }
    return n;
}

void registrar_free(struct registrar *r)
{
    if (!r)
        return;
    pthread_cond_destroy(&r->woken);
    pthread_mutex_destroy(&r->lock);
    free(r);
}
