/* Semantic versions as semver.org 2.0.0 has them, and ranges of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "semver.h"

static struct semver version(const char *text)
{
    struct semver v;

    if (!semver_parse(text, &v))
        fail_msg("\"%s\" is refused", text);
    return v;
}

static void versions_are_read(void **state)
{
    (void)state;
    struct semver v = version("12.0.345-rc.1.x-y+build.007");
    assert_int_equal(v.numbers[0], 12);
    assert_int_equal(v.numbers[1], 0);
    assert_int_equal(v.numbers[2], 345);
    assert_string_equal(v.before, "rc.1.x-y");
    v = version("999999999.999999999.999999999");
    assert_int_equal(v.numbers[2], 999999999);
    assert_string_equal(v.before, "");
}

/* Of the list of semver.org's own regular expression: https://regex101.com/r/vkijKf/1/ */
static const char *const good[] = {
    "0.0.4",
    "1.2.3",
    "10.20.30",
    "1.1.2-prerelease+meta",
    "1.1.2+meta",
    "1.1.2+meta-valid",
    "1.0.0-alpha",
    "1.0.0-beta",
    "1.0.0-alpha.beta",
    "1.0.0-alpha.beta.1",
    "1.0.0-alpha.1",
    "1.0.0-alpha0.valid",
    "1.0.0-alpha.0valid",
    "1.0.0-alpha-a.b-c-something-long+build.1-aef.1-its-okay",
    "1.0.0-rc.1+build.1",
    "2.0.0-rc.1+build.123",
    "1.2.3-beta",
    "10.2.3-DEV-SNAPSHOT",
    "1.2.3-SNAPSHOT-123",
    "1.0.0",
    "2.0.0",
    "1.1.7",
    "2.0.0+build.1848",
    "2.0.1-alpha.1227",
    "1.0.0-alpha+beta",
    "1.2.3----RC-SNAPSHOT.12.9.1--.12+788",
    "1.2.3----R-S.12.9.1--.12+meta",
    "1.2.3----RC-SNAPSHOT.12.9.1--.12",
    "1.0.0+0.build.1-rc.10000aaa-kk-0.1",
    "1.0.0-0A.is.legal",
    "0.0.0",
    "1.2.3-0",
    "1.2.3-0.0",
    "1.2.3+00.01",
};

static const char *const bad[] = {
    "",
    "1",
    "1.2",
    "1.2.3-0123",
    "1.2.3-0123.0123",
    "1.1.2+.123",
    "+invalid",
    "-invalid",
    "-invalid+invalid",
    "alpha",
    "alpha.beta.1",
    "1.0.0-alpha_beta",
    "1.0.0-alpha..",
    "1.0.0-alpha..1",
    "1.0.0-alpha.",
    "1.0.0-.alpha",
    "01.1.1",
    "1.01.1",
    "1.1.01",
    "1.2.3.DEV",
    "1.2-SNAPSHOT",
    "1.2.31.2.3----RC-SNAPSHOT.12.09.1--..12+788",
    "1.2-RC-SNAPSHOT",
    "-1.0.3-gamma+b7718",
    "+justmeta",
    "9.8.7+meta+meta",
    "9.8.7-whatever+meta+meta",
    "1.2.3-",
    "1.2.3+",
    "1.2.3-+b",
    "1.2.3-a+",
    "1.2.",
    "1..3",
    ".1.2",
    "1.2.3.",
    "1.2.3.4",
    "v1.2.3",
    " 1.2.3",
    "1.2.3 ",
    "1.2.3\n",
    "1.2.x",
    "1,2,3",
    "-1.2.3",
    "0x1.2.3",
    "1.2.3-\xC3\xBC",
    "1.2.9999999999",
    "99999999999999999999999.999999999999999999.99999999999999999",
};

