"""Network interfaces and public addresses."""

import ipaddress
import time

from arm_answers import Refused, dict_of
from arm_groups import location_in, tags_of
from arm_lab import TYPES
from arm_network import (bad_reference, delete, plain, referred, shown_base, subnet_named, write)
from arm_routes import GROUP, NETWORK, route

IPS, NICS = NETWORK + '/publicipaddresses', NETWORK + '/networkinterfaces'


# ---- Public addresses ----

def shown_ip(lab, fields):
    properties = {'publicIPAddressVersion': fields['version'], 'ipTags': [],
                  'publicIPAllocationMethod': fields['allocation'], 'idleTimeoutInMinutes': 4}
    if fields['address']:
        properties['ipAddress'] = fields['address']
    if fields['used_by']:
        properties['ipConfiguration'] = {'id': fields['used_by']}
    if fields['delete_option']:
        properties['deleteOption'] = fields['delete_option']
    if fields['dns']:
        properties['dnsSettings'] = fields['dns']
    found = dict(shown_base(fields, TYPES['ip'], properties),
                 sku={'name': fields['sku'], 'tier': 'Regional'})
    if fields['zones']:
        found['zones'] = fields['zones']
    return found


plain('ip', shown_ip, IPS)


def new_public(lab):
    lab.next_public += 1
    return '20.%d.%d.%d' % (lab.next_public >> 16 & 255, lab.next_public >> 8 & 255,
                            lab.next_public & 255)


@route('PUT', GROUP + IPS + '/{}', 'network')
def put_ip(lab, call, group, name):
    body = call.body()
    properties, sku = dict_of(body, 'properties'), dict_of(body, 'sku').get('name', 'Basic')
    allocation = properties.get('publicIPAllocationMethod', 'Dynamic')
    if sku == 'Standard' and allocation != 'Static':
        raise Refused(400, 'StandardSkuPublicIPAddressesMustBeStatic', 'Standard sku publicIp %s '
                      'must have AllocationMethod set to Static.'
                      % lab.id_of('ip', group, name), details=[])
    fields = {'location': location_in(body), 'tags': tags_of(body), 'sku': sku,
              'allocation': allocation, 'zones': dict_of(body, 'zones', list),
              'version': properties.get('publicIPAddressVersion', 'IPv4'),
              'delete_option': properties.get('deleteOption'),
              'dns': dict_of(properties, 'dnsSettings')}
    there = lab.look('ip', group, name)
    if there is None:
        if len(lab.alive('ip')) >= lab.addresses:
            raise Refused(400, 'PublicIPCountLimitReached', 'Cannot create more than %d public IP '
                          'addresses for this subscription in this region.' % lab.addresses,
                          details=[])
        fields.update(used_by='', address=new_public(lab) if allocation == 'Static' else '')
    else:
        for each in 'sku', 'version', 'zones':
            if there.at(time.time())[each] != fields[each]:
                raise Refused(400, 'PropertyChangeNotAllowed', "Changing property '%s' of public IP "
                              'address %s is not allowed.' % (each, there.base['arm']), details=[])
    return write(lab, call, 'ip', group, name, fields, shown_ip, lab.pace)[1]


@route('DELETE', GROUP + IPS + '/{}', 'network')
def delete_ip(lab, call, group, name):
    ip = lab.look('ip', group, name)
    if ip is None:
        return 204, None
    user = ip.at(time.time())['used_by']
    if user:
        raise Refused(400, 'PublicIPAddressCannotBeDeleted', 'Public IP address %s can not be deleted '
                      'since it is still allocated to resource %s. In order to delete the public IP, '
                      'disassociate/detach the Public IP address from the resource.'
                      % (ip.base['arm'], user), details=[])
    return delete(lab, call, ip)


# ---- Network interfaces ----

def shown_nic(lab, fields):
    configs = [{
        'name': config['name'], 'id': config['id'], 'etag': 'W/"%s"' % fields['etag'],
        'type': TYPES['nic'] + '/ipConfigurations', 'properties': {
            'provisioningState': 'Succeeded', 'privateIPAddress': config['private'],
            'privateIPAllocationMethod': config['method'], 'subnet': {'id': config['subnet']},
            'primary': config['primary'], 'privateIPAddressVersion': 'IPv4',
            **({'publicIPAddress': {'id': config['public']}} if config['public'] else {})}}
        for config in fields['configs']]
    properties = {'ipConfigurations': configs, 'dnsSettings': {
        'dnsServers': [], 'appliedDnsServers': []}, 'tapConfigurations': [], 'hostedWorkloads': [],
        'enableAcceleratedNetworking': fields['accelerated'], 'nicType': 'Standard',
        'enableIPForwarding': fields['forwarding']}
    if fields['nsg']:
        properties['networkSecurityGroup'] = {'id': fields['nsg']}
    if fields['used_by']:
        properties['virtualMachine'] = {'id': fields['used_by']}
        properties['primary'] = True
        properties['macAddress'] = fields['mac']
    return shown_base(fields, TYPES['nic'], properties)


plain('nic', shown_nic, NICS)


