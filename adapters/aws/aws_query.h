/* A call of an AWS Query API, on its way to be sent: Action=..&Version=..&Name.1=value, encoded as
 * a form. Pure; belongs to one thread.
 */
#ifndef AWS_QUERY_H
#define AWS_QUERY_H

#include "aws_config.h"

struct aws_query {
    struct arena *arena;
    enum aws_service service;
    const char *action;
    unsigned flags; /* of send_request(): SEND_READ, SEND_IDEMPOTENT */
    char *body;     /* of `len` bytes; no NUL behind it */
    size_t len, room;
};

/* Memory that is short shows in arena->exhausted. */
void aws_query_begin(struct aws_query *q, struct arena *a, enum aws_service service,
                     const char *action, unsigned flags);
/* Name=value. Nothing is added where the value is NULL. */
void aws_put(struct aws_query *q, const char *value, const char *name);
/* The same with a name that is made: aws_putf(q, id, "InstanceId.%zu", i + 1) */
void aws_putf(struct aws_query *q, const char *value, const char *name_fmt, ...) PRINTF(3, 4);
void aws_put_int(struct aws_query *q, int64_t value, const char *name);
void aws_put_bool(struct aws_query *q, bool value, const char *name);

#endif
