#!/usr/bin/python3
"""An emulated Azure for the conformance list: see emulated_cloud.py, which also says what its control
port has, and GET /logins: how often somebody asked for a token.

    arm_cloud.py
    {"control": 41001, "url": "http://127.0.0.1:..", "subscription_id": "..", "tenant_id": "..",
     "client_id": "..", "client_secret": ".."}
"""

import time
import urllib.error
import urllib.request

import emulated_cloud
import arm_emulator

ORDER = {'method': 'PUT', 'path': '/virtualMachines/'}
SIZES = {'method': 'GET', 'path': '/vmSizes', 'times': 0}
VERSIONS = {'virtualmachines': '2021-03-01', 'networkinterfaces': '2021-02-01',
            'publicipaddresses': '2021-02-01', 'disks': '2020-12-01'}
GONE_S = 30


class Cloud(emulated_cloud.Cloud):
    others = 'nics', 'addresses', 'disks'
    calm = {'boot': 0.3, 'pace': 0.2, 'late_commit': 0, 'clock': 0, 'unknown_state': '',
            'page_size': 0, 'cores': 100000, 'no_sizes': []}
    faults = {
        'none': [],
        'lost_reply': [('rules', dict(ORDER, what='drop_reply'))],
        'late_commit': [('rules', dict(ORDER, what='late_commit', ms=1500))],
        'rate_limit': [('rules', dict(ORDER, what='refuse', status=429, retry_after=1,
                                      code='TooManyRequests', message='too many requests'))],
        'unauthorized': [('rules', dict(SIZES, what='refuse', status=401, times=1,
                                        code='ExpiredAuthenticationToken',
                                        message='The access token expiry is in the past.'))],
        'skew': [('faults', {'clock': -7200})],
        'cut_body': [('rules', dict(SIZES, what='cut_body'))],
        'huge_body': [('rules', dict(SIZES, what='huge'))],
        'deep_body': [('rules', dict(SIZES, what='deep'))],
        'slow_body': [('rules', dict(SIZES, what='trickle', bytes_per_s=50))],
        'unknown_state': [('faults', {'unknown_state': 'FLABBERGASTED'})],
        'pages': [('faults', {'page_size': 1})],
        'quota': [('faults', {'cores': 0})],
        # What is found out only while the machine is made shows in its state.
        'capacity': [('faults', {'no_sizes': ['Standard_B1s']})],
        'hang': [('rules', dict(ORDER, what='hang', ms=10000))],
    }

    def settings(self):
        return {key: self.told[key] for key in ('url', 'subscription_id', 'tenant_id', 'client_id',
                                                'client_secret')}

    def answer(self, method, path, fields):
        if (method, path) == ('GET', '/logins'):
            asked = self.emulator.ask('GET', '/asked?lab=' + emulated_cloud.LAB)
            return {'count': asked.get('token', 0)}
        return super().answer(method, path, fields)

    def request(self, method, id):
        """By who owns the subscription, who knows nothing of us; False where there is no such thing."""
        token = self.emulator.ask('POST', '/token', {'lab': emulated_cloud.LAB, 'seconds': 60})
        version = VERSIONS[id.lower().split('/')[-2]]
        request = urllib.request.Request(
            '%s%s?api-version=%s' % (self.told['url'], id, version), method=method,
            headers={'Authorization': 'Bearer ' + token['access_token']})
        try:
            with urllib.request.urlopen(request, timeout=60):
                return True
        except urllib.error.HTTPError as e:
            if e.code == 404:
                return False
            raise

    def drop(self, things):
        """How many are left."""
        for _, id in things:
            self.request('DELETE', id)
        until = time.monotonic() + GONE_S
        left = [id for _, id in things]
        while left and time.monotonic() < until:
            time.sleep(0.1)
            left = [id for id in left if self.request('GET', id)]
        return len(left)


if __name__ == '__main__':
    emulated_cloud.run(arm_emulator.Emulator, Cloud)
