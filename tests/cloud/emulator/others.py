"""Keystone, Glance and Cinder."""

import ast
import secrets
import time

from answers import Refused, collection, filtered, nova_fault, one_of
from things import IMAGES, PROJECT, TOKEN_KEY, USER, stamp

USER_NAME, PASSWORD, LIFETIME_S = 'demo', 'secret', 3600


# ---- Keystone ----

def keystone_version(lab, request):
    return 200, {'version': {'id': 'v3.14', 'status': 'stable', 'updated': '2020-04-07T00:00:00Z',
                             'media-types': [], 'links': [
                                 {'rel': 'self', 'href': lab.url + '/identity/v3/'}]}}


def login(lab, request):
    user = request.json()['auth']['identity'].get('password', {}).get('user', {})
    if user.get('name') != USER_NAME or user.get('password') != PASSWORD:
        raise Refused(401, {'error': {'code': 401, 'title': 'Unauthorized', 'message':
                                      'The request you have made requires authentication.'}})
    token = secrets.token_hex(16)
    lab.tokens.add(token)
    now = time.time()
    domain = {'id': 'default', 'name': 'Default'}
    paths = {'identity': '/identity', 'compute': '/compute/v2.1', 'image': '/image',
             'network': '/network', 'volumev3': '/volume/v3/' + PROJECT}
    catalog = [{'type': kind, 'name': kind, 'id': kind, 'endpoints': [
        {'id': kind + interface, 'interface': interface, 'region': 'one', 'region_id': 'one',
         'url': lab.url + path} for interface in ('public', 'internal', 'admin')]}
        for kind, path in paths.items()]
    return 201, {'token': {
        'methods': ['password'], 'audit_ids': ['a'], 'roles': [{'id': 'r', 'name': 'member'}],
        'issued_at': stamp(now).replace('Z', '.000000Z'),
        'expires_at': stamp(now + LIFETIME_S).replace('Z', '.000000Z'),
        'user': {'id': USER, 'name': USER_NAME, 'domain': domain, 'password_expires_at': None},
        'project': {'id': PROJECT, 'name': 'demo', 'domain': domain}, 'is_domain': False,
        'catalog': catalog}}, [('X-Subject-Token', token)]


def regions(lab, request):
    return 200, {'regions': [{'id': 'one', 'description': '', 'parent_region_id': None}],
                 'links': {}}


# ---- Glance ----

def glance_versions(lab, request):
    return 300, {'versions': [{'id': 'v2.9', 'status': 'CURRENT', 'links': [
        {'rel': 'self', 'href': lab.url + '/image/v2/'}]}]}


def list_images(lab, request):
    return collection(request, 'images', filtered(request, IMAGES, ('id', 'name', 'status')))


def show_image(lab, request, id):
    image = one_of(IMAGES, id)
    if not image:
        raise Refused(404, {'message': 'No image found with ID %s' % id, 'code': '404 Not Found',
                            'title': 'Not Found'})
    return 200, image


# ---- Cinder ----

def cinder_versions(lab, request):
    return 300, {'versions': [{'id': 'v3.0', 'status': 'CURRENT', 'version': '3.0',
                               'min_version': '3.0', 'links': [
                                   {'rel': 'self', 'href': lab.url + '/volume/v3/'}]}]}


def list_volumes(lab, request):
    found = filtered(request, lab.list('volume'), ('id', 'name', 'status'))
    for written in request.query.get('metadata', []):
        wanted = ast.literal_eval(written).items()
        found = [each for each in found if wanted <= each['metadata'].items()]
    return collection(request, 'volumes', found)


def find_volume(lab, id):
    thing = lab.get('volume', id)
    if not thing:
        raise Refused(404, nova_fault(404, 'Volume %s could not be found.' % id))
    return thing


def one_volume(lab, request, id):
    thing = find_volume(lab, id)
    if request.method == 'DELETE':
        lab.remove(thing)
        return 202, None
    return 200, {'volume': thing.at(time.time())}


def make_volume(lab, request):
    wanted, now = request.json()['volume'], time.time()
    metadata = wanted.get('metadata') or {}
    fields = {
        'id': lab.new_id(), 'name': wanted.get('name'), 'description': wanted.get('description'),
        'size': wanted['size'], 'status': 'creating', 'bootable': 'false', 'metadata': metadata,
        'volume_type': wanted.get('volume_type') or 'fast', 'attachments': [], 'links': [],
        'availability_zone': 'nova', 'created_at': stamp(now), 'updated_at': stamp(now),
        'encrypted': False, 'multiattach': False, 'replication_status': None, 'user_id': USER,
        'snapshot_id': None, 'source_volid': wanted.get('source_volid'),
        'consistencygroup_id': None}
    volume = lab.make('volume', fields, metadata.get(TOKEN_KEY), lab.shown_after('volume'))
    volume.change(now + lab.pace, status='available')
    return 202, {'volume': fields}


def cinder_limits(lab, request):
    return 200, {'limits': {'rate': [], 'absolute': {
        'maxTotalVolumes': -1, 'totalVolumesUsed': 0, 'maxTotalVolumeGigabytes': -1,
        'totalGigabytesUsed': 0}}}


ROUTES = [
    ('GET', r'/identity(?:/v3)?/?', keystone_version),
    ('POST', r'/identity/v3/auth/tokens', login),
    ('GET', r'/identity/v3/regions', regions),
    ('GET', r'/image/?', glance_versions),
    ('GET', r'/image/v2/images', list_images),
    ('GET', r'/image/v2/images/([^/]+)', show_image),
    ('GET', r'/volume/?', cinder_versions),
    ('GET', r'/volume/v3/[^/]+/volumes(?:/detail)?', list_volumes),
    ('POST', r'/volume/v3/[^/]+/volumes', make_volume),
    ('GET|DELETE', r'/volume/v3/[^/]+/volumes/([^/]+)', one_volume),
    ('GET', r'/volume/v3/[^/]+/limits', cinder_limits),
]
