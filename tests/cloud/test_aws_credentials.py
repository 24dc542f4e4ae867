#!/usr/bin/python3
"""The adapter gets its credentials from STS, instance metadata, containers and processes as the AWS
CLI does. What gives them is on loopback: aws_services.py; where the CLI can be sent there too, both
have to come to the same.
"""

import json
import os
import socket
import sys
import time
import unittest

try:
    import awscli.botocore.session
    from aws_services import STS_ERROR, Services
except ImportError:
    print('skipped: awscli or botocore is not installed')
    sys.exit(77)

from aws_config_cases import BASE, DEV, KEYS, ROLE
from aws_home import Place, digest, run

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), 'ec2'))
from ec2_emulator import Emulator  # noqa: E402

ONE = KEYS % (1, 1)
SECRET = 'secret/1+x'
ROLES = BASE + ROLE + 'source_profile = dev\nexternal_id = e/1\nrole_session_name = me\n' \
    'duration_seconds = 900\n' + DEV + ONE


def unused_url():
    """Where nothing listens."""
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return 'http://127.0.0.1:%d' % s.getsockname()[1]


class Case(unittest.TestCase):
    maxDiff = None

    def fetch(self, code, settings=None, *words):
        """Our session, which is to end with this code, and words that are said then."""
        status, shown, said = run(dict(settings or {}), 'fetch')
        self.assertNotEqual(status, 1, said)
        session = shown['session']
        self.assertEqual(session['code'], code, said)
        for each in words:
            self.assertIn(each, said)
        for secret in (SECRET, 'js/x+', 'jt==', 'hush'):
            self.assertNotIn(secret, said)
        return session

    def is_theirs(self, session):
        """It is what the AWS CLI comes to."""
        found = awscli.botocore.session.Session().get_credentials().get_frozen_credentials()
        self.assertEqual((session['id'], session['secret'], session.get('session_token')),
                         (found.access_key, digest(found.secret_key), digest(found.token)))


