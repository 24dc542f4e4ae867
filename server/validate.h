/* Requests against what is known of them before anything leaves: their own types, and the manifest
 * of the adapter that they are for.
 */
#ifndef ISOBAR_VALIDATE_H
#define ISOBAR_VALIDATE_H

#include "adapter.h"
#include "config.h"

/* Strings are UTF-8, enums have a value that exists, and nothing is there that this version does
 * not know where `strict`. The code and words in `result`. Any thread. */
pb_ResultCode validate_message(struct arena *a, const ProtobufCMessage *m, bool strict,
                               pb_Result *result);

/* Fill what the request leaves open from the connection's defaults and the manifest's, and check
 * the whole against the manifest: all mistakes at once, each with its field. What was filled in is
 * then part of the request. */
pb_ResultCode validate_create(struct arena *a, pb_CreateVmRequest *req, const pb_Manifest *manifest,
                              const struct config_cloud *cloud, pb_Result *result);

/* Whether the manifest's cloud has an attribute of VmSpec; UNSPECIFIED where it says nothing. */
pb_Presence manifest_presence(const pb_Manifest *manifest, const char *attribute);

#endif
