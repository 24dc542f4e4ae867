#include "request.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "field.h"
#include "isobar/pbjson.h"
#include "meant.h"
#include "value.h"

static void close_fd(int *fd)
{
    if (*fd > STDERR_FILENO) {
        close(*fd);
    }
}

bool request_read_file(const char *path, struct buf *out, char why[REQUEST_WHY])
{
    CLEANUP(close_fd)
    int fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        snprintf(why, REQUEST_WHY, "cannot read %.200s: %s", path, strerror(errno));
        return false;
    }
    for (;;) {
        char *to = buf_reserve(out, 65536);
        ssize_t n = to ? read(fd, to, 65536) : 0;
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            snprintf(why, REQUEST_WHY, "cannot read %.200s: %s", path, strerror(errno));
            return false;
        }
        if (!to || out->len + (size_t)n > REQUEST_FILE_MAX) {
            snprintf(why, REQUEST_WHY, "%.200s is above %zu MiB", path, REQUEST_FILE_MAX >> 20);
            return false;
        }
        if (n == 0) {
            return true;
        }
        out->len += (size_t)n;
    }
}

static bool set_file(struct arena *a, ProtobufCMessage *m, const struct flag *f, const char *path,
                     char *why)
{
    CLEANUP(buf_done) struct buf content;
    buf_init(&content, REQUEST_FILE_MAX + 65536);
    if (!request_read_file(path, &content, why)) {
        return false;
    }
    if (f->kind == FLAG_FILE) {
        if (!field_set_bytes(a, m, f->path, content.data ? content.data : "", content.len)) {
            snprintf(why, REQUEST_WHY, "the content of %.200s cannot be sent", path);
            return false;
        }
        return true;
    }
    char what[160] = "";
    const ProtobufCFieldDescriptor *field = field_at(m->descriptor, f->path);
    ProtobufCMessage *part =
        pbjson_read(a, field->descriptor, content.data ? content.data : "", content.len, what);
    if (!part || !field_put_message(a, m, f->path, part)) {
        snprintf(why, REQUEST_WHY, "%.200s: %s", path, what);
        return false;
    }
    return true;
}

static const struct flag *find_part(const ProtobufCMessageDescriptor *type, const char *key,
                                    char *why)
{
    const struct flag *f = flag_find(type, key);
    const char *names[16];
    size_t n = 0;
    for (const struct flag *each; !f && n < ARRAY_LEN(names) && (each = flag_at(type, n));) {
        names[n++] = each->name;
    }
    if (f) {
        return f;
    }
    meant(why, REQUEST_WHY, "key", key, names, n, true);
    return NULL;
}

/* "size=10,type=ssd,keep" into a new element. */
static bool set_parts(struct arena *a, ProtobufCMessage *m, const struct flag *f, const char *text,
                      char *why)
{
    ProtobufCMessage *element = field_add_message(a, m, f->path);
    while (element && *text) {
        size_t len = strcspn(text, ","), key_len = strcspn(text, "=,");
        const char *key = arena_strndup(a, text, key_len);
        const struct flag *part = find_part(element->descriptor, key, why);
        if (!part) {
            return false;
        }
        const char *value =
            key_len < len ? arena_strndup(a, text + key_len + 1, len - key_len - 1) : NULL;
        if (!value && !flag_is_bool(element->descriptor, part)) {
            snprintf(why, REQUEST_WHY, "%s needs a value: %s=%s", key, key, part->arg);
            return false;
        }
        char what[FIELD_WHY];
        if (!field_set(a, element, part->path, value ? value : "true", false, what)) {
            snprintf(why, REQUEST_WHY, "%s: %s", key, what);
            return false;
        }
        text += len + (text[len] == ',');
    }
    return element != NULL;
}

/* Where this occurrence of a flag goes: the path first, `rest` from the second on. */
static const char *path_of(const struct args_flag *flags, size_t i)
{
    const struct flag *f = flags[i].flag;
    for (size_t k = 0; f->rest && k < i; k++) {
        if (flags[k].flag == f) {
            return f->rest;
        }
    }
    return f->path;
}

static bool set_flag(struct arena *a, ProtobufCMessage *m, const struct args_flag *flags, size_t i,
                     char *why)
{
    const struct flag *f = flags[i].flag;
    const char *value = flags[i].value;
    char what[REQUEST_WHY] = "";
    bool good;
    if (f->kind == FLAG_FILE || f->kind == FLAG_JSON_FILE) {
        good = set_file(a, m, f, value, what);
    } else if (flag_parts(m->descriptor, f)) {
        good = set_parts(a, m, f, value, what);
    } else {
        value = f->fixed ? f->fixed : value ? value : "true";
        good = field_set(a, m, path_of(flags, i), value, f->kind == FLAG_KEYS, what);
    }
    if (!good) {
        snprintf(why, REQUEST_WHY, "--%s: %.*s", f->name, REQUEST_WHY - 64, what);
    }
    return good;
}

ProtobufCMessage *request_new(struct arena *a, const ProtobufCMessageDescriptor *type,
                              const struct args_flag *flags, size_t n, char why[REQUEST_WHY])
{
    ProtobufCMessage *m = arena_message(a, type);
    if (!m) {
        snprintf(why, REQUEST_WHY, "no memory");
        return NULL;
    }
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < n; i++) {
            bool first = flags[i].flag->kind == FLAG_JSON_FILE;
            if (first == (pass == 0) && flag_field(type, flags[i].flag) &&
                !set_flag(a, m, flags, i, why)) {
                return NULL;
            }
        }
    }
    return m;
}

/* "toy/toy-1" to the fields that "name/id" names; no part may be empty. */
static bool set_both(struct arena *a, ProtobufCMessage *m, const char *fields, const char *word)
{
    char why[FIELD_WHY];
    const char *second = strchr(fields, '/') + 1, *slash = strchr(word, '/');
    const char *first = arena_strndup(a, fields, (size_t)(second - 1 - fields));
    return slash && slash != word && slash[1] &&
           field_set_bytes(a, m, first, word, (size_t)(slash - word)) &&
           field_set(a, m, second, slash + 1, false, why);
}

bool request_set_word(struct arena *a, ProtobufCMessage *m, const char *field, const char *word)
{
    char why[FIELD_WHY];
    const char *cloud = value_string(m, "cloud");
    const char *slash = strchr(word, '/');
    size_t head = slash ? (size_t)(slash - word) : 0;
    if (strchr(field, '/')) {
        return set_both(a, m, field, word);
    }
    bool has_cloud = field_at(m->descriptor, "cloud") && strcmp(field, "cloud") != 0;
    if (has_cloud && head && slash[1] &&
        (!*cloud || (strlen(cloud) == head && strncmp(cloud, word, head) == 0))) {
        if (!field_set_bytes(a, m, "cloud", word, head)) {
            return false;
        }
        word = slash + 1;
    }
    return field_set(a, m, field, word, false, why);
}
