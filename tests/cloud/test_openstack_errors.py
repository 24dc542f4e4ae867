#!/usr/bin/python3
"""What is wrong at a real OpenStack comes back as one typed result that says what and whose fault,
and leaves nothing behind.
"""

import copy
import socket
import sys
import unittest

import openstack_peer
from gateway import Gateway

openstack_peer.need()

SPEC = {'name': 'wrong', 'flavorName': 'm1.tiny', 'imageId': 'test-image', 'networkId': 'private'}

# What is asked for -> the code, the field that is named, and a near name that is offered.
NOT_FOUND = [
    ({'flavorName': 'm1.tinny'}, 'spec.flavor_name', 'm1.tiny'),
    ({'imageId': 'test-imagee'}, 'spec.image_id', 'test-image'),
    ({'networkId': 'privat'}, 'spec.network_id', 'private'),
    ({'securityGroupName': 'defalt'}, 'spec.security_group_name', 'default'),
    ({'keypair': 'keey'}, 'spec.keypair', 'key'),
    # An id that is none.
    ({'imageId': '00000000-0000-4000-8000-000000000000'}, 'spec.image_id', ''),
]


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


class Errors(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.os = openstack_peer.Project()
        cls.addClassCleanup(cls.os.remove)
        cls.os.make_key('key')
        import yaml
        with open(cls.os.clouds) as f:
            clouds = yaml.safe_load(f)['clouds']
        clouds['wrong-password'] = copy.deepcopy(clouds['demo'])
        clouds['wrong-password']['auth']['password'] = 'wrong'
        clouds['down'] = copy.deepcopy(clouds['demo'])
        clouds['down']['auth']['auth_url'] = 'http://127.0.0.1:%d/v3' % free_port()
        cls.os.write_clouds(clouds)
        row = '  %s: {adapter: openstack, cloud: %s, clouds_file: ' + cls.os.clouds + '}\n'
        cls.gateway = Gateway('clouds:\n' + row % ('lab', 'demo') +
                              row % ('stranger', 'wrong-password') + row % ('down', 'down'))
        cls.addClassCleanup(cls.gateway.stop)

    def setUp(self):
        # Whatever fails, the next test begins with nothing.
        self.addCleanup(lambda: self.os.insist(self.os.remove_machines))

    def tearDown(self):
        self.assertEqual(self.os.leftovers(), set(), 'left behind')

    def create(self, cloud='lab', **fields):
        return self.gateway.call('isobar.v1.VmService/CreateVm', {
            'cloud': cloud, 'spec': dict(SPEC, **fields), 'wait': 'WAIT_RUNNING'})[0]

    def assert_code(self, result, code, blame=None):
        self.assertEqual(result.get('code'), 'RESULT_CODE_' + code, result)
        self.assertTrue(result.get('detail'), result)
        if blame:
            self.assertEqual(result.get('blame'), 'BLAME_' + blame, result)

    def test_not_found(self):
        for change, field, near in NOT_FOUND:
            with self.subTest(field, **change):
                result = self.create(**change)
                self.assert_code(result, 'NOT_FOUND')
                self.assertIn(list(change.values())[0], result['detail'])
                offered = result['detail'].partition('did you mean')[2]
                self.assertIn(near, offered)
                self.assertIn(field, [v['field'] for v in result.get('violations', [])])

    def test_machine_not_found(self):
        for method in 'Get', 'Start', 'Stop', 'Reboot', 'Suspend', 'Resume', 'Resize', 'Delete':
            with self.subTest(method):
                more = {'flavorName': 'm1.small'} if method == 'Resize' else {}
                result, _ = self.gateway.call('isobar.v1.VmService/%sVm' % method,
                                              dict(more, cloud='lab', id='nobody'))
                self.assert_code(result, 'NOT_FOUND')
                self.assertIn('nobody', result['detail'])
        self.assertEqual(self.gateway.run('vm', 'show', 'lab/nobody').code, 3)

    def test_no_such_cloud(self):
        result, _ = self.gateway.call('isobar.v1.VmService/ListVms', {'cloud': 'labb'})
        self.assert_code(result, 'NOT_FOUND', 'CALLER')
        self.assertRegex(result['detail'], r'\blab\b')

    def test_missing_attributes(self):
        for name, field in ('name', 'spec.name'), ('flavorName', 'spec.flavor_name'), (
                'imageId', 'spec.image_id'):
            with self.subTest(name):
                result = self.create(**{name: ''})
                self.assert_code(result, 'BAD_REQUEST_DATA', 'CALLER')
                self.assertIn(field, [v['field'] for v in result.get('violations', [])])

    def test_ambiguous(self):
        """A name that two things have: both are listed, and an id helps."""
        for _ in range(2):
            self.os('network', 'create', 'twin')
        ids = [each['ID'] for each in self.os.show('network', 'list', '--name', 'twin')]
        for each in ids:
            self.os.cleanup('network', 'delete', each)
        result = self.create(networkId='twin')
        self.assertNotIn(result['code'], ('RESULT_CODE_CREATED', 'RESULT_CODE_INTERNAL_ERROR'))
        for each in ids:
            self.assertIn(each, result['detail'])
        result, response = self.gateway.call('isobar.v1.NetworkService/GetNetwork',
                                             {'cloud': 'lab', 'id': ids[1]})
        self.assertEqual(result['code'], 'RESULT_CODE_OK')
        self.assertEqual(response['network']['id'], ids[1])
        outcome = self.gateway.run('network', 'show', 'lab/twin')
        self.assertNotEqual(outcome.code, 0)
        for each in ids:
            self.assertIn(each, outcome.err)

    def test_quota(self):
        """Nova's quota of machines, and Neutron's of ports; nothing is left of what was begun."""
        for quota, tight in ('--instances', '0'), ('--cores', '0'), ('--ports', '1'):
            with self.subTest(quota):
                self.os.admin('quota', 'set', quota, tight, self.os.name)
                try:
                    result = self.create()
                    self.assert_code(result, 'QUOTA_EXCEEDED', 'CLOUD')
                    self.assertIn(result['native']['httpStatus'], (403, 409))
                    self.assertTrue(result['native']['message'])
                    self.assertEqual(self.gateway.run(
                        'vm', 'create', '--cloud', 'lab', '--name', 'over', '--flavor', 'm1.tiny',
                        '--image', 'test-image', '--network', 'private', '--wait').code, 6)
                finally:
                    self.os.admin('quota', 'set', quota, '20', self.os.name)
                self.assertEqual(self.os.leftovers(), set())

    def test_volume_quota(self):
        """Cinder's; the machine is on its way when it is met, and may be there in ERROR."""
        self.os.admin('quota', 'set', '--volumes', '0', self.os.name)
        try:
            result = self.create(sourceType='image', volumeCreated=True)
            if self.os.show('server', 'list'):
                self.gateway.ok('vm', 'delete', 'lab/wrong', '--wait', '--yes')
            self.assert_code(result, 'QUOTA_EXCEEDED', 'CLOUD')
        finally:
            self.os.admin('quota', 'set', '--volumes', '10', self.os.name)

    def test_floating_ip_quota(self):
        """Met at the very end: what was made before is taken back."""
        self.os.admin('quota', 'set', '--floating-ips', '0', self.os.name)
        try:
            self.assert_code(self.create(publicIpType='dynamic'), 'QUOTA_EXCEEDED', 'CLOUD')
        finally:
            self.os.admin('quota', 'set', '--floating-ips', '10', self.os.name)

    def test_wrong_password(self):
        """The cloud's refusal, and not the gateway's own."""
        result, _ = self.gateway.call('isobar.v1.VmService/ListVms', {'cloud': 'stranger'})
        self.assert_code(result, 'UNAUTHORIZED', 'CLOUD')
        self.assertEqual(result['native']['httpStatus'], 401)
        self.assertEqual(self.gateway.run('vm', 'list', '--cloud', 'stranger').code, 4)

    def test_cloud_is_down(self):
        result, _ = self.gateway.call('isobar.v1.VmService/ListVms', {'cloud': 'down'})
        self.assert_code(result, 'UNAVAILABLE', 'CLOUD')
        self.assertEqual(self.gateway.run('vm', 'list', '--cloud', 'down').code, 7)

    def test_all_clouds(self):
        """Without a cloud all are asked; those that fail have a result each."""
        result, response = self.gateway.call('isobar.v1.FlavorService/ListFlavors', {})
        self.assertEqual(result['code'], 'RESULT_CODE_PARTIAL')
        self.assertEqual({f['cloud'] for f in response['flavors']}, {'lab'})
        self.assertEqual({r['cloud']: r['result']['code'] for r in response['cloudResults']}, {
            'stranger': 'RESULT_CODE_UNAUTHORIZED', 'down': 'RESULT_CODE_UNAVAILABLE'})

    def test_actions_in_the_wrong_state(self):
        self.gateway.ok('vm', 'create', '--cloud', 'lab', '--name', 'state', '--flavor', 'm1.tiny',
                        '--image', 'test-image', '--network', 'private', '--wait')
        try:
            result, _ = self.gateway.call('isobar.v1.VmService/ResumeVm',
                                          {'cloud': 'lab', 'id': 'state'})
            # It runs, which is what was wanted; or the state forbids it.
            self.assertIn(result['code'], ('RESULT_CODE_OK', 'RESULT_CODE_CHANGED',
                                           'RESULT_CODE_FAILED_PRECONDITION'))
            self.gateway.ok('vm', 'stop', 'lab/state', '--wait')
            result, _ = self.gateway.call('isobar.v1.VmService/SuspendVm',
                                          {'cloud': 'lab', 'id': 'state'})
            self.assert_code(result, 'FAILED_PRECONDITION', 'CLOUD')
            self.assertEqual(result['native']['httpStatus'], 409)
        finally:
            self.gateway.ok('vm', 'delete', 'lab/state', '--wait', '--yes')

    def test_dry_run(self):
        """All that can be checked is checked, and nothing is made."""
        create = {'cloud': 'lab', 'spec': SPEC, 'dryRun': True}
        result, _ = self.gateway.call('isobar.v1.VmService/CreateVm', create)
        self.assertEqual(result['code'], 'RESULT_CODE_OK', result)
        create['spec'] = dict(SPEC, flavorName='m1.nothing')
        result, _ = self.gateway.call('isobar.v1.VmService/CreateVm', create)
        self.assert_code(result, 'NOT_FOUND')


if __name__ == '__main__':
    sys.exit(0 if unittest.main(exit=False, verbosity=2).result.wasSuccessful() else 1)
