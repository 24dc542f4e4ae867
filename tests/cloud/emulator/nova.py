"""Nova: machines and keys, as far as a client of machines needs it."""

import re
import time

from answers import Refused, collection, nova_fault, one_of
from neutron import make_port
from things import FLAVORS, GROUPS, IMAGES, NETWORK, PROJECT, TOKEN_KEY, USER, marked, stamp

MICROVERSION_MAX = 93
EMBEDDED_FLAVOR, TAGS_SHOWN = 47, 26


def minor_of(request):
    version = request.headers.get('x-openstack-nova-api-version', '2.1')
    found = re.match(r'^2\.(\d+)$', version)
    return MICROVERSION_MAX if version == 'latest' else int(found.group(1)) if found else 1


def version(lab, request):
    return 200, {'version': {'id': 'v2.1', 'status': 'CURRENT', 'version': '2.93',
                             'min_version': '2.1', 'updated': '2013-07-23T11:33:21Z', 'links': [
                                 {'rel': 'self', 'href': lab.url + '/compute/v2.1/'}]}}


# ---- What it shows ----

def addresses_of(lab, server_id, now):
    """Of its ports, and of the floating IPs on them."""
    found = []
    for port in lab.things['port'].values():
        if not port.alive(now) or port.at(now)['device_id'] != server_id:
            continue
        mac, kinds = port.base['mac_address'], [('fixed', port.base['fixed_ips'][0]['ip_address'])]
        for fip in lab.things['fip'].values():
            if fip.alive(now) and fip.at(now)['port_id'] == port.base['id']:
                kinds.append(('floating', fip.base['floating_ip_address']))
        found += [{'version': 4, 'addr': address, 'OS-EXT-IPS:type': kind,
                   'OS-EXT-IPS-MAC:mac_addr': mac} for kind, address in kinds]
    return {'private': found} if found else {}


def shown(lab, fields, minor):
    server = dict(fields, addresses=addresses_of(lab, fields['id'], time.time()))
    flavor = server['flavor']
    server['flavor'] = {'id': flavor['id']} if minor < EMBEDDED_FLAVOR else {
        'original_name': flavor['name'], 'vcpus': flavor['vcpus'], 'ram': flavor['ram'],
        'disk': flavor['disk'], 'ephemeral': 0, 'swap': 0, 'extra_specs': {}}
    if minor < TAGS_SHOWN:
        del server['tags']
    return server


def list_servers(lab, request):
    found, query = lab.list('server'), request.query
    for name in query.get('name', []):
        found = [each for each in found if re.search(name, each['name'])]
    for tags in query.get('tags', []):
        found = [each for each in found if set(tags.split(',')) <= set(each['tags'])]
    for status in query.get('status', []):
        found = [each for each in found if each['status'] == status.upper()]
    minor = minor_of(request)
    detail = request.path.endswith('/detail')
    found = [shown(lab, each, minor) if detail
             else {'id': each['id'], 'name': each['name'], 'links': []} for each in found]
    return collection(request, 'servers', found)


def find(lab, id):
    thing = lab.get('server', id)
    if not thing:
        raise Refused(404, nova_fault(404, 'Instance %s could not be found.' % id))
    return thing


def show_server(lab, request, id):
    return 200, {'server': shown(lab, find(lab, id).at(time.time()), minor_of(request))}


# ---- Making one ----

def image_of(wanted):
    disks = wanted.get('block_device_mapping_v2') or []
    id = wanted.get('imageRef') or (disks[0].get('uuid') if disks else None)
    if not any(each['id'] == id for each in IMAGES) and not disks:
        raise Refused(400, nova_fault(400, 'Image %s could not be found.' % id))
    return {'id': id, 'links': []} if wanted.get('imageRef') else ''


def claim_port(lab, network, server_id, now):
    """A port takes one machine only: that is what fences a create."""
    if 'port' not in network:
        make_port(lab, {'network_id': network.get('uuid', NETWORK)}, server_id)
        return
    port = lab.get('port', network['port'])
    if not port:
        raise Refused(400, nova_fault(400, 'Port %s could not be found.' % network['port']))
    if port.at(now)['device_id']:
        raise Refused(409, nova_fault(409, 'Port %s is still in use.' % network['port']))
    port.change(now, device_id=server_id, device_owner='compute:nova', status='ACTIVE')


