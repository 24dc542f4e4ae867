#include "adapter.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "isobar/clock.h"
#include "isobar/utf8.h"

pb_ResultCode op_fail(struct op *op, pb_ResultCode code, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    code = result_vfail(op->arena, op->result, code, fmt, args);
    va_end(args);
    return code;
}

void op_violation(struct op *op, const char *field, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    result_add_violation(op->arena, op->result, field, "%s", arena_vprintf(op->arena, fmt, args));
    va_end(args);
}

void op_warn(struct op *op, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    result_add_warning(op->arena, op->result, "%s", arena_vprintf(op->arena, fmt, args));
    va_end(args);
}

/* What a cloud says need not be the UTF-8 that protobuf's strings must be. */
static char *copy_words(struct op *op, const char *text)
{
    return utf8_mend(arena_strdup(op->arena, text ? text : ""));
}

void op_native(struct op *op, int http_status, const char *code, const char *message,
               const char *request_id)
{
    pb_NativeError *native = arena_message(op->arena, &pb_NativeError_desc);

    op->result->blame = BLAME_CLOUD;
    if (!native)
        return;
    native->http_status = http_status > 0 ? (uint32_t)http_status : 0;
    native->code = copy_words(op, code);
    native->message = copy_words(op, message);
    native->request_id = copy_words(op, request_id);
    op->result->native = native;
}

void op_retry(struct op *op, pb_RetryClass class, uint32_t after_ms, pb_RetryScope scope)
{
    pb_Retry *retry = arena_message(op->arena, &pb_Retry_desc);

    if (!retry)
        return;
    retry->class_ = class;
    retry->after_ms = after_ms;
    retry->scope = scope;
    op->result->retry = retry;
}

bool op_cancelled(const struct op *op)
{
    return op->cancelled && cancel_is_raised(op->cancelled);
}

bool op_sleep_ms(const struct op *op, int ms)
{
    static struct cancel never;
    int64_t until = clock_mono_ns() + ms * NS_PER_MS;
    bool whole = until <= op->deadline_ns;

    return !cancel_sleep(op->cancelled ? op->cancelled : &never, whole ? until : op->deadline_ns) &&
           whole;
}

/* What was said about a look that failed on the way to a success is no part of the success. */
static void forget_failure(pb_Result *r)
{
    static char nothing[1];

    r->detail = nothing;
    r->native = NULL;
    r->retry = NULL;
    r->n_violations = 0;
    r->side_effects = SIDE_EFFECTS_UNSPECIFIED;
    r->blame = BLAME_UNSPECIFIED;
}

pb_ResultCode op_end(struct op *op, pb_ResultCode code)
{
    /* Its words must not need the arena, which has nothing left. */
    static char words[] = "the answer does not fit into the memory that one call may use; ask for "
                          "less at a time";
    pb_Result *r = op->result;

    if (op->arena->exhausted) {
        code = RESULT_CODE_INTERNAL_ERROR;
        forget_failure(r);
        r->detail = words;
        r->blame = BLAME_GATEWAY;
        r->side_effects = SIDE_EFFECTS_POSSIBLE;
    } else if (result_is_success(code)) {
        forget_failure(r);
    }
    r->code = code;
    return code;
}

struct op op_aside(struct op *op, int within_ms)
{
    struct op aside = *op;
    int64_t until = clock_mono_ns() + within_ms * NS_PER_MS;

    aside.result = result_new(op->arena);
    if (!aside.result) /* the arena is exhausted, and the call lost anyway */
        aside.result = op->result;
    aside.note_id = NULL;
    if (within_ms > 0 && until < aside.deadline_ns)
        aside.deadline_ns = until;
    return aside;
}

pb_ResultCode op_tell(struct op *op, const struct op *aside, pb_ResultCode code)
{
    pb_Result *to = op->result;
    const pb_Result *from = aside->result;

    if (code == RESULT_CODE_OK || from == to)
        return code;
    to->code = from->code;
    to->detail = from->detail;
    to->n_violations = from->n_violations;
    to->violations = from->violations;
    to->native = from->native;
    to->retry = from->retry;
    to->side_effects = from->side_effects;
    to->blame = from->blame;
    return code;
}

pb_ResultCode op_not_noted(struct op *op)
{
    op->result->side_effects = SIDE_EFFECTS_NONE;
    op->result->blame = BLAME_GATEWAY;
    return op_fail(op, RESULT_CODE_UNAVAILABLE,
                   "the gateway could not record which machine is meant, so nothing was sent; see "
                   "its log");
}

const char *settings_get(const struct settings *s, const char *name)
{
    for (size_t i = 0; i < s->n; i++)
        if (strcmp(s->items[i].name, name) == 0)
            return s->items[i].value;
    return NULL;
}

bool settings_number(const struct settings *s, const char *name, int initial, int max, int *ret,
                     struct open_error *ret_error)
{
    const char *text = settings_get(s, name);
    char *end = NULL;
    long n = text ? strtol(text, &end, 10) : initial;

    if (text && (end == text || *end != '\0' || n < 0 || n > max)) {
        snprintf(ret_error->text, sizeof(ret_error->text),
                 "%s: \"%.80s\" is no number from 0 to %d", name, text, max);
        return false;
    }
    *ret = (int)n;
    return true;
}
