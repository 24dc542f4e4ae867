#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
/* cmocka.h wants those before it. */
#include <cmocka.h>

#include "isobar/clock.h"

static void times_are_read(void **state UNUSED)
{
    /* Seconds by date(1): date -u -d '2026-11-22 20:01:02' +%s */
    static const struct {
        const char *text;
        int64_t seconds;
        int32_t nanos;
    } rows[] = {
        {"2026-11-22T20:01:02Z", 1795377662, 0},
        {"2026-11-22t20:01:02z", 1795377662, 0},
        {"2026-11-22 20:01:02", 1795377662, 0},
        {"2026-11-22T20:01:02.000000", 1795377662, 0},
        {"2026-11-22T20:01:02.003Z", 1795377662, 3000000},
        {"2026-11-22T20:01:02,003Z", 1795377662, 3000000},
        {"2026-11-22T20:01:02.1234567Z", 1795377662, 123456700},
        {"2026-11-22T20:01:02.123456789999Z", 1795377662, 123456789},
        {"2026-11-23T05:01:02+09:00", 1795377662, 0},
        {"2026-11-23T05:01:02+0900", 1795377662, 0},
        {"2026-11-23T05:01:02+09", 1795377662, 0},
        {"2026-11-22T12:31:02.5-07:30", 1795377662, 500000000},
        {"1970-01-01T00:00:00Z", 0, 0},
        {"1969-12-31T23:59:59.25Z", -1, 250000000},
        {"2000-02-29T00:00:00Z", 951782400, 0},
        {"2016-12-31T23:59:60Z", 1483228800, 0},
        {"0001-01-01T00:00:00Z", CLOCK_SECONDS_MIN, 0},
        {"9999-12-31T23:59:59.999999999Z", CLOCK_SECONDS_MAX, 999999999},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int64_t seconds = 7;
        int32_t nanos = 7;
        if (!clock_parse(rows[i].text, &seconds, &nanos))
            fail_msg("not read: %s", rows[i].text);
        assert_int_equal(seconds, rows[i].seconds);
        assert_int_equal(nanos, rows[i].nanos);
    }
}

static void what_is_no_time_is_refused(void **state UNUSED)
{
    static const char *const rows[] = {
        "",
        "now",
        "2026",
        "2026-11-22",
        "2026-11-22T20:01Z",
        "2026-11-22T20:01:02.Z",
        "2026-11-22T20:01:02Zx",
        "2026-11-22T20:01:02 Z",
        "2026-11-22T20:01:02+",
        "2026-11-22T20:01:02+9",
        "2026-11-22T20:01:02+09:",
        "2026-11-22T20:01:02+24:00",
        "2026-11-22T20:01:02+09:60",
        "2026-11-22T24:00:00Z",
        "2026-11-22T20:60:00Z",
        "2026-11-22T20:01:61Z",
        "2026-00-22T20:01:02Z",
        "2026-13-22T20:01:02Z",
        "2026-11-31T20:01:02Z",
        "2026-02-29T20:01:02Z",
        "1900-02-29T20:01:02Z",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
        "9999-12-31T23:59:60Z",
        "-026-11-22T20:01:02Z",
        "12026-11-22T20:01:02Z",
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int64_t seconds = 7;
        int32_t nanos = 7;
        if (clock_parse(rows[i], &seconds, &nanos))
            fail_msg("read: %s", rows[i]);
        assert_int_equal(seconds, 7);
        assert_int_equal(nanos, 7);
    }
}

static void times_are_written(void **state UNUSED)
{
    static const struct {
        int64_t seconds;
        int32_t nanos;
        const char *text;
    } rows[] = {
        {0, 0, "1970-01-01T00:00:00Z"},
        {1795377662, 3000000, "2026-11-22T20:01:02.003Z"},
        {1795377662, 3001000, "2026-11-22T20:01:02.003001Z"},
        {1795377662, 1, "2026-11-22T20:01:02.000000001Z"},
        {-1, 250000000, "1969-12-31T23:59:59.250Z"},
        {INT64_MIN, INT32_MIN, "0001-01-01T00:00:00Z"},
        {INT64_MAX, INT32_MAX, "9999-12-31T23:59:59.999999999Z"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char text[CLOCK_TEXT_MAX];
        clock_format(rows[i].seconds, rows[i].nanos, text);
        assert_string_equal(text, rows[i].text);
    }
}

/* The C library judges: the first and the last second of every 5th day of 9,999 years. */
static void calendar_agrees_with_libc(void **state UNUSED)
{
    for (int64_t at = CLOCK_SECONDS_MIN; at <= CLOCK_SECONDS_MAX; at += INT64_C(5) * 86400 - 1) {
        time_t t = (time_t)at;
        struct tm tm;
        char theirs[CLOCK_TEXT_MAX], ours[CLOCK_TEXT_MAX];
        assert_non_null(gmtime_r(&t, &tm));
        /* strftime's %Y does not pad. */
        assert_true(snprintf(theirs, sizeof(theirs), "%04d", tm.tm_year + 1900) == 4);
        strftime(theirs + 4, sizeof(theirs) - 4, "-%m-%dT%H:%M:%SZ", &tm);
        clock_format(at, 0, ours);
        assert_string_equal(ours, theirs);
        int64_t seconds;
        int32_t nanos;
        assert_true(clock_parse(ours, &seconds, &nanos));
        assert_int_equal(seconds, at);
    }
}

static void deadlines(void **state UNUSED)
{
    int64_t now = clock_mono_ns();
    assert_true(clock_mono_ns() >= now);
    assert_int_equal(clock_ms_left(now), 0);
    assert_int_equal(clock_ms_left(0), 0);
    assert_int_equal(clock_ms_left(INT64_MIN), 0);
    assert_int_equal(clock_ms_left(INT64_MAX), INT_MAX);
    /* Rounded up: what is left is never nothing before the deadline. */
    int left = clock_ms_left(clock_mono_ns() + 3600 * NS_PER_SEC);
    assert_in_range(left, 3590000, 3600000);
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    int64_t wall = clock_wall_ns();
    assert_in_range(wall / NS_PER_SEC, t.tv_sec, t.tv_sec + 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_read),    cmocka_unit_test(what_is_no_time_is_refused),
        cmocka_unit_test(times_are_written), cmocka_unit_test(calendar_agrees_with_libc),
        cmocka_unit_test(deadlines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
