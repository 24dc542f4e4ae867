/* A program is run: what it writes is read, how it ends is told, and it never outlives the call. */
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "aws_process.h"
#include "isobar/clock.h"

struct fixture {
    struct arena arena;
    struct op op;
    struct buf output;
};

static void begin(struct fixture *f, int ms)
{
    memset(f, 0, sizeof(*f));
    arena_init(&f->arena, 1 << 20);
    f->op = (struct op){.arena = &f->arena,
                        .deadline_ns = clock_mono_ns() + ms * NS_PER_MS,
                        .token = "",
                        .traceparent = "",
                        .result = result_new(&f->arena)};
    buf_init(&f->output, AWS_PROCESS_OUTPUT_MAX);
}

static void end(struct fixture *f)
{
    buf_wipe(&f->output);
    arena_done(&f->arena);
}

static pb_ResultCode run(struct fixture *f, const char *script)
{
    char *copy = arena_strdup(&f->arena, script);
    char *argv[] = {(char[]){"sh"}, (char[]){"-c"}, copy, NULL};
    return aws_process_run(&f->op, "the process", argv, &f->output);
}

static void test_output(void **state)
{
    (void)state;
    static const struct {
        const char *script, *output;
    } rows[] = {
        {"echo hello; echo warning >&2", "hello\n"},
        {"cat; echo end", "end\n"},                                      /* nothing on stdin */
        {"exec >&- 2>&-; sleep 0.05", ""},                               /* closes before it ends */
        {"printf a; sleep 0.03; printf b; sleep 0.03; printf c", "abc"}, /* in pieces */
        {"echo x; sleep 3 & exit 0", "x\n"}, /* what it has left behind is not waited for */
        {"kill -0 -$$ && echo own group", "own group\n"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct fixture f;
        begin(&f, 30000);
        pb_ResultCode code = run(&f, rows[i].script);
        if (code != RESULT_CODE_OK)
            fail_msg("%s: %s", rows[i].script, f.op.result->detail);
        assert_string_equal(buf_cstr(&f.output), rows[i].output);
        end(&f);
    }
}

static void test_failures(void **state)
{
    (void)state;
    static const struct {
        const char *script, *words;
    } rows[] = {
        {"echo hush; exit 3", "the process has failed: it ended with exit code 3"},
        {"printf 'no\\n\\033[1mluck\\t!\\n' >&2; exit 1", "exit code 1 and said: no [1mluck !"},
        {"kill -9 $$", "it was ended by signal 9"},
        {"kill -USR1 $$; exit 0", "it was ended by signal 10"}, /* which we ignore */
        {"echo key wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY >&2; exit 1", "said: key ..."},
        {"head -c 100000 /dev/zero | tr '\\0' x", "writes more than 64 KiB"},
        {"head -c 300000 /dev/zero | tr '\\0' x >&2; exit 1", "exit code 1 and said: xxx"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct fixture f;
        begin(&f, 30000);
        assert_int_equal(run(&f, rows[i].script), RESULT_CODE_UNAUTHORIZED);
        if (strstr(f.op.result->detail, rows[i].words) == NULL)
            fail_msg("%s: %s", rows[i].script, f.op.result->detail);
        assert_null(strstr(f.op.result->detail, "hush"));
        end(&f);
    }
    struct fixture f;
    begin(&f, 30000);
    char *argv[] = {(char[]){"/nowhere/at-all"}, NULL};
    assert_int_equal(aws_process_run(&f.op, "the process", argv, &f.output),
                     RESULT_CODE_UNAUTHORIZED);
    assert_non_null(strstr(f.op.result->detail, "cannot be run: /nowhere/at-all: No such file"));
    end(&f);
}

/* Whether a process of this group lives: the dead may still be there, where nobody reaps them. */
static bool group_lives(int group)
{
    DIR *proc = opendir("/proc");
    bool lives = false;
    assert_non_null(proc);
    for (struct dirent *e = readdir(proc); e != NULL && !lives; e = readdir(proc)) {
        char path[300], stat[512] = "", state = '\0';
        int parent = 0, of = 0;
        snprintf(path, sizeof(path), "/proc/%s/stat", e->d_name);
        FILE *f = fopen(path, "r");
        const char *name_end =
            f == NULL || fgets(stat, sizeof(stat), f) == NULL ? NULL : strrchr(stat, ')');
        if (f != NULL)
            fclose(f);
        lives = name_end != NULL && sscanf(name_end, ") %c %d %d", &state, &parent, &of) == 3 &&
                of == group && state != 'Z' && state != 'X';
    }
    closedir(proc);
    return lives;
}

/* It may take a moment to be gone. */
static bool group_is_left(int group)
{
    assert_true(group > 1);
    for (int i = 0; i < 500 && group_lives(group); i++)
        usleep(10000);
    return group_lives(group);
}

static void *raise_soon(void *cancel)
{
    usleep(50000);
    cancel_raise(cancel);
    return NULL;
}

/* It says its group, starts another one, and hangs. */
#define HANGS "trap '' TERM; echo $$; sleep 600 & while :; do sleep 600; done"

static void test_deadline(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, 300);
    assert_int_equal(run(&f, HANGS), RESULT_CODE_DEADLINE_EXCEEDED);
    assert_non_null(strstr(f.op.result->detail, "did not end in the time that the call has"));
    assert_false(group_is_left(atoi(buf_cstr(&f.output))));
    end(&f);
}

static void test_cancellation(void **state)
{
    (void)state;
    struct fixture f;
    struct cancel cancel = {0};
    pthread_t thread;
    begin(&f, 600000);
    f.op.cancelled = &cancel;
    assert_int_equal(pthread_create(&thread, NULL, raise_soon, &cancel), 0);
    assert_int_equal(run(&f, HANGS), RESULT_CODE_CANCELLED);
    pthread_join(thread, NULL);
    /* It may have been killed before it had said anything. */
    if (f.output.len > 0)
        assert_false(group_is_left(atoi(buf_cstr(&f.output))));
    end(&f);
}

/* Descriptors that do not close themselves are not handed on. */
static void test_descriptors(void **state)
{
    (void)state;
    struct fixture f;
    int leak = open("/dev/null", O_RDONLY); /* NOLINT: without O_CLOEXEC on purpose */
    assert_true(leak > 2);
    begin(&f, 30000);
    char script[64];
    snprintf(script, sizeof(script), "test ! -e /proc/self/fd/%d", leak);
    assert_int_equal(run(&f, script), RESULT_CODE_OK);
    close(leak);
    end(&f);
}

static void *run_many(void *ret_bad)
{
    for (int i = 0; i < 10; i++) {
        struct fixture f;
        begin(&f, 60000);
        if (run(&f, "echo hello") != RESULT_CODE_OK || strcmp(buf_cstr(&f.output), "hello\n") != 0)
            *(int *)ret_bad = 1;
        end(&f);
    }
    return NULL;
}

static void test_threads(void **state)
{
    (void)state;
    pthread_t threads[8];
    int bad[ARRAY_LEN(threads)] = {0};
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run_many, &bad[i]), 0);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(bad[i], 0);
    }
}

