#include <stdio.h>
#include <string.h>

#include "aws_fetch.h"
#include "isobar/clock.h"

/* Between two attempts. */
enum { PAUSE_MS = 200 };

bool aws_ask_near(struct http_client *http, struct op *op, const struct http_request *req,
                  int attempts, int within_ms, struct http_response *ret, char ret_why[256])
{
    for (int i = 0; i < attempts; i++) {
        struct op attempt = op_aside(op, within_ms);
        struct http_failure failure = {0};
        if (i > 0 && !op_sleep_ms(op, PAUSE_MS))
            return false;
        enum http_outcome outcome = http_send(http, &attempt, req, ret, &failure);
        snprintf(ret_why, 256, "%s",
                 outcome == HTTP_ANSWERED ? "it is out of order" : failure.reason);
        if (outcome == HTTP_ANSWERED && (ret->status < 500 || i + 1 == attempts))
            return true;
        if (op_cancelled(op) || clock_ms_left(op->deadline_ns) == 0)
            return false;
    }
    return false;
}

int64_t aws_answer_time(const struct http_response *rsp)
{
    const char *date = http_header(rsp, "Date");
    int64_t at_s = date == NULL ? -1 : http_date(date);
    return at_s >= 0 ? at_s : clock_wall_ns() / NS_PER_SEC;
}
