#!/usr/bin/python3
"""An OpenStack-like cloud that is bad on purpose, and keeps count: Keystone, Nova, Glance, Neutron and
Cinder on one port, for as many labs as are wanted, each under /LAB/... with its own faults.

    openstack_emulator.py [--port N] [--control-port N]

prints `{"url": .., "control": ..}` and serves until its standard input ends. The control port:

    POST   /labs {"name", "seed", FAULT: ...}     a new lab; see Lab.FAULTS
    DELETE /labs/LAB
    GET    /count?lab=LAB       what is alive, a row a token; machines that there ever were; what is
                                still to be done
    GET    /journal?lab=LAB     what was made and deleted, and when
    POST   /kill {"lab", "pid", "when", "method", "path", "nth"}
           kill -9 the process at the nth request whose path below the lab begins so: "half-sent" (and
           nothing of it is done), "sent" (it is done all the same), "replied"
"""

import argparse
import asyncio
import json
import logging
import os
import re
import signal
import subprocess
import sys
import time

import neutron
import nova
import others
from answers import Refused, nova_fault
from things import Lab
from wire import Connection

WHENS = ('half-sent', 'sent', 'replied')
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
    def __init__(self, name, url, seed=0, **faults):
        super().__init__(name, seed, **faults)
        self.url = '%s/%s' % (url, name)

    def shown_after(self, kind):
        """Seconds until lists have a new thing."""
        if not self.late_commit:
            return 0.0
        draw = self.draw('show ' + kind)
        return draw.uniform(0, self.late_commit) if draw.random() < 0.5 else 0.0

    def fate(self, request, path):
        """(seconds until it is done, whether nobody hears of it)"""
        for method, pattern, kind in CHANGES:
            if request.method == method and pattern.match(path):
                draw = self.draw(kind)
                late = draw.uniform(0, self.late_commit) if draw.random() < 0.5 else 0.0
                return late, draw.random() < self.lost_reply
        return 0.0, False

    def answer(self, request, path):
        """(status, body) or (status, body, headers)"""
        self.sweep(time.time())
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

    def kill_at(self, request, path, when):
        """Whether a process has to die now. A rule counts requests when their head is read."""
        for rule in self.kills:
            if rule['when'] == when and request.method == rule['method'] and \
                    path.startswith(rule['path']):
                rule['nth'] -= 1
                if rule['nth'] == 0:
                    self.kills.remove(rule)
                    self.note('kill ' + when, 'process', rule['pid'], None)
                    kill(rule['pid'])
                    return True
        return False


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass    # it has died otherwise


class Cloud:
    """The port of the labs."""

    def __init__(self, loop):
        self.loop, self.labs, self.url = loop, {}, ''

    def find(self, request):
        _, name, path = (request.path.split('/', 2) + ['', ''])[:3]
        return self.labs.get(name), '/' + path

    def half(self, request):
        lab, path = self.find(request)
        return lab is not None and lab.kill_at(request, path, 'half-sent')

    def serve(self, connection, request):
        lab, path = self.find(request)
        if lab is None:
            connection.reply(404, {'message': 'no such lab'})
            return
        lab.kill_at(request, path, 'sent')
        late, lost = lab.fate(request, path)
        if late:
            lab.pending += 1
            self.loop.call_later(late, self.later, connection, lab, request, path, lost)
        else:
            self.now(connection, lab, request, path, lost)

    def later(self, connection, lab, request, path, lost):
        lab.pending -= 1
        self.now(connection, lab, request, path, lost)
        connection.go_on()

    def now(self, connection, lab, request, path, lost):
        answer = lab.answer(request, path)
        if lost:
            connection.lose()
        else:
            connection.reply(*answer)
            lab.kill_at(request, path, 'replied')


class Control:
    """The port of who counts."""

    def __init__(self, cloud):
        self.cloud = cloud

    def half(self, request):
        return False

    def serve(self, connection, request):
        try:
            connection.reply(200, self.answer(request))
        except (KeyError, TypeError, ValueError) as e:
            connection.reply(400, {'message': repr(e)})

    def answer(self, request):
        what, labs = (request.method, request.path), self.cloud.labs
        if what == ('POST', '/labs'):
            wanted = request.json()
            lab = labs[wanted['name']] = EmulatedLab(url=self.cloud.url, **wanted)
            return {'url': lab.url, 'auth_url': lab.url + '/identity/v3'}
        if request.method == 'DELETE' and request.path.startswith('/labs/'):
            del labs[request.path[len('/labs/'):]]
            return {}
        if what == ('POST', '/kill'):
            rule = request.json()
            lab = labs[rule.pop('lab')]
            if set(rule) != {'pid', 'when', 'method', 'path', 'nth'} or rule['when'] not in WHENS:
                raise ValueError('not a rule: %s' % rule)
            lab.kills.append(rule)
            return {}
        lab = labs[request.query['lab'][0]]
        if what == ('GET', '/count'):
            return lab.count()
        if what == ('GET', '/journal'):
            return {'journal': lab.journal}
        raise ValueError('there is no %s %s' % what)


async def serve(port, control_port):
    # It warns of writes to a client that has just died.
    logging.getLogger('asyncio').setLevel(logging.ERROR)
    loop = asyncio.get_running_loop()
    cloud = Cloud(loop)
    server = await loop.create_server(lambda: Connection(cloud), '127.0.0.1', port, backlog=512)
    control = await loop.create_server(lambda: Connection(Control(cloud)), '127.0.0.1',
                                       control_port, backlog=512)
    cloud.url, control_url = ('http://127.0.0.1:%d' % each.sockets[0].getsockname()[1]
                              for each in (server, control))
    print(json.dumps({'url': cloud.url, 'control': control_url}), flush=True)
    ended = asyncio.Event()
    loop.add_reader(0, lambda: os.read(0, 4096) or ended.set())
    await ended.wait()


class Emulator:
    """For tests: the emulator as a process of its own."""

    def __init__(self):
        self.process = subprocess.Popen([sys.executable, os.path.abspath(__file__)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        told = json.loads(self.process.stdout.readline())
        self.url, self.control = told['url'], told['control']

    def ask(self, method, path, body=None):
        import urllib.error
        import urllib.request
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.control + path, data, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as reply:
                return json.load(reply)
        except urllib.error.HTTPError as e:
            with e:
                raise ValueError(e.read().decode()) from None

    def stop(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


def clouds_yaml(labs):
    """The text of a clouds.yaml: `labs` has an auth_url a name."""
    return json.dumps({'clouds': {name: {
        'auth': {'auth_url': auth_url, 'username': others.USER_NAME, 'password': others.PASSWORD,
                 'project_name': 'demo', 'user_domain_name': 'Default',
                 'project_domain_name': 'Default'},
        'region_name': 'one', 'identity_api_version': '3'} for name, auth_url in labs.items()}})


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--port', type=int, default=0)
    parser.add_argument('--control-port', type=int, default=0)
    args = parser.parse_args()
    asyncio.run(serve(args.port, args.control_port))


if __name__ == '__main__':
    main()
