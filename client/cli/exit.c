#include "exit.h"

const struct exit_info exit_table[] = {
    {EXIT_OK,
     "it is done, or the gateway has accepted it",
     {RESULT_CODE_OK, RESULT_CODE_CREATED, RESULT_CODE_DELETED, RESULT_CODE_CHANGED,
      RESULT_CODE_ACCEPTED}},
    {EXIT_FAILED, "it failed in a way that has no code of its own", {0}},
    {EXIT_USAGE,
     "the command or what it asks for is wrong",
     {RESULT_CODE_INVALID_REQUEST, RESULT_CODE_BAD_REQUEST_DATA}},
    {EXIT_NOT_FOUND, "there is no such thing", {RESULT_CODE_NOT_FOUND}},
    {EXIT_NOT_ALLOWED,
     "the caller may not do it",
     {RESULT_CODE_UNAUTHORIZED, RESULT_CODE_FORBIDDEN}},
    {EXIT_CONFLICT,
     "the thing exists, or is in a state that does not allow it",
     {RESULT_CODE_ALREADY_EXISTS, RESULT_CODE_FAILED_PRECONDITION}},
    {EXIT_NO_ROOM,
     "a quota is used up, or the cloud has no room",
     {RESULT_CODE_QUOTA_EXCEEDED, RESULT_CODE_OUT_OF_CAPACITY}},
    {EXIT_UNAVAILABLE,
     "the gateway or the cloud cannot be reached, or is too busy",
     {RESULT_CODE_UNAVAILABLE, RESULT_CODE_OVERLOADED, RESULT_CODE_RATE_LIMITED}},
    {EXIT_DEADLINE,
     "the time was over; with --wait also where the operation still goes on",
     {RESULT_CODE_DEADLINE_EXCEEDED}},
    {EXIT_PARTIAL, "some of it was done and some failed", {RESULT_CODE_PARTIAL}},
    {EXIT_INTERRUPTED, "interrupted from the keyboard", {0}},
};
const size_t exit_table_len = ARRAY_LEN(exit_table);

enum exit_code exit_of_result(pb_ResultCode code)
{
    for (size_t i = 0; i < exit_table_len; i++) {
        const pb_ResultCode *results = exit_table[i].results;
        for (size_t k = 0; k < EXIT_RESULTS_MAX && results[k]; k++) {
            if (results[k] == code) {
                return exit_table[i].code;
            }
        }
    }
    return EXIT_FAILED;
}

void exit_count_add(struct exit_count *c, enum exit_code code)
{
    if (code == EXIT_OK) {
        c->good++;
        return;
    }
    if (!c->bad++) {
        c->first = code;
    } else if (code != c->first) {
        c->differ = true;
    }
}

enum exit_code exit_count_end(const struct exit_count *c)
{
    if (!c->bad) {
        return EXIT_OK;
    }
    if (c->good) {
        return EXIT_PARTIAL;
    }
    return c->differ ? EXIT_FAILED : c->first;
}
