#include "az_plan.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "isobar/base64.h"
#include "kit/spec.h"

/* Windows takes no longer name inside. */
enum { WINDOWS_NAME_MAX = 15, PASSWORD_BYTES = 24 };

/* ---- The resource group ---- */

/* None is named: the only one there is. */
static pb_ResultCode only_group(struct adapter *a, struct op *op, struct az_plan *p)
{
    struct shape_list all = {0};
    size_t index = 0;

    pb_ResultCode code =
        az_list_at(a, op, &az_group_kind, az_path(a, op->arena, "/resourcegroups"), &all);
    struct pick_item *items =
        code == RESULT_CODE_OK ? pick_items_of(op->arena, &all, sizeof(struct az_group)) : NULL;
    if (items == NULL)
        return code != RESULT_CODE_OK ? code : op_end(op, RESULT_CODE_INTERNAL_ERROR);
    code = pick_only(op, "resource group", "spec.resource_group_name", items, all.n, &index);
    if (code == RESULT_CODE_OK)
        p->group = items[index].name;
    return code;
}

static pb_ResultCode plan_group(struct adapter *a, struct op *op, struct az_plan *p)
{
    const char *wanted = p->spec->resource_group_name;
    struct az_id id;

    if (wanted[0] == '/') {
        if (!az_id_parse(op->arena, wanted, &id) || strcasecmp(id.group, id.name) != 0 ||
            strcasecmp(id.subscription, a->config->subscription_id) != 0)
            return az_bad(op, "spec.resource_group_name",
                          "is no id of a resource group of the connection's subscription");
        p->group = id.group;
    } else if (wanted[0] != '\0') {
        if (!az_is_group_name(wanted))
            return az_bad(op, "spec.resource_group_name", "is no name of a resource group");
        p->group = wanted;
    } else {
        p->group = a->config->resource_group;
    }
    if (p->group != NULL)
        return RESULT_CODE_OK;
    if (az_parameter_is(p->spec, "create_resource_group", "true"))
        return az_bad(op, "spec.resource_group_name", "is missing: it is to be made");
    return only_group(a, op, p);
}

/* What is made is known by its name, before it is. */
static void plan_ids(struct adapter *a, struct op *op, struct az_plan *p)
{
    struct arena *arena = op->arena;

    p->vm_id = az_made_id(a, arena, p->group, "Microsoft.Compute/virtualMachines", p->spec->name);
    p->nic_id =
        az_made_id(a, arena, p->group, az_nic_kind.type, az_made_name(arena, p->token, "nic"));
    if (strcasecmp(p->spec->public_ip_type, "none") != 0 && p->spec->public_ip_type[0] != '\0' &&
        p->spec->public_ip[0] == '\0')
        p->ip_id =
            az_made_id(a, arena, p->group, az_ip_kind.type, az_made_name(arena, p->token, "ip"));
}

/* ---- Who logs in ---- */

static bool is_key_text(const char *text)
{
    return (strncmp(text, "ssh-", 4) == 0 || strncmp(text, "ecdsa-", 6) == 0) &&
           strchr(text, ' ') != NULL;
}

static pb_ResultCode choose_key(struct adapter *a, struct op *op, struct az_key *ret)
{
    struct shape_list list = {0};
    size_t index = 0;

    pb_ResultCode code = az_list(a, op, &az_key_kind, &list);
    if (code != RESULT_CODE_OK)
        return code;
    if (list.n == 0)
        return az_bad(op, "spec.keypair",
                      "is missing, and there is no SSH key here to choose: give the public key "
                      "itself, for a Linux machine takes one");
    const struct az_key *keys = list.items;
    struct pick_item *items = pick_items_of(op->arena, &list, sizeof(*keys));
    if (items == NULL)
        return op_end(op, RESULT_CODE_INTERNAL_ERROR);
    code = pick_only(op, "SSH key", "spec.keypair", items, list.n, &index);
    if (code == RESULT_CODE_OK)
        *ret = keys[index];
    return code;
}

static pb_ResultCode plan_key(struct adapter *a, struct op *op, struct az_plan *p)
{
    const char *wanted = p->spec->keypair;
    struct az_key key = {0};

    if (is_key_text(wanted)) {
        p->key = wanted;
        return RESULT_CODE_OK;
    }
    pb_ResultCode code = wanted[0] == '\0'
                             ? choose_key(a, op, &key)
                             : az_find(a, op, &az_key_kind, "spec.keypair", wanted, NULL, &key);
    if (code != RESULT_CODE_OK)
        return code;
    if (key.public_key == NULL || key.public_key[0] == '\0')
        return az_bad(op, "spec.keypair",
                      "has no public key in Azure: upload or generate it first");
    p->key = key.public_key;
    return code;
}

