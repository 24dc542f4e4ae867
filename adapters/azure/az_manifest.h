#ifndef AZ_MANIFEST_H
#define AZ_MANIFEST_H

#include "isobar/pb.h"

/* What the adapter takes and can; for ever. */
const pb_Manifest *azure_manifest(void);

#endif
