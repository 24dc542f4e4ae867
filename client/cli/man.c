#include "man.h"

#include <string.h>

#include "help.h"

static const char head[] =
    ".Dd November 22, 2026\n"
    ".Dt ISOBAR 1\n"
    ".Os\n"
    ".Sh NAME\n"
    ".Nm isobar\n"
    ".Nd machines in many clouds by one command\n"
    ".Sh SYNOPSIS\n"
    ".Nm\n"
    ".Ar command\n"
    ".Op Ar verb\n"
    ".Op Ar flags\n"
    ".Sh DESCRIPTION\n"
    ".Nm\n"
    "calls the Isobar gateway,\n"
    ".Xr isobard 8 ,\n"
    "which makes and manages machines in clouds of different makers.\n"
    "A machine, or whatever else a cloud has, is named\n"
    ".Ar cloud Ns / Ns Ar name ,\n"
    ".Ar cloud Ns / Ns Ar id ,\n"
    "or by its name or id alone together with\n"
    ".Fl -cloud .\n"
    "Where the context names a cloud, or the gateway has but one, it may be\n"
    "left out.\n"
    "Lists without\n"
    ".Fl -cloud\n"
    "are of all clouds.\n"
    ".Pp\n"
    "Flags stand anywhere behind the command, as\n"
    ".Fl -flag Ar value\n"
    "or\n"
    ".Fl -flag Ns = Ns Ar value .\n"
    "What follows\n"
    ".Fl -\n"
    "is no flag.\n";

static const char output_section[] =
    ".Sh OUTPUT\n"
    "Things go to standard output, all else to standard error.\n"
    "A command that fails prints nothing on standard output,\n"
    "but for a list or a batch that is partial.\n"
    ".Bl -tag -width 6n\n"
    ".It Cm table\n"
    "A table; of a single thing its fields.\n"
    "It is cut to the width of a terminal, and whole where it goes elsewhere.\n"
    ".It Cm wide\n"
    "The same with more columns.\n"
    ".It Cm json\n"
    "ProtoJSON as protobuf defines it:\n"
    "an array for a list, an object for a single thing.\n"
    "Fields that are not set are left out, and 64-bit numbers are strings.\n"
    ".It Cm yaml\n"
    "The same data as YAML.\n"
    ".It Cm csv\n"
    "The table's columns as RFC 4180 has it.\n"
    ".It Cm name\n"
    ".Ar cloud Ns / Ns Ar name ,\n"
    "one a line; the id where there is no name;\n"
    ".Ar adapter Ns / Ns Ar instance\n"
    "of a process that serves as an adapter.\n"
    ".El\n"
    ".Pp\n"
    "Characters from a cloud that a terminal would act on are printed as \\exNN.\n"
    ".Pp\n"
    "With\n"
    ".Fl -no-wait ,\n"
    "and wherever there is no machine yet,\n"
    "the operation is printed instead of the machine.\n"
    "An interruption ends the waiting and not the operation.\n";

static const char tail[] =
    ".Sh ENVIRONMENT\n"
    ".Bl -tag -width 16n\n"
    ".It Ev ISOBAR_SERVER\n"
    "The gateway's URL.\n"
    ".It Ev ISOBAR_CONTEXT\n"
    "The context that names the gateway.\n"
    ".It Ev ISOBAR_TOKEN_FILE\n"
    "The file with the token that says who calls.\n"
    ".It Ev NO_COLOR\n"
    "No colours, where it is set and not empty.\n"
    ".El\n"
    ".Pp\n"
    "The gateway is the first that is named by\n"
    ".Fl -server ,\n"
    ".Fl -context ,\n"
    ".Ev ISOBAR_SERVER ,\n"
    ".Ev ISOBAR_CONTEXT ,\n"
    "the current context of\n"
    ".Pa client.yaml ;\n"
    "else it is the local socket.\n"
    "The other settings of a context count only where the context names the gateway,\n"
    "or\n"
    ".Fl -context\n"
    "asks for them.\n"
    ".Sh FILES\n"
    ".Bl -tag -width 4n\n"
    ".It Pa $XDG_CONFIG_HOME/isobar/client.yaml , ~/.config/isobar/client.yaml\n"
    "The contexts:\n"
    ".Bd -literal\n"
    "current: home\n"
    "contexts:\n"
    "  home: {server: ipc:///run/isobar/isobar.sock}\n"
    "  far:  {server: tls+tcp://gw.example.org:7461,\n"
    "         token_file: ~/.isobar-token, cloud: lab}\n"
    ".Ed\n"
    ".Pp\n"
    "A context has\n"
    ".Cm server , token_file , ca , cert , key , server_name\n"
    "and\n"
    ".Cm cloud .\n"
    ".El\n";

