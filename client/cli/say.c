#include "say.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "isobar/result.h"
#include "text.h"

static void write_all(const struct buf *line)
{
    for (size_t at = 0; at < line->len;) {
        ssize_t n = write(STDERR_FILENO, line->data + at, line->len - at);
        if (n <= 0) {
            return; /* nobody is left to be told */
        }
        at += (size_t)n;
    }
}

static void PRINTF(2, 0) say_list(const char *prefix, const char *fmt, va_list list)
{
    CLEANUP(buf_done) struct buf line;
    buf_init(&line, SIZE_MAX / 2);
    char *text = NULL;
    if (vasprintf(&text, fmt, list) < 0) {
        return;
    }
    buf_adds(&line, prefix);
    text_safe_line(&line, text);
    buf_addc(&line, '\n');
    free(text);
    write_all(&line);
}

void say(struct cli *c UNUSED, const char *fmt, ...)
{
    va_list list;
    va_start(list, fmt);
    say_list("", fmt, list);
    va_end(list);
}

int say_failure(struct cli *c UNUSED, const char *fmt, ...)
{
    va_list list;
    va_start(list, fmt);
    say_list("isobar: ", fmt, list);
    va_end(list);
    return EXIT_FAILED;
}

int say_usage(struct cli *c, const char *fmt, ...)
{
    const struct command *command = c->args.command;
    const struct noun *noun = c->args.noun;
    va_list list;
    va_start(list, fmt);
    say_list("isobar: ", fmt, list);
    va_end(list);
    say(c, "Try: isobar help%s%s%s%s", noun ? " " : "", noun ? noun->name : "", command ? " " : "",
        command ? command->verb : "");
    return EXIT_USAGE;
}

static void say_violations(struct cli *c, const pb_Result *r)
{
    const ProtobufCMethodDescriptor *method = c->args.method.method;
    for (size_t i = 0; i < r->n_violations; i++) {
        const pb_Violation *v = r->violations[i];
        const struct flag *f = method ? flag_of_path(method->input, v->field) : NULL;
        if (f) {
            say(c, "  --%s (%s): %s", f->name, v->field, v->description);
        } else {
            say(c, "  %s%s%s", v->field, *v->field ? ": " : "", v->description);
        }
    }
}

static void say_native(struct cli *c, const pb_NativeError *n)
{
    if (!n || !(n->http_status || *n->code || *n->message)) {
        return;
    }
    char status[16] = "";
    if (n->http_status) {
        snprintf(status, sizeof(status), " %u", n->http_status);
    }
    say(c, "  cloud said:%s%s%s%s%s%s%s%s", status, *n->code ? " " : "", n->code,
        *n->message && (*n->code || n->http_status) ? ": "
        : *n->message                               ? " "
                                                    : "",
        n->message, *n->request_id ? "  (request " : "", n->request_id, *n->request_id ? ")" : "");
}

/* What may help: whether to try again, and what to look at first. */
static void say_hint(struct cli *c, const pb_Result *r)
{
    const pb_Retry *retry = r->retry;
    const char *id = r->operation_id;
    if (r->code == RESULT_CODE_OUTCOME_UNKNOWN && *id) {
        say(c, "  the gateway is resolving it: isobar operation wait %s", id);
    } else if (retry && retry->class_ == RETRY_CLASS_AFTER_LOOKUP) {
        say(c, "  it may have happened all the same: look before you try again%s%s",
            *id ? ", isobar operation show " : "", id);
    } else if (retry && retry->class_ == RETRY_CLASS_AFTER_BACKOFF && retry->after_ms) {
        say(c, "  it may help to try again in %u.%u s", retry->after_ms / 1000,
            retry->after_ms % 1000 / 100);
    } else if (retry && retry->class_ == RETRY_CLASS_AFTER_BACKOFF) {
        say(c, "  it may help to try again later");
    }
    if (r->side_effects == SIDE_EFFECTS_CERTAIN) {
        say(c, "  some of it was done before it failed");
    }
}

static const char *word(const ProtobufCEnumDescriptor *e, int value)
{
    const char *w = symbol_enum_word(e, value);
    return w ? w : "?";
}

static void say_particulars(struct cli *c, const pb_Result *r)
{
    say(c, "  code %s (%d %s); blame %s; retry %s, scope %s; side effects %s",
        result_info(r->code)->name, result_info(r->code)->http_status,
        result_info(r->code)->http_reason, word(&pb_Blame_desc, (int)r->blame),
        word(&pb_RetryClass_desc, r->retry ? (int)r->retry->class_ : 0),
        word(&pb_RetryScope_desc, r->retry ? (int)r->retry->scope : 0),
        word(&pb_SideEffects_desc, (int)r->side_effects));
}

int say_result(struct cli *c, const char *about, const pb_Result *r)
{
    const char *colon = about ? ": " : "";
    about = about ? about : "";
    for (size_t i = 0; i < r->n_warnings; i++) {
        say(c, "warning: %s%s%s", about, colon, r->warnings[i]);
    }
    if (!result_is_success(r->code)) {
        bool detailed = *r->detail != 0;
        say(c, "isobar: %s%s%s%s%s", about, colon, result_name(r->code), detailed ? ": " : "",
            r->detail);
        say_violations(c, r);
        say_native(c, r->native);
        if (*r->operation_id) {
            say(c, "  operation %s", r->operation_id);
        }
        say_hint(c, r);
        if (c->args.options.verbose) {
            say_particulars(c, r);
        }
    }
    return (int)exit_of_result(r->code);
}
