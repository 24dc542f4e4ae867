"""What a machine is told by 169.254.169.254, and a container of its credentials, on a port of its own.

    PUT /latest/api/token                                   a session token; without it all else is 401
    GET /latest/meta-data/iam/security-credentials/[ROLE]
    GET /latest/meta-data/placement/region | availability-zone, /latest/meta-data/instance-id
    GET /latest/dynamic/instance-identity/document
    GET /container/credentials                              with `Authorization`, if there is to be one

What is given is good in the lab, for `seconds`.
"""

import json
import secrets
import socket
import time

from wire import Connection

TTL = 'x-aws-ec2-metadata-token-ttl-seconds'
TTL_MAX = 21600
TEXT = [('Content-Type', 'text/plain')]


class Server:
    """`token`: what the Authorization of a container has to be; none where it is empty."""

    def __init__(self, lab, role='machine', zone='', seconds=21600, token=''):
        self.lab, self.role, self.seconds, self.token = lab, role, seconds, token
        self.zone = zone or lab.zones[0]
        self.tokens = {}        # token -> until when
        self.server = None

    def start(self, loop):
        """The port is there at once, also if the loop serves it only later."""
        listener = socket.create_server(('127.0.0.1', 0), backlog=128)
        url = 'http://127.0.0.1:%d' % listener.getsockname()[1]

        async def serve():
            self.server = await loop.create_server(lambda: Connection(self), sock=listener)
        self.task = loop.create_task(serve())
        return {'url': url, 'credentials_url': url + '/container/credentials'}

    def close(self):
        if self.server:
            self.server.close()

    def half(self, request):
        return False

    def serve(self, connection, request):
        connection.reply(*self.answer(request))

    def note(self, what):
        self.lab.asked[what] = self.lab.asked.get(what, 0) + 1

    def answer(self, request):
        if request.path == '/container/credentials':
            return self.container(request)
        if (request.method, request.path) == ('PUT', '/latest/api/token'):
            return self.new_token(request)
        if self.tokens.get(request.headers.get('x-aws-ec2-metadata-token'), 0) < time.time():
            self.note('refused')
            return 401, b'', TEXT
        if request.method != 'GET':
            return 405, b'', TEXT
        return self.metadata(request.path.rstrip('/'))

    def new_token(self, request):
        seconds = request.headers.get(TTL, '')
        if not seconds.isdigit() or not 1 <= int(seconds) <= TTL_MAX or \
                'x-forwarded-for' in request.headers:
            return 400, b'', TEXT
        self.note('token')
        token = secrets.token_urlsafe(32)
        self.tokens[token] = time.time() + int(seconds)
        return 200, token.encode(), TEXT + [(TTL, seconds)]

    def metadata(self, path):
        lab = self.lab
        base = '/latest/meta-data/'
        if path == base + 'iam/security-credentials':
            self.note('role')
            return 200, self.role.encode(), TEXT
        if path == base + 'iam/security-credentials/' + self.role:
            self.note('credentials')
            return 200, json.dumps(dict(self.credentials(), Code='Success', Type='AWS-HMAC',
                                        LastUpdated=lab.stamp(time.time()))).encode(), TEXT
        texts = {base + 'placement/region': lab.region, base + 'placement/availability-zone': self.zone,
                 base + 'instance-id': 'i-0123456789abcdef0',
                 '/latest/dynamic/instance-identity/document': json.dumps({
                     'region': lab.region, 'accountId': lab.account, 'availabilityZone': self.zone,
                     'instanceId': 'i-0123456789abcdef0', 'version': '2017-09-30'})}
        if path not in texts:
            return 404, b'', TEXT
        self.note(path.rsplit('/', 1)[1])
        return 200, texts[path].encode(), TEXT

    def credentials(self):
        session = self.lab.new_session('arn:aws:sts::%s:assumed-role/%s/i-0123456789abcdef0'
                                       % (self.lab.account, self.role), self.seconds)
        return {'AccessKeyId': session.key_id, 'SecretAccessKey': session.secret,
                'Token': session.token, 'Expiration': time.strftime(
                    '%Y-%m-%dT%H:%M:%SZ', time.gmtime(session.expires))}

    def container(self, request):
        if self.token and request.headers.get('authorization') != self.token:
            self.note('refused')
            return 401, {'code': 'InvalidAuthToken', 'message': 'Bad token'}
        self.note('container')
        return 200, dict(self.credentials(), RoleArn='arn:aws:iam::%s:role/%s'
                         % (self.lab.account, self.role))
