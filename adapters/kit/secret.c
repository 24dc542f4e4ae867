#include "kit/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void secret_wipe(const char *text)
{
    union {
        const char *read;
        char *write;
    } t = {.read = text};
    if (text != NULL)
        explicit_bzero(t.write, strlen(text));
}

/* 0, or errno. */
static int read_all(int fd, struct buf *ret)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return errno;
    if (!S_ISREG(st.st_mode))
        return S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
    for (;;) {
        char bytes[4096];
        ssize_t n = read(fd, bytes, sizeof(bytes));
        bool fits = n <= 0 || buf_add(ret, bytes, (size_t)n);
        int error = n < 0 ? errno : 0;
        explicit_bzero(bytes, sizeof(bytes));
        if (!fits)
            return EFBIG;
        if (n == 0 || (n < 0 && error != EINTR))
            return error;
    }
}

pb_ResultCode secret_file_read(struct op *op, const char *path, const char *what, struct buf *ret)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    int error = fd < 0 ? errno : read_all(fd, ret);
    if (fd >= 0)
        close(fd);
    if (error == 0)
        return RESULT_CODE_OK;
    return op_fail(op, RESULT_CODE_UNAUTHORIZED, "%s: %s cannot be read: %s", what, path,
                   strerror(error));
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

char *secret_file_token(struct op *op, const char *path, const char *what)
{
    struct buf file CLEANUP(buf_wipe);
    buf_init(&file, SECRET_FILE_MAX);
    if (secret_file_read(op, path, what, &file) != RESULT_CODE_OK)
        return NULL;
    size_t begin = 0, end = file.len;
    while (begin < end && is_space(file.data[begin]))
        begin++;
    while (end > begin && is_space(file.data[end - 1]))
        end--;
    size_t good = begin;
    while (good < end && file.data[good] >= ' ' && file.data[good] <= '~')
        good++;
    if (begin == end || good < end) {
        op_fail(op, RESULT_CODE_UNAUTHORIZED, "%s: there is no token in %s", what, path);
        return NULL;
    }
    char *token = calloc(1, end - begin + 1);
    if (token == NULL)
        op_fail(op, RESULT_CODE_INTERNAL_ERROR, "memory is short; try again later");
    else
        memcpy(token, file.data + begin, end - begin);
    return token;
}
