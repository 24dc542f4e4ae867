#!/usr/bin/python3
"""Tokens of Entra ID, for a secret, a certificate, or somebody else's token: what is asked, what is
made of the answers, good and bad, and what is said of them; how long they are kept.

An assertion is checked by PyJWT.
"""

import base64
import hashlib
import json
import os
import sys
import time
import unittest

try:
    import jwt
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.serialization import pkcs12
except ImportError:
    print('skipped: python3-jwt and python3-cryptography are not installed')
    sys.exit(77)

from az_home import CLIENT, PRINCIPAL, SECRET, TENANT, Home, certificate
from az_services import entra_error

UNAUTHORIZED, FORBIDDEN, UNAVAILABLE = 'Unauthorized', 'Forbidden', 'Unavailable'
LIMITED = 'RateLimited'
ASSERTION = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'


class Secret(Home):
    def test_form(self):
        got = self.token(PRINCIPAL)
        self.assertEqual(got['token'], 'entra-1')
        self.assertEqual(got['source'], 'the service principal %s of tenant %s (AZURE_CLIENT_SECRET)'
                         % (CLIENT, TENANT))
        request, = self.services.asked
        self.assertEqual(request.method, 'POST')
        self.assertEqual(request.path, '/%s/oauth2/v2.0/token' % TENANT)
        self.assertEqual(request.form, {
            'grant_type': 'client_credentials', 'client_id': CLIENT, 'client_secret': SECRET,
            'scope': 'https://arm.x/.default'})
        self.assertEqual(request.headers['Content-Type'], 'application/x-www-form-urlencoded')

    def test_audience(self):
        self.token(PRINCIPAL, audience='https://management.core.windows.net/')
        self.assertEqual(self.services.asked[0].form['scope'],
                         'https://management.core.windows.net/.default')

    def test_errors(self):
        rows = [
            (90002, 400, UNAUTHORIZED, 'there is no such tenant'),
            (90038, 400, UNAUTHORIZED, 'set environment'),
            (700016, 400, UNAUTHORIZED, 'the tenant has no such application'),
            (7000215, 401, UNAUTHORIZED, 'the client secret is wrong'),
            (7000222, 401, UNAUTHORIZED, 'the client secret has expired'),
            (7000112, 400, FORBIDDEN, 'the application is disabled'),
            (5000225, 400, FORBIDDEN, 'the tenant has been blocked'),
            (53003, 400, FORBIDDEN, 'conditional access'),
            (500011, 400, UNAUTHORIZED, 'check audience'),
            (123456789, 400, UNAUTHORIZED, 'It is so (AADSTS123456789, 400)'),
        ]
        for number, status, code, words in rows:
            with self.subTest(number):
                self.services.reset()
                self.services.say = [(status, entra_error(number))]
                got = self.refusal(PRINCIPAL, code, words, 'AADSTS%d' % number, 'cloud lab: ',
                                   CLIENT, timeout_ms=5000)
                self.assertEqual(got['native'], 'AADSTS%d' % number)
                self.assertEqual(got['message'], 'It is so')
                self.assertEqual(got['request_id'], 'aaaa0000-bb11-2222-33cc-444444dddddd')
                self.assertEqual(got['status'], status)
                # A wrong secret is not shown twice.
                self.assertEqual(len(self.services.asked), 1)

    def test_error_in_one_line(self):
        body = {'error': 'unauthorized_client', 'error_description':
                'AADSTS700016: Application not found. Trace ID: 1 Correlation ID: 2'}
        self.services.say = [(400, json.dumps(body), [('x-ms-request-id', 'req-9')])]
        got = self.refusal(PRINCIPAL, UNAUTHORIZED, 'AADSTS700016')
        self.assertEqual((got['message'], got['request_id']), ('Application not found', 'req-9'))

    def test_throttled(self):
        self.services.say = [(429, '{}', [('Retry-After', '1')])]
        self.assertEqual(self.token(PRINCIPAL)['token'], 'entra-2')
        self.services.reset()
        self.services.say = [(429, '{}', [('Retry-After', '60')])]
        got = self.refusal(PRINCIPAL, LIMITED, 'call less often')
        self.assertGreater(got['after_ms'], 50000)
        self.services.reset()
        self.services.say = [(400, entra_error(90055))] * 3
        self.refusal(PRINCIPAL, LIMITED, 'too many requests')

    def test_out_of_order(self):
        self.services.say = [(503, '{"error": "temporarily_unavailable"}')]
        self.assertEqual(self.token(PRINCIPAL)['token'], 'entra-2')
        self.services.reset()
        self.services.say = [(500, 'oops')] * 3
        self.refusal(PRINCIPAL, UNAVAILABLE, 'it does not say why (500)')
        self.assertEqual(len(self.services.asked), 3)

    def test_nobody_is_there(self):
        self.refusal(PRINCIPAL, UNAVAILABLE, 'refused',
                     authority='http://127.0.0.1:9')

    def test_answers_of_others(self):
        answers = ['<html>Welcome</html>', '{}', '[]', '{"access_token": "x"}',
                   '{"access_token": "", "expires_in": 9}', '{"expires_in": 3600}',
                   '{"access_token": "a\\r\\nb", "expires_in": 9}', '']
        for body in answers:
            with self.subTest(body):
                self.services.reset()
                self.services.say = [(200, body)]
                self.refusal(PRINCIPAL, UNAVAILABLE, 'cloud lab: ', 'Entra ID')
        self.services.reset()
        self.services.say = [(404, '<html>')]
        self.refusal(PRINCIPAL, UNAVAILABLE, 'check authority')
        self.services.reset()
        self.services.say = [(302, '', [('Location', self.url + '/other')])]
        self.refusal(PRINCIPAL, UNAVAILABLE, 'check authority')
        self.assertEqual(len(self.services.asked), 1)

    def test_deep_and_large_answers(self):
        for body in '[' * 100000, '{"x":' * 100000, '{"access_token": "%s"' % ('x' * 1000000):
            self.services.reset()
            self.services.say = [(200, body)]
            self.refusal(PRINCIPAL, UNAVAILABLE)


