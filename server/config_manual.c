/* isobard.conf(5), made of the table of keys. */
#include "config_parse.h"

static const char head[] =
    ".\\\" Made of the table in server/config_keys.c; a test holds it against that.\n"
    ".Dd November 22, 2026\n"
    ".Dt ISOBARD.CONF 5\n"
    ".Os Isobar\n"
    ".Sh NAME\n"
    ".Nm isobard.conf\n"
    ".Nd configuration of the Isobar gateway\n"
    ".Sh DESCRIPTION\n"
    "The file that\n"
    ".Xr isobard 8\n"
    "is given with\n"
    ".Fl -config\n"
    "is YAML in UTF-8, at most 1 MiB, without anchors, aliases and tags.\n"
    "It is checked whole before anything starts; every mistake is told with line and column.\n"
    "Durations are written as 30s, 500ms, 5m or 1h, and a number alone is seconds; sizes as 4MiB "
    "or\n"
    "64KiB, and a number alone is bytes.\n"
    "Paths that are relative begin at the folder of the file.\n";

static const char foot[] =
    ".Sh EXAMPLES\n"
    ".Bd -literal\n"
    "state_dir: /var/lib/isobar\n"
    "listen: [ipc:///run/isobar/isobar.sock, tcp://127.0.0.1:7461]\n"
    "clouds:\n"
    "  box: {adapter: sandbox}\n"
    "  lab: {adapter: openstack, cloud: demo, defaults: {network_id: private}}\n"
    "  seoul: {adapter: aws, profile: default, region: ap-northeast-2}\n"
    ".Ed\n"
    ".Sh SEE ALSO\n"
    ".Xr isobar 1 ,\n"
    ".Xr isobard 8\n";

/* How a value is written. */
static const char *shape(const struct config_key *k)
{
    static const char *const shapes[] = {
        [CONFIG_TEXT] = "TEXT",    [CONFIG_WORD] = "WORD", [CONFIG_BOOL] = "true|false",
        [CONFIG_COUNT] = "NUMBER", [CONFIG_SIZE] = "SIZE", [CONFIG_DURATION] = "DURATION",
        [CONFIG_PATH] = "FOLDER",  [CONFIG_FILE] = "FILE",
    };

    return k->type == CONFIG_SECTION || k->type == CONFIG_SPECIAL ? k->text : shapes[k->type];
}

/* mdoc wants each sentence on a line of its own. */
static void add_sentences(const char *text, struct buf *out)
{
    for (; *text; text++) {
        buf_addc(out, *text);
        if (text[0] == '.' && text[1] == ' ') {
            buf_addc(out, '\n');
            text++;
        }
    }
    buf_addc(out, '\n');
}

static void add_facts(const struct config_key *k, struct buf *out)
{
    char initial[32], min[32], max[32];

    if (k->required)
        buf_adds(out, "It must be there.\n");
    if (k->type == CONFIG_WORD) {
        buf_adds(out, "One of");
        for (size_t i = 0; k->words[i]; i++)
            buf_addf(out, "%s %s", i ? "," : "", k->words[i]);
        buf_addf(out, "; without it %s.\n", k->text);
    }
    if (k->type != CONFIG_COUNT && k->type != CONFIG_SIZE && k->type != CONFIG_DURATION)
        return;
    config_number_text(k->type, k->initial, initial);
    config_number_text(k->type, k->min, min);
    config_number_text(k->type, k->max, max);
    buf_addf(out, "From %s to %s; without it %s.\n", min, max, initial);
}

/* A table, and then those of its keys that have one. */
static void add_table(const struct config_table *t, struct buf *out)
{
    buf_addf(out, ".Ss Keys of %s\n.Bl -tag -width Ds\n", t->what);
    for (size_t i = 0; i < t->n; i++) {
        const struct config_key *k = &t->keys[i];
        buf_addf(out, ".It Ic %s : Ar %s\n", k->name, shape(k));
        add_sentences(k->doc, out);
        add_facts(k, out);
    }
    buf_adds(out, ".El\n");
    for (size_t i = 0; i < t->n; i++)
        if (t->keys[i].section)
            add_table(t->keys[i].section, out);
}

void config_manual(struct buf *out)
{
    buf_adds(out, head);
    add_table(&config_top, out);
    buf_adds(out, foot);
}
