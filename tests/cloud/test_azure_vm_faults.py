#!/usr/bin/python3
"""What goes wrong with machines on Azure: refusals and their codes, operations that end badly or not at
all, lost replies, lists that lag, what an order leaves behind. There is one machine where one was
ordered, and nothing is left of none.
"""

import sys
import time
import unittest

import azure_case
from arm_peer import eventually

PUBLIC = {'publicIpType': 'static'}
VM, NIC, IP = '/virtualMachines/[^/]+$', '/networkInterfaces/', '/publicIPAddresses/'
NEWER = {'compute_api_version': '2024-03-01'}     # knows If-None-Match


class Refusals(azure_case.Test):

    def refused_as(self, code, *words, effects='SIDE_EFFECTS_NONE', **spec):
        result, _ = self.call('refused', **spec)
        self.assertEqual(result['code'], 'RESULT_CODE_' + code, result)
        self.assertEqual(result['sideEffects'], effects, result)
        for each in words:
            self.assertIn(each, result['detail'])
        return result

    def test_quotas_and_room(self):
        for faults, code, words in (
                ({'cores': 0}, 'QUOTA_EXCEEDED', 'OperationNotAllowed'),
                ({'no_sizes': ['Standard_B1s']}, 'OUT_OF_CAPACITY', 'SkuNotAvailable')):
            self.begin(**faults)
            for spec in {}, PUBLIC:
                with self.subTest('%s %s' % (faults, spec)):
                    result = self.refused_as(code, words, **spec)
                    self.assertEqual(result['retry']['class'], 'RETRY_CLASS_AFTER_BACKOFF')
                    self.assertEqual(result['native']['code'], words)
                    self.nothing_is_left()
        self.begin(addresses=0)
        self.refused_as('QUOTA_EXCEEDED', 'PublicIPCountLimitReached', **PUBLIC)
        self.nothing_is_left()

    def test_an_operation_that_ends_badly(self):
        """Azure has taken the order, and cannot carry it out: there is a machine that has failed."""
        self.begin(fail={'full': 'AllocationFailed', 'slow': 'OSProvisioningTimedOut'})
        for name, word, power in (('full', 'AllocationFailed', []),
                                  ('slow', 'OSProvisioningTimedOut', ['running'])):
            with self.subTest(name):
                done = self.gateway.run(*self.order(name, '--wait', '--public-ip-type', 'static'))
                self.assertNotEqual(done.code, 0, str(done))
                self.assertIn(word, done.err)
                ours = self.vm('show', name)
                self.assertEqual((ours['state'], self.power(name)), ('VM_STATE_ERROR', power))
                self.assertIn(word, ours['fault'])
                self.delete(name)

    def test_an_operation_that_never_ends(self):
        self.begin(endless='still')
        result, _ = self.gateway.call('isobar.v1.VmService/CreateVm', {
            'cloud': 'lab', 'wait': 'WAIT_RUNNING', 'spec': {
                'name': 'still', 'flavorName': 'Standard_B1s', 'imageId': azure_case.IMAGE,
                **PUBLIC}}, timeout_ms=3000)
        self.assertEqual(result['code'], 'RESULT_CODE_ACCEPTED', result)
        self.assertEqual(self.vm('show', 'still')['state'], 'VM_STATE_CREATING')
        self.here.tell('faults', endless='')
        self.delete('still')

    def test_a_deletion_that_never_ends(self):
        """What was made is taken back as far as time allows, and the rest when Azure lets it."""
        self.begin(cores=0)
        self.here.tell('rules', what='refuse', method='DELETE', path=NIC, times=2, status=409,
                       code='AnotherOperationInProgress', message='Another operation is in progress.')
        self.refused_as('QUOTA_EXCEEDED', **PUBLIC)
        self.nothing_is_left()
        self.here.tell('rules', what='refuse', method='DELETE', path=NIC, times=5, status=409,
                       code='AnotherOperationInProgress', message='Another operation is in progress.')
        result = self.refused_as('QUOTA_EXCEEDED', effects='SIDE_EFFECTS_NONE', **PUBLIC)
        self.assertIn('could not be deleted', ' '.join(result['warnings']))
        self.nothing_is_left()

    def test_a_specification_that_is_wrong(self):
        self.begin()
        for spec, fields in (
                ({'tags': {'k%d' % n: 'v' for n in range(50)}}, ['spec.tags']),
                ({'tags': {'azure-a': '1', 'Microsoft': '2', 'ISOBAR-token': 'x', 'a/b': 'y'}},
                 ['spec.tags'] * 4),
                ({'tags': {'k' * 513: '', 'ä' * 512: 'ö' * 257}}, ['spec.tags'] * 2),
                ({'userData': 'QUFB' * 21846}, ['spec.user_data']),
                ({'volumes': [{'name': 'none'}]}, ['spec.volumes[0]']),
                ({'volumes': [{'name': 'isobar-x', 'sizeGib': 1}]}, ['spec.volumes[0]']),
                ({'volumes': [{'name': 'a', 'sizeGib': 1}, {'name': 'A', 'sizeGib': 1}]},
                 ['spec.volumes[1]']),
                ({'volumes': [{'sizeGib': 1}] * 65}, ['spec.volumes']),
                ({'parameters': {'max_price': '1', 'os_disk_size_gib': '0'}},
                 ['spec.parameters.max_price', 'spec.parameters.os_disk_size_gib']),
                ({'parameters': {'priority': 'Spot', 'max_price': '1.'}},
                 ['spec.parameters.max_price']),
                ({'parameters': {'plan': 'a:b'}}, ['spec.parameters.plan']),
                ({'parameters': {'hibernation': 'true'}}, ['spec.parameters.hibernation']),
                ({'parameters': {'computer_name': 'a b'}}, ['spec.parameters.computer_name']),
                ({'parameters': {'public_ip_sku': 'Basic'}, 'zone': '1', **PUBLIC},
                 ['spec.parameters.public_ip_sku']),
                ({'zone': 'westeurope-1'}, ['spec.zone']),
                ({'name': '-a'}, ['spec.name']), ({'name': 'a' * 65}, ['spec.name']),
                ({'name': 'a/b'}, ['spec.name'])):
            with self.subTest(str(spec)[:60]):
                result, _ = self.gateway.call('isobar.v1.VmService/CreateVm', {
                    'cloud': 'lab', 'spec': dict({'name': 'wrong', 'flavorName': 'Standard_B1s',
                                                  'imageId': azure_case.IMAGE}, **spec)})
                self.assertEqual(result['code'], 'RESULT_CODE_BAD_REQUEST_DATA')
                self.assertEqual(sorted(v['field'] for v in result['violations']), sorted(fields), result)
        self.assertEqual(self.here.ask('journal')['journal'], [])

    def test_a_size_that_is_none(self):
        self.begin()
        for spec in {}, PUBLIC:
            result = self.refused_as('BAD_REQUEST_DATA', 'Standard_B1s', flavorName='Standard_B1', **spec)
            self.assertEqual(result['native']['code'], 'InvalidParameter')
            self.nothing_is_left()

    def test_what_is_just_in_order(self):
        self.begin()
        result, made = self.call('a' * 64, userData='QUFB' * 21845, tags=dict(
            {'k%d' % n: '' for n in range(48)}, **{'ü' * 512: 'ö' * 256}))
        self.assertEqual(result['code'], 'RESULT_CODE_CREATED', result)
        self.assertEqual(len(self.theirs('a' * 64).tags), 50)

    def test_a_name_that_is_taken(self):
        for settings in {}, NEWER:
            self.begin(settings=settings)
            self.create('taken')
            before = self.theirs('taken').as_dict()
            for spec in {}, PUBLIC:
                with self.subTest('%s %s' % (settings, spec)):
                    left = self.left()
                    result, _ = self.call('taken', **spec)
                    self.assertEqual((result['code'], result['sideEffects']),
                                     ('RESULT_CODE_ALREADY_EXISTS', 'SIDE_EFFECTS_NONE'), result)
                    self.assertEqual(result['violations'][0]['field'], 'spec.name')
                    self.assertEqual(self.theirs('taken').as_dict(), before)
                    self.assertEqual(self.left(), left)
            # Somebody else comes between the look and the order: Azure refuses to change its disk.
            self.gateway.ok('vm', 'delete', '--cloud', 'lab', 'taken', '--wait', '--yes')
            self.nothing_is_left()

    def test_who_we_are(self):
        self.begin()
        told = self.here.told
        for settings, code, words in (
                ({'tenant_id': '00000000-0000-0000-0000-000000000001'}, 'UNAUTHORIZED', 'AADSTS90002'),
                ({'client_id': '00000000-0000-0000-0000-000000000001'}, 'UNAUTHORIZED', 'AADSTS700016'),
                ({'subscription_id': '00000000-0000-0000-0000-000000000001'}, 'FORBIDDEN',
                 'SubscriptionNotFound'),
                ({}, 'CREATED', '')):
            with self.subTest(str(settings)):
                self.again(settings)
                result, _ = self.call('who')
                self.assertEqual(result['code'], 'RESULT_CODE_' + code, result)
                self.assertIn(words, result.get('detail', ''))
        self.again({}, secret='wrong' * 8)
        result, _ = self.call('who')
        self.assertEqual(result['code'], 'RESULT_CODE_UNAUTHORIZED', result)
        self.assertNotIn('wrong' * 8, str(result))
        self.assertNotIn(told['client_secret'], str(result))

    def test_a_subscription_that_is_disabled(self):
        self.begin()
        self.create('before')
        self.here.tell('faults', disabled=True)
        result = self.refused_as('FORBIDDEN', 'ReadOnlyDisabledSubscription', 'enable', **PUBLIC)
        self.assertEqual(result['retry']['class'], 'RETRY_CLASS_NEVER')
        for method in 'StopVm', 'DeleteVm':
            result, _ = self.act(method, 'before')
            self.assertEqual((result['code'], result['sideEffects']),
                             ('RESULT_CODE_FORBIDDEN', 'SIDE_EFFECTS_NONE'))
        self.here.tell('faults', disabled=False)
        self.delete('before')

    def test_led_elsewhere(self):
        self.begin()
        self.create('before')
        self.here.tell('faults', redirect='http://127.0.0.1:9')
        result, _ = self.call('elsewhere')
        self.assertEqual(result['code'], 'RESULT_CODE_UNAVAILABLE', result)
        self.here.tell('faults', redirect='')
        self.assertEqual(self.left()['machines'], ['before'])

    def test_throttles(self):
        self.begin()
        self.here.tell('faults', throttle=2)
        self.assertEqual(self.create('patient')['state'], 'VM_STATE_RUNNING')
        self.here.tell('rules', what='refuse', method='PUT', path=VM, times=0, status=429,
                       code='TooManyRequests', message='Slower.')
        result, _ = self.call('never', **PUBLIC)
        self.assertEqual((result['code'], result['sideEffects']),
                         ('RESULT_CODE_RATE_LIMITED', 'SIDE_EFFECTS_NONE'))
        eventually('it is taken back', lambda: self.left()['addresses'] == [])
        self.assertEqual(self.left()['machines'], ['patient'])

    def test_actions_that_cannot_be(self):
        self.begin(settings={'compute_api_version': '2021-07-01'})
        ids = {name: self.create(name, '--param', 'hibernation=' + sleeps)['id']
               for name, sleeps in (('plain', 'false'), ('sleepy', 'true'))}

        def refused(method, name, *words, code='FAILED_PRECONDITION', **more):
            with self.subTest('%s %s' % (method, name)):
                for id in name, ids[name]:
                    result, _ = self.act(method, id, **more)
                    self.assertEqual(result['code'], 'RESULT_CODE_' + code, result)
                    self.assertEqual(result['sideEffects'], 'SIDE_EFFECTS_NONE')
                    for each in (name, *words):
                        self.assertIn(each, result['detail'])
        refused('SuspendVm', 'plain', 'not been enabled for hibernation')
        self.here.tell('rules', what='refuse', method='DELETE', path=VM, times=2, status=409,
                       code='ScopeLocked', message='The scope is locked.')
        refused('DeleteVm', 'plain', 'ScopeLocked')
        self.vm('stop', 'plain', '--wait')
        self.vm('suspend', 'sleepy', '--wait')
        refused('ResumeVm', 'plain', 'start it')
        refused('SuspendVm', 'plain', 'start it')
        refused('RebootVm', 'plain', 'deallocated')
        refused('RebootVm', 'plain', 'deallocated', hard=True)
        refused('StopVm', 'sleepy', 'resume it')
        refused('RebootVm', 'sleepy', 'resume it')
        self.assertEqual(self.act('ResizeVm', 'plain', flavorName='Standard_X9')[0]['code'],
                         'RESULT_CODE_NOT_FOUND')
        for name in ids:
            self.gateway.ok('vm', 'delete', '--cloud', 'lab', name, '--wait', '--yes')
        self.nothing_is_left()
        for method in 'StartVm', 'StopVm', 'RebootVm':
            self.assertEqual(self.act(method, ids['plain'])[0]['code'], 'RESULT_CODE_NOT_FOUND')

    def test_suspend_where_it_is_not_known(self):
        self.begin()
        self.create('old')
        result, _ = self.act('SuspendVm', 'old')
        self.assertEqual(result['code'], 'RESULT_CODE_NOT_SUPPORTED')
        self.assertIn('compute_api_version', result['detail'])


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
        for path, code in ((NIC, 'ReferencedResourceNotProvisioned'), (VM, 'RetryableError'),
                           (NIC, 'AnotherOperationInProgress')):
            with self.subTest(code):
                self.here.tell('rules', what='refuse', method='PUT', path=path, times=2, status=409,
                               code=code, message='Not yet.')
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

    def test_of_others(self):
        """They are shown, and stay; what bears the tag alone is nothing to us."""
        self.begin()
        ip, nic = self.make('01890a5d-ac96-774b-bcce-b302099a8057')
        self.make('01890a5d-ac96-774b-bcce-b302099a8057', named='theirs-')
        found = {each['id']: each for each in self.leftovers()}
        self.assertEqual({(each['kind'], each['verdict']) for each in found.values()},
                         {('nic', 'LEFTOVER_VERDICT_FOREIGN'), ('public_ip', 'LEFTOVER_VERDICT_FOREIGN')})
        self.assertEqual(set(found), {ip.id, nic.id})
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
        self.make(token, named='theirs-')
        self.assertEqual(len(self.left()['interfaces']), len(left['interfaces']) + 2)
        kinds = {each['kind'] for each in self.leftovers() if not each.get('inUse')}
        self.assertEqual(kinds - {'vm'}, set())
        self.nothing_is_left(addresses=['theirs-ip'], interfaces=['theirs-nic'])

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
