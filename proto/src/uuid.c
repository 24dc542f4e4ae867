#include "isobar/uuid.h"

#include <ctype.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "isobar/clock.h"

/* The twelve bits behind the milliseconds count within one of them (RFC 9562, 6.2, method 1). The
 * count starts in its lower half, so that there is room to count. */
#define COUNT_MAX   0xFFFU
#define COUNT_START 0x7FFU

static const char dashed[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

/* What one UUID takes of chance. */
struct chance {
    uint64_t tail;
    uint16_t start;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int64_t last_ms;
static unsigned last_count;
/* Got from the kernel for several at once: a system call costs more than all the rest. */
static struct chance chances[16];
static size_t n_chances;

static void lock_for_fork(void)
{
    pthread_mutex_lock(&lock);
}

static void unlock_parent(void)
{
    pthread_mutex_unlock(&lock);
}

/* A child must not make the same ones as its parent. */
static void unlock_child(void)
{
    n_chances = 0;
    pthread_mutex_unlock(&lock);
}

static void watch_forks(void)
{
    pthread_atfork(lock_for_fork, unlock_parent, unlock_child);
}

static struct chance take_chance(void)
{
    if (n_chances == 0) {
        /* So few bytes come whole or, before the kernel has any, later: there is no other failure.
         */
        while (getrandom(chances, sizeof(chances), 0) != (ssize_t)sizeof(chances))
            ;
        n_chances = ARRAY_LEN(chances);
    }
    return chances[--n_chances];
}

/* A greater pair of milliseconds and count than ever before, whatever the clock does. */
static void tick(int64_t now_ms, unsigned start)
{
    if (now_ms > last_ms) {
        last_ms = now_ms;
        last_count = start;
    } else if (last_count < COUNT_MAX) {
        last_count++;
    } else {
        last_ms++;
        last_count = start;
    }
}

static void make(const uint32_t *number, char out[UUID_TEXT_LEN + 1])
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, watch_forks);
    int64_t now_ms = clock_wall_ns() / NS_PER_MS;
    pthread_mutex_lock(&lock);
    struct chance c = take_chance();
    tick(now_ms, c.start & COUNT_START);
    uint64_t half[2] = {
        (uint64_t)last_ms << 16 | 0x7000 | last_count,
        (c.tail & ~(UINT64_C(3) << 62)) | UINT64_C(2) << 62,
    };
    pthread_mutex_unlock(&lock);
    if (number)
        half[1] = (half[1] & ~(uint64_t)UINT32_MAX) | *number;
    unsigned digit = 0;
    for (size_t i = 0; i < UUID_TEXT_LEN; i++) {
        if (dashed[i] == '-') {
            out[i] = '-';
            continue;
        }
        out[i] = "0123456789abcdef"[half[digit / 16] >> (60 - 4 * (digit % 16)) & 15];
        digit++;
    }
    out[UUID_TEXT_LEN] = '\0';
}

void uuid7(char out[UUID_TEXT_LEN + 1])
{
    make(NULL, out);
}

void uuid7_numbered(uint32_t number, char out[UUID_TEXT_LEN + 1])
{
    make(&number, out);
}

bool uuid_has_number(const char *text, uint32_t number)
{
    char last[9];
    snprintf(last, sizeof(last), "%08x", number);
    return uuid_is(text) && strlen(text) == UUID_TEXT_LEN &&
           strcmp(text + UUID_TEXT_LEN - 8, last) == 0;
}

bool uuid_is(const char *text)
{
    static const char plain[] = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
    size_t len = strnlen(text, sizeof(dashed));
    const char *shape = len == sizeof(dashed) - 1 ? dashed : plain;
    if (len != strlen(shape))
        return false;
    for (size_t i = 0; i < len; i++) {
        if (shape[i] == 'x' ? !isxdigit((unsigned char)text[i]) : text[i] != shape[i])
            return false;
    }
    return true;
}
