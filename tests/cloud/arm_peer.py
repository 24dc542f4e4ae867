"""Azure's own clients on a lab of the Azure emulator, and plain requests: for tests."""

import json
import os
import sys
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, 'azure'))

try:
    from azure.core.credentials import AccessToken
    from azure.core.exceptions import HttpResponseError
    from azure.core.pipeline.policies import BearerTokenCredentialPolicy
    from azure.mgmt.compute import ComputeManagementClient
    from azure.mgmt.network import NetworkManagementClient
    from azure.mgmt.resource import ResourceManagementClient, SubscriptionClient
except ImportError:
    print('skipped: no python3-azure')
    sys.exit(77)
import arm_emulator  # noqa: E402

WAIT_S = 30
COMPUTE, NETWORK, RESOURCES = '2021-03-01', '2021-02-01', '2021-04-01'
DISKS, SUBSCRIPTIONS = '2020-12-01', '2021-01-01'
HOME, GROUP = 'westeurope', 'lab'
UBUNTU = {'publisher': 'Canonical', 'offer': 'UbuntuServer', 'sku': '18.04-LTS', 'version': 'latest'}
ADMIN = 'tester'
KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGSFfkdmTbkMyzYwTsVVNqVmCiZFYCPqJiqhnmeUIyn6 tester'


def eventually(what, condition):
    until = time.monotonic() + WAIT_S
    while not condition():
        if time.monotonic() > until:
            raise AssertionError('not within %d s: %s' % (WAIT_S, what))
        time.sleep(0.02)


class OverHttp(BearerTokenCredentialPolicy):
    """Azure's clients give a token to https alone."""

    def __init__(self, credential):
        super().__init__(credential, 'https://management.azure.com/.default')

    def on_request(self, request):
        if self._token is None:
            self._token = self._credential.get_token(*self._scopes)
        self._update_headers(request.http_request.headers, self._token.token)


class Credential:
    """Tokens of the lab's own token endpoint."""

    def __init__(self, lab):
        self.lab = lab

    def get_token(self, *scopes, **more):
        answer = self.lab.login()[1]
        return AccessToken(answer['access_token'], int(time.time()) + answer['expires_in'])


