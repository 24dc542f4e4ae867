"""Regions, zones, the account, machine types, images and keys."""

import base64
import binascii
import uuid

import ec2_catalogue as catalogue
from ec2_actions import Listing, action, filtered, missing, page, tag_set, tags_of, would
from ec2_model import Refused
from ec2_network import zone_id

# ---- Regions and zones ----


@action('DescribeRegions')
def describe_regions(lab, p):
    shown = [{'RegionName': name, 'OptInStatus': status,
              'Endpoint': 'ec2.%s.amazonaws.com' % name}
             for name, status in {**catalogue.REGIONS, lab.region: 'opt-in-not-required'}.items()
             if p.get('AllRegions') or status != 'not-opted-in' or name in p.get('RegionNames', ())]
    wanted = p.get('RegionNames', ())
    gone = set(wanted) - {each['RegionName'] for each in shown}
    if gone:
        raise Refused('InvalidParameterValue', 'Invalid region name: %s' % ', '.join(sorted(gone)))
    return {'Regions': filtered(
        p, [each for each in shown if not wanted or each['RegionName'] in wanted],
        {'region-name': 'RegionName', 'endpoint': 'Endpoint', 'opt-in-status': 'OptInStatus'})}


@action('DescribeAvailabilityZones')
def describe_zones(lab, p):
    shown = [{'ZoneName': zone, 'ZoneId': zone_id(zone), 'State': 'available', 'Messages': [],
              'RegionName': lab.region, 'OptInStatus': 'opt-in-not-required', 'GroupName': lab.region,
              'NetworkBorderGroup': lab.region, 'ZoneType': 'availability-zone'}
             for zone in lab.zones]
    for name, key in ('ZoneNames', 'ZoneName'), ('ZoneIds', 'ZoneId'):
        if name in p:
            gone = set(p[name]) - {each[key] for each in shown}
            if gone:
                raise Refused('InvalidParameterValue', 'Invalid availability zone: [%s]'
                              % ', '.join(sorted(gone)))
            shown = [each for each in shown if each[key] in p[name]]
    return {'AvailabilityZones': filtered(p, shown, {
        'zone-name': 'ZoneName', 'zone-id': 'ZoneId', 'state': 'State', 'region-name': 'RegionName',
        'group-name': 'GroupName', 'opt-in-status': 'OptInStatus', 'zone-type': 'ZoneType'})}


@action('DescribeAccountAttributes')
def describe_account(lab, p):
    vpc = lab.default_vpc()
    values = {'supported-platforms': 'VPC', 'default-vpc': vpc.base['id'] if vpc else 'none',
              'max-instances': str(lab.instances), 'vpc-max-elastic-ips': str(lab.addresses),
              'vpc-max-security-groups-per-interface': '5', 'max-elastic-ips': str(lab.addresses)}
    return {'AccountAttributes': [
        {'AttributeName': name, 'AttributeValues': [{'AttributeValue': value}]}
        for name, value in values.items() if name in p.get('AttributeNames', values)]}


# ---- Machine types ----

TYPE_FILTERS = {
    'instance-type': 'InstanceType', 'vcpu-info.default-vcpus': 'VCpuInfo.DefaultVCpus',
    'vcpu-info.default-cores': 'VCpuInfo.DefaultCores', 'memory-info.size-in-mib':
    'MemoryInfo.SizeInMiB', 'processor-info.supported-architecture':
    'ProcessorInfo.SupportedArchitectures', 'current-generation': 'CurrentGeneration',
    'free-tier-eligible': 'FreeTierEligible', 'bare-metal': 'BareMetal', 'hypervisor': 'Hypervisor',
    'burstable-performance-supported': 'BurstablePerformanceSupported',
    'hibernation-supported': 'HibernationSupported',
    'instance-storage-supported': 'InstanceStorageSupported',
    'supported-usage-class': 'SupportedUsageClasses',
    'supported-root-device-type': 'SupportedRootDeviceTypes',
    'supported-virtualization-type': 'SupportedVirtualizationTypes',
    'network-info.ena-support': 'NetworkInfo.EnaSupport'}


@action('DescribeInstanceTypes')
def describe_types(lab, p):
    names = p.get('InstanceTypes')
    if names and 'MaxResults' in p:
        raise Refused('InvalidParameterCombination', 'The parameter instanceTypes cannot be used with '
                      'the parameter maxResults')
    gone = [each for each in names or () if each not in catalogue.TYPES]
    if gone:
        raise Refused('InvalidInstanceType', 'The following supplied instance types do not exist: [%s]'
                      % ', '.join(gone))
    shown = filtered(p, [catalogue.type_info(each) for each in names or sorted(catalogue.TYPES)],
                     TYPE_FILTERS)
    # Without a size, and without names, a page is as long as it can be.
    shown, token = page(lab, p, shown, lambda each: each['InstanceType'], high=100, action='types')
    return {'InstanceTypes': shown, 'NextToken': token}


