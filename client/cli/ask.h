/* What the commands share: from the command line to a request, from a reply to the output. */
#ifndef CLI_ASK_H
#define CLI_ASK_H

#include "run.h"

/* The request of the command's method, or of another, with what the flags say; `word` (may be NULL)
 * is put where the command's table says. Where the request has a cloud and none is given, it gets
 * the context's, but not for a list. NULL, and it has been said: then the code is EXIT_USAGE. */
ProtobufCMessage *ask_request(struct cli *c, const ProtobufCMessageDescriptor *type,
                              const char *word) MUST_USE;

/* Say what the reply's result says, and how to find an operation whose answer was lost. The exit
 * code; EXIT_FAILED for a reply that is NULL. */
int ask_result(struct cli *c, const char *about, const struct isobar_reply *reply);

/* The one message that a response is about, the first field that is a message; NULL where there is
 * none, or no response. */
const ProtobufCMessage *ask_item(const struct isobar_reply *reply);

#endif
