#!/usr/bin/python3
"""The emulated EC2, judged by boto3 and Debian's `aws`: the life of machines and of what goes with them,
lists and their pages, errors.
"""

import base64
import json
import os
import unittest

from ec2_peer import AWS, IMAGE, OTHERS_IMAGE, QUICK, Cli, Test, eventually, machine

TAGS = [{'Key': 'Name', 'Value': 'web'}, {'Key': 'isobar-token', 'Value': 't1'}]


def spec(*types, tags=TAGS):
    return [{'ResourceType': each, 'Tags': tags} for each in types]


class Machines(Test):
    def test_life(self):
        lab = self.lab()
        ec2 = lab.client()
        made = lab.run(ec2, 't1', TagSpecifications=spec('instance', 'volume', 'network-interface'),
                       KeyName='default-key', UserData='#!/bin/sh', Monitoring={'Enabled': True},
                       BlockDeviceMappings=[{'DeviceName': '/dev/sdf', 'Ebs': {'VolumeSize': 5}}])
        id = made['InstanceId']
        self.assertEqual((made['State'], made['ClientToken'], made['KeyName'], made['Tags']),
                         ({'Code': 0, 'Name': 'pending'}, 't1', 'default-key', TAGS))
        # As in EC2, an address is not told before the machine runs.
        self.assertEqual((made.get('PublicIpAddress'), made['StateReason']['Code']), (None, 'pending'))
        ec2.get_waiter('instance_running').wait(InstanceIds=[id], WaiterConfig=QUICK)
        ec2.get_waiter('instance_status_ok').wait(InstanceIds=[id], WaiterConfig=QUICK)
        seen = machine(ec2, id)
        self.assertTrue(seen['PublicDnsName'].startswith('ec2-' + seen[
            'PublicIpAddress'].replace('.', '-')))
        self.assertNotIn('StateReason', seen)
        self.assertEqual((seen['State']['Code'], seen['Monitoring']), (16, {'State': 'enabled'}))
        self.assertEqual([each['DeviceName'] for each in seen['BlockDeviceMappings']],
                         ['/dev/xvda', '/dev/sdf'])
        self.assertIn('login:', ec2.get_console_output(InstanceId=id)['Output'])
        row = lab.count('t1')
        self.assertEqual([len(row[kind]) for kind in ('machines', 'interfaces', 'addresses',
                                                      'volumes')], [1, 1, 0, 2])
        self.assertEqual(row['machines'][0], {'id': id, 'name': 'web', 'state': 'running',
                                              'used_by': '', 'deleting': False})
        self.stop_and_start(lab, ec2, id, seen)
        done = ec2.terminate_instances(InstanceIds=[id])['TerminatingInstances'][0]
        self.assertEqual((done['PreviousState']['Name'], done['CurrentState']['Name']),
                         ('running', 'shutting-down'))
        ec2.get_waiter('instance_terminated').wait(InstanceIds=[id], WaiterConfig=QUICK)
        self.assertEqual(machine(ec2, id)['StateReason']['Code'], 'Client.UserInitiatedShutdown')
        # The root volume goes with it, the other stays.
        kept, = ec2.describe_volumes()['Volumes']
        self.assertEqual((kept['Size'], kept['State']), (5, 'available'))
        self.assertEqual(ec2.describe_network_interfaces()['NetworkInterfaces'], [])
        row = lab.count('t1')
        self.assertEqual((row['machines'], row['machines_ever'], len(row['volumes'])), ([], [id], 1))
        self.assertEqual(ec2.terminate_instances(InstanceIds=[id])['TerminatingInstances'][0][
            'CurrentState']['Name'], 'terminated')

    def stop_and_start(self, lab, ec2, id, seen):
        self.refused('IncorrectInstanceState', ec2.modify_instance_attribute, InstanceId=id,
                     InstanceType={'Value': 't3.small'})
        ec2.reboot_instances(InstanceIds=[id])
        lab.tell('faults', pace=2)
        ec2.stop_instances(InstanceIds=[id])
        self.refused('IncorrectInstanceState', ec2.start_instances, InstanceIds=[id])
        lab.tell('faults', pace=0.05)
        ec2.get_waiter('instance_stopped').wait(InstanceIds=[id], WaiterConfig=QUICK)
        stopped = machine(ec2, id)
        self.assertNotIn('PublicIpAddress', stopped)
        self.assertEqual(stopped['PrivateIpAddress'], seen['PrivateIpAddress'])
        self.refused('IncorrectState', ec2.reboot_instances, InstanceIds=[id])
        self.assertEqual(ec2.describe_instance_status(InstanceIds=[id])['InstanceStatuses'], [])
        self.assertEqual(len(ec2.describe_instance_status(
            InstanceIds=[id], IncludeAllInstances=True)['InstanceStatuses']), 1)
        ec2.modify_instance_attribute(InstanceId=id, InstanceType={'Value': 't3.small'})
        # It has taken so long that the second is another.
        ec2.start_instances(InstanceIds=[id])
        ec2.get_waiter('instance_running').wait(InstanceIds=[id], WaiterConfig=QUICK)
        again = machine(ec2, id)
        self.assertGreater(again['LaunchTime'], seen['LaunchTime'])
        self.assertEqual((again['InstanceType'], again['NetworkInterfaces'][0]['Attachment'][
            'AttachTime']), ('t3.small', seen['NetworkInterfaces'][0]['Attachment']['AttachTime']))
        self.assertNotEqual(again['PublicIpAddress'], seen['PublicIpAddress'])

    def test_several(self):
        lab = self.lab()
        ec2 = lab.client()
        made = ec2.run_instances(ImageId=IMAGE, InstanceType='t3.micro', MinCount=2, MaxCount=3)
        self.assertEqual([each['AmiLaunchIndex'] for each in made['Instances']], [0, 1, 2])
        seen, = ec2.describe_instances(Filters=[
            {'Name': 'reservation-id', 'Values': [made['ReservationId']]}])['Reservations']
        self.assertEqual(len(seen['Instances']), 3)

    def test_hibernate(self):
        lab = self.lab()
        ec2 = lab.client()
        id = lab.running(ec2, HibernationOptions={'Configured': True})
        ec2.stop_instances(InstanceIds=[id], Hibernate=True)
        ec2.get_waiter('instance_stopped').wait(InstanceIds=[id], WaiterConfig=QUICK)
        self.assertEqual(machine(ec2, id)['StateReason']['Code'], 'Client.UserInitiatedHibernate')
        other = lab.running(ec2)
        self.refused('UnsupportedHibernationConfiguration', ec2.stop_instances,
                     InstanceIds=[other], Hibernate=True)

    def test_protection(self):
        lab = self.lab()
        ec2 = lab.client()
        id = lab.running(ec2, DisableApiTermination=True)
        self.refused('OperationNotPermitted', ec2.terminate_instances, InstanceIds=[id])
        ec2.modify_instance_attribute(InstanceId=id, DisableApiTermination={'Value': False})
        ec2.terminate_instances(InstanceIds=[id])
        ec2.get_waiter('instance_terminated').wait(InstanceIds=[id], WaiterConfig=QUICK)

    def test_terminated_is_forgotten(self):
        lab = self.lab(terminated_s=0.2)
        ec2 = lab.client()
        id = lab.run(ec2)['InstanceId']
        ec2.terminate_instances(InstanceIds=[id])
        eventually('forgotten', lambda: not ec2.describe_instances()['Reservations'])
        self.refused('InvalidInstanceID.NotFound', ec2.describe_instances, InstanceIds=[id])

    def test_options(self):
        lab = self.lab()
        ec2 = lab.client()
        made = lab.run(
            ec2, InstanceMarketOptions={'MarketType': 'spot'}, EbsOptimized=True,
            IamInstanceProfile={'Name': 'web'}, CreditSpecification={'CpuCredits': 'standard'},
            MetadataOptions={'HttpTokens': 'required', 'HttpPutResponseHopLimit': 2},
            Placement={'AvailabilityZone': 'us-east-1b', 'Tenancy': 'default'})
        self.assertEqual((made['InstanceLifecycle'], made['EbsOptimized'], made['MetadataOptions'][
            'HttpTokens'], made['Placement']['AvailabilityZone']), ('spot', True, 'required',
                                                                    'us-east-1b'))
        self.assertTrue(made['IamInstanceProfile']['Arn'].endswith(':instance-profile/web'))
        ec2.get_waiter('instance_running').wait(InstanceIds=[made['InstanceId']], WaiterConfig=QUICK)
        self.refused('UnsupportedOperation', ec2.stop_instances, InstanceIds=[made['InstanceId']])
        of_template = ec2.run_instances(LaunchTemplate={'LaunchTemplateName': 'small'}, MinCount=1,
                                        MaxCount=1)['Instances'][0]
        self.assertEqual((of_template['InstanceType'], of_template['ImageId']), ('t3.micro', IMAGE))

    def test_same_token(self):
        lab = self.lab()
        ec2 = lab.client()
        first = lab.run(ec2, 'same')['InstanceId']
        self.assertEqual(lab.run(ec2, 'same')['InstanceId'], first)
        self.refused('IdempotentParameterMismatch', lambda: lab.run(
            ec2, 'same', InstanceType='t3.small'))
        ec2.terminate_instances(InstanceIds=[first])
        ec2.get_waiter('instance_terminated').wait(InstanceIds=[first], WaiterConfig=QUICK)
        self.refused('IdempotentInstanceTerminated', lambda: lab.run(ec2, 'same'))
        self.assertEqual(lab.count('same')['machines_ever'], [first])

    def test_dry_run(self):
        lab = self.lab()
        ec2 = lab.client()
        self.refused('DryRunOperation', lambda: lab.run(ec2, DryRun=True), 412)
        self.refused('InvalidAMIID.NotFound', lambda: lab.run(
            ec2, DryRun=True, ImageId='ami-00000000000000000'))
        self.refused('DryRunOperation', ec2.describe_instances, 412, DryRun=True)
        self.refused('DryRunOperation', ec2.allocate_address, 412, DryRun=True)
        self.assertEqual(ec2.describe_instances()['Reservations'], [])
        self.assertEqual(ec2.describe_addresses()['Addresses'], [])
        id = lab.running(ec2)
        self.refused('DryRunOperation', ec2.stop_instances, 412, InstanceIds=[id], DryRun=True)
        self.assertEqual(machine(ec2, id)['State']['Name'], 'running')