class Lab:
    """A lab, and all that a test asks of it."""

    def __init__(self, emulator, name, clean_up, **wanted):
        self.emulator, self.name, self.clean_up = emulator, name, clean_up
        self.told = emulator.ask('POST', '/labs', dict(wanted, name=name))
        self.url, self.subscription = self.told['url'], self.told['subscription_id']
        self.below, self.bearer = '/subscriptions/' + self.subscription, None

    def ask(self, what):
        return self.emulator.ask('GET', '/%s?lab=%s' % (what, self.name))

    def tell(self, what, /, **body):
        return self.emulator.ask('POST', '/' + what, dict(body, lab=self.name))

    def count(self, token):
        return self.ask('count')['tokens'].get(token, {})

    # ---- Requests ----

    def login(self, tenant=None, **form):
        """(status, answer) of the token endpoint."""
        form = dict({'grant_type': 'client_credentials', 'client_id': self.told['client_id'],
                     'client_secret': self.told['client_secret'],
                     'scope': 'https://management.azure.com/.default'}, **form)
        form = {key: value for key, value in form.items() if value is not None}
        status, _, answer = send('%s/%s/oauth2/v2.0/token' % (
            self.told['authority'], tenant or self.told['tenant_id']),
            urllib.parse.urlencode(form).encode(), {}, 'POST')
        return status, answer

    def request(self, method, path, body=None, version=None, headers={}, token=None):
        """(status, headers, answer); the path is below the subscription, or whole."""
        if token is None:
            token = self.bearer = self.bearer or self.login()[1]['access_token']
        url = path if path.startswith('http') else self.url + (
            path if path.startswith('/subscriptions') else self.below + path)
        if version:
            url += ('&' if '?' in url else '?') + 'api-version=' + version
        headers = dict({'Authorization': 'Bearer ' + token}, **headers)
        data = None
        if body is not None:
            data, headers = json.dumps(body).encode(), dict(
                {'Content-Type': 'application/json'}, **headers)
        return send(url, data, headers, method)

    def wait(self, headers):
        """The last answer of what goes on."""
        url = headers['Azure-AsyncOperation']
        eventually('over', lambda: self.request('GET', url)[2]['status'] != 'InProgress')
        return self.request('GET', url)[2]

    # ---- Clients ----

    def client(self, make, *args, **more):
        settings = dict({'base_url': self.url, 'authentication_policy': OverHttp(Credential(self)),
                         'polling_interval': 0, 'retry_total': 0, 'credential_scopes': ['x']}, **more)
        client = make(Credential(self), *args, **settings)
        self.clean_up(client.close)
        return client

    def compute(self, version=COMPUTE, **more):
        return self.client(ComputeManagementClient, self.subscription, api_version=version, **more)

    def network(self, **more):
        return self.client(NetworkManagementClient, self.subscription, api_version=NETWORK, **more)

    def resources(self, **more):
        return self.client(ResourceManagementClient, self.subscription, api_version=RESOURCES, **more)

    def subscriptions(self):
        return self.client(SubscriptionClient, api_version=SUBSCRIPTIONS)

    # ---- Things ----

    def id(self, type, name, group=GROUP):
        return '%s/resourceGroups/%s/providers/%s/%s' % (self.below, group, type, name)

    @property
    def subnet(self):
        return self.id('Microsoft.Network/virtualNetworks', 'net') + '/subnets/default'

    def nic_body(self, token='t', public=None, **config):
        config = dict({'subnet': {'id': self.subnet}}, **config)
        if public:
            config['publicIPAddress'] = {'id': public, 'properties': {'deleteOption': 'Delete'}}
        return {'location': HOME, 'tags': {'isobar-token': token}, 'properties': {
            'ipConfigurations': [{'name': 'one', 'properties': config}]}}

    def vm_body(self, nic, token='t', data=(), **properties):
        """What a machine is made of, that ends with its disk and interface."""
        return {'location': HOME, 'tags': {'isobar-token': token}, 'properties': dict({
            'hardwareProfile': {'vmSize': 'Standard_D2s_v3'},
            'storageProfile': {'imageReference': UBUNTU, 'dataDisks': list(data), 'osDisk': {
                'createOption': 'FromImage', 'deleteOption': 'Delete'}},
            'osProfile': {
                'computerName': 'web', 'adminUsername': ADMIN, 'linuxConfiguration': {
                    'disablePasswordAuthentication': True, 'ssh': {'publicKeys': [{
                        'path': '/home/%s/.ssh/authorized_keys' % ADMIN, 'keyData': KEY}]}}},
            'networkProfile': {'networkInterfaces': [
                {'id': nic, 'properties': {'deleteOption': 'Delete'}}]}}, **properties)}

    def path(self, kind, name, group=GROUP):
        types = {'vm': 'Microsoft.Compute/virtualMachines', 'disk': 'Microsoft.Compute/disks',
                 'nic': 'Microsoft.Network/networkInterfaces',
                 'ip': 'Microsoft.Network/publicIPAddresses',
                 'vnet': 'Microsoft.Network/virtualNetworks',
                 'nsg': 'Microsoft.Network/networkSecurityGroups'}
        return self.id(types[kind], name, group)

    def put_nic(self, name='nic', token='t', **more):
        """Its id."""
        status, _, answer = self.request('PUT', self.path('nic', name), self.nic_body(token, **more),
                                         NETWORK)
        assert status in (200, 201), answer
        return answer['id']

    def put_vm(self, name='web', token='t', version=COMPUTE, headers={}, nic=None, **more):
        """(status, headers, answer)"""
        nic = nic or self.put_nic(name + '-nic', token)
        return self.request('PUT', self.path('vm', name), self.vm_body(nic, token, **more), version,
                            headers)

    def running(self, *args, **more):
        """The path of one that runs."""
        status, headers, answer = self.put_vm(*args, **more)
        assert status == 201, answer
        assert self.wait(headers)['status'] == 'Succeeded'
        return answer['id']


def send(url, data, headers, method):
    """(status, headers, answer)"""
    request = urllib.request.Request(url, data, headers, method=method)
    try:
        with opener.open(request, timeout=30) as answer:
            status, headers, text = answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as e:
        with e:
            status, headers, text = e.code, e.headers, e.read()
    return status, headers, json.loads(text) if text else None


class Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args, **more):
        return None


opener = urllib.request.build_opener(Stay)


class Test(unittest.TestCase):
    """One emulator for a module. A lab of which a violation was recorded fails its test: the judge
    looks at all labs where there is one."""

    emulator = None

    @classmethod
    def setUpClass(cls):
        if Test.emulator is None:
            Test.emulator = arm_emulator.Emulator()
            unittest.addModuleCleanup(Test.emulator.stop)

    def lab(self, breaches=0, **wanted):
        name = '%s-%d' % (self._testMethodName, getattr(self, 'labs', 0))
        self.labs = getattr(self, 'labs', 0) + 1
        lab = Lab(self.emulator, name, self.addCleanup, **dict({'judge': True}, **wanted))
        if breaches is not None:
            def check():
                eventually('judged', lambda: not lab.ask('violations')['unjudged'])
                found = lab.ask('violations')['violations']
                self.assertEqual(len(found), breaches, '\n'.join(map(str, found)))
            self.addCleanup(check)
        return lab

    def refused(self, code, call, *args, status=None, **more):
        """The words of the error that a client's call has to end with."""
        with self.assertRaises(HttpResponseError) as caught:
            call(*args, **more)
        self.assertEqual(caught.exception.error.code, code, caught.exception)
        if status:
            self.assertEqual(caught.exception.status_code, status)
        return caught.exception.error.message

    def wrong(self, status, code, answer):
        """The same of a plain request."""
        self.assertEqual((answer[0], answer[2]['error']['code']), (status, code), answer[2])
        return answer[2]['error']['message']
