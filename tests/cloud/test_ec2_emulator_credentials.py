#!/usr/bin/python3
"""The emulated EC2: signatures, sessions, and where credentials come from; judged by boto3 and botocore."""

import datetime
import json
import os
import tempfile
import unittest

from ec2_peer import VERSION, Test, send, sign

import boto3
import botocore.session
import botocore.utils

import ec2_signature
from wire import Request

VECTORS = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', '..', 'shared', 'data',
                       'sigv4')


class Signatures(Test):
    def test_secret(self):
        lab = self.lab()
        bad = {'aws_secret_access_key': 'x' * 40}
        self.refused('SignatureDoesNotMatch', lab.client(**bad).describe_vpcs, 403)
        self.refused('SignatureDoesNotMatch', lab.client('sts', **bad).get_caller_identity, 403)

    def test_unknown_key(self):
        lab = self.lab()
        bad = {'aws_access_key_id': 'AKIA0000000000000000'}
        self.refused('AuthFailure', lab.client(**bad).describe_vpcs, 401)
        self.refused('InvalidClientTokenId', lab.client('sts', **bad).get_caller_identity, 403)

    def test_region(self):
        lab = self.lab()
        self.refused('AuthFailure', lab.client(region_name='us-west-2').describe_vpcs, 401)

    def test_clock(self):
        """Within five minutes it is right."""
        lab = self.lab()
        for seconds, code, status in (280, None, 0), (-280, None, 0), \
                (310, 'RequestExpired', 400), (-310, 'AuthFailure', 401):
            lab.tell('faults', clock=seconds)
            with self.subTest(seconds):
                ec2 = lab.client()
                if code:
                    self.refused(code, ec2.describe_vpcs, status)
                else:
                    headers = ec2.describe_vpcs()['ResponseMetadata']['HTTPHeaders']
                    date = datetime.datetime.strptime(headers['date'], '%a, %d %b %Y %H:%M:%S GMT')
                    ahead = (date - datetime.datetime.utcnow()).total_seconds()
                    self.assertLess(abs(ahead - seconds), 20)

    def test_none(self):
        lab = self.lab()
        status, body = send(lab.url + '/?Action=DescribeVpcs&Version=' + VERSION)
        self.assertEqual(status, 403)
        self.assertIn('MissingAuthenticationToken', body)
        status, body = send(lab.url + '/?Action=DescribeVpcs&Version=' + VERSION,
                            headers={'Authorization': 'AWS4-HMAC-SHA256 nothing'})
        self.assertEqual((status, 'IncompleteSignature' in body), (400, True))

    def test_body_is_signed(self):
        lab = self.lab()
        body = 'Action=DescribeVpcs&Version=' + VERSION
        headers = sign(lab, body)
        self.assertEqual(send(lab.url + '/', body.encode(), headers)[0], 200)
        self.assertEqual(send(lab.url + '/', body.encode() + b'&DryRun=true', headers)[0], 403)
        self.assertEqual(send(lab.url + '/', body.encode(), dict(headers, **{
            'X-Amz-Security-Token': 'x'}))[0], 401)
        self.assertEqual(send(lab.url + '/', body.encode(), dict(headers, **{
            'X-Amz-Other': 'x'}))[0], 403)

    def test_presigned(self):
        lab = self.lab()
        ec2 = lab.client()
        url = ec2.generate_presigned_url('describe_instances', {
            'Filters': [{'Name': 'tag:Name', 'Values': ['a b/ü+*~']}]}, 60, 'GET')
        status, body = send(url)
        self.assertEqual((status, '<reservationSet' in body), (200, True), body)
        self.assertEqual(send(url.replace('tag%3AName', 'tag%3Aname'))[0], 403)
        lab.tell('faults', clock=70)
        self.assertEqual(send(url)[0], 400)

    def test_sessions(self):
        lab = self.lab()
        given = lab.tell('session', seconds=1000)
        keys = {'aws_access_key_id': given['access_key_id'],
                'aws_secret_access_key': given['secret_access_key']}
        good = dict(keys, aws_session_token=given['session_token'])
        lab.client(**good).describe_vpcs()
        self.assertIn(':assumed-role/', lab.client('sts', **good).get_caller_identity()['Arn'])
        self.refused('AuthFailure', lab.client(**keys).describe_vpcs, 401)
        self.refused('AuthFailure', lab.client(**dict(good, aws_session_token='x')).describe_vpcs, 401)
        lab.tell('expire')
        self.refused('RequestExpired', lab.client(**good).describe_vpcs, 400)
        self.refused('ExpiredToken', lab.client('sts', **good).get_caller_identity, 403)


