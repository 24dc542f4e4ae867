#include "kit/program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "isobar/clock.h"
#include "isobar/utf8.h"

extern char **environ;

enum {
    ERRORS_MAX = 4096, /* kept of its standard error; the rest is read and dropped */
    SHOWN_MAX = 200,
    SECRET_MIN = 20, /* a secret access key has 40 characters */
    TICK_MS = 10,    /* how often it is looked whether the process has ended, or must */
};

struct process {
    pid_t pid;
    int out, err; /* ends that are read; -1: at its end */
    bool ended;
    int status; /* of waitpid() */
    struct buf *output;
    struct buf errors;
};

static void close_end(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* The child's signals are as if it had been started from a shell. */
static void reset_signals(posix_spawnattr_t *attr)
{
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(attr, &none);
    posix_spawnattr_setsigdefault(attr, &all);
    posix_spawnattr_setflags(attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                       POSIX_SPAWN_SETSIGDEF);
}

/* 0, or errno. The child gets the standard descriptors and no other: not every library's close
 * themselves. */
static int spawn(struct process *p, char *const *argv, int out, int err)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    int error = posix_spawn_file_actions_init(&files);
    if (error != 0)
        return error;
    error = posix_spawnattr_init(&attr);
    if (error == 0) {
        reset_signals(&attr);
        error = posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
        if (error == 0)
            error = posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
        if (error == 0)
            error = posix_spawn_file_actions_adddup2(&files, err, STDERR_FILENO);
        if (error == 0)
            error = posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
        if (error == 0)
            error = posix_spawnp(&p->pid, argv[0], &files, &attr, argv, environ);
        posix_spawnattr_destroy(&attr);
    }
    posix_spawn_file_actions_destroy(&files);
    return error;
}

/* 0, or errno. */
static int start(struct process *p, char *const *argv)
{
    int out[2] = {-1, -1}, err[2] = {-1, -1};
    int error = pipe2(out, O_CLOEXEC) != 0 || pipe2(err, O_CLOEXEC) != 0 ? errno : 0;
    /* Our ends alone: the child's must block. */
    if (error == 0 &&
        (fcntl(out[0], F_SETFL, O_NONBLOCK) != 0 || fcntl(err[0], F_SETFL, O_NONBLOCK) != 0))
        error = errno;
    if (error == 0)
        error = spawn(p, argv, out[1], err[1]);
    close_end(&out[1]);
    close_end(&err[1]);
    p->out = out[0];
    p->err = err[0];
    return error;
}

/* Read what there is. False where it is too much. */
static bool drain(int *fd, struct buf *into, bool drop_rest)
{
    char bytes[4096];
    bool fits = true;
    while (*fd >= 0 && fits) {
        ssize_t n = read(*fd, bytes, sizeof(bytes));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            break;
        if (n <= 0) {
            close_end(fd);
            break;
        }
        size_t room = into->cap - into->len;
        size_t take = (size_t)n < room ? (size_t)n : room;
        fits = (buf_add(into, bytes, take) && take == (size_t)n) || drop_rest;
    }
    explicit_bzero(bytes, sizeof(bytes));
    return fits;
}

static void reap(struct process *p, int flags)
{
    pid_t done = 0;
    do {
        done = waitpid(p->pid, &p->status, flags);
    } while (done < 0 && errno == EINTR);
    p->ended = done != 0;
}

/* It has ended, or must. Returns OK where it has by itself. What it has left in the pipes is read
 * too; whoever else has them open is not waited for. */
