"""How the fields of our messages follow from what azure-mgmt shows, in Resource Manager's own JSON: a
table a message, as in fields.py. What is in no table of MAPPED has to be in `native`, flat and without
the "properties" that Resource Manager wraps things in, and nothing else may be.
"""

from fields import compare, seconds  # noqa: F401


def part(thing, path, default=''):
    """What is at "storageProfile.osDisk.name", below `properties`."""
    found = thing.get('properties', {})
    for name in path.split('.'):
        found = (found or {}).get(name)
    return default if found is None else found


def at(path, default=''):
    return lambda thing: part(thing, path, default)


def scalar(value):
    return {True: 'true', False: 'false'}.get(value, str(value)) if isinstance(value, bool) \
        else str(value)


def native(thing, mapped):
    found = {}

    def put(value, path, key):
        if path in mapped or value is None:
            return
        if isinstance(value, dict):
            for name, each in value.items():
                dot = '.' if path else ''
                put(each, *((path, key) if name == 'properties' else
                            (path + dot + name, key + dot + name)))
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            for n, each in enumerate(value):
                put(each, path, '%s.%d' % (key, n + 1))
        elif isinstance(value, list):
            found[key] = ', '.join(scalar(each) for each in value)
        else:
            found[key] = scalar(value)

    put({name: each for name, each in thing.items() if not name.startswith('_')}, '', '')
    return {key: value for key, value in found.items() if value != ''}


def native_differs(mapped, tags=True, change=dict):
    """For Showing.check: a list of the differences of `native`, in words. `change` is done to what is
    wanted."""
    def details(ours, theirs):
        got, want = ours.get('native', {}), native(theirs, {'id', 'name', 'type', 'tags', *mapped})
        if not any(key.startswith('instanceView.') for key in got):     # no list has it
            want = {key: value for key, value in want.items() if not key.startswith('instanceView.')}
        if tags:
            want.update(('tags.' + key, value) for key, value in (theirs.get('tags') or {}).items())
        want = change(want)
        return ['native.%s: isobar has %r, azure-mgmt %r' % (key, got.get(key), want.get(key))
                for key in sorted(set(got) | set(want)) if got.get(key) != want.get(key)]
    return details


