"""The clouds that a daemon is killed in front of: how to reach each, and what there is in it."""

import asyncio
import json
import os
import sys
import threading

from daemon import BadEnd, Daemon
from gateway import skip
from plan import REFUSED

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, '..', 'cloud', each) for each in ('emulator', 'ec2', 'azure')]
import arm_emulator  # noqa: E402
import ec2_emulator  # noqa: E402
import openstack_emulator  # noqa: E402

# How long after its sender's death a create may still show up: more than late_commit and list_lag.
SETTLE_MS = 1500
CLOUD = 'lab'
STOPPED = 'VM_STATE_STOPPED'


async def http(base, method, path, body=None, headers=()):
    """(status, JSON) of one request on a connection of its own."""
    host, port = base.split('//')[1].split(':')
    reader, writer = await asyncio.open_connection(host, int(port))
    data = b'' if body is None else json.dumps(body).encode()
    lines = ['%s %s HTTP/1.1' % (method, path), 'Host: ' + host, 'Connection: close',
             'Content-Length: %d' % len(data), 'Content-Type: application/json',
             *('%s: %s' % each for each in headers)]
    writer.write('\r\n'.join(lines + ['', '']).encode() + data)
    head = (await reader.readuntil(b'\r\n\r\n')).decode('latin-1').split('\r\n')
    length = next(int(each.split(':')[1]) for each in head
                  if each.lower().startswith('content-length:'))
    data = await reader.readexactly(length)
    writer.close()
    return int(head[0].split()[1]), json.loads(data) if data else None


def in_thread(do, *args):
    """A future of what blocks. Not the loop's own threads: it waits for each of them at its end, and the
    SDK has been seen to leave one that never ends."""
    loop = asyncio.get_running_loop()
    future = loop.create_future()

    def tell(how, what):
        if not future.done():
            how(what)

    def go():
        try:
            told = future.set_result, do(*args)
        except Exception as e:
            told = future.set_exception, e
        loop.call_soon_threadsafe(tell, *told)
    threading.Thread(target=go, daemon=True).start()
    return future


def as_openstack(clouds_file, more):
    return 'clouds: {%s: {adapter: openstack, cloud: %s, clouds_file: "%s"%s}}\n' % (
        CLOUD, CLOUD, clouds_file, more)


class Target:
    """`spec` is what all machines have in common, and `refused` what makes an order fail; `env` is for
    the daemon."""

    refused, settled_s, patience, public = {}, 8, 1, 'dynamic'
    adapter = None      # a daemon between the gateway and the cloud

    def __init__(self, plan):
        self.plan, self.env = plan, {}

    @classmethod
    async def begin(cls):
        pass

    @classmethod
    async def end(cls):
        return []

    async def made(self):
        """How many machines there ever were, and of how many operations."""
        return 0, 0

    async def evidence(self):
        return {}

    async def close(self):
        pass


class Emulated(Target):
    """An emulator; one process has a lab for each run."""

    process, make = None, None

    def __init__(self, plan):
        super().__init__(plan)
        self.lab = 'run-%s' % plan.seed

    @classmethod
    async def begin(cls):
        cls.process = cls.make()

    @classmethod
    async def end(cls):
        cls.process.stop()
        return []

    async def ask(self, method, path, body=None):
        status, said = await http(self.process.control, method, path, body)
        if status != 200:
            raise RuntimeError('the emulator says %d: %s' % (status, said))
        return said

    async def new_lab(self):
        return await self.ask('POST', '/labs', dict(
            self.plan.faults, name=self.lab, seed=self.plan.seed, boot=0.05, pace=0.03,
            refuse=REFUSED))

    async def arm(self, rule, pid):
        await self.ask('POST', '/kill', dict(rule, lab=self.lab, pid=pid))

    async def evidence(self):
        return await self.ask('GET', '/journal?lab=' + self.lab)

    async def close(self):
        await self.ask('DELETE', '/labs/' + self.lab)


