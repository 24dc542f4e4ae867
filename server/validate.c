#include "validate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "isobar/message.h"
#include "isobar/near.h"
#include "isobar/result.h"

/* ---- the message by itself ---- */

struct check {
    struct arena *arena;
    pb_Result *result;
    bool strict;
    bool malformed; /* other languages would not even have decoded it */
};

/* "spec.volumes" for a place. */
static void print_path(const struct message_place *place, char *ret, size_t size)
{
    ret[0] = '\0';
    if (!place)
        return;
    print_path(place->outer, ret, size);
    size_t len = strlen(ret);
    snprintf(ret + len, size - len, "%s%s", len ? "." : "", place->field->name);
}

static void violation(struct check *c, const struct message_place *place, const char *what)
{
    char path[256];
    print_path(place, path, sizeof(path));
    result_add_violation(c->arena, c->result, path, "%s", what);
}

static void check_unknown(struct check *c, const ProtobufCMessage *m,
                          const struct message_place *outer)
{
    for (unsigned i = 0; c->strict && i < m->n_unknown_fields; i++) {
        char name[32];
        snprintf(name, sizeof(name), "#%u", (unsigned)m->unknown_fields[i].tag);
        ProtobufCFieldDescriptor unknown = {.name = name};
        violation(c, &(struct message_place){outer, &unknown},
                  "is a field that this version of the gateway does not know");
    }
}

static bool check_value(void *ctx, const struct message_place *place, const void *value)
{
    struct check *c = ctx;
    const ProtobufCFieldDescriptor *f = place->field;
    if (message_is_malformed(place, value)) {
        violation(c, place, "is not valid UTF-8");
        c->malformed = true;
    } else if (f->type == PROTOBUF_C_TYPE_ENUM) {
        if (!protobuf_c_enum_descriptor_get_value(f->descriptor, *(const int *)value))
            violation(c, place, "has a value that this version does not know");
    } else if (f->type == PROTOBUF_C_TYPE_MESSAGE) {
        const ProtobufCMessage *inner = *(const ProtobufCMessage *const *)value;
        if (inner)
            check_unknown(c, inner, place);
    }
    return true;
}

pb_ResultCode validate_message(struct arena *a, const ProtobufCMessage *m, bool strict,
                               pb_Result *result)
{
    struct check c = {a, result, strict, false};
    (void)!message_walk(m, check_value, &c);
    check_unknown(&c, m, NULL);
    if (result->n_violations == 0)
        return RESULT_CODE_OK;
    pb_ResultCode code = c.malformed ? RESULT_CODE_INVALID_REQUEST : RESULT_CODE_BAD_REQUEST_DATA;
    return result_fail(a, result, code, "%s %s", result->violations[0]->field,
                       result->violations[0]->description);
}

/* ---- a specification against the manifest ---- */

struct create {
    struct arena *arena;
    pb_Result *result;
    pb_VmSpec *spec;
    const pb_Manifest *manifest;
    const struct config_cloud *cloud;
    bool strict;
};

static const char *default_of(const struct create *c, const char *name)
{
    for (size_t i = 0; i < c->cloud->n_defaults; i++)
        if (strcmp(c->cloud->defaults[i].name, name) == 0)
            return c->cloud->defaults[i].value;
    return NULL;
}

/* The value as the manifest writes it, for people write "Static" as well; NULL where it is none. */
static const char *allowed(char *const *values, size_t n, const char *value)
{
    for (size_t i = 0; i < n; i++)
        if (strcasecmp(values[i], value) == 0)
            return values[i];
    return n == 0 ? value : NULL;
}

static const char *join(struct arena *a, char *const *words, size_t n)
{
    const char *text = "";
    for (size_t i = 0; i < n; i++)
        text = arena_printf(a, "%s%s%s", text, i ? ", " : "", words[i]);
    return text;
}

static void wrong(struct create *c, const char *field, const char *fmt, const char *what)
{
    char full[160];
    snprintf(full, sizeof(full), "spec.%s", field);
    result_add_violation(c->arena, c->result, full, "%s%s", fmt, what);
}

