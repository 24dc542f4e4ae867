/* What adapters read of a specification in the same way. */
#ifndef ISOBAR_KIT_SPEC_H
#define ISOBAR_KIT_SPEC_H

#include "adapter.h"

/* A parameter's value, or NULL where it is not given or empty. */
const char *spec_parameter(const pb_VmSpec *spec, const char *name);
/* The user data in base64, in the arena; NULL where there is none. */
pb_ResultCode spec_user_data(struct op *op, const pb_VmSpec *spec, const char **ret) MUST_USE;

#endif
