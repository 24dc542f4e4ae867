"""Machines on a lab of the EC2 emulator, ordered from isobard and seen by boto3: what tests of them
share.
"""

import ec2_gateway
import ec2_peer

IMAGE = ec2_peer.IMAGE


class Test(ec2_peer.Test):
    """A lab, a gateway with it as its cloud `lab`, and a client of boto3."""

    def begin(self, secret=None, breaches=0, **faults):
        self.here = self.lab(breaches=breaches, **faults)
        self.ec2 = self.here.client()
        self.here.secret = secret or self.here.secret
        self.gateway = ec2_gateway.start(self.here, self, settle_ms=300)

    # ---- The command line ----

    def vm(self, verb, *args):
        """A command whose answer is one machine."""
        answer = self.gateway.ok('vm', verb, '--cloud', 'lab', *args, '-o', 'json').json()
        return answer[0] if isinstance(answer, list) else answer

    def order(self, name, *args, flavor='t3.micro', image=IMAGE):
        return ['vm', 'create', '--cloud', 'lab', '--name', name, '--flavor', flavor, '--image',
                image, *args]

    def create(self, name, *args, **more):
        """Make a machine and wait for it; what the gateway shows of it then."""
        answer = self.gateway.ok(*self.order(name, '--wait', *args, **more), '-o', 'json').json()
        return answer[0] if isinstance(answer, list) else answer

    def fails(self, *command):
        """The result of a command that has to fail."""
        outcome = self.gateway.run(*command, '-o', 'json')
        self.assertNotEqual(outcome.code, 0, str(outcome))
        return outcome

    def call(self, name, **spec):
        """CreateVm through the wire: (result, response)."""
        wanted = dict({'name': name, 'flavorName': 't3.micro', 'imageId': IMAGE}, **spec)
        return self.gateway.call('isobar.v1.VmService/CreateVm', {'cloud': 'lab', 'spec': wanted})

    def act(self, method, id, **more):
        return self.gateway.call('isobar.v1.VmService/' + method, dict(more, cloud='lab', id=id))

    # ---- What boto3 sees ----

    def theirs(self, id):
        return ec2_peer.machine(self.ec2, id)

    def alive(self):
        return [i for r in self.ec2.describe_instances()['Reservations'] for i in r['Instances']
                if i['State']['Name'] not in ('terminated', 'shutting-down')]

    def left(self):
        """What is there beside what an account comes with."""
        return {
            'machines': [i['InstanceId'] for i in self.alive()],
            'interfaces': [i['NetworkInterfaceId'] for i in
                           self.ec2.describe_network_interfaces()['NetworkInterfaces']],
            'addresses': [i['AllocationId'] for i in self.ec2.describe_addresses()['Addresses']],
            'volumes': [i['VolumeId'] for i in self.ec2.describe_volumes()['Volumes']]}

    def nothing_is_left(self, **but):
        wanted = dict({'machines': [], 'interfaces': [], 'addresses': [], 'volumes': []}, **but)
        ec2_peer.eventually('nothing else is left: %s' % self.left(), lambda: self.left() == wanted)

    def delete(self, id, **but):
        self.gateway.ok('vm', 'delete', '--cloud', 'lab', id, '--wait', '--yes')
        self.assertEqual(self.theirs(id)['State']['Name'], 'terminated')
        self.nothing_is_left(**but)

    def asked(self):
        """What the last RunInstances asked for, as the model reads it."""
        return list(self.here.ask('orders').values())[-1]
