/* The command line taken apart, and put into a request. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "cli/args.h"
#include "cli/context.h"
#include "cli/request.h"
#include "cli/value.h"

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

/* Parse words that are separated by blanks. */
static bool parse(const char *line, struct args *ret, char why[ARGS_WHY])
{
    char *argv[32] = {arena_strdup(&arena, "isobar")};
    int argc = 1;
    char *copy = arena_strdup(&arena, line), *rest = NULL;
    for (char *w = strtok_r(copy, " ", &rest); w; w = strtok_r(NULL, " ", &rest)) {
        argv[argc++] = w;
    }
    return args_parse(&arena, argc, argv, ret, why);
}

static void flags_may_stand_anywhere(void **state UNUSED)
{
    static const char *const lines[] = {
        "-o json --timeout 5s vm show lab/web --cloud lab",
        "vm -ojson show --timeout=5s --cloud=lab lab/web",
        "vm show --cloud lab -o json --timeout 5000ms -- lab/web",
    };
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        struct args args;
        char why[ARGS_WHY] = "";
        if (!parse(lines[i], &args, why)) {
            fail_msg("%s: %s", lines[i], why);
        }
        assert_string_equal(args.command->verb, "show");
        assert_string_equal(args.method.name, "isobar.v1.VmService/GetVm");
        assert_int_equal(args.options.format, FORMAT_JSON);
        assert_int_equal(args.options.timeout_ms, 5000);
        assert_int_equal(args.n_words, 1);
        assert_string_equal(args.words[0], "lab/web");
        assert_string_equal(args_value(&args, "cloud"), "lab");
        assert_true(args_has(&args, "output") && args_has(&args, "cloud"));
        assert_false(args_has(&args, "sort") || args_has(&args, "nonsense"));
    }
}

static void letters_may_be_joined(void **state UNUSED)
{
    struct args args;
    char why[ARGS_WHY];
    assert_true(parse("vm delete web -yvo wide", &args, why));
    assert_true(args.options.yes && args.options.verbose);
    assert_int_equal(args.options.format, FORMAT_WIDE);
    assert_true(parse("vm list --sort -name", &args, why));
    assert_string_equal(args.options.sort, "-name");
}

/* The same name is an option in one command and a field of the request in another. */
static void a_field_goes_before_an_option(void **state UNUSED)
{
    struct args args;
    char why[ARGS_WHY];
    assert_true(parse("operation list --request-id r", &args, why));
    assert_null(args.options.request_id);
    assert_string_equal(args_value(&args, "request-id"), "r");
    assert_true(parse("vm start web --request-id r", &args, why));
    assert_string_equal(args.options.request_id, "r");
}

static void what_is_asked_for_is_known_without_a_command(void **state UNUSED)
{
    struct args args;
    char why[ARGS_WHY];
    assert_true(parse("", &args, why));
    assert_null(args.command);
    assert_true(parse("vm --help", &args, why));
    assert_string_equal(args.noun->name, "vm");
    assert_true(args.options.help && !args.command);
    assert_true(parse("vm show --help", &args, why));
    assert_true(args.options.help && args.command);
}

/* The request of a line, as far as its words go. */
static ProtobufCMessage *request(const char *line)
{
    struct args args;
    char why[ARGS_WHY];
    assert_true(parse(line, &args, why));
    ProtobufCMessage *m =
        request_new(&arena, args.method.method->input, args.flags, args.n_flags, why);
    assert_non_null(m);
    if (args.n_words) {
        assert_true(request_set_word(&arena, m, args.command->field, args.words[0]));
    }
    return m;
}

static void a_choice_is_set_only_when_it_is_given(void **state UNUSED)
{
    static const struct {
        const char *line;
        bool is_set, value;
    } rows[] = {
        {"vm create", false, false},
        {"vm create --volume-created", true, true},
        {"vm create --volume-created=no", true, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const pb_CreateVmRequest *r = (const pb_CreateVmRequest *)(void *)request(rows[i].line);
        bool is_set =
            r->spec && r->spec->volume_created_choice_case == pb_VmSpec_HAS_VOLUME_CREATED;
        assert_int_equal(is_set, rows[i].is_set);
        assert_true(!is_set || r->spec->volume_created == rows[i].value);
    }
}

static void a_word_of_two_parts_sets_two_fields(void **state UNUSED)
{
    const pb_SetAdapterStatusRequest *r =
        (const pb_SetAdapterStatusRequest *)(void *)request("adapter status toy/a/b --weight 0");
    assert_string_equal(r->name, "toy");
    assert_string_equal(r->id, "a/b");
    assert_int_equal(r->status, ADAPTER_STATUS_UNSPECIFIED);
    assert_int_equal(r->weight_choice_case,
                     ISOBAR__V1__SET_ADAPTER_STATUS_REQUEST__WEIGHT_CHOICE_WEIGHT);
    assert_int_equal(r->weight, 0);
    r = (const pb_SetAdapterStatusRequest *)(void *)request("adapter status toy/a --status up");
    assert_int_equal(r->status, ADAPTER_STATUS_UP);
    assert_int_equal(r->weight_choice_case, 0);
    static const char *const wrong[] = {"toy", "toy/", "/a", "/"};
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        ProtobufCMessage *m = arena_message(&arena, &pb_DrainAdapterRequest_desc);
        assert_false(request_set_word(&arena, m, "name/id", wrong[i]));
    }
}

