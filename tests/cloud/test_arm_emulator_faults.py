#!/usr/bin/python3
"""What the emulated Azure refuses and does wrong on purpose, its tokens, its count, and its kills."""

import base64
import http.client
import json
import os
import subprocess
import sys
import time
import unittest
from email.utils import parsedate_to_datetime

from arm_peer import COMPUTE, DISKS, GROUP, HOME, NETWORK, RESOURCES, Test, eventually

ASSERTION = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'


def jwt(**claims):
    def part(fields):
        return base64.urlsafe_b64encode(json.dumps(fields).encode()).decode().rstrip('=')
    return '%s.%s.%s' % (part({'alg': 'RS256'}), part(claims), 'c2ln')


class Tokens(Test):
    def refuses(self, lab, status, number, **form):
        answer = lab.login(**form)
        self.assertEqual((answer[0], answer[1]['error_codes']), (status, [number]), answer)
        self.assertIn('AADSTS%d: ' % number, answer[1]['error_description'])

    def test_secrets(self):
        lab = self.lab(token_s=7)
        status, answer = lab.login()
        self.assertEqual((status, answer['token_type'], answer['expires_in']), (200, 'Bearer', 7))
        self.assertIn('CANARY', answer['access_token'])
        self.assertIn('CANARY', lab.told['client_secret'])
        self.refuses(lab, 401, 7000215, client_secret='wrong')
        self.refuses(lab, 401, 7000218, client_secret=None)
        self.refuses(lab, 400, 700016, client_id='11111111-1111-4111-8111-111111111111')
        self.refuses(lab, 400, 90002, tenant='11111111-1111-4111-8111-111111111111')
        self.refuses(lab, 400, 70011, scope='https://graph.microsoft.com/.default')
        self.refuses(lab, 400, 70003, grant_type='password')
        self.refuses(lab, 400, 900144, client_id=None)
        self.assertEqual(lab.ask('asked'), {'token': 7, 'refused': 6})

    def test_assertions(self):
        lab = self.lab()
        client, now = lab.told['client_id'], int(time.time())
        url = '%s/%s/oauth2/v2.0/token' % (lab.told['authority'], lab.told['tenant_id'])
        good = {'iss': client, 'sub': client, 'aud': url, 'exp': now + 600, 'nbf': now, 'jti': 'a'}
        given = {'iss': 'https://cluster', 'sub': 'pod', 'aud': 'api://AzureADTokenExchange',
                 'exp': now + 600}

        def form(claims):
            return {'client_secret': None, 'client_assertion_type': ASSERTION,
                    'client_assertion': jwt(**claims)}

        for claims in good, given:
            self.assertEqual(lab.login(**form(claims))[0], 200)
        self.refuses(lab, 401, 700024, **form(dict(good, exp=now - 3600)))
        self.refuses(lab, 401, 700024, **form(dict(good, nbf=now + 3600)))
        self.refuses(lab, 401, 700023, **form(dict(good, aud='https://elsewhere')))
        self.refuses(lab, 401, 700212, **form(dict(given, aud=url)))
        self.refuses(lab, 401, 700021, **form(dict(good, sub='other')))
        self.refuses(lab, 401, 50027, **dict(form(good), client_assertion='x'))

    def test_who_sends(self):
        lab = self.lab()
        path = '/resourceGroups'
        for token, code in (('', 'InvalidAuthenticationToken'), ('x', 'InvalidAuthenticationToken'),
                            (lab.tell('token', seconds=-1)['access_token'],
                             'ExpiredAuthenticationToken')):
            answer = lab.request('GET', path, None, RESOURCES, token=token)
            self.wrong(401, code, answer)
            self.assertIn('error="invalid_token"', answer[1]['WWW-Authenticate'])
        self.wrong(401, 'AuthenticationFailed', lab.request(
            'GET', path, None, RESOURCES, {'Authorization': ''}))
        self.assertEqual(lab.request('GET', path, None, RESOURCES)[0], 200)
        lab.tell('expire')
        self.wrong(401, 'ExpiredAuthenticationToken', lab.request('GET', path, None, RESOURCES))
        other = self.lab()
        token = other.tell('token')['access_token']
        self.wrong(401, 'InvalidAuthenticationToken', lab.request('GET', path, None, RESOURCES,
                                                                  token=token))
        self.wrong(404, 'SubscriptionNotFound', other.request(
            'GET', '/subscriptions/11111111-1111-4111-8111-111111111111/resourceGroups', None,
            RESOURCES, token=token))


