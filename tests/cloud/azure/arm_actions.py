"""What is done to machines that are there: power, and their end."""

import time

import arm_operations
from arm_answers import Refused
from arm_boot import ends_at
from arm_nics import let_addresses_go
from arm_routes import GROUP, route
from arm_update import busy
from arm_vms import VMS

# Since when deallocate can hibernate: "hibernate" of VirtualMachines_Deallocate.
HIBERNATE = '2021-07-01'


def change(lab, call, group, name, meanwhile, after, **more):
    """202; `meanwhile` and `after` are power states, None: as it was."""
    vm, now = lab.need('vm', group, name), time.time()
    fields = vm.at(now)
    busy(fields)
    ends = ends_at(lab, name, lab.pace)
    vm.change(now, state='Updating', power=meanwhile or fields['power'], since=now)
    vm.change(ends, state='Succeeded', power=after or fields['power'], since=ends, error=None, **more)
    lab.note(call.path.rpartition('/')[2], 'vm', vm.base['id'], vm.token)
    operation = lab.current[vm.base['id']] = arm_operations.Operation('compute', now, ends)
    return 202, None, arm_operations.begin(lab, call, operation, vm.base['location'],
                                           ('status', 'location'))


def need_power(lab, group, name, words):
    """Refused where it is deallocated."""
    if lab.need('vm', group, name).at(time.time())['power'] == 'deallocated':
        raise Refused(409, 'OperationNotAllowed', "Operation '%s' is not allowed on VM '%s' since the "
                      'VM is deallocated. Start the VM, and try again.' % (words, name))


@route('POST', GROUP + VMS + '/{}/start', 'compute')
def start(lab, call, group, name):
    running = lab.need('vm', group, name).at(time.time())['power'] == 'running'
    return change(lab, call, group, name, None if running else 'starting', 'running',
                  hibernated=False)


@route('POST', GROUP + VMS + '/{}/restart', 'compute')
def restart(lab, call, group, name):
    need_power(lab, group, name, 'restart')
    return change(lab, call, group, name, None, 'running')


@route('POST', GROUP + VMS + '/{}/poweroff', 'compute')
def power_off(lab, call, group, name):
    need_power(lab, group, name, 'powerOff')
    return change(lab, call, group, name, 'stopping', 'stopped')


@route('POST', GROUP + VMS + '/{}/deallocate', 'compute')
def deallocate(lab, call, group, name):
    hibernates = call.version >= HIBERNATE and call.query.get('hibernate', '').lower() == 'true'
    if hibernates:
        fields = lab.need('vm', group, name).at(time.time())
        if not fields['more'].get('additionalCapabilities', {}).get('hibernationEnabled'):
            raise Refused(409, 'OperationNotAllowed', "The VM '%s' cannot be hibernated since it has "
                          'not been enabled for hibernation.' % name)
    return change(lab, call, group, name, 'deallocating', 'deallocated', hibernated=hibernates)


@route('POST', GROUP + VMS + '/{}/reapply', 'compute')
def reapply(lab, call, group, name):
    return change(lab, call, group, name, None, None)


@route('POST', GROUP + VMS + '/{}/redeploy', 'compute')
def redeploy(lab, call, group, name):
    return change(lab, call, group, name, None, 'running')


@route('DELETE', GROUP + VMS + '/{}', 'compute')
def delete(lab, call, group, name):
    vm, now = lab.look('vm', group, name), time.time()
    if vm is None:
        return 204, None
    if vm.gone is None:
        vm.forget_plans(now)
        vm.change(now, state='Deleting', since=now)
        preempt(lab, vm, now)
        lab.remove(vm, ends_at(lab, name, lab.pace))
        if vm.gone != arm_operations.NEVER:
            lab.plan(vm.gone, lambda: let_go(lab, vm))
    operation = arm_operations.Operation('compute', now, vm.gone, last_status=204)
    return 202, None, arm_operations.begin(lab, call, operation, vm.base['location'],
                                           ('status', 'location'))


def preempt(lab, vm, now):
    """What else is done with it is over."""
    operation = lab.current.get(vm.base['id'])
    if operation and operation.ends > now:
        operation.ends, operation.error = now, (
            'OperationPreempted', 'The operation has been preempted by a more recent operation.')


def let_go(lab, vm):
    """What is to end with a machine does, the rest is free again."""
    fields, at = vm.at(vm.gone), vm.gone
    storage = fields['storage']
    for disk in (storage['osDisk'], *storage['dataDisks']):
        thing = lab.by_id(disk['managedDisk']['id'], 'disk')
        if thing is not None:
            thing.change(at, used_by='', disk_state='Unattached')
            if disk.get('deleteOption') == 'Delete':
                lab.remove(thing)
    for each in fields['nics']:
        nic = lab.by_id(each['id'], 'nic')
        if nic is None:
            continue
        nic.change(at, used_by='')
        if each.get('properties', {}).get('deleteOption') == 'Delete':
            delete_nic(lab, nic, at)


def delete_nic(lab, nic, at):
    configs = nic.at(at)['configs']
    lab.remove(nic)
    let_addresses_go(lab, configs, at)
    for config in configs:
        ip = lab.by_id(config['public'], 'ip') if config['public'] else None
        if ip is not None and ip.at(at)['delete_option'] == 'Delete':
            lab.remove(ip)
