#!/usr/bin/python3
"""The emulated EC2: pages, filters, errors, and what is no request of the protocol; judged by boto3."""

import unittest
import xml.etree.ElementTree

from ec2_peer import ARM_IMAGE, IMAGE, VERSION, Test, machine, signed

NOWHERE = 'i-00000000000000000'


class Lists(Test):
    # Paginator -> the key of its result; what has pages at all is asked of botocore.
    PAGED = {'describe_instances': 'Reservations', 'describe_subnets': 'Subnets',
             'describe_vpcs': 'Vpcs', 'describe_security_groups': 'SecurityGroups',
             'describe_security_group_rules': 'SecurityGroupRules', 'describe_tags': 'Tags',
             'describe_network_interfaces': 'NetworkInterfaces', 'describe_volumes': 'Volumes',
             'describe_instance_types': 'InstanceTypes', 'describe_images': 'Images',
             'describe_instance_type_offerings': 'InstanceTypeOfferings',
             'describe_instance_status': 'InstanceStatuses'}

    def fill(self, lab, ec2):
        for n in range(7):
            id = lab.running(ec2, name='m%d' % n)
        for n in range(6):
            ec2.create_security_group(GroupName='g%d' % n, Description='d')
            vpc = ec2.create_vpc(CidrBlock='10.%d.0.0/16' % n)['Vpc']['VpcId']
            ec2.create_subnet(VpcId=vpc, CidrBlock='10.%d.1.0/24' % n)
        return id

    def test_paginators(self):
        lab = self.lab()
        ec2 = lab.client()
        self.fill(lab, ec2)
        for page_size in 0, 2:      # its own, then a cap that EC2 may have at any time
            lab.tell('faults', page_size=page_size)
            for name, key in self.PAGED.items():
                with self.subTest(name, page_size=page_size):
                    lab.tell('faults', page_size=0)
                    whole = getattr(ec2, name)()[key]
                    lab.tell('faults', page_size=page_size)
                    self.assertGreater(len(whole), 5)
                    if ec2.can_paginate(name) and name != 'describe_images':
                        pages = list(ec2.get_paginator(name).paginate(
                            PaginationConfig={} if page_size else {'PageSize': 5}))
                        self.assertGreater(len(pages), 1)
                        found = [each for page in pages for each in page[key]]
                        self.assertEqual(found, whole)

    def test_images_have_pages(self):
        """Debian's botocore does not know that yet."""
        lab = self.lab()
        seen, token = [], ''
        while token is not None:
            fields = {'Action': 'DescribeImages', 'Version': VERSION, 'MaxResults': 3}
            status, body = signed(lab, dict(fields, NextToken=token) if token else fields)
            self.assertEqual(status, 200)
            root = xml.etree.ElementTree.fromstring(body)
            space = root.tag.split('}')[0] + '}'
            page = [each.text for each in root.iter(space + 'imageId')]
            self.assertLessEqual(len(page), 3)
            seen += page
            token = root.findtext(space + 'nextToken')
        self.assertEqual(len(set(seen)), 8)
        self.assertEqual(len(seen), 8)

    def test_pages_refused(self):
        ec2 = self.lab().client()
        self.refused('InvalidParameterValue', ec2.describe_instances, MaxResults=4)
        self.refused('InvalidParameterValue', ec2.describe_instances, MaxResults=1001)
        self.refused('InvalidParameterValue', ec2.describe_instances, NextToken='bad')
        self.assertIn('instancesSet', self.refused(
            'InvalidParameterCombination', ec2.describe_instances, MaxResults=5,
            InstanceIds=[NOWHERE]))
        token = ec2.describe_instance_types(MaxResults=5)['NextToken']
        self.refused('InvalidParameterValue', ec2.describe_subnets, NextToken=token)

    def test_filters(self):
        lab = self.lab()
        ec2 = lab.client()
        id = lab.running(ec2, 'token', name='web-1')
        lab.running(ec2, name='db*1', InstanceType='m6g.large', ImageId=ARM_IMAGE)
        seen = machine(ec2, id)
        interface = seen['NetworkInterfaces'][0]
        wanted = {
            'instance-id': id, 'client-token': 'token', 'tag:Name': 'web-?', 'image-id': IMAGE,
            'instance-type': 't3.*', 'private-ip-address': seen['PrivateIpAddress'],
            'ip-address': seen['PublicIpAddress'], 'dns-name': seen['PublicDnsName'],
            'network-interface.network-interface-id': interface['NetworkInterfaceId'],
            'network-interface.attachment.attachment-id': interface['Attachment']['AttachmentId'],
            'network-interface.addresses.private-ip-address': seen['PrivateIpAddress'],
            'block-device-mapping.volume-id':
            seen['BlockDeviceMappings'][0]['Ebs']['VolumeId'], 'architecture': 'x86_64'}
        for name, value in wanted.items():
            with self.subTest(name):
                found = ec2.describe_instances(Filters=[{'Name': name, 'Values': [value, 'none']}])
                self.assertEqual([each['Instances'][0]['InstanceId']
                                  for each in found['Reservations']], [id])
        for name, value, n in [
                ('instance-state-name', 'running', 2), ('instance-state-name', 'stopped', 0),
                ('tag-key', 'Name', 2), ('tag:Name', 'db\\*1', 1), ('tag:Name', 'web\\?1', 0),
                ('vpc-id', seen['VpcId'], 2), ('subnet-id', seen['SubnetId'], 2),
                ('availability-zone', '*a', 2), ('instance-state-code', '16', 2)]:
            with self.subTest(name, value=value):
                found = ec2.describe_instances(Filters=[{'Name': name, 'Values': [value]}])
                self.assertEqual(len(found['Reservations']), n)
        self.refused('InvalidParameterValue', ec2.describe_instances,
                     Filters=[{'Name': 'colour', 'Values': ['red']}])


