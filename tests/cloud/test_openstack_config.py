#!/usr/bin/python3
"""The adapter reads clouds.yaml, secure.yaml, clouds-public.yaml and OS_* as openstacksdk does: both
read the same files and environments here, and have to agree, or to refuse.

ISOBAR_CONFIG_DUMP is the program that prints what the adapter has read.
"""

import json
import os
import subprocess
import sys
import tempfile
import unittest

try:
    import openstack.config
except ImportError:
    print('skipped: python3-openstacksdk is not installed')
    sys.exit(77)

DUMP = os.environ['ISOBAR_CONFIG_DUMP']
AUTH = ['user_id', 'username', 'user_domain_id', 'user_domain_name', 'project_id', 'project_name',
        'project_domain_id', 'project_domain_name', 'domain_id', 'domain_name', 'trust_id',
        'application_credential_id', 'application_credential_name', 'password', 'token',
        'application_credential_secret']

DEMO = '''
clouds:
  demo:
    auth: {auth_url: "http://h:5000/v3", username: u, password: p, project_name: pr,
           user_domain_name: Default, project_domain_id: default}
    region_name: R1
'''

# name -> (files, environment, cloud, region). Files: clouds.yaml is in the current folder.
CASES = {
    'plain': ({'clouds.yaml': DEMO}, {}, 'demo', ''),
    'only cloud': ({'clouds.yaml': DEMO}, {}, '', ''),
    'OS_CLOUD': ({'clouds.yaml': DEMO.replace('demo', 'x') + DEMO.partition('clouds:')[2]},
                 {'OS_CLOUD': 'demo'}, '', ''),
    'yml': ({'clouds.yml': DEMO}, {}, 'demo', ''),
    'json': ({'clouds.json': json.dumps({'clouds': {'demo': {'auth': {
        'auth_url': 'http://h/v3', 'user_id': '1', 'password': 'p', 'project_id': '2'}}}})},
        {}, 'demo', ''),
    'yaml before yml': ({'clouds.yaml': DEMO, 'clouds.yml': 'clouds: {}'}, {}, 'demo', ''),
    'XDG': ({'.config/openstack/clouds.yaml': DEMO}, {}, 'demo', ''),
    'XDG_CONFIG_HOME': ({'cfg/openstack/clouds.yaml': DEMO}, {'XDG_CONFIG_HOME': '@/cfg'}, 'demo', ''),
    'OS_CLIENT_CONFIG_FILE': ({'elsewhere/mine.yaml': DEMO, 'clouds.yaml': 'clouds: {}'},
                              {'OS_CLIENT_CONFIG_FILE': '@/elsewhere/mine.yaml'}, 'demo', ''),
    'OS_CLIENT_CONFIG_FILE that is not there': (
        {'clouds.yaml': DEMO}, {'OS_CLIENT_CONFIG_FILE': '@/none.yaml'}, 'demo', ''),
    'secure': ({'clouds.yaml': DEMO.replace('password: p,', ''),
                'secure.yaml': 'clouds: {demo: {auth: {password: "from secure"}}}'}, {}, 'demo', ''),
    'secure wins': ({'clouds.yaml': DEMO,
                     'secure.yaml': 'clouds: {demo: {auth: {password: better}, region_name: R9}}'},
                    {}, 'demo', ''),
    'OS_CLIENT_SECURE_FILE': ({'clouds.yaml': DEMO, 's/s.yaml':
                               'clouds: {demo: {auth: {password: better}}}'},
                              {'OS_CLIENT_SECURE_FILE': '@/s/s.yaml'}, 'demo', ''),
    'profile': ({'clouds.yaml': '''
clouds:
  demo:
    profile: vendor
    auth: {username: u, password: p, project_name: pr}
''', 'clouds-public.yaml': '''
public-clouds:
  vendor:
    auth: {auth_url: "https://v/v3", user_domain_name: V, project_domain_name: W}
    regions: [A, B]
    interface: internal
'''}, {}, 'demo', ''),
    'region of profile': ({'clouds.yaml': '''
clouds: {demo: {cloud: vendor, auth: {username: u, password: p, project_id: i, user_domain_id: d}}}
''', 'clouds-public.yaml': '''
public-clouds: {vendor: {auth: {auth_url: "https://v/v3"}, region_name: A}}
'''}, {}, 'demo', ''),
    'regions': ({'clouds.yaml': DEMO.replace('region_name: R1', '''regions:
    - R1
    - name: R2
      values: {interface: internal, auth: {project_name: other}}
''')}, {}, 'demo', 'R2'),
    'first region': ({'clouds.yaml': DEMO.replace('region_name: R1', 'regions: [A, B]')},
                     {}, 'demo', ''),
    'regions with commas': ({'clouds.yaml': DEMO.replace('R1', 'A,B')}, {}, 'demo', 'B'),
    'no such region': ({'clouds.yaml': DEMO}, {}, 'demo', 'R7'),
    'any region': ({'clouds.yaml': DEMO.replace('region_name: R1', '')}, {}, 'demo', 'R7'),
    'no such cloud': ({'clouds.yaml': DEMO}, {}, 'demi', ''),
    'dashes': ({'clouds.yaml': '''
clouds:
  my-cloud:
    auth-type: password
    auth: {auth-url: "http://h/v3", user-name: u, password: p, project-name: pr,
           user-domain-name: D, project-domain-id: e}
    region-name: R1
    compute-endpoint-override: http://nova/v2.1
'''}, {}, 'my-cloud', ''),
    'tenant': ({'clouds.yaml': '''
clouds: {demo: {auth: {auth_url: "http://h/v3", username: u, password: p, tenant_name: t,
                       user_domain_id: d, project_domain_id: d}}}
'''}, {}, 'demo', ''),
    'project wins over tenant': ({'clouds.yaml': '''
clouds: {demo: {auth: {auth_url: "http://h/v3", username: u, password: p, tenant_name: t,
                       project_name: pr, user_domain_id: d, project_domain_id: d}}}
'''}, {}, 'demo', ''),
    'outside of auth': ({'clouds.yaml': '''
clouds: {demo: {auth: {auth_url: "http://h/v3"}, username: u, password: p, project_name: pr,
                user_domain_name: D, project_domain_name: E}}
'''}, {}, 'demo', ''),
    'auth wins': ({'clouds.yaml': '''
clouds: {demo: {auth: {auth_url: "http://h/v3", username: inner, password: p, project_id: i,
                       user_domain_id: d}, username: outer, project_id: o}}
'''}, {}, 'demo', ''),
    'one domain for both': ({'clouds.yaml': '''
clouds: {demo: {auth: {auth_url: "http://h/v3", username: u, password: p, project_name: pr,
                       domain_name: D}}}
'''}, {}, 'demo', ''),
    'domain beside auth': ({'clouds.yaml': '''
clouds: {demo: {auth: {auth_url: "http://h/v3", username: u, password: p, project_name: pr},
                domain_id: d}}
'''}, {}, 'demo', ''),
    'domain scope': ({'clouds.yaml': '''
clouds: {demo: {auth: {auth_url: "http://h/v3", username: u, password: p, user_domain_id: d},
                domain_name: D}}
'''}, {}, 'demo', ''),
    'application credential': ({'clouds.yaml': '''
clouds: {demo: {auth_type: v3applicationcredential,
                auth: {auth_url: "http://h/v3", application_credential_id: i,
                       application_credential_secret: s}}}
'''}, {}, 'demo', ''),
    'application credential by name': ({'clouds.yaml': '''
clouds: {demo: {auth_type: v3applicationcredential,
                auth: {auth_url: "http://h/v3", application_credential_name: n, username: u,
                       user_domain_name: D, application_credential_secret: s}}}
'''}, {}, 'demo', ''),
    'token': ({'clouds.yaml': '''
clouds: {demo: {auth_type: v3token, auth: {auth_url: "http://h/v3", token: t, project_id: i}}}
'''}, {}, 'demo', ''),
    'old plugin name': ({'clouds.yaml': '''
clouds: {demo: {auth_plugin: v3password, auth: {auth_url: "http://h/v3", user_id: u, password: p,
                project_id: i}}}
'''}, {}, 'demo', ''),
    'trust': ({'clouds.yaml': '''
clouds: {demo: {auth_type: v3password, auth: {auth_url: "http://h/v3", user_id: u, password: p,
                trust_id: t}}}
'''}, {}, 'demo', ''),
    'unknown plugin': ({'clouds.yaml': DEMO.replace('region_name: R1', 'auth_type: magic')},
                       {}, 'demo', ''),
    'format': ({'clouds.yaml': '''
clouds: {demo: {auth: {auth_url: "https://{region_name}.example/v3", user_id: u, password: "a{b}",
                       project_id: i}, region_name: R1,
                compute_endpoint_override: "https://{region_name}.nova/v2.1"}}
'''}, {}, 'demo', ''),
    'interface': ({'clouds.yaml': DEMO + '    interface: internal\n'}, {}, 'demo', ''),
    'endpoint_type': ({'clouds.yaml': DEMO + '    endpoint_type: admin\n'}, {}, 'demo', ''),
    'services': ({'clouds.yaml': DEMO + '''
    compute_endpoint_override: http://c/v2.1
    image_endpoint: http://i
    network_interface: admin
    volumev3_endpoint_override: http://v3
    volume_endpoint_override: http://v
    block_storage_region_name: RV
    compute_default_microversion: "2.60"
'''}, {}, 'demo', ''),
    'tls': ({'clouds.yaml': DEMO + '''
    cacert: ~/ca.pem
    cert: /c.pem
    key: ~/k.pem
'''}, {}, 'demo', ''),
    'verify off': ({'clouds.yaml': DEMO + '    verify: no\n'}, {}, 'demo', ''),
    'insecure': ({'clouds.yaml': DEMO + '    insecure: "True"\n'}, {}, 'demo', ''),
    'numbers': ({'clouds.yaml': '''
clouds: {demo: {auth: {auth_url: "http://h/v3", user_id: 12, password: 3456, project_id: 7}}}
'''}, {}, 'demo', ''),
    'null': ({'clouds.yaml': DEMO + '    interface: ~\n    cacert:\n    compute_endpoint: Null\n'},
             {}, 'demo', ''),
    'anchors': ({'clouds.yaml': '''
x: &auth {auth_url: "http://h/v3", user_id: u, password: p}
clouds: {demo: {auth: {<<: *auth, project_id: i, password: q}}}
'''}, {}, 'demo', ''),
    'environment': ({}, {'OS_AUTH_URL': 'http://e:5000/v3', 'OS_USERNAME': 'u', 'OS_PASSWORD': 'p',
                         'OS_PROJECT_NAME': 'pr', 'OS_USER_DOMAIN_NAME': 'D',
                         'OS_PROJECT_DOMAIN_ID': 'd', 'OS_REGION_NAME': 'RE',
                         'OS_INTERFACE': 'internal', 'OS_IDENTITY_API_VERSION': '3'}, '', ''),
    'environment beside a file': ({'clouds.yaml': DEMO}, {
        'OS_AUTH_URL': 'http://e:5000/v3', 'OS_USER_ID': 'u', 'OS_PASSWORD': 'p',
        'OS_PROJECT_ID': 'i'}, '', ''),
    'envvars by name': ({'clouds.yaml': DEMO}, {
        'OS_AUTH_URL': 'http://e:5000/v3', 'OS_USER_ID': 'u', 'OS_PASSWORD': 'p',
        'OS_TENANT_ID': 'i'}, 'envvars', ''),
    'OS_CLOUD_NAME': ({'clouds.yaml': DEMO}, {
        'OS_CLOUD_NAME': 'mine', 'OS_AUTH_URL': 'http://e:5000/v3', 'OS_USER_ID': 'u',
        'OS_PASSWORD': 'p', 'OS_PROJECT_ID': 'i'}, 'mine', ''),
    'named cloud ignores the environment': ({'clouds.yaml': DEMO}, {
        'OS_AUTH_URL': 'http://e:5000/v3', 'OS_USER_ID': 'u', 'OS_PASSWORD': 'p'}, 'demo', ''),
    'selectors alone': ({'clouds.yaml': DEMO}, {'OS_REGION_NAME': 'X'}, '', ''),
    'nothing': ({}, {}, '', ''),
    'broken YAML': ({'clouds.yaml': 'clouds: [\n'}, {}, 'demo', ''),
}