/* Text with what mdoc would take for its own escaped. */
static void text(struct buf *out, const char *s)
{
    if (*s == '.' || *s == '\'') {
        buf_adds(out, "\\&");
    }
    for (; *s; s++) {
        if (*s == '\\') {
            buf_adds(out, "\\e");
        } else if (*s == '-') {
            buf_adds(out, "\\-");
        } else {
            buf_addc(out, *s);
        }
    }
}

/* Sentences, each in a line of its own. */
static void sentences(struct buf *out, const char *s)
{
    while (*s) {
        const char *end = strstr(s, ". ");
        size_t len = end ? (size_t)(end - s) + 1 : strlen(s);
        char line[512];
        len = len < sizeof(line) - 1 ? len : sizeof(line) - 1;
        memcpy(line, s, len);
        line[len] = 0;
        text(out, line);
        buf_addc(out, '\n');
        s += len;
        s += strspn(s, " ");
    }
}

static void arg(struct buf *out, const char *value)
{
    if (value) {
        buf_adds(out, " Ar ");
        text(out, value);
    }
    buf_addc(out, '\n');
}

static void flags(struct buf *out, const ProtobufCMessageDescriptor *type, bool is_part)
{
    const struct flag *f;
    if (!flag_at(type, 0)) {
        return;
    }
    buf_adds(out, ".Bl -tag -width 4n -compact\n");
    for (size_t i = 0; (f = flag_at(type, i)) != NULL; i++) {
        buf_addf(out, is_part ? ".It Cm %s" : ".It Fl -%s", f->name);
        arg(out, f->arg);
        sentences(out, f->doc);
        const ProtobufCMessageDescriptor *parts = flag_parts(type, f);
        if (parts) {
            flags(out, parts, true);
        }
    }
    buf_adds(out, ".El\n");
}

static void commands(struct cli *c)
{
    struct buf *out = &c->out;
    buf_adds(out, ".Sh COMMANDS\n");
    for (size_t i = 0; i < command_table_len; i++) {
        const struct command *command = &command_table[i];
        struct symbol method;
        buf_addf(out, "%s.Ic %s%s%s", i ? ".Pp\n" : "", command->noun ? command->noun : "",
                 command->noun ? " " : "", command->verb);
        arg(out, command->word);
        buf_adds(out, ".Bd -ragged -offset 4n -compact\n");
        sentences(out, command->doc);
        if (command->method && symbol_method(&c->arena, command->method, &method)) {
            flags(out, method.method->input, false);
        }
        buf_adds(out, ".Ed\n");
    }
}

static void options(struct buf *out)
{
    buf_adds(out, ".Sh OPTIONS\nWhich of these a command takes,\n"
                  ".Nm Ic help Ar command verb\nsays.\n.Bl -tag -width 4n\n");
    for (size_t i = 0; i < option_table_len; i++) {
        const struct option *o = &option_table[i];
        buf_adds(out, ".It");
        if (o->letter) {
            buf_addf(out, " Fl %c ,", o->letter);
        }
        buf_addf(out, " Fl -%s", o->name);
        arg(out, o->arg);
        sentences(out, o->doc);
    }
    buf_adds(out, ".El\n");
}

static void exit_codes(struct buf *out)
{
    buf_adds(out, ".Sh EXIT STATUS\nThe codes, and the gateway's results that lead to them:\n"
                  ".Bl -tag -width 3n\n");
    for (size_t i = 0; i < exit_table_len; i++) {
        CLEANUP(buf_done) struct buf names;
        buf_init(&names, SIZE_MAX / 2);
        help_results_of(&exit_table[i], &names);
        out->failed |= names.failed;
        buf_addf(out, ".It %d\n", exit_table[i].code);
        text(out, exit_table[i].meaning);
        if (names.len) {
            buf_addf(out, "\n(%s)", buf_cstr(&names));
        }
        buf_addc(out, '\n');
    }
    buf_adds(out, ".El\n");
}

static void examples(struct buf *out)
{
    buf_adds(out, ".Sh EXAMPLES\n.Bd -literal\n");
    for (size_t i = 0; i < command_table_len; i++) {
        if (command_table[i].example) {
            buf_adds(out, "isobar ");
            text(out, command_table[i].example);
            buf_addc(out, '\n');
        }
    }
    buf_adds(out, ".Ed\n.Sh SEE ALSO\n.Xr isobard 8\n");
}

void man_page(struct cli *c)
{
    buf_adds(&c->out, head);
    commands(c);
    options(&c->out);
    buf_adds(&c->out, output_section);
    buf_adds(&c->out, tail);
    exit_codes(&c->out);
    examples(&c->out);
}
