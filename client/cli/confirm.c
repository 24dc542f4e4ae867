#include "confirm.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "output.h"
#include "say.h"
#include "session.h"
#include "text.h"

/* The machines that a question names before it only counts. */
#define SHOWN_MAX 20

static bool answer_is_yes(void)
{
    char line[64] = "";
    ssize_t n = read(STDIN_FILENO, line, sizeof(line) - 1);
    if (n <= 0) {
        return false;
    }
    line[strcspn(line, "\r\n")] = 0;
    return strcasecmp(line, "y") == 0 || strcasecmp(line, "yes") == 0;
}

int confirm_can(struct cli *c)
{
    if (c->args.options.yes || (c->err_is_tty && isatty(STDIN_FILENO) == 1)) {
        return EXIT_OK;
    }
    return say_usage(c, "there is no terminal to ask on: say --yes to delete");
}

int confirm_ask(struct cli *c, const struct buf *question)
{
    ssize_t written = write(STDERR_FILENO, question->data, question->len);
    if (question->failed || written != (ssize_t)question->len || !answer_is_yes()) {
        say(c, "nothing was deleted");
        return EXIT_FAILED;
    }
    session_start_clock(c);
    return EXIT_OK;
}

static int ask(struct cli *c, const struct target *targets, size_t n)
{
    CLEANUP(buf_done) struct buf text;
    buf_init(&text, SIZE_MAX / 2);
    buf_addf(&text, n == 1 ? "Delete %s " : "Delete %s:\n",
             n == 1 ? "vm" : arena_printf(&c->arena, "%zu vms", n));
    for (size_t i = 0; i < n && i < SHOWN_MAX; i++) {
        const pb_Vm *vm = targets[i].result->vm;
        text_safe_line(&text, output_name(&c->arena, &vm->base));
        buf_adds(&text, " (id ");
        text_safe_line(&text, vm->id);
        buf_adds(&text, n == 1 ? ")" : ")\n");
    }
    if (n > SHOWN_MAX) {
        buf_addf(&text, "and %zu more\n", n - SHOWN_MAX);
    }
    buf_adds(&text, n == 1 ? "? [y/N] " : "Delete them? [y/N] ");
    return confirm_ask(c, &text);
}

int confirm_delete(struct cli *c, struct target *targets, size_t n)
{
    int can = confirm_can(c);
    if (can != EXIT_OK || c->args.options.yes) {
        return can;
    }
    target_get_status(c, targets, n);
    for (size_t i = 0; i < n; i++) {
        const pb_VmResult *r = targets[i].result;
        if (!r || !r->vm || !*r->vm->id) {
            int code = target_say(c, targets, n);
            say(c, "nothing was deleted");
            return code == EXIT_OK ? EXIT_FAILED : code;
        }
        targets[i].cloud = *r->vm->cloud ? r->vm->cloud : targets[i].cloud;
        targets[i].id = r->vm->id;
    }
    return ask(c, targets, n);
}
