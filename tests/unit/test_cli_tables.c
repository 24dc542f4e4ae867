/* The command line's tables agree with the protocol and with each other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "cli/command.h"
#include "cli/exit.h"
#include "cli/flag.h"
#include "cli/option.h"
#include "cli/symbol.h"
#include "cli/view.h"
#include "isobar/result.h"

static struct arena arena;

static int set_up(void **state UNUSED)
{
    arena_init(&arena, SIZE_MAX / 2);
    return 0;
}

static int tear_down(void **state UNUSED)
{
    arena_done(&arena);
    return 0;
}

static struct symbol method_of(const struct command *c)
{
    struct symbol m = {0};
    if (!symbol_method(&arena, c->method, &m)) {
        fail_msg("there is no method %s", c->method);
    }
    return m;
}

/* The first or second field of "name/id"; of "id" the same twice. */
static const char *part_of(const char *fields, unsigned i)
{
    size_t len = strcspn(fields, "/");
    return i && fields[len] ? fields + len + 1 : arena_strndup(&arena, fields, len);
}

static void commands_are_whole(void **state UNUSED)
{
    for (size_t i = 0; i < command_table_len; i++) {
        const struct command *c = &command_table[i];
        assert_non_null(c->run);
        assert_ptr_equal(command_find(c->noun, c->verb), c);
        assert_true(!c->noun || command_noun(c->noun));
        assert_int_equal(c->words == WORDS_NONE, c->word == NULL);
        if (c->method) {
            assert_true(c->does & OPTION_CALLS);
            const ProtobufCMessageDescriptor *input = method_of(c).method->input;
            for (unsigned k = 0; k < 2 && c->field; k++) {
                const char *field = part_of(c->field, k);
                if (!protobuf_c_message_descriptor_get_field_by_name(input, field)) {
                    fail_msg("%s has no field %s", input->name, field);
                }
            }
        }
    }
}

/* Fields that need no flag: pages and what is newer are gathered, and these are what commands are
 * made of. */
static bool needs_no_flag(const struct command *c, const char *field)
{
    static const char *const gathered[] = {"page_size", "page_token", "after"};
    static const char *const of_words[] = {"ids", "id"};
    bool is_inner = c->field && (strcmp(part_of(c->field, 0), field) == 0 ||
                                 strcmp(part_of(c->field, 1), field) == 0);
    for (size_t i = 0; i < ARRAY_LEN(gathered); i++) {
        is_inner |= strcmp(gathered[i], field) == 0;
    }
    for (size_t i = 0; i < ARRAY_LEN(of_words) && c->words != WORDS_NONE; i++) {
        is_inner |= strcmp(of_words[i], field) == 0;
    }
    return is_inner;
}

static void check_fields(const struct command *c, const ProtobufCMessageDescriptor *request,
                         const ProtobufCMessageDescriptor *type, const char *prefix)
{
    for (unsigned i = 0; i < type->n_fields; i++) {
        const ProtobufCFieldDescriptor *f = &type->fields[i];
        char *path = arena_printf(&arena, "%s%s", prefix, f->name);
        const struct flag *flag = flag_of_path(request, path);
        bool is_exact = flag && (strcmp(flag->path, path) == 0 ||
                                 (flag->rest && strcmp(flag->rest, path) == 0));
        if (!is_exact && !needs_no_flag(c, path)) {
            fail_msg("%s.%s has no flag", request->name, path);
        }
        const ProtobufCMessageDescriptor *parts = flag ? flag_parts(request, flag) : NULL;
        if (is_exact && parts) {
            check_fields(c, parts, parts, "");
        } else if (f->type == PROTOBUF_C_TYPE_MESSAGE && f->label != PROTOBUF_C_LABEL_REPEATED) {
            check_fields(c, request, f->descriptor, arena_printf(&arena, "%s.", path));
        }
    }
}

static void every_field_of_a_request_has_a_flag(void **state UNUSED)
{
    size_t checked = 0;
    for (size_t i = 0; i < command_table_len; i++) {
        const struct command *c = &command_table[i];
        if (c->method) {
            const ProtobufCMessageDescriptor *type = method_of(c).method->input;
            check_fields(c, type, type, "");
            checked++;
        }
    }
    assert_true(checked > 30);
}

