/* The process that ends at any instruction, and the disk that is full. */
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "store_rig.h"

/* ---- kill -9 ---- */

enum { KILLS = 30, AT_ONCE = 16 };

/* A transaction of the child's: three keys that are there all or not at all. */
struct one {
    struct store_txn txn;
    struct store_change changes[3];
    char keys[3][24];
    int number;
};

static struct store *child_store;
static atomic_int next_number;
static int report_fd;

static void one_submit(struct one *o)
{
    o->number = atomic_fetch_add(&next_number, 1);
    for (int i = 0; i < 3; i++) {
        snprintf(o->keys[i], sizeof(o->keys[i]), "%c/%d", "abc"[i], o -> number);
        o->changes[i] = put(o->keys[i], o->keys[i]);
    }
    store_submit(child_store, &o->txn);
}

static void one_done(struct store_txn *t)
{
    struct one *o = CONTAINER_OF(t, struct one, txn);
    if (t->outcome != STORE_DONE ||
        write(report_fd, &o->number, sizeof(o->number)) != sizeof(o->number))
        _exit(3);
    one_submit(o);
}

static _Noreturn void child_run(const char *folder, int fd, int first)
{
    static struct one all[AT_ONCE];
    char why[512];
    report_fd = fd;
    atomic_store(&next_number, first);
    child_store = store_open(folder, why);
    if (!child_store)
        _exit(2);
    for (int i = 0; i < AT_ONCE; i++) {
        all[i].txn =
            (struct store_txn){.changes = all[i].changes, .n_changes = 3, .done = one_done};
        one_submit(&all[i]);
    }
    for (;;)
        pause();
}

/* Run a child until some time after its first report; its reports go to `was_done`. */
static int run_and_kill(const char *folder, int first, unsigned after_us, bool *was_done, int max)
{
    int fds[2], number, n = 0, status;
    assert_int_equal(pipe(fds), 0);
    pid_t pid = fork();
    if (pid == 0) {
        close(fds[0]);
        child_run(folder, fds[1], first);
    }
    close(fds[1]);
    int64_t until = 0;
    while (read(fds[0], &number, sizeof(number)) == sizeof(number)) {
        assert_in_range(number, first, max - 1);
        was_done[number] = true;
        n++;
        int64_t now = clock_mono_ns();
        until = until ? until : now + after_us * NS_PER_US;
        if (now >= until || number > max - 2 * AT_ONCE)
            kill(pid, SIGKILL);
    }
    close(fds[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    return n;
}

/* All that was reported is there, and nothing by halves; returns how many there are. */
static int check_whole(struct rig *r, const bool *was_done, int max)
{
    int there = 0;
    for (int i = 0; i < max; i++) {
        char key[24];
        int n = 0;
        for (int k = 0; k < 3; k++) {
            snprintf(key, sizeof(key), "%c/%d", "abc"[k], i);
            const char *text = text_of(r, key);
            assert_true(!text || strcmp(text, key) == 0);
            n += text != NULL;
        }
        arena_reset(&r->arena);
        assert_true(n == 0 || n == 3);
        assert_true(n == 3 || !was_done[i]);
        there += n == 3;
    }
    return there;
}

static void test_kill(void **state)
{
    struct rig *r = *state;
    enum { EACH = 2000, MAX = KILLS * EACH };
    bool *was_done = calloc(MAX, sizeof(bool));
    unsigned seed = (unsigned)clock_mono_ns();
    int reported = 0, there = 0;
    assert_non_null(was_done);
    print_message("seed %u\n", seed);
    store_close(r->s);
    for (int i = 0; i < KILLS; i++)
        reported += run_and_kill(r->folder, i * EACH, (unsigned)rand_r(&seed) % 40000, was_done,
                                 (i + 1) * EACH);
    r->s = rig_open(r->folder);
    there = check_whole(r, was_done, MAX);
    assert_true(reported >= KILLS && there >= reported);
    /* What was done and not reported: what was on its way when the child ended. */
    assert_true(there <= reported + KILLS * AT_ONCE);
    assert_true(store_revision(r->s) >= there);
    free(was_done);
}

/* ---- a full disk ---- */

/* Put until it is full; that many are there, and nothing else. */
static int fill(struct rig *r)
{
    static char value[50000];
    int n = 0;
    enum store_outcome outcome = STORE_DONE;
    for (; n < 10000 && outcome == STORE_DONE; n += outcome == STORE_DONE) {
        char key[16];
        snprintf(key, sizeof(key), "k/%04d", n);
        outcome =
            commit_if(r->s, NULL, 0,
                      (struct store_change){.key = key, .data = value, .len = sizeof(value)}, NULL);
    }
    return outcome == STORE_FULL ? n : -1;
}

static int count(struct rig *r)
{
    struct store_item *items;
    size_t n = 0;
    arena_reset(&r->arena);
    struct store_range all = {.from = "k/", .keys_only = true};
    return store_list(r->s, &r->arena, &all, &items, &n) ? (int)n : -1;
}

static void test_file_too_large(void **state)
{
    struct rig *r = *state;
    struct rlimit limit, small;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    small = limit;
    small.rlim_cur = 1500000;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    int n = fill(r);
    bool stays = n == count(r) && fill(r) == 0 && count(r) == n;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    assert_true(n > 5);
    assert_true(stays);
    commit(r->s, put("k/more", "x"));
    assert_int_equal(count(r), n + 1);
    reopen(r);
    assert_int_equal(count(r), n + 1);
    assert_string_equal(text_of(r, "k/more"), "x");
}

/* In a child, on a disk of its own. Returns the line that it fails in, or 0; 77 where there can be
 * no such disk. */
static int fill_disk(struct rig *r, char *mounted)
{
    char why[512], ballast[128];
    if (unshare(CLONE_NEWNS) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0)
        return 77;
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("tmpfs", mounted, "tmpfs", 0, "size=4m") != 0)
        return 77;
    snprintf(ballast, sizeof(ballast), "%s/ballast", mounted);
    FILE *f = fopen(ballast, "w");
    for (int i = 0; f && i < 1024; i++)
        fprintf(f, "%1023d\n", i);
    if (!f || fclose(f) != 0 || !(r->s = store_open(mounted, why)))
        return 2;
    int n = fill(r);
    if (n < 5 || count(r) != n || fill(r) != 0 || count(r) != n)
        return 3;
    if (unlink(ballast) != 0 || commit_if(r->s, NULL, 0, put("k/more", "x"), NULL) != STORE_DONE)
        return 4;
    store_close(r->s);
    r->s = store_open(mounted, why);
    if (!r->s || count(r) != n + 1)
        return 5;
    store_close(r->s);
    return 0;
}

static void test_disk_full(void **state)
{
    struct rig *r = *state;
    int status;
    store_close(r->s);
    pid_t pid = fork();
    if (pid == 0)
        _exit(fill_disk(r, r->folder));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    r->s = rig_open(r->folder);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77) {
        print_message("skipped: no disk of one's own can be mounted here\n");
        skip();
    }
    assert_int_equal(WEXITSTATUS(status), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_begin, rig_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_kill),
        TEST(test_file_too_large),
        TEST(test_disk_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
