#!/usr/bin/python3
"""What Azure refuses about machines, and with which codes; operations that end badly or not at all.
Nothing is left of what was refused.
"""

import sys
import unittest

import azure_case
from arm_peer import eventually

PUBLIC = {'publicIpType': 'static'}
VM, NIC = '/virtualMachines/[^/]+$', '/networkInterfaces/'
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

    def test_a_name_that_is_not_free_yet(self):
        for settings in {}, NEWER:
            self.begin(settings=settings)
            self.create('going')
            self.here.tell('faults', pace=3.0)
            self.gateway.ok('vm', 'delete', '--cloud', 'lab', 'going', '--yes')
            result, _ = self.call('going', **PUBLIC)
            self.assertEqual((result['code'], result['retry']['class'], result['sideEffects']),
                             ('RESULT_CODE_FAILED_PRECONDITION', 'RETRY_CLASS_AFTER_BACKOFF',
                              'SIDE_EFFECTS_NONE'), result)
            self.assertIn('being deleted', result['detail'])
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


if __name__ == '__main__':
    sys.exit(0 if unittest.main(exit=False, verbosity=2).result.wasSuccessful() else 1)
