#!/usr/bin/python3
"""What goes wrong with machines on EC2: refusals and their codes, lost replies, lists that lag, what an
order leaves behind. There is one machine where one was ordered, and nothing is left of none.
"""

import sys
import time
import unittest

import ec2_case
from ec2_peer import eventually

STATIC = {'publicIpType': 'static'}


class Refusals(ec2_case.Test):

    def refused_as(self, code, *words, effects='SIDE_EFFECTS_NONE', **spec):
        result, _ = self.call('refused', **spec)
        self.assertEqual(result['code'], 'RESULT_CODE_' + code, result)
        self.assertEqual(result['sideEffects'], effects)
        for each in words:
            self.assertIn(each, result['detail'])
        return result

    def test_quotas_and_room(self):
        for faults, code, words in (
                ({'instances': 0}, 'QUOTA_EXCEEDED', 'InstanceLimitExceeded'),
                ({'vcpus': 1}, 'QUOTA_EXCEEDED', 'VcpuLimitExceeded'),
                ({'capacity': {'*': 0}}, 'OUT_OF_CAPACITY', 'InsufficientInstanceCapacity')):
            self.begin(**faults)
            for spec in {}, STATIC:
                with self.subTest('%s %s' % (faults, spec)):
                    result = self.refused_as(code, words, **spec)
                    self.assertEqual(result['retry']['class'], 'RETRY_CLASS_AFTER_BACKOFF')
                    self.assertEqual(result['native']['code'], words)
                    self.nothing_is_left()
        # It is not asked again and again for room that is not there, and nothing counts as down.
        self.here.tell('rules', what='hang', action='CreateTags')
        for _ in range(12):
            self.refused_as('OUT_OF_CAPACITY')
        self.here.tell('faults', capacity={})
        self.assertEqual(self.create('room')['state'], 'VM_STATE_RUNNING')

    def test_addresses_that_are_used_up(self):
        self.begin(addresses=0)
        self.refused_as('QUOTA_EXCEEDED', 'AddressLimitExceeded', **STATIC)
        self.nothing_is_left()

    def test_a_specification_that_is_wrong(self):
        self.begin()
        tags = {'k%d' % n: 'v' for n in range(49)}
        parameters = {'spot_max_price': '1', 'volume_size_gib': '0'}
        for spec, fields in (
                ({'tags': tags}, ['spec.tags']),
                ({'tags': {'aws:a': '1', 'AWS:b': '2', 'isobar-token': 'x', 'Name': 'y'}},
                 ['spec.tags'] * 4),
                ({'tags': {'k' * 129: '', 'ä' * 128: 'ö' * 257}}, ['spec.tags'] * 2),
                ({'userData': 'QUFB' * 5462}, ['spec.user_data']),
                ({'volumes': [{'name': 'none'}]}, ['spec.volumes[0]']),
                ({'volumes': [{'sizeGib': 1}] * 12}, ['spec.volumes']),
                ({'parameters': parameters},
                 ['spec.parameters.spot_max_price', 'spec.parameters.volume_size_gib']),
                ({'publicIp': '192.0.2.1', 'publicIpType': 'none'}, ['spec.public_ip']),
                ({'publicIp': '192.0.2.1'}, ['spec.public_ip']),
                ({'flavorName': 't3.mikro'}, ['spec.flavor_name']),
                ({'imageId': 'ami-0123456789abcdef0'}, ['spec.image_id'])):
            with self.subTest(str(spec)[:60]):
                result, _ = self.call('wrong', **spec)
                self.assertIn(result['code'],
                              ('RESULT_CODE_BAD_REQUEST_DATA', 'RESULT_CODE_NOT_FOUND'))
                self.assertEqual([v['field'] for v in result['violations']], fields, result)
        self.assertEqual(self.here.ask('journal')['journal'], [])

    def test_what_is_just_in_order(self):
        self.begin()
        result, made = self.call('ä' * 255, userData='QUFB' * 5461, tags=dict(
            {'k%d' % n: '' for n in range(47)}, **{'ü' * 127: 'ö' * 255}))
        self.assertEqual(result['code'], 'RESULT_CODE_CREATED', result)
        self.assertEqual(len(self.theirs(made['vm']['id'])['Tags']), 50)

    def test_dry_run(self):
        self.begin(instances=1)
        for args in [], ['--public-ip-type', 'static']:
            outcome = self.gateway.ok(*self.order('dry', '--dry-run', *args))
        self.assertEqual(self.here.ask('journal')['journal'], [])
        self.here.tell('rules', what='refuse', action='RunInstances', status=403,
                       code='UnauthorizedOperation', message='You are not authorized.')
        outcome = self.gateway.run(*self.order('dry', '--dry-run'))
        self.assertEqual(outcome.code, 4, str(outcome))
        self.create('first')
        outcome = self.gateway.run(*self.order('dry', '--dry-run'))
        self.assertEqual(outcome.code, 6, str(outcome))

    def test_dry_run_of_actions(self):
        self.begin()
        id = self.create('first')['id']
        for verb, action, *more in (('stop', 'StopInstances'), ('reboot', 'RebootInstances'),
                                    ('delete', 'TerminateInstances', '--yes')):
            command = ['vm', verb, '--cloud', 'lab', id, '--dry-run', *more]
            self.gateway.ok(*command)
            self.here.tell('rules', what='refuse', action=action, status=403,
                           code='UnauthorizedOperation', message='You are not authorized.')
            outcome = self.gateway.run(*command)
            self.assertEqual(outcome.code, 4, str(outcome))     # EC2 itself was asked
            self.assertEqual(self.theirs(id)['State']['Name'], 'running')

    def test_a_secret_that_is_wrong(self):
        self.begin(secret='x' * 40)
        result = self.refused_as('UNAUTHORIZED')
        self.assertIn('profile', result['detail'])
        self.assertIn('credentials', result['detail'])
        self.assertNotIn('x' * 40, str(result))

    def test_throttles(self):
        self.begin(throttle=2)
        self.assertEqual(self.create('patient')['state'], 'VM_STATE_RUNNING')
        self.here.tell('rules', what='refuse', action='RunInstances', times=0)
        result, _ = self.call('never', **STATIC)
        self.assertEqual((result['code'], result['sideEffects']),
                         ('RESULT_CODE_RATE_LIMITED', 'SIDE_EFFECTS_NONE'))
        self.assertEqual(len(self.alive()), 1)
        self.assertEqual(self.left()['addresses'], [])

    def test_actions_that_cannot_be(self):
        self.begin()
        plain, sleepy = self.create('plain'), self.create('sleepy', '--param', 'hibernation=true')
        protected = self.create('kept', '--param', 'termination_protection=true')
        ids = {'plain': plain['id'], 'sleepy': sleepy['id'], 'kept': protected['id']}

        def refused(method, name, *words, code='FAILED_PRECONDITION', **more):
            with self.subTest('%s %s' % (method, name)):
                for id in name, ids[name]:
                    result, _ = self.act(method, id, **more)
                    self.assertEqual(result['code'], 'RESULT_CODE_' + code, result)
                    self.assertEqual(result['sideEffects'], 'SIDE_EFFECTS_NONE')
                    for each in (name, *words):
                        self.assertIn(each, result['detail'])
        refused('SuspendVm', 'plain', 'parameter hibernation')
        refused('ResizeVm', 'plain', 'running', 'stop it', flavorName='t3.small')
        refused('DeleteVm', 'kept', 'protect', 'disableApiTermination')
        self.vm('stop', 'plain', '--wait')
        self.vm('suspend', 'sleepy', '--wait')
        refused('ResizeVm', 'plain', 'arm64', code='BAD_REQUEST_DATA', flavorName='t4g.nano')
        refused('ResumeVm', 'plain', 'start it')
        refused('SuspendVm', 'plain', 'start it')
        refused('RebootVm', 'plain', 'stopped')
        refused('StopVm', 'sleepy', 'resume it')
        refused('ResizeVm', 'sleepy', 'Hibernate', flavorName='t3.small')
        self.assertEqual(self.act('ResizeVm', 'plain', flavorName='t9.huge')[0]['code'],
                         'RESULT_CODE_NOT_FOUND')
        self.ec2.modify_instance_attribute(InstanceId=ids['kept'],
                                           DisableApiTermination={'Value': False})
        for id in ids.values():
            self.gateway.ok('vm', 'delete', '--cloud', 'lab', id, '--wait', '--yes')
        self.nothing_is_left()
        for method in 'StartVm', 'StopVm', 'RebootVm':
            result, _ = self.act(method, ids['plain'])
            self.assertEqual(result['code'], 'RESULT_CODE_FAILED_PRECONDITION')

    def test_what_is_not_there(self):
        self.begin()
        self.assertEqual(self.gateway.run('vm', 'stop', '--cloud', 'lab', 'nosuch').code, 3)
        self.assertEqual(self.gateway.run('vm', 'stop', '--cloud', 'lab', 'i-0123456789abcdef0').code, 3)
        self.assertEqual(self.gateway.run('vm', 'delete', '--cloud', 'lab', '--yes', 'nosuch').code, 3)
        # What has an id has been, and is gone.
        result, _ = self.act('DeleteVm', 'i-0123456789abcdef0')
        self.assertEqual(result['code'], 'RESULT_CODE_DELETED')
        for _ in range(2):
            self.create('twin')
        result, _ = self.act('StopVm', 'twin')
        self.assertEqual(result['code'], 'RESULT_CODE_BAD_REQUEST_DATA')
        for each in self.alive():
            self.assertIn(each['InstanceId'], result['detail'])


