"""Registrants that are no process: what one says to a gateway, and a thread that renews for as many
as are wanted. What they offer is served by a thread, well or not at all.
"""

import threading

from fixture import HEARTBEAT_S, Asker, token
from isobar_wire import PATIENCE_S, Server, pb
import toy
import toy_machines


class Quiet(toy.Toy):

    def log(self, method, reply):
        pass


def nursery():
    """An adapter with a cloud of its own."""
    return Quiet('toy', '1.0.0', ['toy'], toy_machines.Cloud(boot_s=0.1, pace_s=0.05))


GOOD = nursery()
NOWHERE = 'ipc:///nonexistent/isobar.sock'


def offer(id='one', name='toy', version='1.0.0', clouds=('toy',), endpoints=(NOWHERE,), **more):
    """A registration in order, but for what `more` says otherwise."""
    manifest = GOOD.manifest()
    manifest.methods.extend(GOOD.methods())
    fields = dict(name=name, id=id, version=version, description='A test.', manifest=manifest,
                  endpoints=endpoints,
                  clouds=[pb.OfferedCloud(name=each, traits=GOOD.traits()) for each in clouds])
    fields.update(more)
    return pb.RegisterAdapterRequest(**fields)


def register(asker, *args, **more):
    return asker.ask('AdapterService/RegisterAdapter', offer(*args, **more))


def registered(asker, *args, **more):
    return asker.ok('AdapterService/RegisterAdapter', offer(*args, **more)).instance


def renew(asker, id='one', name='toy'):
    return asker.ask('AdapterService/RenewAdapter', name=name, id=id)


def deregister(asker, id='one', name='toy'):
    return asker.ask('AdapterService/DeregisterAdapter', name=name, id=id)


class Hearts:
    """Renews those of `ids` until they are taken out; a gateway that is away is tried again."""

    def __init__(self, gateway, ids, user='toys', name='toy'):
        self.url, self.user, self.name = gateway.url, user, name
        self.ids, self.ended, self.codes = list(ids), threading.Event(), []
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        asker = Asker(self.url, token(self.user))
        while not self.ended.is_set():
            try:
                self.codes += [renew(asker, id, self.name).code for id in list(self.ids)]
                pause = HEARTBEAT_S - 0.5
            except OSError:
                pause = 0.2
            self.ended.wait(pause)
        asker.client.close()

    def stop(self):
        self.ended.set()
        self.thread.join()


# ---- who serves badly ----

class Rubbish(Server):
    """Answers every request at once, with what is no reply."""

    def reply(self, line, data):
        line.send(data[:4] + b'\xff\x00rubbish' * 50)


class Latin(Server):
    """Names each machine `teddy` by bytes that are no text."""

    def reply(self, line, data):
        line.send(data.replace(b'teddy', b'\xff\xfeddy'))


class Mute(Server):
    """Takes every request, and answers none."""

    def reply(self, line, data):
        pass


class Huge(Server):
    """Announces a gigabyte, and sends the beginning of it."""

    def reply(self, line, data):
        line.socket.sendall(line.head(1 << 30) + data[:4])
        line.socket.sendall(bytes(1 << 20))


class Noise(Server):
    """Speaks no protocol that we know behind the greeting."""

    def reply(self, line, data):
        line.socket.sendall(b'HTTP/1.1 400 Bad Request\r\n\r\n' * 20)


class Deaf(Server):
    """Accepts a connection, and does not even greet."""

    def serve(self, end):
        with end:
            end.settimeout(PATIENCE_S)
            try:
                while end.recv(4096):
                    pass
            except OSError:
                pass


class Liar(Quiet):
    """Answers an order with a success that says nothing, in one way after the other; every second
    one of each is carried out."""

    WAYS = [('CREATED', {}), ('CREATED', {'vm': pb.Vm(name='nobody')}), ('OK', {}),
            ('DELETED', {'vm': pb.Vm(id='toy-none')}), ('CHANGED', {'vm': pb.Vm(id='toy-none')})]
    orders, done = 0, 0         # one order comes after the other

    def create_vm(self, asked):
        n, self.orders = self.orders, self.orders + 1
        if n % 2:
            super().create_vm(asked)
            self.done += 1
        code, said = self.WAYS[n // 2 % len(self.WAYS)]
        return code, pb.CreateVmResponse(**said)


def liar():
    return Liar('toy', '1.0.0', ['toy'], toy_machines.Cloud(boot_s=0.1, pace_s=0.05))


def serve(test, kind, id, adapter=None):
    """It ends with the test, or before."""
    server = kind('ipc://%s/%s.sock' % (test.folder, id), (adapter or nursery()).answer)
    test.addCleanup(end, server)
    server.start()
    return server


def end(server):
    """Closed connections, whatever has not been answered."""
    if server.listener.fileno() >= 0:
        server.stop(0)
