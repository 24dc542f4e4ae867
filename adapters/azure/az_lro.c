/* Operations that go on after their answer. */
#include <string.h>
#include <strings.h>

#include "az.h"
#include "az_errors.h"
#include "isobar/clock.h"

/* Where Azure does not say how long to wait between two looks, and the bounds of what it says. */
enum { RETRY_MS = 1000, RETRY_MAX_MS = 60000 };

struct progress {
    const char *status;
};
static const struct shape_field progress_fields[] = {
    SHAPE_FIELD(struct progress, status, "status", SHAPE_STRING),
};
static const struct shape progress_shape = {sizeof(struct progress), progress_fields,
                                            ARRAY_LEN(progress_fields), 0};

static int retry_ms(const struct http_response *rsp)
{
    int64_t ms = http_retry_after_ms(rsp, clock_wall_ns());

    if (ms <= 0)
        return RETRY_MS;
    return ms < RETRY_MAX_MS ? (int)ms : RETRY_MAX_MS;
}

/* What an answer says of how to go on; the URL in the arena. */
static struct az_lro lro_of(struct arena *a, const struct http_response *rsp)
{
    const char *status = http_header(rsp, "Azure-AsyncOperation");
    const char *location = http_header(rsp, "Location");
    struct az_lro lro = {.retry_ms = retry_ms(rsp)};

    if (status != NULL) {
        lro.url = arena_strdup(a, status);
    } else if (rsp->status == 202 && location != NULL) {
        lro.url = arena_strdup(a, location);
        lro.by_location = true;
    }
    return lro;
}

pb_ResultCode az_begin(struct adapter *a, struct op *op, const struct az_request *req,
                       const struct shape *shape, void *ret, struct az_lro *ret_lro)
{
    struct http_response rsp;
    pb_ResultCode code = az_send(a, op, req, &rsp);

    if (code != RESULT_CODE_OK)
        return code;
    *ret_lro = lro_of(op->arena, &rsp);
    return shape != NULL && rsp.body_len > 0 ? az_parse(op, req, &rsp, shape, ret) : code;
}

static bool is_word(const char *text, const char *word)
{
    return text != NULL && strcasecmp(text, word) == 0;
}

/* One look. `ret_over` where it has ended, with the code of how. */
static pb_ResultCode look(struct adapter *a, struct op *op, enum az_service service,
                          struct az_lro *lro, bool *ret_over)
{
    struct az_request req = az_get(service, lro->url);
    struct http_response rsp;
    struct progress p = {0};
    pb_ResultCode code = az_send(a, op, &req, &rsp);

    *ret_over = true;
    if (code != RESULT_CODE_OK)
        return code;
    lro->retry_ms = retry_ms(&rsp);
    if (lro->by_location) {
        const char *next = rsp.status == 202 ? http_header(&rsp, "Location") : NULL;
        *ret_over = rsp.status != 202;
        if (next != NULL)
            lro->url = arena_strdup(op->arena, next);
        return RESULT_CODE_OK;
    }
    code = az_parse(op, &req, &rsp, &progress_shape, &p);
    if (code != RESULT_CODE_OK || is_word(p.status, "Succeeded"))
        return code;
    if (is_word(p.status, "Failed") || is_word(p.status, "Canceled") ||
        is_word(p.status, "Cancelled"))
        return az_map_error(op, a->name, NULL, &rsp); /* the operation's own error */
    *ret_over = false;
    return RESULT_CODE_OK;
}

pb_ResultCode az_wait(struct adapter *a, struct op *op, enum az_service service, const char *what,
                      const struct az_lro *lro)
{
    struct az_lro at = *lro;
    bool over = at.url == NULL;
    pb_ResultCode code = RESULT_CODE_OK;

    while (!over && code == RESULT_CODE_OK) {
        if (!op_sleep_ms(op, at.retry_ms)) {
            bool cancelled = op_cancelled(op);
            op->result->side_effects = SIDE_EFFECTS_POSSIBLE;
            op_retry(op, RETRY_CLASS_AFTER_LOOKUP, 0, RETRY_SCOPE_INSTANCE);
            return op_fail(op, cancelled ? RESULT_CODE_CANCELLED : RESULT_CODE_DEADLINE_EXCEEDED,
                           "%s was not over when %s; look before trying again", what,
                           cancelled ? "nobody waited any more" : "the deadline passed");
        }
        code = look(a, op, service, &at, &over);
    }
    return code;
}
