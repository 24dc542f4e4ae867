#!/usr/bin/python3
"""A proxy in front of real services on loopback that makes go wrong what it is told to. Nothing but
the standard library.

    tests/cloud/fault_proxy.py keystone=http://127.0.0.1:5000
    {"control": 41001, "keystone": 41002}

Each service has a port of its own. The first line of the output has the ports, `control` among
them. What a Keystone token names in its catalogue gets a port when the token passes, and the
catalogue that the client sees has the proxy's ports, so that it goes through the proxy whatever it
asks. It ends with SIGTERM.

The control port speaks HTTP and JSON:

    POST /rules     one rule or a list: {"service": "nova", "method": "POST", "path": "/servers$",
                    "nth": 1, "times": 1, "action": "drop_reply", ...}; answers {"ids": [1]}
    GET /rules      the rules, each with `seen` (how many requests fitted) and `done`
    DELETE /rules   forget all of them
    GET /log        {"count": 7, "requests": [{"n", "service", "method", "path", "at", "done",
                    "status"}]}: every request since the last DELETE /log
    GET /ports      {"nova": {"port": 41003, "upstream": "http://127.0.0.1:8774"}, ...}

A rule fits a request by service, method and a regular expression that is searched in the path and
query; what is left out fits all. It is done from the nth request on that fits (1), so many times
(1; 0: always). The first rule that is due is done; without one the request just passes. The
actions and their parameters are in fault_actions.py.
"""

import collections
import http.server
import json
import re
import select
import signal
import socket
import socketserver
import sys
import threading
import time
import urllib.parse

from bad_cloud import CLOSE
from fault_actions import ACTIONS, passed
from fault_http import Stream

LOG_MAX = 100000
IDLE_S = 1          # a connection to a service that rested longer is not used again
UPSTREAM_S = 120
MATCH = {'service': None, 'method': None, 'path': '', 'nth': 1, 'times': 1}


class Rules:
    """Thread-safe."""

    def __init__(self):
        self.lock, self.rules, self.next_id = threading.Lock(), [], 1

    def add(self, given):
        """Their ids; ValueError where one is wrong."""
        rules = []
        for each in given if isinstance(given, list) else [given]:
            if not isinstance(each, dict) or each.get('action') not in ACTIONS:
                raise ValueError('an action is one of %s' % ', '.join(sorted(ACTIONS)))
            known = dict(MATCH, action=None, **ACTIONS[each['action']][1])
            unknown = set(each) - set(known)
            if unknown:
                raise ValueError('%s has no %s' % (each['action'], ', '.join(sorted(unknown))))
            rules.append(dict(known, **each, seen=0, done=0))
            re.compile(rules[-1]['path'])
        with self.lock:
            for each in rules:
                each['id'], self.next_id = self.next_id, self.next_id + 1
            self.rules += rules
        return [each['id'] for each in rules]

    def clear(self):
        with self.lock:
            self.rules = []

    def show(self):
        with self.lock:
            return [dict(each) for each in self.rules]

    def pick(self, service, method, target):
        """The rule that is due for this request, or None."""
        due = None
        with self.lock:
            for rule in self.rules:
                if rule['service'] not in (None, service) or \
                        rule['method'] not in (None, method) or \
                        not re.search(rule['path'], target):
                    continue
                rule['seen'] += 1
                if due is None and rule['seen'] >= rule['nth'] and \
                        (rule['times'] == 0 or rule['done'] < rule['times']):
                    due = rule
                    rule['done'] += 1
        return due


class Exchange(socketserver.BaseRequestHandler):
    """A client's connection, and the one to the service that goes with it."""

    def setup(self):
        self.client, self.proxy, self.service = self.request, self.server.proxy, self.server
        self.client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.stream, self.up, self.used, self.entry = None, None, 0, None

    def handle(self):
        stream = Stream(self.client)
        while not self.proxy.ending.is_set():
            request = stream.request()
            if request is None:
                return
            method, target = request.first.split(' ')[:2]
            rule = self.proxy.rules.pick(self.service.name, method, target)
            self.entry = self.proxy.note(self.service.name, method, target,
                                         rule['action'] if rule else 'pass')
            action = ACTIONS[rule['action']][0] if rule else passed
            if action(self, request, rule) is CLOSE or not request.keeps():
                return

    def finish(self):
        if self.up:
            self.up.close()

    def upstream(self):
        """A connection to the service that is alive."""
        if self.up and (time.monotonic() - self.used > IDLE_S or
                        select.select([self.up], [], [], 0)[0]):
            self.up.close()
            self.up = None
        if not self.up:
            self.up = socket.create_connection(self.service.upstream, UPSTREAM_S)
            self.up.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.stream = Stream(self.up)
        return self.up

    def ask(self, request):
        """Send it on; what the service says, with the proxy's addresses in it."""
        self.upstream().sendall(request.data())
        answer = self.stream.answer(request.first.split(' ')[0])
        self.used = time.monotonic()
        if not answer.keeps():
            self.up.close()
            self.up = None
            answer.drop('connection')
        self.entry['status'] = answer.status()
        self.proxy.readdress(self.service, answer)
        return answer

    def answer(self, answer):
        self.send(answer.data())

    def send(self, data):
        self.client.sendall(data)

    def wait(self, seconds):
        """True where the proxy ends meanwhile."""
        return self.proxy.ending.wait(seconds)

    def wait_for_client(self, seconds):
        """Until the client closes."""
        until = time.monotonic() + seconds
        while time.monotonic() < until and not self.wait(0):
            if select.select([self.client], [], [], 0.1)[0] and not self.client.recv(65536):
                return


