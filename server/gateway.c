#include "gateway.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "connection.h"
#include "dispatch.h"
#include "isobar/clock.h"
#include "log.h"
#include "operation.h"
#include "registrar.h"
#include "registry.h"
#include "store.h"

struct open_listener {
    const struct listener_ops *ops;
    struct listener *listener;
    char *url;
};

struct gateway {
    struct registrar *registrar; /* NULL: this gateway registers with none */
    struct store *store;
    struct snapshot *snapshot; /* the current one; its reference is the world's */
    size_t n;
    struct open_listener *listeners; /* in the order of the configuration */
};

static void pause_ms(int ms)
{
    nanosleep(&(struct timespec){.tv_nsec = ms * NS_PER_MS}, NULL);
}

static void report_line(void (*report)(void *ctx, const char *line), void *ctx, const char *what)
{
    report(ctx, what);
    log_event(LOG_ERROR, "not started", "detail", what, NULL);
}

static void close_listener(struct open_listener *l, int64_t deadline_ns)
{
    if (l->listener)
        l->ops->close(l->listener, deadline_ns);
    free(l->url);
    *l = (struct open_listener){0};
}

/* All that are open; replies that wait leave until the deadline. */
static void close_listeners(struct gateway *g, int64_t deadline_ns)
{
    for (size_t i = 0; i < g->n; i++)
        close_listener(&g->listeners[i], deadline_ns);
    free(g->listeners);
    g->listeners = NULL;
    g->n = 0;
}

static bool open_one(const struct config *config, const struct config_listen *listen,
                     struct open_listener *ret, char why[256])
{
    static const struct listener_host host = {NULL, dispatch_receive};
    bool has_tls = listen->tls.cert_file != NULL;
    struct listener_config lc = {
        .url = listen->url, .tls = has_tls ? &listen->tls : NULL, .limits = config->limits};
    ret->ops = listener_for(listen->url);
    ret->url = strdup(listen->url);
    if (ret->ops && ret->url)
        ret->listener = ret->ops->open(&lc, &host, why);
    else if (!ret->ops)
        snprintf(why, 256, "%s: no listener knows this kind of URL", listen->url);
    else
        snprintf(why, 256, "out of memory");
    if (ret->listener)
        return true;
    free(ret->url);
    *ret = (struct open_listener){0};
    return false;
}

/* The listener that `g` has for this URL, taken out of it, with fresh certificates. */
static bool take_over(struct gateway *g, const struct config_listen *listen,
                      struct open_listener *ret)
{
    for (size_t i = 0; i < g->n; i++) {
        if (!g->listeners[i].listener || strcmp(g->listeners[i].url, listen->url) != 0)
            continue;
        *ret = g->listeners[i];
        g->listeners[i] = (struct open_listener){0};
        return true;
    }
    return false;
}

/* Open all listeners of a configuration, taking over those that are open. On failure everything is
 * as it was. */
static bool open_listeners(struct gateway *g, const struct config *config,
                           void (*report)(void *ctx, const char *line), void *ctx)
{
    struct open_listener *fresh = calloc(config->n_listen + 1, sizeof(*fresh));
    bool *taken = calloc(config->n_listen + 1, sizeof(*taken));
    bool ok = fresh && taken;
    if (!ok)
        report_line(report, ctx, "out of memory");
    for (size_t i = 0; ok && i < config->n_listen; i++) {
        char why[256] = "";
        const struct config_listen *listen = &config->listen[i];
        taken[i] = take_over(g, listen, &fresh[i]);
        if (taken[i] && listen->tls.cert_file)
            ok = fresh[i].ops->reload_tls(fresh[i].listener, &listen->tls, why);
        else if (!taken[i])
            ok = open_one(config, listen, &fresh[i], why);
        if (!ok)
            report_line(report, ctx, why);
    }
    for (size_t i = 0; !ok && fresh && taken && i < config->n_listen; i++) {
        if (!taken[i]) {
            close_listener(&fresh[i], 0);
            continue;
        }
        for (size_t k = 0; k < g->n; k++) {
            if (!g->listeners[k].listener) {
                g->listeners[k] = fresh[i];
                break;
            }
        }
    }
    free(taken);
    if (!ok) {
        free(fresh);
        return false;
    }
    close_listeners(g, clock_mono_ns() + NS_PER_SEC);
    g->listeners = fresh;
    g->n = config->n_listen;
    return true;
}

