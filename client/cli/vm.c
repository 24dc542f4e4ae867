/* Commands that change machines. */
#include <stdio.h>
#include <string.h>

#include "ask.h"
#include "confirm.h"
#include "field.h"
#include "isobar/result.h"
#include "output.h"
#include "request.h"
#include "say.h"
#include "session.h"
#include "target.h"
#include "text.h"

/* What the request says of waiting. */
static pb_Wait wait_of(const ProtobufCMessage *req)
{
    struct value_path path;
    struct value v = {0};
    struct arena scratch;
    arena_init(&scratch, 4096);
    if (value_path(req->descriptor, "wait", &path)) {
        value_get(&scratch, req, &path, &v);
    }
    arena_done(&scratch);
    return v.enumeration ? (pb_Wait)v.enum_value : WAIT_UNSPECIFIED;
}

static unsigned kind_of(pb_Wait wait)
{
    return SESSION_CHANGES | (wait == WAIT_RUNNING ? (unsigned)SESSION_WAITS : 0);
}

/* Print the operation of that id, as the gateway has it. */
static void print_operation(struct cli *c, const char *id)
{
    pb_GetOperationRequest req = pb_GetOperationRequest_INIT;
    req.id = arena_strdup(&c->arena, id);
    const struct isobar_reply *reply =
        session_call(c, "OperationService/GetOperation", &req.base, SESSION_READS, NULL);
    const ProtobufCMessage *op = ask_item(reply);
    if (op) {
        output_one(c, op);
    } else {
        ask_result(c, NULL, reply);
    }
}

/* An operation that goes on. Whoever asked to wait for its end has not got it: EXIT_DEADLINE. */
static int say_accepted(struct cli *c, const pb_Result *r, pb_Wait wait)
{
    if (wait == WAIT_RUNNING) {
        say(c, "isobar: the time is over and it still goes on: isobar operation wait %s",
            r->operation_id);
        return EXIT_DEADLINE;
    }
    if (wait != WAIT_NONE) {
        say(c, "it still goes on: isobar operation wait %s", r->operation_id);
    }
    return EXIT_OK;
}

/* The answer about one machine: the machine, or where there is none yet the operation. */
static int print_vm(struct cli *c, const struct isobar_reply *reply, pb_Wait wait, bool in_detail)
{
    const ProtobufCMessage *vm = ask_item(reply);
    int code = ask_result(c, NULL, reply);
    if (code != EXIT_OK) {
        return code;
    }
    if (args_has(&c->args, "dry-run")) {
        say(c, "dry run: nothing was changed");
    }
    bool has_vm = vm && (*value_string(vm, "id") || *value_string(vm, "name"));
    if (*reply->result->operation_id && (!has_vm || wait == WAIT_NONE)) {
        print_operation(c, reply->result->operation_id);
    } else if (has_vm && in_detail) {
        output_one(c, vm);
    } else if (has_vm) {
        output_list(c, vm->descriptor, &vm, 1);
    }
    return reply->result->code == RESULT_CODE_ACCEPTED ? say_accepted(c, reply->result, wait)
                                                       : EXIT_OK;
}

/* Several machines made by one call: a result each. */
static int print_created(struct cli *c, const struct isobar_reply *reply)
{
    const pb_CreateVmResponse *r = (const pb_CreateVmResponse *)(void *)reply->message;
    struct target *targets = arena_array(&c->arena, r->n_results, sizeof(*targets));
    if (!targets) {
        return say_failure(c, "there is not enough memory");
    }
    for (size_t i = 0; i < r->n_results; i++) {
        targets[i] = (struct target){.word = r->results[i]->id, .result = r->results[i]};
    }
    for (size_t i = 0; i < reply->result->n_warnings; i++) {
        say(c, "warning: %s", reply->result->warnings[i]);
    }
    return target_print(c, targets, r->n_results);
}