class Emulator(Emulated):
    """An emulated OpenStack."""

    make = openstack_emulator.Emulator
    spec = {'flavorName': 'm1.tiny', 'imageId': 'cirros', 'networkId': 'private'}

    async def open(self, folder, messages):
        told = await self.new_lab()
        path = os.path.join(folder, 'clouds.yaml')
        with open(path, 'w') as f:
            f.write(openstack_emulator.clouds_yaml({CLOUD: told['auth_url']}))
        return as_openstack(path, ', settle_ms: %d' % SETTLE_MS if SETTLE_MS else '')

    async def count(self, operations):
        """(machines, what belongs to machines, whether more is to come)"""
        counted = await self.ask('GET', '/count?lab=' + self.lab)
        machines, rest, coming = [], [], counted['pending'] > 0
        for token, row in counted['tokens'].items():
            for each in row['servers']:
                coming = coming or each['deleting'] or each['status'] == 'BUILD'
                if not each['deleting']:
                    machines.append({'id': each['id'], 'name': each['name'], 'token': token,
                                     'stopped': each['status'] == 'SHUTOFF'})
            rest += [dict(each, kind=kind[:-1], token=token)
                     for kind in ('ports', 'fips', 'volumes') for each in row[kind]]
        return machines, rest, coming

    async def made(self):
        rows = (await self.ask('GET', '/count?lab=' + self.lab))['tokens'].values()
        return sum(len(each['servers_ever']) for each in rows), sum(
            bool(each['servers_ever']) for each in rows)


class Counted(Emulated):
    """An emulator that counts machines by name, and knows the requests that are none."""

    begun, ending, rest = (), (), ()    # states of machines; what there is beside them

    async def count(self, operations):
        counted = await self.ask('GET', '/count?lab=' + self.lab)
        machines, rest, coming = [], [], counted['pending'] > 0
        for token, row in counted['tokens'].items():
            for each in row['machines']:
                going = each['deleting'] or each['state'] in self.ending
                coming = coming or going or each['state'] in self.begun
                if not going:
                    machines.append({'id': each['id'], 'name': each['name'], 'token': token,
                                     'stopped': bool({each['state'], each.get('power')} & set(self.stopped))})
            rest += [dict(each, kind=kind, token=token)
                     for kind in self.rest for each in row[kind] if token]
        return machines, rest, coming

    async def made(self):
        rows = (await self.ask('GET', '/count?lab=' + self.lab))['tokens'].values()
        return sum(len(each['machines_ever']) for each in rows), sum(
            bool(each['machines_ever']) for each in rows)

    async def close(self):
        wrong = (await self.ask('GET', '/violations?lab=' + self.lab))['violations']
        await super().close()
        if wrong:
            raise BadEnd('requests that the cloud does not know: %s' % wrong[:3])


class Ec2(Counted):
    """An emulated EC2; a lab is an account."""

    make = ec2_emulator.Emulator
    # With a static address there is a network interface beside it, both made before the machine.
    spec = {'flavorName': 't3.micro', 'imageId': 'web', 'zone': 'us-east-1a'}
    public = 'static'
    begun, ending, stopped = ('pending',), ('shutting-down',), ('stopped',)
    rest = 'interfaces', 'addresses'

    async def open(self, folder, messages):
        told = await self.new_lab()
        self.env = {'AWS_ACCESS_KEY_ID': told['access_key_id'],
                    'AWS_SECRET_ACCESS_KEY': told['secret_access_key']}
        return 'clouds: {%s: {adapter: aws, region: %s, endpoint_url: "%s", settle_ms: %d}}\n' % (
            CLOUD, told['region'], told['url'], SETTLE_MS)


class Azure(Counted):
    """An emulated Azure; a lab is a subscription."""

    make = arm_emulator.Emulator
    spec = {'flavorName': 'Standard_B1s', 'imageId': 'golden', 'imageType': 'image'}
    public = 'static'
    begun, ending, stopped = ('Creating',), ('Deleting',), ('deallocated',)
    rest = 'nics', 'addresses', 'disks'

    async def open(self, folder, messages):
        told = await self.new_lab()
        self.env = {'AZURE_CLIENT_SECRET': told['client_secret']}
        settings = {'adapter': 'azure', 'credential': 'environment', 'settle_ms': SETTLE_MS,
                    'subscription_id': told['subscription_id'], 'tenant_id': told['tenant_id'],
                    'client_id': told['client_id'], 'authority': told['url'],
                    'endpoint': told['url'], 'audience': 'https://management.azure.com/'}
        return 'clouds: {%s: %s}\n' % (CLOUD, json.dumps(settings))


