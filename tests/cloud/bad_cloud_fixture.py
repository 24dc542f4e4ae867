"""What test_bad_cloud.py is made of: the faults, a gateway in front of a cloud for each of them, and
another cloud that is watched all the time.
"""

import json
import os
import socket
import sys
import threading
import time
import unittest

import bad_cloud
from bad_cloud import CLOSE, FLAVOR, FLAVORS, hang, json_reply, reply

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'rpc'))
from daemon import Daemon, free_port  # noqa: E402

LIST = 'isobar.v1.FlavorService/ListFlavors'
LIST_VMS = 'isobar.v1.VmService/ListVms'
CREATE = 'isobar.v1.VmService/CreateVm'
TIMEOUT_MS = 1500
LATE_S = 2          # later than the deadline by this fails; the usual excess is printed
HUGE_KIB = 72 << 10     # an answer may have 32 MiB, and leaves as much behind while it grows
SPEC = {'name': 'web', 'flavorName': 'm1.tiny', 'imageId': 'img', 'networkId': 'net'}
ENDLESS_KIB = 208 << 10     # a call may hold 192 MiB, and a body as it comes
HTML = b'<html><head><title>Sorry</title></head><body><h1>Maintenance</h1></body></html>'
DEEP = 100000


def html(status):
    return reply(status, HTML, {'Content-Type': 'text/html'})


def text(body, status=200):
    return reply(status, body if isinstance(body, bytes) else body.encode(),
                 {'Content-Type': 'application/json'})


def flavors(**fields):
    return text(json.dumps({'flavors': [dict(FLAVOR, **fields)]}))


def page_without_end(cloud):
    """A thousand flavors, and always a next page."""
    def handler(connection, request):
        json_reply({'flavors': [FLAVOR] * 1000, 'flavors_links': [
            {'rel': 'next', 'href': cloud.base + FLAVORS + '?marker=%d' % len(cloud.requests)}]})(
                connection, request)
    return handler


OK, DOWN, LATE = ('OK',), ('UNAVAILABLE',), ('DEADLINE_EXCEEDED',)

