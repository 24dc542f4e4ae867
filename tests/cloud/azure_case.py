"""Machines on a lab of the Azure emulator, ordered from isobard and seen by azure-mgmt: what tests of
them share.
"""

import json
import os

import arm_peer
from azure.core.exceptions import ResourceNotFoundError
from gateway import Gateway

GROUP = arm_peer.GROUP
IMAGE = 'Debian:debian-12:12:latest'
WINDOWS = 'MicrosoftWindowsServer:WindowsServer:2022-datacenter:latest'


class Test(arm_peer.Test):
    """A lab, a gateway with it as its cloud `lab`, and clients of azure-mgmt."""

    def begin(self, breaches=0, settings=None, **faults):
        # The judge has the specifications of the versions that we speak without a setting.
        judge = 'compute_api_version' not in (settings or {})
        self.here = self.lab(breaches=breaches, judge=judge, **dict({'boot': 0.1, 'pace': 0.05},
                                                                    **faults))
        self.compute, self.disks = self.here.compute(), self.here.compute(arm_peer.DISKS)
        self.network, self.resources = self.here.network(), self.here.resources()
        self.gateway = None
        self.again(settings)

    def again(self, settings=None, secret=None):
        """A new gateway."""
        told = self.here.told
        if self.gateway:
            self.gateway.stop()
        for name in [name for name in os.environ if name.startswith('AZURE_')]:
            del os.environ[name]
        os.environ['AZURE_CLIENT_SECRET'] = secret or told['client_secret']
        all = dict({'adapter': 'azure', 'subscription_id': told['subscription_id'],
                    'tenant_id': told['tenant_id'], 'client_id': told['client_id'],
                    'credential': 'environment', 'endpoint': self.here.url,
                    'audience': 'https://management.azure.com/',
                    'authority': told['authority'], 'settle_ms': 300}, **(settings or {}))
        gateway = self.gateway = Gateway('clouds:\n  lab: {%s}\n' % ', '.join(
            '%s: "%s"' % each for each in all.items()))
        self.addCleanup(lambda: gateway.log.closed or gateway.stop())

    # ---- The command line ----

    def vm(self, verb, *args):
        """A command whose answer is one machine."""
        answer = self.gateway.ok('vm', verb, '--cloud', 'lab', *args, '-o', 'json').json()
        return answer[0] if isinstance(answer, list) else answer

    def order(self, name, *args, flavor='Standard_B1s', image=IMAGE):
        return ['vm', 'create', '--cloud', 'lab', '--name', name, '--flavor', flavor, '--image',
                image, *args]

    def create(self, name, *args, **more):
        """Make a machine and wait for it; what the gateway shows of it then."""
        answer = self.gateway.ok(*self.order(name, '--wait', *args, **more), '-o', 'json').json()
        return answer[0] if isinstance(answer, list) else answer

    def call(self, name, timeout_ms=120000, **spec):
        """CreateVm through the wire: (result, response)."""
        wanted = dict({'name': name, 'flavorName': 'Standard_B1s', 'imageId': IMAGE}, **spec)
        return self.gateway.call('isobar.v1.VmService/CreateVm', {'cloud': 'lab', 'spec': wanted},
                                 timeout_ms=timeout_ms)

    def act(self, method, id, **more):
        return self.gateway.call('isobar.v1.VmService/' + method, dict(more, cloud='lab', id=id))

    # ---- What azure-mgmt sees ----

    def theirs(self, name, group=GROUP):
        return self.compute.virtual_machines.get(group, name, expand='instanceView')

    def power(self, name):
        return [s.code.partition('/')[2] for s in self.theirs(name).instance_view.statuses
                if s.code.startswith('PowerState/')]

    def ordered(self, type='virtualMachines'):
        """The body of the last PUT of this type."""
        return json.loads(self.here.ask('orders')[type.lower()])

    def is_gone(self, name, group=GROUP):
        try:
            self.theirs(name, group)
            return False
        except ResourceNotFoundError:
            return True

    def left(self):
        """What is there beside what a subscription comes with."""
        return {'machines': sorted(v.name for v in self.compute.virtual_machines.list_all()),
                'interfaces': sorted(n.name for n in self.network.network_interfaces.list_all()),
                'addresses': sorted(i.name for i in self.network.public_ip_addresses.list_all()),
                'disks': sorted(d.name for d in self.disks.disks.list())}

    def nothing_is_left(self, **but):
        wanted = dict({'machines': [], 'interfaces': [], 'addresses': [], 'disks': []}, **but)
        try:
            arm_peer.eventually('nothing else is left', lambda: self.left() == wanted)
        except AssertionError:
            self.assertEqual(self.left(), wanted)

    def delete(self, name, **but):
        self.gateway.ok('vm', 'delete', '--cloud', 'lab', name, '--wait', '--yes')
        self.nothing_is_left(**but)
