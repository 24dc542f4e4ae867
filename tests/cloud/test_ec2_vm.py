#!/usr/bin/python3
"""The life of machines on EC2, through the command line: how each is made, every parameter, every
action, and that nothing is left behind. The cloud is ec2/, and boto3 says what is there.
"""

import base64
import sys
import tempfile
import unittest

import ec2_case
from ec2_peer import ARM_IMAGE, eventually

# What an action leaves: the state here, and EC2's word.
ACTIONS = [
    (('stop',), 'STOPPED', 'stopped'),
    (('stop',), 'STOPPED', 'stopped'),      # again: it is stopped, and that is what was wanted
    (('resize', '--flavor', 't3.small'), 'STOPPED', 'stopped'),
    (('resize', '--flavor', 't3.small'), 'STOPPED', 'stopped'),
    (('start',), 'RUNNING', 'running'),
    (('start',), 'RUNNING', 'running'),
    (('reboot',), 'RUNNING', 'running'),
    (('reboot', '--hard'), 'RUNNING', 'running'),
    (('suspend',), 'SUSPENDED', 'stopped'),
    (('suspend',), 'SUSPENDED', 'stopped'),
    (('resume',), 'RUNNING', 'running'),
    (('resume',), 'RUNNING', 'running'),
]

# A parameter, with what else it takes, and what of it stands in the order.
PARAMETERS = [
    ({'market': 'spot'}, {'InstanceMarketOptions': {'MarketType': 'spot'}}),
    ({'market': 'on-demand'}, {'InstanceMarketOptions': None}),
    ({'market': 'spot', 'spot_max_price': '0.05'}, {'InstanceMarketOptions': {
        'MarketType': 'spot', 'SpotOptions': {'MaxPrice': '0.05'}}}),
    ({'market': 'spot', 'spot_interruption': 'terminate'}, {'InstanceMarketOptions': {
        'MarketType': 'spot'}}),
    ({'market': 'spot', 'spot_interruption': 'stop'}, {'InstanceMarketOptions': {
        'MarketType': 'spot', 'SpotOptions': {'SpotInstanceType': 'persistent',
                                              'InstanceInterruptionBehavior': 'stop'}}}),
    ({'iam_instance_profile': 'web'}, {'IamInstanceProfile': {'Name': 'web'}}),
    ({'iam_instance_profile': 'arn:aws:iam::123456789012:instance-profile/web'},
     {'IamInstanceProfile': {'Arn': 'arn:aws:iam::123456789012:instance-profile/web'}}),
    ({'volume_size_gib': '20', 'volume_type': 'gp3', 'volume_iops': '4000',
      'volume_throughput': '250', 'volume_encrypted': 'true', 'volume_kms_key': 'alias/disks'},
     {'BlockDeviceMappings': [{'DeviceName': '/dev/xvda', 'Ebs': {
         'VolumeSize': 20, 'VolumeType': 'gp3', 'Iops': 4000, 'Throughput': 250, 'Encrypted': True,
         'KmsKeyId': 'alias/disks'}}]}),
    ({'placement_group': 'near', 'tenancy': 'dedicated'},
     {'Placement': {'GroupName': 'near', 'Tenancy': 'dedicated'}}),
    ({'capacity_reservation': 'cr-0123'}, {'CapacityReservationSpecification': {
        'CapacityReservationTarget': {'CapacityReservationId': 'cr-0123'}}}),
    ({'ebs_optimized': 'true'}, {'EbsOptimized': True}),
    ({'monitoring': 'true'}, {'Monitoring': {'Enabled': True}}),
    ({'hibernation': 'true'}, {'HibernationOptions': {'Configured': True}}),
    ({}, {'MetadataOptions': {'HttpTokens': 'required'}}),
    ({'metadata_tokens': 'optional', 'metadata_hop_limit': '2'},
     {'MetadataOptions': {'HttpTokens': 'optional', 'HttpPutResponseHopLimit': 2}}),
    ({'credit_specification': 'standard'}, {'CreditSpecification': {'CpuCredits': 'standard'}}),
    ({'cpu_cores': '1', 'threads_per_core': '1'},
     {'CpuOptions': {'CoreCount': 1, 'ThreadsPerCore': 1}}),
    ({'enclave': 'true'}, {'EnclaveOptions': {'Enabled': True}}),
    ({'stop_protection': 'true'}, {'DisableApiStop': True}),
    ({'shutdown_behavior': 'terminate'}, {'InstanceInitiatedShutdownBehavior': 'terminate'}),
    ({'launch_template': 'small'}, {'LaunchTemplate': {'LaunchTemplateName': 'small'}}),
    ({'launch_template': 'small:3'},
     {'LaunchTemplate': {'LaunchTemplateName': 'small', 'Version': '3'}}),
]
ELSEWHERE = {'private_ip', 'ipv6_address_count', 'termination_protection'}     # tests of their own


