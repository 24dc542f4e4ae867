"""Signature Version 4, checked: of headers and of a query, with session tokens."""

import calendar
import hashlib
import hmac
import re
import time
from urllib.parse import parse_qsl, quote

ALGORITHM = 'AWS4-HMAC-SHA256'
SKEW_S = 300
EXPIRES_MAX_S = 604800
HEADER = re.compile(ALGORITHM + r'\s+Credential=([^,\s]+),\s*SignedHeaders=([^,\s]+),\s*'
                    r'Signature=([0-9a-f]{64})$')
SPACES = re.compile(' +')


class BadSignature(Exception):
    """`why` is one of: missing, incomplete, unknown, scope, token, expired-session, past, future,
    mismatch."""

    def __init__(self, why, words):
        super().__init__(why, words)
        self.why, self.words = why, words


class Claim:
    """What a request says of who sent it."""

    def __init__(self, credential, signed, signature, date, token, expires, presigned):
        parts = credential.split('/')
        if len(parts) != 5 or not re.match(r'\d{8}T\d{6}Z$', date or ''):
            raise BadSignature('incomplete', 'Credential must have exactly 5 slash-delimited '
                               'elements, and there must be a date')
        self.key_id, self.day, self.region, self.service, self.end = parts
        self.signed, self.signature, self.date = signed.split(';'), signature, date
        self.token, self.expires, self.presigned = token, expires, presigned

    def seconds(self):
        return calendar.timegm(time.strptime(self.date, '%Y%m%dT%H%M%SZ'))


def query_of(request):
    return parse_qsl(request.target.partition('?')[2], keep_blank_values=True)


def claim_of(request):
    """BadSignature where there is none."""
    headers = request.headers
    written = headers.get('authorization')
    if written is not None:
        found = HEADER.match(written)
        if not found:
            raise BadSignature('incomplete', 'Authorization header requires Credential, '
                               'SignedHeaders and Signature')
        return Claim(found[1], found[2], found[3], headers.get('x-amz-date'),
                     headers.get('x-amz-security-token'), None, False)
    fields = dict(query_of(request)) if 'X-Amz-Signature=' in request.target else {}
    if fields.get('X-Amz-Algorithm') != ALGORITHM:
        raise BadSignature('missing', 'Request is missing Authentication Token')
    try:
        expires = int(fields['X-Amz-Expires'])
        return Claim(fields['X-Amz-Credential'], fields['X-Amz-SignedHeaders'],
                     fields['X-Amz-Signature'], fields['X-Amz-Date'],
                     fields.get('X-Amz-Security-Token'), expires, True)
    except (KeyError, ValueError):
        raise BadSignature('incomplete', 'A parameter of the signature is missing') from None


def canonical(request, claim):
    path = quote(request.path or '/', safe='/-_.~')
    query = sorted((quote(name, safe='-_.~'), quote(value, safe='-_.~'))
                   for name, value in query_of(request) if name != 'X-Amz-Signature')
    lines = [request.method, path, '&'.join('%s=%s' % each for each in query)]
    for name in claim.signed:
        if name not in request.headers:
            raise BadSignature('mismatch', 'The header %s was signed and is not there' % name)
        lines.append('%s:%s' % (name, SPACES.sub(' ', request.headers[name])))
    return '\n'.join(lines + ['', ';'.join(claim.signed),
                              hashlib.sha256(request.body).hexdigest()])


def must_be_signed(request, claim):
    names = set(request.headers)
    wanted = {'host'} | {name for name in names if name.startswith('x-amz-')}
    if claim.signed != sorted(set(claim.signed)) or not wanted <= set(claim.signed):
        raise BadSignature('mismatch', 'Signed have to be, in order: %s' % ', '.join(sorted(wanted)))
    said = request.headers.get('x-amz-content-sha256')
    if said is not None and said != hashlib.sha256(request.body).hexdigest():
        raise BadSignature('mismatch', 'The body is not what x-amz-content-sha256 says')


class Keys:
    """The signing keys that were already made."""

    def __init__(self):
        self.made = {}

    def get(self, secret, claim):
        name = (secret, claim.day, claim.region, claim.service)
        if name not in self.made:
            if len(self.made) > 1000:
                self.made.clear()
            key = ('AWS4' + secret).encode()
            for part in claim.day, claim.region, claim.service, 'aws4_request':
                key = hmac.digest(key, part.encode(), 'sha256')
            self.made[name] = key
        return self.made[name]


KEYS = Keys()


def check(request, claim, secret, region, service, now):
    """BadSignature where it is not the secret's, not for here, or not of now."""
    if (claim.region, claim.service, claim.end) != (region, service, 'aws4_request'):
        raise BadSignature('scope', 'Credential should be scoped to %s, %s and aws4_request'
                           % (region, service))
    if claim.day != claim.date[:8]:
        raise BadSignature('scope', "Date in Credential scope does not match the request's")
    must_be_signed(request, claim)
    text = '\n'.join([ALGORITHM, claim.date,
                      '/'.join((claim.day, claim.region, claim.service, claim.end)),
                      hashlib.sha256(canonical(request, claim).encode()).hexdigest()])
    wanted = hmac.digest(KEYS.get(secret, claim), text.encode(), 'sha256').hex()
    if not hmac.compare_digest(wanted, claim.signature):
        raise BadSignature('mismatch', 'The request signature we calculated does not match the '
                           'signature you provided. Check your AWS Secret Access Key and signing '
                           'method. Consult the service documentation for details.')
    made = claim.seconds()
    lasts = SKEW_S if claim.expires is None else claim.expires
    if lasts > EXPIRES_MAX_S:
        raise BadSignature('incomplete', 'X-Amz-Expires must be less than a week')
    if now > made + lasts:
        raise BadSignature('past', 'Request has expired.')
    if now < made - SKEW_S:
        raise BadSignature('future', 'Signature not yet current: %s is still later than now'
                           % claim.date)
