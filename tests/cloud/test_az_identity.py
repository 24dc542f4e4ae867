#!/usr/bin/python3
"""azure-identity, of Debian's python3-azure, judges: in one environment it takes the credentials that
the adapter takes, and asks for a token with the same words.
"""

import base64
import json
import logging
import os
import sys
import time
import unittest
import urllib.parse
from unittest import mock

try:
    from azure.core.pipeline.transport import HttpTransport
    from azure.identity import AzureAuthorityHosts, DefaultAzureCredential
    import jwt
    from cryptography.hazmat.primitives import hashes, serialization
except ImportError:
    print('skipped: python3-azure is not installed')
    sys.exit(77)

from az_home import CLIENT, PRINCIPAL, TENANT, Home, certificate
from az_services import Request

AUTHORITY = 'https://' + AzureAuthorityHosts.AZURE_PUBLIC_CLOUD


class Answer:
    """What its pipeline wants of an answer."""
    reason, content_type, block_size = '', 'application/json', None

    def __init__(self, request, body):
        self.request, self.status_code, self.headers = request, 200, {
            'Content-Type': 'application/json'}
        self.internal_response, self.body_text = self, json.dumps(body)

    def text(self, encoding=None):
        return self.body_text

    def body(self):
        return self.body_text.encode()


class Transport(HttpTransport):
    """Takes all that it sends, and gives tokens."""

    def __init__(self):
        self.asked = []

    def open(self):
        pass

    def close(self):
        pass

    def __exit__(self, *_):
        pass

    def send(self, request, **_):
        url = urllib.parse.urlsplit(request.url)
        if url.path.endswith('/.well-known/openid-configuration'):
            tenant = AUTHORITY + url.path.partition('/v2.0')[0]
            return Answer(request, {'issuer': tenant, 'authorization_endpoint': tenant + '/a',
                                    'token_endpoint': tenant + '/oauth2/v2.0/token'})
        if url.path == '/common/discovery/instance':
            host = AzureAuthorityHosts.AZURE_PUBLIC_CLOUD
            return Answer(request, {'metadata': [{'preferred_network': host, 'preferred_cache': host,
                                                  'aliases': [host]}]})
        body = request.body or request.data or ''
        form = body if isinstance(body, dict) else dict(urllib.parse.parse_qsl(body))
        self.asked.append(Request(request.method, url.path,
                                  dict(urllib.parse.parse_qsl(url.query)),
                                  {k.title(): v for k, v in request.headers.items()}, form))
        return Answer(request, {'access_token': 'x', 'token_type': 'Bearer', 'expires_in': 3600,
                                'expires_on': int(time.time()) + 3600, 'resource': 'https://arm.x'})


