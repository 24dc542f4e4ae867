#include "args.h"

#include <stdio.h>
#include <string.h>

#include "isobar/near.h"

struct parser {
    struct arena *arena;
    struct args *args;
    char **argv;
    int argc, i;
    bool words_only; /* behind "--" */
    char *why;
};

static bool PRINTF(2, 3) wrong(struct parser *p, const char *fmt, ...)
{
    va_list list;
    va_start(list, fmt);
    vsnprintf(p->why, ARGS_WHY, fmt, list);
    va_end(list);
    return false;
}

static const ProtobufCMessageDescriptor *request_type(const struct args *args)
{
    return args->method.method ? args->method.method->input : NULL;
}

static const char *command_name(const struct args *args)
{
    return args->command && args->command->noun ? args->command->noun : "";
}

/* The nearest of all flags that the command takes, or NULL. */
static const char *near_flag(const struct args *args, const char *name)
{
    enum { NAMES_MAX = 96 };
    const char *names[NAMES_MAX];
    size_t n = 0, index = 0;
    const ProtobufCMessageDescriptor *type = request_type(args);
    const struct flag *f;
    for (size_t i = 0; type && n < NAMES_MAX && (f = flag_at(type, i)) != NULL; i++) {
        names[n++] = f->name;
    }
    unsigned does = args->command ? args->command->does : OPTION_CALLS | OPTION_PRINTS;
    for (size_t i = 0; i < option_table_len && n < NAMES_MAX; i++) {
        if (option_fits(&option_table[i], does)) {
            names[n++] = option_table[i].name;
        }
    }
    return near_pick(name, names, n, &index, 1) ? names[index] : NULL;
}

static bool unknown_flag(struct parser *p, const char *name)
{
    const char *near = near_flag(p->args, name);
    if (near) {
        return wrong(p, "there is no flag --%.60s; did you mean --%s?", name, near);
    }
    if (!p->args->command) {
        return wrong(p, "there is no flag --%.60s that goes before the command", name);
    }
    return wrong(p, "there is no flag --%.60s for %s%s%s", name, command_name(p->args),
                 p->args->command->noun ? " " : "", p->args->command->verb);
}

/* The value behind "=" or in the next argument. */
static bool take_value(struct parser *p, const char *name, const char *inline_value,
                       const char **ret)
{
    if (inline_value) {
        *ret = inline_value;
        return true;
    }
    if (p->i + 1 >= p->argc) {
        return wrong(p, "%s needs a value", name);
    }
    *ret = p->argv[++p->i];
    return true;
}

static bool take_option(struct parser *p, const struct option *o, const char *shown,
                        const char *inline_value)
{
    const char *value = NULL;
    char why[OPTION_WHY] = "";
    if (o->kind == OPTION_SWITCH && inline_value) {
        return wrong(p, "%s takes no value", shown);
    }
    if (o->kind != OPTION_SWITCH && !take_value(p, shown, inline_value, &value)) {
        return false;
    }
    if (!option_set(&p->args->options, o, value, why)) {
        return wrong(p, "%s: %s", shown, why);
    }
    p->args->given |= UINT32_C(1) << (o - option_table);
    return true;
}

static bool take_flag(struct parser *p, const struct flag *f, const char *shown,
                      const char *inline_value)
{
    const ProtobufCMessageDescriptor *type = request_type(p->args);
    const char *value = inline_value;
    if (f->fixed && inline_value) {
        return wrong(p, "%s takes no value", shown);
    }
    if (!f->fixed && !flag_is_bool(type, f) && !take_value(p, shown, inline_value, &value)) {
        return false;
    }
    p->args->flags[p->args->n_flags++] = (struct args_flag){f, value};
    return true;
}

static bool take_long(struct parser *p, char *arg)
{
    const char *eq = strchr(arg, '=');
    const char *shown = eq ? arena_strndup(p->arena, arg, (size_t)(eq - arg)) : arg;
    const ProtobufCMessageDescriptor *type = request_type(p->args);
    const struct flag *f = type ? flag_find(type, shown + 2) : NULL;
    if (f) {
        return take_flag(p, f, shown, eq ? eq + 1 : NULL);
    }
    const struct option *o = option_find(shown + 2);
    if (!o || (p->args->command && !option_fits(o, p->args->command->does))) {
        return unknown_flag(p, shown + 2);
    }
    return take_option(p, o, shown, eq ? eq + 1 : NULL);
}