class Sts(Case):
    def setUp(self):
        self.sts = self.enterContext(Services({'AKID1': (SECRET, None), 'AKIDV': ('sV', 'tV')}))
        self.settings = {'sts_endpoint_url': self.sts.url}

    def asked(self, n=-1):
        return dict(pair.split('=') for pair in self.sts.asked[n][3].split('&'))

    def test_role(self):
        with Place({'c': ROLES}, {}):
            session = self.fetch('OK', self.settings)
        self.assertEqual((session['id'], session['secret'], session['session_token']),
                         ('ASIA2', digest('se/cr+et2'), digest('to+k/en2==')))
        self.assertEqual(self.asked(), {
            'Action': 'AssumeRole', 'Version': '2011-06-15', 'RoleSessionName': 'me',
            'RoleArn': 'arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fr', 'ExternalId': 'e%2F1',
            'DurationSeconds': '900'})

    def test_role_of_roles(self):
        config = BASE + ROLE + 'source_profile = dev\n' + DEV + \
            'role_arn = arn:aws:iam::1:role/d\nsource_profile = base\n[profile base]\n' + ONE
        with Place({'c': config}, {}):
            self.assertEqual(self.fetch('OK', self.settings)['id'], 'ASIA3')
        self.assertEqual(len(self.sts.asked), 2)
        self.assertTrue(self.asked()['RoleSessionName'].startswith('isobar-'))
        self.assertIn('X-Amz-Security-Token', {k.title() for k in self.sts.asked[1][2]})

    def test_role_of_the_environment(self):
        env = {'AWS_ACCESS_KEY_ID': 'AKIDV', 'AWS_SECRET_ACCESS_KEY': 'sV', 'AWS_SESSION_TOKEN': 'tV'}
        with Place({'c': BASE + ROLE + 'credential_source = Environment\n'}, env):
            self.fetch('OK', dict(self.settings, profile='default'))

    def test_role_of_metadata_and_container(self):
        self.sts.keys['ASIAJ'] = 'js/x+', 'jt=='
        for source, env in (
                ('Ec2InstanceMetadata', {'AWS_EC2_METADATA_SERVICE_ENDPOINT': self.sts.url,
                                         'AWS_EC2_METADATA_DISABLED': 'false'}),
                ('EcsContainer', {'AWS_CONTAINER_CREDENTIALS_FULL_URI': self.sts.url + '/container'})):
            with Place({'c': BASE + ROLE + 'credential_source = %s\n' % source}, env):
                self.fetch('OK', self.settings)

    def test_web_identity(self):
        token = 'eyJ.' + 'hush' * 400 + '-_'
        with Place({'c': BASE + ROLE + 'web_identity_token_file = @/t\n', 't': token + '\n'}, {}):
            self.fetch('OK', self.settings)
        self.assertEqual(self.asked()['WebIdentityToken'], token)
        self.assertEqual(self.asked()['Action'], 'AssumeRoleWithWebIdentity')

    def test_web_identity_without_a_token(self):
        for files, words in (({}, '/t cannot be read'), ({'t': ' \n'}, 'there is no token in')):
            with Place(dict(files, c=BASE + ROLE + 'web_identity_token_file = @/t\n'), {}):
                self.fetch('Unauthorized', self.settings, words)
        self.assertEqual(self.sts.asked, [])

    def test_refused(self):
        rows = [
            (403, 'AccessDenied', 'Forbidden', 'STS does not give us the role arn:aws:iam::'),
            (400, 'ValidationError', 'FailedPrecondition', 'of profile "default": ValidationError'),
            (403, 'ExpiredToken', 'Unauthorized', 'profile "dev" of '),
            (403, 'InvalidClientTokenId', 'Unauthorized', 'profile "dev" of '),
            (403, 'SignatureDoesNotMatch', 'Unauthorized', 'STS refuses'),
            (403, 'RegionDisabledException', 'Forbidden', 'RegionDisabledException'),
            (400, 'PackedPolicyTooLarge', 'FailedPrecondition', 'PackedPolicyTooLarge'),
        ]
        for status, native, code, words in rows:
            with self.subTest(native), Place({'c': ROLES}, {}):
                self.sts.say[:] = [(status, STS_ERROR % (native, 'its own words'))]
                session = self.fetch(code, self.settings, words)
                self.assertEqual(session['native'], native)

    def test_keys_that_are_wrong(self):
        with Place({'c': ROLES.replace('secret/1+x', 'other')}, {}):
            self.fetch('Unauthorized', self.settings, 'SignatureDoesNotMatch')

    def test_throttled_and_out_of_order(self):
        for answer in ((400, STS_ERROR % ('Throttling', 'Rate exceeded')), (503, 'busy'), (500, '')):
            self.sts.say[:] = [answer]
            with Place({'c': ROLES}, {}):
                self.fetch('OK', self.settings)
        self.sts.say[:] = [(400, STS_ERROR % ('Throttling', 'Rate exceeded'))] * 9
        with Place({'c': ROLES}, {}):
            self.fetch('RateLimited', self.settings, 'Throttling')

    def test_answers_that_are_none(self):
        for body in ('', 'hello', '<a/>', '<!DOCTYPE a><a/>', '<AssumeRoleResponse/>'):
            self.sts.say[:] = [(200, body)]
            with self.subTest(body), Place({'c': ROLES}, {}):
                self.assertIn(self.fetch('Unavailable' if body[1:2] in ('', 'e', '!') else
                                         'Unauthorized', self.settings)['code'],
                              ('Unavailable', 'Unauthorized'))

    def test_nobody_there(self):
        with Place({'c': ROLES}, {}):
            self.fetch('Unavailable', {'sts_endpoint_url': unused_url()}, 'STS of cloud test')

    def test_clocks(self):
        """The cloud's clock is what counts, in signatures and for how long keys are good."""
        for ahead in (-3 * 3600, 3 * 3600):
            self.sts.ahead = ahead
            with self.subTest(ahead), Place({'c': ROLES}, {}):
                self.fetch('OK', self.settings)