def params(given):
    return [word for name, value in given.items() for word in ('--param', '%s=%s' % (name, value))]


class Machines(ec2_case.Test):

    def test_life(self):
        self.begin()
        ours = self.create('life', '--param', 'hibernation=true')
        self.assertEqual(ours['state'], 'VM_STATE_RUNNING')
        id = ours['id']
        self.assertEqual(self.theirs(id)['KeyName'], 'default-key')
        for args, state, name in ACTIONS:
            with self.subTest(' '.join(args)):
                done = self.gateway.ok('vm', args[0], '--cloud', 'lab', 'life', *args[1:], '--wait')
                self.assertEqual('hard reboot' in done.err, '--hard' in args, done.err)
                self.assertEqual(self.theirs(id)['State']['Name'], name)
                ours = self.vm('show', 'life')
                self.assertEqual(ours['state'], 'VM_STATE_' + state)
        self.assertEqual(self.theirs(id)['InstanceType'], 't3.small')
        self.assertEqual((ours['flavorName'], ours['memoryMib']), ('t3.small', '2048'))
        reboots = [e for e in self.here.ask('journal')['journal'] if e['event'] == 'reboot']
        self.assertEqual(len(reboots), 2)
        self.delete(id)

    def test_what_is_answered_before_it_is_so(self):
        """An action is answered when EC2 has taken the order, with the state that it leads to."""
        self.begin(pace=1.0, boot=1.0)
        result, made = self.call('way', parameters={'hibernation': 'true'})
        self.assertEqual(result['code'], 'RESULT_CODE_CREATED')
        vm = made['vm']
        self.assertEqual((vm['state'], vm['name'], vm['flavorName']),
                         ('VM_STATE_CREATING', 'way', 't3.micro'))
        self.assertEqual(result.get('sideEffects'), None)
        for method, states in (('StopVm', ('STOPPING', 'STOPPED')),
                               ('StartVm', ('STARTING', 'RUNNING')),
                               ('SuspendVm', ('SUSPENDING', 'SUSPENDED')),
                               ('ResumeVm', ('STARTING', 'RUNNING')),
                               ('DeleteVm', ('DELETING', 'DELETED'))):
            with self.subTest(method):
                eventually('it is settled', lambda: self.theirs(vm['id'])['State']['Name'] in (
                    'running', 'stopped'))
                result, done = self.act(method, 'way')
                self.assertIn(result['code'], ('RESULT_CODE_CHANGED', 'RESULT_CODE_DELETED'))
                self.assertEqual(done['vm']['state'], 'VM_STATE_' + states[0])
                eventually('it has come to it', lambda: self.act('GetVm', vm['id'])[1]['vm'][
                    'state'] == 'VM_STATE_' + states[1])

    def test_everything_asked_for(self):
        self.begin()
        vpc = self.ec2.describe_vpcs()['Vpcs'][0]['VpcId']
        for group in 'web', 'ssh':
            self.ec2.create_security_group(GroupName=group, Description=group, VpcId=vpc)
        self.ec2.create_key_pair(KeyName='other')
        with tempfile.NamedTemporaryFile('wb') as script:
            script.write(b'#!/bin/sh\necho \xc3\xa4\n\0\xff')
            script.flush()
            ours = self.create('full & more', '--keypair', 'other', '--security-group', 'web',
                               '--security-group', 'ssh', '--tag', 'role=front', '--tag',
                               'äöü+=a b', '--user-data', script.name, '--zone', 'us-east-1b')
            with open(script.name, 'rb') as f:
                user_data = f.read()
        theirs = self.theirs(ours['id'])
        self.assertEqual(theirs['KeyName'], 'other')
        self.assertEqual([g['GroupName'] for g in theirs['SecurityGroups']], ['web', 'ssh'])
        self.assertEqual(theirs['Placement']['AvailabilityZone'], 'us-east-1b')
        tags = {t['Key']: t['Value'] for t in theirs['Tags']}
        token = tags.pop('isobar-token')
        self.assertEqual(tags, {'Name': 'full & more', 'role': 'front', 'äöü+': 'a b'})
        self.assertEqual(theirs['ClientToken'], token)
        self.assertEqual(ours['tags'], {'role': 'front', 'äöü+': 'a b'})
        self.assertEqual(base64.b64decode(self.asked()['UserData']), user_data)
        volume, = self.ec2.describe_volumes()['Volumes']
        self.assertEqual(volume['Tags'], [{'Key': 'Name', 'Value': 'full & more'}])
        self.delete(ours['id'])

    def test_parameters(self):
        self.begin()
        for given, wanted in PARAMETERS:
            with self.subTest(str(given)):
                ours = self.gateway.ok(*self.order('one', *params(given)), '-o', 'json').json()
                order = self.asked()
                for name, value in wanted.items():
                    self.assertEqual(order.get(name), value)
                result, _ = self.act('DeleteVm', ours['id'])
                self.assertEqual((result['code'], result.get('warnings')),
                                 ('RESULT_CODE_DELETED', None))
        self.nothing_is_left()
        cancelled = [e for e in self.here.ask('journal')['journal'] if e['event'] == 'cancelled']
        self.assertEqual(len(cancelled), sum('market' in g and g['market'] == 'spot'
                                             for g, _ in PARAMETERS))

    def test_spot_that_somebody_else_ended(self):
        """A request that is persistent would make another machine."""
        self.begin()
        id = self.create('spot', *params({'market': 'spot', 'spot_interruption': 'stop'}))['id']
        self.ec2.terminate_instances(InstanceIds=[id])
        result, _ = self.act('DeleteVm', id)
        self.assertEqual((result['code'], result.get('warnings')), ('RESULT_CODE_DELETED', None))
        cancelled = [e for e in self.here.ask('journal')['journal'] if e['event'] == 'cancelled']
        self.assertEqual(len(cancelled), 1)

    def test_key_of_a_template(self):
        self.begin()
        self.create('template', *params({'launch_template': 'small'}))
        self.assertNotIn('KeyName', self.asked())

    def test_each_parameter_has_its_test(self):
        self.begin()
        shown = self.gateway.call('isobar.v1.AdapterService/DescribeAdapter', {'name': 'aws'})[1]
        known = {each['name'] for each in shown['adapter']['manifest']['parameters']}
        self.assertEqual(known, {name for given, _ in PARAMETERS for name in given} | ELSEWHERE)

    def test_addresses_inside(self):
        self.begin()
        subnet = self.ec2.describe_subnets(Filters=[
            {'Name': 'availability-zone', 'Values': ['us-east-1c']}])['Subnets'][0]
        ours = self.create('inside', '--subnet', subnet['SubnetId'], '--param',
                           'private_ip=172.31.32.77', '--param', 'ipv6_address_count=2')
        self.assertEqual(self.theirs(ours['id'])['PrivateIpAddress'], '172.31.32.77')
        self.assertEqual(self.asked()['NetworkInterfaces'][0]['Ipv6AddressCount'], 2)
        self.delete(ours['id'])
        # Which subnet has the address is not guessed.
        result, _ = self.call('inside', parameters={'private_ip': '172.31.32.78'})
        self.assertEqual(result['code'], 'RESULT_CODE_BAD_REQUEST_DATA')
        self.assertEqual(result['violations'][0]['field'], 'spec.subnet_name')

    def test_public_addresses(self):
        for public_ips in True, False:
            self.begin(public_ips=public_ips)
            for args, kinds in (([], public_ips), (['--public-ip-type', 'none'], False),
                                (['--public-ip-type', 'dynamic'], True),
                                (['--public-ip-type', 'static'], True)):
                with self.subTest('%s %s' % (public_ips, args)):
                    ours = self.create('public', *args)
                    public = [a['ip'] for a in ours['addresses']
                              if a['kind'] == 'ADDRESS_KIND_PUBLIC']
                    self.assertEqual(len(public), kinds, ours['addresses'])
                    theirs = self.theirs(ours['id'])
                    self.assertEqual([theirs[key] for key in ['PublicIpAddress'] if key in theirs],
                                     public)
                    self.assertTrue(
                        theirs['NetworkInterfaces'][0]['Attachment']['DeleteOnTermination'])
                    allocated = self.ec2.describe_addresses()['Addresses']
                    self.assertEqual([a['PublicIp'] for a in allocated],
                                     public if 'static' in args else [])
                    self.delete(ours['id'])

    def test_an_address_that_is_there(self):
        self.begin()
        address = self.ec2.allocate_address(Domain='vpc')
        for wanted in address['PublicIp'], address['AllocationId']:
            ours = self.create('mine', '--public-ip', wanted)
            self.assertEqual(self.theirs(ours['id'])['PublicIpAddress'], address['PublicIp'])
            other = self.gateway.run(*self.order('other', '--public-ip', wanted))
            self.assertEqual(other.code, 5, str(other))
            self.assertIn('in use by another machine', other.err)
            # It was there before the machine, and is there after it.
            self.delete(ours['id'], addresses=[address['AllocationId']])

    def test_more_disks(self):
        self.begin()
        ours = self.create('disks', '--volume', 'size=1,name=data', '--volume', 'size=2,keep',
                           '--volume', 'size=3,type=gp3', '--param', 'volume_size_gib=9')
        theirs = self.theirs(ours['id'])
        devices = {m['Ebs']['VolumeId']: (m['DeviceName'], m['Ebs']['DeleteOnTermination'])
                   for m in theirs['BlockDeviceMappings']}
        volumes = {devices[v['VolumeId']]: (v['Size'], v['VolumeType'], v['Tags'][0]['Value'])
                   for v in self.ec2.describe_volumes()['Volumes']}
        self.assertEqual(volumes, {
            ('/dev/xvda', True): (9, volumes['/dev/xvda', True][1], 'disks'),
            ('/dev/sdf', True): (1, 'gp2', 'data'), ('/dev/sdg', False): (2, 'gp2', 'disks'),
            ('/dev/sdh', True): (3, 'gp3', 'disks')})
        self.assertEqual(sorted(v['id'] for v in ours['volumes']), sorted(devices))
        kept, = (id for id, (device, _) in devices.items() if device == '/dev/sdg')
        self.delete(ours['id'], volumes=[kept])

    def test_several(self):
        self.begin()
        self.gateway.ok(*self.order('many', '--count', '3', '--wait'))
        theirs = self.alive()
        self.assertEqual(len(theirs), 3)
        self.assertEqual(len({i['ClientToken'] for i in theirs}), 3)
        names = sorted(t['Value'] for i in theirs for t in i['Tags'] if t['Key'] == 'Name')
        self.assertEqual(len(set(names)), 3, names)
        self.gateway.ok('vm', 'stop', '--cloud', 'lab', '--wait', *names)
        self.assertEqual({i['State']['Name'] for i in self.alive()}, {'stopped'})
        self.gateway.ok('vm', 'delete', '--cloud', 'lab', '--wait', '--yes', *names)
        self.nothing_is_left()

    def test_made_elsewhere(self):
        """A machine that the gateway has not made is seen and obeys as well; what looks like its
        mark, and is a copy, is none."""
        self.begin()
        ours = self.create('ours', '--public-ip-type', 'static')
        tags = self.theirs(ours['id'])['Tags']
        foreign = self.here.run(self.ec2, TagSpecifications=[
            {'ResourceType': 'instance', 'Tags': tags}], ClientToken='mine')['InstanceId']
        self.ec2.create_tags(Resources=[foreign], Tags=[{'Key': 'Name', 'Value': 'foreign'}])
        eventually('it runs', lambda: self.theirs(foreign)['State']['Name'] == 'running')
        self.vm('stop', 'foreign', '--wait')
        self.assertEqual(self.theirs(foreign)['State']['Name'], 'stopped')
        token, = (t['Value'] for t in tags if t['Key'] == 'isobar-token')
        found = self.gateway.ok('operation', 'vms', token, '--cloud', 'lab', '-o', 'json').json()
        self.assertEqual([vm['id'] for vm in found], [ours['id']])
        self.gateway.ok('vm', 'delete', '--cloud', 'lab', 'foreign', '--wait', '--yes')
        self.assertEqual(len(self.ec2.describe_addresses()['Addresses']), 1)
        self.delete(ours['id'])


