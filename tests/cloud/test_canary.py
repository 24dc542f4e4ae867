#!/usr/bin/python3
"""Nothing that Isobar writes has a secret in it, even where a cloud or a program writes ours back at us.
tests/canary.py searches all that a daemon wrote and all that a command printed, here and in every other
test; here secrets are provoked, and the search itself is tried.
"""

import json
import os
import shutil
import sys
import tempfile
import unittest

import ec2_peer
from gateway import Gateway       # which finds the modules of tests/
import canary

# As STS and others answer a signature that is wrong: all of what was signed, in the message.
ECHO = '''The request signature we calculated does not match the signature you provided.

The Canonical String for this request should have been
'POST
/

host:ec2.us-east-1.amazonaws.com
x-amz-security-token:%s

The String-to-Sign should have been
'AWS4-HMAC-SHA256
20261126T000000Z
'''
PROCESS = '''#!/bin/sh
echo "the secret is %(secret)s" >&2
echo '{"Version": 1, "AccessKeyId": "AKIA", "SecretAccessKey": "%(secret)s"'
exit %(code)d
'''


class Search(unittest.TestCase):
    """A check that cannot fail is none."""

    def finds(self, text):
        return len(canary.find(text))

    def test_finds(self):
        for text in ('a CANARY1234 b', 'Authorization: AWS4-HMAC-SHA256 Credential=x',
                     'Signature=' + 32 * 'a1', 'X-Auth-Token: gAAAAA' + 50 * 'x',
                     b'\xff\0CANARY'):
            self.assertEqual(self.finds(text), 1, text)
        self.assertEqual(self.finds('Signature=none, a canary, gAAAAAshort'), 0)

    def test_looks_into_all_but_what_is_given(self):
        folder = tempfile.mkdtemp(prefix='isobar-test.')
        self.addCleanup(shutil.rmtree, folder)
        os.mkdir(os.path.join(folder, 'state'))
        for name in 'log', 'state/isobar.db', 'isobard.yaml', 'credentials':
            with open(os.path.join(folder, name), 'w') as f:
                f.write('the CANARY-secret')
        found = '\n'.join(canary.leaks(folder))
        self.assertIn('log', found)
        self.assertIn('isobar.db', found)
        self.assertEqual(len(canary.leaks(folder)), 2, found)
        self.assertNotIn('CANARY-secret', found)
        self.assertRaises(AssertionError, canary.check, folder)


class Provoked(ec2_peer.Test):
    """One daemon with many connections, its log at `debug`, asked all that makes it speak of them."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix='isobar-test.')
        self.addCleanup(shutil.rmtree, self.folder)
        for name in [name for name in os.environ if name.startswith('AWS_')]:
            del os.environ[name]
        os.environ['AWS_SHARED_CREDENTIALS_FILE'] = os.path.join(self.folder, 'credentials')
        os.environ['AWS_CONFIG_FILE'] = os.path.join(self.folder, 'config')

    def write(self, name, text, mode=0o600):
        path = os.path.join(self.folder, name)
        with open(path, 'w', opener=lambda p, flags: os.open(p, flags, mode)) as f:
            f.write(text)
        return path

    def process(self, lab, code):
        return self.write('process-%d.sh' % code, PROCESS % {'secret': lab.secret, 'code': code}, 0o700)

    def configure(self, lab, echoing):
        session = echoing.emulator.ask('POST', '/session', {'lab': echoing.name, 'seconds': 3600})
        echoing.tell('rules', what='refuse', action='.*', times=0, status=403,
                     code='SignatureDoesNotMatch', message=ECHO % session['session_token'])
        keys = '[%s]\naws_access_key_id = %s\naws_secret_access_key = %s\n'
        self.write('credentials', ''.join((
            keys % ('good', lab.key, lab.secret),
            keys % ('wrong', lab.key, 'CANARY/of/nobody'),
            keys % ('echo', session['access_key_id'], session['secret_access_key']),
            'aws_session_token = %s\n' % session['session_token'])))
        role = '[profile %s]\nrole_arn = arn:aws:iam::' + lab.told['account'] + \
            ':role/x\nsource_profile = %s\n'
        program = '[profile %s]\ncredential_process = %s\n'
        self.write('config', ''.join((
            role % ('role', 'good'), role % ('wrong-role', 'wrong'),
            program % ('broken', self.process(lab, 0)), program % ('failing', self.process(lab, 3)))))

    def test_nothing_is_written_down(self):
        lab, echoing = self.lab(), self.lab()
        self.configure(lab, echoing)
        row = '  %s: {adapter: aws, profile: %s, region: us-east-1, endpoint_url: "%s", ' \
              'sts_endpoint_url: "%s"}\n'
        names = 'good', 'wrong', 'echo', 'role', 'wrong-role', 'broken', 'failing'
        gateway = Gateway('log_level: debug\nclouds:\n' + ''.join(
            row % (name, name, lab.url, lab.url) for name in names))
        self.addCleanup(gateway.stop)       # which searches what it wrote
        codes = {}
        for name in names:
            outcome = gateway.run('vm', 'list', '--cloud', name, '-o', 'json')
            codes[name] = outcome.code
            for command in (('cloud', 'check', name), ('flavor', 'list', '--cloud', name, '-o', 'yaml'),
                            ('call', 'VmService/GetVm', json.dumps({'cloud': name, 'id': 'x'})),
                            ('vm', 'create', '--cloud', name, '--name', 'canary', '--flavor',
                             't3.micro', '--image', ec2_peer.IMAGE)):
                gateway.run(*command)       # which searches what it printed
        gateway.run('operation', 'list', '-o', 'json')
        self.assertEqual({name for name in names if codes[name] == 0}, {'good', 'role'}, codes)
        said = gateway.said()
        for words in 'SignatureDoesNotMatch', 'credential_process', 'STS refuses':
            self.assertIn(words, said)


if __name__ == '__main__':
    unittest.main(argv=sys.argv)