/* Methods that need no command: vm stop A B is the first; the others are for processes that serve,
 * each with a manifest that nobody types. `isobar call` reaches them all. */
static bool needs_no_command(const char *method)
{
    static const char *const names[] = {"BatchControlVms", "RegisterAdapter", "RenewAdapter"};
    bool found = false;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        found |= strcmp(names[i], method) == 0;
    }
    return found;
}

static void every_method_has_a_command(void **state UNUSED)
{
    size_t n;
    const struct symbol *all = symbol_all(&arena, &n);
    for (size_t i = 0; i < n; i++) {
        bool found = all[i].kind != SYMBOL_METHOD || needs_no_command(all[i].method->name);
        for (size_t k = 0; k < command_table_len && !found; k++) {
            found = command_table[k].method &&
                    strcmp(method_of(&command_table[k]).name, all[i].name) == 0;
        }
        if (!found) {
            fail_msg("%s has no command", all[i].name);
        }
    }
}

static size_t count_words(const char *s)
{
    size_t n = 0;
    for (; *s; s += strcspn(s, " "), s += strspn(s, " ")) {
        n++;
    }
    return n;
}

static void views_name_fields_that_exist(void **state UNUSED)
{
    size_t n_views = 0;
    for (size_t i = 0; i < command_table_len; i++) {
        const struct command *c = &command_table[i];
        if (!(c->does & OPTION_LISTS)) {
            continue;
        }
        const ProtobufCMessageDescriptor *out = method_of(c).method->output;
        const struct view *v = NULL;
        for (unsigned k = 0; k < out->n_fields && !v; k++) {
            const ProtobufCFieldDescriptor *f = &out->fields[k];
            v = f->type == PROTOBUF_C_TYPE_MESSAGE ? view_of(f->descriptor) : NULL;
        }
        if (!v) {
            fail_msg("what %s lists has no view", c->method);
        }
        struct column *columns;
        assert_int_equal(view_columns(&arena, v, false, &columns), count_words(v->columns));
        assert_int_equal(view_columns(&arena, v, true, &columns),
                         count_words(v->columns) + count_words(v->wide));
        n_views++;
    }
    assert_true(n_views > 10);
}

static void exit_codes_follow_from_results(void **state UNUSED)
{
    for (unsigned i = 0; i < pb_ResultCode_desc.n_values; i++) {
        pb_ResultCode code = (pb_ResultCode)pb_ResultCode_desc.values[i].value;
        assert_int_equal(exit_of_result(code) == EXIT_OK, result_is_success(code));
    }
    assert_int_equal(exit_of_result((pb_ResultCode)12345), EXIT_FAILED);
    for (size_t i = 1; i < exit_table_len; i++) {
        assert_true(exit_table[i].code > exit_table[i - 1].code);
    }
}

static void exit_codes_of_several_things(void **state UNUSED)
{
    static const struct {
        enum exit_code codes[3];
        enum exit_code want;
    } rows[] = {
        {{EXIT_OK, EXIT_OK, EXIT_OK}, EXIT_OK},
        {{EXIT_OK, EXIT_NOT_FOUND, EXIT_OK}, EXIT_PARTIAL},
        {{EXIT_NOT_FOUND, EXIT_NOT_FOUND, EXIT_NOT_FOUND}, EXIT_NOT_FOUND},
        {{EXIT_NOT_FOUND, EXIT_CONFLICT, EXIT_NOT_FOUND}, EXIT_FAILED},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct exit_count count = {0};
        for (size_t k = 0; k < 3; k++) {
            exit_count_add(&count, rows[i].codes[k]);
        }
        assert_int_equal(exit_count_end(&count), rows[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_are_whole),
        cmocka_unit_test(every_field_of_a_request_has_a_flag),
        cmocka_unit_test(every_method_has_a_command),
        cmocka_unit_test(views_name_fields_that_exist),
        cmocka_unit_test(exit_codes_follow_from_results),
        cmocka_unit_test(exit_codes_of_several_things),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
