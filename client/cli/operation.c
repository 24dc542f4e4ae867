/* Commands about one operation. */
#include <string.h>

#include "ask.h"
#include "detail.h"
#include "output.h"
#include "say.h"
#include "session.h"

/* The message that an operation ended with; NULL where there is none. */
static ProtobufCMessage *response_of(struct cli *c, const pb_Operation *op)
{
    const struct symbol *method = symbol_find(&c->arena, op->method, SYMBOL_METHOD, NULL);
    if (!method || !op->response.len) {
        return NULL;
    }
    return protobuf_c_message_unpack(method->method->output, arena_allocator(&c->arena),
                                     op->response.len, op->response.data);
}

static void print_operation(struct cli *c, const pb_Operation *op)
{
    ProtobufCMessage *response = response_of(c, op);
    if (!response || c->format > FORMAT_WIDE || c->args.options.columns) {
        output_one(c, &op->base);
        return;
    }
    CLEANUP(table_freep) struct table *t = detail_table(c);
    detail_rows(c, t, &op->base, "");
    detail_rows(c, t, response, "response.");
    output_take_table(c, t);
}

/* Call the command's method with its word, and print the operation that comes. NULL where the call
 * failed, or the answer has none; `ret_code` is then not EXIT_OK. */
static const pb_Operation *print_answer(struct cli *c, unsigned kind, int *ret_code)
{
    const char *word = c->args.words[0];
    ProtobufCMessage *req = ask_request(c, c->args.method.method->input, word);
    if (!req) {
        *ret_code = EXIT_USAGE;
        return NULL;
    }
    const struct isobar_reply *reply = session_call(c, c->args.method.name, req, kind, word);
    const ProtobufCMessage *m = ask_item(reply);
    *ret_code = ask_result(c, NULL, reply);
    if (*ret_code != EXIT_OK) {
        return NULL;
    }
    if (!m || m->descriptor != &pb_Operation_desc) {
        *ret_code = say_failure(c, "the gateway's answer is empty");
        return NULL;
    }
    const pb_Operation *op = (const pb_Operation *)(const void *)m;
    print_operation(c, op);
    return op;
}

/* What a lost answer means; whether it was one. */
static bool say_unknown(struct cli *c, const pb_Operation *op)
{
    if (op->state != OPERATION_STATE_UNKNOWN) {
        return false;
    }
    say(c, "the cloud's answer was lost; the gateway is resolving it%s",
        op->cancelled ? ", and deletes what turns up" : "");
    return true;
}

int run_operation_show(struct cli *c)
{
    int code;
    const pb_Operation *op = print_answer(c, SESSION_READS, &code);
    if (op && c->format <= FORMAT_WIDE) {
        say_unknown(c, op);
    }
    return code;
}

int run_operation_wait(struct cli *c)
{
    int code;
    const pb_Operation *op = print_answer(c, SESSION_WAITS, &code);
    if (!op) {
        return code;
    }
    if (op->state != OPERATION_STATE_DONE) {
        say_unknown(c, op);
        say(c, "the operation still goes on");
        return EXIT_DEADLINE;
    }
    return op->result ? say_result(c, NULL, op->result) : EXIT_OK;
}

int run_operation_cancel(struct cli *c)
{
    int code;
    const pb_Operation *op = print_answer(c, SESSION_READS, &code);
    if (!op) {
        return code;
    }
    if (op->state != OPERATION_STATE_DONE && op->cancelled) {
        say(c,
            "the order may have reached the cloud: what turns up of it is deleted; isobar "
            "operation wait %s",
            op->id);
    } else if (op->state != OPERATION_STATE_DONE) {
        return say_failure(c, "it was not cancelled, and still goes on");
    } else if (op->result && op->result->code == RESULT_CODE_CANCELLED) {
        say(c, "cancelled: nothing is made of it");
    } else {
        say(c, "it had ended before it could be cancelled");
    }
    return code;
}
