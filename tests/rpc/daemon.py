"""A gateway with further listeners, and what its process costs: descriptors, memory, time."""

import os
import socket
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'cloud'))

import gateway  # noqa: E402

HELLO = b'\0SP\0\0\x30\0\0'
SETTLE_S = 30


def free_port():
    with socket.create_server(('127.0.0.1', 0)) as s:
        return s.getsockname()[1]


def sanitized():
    with open(os.path.join(gateway.BUILD, 'CMakeCache.txt')) as f:
        return any(line.startswith('ISOBAR_SANITIZE:') and line.strip()[-1] != '=' for line in f)


def eventually(what, condition):
    until = time.monotonic() + SETTLE_S
    while not condition():
        if time.monotonic() > until:
            raise AssertionError('not within %d s: %s' % (SETTLE_S, what))
        time.sleep(0.01)


class Daemon(gateway.Gateway):
    """isobard on a local socket and on what `listen` has; {folder} in it and in the configuration
    is the folder that goes with the daemon, in which `prepare` may put files first."""

    def __init__(self, config, listen=(), prepare=None):
        self.folder = tempfile.mkdtemp(prefix='isobar-test.')
        self.socket_path = os.path.join(self.folder, 'isobar.sock')
        self.url = 'ipc://' + self.socket_path
        self.messages = gateway.Messages()
        if prepare:
            prepare(self.folder)
        path = os.path.join(self.folder, 'isobard.yaml')
        # The local socket is the last: once that answers, the others do too.
        with open(path, 'w') as f:
            f.write('state_dir: %s\nlisten: [%s]\n%s' % (
                self.folder, ', '.join([*listen, self.url]).replace('{folder}', self.folder),
                config.replace('{folder}', self.folder)))
        self.log = open(os.path.join(self.folder, 'log'), 'w+')
        self.process = subprocess.Popen([gateway.ISOBARD, '--config', path],
                                        stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        eventually('isobard answers, or has ended',
                   lambda: self.process.poll() is not None or self.answers())
        if self.process.poll() is not None:
            self.stop()
            raise AssertionError('isobard did not start')

    def descriptors(self):
        return len(os.listdir('/proc/%d/fd' % self.process.pid))

    def memory_kib(self, what='VmRSS'):
        with open('/proc/%d/status' % self.process.pid) as f:
            for line in f:
                if line.startswith(what + ':'):
                    return int(line.split()[1])
        raise AssertionError('no %s' % what)

    def reset_peak(self):
        """From now on VmHWM is the most since now."""
        with open('/proc/%d/clear_refs' % self.process.pid, 'w') as f:
            f.write('5')

    def serialised(self, method, request=None, token='', timeout_ms=10000):
        """A Call's bytes; a request that is bytes is taken as it is."""
        call = self.messages.new('isobar.v1.Call')
        call.method, call.timeout_ms, call.token = method, timeout_ms, token
        call.body = request if isinstance(request, bytes) else self.messages.new(
            self.messages.of_method(method)[0], request).SerializeToString()
        return call.SerializeToString()

    def result_of(self, reply):
        """The Result in a Reply's bytes."""
        message = self.messages.new('isobar.v1.Reply')
        message.ParseFromString(reply)
        return self.plain(message.result)

    def timed(self, method, request, timeout_ms=120000):
        """A call, and the seconds that it took."""
        begun = time.monotonic()
        result, response = self.call(method, request, timeout_ms)
        return result, response, time.monotonic() - begun


def frame(message, ipc, request_id=1):
    """A message as it goes over the wire."""
    data = struct.pack('>I', 0x80000000 | request_id) + message
    return (b'\x01' if ipc else b'') + struct.pack('>Q', len(data)) + data


def read_all(s):
    """Until the other side ends, however it does that."""
    data = b''
    try:
        while True:
            more = s.recv(65536)
            if not more:
                return data
            data += more
    except ConnectionResetError:
        return data


def read_frame(s, ipc):
    """The payload of one message, without its request id."""
    head = gateway.Gateway.receive(s, 9 if ipc else 8)
    length, = struct.unpack('>Q', head[-8:])
    return gateway.Gateway.receive(s, length)[4:]