static void log_listening(const struct gateway *g)
{
    for (size_t i = 0; i < g->n; i++) {
        char port[16];
        snprintf(port, sizeof(port), "%d", gateway_port(g, i));
        log_event(LOG_INFO, "listening", "url", g->listeners[i].url, "port", port, NULL);
    }
}

/* ---- what is registered ---- */

/* The main thread waits at it. */
static int wake_fd = -1;

static void wake(void)
{
    uint64_t one = 1;
    (void)!write(wake_fd, &one, sizeof(one));
}

int gateway_wake_fd(void)
{
    return wake_fd;
}

static void to_log(void *ctx, const char *line)
{
    (void)ctx;
    log_event(LOG_ERROR, "cloud not opened", "detail", line, NULL);
}

/* What has changed in the registry comes into force. */
static void apply_registry(struct gateway *g)
{
    if (!registry_apply())
        return;
    struct snapshot *fresh = snapshot_refresh(g->snapshot, to_log, NULL);
    if (fresh) {
        g->snapshot = fresh;
        snapshot_publish(fresh);
        operations_take_up(fresh, fresh->config->keep_operations_ms);
    }
    registry_applied(fresh != NULL);
    if (g->registrar)
        registrar_look(g->registrar);
}

int gateway_tidy(struct gateway *g)
{
    uint64_t count;
    (void)!read(wake_fd, &count, sizeof(count));
    apply_registry(g);
    if (g->registrar)
        registrar_tidy(g->registrar);
    int pause = registry_tick();
    bool untidy = snapshots_collect() > 0;
    return untidy && (pause < 0 || pause > 1000) ? 1000 : pause;
}

/* The store, and what it has of registered adapters. */
static bool open_store(struct gateway *g, const struct config *config, char why[512])
{
    wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (wake_fd < 0)
        return false;
    g->store = store_open(config->state_dir, why);
    if (g->store && registry_start(g->store, wake, why))
        return true;
    if (g->store)
        store_close(g->store);
    g->store = NULL;
    return false;
}

static void end_gateway(struct gateway *g)
{
    if (wake_fd >= 0)
        close(wake_fd);
    wake_fd = -1;
    free(g);
}

/* What gateway_start() has begun. Where an operation that it has taken up does not come to rest,
 * its threads run on until the process ends, and what they use stays. */
static void take_down(struct gateway *g)
{
    close_listeners(g, 0);
    if (g->store && !operations_stop(clock_mono_ns() + NS_PER_SEC))
        return;
    if (g->snapshot)
        snapshot_publish(NULL);
    timers_stop();
    operations_done();
    registry_stop();
    registry_done();
    if (g->store)
        store_close(g->store);
    while (g->snapshot && snapshots_collect() > 0)
        pause_ms(2);
    methods_done();
    end_gateway(g);
}

/* Offer clouds to the gateways that a configuration names, as soon as it is in force. */
static bool start_registrar(struct gateway *g, const struct config *config,
                            void (*report)(void *ctx, const char *line), void *ctx)
{
    char why[512] = "out of memory";
    if (config->n_registers > 0 && !g->registrar)
        g->registrar = registrar_new();
    bool ok =
        config->n_registers == 0 || (g->registrar && registrar_take(g->registrar, config, why));
    if (!ok)
        report_line(report, ctx, why);
    return ok;
}

/* No gateway is offered anything any more. What they wait for meanwhile may be a word of ours. */
static void stop_registrar(struct gateway *g, int64_t deadline)
{
    if (!g->registrar)
        return;
    registrar_leave(g->registrar, NULL, deadline);
    while (registrar_tidy(g->registrar) > 0) {
        gateway_tidy(g);
        pause_ms(2);
    }
    registrar_free(g->registrar);
    g->registrar = NULL;
}