class Losses(ec2_case.Test):

    def begin_lagging(self, seed, **faults):
        """What the account comes with is old enough to be seen."""
        self.begin(seed=seed)
        time.sleep(1.1)
        self.here.tell('faults', **faults)

    def one_machine(self, spec, code='CREATED'):
        """Made, once; then deleted, with all that was made for it."""
        result, made = self.call('lost', **spec)
        self.assertEqual(result['code'], 'RESULT_CODE_' + code, result)
        eventually('nothing is under way', lambda: self.here.ask('count')['pending'] == 0)
        self.assertEqual([i['InstanceId'] for i in self.alive()], [made['vm']['id']])
        public = self.theirs(made['vm']['id']).get('PublicIpAddress')
        addresses = self.ec2.describe_addresses()['Addresses']
        self.assertIn(public, [a['PublicIp'] for a in addresses] if spec else [public])
        self.gateway.ok('vm', 'delete', '--cloud', 'lab', made['vm']['id'], '--wait', '--yes')
        self.nothing_is_left()

    def test_lost_replies(self):
        self.begin()
        for action in ('RunInstances', 'CreateNetworkInterface', 'AllocateAddress',
                       'AssociateAddress', 'ModifyNetworkInterfaceAttribute', 'TerminateInstances',
                       'DisassociateAddress', 'ReleaseAddress'):
            for times in 1, 3:
                with self.subTest('%s %d' % (action, times)):
                    self.here.tell('rules', what='drop_reply', action=action, times=times)
                    self.one_machine(STATIC)
                    self.emulator.ask('DELETE', '/rules?lab=' + self.here.name)

    def test_late_commits(self):
        """The order is lost, and carried out later; it is not to be seen meanwhile."""
        self.begin()
        for action in ('RunInstances', 'CreateNetworkInterface', 'AllocateAddress',
                       'AssociateAddress', 'TerminateInstances'):
            with self.subTest(action):
                self.here.tell('rules', what='late_commit', action=action, times=3, ms=2500)
                self.one_machine(STATIC)
                self.emulator.ask('DELETE', '/rules?lab=' + self.here.name)

    def test_errors_of_its_own(self):
        self.begin()
        for action in ('RunInstances', 'CreateNetworkInterface', 'AllocateAddress',
                       'AssociateAddress', 'DescribeInstances', 'DescribeSubnets'):
            with self.subTest(action):
                self.here.tell('rules', what='refuse', action=action, times=2, status=500,
                               code='InternalError', message='An internal error has occurred')
                self.one_machine(STATIC)

    def test_lost_actions(self):
        self.begin()
        id = self.create('acts', '--param', 'hibernation=true')['id']
        for args, state in ((('stop',), 'stopped'), (('start',), 'running'),
                            (('reboot',), 'running'), (('suspend',), 'stopped'),
                            (('resume',), 'running')):
            with self.subTest(args[0]):
                self.here.tell('rules', what='drop_reply', action='(Start|Stop|Reboot)Instances')
                self.gateway.ok('vm', *args, '--cloud', 'lab', id, '--wait')
                self.assertEqual(self.theirs(id)['State']['Name'], state)
                self.assertEqual(self.here.ask('rules')['rules'][-1]['done'], 1)
        self.delete(id)

    def test_a_token_that_was_used(self):
        """EC2 takes the order, the answer is lost, and the next one is said to be another order."""
        self.begin()
        self.here.tell('rules', what='drop_reply', action='RunInstances')
        self.here.tell('rules', what='refuse', action='RunInstances', status=400, nth=2,
                       code='IdempotentParameterMismatch', message='inconsistent')
        self.one_machine({})

    def test_a_token_whose_machine_is_gone(self):
        """EC2 takes the order, the answer is lost, and the machine ends before it is asked again."""
        terminated = dict(what='refuse', action='RunInstances', status=400, message='terminated',
                          code='IdempotentInstanceTerminated')
        self.begin()
        self.here.tell('rules', what='drop_reply', action='RunInstances')
        self.here.tell('rules', nth=2, **terminated)
        self.one_machine({})
        # Where it is not shown any more, there is none.
        for spec in {}, STATIC:
            with self.subTest(str(spec)):
                self.here.tell('rules', nth=1, **terminated)
                result, _ = self.call('new', **spec)
                self.assertEqual((result['code'], result['sideEffects']),
                                 ('RESULT_CODE_FAILED_PRECONDITION', 'SIDE_EFFECTS_NONE'), result)
                self.nothing_is_left()

    def test_a_clock_as_ec2_says_it(self):
        self.begin(clock=1200)
        self.here.tell('rules', what='refuse', action='DescribeInstances', status=400,
                       code='InvalidSecurity.RequestHasExpired', message='more than 5 minutes')
        self.gateway.ok('vm', 'list', '--cloud', 'lab')
        self.assertEqual(self.here.ask('rules')['rules'][-1]['done'], 1)

    def test_things_that_are_not_there_yet(self):
        for faults in {'eventual': 2.0}, {'list_lag': 1.0}:
            for seed in range(3):
                with self.subTest('%s %d' % (faults, seed)):
                    self.begin_lagging(seed, **faults)
                    for spec in {}, STATIC:
                        result, made = self.call('new', **spec)
                        self.assertEqual(result['code'], 'RESULT_CODE_CREATED', result)
                        id = made['vm']['id']
                        # At once: whoever has an id may use it.
                        result, _ = self.act('RebootVm', id)
                        self.assertEqual(result['code'], 'RESULT_CODE_CHANGED', result)
                        result, _ = self.act('DeleteVm', id)
                        self.assertEqual(result['code'], 'RESULT_CODE_DELETED', result)
                        eventually('it is gone', lambda: not self.alive())
                    self.here.tell('faults', eventual=0.0, list_lag=0.0)
                    self.nothing_is_left()

    def test_volumes_are_named_late(self):
        self.begin_lagging(0, eventual=1.0)
        result, made = self.call('disks', volumes=[{'name': 'data', 'sizeGib': 1}])
        self.assertEqual(result['code'], 'RESULT_CODE_CREATED', result)
        self.assertEqual(result.get('warnings'), None)
        self.here.tell('faults', eventual=0.0)
        self.act('DeleteVm', made['vm']['id'])

    def test_cloud_that_is_chaos(self):
        """Half of all orders late, a fifth of the answers lost, lists that lag: still one each."""
        self.begin_lagging(7, late_commit=0.5, lost_reply=0.2, eventual=0.5, list_lag=0.5)
        ids = []
        for n in range(8):
            result, made = self.call('chaos-%d' % n, **(STATIC if n % 2 else {}))
            self.assertEqual(result['code'], 'RESULT_CODE_CREATED', result)
            ids.append(made['vm']['id'])
        rows = self.here.ask('count')['tokens'].values()
        self.assertEqual(sorted(m['id'] for row in rows for m in row['machines']), sorted(ids))
        for id in ids:
            result, _ = self.act('DeleteVm', id)
            self.assertEqual(result['code'], 'RESULT_CODE_DELETED', result)
        self.here.tell('faults', late_commit=0.0, lost_reply=0.0, eventual=0.0, list_lag=0.0)
        self.nothing_is_left()


