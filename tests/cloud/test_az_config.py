#!/usr/bin/python3
"""Settings and AZURE_* of the environment, right and wrong: what the adapter makes of them.

ISOBAR_AZ_DUMP is the program that prints what the adapter has read.
"""

import json
import os
import subprocess
import sys
import unittest

DUMP = os.environ['ISOBAR_AZ_DUMP']
SUB = '11111111-2222-3333-4444-555555555555'
TENANT = '99999999-8888-7777-6666-555555555555'
CLIENT = 'aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee'
SECRET = 'hush~hush.S3cret'
ALL = ['environment', 'workload', 'managed_identity', 'cli']
PRINCIPAL = {'AZURE_TENANT_ID': TENANT, 'AZURE_CLIENT_ID': CLIENT, 'AZURE_CLIENT_SECRET': SECRET}

# name -> (settings beside subscription_id, environment, what must be among what is read)
GOOD = {
    'nothing': ({}, {}, {
        'subscription_id': SUB, 'authority': 'https://login.microsoftonline.com',
        'endpoint': 'https://management.azure.com', 'audience': 'https://management.azure.com',
        'credentials': ALL, 'compute': '2021-03-01', 'network': '2021-02-01',
        'resources': '2021-04-01', 'subscriptions': '2021-01-01', 'send_chain': False,
        'metadata_url': 'http://169.254.169.254'}),
    'secret': ({}, PRINCIPAL, {'tenant_id': TENANT, 'client_id': CLIENT, 'client_secret': SECRET}),
    'settings before the environment': (
        {'tenant_id': 'contoso.onmicrosoft.com', 'client_id': SUB}, PRINCIPAL,
        {'tenant_id': 'contoso.onmicrosoft.com', 'client_id': SUB}),
    'certificate': ({}, {
        'AZURE_TENANT_ID': TENANT, 'AZURE_CLIENT_ID': CLIENT,
        'AZURE_CLIENT_CERTIFICATE_PATH': '/x.pem', 'AZURE_CLIENT_CERTIFICATE_PASSWORD': 'pw',
        'AZURE_CLIENT_SEND_CERTIFICATE_CHAIN': 'True'},
        {'certificate_file': '/x.pem', 'certificate_password': 'pw', 'send_chain': True}),
    'chain by number': ({}, {'AZURE_CLIENT_SEND_CERTIFICATE_CHAIN': '1'}, {'send_chain': True}),
    'no chain': ({}, {'AZURE_CLIENT_SEND_CERTIFICATE_CHAIN': 'no'}, {'send_chain': False}),
    'workload': ({}, {
        'AZURE_TENANT_ID': TENANT, 'AZURE_CLIENT_ID': CLIENT, 'AZURE_FEDERATED_TOKEN_FILE': '/t'},
        {'token_file': '/t'}),
    'one credential': ({'credential': 'cli'}, {}, {'credentials': ['cli']}),
    'in capitals': ({'credential': 'Managed_Identity'}, {}, {'credentials': ['managed_identity']}),
    'AZURE_TOKEN_CREDENTIALS': ({}, {'AZURE_TOKEN_CREDENTIALS': 'azureclicredential'},
                                {'credentials': ['cli']}),
    'prod': ({}, {'AZURE_TOKEN_CREDENTIALS': 'prod'}, {'credentials': ALL[:3]}),
    'dev': ({}, {'AZURE_TOKEN_CREDENTIALS': 'dev'}, {'credentials': ['cli']}),
    'the setting before it': ({'credential': 'cli'}, {'AZURE_TOKEN_CREDENTIALS': 'nonsense'},
                              {'credentials': ['cli']}),
    'half of what is not used': ({'credential': 'cli'}, {'AZURE_CLIENT_SECRET': SECRET},
                                 {'credentials': ['cli']}),
    'App Service': ({}, {'IDENTITY_ENDPOINT': 'http://127.0.0.1:4/msi/token',
                         'IDENTITY_HEADER': 'h'},
                    {'identity_endpoint': 'http://127.0.0.1:4/msi/token', 'identity_header': 'h'}),
    'Azure Arc in the chain': ({}, {'IDENTITY_ENDPOINT': 'http://127.0.0.1:4/x',
                                    'IMDS_ENDPOINT': 'http://127.0.0.1:4'},
                               {'identity_endpoint': None}),
    'Azure ML': ({}, {'MSI_ENDPOINT': 'http://127.0.0.1:4/', 'MSI_SECRET': 's'},
                 {'msi_endpoint': 'http://127.0.0.1:4/', 'msi_secret': 's'}),
    'metadata elsewhere': ({}, {'AZURE_POD_IDENTITY_AUTHORITY_HOST': 'http://10.0.0.1:88//'},
                           {'metadata_url': 'http://10.0.0.1:88'}),
    'China': ({'environment': 'AzureChinaCloud'}, {}, {
        'authority': 'https://login.chinacloudapi.cn',
        'endpoint': 'https://management.chinacloudapi.cn',
        'audience': 'https://management.chinacloudapi.cn'}),
    'US government, in small letters': ({'environment': 'azureusgovernment'}, {}, {
        'authority': 'https://login.microsoftonline.us',
        'endpoint': 'https://management.usgovcloudapi.net'}),
    'cloud by its authority': ({}, {'AZURE_AUTHORITY_HOST': 'login.partner.microsoftonline.cn'}, {
        'authority': 'https://login.partner.microsoftonline.cn',
        'endpoint': 'https://management.chinacloudapi.cn'}),
    'environment before AZURE_AUTHORITY_HOST': (
        {'environment': 'AzureCloud'}, {'AZURE_AUTHORITY_HOST': 'https://login.microsoftonline.us'},
        {'authority': 'https://login.microsoftonline.com'}),
    'private cloud': ({'authority': 'https://login.x/', 'endpoint': 'https://arm.x/',
                       'audience': 'https://aud.x/'}, {}, {
        'authority': 'https://login.x', 'endpoint': 'https://arm.x', 'audience': 'https://aud.x'}),
    'endpoint alone': ({'endpoint': 'https://proxy.x/arm/'}, {}, {
        'authority': 'https://login.microsoftonline.com', 'endpoint': 'https://proxy.x/arm',
        'audience': 'https://proxy.x/arm'}),
    'loopback in the clear': ({'authority': 'http://localhost:1', 'endpoint': 'http://[::1]:2'}, {},
                              {'authority': 'http://localhost:1', 'endpoint': 'http://[::1]:2'}),
    'location': ({'location': 'West Europe'}, {}, {'location': 'westeurope'}),
    'resource group': ({'resource_group': 'Gruppe_1-(ü).x'}, {}, {'resource_group': 'Gruppe_1-(ü).x'}),
    'versions': ({'compute_api_version': '2024-07-01', 'network_api_version': '2021-02-01-preview',
                  'resources_api_version': '2025-12-31', 'subscriptions_api_version': '2021-01-01'},
                 {}, {'compute': '2024-07-01', 'network': '2021-02-01-preview',
                      'resources': '2025-12-31', 'subscriptions': '2021-01-01'}),
    'ca_file': ({'ca_file': '/ca.pem'}, {}, {'ca_file': '/ca.pem'}),
    'empty variables': ({}, {'AZURE_CLIENT_SECRET': '', 'AZURE_TENANT_ID': '',
                             'IDENTITY_ENDPOINT': ''}, {'client_secret': None}),
}