class Certificate(Home):
    def setUp(self):
        super().setUp()
        self.key, self.certificate = certificate()
        self.pem = self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption())
        self.public = self.certificate.public_bytes(serialization.Encoding.PEM)

    def env(self, content, **more):
        return {'AZURE_TENANT_ID': TENANT, 'AZURE_CLIENT_ID': CLIENT,
                'AZURE_CLIENT_CERTIFICATE_PATH': self.write('certificate', content), **more}

    def check(self, request, ahead=0):
        self.assertEqual(request.form['client_assertion_type'], ASSERTION)
        self.assertEqual(request.form['scope'], 'https://arm.x/.default')
        self.assertEqual(request.form['client_id'], CLIENT)
        self.assertNotIn('client_secret', request.form)
        token = request.form['client_assertion']
        header = jwt.get_unverified_header(token)
        claims = jwt.decode(
            token, self.key.public_key(), ['PS256'], leeway=abs(ahead) + 5,
            audience='%s/%s/oauth2/v2.0/token' % (self.url, TENANT), issuer=CLIENT,
            options={'require': ['exp', 'iat', 'nbf', 'jti', 'sub'], 'verify_iat': not ahead})
        self.assertEqual(claims['sub'], CLIENT)
        self.assertEqual(claims['exp'] - claims['nbf'], 600)
        self.assertAlmostEqual(claims['nbf'], time.time() + ahead, delta=60)
        der = self.certificate.public_bytes(serialization.Encoding.DER)
        self.assertEqual(header['x5t#S256'], base64.urlsafe_b64encode(
            hashlib.sha256(der).digest()).decode().rstrip('='))
        return header, claims

    def test_pem(self):
        self.assertEqual(self.token(self.env(self.pem + self.public))['source'],
                         'the service principal %s of tenant %s (AZURE_CLIENT_CERTIFICATE_PATH)'
                         % (CLIENT, TENANT))
        header, _ = self.check(self.services.asked[0])
        self.assertEqual(set(header), {'alg', 'typ', 'x5t#S256'})

    def test_chain(self):
        _, above = certificate('above')
        self.token(self.env(self.public + above.public_bytes(serialization.Encoding.PEM) + self.pem,
                            AZURE_CLIENT_SEND_CERTIFICATE_CHAIN='1'))
        header, _ = self.check(self.services.asked[0])
        self.assertEqual([base64.b64decode(c) for c in header['x5c']], [
            c.public_bytes(serialization.Encoding.DER) for c in (self.certificate, above)])

    def test_encrypted_pem(self):
        pem = self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b'the word')) + self.public
        self.token(self.env(pem, AZURE_CLIENT_CERTIFICATE_PASSWORD='the word'))
        self.check(self.services.asked[0])
        self.refusal(self.env(pem, AZURE_CLIENT_CERTIFICATE_PASSWORD='wrong'), UNAUTHORIZED,
                     'AZURE_CLIENT_CERTIFICATE_PATH', 'encrypted, with another password')
        self.refusal(self.env(pem), UNAUTHORIZED, 'there is no password')

    def test_pkcs12(self):
        for password in b'the word', b'':
            data = pkcs12.serialize_key_and_certificates(
                b'x', self.key, self.certificate, None,
                serialization.BestAvailableEncryption(password) if password
                else serialization.NoEncryption())
            self.services.reset()
            self.token(self.env(data, AZURE_CLIENT_CERTIFICATE_PASSWORD=password.decode()))
            self.check(self.services.asked[0])

    def test_files_that_are_no_use(self):
        for content, words in [(self.pem, 'there is no certificate in it'),
                               (self.public, 'there is no private key in it'),
                               (self.pem + certificate()[1].public_bytes(
                                   serialization.Encoding.PEM), 'belongs to its private key'),
                               ('nonsense', 'neither PEM nor PKCS#12'),
                               ('', 'neither PEM nor PKCS#12'),
                               ('x' * 70000, 'File too large')]:
            with self.subTest(words):
                self.refusal(self.env(content), UNAUTHORIZED, 'cloud lab: ', words,
                             os.path.join(self.folder, 'certificate'))
        env = self.env('')
        os.unlink(env['AZURE_CLIENT_CERTIFICATE_PATH'])
        self.refusal(env, UNAUTHORIZED, 'No such file')
        self.assertEqual(self.services.asked, [])

    def test_clock(self):
        """A wrong clock of ours is made up for."""
        self.services.ahead = -86400
        self.services.say = [(401, entra_error(700024))]
        self.token(self.env(self.pem + self.public))
        first, second = self.services.asked
        self.check(first)
        self.check(second, ahead=-86400)
        self.assertNotEqual(first.form['client_assertion'], second.form['client_assertion'])

    def test_not_registered(self):
        self.services.say = [(401, entra_error(700027))] * 2
        self.refusal(self.env(self.pem + self.public), UNAUTHORIZED, 'AADSTS700027',
                     'not one of the application')


