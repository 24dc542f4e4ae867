"""PUT and PATCH of machines: what is checked, what is made with one, and how it begins."""

import base64
import re
import time
import uuid

import arm_boot
import arm_catalogue as catalogue
import arm_disks
from arm_answers import Refused, dict_of
from arm_groups import living_group, location_in, same_place, tags_of
from arm_network import bad_reference
from arm_routes import GROUP, route
from arm_update import update
from arm_vms import VMS, shown_vm

# Since when If-None-Match is heeded: ComputeRP/stable/2023-09-01/virtualMachine.json is the first
# specification of azure-rest-api-specs in which VirtualMachines_CreateOrUpdate has the header.
IF_NONE_MATCH = '2023-09-01'
# Properties of a machine that are kept as they are given.
AS_GIVEN = ('priority', 'evictionPolicy', 'billingProfile', 'availabilitySet', 'licenseType',
            'additionalCapabilities', 'securityProfile', 'diagnosticsProfile',
            'proximityPlacementGroup', 'host', 'hostGroup', 'extensionsTimeBudget')

NAME = re.compile(r'[A-Za-z0-9][-\w.]{0,63}$')
BAD_HOST = re.compile(r'[`~!@#$%^&*()=+_\[\]{}\\|;:\'",<>/?]|^[0-9]+$')
# "What are the username requirements when creating a VM?", the questions about Linux machines.
NO_ADMINS = ('1', '123', 'a', 'actuser', 'adm', 'admin', 'admin1', 'admin2', 'administrator', 'aspnet',
             'backup', 'console', 'david', 'guest', 'john', 'owner', 'root', 'server', 'sql',
             'support_388945a0', 'support', 'sys', 'test', 'test1', 'test2', 'test3', 'user', 'user1',
             'user2', 'user3', 'user4', 'user5', 'video')


def invalid(target, message):
    return Refused(400, 'InvalidParameter', message, target)


def over_quota(code, location, limit, used, wanted):
    return Refused(409, code, 'Operation could not be completed as it results in exceeding approved '
                   'Total Regional Cores quota. Additional details - Deployment Model: Resource '
                   'Manager, Location: %s, Current Limit: %d, Current Usage: %d, Additional '
                   'Required: %d, (Minimum) New Limit Required: %d.'
                   % (location, limit, used, wanted, used + wanted))


def cores_used(lab, location):
    now = time.time()
    return sum(catalogue.SIZES[fields['size']]['numberOfCores']
               for fields in (vm.at(now) for vm in lab.alive('vm'))
               if fields['location'] == location and fields['power'] != 'deallocated')


def check_quota(lab, name, location, size):
    used, limit = cores_used(lab, location), lab.cores
    if lab.refuse and name.startswith(lab.refuse):
        limit = used
    if used + size['numberOfCores'] > limit:
        raise over_quota('OperationNotAllowed', location, limit, used, size['numberOfCores'])


def read_size(lab, properties, location, zones):
    wanted = dict_of(properties, 'hardwareProfile').get('vmSize', 'Standard_D2s_v3')
    size = catalogue.size_of(wanted)
    if size is None:
        raise invalid('vmSize', 'The value %s provided for the VM size is not valid. The valid sizes '
                      'in the current region are: %s' % (wanted, ','.join(catalogue.SIZES)))
    if size['name'] in lab.no_sizes:
        raise Refused(409, 'SkuNotAvailable', "The requested VM size for resource 'Following SKUs "
                      "have failed for Capacity Restrictions: %s' is currently not available in "
                      "location '%s'. Please try another size or deploy to a different location or "
                      'different zone.' % (size['name'], location))
    if zones and (len(zones) > 1 or zones[0] not in catalogue.ZONES or
                  not catalogue.LOCATIONS[location][1]):
        raise Refused(400, 'InvalidAvailabilityZone', 'The zone(s) \'%s\' for resource '
                      "'Microsoft.Compute/virtualMachines' is not supported." % ','.join(zones))
    return size


def read_nics(lab, properties, id, location):
    """(as they are shown, the things)"""
    bodies = dict_of(dict_of(properties, 'networkProfile'), 'networkInterfaces', list)
    if not bodies:
        raise invalid('networkProfile', 'Virtual machine must have at least one network interface.')
    shown, things, now = [], [], time.time()
    for n, each in enumerate(bodies):
        nic, options = lab.by_id(each.get('id'), 'nic'), dict_of(each, 'properties')
        if nic is None or nic.gone is not None or nic.base['location'] != location:
            raise bad_reference(each.get('id'), id)
        user = nic.at(now)['used_by']
        if user and user.lower() != id.lower():
            raise Refused(400, 'NicInUse', 'Network Interface %s is used by existing resource %s.'
                          % (nic.base['arm'], user))
        one = {'id': each['id']}
        if len(bodies) > 1 or options:
            one['properties'] = dict(options, primary=options.get('primary', n == 0))
        shown.append(one)
        things.append(nic)
    return shown, things