class Choices(ec2_case.Test):

    def subnets(self):
        """Two more in a VPC of their own."""
        vpc = self.ec2.create_vpc(CidrBlock='10.0.0.0/16', TagSpecifications=[
            {'ResourceType': 'vpc', 'Tags': [{'Key': 'Name', 'Value': 'inner'}]}])['Vpc']['VpcId']
        found = {}
        for n, zone in enumerate('ab'):
            name = 'inner-' + zone
            found[name] = self.ec2.create_subnet(
                VpcId=vpc, CidrBlock='10.0.%d.0/24' % n, AvailabilityZone='us-east-1' + zone,
                TagSpecifications=[{'ResourceType': 'subnet', 'Tags': [
                    {'Key': 'Name', 'Value': name}]}])['Subnet']['SubnetId']
        return vpc, found

    def place(self, *args, **more):
        ours = self.create('placed', *args, **more)
        theirs = self.theirs(ours['id'])
        self.delete(ours['id'])
        return theirs['SubnetId'], theirs['Placement']['AvailabilityZone']

    def test_subnets(self):
        self.begin()
        vpc, inner = self.subnets()
        for args in (['--subnet', 'inner-b'], ['--subnet', inner['inner-b'], '--network', vpc],
                     ['--network', 'inner', '--zone', 'us-east-1b'],
                     ['--network', 'inner', '--zone', 'use1-az1']):
            with self.subTest(' '.join(args)):
                self.assertEqual(self.place(*args), (inner['inner-b'], 'us-east-1b'))
        default = {s['AvailabilityZone']: s['SubnetId']
                   for s in self.ec2.describe_subnets()['Subnets'] if s['DefaultForAz']}
        self.assertEqual(self.place('--zone', 'us-east-1c'), (default['us-east-1c'], 'us-east-1c'))
        # EC2 chooses where nothing is said; a static address takes a zone that has the type.
        self.assertIn(self.place()[0], default.values())
        self.assertNotIn('NetworkInterfaces', self.asked())
        self.assertNotIn('SubnetId', self.asked())
        for _ in range(2):
            subnet, zone = self.place('--public-ip-type', 'static', flavor='g4dn.xlarge')
            self.assertIn(zone, ('us-east-1a', 'us-east-1b'))
            self.assertEqual(subnet, default[zone])

    def test_subnets_that_do_not_fit(self):
        self.begin()
        vpc, inner = self.subnets()
        for spec, words in (({'networkId': 'inner'}, 'inner-a'),
                            ({'subnetName': 'nosuch'}, 'nosuch'),
                            ({'subnetName': inner['inner-a'], 'zone': 'us-east-1b'}, 'not in'),
                            ({'subnetName': 'inner-a', 'securityGroupName': 'web'}, 'web'),
                            ({'networkId': 'nosuch'}, 'nosuch'), ({'zone': 'mars'}, 'subnet')):
            with self.subTest(str(spec)):
                result, _ = self.call('placed', **spec)
                self.assertIn(result['code'],
                              ('RESULT_CODE_BAD_REQUEST_DATA', 'RESULT_CODE_NOT_FOUND'))
                self.assertIn(words, result['detail'])
                self.assertTrue(result['violations'][0]['field'].startswith('spec.'))
        self.nothing_is_left()

    def test_key_pairs(self):
        self.begin()
        self.ec2.delete_key_pair(KeyName='default-key')
        outcome = self.gateway.ok(*self.order('none'))
        self.assertIn('no key pair', outcome.err)
        self.ec2.create_key_pair(KeyName='one')
        self.ec2.create_key_pair(KeyName='two')
        result, _ = self.call('which')
        self.assertEqual(result['code'], 'RESULT_CODE_BAD_REQUEST_DATA')
        for words in 'spec.keypair', 'one', 'two':
            self.assertIn(words, str(result))
        result, _ = self.call('which', keypair='three')
        self.assertEqual(result['code'], 'RESULT_CODE_NOT_FOUND')

    def test_images(self):
        self.begin()
        newest = self.create('newest', image='amazon/al2023-ami-2023.*-x86_64')
        self.assertEqual(newest['imageId'], ec2_case.IMAGE)
        # Of those that the type runs, though one for another is newer.
        self.assertEqual(self.create('fits', image='amazon/al2023-*')['imageId'], ec2_case.IMAGE)
        arm = self.create('arm', flavor='t4g.nano', image='amazon/al2023-*')
        self.assertEqual(arm['imageId'], ARM_IMAGE)
        result, _ = self.call('wrong', imageId='amazon/al2023-*-arm64')
        self.assertIn('is for arm64', result['detail'])
        self.assertEqual(self.create('own', image='web')['imageId'], 'ami-0c00000000000c001')
        result, _ = self.call('wrong', imageId=ARM_IMAGE)
        self.assertEqual(result['code'], 'RESULT_CODE_BAD_REQUEST_DATA')
        for words in 'arm64', 't3.micro', 'x86_64', ARM_IMAGE:
            self.assertIn(words, result['detail'])
        self.assertEqual(result['violations'][0]['field'], 'spec.flavor_name')
        self.assertEqual(len(self.alive()), 4)
        self.assertEqual(self.create('arm2', flavor='t4g.nano', image=ARM_IMAGE)['state'],
                         'VM_STATE_RUNNING')


if __name__ == '__main__':
    sys.exit(0 if unittest.main(exit=False, verbosity=2).result.wasSuccessful() else 1)
