"""Managed disks, and which of them a machine has."""

import time
import uuid

import arm_catalogue as catalogue
import arm_galleries
import arm_operations
from arm_answers import Refused, dict_of, page
from arm_groups import living_group, location_in, same_place, tags_of
from arm_lab import TYPES
from arm_network import bad_reference
from arm_operations import stamp
from arm_routes import COMPUTE, GROUP, route
from arm_vms import capitals

DISKS = COMPUTE + '/disks'
PAGE = 1000


# ---- A machine's ----

def read_image(lab, reference, by, version):
    """(the reference as it is shown, OS, generation, size of its system disk)"""
    others = arm_galleries.others_image(reference, version)
    if others:
        return dict([others]), 'Linux', 'V2', 30
    if arm_galleries.is_image(lab, reference.get('id')):
        return {'id': reference['id']}, 'Linux', 'V2', 30
    if reference.get('id'):
        image = lab.by_id(reference['id'], 'image')
        if image is None:
            raise bad_reference(reference['id'], by)
        disk = image.base['props']['storageProfile']['osDisk']
        return {'id': reference['id']}, disk['osType'], 'V1', disk['diskSizeGB']
    if not any(reference.get(each) for each in ('publisher', 'offer', 'sku', 'version')):
        raise Refused(400, 'InvalidParameter', "Required parameter 'imageReference' is missing "
                      '(null).', 'imageReference')
    found = catalogue.market_image(reference)
    names = ':'.join(str(reference.get(each, '')) for each in ('publisher', 'offer', 'sku', 'version'))
    wanted = reference.get('version')
    if found is None or wanted != 'latest' and wanted not in found[0]:
        raise Refused(404, 'PlatformImageNotFound', 'The platform image \'%s\' is not available. '
                      'Verify that all fields in the storage profile are correct.' % names,
                      'imageReference')
    versions, os, generation = found
    exact = max(versions, key=catalogue.version_key) if wanted == 'latest' else wanted
    return (dict({each: reference[each] for each in ('publisher', 'offer', 'sku', 'version')},
                 exactVersion=exact), os, generation, catalogue.SYSTEM_DISK_GB[os])


def shown_disk_of(given, id, gib):
    managed = dict_of(given, 'managedDisk')
    found = {'name': given['name'], 'createOption': given['createOption'],
             'caching': given.get('caching', 'None'), 'diskSizeGB': given.get('diskSizeGB') or gib,
             'managedDisk': {'id': id, 'storageAccountType':
                             managed.get('storageAccountType', 'Premium_LRS')},
             'deleteOption': given.get('deleteOption', 'Detach')}
    return found


def disk_id(lab, group, given):
    """Of one that is made with the machine, or of one that is there."""
    wanted = dict_of(given, 'managedDisk').get('id')
    return wanted if given['createOption'] == 'Attach' else lab.id_of('disk', group, given['name'])


def read_data_disk(lab, group, vm_id, vm_name, given):
    if 'lun' not in given or given.get('createOption') not in ('Empty', 'Attach', 'FromImage'):
        raise Refused(400, 'InvalidParameter', "Required parameter 'dataDisks.lun' or "
                      "'dataDisks.createOption' is missing or wrong.", 'dataDisks')
    if given['createOption'] == 'Attach':
        disk = lab.by_id(dict_of(given, 'managedDisk').get('id'), 'disk')
        if disk is None or disk.gone is not None:
            raise bad_reference(dict_of(given, 'managedDisk').get('id'), vm_id)
        user = disk.at(time.time())['used_by']
        if user and user.lower() != vm_id.lower():
            raise Refused(409, 'AttachDiskWhileBeingDetached' if disk.gone else
                          'ConflictingUserInput', "Disk '%s' cannot be attached as the disk is "
                          "already owned by VM '%s'." % (disk.base['arm'], user))
        given = dict(given, name=disk.base['name'], diskSizeGB=disk.base['gib'])
    else:
        if not given.get('diskSizeGB'):
            raise Refused(400, 'InvalidParameter', "Required parameter 'dataDisk.diskSizeGB' is "
                          'missing (null).', 'dataDisk.diskSizeGB')
        given = dict(given, name=given.get('name') or '%s_disk%d_%s'
                     % (vm_name, given['lun'] + 2, uuid.uuid4().hex))
    return dict(shown_disk_of(given, disk_id(lab, group, given), 0), lun=given['lun'],
                toBeDetached=False)