def check_quota(lab, name, now):
    alive = sum(each.alive(now) for each in lab.things['server'].values())
    if lab.refuse and name.startswith(lab.refuse):
        alive = lab.instances
    if alive >= lab.instances:
        raise Refused(403, nova_fault(
            403, 'Quota exceeded for instances: Requested 1, but already used %d of %d instances'
            % (alive, lab.instances)))


def make_server(lab, request):
    wanted = request.json().get('server')
    if not isinstance(wanted, dict) or not wanted.get('name'):
        raise Refused(400, nova_fault(400, "Invalid input for field/attribute server."))
    now, id = time.time(), lab.new_id()
    flavor = one_of(FLAVORS, wanted.get('flavorRef'))
    if not flavor:
        raise Refused(400, nova_fault(400, 'Flavor %s could not be found.'
                                      % wanted.get('flavorRef')))
    image = image_of(wanted)
    networks = wanted.get('networks', 'auto')
    networks = [{}] if networks == 'auto' else [] if networks == 'none' else networks
    check_quota(lab, wanted['name'], now)
    for network in networks:
        claim_port(lab, network, id, now)
    metadata, tags = wanted.get('metadata', {}), wanted.get('tags', [])
    token = next(filter(None, map(marked, tags)), metadata.get(TOKEN_KEY))
    server = lab.make('server', {
        'id': id, 'name': wanted['name'], 'status': 'BUILD', 'tenant_id': PROJECT, 'user_id': USER,
        'metadata': metadata, 'tags': tags, 'hostId': '', 'image': image, 'flavor': flavor,
        'created': stamp(now), 'updated': stamp(now), 'accessIPv4': '', 'accessIPv6': '',
        'key_name': wanted.get('key_name'), 'config_drive': '', 'progress': 0,
        'OS-DCF:diskConfig': 'MANUAL', 'OS-EXT-AZ:availability_zone': 'nova',
        'OS-EXT-STS:task_state': 'spawning', 'OS-EXT-STS:vm_state': 'building',
        'OS-EXT-STS:power_state': 0, 'OS-SRV-USG:launched_at': None,
        'OS-SRV-USG:terminated_at': None, 'security_groups': [{'name': GROUPS[0]['name']}],
        'os-extended-volumes:volumes_attached': [], 'locked': False, 'description': None,
        'locked_reason': None, 'server_groups': [], 'trusted_image_certificates': None,
        'links': []}, token, lab.shown_after('server'))
    server.change(now + lab.boot, **states(ACTIVE))
    return 202, {'server': {'id': id, 'links': [], 'OS-DCF:diskConfig': 'MANUAL',
                            'adminPass': 'secret', 'security_groups': []}}


# ---- And what becomes of it ----

ACTIVE, SHUTOFF = ('ACTIVE', 'active', 1), ('SHUTOFF', 'stopped', 4)
# action -> (state that it wants, the task meanwhile, the state after it, the status meanwhile)
ACTIONS = {'os-stop': ('active', 'powering-off', SHUTOFF, 'ACTIVE'),
           'os-start': ('stopped', 'powering-on', ACTIVE, 'SHUTOFF'),
           'reboot': ('active', 'rebooting', ACTIVE, 'REBOOT'),
           'suspend': ('active', 'suspending', ('SUSPENDED', 'suspended', 4), 'ACTIVE'),
           'resume': ('suspended', 'resuming', ACTIVE, 'SUSPENDED')}


def states(state):
    status, vm, power = state
    return {'status': status, 'OS-EXT-STS:vm_state': vm, 'OS-EXT-STS:power_state': power,
            'OS-EXT-STS:task_state': None}


def act(lab, request, id):
    server, now, body = find(lab, id), time.time(), request.json()
    name = next(iter(body), '')
    if name not in ACTIONS:
        raise Refused(400, nova_fault(400, 'There is no such action: %s' % name))
    wanted, task, after, status = ACTIONS[name]
    fields = server.at(now)
    for what in 'vm_state', 'task_state':
        has = fields['OS-EXT-STS:' + what]
        if has != (wanted if what == 'vm_state' else None):
            raise Refused(409, nova_fault(
                409, "Cannot '%s' instance %s while it is in %s %s"
                % (name.replace('os-', ''), id, what, has)))
    server.change(now, **{'OS-EXT-STS:task_state': task, 'status': status})
    server.change(now + lab.pace, **states(after))
    lab.note(name, 'server', id, server.token)
    return 202, None