class Networks(Test):
    def test_addresses(self):
        lab = self.lab(addresses=2, boot=2)
        ec2 = lab.client()
        address = ec2.allocate_address(Domain='vpc', TagSpecifications=spec('elastic-ip'))
        self.assertEqual(len(lab.count('t1')['addresses']), 1)
        pending = lab.run(ec2)
        id, interface = pending['InstanceId'], pending['NetworkInterfaces'][0]['NetworkInterfaceId']
        self.assertIn('pending', self.refused(
            'InvalidInstanceID', ec2.associate_address, InstanceId=id,
            AllocationId=address['AllocationId']))
        association = ec2.associate_address(NetworkInterfaceId=interface,
                                            AllocationId=address['AllocationId'])['AssociationId']
        self.assertEqual(machine(ec2, id)['PublicIpAddress'], address['PublicIp'])
        shown, = ec2.describe_addresses(Filters=[{'Name': 'instance-id', 'Values': [id]}])['Addresses']
        self.assertEqual((shown['AssociationId'], shown['Tags']), (association, TAGS))
        self.assertEqual(ec2.describe_addresses(PublicIps=[address['PublicIp']])['Addresses'], [shown])
        self.refused('InvalidIPAddress.InUse', ec2.release_address,
                     AllocationId=address['AllocationId'])
        ec2.get_waiter('instance_running').wait(InstanceIds=[id], WaiterConfig=QUICK)
        lab.tell('faults', boot=0.1)
        other = lab.running(ec2)
        self.refused('Resource.AlreadyAssociated', ec2.associate_address, InstanceId=other,
                     AllocationId=address['AllocationId'], AllowReassociation=False)
        moved = ec2.associate_address(InstanceId=other, AllocationId=address['AllocationId'])
        self.assertNotIn('PublicIpAddress', machine(ec2, id))
        ec2.disassociate_address(AssociationId=moved['AssociationId'])
        self.refused('InvalidAssociationID.NotFound', ec2.disassociate_address,
                     AssociationId=moved['AssociationId'])
        ec2.allocate_address()
        self.refused('AddressLimitExceeded', ec2.allocate_address)
        ec2.associate_address(InstanceId=other, AllocationId=address['AllocationId'])
        ec2.terminate_instances(InstanceIds=[other])
        ec2.get_waiter('instance_terminated').wait(InstanceIds=[other], WaiterConfig=QUICK)
        ec2.release_address(AllocationId=address['AllocationId'])
        self.assertEqual(lab.count('t1')['addresses'], [])
        self.refused('InvalidAllocationID.NotFound', ec2.release_address,
                     AllocationId=address['AllocationId'])

    def test_interfaces(self):
        lab = self.lab()
        ec2 = lab.client()
        subnet = ec2.describe_subnets()['Subnets'][0]
        wanted = {'SubnetId': subnet['SubnetId'], 'ClientToken': 'eni-1',
                  'TagSpecifications': spec('network-interface'), 'PrivateIpAddress': '172.31.1.9'}
        interface = ec2.create_network_interface(**wanted)['NetworkInterface']['NetworkInterfaceId']
        self.assertEqual(ec2.create_network_interface(**wanted)['NetworkInterface'][
            'NetworkInterfaceId'], interface)
        self.refused('IdempotentParameterMismatch', ec2.create_network_interface,
                     **dict(wanted, Description='other'))
        nics = [{'DeviceIndex': 0, 'NetworkInterfaceId': interface}]
        made = lab.run(ec2, NetworkInterfaces=nics)
        self.assertEqual(made['PrivateIpAddress'], '172.31.1.9')
        self.refused('InvalidNetworkInterface.InUse', lambda: lab.run(ec2, NetworkInterfaces=nics))
        self.refused('InvalidParameterValue', ec2.delete_network_interface,
                     NetworkInterfaceId=interface)
        attachment = made['NetworkInterfaces'][0]['Attachment']
        self.assertFalse(attachment['DeleteOnTermination'])
        seen, = ec2.describe_network_interfaces(Filters=[
            {'Name': 'attachment.instance-id', 'Values': [made['InstanceId']]}])['NetworkInterfaces']
        self.assertEqual((seen['Status'], seen['TagSet']), ('in-use', TAGS))
        ec2.modify_network_interface_attribute(NetworkInterfaceId=interface, Attachment={
            'AttachmentId': attachment['AttachmentId'], 'DeleteOnTermination': True})
        ec2.terminate_instances(InstanceIds=[made['InstanceId']])
        ec2.get_waiter('instance_terminated').wait(InstanceIds=[made['InstanceId']],
                                                   WaiterConfig=QUICK)
        self.refused('InvalidNetworkInterfaceID.NotFound', ec2.describe_network_interfaces,
                     NetworkInterfaceIds=[interface])

    def test_no_public_address(self):
        lab = self.lab()
        ec2 = lab.client()
        subnet = ec2.describe_subnets()['Subnets'][1]['SubnetId']
        made = lab.run(ec2, NetworkInterfaces=[{'DeviceIndex': 0, 'SubnetId': subnet,
                                                'AssociatePublicIpAddress': False}])
        self.assertEqual((made['SubnetId'], made.get('PublicIpAddress')), (subnet, None))

    def test_empty_account(self):
        lab = self.lab(empty=True, region='eu-central-1')
        ec2 = lab.client()
        self.assertEqual(ec2.describe_vpcs()['Vpcs'], [])
        self.assertEqual(ec2.describe_images(Owners=['self'])['Images'], [])
        self.assertEqual(ec2.describe_key_pairs()['KeyPairs'], [])
        vpc = ec2.create_vpc(CidrBlock='10.0.0.0/16')['Vpc']['VpcId']
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock='10.0.1.0/24',
                                   AvailabilityZone='eu-central-1b')['Subnet']
        self.assertEqual((subnet['AvailabilityZone'], subnet['AvailableIpAddressCount']),
                         ('eu-central-1b', 251))
        self.refused('InvalidSubnet.Conflict', ec2.create_subnet, VpcId=vpc, CidrBlock='10.0.1.0/25')

    def test_groups(self):
        lab = self.lab()
        ec2 = lab.client()
        group = ec2.create_security_group(GroupName='web', Description='d')['GroupId']
        rules = [{'IpProtocol': 'tcp', 'FromPort': 22, 'ToPort': 22,
                  'IpRanges': [{'CidrIp': '0.0.0.0/0', 'Description': 'all'}]}]
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=rules)
        self.refused('InvalidPermission.Duplicate', ec2.authorize_security_group_ingress,
                     GroupId=group, IpPermissions=rules)
        shown, = ec2.describe_security_groups(GroupNames=['web'])['SecurityGroups']
        self.assertEqual(shown['IpPermissions'][0]['IpRanges'], rules[0]['IpRanges'])
        found = ec2.describe_security_group_rules(Filters=[
            {'Name': 'group-id', 'Values': [group]}])['SecurityGroupRules']
        self.assertEqual({each['IsEgress'] for each in found}, {True, False})
        made = lab.run(ec2, SecurityGroups=['web'])
        self.assertEqual(made['SecurityGroups'], [{'GroupName': 'web', 'GroupId': group}])
        self.refused('DependencyViolation', ec2.delete_security_group, GroupId=group)
        self.refused('InvalidGroup.Duplicate', ec2.create_security_group, GroupName='web',
                     Description='d')


