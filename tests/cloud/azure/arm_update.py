"""What a PUT or PATCH of a machine that is there changes. Compute takes both as changes: what is left
out stays as it is."""

import time
import uuid

import arm_boot
import arm_catalogue as catalogue
import arm_disks
from arm_answers import Refused, dict_of
from arm_groups import tags_of
from arm_routes import GROUP, route
from arm_vms import VMS, shown_vm

CHANGEABLE = ('licenseType', 'billingProfile', 'diagnosticsProfile', 'additionalCapabilities',
              'proximityPlacementGroup', 'extensionsTimeBudget')
FIXED = ('priority', 'evictionPolicy', 'availabilitySet', 'securityProfile', 'host', 'hostGroup')


def not_allowed(what):
    return Refused(409, 'PropertyChangeNotAllowed', "Changing property '%s' is not allowed." % what,
                   what)


def busy(fields):
    """Refused while another operation of it goes on."""
    if fields['state'] in ('Creating', 'Updating', 'Deleting'):
        raise Refused(409, 'Conflict', 'The request failed due to conflict with a concurrent request. '
                      'To resolve it, please refer to https://aka.ms/activitylog to get more details '
                      'on the conflicting requests.')


def check_os(fields, given):
    for key, value in given.items():
        if fields['given_os'].get(key, fields['os'].get(key)) != value and value is not None:
            if fields['os'].get(key) != value:
                raise not_allowed('osProfile.' + key)


def check_image(fields, storage):
    has = fields['storage'].get('imageReference') or {}
    for key, value in dict_of(storage, 'imageReference').items():
        if key != 'exactVersion' and str(has.get(key)).lower() != str(value).lower():
            raise not_allowed('imageReference')
    name = dict_of(storage, 'osDisk').get('name')
    if name and name != fields['storage']['osDisk']['name']:
        raise not_allowed('osDisk.name')


def check_fixed(fields, body, properties):
    if body.get('zones') is not None and body['zones'] != fields['zones']:
        raise not_allowed('zones')
    for key in FIXED:
        if properties.get(key) is not None and properties[key] != fields['more'].get(key):
            raise not_allowed(key)
    check_os(fields, dict_of(properties, 'osProfile'))
    check_image(fields, dict_of(properties, 'storageProfile'))


def read_network(lab, fields, properties):
    """Its interfaces may only change how they end with it."""
    given = dict_of(dict_of(properties, 'networkProfile'), 'networkInterfaces', list)
    if not given:
        return fields['nics']
    if [str(each.get('id')).lower() for each in given] != [
            each['id'].lower() for each in fields['nics']]:
        if fields['power'] != 'deallocated':
            raise Refused(409, 'OperationNotAllowed', 'Adding or removing network interfaces is not '
                          'allowed unless the VM is deallocated.', 'networkInterfaces')
        raise not_allowed('networkProfile.networkInterfaces')
    return [dict(has, **({'properties': dict(has.get('properties', {}), **each['properties'])}
                         if each.get('properties') else {}))
            for has, each in zip(fields['nics'], given)]


def read_changes(lab, vm, fields, body):
    """The members that become others."""
    properties, changes = dict_of(body, 'properties'), {}
    check_fixed(fields, body, properties)
    if 'tags' in body:
        changes['tags'] = tags_of(body)
    wanted = dict_of(properties, 'hardwareProfile').get('vmSize')
    if wanted:
        size = catalogue.size_of(wanted)
        if size is None:
            raise Refused(400, 'InvalidParameter', 'The value %s provided for the VM size is not '
                          'valid.' % wanted, 'vmSize')
        changes['size'] = size['name']
    if 'userData' in properties:
        changes['user_data'] = properties['userData']
    if body.get('identity'):
        changes['identity'] = dict(fields['identity'], **body['identity'])
    changes['nics'] = read_network(lab, fields, properties)
    more = {key: properties[key] for key in CHANGEABLE if properties.get(key) is not None}
    changes['more'] = dict(fields['more'], **more)
    storage = dict_of(properties, 'storageProfile')
    changes['storage'] = arm_disks.changed_storage(lab, vm, fields, storage)
    return {key: value for key, value in changes.items() if value != fields[key]}


def update(lab, call, vm, body):
    now = time.time()
    fields = vm.at(now)
    changes = read_changes(lab, vm, fields, body)
    if fields['state'] == 'Deleting' or changes:
        busy(fields)
    if changes:
        arm_disks.take_changes(lab, vm, fields['storage'], changes.get('storage'))
        vm.change(now, state='Updating', since=now, etag=str(uuid.uuid4()), **changes)
        vm.change(now + lab.pace, state='Succeeded', since=now + lab.pace)
        began = arm_boot.begin(lab, call, vm, now, now + lab.pace)
    elif fields['state'] == 'Failed' and fields['power'] is None:
        # One that never came up is tried again.
        vm.change(now, state='Updating', since=now)
        began = arm_boot.boot(lab, call, vm, arm_boot.end_of(
            lab, vm.base['name'], fields['size'], fields['zones']))
    else:
        # The same again is over when what goes on is.
        going = lab.current[vm.base['id']]
        ends = max(now, going.ends)
        began = arm_boot.begin(lab, call, vm, now, ends, going.error if ends > now else None)
    return 200, shown_vm(lab, vm.at(now), call.version), began


@route('PATCH', GROUP + VMS + '/{}', 'compute')
def patch(lab, call, group, name):
    return update(lab, call, lab.need('vm', group, name), call.body())
