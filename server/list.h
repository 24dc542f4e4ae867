/* What every list does after the clouds have answered: filter, sort, cut into pages.
 *
 * It works on any response whose field 1 is the repeated items, each with fields `cloud`, `id` and
 * `name`. The order is by cloud, name and id, so that a page's token, which names the last item, is
 * valid whatever comes or goes between two pages.
 */
#ifndef ISOBAR_LIST_H
#define ISOBAR_LIST_H

#include "methods.h"

#define LIST_PAGE_MAX 1000

/* Write the cloud's name into each item, drop what the request's filters do not want, sort. */
void list_filter(struct arena *a, const struct method *m, const ProtobufCMessage *req,
                 ProtobufCMessage *rsp, const char *cloud);
/* All items of several responses in one, which they are sorted into. */
bool list_merge(struct arena *a, const struct method *m, ProtobufCMessage *into,
                ProtobufCMessage *const *from, size_t n);
/* Keep the page that the request asks for, and at most `reply_max` bytes; sets next_page_token.
 * BadRequestData where the token is none of ours. */
pb_ResultCode list_page(struct arena *a, const struct method *m, const ProtobufCMessage *req,
                        ProtobufCMessage *rsp, size_t reply_max, pb_Result *result);
/* Say that a page's token is none. Returns BadRequestData. */
pb_ResultCode list_fail_token(struct arena *a, pb_Result *result);

#endif
