#include "az_login_errors.h"

#include <stdlib.h>
#include <string.h>

#include "az_token.h"
#include "isobar/utf8.h"

/* A message for people has no business to be longer. */
enum { MESSAGE_MAX = 600 };

#define NEVER   RETRY_CLASS_NEVER
#define BACKOFF RETRY_CLASS_AFTER_BACKOFF
#define DENIED  RESULT_CODE_UNAUTHORIZED
#define BARRED  RESULT_CODE_FORBIDDEN

const struct az_login_row az_login_errors[] = {
    {90002, NULL, 0, DENIED, NEVER, "there is no such tenant",
     "check AZURE_TENANT_ID or tenant_id, and the authority of a sovereign cloud"},
    {900023, NULL, 0, DENIED, NEVER, "there is no such tenant",
     "check AZURE_TENANT_ID or tenant_id, and the authority of a sovereign cloud"},
    {90038, NULL, 0, DENIED, NEVER, "the tenant is in another of Azure's clouds",
     "set environment, or authority and endpoint"},
    {900382, NULL, 0, DENIED, NEVER, "the tenant is in another of Azure's clouds",
     "set environment, or authority and endpoint"},
    {5000225, NULL, 0, BARRED, NEVER, "the tenant has been blocked, since nobody used it",
     "ask Microsoft's support to open it"},
    {5000224, NULL, 0, BARRED, NEVER, "the tenant is blocked", "ask whoever runs the tenant"},
    {700016, NULL, 0, DENIED, NEVER, "the tenant has no such application",
     "check AZURE_CLIENT_ID or client_id, and that it is of this tenant"},
    {7000112, NULL, 0, BARRED, NEVER, "the application is disabled", "have it enabled"},
    {7000215, NULL, 0, DENIED, NEVER, "the client secret is wrong",
     "AZURE_CLIENT_SECRET must be the secret's value, not its id"},
    {7000222, NULL, 0, DENIED, NEVER, "the client secret has expired",
     "make a new one and set AZURE_CLIENT_SECRET"},
    {700027, NULL, 0, DENIED, NEVER,
     "the certificate is not one of the application's, or it has expired",
     "add it to the application, or set AZURE_CLIENT_CERTIFICATE_PATH to one that is"},
    {700024, NULL, 0, DENIED, NEVER, "what we show for ourselves is not valid now",
     "check this machine's clock, and that the token's file is kept fresh"},
    {700023, NULL, 0, DENIED, NEVER, "what we show for ourselves is for another authority",
     "check the authority"},
    {50027, NULL, 0, DENIED, NEVER, "what we show for ourselves is malformed",
     "check the token's file"},
    {50013, NULL, 0, DENIED, NEVER, "the signature of what we show for ourselves does not hold",
     "check who has issued it"},
    {700025, NULL, 0, DENIED, NEVER, "the application is a public client, which has no secrets",
     "take an application of the kind \"web\""},
    {70021, NULL, 0, DENIED, NEVER, "no federated credential of the application fits the token",
     "compare issuer, subject and audience of the two"},
    {700211, NULL, 0, DENIED, NEVER,
     "no federated credential of the application has the token's issuer",
     "compare issuer, subject and audience of the two"},
    {700212, NULL, 0, DENIED, NEVER,
     "no federated credential of the application has the token's audience",
     "compare issuer, subject and audience of the two"},
    {700213, NULL, 0, DENIED, NEVER,
     "no federated credential of the application has the token's subject",
     "compare issuer, subject and audience of the two"},
    {500011, NULL, 0, DENIED, NEVER, "the tenant does not know whom the token is for",
     "check audience, environment and endpoint"},
    {70011, NULL, 0, DENIED, NEVER, "it does not know whom the token is for",
     "check audience, environment and endpoint"},
    {1002012, NULL, 0, DENIED, NEVER, "it does not know whom the token is for",
     "check audience, environment and endpoint"},
    {500014, NULL, 0, BARRED, NEVER, "whom the token is for is disabled in the tenant",
     "ask whoever runs the tenant"},
    {53003, NULL, 0, BARRED, NEVER, "conditional access of the tenant does not let us in",
     "ask whoever runs the tenant"},
    {530004, NULL, 0, BARRED, NEVER, "conditional access of the tenant does not let us in",
     "ask whoever runs the tenant"},
    {50105, NULL, 0, BARRED, NEVER, "the application has not been assigned to us",
     "ask whoever runs the tenant"},
    {501051, NULL, 0, BARRED, NEVER, "the application has not been assigned to us",
     "ask whoever runs the tenant"},
    {65001, NULL, 0, BARRED, NEVER, "nobody has consented to it", "ask whoever runs the tenant"},
    {90055, NULL, 0, RESULT_CODE_RATE_LIMITED, BACKOFF, "the tenant gets too many requests",
     "call less often"},
    {50196, NULL, 0, RESULT_CODE_RATE_LIMITED, BACKOFF, "it has been asked too often",
     "call less often"},
    {90012, NULL, 0, RESULT_CODE_UNAVAILABLE, BACKOFF, NULL, "try again later"},
    {90006, NULL, 0, RESULT_CODE_UNAVAILABLE, BACKOFF, NULL, "try again later"},
    {90024, NULL, 0, RESULT_CODE_UNAVAILABLE, BACKOFF, NULL, "try again later"},
    {90033, NULL, 0, RESULT_CODE_UNAVAILABLE, BACKOFF, NULL, "try again later"},
    {0, NULL, 429, RESULT_CODE_RATE_LIMITED, BACKOFF, "it has been asked too often",
     "call less often"},
    {0, "temporarily_unavailable", 0, RESULT_CODE_UNAVAILABLE, BACKOFF, NULL, "try again later"},
    {0, "server_error", 0, RESULT_CODE_UNAVAILABLE, BACKOFF, NULL, "try again later"},
    {0, "access_denied", 0, BARRED, NEVER, NULL, "ask whoever runs the tenant"},
    {0, "interaction_required", 0, BARRED, NEVER, NULL, "ask whoever runs the tenant"},
    {0, "invalid_client", 0, DENIED, NEVER, NULL, "check the credentials"},
    {0, "unauthorized_client", 0, DENIED, NEVER, NULL, "check the credentials"},
    {0, "invalid_grant", 0, DENIED, NEVER, NULL, "check the credentials"},
    {0, "invalid_resource", 0, DENIED, NEVER, NULL, "check audience, environment and endpoint"},
    {0, "invalid_scope", 0, DENIED, NEVER, NULL, "check audience, environment and endpoint"},
    {0, "invalid_request", 0, DENIED, NEVER, NULL, "check tenant_id, client_id and the authority"},
    {0, NULL, 401, DENIED, NEVER, NULL, "check the credentials"},
    {0, NULL, 403, BARRED, NEVER, NULL, "ask whoever runs the tenant"},
    {0, NULL, 301, RESULT_CODE_UNAVAILABLE, NEVER, "what answers is no Entra ID",
     "check authority or AZURE_AUTHORITY_HOST"},
    {0, NULL, 302, RESULT_CODE_UNAVAILABLE, NEVER, "what answers is no Entra ID",
     "check authority or AZURE_AUTHORITY_HOST"},
    {0, NULL, 307, RESULT_CODE_UNAVAILABLE, NEVER, "what answers is no Entra ID",
     "check authority or AZURE_AUTHORITY_HOST"},
    {0, NULL, 308, RESULT_CODE_UNAVAILABLE, NEVER, "what answers is no Entra ID",
     "check authority or AZURE_AUTHORITY_HOST"},
    {0, NULL, 404, RESULT_CODE_UNAVAILABLE, NEVER, "what answers is no Entra ID",
     "check authority or AZURE_AUTHORITY_HOST"},
    {0, NULL, 0, RESULT_CODE_UNAVAILABLE, BACKOFF, NULL, "try again later"},
};
const size_t az_login_errors_len = ARRAY_LEN(az_login_errors);