class Refusals(Test):
    def test_versions(self):
        lab = self.lab(breaches=1)
        path = '/providers/Microsoft.Compute/virtualMachines'
        self.wrong(400, 'MissingApiVersionParameter', lab.request('GET', path))
        self.wrong(400, 'InvalidApiVersionParameter', lab.request('GET', path, None, '1999-01-01'))
        # Disks are not there in all versions of Compute.
        path = '/providers/Microsoft.Compute/disks'
        self.wrong(404, 'InvalidResourceType', lab.request('GET', path, None, COMPUTE))
        self.wrong(400, 'NoRegisteredProviderFound', lab.request('GET', lab.path('disk', 'a'), None,
                                                                 COMPUTE))
        self.assertEqual(lab.request('GET', path, None, DISKS)[0], 200)

    def test_breaches(self):
        """What no client should send is kept."""
        lab = self.lab(breaches=None, judge=False)
        lab.request('GET', '/providers/Microsoft.Compute/none', None, COMPUTE)
        lab.request('POST', '/resourceGroups', {}, RESOURCES)
        lab.request('PUT', lab.path('nic', 'a'), [], NETWORK)
        lab.request('PUT', lab.path('nic', 'a'), {}, NETWORK, {'Content-Type': 'text/plain'})
        lab.request('GET', '/resources?$filter=nonsense', None, RESOURCES)
        self.assertEqual([each['code'] for each in lab.ask('violations')['violations']],
                         ['InvalidResourceType', 'MethodNotAllowed', 'InvalidRequestContent',
                          'UnsupportedMediaType', 'InvalidFilterInQueryString'])

    def test_machines(self):
        lab = self.lab(no_sizes=['Standard_B2s'])
        nic = lab.put_nic()
        for code, status, more in (
                ('InvalidParameter', 400, {'hardwareProfile': {'vmSize': 'Nonsense'}}),
                ('SkuNotAvailable', 409, {'hardwareProfile': {'vmSize': 'Standard_B2s'}}),
                ('InvalidParameter', 400, {'osProfile': {'computerName': 'a', 'adminUsername': 'b'}}),
                ('InvalidParameter', 400, {'userData': 'not base64!'}),
                ('InvalidParameter', 400, {'networkProfile': {'networkInterfaces': []}}),
                ('InvalidResourceReference', 400, {'networkProfile': {'networkInterfaces': [
                    {'id': nic + 'x'}]}})):
            self.wrong(status, code, lab.put_vm(nic=nic, **more))
        for target, more in (('computerName', {'computerName': 'a_b'}),
                             ('adminUsername', {'adminUsername': 'admin'})):
            body = lab.vm_body(nic)
            body['properties']['osProfile'].update(more)
            answer = lab.request('PUT', lab.path('vm', 'web'), body, COMPUTE)
            self.wrong(400, 'InvalidParameter', answer)
            self.assertEqual(answer[2]['error']['target'], target)
        self.wrong(400, 'InvalidResourceReference', lab.request(
            'PUT', lab.path('nic', 'far'), dict(lab.nic_body(), location='eastus'), NETWORK))
        body = lab.vm_body(nic)
        body['properties']['storageProfile']['imageReference'] = {
            'publisher': 'Canonical', 'offer': 'UbuntuServer', 'sku': '18.04-LTS', 'version': '1.2.3'}
        self.wrong(404, 'PlatformImageNotFound', lab.request('PUT', lab.path('vm', 'web'), body,
                                                             COMPUTE))
        self.wrong(404, 'ResourceGroupNotFound', lab.request(
            'PUT', lab.path('vm', 'web', 'none'), lab.vm_body(nic), COMPUTE))
        self.assertEqual(lab.count('t')['machines_ever'], [])
        self.assertEqual(lab.count('t')['disks'], [])

    def test_what_is_in_use(self):
        lab = self.lab()
        network, compute = lab.network(), lab.compute()
        ips, nics = network.public_ip_addresses, network.network_interfaces
        ip = ips.begin_create_or_update(GROUP, 'ip', {'location': HOME}).result()
        nsg = lab.path('nsg', 'web')
        body = lab.nic_body(public=ip.id)
        body['properties']['networkSecurityGroup'] = {'id': nsg}
        self.assertEqual(lab.request('PUT', lab.path('nic', 'web-nic'), body, NETWORK)[0], 201)
        self.refused('PublicIPAddressInUse', nics.begin_create_or_update, GROUP, 'other',
                     lab.nic_body(public=ip.id), status=400)
        lab.running(nic=lab.path('nic', 'web-nic'))
        self.wrong(400, 'NicInUse', lab.put_vm('other', nic=lab.path('nic', 'web-nic')))
        self.refused('NicInUse', nics.begin_delete, GROUP, 'web-nic')
        self.refused('PublicIPAddressCannotBeDeleted', ips.begin_delete, GROUP, 'ip')
        self.refused('InUseSubnetCannotBeDeleted', network.virtual_networks.begin_delete, GROUP, 'net')
        self.refused('InUseNetworkSecurityGroupCannotBeDeleted',
                     network.network_security_groups.begin_delete, GROUP, 'web')
        compute.virtual_machines.begin_delete(GROUP, 'web').result()
        network.network_security_groups.begin_delete(GROUP, 'web').result()
        network.virtual_networks.begin_delete(GROUP, 'net').result()
        self.assertEqual(list(ips.list_all()), [], 'it ended with the interface')

    def test_a_nic_keeps_its_address_until_it_is_gone(self):
        lab = self.lab(pace=0.4)
        network = lab.network()
        ip = network.public_ip_addresses.begin_create_or_update(GROUP, 'ip', {
            'location': HOME}).result()
        lab.put_nic(public=ip.id)
        order = network.network_interfaces.begin_delete(GROUP, 'nic')
        self.refused('PublicIPAddressCannotBeDeleted', network.public_ip_addresses.begin_delete,
                     GROUP, 'ip')
        order.result()
        network.public_ip_addresses.begin_delete(GROUP, 'ip').result()

    def test_gone_already(self):
        lab = self.lab()
        for kind, version in (('vm', COMPUTE), ('nic', NETWORK), ('ip', NETWORK), ('disk', DISKS)):
            self.assertEqual(lab.request('DELETE', lab.path(kind, 'none'), None, version)[0], 204)


