"""How the making of a machine ends, and when."""

import time
import uuid

import arm_operations
from arm_vms import shown_vm

ENDS = {
    'AllocationFailed': 'Allocation failed. We do not have sufficient capacity for the requested VM '
                        'size in this region. Read more about improving likelihood of allocation '
                        'success at https://aka.ms/allocation-guidance',
    'ZonalAllocationFailed': 'Allocation failed. We do not have sufficient capacity for the '
                             'requested VM size in this zone.',
    'SkuNotAvailable': 'The requested VM size is currently not available in this location.',
    'OSProvisioningTimedOut': "OS Provisioning for VM did not finish in the allotted time. The VM "
                              'may still finish provisioning successfully.',
    'OperationPreempted': 'The operation has been preempted by a more recent operation.',
}


def end_of(lab, name, size, zones):
    """The error that the making of this machine ends with, or None."""
    for beginning, code in lab.fail.items():
        if name.startswith(beginning):
            return code, ENDS.get(code, code)
    zone, now = zones[0] if zones else '', time.time()
    running = [vm.base for vm in lab.alive('vm')
               if vm.base['name'] != name and vm.at(now)['power'] in (None, 'running', 'stopped')
               and vm.at(now)['state'] != 'Failed']
    for key in '%s/%s' % (zone, size), '*/' + size, zone + '/*', '*/*':
        if key not in lab.capacity:
            continue
        where, _, what = key.partition('/')
        have = sum(where in ('*', each['zones'][0] if each['zones'] else '') and
                   what in ('*', each['size']) for each in running)
        if have >= lab.capacity[key]:
            code = 'ZonalAllocationFailed' if zones else 'AllocationFailed'
            return code, ENDS[code]
    return None


def ends_at(lab, name, seconds):
    """When an operation of a machine is over that takes so long."""
    if lab.endless and name.startswith(lab.endless):
        return arm_operations.NEVER
    return time.time() + seconds


def boot(lab, call, vm, error):
    """The machine is being made from now on; the headers of the answer. One that has not come up in
    time runs."""
    now, ends = time.time(), ends_at(lab, vm.base['name'], lab.boot)
    if error is None:
        vm.change(ends, state='Succeeded', power='running', since=ends, error=None,
                  etag=str(uuid.uuid4()))
    else:
        runs = error[0] == 'OSProvisioningTimedOut'
        vm.change(ends, state='Failed', power='running' if runs else None, error=error, since=ends)
    return begin(lab, call, vm, now, ends, error)


def begin(lab, call, vm, now, ends, error=None):
    """The headers of an operation that gives the machine."""
    operation = lab.current[vm.base['id']] = arm_operations.Operation(
        'compute', now, ends, error, lambda: shown_vm(lab, vm.at(time.time()), call.version))
    return arm_operations.begin(lab, call, operation, vm.base['location'])
