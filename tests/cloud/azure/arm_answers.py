"""A request of Resource Manager's, which version of an API it is of, and how it is answered."""

import base64
import json
import re
import time
import uuid
from email.utils import formatdate
from urllib.parse import parse_qsl, quote, urlencode

# The versions that we answer for, a set a kind of thing: those of the published specifications.
# Disks and galleries have versions of their own: they are not there in all of Compute's.
VERSIONS = {
    'compute': '2020-12-01 2021-03-01 2021-04-01 2021-07-01 2021-11-01 2022-03-01 2022-08-01 '
               '2022-11-01 2023-03-01 2023-07-01 2023-09-01 2024-03-01 2024-07-01 2024-11-01',
    'disks': '2020-12-01 2021-04-01 2021-08-01 2021-12-01 2022-03-02 2022-07-02 2023-01-02 '
             '2023-04-02 2023-10-02 2024-03-02',
    'galleries': '2019-12-01 2020-09-30 2021-07-01 2021-10-01 2022-01-03 2022-03-03 2022-08-03 '
                 '2023-07-03 2024-03-03',
    'network': '2020-11-01 2021-02-01 2021-03-01 2021-05-01 2021-08-01 2022-01-01 2022-05-01 '
               '2022-07-01 2022-09-01 2022-11-01 2023-02-01 2023-04-01 2023-05-01 2023-06-01 '
               '2023-09-01 2023-11-01 2024-01-01 2024-03-01 2024-05-01',
    'resources': '2019-10-01 2020-06-01 2020-10-01 2021-01-01 2021-04-01 2022-09-01 2023-07-01 '
                 '2024-03-01 2024-07-01',
    'subscriptions': '2019-06-01 2019-11-01 2020-01-01 2021-01-01 2022-12-01',
}
VERSIONS = {kind: versions.split() for kind, versions in VERSIONS.items()}
ALL_VERSIONS = sorted({each for versions in VERSIONS.values() for each in versions})


class Refused(Exception):
    """The request is answered with this error. `breach`: no user can cause it, a client must not."""

    def __init__(self, status, code, message, target=None, details=None, headers=(), breach=False):
        super().__init__(status, code, message)
        self.status, self.code, self.message, self.target = status, code, message, target
        self.details, self.headers, self.breach = details, list(headers), breach

    @property
    def body(self):
        error = {'code': self.code, 'message': self.message}
        if self.target is not None:
            error['target'] = self.target
        if self.details is not None:
            error['details'] = self.details
        return {'error': error}


def not_found(type, name, group):
    return Refused(404, 'ResourceNotFound',
                   "The Resource '%s/%s' under resource group '%s' was not found. For more details "
                   'please go to https://aka.ms/ARMResourceNotFoundFix' % (type, name, group))


SUBSCRIPTION = re.compile(r'/subscriptions/([^/]+)(/.*)?$', re.I)


class Call:
    """What is known of a request before anything is done."""

    def __init__(self, request):
        self.request, self.method = request, request.method
        self.query = {name.lower(): value for name, value in parse_qsl(
            request.target.partition('?')[2], keep_blank_values=True)}
        found = SUBSCRIPTION.match(request.path)
        self.subscription = found.group(1).lower() if found else None
        # Below the subscription, without a slash at the end.
        self.path = (found.group(2) or '' if found else request.path).rstrip('/')
        self.version = self.query.get('api-version', '')
        self.kind = None        # whose version that is, once it is known

    @property
    def bearer(self):
        scheme, _, token = self.request.headers.get('authorization', '').partition(' ')
        return token.strip() if scheme.lower() == 'bearer' else None

    def check_version(self, kind):
        if not self.version:
            raise Refused(400, 'MissingApiVersionParameter', 'The api-version query parameter '
                          '(?api-version=) is required for all requests.', breach=True)
        if self.version not in ALL_VERSIONS:
            raise Refused(400, 'InvalidApiVersionParameter', "The api-version '%s' is invalid. The "
                          "supported versions are '%s'." % (self.version, ','.join(ALL_VERSIONS)))
        if self.version not in VERSIONS[kind]:
            parts = self.path.lower().rpartition('/providers/')[2].split('/')
            supported = ', '.join(VERSIONS[kind])
            if len(parts) % 2:  # it has the name of one
                raise Refused(400, 'NoRegisteredProviderFound', "No registered resource provider "
                              "found for API version '%s' for type '%s'. The supported api-versions "
                              "are '%s'." % (self.version, parts[-2], supported))
            raise Refused(404, 'InvalidResourceType', "The resource type '%s' could not be found in "
                          "the namespace '%s' for api version '%s'. The supported api-versions are "
                          "'%s'." % (parts[-1], parts[0], self.version, supported))

    def body(self):
        """The object that was sent."""
        kind = self.request.headers.get('content-type', '').partition(';')[0].strip()
        try:
            found = json.loads(self.request.body or b'')
        except ValueError:
            found = None
        if kind != 'application/json':
            raise Refused(415, 'UnsupportedMediaType', "The content media type '%s' is not "
                          "supported. Only 'application/json' is supported." % kind, breach=True)
        if not isinstance(found, dict):
            raise Refused(400, 'InvalidRequestContent', 'The request content was invalid and could '
                          'not be deserialized.', breach=True)
        return found


def dict_of(fields, name, what=dict):
    """A member that has to be an object (or a list), empty where it is not there."""
    found = fields.get(name)
    if found is None:
        return what()
    if not isinstance(found, what):
        raise Refused(400, 'InvalidRequestFormat', 'Cannot parse the request: %s' % name,
                      details=[], breach=True)
    return found


def headers_of(lab, method):
    """Those of all answers of Resource Manager."""
    id = str(uuid.uuid4())
    what, left = ('reads', lab.reads_left) if method == 'GET' else \
        ('deletes', lab.writes_left) if method == 'DELETE' else ('writes', lab.writes_left)
    found = [('Cache-Control', 'no-cache'), ('x-ms-request-id', id),
             ('x-ms-correlation-request-id', id),
             ('x-ms-ratelimit-remaining-subscription-' + what, str(left)),
             ('x-ms-routing-request-id', 'WESTUS2:20260101T000000Z:' + id),
             ('Strict-Transport-Security', 'max-age=31536000; includeSubDomains'),
             ('Date', formatdate(time.time() + lab.clock, usegmt=True))]
    if lab.resource_left:
        found.append(('x-ms-ratelimit-remaining-resource', lab.resource_left))
    return found


def page(lab, call, items, size):
    """The answer to a list: items in the order of their ids, `size` of them at most."""
    items = sorted(items, key=lambda each: each['id'].lower())
    if '$skiptoken' in call.query:
        try:
            after = base64.urlsafe_b64decode(call.query['$skiptoken']).decode()
        except ValueError:
            raise Refused(400, 'InvalidSkipToken', 'The skip token is invalid.',
                          breach=True) from None
        items = [each for each in items if each['id'].lower() > after]
    size = lab.page_size or size
    if call.query.get('$top', '').isdigit():
        size = min(size, int(call.query['$top']))
    found = {'value': items[:size]}
    if len(items) > size:
        token = base64.urlsafe_b64encode(items[size - 1]['id'].lower().encode()).decode()
        found['nextLink'] = '%s%s?%s' % (lab.url, quote(call.request.path), urlencode(
            dict(call.query, **{'$skiptoken': token}), safe='$'))
    return 200, found
