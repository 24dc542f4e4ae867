/* The states of machines, as a table. Pure. */
#ifndef AZ_STATES_H
#define AZ_STATES_H

#include "az_vms.h"

/* The first row that fits is what it means. */
struct az_state_row {
    const char *power;        /* "running", behind PowerState/; NULL: any, or none */
    const char *provisioning; /* "Creating"; NULL: any */
    bool hibernated;          /* only where it is */
    pb_VmState state;
};
extern const struct az_state_row az_states[];
extern const size_t az_states_len;

/* VM_STATE_UNKNOWN for a word that is not in the table. Words are without regard to case. */
pb_VmState az_state(const char *power, const char *provisioning, bool hibernated);
pb_VmState az_vm_state(const struct az_vm *vm);
/* The power state of a machine, behind PowerState/; NULL where it is not known. */
const char *az_power(const struct az_vm *vm);
/* Its memory is on its disk, to be taken up by the next start. */
bool az_is_hibernated(const struct az_vm *vm);
/* "running, Succeeded"; "deallocated, hibernated, Succeeded" */
char *az_native_state(struct arena *a, const struct az_vm *vm);
/* What its statuses say of errors; "" where there are none. */
const char *az_vm_fault(struct arena *a, const struct az_vm *vm);

#endif
