"""The wire of Isobar in Python: the classes of protobuf's messages, and nng's REQ/REP protocol as a
client and as a server.

Needs the protobuf package (Debian: python3-protobuf). The messages come from $ISOBAR_DESCRIPTORS, a
set of descriptors; else from the .proto files of this checkout or of an installed Isobar, by protoc
(Debian: protobuf-compiler); else from what a build of this checkout has left.
"""

import glob
import os
import shutil
import socket
import stat
import subprocess
import tempfile
import threading
import urllib.parse

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

CHECKOUT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROTO_FOLDERS = [os.path.join(CHECKOUT, 'proto'), '/usr/local/share/isobar/proto',
                 '/usr/share/isobar/proto']
PORT = 7461
HELLO_REQ, HELLO_REP = b'\0SP\0\0\x30\0\0', b'\0SP\0\0\x31\0\0'
MESSAGE_MAX = 4 << 20
BACKTRACE_MAX = 16 * 4
CONNECTIONS_MAX = 256
# Who has begun to say something, or to listen, is given so long for it.
PATIENCE_S = 30


# ---- messages ----

def descriptors():
    """A serialised FileDescriptorSet of the whole protocol."""
    named = os.environ.get('ISOBAR_DESCRIPTORS')
    folder = next((each for each in PROTO_FOLDERS if os.path.isdir(each + '/isobar/v1')), None)
    built = glob.glob(CHECKOUT + '/build/*/proto/gen/isobar.binpb')
    if not named and folder and shutil.which('protoc'):
        with tempfile.TemporaryDirectory() as scratch:
            out = os.path.join(scratch, 'isobar.binpb')
            subprocess.run(['protoc', '-I.', '--include_imports', '--descriptor_set_out=' + out,
                            *sorted(glob.glob('isobar/v1/*.proto', root_dir=folder))],
                           cwd=folder, check=True)
            with open(out, 'rb') as f:
                return f.read()
    if not named and not built:
        raise SystemExit('the protocol is not to be found: install protoc, or set '
                         'ISOBAR_DESCRIPTORS to an isobar.binpb')
    with open(named or max(built, key=os.path.getmtime), 'rb') as f:
        return f.read()


class Protocol:
    """pb.Vm is the class of isobar.v1.Vm, pb.VM_STATE_RUNNING a value of an enum."""

    def __init__(self):
        files = descriptor_pb2.FileDescriptorSet.FromString(descriptors())
        pool = descriptor_pool.DescriptorPool()
        self.methods = {}       # "isobar.v1.VmService/GetVm": (class of request, of response)
        for each in files.file:
            pool.Add(each)
        found = [pool.FindFileByName(each.name) for each in files.file
                 if each.package == 'isobar.v1']
        # protobuf 4.22 has a function for it, and protobuf 6 nothing else.
        make = getattr(message_factory, 'GetMessageClass', None) or \
            message_factory.MessageFactory(pool).GetPrototype
        for file in found:
            for name, enum in file.enum_types_by_name.items():
                setattr(self, name, enum)
                for value in enum.values:
                    setattr(self, value.name, value.number)
            for name, message in file.message_types_by_name.items():
                setattr(self, name, make(message))
        for service in (each for file in found for each in file.services_by_name.values()):
            for method in service.methods:
                self.methods['%s/%s' % (service.full_name, method.name)] = (
                    make(method.input_type), make(method.output_type))

    def code_name(self, code):
        """NOT_FOUND of RESULT_CODE_NOT_FOUND."""
        value = self.ResultCode.values_by_number.get(code)
        return value.name[len('RESULT_CODE_'):] if value else str(code)


pb = Protocol()


# ---- a connection ----

def split_url(url):
    """(path of a local socket, None) or (None, (host, port))"""
    parts = urllib.parse.urlsplit(url)
    if parts.scheme == 'ipc' and parts.path:
        return parts.path, None
    if parts.scheme == 'tcp' and parts.hostname:
        return None, (parts.hostname, PORT if parts.port is None else parts.port)
    raise ValueError('%r is neither ipc:///PATH nor tcp://HOST:PORT' % url)


class Line:
    """One connection: handshakes, and whole messages."""

    def __init__(self, end, local, mine, theirs):
        self.socket, self.stream = end, end.makefile('rb')
        # nng puts a byte before each length on local sockets.
        self.prefix = b'\x01' if local else b''
        end.settimeout(PATIENCE_S)
        if not local:
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            end.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        end.sendall(mine)
        if self.read(len(theirs)) != theirs:
            raise ConnectionError('the other side does not speak this protocol')

    def read(self, size):
        data = self.stream.read(size)
        if len(data) < size:
            raise ConnectionError('the other side closed the connection')
        return data

    def head(self, size):
        """What stands before a message of this size."""
        return self.prefix + size.to_bytes(8, 'big')

    def send(self, data):
        self.socket.sendall(self.head(len(data)) + data)

    def receive(self):
        head = self.read(len(self.prefix) + 8)
        size = int.from_bytes(head[-8:], 'big')
        if not head.startswith(self.prefix) or not 4 <= size <= MESSAGE_MAX:
            raise ConnectionError('the other side sends what is no message, or too large a one')
        return self.read(size)

    def receive_some_day(self):
        """The same, and nothing need come for ever."""
        self.socket.settimeout(None)
        self.stream.peek(1)
        self.socket.settimeout(PATIENCE_S)
        return self.receive()

    def close(self):
        try:
            self.socket.shutdown(socket.SHUT_RDWR)      # wakes who reads
        except OSError:
            pass
        self.stream.close()
        self.socket.close()


