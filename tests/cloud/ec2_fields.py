"""How the fields of our messages follow from what boto3 shows of EC2: a table a message, as in
fields.py. What is in no table of MAPPED has to be in `native`, under the name that EC2 has for it in
XML, and nothing else may be.
"""

import datetime

import botocore.session
from fields import compare  # noqa: F401

MODEL = botocore.session.get_session().get_service_model('ec2')


def seconds(value):
    if isinstance(value, str):
        value = datetime.datetime.fromisoformat(value.replace('Z', '+00:00'))
    return int(value.timestamp()) if value else 0


def scalar(value):
    if isinstance(value, bool):
        return 'true' if value else 'false'
    if isinstance(value, datetime.datetime):
        return value.strftime('%Y-%m-%dT%H:%M:%S.000Z')
    return str(value)


def tag(thing, name='Name'):
    return {each['Key']: each['Value'] for each in thing.get('Tags', [])}.get(name, '')


def native(shape_name, thing, mapped, name):
    """All that boto3 shows of a thing, flat and under EC2's own names, but for what is mapped."""
    found = {}

    def put(shape, value, path, key):
        if path in mapped:
            return
        if shape.type_name == 'structure':
            for member, inner in shape.members.items():
                if member in value:
                    own = inner.serialization.get('name', member)
                    put(inner, value[member], *('%s.%s' % (each, own) if each else own
                                                for each in (path, key)))
        elif shape.type_name == 'list' and shape.member.name == 'Tag':
            for each in value:
                if each['Key'] != 'Name' or each['Value'] != name:
                    found['tag:' + each['Key']] = each['Value']
        elif shape.type_name == 'list' and shape.member.type_name == 'structure':
            for i, each in enumerate(value):
                put(shape.member, each, path, '%s.%d' % (key, i + 1))
        elif shape.type_name == 'list':
            found[key] = ', '.join(scalar(each) for each in value)
        else:
            found[key] = scalar(value)

    put(MODEL.shape_for(shape_name), thing, '', '')
    return {key: value for key, value in found.items() if value != ''}


def native_differs(shape_name, mapped, name=tag, more=None):
    """For Showing.check: a list of the differences of `native`, in words."""
    def details(ours, theirs):
        want = native(shape_name, theirs, mapped, name(theirs))
        want.update(more(theirs) if more else {})
        got = ours.get('native', {})
        return ['native.%s: isobar has %r, boto3 %r' % (key, got.get(key), want.get(key))
                for key in sorted(set(got) | set(want)) if got.get(key) != want.get(key)]
    return details


def root_gib(image):
    return sum(each['Ebs']['VolumeSize'] for each in image['BlockDeviceMappings']
               if each['DeviceName'] == image['RootDeviceName'])


IMAGE = [
    ('id', 'ImageId'),
    ('name', 'Name'),
    ('status', 'State'),
    ('sizeBytes', lambda t: 0),
    ('minDiskGib', root_gib),
    ('minMemoryMib', lambda t: 0),
    ('osType', lambda t: t.get('Platform', 'linux')),
    ('architecture', 'Architecture'),
    ('visibility', lambda t: 'public' if t['Public'] else '_own' in t and 'private' or 'shared'),
    ('format', lambda t: ''),
    ('owner', 'OwnerId'),
    ('tags', lambda t: ['%s=%s' % (each['Key'], each['Value']) for each in t.get('Tags', [])]),
    ('createdAt', lambda t: seconds(t['CreationDate'])),
    ('updatedAt', lambda t: 0),
]
IMAGE_MAPPED = {'imageId', 'name', 'imageState', 'isPublic', 'tagSet', 'architecture', 'imageOwnerId',
                'creationDate'}

