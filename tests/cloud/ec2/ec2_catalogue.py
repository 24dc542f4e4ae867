"""What a lab comes with, and what there is of machine types."""

# name: (vCPUs, MiB, architecture, GPUs (name, maker, how many, MiB each), burstable, zones, disk GB)
TYPES = {
    't3.micro': (2, 1024, 'x86_64', None, True, 'abc', 0),
    't3.small': (2, 2048, 'x86_64', None, True, 'abc', 0),
    't3.medium': (2, 4096, 'x86_64', None, True, 'abc', 0),
    't4g.nano': (2, 512, 'arm64', None, True, 'abc', 0),
    'm5.large': (2, 8192, 'x86_64', None, False, 'abc', 0),
    'm5.xlarge': (4, 16384, 'x86_64', None, False, 'abc', 0),
    'm5d.large': (2, 8192, 'x86_64', None, False, 'ab', 75),
    'm6g.large': (2, 8192, 'arm64', None, False, 'abc', 0),
    'c5.large': (2, 4096, 'x86_64', None, False, 'abc', 0),
    'g4dn.xlarge': (4, 16384, 'x86_64', ('T4', 'NVIDIA', 1, 16384), False, 'ab', 125),
    'p4d.24xlarge': (96, 1179648, 'x86_64', ('A100', 'NVIDIA', 8, 40960), False, 'a', 8000),
}
# The end of a zone's id has nothing to do with its name, as in EC2.
ZONE_IDS = {'a': 'az4', 'b': 'az1', 'c': 'az6'}
REGIONS = {'us-east-1': 'opt-in-not-required', 'us-east-2': 'opt-in-not-required',
           'eu-central-1': 'opt-in-not-required', 'ap-northeast-2': 'opt-in-not-required',
           'af-south-1': 'not-opted-in'}
AMAZON, PUBLISHER = '137112412989', '099720109477'
UBUNTU = 'ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-%s-server-%s'
# (id, name, owner, its alias, architecture, date, description, root device, GB, public, own snapshot)
IMAGES = [
    ('ami-0a00000000000a001', 'amzn2-ami-kernel-5.10-hvm-2.0.20230307.0-x86_64-gp2', AMAZON, 'amazon',
     'x86_64', '2023-03-13T21:04:34.000Z', 'Amazon Linux 2 Kernel 5.10', '/dev/xvda', 8),
    ('ami-0a00000000000a002', 'al2023-ami-2023.5.20240624.0-kernel-6.1-x86_64', AMAZON, 'amazon',
     'x86_64', '2024-06-25T00:53:25.000Z', 'Amazon Linux 2023', '/dev/xvda', 8),
    ('ami-0a00000000000a003', 'al2023-ami-2023.6.20241010.0-kernel-6.1-x86_64', AMAZON, 'amazon',
     'x86_64', '2024-10-11T16:25:53.000Z', 'Amazon Linux 2023', '/dev/xvda', 8),
    ('ami-0a00000000000a004', 'al2023-ami-2023.6.20241010.0-kernel-6.1-arm64', AMAZON, 'amazon',
     'arm64', '2024-10-11T16:25:54.000Z', 'Amazon Linux 2023', '/dev/xvda', 8),
    ('ami-0b00000000000b001', UBUNTU % ('amd64', '20240301'), PUBLISHER, None,
     'x86_64', '2024-03-01T17:02:11.000Z', 'Canonical, Ubuntu, 22.04 LTS', '/dev/sda1', 8),
    ('ami-0b00000000000b002', UBUNTU % ('amd64', '20240701'), PUBLISHER, None,
     'x86_64', '2024-07-01T19:11:40.000Z', 'Canonical, Ubuntu, 22.04 LTS', '/dev/sda1', 8),
    ('ami-0b00000000000b003', UBUNTU % ('arm64', '20240701'), PUBLISHER, None,
     'arm64', '2024-07-01T19:11:41.000Z', 'Canonical, Ubuntu, 22.04 LTS', '/dev/sda1', 8),
]
OWN_IMAGE = ('ami-0c00000000000c001', 'web', None, None, 'x86_64', '2024-08-01T08:00:00.000Z',
             'Our own', '/dev/xvda', 10)
