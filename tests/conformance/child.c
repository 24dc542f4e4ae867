/* Programs that are started beside this one, and end with it. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "conformance.h"

#define END_MS  30000
#define STEP_MS 20

static void become(const char *const argv[], int out)
{
    int in = open("/dev/null", O_RDONLY);

    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (in < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0)
        _exit(126);
    close_range(3, ~0U, 0);
    execvp(argv[0], (char *const *)(uintptr_t)argv);
    _exit(127);
}

pid_t child_start(const char *const argv[], const char *output, int *ret_fd)
{
    int ends[2] = {-1, -1};

    if (output)
        ends[1] = open(output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    else if (pipe2(ends, O_CLOEXEC) < 0)
        return -1;
    if (ends[1] < 0)
        return -1;
    pid_t pid = fork();
    if (pid == 0)
        become(argv, ends[1]);
    close(ends[1]);
    if (pid < 0 && ends[0] >= 0)
        close(ends[0]);
    if (ret_fd)
        *ret_fd = ends[0];
    return pid;
}

bool child_end(pid_t pid)
{
    int status = 0;

    kill(pid, SIGTERM);
    for (int waited = 0; waitpid(pid, &status, WNOHANG) == 0; waited += STEP_MS) {
        if (waited >= END_MS) {
            kill(pid, SIGKILL);
            waitpid(pid, &status, 0);
            break;
        }
        run_sleep(STEP_MS);
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}
