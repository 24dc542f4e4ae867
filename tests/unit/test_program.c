/* Programs that are run for what they write; small files with secrets. */
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
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "isobar/clock.h"
#include "kit/program.h"
#include "kit/secret.h"

struct fixture {
    struct arena arena;
    struct op op;
    struct buf out;
};

static void open_fixture(struct fixture *f, int ms)
{
    arena_init(&f->arena, 1 << 20);
    buf_init(&f->out, PROGRAM_OUTPUT_MAX);
    f->op = (struct op){.arena = &f->arena,
                        .deadline_ns = clock_mono_ns() + ms * NS_PER_MS,
                        .result = result_new(&f->arena)};
}

static void close_fixture(struct fixture *f)
{
    buf_wipe(&f->out);
    arena_done(&f->arena);
}

/* By a shell that is run like any other program. */
static pb_ResultCode run(struct fixture *f, const char *script)
{
    char sh[] = "sh", c[] = "-c", *line = strdup(script);
    char *argv[] = {sh, c, line, NULL};
    pb_ResultCode code = program_run(&f->op, "the program", argv, &f->out);
    free(line);
    return code;
}

static void what_it_writes_is_read(void **state)
{
    struct fixture f;

    (void)state;
    open_fixture(&f, 20000);
    assert_int_equal(run(&f, "echo hello; cat; echo noise >&2"), RESULT_CODE_OK);
    assert_string_equal(buf_cstr(&f.out), "hello\n");
    buf_reset(&f.out);
    assert_int_equal(run(&f, "head -c 60000 /dev/zero"), RESULT_CODE_OK);
    assert_int_equal(f.out.len, 60000);
    /* As from a shell: descriptors, signals. */
    buf_reset(&f.out);
    int fd = open("/dev/null", O_RDONLY);
    signal(SIGUSR1, SIG_IGN);
    assert_int_equal(run(&f, "ls /proc/self/fd | wc -l; kill -USR1 $$; echo alive"),
                     RESULT_CODE_UNAUTHORIZED);
    signal(SIGUSR1, SIG_DFL);
    close(fd);
    assert_true(atoi(buf_cstr(&f.out)) <= 4);
    assert_string_equal(f.op.result->detail, "the program has failed: it was ended by signal 10");
    close_fixture(&f);
}

static void its_failure_is_told_without_secrets(void **state)
{
    struct fixture f;
    char none[] = "no-such-program-anywhere", *argv[] = {none, NULL};

    (void)state;
    open_fixture(&f, 20000);
    assert_int_equal(run(&f,
                         "printf 'ERROR:  log in\\n\\tkey=abcDEF0123456789abcdefXYZ \\033[0m' >&2; "
                         "exit 3"),
                     RESULT_CODE_UNAUTHORIZED);
    assert_string_equal(f.op.result->detail,
                        "the program has failed: it ended with exit code 3 and "
                        "said: ERROR: log in ... [0m");
    assert_int_equal(program_run(&f.op, "the program", argv, &f.out), RESULT_CODE_UNAUTHORIZED);
    assert_string_equal(f.op.result->detail, "the program cannot be run: no-such-program-anywhere: "
                                             "No such file or directory");
    assert_int_equal(run(&f, "yes"), RESULT_CODE_UNAUTHORIZED);
    assert_string_equal(f.op.result->detail, "the program writes more than 64 KiB");
    assert_int_equal(run(&f, "head -c 300000 /dev/zero | tr '\\0' x >&2; exit 1"),
                     RESULT_CODE_UNAUTHORIZED);
    assert_true(strlen(f.op.result->detail) < 300);
    close_fixture(&f);
}

static void it_ends_with_the_deadline_and_so_do_its_children(void **state)
{
    struct fixture f;
    char script[200], path[] = "/tmp/isobar-test.XXXXXX";
    int fd = mkstemp(path), pid = 0;

    (void)state;
    open_fixture(&f, 300);
    snprintf(script, sizeof(script), "sleep 60 & echo $! > %s; wait", path);
    assert_int_equal(run(&f, script), RESULT_CODE_DEADLINE_EXCEEDED);
    char text[32] = "";
    assert_true(read(fd, text, sizeof(text) - 1) > 0);
    pid = atoi(text);
    assert_true(pid > 1);
    /* It is init's to bury. */
    for (int i = 0; i < 1000 && kill(pid, 0) == 0; i++) {
        char stat[64], line[256] = "";
        snprintf(stat, sizeof(stat), "/proc/%d/stat", pid);
        FILE *s = fopen(stat, "r");
        bool zombie = s && fgets(line, sizeof(line), s) && strstr(line, ") Z ");
        if (s)
            fclose(s);
        if (zombie || !s)
            break;
        usleep(10000);
        assert_true(i < 999);
    }
    close(fd);
    unlink(path);
    close_fixture(&f);
}

static void *raise_soon(void *cancel)
{
    usleep(100000);
    cancel_raise(cancel);
    return NULL;
}

static void it_ends_with_a_cancellation(void **state)
{
    struct fixture f;
    struct cancel cancel = {0};
    pthread_t thread;

    (void)state;
    open_fixture(&f, 60000);
    f.op.cancelled = &cancel;
    pthread_create(&thread, NULL, raise_soon, &cancel);
    assert_int_equal(run(&f, "sleep 50"), RESULT_CODE_CANCELLED);
    pthread_join(thread, NULL);
    close_fixture(&f);
}