class Metadata(Case):
    def setUp(self):
        self.service = self.enterContext(Services({}))
        self.env = {'AWS_EC2_METADATA_DISABLED': 'false',
                    'AWS_EC2_METADATA_SERVICE_ENDPOINT': self.service.url + '/'}

    def test_good(self):
        with Place({'c': BASE}, self.env):
            session = self.fetch('OK')
            asked = list(self.service.asked)
            self.assertEqual([a[0] for a in asked], ['PUT', 'GET', 'GET'])
            self.assertIn('instance metadata at', session['source'])
            self.is_theirs(session)

    def test_clock(self):
        self.service.ahead = 7200
        with Place({'c': BASE}, self.env):
            self.fetch('OK')

    def test_wrong(self):
        good = [(200, 'imds-token'), (200, 'role')]
        rows = [
            ([(403, '')], 'Unauthorized', 'it is switched off, or not for us'),
            ([(500, '')], 'Unavailable', 'is out of order: it answers 500'),
            ([(200, 'imds-token'), (404, '')], 'Unauthorized', 'the instance has no role'),
            ([(200, 'imds-token'), (200, '\n')], 'Unauthorized', 'the instance has no role'),
            (good + [(200, 'hush')], 'Unavailable', 'the JSON that it should'),
            (good + [(200, '{"Code":"AssumeRoleUnauthorizedAccess","Message":"m"}')], 'Unauthorized',
             'AssumeRoleUnauthorizedAccess'),
            (good + [(200, '{"Code":"Success","AccessKeyId":"a","Token":"t"}')], 'Unauthorized',
             'has given no SecretAccessKey'),
        ]
        for say, code, words in rows:
            self.service.say[:] = list(say)
            with self.subTest(words), Place({'c': BASE}, self.env):
                self.fetch(code, None, words)

    def test_a_token_that_would_be_two_headers(self):
        self.service.say[:] = [(200, 'a\r\nX-Evil: 1')]
        with Place({'c': BASE}, self.env):
            self.assertNotEqual(run({}, 'fetch')[0], 0)
        self.assertNotIn('X-Evil', json.dumps(self.service.asked))

    def test_attempts(self):
        self.service.say[:] = [(500, '')]
        with Place({'c': BASE}, dict(self.env, AWS_METADATA_SERVICE_NUM_ATTEMPTS='2')):
            self.fetch('OK')

    def test_nobody_there(self):
        with Place({'c': BASE}, dict(self.env, AWS_EC2_METADATA_SERVICE_ENDPOINT=unused_url())):
            self.fetch('Unauthorized', None, 'there are no credentials for cloud test',
                       'AWS_ACCESS_KEY_ID', 'profile "default" of',
                       '/.aws/credentials (which is not there)', 'AWS_CONTAINER_CREDENTIALS_',
                       'instance metadata at', 'refused')

    def test_hangs(self):
        """What accepts and says nothing is given a second, as it is outside of EC2."""
        with socket.create_server(('127.0.0.1', 0)) as s:
            url = 'http://127.0.0.1:%d' % s.getsockname()[1]
            with Place({'c': BASE}, dict(self.env, AWS_EC2_METADATA_SERVICE_ENDPOINT=url)):
                self.fetch('Unauthorized', None, 'does not answer')

    def test_switched_off(self):
        with Place({'c': BASE, 's': '[default]\naws_secret_access_key = hush\n'},
                   {'AWS_SECRET_ACCESS_KEY': 'hush'}):
            self.fetch('Unauthorized', None, 'instance metadata is switched off',
                       'in line 2 there is a secret without',
                       'AWS_SECRET_ACCESS_KEY is there without it')
            self.assertEqual(self.service.asked, [])


class Container(Case):
    def setUp(self):
        self.service = self.enterContext(Services({}))
        self.env = {'AWS_CONTAINER_CREDENTIALS_FULL_URI': self.service.url + '/container?x=1'}

    def test_good(self):
        with Place({'c': BASE}, self.env):
            session = self.fetch('OK')
            self.is_theirs(session)

    def test_token(self):
        self.service.container_token = 'Basic hush'
        with Place({'c': BASE}, dict(self.env, AWS_CONTAINER_AUTHORIZATION_TOKEN='Basic hush')):
            self.is_theirs(self.fetch('OK'))
        with Place({'c': BASE, 't': 'Basic hush\n'},
                   dict(self.env, AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE='@/t',
                        AWS_CONTAINER_AUTHORIZATION_TOKEN='other')):
            self.fetch('OK')
        with Place({'c': BASE}, self.env):
            self.fetch('Unauthorized', None, 'it answers 401')
        with Place({'c': BASE}, dict(self.env, AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE='@/t')):
            self.fetch('Unauthorized', None, 'cannot be read')

    def test_wrong(self):
        with Place({'c': BASE}, self.env):
            self.service.say[:] = [(500, '')] * 3
            self.fetch('Unavailable', None, 'is out of order: it answers 500')
            self.service.say[:] = [(200, 'hush')]
            self.fetch('Unauthorized', None, 'the JSON that it should')
            self.service.say[:] = [(404, '')]
            self.fetch('Unauthorized', None, 'it answers 404')
        with Place({'c': BASE}, {'AWS_CONTAINER_CREDENTIALS_FULL_URI': unused_url()}):
            self.fetch('Unavailable', None, 'does not answer')


