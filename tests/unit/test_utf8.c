#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
/* cmocka.h wants those before it. */
#include <cmocka.h>

#include "isobar/utf8.h"

/* How UTF-8 writes a number, whether or not that is a character. */
static size_t encode(uint32_t c, char out[4])
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = n - 1; i > 0; i--, c >>= 6)
        out[i] = (char)(0x80 | (c & 0x3F));
    out[0] = (char)((0xF00U >> n & 0xFF) | c);
    return n;
}

static void every_character_is_good_and_no_other_number(void **state UNUSED)
{
    for (uint32_t c = 0; c < 0x1FFFFF; c++) {
        char text[4];
        size_t n = encode(c, text);
        bool is_character = c <= 0x10FFFF && (c < 0xD800 || c > 0xDFFF);
        if (utf8_is(text, n) != is_character)
            fail_msg("U+%04X", c);
        if (is_character && n > 1)
            assert_int_equal(utf8_good(text, n - 1), 0);
    }
}

static void malformed_text(void **state UNUSED)
{
    static const char *const bad[] = {
        "\x80",
        "\xBF",
        "\xC0\x80",
        "\xC1\xBF",
        "\xE0\x9F\xBF",
        "\xF0\x8F\xBF\xBF",
        "\xF5\x80\x80\x80",
        "\xFF",
        "\xC3(",
        "\xE2\x82(",
        "\xF0\x9F\x98(",
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(utf8_good(bad[i], strlen(bad[i])), 0);
    /* The good part is found wherever it ends: in and between the eights. */
    char text[40];
    for (size_t at = 0; at < sizeof(text); at++) {
        memset(text, 'a', sizeof(text));
        text[at] = '\xFF';
        assert_int_equal(utf8_good(text, sizeof(text)), at);
    }
    assert_true(utf8_is("", 0));
    assert_true(utf8_is("a\0b", 3));
}

static void mending(void **state UNUSED)
{
    char text[] = "gr\xFC\xDF \xC3\xBC \xE2\x82";
    assert_ptr_equal(utf8_mend(text), text);
    assert_string_equal(text, "gr?? \xC3\xBC ??");
    char fine[] = "fine";
    assert_string_equal(utf8_mend(fine), "fine");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_character_is_good_and_no_other_number),
        cmocka_unit_test(malformed_text),
        cmocka_unit_test(mending),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