def read_storage(lab, properties, vm_id, vm_name, version):
    """(the profile as it is shown, OS, generation)"""
    storage = dict_of(properties, 'storageProfile')
    image, os, generation, gib = read_image(lab, dict_of(storage, 'imageReference'), vm_id,
                                            version)
    group, system = vm_id.split('/')[4], dict_of(storage, 'osDisk')
    if system.get('createOption', 'FromImage') != 'FromImage':
        raise Refused(400, 'InvalidParameter', 'This emulator makes system disks from images only.',
                      'osDisk.createOption')
    if system.get('diskSizeGB') and system['diskSizeGB'] < gib:
        raise Refused(400, 'InvalidParameter', 'The specified disk size %d GB is smaller than the '
                      'size of the corresponding disk in the VM image: %d GB.'
                      % (system['diskSizeGB'], gib), 'osDisk.diskSizeGB')
    system = dict(system, createOption='FromImage', name=system.get('name') or '%s_OsDisk_1_%s'
                  % (vm_name, uuid.uuid4().hex), caching=system.get('caching', 'ReadWrite'))
    data = [read_data_disk(lab, group, vm_id, vm_name, each)
            for each in dict_of(storage, 'dataDisks', list)]
    for disk in (system, *data):
        there = lab.by_id(lab.id_of('disk', group, disk['name']))
        if there is not None and disk['createOption'] != 'Attach':
            raise Refused(409, 'ConflictingUserInput', "Disk %s already exists in resource group %s. "
                          'Only CreateOption.Attach is supported.' % (disk['name'], group))
    return {'imageReference': image, 'dataDisks': data, 'osDisk': dict(
        shown_disk_of(system, disk_id(lab, group, system), gib), osType=os)}, os, generation


def make_disks(lab, vm, storage):
    for disk in (storage['osDisk'], *storage['dataDisks']):
        take_disk(lab, vm, disk)


def take_disk(lab, vm, disk):
    now = time.time()
    if disk['createOption'] == 'Attach':
        lab.by_id(disk['managedDisk']['id'], 'disk').change(
            now, used_by=vm.base['arm'], disk_state='Attached')
        return
    # As Azure does it: with the tags that the machine has at this moment.
    lab.add('disk', vm.base['group'], disk['name'], {
        'tags': dict(vm.base['tags']), 'location': vm.base['location'], 'zones': vm.base['zones'], 'used_by': vm.base['arm'],
        'sku': disk['managedDisk']['storageAccountType'], 'gib': disk['diskSizeGB'],
        'os': disk.get('osType'), 'disk_state': 'Attached', 'create': disk['createOption'],
        'image': vm.base['storage'].get('imageReference', {}).get('id')}, vm.token)


def changed_storage(lab, vm, fields, storage):
    """The profile that a change of a machine leads to: its data disks may come and go."""
    has, given = fields['storage'], storage.get('dataDisks')
    system = dict(has['osDisk'])
    if dict_of(storage, 'osDisk').get('deleteOption'):
        system['deleteOption'] = storage['osDisk']['deleteOption']
    if given is None:
        return dict(has, osDisk=system)
    old, data = {each['lun']: each for each in has['dataDisks']}, []
    for each in dict_of(storage, 'dataDisks', list):
        if each.get('toBeDetached'):
            continue
        if each.get('lun') in old and each.get('name') in (None, old[each['lun']]['name']):
            data.append(dict(old[each['lun']], **{key: each[key] for key in ('deleteOption', 'caching')
                                                  if key in each}))
        else:
            data.append(read_data_disk(lab, vm.base['group'], vm.base['arm'], vm.base['name'], each))
    return dict(has, osDisk=system, dataDisks=data)


def take_changes(lab, vm, old, new):
    if new is None:
        return
    now = time.time()
    had = {each['name']: each for each in old['dataDisks']}
    has = {each['name']: each for each in new['dataDisks']}
    for name, disk in had.items():
        thing = lab.by_id(disk['managedDisk']['id'], 'disk')
        if name not in has and thing is not None:
            thing.change(now, used_by='', disk_state='Unattached')
    for name, disk in has.items():
        if name not in had:
            take_disk(lab, vm, disk)


