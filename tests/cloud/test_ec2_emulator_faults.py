#!/usr/bin/python3
"""What the emulated EC2 does wrong on purpose, its count, and its kills."""

import http.client
import json
import os
import subprocess
import sys
import time
import unittest

from ec2_peer import IMAGE, VERSION, Test, eventually, machine, sign, signed

import botocore.exceptions

LOST = (botocore.exceptions.ConnectionClosedError, botocore.exceptions.HTTPClientError)


def allocate(ec2, token):
    return ec2.allocate_address(TagSpecifications=[{'ResourceType': 'elastic-ip', 'Tags': [
        {'Key': 'isobar-token', 'Value': token}]}])


class Drawn(Test):
    """From the seed of the lab."""

    def test_late(self):
        """Some are done later and some shown later; what was asked for comes to be."""
        lab = self.lab(late_commit=0.6, seed=7)
        ec2, missing = lab.client(), 0
        for n in range(12):
            id = lab.run(ec2, 'l%d' % n)['InstanceId']
            missing += not ec2.describe_instances(Filters=[
                {'Name': 'client-token', 'Values': ['l%d' % n]}])['Reservations']
            machine(ec2, id)    # by its id it is there at once
        self.assertGreater(missing, 0)
        eventually('all listed', lambda: len(ec2.describe_instances()['Reservations']) == 12)

    def test_late_without_the_client(self):
        lab = self.lab(late_commit=0.3, seed=1)
        for n in range(6):
            body = 'Action=AllocateAddress&Version=%s&TagSpecification.1.ResourceType=elastic-ip&' \
                'TagSpecification.1.Tag.1.Key=isobar-token&TagSpecification.1.Tag.1.Value=g%d' % (
                    VERSION, n)
            connection = http.client.HTTPConnection(lab.url.split('//')[1])
            connection.request('POST', '/', body, sign(lab, body))
            connection.close()
        eventually('all made', lambda: all(
            len(lab.count('g%d' % n).get('addresses', [])) == 1 for n in range(6)))
        self.assertEqual(lab.ask('count')['pending'], 0)

    def test_lost_replies(self):
        """What was lost is done; the same again in each run."""
        def run():
            lab = self.lab(lost_reply=0.5, seed=3)
            ec2, lost = lab.client(), []
            for n in range(10):
                try:
                    allocate(ec2, 'x%d' % n)
                except LOST:
                    lost.append(n)
            self.assertEqual([len(lab.count('x%d' % n)['addresses']) for n in range(10)], [1] * 10)
            return lost
        first = run()
        self.assertTrue(0 < len(first) < 10, first)
        self.assertEqual(first, run())

    def test_boto3_makes_one(self):
        """It asks again with the same token."""
        lab = self.lab(lost_reply=0.5, seed=5)
        ec2 = lab.client(attempts=10)
        for n in range(5):
            lab.run(ec2, 'b%d' % n)
            self.assertEqual(len(lab.count('b%d' % n)['machines_ever']), 1)

    def test_eventual(self):
        """What was made is not found at once, neither by its id nor in a list."""
        lab = self.lab(eventual=1.5, seed=4)
        ec2, unknown = lab.client(), 0
        for n in range(8):
            id = lab.run(ec2)['InstanceId']
            try:
                machine(ec2, id)
            except botocore.exceptions.ClientError as e:
                self.assertEqual(e.response['Error']['Code'], 'InvalidInstanceID.NotFound')
                self.assertNotIn(id, str(ec2.describe_instances()))
                unknown += 1
        self.assertTrue(0 < unknown < 8, unknown)
        eventually('found', lambda: len(ec2.describe_instances()['Reservations']) == 8)

    def test_lag(self):
        lab = self.lab(list_lag=1.5, seed=2)
        ec2, missing = lab.client(), 0
        for n in range(8):
            id = lab.run(ec2)['InstanceId']
            machine(ec2, id)
            missing += id not in str(ec2.describe_instances())
        self.assertGreater(missing, 0)
        eventually('listed', lambda: len(ec2.describe_instances()['Reservations']) == 8)

    def test_throttle(self):
        lab = self.lab(throttle=0.5, seed=1)
        ec2 = lab.client(attempts=10)
        retried = sum(ec2.describe_vpcs()['ResponseMetadata']['RetryAttempts'] for _ in range(4))
        self.assertGreater(retried, 0)
        lab.tell('faults', throttle=2)
        self.assertEqual(ec2.describe_vpcs()['ResponseMetadata']['RetryAttempts'], 2)
        lab.tell('faults', throttle=1)
        self.refused('RequestLimitExceeded', lab.client().describe_vpcs, 503)


