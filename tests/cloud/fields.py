"""How the fields of our messages follow from what `openstack` shows: a table a message, of (our name
in protobuf's JSON, what it must be, from theirs).

compare() also fails on a field of ours that no table has: a new field needs a row.
"""

import datetime
import re


def number(value):
    return int(value or 0)


def text(value):
    return '' if value is None else str(value)


def seconds(value):
    """A time of theirs, with or without a zone and fraction, as seconds since 1970."""
    if not value:
        return 0
    value = re.sub(r'\.\d+', '', value.replace('Z', '')).replace(' ', 'T')
    return int(datetime.datetime.fromisoformat(value + '+00:00').timestamp())


def ours_as(want, value):
    """Our value in the type of the wanted one: 64-bit numbers are strings in JSON, what is zero is
    left out."""
    if isinstance(want, bool):
        return bool(value)
    if isinstance(want, int):
        return seconds(value) if isinstance(value, str) and 'T' in value else int(value or 0)
    if isinstance(want, list):
        return value or []
    if isinstance(want, dict):
        return value or {}
    return value or ''


def compare(table, ours, theirs):
    """A list of the differences, in words."""
    wrong = []
    rows = dict(table)
    for name in sorted(set(ours) - set(rows) - {'cloud', 'native'}):
        wrong.append('%s: %r, which no row of the table has' % (name, ours[name]))
    for name, row in table:
        want = row(theirs) if callable(row) else theirs[row]
        want = '' if want is None else want
        got = ours_as(want, ours.get(name))
        if isinstance(want, list):
            got, want = sorted(got, key=str), sorted(want, key=str)
        if got != want:
            wrong.append('%s: isobar has %r, the cloud %r' % (name, got, want))
    # Under the cloud's own names: the same words, then.
    for name, value in ours.get('native', {}).items():
        if name in theirs and text(theirs[name]) != value and not (
                isinstance(theirs[name], (bool, list, dict)) or theirs[name] is None):
            wrong.append('native.%s: isobar has %r, the cloud %r' % (name, value, theirs[name]))
    return wrong


def image_property(name):
    return lambda t: text((t.get('properties') or {}).get(name))


FLAVOR = [
    ('id', 'id'),
    ('name', 'name'),
    ('vcpus', 'vcpus'),
    ('memoryMib', 'ram'),
    ('diskGib', 'disk'),
    ('ephemeralGib', 'OS-FLV-EXT-DATA:ephemeral'),
    ('swapMib', lambda t: number(t['swap'])),
    ('gpus', lambda t: 0),
    ('architecture', lambda t: ''),
    ('isPublic', 'os-flavor-access:is_public'),
]

IMAGE = [
    ('id', 'id'),
    ('name', 'name'),
    ('status', 'status'),
    ('sizeBytes', 'size'),
    ('minDiskGib', 'min_disk'),
    ('minMemoryMib', 'min_ram'),
    ('osType', image_property('os_type')),
    ('architecture', image_property('architecture')),
    ('visibility', 'visibility'),
    ('format', 'disk_format'),
    ('owner', 'owner'),
    ('tags', 'tags'),
    ('createdAt', lambda t: seconds(t['created_at'])),
    ('updatedAt', lambda t: seconds(t['updated_at'])),
]

NETWORK = [
    ('id', 'id'),
    ('name', 'name'),
    ('status', 'status'),
    ('isExternal', 'router:external'),
    ('isShared', 'shared'),
    ('mtu', 'mtu'),
    ('subnetIds', 'subnets'),
]

SUBNET = [
    ('id', 'id'),
    ('name', 'name'),
    ('networkId', 'network_id'),
    ('cidr', 'cidr'),
    ('ipVersion', 'ip_version'),
    ('gatewayIp', 'gateway_ip'),
    ('dhcpEnabled', 'enable_dhcp'),
    ('dnsServers', 'dns_nameservers'),
    ('zone', lambda t: ''),
]

RULE = [
    ('id', 'id'),
    ('direction', 'direction'),
    ('protocol', lambda t: text(t['protocol'])),
    ('portMin', lambda t: number(t['port_range_min'])),
    ('portMax', lambda t: number(t['port_range_max'])),
    ('remoteCidr', lambda t: text(t['remote_ip_prefix'])),
    ('remoteGroupId', lambda t: text(t['remote_group_id'])),
    ('ipVersion', lambda t: {'IPv4': 4, 'IPv6': 6}[t['ethertype']]),
]

