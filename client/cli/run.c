/* One invocation, from the command line to the exit code. */
#include "run.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "help.h"
#include "output.h"
#include "progress.h"
#include "say.h"
#include "session.h"

/* What the command prints: the message that its answer is about, the first of them that has a view.
 */
static const ProtobufCMessageDescriptor *printed_type(const struct cli *c)
{
    const ProtobufCMethodDescriptor *method = c->args.method.method;
    const ProtobufCMessageDescriptor *out = method ? method->output : NULL;
    for (unsigned i = 0; out && i < out->n_fields; i++) {
        const ProtobufCFieldDescriptor *f = &out->fields[i];
        if (f->type == PROTOBUF_C_TYPE_MESSAGE && view_of(f->descriptor)) {
            return f->descriptor;
        }
    }
    return out && view_of(out) ? out : NULL;
}

static int run_command(struct cli *c)
{
    const struct command *command = c->args.command;
    if (command->does & OPTION_PRINTS) {
        int code = output_prepare(c, printed_type(c));
        if (code != EXIT_OK) {
            return code;
        }
    }
    if (command->does & OPTION_CALLS) {
        int code = session_open(c);
        if (code != EXIT_OK) {
            return code;
        }
    }
    return command->run(c);
}

static int run_args(struct cli *c, int argc, char **argv)
{
    char why[ARGS_WHY];
    if (!args_parse(&c->arena, argc, argv, &c->args, why)) {
        return say_usage(c, "%s", why);
    }
    const struct args *args = &c->args;
    if (args->options.version) {
        return run_version(c);
    }
    if (args->options.help) {
        help_for(c, args->noun ? args->noun->name : NULL, args->command);
        return EXIT_OK;
    }
    if (!args->command) {
        CLEANUP(buf_done) struct buf text;
        buf_init(&text, SIZE_MAX / 2);
        help_short(args->noun ? args->noun->name : NULL, &text);
        ssize_t n = write(STDERR_FILENO, text.data ? text.data : "", text.len);
        (void)n; /* the exit code says it too */
        return EXIT_USAGE;
    }
    return run_command(c);
}

/* What was closed when the program began is not to become a connection to the gateway, with the
 * output written into it: there is something in its place that fails on every write. */
static void fill_standard_files(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDONLY) != fd) {
            _exit(EXIT_FAILED);
        }
    }
}

int run_main(int argc, char **argv)
{
    fill_standard_files();
    struct cli c = {
        .out_is_tty = isatty(STDOUT_FILENO) == 1,
        .err_is_tty = isatty(STDERR_FILENO) == 1,
    };
    arena_init(&c.arena, SIZE_MAX / 2);
    buf_init(&c.out, SIZE_MAX / 2);
    progress_init();
    int code = run_args(&c, argc, argv);
    int written = output_flush(&c);
    session_close(&c);
    buf_done(&c.out);
    arena_done(&c.arena);
    return written == EXIT_OK ? code : written;
}