FLAVOR = [
    ('id', 'InstanceType'),
    ('name', 'InstanceType'),
    ('vcpus', lambda t: t['VCpuInfo']['DefaultVCpus']),
    ('memoryMib', lambda t: t['MemoryInfo']['SizeInMiB']),
    ('diskGib', lambda t: 0),
    ('ephemeralGib', lambda t: t.get('InstanceStorageInfo', {}).get('TotalSizeInGB', 0) * 10**9 >> 30),
    ('swapMib', lambda t: 0),
    ('gpus', lambda t: sum(each['Count'] for each in t.get('GpuInfo', {}).get('Gpus', []))),
    ('architecture', lambda t: ', '.join(t['ProcessorInfo']['SupportedArchitectures'])),
    ('isPublic', lambda t: True),
]
FLAVOR_MAPPED = {'instanceType', 'processorInfo.supportedArchitectures', 'vCpuInfo.defaultVCpus',
                 'memoryInfo.sizeInMiB'}

NETWORK = [
    ('id', 'VpcId'),
    ('name', tag),
    ('status', 'State'),
    ('isExternal', lambda t: False),
    ('isShared', lambda t: False),
    ('mtu', lambda t: 0),
    ('subnetIds', '_subnets'),
]
NETWORK_MAPPED = {'vpcId', 'state'}

SUBNET = [
    ('id', 'SubnetId'),
    ('name', tag),
    ('networkId', 'VpcId'),
    ('cidr', 'CidrBlock'),
    ('ipVersion', lambda t: 4),
    ('gatewayIp', lambda t: ''),
    ('dhcpEnabled', lambda t: True),
    ('dnsServers', lambda t: []),
    ('zone', 'AvailabilityZone'),
]
SUBNET_MAPPED = {'subnetId', 'vpcId', 'cidrBlock', 'availabilityZone'}

SECURITY_GROUP = [
    ('id', 'GroupId'),
    ('name', 'GroupName'),
    ('description', 'Description'),
    ('networkId', 'VpcId'),
]
PERMISSION_MAPPED = {'ipProtocol', 'fromPort', 'toPort', 'ipRanges.cidrIp', 'ipv6Ranges.cidrIpv6',
                     'prefixListIds.prefixListId', 'groups.groupId'}
SECURITY_GROUP_MAPPED = {'groupId', 'groupName', 'groupDescription', 'vpcId'} | {
    '%s.%s' % (way, each) for way in ('ipPermissions', 'ipPermissionsEgress')
    for each in PERMISSION_MAPPED}


def rules(group):
    """Ours, as protobuf's JSON has them, from EC2's permissions."""
    found = []
    for direction, way in ('ingress', 'IpPermissions'), ('egress', 'IpPermissionsEgress'):
        for each in group[way]:
            for cidr in each.get('IpRanges', []):
                found.append((direction, each, 'remoteCidr', cidr['CidrIp'], 4))
            for cidr in each.get('Ipv6Ranges', []):
                found.append((direction, each, 'remoteCidr', cidr['CidrIpv6'], 6))
            for pair in each.get('UserIdGroupPairs', []):
                found.append((direction, each, 'remoteGroupId', pair['GroupId'], 4))
    return sorted(str(rule(*each)) for each in found)


def rule(direction, permission, kind, peer, version):
    ours = {'direction': direction, kind: peer, 'ipVersion': version,
            'protocol': '' if permission['IpProtocol'] == '-1' else permission['IpProtocol'],
            'portMin': max(permission.get('FromPort', 0), 0),
            'portMax': max(permission.get('ToPort', 0), 0)}
    return sorted((key, value) for key, value in ours.items() if value)


KEYPAIR = [
    ('id', 'KeyPairId'),
    ('name', 'KeyName'),
    ('fingerprint', 'KeyFingerprint'),
    ('type', lambda t: 'ssh'),
    ('publicKey', lambda t: t['PublicKey']),
    ('createdAt', lambda t: seconds(t['CreateTime'])),
]
KEYPAIR_MAPPED = {'keyPairId', 'keyName', 'keyFingerprint', 'publicKey', 'createTime'}

REGION = [
    ('id', 'RegionName'),
    ('name', 'RegionName'),
    ('description', lambda t: ''),
    ('isCurrent', '_current'),
]
REGION_MAPPED = {'regionName'}

ZONE = [
    ('id', 'ZoneName'),
    ('name', 'ZoneName'),
    ('region', 'RegionName'),
    ('available', lambda t: t['State'] == 'available'),
]
ZONE_MAPPED = {'zoneName', 'regionName'}

