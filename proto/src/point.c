#include "isobar/point.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *const point_names[] = {
    "before-intent", /* nothing is recorded */
    "after-intent",  /* the intent is durable, nothing has left */
    "half-sent",     /* a part of the order has left (kit/sp.c; for HTTP a test's cloud does it) */
    "sent",          /* the order has left, its answer is not read */
    "reply-read",    /* the answer is read, and not recorded */
    "second-commit", /* the end is being recorded */
    "recovery",      /* the start looks for what an operation has made */
    "clean-up",      /* what a failure left behind is being deleted */
    NULL,
};

bool points_armed;

static struct {
    const char *name;
    atomic_long left;
} armed;

bool points_init(void)
{
    const char *text = getenv("ISOBAR_KILL_AT");
    if (!text || !*text)
        return true;
    size_t len = strcspn(text, ":");
    char *end = NULL;
    long n = text[len] ? strtol(text + len + 1, &end, 10) : 1;
    if (n < 1 || (end && *end))
        return false;
    for (size_t i = 0; point_names[i]; i++) {
        if (strlen(point_names[i]) != len || strncmp(point_names[i], text, len) != 0)
            continue;
        armed.name = point_names[i];
        atomic_init(&armed.left, n);
        points_armed = true;
        return true;
    }
    return false;
}

void point_passed(const char *name)
{
    if (strcmp(name, armed.name) == 0 && atomic_fetch_sub(&armed.left, 1) == 1)
        kill(getpid(), SIGKILL);
}
