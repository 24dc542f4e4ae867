#include "view.h"

#include <stdio.h>
#include <string.h>

#include "meant.h"
#include "symbol.h"

static const struct view views[] = {
    {&pb_Vm_desc, "cloud name id state flavor=flavor_name ip=addresses.ip",
     "image=image_name zone keypair created=created_at native_state"},
    {&pb_VmResult_desc, "cloud=vm.cloud id name=vm.name state=vm.state result=result.code",
     "vm_id=vm.id native_state=vm.native_state operation=result.operation_id detail=result.detail"},
    {&pb_Image_desc, "cloud name id status size=size_bytes visibility",
     "os=os_type architecture format min_disk_gib min_memory_mib created=created_at"},
    {&pb_Flavor_desc, "cloud name id vcpus memory_mib disk_gib",
     "ephemeral_gib swap_mib gpus architecture public=is_public"},
    {&pb_Network_desc, "cloud name id status external=is_external",
     "shared=is_shared mtu subnets=subnet_ids"},
    {&pb_Subnet_desc, "cloud name id cidr gateway=gateway_ip network=network_id",
     "ip_version dhcp=dhcp_enabled dns=dns_servers zone"},
    {&pb_SecurityGroup_desc, "cloud name id description", "network=network_id"},
    {&pb_Keypair_desc, "cloud name id type fingerprint", "created=created_at"},
    {&pb_Region_desc, "cloud name id current=is_current", "description"},
    {&pb_Zone_desc, "cloud name id region available", ""},
    {&pb_Cloud_desc, "name adapter version=adapter_version in_flight queued calls failures",
     "max_in_flight max_queued settings defaults"},
    {&pb_Adapter_desc,
     "name version instance=instance.id status=instance.status clouds=instance.clouds.name "
     "weight=instance.weight lease_age_ms=instance.lease_age_ms in_flight=instance.in_flight "
     "calls=instance.calls errors=instance.errors",
     "description status_reason=instance.status_reason endpoints=instance.endpoints "
     "owner=instance.owner registered_at=instance.registered_at"},
    {&pb_AdapterInstance_desc,
     "id status clouds=clouds.name weight lease_age_ms in_flight calls errors",
     "status_reason endpoints owner registered_at"},
    {&pb_Operation_desc,
     "id state attempts=attempt cancelled method cloud native_id result=result.code "
     "created=created_at",
     "updated=updated_at principal request_id detail=result.detail"},
    {&pb_Leftover_desc, "cloud name id kind operation=operation_id verdict in_use",
     "created=created_at"},
    {&pb_CheckCloudResponse_desc, "services elapsed_us", ""},
    {&pb_HealthCheckResponse_desc, "status", ""},
};

const struct view *view_of(const ProtobufCMessageDescriptor *type)
{
    for (size_t i = 0; i < ARRAY_LEN(views); i++) {
        if (views[i].type == type) {
            return &views[i];
        }
    }
    return NULL;
}

static bool may_cut(const struct value_path *p)
{
    static const char *const prose[] = {"description", "detail", "fault", "status_reason"};
    bool cut = false;
    for (size_t i = 0; i < p->n; i++) {
        cut |= p->fields[i]->label == PROTOBUF_C_LABEL_REPEATED;
    }
    for (size_t i = 0; i < ARRAY_LEN(prose); i++) {
        cut |= strcmp(p->fields[p->n - 1]->name, prose[i]) == 0;
    }
    return cut;
}

static bool column_make(const ProtobufCMessageDescriptor *type, const char *title, const char *path,
                        struct column *ret)
{
    if (!value_path(type, path, &ret->path)) {
        return false;
    }
    ret->title = title;
    ret->is_number = value_path_is_number(&ret->path);
    ret->may_cut = may_cut(&ret->path);
    return true;
}

/* The next column of a view's list: title and path, in the arena. */
static bool next_column(struct arena *a, const char **list, const char **ret_title,
                        const char **ret_path)
{
    *list += strspn(*list, " ");
    size_t len = strcspn(*list, " ");
    if (!len) {
        return false;
    }
    char *word = arena_strndup(a, *list, len), *eq = strchr(word, '=');
    *list += len;
    *ret_title = word;
    *ret_path = word;
    if (eq) {
        *eq = 0;
        *ret_path = eq + 1;
    }
    return true;
}

size_t view_columns(struct arena *a, const struct view *v, bool wide, struct column **ret)
{
    struct column *columns = arena_array(a, VIEW_COLUMNS_MAX, sizeof(*columns));
    const char *lists[] = {v->columns, wide ? v->wide : ""};
    size_t n = 0;
    for (size_t i = 0; columns && i < ARRAY_LEN(lists); i++) {
        const char *title, *path;
        while (n < VIEW_COLUMNS_MAX && next_column(a, &lists[i], &title, &path)) {
            n += column_make(v->type, title, path, &columns[n]);
        }
    }
    *ret = columns;
    return n;
}