const struct az_login_row *az_login_error_find(int status, const struct az_login_fault *fault)
{
    const struct az_login_row *row = az_login_errors;
    for (;; row++) {
        if (row->number != 0 && row->number != fault->number)
            continue;
        if (row->error != NULL && strcmp(row->error, fault->error) != 0)
            continue;
        if (row->status == 0 || row->status == status)
            return row;
    }
}

/* ---- What it said ---- */

static int64_t number_of(const struct az_token_answer *w)
{
    static const char prefix[] = "AADSTS";
    if (w->error_codes.n > 0)
        return strtoll(w->error_codes.items[0], NULL, 10);
    if (w->description != NULL && strncmp(w->description, prefix, strlen(prefix)) == 0)
        return strtoll(w->description + strlen(prefix), NULL, 10);
    return 0;
}

/* The first line: what comes behind it are the ids of the request. It becomes a clause of ours. */
static const char *first_line(struct arena *a, const char *text)
{
    if (strncmp(text, "AADSTS", 6) == 0) {
        const char *colon = strstr(text, ": ");
        text = colon == NULL ? text : colon + 2;
    }
    const char *ids = strstr(text, " Trace ID: ");
    size_t len = strcspn(text, "\r\n");
    if (ids != NULL && (size_t)(ids - text) < len)
        len = (size_t)(ids - text);
    if (len > MESSAGE_MAX)
        len = utf8_good(text, MESSAGE_MAX);
    while (len > 0 && (text[len - 1] == '.' || text[len - 1] == ' '))
        len--;
    char *line = utf8_mend(arena_strndup(a, text, len));
    for (char *c = line; *c != '\0'; c++) {
        if ((unsigned char)*c < ' ')
            *c = ' ';
    }
    return line;
}

void az_login_fault_read(struct arena *a, const struct http_response *rsp,
                         struct az_login_fault *ret)
{
    struct az_token_answer w;
    char why[160];
    const char *id = http_header(rsp, "x-ms-request-id");
    *ret = (struct az_login_fault){.error = "", .message = "", .request_id = id == NULL ? "" : id};
    if (!az_token_parse(a, rsp->body, rsp->body_len, &w, why))
        return;
    ret->number = number_of(&w);
    if (w.error != NULL)
        ret->error = w.error;
    const char *words = w.description != NULL ? w.description : w.message;
    if (words != NULL)
        ret->message = first_line(a, words);
    if (w.correlation_id != NULL)
        ret->request_id = w.correlation_id;
    az_token_wipe(&w);
}

pb_ResultCode az_map_login_error(struct op *op, const char *cloud, const char *what,
                                 const char *authority, const struct http_response *rsp)
{
    struct az_login_fault fault;
    az_login_fault_read(op->arena, rsp, &fault);
    const struct az_login_row *row = az_login_error_find(rsp->status, &fault);
    const char *code = fault.number > 0
                           ? arena_printf(op->arena, "AADSTS%lld", (long long)fault.number)
                           : fault.error;
    op_native(op, rsp->status, code, fault.message, fault.request_id);
    op_retry(op, row->retry, 0, RETRY_SCOPE_ACCOUNT);
    const char *meaning = row->meaning != NULL ? row->meaning : fault.message;
    if (meaning[0] == '\0')
        meaning = "it does not say why";
    return op_fail(op, row->code, "cloud %s: Entra ID at %s gives %s no token: %s (%s%d); %s",
                   cloud, authority, what, meaning,
                   code[0] == '\0' ? "" : arena_printf(op->arena, "%s, ", code), rsp->status,
                   row->advice);
}
