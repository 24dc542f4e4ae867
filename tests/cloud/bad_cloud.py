"""An OpenStack that misbehaves: Keystone, Nova, Glance and Neutron on one port, each cloud of it
under a path of its own, /CLOUD/..., with its own faults. Nothing but the standard library.

    server = Server()
    lab = server.cloud('lab')                       # a cloud that is in order ...
    lab.on['GET', '/compute/v2.1/flavors/detail'] = reply(502, b'<html>')   # ... but for this
    lab.count('GET', '/compute/v2.1/flavors/detail')

What `on` has is called with the connection and the request, and writes what it likes: see the
makers of faults below. Returning CLOSE ends the connection.
"""

import json
import socket
import socketserver
import struct
import threading
import time

CLOSE = object()
PROJECT = '11111111111111111111111111111111'
FLAVOR = {'id': 'f1', 'name': 'm1.tiny', 'vcpus': 1, 'ram': 512, 'disk': 1, 'swap': '',
          'OS-FLV-EXT-DATA:ephemeral': 0, 'os-flavor-access:is_public': True,
          'OS-FLV-DISABLED:disabled': False, 'extra_specs': {}, 'links': []}
IMAGE = {'id': '22222222-2222-4222-8222-222222222222', 'name': 'img', 'status': 'active',
         'size': 1000, 'min_disk': 0, 'min_ram': 0, 'visibility': 'public', 'tags': []}
NETWORK = {'id': '33333333-3333-4333-8333-333333333333', 'name': 'net', 'status': 'ACTIVE',
           'project_id': PROJECT, 'shared': False, 'router:external': False,
           'admin_state_up': True, 'subnets': ['44444444-4444-4444-8444-444444444444']}
GROUP = {'id': '55555555-5555-4555-8555-555555555555', 'name': 'default', 'project_id': PROJECT,
         'security_group_rules': []}
PORT = {'id': '66666666-6666-4666-8666-666666666666', 'name': 'port'}
SERVER = {'id': '77777777-7777-4777-8777-777777777777', 'name': 'web', 'status': 'ACTIVE',
          'flavor': {'original_name': 'm1.tiny', 'vcpus': 1, 'ram': 512, 'disk': 1},
          'image': {'id': IMAGE['id']}, 'addresses': {}, 'metadata': {}, 'tags': [],
          'created': '2026-01-01T00:00:00Z', 'updated': '2026-01-01T00:00:00Z'}

TOKENS = '/identity/v3/auth/tokens'
NOVA = '/compute/v2.1'
FLAVORS = NOVA + '/flavors/detail'
SERVERS = NOVA + '/servers/detail'
BOOT = NOVA + '/servers'


class Request:
    def __init__(self, method, path, query, headers, body):
        self.method, self.path, self.query = method, path, query
        self.headers, self.body = headers, body


class Cloud:
    def __init__(self, server, name):
        self.server, self.name = server, name
        self.base = '%s/%s' % (server.url, name)
        self.auth_url = self.base + '/identity/v3'
        self.on, self.requests, self.tokens = {}, [], []
        self.services = ['identity', 'compute', 'image', 'network', 'volumev3']
        self.versions = ('2.1', '2.93')
        self.token_seconds = 3600
        self.lists = {
            FLAVORS: ('flavors', [FLAVOR]), SERVERS: ('servers', [SERVER]),
            NOVA + '/servers': ('servers', [SERVER]), NOVA + '/os-keypairs': ('keypairs', []),
            '/image/v2/images': ('images', [IMAGE]),
            '/network/v2.0/networks': ('networks', [NETWORK]),
            '/network/v2.0/security-groups': ('security_groups', [GROUP]),
            '/network/v2.0/subnets': ('subnets', []), '/network/v2.0/ports': ('ports', []),
            '/network/v2.0/floatingips': ('floatingips', []),
        }

    def count(self, method, path):
        return sum(r.method == method and r.path == path for r in list(self.requests))

    def answer(self, connection, request):
        self.requests.append(request)
        handler = self.on.get((request.method, request.path), self.normal)
        return handler(connection, request)

    def normal(self, connection, request):
        """What a cloud that is in order says."""
        if request.path == TOKENS:
            return self.login(connection)
        if request.path.rstrip('/') == NOVA:
            return json_reply({'version': {'id': 'v2.1', 'status': 'CURRENT',
                                           'version': self.versions[1],
                                           'min_version': self.versions[0]}})(connection, request)
        if request.headers.get('x-auth-token') not in self.tokens:
            return json_reply({'error': {'code': 401, 'title': 'Unauthorized',
                                         'message': 'no such token'}}, 401)(connection, request)
        if request.method == 'POST' and request.path == '/network/v2.0/ports':
            return json_reply({'port': PORT}, 201)(connection, request)
        if request.method == 'POST' and request.path == BOOT:
            return json_reply({'server': {'id': SERVER['id']}}, 202)(connection, request)
        if request.method == 'DELETE':
            return reply(204)(connection, request)
        if request.path == NOVA + '/servers/' + SERVER['id']:
            return json_reply({'server': SERVER})(connection, request)
        if request.method == 'GET' and request.path in self.lists:
            name, items = self.lists[request.path]
            return json_reply({name: items})(connection, request)
        return json_reply({'itemNotFound': {'code': 404, 'message': 'not found'}}, 404)(
            connection, request)

    def login(self, connection):
        token = 'token-%s-%d' % (self.name, len(self.tokens) + 1)
        self.tokens.append(token)
        now = time.time()

        def stamp(t):
            return time.strftime('%Y-%m-%dT%H:%M:%S.000000Z', time.gmtime(t))
        paths = {'identity': '/identity', 'compute': NOVA, 'image': '/image',
                 'network': '/network', 'volumev3': '/volume/v3/' + PROJECT}
        catalog = [{'type': each, 'name': each, 'endpoints': [
            {'interface': 'public', 'region': 'one', 'region_id': 'one',
             'url': self.base + paths[each]}]} for each in self.services]
        return json_reply({'token': {
            'issued_at': stamp(now), 'expires_at': stamp(now + self.token_seconds),
            'project': {'id': PROJECT, 'name': 'demo'}, 'catalog': catalog}}, 201,
            {'X-Subject-Token': token})(connection, None)


