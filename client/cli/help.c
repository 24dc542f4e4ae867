#include "help.h"

#include <stdio.h>
#include <string.h>

#include "isobar/result.h"
#include "man.h"
#include "say.h"

enum { LEFT = 26, WIDTH = 88 };

/* "  left      words words", the words wrapped. */
static void row(struct buf *out, const char *left, const char *words)
{
    size_t column = strlen(left) + 2;
    buf_addf(out, "  %s", left);
    if (column + 2 > LEFT) {
        buf_addc(out, '\n');
        column = 0;
    }
    buf_addf(out, "%*s", (int)(LEFT - column), "");
    column = LEFT;
    for (bool first = true; *words; first = false) {
        size_t len = strcspn(words, " ");
        if (!first && column + 1 + len > WIDTH) {
            buf_addf(out, "\n%*s", LEFT, "");
            column = LEFT;
        } else if (!first) {
            buf_addc(out, ' ');
            column++;
        }
        buf_add(out, words, len);
        column += len;
        words += len;
        words += strspn(words, " ");
    }
    buf_addc(out, '\n');
}

void help_flag_usage(const struct flag *f, struct buf *out)
{
    buf_addf(out, "--%s%s%s", f->name, f->arg ? " " : "", f->arg ? f->arg : "");
}

void help_option_usage(const struct option *o, struct buf *out)
{
    if (o->letter) {
        buf_addf(out, "-%c, ", o->letter);
    }
    buf_addf(out, "--%s%s%s", o->name, o->arg ? " " : "", o->arg ? o->arg : "");
}

void help_usage(const struct command *command, struct buf *out)
{
    buf_addf(out, "isobar %s%s%s", command->noun ? command->noun : "", command->noun ? " " : "",
             command->verb);
    if (command->word) {
        bool may_lack = command->words == WORDS_MAYBE;
        buf_addf(out, may_lack ? " [%s]" : " %s", command->word);
    }
    if (command->method || command->does) {
        buf_adds(out, " [FLAGS]");
    }
}

void help_results_of(const struct exit_info *info, struct buf *out)
{
    for (size_t i = 0; i < EXIT_RESULTS_MAX && info->results[i]; i++) {
        buf_addf(out, "%s%s", i ? ", " : "", result_name(info->results[i]));
    }
    for (unsigned i = 0; info->code == EXIT_FAILED && i < pb_ResultCode_desc.n_values; i++) {
        pb_ResultCode code = (pb_ResultCode)pb_ResultCode_desc.values[i].value;
        if (code != RESULT_CODE_UNSPECIFIED && exit_of_result(code) == EXIT_FAILED) {
            buf_addf(out, "%s%s", out->len ? ", " : "", result_name(code));
        }
    }
}

void help_exit_codes(struct buf *out)
{
    buf_adds(out, "Exit codes, and the gateway's result codes that lead to them:\n\n");
    for (size_t i = 0; i < exit_table_len; i++) {
        CLEANUP(buf_done) struct buf names;
        buf_init(&names, SIZE_MAX / 2);
        help_results_of(&exit_table[i], &names);
        out->failed |= names.failed;
        buf_addf(out, "%5d  %s\n", exit_table[i].code, exit_table[i].meaning);
        if (names.len) {
            buf_addf(out, "       %s\n", buf_cstr(&names));
        }
    }
}

static void verbs_row(struct buf *out, const struct noun *noun)
{
    CLEANUP(buf_done) struct buf words;
    buf_init(&words, SIZE_MAX / 2);
    buf_addf(&words, "%s:", noun->doc);
    for (size_t i = 0; i < command_table_len; i++) {
        if (command_table[i].noun && strcmp(command_table[i].noun, noun->name) == 0) {
            buf_addf(&words, " %s", command_table[i].verb);
        }
    }
    row(out, noun->name, buf_cstr(&words));
    out->failed |= words.failed;
}

void help_short(const char *noun, struct buf *out)
{
    if (noun) {
        buf_addf(out, "Usage: isobar %s VERB [FLAGS]\n\n", noun);
    } else {
        buf_adds(out, "Usage: isobar COMMAND VERB [FLAGS]\n\n");
    }
    for (size_t i = 0; !noun && i < command_nouns_len; i++) {
        verbs_row(out, &command_nouns[i]);
    }
    for (size_t i = 0; i < command_table_len; i++) {
        const struct command *c = &command_table[i];
        if (noun ? c->noun && strcmp(c->noun, noun) == 0 : !c->noun) {
            row(out, c->verb, c->doc);
        }
    }
    buf_addf(out, "\nMore: isobar help %s VERB\n", noun ? noun : "COMMAND");
}