class Others(Test):
    def test_volumes(self):
        lab = self.lab()
        ec2 = lab.client()
        id = lab.running(ec2)
        zone = machine(ec2, id)['Placement']['AvailabilityZone']
        volume = ec2.create_volume(AvailabilityZone=zone, Size=10, VolumeType='gp3', ClientToken='v',
                                   TagSpecifications=spec('volume'))['VolumeId']
        ec2.get_waiter('volume_available').wait(VolumeIds=[volume], WaiterConfig=QUICK)
        ec2.attach_volume(VolumeId=volume, InstanceId=id, Device='/dev/sdf')
        ec2.get_waiter('volume_in_use').wait(VolumeIds=[volume], WaiterConfig=QUICK)
        self.refused('VolumeInUse', ec2.delete_volume, VolumeId=volume)
        self.assertEqual(machine(ec2, id)['BlockDeviceMappings'][1]['Ebs']['VolumeId'], volume)
        ec2.detach_volume(VolumeId=volume)
        ec2.delete_volume(VolumeId=volume)
        ec2.get_waiter('volume_deleted').wait(VolumeIds=[volume], WaiterConfig=QUICK)

    def test_keys(self):
        ec2 = self.lab().client()
        body = base64.b64encode(b'\0\0\0\x0bssh-ed25519' + bytes(36)).decode()
        ec2.import_key_pair(KeyName='mine', PublicKeyMaterial='ssh-ed25519 %s me' % body)
        self.refused('InvalidKeyPair.Duplicate', ec2.create_key_pair, KeyName='mine')
        self.refused('InvalidKey.Format', ec2.import_key_pair, KeyName='x', PublicKeyMaterial='x')
        self.assertIn('PRIVATE KEY', ec2.create_key_pair(KeyName='other')['KeyMaterial'])
        shown, = ec2.describe_key_pairs(KeyNames=['mine'], IncludePublicKey=True)['KeyPairs']
        self.assertEqual((shown['KeyType'], shown['PublicKey'].split()[1]), ('ed25519', body))
        ec2.get_waiter('key_pair_exists').wait(KeyNames=['other'], WaiterConfig=QUICK)
        ec2.delete_key_pair(KeyName='other')
        ec2.delete_key_pair(KeyName='other')
        self.refused('InvalidKeyPair.NotFound', ec2.describe_key_pairs, KeyNames=['other'])

    def test_tags(self):
        lab = self.lab()
        ec2 = lab.client()
        id = lab.run(ec2)['InstanceId']
        ec2.create_tags(Resources=[id], Tags=[{'Key': 'a', 'Value': '1'}, {'Key': 'b', 'Value': ''}])
        ec2.delete_tags(Resources=[id], Tags=[{'Key': 'a', 'Value': 'other'}, {'Key': 'b'}])
        tags = ec2.describe_tags(Filters=[{'Name': 'resource-id', 'Values': [id]}])['Tags']
        self.assertEqual({each['Key']: each['Value'] for each in tags}, {'Name': 'web', 'a': '1'})
        self.refused('InvalidParameterValue', ec2.create_tags, Resources=[id],
                     Tags=[{'Key': 'aws:x', 'Value': ''}])

    def test_catalogue(self):
        ec2 = self.lab().client()
        owned = ec2.describe_images(Owners=['amazon'], Filters=[
            {'Name': 'name', 'Values': ['al2023-ami-*-x86_64']}, {'Name': 'state', 'Values':
                                                                 ['available']}])['Images']
        self.assertEqual(max(owned, key=lambda each: each['CreationDate'])['ImageId'], IMAGE)
        self.assertEqual([each['Name'] for each in ec2.describe_images(Owners=['self'])['Images']],
                         ['web'])
        other, = ec2.describe_images(ImageIds=[OTHERS_IMAGE])['Images']
        self.assertEqual(len(ec2.describe_images(Owners=[other['OwnerId']])['Images']), 3)
        gpus = ec2.describe_instance_types(InstanceTypes=['g4dn.xlarge'])['InstanceTypes'][0]
        self.assertEqual((gpus['GpuInfo']['Gpus'][0]['Name'], gpus['VCpuInfo']['DefaultVCpus']),
                         ('T4', 4))
        arm = ec2.describe_instance_types(Filters=[
            {'Name': 'processor-info.supported-architecture', 'Values': ['arm64']}])['InstanceTypes']
        self.assertEqual({each['InstanceType'] for each in arm}, {'t4g.nano', 'm6g.large'})
        zones = ec2.describe_instance_type_offerings(
            LocationType='availability-zone', Filters=[
                {'Name': 'instance-type', 'Values': ['p4d.*']}])['InstanceTypeOfferings']
        self.assertEqual([each['Location'] for each in zones], ['us-east-1a'])
        self.assertEqual(len(ec2.describe_availability_zones()['AvailabilityZones']), 3)
        every = {each['RegionName'] for each in ec2.describe_regions(AllRegions=True)['Regions']}
        some = {each['RegionName'] for each in ec2.describe_regions()['Regions']}
        self.assertEqual(every - some, {'af-south-1'})
        names = {each['AttributeName'] for each in
                 ec2.describe_account_attributes()['AccountAttributes']}
        self.assertIn('default-vpc', names)