/* Azure makes no Windows machine without a password, and one that is given to us would be kept in
 * the journal. So it gets one that nobody knows. */
static pb_ResultCode plan_password(struct op *op, struct az_plan *p)
{
    unsigned char bytes[PASSWORD_BYTES];
    struct buf b CLEANUP(buf_wipe);

    op_warn(op, "the machine's administrator has a random password that nobody knows: give it "
                "another one (az vm user update) to log in");
    if (p->spec->keypair[0] != '\0')
        op_warn(op, "spec.keypair is ignored: a Windows machine takes none");
    buf_init(&b, 4 * PASSWORD_BYTES);
    if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes) ||
        !base64_add(&b, bytes, sizeof(bytes)) || !buf_adds(&b, "aA1+"))
        return op_fail(op, RESULT_CODE_INTERNAL_ERROR, "no random bytes for a password");
    explicit_bzero(bytes, sizeof(bytes));
    p->password = arena_strndup(op->arena, b.data, b.len);
    return op->arena->exhausted ? op_end(op, RESULT_CODE_INTERNAL_ERROR) : RESULT_CODE_OK;
}

/* What Azure takes as a name inside: no _, and of Windows 15 characters. */
static void plan_computer(struct op *op, struct az_plan *p)
{
    const char *given = spec_parameter(p->spec, "computer_name");
    size_t len = strlen(p->spec->name);

    if (p->windows && len > WINDOWS_NAME_MAX)
        len = WINDOWS_NAME_MAX;
    char *name = arena_strndup(op->arena, p->spec->name, len);
    for (char *c = name; *c != '\0'; c++)
        if (*c == '_' || (*c == '.' && p->windows))
            *c = '-';
    while (len > 0 && name[0] != '\0' && (name[len - 1] == '-' || name[len - 1] == '.'))
        name[--len] = '\0';
    p->computer = given != NULL ? given : name;
}

/* ---- The rest ---- */

/* An id, or a name in the machine's group. */
static const char *reference(struct adapter *a, struct arena *arena, const struct az_plan *p,
                             const char *type, const char *given)
{
    if (given == NULL || given[0] == '/')
        return given;
    return az_made_id(a, arena, p->group, type, given);
}

static pb_ResultCode plan_identities(struct adapter *a, struct op *op, struct az_plan *p)
{
    const char *at = spec_parameter(p->spec, "identity");

    if (at == NULL)
        return RESULT_CODE_OK;
    p->identities = arena_array(op->arena, strlen(at) + 1, sizeof(*p->identities));
    while (p->identities != NULL && *at != '\0') {
        size_t len = strcspn(at, ",");
        const char *one = arena_strndup(op->arena, at, len);
        while (*one == ' ')
            one++;
        if (strcasecmp(one, "system") == 0)
            p->system_identity = true;
        else if (one[0] != '\0')
            p->identities[p->n_identities++] =
                reference(a, op->arena, p, "Microsoft.ManagedIdentity/userAssignedIdentities", one);
        at += len + (at[len] == ',');
    }
    return p->identities != NULL ? RESULT_CODE_OK : op_end(op, RESULT_CODE_INTERNAL_ERROR);
}

pb_ResultCode az_plan(struct adapter *a, struct op *op, const pb_VmSpec *spec, struct az_plan *ret)
{
    struct az_plan *p = ret;

    *p = (struct az_plan){.spec = spec, .token = op->token};
    pb_ResultCode code = az_check_spec(a, op, spec);
    if (code == RESULT_CODE_OK)
        code = plan_group(a, op, p);
    if (code != RESULT_CODE_OK)
        return code;
    plan_ids(a, op, p);
    p->availability_set = reference(a, op->arena, p, "Microsoft.Compute/availabilitySets",
                                    spec_parameter(spec, "availability_set"));
    p->proximity_group = reference(a, op->arena, p, "Microsoft.Compute/proximityPlacementGroups",
                                   spec_parameter(spec, "proximity_placement_group"));
    code = plan_identities(a, op, p);
    if (code == RESULT_CODE_OK)
        code = spec_user_data(op, spec, &p->user_data);
    if (code == RESULT_CODE_OK)
        code = az_plan_image(a, op, p);
    if (code == RESULT_CODE_OK && p->image.publisher == NULL &&
        az_parameter_is(spec, "plan", "image"))
        code = az_bad(op, "spec.parameters.plan", "image is for images of the marketplace");
    if (code == RESULT_CODE_OK)
        code = p->windows ? plan_password(op, p) : plan_key(a, op, p);
    if (code == RESULT_CODE_OK)
        code = az_plan_network(a, op, p);
    plan_computer(op, p);
    return code;
}
