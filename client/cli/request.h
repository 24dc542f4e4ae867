/* From the command line to the request message. */
#ifndef CLI_REQUEST_H
#define CLI_REQUEST_H

#include "args.h"
#include "isobar/buf.h"

#define REQUEST_WHY 400

/* What a file may hold that goes into a request. */
#define REQUEST_FILE_MAX ((size_t)16 << 20)

/* A message of the type with what those of the flags say whose field it has; NULL where one is
 * wrong, and `why` says which. A file of flags of kind FLAG_JSON_FILE goes in first, wherever on
 * the line it stands. */
ProtobufCMessage *request_new(struct arena *a, const ProtobufCMessageDescriptor *type,
                              const struct args_flag *flags, size_t n,
                              char why[REQUEST_WHY]) MUST_USE;

/* The flags' request, with one of the command's words in its field. A word CLOUD/NAME sets both
 * where the type has a cloud; where a cloud is given already, the word is the name, and the cloud
 * before it may be repeated. A field "name/id" is two, which "NAME/ID" sets; false where the word
 * has no slash between two parts. */
bool request_set_word(struct arena *a, ProtobufCMessage *m, const char *field,
                      const char *word) MUST_USE;

/* Read a file, or standard input for "-". False where that fails or it is above REQUEST_FILE_MAX.
 */
bool request_read_file(const char *path, struct buf *out, char why[REQUEST_WHY]) MUST_USE;

#endif