static void flag_rows(struct buf *out, const ProtobufCMessageDescriptor *type, const char *indent)
{
    const struct flag *f;
    for (size_t i = 0; (f = flag_at(type, i)) != NULL; i++) {
        CLEANUP(buf_done) struct buf left;
        buf_init(&left, SIZE_MAX / 2);
        if (*indent) {
            buf_addf(&left, "%s%s%s%s", indent, f->name, f->arg ? "=" : "", f->arg ? f->arg : "");
        } else {
            help_flag_usage(f, &left);
        }
        row(out, buf_cstr(&left), f->doc);
        out->failed |= left.failed;
        const ProtobufCMessageDescriptor *parts = flag_parts(type, f);
        if (parts) {
            flag_rows(out, parts, "    ");
        }
    }
}

/* The options of one group that a command takes; `request` (may be NULL) has flags, which go before
 * options of the same name. */
static void option_rows(struct buf *out, const char *title, unsigned does, unsigned group,
                        const ProtobufCMessageDescriptor *request)
{
    bool any = false;
    for (size_t i = 0; i < option_table_len; i++) {
        const struct option *o = &option_table[i];
        bool in_group = group ? (o->only & group) != 0 : o->only == OPTION_ALWAYS;
        if (!in_group || !option_fits(o, does) || (request && flag_find(request, o->name))) {
            continue;
        }
        if (!any) {
            buf_addf(out, "\n%s:\n", title);
        }
        any = true;
        CLEANUP(buf_done) struct buf left;
        buf_init(&left, SIZE_MAX / 2);
        help_option_usage(o, &left);
        row(out, buf_cstr(&left), o->doc);
        out->failed |= left.failed;
    }
}

static void all_options(struct buf *out, unsigned does, const ProtobufCMessageDescriptor *request)
{
    option_rows(out, "Output", does, OPTION_PRINTS | OPTION_LISTS, request);
    option_rows(out, "Call", does, OPTION_CHANGES | OPTION_DELETES | OPTION_CALLS, request);
    option_rows(out, "Always", does, 0, request);
}

static void command_help(struct cli *c, const struct command *command)
{
    struct symbol method;
    const ProtobufCMessageDescriptor *request = NULL;
    struct buf *out = &c->out;
    if (command->method && symbol_method(&c->arena, command->method, &method)) {
        request = method.method->input;
    }
    buf_adds(out, "Usage: ");
    help_usage(command, out);
    buf_addf(out, "\n\n%s\n", command->doc);
    if (request && flag_at(request, 0)) {
        buf_adds(out, "\nFlags:\n");
        flag_rows(out, request, "");
    }
    all_options(out, command->does, request);
    if (command->example) {
        buf_addf(out, "\nExample:\n  isobar %s\n", command->example);
    }
}

void help_for(struct cli *c, const char *noun, const struct command *command)
{
    if (command) {
        command_help(c, command);
        return;
    }
    help_short(noun, &c->out);
    if (!noun) {
        all_options(&c->out, ~0U, NULL);
        buf_adds(&c->out, "\nisobar help exit-codes lists the exit codes.\n");
    }
}

int run_help(struct cli *c)
{
    const char *word = c->args.n_words ? c->args.words[0] : NULL;
    const char *verb = c->args.n_words > 1 ? c->args.words[1] : NULL;
    if (!word) {
        help_for(c, NULL, NULL);
        return EXIT_OK;
    }
    if (!verb && strcmp(word, "exit-codes") == 0) {
        help_exit_codes(&c->out);
        return EXIT_OK;
    }
    if (!verb && strcmp(word, "man") == 0) {
        man_page(c);
        return EXIT_OK;
    }
    bool is_noun = command_noun(word) != NULL;
    const struct command *command = is_noun ? (verb ? command_find(word, verb) : NULL)
                                    : verb  ? NULL
                                            : command_find(NULL, word);
    if (command || (is_noun && !verb)) {
        help_for(c, is_noun ? word : NULL, command);
        return EXIT_OK;
    }
    const char *near = is_noun ? command_near(word, verb) : command_near(NULL, word);
    return say_usage(c, "there is no command \"%s%s%s\"%s%s%s%s%s", word, verb ? " " : "",
                     verb ? verb : "", near ? "; did you mean " : "", near && is_noun ? word : "",
                     near && is_noun ? " " : "", near ? near : "", near ? "?" : "");
}

int run_version(struct cli *c)
{
    buf_addf(&c->out, "isobar %s\n", isobar_version());
    return EXIT_OK;
}
