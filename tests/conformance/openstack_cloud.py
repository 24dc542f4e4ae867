"""Beside a test OpenStack, for the conformance list: a fault proxy in front of it, a clouds.yaml that
leads there, and the counting of what there is, asked of the services themselves past the proxy.

    openstack_cloud.py CLOUDS_YAML
    {"control": 41001, "clouds_file": "/tmp/.../clouds.yaml"}

Besides what the proxy's control port has:

    POST /arm?fault=NAME        from now on: the rules of FAULTS
    GET /machines?token=T       {"count": 1, "id": "..."}: machines that bear the token
    GET /things?token=T         what else bears it: ports, floating IPs, volumes
    DELETE of these two         delete them, and wait until they are gone: {"count": 0}
    GET /logins                 how often somebody logged in through the proxy
    GET /hits                   how often one of the rules was done
    DELETE /rules               {"count": 0}
"""

import json
import os
import shutil
import signal
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

import yaml

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'cloud'))

from fault_proxy import Proxy  # noqa: E402

CLOUD = 'demo'
GONE_S = 60
MARK = 'isobar-'
NEWEST = {'X-OpenStack-Nova-API-Version': '2.93'}

ORDER = {'service': 'nova', 'method': 'POST', 'path': '/servers$'}
FLAVORS = {'service': 'nova', 'method': 'GET', 'path': '/flavors', 'times': 0}
# In the form of Nova's and Neutron's errors (os_errors.c has the real ones, a test row each).
OVER_QUOTA = {'forbidden': {'code': 403, 'message': 'Quota exceeded for instances: Requested 1, '
                            'but already used 10 of 10 instances'}}
NO_ADDRESS = {'NeutronError': {'type': 'IpAddressGenerationFailure', 'detail': '', 'message':
                               'No more IP addresses available on network '
                               '0d7a4b6e-0000-4000-8000-000000000000.'}}

FAULTS = {
    'none': [],
    'lost_reply': [dict(ORDER, action='drop_reply')],
    'late_commit': [dict(ORDER, action='late_commit', ms=1500)],
    'rate_limit': [dict(ORDER, action='refuse', status=429, retry_after=1)],
    'unauthorized': [dict(FLAVORS, action='unauthorized', times=1)],
    'skew': [{'action': 'skew', 'seconds': -7200, 'times': 0}],
    'cut_body': [dict(FLAVORS, action='cut_body')],
    'huge_body': [dict(FLAVORS, action='huge')],
    'deep_body': [dict(FLAVORS, action='deep')],
    'slow_body': [dict(FLAVORS, action='trickle', bytes_per_s=50)],
    'unknown_state': [{'service': 'nova', 'method': 'GET', 'path': '/servers/', 'times': 0,
                       'action': 'state', 'to': 'FLABBERGASTED'}],
    'pages': [{'service': 'nova', 'method': 'GET', 'path': '/servers', 'times': 0,
               'action': 'query', 'set': {'limit': '1'}}],
    'quota': [dict(ORDER, action='refuse', status=403, body=OVER_QUOTA, times=0)],
    'capacity': [{'service': 'neutron', 'method': 'POST', 'path': '/ports', 'times': 0,
                  'action': 'refuse', 'status': 409, 'body': NO_ADDRESS}],
    'hang': [dict(ORDER, action='hang', ms=10000)],
}


