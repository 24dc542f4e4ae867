/* credential_process: a program that writes credentials.
 *
 * Source: "Process credential provider", AWS SDKs and Tools Reference Guide.
 */
#include "aws_fetch.h"
#include "kit/program.h"

pb_ResultCode aws_fetch_process(struct aws_fetcher *f, struct op *op, const struct aws_source *s,
                                struct aws_keys *ret)
{
    struct buf output CLEANUP(buf_wipe);
    buf_init(&output, PROGRAM_OUTPUT_MAX);
    int64_t now_s = aws_now_s(f);
    pb_ResultCode code = program_run(op, s->what, s->command, &output);
    if (code != RESULT_CODE_OK)
        return code;
    struct aws_keys_answer answer;
    char why[160] = "";
    bool is_json = aws_keys_parse(op->arena, output.data, output.len, &answer, why);
    if (!is_json)
        code = op_fail(op, RESULT_CODE_UNAUTHORIZED, "%s does not write the JSON that it should",
                       s->what);
    else if (answer.version != 1)
        code = op_fail(op, RESULT_CODE_UNAUTHORIZED,
                       "%s writes credentials of another Version than 1", s->what);
    else
        code = aws_keys_take(op, &answer, s->what, now_s, ret);
    aws_keys_answer_wipe(&answer);
    return code;
}
