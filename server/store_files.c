#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store_private.h"

static bool sync_folder(const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool ok = fsync(fd) == 0;
    int saved = errno;
    close(fd);
    errno = saved;
    return ok;
}

static bool sync_parent(const char *path)
{
    char copy[PATH_MAX];
    if (snprintf(copy, sizeof(copy), "%s", path) >= (int)sizeof(copy)) {
        errno = ENAMETOOLONG;
        return false;
    }
    return sync_folder(dirname(copy));
}

static bool make_folder(const char *folder, char ret_why[STORE_WHY_MAX])
{
    if (mkdir(folder, 0700) == 0) {
        if (sync_parent(folder))
            return true;
        snprintf(ret_why, STORE_WHY_MAX, "%s: cannot write its parent folder to the disk: %s",
                 folder, strerror(errno));
        return false;
    }
    int error = errno;
    struct stat st;
    if (error == EEXIST && stat(folder, &st) == 0 && S_ISDIR(st.st_mode))
        return true;
    snprintf(ret_why, STORE_WHY_MAX, "%s: cannot make the folder for the state: %s", folder,
             error == EEXIST ? "there is something of that name that is none" : strerror(error));
    return false;
}

/* Who has the lock wrote its number into the file; it is gone between a start and that. */
static void say_locked(int fd, const char *folder, char ret_why[STORE_WHY_MAX])
{
    char text[24] = "";
    ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
    long pid = n > 0 ? strtol(text, NULL, 10) : 0;
    if (pid > 0)
        snprintf(ret_why, STORE_WHY_MAX,
                 "%s: process %ld uses this folder: stop it, or set another state_dir", folder,
                 pid);
    else
        snprintf(ret_why, STORE_WHY_MAX,
                 "%s: another process uses this folder: stop it, or set another state_dir", folder);
}

int store_files_lock(const char *folder, char ret_why[STORE_WHY_MAX])
{
    char path[PATH_MAX];
    if (!make_folder(folder, ret_why))
        return -1;
    snprintf(path, sizeof(path), "%s/lock", folder);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        snprintf(
            ret_why, STORE_WHY_MAX,
            "%.300s: cannot open it: %s: the folder must be writable by the user of the daemon",
            path, strerror(errno));
        return -1;
    }
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK)
            say_locked(fd, folder, ret_why);
        else
            snprintf(ret_why, STORE_WHY_MAX, "%.300s: cannot lock it: %s", path, strerror(errno));
        close(fd);
        return -1;
    }
    /* The number is a courtesy: the lock holds without it, on a full disk too. */
    if (ftruncate(fd, 0) == 0)
        (void)(dprintf(fd, "%ld\n", (long)getpid()) < 0);
    return fd;
}

bool store_files_make(const char *folder, const char *path, char ret_why[STORE_WHY_MAX])
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 && errno == EEXIST)
        return true;
    if (fd >= 0)
        close(fd);
    if (fd >= 0 && sync_folder(folder))
        return true;
    snprintf(ret_why, STORE_WHY_MAX, "%.300s: cannot make it: %s", path, strerror(errno));
    return false;
}
