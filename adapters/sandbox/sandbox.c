/* The sandbox: the adapter's table, and opening and closing a connection. */
#include "sandbox.h"

#include <stdio.h>
#include <stdlib.h>

#include "isobar/clock.h"

static struct adapter *sandbox_open(const struct settings *s, struct open_error *ret_error)
{
    struct adapter *a = calloc(1, sizeof(*a));

    if (!a) {
        snprintf(ret_error->text, sizeof(ret_error->text), "out of memory");
        return NULL;
    }
    if (!sandbox_settings_read(s, &a->set, ret_error)) {
        free(a);
        return NULL;
    }
    atomic_init(&a->random, (uint64_t)a->set.seed);
    atomic_init(&a->turn, 0);
    atomic_init(&a->step, 0);
    pthread_mutex_init(&a->lock, NULL);
    return a;
}

static void sandbox_close(struct adapter *a)
{
    sandbox_clear(a);
    pthread_mutex_destroy(&a->lock);
    free(a);
}

static bool sandbox_is_instant(const struct adapter *a)
{
    return a->set.latency_ms == 0 && a->set.hang_rate <= 0;
}

static pb_ResultCode sandbox_check_cloud(struct adapter *a, struct op *op,
                                         const pb_CheckCloudRequest *req,
                                         pb_CheckCloudResponse *ret)
{
    int64_t since = clock_mono_ns();
    pb_ResultCode code = sandbox_enter(a, op, false);

    (void)req;
    if (code != RESULT_CODE_OK)
        return code;
    sandbox_lock(a);
    sandbox_sweep(a, clock_mono_ns());
    int64_t machines = a->n_machines, cores = a->n_cores;
    pthread_mutex_unlock(&a->lock);
    char **lines = arena_array(op->arena, 1, sizeof(*lines));
    char *line = arena_printf(op->arena,
                              "compute " ISOBAR_VERSION
                              " in memory: %lld machines of %lld, %lld cores of %lld",
                              (long long)machines, (long long)a->set.quota_instances,
                              (long long)cores, (long long)a->set.quota_cores);
    code = op_end(op, RESULT_CODE_OK);
    if (code != RESULT_CODE_OK)
        return code;
    lines[0] = line;
    ret->services = lines;
    ret->n_services = 1;
    ret->elapsed_us = (uint64_t)((clock_mono_ns() - since) / NS_PER_US);
    return RESULT_CODE_OK;
}

#define SLOT(service, method, slot) .slot = sandbox_##slot,

/* As late as it was told to be. */
static int sandbox_settle_ms(const struct adapter *a)
{
    return (int)(a->set.late_commit_ms + a->set.list_lag_ms);
}

static bool sandbox_dedupes(const struct adapter *a)
{
    (void)a;
    return true;
}

extern const struct adapter_ops sandbox_adapter;
const struct adapter_ops sandbox_adapter = {
    .name = "sandbox",
    .description = "A cloud in memory: everything can be tried with nothing installed, and faults "
                   "be injected.",
    .version = ISOBAR_VERSION,
    .manifest = sandbox_manifest,
    .open = sandbox_open,
    .close = sandbox_close,
    .is_instant = sandbox_is_instant,
    .poll_interval_ms = 50,
    .settle_ms = sandbox_settle_ms,
    .dedupes = sandbox_dedupes,
    ADAPTER_METHODS(SLOT)};
