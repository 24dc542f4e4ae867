"""Networks: VPCs, subnets, security groups and network interfaces."""

import ipaddress
import time

from ec2_actions import Listing, action, need, need_all, tag_set, tags_of, would
from ec2_catalogue import ZONE_IDS
from ec2_model import Refused, Unchecked

# ---- VPCs and subnets ----


def show_vpc(lab, thing, fields):
    return {'VpcId': fields['id'], 'CidrBlock': fields['CidrBlock'], 'State': 'available',
            'DhcpOptionsId': 'dopt-0123456789abcdef0', 'OwnerId': lab.account,
            'InstanceTenancy': 'default', 'IsDefault': fields['IsDefault'],
            'Tags': tag_set(fields['tags']), 'CidrBlockAssociationSet': [
                {'AssociationId': 'vpc-cidr-assoc-' + fields['id'][4:],
                 'CidrBlock': fields['CidrBlock'], 'CidrBlockState': {'State': 'associated'}}]}


def show_subnet(lab, thing, fields):
    net = ipaddress.ip_network(fields['CidrBlock'])
    used = sum(each.base['SubnetId'] == fields['id'] for each in lab.alive('interface'))
    return {'SubnetId': fields['id'], 'VpcId': fields['VpcId'], 'State': 'available',
            'AvailabilityZone': fields['zone'], 'AvailabilityZoneId': zone_id(fields['zone']),
            'CidrBlock': fields['CidrBlock'], 'OwnerId': lab.account,
            'AvailableIpAddressCount': net.num_addresses - 5 - used,
            'DefaultForAz': fields['DefaultForAz'], 'Ipv6Native': False,
            'MapPublicIpOnLaunch': fields['MapPublicIpOnLaunch'], 'EnableDns64': False,
            'MapCustomerOwnedIpOnLaunch': False, 'AssignIpv6AddressOnCreation': False,
            'Ipv6CidrBlockAssociationSet': [], 'Tags': tag_set(fields['tags']),
            'SubnetArn': 'arn:aws:ec2:%s:%s:subnet/%s' % (lab.region, lab.account, fields['id'])}


def zone_id(zone):
    words = zone[:-1].split('-')
    return '%s%s%s-%s' % (words[0], words[1][0], words[2], ZONE_IDS[zone[-1]])


action('DescribeVpcs')(Listing('vpc', 'VpcIds', 'Vpcs', show_vpc, {
    'vpc-id': 'VpcId', 'state': 'State', 'cidr': 'CidrBlock', 'is-default': 'IsDefault',
    'isDefault': 'IsDefault', 'owner-id': 'OwnerId', 'dhcp-options-id': 'DhcpOptionsId',
    'cidr-block-association.cidr-block': 'CidrBlockAssociationSet.CidrBlock'}))
action('DescribeSubnets')(Listing('subnet', 'SubnetIds', 'Subnets', show_subnet, {
    'subnet-id': 'SubnetId', 'vpc-id': 'VpcId', 'state': 'State', 'cidr-block': 'CidrBlock',
    'cidr': 'CidrBlock', 'availability-zone': 'AvailabilityZone', 'default-for-az': 'DefaultForAz',
    'availabilityZone': 'AvailabilityZone', 'defaultForAz': 'DefaultForAz', 'owner-id': 'OwnerId',
    'availability-zone-id': 'AvailabilityZoneId', 'subnet-arn': 'SubnetArn',
    'available-ip-address-count': 'AvailableIpAddressCount',
    'map-public-ip-on-launch': 'MapPublicIpOnLaunch'}))


def cidr_of(p):
    try:
        return ipaddress.ip_network(p.get('CidrBlock', ''))
    except ValueError:
        raise Refused('InvalidParameterValue', 'Value (%s) for parameter cidrBlock is invalid. '
                      'This is not a valid CIDR block.' % p.get('CidrBlock')) from None


@action('CreateVpc')
def create_vpc(lab, p):
    net, (tags,) = cidr_of(p), tags_of(p, 'vpc')
    would(p)
    vpc = lab.add('vpc', {'id': lab.new_id('vpc'), 'CidrBlock': str(net), 'IsDefault': False,
                          'tags': tags})
    lab.add_group(vpc.base['id'], 'default', 'default VPC security group', {}, own=True)
    return {'Vpc': show_vpc(lab, vpc, vpc.base)}