KEY_NAME = 'default-key'
KEY_TEXT = ('ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f'
            ' default-key')
TEMPLATE = {'name': 'small', 'data': {'InstanceType': 't3.micro', 'ImageId': IMAGES[2][0]}}


def image_fields(row, account):
    id, name, owner, alias, architecture, date, words, root, size = row
    fields = {
        'id': id, 'ImageId': id, 'Name': name, 'OwnerId': owner or account,
        'ImageLocation': '%s/%s' % (alias or owner or account, name), 'Architecture': architecture,
        'CreationDate': date, 'Description': words, 'Public': owner is not None,
        'ImageType': 'machine', 'State': 'available', 'PlatformDetails': 'Linux/UNIX',
        'UsageOperation': 'RunInstances', 'EnaSupport': True, 'Hypervisor': 'xen',
        'RootDeviceName': root, 'RootDeviceType': 'ebs', 'SriovNetSupport': 'simple',
        'VirtualizationType': 'hvm', 'tags': {}, 'BlockDeviceMappings': [
            {'DeviceName': root, 'Ebs': {
                'DeleteOnTermination': True, 'SnapshotId': 'snap-' + id[4:], 'VolumeSize': size,
                'VolumeType': 'gp2', 'Encrypted': False}}]}
    if alias:
        fields['ImageOwnerAlias'] = alias
    return fields


def type_info(name):
    vcpus, memory, architecture, gpu, burstable, _, disk = TYPES[name]
    cores = vcpus if architecture == 'arm64' else vcpus // 2
    info = {
        'InstanceType': name, 'CurrentGeneration': True, 'FreeTierEligible': name == 't3.micro',
        'SupportedUsageClasses': ['on-demand', 'spot'], 'SupportedRootDeviceTypes': ['ebs'],
        'SupportedVirtualizationTypes': ['hvm'], 'BareMetal': False, 'Hypervisor': 'nitro',
        'ProcessorInfo': {'SupportedArchitectures': [architecture],
                          'SustainedClockSpeedInGhz': 2.5},
        'VCpuInfo': {'DefaultVCpus': vcpus, 'DefaultCores': cores,
                     'DefaultThreadsPerCore': vcpus // cores},
        'MemoryInfo': {'SizeInMiB': memory}, 'InstanceStorageSupported': disk > 0,
        'EbsInfo': {'EbsOptimizedSupport': 'default', 'EncryptionSupport': 'supported',
                    'NvmeSupport': 'required'},
        'NetworkInfo': {'NetworkPerformance': 'Up to 5 Gigabit', 'MaximumNetworkInterfaces': 3,
                        'Ipv4AddressesPerInterface': 10, 'Ipv6AddressesPerInterface': 10,
                        'Ipv6Supported': True, 'EnaSupport': 'required', 'EfaSupported': False},
        'PlacementGroupInfo': {'SupportedStrategies': ['partition', 'spread']},
        'HibernationSupported': gpu is None, 'BurstablePerformanceSupported': burstable,
        'DedicatedHostsSupported': not burstable, 'AutoRecoverySupported': gpu is None}
    if disk:
        info['InstanceStorageInfo'] = {
            'TotalSizeInGB': disk, 'NvmeSupport': 'required',
            'Disks': [{'SizeInGB': disk, 'Count': 1, 'Type': 'ssd'}]}
    if gpu:
        info['GpuInfo'] = {'TotalGpuMemoryInMiB': gpu[2] * gpu[3], 'Gpus': [
            {'Name': gpu[0], 'Manufacturer': gpu[1], 'Count': gpu[2],
             'MemoryInfo': {'SizeInMiB': gpu[3]}}]}
    return info
