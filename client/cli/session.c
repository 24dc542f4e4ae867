#include "session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "context.h"
#include "isobar/clock.h"
#include "isobar/result.h"
#include "isobar/uuid.h"
#include "progress.h"
#include "request.h"
#include "say.h"

/* How long a call waits that waits for a machine, unless --timeout says. */
#define WAIT_MS UINT32_C(600000)

struct held_reply {
    struct held_reply *next;
    struct isobar_reply reply;
};

static const char *from_env(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

/* The context that names the gateway, or NULL where something else does. The order is: --server,
 * --context, ISOBAR_SERVER, ISOBAR_CONTEXT, the file's current one. Only a context that is asked
 * for goes together with --server: a token must not go to a gateway that it is not meant for. */
static int find_context(struct cli *c, struct context_file *file, const struct context **ret)
{
    const struct options *o = &c->args.options;
    const char *name = o->context;
    char why[CONTEXT_WHY];
    *ret = NULL;
    if (!name && (o->server || from_env("ISOBAR_SERVER"))) {
        return EXIT_OK;
    }
    name = name ? name : from_env("ISOBAR_CONTEXT");
    if (!context_file_read(&c->arena, context_path(&c->arena), file, why)) {
        return say_usage(c, "%s", why);
    }
    name = name ? name : file->current;
    if (name && !(*ret = context_find(file, name, why))) {
        return say_usage(c, "%s", why);
    }
    return EXIT_OK;
}

static const char *first_of(const char *a, const char *b)
{
    return a ? a : b;
}

static int read_token(struct cli *c, const char *path, struct buf *token)
{
    char why[REQUEST_WHY];
    if (!request_read_file(path, token, why)) {
        return say_usage(c, "the token: %s", why);
    }
    const char *text = buf_cstr(token);
    token->len = strcspn(text, "\r\n");
    if (token->len == 0 || strlen(text) != token->len + strspn(text + token->len, "\r\n")) {
        return say_usage(c, "the token in %s has to be one line", path);
    }
    (void)buf_cstr(token);
    return EXIT_OK;
}

int session_open(struct cli *c)
{
    static const struct context none;
    const struct options *o = &c->args.options;
    struct context_file file = {0};
    const struct context *context;
    if (c->client) {
        return EXIT_OK;
    }
    int code = find_context(c, &file, &context);
    if (code != EXIT_OK) {
        return code;
    }
    context = context ? context : &none;
    c->context_cloud = context->cloud;
    const char *url = first_of(o->server, first_of(context->server, from_env("ISOBAR_SERVER")));
    const char *token_file =
        first_of(o->token_file, first_of(from_env("ISOBAR_TOKEN_FILE"), context->token_file));
    CLEANUP(buf_wipe) struct buf token;
    buf_init(&token, 65536 * 2);
    if (token_file && (code = read_token(c, token_file, &token)) != EXIT_OK) {
        return code;
    }
    struct isobar_options options = {
        .token = token_file ? buf_cstr(&token) : NULL,
        .ca_file = first_of(o->ca, context->ca),
        .cert_file = first_of(o->cert, context->cert),
        .key_file = first_of(o->key, context->key),
        .server_name = first_of(o->server_name, context->server_name),
    };
    struct isobar_error error = {""};
    c->client = isobar_connect(url, &options, &error);
    if (!c->client) {
        return say_usage(c, "%s", error.text);
    }
    if (o->verbose) {
        say(c, "gateway %s", url ? url : isobar_default_url());
    }
    session_start_clock(c);
    return EXIT_OK;
}

void session_start_clock(struct cli *c)
{
    uint32_t ms = c->args.options.timeout_ms;
    c->deadline_ns = ms ? clock_mono_ns() + (int64_t)ms * NS_PER_MS : 0;
}

/* Each call that changes something has an id of its own: the command's, and behind it a number from
 * the second on. The same command has the same ids again under the same --request-id. */
static const char *request_id(struct cli *c)
{
    unsigned n = ++c->n_changes;
    if (n == 1 && !(c->request_id = c->args.options.request_id)) {
        char made[UUID_TEXT_LEN + 1];
        uuid7(made);
        c->request_id = arena_strdup(&c->arena, made);
    }
    return n == 1 ? c->request_id : arena_printf(&c->arena, "%s/%u", c->request_id, n);
}

static uint32_t timeout_of(const struct cli *c, unsigned kind)
{
    if (c->deadline_ns) {
        int left = clock_ms_left(c->deadline_ns);
        return left > 0 ? (uint32_t)left : 1;
    }
    return kind & SESSION_WAITS ? WAIT_MS : 0;
}

static void say_call(struct cli *c, const char *method, const struct isobar_reply *reply,
                     int64_t started_ns)
{
    int64_t us = (clock_mono_ns() - started_ns) / NS_PER_US;
    say(c, "%s: %s in %lld.%03lld ms, request id %s", method, result_name(reply->result->code),
        (long long)(us / 1000), (long long)(us % 1000), reply->request_id);
}

static void say_repeat(void *data, const char *why)
{
    progress_clear();
    say(data, "%s; trying again under the same request id", why);
}

const struct isobar_reply *session_call(struct cli *c, const char *method,
                                        const ProtobufCMessage *request, unsigned kind,
                                        const char *about)
{
    struct symbol symbol;
    const char *full = strchr(method, '.')                         ? method
                       : symbol_method(&c->arena, method, &symbol) ? symbol.name
                                                                   : NULL;
    struct held_reply *held = calloc(1, sizeof(*held));
    if (!full || !held || session_open(c) != EXIT_OK) {
        free(held);
        return NULL;
    }
    struct isobar_call_options options = {
        .timeout_ms = timeout_of(c, kind),
        .request_id = kind & SESSION_CHANGES ? request_id(c) : NULL,
        .on_repeat = say_repeat,
        .data = c,
    };
    int64_t started_ns = clock_mono_ns();
    progress_begin(kind & SESSION_WAITS && c->err_is_tty ? about : NULL, options.request_id);
    (void)isobar_call(c->client, full, request, &options, &held->reply);
    progress_end();
    held->next = c->replies;
    c->replies = held;
    if (c->args.options.verbose) {
        say_call(c, full, &held->reply, started_ns);
    }
    return &held->reply;
}

void session_forget(struct cli *c)
{
    while (c->replies) {
        struct held_reply *held = c->replies;
        c->replies = held->next;
        isobar_reply_done(&held->reply);
        free(held);
    }
}

void session_close(struct cli *c)
{
    session_forget(c);
    isobar_close(c->client);
    c->client = NULL;
}