@action('CreateSubnet')
def create_subnet(lab, p):
    vpc, net, (tags,) = need(lab, 'vpc', p['VpcId']), cidr_of(p), tags_of(p, 'subnet')
    zone = p.get('AvailabilityZone', lab.zones[0])
    if zone not in lab.zones:
        raise Refused('InvalidParameterValue', 'Value (%s) for parameter availabilityZone is invalid. '
                      'Subnets can currently only be created in the following availability zones: %s.'
                      % (zone, ', '.join(lab.zones)))
    if not net.subnet_of(ipaddress.ip_network(vpc.base['CidrBlock'])):
        raise Refused('InvalidSubnet.Range', "The CIDR '%s' is invalid." % net)
    for each in lab.alive('subnet'):
        if each.base['VpcId'] == p['VpcId'] and \
                net.overlaps(ipaddress.ip_network(each.base['CidrBlock'])):
            raise Refused('InvalidSubnet.Conflict', "The CIDR '%s' conflicts with another subnet"
                          % net)
    would(p)
    subnet = lab.add('subnet', {
        'id': lab.new_id('subnet'), 'VpcId': p['VpcId'], 'zone': zone, 'CidrBlock': str(net),
        'DefaultForAz': False, 'MapPublicIpOnLaunch': False, 'tags': tags})
    return {'Subnet': show_subnet(lab, subnet, subnet.base)}


# ---- Interfaces ----

def names_of(lab, ids):
    return [{'GroupId': id, 'GroupName': lab.things['group'][id].base['GroupName']} for id in ids]


def dns_of(lab, address, public=False):
    if public:
        return 'ec2-%s.%s' % (address.replace('.', '-'), 'compute-1.amazonaws.com' if lab.region ==
                              'us-east-1' else lab.region + '.compute.amazonaws.com')
    return 'ip-%s.%s' % (address.replace('.', '-'), 'ec2.internal' if lab.region == 'us-east-1'
                         else lab.region + '.compute.internal')


def association_of(lab, fields, brief):
    """Of an interface: an allocated address goes before one that EC2 gave."""
    if fields['address']:
        address = lab.things['address'][fields['address']].at(time.time())
        shown = {'PublicIp': address['PublicIp'], 'IpOwnerId': lab.account}
        if not brief:
            shown.update(AllocationId=address['id'], AssociationId=address['association'])
    elif fields['public']:
        shown = {'PublicIp': fields['public'], 'IpOwnerId': 'amazon'}
    else:
        return None
    return dict(shown, PublicDnsName=dns_of(lab, shown['PublicIp'], True))


def show_parts(lab, fields, brief):
    """What Describe of machines and of interfaces have in common."""
    association, private = association_of(lab, fields, brief), fields['PrivateIpAddress']
    dns = dns_of(lab, private)
    return {'NetworkInterfaceId': fields['id'], 'SubnetId': fields['SubnetId'],
            'VpcId': fields['VpcId'], 'OwnerId': lab.account, 'Description': fields['Description'],
            'Groups': names_of(lab, fields['groups']), 'MacAddress': fields['mac'],
            'PrivateIpAddress': private, 'PrivateDnsName': dns, 'SourceDestCheck': True,
            'Status': 'in-use' if fields['attachment'] else 'available', 'InterfaceType': 'interface',
            'Association': association, 'Ipv6Addresses': [],
            'PrivateIpAddresses': [{'Primary': True, 'PrivateIpAddress': private,
                                    'PrivateDnsName': dns, 'Association': association}]}


def attachment_of(lab, fields):
    each = fields['attachment']
    return {'AttachmentId': each['id'], 'AttachTime': lab.shown(each['time']), 'NetworkCardIndex': 0,
            'DeleteOnTermination': each['delete'], 'DeviceIndex': each['index'],
            'Status': 'attached'}


def show_interface(lab, thing, fields):
    shown = dict(show_parts(lab, fields, False), AvailabilityZone=fields['zone'],
                 RequesterManaged=False, TagSet=tag_set(fields['tags']))
    if fields['attachment']:
        shown['Attachment'] = dict(attachment_of(lab, fields), InstanceOwnerId=lab.account,
                                   InstanceId=fields['used_by'])
    return shown


action('DescribeNetworkInterfaces')(Listing(
    'interface', 'NetworkInterfaceIds', 'NetworkInterfaces', show_interface, {
        'network-interface-id': 'NetworkInterfaceId', 'subnet-id': 'SubnetId', 'vpc-id': 'VpcId',
        'availability-zone': 'AvailabilityZone', 'description': 'Description', 'status': 'Status',
        'group-id': 'Groups.GroupId', 'group-name': 'Groups.GroupName', 'mac-address': 'MacAddress',
        'owner-id': 'OwnerId', 'private-dns-name': 'PrivateDnsName',
        'private-ip-address': 'PrivateIpAddress', 'interface-type': 'InterfaceType',
        'addresses.private-ip-address': 'PrivateIpAddresses.PrivateIpAddress',
        'addresses.primary': 'PrivateIpAddresses.Primary',
        'addresses.association.public-ip': 'PrivateIpAddresses.Association.PublicIp',
        'association.allocation-id': 'Association.AllocationId',
        'association.association-id': 'Association.AssociationId',
        'association.ip-owner-id': 'Association.IpOwnerId',
        'association.public-ip': 'Association.PublicIp',
        'attachment.attachment-id': 'Attachment.AttachmentId',
        'attachment.delete-on-termination': 'Attachment.DeleteOnTermination',
        'attachment.device-index': 'Attachment.DeviceIndex',
        'attachment.instance-id': 'Attachment.InstanceId',
        'attachment.instance-owner-id': 'Attachment.InstanceOwnerId',
        'attachment.status': 'Attachment.Status', 'requester-managed': 'RequesterManaged',
        'source-dest-check': 'SourceDestCheck'}))


