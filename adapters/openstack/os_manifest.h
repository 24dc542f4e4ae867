/* What OpenStack has of the common specification, and what it alone has. */
#ifndef OS_MANIFEST_H
#define OS_MANIFEST_H

#include "adapter.h"

/* Constant, the same each time. Thread-safe. */
const pb_Manifest *openstack_manifest(void);

#endif
