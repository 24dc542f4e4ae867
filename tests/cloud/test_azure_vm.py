#!/usr/bin/python3
"""The life of machines on Azure, through the command line: how each is made, every parameter, every
action, and that nothing is left behind. The cloud is azure/, and azure-mgmt says what is there.
"""

import base64
import sys
import tempfile
import unittest

import azure_case
from arm_peer import eventually
from azure_case import IMAGE, WINDOWS

HIBERNATION = {'compute_api_version': '2021-07-01'}

# What an action leaves: the state here, and Azure's word.
ACTIONS = [
    (('stop',), 'STOPPED', 'deallocated'),
    (('stop',), 'STOPPED', 'deallocated'),      # again: it is stopped, and that is what was wanted
    (('resize', '--flavor', 'Standard_B2s'), 'STOPPED', 'deallocated'),
    (('resize', '--flavor', 'standard_b2s'), 'STOPPED', 'deallocated'),
    (('start',), 'RUNNING', 'running'),
    (('start',), 'RUNNING', 'running'),
    (('reboot',), 'RUNNING', 'running'),
    (('reboot', '--hard'), 'RUNNING', 'running'),
    (('suspend',), 'SUSPENDED', 'deallocated'),
    (('suspend',), 'SUSPENDED', 'deallocated'),
    (('resume',), 'RUNNING', 'running'),
    (('resume',), 'RUNNING', 'running'),
]

# A parameter, with what else it takes; whose order has it: 'vm', 'nic' or 'ip'; and what stands there.
PARAMETERS = [
    ({'admin_username': 'me'}, 'vm', {'osProfile.adminUsername': 'me',
                                      'osProfile.linuxConfiguration.ssh.publicKeys.0.path':
                                      '/home/%s/.ssh/authorized_keys' % 'me'}),
    ({'computer_name': 'inside'}, 'vm', {'osProfile.computerName': 'inside'}),
    ({'accelerated_networking': 'true'}, 'nic', {'enableAcceleratedNetworking': True}),
    ({'accelerated_networking': 'false'}, 'nic', {'enableAcceleratedNetworking': False}),
    ({'ip_forwarding': 'true'}, 'nic', {'enableIPForwarding': True}),
    ({'private_ip': '10.1.0.77'}, 'nic', {
        'ipConfigurations.0.properties.privateIPAddress': '10.1.0.77',
        'ipConfigurations.0.properties.privateIPAllocationMethod': 'Static'}),
    ({'os_disk_size_gib': '64', 'os_disk_type': 'Premium_LRS', 'os_disk_caching': 'ReadOnly'}, 'vm',
     {'storageProfile.osDisk.diskSizeGB': 64, 'storageProfile.osDisk.caching': 'ReadOnly',
      'storageProfile.osDisk.managedDisk.storageAccountType': 'Premium_LRS'}),
    ({'ultra_ssd': 'true'}, 'vm', {'additionalCapabilities': {'ultraSSDEnabled': True}}),
    ({'hibernation': 'true'}, 'vm', {'additionalCapabilities': {'hibernationEnabled': True}}),
    ({'priority': 'Regular'}, 'vm', {'priority': 'Regular'}),
    ({'priority': 'Spot', 'max_price': '0.05', 'eviction_policy': 'Delete'}, 'vm',
     {'priority': 'Spot', 'billingProfile.maxPrice': 0.05, 'evictionPolicy': 'Delete'}),
    ({'priority': 'Spot', 'max_price': '-1'}, 'vm', {'billingProfile.maxPrice': -1}),
    ({'availability_set': 'together'}, 'vm', {
        'availabilitySet.id': '/resourceGroups/lab/providers/Microsoft.Compute/availabilitySets/'
                              'together'}),
    ({'proximity_placement_group': 'near'}, 'vm', {
        'proximityPlacementGroup.id': '/resourceGroups/lab/providers/Microsoft.Compute/'
                                      'proximityPlacementGroups/near'}),
    ({'license_type': 'RHEL_BYOS'}, 'vm', {'licenseType': 'RHEL_BYOS'}),
    ({'boot_diagnostics': 'true'}, 'vm', {'diagnosticsProfile.bootDiagnostics.enabled': True}),
    ({'encryption_at_host': 'true'}, 'vm', {'securityProfile': {'encryptionAtHost': True}}),
    ({'trusted_launch': 'true'}, 'vm', {'securityProfile': {
        'securityType': 'TrustedLaunch',
        'uefiSettings': {'secureBootEnabled': True, 'vTpmEnabled': True}}}),
    ({'public_ip_sku': 'Basic'}, 'ip', {'sku.name': 'Basic'}),
    ({'dns_label': 'web-here'}, 'ip', {'dnsSettings.domainNameLabel': 'web-here'}),
    ({'public_ip_version': 'IPv6'}, 'ip', {'publicIPAddressVersion': 'IPv6'}),
    ({'identity': 'system'}, 'top', {'identity': {'type': 'SystemAssigned'}}),
    ({'identity': 'system, one'}, 'top', {'identity.type': 'SystemAssigned, UserAssigned'}),
    ({'identity': 'one,two'}, 'top', {'identity.type': 'UserAssigned'}),
    ({'plan': 'image'}, 'top', {'plan': {'publisher': 'Debian', 'product': 'debian-12', 'name': '12'}}),
    ({'plan': 'p:q:r'}, 'top', {'plan': {'publisher': 'p', 'product': 'q', 'name': 'r'}}),
]
ELSEWHERE = {'create_resource_group'}       # a test of its own