class Limits(Test):
    def test_quotas(self):
        lab = self.lab(cores=3, refuse='no-', addresses=1)
        self.wrong(409, 'OperationNotAllowed', lab.put_vm('no-1'))
        lab.running('one')
        words = self.wrong(409, 'OperationNotAllowed', lab.put_vm('two'))
        self.assertTrue(words.startswith('Operation could not be completed as it results in exceeding'))
        lab.request('POST', lab.path('vm', 'one') + '/deallocate', None, COMPUTE)
        eventually('free', lambda: lab.put_vm('two')[0] == 201)
        self.assertEqual(lab.request('PUT', lab.path('ip', 'a'), {'location': HOME}, NETWORK)[0], 201)
        self.wrong(400, 'PublicIPCountLimitReached', lab.request(
            'PUT', lab.path('ip', 'b'), {'location': HOME}, NETWORK))

    def test_capacity(self):
        lab = self.lab(capacity={'*/Standard_D2s_v3': 1})
        lab.running('one')
        status, headers, _ = lab.put_vm('two')
        self.assertEqual(status, 201)
        end = lab.wait(headers)
        self.assertEqual((end['status'], end['error']['code']), ('Failed', 'AllocationFailed'))
        vm = lab.request('GET', lab.path('vm', 'two') + '?$expand=instanceView', None, COMPUTE)[2]
        self.assertEqual(vm['properties']['provisioningState'], 'Failed')
        self.assertEqual(vm['properties']['instanceView']['statuses'][0]['code'],
                         'ProvisioningState/failed/AllocationFailed')
        lab.tell('faults', capacity={})
        status, headers, _ = lab.put_vm('two', nic=lab.path('nic', 'two-nic'))
        self.assertEqual((status, lab.wait(headers)['status']), (200, 'Succeeded'), 'tried again')
        lab.tell('faults', capacity={'/*': 2})
        self.refused('AllocationFailed', lab.compute().virtual_machines.begin_create_or_update(
            GROUP, 'three', lab.vm_body(lab.put_nic())).result)

    def test_ends(self):
        lab = self.lab(fail={'late': 'OSProvisioningTimedOut', 'sku': 'SkuNotAvailable',
                             'pre': 'OperationPreempted'}, endless='never')
        for name, state, code, power in (
                ('late', 'Failed', 'OSProvisioningTimedOut', 'PowerState/running'),
                ('sku', 'Failed', 'SkuNotAvailable', None),
                ('pre', 'Canceled', 'OperationPreempted', None)):
            _, headers, answer = lab.put_vm(name)
            end = lab.wait(headers)
            self.assertEqual((end['status'], end['error']['code']), (state, code))
            view = lab.request('GET', answer['id'] + '/instanceView', None, COMPUTE)[2]
            self.assertEqual([each['code'] for each in view['statuses']][1:], [power] if power else [])
            self.assertEqual(lab.request('DELETE', answer['id'], None, COMPUTE)[0], 202)
        _, headers, answer = lab.put_vm('never')
        time.sleep(0.4)
        self.assertEqual(lab.request('GET', headers['Azure-AsyncOperation'])[2]['status'], 'InProgress')
        self.assertEqual(lab.request('GET', answer['id'], None, COMPUTE)[2]['properties'][
            'provisioningState'], 'Creating')

    def test_the_same_again(self):
        """It is over when the first is."""
        lab = self.lab(boot=0.4)
        nic = lab.put_nic()
        lab.put_vm(nic=nic)
        status, headers, answer = lab.put_vm(nic=nic)
        self.assertEqual((status, answer['properties']['provisioningState']), (200, 'Creating'))
        end = lab.wait(headers)
        self.assertEqual(end['properties']['output']['properties']['provisioningState'], 'Succeeded')
        self.assertEqual(len(lab.count('t')['machines_ever']), 1)

    def test_deletion_preempts(self):
        lab = self.lab(boot=60)
        _, headers, answer = lab.put_vm()
        self.assertEqual(lab.request('DELETE', answer['id'], None, COMPUTE)[0], 202)
        self.assertEqual(lab.wait(headers)['status'], 'Canceled')
        eventually('gone', lambda: lab.request('GET', answer['id'], None, COMPUTE)[0] == 404)

    def test_disabled(self):
        lab = self.lab(disabled=True)
        self.assertEqual(lab.subscriptions().subscriptions.get(lab.subscription).state, 'Disabled')
        self.refused('ReadOnlyDisabledSubscription', lab.resources().resource_groups.create_or_update,
                     'x', {'location': HOME}, status=409)
        lab.tell('faults', disabled=False)
        lab.resources().resource_groups.create_or_update('x', {'location': HOME})

    def test_throttle(self):
        lab = self.lab(throttle=2, resource_left='Microsoft.Compute/LowCostGet3Min;12,x;7')
        groups = '/resourceGroups'
        for _ in range(2):
            answer = lab.request('GET', groups, None, RESOURCES)
            self.wrong(429, 'TooManyRequests', answer)
            self.assertEqual(answer[1]['Retry-After'], '1')
        answer = lab.request('GET', groups, None, RESOURCES)
        self.assertEqual((answer[0], answer[1]['x-ms-ratelimit-remaining-subscription-reads'],
                          answer[1]['x-ms-ratelimit-remaining-resource']),
                         (200, '11999', 'Microsoft.Compute/LowCostGet3Min;12,x;7'))
        lab.tell('faults', throttle=1)
        list(lab.resources(retry_total=3).resource_groups.list())

    def test_retry_after(self):
        lab = self.lab(retry_after=3, boot=30)
        self.assertEqual(lab.put_vm()[1]['Retry-After'], '3')
        lab.tell('faults', retry_after=None)
        self.assertNotIn('Retry-After', lab.put_vm('other')[1])

    def test_clock_and_redirect(self):
        lab = self.lab(clock=3600, redirect='')
        answer = lab.request('GET', '/resourceGroups', None, RESOURCES)
        ahead = parsedate_to_datetime(answer[1]['Date']).timestamp() - time.time()
        self.assertTrue(3500 < ahead < 3700, ahead)
        lab.tell('faults', redirect='http://192.0.2.1')
        answer = lab.request('GET', '/resourceGroups', None, RESOURCES)
        self.assertEqual((answer[0], answer[1]['Location']), (
            307, 'http://192.0.2.1%s/resourceGroups?api-version=%s' % (lab.below, RESOURCES)))


