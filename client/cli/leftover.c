/* `isobar leftover delete`: what an operation made beside machines, and nobody wants. */
#include <stdio.h>
#include <string.h>

#include "ask.h"
#include "confirm.h"
#include "field.h"
#include "isobar/result.h"
#include "output.h"
#include "say.h"
#include "session.h"
#include "text.h"

/* The things that a question names before it only counts. */
#define SHOWN_MAX 20

static const pb_DeleteLeftoverResponse *answer_of(const struct isobar_reply *reply)
{
    const ProtobufCMessage *m = reply ? reply->message : NULL;
    return m && m->descriptor == &pb_DeleteLeftoverResponse_desc
               ? (const pb_DeleteLeftoverResponse *)(const void *)m
               : NULL;
}

static void add_question(struct cli *c, struct buf *text, pb_Leftover **things, size_t n)
{
    buf_addf(text, "Delete what operation ");
    text_safe_line(text, c->args.words[0]);
    buf_addf(text, " has left:\n");
    for (size_t i = 0; i < n && i < SHOWN_MAX; i++) {
        text_safe_line(text, things[i]->kind);
        buf_addc(text, ' ');
        text_safe_line(text, output_name(&c->arena, &things[i]->base));
        buf_adds(text, " (id ");
        text_safe_line(text, things[i]->id);
        buf_adds(text, ")\n");
    }
    if (n > SHOWN_MAX) {
        buf_addf(text, "and %zu more\n", n - SHOWN_MAX);
    }
    buf_adds(text, n == 1 ? "Delete it? [y/N] " : "Delete them? [y/N] ");
}

/* Show what would be deleted, and ask. EXIT_OK to go on; *ret_none where there is nothing. */
static int confirm(struct cli *c, const ProtobufCMessageDescriptor *type, bool *ret_none)
{
    char why[FIELD_WHY];
    ProtobufCMessage *req = ask_request(c, type, c->args.words[0]);
    if (!req || !field_set(&c->arena, req, "dry_run", "true", false, why)) {
        return EXIT_USAGE;
    }
    const struct isobar_reply *reply =
        session_call(c, c->args.method.name, req, SESSION_READS, NULL);
    const pb_DeleteLeftoverResponse *r = answer_of(reply);
    int code = ask_result(c, NULL, reply);
    if (code != EXIT_OK) {
        return code;
    }
    *ret_none = !r || r->n_leftovers == 0;
    if (*ret_none) {
        return EXIT_OK;
    }
    CLEANUP(buf_done) struct buf text;
    buf_init(&text, SIZE_MAX / 2);
    add_question(c, &text, r->leftovers, r->n_leftovers);
    return confirm_ask(c, &text);
}

/* What was deleted, or would be. */
static void print_deleted(struct cli *c, const pb_DeleteLeftoverResponse *r)
{
    size_t n = r ? r->n_leftovers : 0;
    const ProtobufCMessage **items = arena_array(&c->arena, n + 1, sizeof(*items));
    for (size_t i = 0; items && i < n; i++) {
        items[i] = &r->leftovers[i]->base;
    }
    if (items) {
        output_list(c, &pb_Leftover_desc, items, n);
    }
}

int run_leftover_delete(struct cli *c)
{
    const ProtobufCMessageDescriptor *type = c->args.method.method->input;
    bool is_dry = args_has(&c->args, "dry-run"), is_none = false;
    int code = is_dry ? EXIT_OK : confirm_can(c);
    if (code == EXIT_OK && !is_dry && !c->args.options.yes) {
        code = confirm(c, type, &is_none);
    }
    if (code != EXIT_OK || is_none) {
        if (is_none) {
            say(c, "there is nothing of it that is to be deleted");
        }
        return code;
    }
    ProtobufCMessage *req = ask_request(c, type, c->args.words[0]);
    if (!req) {
        return EXIT_USAGE;
    }
    const struct isobar_reply *reply =
        session_call(c, c->args.method.name, req, SESSION_CHANGES, c->args.words[0]);
    code = ask_result(c, NULL, reply);
    if (reply && (code == EXIT_OK || reply->result->code == RESULT_CODE_PARTIAL)) {
        print_deleted(c, answer_of(reply));
    }
    if (code == EXIT_OK && is_dry) {
        say(c, "dry run: nothing was changed");
    } else if (code == EXIT_OK && reply->result->code == RESULT_CODE_ACCEPTED) {
        say(c, "it still goes on: isobar operation wait %s", reply->result->operation_id);
    }
    return code;
}
