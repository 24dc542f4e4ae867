#!/usr/bin/python3
"""What Azure costs. Round trips of a create with a public address, next to the quick-start of the SDK
for the same machine, counted by an emulator; a resource group of 5,000 machines as one list, and the
memory that it takes; and what the gateway adds to a GetVm, by the program bench_azure.
"""

import http.client
import json
import os
import subprocess
import sys
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, '..', each) for each in ('cloud', 'rpc')]
import arm_peer  # noqa: E402
import azure_gateway  # noqa: E402
import gateway  # noqa: E402

MACHINES = 5000
SETTINGS = {'audience': 'https://management.azure.com/', 'credential': 'environment',
            'resource_group': arm_peer.GROUP, 'location': arm_peer.HOME}


def quick_start(lab):
    """The steps of "Provision a virtual machine" in Azure's documentation of its SDK for Python: how
    many requests they take, and of these those for address, interface and machine."""
    resources, network, compute = lab.resources(), lab.network(), lab.compute()
    begun = lab.ask('requests')['count']
    where = {'location': arm_peer.HOME}
    resources.resource_groups.create_or_update('start', where)
    # There the subnet is a step of its own; here it comes with its network, a request or two fewer.
    subnet = network.virtual_networks.begin_create_or_update('start', 'net', dict(
        where, address_space={'address_prefixes': ['10.0.0.0/16']},
        subnets=[{'name': 'one', 'address_prefix': '10.0.0.0/24'}])).result().subnets[0]
    there = lab.ask('requests')['count']
    ip = network.public_ip_addresses.begin_create_or_update('start', 'ip', dict(
        where, sku={'name': 'Standard'}, public_ip_allocation_method='Static')).result()
    nic = network.network_interfaces.begin_create_or_update('start', 'nic', dict(
        where, ip_configurations=[{'name': 'one', 'subnet': {'id': subnet.id},
                                   'public_ip_address': {'id': ip.id}}])).result()
    compute.virtual_machines.begin_create_or_update('start', 'web', dict(
        where, hardware_profile={'vm_size': 'Standard_B1s'},
        storage_profile={'image_reference': arm_peer.UBUNTU},
        os_profile={'computer_name': 'web', 'admin_username': arm_peer.ADMIN,
                    'linux_configuration': {'disable_password_authentication': True, 'ssh': {
                        'public_keys': [{'path': '/home/%s/.ssh/authorized_keys' % arm_peer.ADMIN,
                                         'key_data': arm_peer.KEY}]}}},
        network_profile={'network_interfaces': [{'id': nic.id}]})).result()
    ended = lab.ask('requests')['count']
    return ended - begun, ended - there


def our_create(lab, case):
    """The same through a gateway that has its token."""
    cloud = azure_gateway.start(lab.told, case, **SETTINGS)
    cloud.ok('flavor', 'list', '--cloud', 'lab')
    begun = lab.ask('requests')['count']
    cloud.ok('vm', 'create', '--cloud', 'lab', '--name', 'ours', '--flavor', 'Standard_B1s', '--image',
             'Canonical:UbuntuServer:18.04-LTS:latest', '--public-ip-type', 'static', '--network',
             'net', '--subnet', 'default', '--keypair', arm_peer.KEY)
    return lab.ask('requests')['count'] - begun


def fill(lab):
    """Machines, as fast as one connection takes them."""
    lab.login()
    connection = http.client.HTTPConnection(lab.url.split('//')[1])
    headers = {'Authorization': 'Bearer ' + lab.login()[1]['access_token'],
               'Content-Type': 'application/json'}

    def put(path, body, version):
        connection.request('PUT', '%s?api-version=%s' % (path, version), json.dumps(body), headers)
        answer = connection.getresponse()
        data = answer.read()
        assert answer.status in (200, 201), data
    for i in range(MACHINES):
        nic = lab.path('nic', 'nic-%d' % i)
        put(nic, lab.nic_body('t%d' % i), arm_peer.NETWORK)
        put(lab.path('vm', 'vm-%d' % i), lab.vm_body(nic, 't%d' % i), arm_peer.COMPUTE)
    connection.close()


def long_list(lab, case):
    """(seconds of the first page, for which all are gathered; its requests; MiB of the daemon at its
    most)"""
    fill(lab)
    cloud = azure_gateway.start(lab.told, case, **SETTINGS)
    token, seen, first = None, 0, None
    while token != '':
        begun, requests = time.monotonic(), lab.ask('requests')['count']
        result, page = cloud.call('isobar.v1.VmService/ListVms',
                                  {'cloud': 'lab', 'pageToken': token or ''}, 120000)
        assert result['code'] == 'RESULT_CODE_OK', result
        first = first or (time.monotonic() - begun, lab.ask('requests')['count'] - requests)
        token, seen = page.get('nextPageToken', ''), seen + len(page['vms'])
    assert seen == MACHINES, seen
    with open('/proc/%d/status' % cloud.process.pid) as f:
        peak = next(int(line.split()[1]) for line in f if line.startswith('VmHWM:'))
    return (*first, peak / 1024)


class Bench(unittest.TestCase):
    def test(self):
        emulator = arm_peer.arm_emulator.Emulator()
        self.addCleanup(emulator.stop)
        lab = arm_peer.Lab(emulator, 'bench', self.addCleanup, boot=0, pace=0)
        whole, part = quick_start(lab)
        ours = our_create(lab, self)
        print("round trips of a create with a public address: %d; the SDK's quick-start %d, of which "
              '%d for address, interface and machine' % (ours, whole, part))
        long = arm_peer.Lab(emulator, 'long', self.addCleanup, boot=0, pace=0, cores=100 * MACHINES)
        seconds, requests, mib = long_list(long, self)
        print("%d machines, in pages of 50 from the cloud and of 1,000 to the client: the first in %.2f s, "
              "the emulator's time with it, %d requests; the daemon took %.1f MiB at its most" % (
                  MACHINES, seconds, requests, mib))
        program = os.path.join(gateway.BUILD, 'tests', 'bench', 'bench_azure')
        said = subprocess.run([program], stdout=subprocess.PIPE, text=True, check=True).stdout
        print(said.rsplit('figure:', 1)[0].rstrip())
        print('figure: round_trips=%d %s' % (ours, said.rsplit('figure:', 1)[1].strip()))


if __name__ == '__main__':
    done = unittest.TextTestRunner(stream=sys.stderr, verbosity=0).run(
        unittest.defaultTestLoader.loadTestsFromTestCase(Bench))
    sys.exit(not done.wasSuccessful())
