#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
/* cmocka.h wants those before it. */
#include <cmocka.h>

#include "isobar/json.h"

#define WHY 160

/* Writes down the events: one letter for what has no text. */
static bool note(void *ctx, const struct json_event *ev)
{
    static const char letters[] = {
        [JSON_NULL] = 'n',         [JSON_FALSE] = 'f',      [JSON_TRUE] = 't',
        [JSON_NUMBER] = '#',       [JSON_STRING] = '\'',    [JSON_KEY] = '.',
        [JSON_OBJECT_BEGIN] = '{', [JSON_OBJECT_END] = '}', [JSON_ARRAY_BEGIN] = '[',
        [JSON_ARRAY_END] = ']',
    };
    struct buf *b = ctx;
    return buf_addc(b, letters[ev->kind]) && buf_add(b, ev->text, ev->len) && buf_addc(b, ' ');
}

static void assert_events(const char *text, const char *events)
{
    struct buf b CLEANUP(buf_done);
    buf_init(&b, 1 << 20);
    char why[WHY];
    if (!json_parse(text, strlen(text), note, &b, why))
        fail_msg("%s: %s", text, why);
    assert_string_equal(buf_cstr(&b), events);
}

static void events_come_in_order(void **state UNUSED)
{
    assert_events("{}", "{ } ");
    assert_events(" [ ] ", "[ ] ");
    assert_events("null", "n ");
    assert_events("12", "#12 ");
    assert_events("\"x\"", "'x ");
    assert_events("{\"a\":[1,-2.50,true,false,null,\"x\"],\"b\":{\"c\":1e400}}",
                  "{ .a [ #1 #-2.50 t f n 'x ] .b { .c #1e400 } } ");
    /* Numbers stay as they were written, however long. */
    assert_events("123456789012345678901234567890.00", "#123456789012345678901234567890.00 ");
    assert_events("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "'\"\\/\b\f\n\r\t ");
    assert_events("\"\\u00fc\\u20ac\\uD83D\\uDE00 \xC3\xBC\"",
                  "'\xC3\xBC\xE2\x82\xAC\xF0\x9F\x98\x80 \xC3\xBC ");
    assert_events("\"\\\\ud800\"", "'\\ud800 ");
}

static const char *const bad[] = {
    "",
    " ",
    "{",
    "[1",
    "{\"a\"}",
    "{\"a\":}",
    "{a:1}",
    "{'a':1}",
    "[1,]",
    "[,1]",
    "{\"a\":1,}",
    "[1 2]",
    "1 2",
    "{} {}",
    "{}x",
    "[1]]",
    "nul",
    "True",
    "NaN",
    "-Infinity",
    "01",
    "1.",
    ".5",
    "+1",
    "0x1",
    "1e",
    "-",
    "\"a",
    "\"a\nb\"",
    "\"\\x\"",
    "\"\\u12\"",
    "/* c */ 1",
    "// c\n1",
    "\xEF\xBB\xBF{}",
    /* Not UTF-8: alone, overlong, a surrogate, past the end. */
    "\"\xFF\"",
    "\"\xC0\x80\"",
    "\"\xED\xA0\x80\"",
    "\"\xF5\x80\x80\x80\"",
    "{\"\xFF\":1}",
    /* Half a surrogate pair. */
    "\"\\ud83d\"",
    "\"\\ud83dx\"",
    "\"\\ud83d\\n\"",
    "\"\\ud83d\\ud83d\"",
    "\"\\ude00\"",
    "\"\\ude00\\ud83d\"",
    "{\"\\udfff\":1}",
    "\"\\uD83D\\u0041\"",
    "\"\\\\\\ud83d\"",
};

static void what_is_no_json_is_refused(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct buf b CLEANUP(buf_done);
        buf_init(&b, 1 << 20);
        char why[WHY];
        memset(why, 'x', sizeof(why));
        if (json_parse(bad[i], strlen(bad[i]), note, &b, why))
            fail_msg("accepted: %s", bad[i]);
        assert_in_range(strnlen(why, WHY), 1, WHY - 1);
        assert_null(strchr(why, '\n'));
    }
    struct buf b CLEANUP(buf_done);
    buf_init(&b, 1 << 20);
    char why[WHY];
    assert_false(json_parse(NULL, 0, note, &b, why));
    assert_false(json_parse("[1,\0002]", 6, note, &b, why));
    assert_false(json_parse("[1, x]", 6, note, &b, why));
    assert_non_null(strstr(why, "at byte 5"));
}

static bool parse_nested(char open, size_t depth, char close, char why[WHY])
{
    struct buf b CLEANUP(buf_done), out CLEANUP(buf_done);
    buf_init(&b, 1 << 20);
    buf_init(&out, 1 << 20);
    for (size_t i = 0; i < depth; i++)
        buf_adds(&b, open == '[' ? "[" : "{\"a\":");
    buf_adds(&b, "1");
    for (size_t i = 0; close && i < depth; i++)
        buf_addc(&b, close);
    bool good = json_parse(b.data, b.len, note, &out, why);
    /* Nothing past the cap is seen by the handler. */
    assert_true(out.len <= 64 * 12);
    return good;
}

static void depth_is_capped(void **state UNUSED)
{
    char why[WHY];
    assert_true(parse_nested('[', JSON_DEPTH_MAX, ']', why));
    assert_true(parse_nested('{', JSON_DEPTH_MAX, '}', why));
    assert_false(parse_nested('[', JSON_DEPTH_MAX + 1, ']', why));
    assert_non_null(strstr(why, "too deep"));
    assert_false(parse_nested('{', JSON_DEPTH_MAX + 1, '}', why));
    assert_false(parse_nested('[', 100000, ']', why));
    assert_false(parse_nested('[', 100000, 0, why));
    assert_false(parse_nested('{', 100000, '}', why));
    assert_non_null(strstr(why, "too deep"));
}