class Remote(Emulator):
    """An emulated OpenStack that a process of its own serves, which registers as an adapter."""

    def __init__(self, plan):
        super().__init__(plan)
        self.adapter = None

    async def open(self, folder, messages):
        clouds = await super().open(folder, messages)
        token = os.path.join(folder, 'adapter.token')
        with open(token, 'w', opener=lambda path, flags: os.open(path, flags, 0o600)) as f:
            f.write('%032x\n' % self.plan.rng.getrandbits(128))
        self.adapter = Daemon(
            os.path.join(folder, 'adapter'),
            clouds + 'register: {gateway: "ipc://%s/gateway/isobar.sock", token_file: "%s"}\n' % (
                folder, token), messages)
        return ('clouds: {%s: {adapter: openstack, version: "*"}}\n'
                'users: [{name: lab, role: adapter, token_file: "%s", adapters: [openstack]}]\n' % (
                    CLOUD, token))

    async def close(self):
        try:
            if self.adapter:
                await self.adapter.stop()
        finally:
            await super().close()


class OpenStack(Target):
    """A real one, in a project of the test's own."""

    spec = {'flavorName': 'm1.tiny', 'imageId': 'test-image', 'networkId': 'private'}
    refused = {'zone': 'nova:no-such-host'}
    settled_s, patience, project = 60, 5, None

    @classmethod
    async def begin(cls):
        import openstack_peer
        openstack_peer.need()
        cls.project = await in_thread(openstack_peer.Project)
        path = os.path.join(cls.project.folder, 'crash.yaml')
        import yaml
        with open(cls.project.clouds) as f, open(path, 'w') as out:
            yaml.safe_dump({'clouds': {CLOUD: yaml.safe_load(f)['clouds']['demo']}}, out)
        os.chmod(path, 0o600)
        cls.clouds_file = path

    @classmethod
    async def end(cls):
        """What is still there when each run has taken away what it knew of."""
        left = await in_thread(cls.project.leftovers)
        await in_thread(cls.project.remove)
        return ['%s %s is left over' % each for each in sorted(left)]

    async def open(self, folder, messages):
        return as_openstack(self.clouds_file, '')

    @classmethod
    def connect(cls):
        import openstack
        config = openstack.config.OpenStackConfig(config_files=[cls.clouds_file],
                                                  load_envvars=False)
        return openstack.connection.Connection(config=config.get_one(CLOUD))

    @classmethod
    def look(cls):
        """In a thread: all machines, ports and floating IPs of the project."""
        with cls.connect() as cloud:
            servers = cloud.compute.get('/servers/detail', microversion='2.90')
            return (servers.json()['servers'], cloud.network.get('/ports').json()['ports'],
                    cloud.network.get('/floatingips').json()['floatingips'])

    async def count(self, operations):
        servers, ports, fips = await in_thread(self.look)
        known = {each['id'] for each in operations}
        mine = '-%s-' % self.plan.seed
        machines, rest, coming = [], [], False
        for each in servers:
            if mine not in each['name'] or each['status'] == 'DELETED':
                continue
            coming = coming or each['OS-EXT-STS:task_state'] is not None
            if each['OS-EXT-STS:task_state'] == 'deleting':
                continue
            machines.append({'id': each['id'], 'name': each['name'],
                             'token': each['metadata'].get('isobar_token', ''),
                             'stopped': each['status'] == 'SHUTOFF'})
        for kind, things, field in ('port', ports, 'name'), ('fip', fips, 'description'):
            for each in things:
                token = each[field].replace('isobar-', '', 1)
                if token in known:
                    rest.append({'kind': kind, 'id': each['id'], 'token': token,
                                 'used_by': each.get('device_id', '')})
        return machines, rest, coming

    def take_away(self, machines, rest):
        with self.connect() as cloud:
            for each in machines:
                cloud.delete_server(each['id'], wait=True, timeout=120)
            for each in rest:
                if each['kind'] == 'port':
                    cloud.network.delete_port(each['id'])
                else:
                    cloud.network.delete_ip(each['id'])

    async def clean(self, machines, rest):
        """What the run has made goes; `end` sees what it did not know of."""
        await in_thread(self.take_away, machines, rest)


TARGETS = {'emulator': Emulator, 'ec2': Ec2, 'azure': Azure, 'remote': Remote, 'openstack': OpenStack}


def check_there(names):
    if 'openstack' in names and not os.environ.get('ISOBAR_TEST_OPENSTACK'):
        skip('no test OpenStack: ISOBAR_TEST_OPENSTACK is not set')
