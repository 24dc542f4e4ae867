"""Virtual networks with their subnets, and network security groups."""

import ipaddress
import time
import uuid

import arm_operations
from arm_answers import Refused, dict_of, page
from arm_groups import PAGE, living_group, location_in, same_place, tags_of
from arm_lab import TYPES
from arm_routes import GROUP, NETWORK, route

VNETS, NSGS = NETWORK + '/virtualnetworks', NETWORK + '/networksecuritygroups'


def bad_reference(id, by):
    return Refused(400, 'InvalidResourceReference', 'Resource %s referenced by resource %s was not '
                   'found. Please make sure that the referenced resource exists, and that both '
                   'resources are in the same region.' % (id, by), details=[])


def referred(lab, holder, name, kind, by):
    """The thing that {"id": ..} under this name refers to, or None."""
    reference = dict_of(holder, name)
    if not reference:
        return None
    thing = lab.by_id(reference.get('id'), kind)
    if thing is None or thing.gone is not None:
        raise bad_reference(reference.get('id'), by)
    return thing


def quoted(etag):
    return 'W/"%s"' % etag


def begin(lab, call, location, seconds, how=('status',)):
    now = time.time()
    return arm_operations.begin(lab, call, arm_operations.Operation(
        'network', now, now + seconds, last_status=204), location, how)


def write(lab, call, kind, group, name, fields, show, seconds):
    """The end of a PUT: what is new is made, what is there is changed; it settles after so long."""
    thing, now = lab.look(kind, group, name), time.time()
    if thing is None:
        fields['state'] = 'Updating' if seconds else 'Succeeded'
        thing = lab.add(kind, living_group(lab, group), name, fields)
        status = 201
    else:
        if thing.gone is not None:
            raise Refused(409, 'AnotherOperationInProgress', 'Another operation on this or dependent '
                          'resource is in progress.', details=[])
        same_place(thing, fields['location'])
        thing.change(now, etag=str(uuid.uuid4()), **fields)
        status = 200
    if status == 201 and seconds:
        thing.change(now + seconds, state='Succeeded', etag=str(uuid.uuid4()))
    return thing, (status, show(lab, thing.at(now)), begin(lab, call, fields['location'], seconds))


def delete(lab, call, thing):
    """202, and gone after a while."""
    now = time.time()
    if thing.gone is None:
        thing.change(now, state='Deleting')
        lab.remove(thing, now + lab.pace)
    return 202, None, begin(lab, call, thing.base['location'], thing.gone - now,
                            ('status', 'location'))


def plain(kind, show, path):
    """The reads that all kinds have, and the change of tags."""
    @route('GET', path, 'network')
    def list_all(lab, call):
        return page(lab, call, [show(lab, each) for each in lab.listed(kind)], PAGE)

    @route('GET', GROUP + path, 'network')
    def list_group(lab, call, group):
        return page(lab, call, [show(lab, each) for each in lab.listed(kind, group)], PAGE)

    @route('GET', GROUP + path + '/{}', 'network')
    def get(lab, call, group, name):
        fields = lab.need(kind, group, name).at(time.time())
        return 200, show(lab, fields), [('ETag', quoted(fields['etag']))]

    @route('PATCH', GROUP + path + '/{}', 'network')
    def patch(lab, call, group, name):
        thing = lab.need(kind, group, name)
        thing.change(time.time(), tags=tags_of(call.body()), etag=str(uuid.uuid4()))
        return 200, show(lab, thing.at(time.time()))


def shown_base(fields, type, properties):
    return {'name': fields['name'], 'id': fields['arm'], 'etag': quoted(fields['etag']),
            'location': fields['location'], 'tags': fields['tags'], 'type': type,
            'properties': dict(properties, provisioningState=fields['state'],
                               resourceGuid=fields['id'])}


# ---- Virtual networks ----

def configs_in(lab, subnet_id):
    """Ids of the IP configurations of interfaces in a subnet."""
    now = time.time()
    return [config['id'] for nic in lab.alive('nic') for config in nic.at(now)['configs']
            if config['subnet'].lower() == subnet_id.lower()]


