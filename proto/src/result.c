#include "isobar/result.h"

#include <string.h>

#include "isobar/utf8.h"

extern const struct result_info result_table[];
extern const size_t result_table_len;

/* What follows from a code alone, where nobody says better. Successes have no row. */
static const struct consequence {
    pb_RetryClass retry;
    pb_Blame blame;
    pb_SideEffects side_effects;
} consequences[] = {
#define ROW(code, retry, blame, effects)                                                           \
    [RESULT_CODE_##code] = {RETRY_CLASS_##retry, BLAME_##blame, SIDE_EFFECTS_##effects}
    ROW(INVALID_REQUEST, NEVER, CALLER, NONE),
    ROW(BAD_REQUEST_DATA, NEVER, CALLER, NONE),
    ROW(UNAUTHORIZED, NEVER, CALLER, NONE),
    ROW(METHOD_NOT_ALLOWED, NEVER, CALLER, NONE),
    ROW(ALREADY_EXISTS, NEVER, CALLER, NONE),
    ROW(INTERNAL_ERROR, AFTER_LOOKUP, GATEWAY, POSSIBLE),
    ROW(PARTIAL, AFTER_LOOKUP, CLOUD, POSSIBLE),
    ROW(FORBIDDEN, NEVER, CALLER, NONE),
    ROW(NOT_FOUND, NEVER, CALLER, NONE),
    ROW(FAILED_PRECONDITION, NEVER, CALLER, NONE),
    ROW(QUOTA_EXCEEDED, NEVER, CALLER, NONE),
    ROW(RATE_LIMITED, AFTER_BACKOFF, GATEWAY, NONE),
    ROW(OVERLOADED, AFTER_BACKOFF, GATEWAY, NONE),
    ROW(OUT_OF_CAPACITY, AFTER_BACKOFF, CLOUD, NONE),
    ROW(UNAVAILABLE, AFTER_BACKOFF, CLOUD, NONE),
    ROW(DEADLINE_EXCEEDED, AFTER_LOOKUP, CLOUD, POSSIBLE),
    ROW(CANCELLED, AFTER_LOOKUP, CALLER, POSSIBLE),
    ROW(NOT_SUPPORTED, NEVER, CALLER, NONE),
    ROW(OUTCOME_UNKNOWN, AFTER_LOOKUP, CLOUD, POSSIBLE),
#undef ROW
};

const struct result_info *result_info(pb_ResultCode code)
{
    size_t i = (size_t)code;
    return &result_table[i < result_table_len && result_table[i].name ? i : 0];
}

const char *result_name(pb_ResultCode code)
{
    return result_info(code)->name;
}

bool result_is_success(pb_ResultCode code)
{
    switch ((int)code) {
    case RESULT_CODE_OK:
    case RESULT_CODE_CREATED:
    case RESULT_CODE_DELETED:
    case RESULT_CODE_CHANGED:
    case RESULT_CODE_ACCEPTED:
        return true;
    default:
        return false;
    }
}

pb_Result *result_new(struct arena *a)
{
    return arena_message(a, &pb_Result_desc);
}

static struct consequence consequence_of(pb_ResultCode code)
{
    size_t i = (size_t)code;
    return i < ARRAY_LEN(consequences) ? consequences[i] : (struct consequence){0};
}

/* Fill in what is not set, or what but followed from the code `before`. */
static void fill_consequences(struct arena *a, pb_Result *r, pb_ResultCode before)
{
    struct consequence old = consequence_of(before), now = consequence_of(r->code);
    if (!r->retry && now.retry != RETRY_CLASS_UNSPECIFIED)
        r->retry = arena_message(a, &pb_Retry_desc);
    if (r->retry && (r->retry->class_ == RETRY_CLASS_UNSPECIFIED || r->retry->class_ == old.retry))
        r->retry->class_ = now.retry;
    if (r->side_effects == SIDE_EFFECTS_UNSPECIFIED || r->side_effects == old.side_effects)
        r->side_effects = now.side_effects;
    if (r->native && r->blame == BLAME_UNSPECIFIED)
        r->blame = BLAME_CLOUD;
    else if (r->blame == BLAME_UNSPECIFIED || (!r->native && r->blame == old.blame))
        r->blame = now.blame;
}

pb_ResultCode result_vfail(struct arena *a, pb_Result *r, pb_ResultCode code, const char *fmt,
                           va_list args)
{
    if (!r)
        return code;
    pb_ResultCode before = r->code;
    r->code = code;
    r->detail = utf8_mend(arena_vprintf(a, fmt, args));
    fill_consequences(a, r, before);
    return code;
}

pb_ResultCode result_fail(struct arena *a, pb_Result *r, pb_ResultCode code, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    result_vfail(a, r, code, fmt, args);
    va_end(args);
    return code;
}

/* The list with one more place at its end; NULL where the arena is exhausted. It is made anew each
 * time: it may have come from protobuf-c, which leaves no room in it, and it is short. */
static void *longer(struct arena *a, const void *items, size_t n)
{
    void **list = arena_array(a, n + 1, sizeof(*list));
    if (list && n > 0)
        memcpy(list, items, n * sizeof(*list));
    return list;
}

void result_add_violation(struct arena *a, pb_Result *r, const char *field, const char *fmt, ...)
{
    pb_Violation *v = r ? arena_message(a, &pb_Violation_desc) : NULL;
    pb_Violation **list = v ? longer(a, r->violations, r->n_violations) : NULL;
    if (!list)
        return;
    v->field = utf8_mend(arena_strdup(a, field));
    va_list args;
    va_start(args, fmt);
    v->description = utf8_mend(arena_vprintf(a, fmt, args));
    va_end(args);
    list[r->n_violations++] = v;
    r->violations = list;
}

void result_add_warning(struct arena *a, pb_Result *r, const char *fmt, ...)
{
    char **list = r ? longer(a, r->warnings, r->n_warnings) : NULL;
    if (!list)
        return;
    va_list args;
    va_start(args, fmt);
    list[r->n_warnings++] = utf8_mend(arena_vprintf(a, fmt, args));
    va_end(args);
    r->warnings = list;
}

/* By way of the wire, which knows every field that there is. */
pb_Result *result_copy(struct arena *a, const pb_Result *r)
{
    size_t len = protobuf_c_message_get_packed_size(&r->base);
    uint8_t *bytes = arena_alloc(a, len);
    if (!bytes)
        return NULL;
    protobuf_c_message_pack(&r->base, bytes);
    return (pb_Result *)(void *)protobuf_c_message_unpack(&pb_Result_desc, arena_allocator(a), len,
                                                          bytes);
}