class Leftovers(ec2_case.Test):

    def leftovers(self, *args):
        return self.gateway.ok('leftover', 'list', '--cloud', 'lab', '-o', 'json', *args).json()

    def test_what_cannot_be_taken_back(self):
        self.begin(capacity={'*': 0})
        # Refused for longer than the create tries, and a little beyond.
        self.here.tell('rules', what='refuse', action='DeleteNetworkInterface|ReleaseAddress',
                       times=9, status=400, code='UnauthorizedOperation', message='not authorized')
        result, _ = self.call('stuck', **STATIC)
        self.assertEqual(result['code'], 'RESULT_CODE_OUT_OF_CAPACITY', result)
        self.here.tell('faults', capacity={})
        self.nothing_is_left()
        self.assertEqual(self.leftovers(), [])

    def test_what_is_listed_and_deleted(self):
        self.begin()
        ours = self.create('used', '--public-ip-type', 'static')
        token = self.theirs(ours['id'])['ClientToken']
        known = self.leftovers('--verdict', 'known')
        self.assertEqual({(each['kind'], each.get('inUse', False), each['operationId'])
                          for each in known},
                         {('vm', False, token), ('network_interface', True, token),
                          ('address', True, token)})
        # Somebody takes the machine away behind the gateway's back; what is its own stays.
        self.ec2.modify_network_interface_attribute(
            NetworkInterfaceId=self.left()['interfaces'][0],
            Attachment={'AttachmentId': self.theirs(ours['id'])['NetworkInterfaces'][0][
                'Attachment']['AttachmentId'], 'DeleteOnTermination': False})
        self.ec2.terminate_instances(InstanceIds=[ours['id']])
        eventually('it is gone', lambda: self.theirs(ours['id'])['State']['Name'] == 'terminated')
        mine = self.ec2.allocate_address(Domain='vpc', TagSpecifications=[
            {'ResourceType': 'elastic-ip', 'Tags': [{'Key': 'isobar-token', 'Value': 'foreign'}]}])
        found = self.leftovers()
        self.assertEqual({(each['kind'], each.get('inUse', False), each['verdict'][17:])
                          for each in found},
                         {('network_interface', False, 'ORPHAN'), ('address', False, 'ORPHAN'),
                          ('address', False, 'FOREIGN')})
        # The gateway's own guard wants it to be some minutes old; the adapter's slot is asked by it
        # after a delete.
        result, _ = self.act('DeleteVm', ours['id'])
        self.assertEqual(result['code'], 'RESULT_CODE_DELETED')
        self.nothing_is_left(addresses=[mine['AllocationId']])


if __name__ == '__main__':
    sys.exit(0 if unittest.main(exit=False, verbosity=2).result.wasSuccessful() else 1)