def shown_subnet(lab, fields, subnet, with_configs=True):
    id = '%s/subnets/%s' % (fields['arm'], subnet['name'])
    found = {'name': subnet['name'], 'id': id, 'etag': quoted(subnet['etag']), 'properties': {
        'provisioningState': fields['state'], 'addressPrefix': subnet['prefix'], 'delegations': [],
        'privateEndpointNetworkPolicies': 'Enabled',
        'privateLinkServiceNetworkPolicies': 'Enabled'},
        'type': 'Microsoft.Network/virtualNetworks/subnets'}
    if subnet['nsg']:
        found['properties']['networkSecurityGroup'] = {'id': subnet['nsg']}
    configs = configs_in(lab, id) if with_configs else ()
    if configs:
        found['properties']['ipConfigurations'] = [{'id': each} for each in configs]
    return found


def shown_vnet(lab, fields):
    return shown_base(fields, TYPES['vnet'], {
        'addressSpace': {'addressPrefixes': fields['prefixes']}, 'virtualNetworkPeerings': [],
        'subnets': [shown_subnet(lab, fields, each) for each in fields['subnets']],
        'enableDdosProtection': False,
        **({'dhcpOptions': {'dnsServers': fields['dns']}} if fields.get('dns') else {})})


plain('vnet', shown_vnet, VNETS)


def read_prefix(text, where):
    try:
        return ipaddress.ip_network(text)
    except ValueError:
        raise Refused(400, 'InvalidAddressPrefixFormat', 'Address prefix %s of resource %s is not '
                      'formatted correctly.' % (text, where), details=[]) from None


def read_subnet(lab, id, body, spaces):
    properties, name = dict_of(body, 'properties'), body.get('name')
    prefix = properties.get('addressPrefix') or next(iter(properties.get('addressPrefixes', [])), '')
    network = read_prefix(prefix, id)
    if not any(network.version == space.version and network.subnet_of(space) for space in spaces):
        raise Refused(400, 'NetcfgInvalidSubnet', "Subnet '%s' is not valid in virtual network."
                      % name, details=[])
    nsg = referred(lab, properties, 'networkSecurityGroup', 'nsg', id)
    return {'name': name, 'prefix': prefix, 'etag': str(uuid.uuid4()),
            'nsg': nsg.base['arm'] if nsg else None}


@route('PUT', GROUP + VNETS + '/{}', 'network')
def put_vnet(lab, call, group, name):
    body, id = call.body(), lab.id_of('vnet', group, name)
    location, properties = location_in(body), dict_of(body, 'properties')
    prefixes = dict_of(dict_of(properties, 'addressSpace'), 'addressPrefixes', list)
    spaces = [read_prefix(each, id) for each in prefixes]
    subnets = [read_subnet(lab, id, each, spaces) for each in dict_of(properties, 'subnets', list)]
    names = {each['name'].lower() for each in subnets}
    there = lab.look('vnet', group, name)
    for subnet in there.at(time.time())['subnets'] if there else ():
        if subnet['name'].lower() not in names:
            check_empty(lab, there, subnet)
    return write(lab, call, 'vnet', group, name, {
        'location': location, 'tags': tags_of(body), 'prefixes': prefixes, 'subnets': subnets,
        'dns': dict_of(dict_of(properties, 'dhcpOptions'), 'dnsServers', list)},
        shown_vnet, lab.pace)[1]


def check_empty(lab, vnet, subnet):
    id = '%s/subnets/%s' % (vnet.base['arm'], subnet['name'])
    configs = configs_in(lab, id)
    if configs:
        raise Refused(400, 'InUseSubnetCannotBeDeleted', 'Subnet %s is in use by %s and cannot be '
                      'deleted. In order to delete the subnet, delete all the resources within the '
                      'subnet. See aka.ms/deletesubnet.' % (subnet['name'], configs[0]), details=[])


@route('DELETE', GROUP + VNETS + '/{}', 'network')
def delete_vnet(lab, call, group, name):
    vnet = lab.look('vnet', group, name)
    if vnet is None:
        return 204, None
    for subnet in vnet.at(time.time())['subnets']:
        check_empty(lab, vnet, subnet)
    return delete(lab, call, vnet)