static void check_attribute(struct create *c, const pb_ManifestAttribute *m)
{
    ProtobufCMessage *spec = &c->spec->base;
    const ProtobufCFieldDescriptor *f =
        protobuf_c_message_descriptor_get_field_by_name(spec->descriptor, m->name);
    if (!f)
        return;
    bool given = message_has(spec, f);
    bool absent = m->presence == PRESENCE_NOT_PRESENT && !m->nearest;
    if (!given && !absent) {
        const char *value = default_of(c, m->name);
        if (!value && m->default_value[0])
            value = m->default_value;
        if (value && !message_set_text(c->arena, spec, f, value))
            wrong(c, m->name, "cannot take the default ", value);
        given = message_has(spec, f) || value;
    }
    if (!given && m->presence == PRESENCE_MANDATORY && !m->chosen)
        wrong(c, m->name, "is mandatory for this cloud; ", m->description);
    if (given && absent) {
        if (c->strict)
            wrong(c, m->name, "is not present in this cloud's interface; ", "leave it out");
        else
            result_add_warning(c->arena, c->result,
                               "spec.%s is not present in this cloud's interface; it is ignored",
                               m->name);
    }
    if (!given || f->type != PROTOBUF_C_TYPE_STRING || f->label == PROTOBUF_C_LABEL_REPEATED ||
        absent)
        return;
    const char *has = message_string(spec, f);
    const char *value = allowed(m->allowed_values, m->n_allowed_values, has);
    bool same = value && strcmp(value, has) == 0;
    if (!value || (!same && !message_set_text(c->arena, spec, f, value)))
        wrong(c, m->name,
              "must be one of: ", join(c->arena, m->allowed_values, m->n_allowed_values));
}

static const pb_ManifestParameter *parameter_of(const pb_Manifest *m, const char *name)
{
    for (size_t i = 0; i < m->n_parameters; i++)
        if (strcmp(m->parameters[i]->name, name) == 0)
            return m->parameters[i];
    return NULL;
}

static bool type_fits(pb_ParameterType type, const char *value)
{
    char *end;
    switch (type) {
    case PARAMETER_TYPE_INTEGER:
        (void)strtoll(value, &end, 10);
        return *value && !*end;
    case PARAMETER_TYPE_BOOLEAN:
        return strcmp(value, "true") == 0 || strcmp(value, "false") == 0;
    default:
        return true;
    }
}

static const char *type_words(pb_ParameterType type)
{
    return type == PARAMETER_TYPE_INTEGER   ? "must be a whole number"
           : type == PARAMETER_TYPE_BOOLEAN ? "must be true or false"
                                            : "must be text";
}

static void check_given_parameter(struct create *c, pb_VmSpec_ParametersEntry *p)
{
    char field[128];
    snprintf(field, sizeof(field), "parameters.%s", p->key);
    const pb_ManifestParameter *m = parameter_of(c->manifest, p->key);
    if (m) {
        const char *value = allowed(m->allowed_values, m->n_allowed_values, p->value);
        if (!type_fits(m->type, p->value))
            wrong(c, field, type_words(m->type), "");
        else if (!value)
            wrong(c, field,
                  "must be one of: ", join(c->arena, m->allowed_values, m->n_allowed_values));
        else if (strcmp(value, p->value) != 0)
            p->value = arena_strdup(c->arena, value);
        return;
    }
    if (c->manifest->open_parameters)
        return;
    const char **names = arena_array(c->arena, c->manifest->n_parameters + 1, sizeof(char *));
    size_t near = 0;
    for (size_t i = 0; names && i < c->manifest->n_parameters; i++)
        names[i] = c->manifest->parameters[i]->name;
    if (names && near_pick(p->key, names, c->manifest->n_parameters, &near, 1) == 1)
        wrong(c, field, "is no parameter of this cloud; did you mean ", names[near]);
    else
        wrong(c, field, "is no parameter of this cloud; ", "`isobar adapter describe` lists them");
}