class Process(Case):
    def config(self, script):
        return BASE + 'credential_process = "%s" -c %s\n' % (
            sys.executable, "'" + script.replace("'", '"').replace('\n', '\\n') + "'")

    def test_expiry(self):
        """Good, without an end, over, and an end that is none."""
        for seconds, code, words in ((3600, 'OK', ''), (-60, 'Unauthorized', 'have expired'),
                                     ('x', 'Unauthorized', 'no time')):
            end = seconds if seconds == 'x' else time.strftime(
                '%Y-%m-%dT%H:%M:%SZ', time.gmtime(time.time() + seconds))
            with Place({'c': self.config(
                    'print("{\\"Version\\":1,\\"AccessKeyId\\":\\"P\\",\\"SecretAccessKey\\":'
                    '\\"hush\\",\\"Expiration\\":\\"%s\\"}")' % end)}, {}):
                self.fetch(code, None, words)

    def test_what_it_gets(self):
        """Nothing on stdin, none of our descriptors, the environment."""
        script = ('import os,sys; fds = set(os.listdir("/proc/self/fd")) - {"0", "1", "2", "3"}; '
                  'sys.exit(0 if sys.stdin.read() == "" and os.environ["AWS_MARK"] == "x" and '
                  'not fds and print("{\\"Version\\":1,\\"AccessKeyId\\":\\"P\\",'
                  '\\"SecretAccessKey\\":\\"s\\"}") is None else 5)')
        with Place({'c': self.config(script)}, {'AWS_MARK': 'x'}):
            self.fetch('OK')

    def test_what_it_says(self):
        secret = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'
        with Place({'c': self.config('import sys; sys.exit("no luck, %s\\x1b[31m")' % secret)}, {}):
            self.fetch('Unauthorized', None, 'exit code 1 and said: no luck, ...')
            self.assertNotIn(secret, run({}, 'fetch')[2])


class Emulated(Case):
    """The same against ec2/, whose judge is botocore's model of what is asked."""

    @classmethod
    def setUpClass(cls):
        cls.emulator = Emulator()
        cls.addClassCleanup(cls.emulator.stop)

    def setUp(self):
        self.name = self.id().rpartition('.')[2]
        self.lab = self.emulator.ask('POST', '/labs', {'name': self.name, 'region': 'eu-west-1'})
        self.settings = {'sts_endpoint_url': self.lab['url']}
        self.keys = 'aws_access_key_id = %s\naws_secret_access_key = %s\n' % (
            self.lab['access_key_id'], self.lab['secret_access_key'])

    def tearDown(self):
        seen = self.emulator.ask('GET', '/violations?lab=' + self.name)
        self.assertEqual(seen['violations'], [])

    def role(self, name='r', more=''):
        arn = 'role_arn = arn:aws:iam::%s:role/%s\n' % (self.lab['account'], name)
        return Place({'c': BASE + arn + 'source_profile = dev\n' + more + DEV + self.keys}, {})

    def test_roles(self):
        with self.role(more='external_id = e\nduration_seconds = 900\n'):
            self.assertTrue(self.fetch('OK', self.settings)['id'].startswith('ASIA'))
        with self.role('forbidden'):
            session = self.fetch('Forbidden', self.settings, 'AccessDenied', 'is not authorized')
            self.assertEqual(session['native'], 'AccessDenied')

    def test_wrong_keys(self):
        self.keys = self.keys.replace('aws_secret_access_key = ', 'aws_secret_access_key = x')
        with self.role():
            self.fetch('Unauthorized', self.settings, 'SignatureDoesNotMatch')
        self.keys = KEYS % (7, 7)
        with self.role():
            self.fetch('Unauthorized', self.settings, 'InvalidClientTokenId')

    def test_clock(self):
        self.emulator.ask('POST', '/faults', {'lab': self.name, 'clock': 4000.0})
        with self.role():
            self.fetch('OK', self.settings)

    def test_near(self):
        near = self.emulator.ask('POST', '/metadata', {'lab': self.name, 'token': 'Basic hush'})
        with Place({'c': BASE}, {'AWS_EC2_METADATA_SERVICE_ENDPOINT': near['url'],
                                 'AWS_EC2_METADATA_DISABLED': 'false'}):
            self.fetch('OK')
        with Place({'c': BASE}, {'AWS_CONTAINER_CREDENTIALS_FULL_URI': near['credentials_url'],
                                 'AWS_CONTAINER_AUTHORIZATION_TOKEN': 'Basic hush'}):
            self.fetch('OK')
        asked = self.emulator.ask('GET', '/asked?lab=' + self.name)
        self.assertEqual(asked, {'token': 1, 'role': 1, 'credentials': 1, 'container': 1})


if __name__ == '__main__':
    import warnings
    warnings.simplefilter('ignore')
    sys.exit(0 if unittest.main(exit=False, warnings='ignore').result.wasSuccessful() else 1)