# name -> (settings, environment, what must be in the sentence)
WRONG = {
    'no subscription': ({'subscription_id': None}, {}, 'AZURE_SUBSCRIPTION_ID'),
    'subscription by name': ({'subscription_id': 'Pay As You Go'}, {}, 'not the name'),
    'subscription without dashes': ({'subscription_id': SUB.replace('-', '')}, {},
                                    'no subscription_id'),
    'location with a slash': ({'location': 'a/b'}, {}, '"a/b"'),
    'location of nothing': ({'location': ' '}, {}, 'location'),
    'resource group with a slash': ({'resource_group': 'a/b'}, {}, '"a/b"'),
    'resource group with a dot behind': ({'resource_group': 'a.'}, {}, 'resource_group'),
    'long resource group': ({'resource_group': 'a' * 91}, {}, 'resource_group'),
    'old version': ({'compute_api_version': '2020-12-01'}, {},
                    'compute_api_version: 2020-12-01 is too old: it must be 2021-03-01 or newer'),
    'old preview': ({'network_api_version': '2021-01-31-preview'}, {}, 'too old'),
    'version that is none': ({'network_api_version': 'latest'}, {}, 'one looks like 2021-02-01'),
    'version of no month': ({'network_api_version': '2021-13-01'}, {}, 'no API version'),
    'version with more': ({'network_api_version': '2022-01-01-beta'}, {}, 'no API version'),
    'version with a query': ({'network_api_version': '2022-01-01&x=1'}, {}, 'no API version'),
    'unknown environment': ({'environment': 'AzureChina'}, {}, 'did you mean "AzureChinaCloud"'),
    'unknown authority': ({'authority': 'https://login.x'}, {}, 'give endpoint too'),
    'authority in the clear': ({'authority': 'http://login.x', 'endpoint': 'https://y'}, {},
                               'in the clear'),
    'endpoint in the clear': ({'endpoint': 'http://a.127.0.0.1.x'}, {},
                              'in the clear'),
    'looks like loopback': ({'endpoint': 'http://localhost.x'}, {}, 'in the clear'),
    'looks like loopback too': ({'endpoint': 'http://127.evil.x'}, {}, 'in the clear'),
    'endpoint that is none': ({'endpoint': 'https://'}, {}, 'endpoint'),
    'endpoint with a user': ({'endpoint': 'https://u:p@x'}, {}, 'endpoint'),
    'audience that is none': ({'audience': 'https://x y'}, {}, 'audience'),
    'AZURE_AUTHORITY_HOST that is none': ({}, {'AZURE_AUTHORITY_HOST': 'ftp://x'},
                                          'AZURE_AUTHORITY_HOST'),
    'unknown credential': ({'credential': 'managed-identity'}, {}, 'did you mean "managed_identity"'),
    'unknown AZURE_TOKEN_CREDENTIALS': ({}, {'AZURE_TOKEN_CREDENTIALS': 'VisualStudioCredential'},
                                        'AZURE_TOKEN_CREDENTIALS'),
    'prod as a setting': ({'credential': 'prod'}, {}, 'credential'),
    'secret without tenant': ({}, {'AZURE_CLIENT_ID': CLIENT, 'AZURE_CLIENT_SECRET': SECRET},
                              'AZURE_CLIENT_SECRET is set, and AZURE_TENANT_ID (or tenant_id) is not'),
    'secret alone': ({}, {'AZURE_CLIENT_SECRET': SECRET}, 'give them too'),
    'certificate without client': ({}, {'AZURE_TENANT_ID': TENANT,
                                        'AZURE_CLIENT_CERTIFICATE_PATH': '/x'},
                                   'AZURE_CLIENT_CERTIFICATE_PATH is set, and AZURE_CLIENT_ID'),
    'environment without anything': ({'credential': 'environment'}, {}, 'AZURE_CLIENT_SECRET'),
    'token file alone': ({}, {'AZURE_FEDERATED_TOKEN_FILE': '/t'}, 'AZURE_FEDERATED_TOKEN_FILE'),
    'workload without a file': ({'credential': 'workload'}, PRINCIPAL,
                                'AZURE_FEDERATED_TOKEN_FILE is not set'),
    'Azure Arc': ({'credential': 'managed_identity'}, {'IDENTITY_ENDPOINT': 'http://127.0.0.1:4/x'},
                  'not supported'),
    'Service Fabric': ({'credential': 'managed_identity'}, {
        'IDENTITY_ENDPOINT': 'https://127.0.0.1:4/x', 'IDENTITY_HEADER': 'h',
        'IDENTITY_SERVER_THUMBPRINT': 'ab'}, 'not supported'),
    'IDENTITY_ENDPOINT that is none': ({}, {'IDENTITY_ENDPOINT': 'here', 'IDENTITY_HEADER': 'h'},
                                       'IDENTITY_ENDPOINT'),
    'metadata that is none': ({}, {'AZURE_POD_IDENTITY_AUTHORITY_HOST': '10.0.0.1'},
                              'AZURE_POD_IDENTITY_AUTHORITY_HOST'),
    'tenant with a slash': ({'tenant_id': 'a/../b'}, {}, 'tenant_id'),
    'tenant like an option': ({'tenant_id': '--debug'}, {}, 'tenant_id'),
    'client with blanks': ({}, {'AZURE_CLIENT_ID': 'a b'}, 'AZURE_CLIENT_ID'),
}


