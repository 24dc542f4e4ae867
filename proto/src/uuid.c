#include "isobar/uuid.h"

#include <ctype.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "isobar/clock.h"

/* The twelve bits behind the milliseconds count within one of them (RFC 9562, 6.2, method 1). The
 * count starts in its lower half, so that there is room to count. */
#define COUNT_MAX   0xFFFU
#define COUNT_START 0x7FFU

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int64_t last_ms;
static unsigned last_count;

/* A greater pair than ever before, whatever the clock does. */
static void next_tick(unsigned start, int64_t *ret_ms, unsigned *ret_count)
{
    int64_t now = clock_wall_ns() / NS_PER_MS;
    pthread_mutex_lock(&lock);
    if (now > last_ms) {
        last_ms = now;
        last_count = start;
    } else if (last_count < COUNT_MAX) {
        last_count++;
    } else {
        last_ms++;
        last_count = start;
    }
    *ret_ms = last_ms;
    *ret_count = last_count;
    pthread_mutex_unlock(&lock);
}

void uuid7(char out[UUID_TEXT_LEN + 1])
{
    struct {
        uint64_t tail;
        uint16_t start;
    } random;
    /* So few bytes come whole or, before the kernel has any, later: there is no other failure. */
    while (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
        ;
    int64_t ms;
    unsigned count;
    next_tick(random.start & COUNT_START, &ms, &count);
    uint64_t high = (uint64_t)ms << 16 | 0x7000 | count;
    uint64_t low = (random.tail & ~(UINT64_C(3) << 62)) | UINT64_C(2) << 62;
    snprintf(out, UUID_TEXT_LEN + 1, "%08x-%04x-%04x-%04x-%012llx", (unsigned)(high >> 32),
             (unsigned)(high >> 16 & 0xFFFF), (unsigned)(high & 0xFFFF), (unsigned)(low >> 48),
             (unsigned long long)(low & UINT64_C(0xFFFFFFFFFFFF)));
}

bool uuid_is(const char *text)
{
    static const char dashed[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
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
