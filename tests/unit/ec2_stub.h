/* A cloud for tests that answers by a table: EC2 and STS on one port of loopback. A request's line
 * is its body: "Action=DescribeInstances&Version=..". Every request is written down.
 */
#ifndef ISOBAR_TESTS_EC2_STUB_H
#define ISOBAR_TESTS_EC2_STUB_H

#include "cloud_stub.h"

extern const struct adapter_ops aws_adapter;

/* What EC2 answers, around its content. */
#define EC2(action_, content_)                                                                     \
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<" action_ "Response xmlns=\"http://ec2."         \
    "amazonaws.com/doc/2016-11-15/\"><requestId>r-7</requestId>" content_ "</" action_ "Response>"
#define EC2_ERROR(code_, message_)                                                                 \
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error><Code>" code_            \
    "</Code><Message>" message_ "</Message></Error></Errors><RequestID>r-8</RequestID></Response>"

static const char *ec2_line(const char *first UNUSED, const char *body)
{
    return body;
}

UNUSED static void cloud_start(struct cloud *c)
{
    static const struct cloud none;
    char url[64];

    *c = none;
    c->ops = &aws_adapter;
    c->line = ec2_line;
    c->headers_of_all = "x-amzn-RequestId: r-9\r\n";
    c->nothing = EC2_ERROR("InvalidAction", "no row");
    int fd = cloud_listen(c);
    dprintf(fd, "[lab]\naws_access_key_id = AKIAISOBARTEST\naws_secret_access_key = secret\n");
    close(fd);
    setenv("AWS_SHARED_CREDENTIALS_FILE", c->file, 1);
    setenv("AWS_CONFIG_FILE", "/nonexistent", 1);
    snprintf(url, sizeof(url), "http://127.0.0.1:%d", c->port);
    const struct setting items[] = {{"profile", "lab"},
                                    {"region", "eu-test-1"},
                                    {"endpoint_url", url},
                                    {"sts_endpoint_url", url},
                                    {"settle_ms", "100"}};
    cloud_open(c, items, ARRAY_LEN(items));
}

#endif