def subnet_named(vnet, name):
    found = next((each for each in vnet.at(time.time())['subnets']
                  if each['name'].lower() == name.lower()), None)
    if found is None:
        raise Refused(404, 'NotFound', "Resource %s/subnets/%s not found."
                      % (vnet.base['arm'], name), details=[])
    return found


@route('GET', GROUP + VNETS + '/{}/subnets', 'network')
def list_subnets(lab, call, group, vnet):
    fields = lab.need('vnet', group, vnet).at(time.time())
    return page(lab, call, [shown_subnet(lab, fields, each) for each in fields['subnets']], PAGE)


@route('GET', GROUP + VNETS + '/{}/subnets/{}', 'network')
def get_subnet(lab, call, group, vnet, name):
    thing = lab.need('vnet', group, vnet)
    return 200, shown_subnet(lab, thing.at(time.time()), subnet_named(thing, name))


# ---- Network security groups ----

DEFAULTS = [('AllowVnetInBound', 65000, 'Allow', 'Inbound', 'VirtualNetwork', 'VirtualNetwork'),
            ('DenyAllInBound', 65500, 'Deny', 'Inbound', '*', '*'),
            ('AllowInternetOutBound', 65001, 'Allow', 'Outbound', '*', 'Internet')]


def shown_rule(fields, place, name, properties):
    return {'name': name, 'id': '%s/%s/%s' % (fields['arm'], place, name),
            'etag': quoted(fields['etag']),
            'type': 'Microsoft.Network/networkSecurityGroups/' + place,
            'properties': dict(properties, provisioningState='Succeeded')}


def shown_nsg(lab, fields):
    now = time.time()
    properties = {
        'securityRules': [shown_rule(fields, 'securityRules', rule['name'], rule['properties'])
                          for rule in fields['rules']],
        'defaultSecurityRules': [shown_rule(fields, 'defaultSecurityRules', name, {
            'protocol': '*', 'sourcePortRange': '*', 'destinationPortRange': '*',
            'sourceAddressPrefix': source, 'destinationAddressPrefix': destination,
            'access': access, 'priority': priority, 'direction': direction})
            for name, priority, access, direction, source, destination in DEFAULTS]}
    nics = [{'id': nic.base['arm']} for nic in lab.alive('nic')
            if nic.at(now)['nsg'] == fields['arm']]
    if nics:
        properties['networkInterfaces'] = nics
    return shown_base(fields, TYPES['nsg'], properties)


plain('nsg', shown_nsg, NSGS)


@route('PUT', GROUP + NSGS + '/{}', 'network')
def put_nsg(lab, call, group, name):
    body = call.body()
    rules = dict_of(dict_of(body, 'properties'), 'securityRules', list)
    for rule in rules:
        properties = dict_of(rule, 'properties')
        for member in 'protocol', 'access', 'direction', 'priority':
            if not properties.get(member):
                raise Refused(400, 'SecurityRuleParameterNotSpecified', 'Required security rule '
                              'parameter %s is not specified.' % member, details=[])
    return write(lab, call, 'nsg', group, name, {
        'location': location_in(body), 'tags': tags_of(body),
        'rules': [{'name': each['name'], 'properties': each['properties']} for each in rules]},
        shown_nsg, lab.pace)[1]


@route('DELETE', GROUP + NSGS + '/{}', 'network')
def delete_nsg(lab, call, group, name):
    nsg, now = lab.look('nsg', group, name), time.time()
    if nsg is None:
        return 204, None
    users = [nic.base['arm'] for nic in lab.alive('nic') if nic.at(now)['nsg'] == nsg.base['arm']]
    users += ['%s/subnets/%s' % (vnet.base['arm'], subnet['name']) for vnet in lab.alive('vnet')
              for subnet in vnet.at(now)['subnets'] if subnet['nsg'] == nsg.base['arm']]
    if users:
        raise Refused(400, 'InUseNetworkSecurityGroupCannotBeDeleted', 'Network security group %s '
                      'cannot be deleted because it is in use by the following resources: %s. In '
                      'order to delete the Network security group, remove the association with the '
                      'resource(s).' % (nsg.base['arm'], users[0]), details=[])
    return delete(lab, call, nsg)
