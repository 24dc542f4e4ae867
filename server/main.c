/* isobard: the gateway's process. */
#include <getopt.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "connection.h"
#include "gateway.h"
#include "isobar/point.h"
#include "log.h"
#include "registry.h"

enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

static const char usage[] =
    "usage: isobard [--config FILE] [--check-config] [--version] [--help]\n"
    "\n"
    "The Isobar gateway. Without --config it serves the built-in sandbox cloud on the local\n"
    "socket of this user.\n"
    "\n"
    "  -c, --config FILE   read the configuration from FILE (YAML; isobard.conf(5))\n"
    "      --check-config  check the configuration, say what is wrong, start nothing\n"
    "  -V, --version       print the version\n"
    "  -h, --help          print this\n"
    "\n"
    "SIGHUP reloads the configuration; SIGTERM and SIGINT finish what is under way and end.\n"
    "The log goes to stderr, one JSON object a line.\n";

struct options {
    const char *config;
    bool check;
};

static void to_stderr(void *ctx, const char *line)
{
    (void)ctx;
    fprintf(stderr, "isobard: %s\n", line);
}

static void to_log(void *ctx, const char *line)
{
    (void)ctx;
    log_event(LOG_ERROR, "reload failed", "detail", line, NULL);
}

/* The exit code to end with at once, or -1. */
static int parse_options(int argc, char **argv, struct options *ret)
{
    static const struct option longs[] = {
        {"config", required_argument, NULL, 'c'},
        {"check-config", no_argument, NULL, 'k'},
        {"version", no_argument, NULL, 'V'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    for (int ch; (ch = getopt_long(argc, argv, "c:Vh", longs, NULL)) != -1;) {
        switch (ch) {
        case 'c':
            ret->config = optarg;
            break;
        case 'k':
            ret->check = true;
            break;
        case 'V':
            puts("isobard " ISOBAR_VERSION);
            return EXIT_OK;
        case 'h':
            fputs(usage, stdout);
            return EXIT_OK;
        default:
            fputs(usage, stderr);
            return EXIT_USAGE;
        }
    }
    if (optind == argc)
        return -1;
    fprintf(stderr, "isobard: \"%s\" is one word too many\n%s", argv[optind], usage);
    return EXIT_USAGE;
}

static int check_config(const char *path)
{
    struct config *config = config_load(path, to_stderr, NULL);
    if (!config)
        return EXIT_FAILED;
    size_t n_clouds = config->n_clouds, n_listen = config->n_listen;
    /* Opening a connection reads credentials and asks nobody. */
    struct snapshot *s = snapshot_take_config(config, NULL, to_stderr, NULL);
    if (!s)
        return EXIT_FAILED;
    snapshot_discard(s);
    registry_done();
    printf("%s: ok, %zu clouds, %zu listeners\n", path ? path : "built-in configuration", n_clouds,
           n_listen);
    return EXIT_OK;
}

/* As many connections as the system lets us have; and no core dumps: credentials are in memory. */
static void set_limits(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
    (void)setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    /* What a burst has taken goes back to the system when it is freed: left to itself, malloc
     * raises this limit to the largest piece that it has seen. */
    mallopt(M_MMAP_THRESHOLD, 128 * 1024);
}

static void reload(struct gateway *g, const char *path)
{
    struct config *config = config_load(path, to_log, NULL);
    if (config && gateway_reload(g, config, to_log, NULL))
        log_event(LOG_INFO, "reloaded", "config", path ? path : "built-in", NULL);
    else
        log_event(LOG_ERROR, "reload refused", "detail", "the configuration in force is kept",
                  NULL);
}

/* Until a signal asks to end. */
static void serve(struct gateway *g, int signals, const char *path)
{
    for (;;) {
        struct pollfd fds[] = {{.fd = signals, .events = POLLIN},
                               {.fd = gateway_wake_fd(), .events = POLLIN}};
        (void)poll(fds, 2, gateway_tidy(g));
        struct signalfd_siginfo info;
        if (!(fds[0].revents & POLLIN) ||
            read(signals, &info, sizeof(info)) != (ssize_t)sizeof(info))
            continue;
        if (info.ssi_signo != SIGHUP)
            return;
        reload(g, path);
    }
}

int main(int argc, char **argv)
{
    struct options options = {0};
    int done = parse_options(argc, argv, &options);
    if (done >= 0)
        return done;
    if (options.check)
        return check_config(options.config);
    if (!points_init()) {
        to_stderr(NULL, "ISOBAR_KILL_AT names no point: see isobar/point.h");
        return EXIT_USAGE;
    }
    struct config *config = config_load(options.config, to_stderr, NULL);
    if (!config)
        return EXIT_FAILED;
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    int signals = signalfd(-1, &set, SFD_CLOEXEC);
    set_limits();
    if (signals < 0 || !log_start()) {
        to_stderr(NULL, "cannot start");
        config_free(config);
        return EXIT_FAILED;
    }
    struct gateway *g = gateway_start(config, to_stderr, NULL);
    if (!g) {
        log_stop();
        return EXIT_FAILED;
    }
    char pid[24];
    snprintf(pid, sizeof(pid), "%ld", (long)getpid());
    log_event(LOG_INFO, "ready", "version", ISOBAR_VERSION, "pid", pid, NULL);
    serve(g, signals, options.config);
    log_event(LOG_INFO, "draining", NULL);
    bool drained = gateway_drain(g);
    log_event(LOG_INFO, "ended", NULL);
    log_stop();
    if (!drained)
        _exit(EXIT_OK);
    close(signals);
    return EXIT_OK;
}
