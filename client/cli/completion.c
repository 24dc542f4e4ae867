/* `isobar completion bash`: a script made from the tables. */
#include <string.h>

#include "run.h"
#include "say.h"

static const char head[] =
    "# bash completion for isobar; made by `isobar completion bash`.\n"
    "_isobar() {\n"
    "    # shellcheck disable=SC2207\n"
    "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}\n"
    "    local i noun='' verb='' words='' name IFS=$'\\n'\n"
    "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
    "        case ${COMP_WORDS[i]} in\n"
    "        -*) ;;\n"
    "        *)\n"
    "            if [ -z \"$noun\" ]; then\n"
    "                noun=${COMP_WORDS[i]}\n"
    "            elif [ -z \"$verb\" ]; then\n"
    "                verb=${COMP_WORDS[i]}\n"
    "            fi\n"
    "            ;;\n"
    "        esac\n"
    "    done\n"
    "    case \"$noun $prev\" in\n";

static const char middle[] = "    esac\n"
                             "    if [ -n \"$words\" ]; then\n"
                             "        COMPREPLY=($(IFS=' '; compgen -W \"$words\" -- \"$cur\"))\n"
                             "        return\n"
                             "    fi\n"
                             "    case \"$noun $verb\" in\n";

/* What follows the verb and is no flag is the name of a thing, which the gateway knows. Such names
 * never go through compgen -W, which would expand what is in them. */
static const char tail[] =
    "    esac\n"
    "    if [ -z \"$verb\" ] || [[ $cur == -* ]]; then\n"
    "        COMPREPLY=($(IFS=' '; compgen -W \"$words\" -- \"$cur\"))\n"
    "        return\n"
    "    fi\n"
    "    [[ $prev == --* ]] && return\n"
    "    case $verb in\n"
    "    show | status | start | stop | reboot | suspend | resume | resize | delete | check | "
    "wait | \\\n"
    "        describe | drain | deregister)\n"
    "        while read -r name; do\n"
    "            case \"$noun $verb $name\" in\n"
    "            'adapter describe '*) name=${name%%/*} ;; # toy/toy-1 is an instance of toy\n"
    "            'adapter '*/*) ;;\n"
    "            'adapter '*) continue ;;\n"
    "            esac\n"
    "            [[ $name == \"$cur\"* ]] && COMPREPLY+=(\"$(printf %q \"$name\")\")\n"
    "        done < <(isobar \"$noun\" list -o name --timeout 1s 2>/dev/null)\n"
    "        ;;\n"
    "    esac\n"
    "}\n"
    "complete -o default -F _isobar isobar\n";

/* The words that a flag's value may be: those of its enum. */
static void flag_values(struct buf *out, const char *noun, const struct flag *f,
                        const ProtobufCFieldDescriptor *field)
{
    if (f->fixed || field->type != PROTOBUF_C_TYPE_ENUM) {
        return;
    }
    const ProtobufCEnumDescriptor *e = field->descriptor;
    buf_addf(out, "    '%s --%s') words='", noun, f->name);
    bool any = false;
    for (unsigned i = 0; i < e->n_values; i++) {
        if (e->values[i].value != 0) {
            buf_addf(out, "%s%s", any ? " " : "", symbol_enum_word(e, e->values[i].value));
            any = true;
        }
    }
    buf_adds(out, "' ;;\n");
}

static void values(struct cli *c)
{
    buf_adds(&c->out, "    *' -o' | *' --output') words='");
    for (size_t i = 0; i < ARRAY_LEN(option_formats); i++) {
        buf_addf(&c->out, "%s%s", i ? " " : "", option_formats[i]);
    }
    buf_adds(&c->out, "' ;;\n");
    for (size_t i = 0; i < command_table_len; i++) {
        struct symbol m;
        const struct flag *f;
        const char *method = command_table[i].method;
        for (size_t k = 0; method && symbol_method(&c->arena, method, &m) &&
                           (f = flag_at(m.method->input, k)) != NULL;
             k++) {
            flag_values(&c->out, command_table[i].noun ? command_table[i].noun : "", f,
                        flag_field(m.method->input, f));
        }
    }
}

static void words(struct cli *c)
{
    struct buf *out = &c->out;
    buf_adds(out, "    ' ') words='");
    for (size_t i = 0; i < command_nouns_len; i++) {
        buf_addf(out, "%s ", command_nouns[i].name);
    }
    for (size_t i = 0; i < command_table_len; i++) {
        if (!command_table[i].noun) {
            buf_addf(out, "%s ", command_table[i].verb);
        }
    }
    buf_adds(out, "' ;;\n");
    for (size_t i = 0; i < command_nouns_len; i++) {
        buf_addf(out, "    '%s ') words='", command_nouns[i].name);
        for (size_t k = 0; k < command_table_len; k++) {
            const struct command *each = &command_table[k];
            if (each->noun && strcmp(each->noun, command_nouns[i].name) == 0) {
                buf_addf(out, "%s ", each->verb);
            }
        }
        buf_adds(out, "' ;;\n");
    }
}

static void flags(struct cli *c)
{
    struct buf *out = &c->out;
    for (size_t i = 0; i < command_table_len; i++) {
        const struct command *each = &command_table[i];
        struct symbol m = {0};
        const struct flag *f;
        buf_addf(out, "    '%s %s') words='", each->noun ? each->noun : each->verb,
                 each->noun ? each->verb : "");
        for (size_t k = 0; each->method && symbol_method(&c->arena, each->method, &m) &&
                           (f = flag_at(m.method->input, k)) != NULL;
             k++) {
            buf_addf(out, "--%s ", f->name);
        }
        for (size_t k = 0; k < option_table_len; k++) {
            bool is_flag = m.method && flag_find(m.method->input, option_table[k].name);
            if (!is_flag && option_fits(&option_table[k], each->does)) {
                buf_addf(out, "--%s ", option_table[k].name);
            }
        }
        buf_adds(out, "' ;;\n");
    }
}

int run_completion(struct cli *c)
{
    if (strcmp(c->args.words[0], "bash") != 0) {
        return say_usage(c, "there is completion for bash alone");
    }
    buf_adds(&c->out, head);
    values(c);
    buf_adds(&c->out, middle);
    words(c);
    flags(c);
    buf_adds(&c->out, tail);
    return EXIT_OK;
}
