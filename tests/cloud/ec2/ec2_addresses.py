"""Allocated (elastic) addresses."""

import time

from ec2_actions import Listing, action, check_form, need, tag_set, tags_of, would
from ec2_model import Refused
from ec2_network import free_address


def show_address(lab, thing, fields):
    shown = {'AllocationId': fields['id'], 'PublicIp': fields['PublicIp'], 'Domain': 'vpc',
             'PublicIpv4Pool': 'amazon', 'NetworkBorderGroup': lab.region}
    if fields['tags']:
        shown['Tags'] = tag_set(fields['tags'])
    if fields['association']:
        interface = lab.things['interface'][fields['interface']].at(time.time())
        shown.update(AssociationId=fields['association'], NetworkInterfaceId=fields['interface'],
                     NetworkInterfaceOwnerId=lab.account, InstanceId=interface['used_by'] or None,
                     PrivateIpAddress=interface['PrivateIpAddress'])
    return shown


ADDRESSES = Listing('address', 'AllocationIds', 'Addresses', show_address, {
    'allocation-id': 'AllocationId', 'association-id': 'AssociationId', 'domain': 'Domain',
    'instance-id': 'InstanceId', 'network-border-group': 'NetworkBorderGroup',
    'network-interface-id': 'NetworkInterfaceId', 'private-ip-address': 'PrivateIpAddress',
    'network-interface-owner-id': 'NetworkInterfaceOwnerId', 'public-ip': 'PublicIp'})


def by_public(lab, text):
    """The allocated address; the network interface's own is none."""
    for each in lab.alive('address'):
        if each.base['PublicIp'] == text:
            return each
    raise Refused('InvalidAddress.NotFound', "Address '%s' not found." % text)


@action('DescribeAddresses')
def describe_addresses(lab, p):
    """The one list that has no pages."""
    ids = [by_public(lab, each).base['id'] for each in p.get('PublicIps', ())]
    if ids:
        p = dict(p, AllocationIds=p.get('AllocationIds', []) + ids)
    size, lab.page_size = lab.page_size, 0
    try:
        return {'Addresses': ADDRESSES.items(lab, p)[0]}
    finally:
        lab.page_size = size


@action('AllocateAddress')
def allocate_address(lab, p):
    tags, = tags_of(p, 'elastic-ip')
    if len(lab.alive('address')) >= lab.addresses:
        raise Refused('AddressLimitExceeded', 'The maximum number of addresses has been reached.')
    would(p)
    thing = lab.add('address', {'id': lab.new_id('eipalloc'), 'PublicIp': lab.new_public(),
                                'association': None, 'interface': None, 'used_by': '', 'tags': tags})
    return {'PublicIp': thing.base['PublicIp'], 'AllocationId': thing.base['id'], 'Domain': 'vpc',
            'PublicIpv4Pool': 'amazon', 'NetworkBorderGroup': lab.region}


def target_interface(lab, p, now):
    """The one that an address is to go to."""
    if 'NetworkInterfaceId' in p:
        return need(lab, 'interface', p['NetworkInterfaceId'])
    if 'InstanceId' not in p:
        raise Refused('MissingParameter', 'Either instance ID or network interface id must be '
                      'specified')
    machine = need(lab, 'instance', p['InstanceId']).at(now)
    if machine['state'] not in ('running', 'stopped', 'stopping'):
        raise Refused('InvalidInstanceID', "The %s instance '%s' is not in a valid state for this "
                      'operation.' % (machine['state'], machine['id']))
    if len(machine['interfaces']) > 1:
        raise Refused('InvalidInstanceID', "There are multiple interfaces attached to instance '%s'. "
                      'Please specify an interface ID for the operation instead.' % machine['id'])
    return lab.things['interface'][machine['interfaces'][0]]


@action('AssociateAddress')
def associate_address(lab, p):
    now = time.time()
    if 'AllocationId' not in p and 'PublicIp' not in p:
        raise Refused('MissingParameter', 'Either public IP or allocation id must be specified')
    address = need(lab, 'address', p['AllocationId']) if 'AllocationId' in p else \
        by_public(lab, p['PublicIp'])
    interface = target_interface(lab, p, now)
    has, to = address.at(now), interface.at(now)
    if has['interface'] == to['id']:
        would(p)
        return {'AssociationId': has['association']}
    if has['association'] and p.get('AllowReassociation') is False:
        raise Refused('Resource.AlreadyAssociated', 'resource %s is already associated with '
                      'associate-id %s' % (has['id'], has['association']))
    would(p)
    if has['association']:
        lab.things['interface'][has['interface']].change(now, address=None)
    free_address(lab, to)
    association = lab.new_id('eipassoc')
    address.change(now, association=association, interface=to['id'], used_by=to['used_by'] or to['id'])
    interface.change(now, address=has['id'], public=None)
    lab.note('associated', 'address', has['id'], address.token)
    return {'AssociationId': association}


@action('DisassociateAddress')
def disassociate_address(lab, p):
    now = time.time()
    if 'AssociationId' in p:
        check_association(p['AssociationId'])
        found = [each for each in lab.alive('address')
                 if each.at(now)['association'] == p['AssociationId']]
        if not found:
            raise Refused('InvalidAssociationID.NotFound', "The association ID '%s' does not exist"
                          % p['AssociationId'])
    elif 'PublicIp' in p:
        found = [by_public(lab, p['PublicIp'])]
    else:
        raise Refused('MissingParameter', 'Either public IP or association id must be specified')
    would(p)
    fields = found[0].at(now)
    if fields['interface']:
        lab.things['interface'][fields['interface']].change(now, address=None)
    found[0].change(now, association=None, interface=None, used_by='')


def check_association(id):
    if not id.startswith('eipassoc-'):
        raise Refused('InvalidAssociationID.Malformed', 'Invalid id: "%s"' % id)


@action('ReleaseAddress')
def release_address(lab, p):
    if 'AllocationId' not in p:
        raise Refused('MissingParameter', 'The request must contain the parameter AllocationId')
    check_form('address', p['AllocationId'])
    thing = need(lab, 'address', p['AllocationId'])
    fields = thing.at(time.time())
    if fields['association']:
        raise Refused('InvalidIPAddress.InUse', 'The address with allocation id [%s] cannot be '
                      'released because it is in use' % fields['id'])
    would(p)
    lab.remove(thing)
