"""The Azure emulator, and azure-mgmt's clients of it: for tests."""

import os
import sys
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, 'azure'))

try:
    from azure.core.pipeline.policies import SansIOHTTPPolicy
    from azure.mgmt.compute import ComputeManagementClient
    from azure.mgmt.network import NetworkManagementClient
    from azure.mgmt.resource import ResourceManagementClient
except ImportError:
    print('skipped: no azure-mgmt')
    sys.exit(77)
import arm_emulator  # noqa: E402

WAIT_S = 30
IMAGE = 'Debian:debian-12:12:latest'
WINDOWS = 'MicrosoftWindowsServer:WindowsServer:2022-datacenter:latest'
COMPUTE_VERSION, DISKS_VERSION, NETWORK_VERSION = '2021-03-01', '2020-12-01', '2021-02-01'


def eventually(what, condition):
    until = time.monotonic() + WAIT_S
    while not condition():
        if time.monotonic() > until:
            raise AssertionError('not within %d s: %s' % (WAIT_S, what() if callable(what) else what))
        time.sleep(0.02)


class Bearer(SansIOHTTPPolicy):
    """The SDK's own policy sends tokens over TLS only."""

    def __init__(self, token):
        self.token = token

    def on_request(self, request):
        request.http_request.headers['Authorization'] = 'Bearer ' + self.token


class Lab:
    """A subscription of the emulator, and clients of it."""

    def __init__(self, emulator, name, clean_up, **more):
        self.emulator, self.name, self.clean_up = emulator, name, clean_up
        self.told = emulator.ask('POST', '/labs', dict({'boot': 0.1, 'pace': 0.05}, name=name, **more))
        self.url, self.subscription = self.told['url'], self.told['subscription_id']
        token = self.tell('token', seconds=86400)['access_token']
        settings = {'credential': None, 'subscription_id': self.subscription, 'base_url': self.url,
                    'authentication_policy': Bearer(token), 'polling_interval': 0,
                    'credential_scopes': ['none']}
        settings['credential'] = object()
        self.compute = ComputeManagementClient(api_version=COMPUTE_VERSION, **settings)
        self.disks = ComputeManagementClient(api_version=DISKS_VERSION, **settings)
        self.network = NetworkManagementClient(api_version=NETWORK_VERSION, **settings)
        self.resources = ResourceManagementClient(**settings)
        for client in self.compute, self.disks, self.network, self.resources:
            clean_up(client.close)

    def ask(self, what):
        return self.emulator.ask('GET', '/%s?lab=%s' % (what, self.name))

    def tell(self, what, /, **body):
        return self.emulator.ask('POST', '/' + what, dict(body, lab=self.name))

    def count(self, token):
        return self.ask('count')['tokens'].get(token, {})


class Test(unittest.TestCase):
    """One emulator for a class. A lab of which a breach of the protocol was recorded fails its test."""

    @classmethod
    def setUpClass(cls):
        cls.emulator = arm_emulator.Emulator()
        cls.addClassCleanup(cls.emulator.stop)

    def lab(self, breaches=0, **more):
        name = '%s-%d' % (self._testMethodName, getattr(self, 'labs', 0))
        self.labs = getattr(self, 'labs', 0) + 1
        lab = Lab(self.emulator, name, self.addCleanup, **more)
        if breaches is not None:
            def check():
                eventually('all is judged', lambda: not lab.ask('violations').get('unjudged'))
                found = lab.ask('violations')['violations']
                self.assertEqual(len(found), breaches, found)
            self.addCleanup(check)
        return lab
