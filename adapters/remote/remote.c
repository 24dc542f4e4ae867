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
    group_put(a->group);
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

/* The one process that the settings name, as a group. */
static bool open_one(struct adapter *a, const struct settings *s, struct open_error *ret_error)
{
    const char *server = settings_get(s, "server");
    const char *token_file = settings_get(s, "token_file");
    char *token = token_file ? read_token(token_file) : NULL;
    int why = errno;

    if (token_file && !token) {
        snprintf(ret_error->text, sizeof(ret_error->text), "token_file: %.200s: %s", token_file,
                 why ? strerror(why) : "its first line has no token");
        return false;
    }
    const struct instance_config config = {.urls = &server,
                                           .n_urls = 1,
                                           .call_token = token ? token : "",
                                           .ca = settings_get(s, "ca"),
                                           .cert = settings_get(s, "cert"),
                                           .key = settings_get(s, "key")};
    struct group_member one = {.instance = instance_new(&config, ret_error), .weight = 1};
    if (token)
        explicit_bzero(token, strlen(token));
    free(token);
    if (!one.instance)
        return false;
    bool ok = group_set(a->group, &one, 1);
    instance_put(one.instance);
    return ok;
}

static struct adapter *remote_open(const struct settings *s, struct open_error *ret_error)
{
    const char *server = settings_get(s, "server"), *cloud = settings_get(s, "cloud");
    struct adapter *a = calloc(1, sizeof(*a));

    if (!a) {
        snprintf(ret_error->text, sizeof(ret_error->text), "out of memory");
        return NULL;
    }
    atomic_init(&a->quota, QUOTA_FULL);
    if (s->group) {
        a->group = group_hold(s->group);
        return a;
    }
    if (!server || !cloud || !*cloud)
        return fail_open(a, ret_error,
                         "server and cloud are needed: where the other gateway "
                         "listens, and the cloud's name there");
    a->own = true;
    a->group = group_new(cloud);
    if (!a->group)
        return fail_open(a, ret_error, "out of memory");
    if (open_one(a, s, ret_error))
        return a;
    remote_close(a);
    return NULL;
}

/* ---- check ---- */

pb_ResultCode remote_check_cloud(struct adapter *a, struct op *op, const char *method,
                                 const ProtobufCMessage *req, ProtobufCMessage *ret)
{
    pb_CheckCloudResponse *rsp = (pb_CheckCloudResponse *)(void *)ret;
    int64_t since = clock_mono_ns();
    pb_CheckCloudRequest ask = *(const pb_CheckCloudRequest *)(const void *)req;
    struct remote_answer answer;

    ask.cloud = (char *)(uintptr_t)group_cloud(a->group);
    pb_ResultCode code = remote_ask(
        a, op, &(struct remote_question){.method = method, .req = &ask.base}, ret, &answer);
    if (!result_is_success(code))
        return op_end(op, code);
    char **lines = arena_array(op->arena, rsp->n_services + 1, sizeof(*lines));
    if (lines) {
        lines[0] = arena_printf(op->arena, "%s, cloud %s", answer.who, ask.cloud);
        if (rsp->n_services)
            memcpy(lines + 1, rsp->services, rsp->n_services * sizeof(*lines));
        rsp->services = lines;
        rsp->n_services++;
    }
    rsp->elapsed_us = (uint64_t)((clock_mono_ns() - since) / NS_PER_US);
    return op_end(op, code);
}

/* ---- what the cloud behind is like ---- */

/* Where nobody has said so yet: as with a slow cloud that remembers nothing. */
#define SETTLE_UNKNOWN_MS 60000
/* What serves the cloud gives up what it does for one that has gone as soon as its connection is
 * closed, at the latest after so long. */
#define GIVE_UP_MS 500

static int remote_settle_ms(const struct adapter *a)
{
    struct group_traits t = group_traits(a->group);
    return (t.known ? t.settle_ms : SETTLE_UNKNOWN_MS) + GIVE_UP_MS;
}

static bool remote_knows_traits(const struct adapter *a)
{
    return group_traits(a->group).known;
}

static bool remote_dedupes(const struct adapter *a)
{
    return group_traits(a->group).dedupes;
}

/* ---- the table ---- */

static pb_ResultCode remote_serve(struct adapter *a, struct op *op, const char *method,
                                  const ProtobufCMessage *req, ProtobufCMessage *ret)
{
    remote_slot *serve =
        req->descriptor == &pb_CheckCloudRequest_desc ? remote_check_cloud : remote_forward;
    return serve(a, op, method, req, ret);
}

#define SERVE(service, method, slot)                                                               \
    static pb_ResultCode serve_##slot(struct adapter *a, struct op *op,                            \
                                      const pb_##method##Request *req, pb_##method##Response *ret) \
    {                                                                                              \
        return remote_serve(a, op, "isobar.v1." #service "/" #method, &req->base, &ret->base);     \
    }
ADAPTER_METHODS(SERVE)
#undef SERVE

#define ROW(service, method, slot) .slot = serve_##slot,

extern const struct adapter_ops remote_adapter;
const struct adapter_ops remote_adapter = {
    .name = "remote",
    .description = "A cloud that another process serves, which is reached over the same protocol.",
    .version = ISOBAR_VERSION,
    .manifest = remote_manifest,
    .open = remote_open,
    .close = remote_close,
    .poll_interval_ms = 250,
    .settle_ms = remote_settle_ms,
    .dedupes = remote_dedupes,
    .knows_traits = remote_knows_traits,
    /* Whoever is behind rehearses, or looks instead. */
    .rehearses = true,
    ADAPTER_METHODS(ROW)};
