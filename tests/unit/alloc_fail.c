#include "alloc_fail.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>

/* The linker turns each call of malloc() into one of __wrap_malloc(), and __real_malloc() is the
 * one that was meant (ld's --wrap). */
void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_reallocarray(void *old, size_t n, size_t size);
char *__real_strdup(const char *s);
char *__real_strndup(const char *s, size_t n);
int __real_vasprintf(char **ret, const char *fmt, va_list args);
int __real_posix_memalign(void **ret, size_t align, size_t size);
void *__real_aligned_alloc(size_t align, size_t size);
int __real_pthread_create(pthread_t *ret, const pthread_attr_t *attr, void *(*run)(void *arg),
                          void *arg);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_reallocarray(void *old, size_t n, size_t size);
char *__wrap_strdup(const char *s);
char *__wrap_strndup(const char *s, size_t n);
int __wrap_asprintf(char **ret, const char *fmt, ...);
int __wrap_vasprintf(char **ret, const char *fmt, va_list args);
int __wrap_posix_memalign(void **ret, size_t align, size_t size);
void *__wrap_aligned_alloc(size_t align, size_t size);
int __wrap_pthread_create(pthread_t *ret, const pthread_attr_t *attr, void *(*run)(void *arg),
                          void *arg);

/* Counts from the arming on. Those from `first` to `last` fail; first is 0 where none does. */
static atomic_uint count, failed, first, last;
static _Thread_local bool spared, chosen;
static atomic_bool others_spared;

static void arm(unsigned from, unsigned to)
{
    atomic_store(&first, 0);
    atomic_store(&count, 0);
    atomic_store(&failed, 0);
    atomic_store(&last, to);
    atomic_store(&first, from);
}

void alloc_fail_at(unsigned n)
{
    arm(n, n);
}

void alloc_fail_from(unsigned n)
{
    arm(n, UINT_MAX);
}

unsigned alloc_fail_stop(void)
{
    atomic_store(&first, 0);
    return atomic_load(&failed);
}

unsigned alloc_fail_count(void)
{
    return atomic_load(&count);
}

void alloc_fail_spare(bool spare)
{
    spared = spare;
}

void alloc_fail_spare_others(void)
{
    chosen = true;
    atomic_store(&others_spared, true);
}

static bool fails(void)
{
    unsigned from = atomic_load(&first);
    if (from == 0 || spared || (atomic_load(&others_spared) && !chosen))
        return false;
    unsigned n = atomic_fetch_add(&count, 1) + 1;
    if (n < from || n > atomic_load(&last))
        return false;
    atomic_fetch_add(&failed, 1);
    errno = ENOMEM;
    return true;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return fails() ? NULL : __real_realloc(old, size);
}

void *__wrap_reallocarray(void *old, size_t n, size_t size)
{
    return fails() ? NULL : __real_reallocarray(old, n, size);
}

char *__wrap_strdup(const char *s)
{
    return fails() ? NULL : __real_strdup(s);
}

char *__wrap_strndup(const char *s, size_t n)
{
    return fails() ? NULL : __real_strndup(s, n);
}

/* What *ret is after a failure is not defined: here it is what nobody can take for memory. */
int __wrap_vasprintf(char **ret, const char *fmt, va_list args)
{
    if (!fails())
        return __real_vasprintf(ret, fmt, args);
    *ret = (char *)16;
    return -1;
}

int __wrap_asprintf(char **ret, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int len = __wrap_vasprintf(ret, fmt, args);
    va_end(args);
    return len;
}

int __wrap_posix_memalign(void **ret, size_t align, size_t size)
{
    return fails() ? ENOMEM : __real_posix_memalign(ret, align, size);
}

void *__wrap_aligned_alloc(size_t align, size_t size)
{
    return fails() ? NULL : __real_aligned_alloc(align, size);
}

int __wrap_pthread_create(pthread_t *ret, const pthread_attr_t *attr, void *(*run)(void *arg),
                          void *arg)
{
    return fails() ? EAGAIN : __real_pthread_create(ret, attr, run, arg);
}
