/* Where the local socket is: the same rule for the gateway and its clients. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "isobar/where.h"

/* Some user that is not root. */
#define OTHER 4242

static void expect(const char *runtime_dir, const char *path)
{
    char out[WHERE_PATH_MAX];

    if (runtime_dir)
        setenv("XDG_RUNTIME_DIR", runtime_dir, 1);
    else
        unsetenv("XDG_RUNTIME_DIR");
    where_socket(out);
    assert_string_equal(out, path);
}

static void root_has_one_place(void **state)
{
    (void)state;
    if (geteuid() != 0) {
        print_message("this is not root\n");
        skip();
    }
    expect(NULL, "/run/isobar/isobar.sock");
    expect("/tmp", "/run/isobar/isobar.sock");
}

static void others_have_their_folder(void **state)
{
    bool root = geteuid() == 0;
    char own[64], deep[200] = "/tmp", *at = deep + 4;

    (void)state;
    if (root)
        assert_int_equal(seteuid(OTHER), 0);
    snprintf(own, sizeof(own), "/tmp/isobar-%lu/isobar.sock", (unsigned long)geteuid());
    expect("/tmp", "/tmp/isobar/isobar.sock");
    expect(NULL, own);
    expect("", own);
    expect("tmp", own);
    expect("/nowhere/at/all", own);
    expect("/dev/null", own);
    while (at < deep + sizeof(deep) - 3)
        at = stpcpy(at, "/.");
    expect(deep, own);
    if (root)
        assert_int_equal(seteuid(0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(root_has_one_place),
        cmocka_unit_test(others_have_their_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