@unittest.skipUnless(os.path.isdir(VECTORS), 'no vectors in ../shared/data/sigv4')
class Vectors(unittest.TestCase):
    """Published signatures. Left out are those whose requests EC2 does not have: other paths than /, and
    headers that come twice or over several lines."""

    def request(self, text):
        head, _, body = text.partition('\n\n')
        first, *lines = head.split('\n')
        method, target = first[:-len(' HTTP/1.1')].split(' ', 1)
        headers = [line.partition(':')[::2] for line in lines]
        found = Request(method, target, {name.lower(): value.strip() for name, value in headers})
        found.body = body.encode()
        usual = found.path == '/' and target.isascii() and ' ' not in target and \
            len(found.headers) == len(headers) and all(':' in line for line in lines)
        return found if usual else None

    def test_vectors(self):
        checked = 0
        for name in sorted(os.listdir(VECTORS)):
            path = os.path.join(VECTORS, name, 'context.json')
            if not os.path.exists(path):
                continue
            with open(path) as f:
                context = json.load(f)
            now = datetime.datetime.fromisoformat(context['timestamp']).timestamp()
            for way in 'header', 'query':
                with open(os.path.join(VECTORS, name, way + '-signed-request.txt')) as f:
                    request = self.request(f.read())
                # A token that is added after signing is S3's alone.
                if request is None or context.get('omit_session_token'):
                    continue
                with self.subTest(name, way=way):
                    claim = ec2_signature.claim_of(request)
                    secret = context['credentials']['secret_access_key']
                    ec2_signature.check(request, claim, secret, 'us-east-1', 'service', now)
                    with self.assertRaises(ec2_signature.BadSignature):
                        ec2_signature.check(request, claim, secret[1:], 'us-east-1', 'service', now)
                    checked += 1
        self.assertGreater(checked, 30)


class Metadata(Test):
    """Where credentials come from, when nobody has written them down."""

    def use(self, lab, found):
        keys = {'aws_access_key_id': found['access_key'], 'aws_secret_access_key':
                found['secret_key'], 'aws_session_token': found['token']}
        return lab.client(**keys)

    def test_machine(self):
        lab = self.lab()
        told = lab.tell('metadata', role='web', zone='us-east-1b', seconds=900)
        fetcher = botocore.utils.InstanceMetadataFetcher(base_url=told['url'] + '/')
        found = fetcher.retrieve_iam_role_credentials()
        self.assertEqual(found['role_name'], 'web')
        self.use(lab, found).describe_vpcs()
        self.assertEqual(lab.ask('asked'), {'token': 1, 'role': 1, 'credentials': 1})
        lab.tell('expire')
        self.refused('RequestExpired', self.use(lab, found).describe_vpcs, 400)
        region = botocore.utils.InstanceMetadataRegionFetcher(base_url=told['url'] + '/')
        self.assertEqual(region.retrieve_region(), 'us-east-1')

    def test_first_version(self):
        """Without a token there is nothing."""
        lab = self.lab()
        url = lab.tell('metadata')['url']
        for path in '/latest/meta-data/placement/region', '/latest/meta-data/iam/security-credentials/':
            self.assertEqual(send(url + path)[0], 401)
        self.assertEqual(send(url + '/latest/api/token', method='PUT')[0], 400)
        status, token = send(url + '/latest/api/token', None, {
            'X-aws-ec2-metadata-token-ttl-seconds': '60'}, 'PUT')
        self.assertEqual(status, 200)
        given = {'X-aws-ec2-metadata-token': token}
        self.assertEqual(send(url + '/latest/meta-data/placement/region', None, given),
                         (200, 'us-east-1'))
        self.assertEqual(send(url + '/latest/meta-data/colour', None, given)[0], 404)

    def test_container(self):
        lab = self.lab()
        told = lab.tell('metadata', token='let-me-in', seconds=900)
        fetcher = botocore.utils.ContainerMetadataFetcher()
        found = fetcher.retrieve_full_uri(told['credentials_url'], {'Authorization': 'let-me-in'})
        lab.client(aws_access_key_id=found['AccessKeyId'], aws_session_token=found['Token'],
                   aws_secret_access_key=found['SecretAccessKey']).describe_vpcs()
        with self.assertRaises(botocore.utils.MetadataRetrievalError):
            fetcher.retrieve_full_uri(told['credentials_url'], {'Authorization': 'open'})
        self.assertEqual(lab.ask('asked')['container'], 1)

    def test_assumed_role(self):
        """boto3 assumes it by itself, as a profile says."""
        lab = self.lab(session_s=1000)
        with tempfile.TemporaryDirectory(prefix='isobar-test.') as folder:
            path = os.path.join(folder, 'config')
            with open(path, 'w') as f:
                f.write('[profile base]\naws_access_key_id = %s\naws_secret_access_key = %s\n'
                        '[profile web]\nrole_arn = arn:aws:iam::%s:role/web\nsource_profile = base\n'
                        'region = us-east-1\n' % (lab.key, lab.secret, lab.told['account']))
            session = botocore.session.Session()
            session.set_config_variable('config_file', path)
            session.set_config_variable('profile', 'web')
            make = session.create_client

            def create(*args, **more):
                """STS has the endpoint of the lab too."""
                client = make(*args, **dict(more, endpoint_url=lab.url))
                self.addCleanup(client.close)
                return client
            session.create_client = create
            boto3.Session(botocore_session=session).client('ec2').describe_vpcs()
            self.assertEqual(session.get_credentials().method, 'assume-role')
        sts = lab.client('sts')
        self.refused('AccessDenied', sts.assume_role, 403, RoleSessionName='me',
                     RoleArn='arn:aws:iam::%s:role/forbidden' % lab.told['account'])
        given = sts.assume_role(RoleSessionName='me', DurationSeconds=3600, RoleArn=
                                'arn:aws:iam::%s:role/a/web' % lab.told['account'])
        left = given['Credentials']['Expiration'] - datetime.datetime.now(datetime.timezone.utc)
        self.assertLess(left.total_seconds(), 1001)


if __name__ == '__main__':
    # The fetchers of botocore leave their connections open.
    unittest.main(verbosity=2, warnings='ignore')
