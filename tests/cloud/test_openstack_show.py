#!/usr/bin/python3
"""What the gateway shows of a real OpenStack is what `openstack` shows, for every field of every
kind of thing: in lists and alone, by name and by id.
"""

import sys
import unittest

import fields
import openstack_peer
from gateway import Gateway
from showing import Showing

openstack_peer.need()


class Show(Showing, unittest.TestCase):

    NOT_LISTED = {'keypair': ['createdAt']}

    @classmethod
    def setUpClass(cls):
        cls.os = openstack_peer.Project()
        cls.addClassCleanup(cls.os.remove)
        cls.furnish(cls.os)
        cls.gateway = Gateway('clouds:\n  lab: {adapter: openstack, cloud: demo, clouds_file: %s}\n'
                              % cls.os.clouds)
        cls.addClassCleanup(cls.gateway.stop)

    @staticmethod
    def furnish(os):
        """One of each kind whose fields are not what they are by default."""
        os.admin('flavor', 'create', '--ram', '256', '--disk', '3', '--ephemeral', '2', '--swap', '64',
                 '--vcpus', '2', '--private', '--project', os.name, os.name + '-flavor')
        os.undo.append(lambda: os.admin('flavor', 'delete', os.name + '-flavor'))
        os('image', 'create', '--file', '/etc/hostname', '--disk-format', 'qcow2', '--min-disk', '1',
           '--min-ram', '64', '--property', 'os_type=linux', '--property', 'architecture=x86_64',
           '--tag', 'one', '--tag', 'two', 'full-image')
        os.cleanup('image', 'delete', 'full-image')
        os.make_key('key')
        os('network', 'create', '--mtu', '1300', 'second')
        os.cleanup('network', 'delete', 'second')
        os('subnet', 'create', 'six', '--network', 'second', '--ip-version', '6', '--no-dhcp',
           '--subnet-range', 'fd00:77::/64', '--gateway', 'none')
        os('security', 'group', 'create', 'web', '--description', 'what the web needs')
        os.cleanup('security', 'group', 'delete', 'web')
        rule = ('security', 'group', 'rule', 'create', 'web')
        os(*rule, '--protocol', 'tcp', '--dst-port', '80:443', '--remote-ip', '198.51.100.0/24')
        os(*rule, '--protocol', 'icmp')
        os(*rule, '--protocol', 'udp', '--dst-port', '53', '--remote-group', 'web', '--egress')
        os(*rule, '--protocol', '47', '--ethertype', 'IPv6')
        os('server', 'create', '--flavor', 'm1.tiny',
           '--image', 'test-image', '--network', 'private', '--key-name', 'key',
           '--security-group', 'web', '--property', 'role=front', '--tag', 'blue', '--wait', 'first')
        os('floating', 'ip', 'create', 'public')
        address = os.show('floating', 'ip', 'list')[0]['Floating IP Address']
        os('server', 'add', 'floating', 'ip', 'first', address)
        os('server', 'create', '--flavor', 'm1.tiny', '--image', 'test-image',
           '--boot-from-volume', '1', '--network', 'private', '--network', 'second',
           '--wait', 'second')
        os('server', 'stop', 'second')

    def each(self, *noun, key='ID', listing=()):
        """What `openstack NOUN show` has of all that `openstack NOUN list` names, by id."""
        return {each[key]: self.os.show(*noun, 'show', each[key])
                for each in self.os.show(*noun, 'list', *listing)}

    def test_flavors(self):
        self.check('flavor', fields.FLAVOR, self.each('flavor', listing=('--all',)))

    def test_images(self):
        self.check('image', fields.IMAGE, self.each('image'))

    def test_networks(self):
        self.check('network', fields.NETWORK, self.each('network'))

    def test_subnets(self):
        self.check('subnet', fields.SUBNET, self.each('subnet'))

    def test_security_groups(self):
        def rules(ours, theirs):
            want = {rule['id']: rule for rule in theirs['rules']}
            if sorted(want) != sorted(rule['id'] for rule in ours.get('rules', [])):
                return ['rules: isobar has %r, openstack %r' % (ours.get('rules'), theirs['rules'])]
            return ['rule %s: %s' % (rule['id'], what) for rule in ours['rules']
                    for what in fields.compare(fields.RULE, rule, want[rule['id']])]
        self.check('security-group', fields.SECURITY_GROUP, self.each('security', 'group'), rules)

    def test_keypairs(self):
        theirs = self.each('keypair', key='Name')
        for name, each in theirs.items():
            each['public_key'] = self.os('keypair', 'show', '--public-key', name).strip()
        self.check('keypair', fields.KEYPAIR, theirs)

    def test_zones(self):
        self.check('zone', fields.ZONE, {
            each['Zone Name']: dict(each, region=self.os.region)
            for each in self.os.show('availability', 'zone', 'list', '--compute')})

    def test_regions(self):
        # Listing regions is for everybody in Keystone's policy.
        self.check('region', fields.REGION, {
            each['Region']: dict(each, current=each['Region'] == self.os.region)
            for each in self.os.show('region', 'list')})

    def test_machines(self):
        flavors = {each['Name']: each['ID'] for each in self.os.show('flavor', 'list', '--all')}
        networks = {each['Name']: each['ID'] for each in self.os.show('network', 'list')}
        floating = {each['Floating IP Address'] for each in self.os.show('floating', 'ip', 'list')}
        theirs = self.each('server')
        self.assertEqual(len(theirs), 2)
        for each in theirs.values():
            macs = {ip['ip_address']: port['MAC Address']
                    for port in self.os.show('port', 'list', '--server', each['id'])
                    for ip in port['Fixed IP Addresses']}
            mac, = set(macs.values()) if len(set(macs.values())) == 1 else (None,)
            each['_flavor_id'] = flavors[each['flavor']['original_name']]
            each['_region'] = self.os.region
            each['_addresses'] = [{
                'networkId': networks[network], 'networkName': network, 'ip': ip,
                'ipVersion': 6 if ':' in ip else 4, 'mac': macs.get(ip, mac),
                'kind': 'ADDRESS_KIND_' + ('PUBLIC' if ip in floating else 'FIXED'),
            } for network, ips in each['addresses'].items() for ip in ips]
        self.check('vm', fields.VM, theirs)

    def test_check(self):
        said = self.gateway.ok('cloud', 'check', 'lab').out
        for service in 'compute', 'image', 'network', 'volume':
            self.assertIn(service, said)


if __name__ == '__main__':
    sys.exit(0 if unittest.main(exit=False, verbosity=2).result.wasSuccessful() else 1)