class Errors(Test):
    # (the call, its parameters, the code)
    CALLS = [
        ('describe_instances', {'InstanceIds': [NOWHERE]}, 'InvalidInstanceID.NotFound'),
        ('describe_instances', {'InstanceIds': ['web']}, 'InvalidInstanceID.Malformed'),
        ('terminate_instances', {'InstanceIds': [NOWHERE]}, 'InvalidInstanceID.NotFound'),
        ('describe_images', {'ImageIds': ['ami-00000000000000000']}, 'InvalidAMIID.NotFound'),
        ('describe_images', {'ImageIds': ['ubuntu']}, 'InvalidAMIID.Malformed'),
        ('describe_subnets', {'SubnetIds': ['subnet-00000000']}, 'InvalidSubnetID.NotFound'),
        ('describe_vpcs', {'VpcIds': ['vpc-00000000']}, 'InvalidVpcID.NotFound'),
        ('describe_security_groups', {'GroupIds': ['sg-00000000']}, 'InvalidGroup.NotFound'),
        ('describe_security_groups', {'GroupNames': ['none']}, 'InvalidGroup.NotFound'),
        ('describe_key_pairs', {'KeyNames': ['none']}, 'InvalidKeyPair.NotFound'),
        ('describe_volumes', {'VolumeIds': ['vol-00000000']}, 'InvalidVolume.NotFound'),
        ('describe_network_interfaces', {'NetworkInterfaceIds': ['eni-00000000']},
         'InvalidNetworkInterfaceID.NotFound'),
        ('describe_addresses', {'AllocationIds': ['eipalloc-00000000']},
         'InvalidAllocationID.NotFound'),
        ('describe_addresses', {'PublicIps': ['198.51.100.7']}, 'InvalidAddress.NotFound'),
        ('describe_instance_types', {'InstanceTypes': ['z9.huge']}, 'InvalidInstanceType'),
        ('create_volume', {'AvailabilityZone': 'mars-1a', 'Size': 1}, 'InvalidZone.NotFound'),
    ]
    # What is wrong with RunInstances -> the code.
    LAUNCHES = [
        ({'InstanceType': 'z9.huge'}, 'InvalidParameterValue'),
        ({'InstanceType': 'm6g.large'}, 'InvalidParameterValue'),
        ({'KeyName': 'none'}, 'InvalidKeyPair.NotFound'),
        ({'SubnetId': 'subnet-00000000'}, 'InvalidSubnetID.NotFound'),
        ({'SecurityGroupIds': ['sg-00000000']}, 'InvalidGroup.NotFound'),
        ({'SecurityGroups': ['none']}, 'InvalidGroup.NotFound'),
        ({'UserData': 'x' * 16385}, 'InvalidParameterValue'),
        ({'Placement': {'AvailabilityZone': 'mars-1a'}}, 'InvalidParameterValue'),
        ({'InstanceType': 'p4d.24xlarge', 'Placement': {'AvailabilityZone': 'us-east-1b'}},
         'Unsupported'),
        ({'PrivateIpAddress': '10.9.9.9'}, 'InvalidParameterValue'),
        ({'BlockDeviceMappings': [{'DeviceName': '/dev/xvda', 'Ebs': {'VolumeSize': 1}}]},
         'InvalidBlockDeviceMapping'),
        ({'MinCount': 3, 'MaxCount': 2}, 'InvalidParameterValue'),
        ({'LaunchTemplate': {'LaunchTemplateName': 'none'}},
         'InvalidLaunchTemplateName.NotFoundException'),
        ({'NetworkInterfaces': [{'DeviceIndex': 0}], 'SecurityGroupIds': ['sg-00000000']},
         'InvalidParameterCombination'),
    ]

    def test_codes(self):
        ec2 = self.lab().client()
        for name, parameters, code in self.CALLS:
            with self.subTest(name, **parameters):
                self.refused(code, getattr(ec2, name), **parameters)

    def test_launches(self):
        lab = self.lab()
        ec2 = lab.client()
        for parameters, code in self.LAUNCHES:
            with self.subTest(code, **parameters):
                self.refused(code, lambda: lab.run(ec2, **parameters))
        self.assertEqual(ec2.describe_instances()['Reservations'], [])
        self.assertEqual(ec2.describe_network_interfaces()['NetworkInterfaces'], [])
        empty = self.lab(empty=True)
        self.refused('VPCIdNotSpecified', lambda: empty.run(empty.client()))

    def test_form(self):
        """As EC2 writes it."""
        lab = self.lab()
        status, body = signed(lab, {'Action': 'DescribeInstances', 'Version': VERSION,
                                    'InstanceId.1': NOWHERE})
        self.assertEqual(status, 400)
        self.assertRegex(body, r'^<\?xml version="1.0" encoding="UTF-8"\?>\n<Response><Errors><Error>'
                         r'<Code>InvalidInstanceID.NotFound</Code><Message>[^<]+</Message></Error>'
                         r'</Errors><RequestID>[0-9a-f-]{36}</RequestID></Response>$')
        status, body = signed(lab, {'Action': 'DescribeVpcs', 'Version': VERSION})
        self.assertIn('<DescribeVpcsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">'
                      '<requestId>', body)


