#!/usr/bin/python3
"""The adapter reads ~/.aws/config, ~/.aws/credentials and AWS_* as the AWS CLI does: both read the
same files and environments here, and have to agree, or to refuse. What is younger than Debian's AWS
CLI (endpoint_url, 2.9.19 against 2.13), and where we mean to differ, is judged by hand.

ISOBAR_AWS_INI_DUMP is the program that prints what the parser has read.
"""

import configparser
import json
import os
import random
import subprocess
import sys
import unittest

try:
    import awscli.botocore.session
    from awscli.botocore.loaders import Loader
except ImportError:
    print('skipped: awscli is not installed')
    sys.exit(77)

from aws_config_cases import BASE, CASES, DEV, ROLE, env_keys, keys
from aws_home import Place, at_home, digest, ours

INI_DUMP = os.environ['ISOBAR_AWS_INI_DUMP']
LOADER = Loader()               # what it has read of the services' models

def source_of(credentials):
    """What botocore has chosen, as our program shows it."""
    if credentials is None:
        return {'kind': 'none'}
    shown = {'kind': credentials.method}
    if not credentials.method.startswith('assume-role'):
        frozen = credentials.get_frozen_credentials()
        return dict(shown, id=frozen.access_key, secret=digest(frozen.secret_key),
                    session_token=digest(frozen.token))
    fetcher = credentials._refresh_using.__self__
    asked = fetcher._assume_kwargs
    shown.update(role_arn=asked['RoleArn'], external_id=asked.get('ExternalId'),
                 duration_s=asked.get('DurationSeconds'),
                 session_name=None if fetcher._using_default_session_name
                 else asked['RoleSessionName'])
    if credentials.method == 'assume-role':
        shown['base'] = source_of(fetcher._source_credentials)
    return shown


def endpoint_of(client):
    """Where a request would go: meta.endpoint_url is not the last word."""
    model = client.meta.service_model
    context = {'client_config': client.meta.config}
    return client._ruleset_resolver.construct_endpoint(
        operation_model=model.operation_model(model.operation_names[0]), call_args={},
        request_context=context).url


class Config(unittest.TestCase):
    maxDiff = None

    def theirs(self, settings):
        """What the AWS CLI's botocore reads; None where it refuses."""
        try:
            session = awscli.botocore.session.Session(profile=settings.get('profile'))
            session.register_component('data_loader', LOADER)
            session.get_scoped_config()
            credentials = session.get_credentials()
            found = {'profile': session.profile or 'default', 'source': source_of(credentials)}
            for service in 'ec2', 'sts':
                client = session.create_client(service, region_name=settings.get('region'))
                found[service] = endpoint_of(client)
                found['region'] = client.meta.region_name
            return found
        except Exception as e:              # of many kinds, from it and from the parser
            return str(e) and None

    def compare_source(self, mine, theirs, session):
        """`session`: what ours has come to, where that is not in the files; None: it was not asked."""
        if theirs['kind'] == 'custom-process' and session is None:
            theirs = {'kind': theirs['kind']}
        elif theirs['kind'] == 'custom-process':
            mine = dict(mine, **session)
        for key, value in theirs.items():
            if key == 'base':
                self.compare_source(mine['base'], value, None)
            else:
                self.assertEqual(mine.get(key), value, key)

    def check(self, files, env, settings):
        with Place(files, env) as home:
            theirs = self.theirs(settings)
            mine, words = ours(settings)
            chosen = mine and mine['source']['kind']
            if chosen == 'custom-process':
                mine, words = ours(settings, 'fetch')
            if theirs is None:
                self.assertIsNone(mine, 'the AWS CLI refuses')
                self.assertTrue(words)
                print('refused: ' + words.replace(home, '~'))
                return
            self.assertIsNotNone(mine, words)
            for key in 'profile', 'region', 'ec2', 'sts':
                self.assertEqual(mine[key], theirs[key], key)
            self.compare_source(mine['source'], theirs['source'], mine.get('session'))


for _name, _case in CASES.items():
    setattr(Config, 'test_' + _name.replace(' ', '_'),
            lambda self, case=_case: self.check(*case))


SERVICES = ('[services s]\nec2 =\n  endpoint_url = http://ec2.s:1\nsts =\n'
            '  endpoint_url = http://sts.s:2/\n')

