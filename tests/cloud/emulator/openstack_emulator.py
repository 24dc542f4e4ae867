#!/usr/bin/python3
"""An OpenStack-like cloud that is bad on purpose, and keeps count: Keystone, Nova, Glance, Neutron and
Cinder on one port, for as many labs as are wanted, each under /LAB/... with its own faults.

    openstack_emulator.py [--port N] [--control-port N]

prints `{"url": .., "control": ..}` and serves until its standard input ends. serving.py says what the
control port has; a new lab is answered with its `url` and `auth_url`, and a request of a kill or a
rule is known by `method` and `path`, the beginning of its path below the lab.
"""

import json
import re
import time

import neutron
import nova
import others
import serving
from answers import Refused, nova_fault
from things import Lab

# What may be late or lose its reply; its kind, for the draws.
CHANGES = [('POST', re.compile(r'/compute/v2\.1/servers$'), 'make server'),
           ('POST', re.compile(r'/network/v2\.0/ports$'), 'make port'),
           ('POST', re.compile(r'/network/v2\.0/floatingips$'), 'make fip'),
           ('POST', re.compile(r'/volume/v3/[^/]+/volumes$'), 'make volume'),
           ('POST', re.compile(r'/compute/v2\.1/servers/[^/]+/action$'), 'act'),
           ('DELETE', re.compile(r'/compute/v2\.1/servers/'), 'delete server'),
           ('DELETE', re.compile(r'/network/v2\.0/'), 'delete'),
           ('DELETE', re.compile(r'/volume/v3/'), 'delete')]
WITHOUT_TOKEN = re.compile(r'/(identity|image|network|volume)(/v3)?/?$|/identity/v3/auth/tokens$'
                           r'|/compute/v2\.1/?$')
ROUTES = [(methods.split('|'), re.compile(path + '$'), handler)
          for methods, path, handler in others.ROUTES + neutron.ROUTES + nova.ROUTES]


class EmulatedLab(Lab):
    """`request.about` is the path below the lab."""

    def __init__(self, url, name, **more):
        super().__init__(name, **more)
        self.url = '%s/%s' % (url, name)

    def told(self):
        return {'url': self.url, 'auth_url': self.url + '/identity/v3'}

    def fits(self, rule, request):
        return request.method == rule['method'] and request.about.startswith(rule['path'])

    def change_of(self, request):
        return next((kind for method, pattern, kind in CHANGES
                     if request.method == method and pattern.match(request.about)), None)

    def answer(self, request):
        """(status, body) or (status, body, headers)"""
        self.sweep(time.time())
        path = request.about
        if request.headers.get('x-auth-token') not in self.tokens and \
                not WITHOUT_TOKEN.match(path):
            return 401, {'error': {'code': 401, 'title': 'Unauthorized', 'message':
                                   'The request you have made requires authentication.'}}
        for methods, pattern, handler in ROUTES:
            found = pattern.match(path)
            if found and request.method in methods:
                try:
                    return handler(self, request, *found.groups())
                except Refused as refused:
                    return refused.status, refused.body
                except (KeyError, TypeError, ValueError) as e:
                    return 400, nova_fault(400, 'Malformed request: %r' % e)
        return 404, nova_fault(404, 'The resource could not be found: %s' % path)

    def refused(self, request, status, code, message):
        return status, {code: {'code': status, 'message': message}}, []

    def nested(self, depth):
        return 200, b'[' * depth + b']' * depth, [('Content-Type', 'application/json')]


class Cloud(serving.Cloud):
    def new_lab(self, wanted):
        return EmulatedLab(self.url, **wanted)

    def find(self, request):
        _, name, path = (request.path.split('/', 2) + ['', ''])[:3]
        request.about = '/' + path
        return self.labs.get(name)

    def stranger(self, request):
        return 404, {'message': 'no such lab'}

    def more(self, lab, method, path, body):
        return None


class Emulator(serving.Process):
    """For tests: the emulator as a process of its own."""

    program = __file__


def clouds_yaml(labs):
    """The text of a clouds.yaml: `labs` has an auth_url a name."""
    return json.dumps({'clouds': {name: {
        'auth': {'auth_url': auth_url, 'username': others.USER_NAME, 'password': others.PASSWORD,
                 'project_name': 'demo', 'user_domain_name': 'Default',
                 'project_domain_name': 'Default'},
        'region_name': 'one', 'identity_api_version': '3'} for name, auth_url in labs.items()}})


if __name__ == '__main__':
    serving.run_main(__doc__.split('\n')[0], Cloud)
