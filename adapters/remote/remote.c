/* The adapter's table; opening and closing a connection, and checking it. */
#include "remote.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "isobar/clock.h"

#define TOKEN_MAX  4096
#define QUOTA_FULL 100

/* ---- open and close ---- */

static void *fail_open(struct adapter *a, struct open_error *ret_error, const char *fmt, ...)
    PRINTF(3, 4);

static void remote_close(struct adapter *a)
{
    sp_client_free(a->client);
    if (a->token)
        explicit_bzero(a->token, strlen(a->token));
    free(a->token);
    free(a->cloud);
    free(a);
}

/* Always NULL, for return. */
static void *fail_open(struct adapter *a, struct open_error *ret_error, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vsnprintf(ret_error->text, sizeof(ret_error->text), fmt, args);
    va_end(args);
    remote_close(a);
    return NULL;
}

/* The first line of a file, without blanks around it; NULL with errno, or 0 where it is empty. */
static char *read_token(const char *path)
{
    char line[TOKEN_MAX] = "";
    FILE *f = fopen(path, "re");

    if (!f)
        return NULL;
    /* No copy of a secret in the stream's buffer. */
    setvbuf(f, NULL, _IONBF, 0);
    errno = 0;
    if (!fgets(line, sizeof(line), f))
        line[0] = '\0';
    fclose(f);
    char *begin = line + strspn(line, " \t\r\n");
    begin[strcspn(begin, " \t\r\n")] = '\0';
    char *token = *begin ? strdup(begin) : NULL;
    explicit_bzero(line, sizeof(line));
    return token;
}

static struct adapter *remote_open(const struct settings *s, struct open_error *ret_error)
{
    const char *server = settings_get(s, "server"), *cloud = settings_get(s, "cloud");
    const char *token_file = settings_get(s, "token_file");
    struct adapter *a = calloc(1, sizeof(*a));

    if (!a) {
        snprintf(ret_error->text, sizeof(ret_error->text), "out of memory");
        return NULL;
    }
    atomic_init(&a->quota, QUOTA_FULL);
    if (!server || !cloud || !*cloud)
        return fail_open(a, ret_error,
                         "server and cloud are needed: where the other gateway "
                         "listens, and the cloud's name there");
    a->client = sp_client_new(server, &(struct sp_options){0}, ret_error);
    if (!a->client) {
        remote_close(a);
        return NULL;
    }
    a->cloud = strdup(cloud);
    a->token = token_file ? read_token(token_file) : strdup("");
    if (!a->token && token_file)
        return fail_open(a, ret_error, "token_file: %.200s: %s", token_file,
                         errno ? strerror(errno) : "its first line has no token");
    if (!a->cloud || !a->token)
        return fail_open(a, ret_error, "out of memory");
    return a;
}

/* ---- check ---- */

pb_ResultCode remote_check_cloud(struct adapter *a, struct op *op, const char *method,
                                 const ProtobufCMessage *req, ProtobufCMessage *ret)
{
    pb_CheckCloudResponse *rsp = (pb_CheckCloudResponse *)(void *)ret;
    int64_t since = clock_mono_ns();
    pb_ResultCode code = remote_forward(a, op, method, req, ret);

    if (!result_is_success(code))
        return code;
    char **lines = arena_array(op->arena, rsp->n_services + 1, sizeof(*lines));
    if (lines) {
        lines[0] =
            arena_printf(op->arena, "gateway %s, cloud %s", sp_client_url(a->client), a->cloud);
        if (rsp->n_services)
            memcpy(lines + 1, rsp->services, rsp->n_services * sizeof(*lines));
        rsp->services = lines;
        rsp->n_services++;
    }
    rsp->elapsed_us = (uint64_t)((clock_mono_ns() - since) / NS_PER_US);
    return op_end(op, code);
}

/* ---- the table ---- */

enum slot {
#define NUMBER(service, method, slot) SLOT_##slot,
    ADAPTER_METHODS(NUMBER)
#undef NUMBER
        SLOTS
};

/* All but these are handed on as they are. */
static remote_slot *const own[SLOTS] = {
    [SLOT_check_cloud] = remote_check_cloud,
    [SLOT_list_operation_vms] = remote_list_operation_vms,
    [SLOT_list_leftovers] = remote_list_leftovers,
    [SLOT_delete_leftover] = remote_delete_leftover,
};

#define SERVE(service, method, slot)                                                               \
    static pb_ResultCode serve_##slot(struct adapter *a, struct op *op,                            \
                                      const pb_##method##Request *req, pb_##method##Response *ret) \
    {                                                                                              \
        remote_slot *serve = own[SLOT_##slot] ? own[SLOT_##slot] : remote_forward;                 \
        return serve(a, op, "isobar.v1." #service "/" #method, &req->base, &ret->base);            \
    }
ADAPTER_METHODS(SERVE)
#undef SERVE

#define ROW(service, method, slot) .slot = serve_##slot,

extern const struct adapter_ops remote_adapter;
const struct adapter_ops remote_adapter = {
    .name = "remote",
    .description = "A cloud of another gateway, which is reached over the same protocol.",
    .version = ISOBAR_VERSION,
    .manifest = remote_manifest,
    .open = remote_open,
    .close = remote_close,
    .poll_interval_ms = 250,
    /* The other gateway's journal knows each request id: it makes nothing twice. */
    .settle_ms = 0,
    ADAPTER_METHODS(ROW)};