# name -> (files, environment, settings, what is to come of it: some of our program's fields)
URLS = {
    'setting': ({'c': BASE + keys(1)}, {'AWS_ENDPOINT_URL_EC2': 'http://no'},
                {'endpoint_url': 'http://127.0.0.1:9/', 'sts_endpoint_url': 'http://127.0.0.1:8'},
                {'ec2': 'http://127.0.0.1:9', 'sts': 'http://127.0.0.1:8'}),
    'AWS_ENDPOINT_URL_EC2': ({'c': BASE + keys(1)}, {'AWS_ENDPOINT_URL_EC2': 'https://a/b/'}, {},
                             {'ec2': 'https://a/b', 'sts': 'https://sts.eu-west-1.amazonaws.com'}),
    'AWS_ENDPOINT_URL': ({'c': BASE + keys(1)}, {'AWS_ENDPOINT_URL': 'http://a',
                                                 'AWS_ENDPOINT_URL_STS': 'http://s'}, {},
                         {'ec2': 'http://a', 'sts': 'http://s'}),
    'services': ({'c': BASE + 'services = s\nendpoint_url = http://p\n' + keys(1) + SERVICES}, {}, {},
                 {'ec2': 'http://ec2.s:1', 'sts': 'http://sts.s:2'}),
    'services of one': ({'c': BASE + 'services = "s"\nservices2 = x\nendpoint_url = http://p\n' +
                         keys(1) + SERVICES}, {}, {}, {'ec2': 'http://p', 'sts': 'http://p'}),
    'environment before services': (
        {'c': BASE + 'services = s\n' + keys(1) + SERVICES}, {'AWS_ENDPOINT_URL': 'http://a'}, {},
        {'ec2': 'http://a', 'sts': 'http://a'}),
    'profile': ({'c': BASE + 'endpoint_url = http://p/\n' + keys(1)}, {}, {},
                {'ec2': 'http://p', 'sts': 'http://p'}),
    'ignored': ({'c': BASE + 'endpoint_url = http://p\n' + keys(1)},
                {'AWS_ENDPOINT_URL': 'http://a', 'AWS_IGNORE_CONFIGURED_ENDPOINT_URLS': 'true'},
                {'sts_endpoint_url': 'http://s'},
                {'ec2': 'https://ec2.eu-west-1.amazonaws.com', 'sts': 'http://s'}),
    'ignored by the profile': (
        {'c': BASE + 'endpoint_url = http://p\nignore_configured_endpoint_urls = true\n' + keys(1)},
        {}, {}, {'ec2': 'https://ec2.eu-west-1.amazonaws.com'}),
    'other partitions': ({}, env_keys(AWS_REGION='eu-isoe-west-1'), {},
                         {'ec2': 'https://ec2.eu-isoe-west-1.cloud.adc-e.uk'}),
    'ca_file': ({'c': BASE + 'ca_bundle = /b\n' + keys(1)}, {'AWS_CA_BUNDLE': '/a'},
                {'ca_file': '~/c'}, {'ca_file': '@/c'}),
    'AWS_CA_BUNDLE': ({'c': BASE + 'ca_bundle = /b\n' + keys(1)}, {'AWS_CA_BUNDLE': '/a'}, {},
                      {'ca_file': '/a'}),
    'ca_bundle': ({'c': BASE + 'ca_bundle = /b\n' + keys(1)}, {}, {}, {'ca_file': '/b'}),
    'comment behind a value': ({'c': BASE.replace('1\n', '1 # home\n') + keys(1)}, {}, {},
                               {'region': 'eu-west-1'}),
    'metadata': ({'c': BASE}, {'AWS_EC2_METADATA_DISABLED': ''}, {},
                 {'metadata': 'http://169.254.169.254'}),
    'metadata, IPv6': ({'c': BASE}, {'AWS_EC2_METADATA_DISABLED': 'false',
                                     'AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE': 'IPv6'}, {},
                       {'metadata': 'http://[fd00:ec2::254]'}),
    'metadata of the profile': ({'c': BASE + 'ec2_metadata_service_endpoint = http://m:1/\n'},
                                {'AWS_EC2_METADATA_DISABLED': 'false'}, {},
                                {'metadata': 'http://m:1'}),
    'metadata, disabled': ({'c': BASE}, {'AWS_EC2_METADATA_DISABLED': 'TRUE'}, {}, {}),
}

