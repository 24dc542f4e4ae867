"""Operations that go on after their answer, and how they are asked for.

What becomes of things is planned when an operation begins; an operation itself only knows when it is
over and how.
"""

import time
import uuid

from arm_answers import Refused
from arm_routes import COMPUTE, NETWORK, route

NEVER = float('inf')
PROVIDERS = {'compute': 'Microsoft.Compute', 'network': 'Microsoft.Network'}


def stamp(t):
    return time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(t)) + '.%07d+00:00' % (t % 1 * 1e7)


class Operation:
    """`error` is (code, message) or None; `output` gives the thing as it is shown at the end."""

    def __init__(self, service, started, ends, error=None, output=None, last_status=200):
        self.id, self.service = str(uuid.uuid4()), service
        self.started, self.ends, self.error, self.output = started, ends, error, output
        self.last_status = last_status

    def status(self, now):
        if now < self.ends:
            return 'InProgress'
        if self.error is None:
            return 'Succeeded'
        return 'Canceled' if self.error[0].startswith('OperationPreempted') else 'Failed'


def begin(lab, call, operation, location, how=('status',)):
    """The headers of an answer to a request that goes on: `how` has 'status' for
    Azure-AsyncOperation, 'location' for Location."""
    lab.operations[operation.id] = operation
    return headers(lab, call.version, operation, location, how)


def headers(lab, version, operation, location, how):
    base = '%s/subscriptions/%s' % (lab.url, lab.subscription)
    if operation.service == 'resources':
        found = [('Location', '%s/operationresults/%s?api-version=%s'
                  % (base, operation.id, version))]
        return found + retry_after(lab)
    base += '/providers/%s/locations/%s' % (PROVIDERS[operation.service], location)
    found = []
    if 'status' in how:
        found.append(('Azure-AsyncOperation', '%s/operations/%s?api-version=%s'
                      % (base, operation.id, version)))
    if 'location' in how:
        path = 'operations/%s?monitor=true&' if operation.service == 'compute' else \
            'operationResults/%s?'
        found.append(('Location', '%s/%sapi-version=%s' % (base, path % operation.id, version)))
    return found + retry_after(lab)


def retry_after(lab):
    return [('Retry-After', str(lab.retry_after))] if lab.retry_after is not None else []


def find(lab, id):
    if id not in lab.operations:
        raise Refused(404, 'OperationNotFound', 'The operation %s was not found.' % id, breach=True)
    return lab.operations[id]


@route('GET', COMPUTE + '/locations/{}/operations/{}', None)
def compute_operation(lab, call, location, id):
    operation, now = find(lab, id), time.time()
    if call.query.get('monitor') == 'true':
        return result(lab, call, operation, location, now)
    status = operation.status(now)
    body = {'startTime': stamp(operation.started + lab.clock), 'status': status, 'name': id}
    if status == 'InProgress':
        return 200, body, retry_after(lab)
    body['endTime'] = stamp(operation.ends + lab.clock)
    if operation.error:
        body['error'] = {'code': operation.error[0], 'message': operation.error[1]}
    elif operation.output:
        body['properties'] = {'output': operation.output()}
    return 200, body


@route('GET', NETWORK + '/locations/{}/operations/{}', None)
def network_operation(lab, call, location, id):
    operation, now = find(lab, id), time.time()
    status = operation.status(now)
    if operation.error and status != 'InProgress':
        return 200, {'status': status, 'error': {
            'code': operation.error[0], 'message': operation.error[1], 'details': []}}
    return 200, {'status': status}, retry_after(lab) if status == 'InProgress' else []


@route('GET', NETWORK + '/locations/{}/operationresults/{}', None)
def network_result(lab, call, location, id):
    return result(lab, call, find(lab, id), location, time.time())


@route('GET', '/operationresults/{}', None)
def group_result(lab, call, id):
    return result(lab, call, find(lab, id), '', time.time())


def result(lab, call, operation, location, now):
    """What Location leads to: 202 until it is over, then what it gave."""
    status = operation.status(now)
    if status == 'InProgress':
        return 202, None, headers(lab, call.version, operation, location, ('location',))
    if operation.error:
        raise Refused(409, *operation.error)
    if operation.output:
        return 200, operation.output()
    return operation.last_status, None
