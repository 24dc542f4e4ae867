#!/usr/bin/python3
"""The emulated OpenStack, judged by Debian's `openstack` client and by our own adapter; its faults,
its count and its kills.
"""

import http.client
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

import gateway

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, 'emulator'))
import openstack_emulator  # noqa: E402
from things import IMAGE, NETWORK  # noqa: E402

WAIT_S = 30
CREATE = 'isobar.v1.VmService/CreateVm'


def setUpModule():
    global emulator, folder
    emulator = openstack_emulator.Emulator()
    folder = tempfile.mkdtemp(prefix='isobar-test.')


def tearDownModule():
    emulator.stop()
    shutil.rmtree(folder)


def make_lab(name, **faults):
    """A lab, and the path of a clouds.yaml that has it under its name."""
    auth_url = emulator.ask('POST', '/labs', dict(faults, name=name))['auth_url']
    path = os.path.join(folder, name + '.yaml')
    with open(path, 'w') as f:
        f.write(openstack_emulator.clouds_yaml({name: auth_url}))
    return path


def eventually(what, condition):
    until = time.monotonic() + WAIT_S
    while not condition():
        if time.monotonic() > until:
            raise AssertionError('not within %d s: %s' % (WAIT_S, what))
        time.sleep(0.02)


class Api:
    """Bare HTTP to a lab, on a kept-alive connection."""

    def __init__(self, name):
        self.base = '/' + name
        self.connection = http.client.HTTPConnection(emulator.url.split('//')[1], timeout=WAIT_S)
        login = {'auth': {'identity': {'password': {'user': {'name': 'demo',
                                                            'password': 'secret'}}}}}
        self.headers = {}
        reply = self.send('POST', '/identity/v3/auth/tokens', login)
        reply.read()
        self.headers = {'X-Auth-Token': reply.headers['X-Subject-Token'],
                        'X-OpenStack-Nova-API-Version': '2.93'}

    def send(self, method, path, body=None):
        self.connection.request(method, self.base + path, body and json.dumps(body), self.headers)
        return self.connection.getresponse()

    def __call__(self, method, path, body=None):
        with self.send(method, path, body) as reply:
            data = reply.read()
            return reply.status, json.loads(data) if data else None

    def make_port(self, token):
        return self('POST', '/network/v2.0/ports', {'port': {
            'network_id': NETWORK, 'name': 'isobar-' + token}})[1]['port']['id']

    def boot(self, token, port):
        return self('POST', '/compute/v2.1/servers', {'server': {
            'name': 'web', 'flavorRef': '1', 'imageRef': IMAGE, 'networks': [{'port': port}],
            'tags': ['isobar-' + token], 'metadata': {'isobar_token': token}}})


class Test(unittest.TestCase):
    def api(self, name):
        api = Api(name)
        self.addCleanup(api.connection.close)
        return api


def count(name, token):
    return emulator.ask('GET', '/count?lab=' + name)['tokens'].get(token, {})


class TheirClient(Test):
    """What the `openstack` client makes is there, and it understands what it is shown."""

    @classmethod
    def setUpClass(cls):
        if not shutil.which('openstack'):
            raise unittest.SkipTest('there is no openstack client')
        from openstack_peer import Peer
        cls.peer = Peer(make_lab('theirs'), 'theirs')

    @classmethod
    def tearDownClass(cls):
        cls.peer.stop()

    def show(self, *args):
        return json.loads(self.peer(*args, '-f', 'json'))

    def test_content(self):
        self.assertEqual([each['Name'] for each in self.show('flavor', 'list')],
                         ['m1.tiny', 'm1.small', 'm1.large'])
        self.assertEqual([each['Name'] for each in self.show('image', 'list')], ['cirros'])
        self.assertEqual({each['Name'] for each in self.show('network', 'list')},
                         {'private', 'public'})
        self.assertEqual(self.show('security', 'group', 'list')[0]['Name'], 'default')
        self.assertEqual(self.show('subnet', 'list')[0]['Name'], 'private-subnet')

    def test_machine(self):
        made = self.show('server', 'create', 'one', '--image', 'cirros', '--flavor', 'm1.small',
                         '--network', 'private', '--property', 'a=b', '--tag', 'isobar-t9', '--wait')
        self.assertEqual((made['status'], made['flavor']['original_name'], made['tags']),
                         ('ACTIVE', 'm1.small', ['isobar-t9']))
        listed, = self.show('server', 'list', '--name', '^one$')
        self.assertEqual((listed['ID'], listed['Networks']['private']),
                         (made['id'], made['addresses']['private']))
        self.assertEqual(self.show('server', 'list', '--tags', 'other'), [])
        for action, status in ('stop', 'SHUTOFF'), ('start', 'ACTIVE'):
            self.peer('server', action, 'one')
            eventually(status, lambda: self.show('server', 'show', 'one')['status'] == status)
        self.assertEqual(len(count('theirs', 't9')['servers']), 1)
        self.peer('server', 'delete', 'one', '--wait')
        self.assertEqual(self.show('server', 'list'), [])
        row = count('theirs', 't9')
        self.assertEqual((row['servers'], row['servers_ever']), ([], [made['id']]))

    def test_port_takes_one_machine(self):
        port = self.show('port', 'create', '--network', 'private', 'isobar-t8')['id']
        boot = ('--image', 'cirros', '--flavor', 'm1.tiny', '--port', port)
        self.peer('server', 'create', 'first', *boot, '--wait')
        from openstack_peer import OpenStackError
        with self.assertRaisesRegex(OpenStackError, r'still in use.*HTTP 409'):
            self.peer('server', 'create', 'second', *boot)
        self.assertTrue(count('theirs', 't8')['ports'][0]['used_by'])
        self.peer('server', 'delete', 'first', '--wait')
        self.assertEqual(self.show('port', 'show', 'isobar-t8')['device_id'], '')
        self.peer('port', 'delete', 'isobar-t8')
        self.assertEqual(count('theirs', 't8')['ports'], [])

    def test_others(self):
        self.peer('floating', 'ip', 'create', 'public', '--description', 'isobar-t7')
        self.peer('volume', 'create', 'v', '--size', '1', '--property', 'isobar_token=t7')
        row = count('theirs', 't7')
        self.assertEqual((len(row['fips']), len(row['volumes'])), (1, 1))
        self.peer('floating', 'ip', 'delete', row['fips'][0]['id'])
        self.peer('volume', 'delete', 'v')
        row = count('theirs', 't7')
        self.assertEqual((row['fips'], row['volumes']), ([], []))