static void test_tidy(void **state)
{
    (void)state;
    static const struct {
        const char *said, *shown;
    } rows[] = {
        {"", ""},
        {" \n\t ", ""},
        {"  a\r\n\r\n  b\x01\x7f c ", "a b c"},
        {"bad \xff byte", "bad ? byte"},
        {"gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f"},
        {"AKIAIOSFODNN7EXAMPLE=x", "..."},
        {"token='FwoGZXIvYXdzEBYaDHqa0AP' end", "token='...' end"},
        {"(0123456789abcdef0123456789abcdef)", "(...)"},
        {"InvalidClientTokenIdException", "InvalidClientTokenIdException"},
        {"arn:aws:iam::123456789012:role/dev", "arn:aws:iam::123456789012:role/dev"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char text[128];
        snprintf(text, sizeof(text), "%s", rows[i].said);
        aws_process_tidy(text, strlen(text));
        assert_string_equal(text, rows[i].shown);
    }
    char most[1001];
    memset(most, '\xc3', 1000);
    for (size_t i = 1; i < 1000; i += 2)
        most[i] = '\xbc';
    aws_process_tidy(most, 1000);
    assert_int_equal(strlen(most), 200);
    char nul[] = "a\0b";
    aws_process_tidy(nul, 3);
    assert_string_equal(nul, "a b");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_output),      cmocka_unit_test(test_failures),
        cmocka_unit_test(test_deadline),    cmocka_unit_test(test_cancellation),
        cmocka_unit_test(test_descriptors), cmocka_unit_test(test_threads),
        cmocka_unit_test(test_tidy),
    };
    signal(SIGUSR1, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
