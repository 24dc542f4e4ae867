#include "option.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "meant.h"
#include "text.h"

#define AT(field) offsetof(struct options, field)

const struct option option_table[] = {
    {"output", 'o', OPTION_FORMAT, OPTION_PRINTS, AT(format), "FORMAT",
     "How to print: table, wide, json, yaml, csv or name."},
    {"columns", 0, OPTION_TEXT, OPTION_PRINTS, AT(columns), "A,B,...",
     "Print these columns: names of fields, as in id,state,addresses.ip,tags.env."},
    {"no-header", 0, OPTION_SWITCH, OPTION_PRINTS, AT(no_header), NULL, "Print no header."},
    {"sort", 0, OPTION_TEXT, OPTION_LISTS, AT(sort), "COLUMN",
     "Sort by a column; -COLUMN sorts the other way round."},
    {"limit", 0, OPTION_COUNT, OPTION_LISTS, AT(limit), "N", "Get at most so many."},
    {"yes", 'y', OPTION_SWITCH, OPTION_DELETES, AT(yes), NULL, "Do not ask."},
    {"request-id", 0, OPTION_TEXT, OPTION_CHANGES, AT(request_id), "ID",
     "A call that is repeated under the same id is done once."},
    {"timeout", 0, OPTION_DURATION, OPTION_CALLS, AT(timeout_ms), "TIME",
     "How long to wait: 30s, 5m, 500ms."},
    {"server", 0, OPTION_TEXT, OPTION_CALLS, AT(server), "URL",
     "The gateway: ipc://PATH, tcp://HOST:PORT or tls+tcp://HOST:PORT."},
    {"context", 0, OPTION_TEXT, OPTION_CALLS, AT(context), "NAME",
     "The gateway, as client.yaml names it."},
    {"token-file", 0, OPTION_TEXT, OPTION_CALLS, AT(token_file), "FILE",
     "The file with the token that says who calls."},
    {"ca", 0, OPTION_TEXT, OPTION_CALLS, AT(ca), "FILE",
     "tls+tcp: who the gateway's certificate is to be from (PEM)."},
    {"cert", 0, OPTION_TEXT, OPTION_CALLS, AT(cert), "FILE", "tls+tcp: our own certificate (PEM)."},
    {"key", 0, OPTION_TEXT, OPTION_CALLS, AT(key), "FILE", "tls+tcp: its key (PEM)."},
    {"server-name", 0, OPTION_TEXT, OPTION_CALLS, AT(server_name), "NAME",
     "tls+tcp: the name in the gateway's certificate."},
    {"verbose", 'v', OPTION_SWITCH, OPTION_CALLS, AT(verbose), NULL, "Say more on standard error."},
    {"help", 'h', OPTION_SWITCH, OPTION_ALWAYS, AT(help), NULL, "Say how it is used."},
    {"version", 0, OPTION_SWITCH, OPTION_ALWAYS, AT(version), NULL, "Print the version."},
};
const size_t option_table_len = ARRAY_LEN(option_table);

const char *const option_formats[6] = {
    [FORMAT_TABLE] = "table", [FORMAT_WIDE] = "wide", [FORMAT_JSON] = "json",
    [FORMAT_YAML] = "yaml",   [FORMAT_CSV] = "csv",   [FORMAT_NAME] = "name",
};

const struct option *option_find(const char *name)
{
    for (size_t i = 0; i < option_table_len; i++) {
        if (strcmp(option_table[i].name, name) == 0) {
            return &option_table[i];
        }
    }
    return NULL;
}

const struct option *option_find_letter(char letter)
{
    for (size_t i = 0; i < option_table_len; i++) {
        if (option_table[i].letter == letter) {
            return &option_table[i];
        }
    }
    return NULL;
}

bool option_fits(const struct option *o, unsigned does)
{
    return o->only == OPTION_ALWAYS || (o->only & does);
}

static bool set_format(int *to, const char *value, char why[OPTION_WHY])
{
    for (size_t i = 0; i < ARRAY_LEN(option_formats); i++) {
        if (strcmp(value, option_formats[i]) == 0) {
            *to = (int)i;
            return true;
        }
    }
    meant(why, OPTION_WHY, "format", value, option_formats, ARRAY_LEN(option_formats), true);
    return false;
}

static bool set_count(uint32_t *to, const char *value, char why[OPTION_WHY])
{
    char *end;
    unsigned long n = strtoul(value, &end, 10);
    if (*value < '0' || *value > '9' || *end || n == 0 || n > UINT32_MAX) {
        snprintf(why, OPTION_WHY, "\"%.40s\" is not a number above 0", value);
        return false;
    }
    *to = (uint32_t)n;
    return true;
}

bool option_set(struct options *to, const struct option *o, const char *value, char why[OPTION_WHY])
{
    void *place = (char *)to + o->offset;
    switch (o->kind) {
    case OPTION_SWITCH:
        *(bool *)place = true;
        return true;
    case OPTION_TEXT:
        *(const char **)place = value;
        return true;
    case OPTION_FORMAT:
        return set_format(place, value, why);
    case OPTION_COUNT:
        return set_count(place, value, why);
    case OPTION_DURATION:
        if (!text_duration_ms(value, place)) {
            snprintf(why, OPTION_WHY, "\"%.40s\" is not a time such as 30s, 5m or 500ms", value);
            return false;
        }
        return true;
    }
    return false;
}