def delete_server(lab, request, id):
    server, now = find(lab, id), time.time()
    if server.gone is None:
        server.forget_plans(now)
        server.change(now, **{'OS-EXT-STS:task_state': 'deleting'})
        lab.remove(server, now + lab.pace)
        lab.plan(now + lab.pace, lambda: let_go(lab, id))
    return 204, None


def let_go(lab, server_id):
    """Ports that Nova made go with the machine, the others are free again."""
    now = time.time()
    for port in list(lab.things['port'].values()):
        if not port.alive(now) or port.at(now)['device_id'] != server_id:
            continue
        if port.base['device_id'] == server_id:
            lab.remove(port)
        else:
            port.change(now, device_id='', device_owner='', status='DOWN')


# ---- The rest ----

def list_keypairs(lab, request):
    return collection(request, 'keypairs', [{'keypair': each} for each in lab.list('keypair')])


def make_keypair(lab, request):
    wanted = request.json()['keypair']
    if lab.get('keypair', wanted['name']):
        raise Refused(409, nova_fault(409, "Key pair '%s' already exists." % wanted['name']))
    fields = {'id': wanted['name'], 'name': wanted['name'], 'type': wanted.get('type', 'ssh'),
              'public_key': wanted.get('public_key', ''), 'fingerprint': '00:00', 'user_id': USER}
    lab.make('keypair', fields, None)
    return 201, {'keypair': fields}


def one_keypair(lab, request, name):
    thing = lab.get('keypair', name)
    if not thing:
        raise Refused(404, nova_fault(404, 'Keypair %s not found for user %s' % (name, USER)))
    if request.method == 'DELETE':
        lab.remove(thing)
        return 202, None
    return 200, {'keypair': thing.base}


def list_flavors(lab, request):
    return collection(request, 'flavors', FLAVORS)


def show_flavor(lab, request, id):
    flavor = one_of(FLAVORS, id)
    if not flavor:
        raise Refused(404, nova_fault(404, 'Flavor %s could not be found.' % id))
    return 200, {'flavor': flavor}


def extra_specs(lab, request, id):
    return 200, {'extra_specs': {}}


def limits(lab, request):
    now = time.time()
    used = sum(each.alive(now) for each in lab.things['server'].values())
    return 200, {'limits': {'rate': [], 'absolute': {
        'maxTotalInstances': lab.instances, 'totalInstancesUsed': used, 'maxTotalCores': -1,
        'maxTotalRAMSize': -1, 'totalCoresUsed': used, 'totalRAMUsed': used}}}


def quota(lab, request, project):
    return 200, {'quota_set': {'id': project, 'instances': lab.instances, 'cores': -1, 'ram': -1,
                               'key_pairs': -1, 'metadata_items': 128, 'server_groups': -1,
                               'server_group_members': -1}}


def zones(lab, request):
    return 200, {'availabilityZoneInfo': [
        {'zoneName': 'nova', 'zoneState': {'available': True}, 'hosts': None}]}


ROUTES = [
    ('GET', r'/compute/v2\.1/?', version),
    ('GET', r'/compute/v2\.1/servers(?:/detail)?', list_servers),
    ('POST', r'/compute/v2\.1/servers', make_server),
    ('GET', r'/compute/v2\.1/servers/([^/]+)', show_server),
    ('DELETE', r'/compute/v2\.1/servers/([^/]+)', delete_server),
    ('POST', r'/compute/v2\.1/servers/([^/]+)/action', act),
    ('GET', r'/compute/v2\.1/flavors(?:/detail)?', list_flavors),
    ('GET', r'/compute/v2\.1/flavors/([^/]+)', show_flavor),
    ('GET', r'/compute/v2\.1/flavors/([^/]+)/os-extra_specs', extra_specs),
    ('GET', r'/compute/v2\.1/os-keypairs', list_keypairs),
    ('POST', r'/compute/v2\.1/os-keypairs', make_keypair),
    ('GET|DELETE', r'/compute/v2\.1/os-keypairs/([^/]+)', one_keypair),
    ('GET', r'/compute/v2\.1/limits', limits),
    ('GET', r'/compute/v2\.1/os-quota-sets/([^/]+)(?:/detail)?', quota),
    ('GET', r'/compute/v2\.1/os-availability-zone(?:/detail)?', zones),
]