@action('DescribeInstanceTypeOfferings')
def describe_offerings(lab, p):
    where = p.get('LocationType', 'region')
    places = {'region': {lab.region: 'abc'},
              'availability-zone': {zone: zone[-1] for zone in lab.zones},
              'availability-zone-id': {zone_id(zone): zone[-1] for zone in lab.zones}}.get(where, {})
    shown = [{'InstanceType': name, 'LocationType': where, 'Location': place}
             for name, row in sorted(catalogue.TYPES.items())
             for place, letters in places.items() if set(letters) & set(row[5])]
    shown = filtered(p, shown, {'instance-type': 'InstanceType', 'location': 'Location'})
    shown, token = page(lab, p, shown, lambda each: each['InstanceType'] + each['Location'],
                        action='offerings')
    return {'InstanceTypeOfferings': shown, 'NextToken': token}


# ---- Images ----

def show_image(lab, thing, fields):
    shown = {name: value for name, value in fields.items() if name[0].isupper()}
    if fields['tags']:
        shown['Tags'] = tag_set(fields['tags'])
    return shown


IMAGES = Listing('image', 'ImageIds', 'Images', show_image, {
    'image-id': 'ImageId', 'name': 'Name', 'description': 'Description', 'state': 'State',
    'architecture': 'Architecture', 'owner-alias': 'ImageOwnerAlias', 'owner-id': 'OwnerId',
    'is-public': 'Public', 'image-type': 'ImageType', 'root-device-type': 'RootDeviceType',
    'root-device-name': 'RootDeviceName', 'virtualization-type': 'VirtualizationType',
    'hypervisor': 'Hypervisor', 'platform': 'Platform', 'creation-date': 'CreationDate',
    'ena-support': 'EnaSupport', 'block-device-mapping.volume-size':
    'BlockDeviceMappings.Ebs.VolumeSize', 'block-device-mapping.device-name':
    'BlockDeviceMappings.DeviceName'}, both='imagesSet', low=1)


@action('DescribeImages')
def describe_images(lab, p):
    owners = p.get('Owners')

    def wanted(each):
        names = {each.base['OwnerId'], each.base.get('ImageOwnerAlias')}
        return not owners or names & set(owners) or \
            'self' in owners and each.base['OwnerId'] == lab.account
    things = [each for each in lab.things['image'].values() if wanted(each)]
    shown, token = IMAGES.items(lab, p, things)
    if owners:
        ids = {each.base['id'] for each in things}
        shown = [each for each in shown if each['ImageId'] in ids]
    return {'Images': shown, 'NextToken': token}


# ---- Key pairs ----

@action('DescribeKeyPairs')
def describe_keys(lab, p):
    shown = [{'KeyName': each['id'], 'KeyPairId': each['KeyPairId'], 'Tags': tag_set(each['tags']),
              'KeyFingerprint': each['KeyFingerprint'], 'KeyType': each['KeyType'],
              'CreateTime': each['made'] + lab.clock,
              'PublicKey': each['PublicKey'] if p.get('IncludePublicKey') else None}
             for each in lab.list('key')]
    for name, key in ('KeyNames', 'KeyName'), ('KeyPairIds', 'KeyPairId'):
        if name in p:
            gone = [each for each in p[name] if each not in [one[key] for one in shown]]
            if gone:
                raise missing('key', gone)
            shown = [each for each in shown if each[key] in p[name]]
    return {'KeyPairs': filtered(p, shown, {'key-name': 'KeyName', 'key-pair-id': 'KeyPairId',
                                            'fingerprint': 'KeyFingerprint'})}


def new_key(lab, p, text):
    if not 0 < len(p['KeyName']) <= 255:
        raise Refused('InvalidParameterValue', 'A name of a key pair has up to 255 characters')
    if lab.get('key', p['KeyName']):
        raise Refused('InvalidKeyPair.Duplicate', "The keypair already exists")
    tags, = tags_of(p, 'key-pair')
    would(p)
    fields = lab.add_key(p['KeyName'], text, tags).base
    return {'KeyName': fields['id'], 'KeyPairId': fields['KeyPairId'], 'Tags': tag_set(tags),
            'KeyFingerprint': fields['KeyFingerprint']}


@action('ImportKeyPair')
def import_key(lab, p):
    try:
        text = p['PublicKeyMaterial'].decode()
        kind, body = text.split()[:2]
        known = kind in ('ssh-rsa', 'ssh-ed25519') and base64.b64decode(body, validate=True)
    except (UnicodeDecodeError, ValueError, binascii.Error):
        known = False
    if not known:
        raise Refused('InvalidKey.Format', 'Key is not in valid OpenSSH public key format')
    return new_key(lab, p, text.strip())


@action('CreateKeyPair')
def create_key(lab, p):
    body = base64.b64encode(uuid.uuid4().bytes * 4).decode()
    made = new_key(lab, p, 'ssh-%s %s %s' % (p.get('KeyType', 'rsa'), body, p['KeyName']))
    return dict(made, KeyMaterial='-----BEGIN RSA PRIVATE KEY-----\n%s\n-----END RSA PRIVATE KEY-----'
                % body)


@action('DeleteKeyPair')
def delete_key(lab, p):
    """One that is not there is none of an error's."""
    would(p)
    name, id = p.get('KeyName'), p.get('KeyPairId')
    if name is None and id is None:
        raise Refused('MissingParameter', 'The request must contain the parameter KeyName')
    for each in lab.alive('key'):
        if each.base['id'] == name or each.base['KeyPairId'] == id:
            lab.remove(each)
