/* POST /servers. Pure. */
#include <string.h>

#include "kit/spec.h"
#include "os_plan.h"

/* From which microversion on Nova takes it. */
enum { SINCE_TAGS = 52, SINCE_VOLUME_TYPE = 67 };

const struct os_since os_since[] = {
    {"description", 19},
    {"volume_type", SINCE_VOLUME_TYPE},
    {"hostname", 90},
};
const size_t os_since_len = ARRAY_LEN(os_since);

static bool takes(const char *parameter, int minor)
{
    for (size_t i = 0; i < os_since_len; i++) {
        if (strcmp(os_since[i].parameter, parameter) == 0)
            return minor >= os_since[i].minor;
    }
    return true;
}

/* How each way to boot is written in block_device_mapping_v2. */
static const struct boot_words {
    const char *source, *destination;
    bool sized, deleted; /* a size has to be said; it goes with the machine */
} map_boot[] = {
    [OS_BOOT_IMAGE] = {"image", "local", false, true},
    [OS_BOOT_IMAGE_VOLUME] = {"image", "volume", true, true},
    [OS_BOOT_VOLUME] = {"volume", "volume", false, false},
    [OS_BOOT_VOLUME_COPY] = {"volume", "volume", false, true},
    [OS_BOOT_SNAPSHOT_VOLUME] = {"snapshot", "volume", true, true},
};

static void put_disk(struct json_writer *w, int boot_index, const struct boot_words *words,
                     const char *id, int64_t size, const char *type)
{
    json_begin_object(w, NULL);
    json_put_int(w, "boot_index", boot_index);
    json_put_string(w, "source_type", words->source);
    json_put_string(w, "destination_type", words->destination);
    json_put_bool(w, "delete_on_termination", words->deleted);
    if (id != NULL)
        json_put_string(w, "uuid", id);
    if (words->sized)
        json_put_int(w, "volume_size", size);
    if (words->sized && type != NULL)
        json_put_string(w, "volume_type", type);
    json_end_object(w);
}

static void put_disks(struct json_writer *w, const struct os_plan *p, int minor)
{
    bool types = minor >= SINCE_VOLUME_TYPE;
    if (p->boot == OS_BOOT_IMAGE)
        json_put_string(w, "imageRef", p->source_id);
    if (p->boot == OS_BOOT_IMAGE && p->n_volumes == 0)
        return;
    json_begin_array(w, "block_device_mapping_v2");
    put_disk(w, 0, &map_boot[p->boot], p->source_id, p->boot_size, types ? p->volume_type : NULL);
    for (size_t i = 0; i < p->n_volumes; i++) {
        const struct os_plan_volume *v = &p->volumes[i];
        struct boot_words words = {v->id == NULL ? "blank" : "volume", "volume", v->id == NULL,
                                   !v->spec->keep};
        put_disk(w, -1, &words, v->id, v->spec->size_gib,
                 types && v->spec->volume_type[0] != '\0' ? v->spec->volume_type : NULL);
    }
    json_end_array(w);
}

static void put_tags(struct json_writer *w, const struct os_plan *p, int minor)
{
    json_begin_object(w, "metadata");
    for (size_t i = 0; i < p->spec->n_tags; i++)
        json_put_string(w, p->spec->tags[i]->key, p->spec->tags[i]->value);
    json_put_string(w, OS_TOKEN_KEY, p->token);
    json_end_object(w);
    if (minor >= SINCE_TAGS) {
        json_begin_array(w, "tags");
        json_put_string(w, NULL, p->mark);
        json_end_array(w);
    }
}

static void put(struct json_writer *w, const char *key, const char *value)
{
    if (value != NULL && value[0] != '\0')
        json_put_string(w, key, value);
}

bool os_build_server(struct arena *a, const struct os_plan *p, const char *port_id, int minor,
                     struct os_request *ret)
{
    *ret = (struct os_request){.service = OS_COMPUTE, .method = "POST", .path = "/servers"};
    struct request_body b;
    struct json_writer *w = os_body_begin(&b);
    if (w == NULL)
        return body_end(&b, a, &ret->body, &ret->body_len);
    json_begin_object(w, "server");
    json_put_string(w, "name", p->spec->name);
    json_put_string(w, "flavorRef", p->flavor.thing.id);
    put_disks(w, p, minor);
    json_begin_array(w, "networks");
    json_begin_object(w, NULL);
    json_put_string(w, "port", port_id);
    json_end_object(w);
    json_end_array(w);
    put(w, "key_name", p->keypair);
    put(w, "availability_zone", p->spec->zone);
    put(w, "user_data", p->user_data);
    const char *config_drive = spec_parameter(p->spec, "config_drive");
    if (config_drive != NULL)
        json_put_bool(w, "config_drive", strcmp(config_drive, "true") == 0);
    static const char *const texts[] = {"description", "hostname"};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        if (takes(texts[i], minor))
            put(w, texts[i], spec_parameter(p->spec, texts[i]));
    }
    put_tags(w, p, minor);
    json_end_object(w);
    if (p->server_group != NULL) {
        json_begin_object(w, "os:scheduler_hints");
        json_put_string(w, "group", p->server_group);
        json_end_object(w);
    }
    return body_end(&b, a, &ret->body, &ret->body_len);
}