class Drawn(Test):
    """From the seed of the lab."""

    def test_late(self):
        lab = self.lab(late_commit=0.6, seed=7)
        nics, missing = '/providers/Microsoft.Network/networkInterfaces', 0
        for n in range(12):
            id = lab.put_nic('n%d' % n)
            missing += id not in str(lab.request('GET', nics, None, NETWORK))
            self.assertEqual(lab.request('GET', id, None, NETWORK)[0], 200, 'there by its id')
        self.assertGreater(missing, 0)
        eventually('all listed', lambda: len(lab.request('GET', nics, None, NETWORK)[2]['value']) == 12)

    def test_late_without_the_client(self):
        lab = self.lab(late_commit=0.3, seed=1)
        token = lab.tell('token')['access_token']
        for n in range(6):
            connection = http.client.HTTPConnection(lab.url.split('//')[1])
            connection.request('PUT', '%s?api-version=%s' % (lab.path('nic', 'n%d' % n), NETWORK),
                               json.dumps(lab.nic_body('g%d' % n)),
                               {'Authorization': 'Bearer ' + token,
                                'Content-Type': 'application/json'})
            connection.close()
        eventually('all made', lambda: all(
            len(lab.count('g%d' % n).get('nics', [])) == 1 for n in range(6)))
        self.assertEqual(lab.ask('count')['pending'], 0)

    def test_lost_replies(self):
        """What was lost is done; the same again in each run."""
        def run():
            lab, lost = self.lab(lost_reply=0.5, seed=3), []
            for n in range(10):
                try:
                    lab.put_nic('n%d' % n, 'x%d' % n)
                except (ConnectionError, http.client.HTTPException):
                    lost.append(n)
            self.assertEqual([len(lab.count('x%d' % n)['nics']) for n in range(10)], [1] * 10)
            return lost
        first = run()
        self.assertTrue(0 < len(first) < 10, first)
        self.assertEqual(first, run())

    def test_lag(self):
        lab = self.lab(list_lag=1.5, seed=2)
        nics, missing = '/providers/Microsoft.Network/networkInterfaces', 0
        for n in range(8):
            id = lab.put_nic('n%d' % n)
            missing += id not in str(lab.request('GET', nics, None, NETWORK))
        self.assertGreater(missing, 0)