class Config(unittest.TestCase):
    maxDiff = None

    def theirs(self, cloud, region):
        """What openstacksdk reads; None where it refuses."""
        try:
            config = openstack.config.OpenStackConfig(
                config_files=list(openstack.config.loader.CONFIG_FILES),
                secure_files=list(openstack.config.loader.SECURE_FILES),
                vendor_files=list(openstack.config.loader.VENDOR_FILES))
            return config.get_one(cloud=cloud or None, region_name=region or None)
        except Exception as e:              # of many kinds, from two libraries and a parser
            return str(e) and None

    def ours(self, cloud, region):
        done = subprocess.run([DUMP, '', cloud, region], capture_output=True, text=True,
                              check=False)
        self.assertIn(done.returncode, (0, 1), done.stderr)
        self.error = done.stderr
        return json.loads(done.stdout) if done.returncode == 0 else None

    def compare(self, ours, theirs):
        auth = theirs.config['auth']
        want = {k: str(auth[k]) for k in AUTH if auth.get(k) not in (None, '')}
        got = dict(ours['auth'])
        self.assertEqual(got.pop('auth_url'), auth['auth_url'])
        self.assertEqual(got, want)
        self.assertEqual(ours.get('region_name', ''), theirs.region_name or '')
        self.assertEqual(ours['interface'], theirs.get_interface() or 'public')
        verify, cert = theirs.get_requests_verify_args()
        self.assertEqual(ours['insecure'], verify is False)
        self.assertEqual(ours.get('cacert', True), verify if verify else True)
        self.assertEqual((ours['cert'], ours['key']) if 'cert' in ours else None, cert)
        self.assertEqual(ours.get('compute_microversion'),
                         theirs.get_default_microversion('compute'))
        for service in 'compute', 'image', 'network', 'block-storage':
            mine = ours[service]
            self.assertEqual(mine.get('endpoint'), theirs.get_endpoint(service), service)
            self.assertEqual(mine.get('interface', ours['interface']),
                             theirs.get_interface(service) or 'public', service)
            self.assertEqual(mine.get('region_name', ours.get('region_name', '')),
                             theirs.get_region_name(service) or '', service)

    def check(self, files, env, cloud, region):
        with tempfile.TemporaryDirectory(prefix='isobar-test.') as folder:
            for name, content in files.items():
                path = os.path.join(folder, name)
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with open(path, 'w') as f:
                    f.write(content)
            for name in [k for k in os.environ if k.startswith(('OS_', 'XDG_'))]:
                del os.environ[name]
            os.environ['HOME'] = folder
            for name, value in env.items():
                os.environ[name] = value.replace('@', folder)
            os.chdir(folder)
            # It looks for folders once, when it is loaded.
            for module in [m for m in sys.modules if m.startswith('openstack.config')]:
                del sys.modules[module]
            import openstack.config.loader
            globals()['openstack'] = openstack
            theirs, ours = self.theirs(cloud, region), self.ours(cloud, region)
            os.chdir('/')
            if theirs is None:
                self.assertIsNone(ours, 'openstacksdk refuses')
                self.assertTrue(self.error.strip())
                print('refused: ' + self.error.strip().replace(folder, ''))
            else:
                self.assertIsNotNone(ours, self.error)
                self.compare(ours, theirs)


for _name, _case in CASES.items():
    setattr(Config, 'test_' + _name.replace(' ', '_'),
            lambda self, case=_case: self.check(*case))

if __name__ == '__main__':
    import warnings
    warnings.simplefilter('ignore')
    sys.exit(0 if unittest.main(exit=False, warnings='ignore').result.wasSuccessful() else 1)
