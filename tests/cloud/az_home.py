"""The adapter's credentials, run by themselves: a case of a test, with services, an `az` and files.

ISOBAR_AZ_DUMP is the program that gets the tokens.
"""

import datetime
import json
import os
import subprocess
import tempfile
import unittest

from az_services import Az, Services

DUMP = os.environ['ISOBAR_AZ_DUMP']
SUB = '11111111-2222-3333-4444-555555555555'
TENANT = '99999999-8888-7777-6666-555555555555'
CLIENT = 'aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee'
SECRET = 'hush~hush+S3cret/=& ü'
PRINCIPAL = {'AZURE_TENANT_ID': TENANT, 'AZURE_CLIENT_ID': CLIENT, 'AZURE_CLIENT_SECRET': SECRET}


class Home(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.services = Services()
        cls.url = cls.services.url

    @classmethod
    def tearDownClass(cls):
        cls.services.stop()

    def setUp(self):
        self.services.reset()
        folder = tempfile.TemporaryDirectory(prefix='isobar-test.')
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.az = Az(self.folder)

    def write(self, name, content):
        path = os.path.join(self.folder, name)
        with open(path, 'wb') as f:
            f.write(content if isinstance(content, bytes) else content.encode())
        return path

    def tokens(self, env, steps='g', threads=1, timeout_ms=20000, with_az=True, **settings):
        """What becomes of each call."""
        path = '/usr/bin:/bin'
        env = {'PATH': self.folder + ':' + path if with_az else path, 'HOME': self.folder,
               'AZURE_POD_IDENTITY_AUTHORITY_HOST': self.url, **env}
        settings = {'subscription_id': SUB, 'authority': self.url, 'endpoint': 'https://arm.x',
                    **settings}
        done = subprocess.run(
            [DUMP, 'token', steps, str(threads), str(timeout_ms)] +
            ['%s=%s' % s for s in settings.items() if s[1] is not None],
            env=env, capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn(SECRET, done.stdout)
        return json.loads(done.stdout)['calls']

    def token(self, env, **more):
        calls = self.tokens(env, **more)
        self.assertEqual(len(calls), 1)
        # Nothing of what was tried before stays.
        self.assertEqual(set(calls[0]), {'code', 'token', 'source'}, calls)
        return calls[0]

    def refusal(self, env, code, *words, **more):
        call = self.tokens(env, **more)[-1]
        self.assertEqual(call['code'], code, call)
        for w in words:
            self.assertIn(w, call['detail'])
        self.assertEqual(call['side_effects'], 1, call)     # none
        return call


def certificate(name='isobar test'):
    """A key and a certificate that it has signed."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import rsa
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.utcnow()
    return key, x509.CertificateBuilder(
        name, name, key.public_key(), x509.random_serial_number(),
        now - datetime.timedelta(1), now + datetime.timedelta(1)).sign(key, hashes.SHA256())