# The same of what is refused, with words that have to be in what is said.
REFUSED = {
    'URL that is none': ({'c': BASE + keys(1)}, {}, {'endpoint_url': 'ec2.local'},
                         'endpoint_url: "ec2.local" is no http:// or https:// URL'),
    'URL with a user': ({'c': BASE + keys(1)}, {'AWS_ENDPOINT_URL_EC2': 'http://u@h'}, {},
                        'AWS_ENDPOINT_URL_EC2'),
    'MFA': ({'c': BASE + ROLE + 'source_profile = dev\nmfa_serial = m\n' + DEV + keys(1)}, {}, {},
            'mfa_serial'),
    'SSO': ({'c': BASE + 'sso_session = x\nsso_account_id = 1\nsso_role_name = r\n'
             '[sso-session x]\nsso_region = x\nsso_start_url = http://x\n'}, {}, {},
            'credential_process'),
    'near name': ({'c': BASE + keys(1) + DEV}, {}, {'profile': 'dew'},
                  'did you mean "dev"? in @/.aws/config and @/.aws/credentials '
                  '(there are: default, dev)'),
    'half, with its line': ({'c': BASE, 's': '[default]\n\naws_access_key_id = AKIA\n'}, {}, {},
                            '@/.aws/credentials:3: profile "default" has an aws_access_key_id'),
    'half of a source profile': ({'c': BASE + ROLE + 'source_profile = dev\n' + DEV +
                                  'aws_access_key_id = AKIA\n'}, {}, {},
                                 '@/.aws/config:7: profile "dev"'),
    'line of a mistake': ({'c': BASE + '\n# x\nwhat\n'}, {}, {},
                          '@/.aws/config:5: "key = value" is expected'),
    'line of a mistake in CRLF': ({'c': (BASE + '\nwhat\n').replace('\n', '\r\n')}, {}, {},
                                  '@/.aws/config:4: '),
    'section twice, with both lines': ({'c': BASE + BASE}, {}, {},
                                       '@/.aws/config:3: this section is there already, in line 1'),
    'too large': ({'c': BASE + '#' * (1 << 20)}, {}, {}, '@/.aws/config: File too large'),
    'no region, and where to give one': ({'c': '[default]\n' + keys(1)}, {}, {}, 'AWS_REGION'),
    'container without a slash': ({'c': BASE}, {'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI': 'x'}, {},
                                  'does not begin with a slash'),
    'container elsewhere': ({'c': BASE}, {'AWS_CONTAINER_CREDENTIALS_FULL_URI': 'http://10.0.0.1/x'},
                            {}, 'loopback'),
    'container at a name that looks near': (
        {'c': BASE}, {'AWS_CONTAINER_CREDENTIALS_FULL_URI': 'http://127.0.0.1.example.com/x'}, {},
        'loopback'),
    'container with a user': (
        {'c': BASE}, {'AWS_CONTAINER_CREDENTIALS_FULL_URI': 'http://127.0.0.1@example.com/x'}, {},
        'it is no URL'),
    'metadata mode': ({'c': BASE}, {'AWS_EC2_METADATA_DISABLED': 'no',
                                    'AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE': 'v7'}, {}, 'v7'),
    'metadata attempts': ({'c': BASE}, {'AWS_EC2_METADATA_DISABLED': 'no',
                                        'AWS_METADATA_SERVICE_NUM_ATTEMPTS': 'x'}, {},
                          'AWS_METADATA_SERVICE_NUM_ATTEMPTS'),
    'many roles': ({'c': ''.join('[profile p%d]\nregion = a\n%ssource_profile = p%d\n'
                                 % (n, ROLE, n + 1) for n in range(20))}, {}, {'profile': 'p0'},
                   'more than 16 roles'),
}

