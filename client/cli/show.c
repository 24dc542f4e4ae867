/* Commands that get one thing and print it. */
#include <string.h>

#include "ask.h"
#include "output.h"
#include "say.h"
#include "session.h"

/* Make the command's call with its first word, if it has one. */
static const struct isobar_reply *call_with_word(struct cli *c, unsigned kind, int *ret_code)
{
    const char *word = c->args.n_words ? c->args.words[0] : NULL;
    ProtobufCMessage *req = ask_request(c, c->args.method.method->input, word);
    if (!req) {
        *ret_code = EXIT_USAGE;
        return NULL;
    }
    const struct isobar_reply *reply = session_call(c, c->args.method.name, req, kind, word);
    *ret_code = ask_result(c, NULL, reply);
    return reply;
}

int run_show(struct cli *c)
{
    int code;
    const ProtobufCMessage *item = ask_item(call_with_word(c, SESSION_READS, &code));
    if (code == EXIT_OK && !item) {
        return say_failure(c, "the gateway's answer is empty");
    }
    if (code == EXIT_OK) {
        output_one(c, item);
    }
    return code;
}

int run_cloud_check(struct cli *c)
{
    int code;
    const struct isobar_reply *reply = call_with_word(c, SESSION_READS, &code);
    if (code == EXIT_OK && reply->message) {
        output_one(c, reply->message);
    }
    return code;
}

int run_health(struct cli *c)
{
    int code;
    const struct isobar_reply *reply = call_with_word(c, SESSION_READS, &code);
    if (code != EXIT_OK || !reply->message) {
        return code;
    }
    const pb_HealthCheckResponse *r = (const pb_HealthCheckResponse *)(void *)reply->message;
    if (c->format <= FORMAT_WIDE && !c->args.options.columns) {
        const char *word =
            symbol_enum_word(&pb_HealthCheckResponse_ServingStatus_desc, (int)r->status);
        buf_addf(&c->out, "%s\n", word ? word : "UNKNOWN");
    } else {
        output_one(c, reply->message);
    }
    return r->status == HEALTH_CHECK_RESPONSE_SERVING ? EXIT_OK : EXIT_UNAVAILABLE;
}