static bool stop_at_number(void *ctx, const struct json_event *ev)
{
    if (ev->kind != JSON_NUMBER)
        return true;
    if (ctx)
        strcpy(ctx, "numbers are not wanted");
    return false;
}

static void handler_stops_the_parser(void **state UNUSED)
{
    char why[WHY];
    assert_false(json_parse("[true,1,x", 9, stop_at_number, why, why));
    assert_string_equal(why, "numbers are not wanted");
    assert_false(json_parse("[true,1,x", 9, stop_at_number, NULL, why));
    assert_non_null(strstr(why, "refused"));
}

static void assert_written(bool pretty, void (*write)(struct json_writer *w), const char *text)
{
    struct buf b CLEANUP(buf_done);
    buf_init(&b, 1 << 20);
    struct json_writer *w CLEANUP(json_writer_freep) = json_writer_new(&b, pretty);
    write(w);
    assert_false(b.failed);
    assert_string_equal(buf_cstr(&b), text);
}

static void write_some(struct json_writer *w)
{
    json_begin_object(w, NULL);
    json_put_string(w, "s", "a\"b\\c/\n\x01\x7F\xC3\xBC");
    json_put_stringn(w, "z", "a\0b", 3);
    json_put_int(w, "min", INT64_MIN);
    json_put_number(w, "n", "1e3");
    json_put_bool(w, "t", true);
    json_put_bool(w, "f", false);
    json_put_null(w, "0");
    json_begin_array(w, "a");
    json_put_int(w, NULL, 1);
    json_begin_object(w, NULL);
    json_end_object(w);
    json_begin_array(w, NULL);
    json_end_array(w);
    json_end_array(w);
    json_begin_object(w, "");
    json_put_int(w, "x", 2);
    json_end_object(w);
    json_begin_object(w, "e");
    json_end_object(w);
    json_end_object(w);
}

static void writes(void **state UNUSED)
{
    assert_written(false, write_some,
                   "{\"s\":\"a\\\"b\\\\c/\\n\\u0001\x7F\xC3\xBC\",\"z\":\"a\\u0000b\","
                   "\"min\":-9223372036854775808,\"n\":1e3,\"t\":true,\"f\":false,\"0\":null,"
                   "\"a\":[1,{},[]],\"\":{\"x\":2},\"e\":{}}");
    assert_written(true, write_some,
                   "{\n  \"s\": \"a\\\"b\\\\c/\\n\\u0001\x7F\xC3\xBC\",\n"
                   "  \"z\": \"a\\u0000b\",\n"
                   "  \"min\": -9223372036854775808,\n  \"n\": 1e3,\n  \"t\": true,\n"
                   "  \"f\": false,\n  \"0\": null,\n"
                   "  \"a\": [\n    1,\n    {},\n    []\n  ],\n"
                   "  \"\": {\n    \"x\": 2\n  },\n  \"e\": {}\n}\n");
}

static void write_empty(struct json_writer *w)
{
    json_begin_object(w, NULL);
    json_end_object(w);
}

static void write_malformed(struct json_writer *w)
{
    json_begin_object(w, NULL);
    json_put_string(w, "\xFF", "a\xFF\xC3\xBC\xC3");
    json_end_object(w);
}

static void writes_utf8_whatever_comes(void **state UNUSED)
{
    assert_written(false, write_empty, "{}");
    assert_written(true, write_empty, "{}\n");
    assert_written(false, write_malformed, "{\"?\":\"a?\xC3\xBC?\"}");
}

static void failures_stick(void **state UNUSED)
{
    struct buf b CLEANUP(buf_done);
    buf_init(&b, 10);
    struct json_writer *w CLEANUP(json_writer_freep) = json_writer_new(&b, false);
    json_begin_array(w, NULL);
    json_put_string(w, NULL, "longer than ten");
    assert_true(b.failed);
    json_end_array(w);
    assert_true(b.failed);

    struct buf deep CLEANUP(buf_done);
    buf_init(&deep, 1 << 20);
    struct json_writer *d CLEANUP(json_writer_freep) = json_writer_new(&deep, false);
    for (int i = 0; i < 1000; i++)
        json_begin_array(d, NULL);
    assert_true(deep.failed);

    /* A writer that could not be had is borne. */
    write_some(NULL);
    json_writer_free(NULL);
}

/* What is written reads back as the same events. */
static void every_byte_survives_a_round_trip(void **state UNUSED)
{
    char text[128];
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = (char)i;
    struct buf b CLEANUP(buf_done), back CLEANUP(buf_done);
    buf_init(&b, 1 << 20);
    buf_init(&back, 1 << 20);
    struct json_writer *w CLEANUP(json_writer_freep) = json_writer_new(&b, false);
    json_put_stringn(w, NULL, text, sizeof(text));
    char why[WHY];
    assert_true(json_parse(b.data, b.len, note, &back, why));
    assert_int_equal(back.len, sizeof(text) + 2);
    assert_memory_equal(back.data + 1, text, sizeof(text));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_come_in_order),
        cmocka_unit_test(what_is_no_json_is_refused),
        cmocka_unit_test(depth_is_capped),
        cmocka_unit_test(handler_stops_the_parser),
        cmocka_unit_test(writes),
        cmocka_unit_test(writes_utf8_whatever_comes),
        cmocka_unit_test(failures_stick),
        cmocka_unit_test(every_byte_survives_a_round_trip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