class Cloud:
    """OpenStack itself, asked as the cloud's own user."""

    def __init__(self, auth):
        self.auth, self.token, self.urls = auth, None, {}
        self.login()

    def login(self):
        a = self.auth
        request = urllib.request.Request(
            a['auth_url'] + '/auth/tokens', headers={'Content-Type': 'application/json'},
            data=json.dumps({'auth': {
                'identity': {'methods': ['password'], 'password': {'user': {
                    'name': a['username'], 'password': a['password'],
                    'domain': {'name': a['user_domain_name']}}}},
                'scope': {'project': {'name': a['project_name'],
                                      'domain': {'name': a['project_domain_name']}}}}}).encode())
        with urllib.request.urlopen(request, timeout=60) as answer:
            self.token = answer.headers['X-Subject-Token']
            for each in json.load(answer)['token']['catalog']:
                self.urls[each['type']] = next(e['url'] for e in each['endpoints']
                                               if e['interface'] == 'public')
        self.urls['network'] += '/v2.0'

    def __call__(self, service, method, path, headers=None):
        """The answer's JSON; None where there is no such thing."""
        request = urllib.request.Request(self.urls[service] + path, method=method, headers=dict(
            headers or {}, **{'X-Auth-Token': self.token}))
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.loads(answer.read() or b'{}')
        except urllib.error.HTTPError as e:
            if e.code == 404:
                return None
            raise

    def machines(self, token):
        servers = self('compute', 'GET', '/servers/detail', NEWEST)['servers']
        return ['/servers/' + s['id'] for s in servers
                if s['metadata'].get('isobar_token') == token or MARK + token in s['tags']]

    def things(self, token):
        """(service, path) of each."""
        ports = self('network', 'GET', '/ports')['ports']
        fips = self('network', 'GET', '/floatingips')['floatingips']
        volumes = self('volumev3', 'GET', '/volumes/detail')['volumes']
        return ([('network', '/ports/' + p['id']) for p in ports if p['name'] == MARK + token] +
                [('network', '/floatingips/' + f['id']) for f in fips
                 if f['description'] == MARK + token] +
                [('volumev3', '/volumes/' + v['id']) for v in volumes
                 if v['metadata'].get('isobar_token') == token])

    def drop(self, find):
        """Delete what `find` finds, until it finds nothing; how much is left after a while."""
        until, asked = time.monotonic() + GONE_S, set()
        while True:
            left = find()
            if not left or time.monotonic() > until:
                return len(left)
            for service, path in set(left) - asked:
                self(service, 'DELETE', path)
                asked.add((service, path))
            time.sleep(1)

    def drop_machines(self, token):
        return self.drop(lambda: [('compute', each) for each in self.machines(token)])

    def drop_things(self, token):
        return self.drop(lambda: self.things(token))

    def sweep(self, prefix):
        """What a program that was interrupted left behind: machines whose name begins so, and what
        bears their tokens."""
        servers = self('compute', 'GET', '/servers/detail', NEWEST)['servers']
        for token in [s['metadata'].get('isobar_token', '') for s in servers
                      if s['name'].startswith(prefix)]:
            self.drop_machines(token)
            self.drop_things(token)


class Companion:
    """What the control port says beyond the proxy's own."""

    def __init__(self, proxy, cloud):
        self.proxy, self.cloud = proxy, cloud

    def answer(self, method, path):
        """A value, or None where the question is none of ours."""
        path, _, query = path.partition('?')
        fields = dict(urllib.parse.parse_qsl(query))
        token = fields.get('token', '')
        if (method, path) == ('POST', '/arm'):
            rules = FAULTS[fields['fault']]
            self.proxy.rules.add(rules)
            return {'count': len(rules)}
        if (method, path) == ('DELETE', '/rules'):
            self.proxy.rules.clear()
            return {'count': 0}
        if (method, path) == ('GET', '/hits'):
            return {'count': sum(rule['done'] for rule in self.proxy.rules.show())}
        if (method, path) == ('GET', '/logins'):
            return {'count': sum(r['method'] == 'POST' and r['path'].endswith('/auth/tokens')
                                 for r in self.proxy.requests()['requests'])}
        if path == '/machines':
            if method == 'DELETE':
                return {'count': self.cloud.drop_machines(token)}
            found = self.cloud.machines(token)
            return dict({'count': len(found)}, **({'id': found[-1].split('/')[-1]}
                                                  if found else {}))
        if path == '/things':
            if method == 'DELETE':
                return {'count': self.cloud.drop_things(token)}
            return {'count': len(self.cloud.things(token))}
        return None


def main():
    with open(sys.argv[1]) as f:
        clouds = yaml.safe_load(f)
    auth = clouds['clouds'][CLOUD]['auth']
    proxy, prefix = Proxy(), 'conf-%d-' % os.getppid()
    cloud = Cloud(dict(auth))
    parts = urllib.parse.urlsplit(auth['auth_url'])
    keystone = proxy.service('keystone', auth['auth_url'])
    proxy.more = Companion(proxy, cloud).answer
    auth['auth_url'] = keystone.ours + parts.path
    folder = tempfile.mkdtemp(prefix='isobar-conformance.')
    path = os.path.join(folder, 'clouds.yaml')
    with open(path, 'w', opener=lambda p, flags: os.open(p, flags, 0o600)) as f:
        yaml.safe_dump({'clouds': {CLOUD: clouds['clouds'][CLOUD]}}, f)
    for each in signal.SIGTERM, signal.SIGINT:
        signal.signal(each, lambda *args: proxy.ending.set())
    print(json.dumps({'control': proxy.ports()['control'], 'clouds_file': path}), flush=True)
    proxy.ending.wait()
    shutil.rmtree(folder)
    proxy.stop()
    cloud.sweep(prefix)


if __name__ == '__main__':
    main()
