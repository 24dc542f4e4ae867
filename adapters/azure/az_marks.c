#include "az_marks.h"

#include <string.h>
#include <strings.h>

static const struct shape_field resource_fields[] = {
    AZ_THING_FIELDS(struct az_resource),
    SHAPE_FIELD(struct az_resource, type, "type", SHAPE_STRING),
};
static const struct shape resource_shape = {sizeof(struct az_resource), resource_fields,
                                            ARRAY_LEN(resource_fields), 0};
AZ_PAGE(resource_page, resource_shape);
static const struct az_kind resource_kind = {
    .noun = "resource",
    .service = AZ_RESOURCES,
    .item = &resource_shape,
    .page = &resource_page,
};

const char *az_thing_token(const struct az_thing *t)
{
    for (size_t i = 0; i < t->tags.n; i++) {
        const struct shape_pair *tag = &t->tags.items[i];
        if (strcasecmp(tag->key, AZ_TOKEN_KEY) == 0 && tag->value != NULL && tag->value[0] != '\0')
            return tag->value;
    }
    return NULL;
}

bool az_thing_is_ours(const struct az_thing *t, const char *token)
{
    const char *has = az_thing_token(t);
    size_t prefix = strlen(AZ_MARK_PREFIX), len = has != NULL ? strlen(has) : 0;

    return has != NULL && (token == NULL || strcasecmp(has, token) == 0) && t->name != NULL &&
           strncasecmp(t->name, AZ_MARK_PREFIX, prefix) == 0 &&
           strncasecmp(t->name + prefix, has, len) == 0 && t->name[prefix + len] == '-';
}

bool az_vm_has_tag(const struct az_vm *vm, const char *token)
{
    const char *has = az_thing_token(&vm->thing);

    return has != NULL && strcasecmp(has, token) == 0;
}

bool az_vm_is_ours(struct arena *a, const struct az_vm *vm, const char *token)
{
    const struct az_reference *nics = vm->nics.items;
    struct az_thing thing = {.name = vm->os_disk.name, .tags = vm->thing.tags};
    bool ours = az_thing_is_ours(&thing, token);

    for (size_t i = 0; i < vm->nics.n && !ours; i++) {
        thing.name = az_id_name(a, nics[i].id);
        ours = az_thing_is_ours(&thing, token);
    }
    return ours;
}

bool az_vm_is_going(const struct az_vm *vm)
{
    return vm->provisioning != NULL && strcasecmp(vm->provisioning, "Deleting") == 0;
}

/* ---- Lists ---- */

pb_ResultCode az_resources_by_token(struct adapter *a, struct op *op, const char *token,
                                    struct shape_list *ret)
{
    const char *filter =
        arena_printf(op->arena, "tagName eq '" AZ_TOKEN_KEY "' and tagValue eq '%s'", token);

    if (strchr(token, '\'') != NULL) /* no token of ours */
        return RESULT_CODE_OK;
    return az_list_at(a, op, &resource_kind,
                      az_path(a, op->arena, "/resources?$filter=%s", url_escape(op->arena, filter)),
                      ret);
}

pb_ResultCode az_vms_of(struct adapter *a, struct op *op, const struct shape_list *resources,
                        const char *token, struct shape_list *ret)
{
    const struct az_resource *r = resources->items;
    struct az_vm *vms = arena_array(op->arena, resources->n + 1, sizeof(*vms));
    size_t n = 0;

    if (vms == NULL)
        return op_end(op, RESULT_CODE_INTERNAL_ERROR);
    for (size_t i = 0; i < resources->n; i++) {
        struct op aside = op_aside(op, 0);
        if (!az_id_is(r[i].type, az_vm_kind.type) || r[i].thing.id == NULL)
            continue;
        vms[n] = (struct az_vm){0};
        pb_ResultCode code = az_find_by_id(a, &aside, &az_vm_kind, r[i].thing.id, &vms[n]);
        if (code != RESULT_CODE_OK && code != RESULT_CODE_NOT_FOUND)
            return op_tell(op, &aside, code);
        if (code == RESULT_CODE_OK && az_vm_has_tag(&vms[n], token))
            n++;
    }
    *ret = (struct shape_list){n, vms};
    return RESULT_CODE_OK;
}

pb_ResultCode azure_list_operation_vms(struct adapter *a, struct op *op,
                                       const pb_ListOperationVmsRequest *req,
                                       pb_ListOperationVmsResponse *ret)
{
    struct shape_list resources = {0}, list = {0};
    pb_Vm **vms = NULL;

    if (req->operation_id[0] == '\0')
        return op_fail(op, RESULT_CODE_INVALID_REQUEST, "operation_id is missing");
    pb_ResultCode code = az_resources_by_token(a, op, req->operation_id, &resources);
    if (code == RESULT_CODE_OK)
        code = az_vms_of(a, op, &resources, req->operation_id, &list);
    if (code != RESULT_CODE_OK)
        return op_end(op, code);
    struct az_vm *all = list.items;
    size_t ours = 0;
    for (size_t i = 0; i < list.n; i++)
        if (az_vm_is_ours(op->arena, &all[i], req->operation_id))
            all[ours++] = all[i];
    list.n = ours;
    size_t n = az_vm_messages(a, op, &list, &vms);
    code = op_end(op, RESULT_CODE_OK);
    if (code == RESULT_CODE_OK) {
        ret->vms = vms;
        ret->n_vms = n;
    }
    return code;
}