def subnet_of(lab, id, by, location):
    """The subnet's fields and its whole id."""
    vnet_id, _, name = str(id).rpartition('/subnets/')
    vnet = lab.by_id(vnet_id, 'vnet')
    if vnet is None or vnet.gone is not None or vnet.base['location'] != location:
        raise bad_reference(id, by)
    try:
        subnet = subnet_named(vnet, name)
    except Refused:
        raise bad_reference(id, by) from None
    return subnet, '%s/subnets/%s' % (vnet.base['arm'], subnet['name'])


def new_private(lab, id, subnet):
    net = ipaddress.ip_network(subnet['prefix'])
    n = lab.next_private[id] = lab.next_private.get(id, 3) + 1
    if n >= net.num_addresses - 1:
        raise Refused(400, 'SubnetIsFull', 'Subnet %s with address prefix %s does not have enough '
                      'capacity for 1 IP addresses.' % (subnet['name'], subnet['prefix']), details=[])
    return str(net[n])


def read_config(lab, nic_id, body, old, location):
    """`old`: the configurations that there are, by name."""
    properties, name = dict_of(body, 'properties'), body.get('name')
    if not name:
        raise Refused(400, 'InvalidRequestFormat', 'Cannot parse the request: an IP configuration '
                      'has no name.', details=[], breach=True)
    id = '%s/ipConfigurations/%s' % (nic_id, name)
    subnet, subnet_id = subnet_of(lab, dict_of(properties, 'subnet').get('id'), id,
                                  location)
    public = referred(lab, properties, 'publicIPAddress', 'ip', id)
    if public is not None:
        user = public.at(time.time())['used_by']
        if user and user.lower() != id.lower():
            raise Refused(400, 'PublicIPAddressInUse', 'Resource %s is referencing public IP address '
                          '%s that is already allocated to resource %s.'
                          % (id, public.base['arm'], user), details=[])
    there = old.get(name.lower())
    same = there and there['subnet'] == subnet_id
    return {'name': name, 'id': id, 'subnet': subnet_id, 'primary': True, 'public_thing': public,
            'public': public.base['arm'] if public else None,
            'delete_option': dict_of(dict_of(properties, 'publicIPAddress'),
                                     'properties').get('deleteOption'),
            'method': properties.get('privateIPAllocationMethod', 'Dynamic'),
            'private': properties.get('privateIPAddress') or
            (there['private'] if same else new_private(lab, subnet_id, subnet))}


def bind_addresses(lab, configs, old):
    """Public addresses know who uses them."""
    now = time.time()
    kept = {config['public'] for config in configs}
    for config in old:
        if config['public'] and config['public'] not in kept:
            let_address_go(lab, config['public'], now)
    for config in configs:
        public, option = config.pop('public_thing'), config.pop('delete_option')
        if public is not None:
            fields = public.at(now)
            public.change(now, used_by=config['id'], address=fields['address'] or new_public(lab),
                          delete_option=option or fields['delete_option'])


def let_address_go(lab, id, now):
    ip = lab.by_id(id, 'ip')
    if ip is not None:
        ip.change(now, used_by='', **({'address': ''} if ip.base['allocation'] == 'Dynamic' else {}))


def let_addresses_go(lab, configs, at):
    for config in configs:
        if config['public']:
            let_address_go(lab, config['public'], at)


@route('PUT', GROUP + NICS + '/{}', 'network')
def put_nic(lab, call, group, name):
    body, there = call.body(), lab.look('nic', group, name)
    properties = dict_of(body, 'properties')
    id = there.base['arm'] if there else lab.id_of('nic', lab.need_group(group).base['name'], name)
    old = there.at(time.time())['configs'] if there else []
    bodies = dict_of(properties, 'ipConfigurations', list)
    if not bodies:
        raise Refused(400, 'NetworkInterfaceMustHaveAtLeastOneIpConfiguration', 'Network interface %s '
                      'must have at least one IP configuration.' % id, details=[])
    nsg = referred(lab, properties, 'networkSecurityGroup', 'nsg', id)
    location = location_in(body)
    configs = [read_config(lab, id, each, {one['name'].lower(): one for one in old}, location)
               for each in bodies]
    for n, config in enumerate(configs):
        config['primary'] = n == 0
    fields = {'location': location, 'tags': tags_of(body), 'configs': configs,
              'nsg': nsg.base['arm'] if nsg else None,
              'accelerated': bool(properties.get('enableAcceleratedNetworking')),
              'forwarding': bool(properties.get('enableIPForwarding'))}
    if there is None:
        mac = '00-0D-3A-%02X-%02X-%02X' % tuple(
            int(part) for part in configs[0]['private'].split('.')[1:])
        fields.update(used_by='', mac=mac)
    thing, answer = write(lab, call, 'nic', group, name, fields, shown_nic, 0)
    bind_addresses(lab, configs, old)
    return answer


@route('DELETE', GROUP + NICS + '/{}', 'network')
def delete_nic(lab, call, group, name):
    nic, now = lab.look('nic', group, name), time.time()
    if nic is None:
        return 204, None
    fields = nic.at(now)
    if fields['used_by']:
        raise Refused(400, 'NicInUse', 'Network Interface %s is used by existing resource %s. In order '
                      'to delete the network interface, it must be dissociated from the resource. To '
                      'learn more, see aka.ms/deletenic.' % (nic.base['arm'], fields['used_by']),
                      details=[])
    answer = delete(lab, call, nic)
    lab.plan(nic.gone, lambda: let_addresses_go(lab, fields['configs'], nic.gone))
    return answer