class Config(unittest.TestCase):
    maxDiff = None

    def read(self, settings, env):
        settings = {'subscription_id': SUB, **settings}
        done = subprocess.run(
            [DUMP, 'config'] + ['%s=%s' % s for s in settings.items() if s[1] is not None],
            env={'PATH': os.environ['PATH'], **env}, capture_output=True, text=True, check=False)
        self.assertIn(done.returncode, (0, 1), done.stderr)
        return done

    def good(self, settings, env, want):
        done = self.read(settings, env)
        self.assertEqual(done.returncode, 0, done.stderr)
        got = json.loads(done.stdout)
        self.assertEqual({k: got.get(k) for k in want}, want)

    def wrong(self, settings, env, words):
        done = self.read(settings, env)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn(words, done.stderr)
        self.assertNotIn(SECRET, done.stderr)
        self.assertEqual(done.stderr.count('\n'), 1)

    def test_subscription_of_the_environment(self):
        self.good({'subscription_id': None}, {'AZURE_SUBSCRIPTION_ID': TENANT},
                  {'subscription_id': TENANT})


for _name, _case in GOOD.items():
    setattr(Config, 'test_good_' + _name.replace(' ', '_'),
            lambda self, case=_case: self.good(*case))
for _name, _case in WRONG.items():
    setattr(Config, 'test_wrong_' + _name.replace(' ', '_'),
            lambda self, case=_case: self.wrong(*case))

if __name__ == '__main__':
    sys.exit(0 if unittest.main(exit=False).result.wasSuccessful() else 1)
