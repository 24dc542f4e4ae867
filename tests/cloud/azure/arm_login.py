"""Entra ID: the token endpoint of a tenant, and who has sent a request."""

import base64
import json
import time
import uuid
from urllib.parse import parse_qsl

from arm_answers import Refused

ASSERTION = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
SCOPES = ('https://management.azure.com', 'https://management.core.windows.net')


class NoToken(Exception):
    """An answer of the token endpoint: AADSTS and this number."""

    def __init__(self, status, error, number, words):
        super().__init__(number)
        self.status, self.error, self.number, self.words = status, error, number, words

    def answer(self, clock):
        ids = str(uuid.uuid4()), str(uuid.uuid4())
        now = time.strftime('%Y-%m-%d %H:%M:%SZ', time.gmtime(time.time() + clock))
        return self.status, {
            'error': self.error, 'error_description': 'AADSTS%d: %s Trace ID: %s Correlation ID: '
            '%s Timestamp: %s' % (self.number, self.words, *ids, now),
            'error_codes': [self.number], 'timestamp': now, 'trace_id': ids[0],
            'correlation_id': ids[1], 'error_uri': 'https://login.microsoftonline.com/error?code=%d'
            % self.number}, [('Cache-Control', 'no-store, no-cache')]


def unknown_tenant(tenant):
    return NoToken(400, 'invalid_request', 90002, "Tenant '%s' not found. Check to make sure you "
                   'have the correct tenant ID and are signing into the correct cloud.' % tenant)


def claims_of(assertion):
    """Of a JWT, whose signature is not looked at; {} where it is none."""
    try:
        text = assertion.split('.')[1]
        found = json.loads(base64.urlsafe_b64decode(text + '=' * (-len(text) % 4)))
        return found if isinstance(found, dict) and assertion.count('.') == 2 else {}
    except (IndexError, ValueError):
        return {}


def check_assertion(lab, form, audience):
    """One that the client has signed, or one that another has given it (workload identity)."""
    if form.get('client_assertion_type') != ASSERTION:
        raise NoToken(400, 'invalid_request', 900144, "The request body must contain the following "
                      "parameter: 'client_assertion_type'.")
    claims = claims_of(form['client_assertion'])
    if not claims:
        raise NoToken(401, 'invalid_client', 50027, 'JWT token is invalid or malformed.')
    now = time.time() + lab.clock
    if not isinstance(claims.get('exp'), int) or claims['exp'] < now - 300:
        raise NoToken(401, 'invalid_client', 700024, 'Client assertion is not within its valid time '
                      'range.')
    if isinstance(claims.get('nbf'), int) and claims['nbf'] > now + 300:
        raise NoToken(401, 'invalid_client', 700024, 'Client assertion is not within its valid time '
                      'range.')
    signed_by_client = claims.get('iss') == lab.client
    if claims.get('aud') not in ((audience,) if signed_by_client else
                                 ('api://AzureADTokenExchange',)):
        raise NoToken(401, 'invalid_client', 700212 if not signed_by_client else 700023,
                      'Client assertion audience claim does not match Realm issuer.')
    if not claims.get('sub') or signed_by_client and claims['sub'] != lab.client:
        raise NoToken(401, 'invalid_client', 700021, 'Client assertion application identifier '
                      "doesn't match 'client_id' parameter.")


def check_form(lab, form, audience):
    for name in 'grant_type', 'client_id':
        if not form.get(name):
            raise NoToken(400, 'invalid_request', 900144, "The request body must contain the "
                          "following parameter: '%s'." % name)
    if form['grant_type'] != 'client_credentials':
        raise NoToken(400, 'unsupported_grant_type', 70003, "The app requested an unsupported grant "
                      "type '%s'." % form['grant_type'])
    if form.get('scope') not in [each + end for each in (*SCOPES, lab.url)
                                 for end in ('/.default', '//.default')]:
        raise NoToken(400, 'invalid_scope', 70011, "The provided request must include a 'scope' "
                      'input parameter. The scope %s is not valid.' % form.get('scope'))
    if form['client_id'].lower() != lab.client:
        raise NoToken(400, 'unauthorized_client', 700016, "Application with identifier '%s' was not "
                      "found in the directory '%s'." % (form['client_id'], lab.tenant))
    if 'client_assertion' in form:
        check_assertion(lab, form, audience)
    elif 'client_secret' not in form:
        raise NoToken(401, 'invalid_client', 7000218, "The request body must contain the following "
                      "parameter: 'client_assertion' or 'client_secret'.")
    elif form['client_secret'] != lab.secret:
        raise NoToken(401, 'invalid_client', 7000215, 'Invalid client secret provided. Ensure the '
                      'secret being sent in the request is the client secret value, not the client '
                      "secret ID, for a secret added to app '%s'." % lab.client)


def token(lab, call):
    """POST /TENANT/oauth2/v2.0/token"""
    lab.ask('token')
    form = dict(parse_qsl(call.request.body.decode('utf-8', 'replace'), keep_blank_values=True))
    try:
        check_form(lab, form, lab.url + call.request.path)
    except NoToken as no:
        lab.ask('refused')
        return no.answer(lab.clock)
    return 200, {'token_type': 'Bearer', 'expires_in': lab.token_s, 'ext_expires_in': lab.token_s,
                 'access_token': lab.new_token(lab.token_s)}, [('Cache-Control', 'no-store')]


def unauthorized(url, tenant, code, message):
    return Refused(401, code, message, headers=[(
        'WWW-Authenticate', 'Bearer authorization_uri="%s/%s", error="invalid_token", '
        'error_description="%s"' % (url, tenant, message))])


def check_sender(lab, call):
    """Refused where the token does not prove who has sent it."""
    if call.bearer is None:
        raise unauthorized(lab.url, lab.tenant, 'AuthenticationFailed', "Authentication failed. The "
                           "'Authorization' header is missing.")
    ends = lab.tokens.get(call.bearer)
    if ends is None:
        raise unauthorized(lab.url, lab.tenant, 'InvalidAuthenticationToken',
                           'The access token is invalid.')
    if ends <= time.time():
        raise unauthorized(lab.url, lab.tenant, 'ExpiredAuthenticationToken',
                           'The access token expiry UTC time is earlier than current UTC time.')
