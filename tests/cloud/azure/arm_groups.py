"""Resource groups, the subscription itself, its providers, and all resources in one list."""

import re
import time

import arm_catalogue as catalogue
import arm_operations
from arm_answers import VERSIONS, Refused, dict_of, page
from arm_lab import TYPES
from arm_routes import GROUP, route

NAME = re.compile(r'[-\w._()]{1,90}$')
PAGE = 1000


def tags_of(body):
    tags = dict_of(body, 'tags')
    if len(tags) > 50 or any(len(key) > 512 or not isinstance(value, str) or len(value) > 256
                             for key, value in tags.items()):
        raise Refused(400, 'InvalidTagNameValue', 'A resource has 50 tags at most, names have 512 '
                      'characters, values 256.')
    return tags


def location_in(body):
    location = catalogue.location_of(body.get('location') or '')
    if not location:
        raise Refused(400, 'LocationRequired', "The location property is required for this "
                      "definition.")
    if location not in catalogue.LOCATIONS:
        raise Refused(400, 'LocationNotAvailableForResourceType', "The provided location '%s' is not "
                      "available for the resource type. List of available regions is '%s'."
                      % (body['location'], ','.join(catalogue.LOCATIONS)))
    return location


def same_place(thing, location):
    """A thing stays where it is."""
    if thing.base['location'] != location:
        raise Refused(409, 'InvalidResourceLocation', "The resource '%s' already exists in location "
                      "'%s' in resource group '%s'. A resource with the same name cannot be created "
                      "in location '%s'. Please select a new resource name."
                      % (thing.base['name'], thing.base['location'], thing.base['group'], location))


def shown_group(fields):
    return {'id': fields['arm'], 'name': fields['name'], 'type': 'Microsoft.Resources/resourceGroups',
            'location': fields['location'], 'tags': fields['tags'],
            'properties': {'provisioningState': fields['state']}}


@route('GET', '/resourcegroups', 'resources')
def list_groups(lab, call):
    return page(lab, call, [shown_group(each) for each in lab.listed('group')
                            if fits_filter(call, each)], PAGE)


@route('GET', GROUP, 'resources')
def get_group(lab, call, name):
    return 200, shown_group(lab.need_group(name).at(time.time()))


@route('HEAD', GROUP, 'resources')
def head_group(lab, call, name):
    return 204 if lab.look('group', name, name) else 404, None


@route('PUT', GROUP, 'resources')
def put_group(lab, call, name):
    body = call.body()
    if not NAME.match(name) or name.endswith('.'):
        raise Refused(400, 'InvalidResourceGroup', "The provided resource group name '%s' has "
                      'invalid characters.' % name)
    location, tags = location_in(body), tags_of(body)
    thing = lab.look('group', name, name)
    if thing is None:
        thing = lab.add('group', name, name, {'location': location, 'tags': tags})
        return 201, shown_group(thing.base)
    if thing.gone is not None:
        raise being_deleted(name)
    if thing.base['location'] != location:
        raise Refused(409, 'InvalidResourceGroupLocation', 'Invalid resource group location \'%s\'. '
                      "The Resource group already exists in location '%s'."
                      % (location, thing.base['location']))
    thing.change(time.time(), tags=tags)
    return 200, shown_group(thing.at(time.time()))


def being_deleted(name):
    return Refused(409, 'ResourceGroupBeingDeleted', "The resource group '%s' is in deprovisioning "
                   'state and cannot perform this operation.' % name)


def living_group(lab, name):
    """One in which something can be made."""
    group = lab.need_group(name)
    if group.gone is not None:
        raise being_deleted(name)
    return group.base['name']


@route('DELETE', GROUP, 'resources')
def delete_group(lab, call, name):
    group, now = lab.need_group(name), time.time()
    ends = now + lab.pace
    if group.gone is None:
        group.change(now, state='Deleting')
        for kind in TYPES:
            for thing in lab.alive(kind):
                if thing.base['group'].lower() == name.lower() and thing.gone is None:
                    thing.change(now, state='Deleting')
                    lab.remove(thing, ends)
        lab.remove(group, ends)
    return 202, None, arm_operations.begin(lab, call, arm_operations.Operation(
        'resources', now, group.gone), '')


# ---- Resources ----

