#include "aws_await.h"

/* Between the looks: together 3.1 s. */
static const int pauses_ms[] = {100, 200, 400, 800, 1600};

pb_ResultCode aws_instance_await(struct adapter *a, struct op *op, const char *wanted,
                                 struct aws_instance *ret)
{
    bool is_id = aws_is_id(&aws_instance_kind, wanted);

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

pb_ResultCode aws_order_fresh(struct adapter *a, struct op *op, const struct aws_query *q,
                              const struct shape *shape, void *ret)
{
    for (size_t i = 0;; i++) {
        pb_ResultCode code = aws_ask(a, op, q, shape, ret);
        bool fresh = aws_said(op, "InvalidNetworkInterfaceID.NotFound") ||
                     aws_said(op, "InvalidAllocationID.NotFound") ||
                     aws_said(op, "InvalidInstanceID.NotFound");
        if (code != RESULT_CODE_NOT_FOUND || !fresh || i == ARRAY_LEN(pauses_ms) ||
            !op_sleep_ms(op, pauses_ms[i]))
            return code;
    }
}
