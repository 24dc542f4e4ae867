#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "aws_fetch.h"
#include "isobar/clock.h"

/* Between two attempts. */
enum { PAUSE_MS = 200, TOKEN_MAX = 64 << 10 };

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

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

char *aws_read_token(struct op *op, const char *path, const char *what)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    char *text = fd < 0 ? NULL : calloc(1, TOKEN_MAX + 1);
    ssize_t n = text == NULL ? -1 : read(fd, text, TOKEN_MAX);
    int why = errno;
    if (fd >= 0)
        close(fd);
    if (n < 0) {
        free(text);
        op_fail(op, RESULT_CODE_UNAUTHORIZED, "%s: %s cannot be read: %s", what, path,
                strerror(why));
        return NULL;
    }
    size_t begin = 0, end = (size_t)n;
    while (begin < end && is_space(text[begin]))
        begin++;
    while (end > begin && is_space(text[end - 1]))
        end--;
    text[end] = '\0';
    memmove(text, text + begin, end - begin + 1);
    size_t good = 0;
    while (text[good] >= ' ' && text[good] <= '~')
        good++;
    if (good > 0 && text[good] == '\0')
        return text;
    explicit_bzero(text, TOKEN_MAX);
    free(text);
    op_fail(op, RESULT_CODE_UNAUTHORIZED, "%s: there is no token in %s", what, path);
    return NULL;
}
