#!/usr/bin/python3
"""What is lost on the way to Azure and back: replies, orders that are carried out late, lists that lag;
and what an operation has left behind. There is one machine where one was ordered, and nothing is left
of none.
"""

import sys
import time
import unittest

import azure_case
from arm_peer import eventually

PUBLIC = {'publicIpType': 'static'}
VM, NIC, IP = '/virtualMachines/[^/]+$', '/networkInterfaces/', '/publicIPAddresses/'
NEWER = {'compute_api_version': '2024-03-01'}     # knows If-None-Match


class Losses(azure_case.Test):

    def one_machine(self, name='lost', spec=PUBLIC):
        """Made, once; then deleted, with all that was made for it."""
        result, made = self.call(name, **spec)
        self.assertEqual(result['code'], 'RESULT_CODE_CREATED', result)
        eventually('nothing is under way', lambda: self.here.ask('count')['pending'] == 0)
        token = self.theirs(name).tags['isobar-token']
        has = self.here.count(token)
        self.assertEqual([len(has[each]) for each in ('machines_ever', 'machines', 'nics', 'addresses')],
                         [1, 1, 1, len(spec)], has)
        self.gateway.ok('vm', 'delete', '--cloud', 'lab', made['vm']['id'], '--wait', '--yes')
        self.nothing_is_left()

    def forget(self):
        self.emulator.ask('DELETE', '/rules?lab=' + self.here.name)

    def test_lost_replies(self):
        for settings in {}, NEWER:
            self.begin(settings=settings)
            for method, path in (('PUT', VM), ('PUT', NIC), ('PUT', IP), ('DELETE', VM)):
                for times in 1, 4:
                    with self.subTest('%s %s %s %d' % (settings, method, path, times)):
                        self.here.tell('rules', what='drop_reply', method=method, path=path,
                                       times=times)
                        self.one_machine()
                        self.forget()

    def test_late_commits(self):
        """The order is lost, and carried out later; it is not to be seen meanwhile."""
        for settings in {}, NEWER:
            self.begin(settings=settings)
            for method, path in (('PUT', VM), ('PUT', NIC), ('PUT', IP), ('DELETE', VM)):
                with self.subTest('%s %s %s' % (settings, method, path)):
                    self.here.tell('rules', what='late_commit', method=method, path=path, times=3,
                                   ms=2500)
                    self.one_machine()
                    self.forget()

    def test_a_commit_after_the_machine_is_gone(self):
        """It finds no interface, and makes no machine."""
        for settings in {}, NEWER:
            self.begin(settings=settings)
            self.here.tell('rules', what='late_commit', method='PUT', path=VM, times=1, ms=6000)
            result, made = self.call('late', **PUBLIC)
            self.assertEqual(result['code'], 'RESULT_CODE_CREATED', result)
            self.gateway.ok('vm', 'delete', '--cloud', 'lab', 'late', '--wait', '--yes')
            self.assertEqual(self.here.ask('count')['pending'], 1)
            eventually('nothing is under way', lambda: self.here.ask('count')['pending'] == 0)
            self.nothing_is_left()

    def test_errors_of_its_own(self):
        self.begin()
        for method, path in (('PUT', VM), ('PUT', NIC), ('PUT', IP), ('GET', VM), ('GET', '/virtualNetworks')):
            with self.subTest('%s %s' % (method, path)):
                self.here.tell('rules', what='refuse', method=method, path=path, times=2, status=500,
                               code='InternalServerError', message='Encountered internal server error.')
                self.one_machine()
                self.forget()

    def test_what_is_not_there_yet(self):
        """Azure wants the interface, or the address, to be made before it is referred to."""
        self.begin()
        for path, code, status in ((NIC, 'ReferencedResourceNotProvisioned', 409),
                                   (VM, 'RetryableError', 409), (NIC, 'RetryableError', 429),
                                   (NIC, 'AnotherOperationInProgress', 409)):
            with self.subTest('%s %d' % (code, status)):
                self.here.tell('rules', what='refuse', method='PUT', path=path, times=2,
                               status=status, code=code, message='Not yet.')
                self.one_machine()
                self.forget()

    def test_lost_actions(self):
        self.begin(settings={'compute_api_version': '2021-07-01'})
        self.create('acts', '--param', 'hibernation=true')
        for args, power in ((('stop',), 'deallocated'), (('start',), 'running'),
                            (('reboot',), 'running'), (('reboot', '--hard'), 'running'),
                            (('suspend',), 'deallocated'), (('resume',), 'running')):
            with self.subTest(str(args)):
                self.here.tell('rules', what='drop_reply', method='POST', path=VM[:-1] + '/')
                self.gateway.ok('vm', args[0], '--cloud', 'lab', 'acts', *args[1:], '--wait')
                self.assertEqual(self.power('acts'), [power])
                self.assertEqual(self.here.ask('rules')['rules'][-1]['done'], 1)
        self.delete('acts')

    def test_reboot_that_stays_off(self):
        """Hard is off and on: what is between is told, and done to its end if it can be."""
        self.begin()
        self.create('acts')
        rule = dict(what='refuse', method='POST', path=VM[:-1] + '/start')
        self.here.tell('rules', status=409, times=0, code='OperationNotAllowed',
                       message='Operation could not be completed as it results in exceeding approved '
                               'Total Regional Cores quota.', **rule)
        result, _ = self.act('RebootVm', 'acts', hard=True)
        self.assertEqual((result['code'], result['sideEffects']),
                         ('RESULT_CODE_QUOTA_EXCEEDED', 'SIDE_EFFECTS_CERTAIN'), result)
        self.assertIn('was switched off', result['detail'])
        self.assertEqual(self.power('acts'), ['stopped'])
        self.forget()
        self.gateway.ok('vm', 'start', '--cloud', 'lab', 'acts', '--wait')
        # It is not told how the switching off goes on, for a while.
        self.here.tell('rules', what='refuse', method='GET', path='/operations/', status=500, times=9,
                       code='InternalServerError', message='Encountered internal server error.')
        self.gateway.ok('vm', 'reboot', '--hard', '--cloud', 'lab', 'acts', '--wait')
        self.assertEqual(self.power('acts'), ['running'])
        self.delete('acts')

    def test_another_group_than_the_connections(self):
        """What is made there is found there, too."""
        self.begin(settings={'resource_group': 'lab'})
        self.resources.resource_groups.create_or_update('second', {'location': 'westeurope'})
        subnet = list(self.network.virtual_networks.list_all())[0].subnets[0].id
        where = dict(resourceGroupName='second', subnetName=subnet, **PUBLIC)
        for drop in (None, VM, NIC):
            with self.subTest(str(drop)):
                if drop:
                    self.here.tell('rules', what='drop_reply', method='PUT', path=drop, times=4)
                result, made = self.call('there', **where)
                self.assertEqual(result['code'], 'RESULT_CODE_CREATED', result)
                if not drop:    # its address is nobody's when the machine goes
                    nic, = self.network.network_interfaces.list('second')
                    nic.ip_configurations[0].public_ip_address = None
                    self.network.network_interfaces.begin_create_or_update(
                        'second', nic.name, nic).result()
                self.gateway.ok('vm', 'delete', '--cloud', 'lab', made['vm']['id'], '--wait', '--yes')
                self.nothing_is_left()
                self.forget()

    def test_a_cloud_at_random(self):
        for seed in range(3):
            self.begin(seed=seed)
            time.sleep(1)       # what the subscription comes with is old enough to be seen
            self.here.tell('faults', late_commit=0.3, lost_reply=0.2, list_lag=0.3)
            for n in range(4):
                with self.subTest('%d %d' % (seed, n)):
                    self.one_machine('lost-%d' % n)


