"""A subscription: what it has, what it comes with, its faults, its tokens, and how it is counted."""

import base64
import json
import time
import uuid

import arm_catalogue as catalogue
from arm_answers import Refused, not_found
from lab import BaseLab

MARK = 'isobar-token'
# kind: (its type, where it is: what its id has between the group and its name)
TYPES = {'vm': 'Microsoft.Compute/virtualMachines', 'disk': 'Microsoft.Compute/disks',
         'image': 'Microsoft.Compute/images', 'key': 'Microsoft.Compute/sshPublicKeys',
         'vnet': 'Microsoft.Network/virtualNetworks',
         'nsg': 'Microsoft.Network/networkSecurityGroups',
         'ip': 'Microsoft.Network/publicIPAddresses', 'nic': 'Microsoft.Network/networkInterfaces'}
COUNTED = {'vm': 'machines', 'nic': 'nics', 'ip': 'addresses', 'disk': 'disks'}


class Lab(BaseLab):
    # refuse: the beginning of names of machines that are over the quota; cores, addresses: quotas.
    # capacity: how many machines there is room for, {"ZONE/SIZE": N}, with * in it where wanted.
    # no_sizes: sizes that are not to be had here. fail {BEGINNING: CODE}: how the making of
    # machines ends whose name begins so; endless: the beginning of names of machines of which no
    # operation ends. throttle: a share of all requests, or how many of the next ones, are refused.
    # clock S: how much the cloud's clock is ahead. token_s: how long a token is good for.
    # disabled: the subscription is read-only. unknown_state: what machines that run are said to be.
    # page_size: no page has more. redirect: where all requests are led to. upper_groups: lists of
    # Compute write resource groups in capitals. retry_after: of what goes on; null: none.
    # resource_left, reads_left, writes_left: how many calls are said to be left. judge: all that goes
    # to and fro is held against the published specifications.
    FAULTS = dict(BaseLab.FAULTS, cores=100000, addresses=1000, capacity={}, no_sizes=[], fail={},
                  endless='', throttle=0, clock=0.0, token_s=3599, disabled=False,
                  unknown_state='', page_size=0, redirect='', upper_groups=False, retry_after=0,
                  resource_left='', reads_left=11999, writes_left=1199,
                  judge=False)
    KINDS = ('group', *TYPES)
    RULE = ('method', 'path')

    def __init__(self, name, seed=0, empty=False, **faults):
        super().__init__(name, seed, **faults)
        space = uuid.uuid5(uuid.NAMESPACE_URL, 'isobar-test/' + name)
        self.subscription, self.tenant, self.client = (
            str(uuid.uuid5(space, each)) for each in ('subscription', 'tenant', 'client'))
        self.secret = 'CANARY~' + uuid.uuid4().hex
        self.empty = empty
        self.ids = {}                           # lower-case id -> thing
        # All operations, and the last one of a machine, by the machine's own id.
        self.operations, self.current = {}, {}
        self.tokens, self.asked, self.violations, self.orders = {}, {}, [], {}
        self.judged = 0         # exchanges of which the judge has said what it thinks
        self.next_private, self.next_public = {}, 10
        if not empty:
            self.fill()
        self.be_old()

    def told(self):
        return {'subscription_id': self.subscription, 'tenant_id': self.tenant,
                'client_id': self.client, 'client_secret': self.secret}

    # ---- Tokens ----

    def new_token(self, seconds):
        """One with the form of a JWT, as long as one of Entra ID's."""
        claims = {'aud': 'https://management.azure.com/', 'tid': self.tenant, 'appid': self.client,
                  'exp': int(time.time() + self.clock + seconds)}
        text = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip('=')
        token = 'eyJ0eXAiOiJKV1QifQ.%s.CANARY%s' % (text, uuid.uuid4().hex * 24)
        self.tokens[token] = time.time() + seconds
        return token

    def ask(self, what):
        self.asked[what] = self.asked.get(what, 0) + 1

    def expire(self):
        self.tokens = dict.fromkeys(self.tokens, 0.0)

    def breach(self, method, path, code, message):
        self.violations.append({'t': time.time(), 'method': method, 'path': path, 'code': code,
                                'message': message})

    def throttled(self):
        if self.throttle >= 1:
            self.throttle -= 1
            return True
        return self.throttle > 0 and self.draw('throttle').random() < self.throttle

    # ---- Things ----

    def id_of(self, kind, group, name):
        group = '/subscriptions/%s/resourceGroups/%s' % (self.subscription, group)
        return group if kind == 'group' else '%s/providers/%s/%s' % (group, TYPES[kind], name)

    def add(self, kind, group, name, fields, token=None):
        """One that is made now. Its fields: `tags`, `props`, what is shown in its properties, and
        the kind's own."""
        fields = dict({'tags': {}, 'location': catalogue.HOME, 'state': 'Succeeded'}, **fields)
        fields.update(id=str(uuid.uuid4()), arm=self.id_of(kind, group, name), name=name,
                      group=group, made=time.time(), etag=str(uuid.uuid4()))
        thing = self.make(kind, fields, token or fields['tags'].get(MARK), self.shown_after(kind))
        self.ids[fields['arm'].lower()] = thing
        return thing

    def by_id(self, id, kind=None):
        """The thing with this id, or None."""
        thing = self.ids.get(str(id).lower())
        if thing is None or not thing.alive(time.time()) or kind and thing.kind != kind:
            return None
        return thing

    def look(self, kind, group, name):
        """The thing, or None; Refused where the group is none."""
        if kind != 'group':
            self.need_group(group)
        return self.by_id(self.id_of(kind, group, name))

    def need(self, kind, group, name):
        thing = self.look(kind, group, name)
        if thing is None:
            raise not_found(TYPES[kind], name, group)
        return thing

    def need_group(self, name):
        group = self.by_id(self.id_of('group', name, name))
        if group is None:
            raise Refused(404, 'ResourceGroupNotFound',
                          "Resource group '%s' could not be found." % name)
        return group

    def listed(self, kind, group=None):
        """Fields of all that a list has."""
        if group is not None:
            group = self.need_group(group).base['name'].lower()
        return [each for each in self.list(kind)
                if group is None or each['group'].lower() == group]

    def alive(self, kind):
        now = time.time()
        return [each for each in self.things[kind].values() if each.alive(now)]

    # ---- What a subscription comes with ----

    def fill(self):
        group = catalogue.GROUP_NAME
        self.add('group', group, group, {})
        self.add('key', group, catalogue.KEY_NAME, {
            'props': {'publicKey': catalogue.PUBLIC_KEY}})
        self.add('image', group, catalogue.IMAGE_NAME, {'props': {
            'storageProfile': {'osDisk': {
                'osType': 'Linux', 'osState': 'Generalized', 'diskSizeGB': 30,
                'caching': 'ReadWrite', 'storageAccountType': 'Standard_LRS'},
                'dataDisks': [], 'zoneResilient': False},
            'hyperVGeneration': 'V1'}})
        self.add('nsg', group, catalogue.NSG_NAME, {'rules': []})
        self.add('vnet', group, catalogue.VNET_NAME, {'prefixes': ['10.0.0.0/8'], 'subnets': [
            {'name': 'default', 'prefix': '10.1.0.0/16', 'nsg': None, 'etag': str(uuid.uuid4())}]})

    # ---- The truth, for who counts ----

    def count(self):
        """A row a token: what is alive now, and which machines there ever were."""
        now, rows = time.time(), {}
        self.sweep(now)
        for kind, row_name in COUNTED.items():
            for thing in self.things[kind].values():
                row = rows.setdefault(thing.token or '', dict(
                    {each: [] for each in COUNTED.values()}, machines_ever=[]))
                if kind == 'vm':
                    row['machines_ever'].append(thing.base['id'])
                if not thing.alive(now):
                    continue
                fields = thing.at(now)
                row[row_name].append({
                    'id': fields['arm'], 'name': fields['name'], 'state': fields['state'],
                    'power': fields.get('power', ''), 'used_by': fields.get('used_by') or '', 'deleting': thing.gone is not None})
        return {'pending': self.pending, 'tokens': rows}
