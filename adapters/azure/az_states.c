#include "az_states.h"

#include <string.h>
#include <strings.h>

const struct az_state_row az_states[] = {
    /* What is done to it goes before what it is doing. */
    {NULL, "Deleting", false, VM_STATE_DELETING},
    {NULL, "Failed", false, VM_STATE_ERROR}, /* whatever its power state, which it keeps */
    {NULL, "Creating", false, VM_STATE_CREATING},
    {"starting", NULL, false, VM_STATE_STARTING},
    {"stopping", NULL, false, VM_STATE_STOPPING},
    {"deallocating", NULL, false, VM_STATE_STOPPING},
    {NULL, "Updating", false, VM_STATE_UPDATING},
    {NULL, "Migrating", false, VM_STATE_UPDATING},
    {"running", "Succeeded", false, VM_STATE_RUNNING},
    {"deallocated", "Succeeded", true, VM_STATE_SUSPENDED},
    {"stopped", "Succeeded", true, VM_STATE_SUSPENDED},
    {"stopped", "Succeeded", false, VM_STATE_STOPPED}, /* and still paid for */
    {"deallocated", "Succeeded", false, VM_STATE_STOPPED},
};
const size_t az_states_len = ARRAY_LEN(az_states);

static bool fits(const char *wanted, const char *word)
{
    return wanted == NULL || (word != NULL && strcasecmp(wanted, word) == 0);
}

pb_VmState az_state(const char *power, const char *provisioning, bool hibernated)
{
    for (size_t i = 0; i < az_states_len; i++) {
        const struct az_state_row *row = &az_states[i];
        if (fits(row->power, power) && fits(row->provisioning, provisioning) &&
            (!row->hibernated || hibernated))
            return row->state;
    }
    return VM_STATE_UNKNOWN;
}

/* What stands behind a prefix of a status's code, NULL where there is none. */
static const char *status(const struct az_vm *vm, const char *prefix)
{
    const struct az_status *s = vm->statuses.items;
    size_t len = strlen(prefix);

    for (size_t i = 0; i < vm->statuses.n; i++)
        if (s[i].code != NULL && strncasecmp(s[i].code, prefix, len) == 0)
            return s[i].code + len;
    return NULL;
}

const char *az_power(const struct az_vm *vm)
{
    return status(vm, "PowerState/");
}

bool az_is_hibernated(const struct az_vm *vm)
{
    const char *word = status(vm, "HibernationState/");

    return word != NULL && strcasecmp(word, "Hibernated") == 0;
}

pb_VmState az_vm_state(const struct az_vm *vm)
{
    return az_state(az_power(vm), vm->provisioning, az_is_hibernated(vm));
}

char *az_native_state(struct arena *a, const struct az_vm *vm)
{
    const char *power = az_power(vm);
    const char *provisioning = vm->provisioning != NULL ? vm->provisioning : "";

    if (power == NULL)
        return arena_strdup(a, provisioning);
    return arena_printf(a, "%s%s%s%s", power, az_is_hibernated(vm) ? ", hibernated" : "",
                        provisioning[0] != '\0' ? ", " : "", provisioning);
}

const char *az_vm_fault(struct arena *a, const struct az_vm *vm)
{
    static const char failed[] = "ProvisioningState/failed/";
    const struct az_status *s = vm->statuses.items;
    const char *fault = "";

    for (size_t i = 0; i < vm->statuses.n; i++) {
        const char *code = s[i].code != NULL ? s[i].code : "";
        const char *text = s[i].message != NULL && s[i].message[0] != '\0' ? s[i].message
                           : s[i].display != NULL                          ? s[i].display
                                                                           : "";
        if (s[i].level == NULL || strcasecmp(s[i].level, "Error") != 0 ||
            (code[0] == '\0' && text[0] == '\0'))
            continue;
        if (strncasecmp(code, failed, sizeof(failed) - 1) == 0)
            code += sizeof(failed) - 1;
        fault = arena_printf(a, "%s%s%s%s%s", fault, fault[0] != '\0' ? "; " : "", code,
                             code[0] != '\0' && text[0] != '\0' ? ": " : "", text);
    }
    return fault;
}