class Strict(Test):
    WRONG = [
        ({'Action': 'MakeCoffee'}, 'InvalidAction'),
        ({'Action': 'DescribeInstances', 'Colour': 'red'}, 'UnknownParameter'),
        ({'Action': 'DescribeInstances', 'InstanceIds.1': NOWHERE}, 'UnknownParameter'),
        ({'Action': 'DescribeInstances', 'InstanceId': NOWHERE}, 'InvalidParameterValue'),
        ({'Action': 'DescribeInstances', 'InstanceId.2': NOWHERE}, 'InvalidParameterValue'),
        ({'Action': 'DescribeInstances', 'MaxResults': 'ten'}, 'InvalidParameterValue'),
        ({'Action': 'DescribeInstances', 'DryRun': 'yes'}, 'InvalidParameterValue'),
        ({'Action': 'DescribeInstances', 'Filter.1.Name.1': 'x'}, 'UnknownParameter'),
        ({'Action': 'TerminateInstances'}, 'MissingParameter'),
        ({'Action': 'RunInstances', 'MinCount': 1}, 'MissingParameter'),
        ({'Action': 'RunInstances', 'MinCount': 1, 'MaxCount': 1, 'Placement.Tenancy': 'shared'},
         'InvalidParameterValue'),
        ('Action=DescribeVpcs&Version=2016-11-15&DryRun=false&DryRun=false', 'InvalidParameterValue'),
        ({'Version': VERSION}, 'MissingAction'),
        ({'Action': 'DescribeVpcs', 'Version': '2001-01-01'}, 'NoSuchVersion'),
    ]

    def test_breaches(self):
        lab = self.lab(breaches=len(self.WRONG))
        for fields, code in self.WRONG:
            with self.subTest(code, fields=fields):
                if isinstance(fields, dict):
                    fields = dict({'Version': VERSION}, **fields)
                status, body = signed(lab, fields)
                self.assertEqual((status, '<Code>%s</Code>' % code in body), (400, True), body)
        found = lab.ask('violations')
        self.assertEqual([each['code'] for each in found['violations']],
                         [code for _, code in self.WRONG])
        self.assertGreaterEqual(found['total'], found['count'])


if __name__ == '__main__':
    unittest.main(verbosity=2)