static pb_ResultCode watch(struct process *p, struct op *op, const char *what)
{
    while (!p->ended) {
        int left = clock_ms_left(op->deadline_ns);
        if (op_cancelled(op))
            return op_fail(op, RESULT_CODE_CANCELLED, "%s was given up with the call", what);
        if (left == 0)
            return op_fail(op, RESULT_CODE_DEADLINE_EXCEEDED,
                           "%s did not end in the time that the call has", what);
        struct pollfd fds[] = {{.fd = p->out, .events = POLLIN}, {.fd = p->err, .events = POLLIN}};
        poll(fds, ARRAY_LEN(fds), left < TICK_MS ? left : TICK_MS);
        reap(p, WNOHANG);
        drain(&p->err, &p->errors, true);
        if (!drain(&p->out, p->output, false))
            return op_fail(op, RESULT_CODE_UNAUTHORIZED, "%s writes more than %zu KiB", what,
                           p->output->cap >> 10);
    }
    return RESULT_CODE_OK;
}

static bool is_of_secret(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           strchr("+/=_-", c) != NULL;
}

/* Whether a word has what random text has and words do not. */
static bool is_secret(const char *word, size_t len)
{
    bool digit = false, small = false, capital = false;
    for (size_t i = 0; i < len; i++) {
        digit = digit || (word[i] >= '0' && word[i] <= '9');
        small = small || (word[i] >= 'a' && word[i] <= 'z');
        capital = capital || (word[i] >= 'A' && word[i] <= 'Z');
    }
    return (len >= SECRET_MIN && digit && (small || capital)) ||
           (len >= 2 * SECRET_MIN && small && capital);
}

void program_tidy(char *text, size_t len)
{
    size_t to = 0;
    for (size_t i = 0; i < len;) {
        size_t word = 0;
        while (i + word < len && text[i + word] != '\0' && is_of_secret(text[i + word]))
            word++;
        if (is_secret(text + i, word)) {
            memcpy(text + to, "...", 3);
            to += 3;
        } else if (word > 0) {
            memmove(text + to, text + i, word);
            to += word;
        } else {
            bool blank = (unsigned char)text[i] <= ' ' || text[i] == '\x7f';
            if (!blank || (to > 0 && text[to - 1] != ' '))
                text[to++] = blank ? ' ' : text[i];
            word = 1;
        }
        i += word;
    }
    utf8_mendn(text, to);
    if (to > SHOWN_MAX)
        to = utf8_good(text, SHOWN_MAX);
    while (to > 0 && text[to - 1] == ' ')
        to--;
    text[to] = '\0';
}

/* How it has ended, where that is no success. */
static pb_ResultCode judge(struct process *p, struct op *op, const char *what)
{
    if (WIFEXITED(p->status) && WEXITSTATUS(p->status) == 0)
        return RESULT_CODE_OK;
    const char *said = "";
    if (p->errors.len == ERRORS_MAX)
        p->errors.len--;
    if (buf_addc(&p->errors, '\0')) {
        program_tidy(p->errors.data, p->errors.len - 1);
        said = p->errors.data;
    }
    return op_fail(op, RESULT_CODE_UNAUTHORIZED, "%s has failed: %s %d%s%s", what,
                   WIFEXITED(p->status) ? "it ended with exit code" : "it was ended by signal",
                   WIFEXITED(p->status) ? WEXITSTATUS(p->status) : WTERMSIG(p->status),
                   said[0] == '\0' ? "" : " and said: ", said);
}

pb_ResultCode program_run(struct op *op, const char *what, char *const *argv,
                          struct buf *ret_output)
{
    struct process p = {.pid = -1, .out = -1, .err = -1, .output = ret_output};
    buf_init(&p.errors, ERRORS_MAX);
    int error = start(&p, argv);
    pb_ResultCode code = error != 0
                             ? op_fail(op, RESULT_CODE_UNAUTHORIZED, "%s cannot be run: %s: %s",
                                       what, argv[0], strerror(error))
                             : watch(&p, op, what);
    if (error == 0 && !p.ended) {
        kill(-p.pid, SIGKILL);
        reap(&p, 0);
    }
    if (code == RESULT_CODE_OK)
        code = judge(&p, op, what);
    close_end(&p.out);
    close_end(&p.err);
    buf_wipe(&p.errors);
    return code;
}
