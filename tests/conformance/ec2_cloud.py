#!/usr/bin/python3
"""An emulated EC2 for the conformance list: see emulated_cloud.py, which also says what its control
port has.

    ec2_cloud.py
    {"control": 41001, "url": "http://127.0.0.1:..", "access_key_id": "..", "secret_access_key": ".."}
"""

import emulated_cloud
import ec2_emulator

ORDER = {'action': 'RunInstances'}
TYPES = {'action': 'DescribeInstanceTypes', 'times': 0}


class Cloud(emulated_cloud.Cloud):
    others = 'interfaces', 'addresses'
    calm = {'boot': 0.3, 'pace': 0.3, 'late_commit': 0, 'clock': 0, 'unknown_state': '',
            'page_size': 0, 'instances': 1000, 'capacity': {}}
    faults = {
        'none': [],
        'lost_reply': [('rules', dict(ORDER, what='drop_reply'))],
        'late_commit': [('rules', dict(ORDER, what='late_commit', ms=1500))],
        # EC2 does not say how long to wait; a front of it may.
        'rate_limit': [('rules', dict(ORDER, what='refuse', status=503, retry_after=1,
                                      code='RequestLimitExceeded', message='Request limit exceeded.'))],
        'unauthorized': [('rules', dict(TYPES, what='refuse', status=401, code='AuthFailure', times=1,
                                        message='AWS was not able to validate the provided access '
                                                'credentials'))],
        'skew': [('faults', {'clock': -7200})],
        'cut_body': [('rules', dict(TYPES, what='cut_body'))],
        'huge_body': [('rules', dict(TYPES, what='huge'))],
        'deep_body': [('rules', dict(TYPES, what='deep'))],
        'slow_body': [('rules', dict(TYPES, what='trickle', bytes_per_s=50))],
        'unknown_state': [('faults', {'unknown_state': 'FLABBERGASTED'})],
        'pages': [('faults', {'page_size': 1})],
        'quota': [('faults', {'instances': 0})],
        'capacity': [('faults', {'capacity': {'*': 0}})],
        'hang': [('rules', dict(ORDER, what='hang', ms=10000))],
    }

    def __init__(self, emulator):
        super().__init__(emulator)
        self.client = None

    def settings(self):
        return {key: self.told[key] for key in ('url', 'access_key_id', 'secret_access_key')}

    def connect(self):
        import boto3
        return boto3.client('ec2', region_name=self.told['region'], endpoint_url=self.told['url'],
                            aws_access_key_id=self.told['access_key_id'],
                            aws_secret_access_key=self.told['secret_access_key'])

    def drop(self, things):
        """By who owns the account, who knows nothing of us; how many are left."""
        self.client = self.client or self.connect()
        for kind, id in things:
            if kind == 'machines':
                self.client.terminate_instances(InstanceIds=[id])
                self.client.get_waiter('instance_terminated').wait(
                    InstanceIds=[id], WaiterConfig={'Delay': 0.1, 'MaxAttempts': 100})
            elif kind == 'addresses':
                self.client.release_address(AllocationId=id)
            else:
                self.client.delete_network_interface(NetworkInterfaceId=id)
        return 0


if __name__ == '__main__':
    emulated_cloud.run(ec2_emulator.Emulator, Cloud)