static bool parameter_given(const pb_VmSpec *spec, const char *name)
{
    for (size_t i = 0; i < spec->n_parameters; i++)
        if (strcmp(spec->parameters[i]->key, name) == 0)
            return true;
    return false;
}

static bool add_parameter(struct arena *a, pb_VmSpec *spec, const char *name, const char *value)
{
    pb_VmSpec_ParametersEntry **all = arena_array(a, spec->n_parameters + 1, sizeof(*all));
    pb_VmSpec_ParametersEntry *entry = arena_message(a, &pb_VmSpec_ParametersEntry_desc);
    if (!all || !entry)
        return false;
    if (spec->n_parameters)
        memcpy(all, spec->parameters,
               spec->n_parameters * sizeof(struct pb_VmSpec_ParametersEntry *));
    entry->key = arena_strdup(a, name);
    entry->value = arena_strdup(a, value);
    all[spec->n_parameters++] = entry;
    spec->parameters = all;
    return true;
}

static void fill_parameter(struct create *c, const pb_ManifestParameter *m)
{
    if (parameter_given(c->spec, m->name))
        return;
    char name[128];
    snprintf(name, sizeof(name), "parameters.%s", m->name);
    const char *value = default_of(c, name);
    if (!value && m->default_value[0])
        value = m->default_value;
    if (value)
        (void)!add_parameter(c->arena, c->spec, m->name, value);
    else if (m->required)
        wrong(c, name, "is mandatory for this cloud; ", m->description);
}

/* Defaults of the connection for parameters that the manifest need not know. */
static void fill_open_parameters(struct create *c)
{
    static const char prefix[] = "parameters.";
    for (size_t i = 0; i < c->cloud->n_defaults; i++) {
        const char *name = c->cloud->defaults[i].name;
        if (strncmp(name, prefix, sizeof(prefix) - 1) != 0)
            continue;
        name += sizeof(prefix) - 1;
        if (!parameter_given(c->spec, name))
            (void)!add_parameter(c->arena, c->spec, name, c->cloud->defaults[i].value);
    }
}

pb_ResultCode validate_create(struct arena *a, pb_CreateVmRequest *req, const pb_Manifest *manifest,
                              const struct config_cloud *cloud, pb_Result *result)
{
    if (!req->spec) {
        result_add_violation(a, result, "spec", "is missing");
        return result_fail(a, result, RESULT_CODE_BAD_REQUEST_DATA,
                           "spec is missing: say what machine is wanted");
    }
    struct create c = {a, result, req->spec, manifest, cloud, req->strict};
    if (req->spec->instance_count < 0)
        wrong(&c, "instance_count", "must not be negative", "");
    for (size_t i = 0; i < manifest->n_attributes; i++)
        check_attribute(&c, manifest->attributes[i]);
    for (size_t i = 0; i < req->spec->n_parameters; i++)
        check_given_parameter(&c, req->spec->parameters[i]);
    for (size_t i = 0; i < manifest->n_parameters; i++)
        fill_parameter(&c, manifest->parameters[i]);
    if (manifest->open_parameters)
        fill_open_parameters(&c);
    if (a->exhausted)
        return result_fail(a, result, RESULT_CODE_INTERNAL_ERROR, "out of memory for this call");
    if (result->n_violations == 0)
        return RESULT_CODE_OK;
    return result_fail(a, result, RESULT_CODE_BAD_REQUEST_DATA, "%s %s%s",
                       result->violations[0]->field, result->violations[0]->description,
                       result->n_violations > 1 ? ", and more is wrong" : "");
}

pb_Presence manifest_presence(const pb_Manifest *manifest, const char *attribute)
{
    for (size_t i = 0; i < manifest->n_attributes; i++)
        if (strcmp(manifest->attributes[i]->name, attribute) == 0)
            return manifest->attributes[i]->presence;
    return PRESENCE_UNSPECIFIED;
}