int run_vm_create(struct cli *c)
{
    ProtobufCMessage *req = ask_request(c, c->args.method.method->input, NULL);
    if (!req) {
        return EXIT_USAGE;
    }
    const ProtobufCMessage *spec = value_message(req, "spec");
    const char *name = spec && *value_string(spec, "name") ? value_string(spec, "name") : "the vm";
    pb_Wait wait = wait_of(req);
    const struct isobar_reply *reply =
        session_call(c, c->args.method.name, req, kind_of(wait), name);
    if (reply && reply->message &&
        ((const pb_CreateVmResponse *)(void *)reply->message)->n_results) {
        return print_created(c, reply);
    }
    return print_vm(c, reply, wait, true);
}

/* The request for one machine: the flags, and which machine it is. */
static ProtobufCMessage *request_for(struct cli *c, const struct target *t)
{
    char why[FIELD_WHY] = "";
    ProtobufCMessage *req = ask_request(c, c->args.method.method->input, NULL);
    if (req && (!field_set(&c->arena, req, "cloud", t->cloud, false, why) ||
                !field_set(&c->arena, req, "id", t->id, false, why))) {
        say_failure(c, "%s", why);
        return NULL;
    }
    return req;
}

static int control_one(struct cli *c, const struct target *t)
{
    ProtobufCMessage *req = request_for(c, t);
    if (!req) {
        return EXIT_USAGE;
    }
    pb_Wait wait = wait_of(req);
    return print_vm(c, session_call(c, c->args.method.name, req, kind_of(wait), t->word), wait,
                    false);
}

/* Whether one call can do it to many: it has an action for the verb, and a field for each flag. */
static bool is_batch(struct cli *c, const char *action)
{
    for (size_t i = 0; i < c->args.n_flags; i++) {
        if (!flag_find(&pb_BatchControlVmsRequest_desc, c->args.flags[i].flag->name)) {
            return false;
        }
    }
    const char *value = arena_printf(&c->arena, "VM_ACTION_%s", action);
    return protobuf_c_enum_descriptor_get_value_by_name(&pb_VmAction_desc, value) != NULL;
}

/* One call for each machine, one after the other. */
static void control_each(struct cli *c, struct target *targets, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        ProtobufCMessage *req = request_for(c, &targets[i]);
        if (req) {
            targets[i].result = target_result(
                c, &targets[i],
                session_call(c, c->args.method.name, req, kind_of(wait_of(req)), targets[i].word));
        }
    }
}

int run_vm_control(struct cli *c)
{
    struct target *targets;
    ProtobufCMessage *check = ask_request(c, c->args.method.method->input, NULL);
    size_t n = check ? target_list(c, &targets) : 0;
    if (!n) {
        return EXIT_USAGE;
    }
    pb_Wait wait = wait_of(check);
    char *action = arena_strdup(&c->arena, c->args.command->verb);
    text_upper(action);
    if ((c->args.command->does & OPTION_DELETES) && !args_has(&c->args, "dry-run")) {
        int code = confirm_delete(c, targets, n);
        if (code != EXIT_OK) {
            return code;
        }
    }
    if (n == 1) {
        return control_one(c, &targets[0]);
    }
    if (is_batch(c, action)) {
        target_control(c, targets, n, action, kind_of(wait));
    } else {
        control_each(c, targets, n);
    }
    int code = target_print(c, targets, n);
    for (size_t i = 0; i < n && code == EXIT_OK && wait == WAIT_RUNNING; i++) {
        if (targets[i].result->result->code == RESULT_CODE_ACCEPTED) {
            say(c, "isobar: the time is over and some still go on: see isobar operation list");
            code = EXIT_DEADLINE;
        }
    }
    return code;
}

int run_vm_status(struct cli *c)
{
    struct target *targets;
    size_t n = target_list(c, &targets);
    if (!n) {
        return EXIT_USAGE;
    }
    target_get_status(c, targets, n);
    return target_print(c, targets, n);
}
