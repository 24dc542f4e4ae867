#!/usr/bin/python3
"""Thousands of clients of each kind that no server likes, against the real daemon: every one gets
what it deserves, no descriptor and no memory is left of them, and a proper client is served as
before.

ISOBAR_ABUSE_COUNT says how many of each kind (10,000).
"""

import os
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time
import unittest

from daemon import (HELLO, Daemon, eventually, frame, free_port, read_all, read_frame, sanitized,
                    SETTLE_S)

COUNT = int(os.environ.get('ISOBAR_ABUSE_COUNT', '10000'))
AT_ONCE = 50
WARM_UP = 5                 # a part of COUNT: the allocator has its pools then
SLACK_KIB = 4096            # what it may keep in excess
MESSAGE_MAX = 4 << 20
READERLESS = 8
UNSENT_MAX = 1 << 20
FRAME_MS = 700

CONFIG = '''
log_level: error
limits: {message_max: %d, unsent_max: %d, frame_timeout: %dms, handshake_timeout: %dms}
clouds:
  box: {adapter: sandbox}
  slow: {adapter: sandbox, latency_ms: 100, max_in_flight: 64, max_queued: 100000}
''' % (MESSAGE_MAX, UNSENT_MAX, FRAME_MS, FRAME_MS)

GOOD = 'isobar.v1.FlavorService/ListFlavors'
RESET = struct.pack('ii', 1, 0)


def reset(s):
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    s.close()


class Wire:
    """How to reach the daemon, and what one sends there."""

    def __init__(self, daemon, port=None):
        self.daemon, self.port, self.ipc = daemon, port, port is None
        self.name = 'ipc' if self.ipc else 'tcp'
        self.dialled = 0
        self.good = self.frame(daemon.serialised(GOOD, {'cloud': 'box'}))
        self.slow = self.frame(daemon.serialised(GOOD, {'cloud': 'slow'}))

    def frame(self, message, request_id=1):
        return frame(message, self.ipc, request_id)

    def length(self, n):
        return (b'\x01' if self.ipc else b'') + struct.pack('>Q', n)

    def dial(self):
        if self.ipc:
            s = socket.socket(socket.AF_UNIX)
            s.connect(self.daemon.socket_path)
        else:
            # Many source addresses, so that ports in TIME_WAIT do not run out.
            self.dialled += 1
            s = socket.socket()
            s.setsockopt(socket.IPPROTO_IP, 24, 1)      # IP_BIND_ADDRESS_NO_PORT
            s.bind(('127.0.0.%d' % (2 + self.dialled % 200), 0))
            s.connect(('127.0.0.1', self.port))
        s.settimeout(30)
        return s


def say(what, end=socket.socket.close):
    """A pattern: what(wire) is sent, then the connection ends."""
    def run(test, wire, s):
        s.sendall(what(wire))
        yield
        end(s)
    return run


def turned_away(what):
    """A pattern: the daemon closes the connection, and answers nothing."""
    def run(test, wire, s):
        s.sendall(what(wire))
        yield
        test.assertIn(read_all(s), (b'', HELLO.replace(b'\x30', b'\x31')))
        s.close()
    return run


def cut_short(what):
    """A pattern: the client ends its half in the middle; nobody is to answer that."""
    def run(test, wire, s):
        s.sendall(what(wire))
        s.shutdown(socket.SHUT_WR)
        yield
        test.assertIn(read_all(s), (b'', HELLO.replace(b'\x30', b'\x31')))
        s.close()
    return run


def answered(message, code, half_close=False):
    """A pattern: message(wire), a serialised Call, is answered with a code."""
    def run(test, wire, s):
        s.sendall(HELLO + wire.frame(message(wire)))
        if half_close:
            s.shutdown(socket.SHUT_WR)
        yield
        wire.daemon.receive(s, len(HELLO))
        result = wire.daemon.result_of(read_frame(s, wire.ipc))
        test.assertEqual(result.get('code'), 'RESULT_CODE_' + code, result)
        if half_close:
            test.assertEqual(read_all(s), b'')
        s.close()
    return run


def good_call(wire):
    return wire.daemon.serialised(GOOD, {'cloud': 'box'})


