#!/usr/bin/python3
"""Reading an EC2 through the gateway: states, filters, pages, throttles, and what is refused. The
EC2 is the emulator of ec2/.
"""

import sys
import time
import unittest

import ec2_fields as fields
import ec2_gateway
from ec2_peer import QUICK, Test, eventually, machine

LIST = 'isobar.v1.VmService/ListVms'


class Read(Test):

    def gateway_of(self, lab, **settings):
        return ec2_gateway.start(lab, self, **settings)

    def show(self, gateway, name):
        return gateway.ok('vm', 'show', 'lab/' + name, '-o', 'json').json()

    def listed(self, gateway, **wanted):
        result, response = gateway.call(LIST, dict(wanted, cloud='lab'))
        self.assertEqual(result['code'], 'RESULT_CODE_OK', result)
        return sorted(each['id'] for each in response.get('vms', []))

    def test_states(self):
        lab = self.lab()
        ec2, gateway = lab.client(), self.gateway_of(lab)
        id = lab.running(ec2, HibernationOptions={'Configured': True})
        made = fields.seconds(machine(ec2, id)['LaunchTime'])
        ec2.stop_instances(InstanceIds=[id], Hibernate=True)
        ec2.get_waiter('instance_stopped').wait(InstanceIds=[id], WaiterConfig=QUICK)
        ours = self.show(gateway, id)
        self.assertEqual((ours['state'], ours['nativeState']), (
            'VM_STATE_SUSPENDED', 'stopped (Client.UserInitiatedHibernate)'))
        self.assertNotIn('fault', ours)
        lab.tell('faults', boot=30)
        eventually('some seconds have passed', lambda: time.time() > made + 4)
        ec2.start_instances(InstanceIds=[id])
        ours = self.show(gateway, id)
        launched = fields.seconds(machine(ec2, id)['LaunchTime'])
        self.assertEqual(ours['state'], 'VM_STATE_STARTING')
        self.assertGreater(launched, made)
        self.assertEqual((fields.seconds(ours['createdAt']), fields.seconds(ours['updatedAt'])),
                         (made, launched))
        lab.tell('faults', unknown_state='frozen', boot=0.1)
        other = lab.run(ec2, name='other')['InstanceId']
        eventually('an unknown word', lambda: self.show(gateway, other)['state'] == 'VM_STATE_UNKNOWN')
        self.assertEqual(self.show(gateway, other)['nativeState'], 'frozen')
        self.assertIn(other, self.listed(gateway))

    def test_filters(self):
        lab = self.lab(page_size=3)
        ec2, gateway = lab.client(), self.gateway_of(lab)
        ids = {name: lab.running(ec2, name=name) for name in ('web-1', 'web-2', 'db', 'we*b', '[x]')}
        ec2.create_tags(Resources=[ids['web-1'], ids['db']], Tags=[{'Key': 'role', 'Value': 'a*'}])
        ec2.create_tags(Resources=[ids['web-2']], Tags=[{'Key': 'role', 'Value': 'ab'}])
        ec2.stop_instances(InstanceIds=[ids['db']])
        ec2.get_waiter('instance_stopped').wait(InstanceIds=[ids['db']], WaiterConfig=QUICK)
        unnamed = ec2.run_instances(ImageId='ami-0a00000000000a004', InstanceType='t4g.nano',
                                    MinCount=1, MaxCount=1)['Instances'][0]['InstanceId']
        gone = lab.running(ec2, name='web-1')
        ec2.terminate_instances(InstanceIds=[gone])
        eventually('it is gone', lambda: machine(ec2, gone)['State']['Name'] == 'terminated')
        self.assertEqual(len(self.listed(gateway)), 6)
        for wanted, names in [
                ({'name': 'web-*'}, ['web-1', 'web-2']),
                ({'name': 'web-?'}, ['web-1', 'web-2']),
                ({'name': 'web-1'}, ['web-1']),
                ({'name': 'we\\*b'}, ['we*b']),
                ({'name': '[wd]?*b*'}, ['web-1', 'web-2', 'we*b']),
                ({'name': 'nothing'}, []),
                ({'states': ['VM_STATE_STOPPED']}, ['db']),
                ({'states': ['VM_STATE_STOPPED', 'VM_STATE_REBOOTING']}, ['db']),
                ({'tags': {'role': 'a*'}}, ['web-1', 'db']),
                ({'tags': {'role': ''}}, ['web-1', 'web-2', 'db']),
                ({'tags': {'role': ''}, 'name': 'web-*'}, ['web-1', 'web-2']),
                ({'ids': [ids['db'], ids['web-1'], 'i-0123456789abcdef0', 'no id', ids['db']]},
                 ['db', 'web-1'])]:
            self.assertEqual(self.listed(gateway, **wanted), sorted(ids[each] for each in names), wanted)
        self.assertEqual(self.listed(gateway, states=['VM_STATE_DELETED']), [gone])
        self.assertIn(unnamed, self.listed(gateway, name='*'))
        self.assertEqual(self.show(gateway, 'web-1')['id'], ids['web-1'])
        self.assertEqual(self.show(gateway, 'we*b')['id'], ids['we*b'])
        for name in 'web', 'i-0123456789abcdef0', 'i-short', gone[:-1]:
            self.assertEqual(gateway.run('vm', 'show', 'lab/' + name).code, 3, name)

    def test_many(self):
        """More machines, and more things that they refer to, than one request asks for."""
        lab = self.lab(page_size=100)
        ec2, gateway = lab.client(), self.gateway_of(lab)
        ids = []
        for _ in range(5):
            ids += [each['InstanceId'] for each in ec2.run_instances(
                ImageId='ami-0a00000000000a003', InstanceType='t3.micro', MinCount=50,
                MaxCount=50)['Instances']]
        self.assertEqual(self.listed(gateway), sorted(ids))
        self.assertEqual(self.listed(gateway, ids=ids[:230]), sorted(ids[:230]))

    def test_throttled(self):
        lab = self.lab()
        gateway = self.gateway_of(lab)
        lab.tell('faults', throttle=1)
        self.assertEqual(self.listed(gateway), [])

    def test_refused(self):
        lab = self.lab(breaches=None)
        lab.secret = 'not it'
        gateway = self.gateway_of(lab)
        for command in ('vm', 'list', '--cloud', 'lab'), ('cloud', 'check', 'lab'), (
                'vm', 'show', 'lab/web'):
            outcome = gateway.run(*command)
            self.assertEqual(outcome.code, 4, outcome)
            self.assertIn("EC2 refuses the gateway's credentials for cloud lab", outcome.err)


if __name__ == '__main__':
    sys.exit(0 if unittest.main(exit=False, verbosity=2).result.wasSuccessful() else 1)
