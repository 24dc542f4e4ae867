/* `isobar call METHOD [JSON]`: any method of the protocol. */
#include <string.h>

#include "ask.h"
#include "isobar/pbjson.h"
#include "isobar/result.h"
#include "output.h"
#include "request.h"
#include "say.h"
#include "session.h"

/* The request from the second word: JSON, a file of it, or standard input. */
static ProtobufCMessage *read_request(struct cli *c, const ProtobufCMessageDescriptor *type)
{
    char why[REQUEST_WHY] = "";
    CLEANUP(buf_done) struct buf file;
    buf_init(&file, SIZE_MAX / 2);
    const char *text = c->args.n_words > 1 ? c->args.words[1] : "{}";
    size_t len = strlen(text);
    if (strcmp(text, "-") == 0 || *text == '@') {
        if (!request_read_file(*text == '@' ? text + 1 : text, &file, why)) {
            say_usage(c, "%s", why);
            return NULL;
        }
        text = file.data ? file.data : "";
        len = file.len;
    }
    ProtobufCMessage *m = pbjson_read(&c->arena, type, text, len, why);
    if (!m) {
        say_usage(c, "%s: %s", type->short_name, why);
    }
    return m;
}

int run_call(struct cli *c)
{
    const char *near = NULL;
    if (!c->args.n_words) {
        return say_usage(c, "call needs METHOD; isobar describe lists them");
    }
    const struct symbol *method = symbol_find(&c->arena, c->args.words[0], SYMBOL_METHOD, &near);
    if (!method) {
        return say_usage(c, "there is no method \"%s\"%s%s%s", c->args.words[0],
                         near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
    }
    if (c->args.options.format >= 0 && c->format != FORMAT_JSON && c->format != FORMAT_YAML) {
        return say_usage(c, "call prints json or yaml");
    }
    ProtobufCMessage *req = read_request(c, method->method->input);
    if (!req) {
        return EXIT_USAGE;
    }
    const struct isobar_reply *reply =
        session_call(c, method->name, req, SESSION_CHANGES, method->name);
    int code = ask_result(c, NULL, reply);
    if (reply && reply->message &&
        (code == EXIT_OK || reply->result->code == RESULT_CODE_PARTIAL)) {
        CLEANUP(buf_done) struct buf json;
        buf_init(&json, SIZE_MAX / 2);
        output_json(reply->message, &json);
        output_doc(c, &json);
    }
    return code;
}