PATTERNS = [
    ('connect and vanish', say(lambda w: b'')),
    ('reset at once', say(lambda w: b'', reset)),
    ('garbage', turned_away(lambda w: b'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')),
    ('zeros', turned_away(lambda w: bytes(100))),
    ('another protocol of nng', turned_away(lambda w: b'\0SP\0\0\x10\0\0')),
    ('half a handshake', say(lambda w: HELLO[:5])),
    ('half a handshake, reset', say(lambda w: HELLO[:5], reset)),
    ('half a length', say(lambda w: HELLO + w.good[:4])),
    ('half a frame', say(lambda w: HELLO + w.good[:-3])),
    ('half a frame, reset', say(lambda w: HELLO + w.good[:-3], reset)),
    ('4 GiB', turned_away(lambda w: HELLO + w.length(1 << 32) + b'abcd')),
    ('2^63', turned_away(lambda w: HELLO + w.length(1 << 63) + b'abcd')),
    ('2^64 - 1', turned_away(lambda w: HELLO + w.length((1 << 64) - 1) + b'abcd')),
    ('a byte more than allowed', turned_away(lambda w: HELLO + w.length(MESSAGE_MAX + 1) + b'ab')),
    ('an empty frame', turned_away(lambda w: HELLO + w.length(0))),
    ('no request id', turned_away(lambda w: HELLO + w.length(8) + b'\0\0\0\1\0\0\0\2')),
    ('half-closed in the handshake', cut_short(lambda w: HELLO[:3])),
    ('half-closed in a request', cut_short(lambda w: HELLO + w.good[:-3])),
    ('half-closed after a request', answered(good_call, 'OK', half_close=True)),
    ('a request, reset', say(lambda w: HELLO + w.good, reset)),
    ('three requests, closed unread', say(lambda w: HELLO + w.good * 3)),
    ('an empty message', answered(lambda w: b'', 'METHOD_NOT_ALLOWED')),
    ('unknown method', answered(lambda w: w.daemon.serialised(
        'isobar.v1.VmService/Explode', b''), 'METHOD_NOT_ALLOWED')),
    ('undecodable body', answered(lambda w: w.daemon.serialised(GOOD, b'\xff\xff\xff'),
                                  'INVALID_REQUEST')),
    ('undecodable envelope', answered(lambda w: b'\x0a\xff\xff\xff\xff\x0f', 'INVALID_REQUEST')),
]

TLS_PATTERNS = [
    ('TLS: plain text', say(lambda w: HELLO + w.good)),
    ('TLS: connect and vanish', say(lambda w: b'')),
    ('TLS: half a hello, reset', say(lambda w: b'\x16\x03\x01\x02\x00\x01', reset)),
]


def certificate(folder):
    subprocess.run(
        ['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1',
         '-nodes', '-keyout', folder + '/key.pem', '-out', folder + '/cert.pem', '-days', '2',
         '-subj', '/CN=localhost'], check=True, stderr=subprocess.DEVNULL)


