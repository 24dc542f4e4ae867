/* Credentials are fetched: one way for each kind of source. What the files of this concern share.
 */
#ifndef AWS_FETCH_H
#define AWS_FETCH_H

#include "aws_keys.h"
#include "aws_source.h"
#include "kit/send.h"

struct aws_sts;

/* Of a connection. One thread at a time fetches. */
struct aws_fetcher {
    const struct aws_config *config;
    struct http_client *http;  /* borrowed */
    struct http_client *local; /* no proxy, and no patience: for what is near or not there */
    struct aws_sts *sts;
    const char *cloud;
    bool metadata_known; /* it has given credentials before: there is one */
};

/* Each fills in zeroed keys, which the caller ends in any case; the code is Unauthorized where
 * there are none for us. */
pb_ResultCode aws_fetch_process(struct aws_fetcher *f, struct op *op, const struct aws_source *s,
                                struct aws_keys *ret) MUST_USE;
pb_ResultCode aws_fetch_container(struct aws_fetcher *f, struct op *op, const struct aws_source *s,
                                  struct aws_keys *ret) MUST_USE;
/* Where there is no such service, the words are a clause: why. */
pb_ResultCode aws_fetch_metadata(struct aws_fetcher *f, struct op *op, const struct aws_source *s,
                                 struct aws_keys *ret) MUST_USE;

/* A request that is answered from near by or not at all: up to `attempts` attempts, none longer
 * than `within_ms`. What kept the last one from being answered is a clause in `ret_why`. */
bool aws_ask_near(struct http_client *http, struct op *op, const struct http_request *req,
                  int attempts, int within_ms, struct http_response *ret,
                  char ret_why[256]) MUST_USE;
/* The seconds since 1970 by AWS's clock, as far as that is known. */
int64_t aws_now_s(const struct aws_fetcher *f);
/* Those that the server's clock shows, or ours where it does not say. */
int64_t aws_answer_time(const struct http_response *rsp);
#endif