class Server(socketserver.ThreadingTCPServer):
    """All the clouds, on a port of the loopback address."""
    allow_reuse_address = daemon_threads = True
    request_queue_size = 128

    def __init__(self):
        super().__init__(('127.0.0.1', 0), Connection)
        self.url = 'http://127.0.0.1:%d' % self.server_address[1]
        self.clouds = {}
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self.serve_forever, args=(0.05,))
        self.thread.start()

    def cloud(self, name):
        self.clouds[name] = Cloud(self, name)
        return self.clouds[name]

    def stop(self):
        self.ending.set()
        self.shutdown()
        self.thread.join()
        self.server_close()

    def handle_error(self, request, client_address):
        """The other side went away."""


class Connection(socketserver.StreamRequestHandler):
    disable_nagle_algorithm = True

    def handle(self):
        while True:
            line = self.rfile.readline().decode('latin-1').split()
            if len(line) != 3:
                return
            headers = {}
            while True:
                header = self.rfile.readline().decode('latin-1').strip()
                if not header:
                    break
                name, value = header.split(':', 1)
                headers[name.lower()] = value.strip()
            body = self.rfile.read(int(headers.get('content-length', 0)))
            path, _, query = line[1].partition('?')
            _, name, path = path.split('/', 2)
            request = Request(line[0], '/' + path, query, headers, body)
            if self.server.clouds[name].answer(self, request) is CLOSE:
                return

    def send(self, data):
        self.connection.sendall(data)


def head(status, length=None, headers=None):
    lines = ['HTTP/1.1 %d Status' % status]
    lines += ['%s: %s' % each for each in (headers or {}).items()]
    if length is not None:
        lines.append('Content-Length: %d' % length)
    return '\r\n'.join(lines + ['', '']).encode()


def reply(status, body=b'', headers=None):
    """This answer."""
    def handler(connection, request):
        connection.send(head(status, len(body), headers) + body)
    return handler


def json_reply(value, status=200, headers=None):
    return reply(status, json.dumps(value).encode(),
                 dict({'Content-Type': 'application/json'}, **(headers or {})))


def first(faults, then):
    """These answers one after the other, and then always `then`."""
    left = list(faults)

    def handler(connection, request):
        return (left.pop(0) if left else then)(connection, request)
    return handler


def hang(connection, request):
    """No answer."""
    connection.server.ending.wait(60)
    return CLOSE


def hang_in_body(connection, request):
    connection.send(head(200, 1000) + b'{"flavors": [')
    return hang(connection, request)


def trickle(connection, request):
    """A byte at a time, for ever."""
    for byte in head(200, 1000000) + b'{"flavors": [' + b' ' * 1000000:
        connection.send(bytes([byte]))
        if connection.server.ending.wait(0.02):
            break
    return CLOSE


def cut(connection, request):
    """Less than was announced."""
    connection.send(head(200, 1000) + b'{"flavors": []')
    return CLOSE


def cut_in_head(connection, request):
    connection.send(b'HTTP/1.1 200 OK\r\nContent-Le')
    return CLOSE


def lose(connection, request):
    """It has arrived; nobody says so."""
    return CLOSE


def lose_with_reset(connection, request):
    connection.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    return CLOSE


def huge(announced, size=100 << 20):
    """A body of 100 MB, whose length is announced or not."""
    def handler(connection, request):
        connection.send(head(200, size if announced else None) + b'{"flavors": [')
        for _ in range(size >> 20):
            connection.send(b' ' * (1 << 20))
        return CLOSE
    return handler


def huge_header(connection, request):
    connection.send(b'HTTP/1.1 200 OK\r\n')
    for n in range(20000):
        connection.send(b'X-Header-%d: %s\r\n' % (n, b'x' * 1000))
    return CLOSE