@unittest.skipUnless(os.path.exists(AWS), 'no %s' % AWS)
class CommandLine(Test):
    def test_life(self):
        lab = self.lab()
        aws = Cli(lab)
        self.addCleanup(aws.remove)

        def ask(*args):
            code, out, errors = aws(*args)
            self.assertEqual((code, errors), (0, ''))
            return json.loads(out) if out else None
        self.assertEqual(ask('sts', 'get-caller-identity')['Account'], lab.told['account'])
        made = ask('ec2', 'run-instances', '--image-id', IMAGE, '--instance-type', 't3.micro', '--count',
                   '1', '--client-token', 'c1', '--tag-specifications',
                   'ResourceType=instance,Tags=[{Key=Name,Value=web}]')['Instances'][0]
        ask('ec2', 'wait', 'instance-running', '--instance-ids', made['InstanceId'])
        found = ask('ec2', 'describe-instances', '--filters', 'Name=tag:Name,Values=w?b')
        self.assertEqual(found['Reservations'][0]['Instances'][0]['InstanceId'], made['InstanceId'])
        code, _, errors = aws('ec2', 'describe-instances', '--instance-ids', 'i-00000000000000000')
        self.assertEqual(code, 254)
        self.assertIn("(InvalidInstanceID.NotFound)", errors)
        ask('ec2', 'terminate-instances', '--instance-ids', made['InstanceId'])
        self.assertEqual(lab.count('c1')['machines_ever'], [made['InstanceId']])


if __name__ == '__main__':
    if not os.path.exists(AWS):
        print('no %s: without its part' % AWS)
    unittest.main(verbosity=2)
