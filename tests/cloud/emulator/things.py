"""What an OpenStack lab has: what it comes with, and how it is counted."""

import re
import time
import uuid

from lab import BaseLab

MARK = re.compile(r'^isobar-(.+)$')
TOKEN_KEY = 'isobar_token'
PROJECT = '11111111111111111111111111111111'
USER = '99999999999999999999999999999999'
NETWORK = '33333333-3333-4333-8333-333333333333'
SUBNET = '44444444-4444-4444-8444-444444444444'
OUTSIDE = '33333333-3333-4333-8333-3333333333ff'
GROUP = '55555555-5555-4555-8555-555555555555'
IMAGE = '22222222-2222-4222-8222-222222222222'
MADE = '2026-01-01T00:00:00Z'

# Fixed things, of which nobody makes more.
FLAVORS = [
    {'id': str(n), 'name': name, 'vcpus': vcpus, 'ram': ram, 'disk': disk, 'swap': 0,
     'OS-FLV-EXT-DATA:ephemeral': 0, 'os-flavor-access:is_public': True, 'rxtx_factor': 1.0,
     'OS-FLV-DISABLED:disabled': False, 'description': None, 'extra_specs': {}, 'links': []}
    for n, (name, vcpus, ram, disk) in enumerate(
        [('m1.tiny', 1, 512, 1), ('m1.small', 1, 2048, 20), ('m1.large', 4, 8192, 80)], 1)]
IMAGES = [{'id': IMAGE, 'name': 'cirros', 'status': 'active', 'size': 1000, 'min_disk': 0,
           'min_ram': 0, 'visibility': 'public', 'tags': [], 'owner': PROJECT, 'checksum': None,
           'disk_format': 'raw', 'container_format': 'bare', 'protected': False,
           'created_at': MADE, 'updated_at': MADE, 'file': '/v2/images/%s/file' % IMAGE,
           'schema': '/v2/schemas/image', 'os_hidden': False, 'virtual_size': None}]
NETWORKS = [
    {'id': NETWORK, 'name': 'private', 'status': 'ACTIVE', 'project_id': PROJECT, 'mtu': 1500,
     'tenant_id': PROJECT, 'shared': False, 'router:external': False, 'admin_state_up': True,
     'port_security_enabled': True, 'subnets': [SUBNET]},
    {'id': OUTSIDE, 'name': 'public', 'status': 'ACTIVE', 'project_id': 'admin', 'mtu': 1500,
     'tenant_id': 'admin', 'shared': False, 'router:external': True, 'admin_state_up': True,
     'port_security_enabled': True, 'subnets': [], 'is_default': True}]
SUBNETS = [{'id': SUBNET, 'name': 'private-subnet', 'network_id': NETWORK, 'project_id': PROJECT,
            'tenant_id': PROJECT, 'cidr': '10.0.0.0/8', 'gateway_ip': '10.0.0.1', 'ip_version': 4,
            'enable_dhcp': True, 'dns_nameservers': [], 'allocation_pools': [], 'host_routes': []}]
GROUPS = [{'id': GROUP, 'name': 'default', 'project_id': PROJECT, 'tenant_id': PROJECT,
           'description': '', 'security_group_rules': []}]


def stamp(t):
    return time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(t))


def marked(text):
    found = MARK.match(text or '')
    return found.group(1) if found else None


class Lab(BaseLab):
    """One OpenStack of the emulator."""

    FAULTS = dict(BaseLab.FAULTS, instances=1000)      # the quota
    KINDS = ('server', 'port', 'fip', 'volume', 'keypair')

    def __init__(self, name, seed=0, **faults):
        super().__init__(name, seed, **faults)
        self.tokens, self.address = set(), 10

    def new_address(self):
        self.address += 1
        return '10.%d.%d.%d' % (self.address >> 16 & 255, self.address >> 8 & 255,
                                self.address & 255)

    @staticmethod
    def new_id():
        return str(uuid.uuid4())

    # ---- The truth, for who counts ----

    def count(self):
        """A row a token: what is alive now, and which machines there ever were."""
        self.sweep(time.time())
        now, rows = time.time(), {}
        for kind, things in self.things.items():
            for thing in things.values():
                row = rows.setdefault(thing.token or '', {
                    'servers': [], 'servers_ever': [], 'ports': [], 'fips': [], 'volumes': []})
                if kind == 'server':
                    row['servers_ever'].append(thing.base['id'])
                if not thing.alive(now) or kind == 'keypair':
                    continue
                fields = thing.at(now)
                row[kind + 's'].append({
                    'id': fields['id'], 'name': fields.get('name', ''),
                    'status': fields.get('status', ''), 'used_by': fields.get('device_id') or '',
                    'deleting': thing.gone is not None})
        return {'pending': self.pending, 'tokens': rows}
