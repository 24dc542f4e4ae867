"""Gateways and adapters of a test's own, each a process in a folder that goes with it, and calls to
them.

ISOBAR_BUILD says where the build is. Processes are those of tests/rpc/daemon.py, the wire is that
of adapters/examples.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
EXAMPLES = os.path.join(HERE, '..', '..', 'adapters', 'examples')
sys.path[:0] = [os.path.join(HERE, '..', 'rpc'), EXAMPLES]

import daemon  # noqa: E402
import gateway  # noqa: E402
from daemon import eventually, free_port, sanitized  # noqa: E402, F401

os.environ.setdefault('ISOBAR_DESCRIPTORS',
                      os.path.join(gateway.BUILD, 'proto', 'gen', 'isobar.binpb'))

from isobar_wire import Client, pb  # noqa: E402

# Nothing fails for being slow: sanitizers are, and so are two cores that do other things too.
daemon.SETTLE_S = 120
CALL_S = 60
LEASE_S, HEARTBEAT_S = 10, 3

UP, DRAINING, OUT = (pb.ADAPTER_STATUS_UP, pb.ADAPTER_STATUS_DRAINING,
                     pb.ADAPTER_STATUS_OUT_OF_SERVICE)
# (name, role, adapters); the token of each is in a file of its own.
USERS = [('toys', 'adapter', 'toy'), ('others', 'adapter', 'toy'), ('gadgets', 'adapter', 'gadget'),
         ('anything', 'adapter', '*'), ('look', 'reader', ''), ('work', 'operator', ''),
         ('chief', 'admin', '')]


def sandboxes(*names, more='', **settings):
    """`clouds` of a configuration: those, which are fast, and what `more` says."""
    settings = dict({'boot_ms': 100, 'pace_ms': 50}, **settings)
    text = ', '.join('%s: %s' % each for each in settings.items())
    return 'clouds: {%s}\n' % ', '.join(
        ['%s: {adapter: sandbox, %s}' % (name, text) for name in names] + [more] * bool(more))


BOX = sandboxes('box')


def token(user):
    return 'CANARY-of-' + user


def token_file(folder, user):
    return os.path.join(folder, 'token-' + user)


def write_tokens(folder):
    for user, _, _ in USERS:
        with open(os.open(token_file(folder, user), os.O_CREAT | os.O_WRONLY, 0o600), 'w') as f:
            f.write(token(user) + '\n')


def users_config():
    return 'users:\n' + ''.join(
        '  - {name: %s, role: %s, token_file: "{folder}/token-%s"%s}\n' % (
            name, role, name, ', adapters: ["%s"]' % adapters if adapters else '')
        for name, role, adapters in USERS)


# ---- calls ----

class Answer:
    """What a call has got: the code's name, the Result, the response."""

    def __init__(self, reply, response):
        self.result, self.code = reply.result, pb.code_name(reply.result.code)
        self.response = response.FromString(reply.body)

    def fields(self):
        return {each.field for each in self.result.violations}

    def __str__(self):
        return '%s: %s %s' % (self.code, self.result.detail, sorted(self.fields()))


class Asker:
    """Calls to a gateway over one connection, one after the other."""

    def __init__(self, url, token='', client=None):
        self.client, self.token = client or Client(url), token

    def __del__(self):
        self.client.close()

    def ask(self, method, request=None, timeout_s=CALL_S, request_id='', **fields):
        """`request` may be bytes; else it is made of the fields."""
        method = 'isobar.v1.' + method
        types = pb.methods[method]
        if not isinstance(request, bytes):
            request = (request or types[0](**fields)).SerializeToString()
        call = pb.Call(method=method, token=self.token, request_id=request_id, body=request,
                       timeout_ms=int(timeout_s * 1000))
        data = self.client.exchange(call.SerializeToString(), timeout_s + 60)
        return Answer(pb.Reply.FromString(data), types[1])

    def ok(self, method, request=None, **more):
        """The response of a call that has to succeed."""
        answer = self.ask(method, request, **more)
        if answer.code not in ('OK', 'CREATED', 'DELETED', 'CHANGED'):
            raise AssertionError('%s: %s' % (method, answer))
        return answer.response

    # ---- what tests ask for again and again ----

    def adapters(self, name='toy'):
        """{id: AdapterInstance} of an adapter, with what is known of it."""
        found = self.ok('AdapterService/ListAdapters', name=name).adapters
        return {each.instance.id: each.instance for each in found if each.HasField('instance')}

    def clouds(self):
        return [each.name for each in self.ok('CloudService/ListClouds').clouds]

    def machines(self, cloud=''):
        """Of one cloud, or of all that there are."""
        return list(self.ok('VmService/ListVms', cloud=cloud).vms)

    def create(self, name, cloud='toy', image='bear', flavor='small', **more):
        spec = pb.VmSpec(name=name, image_id=image, flavor_name=flavor)
        return self.ask('VmService/CreateVm', cloud=cloud, spec=spec, **more)

    def created(self, name, cloud='toy', **more):
        """The id of a machine that runs."""
        answer = self.create(name, cloud, wait=pb.WAIT_RUNNING, **more)
        if answer.code != 'CREATED':
            raise AssertionError('create: %s' % answer)
        return answer.response.vm.id

    def set(self, id, name='toy', status=0, **weight):
        return self.ask('AdapterService/SetAdapterStatus', name=name, id=id, status=status,
                        **weight)