class Service(socketserver.ThreadingTCPServer):
    """The port that stands for one service."""
    allow_reuse_address = daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, proxy, name, url):
        super().__init__(('127.0.0.1', 0), Exchange)
        parts = urllib.parse.urlsplit(url)
        self.proxy, self.name = proxy, name
        self.theirs = '%s://%s' % (parts.scheme, parts.netloc)
        self.upstream = parts.hostname, parts.port or 80
        self.port = self.server_address[1]
        self.ours = 'http://127.0.0.1:%d' % self.port
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def handle_error(self, request, client_address):
        """One of the two went away: so does the other."""


class Proxy:
    """All of them, the rules and the log."""

    def __init__(self):
        self.services, self.rules, self.ending = {}, Rules(), threading.Event()
        self.more = None    # what else the control port answers: f(method, path), None where not
        self.lock, self.log, self.count = threading.Lock(), collections.deque(maxlen=LOG_MAX), 0
        self.control = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Control)
        self.control.proxy, self.control.daemon_threads = self, True
        threading.Thread(target=self.control.serve_forever, args=(0.05,), daemon=True).start()

    def service(self, name, url, interface=''):
        """The port that stands for it; an interface that is elsewhere has one of its own."""
        with self.lock:
            if name in self.services and not url.startswith(self.services[name].theirs):
                name += '-' + interface
            if name not in self.services:
                self.services[name] = Service(self, name, url)
            return self.services[name]

    def ports(self):
        return dict({name: each.port for name, each in self.services.items()},
                    control=self.control.server_address[1])

    def note(self, service, method, target, done):
        with self.lock:
            self.count += 1
            entry = {'n': self.count, 'service': service, 'method': method, 'path': target,
                     'at': time.time(), 'done': done, 'status': 0}
            self.log.append(entry)
        return entry

    def requests(self, forget=False):
        with self.lock:
            entries = [dict(each) for each in self.log]
            if forget:
                self.log.clear()
        return {'count': len(entries), 'requests': entries}

    def readdress(self, service, answer):
        """Whatever names the service names the proxy; so does a token's catalogue."""
        answer.headers = [(n, v.replace(service.theirs, service.ours)) for n, v in answer.headers]
        if 'json' not in (answer.get('content-type') or '') or answer.bodiless:
            return
        if answer.get('x-subject-token'):
            token = json.loads(answer.body)
            for each in token.get('token', {}).get('catalog', []):
                for endpoint in each['endpoints']:
                    to = self.service(each['name'], endpoint['url'], endpoint['interface'])
                    endpoint['url'] = endpoint['url'].replace(to.theirs, to.ours)
            answer.set_body(json.dumps(token).encode())
        elif service.theirs.encode() in answer.body:
            answer.set_body(answer.body.replace(service.theirs.encode(), service.ours.encode()))

    def stop(self):
        self.ending.set()
        for each in [*self.services.values(), self.control]:
            each.shutdown()
            each.server_close()


class Control(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    disable_nagle_algorithm = True

    def log_message(self, *args):
        """The output is for the ports."""

    def reply(self, value, status=200):
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header('Content-Type', 'application/json')
        self.send_header('Content-Length', str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def handle_control(self):
        proxy, asked = self.server.proxy, (self.command, self.path)
        body = self.rfile.read(int(self.headers.get('Content-Length') or 0))
        more = proxy.more(*asked) if proxy.more else None
        if more is not None:
            self.reply(more)
        elif asked == ('POST', '/rules'):
            try:
                self.reply({'ids': proxy.rules.add(json.loads(body))})
            except (ValueError, re.error) as e:
                self.reply({'error': str(e)}, 400)
        elif asked == ('GET', '/rules'):
            self.reply(proxy.rules.show())
        elif asked == ('DELETE', '/rules'):
            self.reply(proxy.rules.clear())
        elif asked in (('GET', '/log'), ('DELETE', '/log')):
            self.reply(proxy.requests(self.command == 'DELETE'))
        elif asked == ('GET', '/ports'):
            self.reply({name: {'port': each.port, 'upstream': each.theirs}
                        for name, each in proxy.services.items()})
        else:
            self.reply({'error': 'there is no %s %s' % asked}, 404)

    do_GET = do_POST = do_DELETE = handle_control


def main():
    proxy = Proxy()
    for each in sys.argv[1:]:
        name, _, url = each.partition('=')
        proxy.service(name, url)
    if not proxy.services:
        sys.exit('usage: fault_proxy.py NAME=URL...')
    signal.signal(signal.SIGTERM, lambda *args: proxy.ending.set())
    signal.signal(signal.SIGINT, lambda *args: proxy.ending.set())
    print(json.dumps(proxy.ports()), flush=True)
    proxy.ending.wait()
    proxy.stop()


if __name__ == '__main__':
    main()
