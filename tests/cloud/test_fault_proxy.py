#!/usr/bin/python3
"""Each action of the fault proxy does what it says, seen from both of its ends: a bare client, and
a service of the test's own that notes what arrives.
"""

import calendar
import http.client
import json
import os
import signal
import socket
import socketserver
import subprocess
import sys
import threading
import time
import unittest
from email.utils import formatdate, parsedate_to_datetime

HERE = os.path.dirname(os.path.abspath(__file__))
BODY = b'{"servers": [{"id": "one", "status": "ACTIVE"}, {"id": "two", "status": "ACTIVE"}]}'
PATIENCE_S = 20


class Upstream(socketserver.ThreadingTCPServer):
    """A service: answers whatever it is asked, and notes the bytes that came."""
    allow_reuse_address = daemon_threads = True

    def __init__(self):
        super().__init__(('127.0.0.1', 0), Answers)
        self.url = 'http://127.0.0.1:%d' % self.server_address[1]
        self.seen, self.partial, self.connections = [], [], 0
        self.thread = threading.Thread(target=self.serve_forever, args=(0.05,))
        self.thread.start()

    def stop(self):
        self.shutdown()
        self.thread.join()
        self.server_close()

    def handle_error(self, request, client_address):
        """The other side went away."""


class Answers(socketserver.StreamRequestHandler):
    disable_nagle_algorithm = True

    def handle(self):
        server, data = self.server, b''
        server.connections += 1
        while True:
            try:
                got = self.request.recv(65536)
            except ConnectionResetError:
                got = None
            if not got:
                if data:
                    server.partial.append((data, got is None))
                return
            data += got
            head, end, body = data.partition(b'\r\n\r\n')
            length = next((int(line.split(b':')[1]) for line in head.split(b'\r\n')
                           if line.lower().startswith(b'content-length')), 0)
            if end and len(body) >= length:
                server.seen.append((time.monotonic(), data))
                data = b''
                self.answer(head.split(b' ')[1].decode())

    def answer(self, target):
        body, more = BODY, ''
        if target.endswith('/auth/tokens'):
            catalog = [{'name': 'nova', 'type': 'compute', 'endpoints': [
                {'interface': 'public', 'url': self.server.other.url + '/v2.1'}]}]
            body = json.dumps({'token': {
                'issued_at': '2026-01-01T00:00:00.000000Z',
                'expires_at': '2026-01-01T01:00:00.000000Z', 'catalog': catalog}}).encode()
            more = 'X-Subject-Token: secret\r\n'
        if 'links' in target:
            body = json.dumps({'next': self.server.url + '/next'}).encode()
            more = 'Location: %s/there\r\n' % self.server.url
        if 'query' in target:
            body = json.dumps({'target': target}).encode()
        head = 'HTTP/1.1 200 OK\r\nDate: %s\r\nContent-Type: application/json\r\n%s' % (
            formatdate(usegmt=True), more)
        if 'chunked' in target:
            self.wfile.write(('%sTransfer-Encoding: chunked\r\n\r\n' % head).encode())
            for at in range(0, len(body), 10):
                self.wfile.write(b'%x\r\n%s\r\n' % (len(body[at:at + 10]), body[at:at + 10]))
            self.wfile.write(b'0\r\n\r\n')
        else:
            self.wfile.write(('%sContent-Length: %d\r\n\r\n' % (head, len(body))).encode() + body)