static void numbers_keep_their_limits(void **state UNUSED)
{
    static const struct {
        const char *line;
        bool good;
    } rows[] = {
        {"vm create --count 2147483647", true},
        {"vm create --count 2147483648", false},
        {"vm create --count -1", true}, /* the gateway's affair */
        {"vm create --count +1", false},
        {"vm create --count 1e3", false},
        {"flavor list --min-memory 18446744073709551615", true},
        {"flavor list --min-memory 18446744073709551616", false},
        {"flavor list --min-vcpus 4294967295", true},
        {"flavor list --min-vcpus 4294967296", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct args args;
        char why[ARGS_WHY];
        assert_true(parse(rows[i].line, &args, why));
        bool good =
            request_new(&arena, args.method.method->input, args.flags, args.n_flags, why) != NULL;
        assert_int_equal(good, rows[i].good);
    }
    const pb_ListFlavorsRequest *r = (const pb_ListFlavorsRequest *)(void *)request(
        "flavor list --min-memory 18446744073709551615");
    assert_true(r->min_memory_mib == UINT64_MAX);
}

static void values_are_found_by_their_path(void **state UNUSED)
{
    const ProtobufCMessage *m =
        request("vm create --name web --tag a=1 --tag b=2 --volume size=1 --volume size=2,keep");
    static const struct {
        const char *path, *want;
    } rows[] = {
        {"spec.name", "web"},
        {"SPEC.Name", "web"},
        {"spec.tags", "a=1,b=2"},
        {"spec.tags.b", "2"},
        {"spec.tags.c", ""},
        {"spec.volumes.size_gib", "1,2"},
        {"spec.volumes.keep", "false,true"},
        {"spec.volumes", "size_gib=1 keep=false,size_gib=2 keep=true"},
        {"wait", ""},
        {"strict", "false"},
        {"spec.volume_created", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct value_path path;
        struct value v;
        assert_true(value_path(m->descriptor, rows[i].path, &path));
        value_get(&arena, m, &path, &v);
        assert_string_equal(v.text, rows[i].want);
    }
    static const char *const none[] = {"",  "spec.",      "spec.nam",  "spec.name.x",
                                       ".", "spec..name", "spec.tags."};
    for (size_t i = 0; i < ARRAY_LEN(none); i++) {
        struct value_path path;
        assert_false(value_path(m->descriptor, none[i], &path));
    }
}

static void the_current_context_is_put_in_place(void **state UNUSED)
{
    static const struct {
        const char *before, *after;
    } rows[] = {
        {"current: a # x\ncontexts: {a: {}, b: {}}\n",
         "current: b # x\ncontexts: {a: {}, b: {}}\n"},
        {"# \xc3\xa4\ncurrent: 'a'\ncontexts: {a: {}, b: {}}",
         "# \xc3\xa4\ncurrent: b\ncontexts: {a: {}, b: {}}"},
        {"contexts: {b: {}}\n", "current: b\ncontexts: {b: {}}\n"},
        {"{contexts: {a: {}, b: {}}, current: a}", "{contexts: {a: {}, b: {}}, current: b}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct context_file file;
        char why[CONTEXT_WHY];
        CLEANUP(buf_done) struct buf out;
        buf_init(&out, 4096);
        assert_true(
            context_file_parse(&arena, "f", rows[i].before, strlen(rows[i].before), &file, why));
        context_with_current(&file, rows[i].before, strlen(rows[i].before), "b", &out);
        assert_string_equal(buf_cstr(&out), rows[i].after);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flags_may_stand_anywhere),
        cmocka_unit_test(letters_may_be_joined),
        cmocka_unit_test(a_field_goes_before_an_option),
        cmocka_unit_test(what_is_asked_for_is_known_without_a_command),
        cmocka_unit_test(a_choice_is_set_only_when_it_is_given),
        cmocka_unit_test(a_word_of_two_parts_sets_two_fields),
        cmocka_unit_test(numbers_keep_their_limits),
        cmocka_unit_test(values_are_found_by_their_path),
        cmocka_unit_test(the_current_context_is_put_in_place),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