# Where a container's credentials are looked for: (environment, URL).
CONTAINERS = [
    ({'RELATIVE_URI': '/v2/x?id=1'}, 'http://169.254.170.2/v2/x?id=1'),
    ({'FULL_URI': 'http://localhost:5/x'}, 'http://localhost:5/x'),
    ({'FULL_URI': 'http://127.9.9.9/x'}, 'http://127.9.9.9/x'),
    ({'FULL_URI': 'http://[::1]:8/x'}, 'http://[::1]:8/x'),
    ({'FULL_URI': 'http://169.254.170.23/v1/credentials'}, 'http://169.254.170.23/v1/credentials'),
    ({'FULL_URI': 'http://[fd00:ec2::23]/v1'}, 'http://[fd00:ec2::23]/v1'),
    ({'FULL_URI': 'https://example.com/x'}, 'https://example.com/x'),
    ({'FULL_URI': 'https://example.com/x', 'RELATIVE_URI': '/r'}, 'http://169.254.170.2/r'),
]


class ByHand(unittest.TestCase):
    def test_fields(self):
        for name, (files, env, settings, wanted) in URLS.items():
            with self.subTest(name), Place(files, env) as home:
                mine, words = ours(settings)
                self.assertIsNotNone(mine, words)
                for key, value in wanted.items():
                    self.assertEqual(mine[key], at_home(value, home))
                self.assertEqual('metadata' in mine, 'metadata' in wanted)

    def test_refused(self):
        for name, (files, env, settings, wanted) in REFUSED.items():
            with self.subTest(name), Place(files, env) as home:
                mine, words = ours(settings)
                self.assertIsNone(mine)
                self.assertIn(at_home(wanted, home), words)

    def test_containers(self):
        for env, url in CONTAINERS:
            env = {'AWS_CONTAINER_CREDENTIALS_' + k: v for k, v in env.items()}
            with self.subTest(url), Place({'c': BASE}, env):
                mine, words = ours({})
                self.assertIsNotNone(mine, words)
                self.assertEqual(mine['source']['kind'], 'container-role')
                self.assertEqual(mine['source']['url'], url)


class Format(unittest.TestCase):
    """The parser against Python's, by which the AWS CLI reads its files."""
    LINES = ['[a]', '[b]', '[profile x y]', '[]', '[a', '[a] # c', '[a]b]', ' [c]', '[DEFAULT]',
             'k = v', 'K=w', 'k2: v', 'key', '= v', 'k3 =', 'k4 = a = b', 'k5=a:b', 'k6 : = c',
             '  in = dented', '   more', '\tx = y', '    z=1', '', '', '  ', '# c', '  ; c', 'k7 = v # c',
             'k8=\u00e9', ' k9 = v', '\x0b', 'k10 = \x1c', '[k] = v', '#', 'k11 = # c', 'k12 = v  \t']

    def theirs(self, text):
        parser = configparser.RawConfigParser()
        try:
            parser.read_string(text)
        except configparser.Error:
            return None
        found = {name: dict(parser._sections[name]) for name in parser.sections()}
        if parser.defaults():
            found['DEFAULT'] = dict(parser.defaults())
        for values in found.values():
            for value in values.values():
                # As botocore/configloader.py has it.
                if value.startswith('\n') and any('=' not in line for line in value.split('\n')
                                                  if line.strip()):
                    return None
        return found

    def test_random(self):
        seed = random.randrange(1 << 30)
        print('seed %d' % seed)
        draw = random.Random(seed)
        texts = []
        for n in range(1500):
            lines = ['[a]'] * (n % 4 > 0) + draw.choices(self.LINES, k=draw.randrange(9))
            texts.append(draw.choice(['\n', '\r\n', '\r']).join(lines))
        done = subprocess.run([INI_DUMP], input='\0'.join(texts).encode(), capture_output=True,
                              check=True)
        shown = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual(len(shown), len(texts))
        good = 0
        for text, mine in zip(texts, shown):
            theirs = self.theirs(text.replace('\r\n', '\n').replace('\r', '\n'))
            if mine.pop('', {}).get('mistake') is not None:
                mine = None
            if mine is not None and not mine.get('DEFAULT', True):
                del mine['DEFAULT']
            self.assertEqual(mine, theirs, repr(text))
            good += mine is not None
        self.assertGreater(good, 100)


if __name__ == '__main__':
    import warnings
    warnings.simplefilter('ignore')
    sys.exit(0 if unittest.main(exit=False, warnings='ignore').result.wasSuccessful() else 1)
