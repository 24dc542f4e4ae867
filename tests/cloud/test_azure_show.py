#!/usr/bin/python3
"""What the gateway shows of an Azure is what azure-mgmt shows, for every field of every kind of thing:
in lists and alone, by name and by id. The Azure is the emulator of azure/, which azure-mgmt judges too.
"""

import re
import sys
import unittest

import azure_fields as fields
import azure_gateway
from arm_peer import HOME, KEY, Lab, Test
from azure.core.exceptions import HttpResponseError
from showing import Showing

DEBIAN = {'publisher': 'Debian', 'offer': 'debian-12', 'sku': '12', 'version': 'latest'}


def plain(model):
    """In Resource Manager's JSON."""
    return model.serialize(keep_readonly=True)


def caseless(thing):
    """With ids in small letters: lists of Compute may write them in capitals."""
    if isinstance(thing, dict):
        return {key: caseless(value) for key, value in thing.items()}
    if isinstance(thing, list):
        return [caseless(each) for each in thing]
    is_id = isinstance(thing, str) and thing.lower().startswith('/subscriptions/')
    return thing.lower() if is_id else thing


def whole_seconds(native):
    """azure-mgmt reads times, and writes them with fewer digits."""
    return {key: re.sub(r'(T[\d:]{8})\.\d+(Z|\+00:00)$', r'\1Z', value)
            for key, value in native.items()}


