/* Managed identities: a service near by gives tokens to what runs on a machine, or in a service, of
 * Azure. There are four, that differ in details.
 *
 * Source: "How to use managed identities on an Azure VM to acquire an access token", "Managed
 * identities for App Service", and azure-identity's imds.py, app_service.py, azure_ml.py and
 * cloud_shell.py.
 */
#include <string.h>

#include "az_fetch.h"
#include "isobar/clock.h"
#include "isobar/utf8.h"
#include "kit/secret.h"

enum {
    ANSWER_MAX = 256 << 10,
    ATTEMPT_MS = 10000,
    ATTEMPTS = 5,
    PAUSE_MS = 1000,     /* doubled each time */
    UPDATING_MS = 10000, /* between two attempts where it is being updated, at most 70 s */
    UPDATING_ATTEMPTS = 8,
    WORDS_MAX = 200,
};

/* One of the services. */
struct form {
    const char *name; /* for people */
    const char *url;
    const char *version; /* of the API */
    struct http_header header;
    const char *client; /* what the parameter with the client's id is called */
    bool is_post;       /* the parameters are a body */
    bool is_machine;    /* the instance metadata service, which may not be there */
};

static struct form form_of(const struct az_config *c)
{
    if (c->identity_endpoint != NULL)
        return (struct form){.name = "the service's managed identity (IDENTITY_ENDPOINT)",
                             .url = c->identity_endpoint,
                             .version = "2019-08-01",
                             .header = {"X-IDENTITY-HEADER", c->identity_header},
                             .client = "client_id"};
    if (c->msi_endpoint != NULL && c->msi_secret != NULL)
        return (struct form){.name = "the service's managed identity (MSI_ENDPOINT)",
                             .url = c->msi_endpoint,
                             .version = "2017-09-01",
                             .header = {"secret", c->msi_secret},
                             .client = "clientid"};
    if (c->msi_endpoint != NULL)
        return (struct form){.name = "Cloud Shell's identity (MSI_ENDPOINT)",
                             .url = c->msi_endpoint,
                             .header = {"Metadata", "true"},
                             .client = "client_id",
                             .is_post = true};
    return (struct form){.name = "instance metadata",
                         .url = c->metadata_url,
                         .version = "2018-02-01",
                         .header = {"Metadata", "true"},
                         .client = "client_id",
                         .is_machine = true};
}

static void build(const struct az_config *c, const struct form *f, struct arena *a,
                  struct http_request *ret)
{
    struct http_header *headers = arena_array(a, 2, sizeof(*headers));
    const char *client = c->client_id == NULL
                             ? ""
                             : arena_printf(a, "&%s=%s", f->client, url_escape(a, c->client_id));
    const char *query = arena_printf(a, "resource=%s%s", url_escape(a, c->audience), client);
    *ret = (struct http_request){
        .method = f->is_post ? "POST" : "GET",
        .url = f->is_post ? f->url
                          : arena_printf(a, "%s%s?api-version=%s&%s", f->url,
                                         f->is_machine ? "/metadata/identity/oauth2/token" : "",
                                         f->version, query),
        .name = f->name,
        .headers = headers,
        .n_headers = 1,
        .body_max = ANSWER_MAX,
        .resend_ok = true,
    };
    if (headers == NULL)
        return;
    headers[0] = f->header;
    if (f->is_post) {
        headers[1] = (struct http_header){"Content-Type", "application/x-www-form-urlencoded"};
        ret->n_headers = 2;
        ret->body = query;
        ret->body_len = strlen(query);
    }
}

/* Whether the same may be answered otherwise in a while. */
static bool is_passing(const struct form *f, int status)
{
    return status >= 500 || status == 429 || status == 410 || status == 408 ||
           (f->is_machine && status == 404);
}

/* Other clouds have something at the same address. That has no such path, or (AWS) wants a token
 * first; what is Azure's says why in JSON. */
static bool is_foreign(struct arena *a, const struct http_response *rsp)
{
    struct az_token_answer w = {0};
    char why[160];

    if (rsp->status != 401 && rsp->status != 403 && rsp->status != 405)
        return rsp->status == 404;
    bool told = az_token_parse(a, rsp->body, rsp->body_len, &w, why) && w.error != NULL;
    az_token_wipe(&w);
    return !told;
}