# ---- processes ----

class Gateway(daemon.Daemon):
    """isobard that may be killed and started again on its state. `admin` asks it through the local
    socket, in one thread at a time."""

    def __init__(self, config=BOX, listen=(), prepare=None, more_users=''):
        def fill(folder):
            write_tokens(folder)
            if prepare:
                prepare(folder)
        super().__init__(config + users_config() + more_users, listen, fill)
        self.admin = self.asker()

    def asker(self, user=None):
        return Asker(self.url, token(user) if user else '')

    def token_file(self, user):
        return token_file(self.folder, user)

    def start(self):
        self.process = subprocess.Popen(
            [gateway.ISOBARD, '--config', os.path.join(self.folder, 'isobard.yaml')],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        self.admin = self.asker()
        eventually('isobard answers again, or has ended',
                   lambda: self.process.poll() is not None or self.answers())

    def end(self, signal_number=signal.SIGTERM):
        self.process.send_signal(signal_number)
        self.process.wait(CALL_S)

    def restart(self, signal_number=signal.SIGTERM):
        self.end(signal_number)
        self.start()

    def events(self, event):
        """The lines of the log that tell of such an event."""
        return [line for line in self.said().splitlines() if '"event":"%s"' % event in line]


class Toy:
    """adapters/examples/toy.py, known to a gateway as `id`."""

    def __init__(self, folder, parent, id, *args, cloud='toy', state='toys.json'):
        self.id, self.cloud, self.url = id, cloud, 'ipc://%s/%s.sock' % (folder, id)
        self.log = os.path.join(folder, id + '.log')
        self.args = [sys.executable, os.path.join(EXAMPLES, 'toy.py'), '--listen', self.url,
                     '--gateway', parent.url, '--token-file', parent.token_file('toys'),
                     '--id', id, '--cloud', cloud, '--state', os.path.join(folder, state),
                     '--boot-ms', '100', '--pace-ms', '50', *args]
        self.parent = parent
        self.start()

    def start(self):
        with open(self.log, 'a') as log:
            self.process = subprocess.Popen(self.args, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log)
        eventually('%s serves, or has ended' % self.id,
                   lambda: self.process.poll() is not None or self.is_up())

    def is_up(self):
        """As this process, and not as one before it."""
        here = self.parent.admin.adapters().get(self.id)
        return here is not None and here.metadata['pid'] == str(self.process.pid) and \
            self.cloud in self.parent.admin.clouds()

    def said(self):
        with open(self.log, errors='replace') as f:
            return f.read()

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        """As an init system does; it has to end well."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(CALL_S)
            except subprocess.TimeoutExpired:
                self.kill()
        if self.process.returncode not in (0, -signal.SIGKILL):
            raise AssertionError('%s ended with %s:\n%s' % (self.id, self.process.returncode,
                                                            self.said()))


class Case(unittest.TestCase):
    """What it starts ends with the test, the last first."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix='isobar-registry.')
        self.addCleanup(shutil.rmtree, self.folder)

    def gateway(self, config=BOX, **more):
        started = Gateway(config, **more)
        self.addCleanup(started.stop)
        return started

    def child(self, parent, clouds=sandboxes('far'), more='', register=''):
        """A gateway that offers its clouds to another one."""
        return self.gateway('%sregister: {gateway: "%s", token_file: "%s"%s}\n%s' % (
            clouds, parent.url, parent.token_file('anything'), register, more))

    def toy(self, parent, id='toy-a', *args, **more):
        started = Toy(self.folder, parent, id, *args, **more)
        self.addCleanup(started.stop)
        return started

    def gets(self, answer, code, *fields):
        """The answer has the code, and names these fields as wrong."""
        self.assertEqual(answer.code, code, str(answer))
        self.assertLessEqual(set(fields), answer.fields(), str(answer))
        return answer

    def wait_for(self, what, condition):
        eventually(what, lambda: time.sleep(0.03) or condition())


def at_once(*works):
    """Run functions in threads, and raise what one of them has raised."""
    failed = []

    def run(work):
        try:
            work()
        except Exception as error:
            failed.append(error)
    threads = [threading.Thread(target=run, args=[each]) for each in works]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    if failed:
        raise failed[0]


class SideBySide(unittest.TestSuite):
    """Tests that wait most of their time: all run at once, each in a thread."""

    def run(self, result, debug=False):
        tests, own = list(flat(self)), []
        for test in tests:
            own.append(unittest.TestResult())
        at_once(*[lambda t=test, r=one: t.run(r) for test, one in zip(tests, own)])
        for one in own:
            result.testsRun += one.testsRun
            for name in 'failures', 'errors', 'skipped', 'unexpectedSuccesses':
                getattr(result, name).extend(getattr(one, name))
        return result


def flat(suite):
    for each in suite:
        if isinstance(each, unittest.TestSuite):
            yield from flat(each)
        else:
            yield each


def side_by_side(loader, tests, pattern):
    """What a file of such tests has as its load_tests."""
    return SideBySide(flat(tests))