class Show(Showing, Test):

    DETAILS = ('rules', 'native')

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.lab = Lab(cls.emulator, 'show', cls.addClassCleanup, boot=0.1, pace=0.05, page_size=2,
                      upper_groups=True, fail={'broken': 'OSProvisioningTimedOut'})
        cls.compute, cls.network = cls.lab.compute(), cls.lab.network()
        cls.resources, cls.subscriptions = cls.lab.resources(), cls.lab.subscriptions()
        cls.furnish()
        cls.gateway = azure_gateway.start(cls.lab.told, cls, location=HOME)

    @classmethod
    def tearDownClass(cls):
        found = cls.lab.ask('violations')['violations']
        assert not found, found
        super().tearDownClass()

    @classmethod
    def nic(cls, group, name, subnet, public=None, nsg=None):
        return cls.network.network_interfaces.begin_create_or_update(group, name, {
            'location': HOME, 'network_security_group': {'id': nsg} if nsg else None,
            'ip_configurations': [{
                'name': 'first', 'subnet': {'id': subnet}, 'primary': True,
                'public_ip_address': {'id': public} if public else None}]}).result().id

    @classmethod
    def machine(cls, group, name, nics, **more):
        storage = {'image_reference': more.pop('image', DEBIAN), 'os_disk': {
            'create_option': 'FromImage', 'delete_option': 'Delete'}, 'data_disks': [
                {'lun': n, 'create_option': 'Empty', 'disk_size_gb': size}
                for n, size in enumerate(more.pop('disks', []))]}
        return cls.compute.virtual_machines.begin_create_or_update(group, name, dict({
            'location': HOME, 'hardware_profile': {'vm_size': 'Standard_B2s'},
            'storage_profile': storage, 'network_profile': {'network_interfaces': [
                {'id': id, 'primary': n == 0, 'delete_option': 'Delete'}
                for n, id in enumerate(nics)]},
            'os_profile': {'computer_name': name, 'admin_username': 'tester',
                           'linux_configuration': {'disable_password_authentication': True, 'ssh': {
                               'public_keys': [{'path': '/home/%s/.ssh/authorized_keys' % 'tester',
                                                'key_data': KEY}]}}}}, **more)).result()

    @classmethod
    def furnish(cls):
        """One of each kind whose fields are not what they are by default."""
        cls.resources.resource_groups.create_or_update('other', {'location': HOME})
        nsg = cls.network.network_security_groups.begin_create_or_update('other', 'front', {
            'location': HOME, 'tags': {'team': 'blue'}, 'security_rules': [
                cls.rule('web', 100, 'Tcp', '*', destination_port_ranges=['80', '8000-8100'],
                         source_address_prefixes=['198.51.100.0/24', '2001:db8::/32']),
                cls.rule('any', 110, '*', 'Internet', destination_port_range='*'),
                cls.rule('no', 120, 'Udp', '203.0.113.0/24', access='Deny',
                         destination_port_range='53'),
                cls.rule('out', 130, 'Tcp', '*', direction='Outbound', destination_port_range='443',
                         destination_address_prefix='192.0.2.0/24')]}).result().id
        vnet = cls.network.virtual_networks.begin_create_or_update('other', 'second', {
            'location': HOME, 'tags': {'team': 'red'},
            'address_space': {'address_prefixes': ['10.7.0.0/16', '10.8.0.0/16']},
            'dhcp_options': {'dns_servers': ['10.7.0.4', '10.7.0.5']},
            'subnets': [{'name': 'a', 'address_prefix': '10.7.1.0/24',
                         'network_security_group': {'id': nsg}},
                        {'name': 'b', 'address_prefix': '10.8.1.0/24'},
                        {'name': 'c', 'address_prefix': '10.8.2.0/24'}]}).result()
        subnet = vnet.subnets[0].id
        public = cls.network.public_ip_addresses.begin_create_or_update('other', 'front', {
            'location': HOME, 'public_ip_allocation_method': 'Static', 'sku': {'name': 'Standard'}
        }).result().id
        cls.compute.ssh_public_keys.create('other', 'mine', {
            'location': HOME, 'public_key': KEY, 'tags': {'who': 'me'}})
        cls.machine('other', 'web', [
            cls.nic('other', 'web-0', subnet, public, nsg),
            cls.nic('other', 'web-1', vnet.subnets[1].id)], disks=[4, 8], zones=['2'],
            tags={'role': 'front', 'isobar-token': 'mark'})
        golden = next(iter(cls.compute.images.list()))
        cls.machine('lab', 'web', [cls.nic('lab', 'web', subnet)], image={'id': golden.id})
        for name in 'stopped', 'away', 'asleep':
            cls.machine('lab', name, [cls.nic('lab', name, subnet)])
        machines = cls.compute.virtual_machines
        machines.begin_power_off('lab', 'stopped').result()
        machines.begin_deallocate('lab', 'away').result()
        newer = cls.lab.compute('2022-08-01').virtual_machines
        newer.begin_update('lab', 'asleep', {
            'additional_capabilities': {'hibernation_enabled': True}}).result()
        newer.begin_deallocate('lab', 'asleep', hibernate=True).result()
        try:
            cls.machine('other', 'broken', [cls.nic('other', 'broken', subnet)])
        except HttpResponseError as e:
            assert 'OSProvisioningTimedOut' in str(e), e

    @staticmethod
    def rule(name, priority, protocol, source, **more):
        one = dict({'name': name, 'priority': priority, 'protocol': protocol, 'access': 'Allow',
                    'direction': 'Inbound', 'source_port_range': '*',
                    'destination_address_prefix': '*'}, **more)
        if 'source_address_prefixes' not in one:
            one['source_address_prefix'] = source
        return one

    # ---- Kinds ----

    def test_flavors(self):
        theirs = {each.name: plain(each)
                  for each in self.compute.virtual_machine_sizes.list(HOME)}
        self.assertGreater(len(theirs), 5)
        self.check('flavor', fields.FLAVOR, theirs, fields.native_differs(fields.FLAVOR_MAPPED))

    def test_images(self):
        theirs = {each.id: plain(each) for each in self.compute.images.list()}
        self.assertTrue(theirs)
        self.check('image', fields.IMAGE, theirs, fields.native_differs(fields.IMAGE_MAPPED, False))

    def test_marketplace_image(self):
        """The highest version is not the last one in the order of texts."""
        theirs = plain(self.compute.virtual_machine_images.get(
            HOME, 'Debian', 'debian-12', '12', '0.20240201.10'))
        theirs['_urn'] = 'Debian:debian-12:12:0.20240201.10'
        differs = fields.native_differs(fields.MARKET_MAPPED)
        for name in theirs['_urn'], 'Debian:debian-12:12:latest':
            ours = self.shown('image', name)
            self.assertEqual(fields.compare(fields.MARKET_IMAGE, self.flat(ours, True), theirs), [])
            found = [each for each in differs(ours, theirs) if not each.startswith('native.id:')]
            self.assertEqual(found, [])
        for name in ('Debian:debian-12:12:9.9.9', 'Debian:debian-12:none:latest', 'a:b:c:latest'):
            self.assertEqual(self.gateway.run('image', 'show', 'lab/' + name).code, 3, name)

    def test_networks(self):
        theirs = {each.id: plain(each) for each in self.network.virtual_networks.list_all()}
        self.assertEqual(len(theirs), 2)
        self.check('network', fields.NETWORK, theirs, fields.native_differs(fields.NETWORK_MAPPED))

    def test_subnets(self):
        theirs = {each['id']: dict(each, _network=network)
                  for network in map(plain, self.network.virtual_networks.list_all())
                  for each in fields.part(network, 'subnets')}
        self.assertEqual(len(theirs), 4)
        self.check('subnet', fields.SUBNET, theirs, fields.native_differs(fields.SUBNET_MAPPED))
        for name in 'second', 'other/second', 'OTHER/Second':
            of_one = self.gateway.ok('subnet', 'list', '--cloud', 'lab', '--network', name,
                                     '-o', 'json').json()
            self.assertEqual([each['name'] for each in of_one], ['a', 'b', 'c'])
            self.assertEqual(self.shown('subnet', name + '/b'), of_one[1])
        for name in 'second/d', 'net/a', 'other/net/a':
            self.assertEqual(self.gateway.run('subnet', 'show', 'lab/' + name).code, 3, name)

    def test_security_groups(self):
        native = fields.native_differs(fields.SECURITY_GROUP_MAPPED)

        def details(ours, theirs):
            got = sorted(str(sorted(each.items())) for each in ours.get('rules', []))
            want = fields.rules(theirs)
            return native(ours, theirs) + ([] if got == want else [
                'rules: isobar has %s, azure-mgmt %s' % (got, want)])
        theirs = {each.id: plain(each) for each in self.network.network_security_groups.list_all()}
        self.check('security-group', fields.SECURITY_GROUP, theirs, details)
        self.assertEqual(len(self.shown('security-group', 'front')['rules']), 6)

    def test_keypairs(self):
        theirs = {each.id: plain(each)
                  for each in self.compute.ssh_public_keys.list_by_subscription()}
        self.assertEqual(len(theirs), 2)
        self.check('keypair', fields.KEYPAIR, theirs, fields.native_differs(fields.KEYPAIR_MAPPED))

    def test_regions(self):
        theirs = {each.name: dict(plain(each), _current=each.name == HOME) for each in
                  self.subscriptions.subscriptions.list_locations(self.lab.subscription)}
        self.check('region', fields.REGION, theirs, fields.native_differs(fields.REGION_MAPPED))
        self.assertEqual(self.shown('region', 'West Europe')['id'], HOME)

    def test_zones(self):
        provider = plain(self.resources.providers.get('Microsoft.Compute'))
        zones, = (each for type in provider['resourceTypes']
                  if type['resourceType'] == 'virtualMachines' for mapping in type['zoneMappings']
                  if mapping['location'] == 'West Europe' for each in [mapping['zones']])
        self.check('zone', fields.ZONE, {each: {'zone': each, 'region': HOME} for each in zones})

    # ---- Machines ----

    def machines(self):
        sizes = {each.name: plain(each) for each in self.compute.virtual_machine_sizes.list(HOME)}
        nics = {each.id.lower(): plain(each) for each in self.network.network_interfaces.list_all()}
        ips = {each.id.lower(): plain(each) for each in self.network.public_ip_addresses.list_all()}
        found = {}
        for each in self.compute.virtual_machines.list_all():
            group = each.id.split('/')[4]
            one = plain(self.compute.virtual_machines.get(group, each.name, expand='instanceView'))
            refs = fields.part(one, 'networkProfile.networkInterfaces')
            found[one['id']] = dict(
                one, _size=sizes[fields.part(one, 'hardwareProfile.vmSize')], _ips=ips,
                _nics=[nics[ref['id'].lower()] for ref in refs])
        return found

    def test_machines(self):
        theirs = self.machines()
        self.assertEqual(len(theirs), 6)
        listed = self.listing('vm')
        self.assertEqual(sorted(each['id'].lower() for each in listed),
                         sorted(id.lower() for id in theirs))
        wrong, by_id = [], {id.lower(): each for id, each in theirs.items()}
        for ours in listed:
            want = by_id[ours['id'].lower()]
            shown = self.shown('vm', want['id'])
            self.assertEqual(shown['id'], want['id'])
            self.assertTrue(any(key.startswith('instanceView.') for key in shown['native']))
            wrong += ['%s (by %s): %s' % (want['name'], how, what)
                      for how, each in (('list', ours), ('id', shown))
                      for what in self.differs(caseless(each), caseless(want))]
        self.assertFalse(wrong, '\n' + '\n'.join(wrong))
        self.assertEqual({each['name']: each['state'][9:] for each in listed}, {
            'web': 'RUNNING', 'stopped': 'STOPPED', 'away': 'STOPPED', 'asleep': 'SUSPENDED',
            'broken': 'ERROR'})

    def differs(self, ours, theirs):
        tags = dict(theirs.get('tags') or {})
        native = whole_seconds(ours['native'])
        native.pop('additionalCapabilities.hibernationEnabled', None)  # newer than these clients
        wrong = [] if native.pop('isobar-token', None) == tags.pop('isobar-token', None) else ['mark']
        details = fields.native_differs(fields.VM_MAPPED, False, whole_seconds)
        return wrong + fields.compare(fields.VM, self.flat(ours, True), dict(theirs, tags=tags)) + \
            details(dict(ours, native=native), theirs)

    def test_machine_by_name(self):
        for name in 'away', 'AWAY', 'lab/away', 'LAB/Away':
            self.assertEqual(self.shown('vm', name)['name'], 'away', name)
        self.assertIn('/resourceGroups/other/', self.shown('vm', 'other/web')['id'])
        ambiguous = self.gateway.run('vm', 'show', 'lab/web')
        self.assertEqual(ambiguous.code, 2)
        for group in 'other', 'lab':
            self.assertIn('/resourceGroups/%s/' % group.upper(), ambiguous.err)
        for name, words in (('awai', 'away'), ('lab/awai', 'away'), ('none/web', "'none'"),
                            ('/subscriptions/x', '/subscriptions/x'),
                            (self.shown('vm', 'away')['id'] + 'x', 'awayx'),
                            ('/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/g/'
                             'providers/Microsoft.Compute/virtualMachines/web', 'subscription')):
            missing = self.gateway.run('vm', 'show', 'lab/' + name)
            self.assertEqual((missing.code, words in missing.err), (3, True), missing.err)

    def test_list_asks_by_pages(self):
        """How many requests a list takes does not follow from how many machines there are."""
        self.listing('vm')
        self.lab.tell('faults', page_size=0)
        self.addCleanup(self.lab.tell, 'faults', page_size=2)
        self.lab.tell('rules', what='refuse', method='GET', path='.', nth=1000000)
        self.listing('vm')
        self.assertEqual(self.lab.ask('rules')['rules'][0]['seen'], 4)

    def test_ids_of_a_list(self):
        """Whichever way their case is written, they are those that were asked for."""
        id = self.shown('vm', 'away')['id']
        for each in id, id.upper():
            _, found = self.gateway.call('isobar.v1.VmService/ListVms', {'cloud': 'lab', 'ids': [each]})
            self.assertEqual([vm['id'] for vm in found['vms']], [each])

    def test_check(self):
        said = self.gateway.ok('cloud', 'check', 'lab').out
        self.assertIn('subscription %s (show, Enabled), tenant %s' % (
            self.lab.subscription, self.lab.told['tenant_id']), said)
        self.assertIn('compute 2021-03-01', said)
        self.assertIn('network 2021-02-01', said)


if __name__ == '__main__':
    sys.exit(0 if unittest.main(exit=False, verbosity=2).result.wasSuccessful() else 1)
