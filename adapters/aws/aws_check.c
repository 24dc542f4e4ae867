#include "aws_check.h"

#include "aws_regions.h"
#include "isobar/clock.h"

/* STS may be out of reach where EC2 is not: a network without a way to the Internet. */
enum { STS_MS = 5000 };

struct identity {
    const char *account, *arn;
};

static const struct shape_field result_fields[] = {
    SHAPE_FIELD(struct identity, account, "Account", SHAPE_STRING),
    SHAPE_FIELD(struct identity, arn, "Arn", SHAPE_STRING),
};
static const struct shape result_shape = {sizeof(struct identity), result_fields,
                                          ARRAY_LEN(result_fields), 0};
static const struct shape_field identity_fields[] = {
    {"GetCallerIdentityResult", SHAPE_STRUCT, 0, &result_shape},
};
static const struct shape identity_shape = {sizeof(struct identity), identity_fields, 1, 0};

/* Who we are. A cloud that speaks EC2 need not have STS. */
static char *sts_line(struct adapter *a, struct op *op)
{
    struct op aside = op_aside(op, STS_MS);
    struct identity who = {0};
    struct aws_query q;
    const char *url = a->config->urls[AWS_STS];

    aws_query_begin(&q, op->arena, AWS_STS, "GetCallerIdentity", SEND_READ);
    pb_ResultCode code = aws_ask(a, &aside, &q, &identity_shape, &who);
    if (code != RESULT_CODE_OK)
        return arena_printf(op->arena, "STS at %s: %s: %s", url, result_name(code),
                            aside.result->detail);
    return arena_printf(op->arena, "STS at %s: account %s, %s", url,
                        who.account != NULL ? who.account : "unknown",
                        who.arn != NULL ? who.arn : "of unknown name");
}

pb_ResultCode aws_check_cloud(struct adapter *a, struct op *op, const pb_CheckCloudRequest *req,
                              pb_CheckCloudResponse *ret)
{
    const struct aws_filter here = {aws_region_kind.id_filter, 1, &a->config->region};
    int64_t begun = clock_mono_ns();
    struct shape_list regions = {0};

    (void)req;
    pb_ResultCode code = aws_list(a, op, &aws_region_kind, &here, 1, &regions);
    if (code != RESULT_CODE_OK)
        return op_end(op, code);
    char **services = arena_array(op->arena, 2, sizeof(*services));
    if (services == NULL)
        return op_end(op, RESULT_CODE_INTERNAL_ERROR);
    services[0] =
        arena_printf(op->arena, "EC2 in %s at %s", a->config->region, a->config->urls[AWS_EC2]);
    services[1] = sts_line(a, op);
    ret->services = services;
    ret->n_services = 2;
    ret->elapsed_us = (uint64_t)((clock_mono_ns() - begun) / NS_PER_US);
    return op_end(op, RESULT_CODE_OK);
}
