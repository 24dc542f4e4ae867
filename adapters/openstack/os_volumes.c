#include "os_volumes.h"

#include <string.h>

/* Between two looks at a volume that is being made. */
enum { POLL_MS = 500 };

static const struct shape_field volume_fields[] = {
    SHAPE_FIELD(struct os_volume, thing.id, "id", SHAPE_STRING),
    SHAPE_FIELD(struct os_volume, thing.name, "name", SHAPE_STRING),
    SHAPE_FIELD(struct os_volume, status, "status", SHAPE_STRING),
    SHAPE_FIELD(struct os_volume, bootable, "bootable", SHAPE_STRING),
    SHAPE_FIELD(struct os_volume, created, "created_at", SHAPE_STRING),
    SHAPE_FIELD(struct os_volume, size, "size", SHAPE_INT),
    SHAPE_FIELD(struct os_volume, metadata, "metadata", SHAPE_MAP),
};
static const struct shape volume_shape = {sizeof(struct os_volume), volume_fields,
                                          ARRAY_LEN(volume_fields), 0};
OS_PAGE(volumes_page_shape, "volumes", "volumes_links", volume_shape);
OS_ONE(volume_one_shape, "volume", struct os_volume, volume_shape);

static const struct shape_field snapshot_fields[] = {
    SHAPE_FIELD(struct os_snapshot, thing.id, "id", SHAPE_STRING),
    SHAPE_FIELD(struct os_snapshot, thing.name, "name", SHAPE_STRING),
    SHAPE_FIELD(struct os_snapshot, status, "status", SHAPE_STRING),
    SHAPE_FIELD(struct os_snapshot, size, "size", SHAPE_INT),
};
static const struct shape snapshot_shape = {sizeof(struct os_snapshot), snapshot_fields,
                                            ARRAY_LEN(snapshot_fields), 0};
OS_PAGE(snapshots_page_shape, "snapshots", "snapshots_links", snapshot_shape);
OS_ONE(snapshot_one_shape, "snapshot", struct os_snapshot, snapshot_shape);

const struct os_kind os_volume_kind = {
    .noun = "volume",
    .service = OS_VOLUME,
    .path = "/volumes",
    .list_path = "/volumes/detail",
    .name_filter = "name",
    .item = &volume_shape,
    .page = &volumes_page_shape,
    .one = &volume_one_shape,
};

const struct os_kind os_snapshot_kind = {
    .noun = "snapshot",
    .service = OS_VOLUME,
    .path = "/snapshots",
    .list_path = "/snapshots/detail",
    .name_filter = "name",
    .item = &snapshot_shape,
    .page = &snapshots_page_shape,
    .one = &snapshot_one_shape,
};

bool os_build_volume(struct arena *a, const struct os_new_volume *v, const char *token,
                     struct os_request *ret)
{
    *ret = (struct os_request){.service = OS_VOLUME, .method = "POST", .path = "/volumes"};
    struct request_body b;
    struct json_writer *w = os_body_begin(&b);
    if (w == NULL)
        return body_end(&b, a, &ret->body, &ret->body_len);
    json_begin_object(w, "volume");
    json_put_string(w, "name", v->name);
    json_put_string(w, "description", OS_DESCRIPTION);
    json_put_int(w, "size", v->size);
    if (v->source_volume != NULL)
        json_put_string(w, "source_volid", v->source_volume);
    if (v->type != NULL)
        json_put_string(w, "volume_type", v->type);
    json_begin_object(w, "metadata");
    json_put_string(w, OS_TOKEN_KEY, token);
    if (v->keep)
        json_put_string(w, OS_KEEP_KEY, "true");
    json_end_object(w);
    json_end_object(w);
    return body_end(&b, a, &ret->body, &ret->body_len);
}

static bool is_status(const struct os_volume *v, const char *status)
{
    return v->status != NULL && strcmp(v->status, status) == 0;
}

pb_ResultCode os_volume_order(struct adapter *a, struct op *op, const struct os_new_volume *v,
                              const char *token, struct os_volume *ret)
{
    struct os_request req;
    if (!os_build_volume(op->arena, v, token, &req))
        return RESULT_CODE_INTERNAL_ERROR;
    struct http_response rsp;
    pb_ResultCode code = os_send(a, op, &req, &rsp);
    if (code == RESULT_CODE_OK)
        code = os_parse(op, &req, &rsp, &volume_one_shape, ret);
    if (code == RESULT_CODE_OK && ret->thing.id == NULL)
        code = os_unreadable(op, &req, &rsp, "there is no volume in it");
    return code;
}