def check_names(given, os):
    if os == 'Linux' and (BAD_HOST.search(given['computerName']) or len(given['computerName']) > 64):
        raise invalid('computerName', 'Linux host name cannot exceed 64 characters in length or contain '
                      'the following characters: ` ~ ! @ # $ % ^ & * ( ) = + _ [ ] { } \\ | ; : \' " , '
                      '< > / ?.')
    if not given.get('adminUsername'):
        raise invalid('adminUsername', "Required parameter 'adminUsername' is missing (null).")
    if given['adminUsername'].lower() in NO_ADMINS:
        raise invalid('adminUsername', 'The Admin Username specified is not allowed.')


def read_os(properties, os):
    """The profile as it is shown, and all that must not change."""
    given = dict_of(properties, 'osProfile')
    if not given.get('computerName'):
        raise invalid('osProfile', "Required parameter 'osProfile.computerName' is missing (null).")
    check_names(given, os)
    linux = dict_of(given, 'linuxConfiguration')
    keys = dict_of(dict_of(linux, 'ssh'), 'publicKeys', list)
    if os == 'Linux' and not keys and not given.get('adminPassword'):
        raise invalid('linuxConfiguration', 'Authentication using either SSH or by user name and '
                      'password must be enabled in Linux profile.')
    for key in keys:
        if key.get('path') != '/home/%s/.ssh/authorized_keys' % given['adminUsername']:
            raise invalid('linuxConfiguration.ssh.publicKeys.path', 'Destination path for SSH public '
                          'keys is currently limited to its default value.')
        if str(key.get('keyData', '')).split(' ')[0] not in ('ssh-rsa', 'ssh-ed25519'):
            raise invalid('linuxConfiguration.ssh.publicKeys.keyData', 'The value provided for SSH '
                          'public key is not of a format that is supported.')
    check_base64(given.get('customData'), 'customData', 'Custom data in OSProfile must be in Base64 '
                 'encoded format and with a maximum length of 87380 characters.')
    shown = {key: value for key, value in given.items()
             if key not in ('adminPassword', 'customData')}
    shown.setdefault('secrets', [])
    shown.setdefault('allowExtensionOperations', True)
    shown.setdefault('requireGuestProvisionSignal', True)
    if os == 'Linux':
        shown['linuxConfiguration'] = dict(
            {'disablePasswordAuthentication': False, 'provisionVMAgent': True}, **linux)
    return shown, given


def check_base64(text, target, words):
    if text is None:
        return
    try:
        good = len(text) <= 87380 and base64.b64decode(text, validate=True) is not None
    except (TypeError, ValueError):
        good = False
    if not good:
        raise invalid(target, words)


@route('PUT', GROUP + VMS + '/{}', 'compute')
def put(lab, call, group, name):
    body = call.body()
    there = lab.look('vm', group, name)
    if call.version >= IF_NONE_MATCH and call.request.headers.get('if-none-match') == '*' and there:
        raise Refused(412, 'PreconditionFailed', 'The resource already exists, and If-None-Match is '
                      "'*'.")
    location, tags = location_in(body), tags_of(body)
    if there is not None:
        same_place(there, location)
        return update(lab, call, there, body)
    return create(lab, call, living_group(lab, group), name, body, location, tags)


def create(lab, call, group, name, body, location, tags):
    properties, zones = dict_of(body, 'properties'), dict_of(body, 'zones', list)
    if not NAME.match(name):
        raise Refused(400, 'InvalidParameter', "The name '%s' of a machine is not allowed." % name, 'name')
    id = lab.id_of('vm', group, name)
    size = read_size(lab, properties, location, zones)
    storage, os, generation = arm_disks.read_storage(lab, properties, id, name, call.version)
    shown_os, given_os = read_os(properties, os)
    nics, nic_things = read_nics(lab, properties, id, location)
    check_base64(properties.get('userData'), 'userData', 'User data must be in Base64 encoded format.')
    check_quota(lab, name, location, size)
    error, now = arm_boot.end_of(lab, name, size['name'], zones), time.time()
    vm = lab.add('vm', group, name, {
        'location': location, 'tags': tags, 'size': size['name'], 'state': 'Creating', 'power': None,
        'hibernated': False, 'since': now, 'error': None, 'storage': storage, 'os': shown_os,
        'given_os': given_os, 'nics': nics, 'zones': zones, 'identity': identity(lab, body),
        'plan': dict_of(body, 'plan'), 'user_data': properties.get('userData'),
        'generation': generation,
        'more': {each: properties[each] for each in AS_GIVEN if properties.get(each) is not None}})
    for nic in nic_things:
        nic.change(now, used_by=vm.base['arm'])
    arm_disks.make_disks(lab, vm, storage)
    return 201, shown_vm(lab, vm.at(now), call.version), arm_boot.boot(lab, call, vm, error)


def identity(lab, body):
    given = dict_of(body, 'identity')
    if 'SystemAssigned' in given.get('type', ''):
        given = dict(given, principalId=str(uuid.uuid4()), tenantId=lab.tenant)
    return given