static void only_versions_are_taken(void **state)
{
    struct semver v;
    char text[2 * SEMVER_LEN_MAX];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        (void)version(good[i]);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (semver_parse(bad[i], &v))
            fail_msg("\"%s\" is taken", bad[i]);
    /* As long as it may be, and longer. */
    for (size_t len = 10; len < sizeof(text); len++) {
        memset(text, 'x', len);
        memcpy(text, "1.2.3-", 6);
        text[len] = '\0';
        assert_int_equal(semver_parse(text, &v), len < SEMVER_LEN_MAX);
        if (len < SEMVER_LEN_MAX)
            assert_string_equal(v.before, text + 6);
    }
}

/* Each is before the next: the examples of semver.org, section 11, and what they leave out. */
static const char *const ascending[] = {
    "0.0.0-0",
    "0.0.0",
    "0.0.1",
    "0.1.0",
    "1.0.0-0",
    "1.0.0-1",
    "1.0.0-2",
    "1.0.0-10",
    "1.0.0-10.0",
    "1.0.0-999999999999999999998", /* more than any type has room for */
    "1.0.0-999999999999999999999",
    "1.0.0-1000000000000000000000",
    "1.0.0--",
    "1.0.0-0a",
    "1.0.0-Z",
    "1.0.0-alpha",
    "1.0.0-alpha.1",
    "1.0.0-alpha.1.0",
    "1.0.0-alpha.beta",
    "1.0.0-alpha-",
    "1.0.0-alpha0",
    "1.0.0-beta",
    "1.0.0-beta.2",
    "1.0.0-beta.11",
    "1.0.0-rc.1",
    "1.0.0",
    "1.0.9",
    "1.0.10",
    "1.9.0",
    "1.10.0-a",
    "1.10.0",
    "2.0.0",
    "2.1.0",
    "2.1.1",
    "10.0.0",
    "999999999.0.0",
};

static int sign(int n)
{
    return (n > 0) - (n < 0);
}

static void precedence(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ascending); i++)
        for (size_t j = 0; j < ARRAY_LEN(ascending); j++) {
            struct semver a = version(ascending[i]), b = version(ascending[j]);
            if (sign(semver_compare(&a, &b)) != (i > j) - (i < j))
                fail_msg("%s and %s: %d", ascending[i], ascending[j], semver_compare(&a, &b));
        }
    /* Builds do not count. */
    struct semver a = version("1.0.0-rc.1+5"), b = version("1.0.0-rc.1+20.x");
    assert_int_equal(semver_compare(&a, &b), 0);
}