class Client:
    """Asks a gateway, one call at a time; connects anew where the connection has broken."""

    def __init__(self, url):
        self.url, self.line, self.requests = url, None, 0
        self.path, self.address = split_url(url)

    def connect(self, timeout_s):
        if not self.path:
            return Line(socket.create_connection(self.address, timeout_s), False,
                        HELLO_REQ, HELLO_REP)
        end = socket.socket(socket.AF_UNIX)
        try:
            end.settimeout(timeout_s)
            end.connect(self.path)
            return Line(end, True, HELLO_REQ, HELLO_REP)
        except BaseException:
            end.close()
            raise

    def exchange(self, data, timeout_s):
        """The answer's bytes; OSError where there is none."""
        try:
            self.line = self.line or self.connect(timeout_s)
            self.line.socket.settimeout(timeout_s)
            self.requests += 1
            request_id = (0x80000000 | self.requests).to_bytes(4, 'big')
            self.line.send(request_id + data)
            while True:
                answer = self.line.receive()
                if answer[:4] == request_id:
                    return answer[4:]
        except OSError:
            self.close()
            raise

    def close(self):
        if self.line:
            self.line.close()
        self.line = None


# ---- a server ----

class Server:
    """Listens, and gives each message to `answer`, a function from bytes to bytes; a thread a
    connection. Where that raises ConnectionError the connection ends without an answer."""

    def __init__(self, url, answer):
        self.answer = answer
        self.lines, self.busy, self.changed = set(), 0, threading.Condition()
        self.path, address = split_url(url)
        if self.path:
            self.listener, self.url = self.listen_local(), url
            self.inode = os.stat(self.path).st_ino
        else:
            six = ':' in address[0]
            self.listener = socket.create_server(
                address, backlog=128, family=socket.AF_INET6 if six else socket.AF_INET)
            self.url = ('tcp://[%s]:%d' if six else 'tcp://%s:%d') % (
                address[0], self.listener.getsockname()[1])

    def listen_local(self):
        listener = socket.socket(socket.AF_UNIX)
        if self.is_stale():
            os.unlink(self.path)
        before = os.umask(0o177)        # only this user may ever open it
        try:
            listener.bind(self.path)
        finally:
            os.umask(before)
        listener.listen(128)
        return listener

    def is_stale(self):
        """A socket is there that nobody listens to any more."""
        try:
            if not stat.S_ISSOCK(os.stat(self.path).st_mode):
                return False
            with socket.socket(socket.AF_UNIX) as probe:
                probe.connect(self.path)
        except ConnectionRefusedError:
            return True
        except FileNotFoundError:
            pass
        return False

    def start(self):
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                end, _ = self.listener.accept()
            except OSError:             # stop() has closed it
                return
            with self.changed:
                full = len(self.lines) >= CONNECTIONS_MAX
            if full:
                end.close()
            else:
                threading.Thread(target=self.serve, args=[end], daemon=True).start()

    def serve(self, end):
        line = None
        try:
            line = Line(end, self.path is not None, HELLO_REP, HELLO_REQ)
            with self.changed:
                self.lines.add(line)
            while True:
                self.serve_one(line, line.receive_some_day())
        except (OSError, ValueError):   # ValueError: stop() has closed it
            pass
        finally:
            with self.changed:
                self.lines.discard(line)
            (line or end).close()

    def serve_one(self, line, message):
        # Words of those who have handed it on, then the request's id, which alone has the top bit.
        n = next((n for n in range(4, min(len(message), BACKTRACE_MAX) + 1, 4)
                  if message[n - 4] & 0x80), 0)
        if n == 0:
            raise ConnectionError('a message without a request id')
        with self.changed:
            self.busy += 1
        try:
            self.reply(line, message[:n] + self.answer(message[n:]))
        finally:
            with self.changed:
                self.busy -= 1
                self.changed.notify_all()

    def reply(self, line, data):
        line.send(data)

    def stop(self, timeout_s):
        """End when what has been asked is answered."""
        self.listener.shutdown(socket.SHUT_RDWR)        # wakes accept()
        self.listener.close()
        with self.changed:
            self.changed.wait_for(lambda: self.busy == 0, timeout_s)
            lines = list(self.lines)
        for line in lines:
            line.close()
        if self.path and os.path.exists(self.path) and os.stat(self.path).st_ino == self.inode:
            os.unlink(self.path)
