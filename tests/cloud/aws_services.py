"""What gives credentials on AWS, on loopback: STS, instance metadata, a container's service.

The signatures of what STS is asked are checked by botocore's own signer. `say` is what is answered
in place of the usual: [(status, body), ...], used up one a request; `asked` is what has been asked.
"""

import http.server
import threading
import time
import urllib.parse
from xml.sax.saxutils import escape

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

STS_ERROR = ('<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender'
             '</Type><Code>%s</Code><Message>%s</Message></Error><RequestId>req-1</RequestId>'
             '</ErrorResponse>')
STS_ANSWER = ('<%(a)sResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><%(a)sResult>'
              '<AssumedRoleUser><Arn>arn:aws:sts::1:assumed-role/x</Arn></AssumedRoleUser>'
              '<Credentials><AccessKeyId>%(id)s</AccessKeyId><SecretAccessKey>%(secret)s'
              '</SecretAccessKey><SessionToken>%(token)s</SessionToken><Expiration>%(end)s'
              '</Expiration></Credentials></%(a)sResult><ResponseMetadata><RequestId>r</RequestId>'
              '</ResponseMetadata></%(a)sResponse>')


def stamp(seconds):
    return time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(seconds))


def is_signed(request, body, keys, region):
    """Whether Authorization is what botocore makes of the request."""
    given = request.headers.get('Authorization', '')
    fields = dict(f.split('=', 1) for f in given.partition(' ')[2].split(', ') if '=' in f)
    key_id = fields.get('Credential', '').split('/')[0]
    if key_id not in keys:
        return False
    signed = {n: request.headers[n] for n in fields['SignedHeaders'].split(';')}
    secret, token = keys[key_id]
    if token != request.headers.get('X-Amz-Security-Token'):
        return False
    auth = SigV4Auth(Credentials(key_id, secret, token), 'sts', region)
    mine = AWSRequest('POST', 'http://%s%s' % (request.headers['Host'], request.path), signed, body)
    mine.context['timestamp'] = request.headers['X-Amz-Date']
    text = auth.string_to_sign(mine, auth.canonical_request(mine))
    return auth.signature(text, mine) == fields['Signature']


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def log_message(self, *_):
        pass

    def answer(self, status, body, kind='text/plain'):
        body = body.encode()
        self.send_response_only(status)
        self.send_header('Date', self.date_time_string(time.time() + self.server.ahead))
        self.send_header('Content-Type', kind)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def serve(self):
        s = self.server
        body = self.rfile.read(int(self.headers.get('Content-Length') or 0))
        s.asked.append((self.command, self.path, dict(self.headers), body.decode()))
        if s.say:
            self.answer(*s.say.pop(0))
        elif self.command == 'POST':
            self.sts(body)
        elif self.path.startswith('/container'):
            wanted = s.container_token
            self.answer(*((200, s.json('Token')) if self.headers.get('Authorization') == wanted
                          else (401, '{"code":"Bad","message":"Bad token"}')))
        else:
            self.metadata()

    do_GET = do_PUT = do_POST = serve

    def metadata(self):
        s, roles = self.server, '/latest/meta-data/iam/security-credentials/'
        if (self.command, self.path) == ('PUT', '/latest/api/token'):
            good = 'X-aws-ec2-metadata-token-ttl-seconds' in self.headers
            return self.answer(*((200, 'imds-token') if good else (400, '')))
        if self.headers.get('X-aws-ec2-metadata-token') != 'imds-token':
            return self.answer(401, '')
        if self.path == roles:
            return self.answer(200, 'my role')
        if self.path in (roles + 'my role', roles + 'my%20role'):
            return self.answer(200, s.json('Token', Code='Success'))
        return self.answer(404, '')

    def sts(self, body):
        s = self.server
        p = dict(urllib.parse.parse_qsl(body.decode(), strict_parsing=True))
        web = p['Action'] == 'AssumeRoleWithWebIdentity'
        now = time.time() + s.ahead
        if web and 'Authorization' in self.headers:
            return self.answer(400, STS_ERROR % ('Signed', 'this is not signed'))
        if not web and not is_signed(self, body, s.keys, s.region):
            return self.answer(403, STS_ERROR % ('SignatureDoesNotMatch', 'no'))
        if not web and abs(time.mktime(time.strptime(self.headers['X-Amz-Date'], '%Y%m%dT%H%M%SZ')) -
                           time.timezone - now) > 300:
            return self.answer(403, STS_ERROR % ('SignatureDoesNotMatch', 'Signature expired: ...'))
        assert p['Version'] == '2011-06-15', p
        n = len(s.keys)
        key_id, secret, token = 'ASIA%d' % n, 'se/cr+et%d' % n, 'to+k/en%d==' % n
        s.keys[key_id] = secret, token
        return self.answer(200, STS_ANSWER % {
            'a': escape(p['Action']), 'id': key_id, 'secret': secret, 'token': token,
            'end': stamp(now + int(p.get('DurationSeconds', 3600)))}, 'text/xml')


class Services(http.server.ThreadingHTTPServer):
    """For `with`."""
    daemon_threads = True

    def __init__(self, keys, region='eu-west-1'):
        super().__init__(('127.0.0.1', 0), Handler)
        self.keys, self.region = keys, region        # id -> (secret, session token)
        self.say, self.asked = [], []
        self.ahead = 0                               # seconds that its clock is
        self.container_token = None
        self.url = 'http://127.0.0.1:%d' % self.server_address[1]

    def json(self, token_name, **more):
        more.update({'AccessKeyId': 'ASIAJ', 'SecretAccessKey': 'js/x+', token_name: 'jt==',
                     'Expiration': stamp(time.time() + self.ahead + 3600)})
        return str(more).replace("'", '"')

    def __enter__(self):
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()
