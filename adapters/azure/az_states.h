/* The states of machines, as a table. Pure. */
#ifndef AZ_STATES_H
#define AZ_STATES_H

#include "az_vms.h"

/* The first row that fits is what it means. */
struct az_state_row {
    const char *power;        /* "running", behind PowerState/; NULL: any, or none */
    const char *provisioning; /* "Creating", without regard to case; NULL: any */
    pb_VmState state;
};
extern const struct az_state_row az_states[];
extern const size_t az_states_len;

/* VM_STATE_UNKNOWN for a word that is not in the table. */
pb_VmState az_state(const char *power, const char *provisioning);
/* The power state of a machine, behind PowerState/; NULL where it is not known. */
const char *az_power(const struct az_vm *vm);
/* "running, Succeeded" */
char *az_native_state(struct arena *a, const struct az_vm *vm);

#endif
