/* What EC2 has of the common specification, and what it alone has. */
#ifndef AWS_MANIFEST_H
#define AWS_MANIFEST_H

#include "adapter.h"

/* Constant, the same each time. Thread-safe. */
const pb_Manifest *aws_manifest(void);

#endif