struct gateway *gateway_start(struct config *config, void (*report)(void *ctx, const char *line),
                              void *ctx)
{
    char why[512] = "out of memory";
    struct gateway *g = calloc(1, sizeof(*g));
    bool methods = g && methods_init(why);
    if (!methods || !timers_start()) {
        report_line(report, ctx, why);
        if (methods)
            methods_done();
        config_free(config);
        free(g);
        return NULL;
    }
    log_set_level(config->log_level);
    if (open_store(g, config, why)) {
        g->snapshot = snapshot_take_config(config, NULL, report, ctx);
    } else {
        report_line(report, ctx, why);
        config_free(config);
    }
    if (g->snapshot) {
        config = (struct config *)(uintptr_t)g->snapshot->config;
        snapshot_publish(g->snapshot);
        if (!operations_open_store(g->store, g->snapshot, config->keep_operations_ms, why)) {
            report_line(report, ctx, why);
        } else if (open_listeners(g, config, report, ctx)) {
            log_listening(g);
            if (start_registrar(g, config, report, ctx))
                return g;
            stop_registrar(g, 0);
        }
    }
    take_down(g);
    return NULL;
}

bool gateway_reload(struct gateway *g, struct config *config,
                    void (*report)(void *ctx, const char *line), void *ctx)
{
    if (strcmp(config->state_dir, g->snapshot->config->state_dir) != 0) {
        report(ctx, "state_dir has changed: the journal cannot move while the gateway runs; "
                    "restart it");
        config_free(config);
        return false;
    }
    struct snapshot *fresh = snapshot_take_config(config, g->snapshot, report, ctx);
    if (!fresh)
        return false;
    if (!start_registrar(g, fresh->config, report, ctx)) {
        snapshot_discard(fresh);
        return false;
    }
    if (!open_listeners(g, fresh->config, report, ctx)) {
        if (g->registrar)
            registrar_leave(g->registrar, g->snapshot->config, 0);
        snapshot_discard(fresh);
        return false;
    }
    log_set_level(fresh->config->log_level);
    g->snapshot = fresh;
    snapshot_publish(fresh);
    operations_take_up(fresh, fresh->config->keep_operations_ms);
    log_listening(g);
    if (g->registrar) {
        registrar_leave(g->registrar, fresh->config,
                        clock_mono_ns() + (int64_t)fresh->config->drain_timeout_ms * NS_PER_MS);
        registrar_look(g->registrar);
    }
    return true;
}

/* What the store has done, for who reads the log. */
static void close_store(struct gateway *g)
{
    struct store_stats stats;
    char commits[24], transactions[24], failures[24], p50[24];
    store_stats(g->store, &stats);
    store_close(g->store);
    snprintf(commits, sizeof(commits), "%llu", (unsigned long long)stats.commits);
    snprintf(transactions, sizeof(transactions), "%llu", (unsigned long long)stats.transactions);
    snprintf(failures, sizeof(failures), "%llu", (unsigned long long)stats.failures);
    snprintf(p50, sizeof(p50), "%lld", (long long)(stats.commit_ns_p50 / NS_PER_US));
    log_event(LOG_INFO, "store", "commits", commits, "transactions", transactions, "failures",
              failures, "commit_p50_us", p50, NULL);
}

bool gateway_drain(struct gateway *g)
{
    int64_t now = clock_mono_ns();
    int64_t patience = (int64_t)g->snapshot->config->drain_timeout_ms * NS_PER_MS;
    int64_t deadline = now + patience;
    /* Who calls this gateway as an adapter stops doing so before anything is refused; who does not
     * answer takes no more than half of the time. */
    stop_registrar(g, now + patience / 2);
    dispatch_drain();
    registry_stop();
    for (size_t i = 0; i < g->n; i++)
        g->listeners[i].ops->quiesce(g->listeners[i].listener);
    while (dispatch_in_flight() > 0 && clock_mono_ns() < deadline)
        pause_ms(2);
    /* Who still waits is told that it goes on; an order that is on its way is waited for, the rest
     * is the journal's. */
    bool calm = operations_stop(deadline);
    int64_t flush_by = clock_mono_ns() + NS_PER_SEC;
    close_listeners(g, flush_by);
    unsigned left = dispatch_in_flight() + !calm;
    if (left > 0) {
        char text[24];
        snprintf(text, sizeof(text), "%u", left);
        log_event(LOG_WARN, "not drained", "calls", text, NULL);
        return false;
    }
    snapshot_publish(NULL);
    timers_stop();
    operations_done();
    registry_done();
    close_store(g);
    while (snapshots_collect() > 0)
        pause_ms(2);
    methods_done();
    call_pool_drain();
    end_gateway(g);
    return true;
}

int gateway_port(const struct gateway *g, size_t i)
{
    return i < g->n ? g->listeners[i].ops->port(g->listeners[i].listener) : 0;
}
