"""What a lab of the emulator has, and what has become of it: nothing is ever forgotten."""

import heapq
import random
import re
import time
import uuid

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


class Thing:
    """A machine, port, address, volume or key. `base` is as it was made; what has changed since, and
    what will, stands in `changes` with its time."""

    def __init__(self, kind, base, token, now, shown):
        self.kind, self.base, self.token = kind, base, token
        self.made, self.shown, self.gone = now, shown, None
        self.changes = []

    def change(self, t, **fields):
        self.changes.append((t, fields))

    def forget_plans(self, now):
        self.changes = [each for each in self.changes if each[0] <= now]

    def at(self, t):
        if not self.changes:
            return self.base
        fields = dict(self.base)
        for when, change in self.changes:
            if when <= t:
                fields.update(change)
        return fields

    def alive(self, now):
        return self.gone is None or self.gone > now

    def listed(self, then):
        """Whether a list shows it that is as things were `then`."""
        return self.shown <= then and self.alive(then)


class Lab:
    """One cloud of the emulator, with its own faults: see FAULTS."""

    # Seconds but for shares, numbers and `refuse`, the beginning of names that get no machine.
    FAULTS = {'late_commit': 0.0, 'list_lag': 0.0, 'lost_reply': 0.0, 'boot': 0.2, 'pace': 0.1,
              'instances': 1000, 'refuse': ''}

    def __init__(self, name, seed=0, **faults):
        unknown = set(faults) - set(self.FAULTS)
        if unknown:
            raise ValueError('no such fault: %s' % ', '.join(sorted(unknown)))
        self.name, self.seed = name, seed
        for key, value in self.FAULTS.items():
            setattr(self, key, faults.get(key, value))
        self.things = {'server': {}, 'port': {}, 'fip': {}, 'volume': {}, 'keypair': {}}
        self.tokens, self.drawn = set(), {}
        self.journal, self.plans = [], []
        self.pending = 0        # requests that have been read and not yet done
        self.kills = []
        self.address = 10

    def draw(self, what):
        """A generator for the n-th event of this kind: the same in each run with this seed, however
        the kinds are interleaved."""
        n = self.drawn[what] = self.drawn.get(what, 0) + 1
        return random.Random('%s/%s/%d' % (self.seed, what, n))

    def note(self, event, kind, id, token, **more):
        self.journal.append(dict(more, t=time.time(), event=event, kind=kind, id=id, token=token))

    # ---- Time ----

    def plan(self, t, do):
        heapq.heappush(self.plans, (t, len(self.journal), id(do), do))

    def sweep(self, now):
        """What was to happen until now."""
        while self.plans and self.plans[0][0] <= now:
            heapq.heappop(self.plans)[3]()

    # ---- Making and taking away ----

    def make(self, kind, base, token, shown_after=0.0):
        now = time.time()
        thing = Thing(kind, base, token, now, now + shown_after)
        self.things[kind][base['id']] = thing
        self.note('made', kind, base['id'], token)
        return thing

    def get(self, kind, id):
        thing = self.things[kind].get(id)
        return thing if thing and thing.alive(time.time()) else None

    def remove(self, thing, at=None):
        now = time.time()
        thing.gone = now if at is None else at
        self.note('deleted', thing.kind, thing.base['id'], thing.token)

    def list(self, kind):
        """As it was some time ago."""
        then = time.time()
        if self.list_lag:
            then -= self.draw('list ' + kind).uniform(0, self.list_lag)
        return [each.at(then) for each in self.things[kind].values() if each.listed(then)]

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
        now, rows = time.time(), {}
        self.sweep(now)
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