def groups_for(lab, ids, vpc):
    """Ids of security groups of this network; its default one where none is wanted."""
    if not ids:
        return [each.base['id'] for each in lab.alive('group')
                if each.base['VpcId'] == vpc and each.base['GroupName'] == 'default'][:1]
    for each in need_all(lab, 'group', ids):
        if each.base['VpcId'] != vpc:
            raise Refused('InvalidParameter', 'Security group %s and the subnet belong to different '
                          'networks.' % each.base['id'])
    return list(dict.fromkeys(ids))


def check_private(lab, subnet, address):
    """That it may be given to a new interface."""
    if address is None:
        return
    try:
        inside = ipaddress.ip_address(address) in ipaddress.ip_network(subnet['CidrBlock'])
    except ValueError:
        raise Refused('InvalidParameterValue', 'Value (%s) for parameter address is invalid. Invalid '
                      'IPv4 address.' % address) from None
    if not inside:
        raise Refused('InvalidParameterValue', 'Address does not fall within the subnet\'s address '
                      'range')
    if any(each.base['PrivateIpAddress'] == address and each.base['SubnetId'] == subnet['id']
           for each in lab.alive('interface')):
        raise Refused('InvalidIPAddress.InUse', 'Address %s is in use.' % address)


def make_interface(lab, subnet, groups, tags, address=None, words=''):
    taken = {each.base['PrivateIpAddress'] for each in lab.alive('interface')}
    address = address or lab.new_private(subnet)
    while address in taken:
        address = lab.new_private(subnet)
    if address is None:
        raise Refused('InsufficientFreeAddressesInSubnet', 'Not enough free addresses in subnet %s'
                      % subnet['id'])
    return lab.add('interface', {
        'id': lab.new_id('eni'), 'SubnetId': subnet['id'], 'VpcId': subnet['VpcId'],
        'zone': subnet['zone'], 'Description': words, 'groups': groups, 'PrivateIpAddress': address,
        'mac': '02:' + ':'.join('%02x' % int(part) for part in ('1.' + address).split('.')),
        'attachment': None, 'used_by': '', 'public': None, 'wants_public': False, 'address': None,
        'tags': tags})


@action('CreateNetworkInterface')
def create_interface(lab, p):
    token = p.get('ClientToken')
    asked = {key: value for key, value in p.items() if key not in ('DryRun', 'ClientToken')}
    before = lab.orders.get(('interface', token)) if token else None
    if before:
        if before[0] != asked:
            raise Refused('IdempotentParameterMismatch', 'Arguments on this idempotent request are '
                          'inconsistent with arguments used in previous request(s).')
        thing = lab.things['interface'][before[1]]
    else:
        subnet = need(lab, 'subnet', p['SubnetId']).base
        groups = groups_for(lab, p.get('Groups'), subnet['VpcId'])
        check_private(lab, subnet, p.get('PrivateIpAddress'))
        tags, = tags_of(p, 'network-interface')
        would(p)
        thing = make_interface(lab, subnet, groups, tags, p.get('PrivateIpAddress'),
                               p.get('Description', ''))
        if token:
            lab.orders['interface', token] = asked, thing.base['id']
    fields = thing.at(time.time())
    # The model has no such state, and EC2 says it.
    return {'NetworkInterface': dict(show_interface(lab, thing, fields), Status=Unchecked('pending')),
            'ClientToken': token}


@action('ModifyNetworkInterfaceAttribute')
def modify_interface(lab, p):
    thing, now = need(lab, 'interface', p['NetworkInterfaceId']), time.time()
    fields, changes = thing.at(now), {}
    if 'Groups' in p:
        changes['groups'] = groups_for(lab, p['Groups'], fields['VpcId'])
    if 'Description' in p:
        changes['Description'] = p['Description'].get('Value', '')
    if 'Attachment' in p:
        wanted, has = p['Attachment'], fields['attachment']
        if not has or wanted.get('AttachmentId') != has['id']:
            raise Refused('InvalidAttachmentID.NotFound', "The attachment '%s' does not exist."
                          % wanted.get('AttachmentId'))
        changes['attachment'] = dict(has, delete=wanted.get('DeleteOnTermination', has['delete']))
    would(p)
    thing.change(now, **changes)


@action('DeleteNetworkInterface')
def delete_interface(lab, p):
    thing = need(lab, 'interface', p['NetworkInterfaceId'])
    fields = thing.at(time.time())
    if fields['attachment']:
        raise Refused('InvalidParameterValue', "Network interface '%s' is currently in use."
                      % fields['id'])
    would(p)
    free_address(lab, fields)
    lab.remove(thing)


def free_address(lab, fields):
    """What an interface that goes had of allocated addresses."""
    if fields['address']:
        lab.things['address'][fields['address']].change(
            time.time(), association=None, interface=None, used_by='')