static void a_daemon_that_it_leaves_is_not_waited_for(void **state)
{
    struct fixture f;

    (void)state;
    open_fixture(&f, 60000);
    /* It has the pipes open. */
    assert_int_equal(run(&f, "echo here; (sleep 1) &"), RESULT_CODE_OK);
    assert_string_equal(buf_cstr(&f.out), "here\n");
    close_fixture(&f);
}

static void none_of_our_descriptors_reaches_it(void **state)
{
    (void)state;
    struct fixture f;
    int leak = open("/dev/null", O_RDONLY); /* NOLINT: without O_CLOEXEC on purpose */
    assert_true(leak > 2);
    open_fixture(&f, 30000);
    char script[64];
    snprintf(script, sizeof(script), "test ! -e /proc/self/fd/%d", leak);
    assert_int_equal(run(&f, script), RESULT_CODE_OK);
    close(leak);
    close_fixture(&f);
}

static void *run_many(void *ret_bad)
{
    for (int i = 0; i < 10; i++) {
        struct fixture f;
        open_fixture(&f, 60000);
        if (run(&f, "echo hello") != RESULT_CODE_OK || strcmp(buf_cstr(&f.out), "hello\n") != 0)
            *(int *)ret_bad = 1;
        close_fixture(&f);
    }
    return NULL;
}

static void many_threads_run_programs(void **state)
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

static void tidy_texts(void **state)
{
    static const struct {
        const char *text, *tidy;
    } rows[] = {
        {"", ""},
        {"  a \n\n b\t", "a b"},
        {"abcdefghijklmnopqrstuvwxyz", "abcdefghijklmnopqrstuvwxyz"},
        {"Abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrs", "..."},
        {"AADSTS700016: 0f1e2d3c4b5a69788796a5b4", "AADSTS700016: ..."},
        {"caf\xe9", "caf?"},
        {"\x01\x02x\x7f", "x"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char *text = strdup(rows[i].text);
        program_tidy(text, strlen(text));
        assert_string_equal(text, rows[i].tidy);
        free(text);
    }
    char *longer = calloc(1, 1001);
    for (int i = 0; i < 1000; i++)
        longer[i] = i % 9 == 8 ? ' ' : 'x';
    program_tidy(longer, 1000);
    assert_true(strlen(longer) <= 200);
    free(longer);
}

/* ---- Files ---- */

static void write_file(const char *path, const char *text, size_t len)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, len, f), len);
    fclose(f);
}

static void tokens_in_files(void **state)
{
    struct fixture f;
    char path[] = "/tmp/isobar-test.XXXXXX", words[200];
    static const struct {
        const char *text, *token;
    } rows[] = {
        {"abc", "abc"},
        {" \n abc.d-e_f \r\n", "abc.d-e_f"},
        {"", NULL},
        {" \n", NULL},
        {"Basic b", "Basic b"},
        {"a\nb", NULL},
        {"a\xc3\xa9", NULL},
    };

    (void)state;
    close(mkstemp(path));
    open_fixture(&f, 1000);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        write_file(path, rows[i].text, strlen(rows[i].text));
        char *token = secret_file_token(&f.op, path, "the token");
        if (rows[i].token) {
            assert_string_equal(token, rows[i].token);
        } else {
            assert_null(token);
            snprintf(words, sizeof(words), "the token: there is no token in %s", path);
            assert_string_equal(f.op.result->detail, words);
            assert_int_equal(f.op.result->code, RESULT_CODE_UNAUTHORIZED);
        }
        secret_wipe(token);
        free(token);
    }
    write_file(path, "a\0b", 3);
    assert_null(secret_file_token(&f.op, path, "the token"));
    unlink(path);
    assert_null(secret_file_token(&f.op, path, "the token"));
    snprintf(words, sizeof(words), "the token: %s cannot be read: No such file or directory", path);
    assert_string_equal(f.op.result->detail, words);
    /* Neither is waited for. */
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_null(secret_file_token(&f.op, path, "the token"));
    unlink(path);
    assert_null(secret_file_token(&f.op, "/", "the token"));
    assert_string_equal(f.op.result->detail, "the token: / cannot be read: Is a directory");
    close_fixture(&f);
}

static void whole_files(void **state)
{
    struct fixture f;
    char path[] = "/tmp/isobar-test.XXXXXX", *big = calloc(1, SECRET_FILE_MAX + 1);
    struct buf in CLEANUP(buf_wipe);

    (void)state;
    close(mkstemp(path));
    open_fixture(&f, 1000);
    buf_init(&in, SECRET_FILE_MAX);
    write_file(path, big, SECRET_FILE_MAX);
    assert_int_equal(secret_file_read(&f.op, path, "it", &in), RESULT_CODE_OK);
    assert_int_equal(in.len, SECRET_FILE_MAX);
    write_file(path, big, SECRET_FILE_MAX + 1);
    buf_reset(&in);
    assert_int_equal(secret_file_read(&f.op, path, "it", &in), RESULT_CODE_UNAUTHORIZED);
    assert_non_null(strstr(f.op.result->detail, "File too large"));
    unlink(path);
    free(big);
    secret_wipe(NULL);
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_it_writes_is_read),
        cmocka_unit_test(its_failure_is_told_without_secrets),
        cmocka_unit_test(it_ends_with_the_deadline_and_so_do_its_children),
        cmocka_unit_test(it_ends_with_a_cancellation),
        cmocka_unit_test(a_daemon_that_it_leaves_is_not_waited_for),
        cmocka_unit_test(none_of_our_descriptors_reaches_it),
        cmocka_unit_test(many_threads_run_programs),
        cmocka_unit_test(tidy_texts),
        cmocka_unit_test(tokens_in_files),
        cmocka_unit_test(whole_files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