# What Nova does with a list of flavors -> the codes that are right, and how often it is asked (None:
# it does not matter).
NOVA_FAULTS = {
    'hang': (hang, LATE, 1),
    'hang-in-body': (bad_cloud.hang_in_body, LATE, 1),
    'trickle': (bad_cloud.trickle, LATE, 1),
    'html-200': (html(200), DOWN, 1),
    'html-502': (html(502), DOWN, 3),
    'html-404': (html(404), ('NOT_FOUND',), 1),
    'html-500': (html(500), DOWN, 3),
    'cut-body': (bad_cloud.cut, DOWN, 3),
    'cut-head': (bad_cloud.cut_in_head, DOWN, 3),
    # The first of them is repeated at once: the connection had been kept alive.
    'no-answer': (bad_cloud.lose, DOWN, 4),
    'reset': (bad_cloud.lose_with_reset, DOWN, 4),
    'huge-announced': (bad_cloud.huge(True), DOWN, 1),
    'huge': (bad_cloud.huge(False), DOWN, 1),
    'huge-header': (bad_cloud.huge_header, DOWN, 1),
    'not-http': (lambda c, r: c.send(b'\x00\xff SSH-2.0-OpenSSH\r\n\r\n') or CLOSE, DOWN, None),
    'not-json': (text(b'\0\1\2'), DOWN, 1),
    'empty': (text(b''), DOWN, 1),
    'half-json': (text('{"flavors": ['), DOWN, 1),
    'two-documents': (text('{"flavors": []} {"flavors": []}'), DOWN, 1),
    'deep-arrays': (text('[' * DEEP), DOWN, 1),
    'deep-objects': (text('{"a":' * DEEP), DOWN, 1),
    'deep-list': (text('{"flavors": ' + '[' * DEEP + ']' * DEEP + '}'), DOWN, 1),
    'deep-unknown': (text('{"flavors": [{"id": "x", "y": ' + '[' * DEEP + ']' * DEEP + '}]}'),
                     DOWN, 1),
    'deep-error': (text('{"error": ' + '{"a":' * DEEP, 500), DOWN, 3),
    'list-for-object': (text('[]'), DOWN, 1),
    'text-for-object': (text('"flavors"'), DOWN, 1),
    'null': (text('null'), DOWN, 1),
    'number-for-list': (text('{"flavors": 7}'), DOWN, 1),
    'object-for-list': (text('{"flavors": {"id": "f1"}}'), DOWN, 1),
    'nothing-for-list': (text('{}'), DOWN, 1),
    # What is wrong in one thing alone does not take the others from the caller.
    'numbers-for-things': (text('{"flavors": [1, "two", null, [], {}]}'), OK + DOWN, 1),
    'wrong-members': (flavors(id=5, name=7, vcpus='many', ram=[], disk={}, extra_specs=[1]),
                      OK + DOWN, 1),
    'wrong-numbers': (text('{"flavors": [{"id": "f", "name": "n", "vcpus": 1e400, "ram": -1, '
                           '"disk": 99999999999999999999999, "swap": 0.5}]}'), OK + DOWN, 1),
    'nul-in-name': (text('{"flavors": [{"id": "f", "name": "a\\u0000b"}]}'), OK + DOWN, 1),
    'lone-surrogate': (text('{"flavors": [{"id": "f", "name": "a\\ud800b"}]}'), OK + DOWN, 1),
    'not-utf8': (text(b'{"flavors": [{"id": "f", "name": "\xff\xfe\xc0\x80"}]}'), OK + DOWN, 1),
    'not-utf8-in-error': (text(b'{"error": {"message": "\xff\xfe"}}', 400), ('BAD_REQUEST_DATA',),
                          1),
}

# The same for the login.
LOGIN_FAULTS = {
    'login-hang': (hang, LATE),
    'login-trickle': (bad_cloud.trickle, LATE),
    'login-html': (html(200), DOWN),
    'login-html-502': (html(502), DOWN),
    'login-404': (html(404), DOWN),
    'login-cut': (bad_cloud.cut, DOWN),
    'login-huge': (bad_cloud.huge(False), DOWN),
    'login-deep': (reply(201, b'{"token":' * DEEP, {'X-Subject-Token': 'x'}), DOWN),
    'login-no-token': (text('{"token": {}}', 201), DOWN),
    'login-list': (reply(201, b'[]', {'X-Subject-Token': 'x'}), DOWN + ('NOT_SUPPORTED',)),
    'login-no-catalogue': (reply(201, b'{"token": {"catalog": 7}}', {'X-Subject-Token': 'x'}),
                           ('NOT_SUPPORTED',)),
}


# What a Nova may say of the versions that it speaks, (newest, oldest).
VERSIONS = {
    'versions-none': (None, None),
    'versions-words': ('x', 'y'),
    'versions-kinds': (7, []),
    'versions-large': ('2.99999999999999999999', '2.1'),
    'versions-swapped': ('2.1', '2.93'),
}


class Watch(threading.Thread):
    """Asks the other cloud all the time."""

    def __init__(self, gateway):
        super().__init__()
        self.gateway, self.wrong, self.asked, self.slowest = gateway, [], 0, 0
        self.stopped = threading.Event()

    def run(self):
        while not self.stopped.wait(0.05):
            try:
                result, response, took = self.gateway.timed(LIST, {'cloud': 'box'}, 10000)
                if result['code'] != 'RESULT_CODE_OK' or not response['flavors']:
                    self.wrong.append(result)
                self.asked, self.slowest = self.asked + 1, max(self.slowest, took)
            except Exception as e:      # whatever it is, it is told
                self.wrong.append(repr(e))


