#include "aws_await.h"

#include <string.h>

/* Between the looks: together 3.1 s. */
static const int pauses_ms[] = {100, 200, 400, 800, 1600};

bool aws_is_instance_id(const char *text)
{
    static const char prefix[] = "i-";
    size_t len = strlen(prefix);

    if (strncmp(text, prefix, len) != 0)
        return false;
    size_t digits = strspn(text + len, "0123456789abcdef");
    return text[len + digits] == '\0' && (digits == 8 || digits == 17);
}

pb_ResultCode aws_instance_await(struct adapter *a, struct op *op, const char *wanted,
                                 struct aws_instance *ret)
{
    bool is_id = aws_is_instance_id(wanted);

    for (size_t i = 0;; i++) {
        struct op aside = op_aside(op, 0);
        struct aws_instance found = {0};
        pb_ResultCode code = aws_instance_find(a, &aside, wanted, &found);
        if (code == RESULT_CODE_OK) {
            *ret = found;
            return code;
        }
        if (code != RESULT_CODE_NOT_FOUND || !is_id || i == ARRAY_LEN(pauses_ms) ||
            !op_sleep_ms(op, pauses_ms[i]))
            return op_tell(op, &aside, code);
    }
}