SECURITY_GROUP = [
    ('id', 'id'),
    ('name', 'name'),
    ('description', 'description'),
    # The rules have a table of their own.
    ('networkId', lambda t: ''),
]

KEYPAIR = [
    ('id', 'id'),
    ('name', 'name'),
    ('fingerprint', 'fingerprint'),
    ('type', 'type'),
    ('publicKey', 'public_key'),
    ('createdAt', lambda t: seconds(t['created_at'])),
]

ZONE = [
    ('id', 'Zone Name'),
    ('name', 'Zone Name'),
    ('region', 'region'),
    ('available', lambda t: t['Zone Status'] == 'available'),
]

REGION = [
    ('id', 'Region'),
    ('name', 'Region'),
    ('description', 'Description'),
    ('isCurrent', 'current'),
]

# Theirs is `server show`, and what test_openstack_show.py adds to it from other commands: _flavor_id,
# _region, _addresses.
VM = [
    ('id', 'id'),
    ('name', 'name'),
    ('state', lambda t: vm_state(t['status'], t['OS-EXT-STS:task_state'])),
    ('nativeState', lambda t: t['status'] + (
        ' (%s)' % t['OS-EXT-STS:task_state'] if t['OS-EXT-STS:task_state'] else '')),
    ('fault', lambda t: text((t.get('fault') or {}).get('message'))),
    ('flavorId', '_flavor_id'),
    ('flavorName', lambda t: t['flavor']['original_name']),
    ('vcpus', lambda t: t['flavor']['vcpus']),
    ('memoryMib', lambda t: t['flavor']['ram']),
    ('diskGib', lambda t: t['flavor']['disk']),
    ('imageId', lambda t: named(t['image'])[1]),
    ('imageName', lambda t: named(t['image'])[0]),
    ('region', '_region'),
    ('zone', 'OS-EXT-AZ:availability_zone'),
    ('keypair', lambda t: text(t['key_name'])),
    ('addresses', '_addresses'),
    ('securityGroupNames', lambda t: sorted({g['name'] for g in t['security_groups']})),
    ('volumes', lambda t: [
        {'id': v['id'], **({'deleteOnTermination': True} if v['delete_on_termination'] else {})}
        for v in t['volumes_attached']]),
    ('tags', 'properties'),
    ('createdAt', lambda t: seconds(t['created'])),
    ('updatedAt', lambda t: seconds(t['updated'])),
]

STATES = {
    'BUILD': 'CREATING', 'REBUILD': 'UPDATING', 'ACTIVE': 'RUNNING', 'MIGRATING': 'RUNNING',
    'PASSWORD': 'RUNNING', 'REBOOT': 'REBOOTING', 'HARD_REBOOT': 'REBOOTING', 'SHUTOFF': 'STOPPED',
    'SHELVED': 'STOPPED', 'SHELVED_OFFLOADED': 'STOPPED', 'SUSPENDED': 'SUSPENDED',
    'PAUSED': 'SUSPENDED', 'RESIZE': 'UPDATING', 'VERIFY_RESIZE': 'UPDATING',
    'REVERT_RESIZE': 'UPDATING', 'RESCUE': 'UPDATING', 'SOFT_DELETED': 'DELETING',
    'DELETED': 'DELETED', 'ERROR': 'ERROR',
}
# Where the task that goes on counts for more; a machine that is deleted has the same word always.
TASKS = {
    ('ACTIVE', 'powering-off'): 'STOPPING',
    ('ACTIVE', 'suspending'): 'SUSPENDING',
    ('ACTIVE', 'pausing'): 'SUSPENDING',
    ('SHUTOFF', 'powering-on'): 'STARTING',
    ('SUSPENDED', 'resuming'): 'STARTING',
    ('PAUSED', 'unpausing'): 'STARTING',
}
TASKS.update({(status, 'deleting'): 'DELETING' for status in STATES})


def vm_state(status, task):
    """The design's table."""
    return 'VM_STATE_' + TASKS.get((status, task), STATES[status])


def named(value):
    """'NAME (ID)' -> (name, id); a machine that boots from a volume has 'N/A (...)'."""
    m = re.match(r'(.*) \(([0-9a-f-]{36})\)$', value or '')
    return (m[1], m[2]) if m else ('', '')