class Fixture(unittest.TestCase):
    """A cloud for each test and each fault, all of one gateway; and one that is watched."""

    @classmethod
    def setUpClass(cls):
        for name in [n for n in os.environ if n.lower().endswith('_proxy')]:
            del os.environ[name]
        cls.server, cls.elsewhere = bad_cloud.Server(), bad_cloud.Server()
        for each in cls.server, cls.elsewhere:
            cls.addClassCleanup(each.stop)
        cls.hole = socket.create_server(('127.0.0.1', 0))
        cls.addClassCleanup(cls.hole.close)
        names = [n[len('test_'):] for n in dir(cls) if n.startswith('test_')] + ['endless']
        clouds = {name: cls.server.cloud(name).auth_url
                  for name in [*names, *NOVA_FAULTS, *LOGIN_FAULTS, *VERSIONS]}
        clouds['down'] = 'http://127.0.0.1:%d/v3' % free_port()
        clouds['hole'] = 'http://127.0.0.1:%d/v3' % cls.hole.getsockname()[1]

        def files(folder):
            with open(folder + '/clouds.yaml', 'w') as f:
                json.dump({'clouds': {name: {
                    'region_name': 'one', 'auth': {
                        'auth_url': url, 'username': 'demo', 'password': 'secret',
                        'project_name': 'demo', 'user_domain_id': 'default',
                        'project_domain_id': 'default'}} for name, url in clouds.items()}}, f)
            with open(folder + '/token', 'w', opener=lambda p, flags: os.open(p, flags, 0o600)) as f:
                f.write('the-token\n')
        cls.port = free_port()
        cls.gateway = Daemon(
            'log_level: error\ndrain_timeout: 15s\nusers: [{name: anna, role: admin, token_file: "{folder}/token"}]\n'
            'clouds:\n  box: {adapter: sandbox}\n' + ''.join(
                '  "%s": {adapter: openstack, cloud: "%s", clouds_file: "{folder}/clouds.yaml"}\n' % (
                    name, name) for name in clouds),
            ['tcp://127.0.0.1:%d' % cls.port], files)
        cls.addClassCleanup(cls.gateway.stop)
        cls.addClassCleanup(cls.server.ending.set)      # what hangs ends
        cls.gateway.timed(LIST, {'cloud': 'box'})

    def setUp(self):
        self.cloud = self.server.clouds[self._testMethodName[len('test_'):]]
        self.watch = Watch(self.gateway)
        self.watch.start()

    def tearDown(self):
        while self.watch.asked == 0 and not self.watch.wrong:
            time.sleep(0.01)
        self.watch.stopped.set()
        self.watch.join()
        print('%-24s the other cloud: %d calls, the slowest %.1f ms' % (
            self.cloud.name, self.watch.asked, 1000 * self.watch.slowest), flush=True)
        self.assertEqual(self.watch.wrong, [])
        self.assertIsNone(self.gateway.process.poll(), 'the daemon has ended')

    def ask(self, codes, method=LIST, request=None, cloud=None, timeout_ms=TIMEOUT_MS):
        """A call that must end with one of the codes, in time; (result, response)."""
        name = cloud or self.cloud.name
        result, response, took = self.gateway.timed(method, dict(request or {}, cloud=name),
                                                    timeout_ms)
        code = result['code'].replace('RESULT_CODE_', '')
        late = took - timeout_ms / 1000
        print('%-24s %-18s %7.0f ms%s | %s' % (
            name, code, took * 1000, ' (%+.0f ms)' % (late * 1000) if late > -0.2 else '',
            result.get('detail', '')[:150]), flush=True)
        self.assertIn(code, codes, result)
        self.assertLess(late, LATE_S)
        if code not in ('OK', 'CREATED', 'ACCEPTED'):
            self.assertTrue(result.get('detail'), result)
            self.assertEqual(result.get('blame'), 'BLAME_CLOUD', result)
        return result, response