pb_ResultCode os_volume_wait(struct adapter *a, struct op *op, const struct os_new_volume *v,
                             const struct os_volume *seen)
{
    struct os_volume volume = *seen;
    const char *path =
        arena_printf(op->arena, "/volumes/%s", url_escape(op->arena, seen->thing.id));
    while (!is_status(&volume, "available")) {
        if (is_status(&volume, "error"))
            return op_fail(op, RESULT_CODE_OUT_OF_CAPACITY,
                           "the cloud could not make volume '%s' of %lld GiB, and does not say why",
                           v->name, (long long)v->size);
        if (!op_sleep_ms(op, POLL_MS))
            return op_fail(
                op, op_cancelled(op) ? RESULT_CODE_CANCELLED : RESULT_CODE_DEADLINE_EXCEEDED,
                "the time was over before volume '%s' was there; allow more time", v->name);
        struct os_request req = os_get(OS_VOLUME, path);
        volume = (struct os_volume){0};
        pb_ResultCode code = os_ask(a, op, &req, &volume_one_shape, &volume);
        if (code != RESULT_CODE_OK)
            return code;
    }
    return RESULT_CODE_OK;
}

struct limits {
    int64_t max_volumes, volumes, max_gib, gib; /* a maximum of -1: none */
};

static const struct shape_field absolute_fields[] = {
    SHAPE_FIELD(struct limits, max_volumes, "maxTotalVolumes", SHAPE_INT),
    SHAPE_FIELD(struct limits, volumes, "totalVolumesUsed", SHAPE_INT),
    SHAPE_FIELD(struct limits, max_gib, "maxTotalVolumeGigabytes", SHAPE_INT),
    SHAPE_FIELD(struct limits, gib, "totalGigabytesUsed", SHAPE_INT),
};
static const struct shape absolute_shape = {sizeof(struct limits), absolute_fields,
                                            ARRAY_LEN(absolute_fields), 0};
OS_ONE(limits_inner_shape, "absolute", struct limits, absolute_shape);
OS_ONE(limits_shape, "limits", struct limits, limits_inner_shape);

static pb_ResultCode used_up(struct op *op, const char *what, int64_t max, int64_t used,
                             int64_t more)
{
    op->result->blame = BLAME_CLOUD;
    op_retry(op, RETRY_CLASS_AFTER_BACKOFF, 0, RETRY_SCOPE_ACCOUNT);
    return op_fail(
        op, RESULT_CODE_QUOTA_EXCEEDED,
        "the cloud's quota is %lld %s, %lld are in use, and the machine needs %lld more; "
        "delete what is not needed, or ask for a larger quota",
        (long long)max, what, (long long)used, (long long)more);
}

pb_ResultCode os_volume_quota(struct adapter *a, struct op *op, int64_t volumes, int64_t gib)
{
    struct limits l = {.max_volumes = -1, .max_gib = -1};
    struct os_request req = os_get(OS_VOLUME, "/limits");
    struct op aside = op_aside(op, 0);
    if (volumes == 0 || os_ask(a, &aside, &req, &limits_shape, &l) != RESULT_CODE_OK)
        return RESULT_CODE_OK;
    if (l.max_volumes >= 0 && l.volumes + volumes > l.max_volumes)
        return used_up(op, "volumes", l.max_volumes, l.volumes, volumes);
    if (l.max_gib >= 0 && l.gib + gib > l.max_gib)
        return used_up(op, "GiB of volumes", l.max_gib, l.gib, gib);
    return RESULT_CODE_OK;
}

bool os_volume_is_ours(const struct os_volume *v, const char *token)
{
    const char *has = shape_map_get(&v->metadata, OS_TOKEN_KEY);
    return v->thing.id != NULL && has != NULL && strcmp(has, token) == 0;
}

bool os_volume_is_free(const struct os_volume *v)
{
    /* Cinder's words for what nobody has. */
    static const char *const words[] = {"available",   "error",    "creating",
                                        "downloading", "deleting", "error_deleting"};
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (is_status(v, words[i]))
            return true;
    }
    return false;
}