class OurAdapter(Test):
    def test_life(self):
        path = make_lab('ours', list_lag=0)
        ours = gateway.Gateway('clouds: {ours: {adapter: openstack, cloud: ours, '
                               'clouds_file: "%s"}}\n' % path)
        self.addCleanup(ours.stop)
        checked = ours.call('isobar.v1.CloudService/CheckCloud', {'cloud': 'ours'})
        self.assertEqual(checked[0]['code'], 'RESULT_CODE_OK')
        self.assertEqual(len(checked[1]['services']), 5)
        result, made = ours.call(CREATE, {'cloud': 'ours', 'wait': 'WAIT_RUNNING', 'spec': {
            'name': 'web', 'flavorName': 'm1.tiny', 'imageId': 'cirros',
            'publicIpType': 'dynamic'}})
        self.assertEqual((result['code'], made['vm']['state']),
                         ('RESULT_CODE_CREATED', 'VM_STATE_RUNNING'), result)
        row = count('ours', made['vm']['native']['isobar_token'])
        self.assertEqual([len(row[kind]) for kind in ('servers', 'ports', 'fips')], [1, 1, 1])
        self.assertEqual(row['servers'][0]['id'], made['vm']['id'])
        listed = ours.call('isobar.v1.VmService/ListVms', {'cloud': 'ours'})[1]['vms']
        self.assertEqual([each['id'] for each in listed], [made['vm']['id']])
        result, _ = ours.call('isobar.v1.VmService/DeleteVm',
                              {'cloud': 'ours', 'id': 'web', 'wait': 'WAIT_RUNNING'})
        self.assertEqual(result['code'], 'RESULT_CODE_DELETED', result)
        row = count('ours', made['vm']['native']['isobar_token'])
        self.assertEqual([row[kind] for kind in ('servers', 'ports', 'fips')], [[], [], []])


