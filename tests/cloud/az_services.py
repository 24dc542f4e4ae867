"""What gives tokens on Azure, on loopback: Entra ID, instance metadata, the services of managed
identities; and an `az` in a folder of its own.

`say` is what is answered in place of the usual: [(status, body, headers), ...], used up one a
request; `asked` is what has been asked, each a Request.
"""

import collections
import http.server
import json
import os
import threading
import time
import urllib.parse

Request = collections.namedtuple('Request', 'method path query headers form')

# Of azure.microsoft.com's own documentation in shape.
ENTRA_ERROR = {
    'error': 'invalid_client',
    'error_description': 'AADSTS%(number)d: %(words)s\r\nTrace ID: 0000aaaa-11bb-cccc-dd22-'
                         'eeeeee333333\r\nCorrelation ID: aaaa0000-bb11-2222-33cc-444444dddddd\r\n'
                         'Timestamp: 2023-01-12 10:11:12Z',
    'timestamp': '2023-01-12 10:11:12Z',
    'trace_id': '0000aaaa-11bb-cccc-dd22-eeeeee333333',
    'correlation_id': 'aaaa0000-bb11-2222-33cc-444444dddddd'}

# It writes how it was called beside itself, does what `do` says there, and shows `out`.
AZ = '''#!/bin/sh
cd "$(dirname "$0")"
for word; do printf '%s\\n' "$word"; done >>calls
echo >>calls
[ -f do ] && . ./do
cat out
'''


def entra_error(number, words='It is so.', error='invalid_client'):
    body = dict(ENTRA_ERROR, error=error, error_codes=[number])
    body['error_description'] %= {'number': number, 'words': words}
    return json.dumps(body)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def log_message(self, *_):
        pass

    def answer(self, status, body, headers=()):
        body = body.encode()
        self.send_response_only(status)
        self.send_header('Date', self.date_time_string(time.time() + self.server.ahead))
        for name, value in headers:
            self.send_header(name, value)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def usual(self, request):
        """A token that says where it is from, and how many came before it."""
        server = self.server
        n = len(server.asked)
        if request.path.endswith('/oauth2/v2.0/token'):
            return {'token_type': 'Bearer', 'access_token': 'entra-%d' % n,
                    'expires_in': server.life, 'ext_expires_in': server.life}
        now = int(time.time() + server.ahead)
        if request.path == '/metadata/identity/oauth2/token':
            if request.headers.get('Metadata') != 'true':
                return None
            return {'access_token': 'imds-%d' % n, 'expires_in': str(server.life),
                    'expires_on': str(now + server.life), 'resource': 'x', 'token_type': 'Bearer'}
        return {'access_token': 'identity-%d' % n, 'expires_on': str(now + server.life),
                'resource': 'x', 'token_type': 'Bearer'}

    def serve(self):
        path, _, query = self.path.partition('?')
        body = self.rfile.read(int(self.headers.get('Content-Length') or 0)).decode()
        request = Request(self.command, path, dict(urllib.parse.parse_qsl(query)),
                          {k.title(): v for k, v in self.headers.items()},
                          dict(urllib.parse.parse_qsl(body)))
        with self.server.lock:
            self.server.asked.append(request)
            said = self.server.say.pop(0) if self.server.say else None
            if self.server.then:
                self.server.then()
        time.sleep(self.server.slow)
        if said:
            self.answer(*said)
        else:
            usual = self.usual(request)
            self.answer(200 if usual else 400, json.dumps(usual or {
                'error': 'invalid_request', 'error_description': 'Required metadata header not '
                                                                 'specified'}))

    do_GET = do_POST = do_PUT = serve


class Services(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self):
        super().__init__(('127.0.0.1', 0), Handler)
        self.lock = threading.Lock()
        self.url = 'http://127.0.0.1:%d' % self.server_address[1]
        self.reset()
        self.thread = threading.Thread(target=self.serve_forever, args=(0.05,))
        self.thread.start()

    def reset(self):
        self.say, self.asked = [], []
        self.life, self.slow = 3600, 0  # seconds
        self.ahead = 0                  # of our clock; seconds
        self.then = None                # called when something has been asked

    def handle_error(self, request, client_address):
        pass        # who asked has gone

    def stop(self):
        self.shutdown()
        self.thread.join()
        self.server_close()


class Az:
    """An `az` in `folder`, to be first in PATH."""

    def __init__(self, folder):
        self.folder = folder
        path = os.path.join(folder, 'az')
        with open(path, 'w') as f:
            f.write(AZ)
        os.chmod(path, 0o755)
        self.say({'accessToken': 'cli-token', 'expires_on': int(time.time()) + 3600,
                  'tokenType': 'Bearer'})

    def write(self, name, text):
        with open(os.path.join(self.folder, name), 'w') as f:
            f.write(text)

    def say(self, answer):
        self.write('out', answer if isinstance(answer, str) else json.dumps(answer))

    def do(self, script):
        self.write('do', script)

    def calls(self):
        """The arguments of each call."""
        try:
            with open(os.path.join(self.folder, 'calls')) as f:
                return [c.split('\n') for c in f.read().split('\n\n') if c]
        except FileNotFoundError:
            return []