/* The path that a word means: a title of the view, else the word itself. */
static const char *path_of_title(struct arena *a, const struct view *v, const char *word)
{
    const char *lists[] = {v->columns, v->wide}, *title, *path;
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        while (next_column(a, &lists[i], &title, &path)) {
            if (strcasecmp(title, word) == 0) {
                return path;
            }
        }
    }
    return word;
}

struct names {
    struct arena *arena;
    const char **items;
    size_t n, max;
};

static void gather_paths(struct names *names, const ProtobufCMessageDescriptor *type,
                         const char *prefix, int depth)
{
    for (unsigned i = 0; i < type->n_fields && names->n < names->max; i++) {
        const ProtobufCFieldDescriptor *f = &type->fields[i];
        const char *path = arena_printf(names->arena, "%s%s", prefix, f->name);
        names->items[names->n++] = path;
        if (f->type == PROTOBUF_C_TYPE_MESSAGE && !symbol_is_map(f) && depth < 2) {
            gather_paths(names, f->descriptor, arena_printf(names->arena, "%s.", path), depth + 1);
        }
    }
}

static void unknown_column(struct arena *a, const struct view *v, const char *word, char *why)
{
    struct names names = {.arena = a, .items = arena_array(a, 256, sizeof(char *)), .max = 256};
    const char *lists[] = {v->columns, v->wide}, *title, *path;
    for (size_t i = 0; i < ARRAY_LEN(lists) && names.items; i++) {
        while (names.n < names.max && next_column(a, &lists[i], &title, &path)) {
            names.items[names.n++] = title;
        }
    }
    if (names.items) {
        gather_paths(&names, v->type, "", 0);
    }
    meant(why, VIEW_WHY, "column", word, names.items, names.n, false);
}

size_t view_choose(struct arena *a, const struct view *v, const char *text, struct column **ret,
                   char why[VIEW_WHY])
{
    struct column *columns = arena_array(a, VIEW_COLUMNS_MAX, sizeof(*columns));
    size_t n = 0;
    *ret = columns;
    while (columns) {
        size_t len = strcspn(text, ",");
        const char *word = arena_strndup(a, text, len);
        if (n == VIEW_COLUMNS_MAX) {
            snprintf(why, VIEW_WHY, "more than %d columns", VIEW_COLUMNS_MAX);
            return 0;
        }
        if (!column_make(v->type, word, path_of_title(a, v, word), &columns[n++])) {
            unknown_column(a, v, word, why);
            return 0;
        }
        if (!text[len]) {
            return n;
        }
        text += len + 1;
    }
    snprintf(why, VIEW_WHY, "no memory");
    return 0;
}

enum table_color view_color(const struct value *v)
{
    static const struct {
        const ProtobufCEnumDescriptor *type;
        int value;
        enum table_color color;
    } rows[] = {
        {&pb_VmState_desc, VM_STATE_RUNNING, TABLE_GOOD},
        {&pb_VmState_desc, VM_STATE_STOPPED, TABLE_FAINT},
        {&pb_VmState_desc, VM_STATE_SUSPENDED, TABLE_FAINT},
        {&pb_VmState_desc, VM_STATE_DELETED, TABLE_FAINT},
        {&pb_VmState_desc, VM_STATE_ERROR, TABLE_BAD},
        {&pb_VmState_desc, -1, TABLE_BUSY},
        {&pb_OperationState_desc, OPERATION_STATE_DONE, TABLE_GOOD},
        {&pb_OperationState_desc, OPERATION_STATE_UNKNOWN, TABLE_BAD},
        {&pb_OperationState_desc, -1, TABLE_BUSY},
        {&pb_LeftoverVerdict_desc, LEFTOVER_VERDICT_KNOWN, TABLE_GOOD},
        {&pb_LeftoverVerdict_desc, LEFTOVER_VERDICT_IN_WORK, TABLE_BUSY},
        {&pb_LeftoverVerdict_desc, LEFTOVER_VERDICT_FOREIGN, TABLE_FAINT},
        {&pb_LeftoverVerdict_desc, -1, TABLE_BAD},
        {&pb_AdapterStatus_desc, ADAPTER_STATUS_UP, TABLE_GOOD},
        {&pb_AdapterStatus_desc, ADAPTER_STATUS_DRAINING, TABLE_BUSY},
        {&pb_AdapterStatus_desc, -1, TABLE_BAD},
        {&pb_ResultCode_desc, RESULT_CODE_OK, TABLE_GOOD},
        {&pb_ResultCode_desc, RESULT_CODE_CREATED, TABLE_GOOD},
        {&pb_ResultCode_desc, RESULT_CODE_DELETED, TABLE_GOOD},
        {&pb_ResultCode_desc, RESULT_CODE_CHANGED, TABLE_GOOD},
        {&pb_ResultCode_desc, RESULT_CODE_ACCEPTED, TABLE_BUSY},
        {&pb_ResultCode_desc, -1, TABLE_BAD},
    };
    for (size_t i = 0; v->enumeration && i < ARRAY_LEN(rows); i++) {
        if (rows[i].type == v->enumeration &&
            (rows[i].value == v->enum_value || rows[i].value == -1)) {
            return rows[i].color;
        }
    }
    return TABLE_PLAIN;
}
