/* The adapter as the gateway sees it: its table, and how a connection begins and ends. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aws_actions.h"
#include "aws_check.h"
#include "aws_create.h"
#include "aws_images.h"
#include "aws_instances.h"
#include "aws_manifest.h"
#include "aws_marks.h"
#include "aws_networks.h"
#include "aws_regions.h"
#include "aws_types.h"

static void aws_close(struct adapter *a)
{
    if (a == NULL)
        return;
    sender_free(a->sender);
    aws_credentials_free(a->credentials);
    sigv4_signer_free(a->signer);
    aws_names_free(a->names);
    breakers_free(a->breakers);
    http_client_free(a->http);
    aws_config_free(a->config);
    free(a->name);
    free(a);
}

static bool build(struct adapter *a, const char *name)
{
    char what[192];

    snprintf(what, sizeof(what), "AWS cloud %s in %s", name, a->config->region);
    const struct http_options options = {.ca_file = a->config->ca_file};
    a->name = strdup(name);
    a->http = http_client_new(&options);
    a->breakers = breakers_new();
    a->signer = sigv4_signer_new();
    a->names = aws_names_new();
    if (a->name == NULL || a->http == NULL || a->breakers == NULL || a->signer == NULL ||
        a->names == NULL)
        return false;
    a->sender = sender_new(a->http, a->breakers, &aws_sender_ops, a, what);
    a->credentials = aws_credentials_new(a->config, a->http, a->breakers, name);
    return a->sender != NULL && a->credentials != NULL;
}

/* EC2 is eventually consistent: what was made, changed or deleted may be missing in lists for some
 * seconds ("Eventual consistency in the Amazon EC2 API"). */
enum { SETTLE_MS = 10000, SETTLE_MS_MAX = 600000 };

static int aws_settle_ms(const struct adapter *a)
{
    return a->settle_ms;
}

static bool aws_dedupes(const struct adapter *a)
{
    (void)a;
    return true;
}

static struct adapter *aws_open(const struct settings *s, struct open_error *ret_error)
{
    struct adapter *a = calloc(1, sizeof(*a));

    if (a != NULL &&
        settings_number(s, "settle_ms", SETTLE_MS, SETTLE_MS_MAX, &a->settle_ms, ret_error))
        a->config = aws_config_load(s, ret_error);
    if (a != NULL && a->config != NULL && build(a, s->cloud))
        return a;
    if (a == NULL || a->config != NULL)
        snprintf(ret_error->text, sizeof(ret_error->text),
                 "out of memory, or libcurl does not work");
    aws_close(a);
    return NULL;
}

extern const struct adapter_ops aws_adapter;
const struct adapter_ops aws_adapter = {
    .name = "aws",
    .description = "Amazon Web Services: EC2, with the credentials of the AWS CLI.",
    .version = ISOBAR_VERSION,
    .manifest = aws_manifest,
    .open = aws_open,
    .close = aws_close,
    .poll_interval_ms = 1000,
    .settle_ms = aws_settle_ms,
    /* By the ClientToken of RunInstances. */
    .dedupes = aws_dedupes,
    .rehearses = true, /* by DryRun */
#define SLOT(service, method, slot) .slot = aws_##slot,
    ADAPTER_METHODS(SLOT)
#undef SLOT
};
