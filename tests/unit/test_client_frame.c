/* Replies out of a stream of bytes, however it is cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "../../client/frame.h"

#define MAX 16

/* Two replies and an empty one, as they come over TCP. */
static const uint8_t tcp[] = {
    0, 0, 0, 0,    0, 0, 0, 7, 0x80, 1, 2, 3, 'a', 'b', 'c', 0,    0, 0, 0, 0,
    0, 0, 4, 0x80, 0, 0, 0, 0, 0,    0, 0, 0, 0,   0,   5,   0xff, 0, 0, 9, 'z',
};
static const uint8_t ipc[] = {
    1, 0, 0, 0,    0, 0, 0, 0, 7, 0x80, 1, 2, 3, 'a', 'b', 'c', 1,    0, 0, 0, 0,   0,
    0, 0, 4, 0x80, 0, 0, 0, 1, 0, 0,    0, 0, 0, 0,   0,   5,   0xff, 0, 0, 9, 'z',
};

static void expect(struct frame *f, int number)
{
    static const struct {
        uint32_t id;
        const char *data;
    } want[] = {{0x80010203, "abc"}, {0x80000000, ""}, {0xff000009, "z"}};
    assert_in_range(number, 0, 2);
    assert_int_equal(f->id, want[number].id);
    assert_int_equal(f->len, strlen(want[number].data));
    uint8_t *data = frame_take(f);
    assert_memory_equal(data, want[number].data, f->len);
    free(data);
    frame_done(f);
}

/* In pieces of `step` bytes. */
static void feed(const uint8_t *bytes, size_t len, bool with_byte, size_t step)
{
    struct frame f;
    int whole = 0;
    frame_init(&f, with_byte, MAX);
    for (size_t at = 0; at < len;) {
        size_t used, some = len - at < step ? len - at : step;
        enum frame_state state = frame_add(&f, bytes + at, some, &used);
        assert_in_range(used, 1, some);
        assert_true(state == FRAME_WHOLE || (state == FRAME_PART && used == some));
        if (state == FRAME_WHOLE)
            expect(&f, whole++);
        at += used;
    }
    assert_int_equal(whole, 3);
    frame_done(&f);
}

static void test_pieces(void **state)
{
    (void)state;
    for (size_t step = 1; step <= sizeof ipc; step++) {
        feed(tcp, sizeof tcp, false, step);
        feed(ipc, sizeof ipc, true, step);
    }
}

static void refuse(const uint8_t *bytes, size_t len, bool with_byte, enum frame_state want,
                   uint64_t want_len)
{
    struct frame f;
    size_t used;
    frame_init(&f, with_byte, MAX);
    assert_int_equal(frame_add(&f, bytes, len, &used), want);
    if (want == FRAME_TOO_BIG) {
        assert_int_equal(f.len, want_len);
        assert_int_equal(f.id, 0x80000001);
    }
    assert_null(f.data);
    frame_done(&f);
}

static void test_refused(void **state)
{
    (void)state;
    static const uint8_t http[] = "HTTP/1.1 400 Bad Request";
    refuse(http, sizeof http, false, FRAME_BAD, 0);
    refuse(http, sizeof http, true, FRAME_BAD, 0);
    static const uint8_t no_id[] = {0, 0, 0, 0, 0, 0, 0, 3, 0x80, 0, 0, 1};
    refuse(no_id, sizeof no_id, false, FRAME_BAD, 0);
    static const uint8_t hop[] = {0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 1, 0x80, 0, 0, 1};
    refuse(hop, sizeof hop, false, FRAME_BAD, 0);
    static const uint8_t most[] = {0, 0, 0, 0, 0, 0, 0, 4 + MAX + 1, 0x80, 0, 0, 1, 'x'};
    refuse(most, sizeof most, false, FRAME_TOO_BIG, MAX + 1);
    static const uint8_t all[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x80, 0, 0, 1};
    refuse(all, sizeof all, false, FRAME_TOO_BIG, UINT64_MAX - 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_pieces),
                                       cmocka_unit_test(test_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
