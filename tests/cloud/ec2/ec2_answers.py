"""A request of EC2's or STS's: what it asks for, who sent it, and how it is answered."""

import time
import uuid
from email.utils import formatdate
from urllib.parse import parse_qsl

import ec2_signature
from ec2_model import Model, ModelError, Refused, escape, tree_of
from ec2_signature import BadSignature

MODELS = {model.version: model for model in (Model('ec2'), Model('sts'))}
EC2, STS = '2016-11-15', '2011-06-15'
CREDENTIALS = 'AWS was not able to validate the provided access credentials'
TOKEN = 'The security token included in the request is '
# Why a signature is bad: what EC2 says of it, and STS; no words: those of the finding.
SIGNATURE_ERRORS = {
    'missing': (('MissingAuthenticationToken', 403, None), ('MissingAuthenticationToken', 403, None)),
    'incomplete': (('IncompleteSignature', 400, None), ('IncompleteSignature', 400, None)),
    'unknown': (('AuthFailure', 401, CREDENTIALS), ('InvalidClientTokenId', 403, TOKEN + 'invalid.')),
    'scope': (('AuthFailure', 401, None), ('SignatureDoesNotMatch', 403, None)),
    'token': (('AuthFailure', 401, CREDENTIALS), ('InvalidClientTokenId', 403, TOKEN + 'invalid.')),
    'expired-session': (('RequestExpired', 400, 'Request has expired.'),
                        ('ExpiredToken', 403, TOKEN + 'expired')),
    'mismatch': (('SignatureDoesNotMatch', 403, None), ('SignatureDoesNotMatch', 403, None)),
    'past': (('RequestExpired', 400, None), ('SignatureDoesNotMatch', 403, None)),
    'future': (('AuthFailure', 401, CREDENTIALS), ('SignatureDoesNotMatch', 403, None)),
}


class Call:
    """What is known of a request before anything is done."""

    def __init__(self, request):
        self.claim = self.bad = None
        try:
            self.claim = ec2_signature.claim_of(request)
        except BadSignature as e:
            self.bad = e
        text = request.body.decode('utf-8', 'replace') if request.method == 'POST' else ''
        query = request.target.partition('?')[2]
        fields = parse_qsl(text, keep_blank_values=True) + parse_qsl(query, keep_blank_values=True)
        named = dict(fields)
        self.action, self.version = named.get('Action', ''), named.get('Version', '')
        self.fields = [each for each in fields if each[0] not in ('Action', 'Version') and
                       not each[0].startswith('X-Amz-')]

    @property
    def sts(self):
        return self.version == STS or self.claim is not None and self.claim.service == 'sts'

    def refused(self, bad):
        code, status, words = SIGNATURE_ERRORS[bad.why][self.sts]
        return Refused(code, words or bad.words, status)


def check_form(request, call):
    """Refused, as a breach, where it is no query of the protocol."""
    if request.path != '/' or request.method not in ('POST', 'GET'):
        raise Refused('InvalidRequest', 'There is no %s %s' % (request.method, request.path),
                      breach=True)
    kind = request.headers.get('content-type', '').partition(';')[0]
    if request.method == 'POST' and kind != 'application/x-www-form-urlencoded':
        raise Refused('InvalidRequest', 'A body is a form', breach=True)
    if not call.action:
        raise Refused('MissingAction', 'The request must contain the parameter Action', breach=True)
    if call.version not in MODELS:
        raise Refused('NoSuchVersion', 'The requested version (%s) of the service does not exist'
                      % call.version, breach=True)


def sender(lab, request, call):
    """Who has sent it, as an ARN; Refused where that is not proved."""
    claim = call.claim
    try:
        secret, arn = lab.secret, 'arn:aws:iam::%s:user/tester' % lab.account
        session = lab.sessions.get(claim.key_id)
        if session:
            if claim.token != session.token:
                raise BadSignature('token', '')
            if session.expires < lab.now():
                raise BadSignature('expired-session', '')
            secret, arn = session.secret, session.arn
        elif claim.token is not None:
            raise BadSignature('token', '')
        ec2_signature.check(request, claim, secret, lab.region, 'sts' if call.version == STS
                            else 'ec2', lab.now())
        return arn
    except BadSignature as e:
        raise call.refused(e) from None


def headers_of(id, clock):
    return [('Content-Type', 'text/xml;charset=UTF-8'), ('x-amzn-requestid', id),
            ('Cache-Control', 'no-cache, no-store'), ('Server', 'AmazonEC2'),
            ('Date', formatdate(time.time() + clock, usegmt=True))]


def error(call, refused, clock=0.0):
    id = str(uuid.uuid4())
    code, message = escape(refused.code), escape(refused.message)
    if call.sts:
        text = ('<ErrorResponse xmlns="%s"><Error><Type>Sender</Type><Code>%s</Code><Message>%s'
                '</Message></Error><RequestId>%s</RequestId></ErrorResponse>'
                % (MODELS[STS].namespace, code, message, id))
    else:
        text = ('<?xml version="1.0" encoding="UTF-8"?>\n<Response><Errors><Error><Code>%s</Code>'
                '<Message>%s</Message></Error></Errors><RequestID>%s</RequestID></Response>'
                % (code, message, id))
    return refused.status, text.encode(), headers_of(id, clock)


def success(model, operation, value, clock):
    """ModelError where the model has no such answer."""
    id, parts = str(uuid.uuid4()), ['<?xml version="1.0" encoding="UTF-8"?>\n']
    out = parts.append
    out('<%sResponse xmlns="%s">' % (operation.name, model.namespace))
    if operation.result:
        out('<%s>' % operation.result)
        operation.write(value, out)
        out('</%s><ResponseMetadata><RequestId>%s</RequestId></ResponseMetadata>'
            % (operation.result, id))
    else:
        out('<requestId>%s</requestId>' % id)
        if operation.write:
            operation.write(value, out)
        else:
            if value is not None:
                raise ModelError('%s answers nothing' % operation.name)
            out('<return>true</return>')
    out('</%sResponse>' % operation.name)
    return 200, ''.join(parts).encode(), headers_of(id, clock)


def parse(call):
    """(model, operation, its parameters)"""
    model = MODELS[call.version]
    operation = model.operation(call.action)
    return model, operation, operation.read(tree_of(call.fields), '')
