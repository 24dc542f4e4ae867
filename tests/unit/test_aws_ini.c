/* The parser of ~/.aws/config: what is wrong is told with its line and without its text, pairs are
 * found, nothing stays behind. That it reads what Python's parser reads is for
 * tests/cloud/test_aws_config.py.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "aws_ini.h"
#include "aws_words.h"

struct fixture {
    struct arena arena;
    struct aws_ini ini;
    struct open_error error;
};

static bool parse(struct fixture *f, const char *text, size_t len)
{
    arena_init(&f->arena, 16 << 20);
    f->error.text[0] = '\0';
    char *copy = arena_alloc(&f->arena, len + 1);
    assert_non_null(copy);
    memcpy(copy, text, len);
    return aws_ini_parse(&f->arena, copy, len, "file", &f->ini, &f->error);
}

static const char *get(struct fixture *f, const char *section, const char *key)
{
    const struct aws_ini_section *s = aws_ini_find(&f->ini, section);
    const struct aws_ini_value *v = aws_ini_get(&f->ini, s, key);
    return v == NULL ? NULL : v->text;
}

static void test_whole(void **state)
{
    (void)state;
    struct fixture f;
    static const char text[] = "# first\r\n"
                               "[default]\r\n"
                               "Region = eu-west-1\r\n"
                               "s3 =\r\n"
                               "  a = 1\r\n"
                               "\r\n"
                               "  # between\r\n"
                               "  b=2 \r\n"
                               "text = one\r\n"
                               "  two\r\n"
                               "[profile x]\r\n"
                               "k: v";
    assert_true(parse(&f, text, strlen(text)));
    assert_string_equal(get(&f, "default", "region"), "eu-west-1");
    assert_string_equal(get(&f, "default", "s3"), "\na = 1\n\nb=2");
    assert_string_equal(get(&f, "default", "text"), "one\ntwo");
    assert_string_equal(get(&f, "profile x", "k"), "v");
    assert_null(get(&f, "profile x", "region"));
    assert_null(get(&f, "x", "k"));
    const struct aws_ini_section *s = aws_ini_find(&f.ini, "profile x");
    assert_int_equal(s->line, 11);
    assert_int_equal(s->first->line, 12);
    arena_done(&f.arena);
}

static void test_pairs(void **state)
{
    (void)state;
    struct fixture f;
    static const char text[] = "[services s]\nec2 =\n  endpoint_url = http://a=b\n\n  e =  \n"
                               "  twice = 1\n  twice = 2\nplain = endpoint_url = x\n";
    assert_true(parse(&f, text, strlen(text)));
    const struct aws_ini_section *s = aws_ini_find(&f.ini, "services s");
    const struct aws_ini_value *v = aws_ini_get(&f.ini, s, "ec2");
    assert_string_equal(aws_ini_pair(&f.arena, v, "endpoint_url"), "http://a=b");
    assert_string_equal(aws_ini_pair(&f.arena, v, "e"), "");
    assert_string_equal(aws_ini_pair(&f.arena, v, "twice"), "2");
    assert_null(aws_ini_pair(&f.arena, v, "endpoint"));
    assert_null(aws_ini_pair(&f.arena, aws_ini_get(&f.ini, s, "plain"), "endpoint_url"));
    assert_null(aws_ini_pair(&f.arena, NULL, "endpoint_url"));
    arena_done(&f.arena);
}

static void test_defaults(void **state)
{
    (void)state;
    struct fixture f;
    static const char text[] =
        "[a]\nk = own\n[DEFAULT]\nk = all\nj = all\n[b]\n[DEFAULT]\ni = all\n";
    assert_true(parse(&f, text, strlen(text)));
    assert_string_equal(get(&f, "a", "k"), "own");
    assert_string_equal(get(&f, "a", "j"), "all");
    assert_string_equal(get(&f, "b", "k"), "all");
    assert_string_equal(get(&f, "b", "i"), "all");
    assert_null(get(&f, "c", "k"));
    arena_done(&f.arena);
}

/* Each has "hush" in the line that is wrong, which must not be in the words. */
static void test_mistakes(void **state)
{
    (void)state;
    static const struct {
        const char *text, *words;
    } rows[] = {
        {"hush = 1\n", "file:1: there is no [section] yet"},
        {"\n\n[hush\nk = v\n", "file:3: there is no [section] yet"},
        {"[a]\nk = v\n[hush\n", "file:3: \"key = value\" is expected"},
        {"[a]\n\n# c\r\n hush\n", "file:4: \"key = value\" is expected"},
        {"[a]\rk = v\rhush\r", "file:3: \"key = value\""},
        {"[a]\n= hush\n", "file:2: there is no key before"},
        {"[a]\nk =\n  x = 1\n  hush\n", "file:4: below a key without a value"},
        {"[a]\nk = v\nK = hush\n", "file:3: this key is there already, in line 2"},
        {"[hush]\n[b]\n[hush]\n", "file:3: this section is there already, in line 1"},
        {"[DEFAULT]\nk = v\n[DEFAULT]\nk = hush\n", "file:4: this key is there already, in line 2"},
        {"[a]\nk = hush\xff\n", "file:2: there is something that is no text"},
        {"[a]\r\nk = v\r\n\xc3\x28hush\n", "file:3: there is something that is no text"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct fixture f;
        bool read = parse(&f, rows[i].text, strlen(rows[i].text));
        if (read || strstr(f.error.text, rows[i].words) != f.error.text)
            fail_msg("row %zu: %s", i, f.error.text);
        assert_null(strstr(f.error.text, "hush"));
        arena_done(&f.arena);
    }
    struct fixture f;
    assert_false(parse(&f, "[a]\nk = v\0w\n", 12));
    assert_non_null(strstr(f.error.text, "file:2: "));
    arena_done(&f.arena);
}

/* Too much of what is compared with each other is refused. */
static void test_many(void **state)
{
    (void)state;
    static char text[1 << 20];
    for (int sections = 0; sections < 2; sections++) {
        size_t len = (size_t)snprintf(text, sizeof(text), "[a]\n");
        for (int i = 0; i < 10001; i++)
            len += (size_t)snprintf(text + len, sizeof(text) - len, sections ? "[s%d]\n" : "k%d=\n",
                                    i);
        struct fixture f;
        assert_false(parse(&f, text, len));
        assert_non_null(strstr(f.error.text, sections ? "too many sections" : "too many keys"));
        arena_done(&f.arena);
    }
}

static void test_wiped(void **state)
{
    (void)state;
    struct fixture f;
    static const char text[] = "[a]\nsecret =\n  hush = hush\n  b = hush\n";
    assert_true(parse(&f, text, strlen(text)));
    char *kept = f.ini.text;
    aws_ini_wipe(&f.ini);
    for (size_t i = 0; i < strlen(text); i++)
        assert_int_equal(kept[i], 0);
    assert_null(f.ini.first);
    arena_done(&f.arena);
}

static void test_memory(void **state)
{
    (void)state;
    static const char text[] = "[a]\nk = v\n";
    for (size_t cap = 64; cap < 4096; cap += 8) {
        struct fixture f = {0};
        char copy[sizeof(text)];
        memcpy(copy, text, sizeof(text));
        arena_init(&f.arena, cap);
        if (!aws_ini_parse(&f.arena, copy, strlen(copy), "file", &f.ini, &f.error))
            assert_non_null(strstr(f.error.text, "out of memory"));
        arena_done(&f.arena);
    }
}

/* As Python's shlex.split() splits them. */
static void test_words(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        const char *words[5];
    } rows[] = {
        {"", {NULL}},
        {" \t\r\n ", {NULL}},
        {"a b", {"a", "b"}},
        {"  /opt/x  --p 'my dev' ", {"/opt/x", "--p", "my dev"}},
        {"a\"b c\"d", {"ab cd"}},
        {"'' \"\"", {"", ""}},
        {"a\\ b \\\"", {"a b", "\""}},
        {"\"a\\\"b\\\\c\\d\"", {"a\"b\\c\\d"}},
        {"'a\\'", {"a\\"}},
        {"'\"' \"'\"", {"\"", "'"}},
        {"# no $comment `here`", {"#", "no", "$comment", "`here`"}},
    };
    static const char *const broken[] = {"'", "\"", "a 'b", "a\\", "\"\\", "\"a\\\""};
    struct arena a;
    arena_init(&a, 1 << 20);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        size_t n = 99;
        char **words = aws_words_split(&a, rows[i].line, &n);
        assert_non_null(words);
        for (size_t k = 0; k < n; k++)
            assert_string_equal(words[k], rows[i].words[k]);
        assert_null(rows[i].words[n]);
        assert_null(words[n]);
    }
    for (size_t i = 0; i < ARRAY_LEN(broken); i++)
        assert_null(aws_words_split(&a, broken[i], NULL));
    arena_done(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),    cmocka_unit_test(test_pairs),
        cmocka_unit_test(test_defaults), cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_many),     cmocka_unit_test(test_wiped),
        cmocka_unit_test(test_memory),   cmocka_unit_test(test_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