# Theirs has what test_ec2_show.py adds from other calls: _image, _type, _region, _vpcs.
VM = [
    ('id', 'InstanceId'),
    ('name', tag),
    ('state', lambda t: 'VM_STATE_' + state(t)),
    ('nativeState', lambda t: t['State']['Name'] + (
        ' (%s)' % t['StateReason']['Code'] if t.get('StateReason') else '')),
    ('fault', lambda t: ''),
    ('flavorId', 'InstanceType'),
    ('flavorName', 'InstanceType'),
    ('vcpus', lambda t: t['CpuOptions']['CoreCount'] * t['CpuOptions']['ThreadsPerCore']
     if 'CpuOptions' in t else t['_type']['VCpuInfo']['DefaultVCpus']),
    ('memoryMib', lambda t: t['_type']['MemoryInfo']['SizeInMiB']),
    ('diskGib', lambda t: 0),
    ('imageId', 'ImageId'),
    ('imageName', lambda t: t['_image']['Name']),
    ('region', '_region'),
    ('zone', lambda t: t['Placement']['AvailabilityZone']),
    ('keypair', lambda t: t.get('KeyName', '')),
    ('addresses', lambda t: addresses(t)),
    ('securityGroupNames', lambda t: sorted({each['GroupName'] for nic in t['NetworkInterfaces']
                                             for each in nic['Groups']})),
    ('volumes', lambda t: [
        dict({'id': each['Ebs']['VolumeId']},
             **({'deleteOnTermination': True} if each['Ebs']['DeleteOnTermination'] else {}))
        for each in t['BlockDeviceMappings']]),
    ('tags', lambda t: {each['Key']: each['Value'] for each in t.get('Tags', [])
                        if each['Key'] not in ('Name', 'isobar-token')}),
    ('createdAt', lambda t: min([seconds(t['LaunchTime'])] + [
        seconds(nic['Attachment']['AttachTime']) for nic in t['NetworkInterfaces']])),
    ('updatedAt', lambda t: seconds(t['LaunchTime'])),
]
NIC = 'networkInterfaceSet.'
VM_MAPPED = {
    'instanceId', 'instanceState', 'imageId', 'keyName', 'instanceType', 'tagSet', 'cpuOptions',
    'placement.availabilityZone', 'privateIpAddress', 'ipAddress', 'ipv6Address',
    'groupSet.groupName', 'blockDeviceMapping.ebs.volumeId',
    'blockDeviceMapping.ebs.deleteOnTermination', NIC + 'macAddress', NIC + 'vpcId',
    NIC + 'privateIpAddress', NIC + 'association.publicIp', NIC + 'privateIpAddressesSet',
    NIC + 'ipv6AddressesSet', NIC + 'groupSet.groupName', NIC + 'attachment.deviceIndex',
}


def state(t):
    """The design's table."""
    name = t['State']['Name']
    if name in ('stopping', 'stopped') and t['StateReason']['Code'] == 'Client.UserInitiatedHibernate':
        return {'stopping': 'SUSPENDING', 'stopped': 'SUSPENDED'}[name]
    return {'pending': 'CREATING', 'running': 'RUNNING', 'stopping': 'STOPPING', 'stopped': 'STOPPED',
            'shutting-down': 'DELETING', 'terminated': 'DELETED'}[name]


def addresses(t):
    found = []
    for nic in t['NetworkInterfaces']:
        both = {'networkId': nic['VpcId'], 'mac': nic['MacAddress']}
        if t['_vpcs'][nic['VpcId']]:
            both['networkName'] = t['_vpcs'][nic['VpcId']]
        for each in nic['PrivateIpAddresses']:
            found.append(dict(both, ip=each['PrivateIpAddress'], ipVersion=4,
                              kind='ADDRESS_KIND_FIXED'))
            if 'Association' in each:
                found.append(dict(both, ip=each['Association']['PublicIp'], ipVersion=4,
                                  kind='ADDRESS_KIND_PUBLIC'))
        for each in nic['Ipv6Addresses']:
            found.append(dict(both, ip=each['Ipv6Address'], ipVersion=6, kind='ADDRESS_KIND_FIXED'))
    return found