class Rules(Test):
    def lost(self, lab, *args, **more):
        with self.assertRaises((ConnectionError, http.client.HTTPException)):
            lab.request(*args, **more)

    def test_single_requests(self):
        lab = self.lab()
        nic = lab.path('nic', 'a')
        lab.tell('rules', what='drop_reply', method='PUT', path='/networkinterfaces/')
        self.lost(lab, 'PUT', nic, lab.nic_body(), NETWORK)
        self.assertEqual(len(lab.count('t')['nics']), 1, 'it was done')
        lab.tell('rules', what='late_commit', method='DELETE', path='/networkInterfaces/a$', ms=200)
        self.lost(lab, 'DELETE', nic, None, NETWORK)
        eventually('it is done', lambda: lab.count('t')['nics'] == [])
        lab.tell('rules', what='refuse', method='GET|HEAD', path='/resourceGroups$', status=503,
                 code='ServerTimeout', message='later', retry_after=2, nth=2)
        self.assertEqual(lab.request('GET', '/resourceGroups', None, RESOURCES)[0], 200)
        answer = lab.request('GET', '/resourceGroups', None, RESOURCES)
        self.assertEqual((self.wrong(503, 'ServerTimeout', answer), answer[1]['Retry-After']),
                         ('later', '2'))
        lab.tell('rules', what='cut_body', method='GET', path='.')
        self.lost(lab, 'GET', '/resourceGroups', None, RESOURCES)
        lab.tell('rules', what='refuse', method='POST', path='/oauth2/', status=500, code='x',
                 message='y')
        self.assertEqual(lab.login()[0], 500)
        self.assertEqual(lab.ask('rules')['count'], 5)

    def test_kills(self):
        """A process dies when its request is known by half, is whole, or has been answered."""
        program = ('import http.client, sys\n'
                   'url, path, body, token = sys.argv[1:]\n'
                   'c = http.client.HTTPConnection(url)\n'
                   'c.request("PUT", path, body, {"Authorization": "Bearer " + token, '
                   '"Content-Type": "application/json"})\n'
                   'c.getresponse().read()\n'
                   'import time; time.sleep(60)\n')
        for n, (when, made) in enumerate((('half-sent', 0), ('sent', 1), ('replied', 1))):
            lab = self.lab()
            token = lab.tell('token')['access_token']
            read, write = os.pipe()
            process = subprocess.Popen([sys.executable, '-c', 'import os; os.read(%d, 1)\n' % read +
                                        program, lab.url.split('//')[1],
                                        lab.path('nic', 'k') + '?api-version=' + NETWORK,
                                        json.dumps(lab.nic_body()), token], pass_fds=[read])
            lab.tell('kill', pid=process.pid, when=when, nth=1, method='PUT', path='/nic|/networkI')
            os.write(write, b'x')
            self.assertEqual(process.wait(), -9)
            os.close(read)
            os.close(write)
            eventually('counted', lambda: len(lab.count('t').get('nics', [])) == made)


if __name__ == '__main__':
    unittest.main()
