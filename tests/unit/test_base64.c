#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
/* cmocka.h wants those before it. */
#include <cmocka.h>
#include <openssl/evp.h>

#include "isobar/base64.h"

static void vectors_of_rfc_4648(void **state UNUSED)
{
    static const char *const rows[][2] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf b CLEANUP(buf_done);
        buf_init(&b, 100);
        assert_true(base64_add(&b, rows[i][0], strlen(rows[i][0])));
        assert_string_equal(buf_cstr(&b), rows[i][1]);
        uint8_t back[32];
        size_t len;
        assert_true(base64_decode(rows[i][1], strlen(rows[i][1]), back, &len));
        assert_int_equal(len, strlen(rows[i][0]));
        assert_memory_equal(back, rows[i][0], len);
        /* Without the padding too. */
        assert_true(base64_decode(rows[i][1], strcspn(rows[i][1], "="), back, &len));
        assert_int_equal(len, strlen(rows[i][0]));
    }
}

static void agrees_with_openssl(void **state UNUSED)
{
    uint8_t bytes[300], back[BASE64_ROOM(400)];
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * 37 + i / 7);
    for (size_t len = 0; len < sizeof(bytes); len++) {
        struct buf b CLEANUP(buf_done);
        buf_init(&b, 1000);
        unsigned char theirs[500];
        int n = EVP_EncodeBlock(theirs, bytes, (int)len);
        assert_true(base64_add(&b, bytes, len));
        assert_int_equal(b.len, n);
        if (n > 0)
            assert_memory_equal(b.data, theirs, b.len);
        size_t got;
        assert_true(base64_decode(buf_cstr(&b), b.len, back, &got));
        assert_int_equal(got, len);
        assert_memory_equal(back, bytes, len);
    }
}

static void both_alphabets_and_nothing_else(void **state UNUSED)
{
    uint8_t out[32];
    size_t len;
    assert_true(base64_decode("-_-_", 4, out, &len));
    assert_memory_equal(out, "\xFB\xFF\xBF", 3);
    assert_true(base64_decode("+/+/", 4, out, &len));
    assert_memory_equal(out, "\xFB\xFF\xBF", 3);
    static const char *const bad[] = {"A",    "A===",  "AAAA=", "AA=A",       "=",    "====",
                                      "AA A", "AA\nA", "AAAAA", "\xC3\xBC==", "A*==", "AA="};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(base64_decode(bad[i], strlen(bad[i]), out, &len));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_of_rfc_4648),
        cmocka_unit_test(agrees_with_openssl),
        cmocka_unit_test(both_alphabets_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