FLAVOR = [
    ('id', 'name'),
    ('name', 'name'),
    ('vcpus', 'numberOfCores'),
    ('memoryMib', 'memoryInMB'),
    ('diskGib', lambda t: 0),
    ('ephemeralGib', lambda t: t['resourceDiskSizeInMB'] // 1024),
    ('swapMib', lambda t: 0),
    ('gpus', lambda t: 0),
    ('architecture', lambda t: ''),
    ('isPublic', lambda t: True),
]
FLAVOR_MAPPED = {'numberOfCores', 'memoryInMB'}

IMAGE = [
    ('id', 'id'),
    ('name', 'name'),
    ('status', at('provisioningState')),
    ('sizeBytes', lambda t: 0),
    ('minDiskGib', at('storageProfile.osDisk.diskSizeGB', 0)),
    ('minMemoryMib', lambda t: 0),
    ('osType', lambda t: part(t, 'storageProfile.osDisk.osType').lower()),
    ('architecture', lambda t: ''),
    ('visibility', lambda t: 'private'),
    ('format', lambda t: ''),
    ('owner', lambda t: t['id'].split('/')[2]),
    ('tags', lambda t: ['%s=%s' % each for each in (t.get('tags') or {}).items()]),
    ('createdAt', lambda t: 0),
    ('updatedAt', lambda t: 0),
]
IMAGE_MAPPED = {'provisioningState', 'storageProfile.osDisk.osType',
                'storageProfile.osDisk.diskSizeGB'}

MARKET_IMAGE = [
    ('id', '_urn'),
    ('name', '_urn'),
    ('status', lambda t: ''),
    ('osType', lambda t: part(t, 'osDiskImage.operatingSystem').lower()),
    ('visibility', lambda t: 'public'),
    ('owner', lambda t: t['_urn'].split(':')[0]),
]
MARKET_MAPPED = {'osDiskImage.operatingSystem'}

NETWORK = [
    ('id', 'id'),
    ('name', 'name'),
    ('status', at('provisioningState')),
    ('isExternal', lambda t: False),
    ('isShared', lambda t: False),
    ('mtu', lambda t: 0),
    ('subnetIds', lambda t: [each['id'] for each in part(t, 'subnets', [])]),
]
NETWORK_MAPPED = {'provisioningState', 'subnets'}

SUBNET = [
    ('id', 'id'),
    ('name', 'name'),
    ('networkId', lambda t: t['_network']['id']),
    ('cidr', at('addressPrefix')),
    ('ipVersion', lambda t: 6 if ':' in part(t, 'addressPrefix') else 4),
    ('gatewayIp', lambda t: ''),
    ('dhcpEnabled', lambda t: True),
    ('dnsServers', lambda t: part(t['_network'], 'dhcpOptions.dnsServers', [])),
    ('zone', lambda t: ''),
]
SUBNET_MAPPED = {'addressPrefix', 'ipConfigurations'}

SECURITY_GROUP = [
    ('id', 'id'),
    ('name', 'name'),
    ('description', lambda t: ''),
    ('networkId', lambda t: ''),
]
SECURITY_GROUP_MAPPED = {'defaultSecurityRules'}


def rules(group):
    """What a group allows: as many of our rules as each of theirs has peers and ranges of ports."""
    found = []
    for each in part(group, 'securityRules', []):
        inbound = part(each, 'direction') == 'Inbound'
        side = 'source' if inbound else 'destination'
        peers = ([part(each, side + 'AddressPrefix')] if part(each, side + 'AddressPrefix') else []) \
            + part(each, side + 'AddressPrefixes', [])
        ranges = ([part(each, 'destinationPortRange')] if part(each, 'destinationPortRange') else []) \
            + part(each, 'destinationPortRanges', [])
        for peer in peers if part(each, 'access') == 'Allow' else []:
            for ports in ranges:
                rule = {'id': each['id'], 'direction': 'ingress' if inbound else 'egress'}
                if part(each, 'protocol') != '*':
                    rule['protocol'] = part(each, 'protocol').lower()
                if ports != '*':
                    first, _, last = ports.partition('-')
                    rule.update(portMin=int(first), portMax=int(last or first))
                if peer[0].isdigit() or ':' in peer:
                    rule.update(remoteCidr=peer, ipVersion=6 if ':' in peer else 4)
                elif peer != '*':
                    rule['remoteGroupId'] = peer
                found.append(str(sorted(rule.items())))
    return sorted(found)


KEYPAIR = [
    ('id', 'id'),
    ('name', 'name'),
    ('fingerprint', lambda t: ''),
    ('type', lambda t: 'ssh'),
    ('publicKey', at('publicKey')),
    ('createdAt', lambda t: 0),
]
KEYPAIR_MAPPED = {'publicKey'}

REGION = [
    ('id', 'name'),
    ('name', 'name'),
    ('description', 'displayName'),
    ('isCurrent', '_current'),
]
REGION_MAPPED = {'displayName'}

ZONE = [
    ('id', 'zone'),
    ('name', 'zone'),
    ('region', 'region'),
    ('available', lambda t: True),
]

STATES = {('running', 'Succeeded'): 'VM_STATE_RUNNING', ('stopped', 'Succeeded'): 'VM_STATE_STOPPED',
          ('deallocated', 'Succeeded'): 'VM_STATE_STOPPED'}


def statuses(machine):
    """{"PowerState": "running", ..}"""
    return dict(each['code'].split('/', 1) for each in part(machine, 'instanceView.statuses', []))


def state(machine):
    if part(machine, 'provisioningState') == 'Failed':
        return 'VM_STATE_ERROR'
    if 'HibernationState' in statuses(machine):
        return 'VM_STATE_SUSPENDED'
    return STATES[statuses(machine)['PowerState'], part(machine, 'provisioningState')]


def native_state(machine):
    words = [statuses(machine).get('PowerState'),
             'hibernated' if 'HibernationState' in statuses(machine) else None,
             part(machine, 'provisioningState')]
    return ', '.join(each for each in words if each)


def fault(machine):
    return '; '.join('%s: %s' % (each['code'].rpartition('/')[2], each['message'])
                     for each in part(machine, 'instanceView.statuses', [])
                     if each['level'] == 'Error')


def image_of(machine):
    image = part(machine, 'storageProfile.imageReference', {})
    return image.get('id') or ':'.join(image[each] for each in (
        'publisher', 'offer', 'sku', 'exactVersion' if 'exactVersion' in image else 'version'))


def image_name_of(machine):
    image = part(machine, 'storageProfile.imageReference', {})
    return image['id'].rpartition('/')[2] if 'id' in image else ':'.join(
        image[each] for each in ('publisher', 'offer', 'sku', 'version'))


def changed(machine):
    return next(seconds(each['time'].replace('+00:00', 'Z')) for each in
                part(machine, 'instanceView.statuses')
                if each['code'].startswith('ProvisioningState/'))


def addresses(machine):
    found = []
    for nic in machine['_nics']:
        for each in part(nic, 'ipConfigurations', []):
            network = part(each, 'subnet')['id'].partition('/subnets/')[0]
            ips = [(part(each, 'privateIPAddress'), 'FIXED')]
            public = part(each, 'publicIPAddress', {}).get('id', '').lower()
            if public and part(machine['_ips'][public], 'ipAddress'):
                ips.append((part(machine['_ips'][public], 'ipAddress'), 'PUBLIC'))
            found += [{'networkId': network, 'networkName': network.rpartition('/')[2], 'ip': ip,
                       'ipVersion': 4, 'kind': 'ADDRESS_KIND_' + kind,
                       'mac': part(nic, 'macAddress').replace('-', ':').lower()}
                      for ip, kind in ips]
    return found


def volumes(machine):
    disks = [part(machine, 'storageProfile.osDisk'), *part(machine, 'storageProfile.dataDisks', [])]
    return [dict({'id': each['managedDisk']['id']},
                 **({'deleteOnTermination': True} if each.get('deleteOption') == 'Delete' else {}))
            for each in disks]


VM = [
    ('id', 'id'),
    ('name', 'name'),
    ('state', state),
    ('nativeState', native_state),
    ('fault', fault),
    ('flavorId', at('hardwareProfile.vmSize')),
    ('flavorName', at('hardwareProfile.vmSize')),
    ('vcpus', lambda t: t['_size']['numberOfCores']),
    ('memoryMib', lambda t: t['_size']['memoryInMB']),
    ('diskGib', at('storageProfile.osDisk.diskSizeGB', 0)),
    ('imageId', image_of),
    ('imageName', image_name_of),
    ('region', 'location'),
    ('zone', lambda t: (t.get('zones') or [''])[0]),
    ('keypair', lambda t: ''),
    ('addresses', addresses),
    ('securityGroupNames', lambda t: sorted({
        part(each, 'networkSecurityGroup')['id'].rpartition('/')[2]
        for each in t['_nics'] if part(each, 'networkSecurityGroup')})),
    ('volumes', volumes),
    ('tags', lambda t: t.get('tags') or {}),
    ('createdAt', lambda t: seconds(part(t, 'timeCreated')[:19]) if part(t, 'timeCreated') else 0),
    ('updatedAt', changed),
]
VM_MAPPED = {'location', 'zones', 'hardwareProfile.vmSize', 'storageProfile.osDisk.diskSizeGB',
             'storageProfile.osDisk.managedDisk.id', 'storageProfile.osDisk.deleteOption',
             'storageProfile.dataDisks.managedDisk.id', 'storageProfile.dataDisks.deleteOption',
             'provisioningState', 'timeCreated'}
