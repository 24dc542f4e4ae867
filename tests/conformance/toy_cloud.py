#!/usr/bin/python3
"""The toy adapter of adapters/examples for the conformance list, with faults: one process serves
the calls of `remote`, breaks the answers that it is told to break, and counts in its cloud. The
control port is that of emulated_cloud.py.

    toy_cloud.py
    {"server": "ipc:///tmp/.../toy.sock", "control": 41001}

It offers `toy`, which makes nothing twice under one operation's id, and `tardy`, which does. It
ends with 1, and says so, where a step was not one.
"""

import http.server
import json
import os
import shutil
import signal
import sys
import tempfile
import threading
import time

from emulated_cloud import handler_of

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'adapters',
                                'examples'))

import toy                                  # noqa: E402
import toy_machines                         # noqa: E402
from isobar_wire import Server, pb          # noqa: E402

SERVICE = 'isobar.v1.VmService/'
ORDER, FLAVORS = SERVICE + 'CreateVm', 'isobar.v1.FlavorService/ListFlavors'
ACTIONS = [SERVICE + each + 'Vm' for each in ('Start', 'Stop', 'Reboot', 'Suspend', 'Resume',
                                              'Resize', 'Delete')]
# A method, and how often (0: always). Those without are done by the cloud, see Cloud.
FAULTS = {
    'lost_reply': (ORDER, 1), 'late_commit': (ORDER, 1), 'hang': (ORDER, 1),
    'cut_body': (FLAVORS, 0), 'huge_body': (FLAVORS, 0), 'deep_body': (FLAVORS, 0),
    'slow_body': (FLAVORS, 0),
    'rate_limit': (None, 1), 'quota': (None, 0), 'capacity': (None, 0), 'unknown_state': (None, 0),
    'pages': (None, 0), 'none': (None, 0),
}
LATE_S, SETTLE_MS, HANG_S, GONE_S = 0.7, 1000, 10, 30
HUGE, DEEP, CHUNK = 100 << 20, 100000, 1 << 16
GROUP = b'\x0b'     # a group begins


class Armed:
    """The fault that there is now."""

    def __init__(self):
        self.lock, self.ended = threading.Lock(), threading.Event()
        self.name, self.left, self.hits = 'none', 0, 0

    def set(self, name):
        method, times = FAULTS[name]
        with self.lock:
            self.ended.set()
            self.ended = threading.Event()
            self.name, self.left, self.hits = name, times or sys.maxsize, 0

    def due(self, *names):
        """The name of one of them that is to happen now; it is done then."""
        with self.lock:
            if self.name not in names or self.left == 0:
                return None
            self.left -= 1
            self.hits += 1
            return self.name

    def due_to(self, method):
        return self.due(*(name for name, (of, _) in FAULTS.items() if of == method))


class Cloud(toy_machines.Cloud):
    """What is wrong with the cloud itself."""

    def __init__(self, armed):
        super().__init__(boot_s=0.1, pace_s=0.1)
        self.armed, self.about = armed, threading.local()

    def all(self):
        rows = super().all()
        if self.armed.due('unknown_state'):
            rows = [dict(row, state='FLABBERGASTED' if row['state'] == 'playing' else row['state'])
                    for row in rows]
        return rows

    def of_order(self, order, now):
        return None if getattr(self.about, 'forgetful', False) else super().of_order(order, now)

    def check_room(self, now):
        fault = self.armed.due('rate_limit', 'quota', 'capacity')
        if fault == 'rate_limit':
            raise toy_machines.Error('SlowDown', 'too many orders', 1000)
        if fault == 'quota':
            raise toy_machines.Error('BoxFull', 'no further machine is allowed')
        if fault == 'capacity':
            raise toy_machines.Error('NoRoom', 'there is no room for another')
        super().check_room(now)