# ---- Disks by themselves ----

def shown_disk(lab, fields):
    image = fields.get('image')
    creation = {'createOption': fields['create']}
    if image or fields['create'] == 'FromImage':
        creation['imageReference'] = {'id': image or '/Subscriptions/%s/Providers/Microsoft.Compute/'
                                      'Locations/%s/Publishers/x' % (lab.subscription,
                                                                     fields['location'])}
    properties = {'creationData': creation, 'diskSizeGB': fields['gib'],
                  'diskSizeBytes': fields['gib'] << 30, 'diskState': fields['disk_state'],
                  'provisioningState': fields['state'], 'uniqueId': fields['id'],
                  'timeCreated': stamp(fields['made'] + lab.clock),
                  'networkAccessPolicy': 'AllowAll',
                  'encryption': {'type': 'EncryptionAtRestWithPlatformKey'}}
    if fields['os']:
        properties.update(osType=fields['os'], hyperVGeneration='V1')
    found = {'name': fields['name'], 'id': fields['arm'], 'type': TYPES['disk'],
             'location': fields['location'], 'tags': fields['tags'],
             'sku': {'name': fields['sku'], 'tier': fields['sku'].partition('_')[0]},
             'properties': properties}
    if fields['zones']:
        found['zones'] = fields['zones']
    if fields['used_by']:
        found['managedBy'] = fields['used_by']
    return found


@route('GET', DISKS, 'disks')
def list_all(lab, call):
    return page(lab, call, capitals(lab, [shown_disk(lab, each) for each in lab.listed('disk')]), PAGE)


@route('GET', GROUP + DISKS, 'disks')
def list_group(lab, call, group):
    return page(lab, call, capitals(lab, [shown_disk(lab, each)
                                          for each in lab.listed('disk', group)]), PAGE)


@route('GET', GROUP + DISKS + '/{}', 'disks')
def get(lab, call, group, name):
    return 200, shown_disk(lab, lab.need('disk', group, name).at(time.time()))


def begin(lab, call, ends, location, how, output=None):
    return arm_operations.begin(lab, call, arm_operations.Operation(
        'compute', time.time(), ends, None, output), location, how)


@route('PUT', GROUP + DISKS + '/{}', 'disks')
def put(lab, call, group, name):
    body, now = call.body(), time.time()
    properties = dict_of(body, 'properties')
    location, tags = location_in(body), tags_of(body)
    disk = lab.look('disk', group, name)
    if disk is not None:
        same_place(disk, location)
        disk.change(now, tags=tags)
        return 200, shown_disk(lab, disk.at(now)), begin(lab, call, now, location, ('status',))
    if dict_of(properties, 'creationData').get('createOption') != 'Empty' or \
            not properties.get('diskSizeGB'):
        raise Refused(400, 'InvalidParameter', 'This emulator makes empty disks of a given size only.',
                      'creationData')
    disk = lab.add('disk', living_group(lab, group), name, {
        'location': location, 'tags': tags, 'zones': dict_of(body, 'zones', list), 'used_by': '',
        'sku': dict_of(body, 'sku').get('name', 'Standard_LRS'), 'gib': properties['diskSizeGB'],
        'os': None, 'disk_state': 'Unattached', 'create': 'Empty'})
    ends = now + lab.pace
    return 202, shown_disk(lab, disk.base), begin(
        lab, call, ends, location, ('status', 'location'),
        lambda: shown_disk(lab, disk.at(time.time())))


@route('DELETE', GROUP + DISKS + '/{}', 'disks')
def delete(lab, call, group, name):
    disk, now = lab.look('disk', group, name), time.time()
    if disk is None:
        return 204, None
    user = disk.at(now)['used_by']
    if user:
        raise Refused(409, 'OperationNotAllowed', 'Disk %s is attached to VM %s.'
                      % (disk.base['name'], user))
    if disk.gone is None:
        lab.remove(disk, now + lab.pace)
    return 202, None, begin(lab, call, disk.gone, disk.base['location'], ('status', 'location'))