class FaultProxy(unittest.TestCase):

    def setUp(self):
        self.up, self.other = Upstream(), Upstream()
        self.up.other = self.other.other = self.other
        self.process = subprocess.Popen(
            [sys.executable, os.path.join(HERE, 'fault_proxy.py'), 'keystone=' + self.up.url],
            stdout=subprocess.PIPE)
        self.ports = json.loads(self.process.stdout.readline())
        self.port = self.ports['keystone']

    def tearDown(self):
        self.process.send_signal(signal.SIGTERM)
        self.assertEqual(self.process.wait(PATIENCE_S), 0)
        self.process.stdout.close()
        self.up.stop()
        self.other.stop()

    # ---- the two ways in ----

    def control(self, method, path, value=None, status=200):
        c = http.client.HTTPConnection('127.0.0.1', self.ports['control'], timeout=PATIENCE_S)
        c.request(method, path, json.dumps(value) if value is not None else None)
        answer = c.getresponse()
        data = json.loads(answer.read())
        c.close()
        self.assertEqual(answer.status, status, data)
        return data

    def rule(self, action, **more):
        return self.control('POST', '/rules', dict(more, action=action))

    def get(self, target='/servers', method='GET', body=None):
        """(status, headers, body) of a request on a connection of its own."""
        c = http.client.HTTPConnection('127.0.0.1', self.port, timeout=PATIENCE_S)
        try:
            c.request(method, target, body)
            answer = c.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            c.close()

    def raw(self, data=b'GET /servers HTTP/1.1\r\nHost: x\r\n\r\n'):
        """What comes until the proxy ends, and whether it ended with a reset."""
        with socket.create_connection(('127.0.0.1', self.port), PATIENCE_S) as s:
            s.sendall(data)
            got = b''
            try:
                while True:
                    more = s.recv(65536)
                    if not more:
                        return got, False
                    got += more
            except ConnectionResetError:
                return got, True

    def done(self):
        return [each['done'] for each in self.control('GET', '/log')['requests']]

    # ---- what passes ----

    def test_passes(self):
        c = http.client.HTTPConnection('127.0.0.1', self.port, timeout=PATIENCE_S)
        for target in '/servers', '/chunked', '/servers':
            c.request('POST', target, b'x' * 100000)
            answer = c.getresponse()
            self.assertEqual((answer.status, answer.read()), (200, BODY))
        c.close()
        self.assertEqual(self.up.connections, 1, 'kept alive on both sides')
        self.assertTrue(self.up.seen[0][1].endswith(b'\r\n\r\n' + b'x' * 100000))
        log = self.control('GET', '/log')
        self.assertEqual(log['count'], 3)
        self.assertEqual([(r['service'], r['method'], r['path'], r['done'], r['status'])
                          for r in log['requests'][:2]],
                         [('keystone', 'POST', '/servers', 'pass', 200),
                          ('keystone', 'POST', '/chunked', 'pass', 200)])
        self.control('DELETE', '/log')
        self.assertEqual(self.control('GET', '/log')['count'], 0)

    def test_chunked_request(self):
        got = self.get('/servers', 'POST', iter([b'one', b'two']))
        self.assertEqual(got[0], 200)
        self.assertTrue(self.up.seen[0][1].endswith(b'\r\n\r\nonetwo'))

    def test_catalogue(self):
        """What the token names is reached through the proxy."""
        status, headers, body = self.get('/v3/auth/tokens', 'POST', b'{}')
        self.assertEqual((status, headers['X-Subject-Token']), (200, 'secret'))
        url = json.loads(body)['token']['catalog'][0]['endpoints'][0]['url']
        ports = self.control('GET', '/ports')
        self.assertEqual(ports['nova']['upstream'], self.other.url)
        self.assertEqual(url, 'http://127.0.0.1:%d/v2.1' % ports['nova']['port'])
        self.port = ports['nova']['port']
        self.assertEqual(self.get('/v2.1/servers')[2], BODY)
        self.assertEqual(len(self.other.seen), 1)
        self.assertEqual(self.control('GET', '/log')['requests'][-1]['service'], 'nova')

    def test_links(self):
        _, headers, body = self.get('/links')
        ours = 'http://127.0.0.1:%d' % self.port
        self.assertEqual(json.loads(body), {'next': ours + '/next'})
        self.assertEqual(headers['Location'], ours + '/there')

    # ---- which request ----

    def test_which(self):
        self.rule('refuse', method='POST', path='/servers$', nth=2, times=2)
        for method, target, status in (
                ('GET', '/servers', 200), ('POST', '/servers', 200), ('POST', '/servers/1', 200),
                ('POST', '/servers', 503), ('POST', '/servers', 503), ('POST', '/servers', 200)):
            self.assertEqual(self.get(target, method, b'')[0], status)
        rule, = self.control('GET', '/rules')
        self.assertEqual((rule['seen'], rule['done']), (4, 2))
        self.rule('refuse', service='glance', times=0)
        self.assertEqual(self.get()[0], 200)
        self.rule('refuse', times=0)
        self.assertEqual([self.get()[0] for _ in range(3)], [503] * 3)
        self.control('DELETE', '/rules')
        self.assertEqual(self.get()[0], 200)

    def test_wrong_rules(self):
        for wrong in ({'action': 'explode'}, {'action': 'delay', 'seconds': 1}, 7,
                      {'action': 'pass', 'path': '('}):
            self.assertIn('error', self.control('POST', '/rules', wrong, 400))
        self.assertEqual(self.control('GET', '/rules'), [])
        self.control('GET', '/nothing', status=404)

    # ---- the actions ----

    def test_delay(self):
        self.rule('delay', ms=300)
        begun = time.monotonic()
        self.assertEqual(self.get()[2], BODY)
        self.assertGreaterEqual(time.monotonic() - begun, 0.3)
        self.assertGreaterEqual(self.up.seen[0][0] - begun, 0.3)

    def test_reset_request(self):
        request = b'POST /servers HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n0123456789'
        self.rule('reset_request', at=len(request) - 5)
        self.assertEqual(self.raw(request), (b'', True))
        until = time.monotonic() + PATIENCE_S
        while not self.up.partial and time.monotonic() < until:
            time.sleep(0.01)
        self.assertEqual(self.up.partial, [(request[:-5], True)])
        self.assertEqual(self.up.seen, [])

    def test_reset_answer(self):
        self.rule('reset_answer', at=20)
        got, was_reset = self.raw()
        self.assertEqual((len(got), was_reset), (20, True))
        self.assertTrue(got.startswith(b'HTTP/1.1 200 OK'))
        self.assertEqual(len(self.up.seen), 1)

    def test_drop_reply(self):
        self.rule('drop_reply')
        self.rule('drop_reply', reset=True)
        self.assertEqual(self.raw(), (b'', False))
        self.assertEqual(self.raw(), (b'', True))
        self.assertEqual(len(self.up.seen), 2)
        self.assertEqual(self.done(), ['drop_reply'] * 2)

    def test_late_commit(self):
        self.rule('late_commit', ms=500)
        self.assertEqual(self.raw(), (b'', True))
        gone = time.monotonic()
        self.assertEqual(self.up.seen, [])
        while not self.up.seen and time.monotonic() < gone + PATIENCE_S:
            time.sleep(0.01)
        self.assertGreater(self.up.seen[0][0], gone)

    def test_hang(self):
        """Nothing comes, on neither side; with `forward`, the request arrives."""
        for forward in False, True:
            self.rule('hang', forward=forward)
            with socket.create_connection(('127.0.0.1', self.port), PATIENCE_S) as s:
                s.sendall(b'GET /servers HTTP/1.1\r\nHost: x\r\n\r\n')
                s.settimeout(0.5)
                with self.assertRaises(socket.timeout):
                    s.recv(1)
            self.assertEqual(len(self.up.seen), forward)

    def test_refuse(self):
        self.rule('refuse', status=429, retry_after=7)
        self.rule('refuse', status=503, retry_after=7, date=True)
        self.rule('refuse', status=403, body={'forbidden': {'code': 403}})
        status, headers, _ = self.get()
        self.assertEqual((status, headers['Retry-After']), (429, '7'))
        status, headers, _ = self.get()
        after = parsedate_to_datetime(headers['Retry-After']).timestamp() - time.time()
        self.assertEqual(status, 503)
        self.assertTrue(-PATIENCE_S < after <= 7, after)
        status, headers, body = self.get()
        self.assertEqual((status, headers['Retry-After'], json.loads(body)),
                         (403, None, {'forbidden': {'code': 403}}))
        self.assertEqual(self.up.seen, [])

    def test_unauthorized(self):
        self.rule('unauthorized')
        self.assertEqual([self.get()[0] for _ in range(2)], [401, 200])

    def test_trickle(self):
        self.rule('trickle', bytes_per_s=100)
        with socket.create_connection(('127.0.0.1', self.port), PATIENCE_S) as s:
            s.sendall(b'GET /servers HTTP/1.1\r\nHost: x\r\n\r\n')
            begun, got, pieces = time.monotonic(), b'', 0
            while len(got) < 30:
                more = s.recv(30)
                self.assertTrue(more)
                got, pieces = got + more, pieces + 1
        self.assertGreaterEqual(time.monotonic() - begun, 0.29)
        self.assertGreater(pieces, 1)

    def test_garbage(self):
        self.rule('garbage')
        self.rule('garbage', kind='json')
        self.assertFalse(self.raw()[0].startswith(b'HTTP/'))
        status, headers, body = self.get()
        self.assertEqual((status, headers['Content-Type']), (200, 'application/json'))
        with self.assertRaises(ValueError):
            json.loads(body)

    def test_half_close(self):
        """Our half has ended: the client reads the end, and can still write."""
        self.rule('half_close', at=10)
        with socket.create_connection(('127.0.0.1', self.port), PATIENCE_S) as s:
            s.sendall(b'GET /servers HTTP/1.1\r\nHost: x\r\n\r\n')
            got = b''
            while True:
                more = s.recv(100)
                if not more:
                    break
                got += more
            self.assertEqual(len(got), 10)
            for _ in range(5):      # an end of both halves would answer this with a reset
                s.sendall(b'GET /servers HTTP/1.1\r\n')
                time.sleep(0.05)

    def test_cut_body(self):
        self.rule('cut_body', at=9)
        with self.assertRaises(http.client.IncompleteRead) as caught:
            self.get()
        self.assertEqual(caught.exception.partial, BODY[:9])
        self.assertEqual(caught.exception.expected, len(BODY) - 9)

    def test_huge(self):
        self.rule('huge', bytes=8 << 20)
        self.rule('huge', bytes=8 << 20, announced=False)
        got, _ = self.raw()
        self.assertIn(b'Content-Length: %d\r\n' % (8 << 20), got)
        self.assertGreater(len(got), 8 << 20)
        got, _ = self.raw()
        self.assertNotIn(b'Content-Length', got)
        self.assertGreater(len(got), 8 << 20)

    def test_deep(self):
        self.rule('deep', depth=50000)
        self.rule('deep', depth=3, objects=True)
        self.assertEqual(self.get()[2], b'[' * 50000 + b'0' + b']' * 50000)
        self.assertEqual(json.loads(self.get()[2]), {'a': {'a': {'a': 0}}})

    def test_skew(self):
        self.rule('skew', seconds=-7200, times=2)
        _, headers, body = self.get()
        off = parsedate_to_datetime(headers['Date']).timestamp() - time.time()
        self.assertTrue(-7200 - PATIENCE_S < off < -7200 + PATIENCE_S, off)
        self.assertEqual(body, BODY)
        token = json.loads(self.get('/v3/auth/tokens', 'POST', b'{}')[2])['token']
        stamps = [calendar.timegm(time.strptime(token[each], '%Y-%m-%dT%H:%M:%S.000000Z'))
                  for each in ('issued_at', 'expires_at')]
        self.assertEqual(stamps, [1767225600 - 7200, 1767225600 - 3600])

    def test_state(self):
        self.rule('state', to='PERPLEXED')
        self.assertEqual([s['status'] for s in json.loads(self.get()[2])['servers']],
                         ['PERPLEXED'] * 2)
        self.assertEqual(self.get()[2], BODY)

    def test_query(self):
        self.rule('query', set={'limit': '1'})
        self.assertEqual(json.loads(self.get('/query?limit=1000&name=a%20b')[2]),
                         {'target': '/query?limit=1&name=a+b'})

    def test_cost(self):
        """Printed, not judged."""
        def median(port):
            c = http.client.HTTPConnection('127.0.0.1', port, timeout=PATIENCE_S)
            took = []
            for _ in range(300):
                begun = time.perf_counter()
                c.request('GET', '/servers')
                c.getresponse().read()
                took.append(time.perf_counter() - begun)
            c.close()
            return sorted(took)[150] * 1000
        direct = median(self.up.server_address[1])
        print('a request takes %.2f ms directly, %.2f ms more through the proxy' % (
            direct, median(self.port) - direct))


if __name__ == '__main__':
    unittest.main()
