"""Machines as they are shown, alone and in lists."""

import json
import re
import time

import arm_catalogue as catalogue
from arm_answers import Refused, page
from arm_lab import TYPES
from arm_operations import stamp
from arm_routes import COMPUTE, GROUP, route

VMS = COMPUTE + '/virtualmachines'
PAGE = 50
# Since when answers have it: "API version change log for deployment of
# Microsoft.Compute/virtualMachines".
TIME_CREATED, ETAG = '2021-11-01', '2023-09-01'
POWER = {'starting': 'VM starting', 'running': 'VM running', 'stopping': 'VM stopping',
         'stopped': 'VM stopped', 'deallocating': 'VM deallocating',
         'deallocated': 'VM deallocated'}


def status(code, words, t, level='Info', message=None):
    found = {'code': code, 'level': level, 'displayStatus': words}
    if message:
        found['message'] = message
    if t is not None:
        found['time'] = stamp(t)
    return found


def statuses(lab, fields):
    state, t = fields['state'], fields['since'] + lab.clock
    if state == 'Failed':
        code, message = fields['error']
        found = [status('ProvisioningState/failed/' + code, 'Provisioning failed', t, 'Error',
                        message)]
    else:
        words = {'Succeeded': 'Provisioning succeeded'}.get(state, state)
        found = [status('ProvisioningState/' + state.lower(), words, t)]
    power = fields['power']
    if power == 'running' and lab.unknown_state:
        power = lab.unknown_state
    if power:
        found.append(status('PowerState/' + power, POWER.get(power, 'VM ' + power), None))
    if fields['hibernated']:
        found.append(status('HibernationState/Hibernated', 'VM hibernated', None))
    return found


def instance_view(lab, fields):
    found = {'statuses': statuses(lab, fields)}
    if fields['state'] == 'Creating':
        return found
    t = fields['made'] + lab.clock
    found['hyperVGeneration'] = fields['generation']
    found['disks'] = [{'name': disk['name'], 'statuses': [
        status('ProvisioningState/succeeded', 'Provisioning succeeded', t)]}
        for disk in (fields['storage']['osDisk'], *fields['storage']['dataDisks'])]
    if fields['power'] == 'running':
        found.update(computerName=fields['os'].get('computerName', fields['name']),
                     osName='ubuntu', osVersion='22.04', vmAgent={
                         'vmAgentVersion': '2.9.1.1', 'extensionHandlers': [], 'statuses': [status(
                             'ProvisioningState/succeeded', 'Ready', t, message='Guest Agent is '
                             'running')]})
    return found


def shown_storage(fields):
    """What of disks is known only while the machine has a place."""
    storage = fields['storage']
    if fields['power'] != 'deallocated':
        return storage

    def bare(disk):
        return dict({key: value for key, value in disk.items() if key != 'diskSizeGB'},
                    managedDisk={'id': disk['managedDisk']['id']})
    return dict(storage, osDisk=bare(storage['osDisk']),
                dataDisks=[bare(each) for each in storage['dataDisks']])


def shown_vm(lab, fields, version, expand=()):
    properties = {'vmId': fields['id'], 'hardwareProfile': {'vmSize': fields['size']},
                  'storageProfile': shown_storage(fields), 'osProfile': fields['os'],
                  'networkProfile': {'networkInterfaces': fields['nics']},
                  'provisioningState': fields['state'], **fields['more']}
    if version >= TIME_CREATED:
        properties['timeCreated'] = stamp(fields['made'] + lab.clock)
    if 'userdata' in expand and fields['user_data']:
        properties['userData'] = fields['user_data']
    if 'instanceview' in expand:
        properties['instanceView'] = instance_view(lab, fields)
    found = {'name': fields['name'], 'id': fields['arm'], 'type': TYPES['vm'],
             'location': fields['location'], 'tags': fields['tags'], 'properties': properties}
    for member in 'zones', 'identity', 'plan':
        if fields[member]:
            found[member] = fields[member]
    if version >= ETAG:
        found['etag'] = '"%s"' % fields['etag']
    return found


def capitals(lab, items):
    """Lists of Compute may have the names of resource groups in capitals."""
    if not lab.upper_groups:
        return items
    return json.loads(re.sub(r'/resourceGroups/([^/"]+)', lambda m: '/resourceGroups/' +
                             m.group(1).upper(), json.dumps(items)))


def shown_status(lab, fields):
    return {'name': fields['name'], 'id': fields['arm'], 'type': TYPES['vm'],
            'location': fields['location'], 'properties': {
                'vmId': fields['id'], 'provisioningState': fields['state'],
                'instanceView': {'statuses': statuses(lab, fields)}}}


def expanded(call):
    wanted = {each.strip().lower() for each in call.query.get('$expand', '').split(',') if each}
    if not wanted <= {'instanceview', 'userdata'}:
        raise Refused(400, 'InvalidParameter', "The value of parameter $expand is invalid.",
                      '$expand', breach=True)
    return wanted


@route('GET', VMS, 'compute')
def list_all(lab, call):
    if call.query.get('statusonly', '').lower() == 'true':
        items = [shown_status(lab, each) for each in lab.listed('vm')]
    else:
        items = [shown_vm(lab, each, call.version) for each in lab.listed('vm')]
    return page(lab, call, capitals(lab, items), PAGE)


@route('GET', COMPUTE + '/locations/{}/virtualmachines', 'compute')
def list_location(lab, call, location):
    return page(lab, call, capitals(lab, [
        shown_vm(lab, each, call.version) for each in lab.listed('vm')
        if each['location'] == location.lower()]), PAGE)


@route('GET', GROUP + VMS, 'compute')
def list_group(lab, call, group):
    return page(lab, call, capitals(lab, [shown_vm(lab, each, call.version)
                                          for each in lab.listed('vm', group)]), PAGE)


@route('GET', GROUP + VMS + '/{}', 'compute')
def get(lab, call, group, name):
    fields = lab.need('vm', group, name).at(time.time())
    etag = [('ETag', '"%s"' % fields['etag'])] if call.version >= ETAG else []
    return 200, shown_vm(lab, fields, call.version, expanded(call)), etag


@route('GET', GROUP + VMS + '/{}/instanceview', 'compute')
def get_view(lab, call, group, name):
    return 200, instance_view(lab, lab.need('vm', group, name).at(time.time()))


@route('GET', GROUP + VMS + '/{}/vmsizes', 'compute')
def sizes_of(lab, call, group, name):
    lab.need('vm', group, name)
    return 200, {'value': list(catalogue.SIZES.values())}
