"""An account: what it has, what it comes with, its faults, its sessions, and how it is counted."""

import fnmatch
import hashlib
import ipaddress
import time
import uuid

import ec2_catalogue as catalogue
from ec2_model import Unchecked, stamp
from lab import BaseLab

MARK = 'isobar-token'
STATES = {'pending': 0, 'running': 16, 'shutting-down': 32, 'terminated': 48, 'stopping': 64,
          'stopped': 80}
COUNTED = {'instance': 'machines', 'interface': 'interfaces', 'address': 'addresses',
           'volume': 'volumes'}


class Session:
    """Temporary credentials. `arn` is who has them."""

    def __init__(self, arn, expires):
        self.key_id = 'ASIA' + uuid.uuid4().hex[:16].upper()
        # Whoever writes one of these down is found: tests/canary.py.
        self.secret = 'CANARY' + uuid.uuid4().hex + uuid.uuid4().hex[:2]
        self.token = 'CANARY' + uuid.uuid4().hex * 4
        self.arn, self.expires = arn, expires


class Lab(BaseLab):
    # eventual S: so long after it was made a thing may be neither found nor listed. throttle: a
    # share of all requests, or how many of the next ones, are refused. capacity: how many machines
    # there is room for, {"ZONE/TYPE": N}, with * in it where wanted. instances, vcpus, addresses:
    # quotas. clock S: how much the cloud's clock is ahead. unknown_state: what machines that run are
    # said to be. page_size: no page has more. terminated_s: how long they are still seen.
    # session_s: how long a session is good for, 0: what it was asked for. public_ips: whether
    # subnets give machines an address by themselves.
    FAULTS = dict(BaseLab.FAULTS, eventual=0.0, throttle=0, capacity={}, instances=1000, vcpus=10000,
                  addresses=100, clock=0.0, unknown_state='', page_size=0, terminated_s=3600.0,
                  session_s=0.0, public_ips=True)
    KINDS = ('instance', 'interface', 'address', 'volume', 'vpc', 'subnet', 'group', 'key', 'image')
    RULE = ('action',)

    def __init__(self, name, seed=0, region='us-east-1', empty=False, **faults):
        super().__init__(name, seed, **faults)
        digest = hashlib.sha256(name.encode()).hexdigest().upper()
        self.region = region
        self.account = '%012d' % (int(digest[:12], 16) % 10 ** 12)
        self.key_id = 'AKIA' + uuid.uuid4().hex[:16].upper()
        self.secret = ('CANARY' + uuid.uuid4().hex + uuid.uuid4().hex)[:40]
        self.sessions, self.violations, self.orders = {}, [], {}
        self.next_private, self.next_public = {}, 10
        self.asked = {}         # how often something was asked for, for the endpoints of credentials
        for row in catalogue.IMAGES:
            self.make('image', catalogue.image_fields(row, self.account), None)
        if not empty:
            self.fill()
        self.be_old()

    @property
    def zones(self):
        return [self.region + letter for letter in catalogue.ZONE_IDS]

    # ---- Time, names, addresses ----

    def now(self):
        """By the cloud's clock."""
        return time.time() + self.clock

    def shown(self, t):
        """A time of things, by the cloud's clock."""
        return float(int(t + self.clock))

    @staticmethod
    def new_id(prefix):
        return '%s-0%s' % (prefix, uuid.uuid4().hex[:16])

    def new_private(self, subnet):
        """An address of the subnet that was never used."""
        net = ipaddress.ip_network(subnet['CidrBlock'])
        n = self.next_private[subnet['id']] = self.next_private.get(subnet['id'], 3) + 1
        return str(net[n]) if n < net.num_addresses - 1 else None

    def new_public(self):
        self.next_public += 1
        return '198.%d.%d.%d' % (18 + (self.next_public >> 16 & 1), self.next_public >> 8 & 255,
                                 self.next_public & 255)

    # ---- Things ----

    def add(self, kind, fields, token=None):
        """One that somebody makes now; `tags` are among the fields."""
        late = self.half_of_them('eventual ' + kind, self.eventual)
        return self.make(kind, fields, token or fields['tags'].get(MARK),
                         max(self.shown_after(kind), late), late)

    def fill(self):
        """What an account has that is not empty."""
        vpc = self.new_id('vpc')
        self.make('vpc', {'id': vpc, 'CidrBlock': '172.31.0.0/16', 'IsDefault': True, 'tags': {}}, None)
        for n, zone in enumerate(self.zones):
            id = self.new_id('subnet')
            self.make('subnet', {'id': id, 'VpcId': vpc, 'zone': zone, 'tags': {},
                                 'CidrBlock': '172.31.%d.0/20' % (16 * n), 'DefaultForAz': True,
                                 'MapPublicIpOnLaunch': bool(self.public_ips)}, None)
        self.add_group(vpc, 'default', 'default VPC security group', {}, own=True)
        self.make('image', catalogue.image_fields(catalogue.OWN_IMAGE, self.account), None)
        self.add_key(catalogue.KEY_NAME, catalogue.KEY_TEXT, {})

    def add_group(self, vpc, name, words, tags, own=False):
        """`own`: its members reach each other, as in a default group."""
        id = self.new_id('sg')
        everywhere = {'id': self.new_id('sgr'), 'IsEgress': True, 'IpProtocol': '-1',
                      'FromPort': -1, 'ToPort': -1, 'CidrIpv4': '0.0.0.0/0'}
        each_other = {'id': self.new_id('sgr'), 'IsEgress': False, 'IpProtocol': '-1',
                      'FromPort': -1, 'ToPort': -1, 'group': id}
        return self.add('group', {'id': id, 'GroupName': name, 'Description': words, 'VpcId': vpc,
                                  'tags': tags, 'rules': [each_other] * own + [everywhere]})

    def add_key(self, name, text, tags):
        digest = hashlib.sha256(text.encode()).digest()
        print_ = ':'.join('%02x' % each for each in digest[:16])
        return self.add('key', {
            'id': name, 'KeyPairId': self.new_id('key'), 'KeyFingerprint': print_,
            'KeyType': 'ed25519' if text.startswith('ssh-ed25519') else 'rsa', 'PublicKey': text,
            'tags': tags, 'made': time.time()})

    def alive(self, kind):
        now = time.time()
        return [each for each in self.things[kind].values() if each.alive(now)]

    def default_vpc(self):
        return next((each for each in self.alive('vpc') if each.base['IsDefault']), None)

    def state(self, fields):
        name = fields['state']
        if self.unknown_state and name == 'running':
            return {'Code': 999, 'Name': Unchecked(self.unknown_state)}
        return {'Code': STATES[name], 'Name': name}

    # ---- Faults ----

    def throttled(self):
        """A share, or a number that counts down."""
        if self.throttle >= 1:
            self.throttle -= 1
            return True
        return self.throttle > 0 and self.draw('throttle').random() < self.throttle

    def room(self, zone, kind):
        """For how many more machines of a type; None: no end."""
        place = '%s/%s' % (zone, kind)
        limits = [n for wanted, n in self.capacity.items() if fnmatch.fnmatchcase(place, wanted)]
        if not limits:
            return None
        now = time.time()
        used = sum(each.base['zone'] == zone and each.at(now)['InstanceType'] == kind
                   for each in self.alive('instance'))
        return max(0, min(limits) - used)

    # ---- Sessions ----

    def new_session(self, arn, seconds):
        session = Session(arn, self.now() + (self.session_s or seconds))
        self.sessions[session.key_id] = session
        return session

    def expire(self):
        """All sessions that there are are over."""
        for each in self.sessions.values():
            each.expires = self.now() - 1

    # ---- The truth, for who counts ----

    def breach(self, action, code, message):
        self.violations.append({'t': time.time(), 'action': action, 'code': code,
                                'message': message})

    def told(self):
        return {'access_key_id': self.key_id, 'secret_access_key': self.secret,
                'account': self.account, 'region': self.region}

    def count(self):
        """A row a token: what is alive now, and which machines there ever were."""
        self.sweep(time.time())
        now, rows = time.time(), {}
        for kind, name in COUNTED.items():
            for thing in self.things[kind].values():
                fields = thing.at(now)
                row = rows.setdefault(thing.token or fields['tags'].get(MARK, ''), {
                    'machines': [], 'machines_ever': [], 'interfaces': [], 'addresses': [],
                    'volumes': []})
                if kind == 'instance':
                    row['machines_ever'].append(fields['id'])
                if thing.alive(now):
                    row[name].append({
                        'id': fields['id'], 'name': fields['tags'].get('Name', ''),
                        'state': fields.get('state', ''), 'used_by': fields.get('used_by') or '',
                        'deleting': thing.gone is not None})
        return {'pending': self.pending, 'tokens': rows}

    def stamp(self, t):
        return stamp(t + self.clock)
