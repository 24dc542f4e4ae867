#!/usr/bin/python3
"""What an adapter that is a process of its own costs, and what it saves.

GetVm of the sandbox in the gateway, and of one in a process behind it, in pairs; the same where 1,000
instances have registered; two processes that serve the same clouds under 2,000 reads/s and, on an
emulated OpenStack, 50 creates/s, one of which is killed; and the gateway's CPU for the heartbeats of
1,000 instances.
"""

import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.environ['ISOBAR_BUILD']
os.environ['ISOBAR_DESCRIPTORS'] = os.path.join(BUILD, 'proto', 'gen', 'isobar.binpb')
sys.path[:0] = [os.path.join(HERE, '..', *each) for each in (
    ('..', 'adapters', 'examples'), ('cloud', 'emulator'))]
from isobar_wire import HELLO_REP, HELLO_REQ, Line, pb  # noqa: E402
import openstack_emulator  # noqa: E402
import socket  # noqa: E402

ISOBARD = os.path.join(BUILD, 'server', 'isobard')
TOKEN = 'a-token-of-the-bench'
PAIRS, ROUNDS = 4000, 5
THREADS, RATE, LOAD_S, KILL_S = 8, 2000, 6, 2
ORDER_THREADS, ORDER_RATE, ORDER_TIMEOUT_MS = 8, 50, 60000
INSTANCES, HEARTBEAT_S, BEATS_S = 1000, 3, 12
SLOW_S = 0.1        # a call that takes longer was held up by the one that died


