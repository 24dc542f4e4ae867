/* `isobar adapter watch`: the processes that serve as adapters, each again when it has changed. */
#include <poll.h>

#include "ask.h"
#include "isobar/clock.h"
#include "isobar/result.h"
#include "output.h"
#include "say.h"
#include "session.h"

/* Before the next call, where an answer had nothing new. */
#define PAUSE_MS 1000

/* Rows of a table go on below those that are there; a document is one of its own each time. */
static void print_changes(struct cli *c, pb_Adapter *const *adapters, size_t n)
{
    const ProtobufCMessage **items = arena_array(&c->arena, n + 1, sizeof(*items));
    bool is_doc = c->format == FORMAT_JSON || c->format == FORMAT_YAML;
    for (size_t i = 0; items && i < n; i++) {
        items[i] = &adapters[i]->base;
        if (is_doc) {
            buf_adds(&c->out, c->format == FORMAT_YAML ? "---\n" : "");
            output_one(c, items[i]);
        }
    }
    if (items && n && !is_doc) {
        output_list(c, &pb_Adapter_desc, items, n);
        c->style.header = false;
    }
}

static int ms_left(const struct cli *c)
{
    return c->deadline_ns ? clock_ms_left(c->deadline_ns) : PAUSE_MS;
}

/* Wait for what is newer than the request says, and print it. */
static int follow(struct cli *c, pb_WatchAdaptersRequest *req)
{
    const struct isobar_reply *reply =
        session_call(c, c->args.method.name, &req->base, SESSION_WAITS, NULL);
    if (reply && reply->result->code == RESULT_CODE_DEADLINE_EXCEEDED && ms_left(c) == 0) {
        return EXIT_OK;
    }
    int code = ask_result(c, NULL, reply);
    if (code != EXIT_OK) {
        return code;
    }
    if (!reply->message) {
        return say_failure(c, "the gateway's answer is empty");
    }
    const pb_WatchAdaptersResponse *r =
        (const pb_WatchAdaptersResponse *)(const void *)reply->message;
    bool is_new = r->complete || r->revision != req->after;
    if (is_new) {
        print_changes(c, r->adapters, r->n_adapters);
    }
    if (!is_new || r->n_adapters == 0) {
        poll(NULL, 0, ms_left(c) < PAUSE_MS ? ms_left(c) : PAUSE_MS);
    }
    req->after = r->revision;
    return output_flush(c);
}

int run_adapter_watch(struct cli *c)
{
    ProtobufCMessage *req = ask_request(c, c->args.method.method->input, NULL);
    int code = req ? EXIT_OK : EXIT_USAGE;
    struct arena whole;
    arena_init(&whole, SIZE_MAX / 2);
    while (code == EXIT_OK && !c->reader_is_gone && ms_left(c) > 0) {
        /* What a round takes goes with it: there is no end of rounds. */
        arena_move(&whole, &c->arena);
        arena_init(&c->arena, SIZE_MAX / 2);
        code = follow(c, (pb_WatchAdaptersRequest *)(void *)req);
        session_forget(c);
        arena_done(&c->arena);
        arena_move(&c->arena, &whole);
    }
    return code;
}