/* "-v", "-o json", "-ojson", "-vojson". */
static bool take_letters(struct parser *p, const char *arg)
{
    for (const char *c = arg + 1; *c; c++) {
        const char shown[3] = {'-', *c, 0};
        const struct option *o = option_find_letter(*c);
        if (!o || (p->args->command && !option_fits(o, p->args->command->does))) {
            return wrong(p, "there is no flag %.60s", shown);
        }
        const char *rest = o->kind == OPTION_SWITCH || !c[1] ? NULL : c + 1;
        if (!take_option(p, o, shown, rest)) {
            return false;
        }
        if (o->kind != OPTION_SWITCH) {
            break;
        }
    }
    return true;
}

static bool take_command(struct parser *p, const char *noun, const char *word)
{
    struct args *args = p->args;
    args->command = command_find(noun, word);
    if (!args->command) {
        const char *near = command_near(noun, word);
        return wrong(p, "there is no command \"%s%s%.60s\"%s%s%s%s%s", noun ? noun : "",
                     noun ? " " : "", word, near ? "; did you mean " : "", near && noun ? noun : "",
                     near && noun ? " " : "", near ? near : "", near ? "?" : "");
    }
    const char *method = args->command->method;
    if (method && !symbol_method(p->arena, method, &args->method)) {
        return wrong(p, "this program has no method %s", method);
    }
    return true;
}

static bool take_word(struct parser *p, const char *word)
{
    struct args *args = p->args;
    if (args->command) {
        args->words[args->n_words++] = word;
        return true;
    }
    if (args->noun) {
        return take_command(p, args->noun->name, word);
    }
    args->noun = command_noun(word);
    return args->noun || take_command(p, NULL, word);
}

static bool check_words(struct parser *p)
{
    static const struct {
        size_t least, most;
    } limits[] = {
        [WORDS_NONE] = {0, 0},        [WORDS_MAYBE] = {0, 1},     [WORDS_ONE] = {1, 1},
        [WORDS_SOME] = {1, SIZE_MAX}, [WORDS_UP_TO_TWO] = {0, 2},
    };
    const struct args *args = p->args;
    const struct command *c = args->command;
    const char *space = c->noun ? " " : "";
    if (args->n_words < limits[c->words].least) {
        return wrong(p, "%s%s%s needs %s", command_name(args), space, c->verb, c->word);
    }
    if (args->n_words > limits[c->words].most) {
        return wrong(p, "%s%s%s does not take \"%.60s\"", command_name(args), space, c->verb,
                     args->words[limits[c->words].most]);
    }
    for (size_t i = 0; i < args->n_words; i++) {
        if (!*args->words[i]) {
            return wrong(p, "%s%s%s: %s is empty", command_name(args), space, c->verb, c->word);
        }
    }
    for (size_t i = 0; i < option_table_len; i++) {
        if ((args->given >> i & 1) && !option_fits(&option_table[i], c->does)) {
            return unknown_flag(p, option_table[i].name);
        }
    }
    return true;
}

bool args_parse(struct arena *a, int argc, char **argv, struct args *ret, char why[ARGS_WHY])
{
    struct parser p = {.arena = a, .args = ret, .argv = argv, .argc = argc, .why = why};
    *ret = (struct args){.options.format = -1};
    ret->words = arena_array(a, (size_t)argc + 1, sizeof(*ret->words));
    ret->flags = arena_array(a, (size_t)argc + 1, sizeof(*ret->flags));
    if (!ret->words || !ret->flags) {
        return wrong(&p, "no memory");
    }
    for (p.i = 1; p.i < argc; p.i++) {
        char *arg = argv[p.i];
        bool good;
        if (p.words_only || arg[0] != '-' || !arg[1]) {
            good = take_word(&p, arg);
        } else if (strcmp(arg, "--") == 0) {
            p.words_only = good = true;
        } else if (arg[1] == '-') {
            good = take_long(&p, arg);
        } else {
            good = take_letters(&p, arg);
        }
        if (!good) {
            return false;
        }
    }
    return !ret->command || ret->options.help || check_words(&p);
}

bool args_has(const struct args *args, const char *name)
{
    for (size_t i = 0; i < args->n_flags; i++) {
        if (strcmp(args->flags[i].flag->name, name) == 0) {
            return true;
        }
    }
    const struct option *o = option_find(name);
    return o && (args->given >> (o - option_table) & 1);
}

const char *args_value(const struct args *args, const char *name)
{
    const char *value = NULL;
    for (size_t i = 0; i < args->n_flags; i++) {
        if (strcmp(args->flags[i].flag->name, name) == 0) {
            value = args->flags[i].value;
        }
    }
    return value;
}