static const struct {
    const char *range, *in, *out; /* separated by blanks */
} ranges[] = {
    {"*", "0.0.0 1.2.3 9.9.9-rc.1", ""},
    {"1", "1.0.0 1.9.9", "0.9.9 2.0.0 10.0.0"},
    {"1.4", "1.4.0 1.4.99 1.4.2+b", "1.3.9 1.5.0 2.4.0 1.40.0"},
    {"=1.4", "1.4.0 1.4.7", "1.3.9 1.5.0"},
    {"1.4.2", "1.4.2 1.4.2+b", "1.4.1 1.4.3 1.4.2-rc.1"},
    {"=1.4.2-rc.1", "1.4.2-rc.1 1.4.2-rc.1+7", "1.4.2 1.4.2-rc.2 1.4.2-rc"},
    {"=1.4.2+b", "1.4.2 1.4.2+c", "1.4.1"},
    {"<2", "1.9.9 0.0.1 1.9.9-rc.1", "2.0.0 2.0.0-rc.1 2.1.0-rc.1 3.0.0"},
    {"<2.1", "2.0.9 1.9.9", "2.1.0 2.1.0-0 2.1.5-0 2.2.0"},
    {"<2.1.0", "2.0.9 2.0.9-rc.1", "2.1.0 2.1.0-rc.1 2.1.0-0"},
    {"<2.1.0-rc.2", "2.1.0-rc.1 2.1.0-alpha 2.0.9", "2.1.0-rc.2 2.1.0-rc.10 2.1.0"},
    {"<=2", "2.0.0 2.9.9 1.0.0", "3.0.0 3.0.0-rc.1"},
    {"<=2.1", "2.1.0 2.1.9 2.0.0", "2.2.0 2.2.0-rc.1"},
    {"<=2.1.0", "2.1.0 2.0.0 2.1.0+b", "2.1.1 2.1.1-rc.1"},
    {"<=2.1.0-rc.1", "2.1.0-rc.1 2.1.0-rc 2.0.0", "2.1.0 2.1.0-rc.2"},
    {">2", "3.0.0 10.0.0", "2.0.0 2.9.9 1.0.0"},
    {">2.1", "2.2.0 3.0.0", "2.1.0 2.1.9 2.0.0"},
    {">2.1.0", "2.1.1 2.2.0 3.0.0 2.1.1-rc.1", "2.1.0 2.1.0+b 2.1.0-rc.1"},
    {">2.1.0-rc.1", "2.1.0-rc.2 2.1.0 2.1.1", "2.1.0-rc.1 2.1.0-beta"},
    {">=2", "2.0.0 2.1.0 10.0.0", "1.9.9"},
    {">=2.1.0", "2.1.0 2.1.1", "2.0.9 2.1.0-rc.1"},
    {">=2.1.0-rc.1", "2.1.0-rc.1 2.1.0-rc.2 2.1.0", "2.1.0-beta 2.0.9"},
    {">=2 <3", "2.0.0 2.9.9 2.9.9-rc.1", "1.9.9 3.0.0 3.0.0-rc.1 3.1.0"},
    {">=1.2.0 <2 <1.9 >1.2.0", "1.2.1 1.8.9", "1.2.0 1.9.0 2.0.0"},
    {"  >=2   <3  ", "2.5.0", "3.0.0"},
    {"* <3", "2.5.0", "3.0.0"},
    {">3 <2", "", "1.0.0 2.5.0 4.0.0"},
};

/* Whether each of the words is in the range, or each is not. */
static void expect_all(const char *words, const char *range, bool in)
{
    for (size_t len; *words; words += len + (words[len] == ' ')) {
        char text[SEMVER_LEN_MAX] = "";
        len = strcspn(words, " ");
        memcpy(text, words, len);
        struct semver v = version(text);
        if (semver_in(&v, range) != in)
            fail_msg("%s is %s \"%s\"", text, in ? "not in" : "in", range);
    }
}

static void ranges_hold_what_they_say(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ranges); i++) {
        if (!semver_range_ok(ranges[i].range))
            fail_msg("\"%s\" is refused", ranges[i].range);
        expect_all(ranges[i].in, ranges[i].range, true);
        expect_all(ranges[i].out, ranges[i].range, false);
    }
}

/* What is no range holds nothing: nobody is let in by a slip. */
static void other_texts_are_no_ranges(void **state)
{
    static const char *const texts[] = {
        "",           " ",
        "x",          "1.x",
        "1.*",        "^1.2.3",
        "~1.2",       ">",
        ">= 2",       "=>2",
        "<>2",        "==2",
        "=<2",        ">==2",
        "!2",         "1 - 2",
        ">=2,<3",     ">=2 || 3",
        "1.2.3.4",    "01",
        ">=2 <",      "1.2-rc",
        "=*",         "* x",
        ">=2 *3",     ">=2\t<3",
        "v2",         "2.",
        ">=2 <3;",    "1.2.3-",
        ">=1.2.3-01", ">=1.2.3-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    };
    struct semver v = version("2.0.0");

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        if (semver_range_ok(texts[i]))
            fail_msg("\"%s\" is taken for a range", texts[i]);
        assert_false(semver_in(&v, texts[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(versions_are_read),
        cmocka_unit_test(only_versions_are_taken),
        cmocka_unit_test(precedence),
        cmocka_unit_test(ranges_hold_what_they_say),
        cmocka_unit_test(other_texts_are_no_ranges),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