class Limits(Test):
    def test_quotas(self):
        lab = self.lab(instances=2, vcpus=6, refuse='no-')
        ec2 = lab.client()
        self.refused('InstanceLimitExceeded', lambda: lab.run(ec2, name='no-1'))
        lab.tell('faults', instances=9)
        self.refused('VcpuLimitExceeded', lambda: lab.run(ec2, MinCount=4, MaxCount=4))
        lab.tell('faults', instances=2)
        made = ec2.run_instances(ImageId=IMAGE, InstanceType='t3.micro', MinCount=1, MaxCount=5)
        self.assertEqual(len(made['Instances']), 2)
        self.refused('InstanceLimitExceeded', lambda: lab.run(ec2))
        ec2.terminate_instances(InstanceIds=[made['Instances'][0]['InstanceId']])
        eventually('a free place', lambda: len(lab.count(made['Instances'][0]['ClientToken'])[
            'machines']) == 1)
        lab.run(ec2)

    def test_capacity(self):
        lab = self.lab(capacity={'us-east-1a/t3.micro': 1, '*/m5.large': 0})
        ec2 = lab.client()
        self.refused('InsufficientInstanceCapacity', lambda: lab.run(ec2, InstanceType='m5.large'),
                     500)
        zones = [lab.run(ec2)['Placement']['AvailabilityZone'] for _ in range(3)]
        self.assertEqual(zones, ['us-east-1a', 'us-east-1b', 'us-east-1b'])
        self.refused('InsufficientInstanceCapacity', lambda: lab.run(
            ec2, Placement={'AvailabilityZone': 'us-east-1a'}), 500)

    def test_unknown_state(self):
        lab = self.lab()
        ec2 = lab.client()
        id = lab.running(ec2)
        lab.tell('faults', unknown_state='flabbergasted')
        self.assertEqual(machine(ec2, id)['State']['Name'], 'flabbergasted')
        lab.tell('faults', unknown_state='')
        self.assertEqual(machine(ec2, id)['State']['Name'], 'running')

    def test_sessions_are_short(self):
        lab = self.lab(session_s=100)
        sts = lab.client('sts')

        def client():
            keys = sts.assume_role(RoleSessionName='me', RoleArn='arn:aws:iam::%s:role/web'
                                   % lab.told['account'])['Credentials']
            return lab.client(aws_access_key_id=keys['AccessKeyId'], aws_session_token=
                              keys['SessionToken'], aws_secret_access_key=keys['SecretAccessKey'])
        client().describe_vpcs()
        lab.tell('faults', session_s=-1)
        self.refused('RequestExpired', client().describe_vpcs)

    def test_no_such_fault(self):
        with self.assertRaisesRegex(ValueError, 'no such fault: colour'):
            self.lab(colour='red', breaches=None)


class Rules(Test):
    """Single requests, known by their action."""

    def hits(self, lab):
        return lab.ask('rules')['count']

    def test_drop_reply(self):
        lab = self.lab()
        lab.tell('rules', action='RunInstances', what='drop_reply')
        ec2 = lab.client(attempts=3)
        made = lab.run(ec2, 'd1')
        self.assertEqual(lab.count('d1')['machines_ever'], [made['InstanceId']])
        self.assertEqual(self.hits(lab), 1)

    def test_late_commit(self):
        lab = self.lab()
        lab.tell('rules', action='RunInstances', what='late_commit', ms=2000)
        with self.assertRaises(LOST):
            lab.run(lab.client(), 'l1')
        counted = lab.ask('count')
        self.assertEqual((counted['pending'], counted['tokens'].get('l1')), (1, None))
        eventually('made', lambda: lab.count('l1').get('machines'))

    def test_refuse(self):
        lab = self.lab()
        lab.tell('rules', action='Describe(Vpcs|Subnets)', what='refuse', status=401, nth=2, times=2,
                 code='AuthFailure', message='no')
        ec2 = lab.client()
        ec2.describe_vpcs()
        self.assertEqual(self.refused('AuthFailure', ec2.describe_vpcs, 401), 'no')
        ec2.describe_instances()
        self.refused('AuthFailure', ec2.describe_subnets, 401)
        ec2.describe_vpcs()
        rule, = lab.ask('rules')['rules']
        self.assertEqual((rule['seen'], rule['done']), (4, 2))
        self.emulator.ask('DELETE', '/rules?lab=' + lab.name)
        self.assertEqual(lab.ask('rules'), {'rules': [], 'count': 0})

    def test_hang(self):
        """It is not done."""
        lab = self.lab()
        lab.tell('rules', action='RunInstances', what='hang', ms=200)
        begun = time.monotonic()
        with self.assertRaises(LOST):
            lab.run(lab.client(), 'h1')
        self.assertGreater(time.monotonic() - begun, 0.15)
        self.assertEqual(lab.count('h1'), {})

    def bare(self, lab, body='Action=DescribeInstanceTypes&Version=' + VERSION):
        connection = http.client.HTTPConnection(lab.url.split('//')[1], timeout=60)
        self.addCleanup(connection.close)
        connection.request('POST', '/', body, sign(lab, body))
        return connection.getresponse()

    def test_bodies(self):
        lab = self.lab()
        lab.tell('rules', action='DescribeInstanceTypes', what='cut_body')
        with self.assertRaises(http.client.IncompleteRead):
            self.bare(lab).read()
        lab.tell('rules', action='DescribeInstanceTypes', what='deep', depth=1000)
        self.assertEqual(self.bare(lab).read(), b'<a>' * 1000 + b'</a>' * 1000)
        lab.tell('rules', action='DescribeInstanceTypes', what='huge')
        answer, n = self.bare(lab), 0
        while True:
            read = len(answer.read(1 << 20))
            n += read
            if not read:
                break
        self.assertEqual(n, 100 << 20)
        lab.tell('rules', action='DescribeInstanceTypes', what='trickle', bytes_per_s=500)
        answer = self.bare(lab, 'Action=DescribeInstanceTypes&Version=2016-11-15&InstanceType.1=x')
        begun = time.monotonic()
        self.assertIn(b'InvalidInstanceType', answer.read())
        self.assertGreater(time.monotonic() - begun, 0.1)
        self.assertEqual(self.hits(lab), 4)

    def test_wrong_rules(self):
        lab = self.lab()
        for rule in {'what': 'explode'}, {'what': 'hang', 'colour': 'red'}:
            with self.assertRaises(ValueError):
                lab.tell('rules', action='.*', **rule)


