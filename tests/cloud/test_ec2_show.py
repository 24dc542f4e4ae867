#!/usr/bin/python3
"""What the gateway shows of an EC2 is what boto3 shows, for every field of every kind of thing: in
lists and alone, by name and by id. The EC2 is the emulator of ec2/, which boto3 judges too.
"""

import sys
import unittest

import ec2_fields as fields
import ec2_gateway
from ec2_peer import QUICK, Lab, Test, eventually
from showing import Showing


class Show(Showing, Test):

    DETAILS = ('rules', 'native')

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.lab = Lab(cls.emulator, 'show', cls.addClassCleanup)
        cls.ec2 = cls.lab.client()
        cls.furnish(cls.ec2)
        cls.gateway = ec2_gateway.start(cls.lab, cls)

    @classmethod
    def tearDownClass(cls):
        found = cls.lab.ask('violations')['violations']
        assert not found, found
        super().tearDownClass()

    @classmethod
    def furnish(cls, ec2):
        """One of each kind whose fields are not what they are by default."""
        vpc = ec2.create_vpc(CidrBlock='10.7.0.0/16')['Vpc']['VpcId']
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock='10.7.1.0/24')['Subnet']['SubnetId']
        ec2.create_tags(Resources=[vpc], Tags=[{'Key': 'Name', 'Value': 'second'},
                                               {'Key': 'team', 'Value': 'blue'}])
        ec2.create_tags(Resources=[subnet], Tags=[{'Key': 'Name', 'Value': 'second-a'}])
        group = ec2.create_security_group(GroupName='web', Description='what the web needs',
                                          VpcId=vpc)['GroupId']
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[
            {'IpProtocol': 'tcp', 'FromPort': 80, 'ToPort': 443,
             'IpRanges': [{'CidrIp': '198.51.100.0/24', 'Description': 'office'},
                          {'CidrIp': '203.0.113.0/24'}],
             'Ipv6Ranges': [{'CidrIpv6': '2001:db8::/32'}]},
            {'IpProtocol': 'icmp', 'FromPort': -1, 'ToPort': -1, 'IpRanges': [{'CidrIp': '0.0.0.0/0'}]},
            {'IpProtocol': 'udp', 'FromPort': 53, 'ToPort': 53,
             'UserIdGroupPairs': [{'GroupId': group}]},
            {'IpProtocol': '47', 'IpRanges': [{'CidrIp': '10.0.0.0/8'}]}])
        ec2.create_key_pair(KeyName='key', KeyType='ed25519')
        first = cls.lab.running(ec2, None, 'first', SubnetId=subnet, KeyName='key',
                                SecurityGroupIds=[group])
        ec2.create_tags(Resources=[first], Tags=[{'Key': 'role', 'Value': 'front'}])
        address = ec2.allocate_address(Domain='vpc')
        ec2.associate_address(InstanceId=first, AllocationId=address['AllocationId'])
        second = cls.lab.running(ec2, None, 'second')
        ec2.stop_instances(InstanceIds=[second])
        ec2.get_waiter('instance_stopped').wait(InstanceIds=[second], WaiterConfig=QUICK)
        third = cls.lab.running(ec2, None, 'third')
        ec2.terminate_instances(InstanceIds=[third])
        eventually('third is gone', lambda: cls.machines(ec2)[third]['State']['Name'] == 'terminated')
        unnamed = ec2.run_instances(ImageId='ami-0a00000000000a004', InstanceType='t4g.nano',
                                    MinCount=1, MaxCount=1)['Instances'][0]['InstanceId']
        ec2.get_waiter('instance_running').wait(InstanceIds=[unnamed], WaiterConfig=QUICK)

    @staticmethod
    def machines(ec2):
        """With what DescribeInstances says of their reservations."""
        return {each['InstanceId']: dict(each, _reservation=r)
                for page in ec2.get_paginator('describe_instances').paginate()
                for r in page['Reservations'] for each in r['Instances']}

    def test_flavors(self):
        theirs = {each['InstanceType']: each for page in
                  self.ec2.get_paginator('describe_instance_types').paginate()
                  for each in page['InstanceTypes']}
        self.assertGreater(len(theirs), 5)
        self.check('flavor', fields.FLAVOR, theirs, fields.native_differs(
            'InstanceTypeInfo', fields.FLAVOR_MAPPED))

    def test_images(self):
        theirs = {each['ImageId']: each for each in
                  self.ec2.describe_images(ExecutableUsers=['self'], Filters=[
                      {'Name': 'is-public', 'Values': ['false']}])['Images']}
        theirs.update({each['ImageId']: dict(each, _own=True) for each in
                       self.ec2.describe_images(Owners=['self'])['Images']})
        self.assertTrue(theirs)
        self.check('image', fields.IMAGE, theirs, self.natives_of_image)

    @staticmethod
    def natives_of_image(ours, theirs):
        return fields.native_differs('Image', fields.IMAGE_MAPPED, lambda t: t['Name'])(ours, theirs)

    def test_public_image(self):
        """Public images are in no list, and are found by id and by their owner's pattern."""
        all = self.ec2.describe_images(Owners=['amazon', '099720109477'])['Images']
        newest = max((each for each in all if each['Name'].startswith('al2023')
                      and each['Architecture'] == 'x86_64'), key=lambda each: each['CreationDate'])
        for name in newest['ImageId'], 'amazon/al2023-ami-*-x86_64', 'amazon/al2023-*-x86_6?':
            ours = self.shown('image', name)
            self.assertEqual(fields.compare(fields.IMAGE, self.flat(ours, True), newest)
                             + self.natives_of_image(ours, newest), [])
        ubuntu = self.shown('image', '099720109477/ubuntu/images/*jammy*-amd64-*')
        self.assertEqual(ubuntu['name'], max(
            each['Name'] for each in all if 'jammy' in each['Name'] and 'amd64' in each['Name']))
        for name in 'amazon/no-such-*', 'ami-0123456789abcdef0', newest['Name'], 'self/al2023-*':
            self.assertEqual(self.gateway.run('image', 'show', 'lab/' + name).code, 3, name)

    def test_networks(self):
        theirs = {each['VpcId']: dict(each, _subnets=[]) for each in self.ec2.describe_vpcs()['Vpcs']}
        for each in self.ec2.describe_subnets()['Subnets']:
            theirs[each['VpcId']]['_subnets'].append(each['SubnetId'])
        self.assertEqual(len(theirs), 2)
        self.check('network', fields.NETWORK, theirs, fields.native_differs(
            'Vpc', fields.NETWORK_MAPPED))

    def test_subnets(self):
        theirs = {each['SubnetId']: each for each in self.ec2.describe_subnets()['Subnets']}
        self.check('subnet', fields.SUBNET, theirs, fields.native_differs(
            'Subnet', fields.SUBNET_MAPPED))
        of_one = self.gateway.ok('subnet', 'list', '--cloud', 'lab', '--network', 'second',
                                 '-o', 'json').json()
        self.assertEqual([each['name'] for each in of_one], ['second-a'])

    def test_security_groups(self):
        native = fields.native_differs('SecurityGroup', fields.SECURITY_GROUP_MAPPED,
                                       lambda t: t['GroupName'])

        def details(ours, theirs):
            got = sorted(str(sorted(each.items())) for each in ours.get('rules', []))
            want = fields.rules(theirs)
            return native(ours, theirs) + ([] if got == want else [
                'rules: isobar has %s, boto3 %s' % (got, want)])
        theirs = {each['GroupId']: each
                  for each in self.ec2.describe_security_groups()['SecurityGroups']}
        self.check('security-group', fields.SECURITY_GROUP, theirs, details)

    def test_keypairs(self):
        theirs = {each['KeyPairId']: each for each in
                  self.ec2.describe_key_pairs(IncludePublicKey=True)['KeyPairs']}
        self.assertEqual(len(theirs), 2)
        self.check('keypair', fields.KEYPAIR, theirs, fields.native_differs(
            'KeyPairInfo', fields.KEYPAIR_MAPPED, lambda t: t['KeyName']))

    def test_regions(self):
        self.check('region', fields.REGION, {
            each['RegionName']: dict(each, _current=each['RegionName'] == self.lab.region)
            for each in self.ec2.describe_regions()['Regions']},
            fields.native_differs('Region', fields.REGION_MAPPED))

    def test_zones(self):
        self.check('zone', fields.ZONE, {
            each['ZoneName']: each
            for each in self.ec2.describe_availability_zones()['AvailabilityZones']},
            fields.native_differs('AvailabilityZone', fields.ZONE_MAPPED))

    def test_machines(self):
        images = {each['ImageId']: each for each in self.ec2.describe_images()['Images']}
        types = {each['InstanceType']: each
                 for each in self.ec2.describe_instance_types()['InstanceTypes']}
        vpcs = {each['VpcId']: fields.tag(each) for each in self.ec2.describe_vpcs()['Vpcs']}
        theirs = {id: dict(each, _image=images[each['ImageId']], _type=types[each['InstanceType']],
                           _region=self.lab.region, _vpcs=vpcs)
                  for id, each in self.machines(self.ec2).items()}
        gone = [id for id, each in theirs.items() if each['State']['Name'] == 'terminated']
        self.assertEqual((len(theirs), len(gone)), (4, 1))
        details = fields.native_differs('Instance', fields.VM_MAPPED, more=self.reservation)
        ours = self.shown('vm', gone[0])
        self.assertEqual(fields.compare(fields.VM, self.flat(ours, True), theirs[gone[0]])
                         + details(ours, theirs[gone[0]]), [])
        del theirs[gone[0]]
        self.check('vm', fields.VM, theirs, details)

    @staticmethod
    def reservation(theirs):
        r = theirs['_reservation']
        return {'reservationId': r['ReservationId'], 'ownerId': r['OwnerId']}

    def test_check(self):
        said = self.gateway.ok('cloud', 'check', 'lab').out
        self.assertIn('EC2 in %s at %s' % (self.lab.region, self.lab.url), said)
        self.assertIn('account %s, arn:aws:' % self.lab.told['account'], said)


if __name__ == '__main__':
    sys.exit(0 if unittest.main(exit=False, verbosity=2).result.wasSuccessful() else 1)