class Abuse(unittest.TestCase):

    def setUp(self):
        """A daemon for each test: memory that one made it take would hide what another leaks."""
        self.tcp_port, self.tls_port = free_port(), free_port()
        self.daemon = Daemon(CONFIG, [
            'tcp://127.0.0.1:%d' % self.tcp_port,
            '{url: "tls+tcp://127.0.0.1:%d", tls: {cert: "{folder}/cert.pem", '
            'key: "{folder}/key.pem"}}' % self.tls_port], certificate)
        self.addCleanup(self.daemon.stop)
        self.wires = [Wire(self.daemon, self.tcp_port), Wire(self.daemon)]
        self.tls = Wire(self.daemon, self.tls_port)
        self.good_call()
        time.sleep(0.2)
        self.baseline = self.daemon.descriptors()

    def good_call(self):
        """Seconds that a proper call takes, on each listener that is not TLS."""
        begun = time.monotonic()
        for wire in self.wires:
            with wire.dial() as s:
                s.sendall(HELLO + wire.good)
                self.daemon.receive(s, len(HELLO))
                result = self.daemon.result_of(read_frame(s, wire.ipc))
                self.assertEqual(result['code'], 'RESULT_CODE_OK', result)
        return time.monotonic() - begun

    def tearDown(self):
        self.settle()

    def settle(self):
        self.assertIsNone(self.daemon.process.poll(), 'the daemon has ended')
        eventually('all descriptors are closed again: %d' % self.baseline,
                   lambda: self.daemon.descriptors() <= self.baseline)

    def hold(self, name, run, wire, count):
        """Run a pattern so often, some at once; nothing must be left of it."""
        begun, before = time.monotonic(), None
        for done in range(0, count, AT_ONCE):
            if before is None and done >= count // WARM_UP:
                self.settle()
                before = self.daemon.memory_kib()
            steps = [run(self, wire, wire.dial()) for _ in range(min(AT_ONCE, count - done))]
            for step in steps:
                next(step, None)
            for step in steps:
                try:
                    next(step, None)
                except (BrokenPipeError, ConnectionResetError):
                    pass
        self.settle()
        grown = self.daemon.memory_kib() - before
        took = time.monotonic() - begun
        print('%-4s %-32s %6d in %5.1f s, %5d KiB more, a good call %.1f ms' % (
            wire.name, name, count, took, grown, 1000 * self.good_call()), flush=True)
        if not sanitized():
            self.assertLess(grown, SLACK_KIB, 'KiB more after ' + name)

    def test_patterns(self):
        for wire in self.wires:
            for name, run in PATTERNS:
                with self.subTest(name, wire=wire.name):
                    self.hold(name, run, wire, COUNT)

    def test_tls_patterns(self):
        for name, run in TLS_PATTERNS:
            with self.subTest(name):
                self.hold(name, run, self.tls, COUNT)

    def test_tls_handshake(self):
        """Whoever has done the handshake is worth more, but not much."""
        context = ssl.create_default_context(cafile=self.daemon.folder + '/cert.pem')

        def run_with(more, end):
            def run(test, wire, s):
                t = context.wrap_socket(s, server_hostname='localhost')
                t.sendall(more)
                yield
                end(t)
            return run

        def answered_and_reset(t):
            self.daemon.receive(t, len(HELLO))
            result = self.daemon.result_of(read_frame(t, False))
            self.assertEqual(result['code'], 'RESULT_CODE_OK')
            reset(t)
        good = self.tls.good
        for name, more, end in [('TLS: handshake and vanish', b'', ssl.SSLSocket.close),
                                ('TLS: handshake and reset', b'', reset),
                                ('TLS: half a frame', HELLO + good[:-3], ssl.SSLSocket.close),
                                ('TLS: a call, answered, reset', HELLO + good,
                                 answered_and_reset)]:
            with self.subTest(name):
                self.hold(name, run_with(more, end), self.tls, max(WARM_UP * AT_ONCE, COUNT // 20))

    def test_calls_under_way(self):
        """Their clients vanish; what they asked is done, and then forgotten."""
        def run(end):
            return say(lambda w: HELLO + w.slow * 4, end)
        for wire in self.wires:
            for name, end in ('four calls under way, closed', socket.socket.close), (
                    'four calls under way, reset', reset):
                with self.subTest(name, wire=wire.name):
                    self.hold(name, run(end), wire, max(WARM_UP * AT_ONCE, COUNT // 10))

    def test_slow_frames(self):
        """A byte now and then does not keep a connection; proper clients do not notice."""
        for wire in self.wires:
            parts = {'handshake': HELLO, 'frame': HELLO + wire.good}
            for name, data in parts.items():
                with self.subTest(name, wire=wire.name):
                    self.trickle(wire, name, data)

    def trickle(self, wire, name, data):
        # What is in it comes whole up to the last bytes, which then take for ever.
        slow = [wire.dial() for _ in range(100)]
        at = len(data) - 7
        for s in slow:
            s.sendall(data[:at])
            s.setblocking(False)
        begun, closed, worst = time.monotonic(), set(), 0
        for n in range(60):
            if len(closed) == len(slow):
                break
            for s in set(slow) - closed:
                try:
                    if n in (3, 6):
                        s.sendall(data[at:at + 1])
                    while s.recv(4096):
                        pass
                    closed.add(s)
                except BlockingIOError:
                    pass
                except OSError:
                    closed.add(s)
            worst = max(worst, self.good_call())
            time.sleep(0.1)
        took = time.monotonic() - begun
        for s in slow:
            s.close()
        print('%-4s slow %s: %d of %d closed in %.1f s, the slowest good call meanwhile %.1f ms' % (
            wire.name, name, len(closed), len(slow), took, 1000 * worst), flush=True)
        self.assertEqual(len(closed), len(slow))
        self.settle()

    def test_large_messages(self):
        """The largest that is allowed is read and answered; many need no more memory than one."""
        message = b'\x0a\xff\xff\xff\x7f' + bytes(MESSAGE_MAX - 9)

        def run(test, wire, s):
            s.sendall(HELLO + wire.frame(message))
            yield
            self.daemon.receive(s, len(HELLO))
            self.assertEqual(self.daemon.result_of(read_frame(s, wire.ipc))['code'],
                             'RESULT_CODE_INVALID_REQUEST')
            s.close()
        for wire in self.wires:
            kib = [self.daemon.memory_kib()]
            for _ in range(3):
                for _ in range(60):
                    for _ in run(self, wire, wire.dial()):
                        pass
                self.settle()
                kib.append(self.daemon.memory_kib())
            print('%-4s after 0, 60, 120, 180 messages of 4 MiB: %s KiB' % (wire.name, kib),
                  flush=True)
            if not sanitized():
                self.assertLess(kib[3] - kib[1], 2 * MESSAGE_MAX // 1024)

    def test_many_halves_of_large_messages(self):
        """Bytes that have not come cost nothing, whatever the length says."""
        for wire in self.wires:
            before = self.daemon.memory_kib()
            held = [wire.dial() for _ in range(200)]
            for s in held:
                s.sendall(HELLO + wire.length(MESSAGE_MAX) + bytes(1000))
            time.sleep(0.2)
            grown = self.daemon.memory_kib() - before
            for s in held:
                s.close()
            print('%-4s 200 that announce 4 MiB and send 1 KB: %d KiB more' % (wire.name, grown),
                  flush=True)
            self.settle()
            if not sanitized():
                self.assertLess(grown, 8192)

    def test_pipelines_unread(self):
        """Clients that send without end and never read are held, each at its own limit."""
        for wire in self.wires:
            for name, data in ('of memory', wire.good), ('of a cloud', wire.slow):
                with self.subTest(name, wire=wire.name):
                    self.pipeline(wire, name, data)

    def pipeline(self, wire, name, data):
        before, most, worst = self.daemon.memory_kib(), 0, 0
        chunk, sent = data * 100, [0] * READERLESS
        greedy = [wire.dial() for _ in range(READERLESS)]
        for s in greedy:
            s.sendall(HELLO)
            s.setblocking(False)
        stop = threading.Event()

        def push():
            while not stop.is_set():
                for i, s in enumerate(greedy):
                    try:
                        sent[i] += s.send(chunk[sent[i] % len(data):])
                    except BlockingIOError:
                        pass
                time.sleep(0.001)
        pusher = threading.Thread(target=push)
        pusher.start()
        # A slow cloud's replies take long to reach the limit: those clients are only watched.
        begun, last, quiet_since = time.monotonic(), 0, time.monotonic()
        until = begun + (SETTLE_S if data == wire.good else 1.5)
        while time.monotonic() < until and time.monotonic() < quiet_since + 0.5:
            worst = max(worst, self.good_call())
            most = max(most, self.daemon.memory_kib() - before)
            if sum(sent) != last:
                last, quiet_since = sum(sent), time.monotonic()
            time.sleep(0.02)
        held = data != wire.good or time.monotonic() < until
        stop.set()
        pusher.join()
        for s in greedy:
            s.close()
        print('%-4s %d pipelines %s unread: %d KiB more, %d calls sent, the slowest good call '
              'meanwhile %.1f ms' % (wire.name, READERLESS, name, most, sum(sent) // len(data),
                                     1000 * worst), flush=True)
        self.assertTrue(held, 'it reads on and on')
        if not sanitized():
            # Per client: what waits for it, a reply each of the calls under way, what was read.
            self.assertLess(most, READERLESS * (UNSENT_MAX + (2 << 20)) // 1024)
        self.settle()


if __name__ == '__main__':
    sys.exit(0 if unittest.main(exit=False, verbosity=2).result.wasSuccessful() else 1)
