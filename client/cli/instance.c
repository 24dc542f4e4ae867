/* Commands about one process that serves as an adapter: `isobar adapter status|drain|deregister`.
 */
#include <string.h>

#include "ask.h"
#include "isobar/result.h"
#include "output.h"
#include "say.h"
#include "session.h"

/* Make the command's call about its word. The exit code; *ret is the reply. */
static int call_about(struct cli *c, unsigned kind, const struct isobar_reply **ret)
{
    const char *word = c->args.words[0];
    ProtobufCMessage *req = ask_request(c, c->args.method.method->input, word);
    if (!req) {
        return EXIT_USAGE;
    }
    *ret = session_call(c, c->args.method.name, req, kind, word);
    return ask_result(c, NULL, *ret);
}

/* Print the instance that has the command's word as its name. */
static int print_instance(struct cli *c, const ProtobufCMessage *instance)
{
    if (!instance) {
        return say_failure(c, "the gateway's answer is empty");
    }
    if (c->format == FORMAT_NAME) {
        pb_Adapter named = pb_Adapter_INIT;
        named.name = arena_strndup(&c->arena, c->args.words[0], strcspn(c->args.words[0], "/"));
        memcpy(&named.instance, &instance, sizeof(instance));
        output_one(c, &named.base);
    } else {
        output_one(c, instance);
    }
    return EXIT_OK;
}

static const pb_AdapterInstance *find_on_page(const pb_ListAdaptersResponse *page, const char *id)
{
    for (size_t i = 0; page && i < page->n_adapters; i++) {
        const pb_AdapterInstance *instance = page->adapters[i]->instance;
        if (instance && strcmp(instance->id, id) == 0) {
            return instance;
        }
    }
    return NULL;
}

/* There is no method that gets one: look for it among those of its adapter. */
static int show_instance(struct cli *c, const pb_SetAdapterStatusRequest *which)
{
    pb_ListAdaptersRequest req = pb_ListAdaptersRequest_INIT;
    req.name = which->name;
    for (;;) {
        const struct isobar_reply *reply =
            session_call(c, "AdapterService/ListAdapters", &req.base, SESSION_READS, NULL);
        int code = ask_result(c, NULL, reply);
        if (code != EXIT_OK) {
            return code;
        }
        const pb_ListAdaptersResponse *page =
            (const pb_ListAdaptersResponse *)(const void *)reply->message;
        const pb_AdapterInstance *instance = find_on_page(page, which->id);
        if (instance) {
            return print_instance(c, &instance->base);
        }
        const char *next = page ? page->next_page_token : "";
        if (!*next || strcmp(next, req.page_token) == 0) {
            say(c,
                "isobar: NotFound: no instance \"%s\" of adapter \"%s\"; isobar adapter list "
                "shows them",
                which->id, which->name);
            return EXIT_NOT_FOUND;
        }
        req.page_token = arena_strdup(&c->arena, next);
    }
}

int run_adapter_status(struct cli *c)
{
    const struct isobar_reply *reply = NULL;
    if (!c->args.n_flags) {
        ProtobufCMessage *which = ask_request(c, c->args.method.method->input, c->args.words[0]);
        return which ? show_instance(c, (const pb_SetAdapterStatusRequest *)(const void *)which)
                     : EXIT_USAGE;
    }
    int code = call_about(c, SESSION_READS, &reply);
    return code == EXIT_OK ? print_instance(c, ask_item(reply)) : code;
}

int run_adapter_drain(struct cli *c)
{
    const struct isobar_reply *reply = NULL;
    int code = call_about(c, SESSION_WAITS, &reply);
    if (code == EXIT_OK) {
        code = print_instance(c, ask_item(reply));
    }
    if (code == EXIT_OK && reply->result->code == RESULT_CODE_ACCEPTED) {
        say(c,
            "isobar: the time is over and calls are still there: isobar adapter drain %s waits "
            "on",
            c->args.words[0]);
        return EXIT_DEADLINE;
    }
    return code;
}

int run_adapter_deregister(struct cli *c)
{
    const struct isobar_reply *reply = NULL;
    int code = call_about(c, SESSION_READS, &reply);
    if (code == EXIT_OK) {
        say(c, "%s is deregistered", c->args.words[0]);
    }
    return code;
}