class Toy(toy.Toy):
    """What is wrong with what the adapter does, and how a gateway asks it."""

    def __init__(self, armed):
        super().__init__('toy', '1.0.0', ['toy', 'tardy'], Cloud(armed))
        self.armed, self.wrong, self.about = armed, [], threading.local()

    def log(self, method, reply):
        pass    # nobody reads it, and a pipe gets full

    def get_cloud(self, asked):
        code, response = super().get_cloud(asked)
        if asked.cloud == 'tardy':
            response.cloud.traits.CopyFrom(pb.CloudTraits(settle_ms=SETTLE_MS))
        return code, response

    def create_vm(self, asked):
        """A cloud that remembers no orders is searched only where one may have got there before."""
        self.machines.about.forgetful = asked.cloud == 'tardy' and not asked.step.resumed
        return super().create_vm(asked)

    def page(self, asked, rows, response, field):
        if field == 'vms' and self.armed.due('pages'):
            asked.request.page_size = 1
        return super().page(asked, rows, response, field)

    def judge(self, asked):
        """A step bears its operation, names the machine by its id, and does not wait."""
        if asked.dry_run or asked.method not in [ORDER, *ACTIONS]:
            return
        step, id = asked.step, getattr(asked.request, 'id', '')
        named = not step.name_only and any(row['name'] == id for row in self.machines.all())
        if len(step.operation_id) != 36 or step.hops < 1 or asked.request.wait or named:
            self.wrong.append('%s of "%s", a step of "%s"' % (asked.method, id, step.operation_id))

    def open(self, call):
        asked = super().open(call)
        self.judge(asked)
        return asked

    def answer(self, data):
        fault = self.about.fault = self.armed.due_to(pb.Call.FromString(data).method)
        if fault == 'hang':
            self.armed.ended.wait(HANG_S)
        elif fault == 'late_commit':
            threading.Timer(LATE_S, super().answer, [data]).start()
        elif fault == 'lost_reply':
            super().answer(data)
        if fault in ('hang', 'late_commit', 'lost_reply'):
            raise ConnectionError('as ordered: ' + fault)
        return super().answer(data)


class BadServer(Server):
    """What is wrong with the bytes of an answer."""

    def __init__(self, url, adapter):
        super().__init__(url, adapter.answer)
        self.about, self.armed = adapter.about, adapter.armed

    def reply(self, line, data):
        fault = self.about.fault
        if fault == 'deep_body':
            reply = pb.Reply.FromString(data[4:])
            reply.body = GROUP * DEEP
            line.send(data[:4] + reply.SerializeToString())
        elif fault == 'cut_body':
            line.socket.sendall(line.head(len(data)) + data[:len(data) // 2])
        elif fault == 'huge_body':
            line.socket.sendall(line.head(HUGE) + data[:4])
            for _ in range(HUGE // CHUNK):
                line.socket.sendall(bytes(CHUNK))
        elif fault == 'slow_body':
            line.socket.sendall(line.head(len(data)))
            for at in range(len(data)):
                line.socket.sendall(data[at:at + 1])
                self.armed.ended.wait(0.1)
        else:
            line.send(data)
        if fault in ('cut_body', 'huge_body'):
            raise ConnectionError('as ordered: ' + fault)


class Control:
    def __init__(self, adapter):
        self.machines, self.armed = adapter.machines, adapter.armed

    def of(self, token):
        return [row['id'] for row in self.machines.all() if token and row['order'] == token]

    def drop(self, token):
        """By who owns the cloud; how many are left."""
        for each in self.of(token):
            self.machines.delete(each)
        until = time.monotonic() + GONE_S
        while self.of(token) and time.monotonic() < until:
            time.sleep(0.02)
        return len(self.of(token))

    def answer(self, method, path, fields):
        token = fields.get('token', '')
        if (method, path) == ('POST', '/arm'):
            self.armed.set(fields['fault'])
            return {'count': 1}
        if (method, path) == ('DELETE', '/rules'):
            self.armed.set('none')
            return {'count': 0}
        if (method, path) == ('GET', '/hits'):
            return {'count': self.armed.hits}
        if (method, path) == ('GET', '/machines'):
            found = self.of(token)
            return dict({'count': len(found)}, **({'id': found[-1]} if found else {}))
        if (method, path) == ('DELETE', '/machines'):
            return {'count': self.drop(token)}
        if path == '/things':       # a machine is all that an order makes
            return {'count': 0}
        raise ValueError('there is no %s %s' % (method, path))


def main():
    ending = threading.Event()
    for each in signal.SIGTERM, signal.SIGINT:
        signal.signal(each, lambda *args: ending.set())
    adapter, folder = Toy(Armed()), tempfile.mkdtemp(prefix='isobar-conformance.')
    server = BadServer('ipc://%s/toy.sock' % folder, adapter)
    server.start()
    control = http.server.ThreadingHTTPServer(('127.0.0.1', 0), handler_of(Control(adapter)))
    threading.Thread(target=control.serve_forever, daemon=True).start()
    print(json.dumps({'server': server.url, 'control': control.server_address[1]}), flush=True)
    ending.wait()
    adapter.armed.set('none')
    control.shutdown()
    control.server_close()
    server.stop(GONE_S)
    shutil.rmtree(folder)
    if adapter.wrong:
        sys.exit('steps that were none: %s' % adapter.wrong[:5])


if __name__ == '__main__':
    main()