class Leftovers(azure_case.Test):

    def leftovers(self):
        return self.gateway.ok('leftover', 'list', '--cloud', 'lab', '-o', 'json').json()

    def make(self, token, named=None, **more):
        """An address and an interface on it that bear this token, as a gateway makes them."""
        base = {'location': 'westeurope', 'tags': {'isobar-token': token}}
        named = named or 'isobar-%s-' % token
        ip = self.network.public_ip_addresses.begin_create_or_update('lab', named + 'ip', dict(
            base, sku={'name': 'Standard'}, public_ip_allocation_method='Static')).result()
        subnet = self.network.virtual_networks.get('lab', 'net').subnets[0]
        return ip, self.network.network_interfaces.begin_create_or_update('lab', named + 'nic', dict(
            base, ip_configurations=[{'name': 'one', 'subnet': {'id': subnet.id},
                                      'public_ip_address': {'id': ip.id}}])).result()

    def disk(self, token, name):
        return self.disks.disks.begin_create_or_update('lab', name, {
            'location': 'westeurope', 'tags': {'isobar-token': token}, 'disk_size_gb': 1,
            'creation_data': {'create_option': 'Empty'}}).result()

    def test_of_others(self):
        """They are shown, and stay; what bears the tag alone is nothing to us."""
        self.begin()
        ip, nic = self.make('01890a5d-ac96-774b-bcce-b302099a8057')
        self.make('01890a5d-ac96-774b-bcce-b302099a8057', named='theirs-')
        disk = self.disk('01890a5d-ac96-774b-bcce-b302099a8057',
                         'isobar-01890a5d-ac96-774b-bcce-b302099a8057-d0')
        self.disk('01890a5d-ac96-774b-bcce-b302099a8057', 'kept')
        found = {each['id']: each for each in self.leftovers()}
        self.assertEqual({(each['kind'], each['verdict']) for each in found.values()},
                         {(kind, 'LEFTOVER_VERDICT_FOREIGN') for kind in ('nic', 'public_ip', 'disk')})
        self.assertEqual(set(found), {ip.id, nic.id, disk.id})
        self.assertFalse(any(each.get('inUse') for each in found.values()))
        done = self.gateway.run('leftover', 'delete', '--cloud', 'lab', '--yes',
                                '01890a5d-ac96-774b-bcce-b302099a8057')
        self.assertNotEqual(done.code, 0)
        self.assertEqual(len(self.left()['addresses']), 2)

    def test_of_ours(self):
        """What an operation has left that is over is deleted when all has settled; what its machine
        uses is not, nor what only bears its tag."""
        self.begin(settings={'settle_ms': 2000}, pace=4.0)
        self.create('ours', '--public-ip-type', 'static')
        token = self.theirs('ours').tags['isobar-token']
        left = self.left()
        result, done = self.gateway.call('isobar.v1.OperationService/DeleteLeftover', {
            'cloud': 'lab', 'id': token, 'dryRun': True})
        self.assertEqual(done.get('leftovers', []), [], result)
        self.gateway.ok('vm', 'delete', '--cloud', 'lab', 'ours', '--yes')
        self.here.tell('faults', pace=0.05)
        self.make(token, named='isobar-%s-more-' % token)
        self.disk(token, 'isobar-%s-d7' % token)
        self.disk(token, 'kept')
        self.make(token, named='theirs-')
        self.assertEqual(len(self.left()['interfaces']), len(left['interfaces']) + 2)
        kinds = {each['kind'] for each in self.leftovers() if not each.get('inUse')}
        self.assertEqual(kinds - {'vm'}, set())
        self.nothing_is_left(addresses=['theirs-ip'], interfaces=['theirs-nic'], disks=['kept'])

    def test_what_was_taken_off(self):
        """An address that somebody has taken off the machine goes all the same, later."""
        self.begin()
        self.create('ours', '--public-ip-type', 'static')
        nic, = self.network.network_interfaces.list_all()
        nic.ip_configurations[0].public_ip_address = None
        self.network.network_interfaces.begin_create_or_update('lab', nic.name, nic).result()
        self.assertTrue(all(each['inUse'] for each in self.leftovers() if each['kind'] != 'vm'))
        self.delete('ours')


if __name__ == '__main__':
    sys.exit(0 if unittest.main(exit=False, verbosity=2).result.wasSuccessful() else 1)