/* Exchanges until there is an answer that stays. RESULT_CODE_OK: `ret` is one, of any status. */
static pb_ResultCode ask(struct az_fetcher *f, struct op *op, const struct form *form,
                         const struct http_request *req, bool is_probe, struct http_response *ret,
                         bool *ret_absent)
{
    for (int i = 1, pause_ms = PAUSE_MS;; i++, pause_ms *= 2) {
        struct op attempt = op_aside(op, ATTEMPT_MS);
        struct http_failure failure = {0};
        enum http_outcome outcome = http_send(f->near, &attempt, req, ret, &failure);
        bool answered = outcome == HTTP_ANSWERED;
        int attempts = answered && ret->status == 410 ? UPDATING_ATTEMPTS : ATTEMPTS;
        if (outcome == HTTP_CANCELLED)
            return op_fail(op, RESULT_CODE_CANCELLED, "nobody waits for the answer any more");
        *ret_absent = is_probe && (answered ? is_foreign(op->arena, ret) : !failure.sent);
        if (*ret_absent && answered)
            return op_fail(op, RESULT_CODE_UNAUTHORIZED, "%s at %s is not Azure's", form->name,
                           form->url);
        if (*ret_absent)
            return op_fail(op, RESULT_CODE_UNAUTHORIZED, "%s is not there: %s", form->name,
                           failure.reason);
        if (answered && !is_passing(form, ret->status))
            return RESULT_CODE_OK;
        if (answered && ret->status == 410)
            pause_ms = UPDATING_MS;
        /* A wait that would pass the deadline is not begun. */
        if (i < attempts && clock_ms_left(op->deadline_ns) > pause_ms && op_sleep_ms(op, pause_ms))
            continue;
        if (op_cancelled(op))
            return op_fail(op, RESULT_CODE_CANCELLED, "nobody waits for the answer any more");
        op_retry(op, RETRY_CLASS_AFTER_BACKOFF, (uint32_t)pause_ms, RETRY_SCOPE_CLOUD);
        if (!answered)
            return op_fail(op, RESULT_CODE_UNAVAILABLE, "cloud %s: %s at %s does not answer: %s",
                           f->cloud, form->name, form->url, failure.reason);
        op_native(op, ret->status, NULL, NULL, http_header(ret, "x-ms-request-id"));
        return op_fail(op, ret->status == 429 ? RESULT_CODE_RATE_LIMITED : RESULT_CODE_UNAVAILABLE,
                       "cloud %s: %s at %s gives no token now: it answers %d; try again later",
                       f->cloud, form->name, form->url, ret->status);
    }
}

/* One line of what it said; "" where that is nothing. */
static const char *words_of(struct arena *a, const struct az_token_answer *w)
{
    const char *text = w->description != NULL ? w->description : w->message;
    if (text == NULL)
        return "";
    size_t len = strcspn(text, "\r\n");
    if (len > WORDS_MAX)
        len = utf8_good(text, WORDS_MAX);
    return utf8_mend(arena_strndup(a, text, len));
}

static pb_ResultCode refused(struct az_fetcher *f, struct op *op, const struct form *form,
                             const struct http_response *rsp, bool *ret_absent)
{
    struct az_token_answer w;
    char why[160];
    if (!az_token_parse(op->arena, rsp->body, rsp->body_len, &w, why))
        w = (struct az_token_answer){0};
    const char *words = words_of(op->arena, &w);
    const char *client = f->config->client_id;
    bool no_identity =
        rsp->status == 400 && (w.error == NULL || strcmp(w.error, "invalid_resource") != 0);
    *ret_absent =
        no_identity && form->is_machine && !az_fetch_is_only(f->config, AZ_MANAGED_IDENTITY);
    op_native(op, rsp->status, w.error, words, http_header(rsp, "x-ms-request-id"));
    az_token_wipe(&w);
    op_retry(op, RETRY_CLASS_NEVER, 0, RETRY_SCOPE_ACCOUNT);
    return op_fail(op, RESULT_CODE_UNAUTHORIZED, "%s%s%s%s at %s gives no token%s%s: %s%s%d)",
                   *ret_absent ? "" : "cloud ", *ret_absent ? "" : f->cloud,
                   *ret_absent ? "" : ": ", form->name, form->url,
                   no_identity && client != NULL ? " for client_id " : "",
                   no_identity && client != NULL ? client : "",
                   no_identity ? "no such managed identity is assigned (" : "it refuses us (",
                   words[0] == '\0' ? "" : arena_printf(op->arena, "%s, ", words), rsp->status);
}

pb_ResultCode az_fetch_identity(struct az_fetcher *f, struct op *op, struct token_grant *ret,
                                bool *ret_absent)
{
    struct form form = form_of(f->config);
    bool is_probe = form.is_machine && f->chosen != AZ_MANAGED_IDENTITY &&
                    !az_fetch_is_only(f->config, AZ_MANAGED_IDENTITY);
    struct http_request req;
    struct http_response rsp = {0};
    build(f->config, &form, op->arena, &req);
    int64_t asked_ns = clock_mono_ns();
    pb_ResultCode code = op->arena->exhausted
                             ? op_fail(op, RESULT_CODE_INTERNAL_ERROR, "memory is short")
                             : ask(f, op, &form, &req, is_probe, &rsp, ret_absent);
    if (code != RESULT_CODE_OK)
        return code;
    if (rsp.status != 200)
        return refused(f, op, &form, &rsp, ret_absent);
    struct az_token_answer answer;
    char why[160] = "";
    const char *what = arena_printf(op->arena, "cloud %s: %s at %s", f->cloud, form.name, form.url);
    const char *date = http_header(&rsp, "Date");
    int64_t now_s = date == NULL ? -1 : http_date(date);
    if (now_s < 0)
        now_s = clock_wall_ns() / NS_PER_SEC;
    if (az_token_parse(op->arena, rsp.body, rsp.body_len, &answer, why))
        code = az_token_take(op, &answer, what, asked_ns, now_s, ret);
    else
        code = op_fail(op, RESULT_CODE_UNAVAILABLE, "%s does not answer the JSON that it should",
                       what);
    az_token_wipe(&answer);
    secret_wipe(rsp.body);
    return code;
}
