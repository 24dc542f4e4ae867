#include "isobar/clock.h"

#include <limits.h>
#include <stdio.h>
#include <time.h>

#define SEC_PER_DAY INT64_C(86400)

static int64_t now_ns(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return t.tv_sec * NS_PER_SEC + t.tv_nsec;
}

int64_t clock_mono_ns(void)
{
    return now_ns(CLOCK_MONOTONIC);
}

int64_t clock_wall_ns(void)
{
    return now_ns(CLOCK_REALTIME);
}

int clock_ms_left(int64_t deadline_ns)
{
    int64_t now = clock_mono_ns();
    if (deadline_ns <= now)
        return 0;
    int64_t left = deadline_ns - now;
    int64_t ms = left / NS_PER_MS + (left % NS_PER_MS != 0);
    return ms > INT_MAX ? INT_MAX : (int)ms;
}

/* Days since 1970 of a date in the Gregorian calendar, and back. Not timegm() and gmtime_r(): they
 * take the lock of the time zone. Years are counted from March, so that the day that may be missing
 * is the last; an era is the 400 years after which all repeats. */
static int64_t days_from_date(int year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t of_era = y - era * 400;
    int64_t of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static void date_from_days(int64_t days, int *ret_year, int *ret_month, int *ret_day)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t of_era = days - era * 146097;
    int64_t years = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * years + years / 4 - years / 100);
    int64_t month = (5 * of_year + 2) / 153;
    *ret_day = (int)(of_year - (153 * month + 2) / 5 + 1);
    *ret_month = (int)(month < 10 ? month + 3 : month - 9);
    *ret_year = (int)(years + era * 400 + (*ret_month <= 2));
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Exactly `digits` digits, and then the character `after` unless it is 0. */
static bool take_number(const char **s, int digits, char after, int *ret)
{
    int v = 0;
    for (int i = 0; i < digits; i++, (*s)++) {
        if (!is_digit(**s))
            return false;
        v = v * 10 + (**s - '0');
    }
    if (after && *(*s)++ != after)
        return false;
    *ret = v;
    return true;
}

static bool take_fraction(const char **s, int32_t *ret_nanos)
{
    *ret_nanos = 0;
    if (**s != '.' && **s != ',')
        return true;
    (*s)++;
    if (!is_digit(**s))
        return false;
    for (int32_t unit = (int32_t)(NS_PER_SEC / 10); is_digit(**s); (*s)++, unit /= 10)
        *ret_nanos += (**s - '0') * unit;
    return true;
}

/* "", "Z", "+09", "+09:00" or "+0900": seconds east of Greenwich. */
static bool take_offset(const char **s, int *ret_seconds)
{
    *ret_seconds = 0;
    if (**s == '\0')
        return true;
    char sign = *(*s)++;
    if (sign == 'Z' || sign == 'z')
        return true;
    int hours = 0, minutes = 0;
    if ((sign != '+' && sign != '-') || !take_number(s, 2, 0, &hours))
        return false;
    bool colon = **s == ':';
    *s += colon;
    if ((colon || **s != '\0') && !take_number(s, 2, 0, &minutes))
        return false;
    if (hours > 23 || minutes > 59)
        return false;
    *ret_seconds = (sign == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
    return true;
}

static bool date_is_real(int year, int month, int day)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (year < 1 || month < 1 || month > 12 || day < 1)
        return false;
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return day <= days[month - 1] + (month == 2 && leap);
}

bool clock_parse(const char *text, int64_t *ret_seconds, int32_t *ret_nanos)
{
    int year, month, day, hour, minute, second, offset;
    int32_t nanos;
    const char *s = text;
    if (!take_number(&s, 4, '-', &year) || !take_number(&s, 2, '-', &month) ||
        !take_number(&s, 2, 0, &day) || !date_is_real(year, month, day))
        return false;
    if (*s != 'T' && *s != 't' && *s != ' ')
        return false;
    s++;
    if (!take_number(&s, 2, ':', &hour) || !take_number(&s, 2, ':', &minute) ||
        !take_number(&s, 2, 0, &second) || hour > 23 || minute > 59 || second > 60)
        return false;
    if (!take_fraction(&s, &nanos) || !take_offset(&s, &offset) || *s != '\0')
        return false;
    int64_t seconds = days_from_date(year, month, day) * SEC_PER_DAY + hour * 3600 + minute * 60 +
                      second - offset;
    if (seconds < CLOCK_SECONDS_MIN || seconds > CLOCK_SECONDS_MAX)
        return false;
    *ret_seconds = seconds;
    *ret_nanos = nanos;
    return true;
}

void clock_format(int64_t seconds, int32_t nanos, char *out)
{
    nanos = nanos < 0 ? 0 : nanos >= NS_PER_SEC ? (int32_t)(NS_PER_SEC - 1) : nanos;
    if (seconds < CLOCK_SECONDS_MIN) {
        seconds = CLOCK_SECONDS_MIN;
        nanos = 0;
    } else if (seconds > CLOCK_SECONDS_MAX) {
        seconds = CLOCK_SECONDS_MAX;
        nanos = (int32_t)(NS_PER_SEC - 1);
    }
    int64_t days = seconds / SEC_PER_DAY - (seconds % SEC_PER_DAY < 0);
    int of_day = (int)(seconds - days * SEC_PER_DAY);
    int year, month, day;
    date_from_days(days, &year, &month, &day);
    int len = snprintf(out, CLOCK_TEXT_MAX, "%04d-%02d-%02dT%02d:%02d:%02d", year, month, day,
                       of_day / 3600, of_day / 60 % 60, of_day % 60);
    char fraction[16] = "";
    if (nanos > 0) {
        snprintf(fraction, sizeof(fraction), ".%09d", (int)nanos);
        size_t digits = nanos % 1000000 == 0 ? 3 : nanos % 1000 == 0 ? 6 : 9;
        fraction[1 + digits] = '\0';
    }
    snprintf(out + len, CLOCK_TEXT_MAX - (size_t)len, "%sZ", fraction);
}
