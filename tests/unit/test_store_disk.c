/* What is SQLite's alone: the folder and its files, and what is said of those that are no good. */
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "store_rig.h"

static char path_text[128];

static const char *path_of(const struct rig *r, const char *name)
{
    snprintf(path_text, sizeof(path_text), "%s/%s", r->folder, name);
    return path_text;
}

/* The store does not open, and the sentence has these words, and the folder. */
static void refused(const char *folder, const char *words)
{
    char why[512] = "";
    struct store *s = store_open(folder, why);
    if (s)
        store_close(s);
    assert_null(s);
    if (!strstr(why, words) || !strstr(why, folder))
        fail_msg("\"%s\" lacks \"%s\"", why, words);
}

/* Close the store, and open it again at the end of the test: rig_end() closes it. */
static void closed(struct rig *r)
{
    store_close(r->s);
    r->s = NULL;
}

static void sql(const struct rig *r, const char *text)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(path_of(r, "store.db"), &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void overwrite(const struct rig *r, off_t at, size_t len)
{
    char junk[4096];
    memset(junk, 0x5a, sizeof(junk));
    int fd = open(path_of(r, "store.db"), O_WRONLY);
    assert_true(fd >= 0);
    for (; len > 0; len -= sizeof(junk), at += (off_t)sizeof(junk))
        assert_int_equal(pwrite(fd, junk, sizeof(junk), at), sizeof(junk));
    close(fd);
}

static void test_modes(void **state)
{
    struct rig *r = *state;
    struct stat st;
    char folder[96];
    static const char *const names[] = {"store.db", "store.db-wal", "store.db-shm", "lock"};
    mode_t mask = umask(0);
    closed(r);
    snprintf(folder, sizeof(folder), "%s/new", r->folder);
    struct store *s = rig_open(folder);
    umask(mask);
    commit(s, put("a", "1"));
    assert_int_equal(stat(folder, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        char name[32];
        snprintf(name, sizeof(name), "new/%s", names[i]);
        assert_int_equal(stat(path_of(r, name), &st), 0);
        assert_int_equal(st.st_mode & 07777, 0600);
    }
    store_close(s);
    snprintf(folder, sizeof(folder), "%s/none/new", r->folder);
    refused(folder, "No such file");
    refused(path_of(r, "store.db"), "there is something of that name");
}

static void test_locked(void **state)
{
    struct rig *r = *state;
    char words[48];
    int to_parent[2], to_child[2];
    /* By this process. */
    snprintf(words, sizeof(words), "process %d uses this folder", (int)getpid());
    refused(r->folder, words);
    closed(r);
    /* By another one. */
    assert_int_equal(pipe(to_parent), 0);
    assert_int_equal(pipe(to_child), 0);
    pid_t pid = fork();
    if (pid == 0) {
        char why[512], c;
        struct store *s = store_open(r->folder, why);
        bool ok = s && write(to_parent[1], "x", 1) == 1 && read(to_child[0], &c, 1) == 1;
        _exit(ok ? 0 : 1);
    }
    char c;
    assert_int_equal(read(to_parent[0], &c, 1), 1);
    snprintf(words, sizeof(words), "process %d uses this folder: stop it", (int)pid);
    refused(r->folder, words);
    assert_int_equal(write(to_child[1], "x", 1), 1);
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    r->s = rig_open(r->folder); /* the lock went with the process */
    for (int i = 0; i < 2; i++) {
        close(to_parent[i]);
        close(to_child[i]);
    }
}

static void test_schema(void **state)
{
    struct rig *r = *state;
    commit(r->s, put("a", "1"));
    closed(r);
    sql(r, "PRAGMA user_version = 99");
    refused(r->folder, "newer isobard (schema 99");
    sql(r, "PRAGMA user_version = 1");
    r->s = rig_open(r->folder);
    assert_string_equal(text_of(r, "a"), "1");
    closed(r);
    sql(r, "PRAGMA application_id = 7");
    refused(r->folder, "another program");
    sql(r, "PRAGMA application_id = 0; PRAGMA user_version = 0");
    refused(r->folder, "another program");
}

static void test_damaged(void **state)
{
    struct rig *r = *state;
    char value[2000] = "";
    struct stat st;
    for (int i = 0; i < 200; i++) {
        char key[16];
        snprintf(key, sizeof(key), "k/%03d", i);
        commit(r->s, (struct store_change){.key = key, .data = value, .len = sizeof(value)});
    }
    closed(r);
    assert_int_equal(stat(path_of(r, "store.db"), &st), 0);
    overwrite(r, st.st_size / 8192 * 4096, 8192);
    refused(r->folder, "it is damaged");
    overwrite(r, 4096, 4096);
    refused(r->folder, "put back a copy");
    overwrite(r, 0, 4096);
    refused(r->folder, "put back a copy");
    /* Nothing of it was touched: it stays what it was. */
    struct stat after;
    assert_int_equal(stat(path_of(r, "store.db"), &after), 0);
    assert_int_equal(after.st_size, st.st_size);
    assert_int_equal(truncate(path_of(r, "store.db"), 0), 0);
    r->s = rig_open(r->folder); /* an empty file is a new one */
    assert_string_equal(keys_of(r, (struct store_range){0}), "");
}

/* As a user who may not. */
static void refused_without_rights(const struct rig *r, const char *words)
{
    pid_t pid = fork();
    if (pid == 0) {
        char why[512] = "";
        if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
            _exit(77);
        struct store *s = store_open(r->folder, why);
        if (s || !strstr(why, words))
            fprintf(stderr, "\"%s\" lacks \"%s\"\n", why, words);
        _exit(!s && strstr(why, words) ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_rights(void **state)
{
    struct rig *r = *state;
    closed(r);
    assert_int_equal(chmod(r->folder, 0500), 0);
    if (geteuid() != 0)
        assert_int_equal(chmod(path_of(r, "lock"), 0400), 0);
    refused_without_rights(r, "writable by the user");
    /* The folder is writable, the file is not. */
    assert_int_equal(chmod(r->folder, 0777), 0);
    assert_int_equal(unlink(path_of(r, "lock")), 0);
    assert_int_equal(chmod(path_of(r, "store.db"), 0444), 0);
    refused_without_rights(r, "must be writable by the user");
    assert_int_equal(chmod(path_of(r, "store.db"), 0), 0);
    refused_without_rights(r, "cannot open it");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_begin, rig_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_modes),   TEST(test_locked), TEST(test_schema),
        TEST(test_damaged), TEST(test_rights),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