class Workload(Home):
    def setUp(self):
        super().setUp()
        self.env = {'AZURE_TENANT_ID': TENANT, 'AZURE_CLIENT_ID': CLIENT,
                    'AZURE_FEDERATED_TOKEN_FILE': self.write('token', ' eyJh.bGci.OiJS_-\n')}

    def test_form(self):
        got = self.token(self.env)
        self.assertEqual(got['source'], 'the workload identity %s of tenant %s '
                         '(AZURE_FEDERATED_TOKEN_FILE)' % (CLIENT, TENANT))
        self.assertEqual(self.services.asked[0].form, {
            'grant_type': 'client_credentials', 'client_id': CLIENT,
            'scope': 'https://arm.x/.default', 'client_assertion_type': ASSERTION,
            'client_assertion': 'eyJh.bGci.OiJS_-'})

    def test_file_is_read_each_time(self):
        self.services.then = lambda: self.write('token', 'rotated')
        self.tokens(self.env, steps='gr')
        self.assertEqual([r.form['client_assertion'] for r in self.services.asked],
                         ['eyJh.bGci.OiJS_-', 'rotated'])

    def test_files_that_are_no_use(self):
        self.write('token', '')
        self.refusal(self.env, UNAUTHORIZED, 'AZURE_FEDERATED_TOKEN_FILE', 'there is no token in')
        os.unlink(os.path.join(self.folder, 'token'))
        self.refusal(self.env, UNAUTHORIZED, 'No such file')

    def test_refusals(self):
        for number, words in [(700213, "has the token's subject"), (700024, 'kept fresh'),
                              (70021, 'fits the token')]:
            self.services.reset()
            self.services.say = [(401, entra_error(number))]
            self.refusal(self.env, UNAUTHORIZED, words)
            self.assertEqual(len(self.services.asked), 1)


class Cache(Home):
    def test_single_flight(self):
        self.services.slow = 0.3
        calls = self.tokens(PRINCIPAL, threads=32)
        self.assertEqual({c.get('token') for c in calls}, {'entra-1'})
        self.assertEqual(len(self.services.asked), 1)

    def test_failures_are_shared_too(self):
        self.services.slow = 0.5
        self.services.say = [(401, entra_error(7000215))] * 32
        calls = self.tokens(PRINCIPAL, threads=16)
        self.assertEqual({c['code'] for c in calls}, {UNAUTHORIZED})
        self.assertEqual({c['native'] for c in calls}, {'AADSTS7000215'})
        self.assertLess(len(self.services.asked), 16)

    def test_kept(self):
        calls = self.tokens(PRINCIPAL, steps='ggg', threads=4)
        self.assertEqual({c['token'] for c in calls}, {'entra-1'})

    def test_refused_is_asked_anew(self):
        calls = self.tokens(PRINCIPAL, steps='grg', threads=8)
        self.assertEqual([c['token'] for c in calls], ['entra-1'] * 8 + ['entra-2'] * 16)

    def test_expired(self):
        self.services.life = 1
        calls = self.tokens(PRINCIPAL, steps='gsg')
        self.assertEqual([c['token'] for c in calls], ['entra-1', 'entra-2'])

    def test_renewed_early(self):
        """refresh_in says when; the old one is used where that fails."""
        body = '{"access_token": "old", "expires_in": 3600, "refresh_in": 1}'
        self.services.say = [(200, body)]
        calls = self.tokens(PRINCIPAL, steps='gsg')
        self.assertEqual([c['token'] for c in calls], ['old', 'entra-2'])
        self.services.reset()
        self.services.say = [(200, body)] + [(400, entra_error(700016))] * 3
        calls = self.tokens(PRINCIPAL, steps='gsg')
        self.assertEqual([c['token'] for c in calls], ['old', 'old'])


if __name__ == '__main__':
    sys.exit(0 if unittest.main(exit=False).result.wasSuccessful() else 1)
