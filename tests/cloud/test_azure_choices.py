#!/usr/bin/python3
"""What is chosen for a machine on Azure where a specification leaves it open, and what names and ids
mean: networks, resource groups, keys, images. The cloud is azure/, and azure-mgmt says what is there.
"""

import sys
import unittest

import azure_case


class Choices(azure_case.Test):

    def network_with(self, name, subnets, group='lab', location='westeurope'):
        if group != 'lab':
            self.resources.resource_groups.create_or_update(group, {'location': location})
        return self.network.virtual_networks.begin_create_or_update(group, name, {
            'location': location, 'address_space': {'address_prefixes': ['10.0.0.0/8']},
            'subnets': [{'name': each, 'address_prefix': '10.%d.0.0/16' % n}
                        for n, each in enumerate(subnets, 50)]}).result()

    def place(self, *args, group='lab'):
        self.create('placed', *args)
        nic, = self.network.network_interfaces.list_all()
        self.assertEqual(self.theirs('placed', group).location, nic.location)
        self.delete('placed')
        return nic.ip_configurations[0].subnet.id.split('/')[-3::2], nic.location

    def test_subnets(self):
        self.begin()
        other = self.network_with('other', ['a', 'b'])
        far = self.network_with('far', ['only', 'GatewaySubnet'], location='eastus')
        for args, where in (
                (['--network', 'net'], (['net', 'default'], 'westeurope')),
                (['--subnet', 'b'], (['other', 'b'], 'westeurope')),
                (['--subnet', 'OTHER/A'], (['other', 'a'], 'westeurope')),
                (['--network', other.id, '--subnet', 'a'], (['other', 'a'], 'westeurope')),
                (['--subnet', other.subnets[1].id], (['other', 'b'], 'westeurope')),
                (['--subnet', other.subnets[1].id, '--region', 'westeurope', '--network', 'other'],
                 (['other', 'b'], 'westeurope')),
                (['--region', 'East US'], (['far', 'only'], 'eastus')),
                (['--network', far.id], (['far', 'only'], 'eastus'))):
            with self.subTest(' '.join(args)):
                self.assertEqual(self.place(*args), where)

    def test_subnets_that_do_not_fit(self):
        self.begin()
        other = self.network_with('other', ['a', 'b'])
        for spec, field, words in (
                ({}, 'spec.subnet_name', 'default'),
                ({'networkId': 'other'}, 'spec.subnet_name', 'b'),
                ({'subnetName': 'defautl'}, 'spec.subnet_name', 'default'),
                ({'networkId': 'nosuch'}, 'spec.network_id', 'nosuch'),
                ({'networkId': 'other', 'subnetName': 'a', 'region': 'eastus'}, 'spec.region',
                 'westeurope'),
                ({'subnetName': other.subnets[0].id, 'networkId': 'net'}, 'spec.subnet_name', 'network'),
                ({'subnetName': '/subscriptions/x'}, 'spec.subnet_name', 'id'),
                ({'subnetName': 'a', 'securityGroupName': 'nosuch'}, 'spec.security_group_name',
                 'nosuch'),
                ({'subnetName': 'a', 'publicIp': 'nosuch'}, 'spec.public_ip', 'nosuch')):
            with self.subTest(str(spec)):
                result, _ = self.call('placed', **spec)
                self.assertIn(result['code'],
                              ('RESULT_CODE_BAD_REQUEST_DATA', 'RESULT_CODE_NOT_FOUND'))
                self.assertIn(words, str(result))
                self.assertEqual(result['violations'][0]['field'], field)
        self.nothing_is_left()

    def test_resource_groups(self):
        self.begin()
        self.resources.resource_groups.create_or_update('second', {'location': 'westeurope'})
        result, _ = self.call('where')
        self.assertEqual(result['violations'][0]['field'], 'spec.resource_group_name')
        for words in 'lab', 'second':
            self.assertIn(words, str(result))
        # The network is in another group than the machine.
        id = '/subscriptions/%s/resourceGroups/second' % self.here.subscription
        for wanted in 'second', id:
            self.place('--resource-group', wanted, group='second')
        for wrong in ('/subscriptions/x/resourceGroups/second', 'lab?', 'lab#', '..', 'lab.',
                      'lab/providers/Microsoft.Network/networkInterfaces/theirs?'):
            with self.subTest(wrong):
                result, _ = self.call('where', resourceGroupName=wrong)
                self.assertEqual((result['code'], result['violations'][0]['field']),
                                 ('RESULT_CODE_BAD_REQUEST_DATA', 'spec.resource_group_name'))
        self.begin(settings={'resource_group': 'lab'})
        self.resources.resource_groups.create_or_update('second', {'location': 'westeurope'})
        self.place()

    def test_keys(self):
        self.begin()
        self.compute.ssh_public_keys.delete('lab', 'tester')
        result, _ = self.call('none')
        self.assertEqual((result['code'], result['violations'][0]['field']),
                         ('RESULT_CODE_BAD_REQUEST_DATA', 'spec.keypair'))
        for name in 'one', 'two':
            self.compute.ssh_public_keys.create('lab', name, {
                'location': 'westeurope', 'public_key': 'ssh-rsa AAAA' + name})
        result, _ = self.call('which')
        for words in 'spec.keypair', 'one', 'two':
            self.assertIn(words, str(result))
        self.assertEqual(self.call('which', keypair='three')[0]['code'], 'RESULT_CODE_NOT_FOUND')
        self.nothing_is_left()
        key = self.compute.ssh_public_keys.get('lab', 'two')
        for wanted in 'two', key.id:
            self.create('which', '--keypair', wanted)
            keys = self.theirs('which').os_profile.linux_configuration.ssh.public_keys
            self.assertEqual([k.key_data for k in keys], ['ssh-rsa AAAAtwo'])
            self.delete('which')

    def test_images(self):
        self.begin()
        golden = self.compute.images.get('lab', 'golden')
        for wanted in 'golden', golden.id:
            self.create('own', '--image-type', 'image', image=wanted)
            self.assertEqual(self.theirs('own').storage_profile.image_reference.id, golden.id)
            self.delete('own')
        for spec, words in (({'imageId': 'golden'}, 'PUBLISHER'),
                            ({'imageId': 'a:b:c'}, 'PUBLISHER'),
                            ({'imageId': 'x', 'imageType': 'gallery'}, 'gallery'),
                            ({'imageId': 'nosuch', 'imageType': 'image'}, 'nosuch'),
                            ({'imageId': 'Debian:debian-12:13:latest'}, 'not available'),
                            ({'imageId': '/SharedGalleries/x/Images/y/Versions/1'}, '2021-07-01')):
            with self.subTest(str(spec)):
                result, _ = self.call('wrong', **spec)
                self.assertIn(result['code'], ('RESULT_CODE_BAD_REQUEST_DATA', 'RESULT_CODE_NOT_FOUND',
                                               'RESULT_CODE_NOT_SUPPORTED'))
                self.assertIn(words, str(result))
        self.nothing_is_left()


if __name__ == '__main__':
    sys.exit(0 if unittest.main(exit=False, verbosity=2).result.wasSuccessful() else 1)