def params(given):
    return [word for name, value in given.items() for word in ('--param', '%s=%s' % (name, value))]


def at(body, path):
    """What stands at a path like "osProfile.computerName"."""
    for part in path.split('.'):
        body = body[int(part)] if isinstance(body, list) else body.get(part)
        if body is None:
            return None
    return body


class Machines(azure_case.Test):

    def test_life(self):
        self.begin(settings=HIBERNATION)
        ours = self.create('life', '--param', 'hibernation=true')
        self.assertEqual(ours['state'], 'VM_STATE_RUNNING')
        for args, state, word in ACTIONS:
            with self.subTest(' '.join(args)):
                self.gateway.ok('vm', args[0], '--cloud', 'lab', 'life', *args[1:], '--wait')
                self.assertEqual(self.power('life'), [word])
                self.assertEqual(self.vm('show', 'life')['state'], 'VM_STATE_' + state)
        self.assertEqual(self.theirs('life').hardware_profile.vm_size, 'Standard_B2s')
        done = [e['event'].lower() for e in self.here.ask('journal')['journal'] if e['kind'] == 'vm']
        self.assertEqual((done.count('restart'), done.count('poweroff')), (1, 1))
        self.delete('life')

    def test_what_is_answered_before_it_is_so(self):
        """An action is answered when Azure has taken the order, with the state that it leads to."""
        self.begin(settings=HIBERNATION, pace=1.0, boot=1.0)
        result, made = self.call('way', parameters={'hibernation': 'true'})
        self.assertEqual(result['code'], 'RESULT_CODE_CREATED')
        vm = made['vm']
        self.assertEqual((vm['state'], vm['name'], vm['flavorName']),
                         ('VM_STATE_CREATING', 'way', 'Standard_B1s'))
        self.assertEqual(result.get('sideEffects'), None)
        for method, states in (('StopVm', ('STOPPING', 'STOPPED')),
                               ('StartVm', ('STARTING', 'RUNNING')),
                               ('RebootVm', ('REBOOTING', 'RUNNING')),
                               ('SuspendVm', ('SUSPENDING', 'SUSPENDED')),
                               ('ResumeVm', ('STARTING', 'RUNNING'))):
            with self.subTest(method):
                eventually('it is settled', lambda: self.theirs('way').provisioning_state == 'Succeeded')
                result, done = self.act(method, vm['id'])
                self.assertEqual(result['code'], 'RESULT_CODE_CHANGED')
                self.assertEqual(done['vm']['state'], 'VM_STATE_' + states[0])
                eventually('it has come to it', lambda: self.act('GetVm', 'way')[1]['vm'][
                    'state'] == 'VM_STATE_' + states[1])
        result, done = self.act('ResizeVm', 'way', flavorName='Standard_B2s')
        self.assertEqual(done['vm']['state'], 'VM_STATE_UPDATING')
        self.assertIn('restarts', ' '.join(result['warnings']))
        result, done = self.act('DeleteVm', 'way')
        self.assertEqual((result['code'], done['vm']['state']),
                         ('RESULT_CODE_DELETED', 'VM_STATE_DELETING'))
        self.nothing_is_left()
        # Again, by its id: it is gone, and that is what was wanted.
        result, done = self.act('DeleteVm', vm['id'])
        self.assertEqual((result['code'], done['vm']['state']),
                         ('RESULT_CODE_DELETED', 'VM_STATE_DELETED'))
        self.assertEqual(self.act('DeleteVm', 'way')[0]['code'], 'RESULT_CODE_NOT_FOUND')

    def test_everything_asked_for(self):
        self.begin()
        with tempfile.NamedTemporaryFile('wb') as script:
            script.write(b'#!/bin/sh\necho \xc3\xa4\n\0\xff')
            script.flush()
            ours = self.create('full_1.a', '--keypair', 'ssh-rsa AAAAB3Nza me', '--security-group',
                               'web', '--tag', 'role=front', '--tag', 'äöü+=a b', '--user-data',
                               script.name, '--zone', '2', '--network', 'net', '--subnet', 'default',
                               '--public-ip-type', 'static', '--region', 'West Europe',
                               '--resource-group', 'LAB')
            with open(script.name, 'rb') as f:
                user_data = f.read()
        theirs = self.theirs('full_1.a')
        self.assertEqual((theirs.location, theirs.zones), ('westeurope', ['2']))
        self.assertEqual(theirs.os_profile.computer_name, 'full-1.a')
        self.assertEqual(theirs.os_profile.linux_configuration.ssh.public_keys[0].key_data,
                         'ssh-rsa AAAAB3Nza me')
        tags = dict(theirs.tags)
        token = tags.pop('isobar-token')
        self.assertEqual(tags, {'role': 'front', 'äöü+': 'a b'})
        self.assertEqual(ours['tags'], tags)
        nic, = self.network.network_interfaces.list_all()
        ip, = self.network.public_ip_addresses.list_all()
        for thing, suffix in (nic, 'nic'), (ip, 'ip'):
            self.assertEqual(thing.name, 'isobar-%s-%s' % (token, suffix))
            self.assertEqual(thing.tags, dict(tags, **{'isobar-token': token}))
        self.assertTrue(nic.network_security_group.id.endswith('/web'))
        self.assertEqual((ip.sku.name, ip.zones, ip.delete_option), ('Standard', ['2'], 'Delete'))
        self.assertEqual(theirs.storage_profile.os_disk.name, 'isobar-%s-os' % token)
        self.assertEqual(base64.b64decode(self.ordered()['properties']['osProfile']['customData']),
                         user_data)
        self.delete('full_1.a')

    def test_parameters(self):
        self.begin()
        self.check_parameters(each for each in PARAMETERS if 'hibernation' not in each[0])
        self.begin(settings=HIBERNATION)
        self.check_parameters(each for each in PARAMETERS if 'hibernation' in each[0])

    def check_parameters(self, parameters):
        for given, whose, wanted in parameters:
            with self.subTest(str(given)):
                more = ['--public-ip-type', 'static'] if whose == 'ip' else []
                ours = self.gateway.ok(*self.order('one', *more, *params(given)), '-o', 'json').json()
                ours = ours[0] if isinstance(ours, list) else ours
                body = self.ordered({'nic': 'networkInterfaces', 'ip': 'publicIPAddresses'}.get(
                    whose, 'virtualMachines'))
                for path, value in wanted.items():
                    top = whose == 'top' or path.startswith('sku')
                    said = at(body if top else body['properties'], path)
                    if isinstance(value, str) and value.startswith('/'):
                        said = said[-len(value):]
                    self.assertEqual(said, value)
                eventually('it is made', lambda: self.power('one') == ['running'])
                self.delete('one')

    def test_each_parameter_has_its_test(self):
        self.begin()
        shown = self.gateway.call('isobar.v1.AdapterService/DescribeAdapter', {'name': 'azure'})[1]
        known = {each['name'] for each in shown['adapter']['manifest']['parameters']}
        self.assertEqual(known, {name for given, _, _ in PARAMETERS for name in given} | ELSEWHERE)

    def test_public_addresses(self):
        self.begin()
        for args, sku, method in (
                (['--public-ip-type', 'none'], None, None), ([], None, None),
                (['--public-ip-type', 'dynamic'], 'Standard', 'Static'),
                (['--public-ip-type', 'static'], 'Standard', 'Static'),
                (['--public-ip-type', 'static', '--param', 'public_ip_sku=Basic'], 'Basic', 'Static'),
                (['--public-ip-type', 'dynamic', '--param', 'public_ip_sku=Basic'], 'Basic',
                 'Dynamic')):
            with self.subTest(str(args)):
                ours = self.create('public', *args)
                public = [a['ip'] for a in ours['addresses'] if a['kind'] == 'ADDRESS_KIND_PUBLIC']
                ips = list(self.network.public_ip_addresses.list_all())
                self.assertEqual([(i.sku.name, i.public_ip_allocation_method) for i in ips],
                                 [(sku, method)] if sku else [])
                self.assertEqual([i.ip_address for i in ips], public)
                self.delete('public')

    def test_an_address_that_is_there(self):
        self.begin()
        ip = self.network.public_ip_addresses.begin_create_or_update('lab', 'mine', {
            'location': 'westeurope', 'sku': {'name': 'Standard'},
            'public_ip_allocation_method': 'Static', 'delete_option': 'Delete'}).result()
        for wanted in ip.name, ip.ip_address, ip.id:
            self.create('mine', '--public-ip', wanted)
            nic, = self.network.network_interfaces.list_all()
            self.assertEqual(nic.ip_configurations[0].public_ip_address.id, ip.id)
            other = self.gateway.run(*self.order('other', '--public-ip', wanted))
            self.assertEqual(other.code, 5, str(other))
            self.assertIn('use', other.err)
            # It was there before the machine, and is there after it.
            self.delete('mine', addresses=['mine'])

    def test_more_disks(self):
        self.begin()
        ours = self.create('disks', '--volume', 'size=1,name=data', '--volume', 'size=2,keep',
                           '--volume', 'size=3,type=StandardSSD_LRS')
        disks = {d.lun: (d.disk_size_gb, d.delete_option, d.managed_disk.storage_account_type)
                 for d in self.theirs('disks').storage_profile.data_disks}
        self.assertEqual(disks, {0: (1, 'Delete', 'Premium_LRS'), 1: (2, 'Detach', 'Premium_LRS'),
                                 2: (3, 'Delete', 'StandardSSD_LRS')})
        names = [d.name for d in self.theirs('disks').storage_profile.data_disks]
        self.assertEqual(names[0], 'data')
        self.assertEqual(len(ours['volumes']), 4)
        self.delete('disks', disks=[names[1]])
        # It outlives its machine, and is no leftover.
        left = self.gateway.ok('leftover', 'list', '--cloud', 'lab', '-o', 'json').json()
        self.assertEqual(left, [])

    def test_several(self):
        self.begin()
        self.gateway.ok(*self.order('many', '--count', '3', '--wait'))
        theirs = list(self.compute.virtual_machines.list_all())
        self.assertEqual(len({vm.tags['isobar-token'] for vm in theirs}), 3)
        names = sorted(vm.name for vm in theirs)
        self.assertEqual(len(names), 3)
        self.gateway.ok('vm', 'stop', '--cloud', 'lab', '--wait', *names)
        self.assertEqual({self.power(name)[0] for name in names}, {'deallocated'})
        self.gateway.ok('vm', 'delete', '--cloud', 'lab', '--wait', '--yes', *names)
        self.nothing_is_left()

    def test_windows(self):
        self.begin()
        done = self.gateway.ok(*self.order('a-name-longer-than-15', '--wait', image=WINDOWS))
        self.assertIn('nobody knows', done.err)
        profile = self.ordered()['properties']['osProfile']
        password = profile['adminPassword']
        self.assertGreater(len(password), 20)
        self.assertEqual(profile['computerName'], 'a-name-longer-t')
        self.assertNotIn('linuxConfiguration', profile)
        for text in done.out, done.err, self.gateway.said():
            self.assertNotIn(password, text)
        self.delete('a-name-longer-than-15')

    def test_made_elsewhere(self):
        """A machine that the gateway has not made is seen and obeys as well; what only bears a copy
        of its tags is nothing of ours."""
        self.begin()
        self.create('ours', '--public-ip-type', 'static')
        token = self.theirs('ours').tags['isobar-token']
        self.network.public_ip_addresses.begin_create_or_update('lab', 'copy', {
            'location': 'westeurope', 'sku': {'name': 'Standard'}, 'tags': {'isobar-token': token},
            'public_ip_allocation_method': 'Static'}).result()
        other = self.create('other')
        self.compute.virtual_machines.begin_update('lab', 'other', {
            'tags': {'isobar-token': token}}).result()
        found = self.gateway.ok('operation', 'vms', token, '--cloud', 'lab', '-o', 'json').json()
        self.assertEqual([vm['name'] for vm in found], ['ours'])
        self.compute.virtual_machines.begin_power_off('lab', 'ours').result()
        self.assertEqual(self.power('ours'), ['stopped'])
        # A machine with a copy of the mark is no reason to take away what the other one has.
        self.gateway.ok('vm', 'delete', '--cloud', 'lab', other['id'], '--wait', '--yes')
        self.assertEqual(self.left()['machines'], ['ours'])
        # Azure bills for one that is only shut down.
        self.vm('stop', 'ours', '--wait')
        self.assertEqual(self.power('ours'), ['deallocated'])
        self.delete('ours', addresses=['copy'])

    def test_a_resource_group(self):
        self.begin()
        result, _ = self.call('new', resourceGroupName='fresh')
        self.assertEqual(result['code'], 'RESULT_CODE_NOT_FOUND')
        self.assertIn('fresh', result['detail'])
        done = self.gateway.ok(*self.order('new', '--wait', '--resource-group', 'fresh', '--param',
                                           'create_resource_group=true'))
        self.assertIn('resource group fresh was made', done.err)
        group = self.resources.resource_groups.get('fresh')
        self.assertEqual((group.location, group.tags or {}), ('westeurope', {}))
        self.assertEqual(self.theirs('new', 'fresh').name, 'new')
        # One that is there stays as it is.
        self.resources.resource_groups.create_or_update('fresh', {
            'location': 'westeurope', 'tags': {'keep': 'me'}})
        done = self.gateway.ok(*self.order('more', '--wait', '--resource-group', 'fresh', '--param',
                                           'create_resource_group=true'))
        self.assertNotIn('was made', done.err)
        self.assertEqual(self.resources.resource_groups.get('fresh').tags, {'keep': 'me'})
        for name in 'new', 'more':
            self.gateway.ok('vm', 'delete', '--cloud', 'lab', name, '--wait', '--yes')
        self.nothing_is_left()

    def test_a_rehearsal(self):
        self.begin()
        done = self.gateway.ok(*self.order('dry', '--dry-run'))
        self.assertIn('no rehearsal', done.err)
        result, _ = self.gateway.call('isobar.v1.VmService/CreateVm', {
            'cloud': 'lab', 'dryRun': True, 'spec': {
                'name': 'dry', 'flavorName': 'Standard_B1', 'imageId': IMAGE}})
        self.assertEqual(result['code'], 'RESULT_CODE_NOT_FOUND')
        self.assertIn('Standard_B1s', str(result))
        self.create('wet')
        before = self.here.ask('journal')
        for args in (['stop'], ['start'], ['reboot'], ['resize', '--flavor', 'Standard_B2s'],
                     ['delete', '--yes']):
            self.gateway.ok('vm', args[0], '--cloud', 'lab', 'wet', *args[1:], '--dry-run')
        self.assertEqual(self.here.ask('journal'), before)
        self.delete('wet')


if __name__ == '__main__':
    sys.exit(0 if unittest.main(exit=False, verbosity=2).result.wasSuccessful() else 1)