class Daemon:
    def __init__(self, folder, name, config):
        self.folder = os.path.join(folder, name)
        os.mkdir(self.folder)
        self.path = os.path.join(self.folder, 's')
        file = os.path.join(self.folder, 'isobard.yaml')
        with open(file, 'w') as f:
            f.write('state_dir: %s/state\nlisten: ["ipc://%s"]\nlog_level: warn\n%s' % (
                self.folder, self.path, config))
        with open(os.path.join(self.folder, 'log'), 'w') as log:
            self.process = subprocess.Popen([ISOBARD, '--config', file], stderr=log)

    def connect(self):
        until = time.monotonic() + 20
        while True:
            end = socket.socket(socket.AF_UNIX)
            try:
                end.connect(self.path)
                return Client(end)
            except OSError:
                end.close()
                if time.monotonic() > until:
                    raise
                time.sleep(0.01)

    def cpu_s(self):
        with open('/proc/%d/stat' % self.process.pid) as f:
            fields = f.read().rsplit(')', 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.wait()


class Client:
    def __init__(self, end):
        self.line = Line(end, True, HELLO_REQ, HELLO_REP)

    def frame(self, method, request, token='', **more):
        data = pb.Call(method='isobar.v1.' + method, token=token, **{'timeout_ms': 5000, **more},
                       body=request.SerializeToString()).SerializeToString()
        return b'\x01' + (len(data) + 4).to_bytes(8, 'big') + b'\x80\0\0\1' + data

    def send(self, frame):
        """The bytes of the reply."""
        self.line.socket.sendall(frame)
        head = self.line.read(9)
        return self.line.read(int.from_bytes(head[1:], 'big'))[4:]

    def call(self, method, request, token=''):
        reply = pb.Reply.FromString(self.send(self.frame(method, request, token)))
        if reply.result.code >= 5:
            raise RuntimeError('%s: %s' % (method, reply.result))
        return pb.methods['isobar.v1.' + method][1].FromString(reply.body)

    def get(self, cloud):
        return self.frame('VmService/GetVm', pb.GetVmRequest(cloud=cloud, id='probe'))


def make_probe(client, cloud):
    client.call('VmService/CreateVm', pb.CreateVmRequest(
        cloud=cloud, wait=pb.WAIT_RUNNING, spec=pb.VmSpec(
            name='probe', flavor_name='m1.small', image_id='ubuntu', network_id='private')))


def wait_for_cloud(client, cloud, instances=1):
    until = time.monotonic() + 20
    while time.monotonic() < until:
        listed = client.call('AdapterService/ListAdapters', pb.ListAdaptersRequest())
        if sum(each.name == cloud for adapter in listed.adapters
               for each in adapter.instance.clouds) >= instances:
            return
        time.sleep(0.02)
    raise RuntimeError('nobody offers %s' % cloud)


def start(folder, daemons, shop):
    """The gateway, and three processes behind it: one that serves `far`, two that serve `pair` and
    `shop`, an OpenStack; all are added to `daemons` as they start."""
    clouds_file = os.path.join(folder, 'clouds.yaml')
    with open(clouds_file, 'w') as f:
        f.write(openstack_emulator.clouds_yaml({'shop': shop}))
    token = os.path.join(folder, 'token')
    with open(token, 'w', opener=lambda path, flags: os.open(path, flags, 0o600)) as f:
        f.write(TOKEN + '\n')
    gateway = Daemon(folder, 'gateway', (
        'clouds: {near: {adapter: sandbox, pace_ms: 1}}\n'
        'users: [{name: others, role: adapter, token_file: "%s", adapters: ["*"]}]\n' % token))
    daemons.append(gateway)
    both = ', shop: {adapter: openstack, cloud: shop, clouds_file: "%s"}' % clouds_file
    for name, cloud, more in ('one', 'far', ''), ('two', 'pair', both), ('three', 'pair', both):
        daemons.append(Daemon(folder, name, (
            'clouds: {%s: {adapter: sandbox, pace_ms: 1}%s}\n'
            'register: {gateway: "ipc://%s", token_file: "%s"}\n' % (
                cloud, more, gateway.path, token))))
    client = gateway.connect()
    make_probe(client, 'near')
    for daemon, cloud in zip(daemons[1:], ('far', 'pair', 'pair')):
        make_probe(daemon.connect(), cloud)
    wait_for_cloud(client, 'far')
    wait_for_cloud(client, 'pair', 2)
    wait_for_cloud(client, 'shop', 2)
    return client


# ---- what it adds ----

def pairs(client, one, other):
    """Medians of both and of their difference, microseconds; whichever was second is first next."""
    frames = [client.get(one), client.get(other)]
    times = [[], []]
    for i in range(PAIRS):
        for k in (0, 1) if i % 2 else (1, 0):
            begun = time.perf_counter()
            client.send(frames[k])
            times[k].append((time.perf_counter() - begun) * 1e6)
    difference = [b - a for a, b in zip(*times)]
    return [statistics.median(each) for each in (*times, difference)]


def awake():
    """Something on each core that everybody else goes before: a core that sleeps takes long to wake."""
    return [subprocess.Popen(['nice', '-n', '19', sys.executable, '-c', 'while True: pass'])
            for _ in range(os.cpu_count())]


def measure_added(client, words):
    rows = [pairs(client, 'near', 'far') for _ in range(ROUNDS)]
    near, far, added = (statistics.median(column) for column in zip(*rows))
    print('%-34s in the gateway %.1f us, in a process behind it %.1f us, more by %.1f us (p50)' % (
        words, near, far, added), flush=True)
    return added


# ---- one dies ----

def at_rate(daemon, threads, rate, seconds, call):
    """`call(client, n)` so many times a second, evenly, from threads that have a client each."""
    def run(number):
        client = daemon.connect()
        begin = time.monotonic()
        for n in range(number, int(seconds * rate), threads):
            due = begin + n / rate
            if due > time.monotonic():
                time.sleep(due - time.monotonic())
            call(client, n)
    started = [threading.Thread(target=run, args=(i,)) for i in range(threads)]
    for each in started:
        each.start()
    return started


def code_of(data):
    return pb.Reply.FromString(data).result.code


def measure_failover(gateway, victim, emulator):
    """When the last call that the death held up was answered, seconds; how many reads failed; how many
    creates failed; and how many of them made other than one machine."""
    done, ordered = [], []
    read = gateway.connect().get('pair')

    def look(client, n):
        begun = time.monotonic()
        code = code_of(client.send(read))
        done.append((begun, time.monotonic() - begun, code))

    def order(client, n):
        ordered.append(code_of(client.send(client.frame(
            'VmService/CreateVm', pb.CreateVmRequest(cloud='shop', spec=pb.VmSpec(
                name='order-%d' % n, flavor_name='m1.tiny', image_id='cirros',
                network_id='private')), request_id='order-%d' % n,
            timeout_ms=ORDER_TIMEOUT_MS))))
    threads = at_rate(gateway, THREADS, RATE, LOAD_S, look)
    threads += at_rate(gateway, ORDER_THREADS, ORDER_RATE, LOAD_S, order)
    time.sleep(KILL_S)
    victim.process.kill()
    killed = time.monotonic()
    victim.process.wait()
    for each in threads:
        each.join()
    failed = [each for each in done if each[2] != pb.RESULT_CODE_OK]
    held = [begun + took - killed for begun, took, code in done
            if begun + took > killed and (took > SLOW_S or code != pb.RESULT_CODE_OK)]
    after = [took for begun, took, _ in done if begun > killed]
    print('%d calls at %d/s, one of two processes killed: %d failed, the slowest afterwards %.1f ms'
          % (len(done), RATE, len(failed), max(after) * 1000), flush=True)
    made = [len(row['servers_ever'])
            for row in emulator.ask('GET', '/count?lab=shop')['tokens'].values()]
    wrong = abs(len(made) - len(ordered)) + sum(each != 1 for each in made)
    bad = sum(each != pb.RESULT_CODE_CREATED for each in ordered)
    print('%d creates beside them: %d failed, %d machines' % (len(ordered), bad, sum(made)), flush=True)
    return max(held, default=0.0), len(failed), bad, wrong


# ---- many ----

def register_many(client, endpoint):
    """Instances that all are the one process at the endpoint; they serve its cloud `far`."""
    listed = client.call('AdapterService/ListAdapters', pb.ListAdaptersRequest(name='sandbox'))
    like = next(each for each in listed.adapters
                if any(cloud.name == 'far' for cloud in each.instance.clouds))
    manifest = client.call('AdapterService/DescribeAdapter',
                           pb.DescribeAdapterRequest(name='sandbox')).adapter.manifest
    request = pb.RegisterAdapterRequest(
        name='sandbox', version=like.version, description=like.description, manifest=manifest,
        endpoints=[endpoint], weight=100, clouds=[pb.OfferedCloud(name='far')])
    begun = time.monotonic()
    for i in range(INSTANCES - 1):
        request.id = 'many-%d' % i
        client.call('AdapterService/RegisterAdapter', request, TOKEN)
    print('%d instances registered, %.2f ms each' % (
        INSTANCES - 1, (time.monotonic() - begun) * 1000 / (INSTANCES - 1)), flush=True)


def measure_heartbeats(gateway, client):
    """The share of a core that the gateway takes for them, beside what it takes without."""
    frames = [client.frame('AdapterService/RenewAdapter', pb.RenewAdapterRequest(
        name='sandbox', id='many-%d' % i), TOKEN) for i in range(INSTANCES - 1)]
    pace = HEARTBEAT_S / INSTANCES

    def beat(seconds):
        begun, cpu, n = time.monotonic(), gateway.cpu_s(), 0
        while time.monotonic() - begun < seconds:
            due = begun + n * pace
            if due > time.monotonic():
                time.sleep(due - time.monotonic())
            if pb.Reply.FromString(client.send(frames[n % len(frames)])).result.code != pb.RESULT_CODE_OK:
                raise RuntimeError('an instance is not known any more')
            n += 1
        return (gateway.cpu_s() - cpu) / (time.monotonic() - begun), n / (time.monotonic() - begun)
    used, rate = beat(BEATS_S)
    print('heartbeats of %d instances, %.0f/s: %.2f %% of a core' % (INSTANCES, rate, used * 100))
    return used


def main():
    emulator = openstack_emulator.Emulator()
    folder = tempfile.mkdtemp(prefix='isobar-bench-')
    daemons, cores = [], []
    try:
        lab = emulator.ask('POST', '/labs', {'name': 'shop'})
        client = start(folder, daemons, lab['auth_url'])
        sleepy = measure_added(client, 'cores that may sleep:')
        cores += awake()
        added = measure_added(client, 'cores that are awake:')
        while cores:
            cores[-1].kill()
            cores.pop().wait()
        failover, failed, bad, wrong = measure_failover(daemons[0], daemons[2], emulator)
        register_many(client, 'ipc://' + daemons[1].path)
        # Within the lease: nobody renews meanwhile.
        row = pairs(client, 'near', 'far')
        print('with %d instances: in the gateway %.1f us, behind it %.1f us, more by %.1f us (p50)'
              % (INSTANCES, *row), flush=True)
        beats = measure_heartbeats(daemons[0], client)
    finally:
        for each in cores:
            each.kill()
            each.wait()
        for each in reversed(daemons):
            each.stop()
        emulator.stop()
        shutil.rmtree(folder)
    print('figure: added_p50_us=%.1f added_sleepy_p50_us=%.1f failover_s=%.2f failed_idempotent=%d '
          'failed_creates=%d not_once=%d heartbeat_core=%.4f' % (
              added, sleepy, failover, failed, bad, wrong, beats))


if __name__ == '__main__':
    main()
