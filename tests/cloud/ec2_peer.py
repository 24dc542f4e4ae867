"""boto3 and /usr/bin/aws against the EC2 emulator: for tests."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, 'ec2'))

try:
    import boto3
    import botocore.auth
    import botocore.awsrequest
    import botocore.config
    import botocore.credentials
    import botocore.exceptions
except ImportError:
    print('skipped: no boto3')
    sys.exit(77)
import ec2_emulator  # noqa: E402

AWS = '/usr/bin/aws'
WAIT_S = 30
IMAGE, ARM_IMAGE, OTHERS_IMAGE = ('ami-0a00000000000a003', 'ami-0a00000000000a004',
                                  'ami-0b00000000000b002')
VERSION = '2016-11-15'
QUICK = {'Delay': 0.05, 'MaxAttempts': 600}


def eventually(what, condition):
    until = time.monotonic() + WAIT_S
    while not condition():
        if time.monotonic() > until:
            raise AssertionError('not within %d s: %s' % (WAIT_S, what))
        time.sleep(0.02)


class Lab:
    """An account of the emulator, and clients of it."""

    def __init__(self, emulator, name, clean_up, **more):
        self.emulator, self.name, self.clean_up = emulator, name, clean_up
        self.told = emulator.ask('POST', '/labs', dict({'boot': 0.1, 'pace': 0.05}, name=name, **more))
        self.url, self.region = self.told['url'], self.told['region']
        self.key, self.secret = self.told['access_key_id'], self.told['secret_access_key']

    def client(self, service='ec2', attempts=1, **more):
        settings = dict({'region_name': self.region, 'aws_access_key_id': self.key,
                         'aws_secret_access_key': self.secret, 'endpoint_url': self.url}, **more)
        client = boto3.client(service, config=botocore.config.Config(
            retries={'total_max_attempts': attempts, 'mode': 'standard'}), **settings)
        self.clean_up(client.close)
        return client

    def ask(self, what):
        return self.emulator.ask('GET', '/%s?lab=%s' % (what, self.name))

    def tell(self, what, /, **body):
        return self.emulator.ask('POST', '/' + what, dict(body, lab=self.name))

    def count(self, token):
        return self.ask('count')['tokens'].get(token, {})

    def run(self, client, token=None, name='web', **more):
        """A machine of the usual kind, as RunInstances answers it."""
        wanted = dict({'ImageId': IMAGE, 'InstanceType': 't3.micro', 'MinCount': 1, 'MaxCount': 1,
                       'TagSpecifications': [{'ResourceType': 'instance', 'Tags': [
                           {'Key': 'Name', 'Value': name}]}]}, **more)
        if token:
            wanted['ClientToken'] = token
        return client.run_instances(**wanted)['Instances'][0]

    def running(self, client, *args, **more):
        """The id of one that runs."""
        id = self.run(client, *args, **more)['InstanceId']
        client.get_waiter('instance_running').wait(InstanceIds=[id], WaiterConfig=QUICK)
        return id


def sign(lab, body):
    """The headers of a POST of this body, signed by botocore."""
    request = botocore.awsrequest.AWSRequest('POST', lab.url + '/', data=body, headers={
        'Content-Type': 'application/x-www-form-urlencoded; charset=utf-8'})
    keys = botocore.credentials.Credentials(lab.key, lab.secret)
    botocore.auth.SigV4Auth(keys, 'ec2', lab.region).add_auth(request)
    return dict(request.headers)


def signed(lab, fields):
    """(status, body) of a request with these fields."""
    body = fields if isinstance(fields, str) else urllib.parse.urlencode(fields)
    return send(lab.url + '/', body.encode(), sign(lab, body))


def send(url, data=None, headers={}, method=None):
    request = urllib.request.Request(url, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as e:
        with e:
            return e.code, e.read().decode()


def machine(client, id):
    return client.describe_instances(InstanceIds=[id])['Reservations'][0]['Instances'][0]


class Test(unittest.TestCase):
    """One emulator for a class. A lab of which a breach of the protocol was recorded fails its test."""

    @classmethod
    def setUpClass(cls):
        cls.emulator = ec2_emulator.Emulator()
        cls.addClassCleanup(cls.emulator.stop)

    def lab(self, breaches=0, **more):
        name = '%s-%d' % (self._testMethodName, getattr(self, 'labs', 0))
        self.labs = getattr(self, 'labs', 0) + 1
        lab = Lab(self.emulator, name, self.addCleanup, **more)
        if breaches is not None:
            def check():
                found = lab.ask('violations')['violations']
                self.assertEqual(len(found), breaches, found)
            self.addCleanup(check)
        return lab

    def refused(self, code, call, status=400, **parameters):
        """The words of the error that the call has to end with."""
        with self.assertRaises(botocore.exceptions.ClientError) as caught:
            call(**parameters)
        answer = caught.exception.response
        self.assertEqual((answer['Error']['Code'],
                          answer['ResponseMetadata']['HTTPStatusCode']), (code, status), answer)
        return answer['Error']['Message']


class Cli:
    """The aws of Debian, with a home of its own."""

    def __init__(self, lab):
        self.folder = tempfile.mkdtemp(prefix='isobar-test.')
        self.lab = lab
        self.env = dict(os.environ, HOME=self.folder, AWS_ACCESS_KEY_ID=lab.key, AWS_PAGER='',
                        AWS_SECRET_ACCESS_KEY=lab.secret, AWS_DEFAULT_REGION=lab.region,
                        AWS_EC2_METADATA_DISABLED='true')
        for name in 'AWS_PROFILE', 'AWS_CONFIG_FILE', 'AWS_SHARED_CREDENTIALS_FILE':
            self.env.pop(name, None)

    def __call__(self, *args):
        """(exit code, its output, its errors)"""
        done = subprocess.run([AWS, '--endpoint-url', self.lab.url, '--output', 'json', *args],
                              env=self.env, capture_output=True, text=True, timeout=120)
        return done.returncode, done.stdout, done.stderr

    def remove(self):
        shutil.rmtree(self.folder)