class Kills(Test):
    """A process is dead at the instant that was named, and what it asked for is done or not."""

    CLIENT = '''
import http.client, json, sys
input()
c = http.client.HTTPConnection(sys.argv[1], timeout=30)
for body, headers in json.loads(sys.argv[2]):
    c.request('POST', '/', body, headers)
    c.getresponse().read()
'''

    def made_when(self, when):
        lab = self.lab()
        requests = []
        for n in range(9):
            body = 'Action=AllocateAddress&Version=%s&TagSpecification.1.ResourceType=elastic-ip&' \
                'TagSpecification.1.Tag.1.Key=isobar-token&TagSpecification.1.Tag.1.Value=k%d' % (
                    VERSION, n)
            requests.append((body, sign(lab, body)))
        victim = subprocess.Popen([sys.executable, '-c', self.CLIENT, lab.url.split('//')[1],
                                   json.dumps(requests)], stdin=subprocess.PIPE)
        lab.tell('kill', pid=victim.pid, when=when, action='Allocate.*', nth=3)
        victim.communicate(b'\n', timeout=30)
        self.assertEqual(victim.returncode, -9)
        return [each['token'] for each in lab.ask('journal')['journal'] if each['event'] == 'made']

    def test_half_sent(self):
        self.assertEqual(self.made_when('half-sent'), ['k0', 'k1'])

    def test_sent(self):
        self.assertEqual(self.made_when('sent'), ['k0', 'k1', 'k2'])

    def test_replied(self):
        # It may have sent one more before the signal reaches it.
        self.assertIn(self.made_when('replied'), (['k0', 'k1', 'k2'], ['k0', 'k1', 'k2', 'k3']))

    def test_half_of_a_request(self):
        """What never came whole has no effect."""
        lab = self.lab()
        body = 'Action=AllocateAddress&Version=' + VERSION
        connection = http.client.HTTPConnection(lab.url.split('//')[1], timeout=30)
        connection.putrequest('POST', '/')
        for header in sign(lab, body).items():
            connection.putheader(*header)
        connection.putheader('Content-Length', str(len(body)))
        connection.endheaders()
        connection.send(body[:30].encode())
        connection.close()
        self.assertEqual(signed(lab, {'Action': 'DescribeVpcs', 'Version': VERSION})[0], 200)
        self.assertEqual(lab.count('').get('addresses', []), [])


class Cost(Test):
    def test_cpu(self):
        """What a request costs is printed; no time fails a test."""
        lab = self.lab()
        ec2 = lab.client()
        id = lab.running(ec2)

        def spent():
            with open('/proc/%d/stat' % self.emulator.process.pid) as f:
                return sum(map(int, f.read().rsplit(')', 1)[1].split()[11:13]))
        before, n = spent(), 200
        for _ in range(n):
            machine(ec2, id)
        print('%.2f ms of CPU a DescribeInstances' % (
            (spent() - before) * 1000 / os.sysconf('SC_CLK_TCK') / n))
        self.assertEqual(machine(ec2, id)['InstanceId'], id)


if __name__ == '__main__':
    unittest.main(verbosity=2)
