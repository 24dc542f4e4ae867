/* The Azure command line, in which somebody has logged in.
 *
 * Source: `az account get-access-token --help`.
 */
#include "az_fetch.h"
#include "isobar/clock.h"
#include "kit/fields.h"
#include "kit/program.h"

/* For people. */
#define COMMAND "`az account get-access-token`"

enum { ARGUMENTS_MAX = 16 };

pb_ResultCode az_fetch_cli(struct az_fetcher *f, struct op *op, struct token_grant *ret,
                           bool *ret_absent)
{
    const struct az_config *c = f->config;
    const char *words[] = {
        c->cli,
        "account",
        "get-access-token",
        "--output",
        "json",
        "--resource",
        c->audience,
        c->tenant_id != NULL ? "--tenant" : "--subscription",
        c->tenant_id != NULL ? c->tenant_id : c->subscription_id,
    };
    char *argv[ARGUMENTS_MAX] = {NULL};
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        argv[i] = field_text(words[i]);
    struct buf output CLEANUP(buf_wipe);
    buf_init(&output, PROGRAM_OUTPUT_MAX);
    int64_t asked_ns = clock_mono_ns();
    pb_ResultCode code = program_run(op, COMMAND, argv, &output);
    *ret_absent = code == RESULT_CODE_UNAUTHORIZED;
    if (*ret_absent)
        return code;
    if (code != RESULT_CODE_OK)
        return op_fail(op, code, "cloud %s: %s", f->cloud, op->result->detail);
    struct az_token_answer answer;
    char why[160] = "";
    const char *what = arena_printf(op->arena, "cloud %s: " COMMAND, f->cloud);
    if (az_token_parse(op->arena, output.data == NULL ? "" : output.data, output.len, &answer, why))
        code = az_token_take(op, &answer, what, asked_ns, clock_wall_ns() / NS_PER_SEC, ret);
    else
        code = op_fail(op, RESULT_CODE_UNAUTHORIZED, "%s does not write the JSON that it should",
                       what);
    az_token_wipe(&answer);
    return code;
}