class Faults(Test):
    def test_late(self):
        """Some creates are done later, some shown later; what was asked for comes to be."""
        make_lab('late', late_commit=0.3, seed=7)
        api = self.api('late')
        missing = 0
        for n in range(12):
            code, made = api.boot('l%d' % n, api.make_port('l%d' % n))
            self.assertEqual(code, 202)
            listed = api('GET', '/compute/v2.1/servers?tags=isobar-l%d' % n)[1]['servers']
            self.assertEqual(api('GET', '/compute/v2.1/servers/' + made['server']['id'])[0], 200)
            missing += not listed
        self.assertGreater(missing, 0)
        eventually('all listed', lambda: len(api('GET', '/compute/v2.1/servers')[1]['servers'])
                   == 12)

    def test_late_without_the_client(self):
        """Who goes away after the request was sent does not stop it."""
        make_lab('gone', late_commit=0.3, seed=1)
        api = self.api('gone')
        for n in range(6):
            port = api.make_port('g%d' % n)
            other = self.api('gone')
            other.connection.request(
                'POST', '/gone/compute/v2.1/servers', json.dumps({'server': {
                    'name': 'g', 'flavorRef': '1', 'imageRef': IMAGE, 'tags': ['isobar-g%d' % n],
                    'networks': [{'port': port}]}}), other.headers)
            other.connection.close()
        eventually('all made', lambda: all(
            len(count('gone', 'g%d' % n).get('servers', [])) == 1 for n in range(6)))
        self.assertEqual(emulator.ask('GET', '/count?lab=gone')['pending'], 0)

    def test_lost_replies(self):
        """The same in each run with the same seed; what was lost is done."""
        def run(name):
            make_lab(name, lost_reply=0.5, seed=3)
            lost = []
            for n in range(10):
                api = self.api(name)
                try:
                    api.make_port('x%d' % n)
                except ConnectionError:
                    lost.append(n)
            for n in range(10):
                self.assertEqual(len(count(name, 'x%d' % n)['ports']), 1)
            return lost
        first = run('lost-a')
        self.assertTrue(0 < len(first) < 10, first)
        self.assertEqual(first, run('lost-b'))

    def test_lag(self):
        make_lab('lag', list_lag=0.4, seed=2)
        api = self.api('lag')
        missing = 0
        for n in range(8):
            id = api.make_port('p%d' % n)
            self.assertEqual(api('GET', '/network/v2.0/ports/' + id)[0], 200)
            missing += not api('GET', '/network/v2.0/ports?name=isobar-p%d' % n)[1]['ports']
        self.assertGreater(missing, 0)
        eventually('listed', lambda: len(api('GET', '/network/v2.0/ports')[1]['ports']) == 8)
        api('DELETE', '/network/v2.0/ports/' + id)
        self.assertEqual(api('GET', '/network/v2.0/ports/' + id)[0], 404)
        eventually('no longer listed',
                   lambda: len(api('GET', '/network/v2.0/ports')[1]['ports']) == 7)

    def test_refused(self):
        make_lab('refuse', refuse='no-', instances=1)
        api = self.api('refuse')
        for name, wanted in ('no-1', 403), ('yes', 202), ('more', 403):
            code, said = api('POST', '/compute/v2.1/servers', {'server': {
                'name': name, 'flavorRef': '1', 'imageRef': IMAGE, 'networks': 'none'}})
            self.assertEqual(code, wanted)
            if wanted == 403:
                self.assertIn('Quota exceeded', said['forbidden']['message'])


class Rules(Test):
    """Single requests, known by method and path."""

    def test_refuse(self):
        make_lab('rules')
        api = self.api('rules')
        rule = {'lab': 'rules', 'method': 'GET', 'path': '/compute/v2.1/flavors'}
        emulator.ask('POST', '/rules', dict(rule, what='refuse', status=403, code='forbidden'))
        code, said = api('GET', '/compute/v2.1/flavors')
        self.assertEqual((code, said['forbidden']['code']), (403, 403))
        emulator.ask('POST', '/rules', dict(rule, what='deep', depth=3))
        self.assertEqual(api('GET', '/compute/v2.1/flavors'), (200, [[[]]]))
        self.assertIn('flavors', api('GET', '/compute/v2.1/flavors')[1])
        self.assertEqual(emulator.ask('GET', '/rules?lab=rules')['count'], 2)


class Kills(Test):
    """A process is dead at the instant that was named, and what it asked for is done or not."""

    CLIENT = '''
import http.client, json, sys
c = http.client.HTTPConnection(sys.argv[1], timeout=30)
head = json.loads(sys.argv[2])
for n in range(9):
    c.request('POST', '/%s/network/v2.0/ports', json.dumps({'port': {'network_id': '%s',
              'name': 'isobar-k%%d' %% n}}), head)
    c.getresponse().read()
'''

    def made_when(self, when):
        name = 'kill-' + when
        make_lab(name)
        api = self.api(name)
        victim = subprocess.Popen(
            [sys.executable, '-c', 'input()\n' + self.CLIENT % (name, NETWORK),
             emulator.url.split('//')[1], json.dumps(api.headers)], stdin=subprocess.PIPE)
        emulator.ask('POST', '/kill', {'lab': name, 'pid': victim.pid, 'when': when,
                                       'method': 'POST', 'path': '/network/v2.0/ports', 'nth': 3})
        victim.communicate(b'\n', timeout=WAIT_S)
        self.assertEqual(victim.returncode, -9)
        journal = emulator.ask('GET', '/journal?lab=' + name)['journal']
        return [each['token'] for each in journal if each['event'] == 'made']

    def test_half_sent(self):
        self.assertEqual(self.made_when('half-sent'), ['k0', 'k1'])

    def test_sent(self):
        self.assertEqual(self.made_when('sent'), ['k0', 'k1', 'k2'])

    def test_replied(self):
        # It may have sent one more before the signal reaches it.
        self.assertIn(self.made_when('replied'), (['k0', 'k1', 'k2'], ['k0', 'k1', 'k2', 'k3']))

    def test_half_of_a_request(self):
        """What never came whole has no effect."""
        make_lab('half')
        api = self.api('half')
        body = json.dumps({'port': {'network_id': NETWORK, 'name': 'isobar-h'}})
        api.connection.putrequest('POST', '/half/network/v2.0/ports')
        for header in api.headers.items():
            api.connection.putheader(*header)
        api.connection.putheader('Content-Length', str(len(body)))
        api.connection.endheaders()
        api.connection.send(body[:20].encode())
        api.connection.close()
        self.api('half')
        self.assertEqual(count('half', 'h'), {})


if __name__ == '__main__':
    unittest.main(verbosity=2)