FILTER = re.compile(r"tagName eq '((?:[^']|'')*)'(?: and tagValue eq '((?:[^']|'')*)')?$", re.I)


def fits_filter(call, fields):
    text = call.query.get('$filter', '')
    if not text:
        return True
    found = FILTER.match(text)
    if not found:
        raise Refused(400, 'InvalidFilterInQueryString', "Invalid $filter '%s' specified in the "
                      'query string.' % text, breach=True)
    name, value = (each if each is None else each.replace("''", "'") for each in found.groups())
    return any(key.lower() == name.lower() and (value is None or has == value)
               for key, has in fields['tags'].items())


def resources(lab, call, group=None):
    found = []
    for kind, type in TYPES.items():
        for each in lab.listed(kind, group):
            if fits_filter(call, each):
                row = {'id': each['arm'], 'name': each['name'], 'type': type,
                       'location': each['location'], 'tags': each['tags']}
                if kind == 'disk':
                    row['managedBy'] = each['used_by'] or ''
                found.append(row)
    return page(lab, call, found, PAGE)


@route('GET', '/resources', 'resources')
def list_resources(lab, call):
    return resources(lab, call)


@route('GET', GROUP + '/resources', 'resources')
def list_group_resources(lab, call, name):
    return resources(lab, call, name)


# ---- The subscription ----

def shown_subscription(lab):
    return {'id': '/subscriptions/' + lab.subscription, 'subscriptionId': lab.subscription,
            'tenantId': lab.tenant, 'displayName': lab.name,
            'state': 'Disabled' if lab.disabled else 'Enabled', 'authorizationSource': 'RoleBased',
            'managedByTenants': [], 'subscriptionPolicies': {
                'locationPlacementId': 'Public_2014-09-01', 'quotaId': 'PayAsYouGo_2014-09-01',
                'spendingLimit': 'Off'}}


@route('GET', '/subscriptions', 'subscriptions')
def list_subscriptions(lab, call):
    return 200, {'value': [shown_subscription(lab)]}


@route('GET', '', 'subscriptions')
def get_subscription(lab, call):
    return 200, shown_subscription(lab)


@route('GET', '/locations', 'subscriptions')
def list_locations(lab, call):
    return 200, {'value': [
        {'id': '/subscriptions/%s/locations/%s' % (lab.subscription, name), 'name': name,
         'displayName': words, 'regionalDisplayName': '(Lab) ' + words, 'metadata': {
             'regionType': 'Physical', 'regionCategory': 'Recommended', 'geographyGroup': 'Lab',
             'longitude': '4.9', 'latitude': '52.3667', 'physicalLocation': words,
             'pairedRegion': []}}
        for name, (words, _) in catalogue.LOCATIONS.items()]}


# ---- Providers ----

def shown_provider(lab, namespace):
    words = [words for words, _ in catalogue.LOCATIONS.values()]
    zones = [{'location': words, 'zones': list(catalogue.ZONES)}
             for words, has in catalogue.LOCATIONS.values() if has]
    types = []
    for kind, type in TYPES.items():
        space, _, name = type.partition('/')
        if space == namespace:
            row = {'resourceType': name, 'locations': words, 'apiVersions': list(reversed(
                VERSIONS['disks' if kind == 'disk' else space.rpartition('.')[2].lower()])),
                'capabilities': 'None'}
            if kind in ('vm', 'disk', 'ip'):
                row['zoneMappings'] = zones
            types.append(row)
    return {'id': '/subscriptions/%s/providers/%s' % (lab.subscription, namespace),
            'namespace': namespace, 'registrationState': 'Registered',
            'registrationPolicy': 'RegistrationRequired', 'resourceTypes': types}


@route('GET', '/providers/{}', 'resources')
def get_provider(lab, call, name):
    for namespace in 'Microsoft.Compute', 'Microsoft.Network':
        if namespace.lower() == name.lower():
            return 200, shown_provider(lab, namespace)
    raise Refused(404, 'InvalidResourceNamespace', "The resource namespace '%s' is invalid." % name)


@route('GET', '/providers', 'resources')
def list_providers(lab, call):
    return 200, {'value': [shown_provider(lab, each)
                           for each in ('Microsoft.Compute', 'Microsoft.Network')]}
