/* Network interfaces: what a machine with an allocated address is made on. */
#ifndef AWS_ENI_H
#define AWS_ENI_H

#include "aws_plan.h"

/* What ours say of themselves. */
#define AWS_ENI_DESCRIPTION "made by isobar for a machine"

struct aws_attachment {
    const char *id, *instance_id;
    bool delete_on_termination;
};

struct aws_eni {
    struct aws_thing thing; /* the name is its tag Name */
    const char *status;
    struct aws_attachment attachment; /* without an id it has none */
};

extern const struct aws_kind aws_eni_kind;

/* Whether something has it. Pure. */
bool aws_eni_is_attached(const struct aws_eni *eni);
/* Those that bear the token of an operation, or with NULL any (struct aws_eni). */
pb_ResultCode aws_enis_by_token(struct adapter *a, struct op *op, const char *token,
                                struct shape_list *ret) MUST_USE;

/* Queries; pure. CreateNetworkInterface makes nothing twice under one token. */
void aws_build_eni(struct aws_query *q, struct arena *a, const struct aws_plan *p);
void aws_build_eni_delete(struct aws_query *q, struct arena *a, const char *id);
/* That it goes with the machine that has it. */
void aws_build_eni_bind(struct aws_query *q, struct arena *a, const char *id,
                        const char *attachment_id);

/* Of the answer to CreateNetworkInterface: struct aws_eni. */
extern const struct shape aws_eni_made;

#endif