class Judge(Home):
    def theirs(self, env):
        """What it asks, last, and how it calls `az`."""
        transport = Transport()
        with mock.patch.dict(os.environ, {'PATH': self.folder + ':/usr/bin:/bin', **env}, clear=True):
            DefaultAzureCredential(
                transport=transport, exclude_shared_token_cache_credential=True,
                exclude_powershell_credential=True).get_token('https://arm.x/.default')
        return transport.asked[-1] if transport.asked else None, self.calls_anew()

    def calls_anew(self):
        calls = self.az.calls()
        if calls:
            os.unlink(os.path.join(self.folder, 'calls'))
        return calls

    def both(self, env):
        # Its own metadata service is where the adapter's is; it takes http:// for that.
        mine = self.token(env)
        self.assertTrue(mine['token'])
        asked, calls = self.services.asked[-1] if self.services.asked else None, self.calls_anew()
        self.az.say({'accessToken': 'x', 'expiresOn': '2099-01-01 00:00:00.000000'})
        theirs, their_calls = self.theirs(
            {'AZURE_POD_IDENTITY_AUTHORITY_HOST': self.url, 'AZURE_AUTHORITY_HOST': AUTHORITY, **env})
        return asked, calls, theirs, their_calls

    def same(self, env, *headers):
        asked, calls, theirs, their_calls = self.both(env)
        self.assertEqual((calls, their_calls), ([], []))
        self.assertEqual((asked.method, asked.path, asked.query),
                         (theirs.method, theirs.path, theirs.query))
        for h in headers:
            self.assertEqual(asked.headers[h], theirs.headers[h])
        return asked.form, theirs.form

    def test_secret(self):
        mine, theirs = self.same(PRINCIPAL)
        # Those of MSAL's own are not needed.
        self.assertEqual(mine, {k: theirs[k] for k in mine})
        self.assertLessEqual(set(theirs) - set(mine), {'client_info', 'claims'})

    def test_certificate(self):
        key, public = certificate()
        path = self.write('c.pem', key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption()) + public.public_bytes(serialization.Encoding.PEM))
        env = dict(PRINCIPAL, AZURE_CLIENT_CERTIFICATE_PATH=path)
        del env['AZURE_CLIENT_SECRET']
        mine, theirs = self.same(env)
        a, b = mine.pop('client_assertion'), theirs.pop('client_assertion')
        self.assertEqual(mine, {k: theirs[k] for k in mine})
        options = {'verify_aud': False, 'verify_iat': False}   # it has a fraction
        ours = jwt.decode(a, key.public_key(), ['PS256'], options=options)
        its = jwt.decode(b, key.public_key(), ['RS256'], options=options)
        for claim in 'iss', 'sub':
            self.assertEqual(ours[claim], its[claim])
        for claim in 'iat', 'exp':
            self.assertAlmostEqual(ours[claim], its[claim], delta=60)
        self.assertEqual(ours['aud'].replace(self.url, AUTHORITY), its['aud'])
        self.assertEqual(base64.urlsafe_b64decode(jwt.get_unverified_header(b)['x5t']),
                         public.fingerprint(hashes.SHA1()))

    def test_workload(self):
        env = dict(PRINCIPAL, AZURE_FEDERATED_TOKEN_FILE=self.write('t', 'a.b.c'))
        del env['AZURE_CLIENT_SECRET']
        mine, theirs = self.same(env)
        self.assertEqual(mine, theirs)

    def test_metadata(self):
        self.same({}, 'Metadata')
        self.same({'AZURE_CLIENT_ID': CLIENT}, 'Metadata')

    def test_app_service(self):
        env = {'IDENTITY_ENDPOINT': self.url + '/msi/token', 'IDENTITY_HEADER': 'h'}
        self.same(env, 'X-Identity-Header')
        self.same(dict(env, AZURE_CLIENT_ID=CLIENT), 'X-Identity-Header')

    def test_azure_ml(self):
        env = {'MSI_ENDPOINT': self.url + '/ml', 'MSI_SECRET': 's'}
        self.same(env, 'Secret')
        self.same(dict(env, AZURE_CLIENT_ID=CLIENT), 'Secret')

    def test_cloud_shell(self):
        mine, theirs = self.same({'MSI_ENDPOINT': self.url + '/shell'}, 'Metadata')
        self.assertEqual(mine, theirs)

    def test_order(self):
        """Whatever is there besides."""
        app = {'IDENTITY_ENDPOINT': self.url + '/msi/token', 'IDENTITY_HEADER': 'h'}
        file = {'AZURE_FEDERATED_TOKEN_FILE': self.write('t', 'a.b.c')}
        ml = {'MSI_ENDPOINT': self.url + '/ml', 'MSI_SECRET': 's'}
        self.same({**PRINCIPAL, **app, **file, **ml})
        self.same({**app, **ml})
        self.same({**PRINCIPAL, 'AZURE_CLIENT_CERTIFICATE_PATH': '/none'})

    def test_cli(self):
        env = {'AZURE_TOKEN_CREDENTIALS': 'dev', 'AZURE_TENANT_ID': TENANT}
        _, calls, _, _ = self.both(env)
        with mock.patch.dict(os.environ, {'PATH': self.folder + ':/usr/bin:/bin'}, clear=True):
            from azure.identity import AzureCliCredential
            AzureCliCredential(tenant_id=TENANT).get_token('https://arm.x/.default')
        self.assertEqual(calls, self.calls_anew())


if __name__ == '__main__':
    logging.disable()
    sys.exit(0 if unittest.main(exit=False).result.wasSuccessful() else 1)
