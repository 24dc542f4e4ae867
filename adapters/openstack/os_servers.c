#include "os_servers.h"

#include <string.h>

#include "isobar/uuid.h"
#include "os_names.h"
#include "os_regions.h"

static const struct shape_field name_fields[] = {
    SHAPE_FIELD(struct os_thing, id, "id", SHAPE_STRING),
    SHAPE_FIELD(struct os_thing, name, "name", SHAPE_STRING),
};
static const struct shape name_shape = {sizeof(struct os_thing), name_fields,
                                        ARRAY_LEN(name_fields), 0};
OS_PAGE(names_page_shape, "servers", "servers_links", name_shape);

/* All machines with id and name alone, for "did you mean". */
static const struct os_kind name_kind = {
    .noun = "machine",
    .service = OS_COMPUTE,
    .path = "/servers",
    .item = &name_shape,
    .page = &names_page_shape,
};

OS_ONE(server_one_shape, "server", struct os_server, os_server_shape);
OS_PAGE(servers_page_shape, "servers", "servers_links", os_server_shape);

const struct os_kind os_server_kind = {
    .noun = "machine",
    .service = OS_COMPUTE,
    .path = "/servers/detail",
    .item = &os_server_shape,
    .page = &servers_page_shape,
};

static const char *pattern(struct arena *a, const char *text, bool glob)
{
    char *out = arena_alloc(a, strlen(text) * 2 + 3);
    if (out == NULL)
        return "";
    char *end = out;
    *end++ = '^';
    for (const char *c = text; *c != '\0'; c++) {
        bool letter = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
                      (*c >= '0' && *c <= '9') || *c == '-' || *c == '_';
        /* One byte or more of UTF-8 may be one letter or several to the database. */
        if ((unsigned char)*c >= 0x80 || (glob && *c == '*'))
            end = stpcpy(end, ".*");
        else
            *end++ = letter ? *c : '.';
    }
    *end++ = '$';
    return out;
}

const char *os_name_pattern(struct arena *a, const char *name)
{
    return pattern(a, name, false);
}

const char *os_glob_pattern(struct arena *a, const char *glob)
{
    return pattern(a, glob, true);
}

pb_ResultCode os_server_get(struct adapter *a, struct op *op, const char *id, struct os_server *ret)
{
    struct os_request req =
        os_get(OS_COMPUTE, arena_printf(op->arena, "/servers/%s", url_escape(op->arena, id)));
    struct http_response rsp;
    pb_ResultCode code = os_send(a, op, &req, &rsp);
    if (code == RESULT_CODE_OK)
        code = os_parse(op, &req, &rsp, &server_one_shape, ret);
    if (code == RESULT_CODE_OK && ret->id == NULL)
        code = os_unreadable(op, &req, &rsp, "there is no machine in it");
    return code;
}

/* None of the name, or several: pick() has the words. */
static pb_ResultCode fail_words(struct op *op, const char *wanted, const struct shape_list *list)
{
    struct pick_item *items = pick_items_of(op->arena, list, sizeof(struct os_thing));
    if (items == NULL)
        return op_end(op, RESULT_CODE_INTERNAL_ERROR);
    size_t index;
    pb_ResultCode code = pick(op, "machine", "id", wanted, items, list->n, &index);
    /* It has come into being between two looks. */
    return code != RESULT_CODE_OK ? code
                                  : op_fail(op, RESULT_CODE_NOT_FOUND, "no machine '%s'", wanted);
}

static pb_ResultCode find_by_name(struct adapter *a, struct op *op, const char *wanted,
                                  struct os_server *ret)
{
    const char *query = arena_printf(op->arena, "name=%s",
                                     url_escape(op->arena, os_name_pattern(op->arena, wanted)));
    struct shape_list list = {0};
    pb_ResultCode code = os_list(a, op, &os_server_kind, query, &list);
    if (code != RESULT_CODE_OK)
        return code;
    struct shape_list named = {0};
    struct os_thing *things = arena_array(op->arena, list.n + 1, sizeof(*things));
    const struct os_server *s = list.items;
    for (size_t i = 0; things != NULL && i < list.n; i++) {
        if (s[i].id == NULL || s[i].name == NULL || strcmp(s[i].name, wanted) != 0)
            continue;
        things[named.n++] = (struct os_thing){.id = s[i].id, .name = s[i].name};
        *ret = s[i];
    }
    named.items = things;
    if (named.n == 1)
        return RESULT_CODE_OK;
    if (named.n == 0 && uuid_is(wanted))
        return pick_no_id(op, os_server_kind.noun, "id", wanted);
    if (named.n == 0)
        code = os_list(a, op, &name_kind, NULL, &named);
    return code == RESULT_CODE_OK ? fail_words(op, wanted, &named) : code;
}

pb_ResultCode os_server_find(struct adapter *a, struct op *op, const char *wanted,
                             struct os_server *ret)
{
    if (uuid_is(wanted)) {
        struct op aside = op_aside(op, 0);
        pb_ResultCode code = os_server_get(a, &aside, wanted, ret);
        if (code != RESULT_CODE_NOT_FOUND)
            return op_tell(op, &aside, code);
    }
    return find_by_name(a, op, wanted, ret);
}

pb_Vm *os_server_message(struct adapter *a, struct op *op, const struct os_server *s)
{
    pb_Vm *vm = os_parse_server(op->arena, a->name, os_current_region(a, op), s);
    if (vm != NULL)
        os_names_fill(a, op, &vm, 1);
    return vm;
}

pb_ResultCode openstack_get_vm(struct adapter *a, struct op *op, const pb_GetVmRequest *req,
                               pb_GetVmResponse *ret)
{
    struct os_server server = {0};
    pb_ResultCode code = os_server_find(a, op, req->id, &server);
    if (code == RESULT_CODE_OK)
        ret->vm = os_server_message(a, op, &server);
    return op_end(op, code);
}

size_t os_server_messages(struct adapter *a, struct op *op, const struct shape_list *list,
                          pb_Vm ***ret)
{
    const char *region = os_current_region(a, op);
    const struct os_server *s = list->items;
    pb_Vm **vms = arena_array(op->arena, list->n + 1, sizeof(*vms));
    size_t n = 0;
    for (size_t i = 0; vms != NULL && i < list->n; i++) {
        vms[n] = os_parse_server(op->arena, a->name, region, &s[i]);
        n += vms[n] != NULL;
    }
    if (n > 0)
        os_names_fill(a, op, vms, n);
    *ret = vms;
    return n;
}

pb_ResultCode openstack_list_vms(struct adapter *a, struct op *op, const pb_ListVmsRequest *req,
                                 pb_ListVmsResponse *ret)
{
    const char *query = NULL;
    if (req->name[0] != '\0')
        query = arena_printf(op->arena, "name=%s",
                             url_escape(op->arena, os_glob_pattern(op->arena, req->name)));
    struct shape_list list = {0};
    pb_ResultCode code = os_list(a, op, &os_server_kind, query, &list);
    if (code != RESULT_CODE_OK)
        return op_end(op, code);
    pb_Vm **vms = NULL;
    size_t n = os_server_messages(a, op, &list, &vms);
    code = op_end(op, RESULT_CODE_OK);
    if (code == RESULT_CODE_OK) {
        ret->vms = vms;
        ret->n_vms = n;
    }
    return code;
}
