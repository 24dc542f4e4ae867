#include "progress.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "exit.h"
#include "isobar/buf.h"
#include "isobar/clock.h"
#include "text.h"

/* What the signal handler writes: whole before the pointer to it is set. */
static char farewell_text[512];
static _Atomic(const char *) farewell;
/* Whether a line is on the terminal that has to be wiped first. */
static atomic_bool line_shown;

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_t thread;
    bool running, stop;
    int64_t started_ns;
    char about[128];
} ticker = {.lock = PTHREAD_MUTEX_INITIALIZER};

static const char wipe[] = "\r\033[K";

static void put(const char *text, size_t len)
{
    ssize_t n = write(STDERR_FILENO, text, len);
    (void)n; /* progress that nobody sees is not missed */
}

static void interrupted(int number UNUSED)
{
    const char *text = atomic_load(&farewell);
    if (atomic_load(&line_shown)) {
        put(wipe, sizeof(wipe) - 1);
    }
    if (text) {
        put(text, strlen(text));
    }
    _exit(EXIT_INTERRUPTED);
}

void progress_init(void)
{
    struct sigaction action = {.sa_handler = interrupted};
    struct sigaction old;
    sigemptyset(&action.sa_mask);
    /* A job in the background of a shell without job control is not to be interrupted. */
    if (sigaction(SIGINT, NULL, &old) == 0 && old.sa_handler != SIG_IGN) {
        sigaction(SIGINT, &action, NULL);
    }
    action.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &action, NULL);
}

static void show_line(int64_t seconds)
{
    char line[192];
    int len = snprintf(line, sizeof(line), "%swaiting for %s ... %lld s", wipe, ticker.about,
                       (long long)seconds);
    atomic_store(&line_shown, true);
    put(line, (size_t)len);
}

static void *tick(void *arg UNUSED)
{
    pthread_mutex_lock(&ticker.lock);
    for (int64_t seconds = 1; !ticker.stop; seconds++) {
        int64_t at = ticker.started_ns + seconds * NS_PER_SEC;
        struct timespec until = {at / NS_PER_SEC, (long)(at % NS_PER_SEC)};
        while (!ticker.stop && pthread_cond_timedwait(&ticker.changed, &ticker.lock, &until) == 0) {
        }
        if (!ticker.stop) {
            show_line(seconds);
        }
    }
    pthread_mutex_unlock(&ticker.lock);
    return NULL;
}

static void start_ticker(const char *about)
{
    struct buf safe;
    pthread_condattr_t attr;
    sigset_t all, old;
    buf_init(&safe, 1 << 16);
    text_safe_line(&safe, about);
    snprintf(ticker.about, sizeof(ticker.about), "%s", buf_cstr(&safe));
    buf_done(&safe);
    ticker.started_ns = clock_mono_ns();
    ticker.stop = false;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&ticker.changed, &attr);
    pthread_condattr_destroy(&attr);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    ticker.running = pthread_create(&ticker.thread, NULL, tick, NULL) == 0;
    pthread_sigmask(SIG_SETMASK, &old, NULL);
}

void progress_begin(const char *about, const char *request_id)
{
    if (request_id) {
        struct buf safe;
        buf_init(&safe, 1 << 16);
        text_safe_line(&safe, request_id);
        snprintf(farewell_text, sizeof(farewell_text),
                 "\ninterrupted; the operation may go on at the gateway. To find it:\n"
                 "  isobar operation list --request-id %.256s\n",
                 buf_cstr(&safe));
        buf_done(&safe);
        atomic_store(&farewell, farewell_text);
    }
    if (about) {
        start_ticker(about);
    }
}

void progress_clear(void)
{
    pthread_mutex_lock(&ticker.lock);
    if (atomic_exchange(&line_shown, false)) {
        put(wipe, sizeof(wipe) - 1);
    }
    pthread_mutex_unlock(&ticker.lock);
}

void progress_end(void)
{
    if (ticker.running) {
        pthread_mutex_lock(&ticker.lock);
        ticker.stop = true;
        pthread_cond_signal(&ticker.changed);
        pthread_mutex_unlock(&ticker.lock);
        pthread_join(ticker.thread, NULL);
        pthread_cond_destroy(&ticker.changed);
        ticker.running = false;
        if (atomic_exchange(&line_shown, false)) {
            put(wipe, sizeof(wipe) - 1);
        }
    }
    atomic_store(&farewell, NULL);
}
