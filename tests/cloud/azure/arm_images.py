"""Images of one's own and of the marketplace, public keys, sizes, and how much is used of quotas."""

import time

import arm_catalogue as catalogue
from arm_answers import Refused, dict_of, page
from arm_create import cores_used
from arm_groups import living_group, location_in, same_place, tags_of
from arm_lab import TYPES
from arm_routes import COMPUTE, GROUP, route

IMAGES, KEYS = COMPUTE + '/images', COMPUTE + '/sshpublickeys'
HERE = COMPUTE + '/locations/{}'
PUBLISHERS = HERE + '/publishers'
OFFERS = PUBLISHERS + '/{}/artifacttypes/vmimage/offers'
SKUS = OFFERS + '/{}/skus'
IMAGE_VERSIONS = SKUS + '/{}/versions'
PAGE = 1000


def shown(kind, fields, **more):
    return {'name': fields['name'], 'id': fields['arm'], 'type': TYPES[kind],
            'location': fields['location'], 'tags': fields['tags'],
            'properties': dict(fields['props'], **more)}


def shown_image(lab, fields):
    return shown('image', fields, provisioningState=fields['state'])


def shown_key(lab, fields):
    return shown('key', fields)


def reads(kind, show, path):
    @route('GET', path, 'compute')
    def list_all(lab, call):
        return page(lab, call, [show(lab, each) for each in lab.listed(kind)], PAGE)

    @route('GET', GROUP + path, 'compute')
    def list_group(lab, call, group):
        return page(lab, call, [show(lab, each) for each in lab.listed(kind, group)], PAGE)

    @route('GET', GROUP + path + '/{}', 'compute')
    def get(lab, call, group, name):
        return 200, show(lab, lab.need(kind, group, name).at(time.time()))


reads('image', shown_image, IMAGES)
reads('key', shown_key, KEYS)


@route('PUT', GROUP + KEYS + '/{}', 'compute')
def put_key(lab, call, group, name):
    body = call.body()
    location, tags, properties = location_in(body), tags_of(body), dict_of(body, 'properties')
    key, there = properties.get('publicKey', ''), lab.look('key', group, name)
    if key and key.split(' ')[0] not in ('ssh-rsa', 'ssh-ed25519'):
        raise Refused(400, 'InvalidParameter', 'The value provided for SSH public key is not of a '
                      'format that is supported.', 'publicKey')
    if there is None:
        thing = lab.add('key', living_group(lab, group), name, {
            'location': location, 'tags': tags, 'props': {'publicKey': key}})
        return 201, shown_key(lab, thing.base)
    same_place(there, location)
    there.change(time.time(), tags=tags, props={'publicKey': key})
    return 200, shown_key(lab, there.at(time.time()))


@route('DELETE', GROUP + KEYS + '/{}', 'compute')
def delete_key(lab, call, group, name):
    key = lab.look('key', group, name)
    if key is None:
        return 204, None
    lab.remove(key)
    return 200, None


# ---- What a location offers ----

def need_location(name):
    if name.lower() not in catalogue.LOCATIONS:
        raise Refused(400, 'NoRegisteredProviderFound', "No registered resource provider found for "
                      "location '%s'." % name)
    return name.lower()


@route('GET', HERE + '/vmsizes', 'compute')
def list_sizes(lab, call, location):
    need_location(location)
    return 200, {'value': list(catalogue.SIZES.values())}


@route('GET', HERE + '/usages', 'compute')
def list_usages(lab, call, location):
    here = need_location(location)
    machines = sum(1 for vm in lab.alive('vm') if vm.base['location'] == here)
    return 200, {'value': [
        {'name': {'value': name, 'localizedValue': words}, 'unit': 'Count', 'currentValue': used,
         'limit': limit}
        for name, words, used, limit in (
            ('cores', 'Total Regional vCPUs', cores_used(lab, here), lab.cores),
            ('virtualMachines', 'Virtual Machines', machines, 25000))]}


# ---- The marketplace ----

def artifact(location, path):
    return 'ArtifactNotFound', 'The artifact %s was not found in location %s.' % (path, location)


def shelf(location, *names):
    """What is below these names, which have to be there; and the names as they are written."""
    table, written = catalogue.MARKET, []
    for name in names:
        key, table = catalogue.caseless(table, name)
        if table is None:
            raise Refused(404, *artifact(location, '/'.join(names)))
        written.append(key)
    return table, written


def market_rows(lab, call, location, written, names):
    """Names as the marketplace lists them: an array without pages."""
    path = '/Subscriptions/%s/Providers/Microsoft.Compute/Locations/%s/Publishers' \
        % (lab.subscription, need_location(location))
    parts = ['', '/ArtifactTypes/VMImage/Offers', '/Skus', '/Versions']
    for part, name in zip(parts, written):
        path += '%s/%s' % (part, name)
    path += parts[len(written)]
    return [{'location': location, 'name': name, 'id': '%s/%s' % (path, name)} for name in names]


@route('GET', PUBLISHERS, 'compute')
def list_publishers(lab, call, location):
    return 200, market_rows(lab, call, location, [], catalogue.MARKET)


@route('GET', OFFERS, 'compute')
def list_offers(lab, call, location, publisher):
    table, written = shelf(location, publisher)
    return 200, market_rows(lab, call, location, written, table)


@route('GET', SKUS, 'compute')
def list_skus(lab, call, location, publisher, offer):
    table, written = shelf(location, publisher, offer)
    return 200, market_rows(lab, call, location, written, table)


@route('GET', IMAGE_VERSIONS, 'compute')
def list_versions(lab, call, location, publisher, offer, sku):
    """Ordered as texts, as Azure does."""
    (versions, _, _), written = shelf(location, publisher, offer, sku)
    order = call.query.get('$orderby', 'name asc').split()
    versions = sorted(versions, reverse=order[-1].lower() == 'desc')
    top = call.query.get('$top', '')
    return 200, market_rows(lab, call, location, written,
                            versions[:int(top)] if top.isdigit() else versions)


@route('GET', IMAGE_VERSIONS + '/{}', 'compute')
def get_version(lab, call, location, publisher, offer, sku, version):
    (versions, os, generation), written = shelf(location, publisher, offer, sku)
    if version not in versions:
        raise Refused(404, *artifact(location, version))
    row, = market_rows(lab, call, location, written, [version])
    return 200, dict(row, properties={
        'osDiskImage': {'operatingSystem': os}, 'dataDiskImages': [],
        'automaticOSUpgradeProperties': {'automaticOSUpgradeSupported': False},
        'hyperVGeneration': generation})
