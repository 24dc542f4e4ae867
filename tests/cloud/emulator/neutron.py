"""Neutron: networks, groups, ports, floating IPs."""

import time

from answers import Refused, collection, filtered, neutron_fault, one_of
from things import (GROUP, GROUPS, NETWORK, NETWORKS, OUTSIDE, PROJECT, SUBNET, SUBNETS, marked,
                    stamp)

FIXED = {'networks': ('network', NETWORKS), 'subnets': ('subnet', SUBNETS),
         'security-groups': ('security_group', GROUPS)}
FILTERS = ('id', 'name', 'project_id', 'tenant_id', 'network_id', 'router:external', 'shared',
           'description', 'device_id', 'device_owner', 'status', 'port_id', 'floating_ip_address',
           'floating_network_id')
MADE = {'ports': ('port', 'port', 'PortNotFound'),
        'floatingips': ('fip', 'floatingip', 'FloatingIPNotFound')}


def versions(lab, request):
    return 200, {'versions': [{'id': 'v2.0', 'status': 'CURRENT', 'links': [
        {'rel': 'self', 'href': lab.url + '/network/v2.0/'}]}]}


def list_fixed(lab, request, kind):
    return collection(request, kind.replace('-', '_'), filtered(request, FIXED[kind][1], FILTERS))


def show_fixed(lab, request, kind, id):
    key, things = FIXED[kind]
    thing = one_of(things, id)
    if not thing:
        raise Refused(404, neutron_fault('NotFound', '%s %s could not be found' % (key, id)))
    return 200, {key: thing}


def list_made(lab, request, kind):
    return collection(request, kind, filtered(request, lab.list(MADE[kind][0]), FILTERS))


def find(lab, kind, id):
    thing = lab.get(MADE[kind][0], id)
    if not thing:
        raise Refused(404, neutron_fault(MADE[kind][2], '%s %s could not be found'
                                         % (MADE[kind][1], id)))
    return thing


def show_made(lab, request, kind, id):
    return 200, {MADE[kind][1]: find(lab, kind, id).at(time.time())}


def delete_made(lab, request, kind, id):
    thing, now = find(lab, kind, id), time.time()
    lab.remove(thing)
    for fip in lab.things['fip'].values():
        if fip.alive(now) and fip.at(now)['port_id'] == id:
            fip.change(now, port_id=None, fixed_ip_address=None, status='DOWN')
    return 204, None


def make_port(lab, wanted, device_id='', shown_after=0.0):
    """Where Nova makes it, it is in use from the beginning."""
    if wanted.get('network_id') not in (NETWORK, OUTSIDE):
        raise Refused(404, neutron_fault('NetworkNotFound', 'Network %s could not be found.'
                                         % wanted.get('network_id')))
    address, now = lab.new_address(), stamp(time.time())
    fields = {
        'id': lab.new_id(), 'name': wanted.get('name', ''), 'admin_state_up': True,
        'description': wanted.get('description', ''), 'network_id': wanted['network_id'],
        'project_id': PROJECT, 'tenant_id': PROJECT, 'device_id': device_id,
        'device_owner': 'compute:nova' if device_id else '',
        'status': 'ACTIVE' if device_id else 'DOWN',
        'mac_address': 'fa:16:' + ':'.join('%02x' % int(part) for part in address.split('.')),
        'fixed_ips': [{'subnet_id': SUBNET, 'ip_address': address}],
        'security_groups': wanted.get('security_groups', [GROUP]), 'tags': [],
        'created_at': now, 'updated_at': now, 'revision_number': 1}
    return lab.make('port', fields, marked(fields['name']), shown_after)


def post_port(lab, request):
    port = make_port(lab, request.json()['port'], shown_after=lab.shown_after('port'))
    return 201, {'port': port.base}


def post_fip(lab, request):
    wanted, now = request.json()['floatingip'], stamp(time.time())
    port = lab.get('port', wanted['port_id']) if wanted.get('port_id') else None
    if wanted.get('port_id') and not port:
        raise Refused(404, neutron_fault('PortNotFound', 'Port %s could not be found.'
                                         % wanted['port_id']))
    fields = {
        'id': lab.new_id(), 'floating_ip_address': lab.new_address(), 'project_id': PROJECT,
        'tenant_id': PROJECT, 'floating_network_id': wanted['floating_network_id'],
        'description': wanted.get('description', ''), 'port_id': wanted.get('port_id'),
        'fixed_ip_address': port.base['fixed_ips'][0]['ip_address'] if port else None,
        'router_id': None, 'status': 'ACTIVE' if port else 'DOWN', 'tags': [],
        'created_at': now, 'updated_at': now, 'revision_number': 1}
    lab.make('fip', fields, marked(fields['description']), lab.shown_after('fip'))
    return 201, {'floatingip': fields}


def put_fip(lab, request, id):
    fip, now = find(lab, 'floatingips', id), time.time()
    port_id = request.json()['floatingip'].get('port_id')
    fip.change(now, port_id=port_id, status='ACTIVE' if port_id else 'DOWN',
               revision_number=fip.at(now)['revision_number'] + 1)
    return 200, {'floatingip': fip.at(now)}


def quota(lab, request, project):
    return 200, {'quota': {'network': -1, 'subnet': -1, 'port': -1, 'floatingip': -1,
                           'security_group': -1, 'security_group_rule': -1, 'router': -1}}


def extensions(lab, request):
    return 200, {'extensions': []}


ROUTES = [
    ('GET', r'/network/?', versions),
    ('GET', r'/network/v2\.0/extensions', extensions),
    ('GET', r'/network/v2\.0/(networks|subnets|security-groups)', list_fixed),
    ('GET', r'/network/v2\.0/(networks|subnets|security-groups)/([^/]+)', show_fixed),
    ('GET', r'/network/v2\.0/(ports|floatingips)', list_made),
    ('GET', r'/network/v2\.0/(ports|floatingips)/([^/]+)', show_made),
    ('DELETE', r'/network/v2\.0/(ports|floatingips)/([^/]+)', delete_made),
    ('POST', r'/network/v2\.0/ports', post_port),
    ('POST', r'/network/v2\.0/floatingips', post_fip),
    ('PUT', r'/network/v2\.0/floatingips/([^/]+)', put_fip),
    ('GET', r'/network/v2\.0/quotas/([^/]+)', quota),
]
