/* Text that is safe for a terminal, times, YAML: what needs no gateway. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "cli/doc.h"
#include "cli/text.h"

static void check_safe(const char *in, size_t len, const char *want)
{
    CLEANUP(buf_done) struct buf out;
    buf_init(&out, 4096);
    text_safe(&out, in, len);
    assert_string_equal(buf_cstr(&out), want);
}

static void terminals_get_nothing_to_act_on(void **state UNUSED)
{
    static const struct {
        const char *in, *want;
    } rows[] = {
        {"plain \xc3\xa9 \xe6\xbc\xa2 \xf0\x9f\x98\x80",
         "plain \xc3\xa9 \xe6\xbc\xa2 \xf0\x9f\x98\x80"},
        {"\033[2J", "\\x1b[2J"},
        {"a\nb\tc\rd\x7f", "a\\x0ab\\x09c\\x0dd\\x7f"},
        {"\xc2\x9b"
         "31m",
         "\\xc2\\x9b31m"},                            /* CSI as one character */
        {"\xe2\x80\xae", "\\xe2\\x80\\xae"},          /* writes from right to left */
        {"\xff\xc3", "\\xff\\xc3"},                   /* no UTF-8, and cut off */
        {"\xc0\x9b", "\\xc0\\x9b"},                   /* ESC, written too long */
        {"\xed\xa0\x80", "\\xed\\xa0\\x80"},          /* a surrogate */
        {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"}, /* above Unicode */
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        check_safe(rows[i].in, strlen(rows[i].in), rows[i].want);
    }
    check_safe("a\0b", 3, "a\\x00b");
}

static void sentences_stay_in_a_line(void **state UNUSED)
{
    CLEANUP(buf_done) struct buf out;
    buf_init(&out, 4096);
    text_safe_line(&out, "one\r\n\ttwo\033\n");
    assert_string_equal(buf_cstr(&out), "one two\\x1b");
}

static void json_is_escaped_further(void **state UNUSED)
{
    CLEANUP(buf_done) struct buf out;
    static const char json[] = "{\n \"a\": \"\xc2\x9b\x7f\xe2\x80\xae \xc3\xa9\"\n}";
    buf_init(&out, 4096);
    text_safe_json(&out, json, sizeof(json) - 1);
    assert_string_equal(buf_cstr(&out), "{\n \"a\": \"\\u009b\\u007f\\u202e \xc3\xa9\"\n}");
}

static void durations(void **state UNUSED)
{
    static const struct {
        const char *text;
        uint32_t ms; /* 0: it is none */
    } rows[] = {
        {"30s", 30000},
        {"5m", 300000},
        {"500ms", 500},
        {"1h30m", 5400000},
        {"90", 90000},
        {"1s500ms", 1500},
        {"720h", 2592000000},
        {"721h", 0},
        {"", 0},
        {"0", 0},
        {"0s", 0},
        {"s", 0},
        {"-1s", 0},
        {"1.5s", 0},
        {"1 s", 0},
        {"5x", 0},
        {"1m30", 90000},
        {"30 ", 0},
        {"99999999999s", 0},
        {"1d", 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint32_t ms = 0;
        assert_int_equal(text_duration_ms(rows[i].text, &ms), rows[i].ms != 0);
        assert_int_equal(ms, rows[i].ms);
    }
}

static void yaml_quotes_what_yaml_would_take_for_more(void **state UNUSED)
{
    static const struct {
        const char *in, *want;
    } rows[] = {
        {"web", "web"},
        {"two words", "two words"},
        {"a/b.c-d_e@f+g", "a/b.c-d_e@f+g"},
        {"", "\"\""},
        {"true", "\"true\""},
        {"No", "\"No\""},
        {"null", "\"null\""},
        {"12", "\"12\""},
        {"1.5", "\"1.5\""},
        {"0x1f", "\"0x1f\""},
        {"12:30:45", "\"12:30:45\""},
        {"2026-11-22", "\"2026-11-22\""},
        {"~", "\"~\""},
        {"-", "\"-\""},
        {"- a", "\"- a\""},
        {"a: b", "\"a: b\""},
        {"a #b", "\"a #b\""},
        {"a ", "\"a \""},
        {" a", "\" a\""},
        {"*a", "\"*a\""},
        {"{}", "\"{}\""},
        {"a\"b\\c", "\"a\\\"b\\\\c\""},
        {"a\nb\t", "\"a\\nb\\t\""},
        {"\033", "\"\\x1b\""},
        {"\xc2\x9b", "\"\\x9b\""},
        {"\xe2\x80\xa8", "\"\\u2028\""},
        {"\xc3\xa9", "\"\xc3\xa9\""},
        {"\xff", "\"\\ufffd\""},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_done) struct buf out;
        buf_init(&out, 4096);
        doc_yaml_string(&out, rows[i].in, strlen(rows[i].in));
        assert_string_equal(buf_cstr(&out), rows[i].want);
    }
}

static void yaml_has_the_shape_of_the_json(void **state UNUSED)
{
    static const struct {
        const char *json, *want;
    } rows[] = {
        {"[]", "[]\n"},
        {"{}", "{}\n"},
        {"7", "7\n"},
        {"\"x\"", "x\n"},
        {"[1,true,null]", "- 1\n- true\n- null\n"},
        {"[[1,2],[],[[3]]]", "- - 1\n  - 2\n- []\n- - - 3\n"},
        {"{\"a\":{\"b\":{\"c\":1}},\"d\":2}", "a:\n  b:\n    c: 1\nd: 2\n"},
        {"{\"a\":[],\"b\":{},\"c\":[{}]}", "a: []\nb: {}\nc:\n  - {}\n"},
        {"[{\"a\":1,\"b\":[2,{\"c\":3,\"d\":4}]},{\"a\":5}]",
         "- a: 1\n  b:\n    - 2\n    - c: 3\n      d: 4\n- a: 5\n"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_done) struct buf out;
        buf_init(&out, 4096);
        assert_true(doc_yaml(&out, rows[i].json, strlen(rows[i].json)));
        assert_string_equal(buf_cstr(&out), rows[i].want);
    }
}

static void json_is_indented(void **state UNUSED)
{
    CLEANUP(buf_done) struct buf out;
    static const char json[] = "[{\"a\":[1,{}],\"b\":\"\\u001b\"}]";
    buf_init(&out, 4096);
    assert_true(doc_json(&out, json, sizeof(json) - 1));
    assert_string_equal(buf_cstr(&out), "[\n  {\n    \"a\": [\n      1,\n      {}\n    ],\n"
                                        "    \"b\": \"\\u001B\"\n  }\n]\n");
    assert_false(doc_json(&out, "[1", 2));
    assert_false(doc_yaml(&out, "{", 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(terminals_get_nothing_to_act_on),
        cmocka_unit_test(sentences_stay_in_a_line),
        cmocka_unit_test(json_is_escaped_further),
        cmocka_unit_test(durations),
        cmocka_unit_test(yaml_quotes_what_yaml_would_take_for_more),
        cmocka_unit_test(yaml_has_the_shape_of_the_json),
        cmocka_unit_test(json_is_indented),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
